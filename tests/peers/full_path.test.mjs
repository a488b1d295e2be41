// The whole way of a request through the daemon: typed on a phone of a real Kannel, shown in a real
// XMPP room, taken by one of two volunteers in the same instant, done, confirmed on the phone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { linli, startLinli } from './daemon.mjs';
import { kannelMissing, kannelPorts, kannelUser, moUrl, startKannel } from './kannel.mjs';
import { waitFor } from './lib.mjs';
import { Person, domain, password, prosodyMissing, rooms, startProsody } from './prosody.mjs';

const skip = (fs.existsSync(linli) ? undefined : `${linli} is not built`) ?? kannelMissing() ?? prosodyMissing();
const secret = 's3cret', phone = '8613800001111', ours = '10690001';
const room = `hood@${rooms}`, nick = 'linli';

const community = (language) => `
name: {zh-CN: 测试巷, en: Test Lane}
language: ${language}
zone: Asia/Shanghai
country: CN
emergency: ["110", "119", "120"]
areas:
  - {id: east, name: {zh-CN: 东区, en: east block}, words: [东区, east]}
  - {id: west, name: {zh-CN: 西区, en: west block}, words: [西区, west]}
kinds:
  - {id: medicine, name: {zh-CN: 买药, en: medicine}, words: [买药, medicine]}
groups:
  - {id: east, channel: hood, address: ${room}, areas: [east]}
`;

const filesIn = (folder) => fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
	const file = path.join(folder, entry.name);
	return entry.isDirectory() ? filesIn(file) : entry.isFile() ? [file] : [];
});

/** Body of a message that somebody got; rooms say type groupchat, private ones chat. */
const body = (element) => element.getChildText('body');
const said = (person, type) => person.got.filter((e) => e.is('message') && e.attrs.type === type && body(e)
	&& e.attrs.from === `${room}/${nick}`);

/** A neighbourhood of a phone, and of a room with two volunteers and one who only reads. */
async function neighbourhood(t, language, log) {
	const server = await startProsody(t, { users: ['bot', 'alice', 'bob', 'carol'] });
	const carol = await Person.connect(t, server, 'carol');
	await carol.join(room);
	const ports = await kannelPorts();
	const daemon = await startLinli(t, {
		log,
		channels: `
sms:
  adapter: kannel
  sendsms_url: ${ports.sendsmsUrl}
  username: ${kannelUser.username}
  password: "${kannelUser.password}"
  secret: ${secret}
  from: "${ours}"
  country_code: "86"
  max_messages: 5
hood:
  adapter: xmpp
  url: ${server.url}
  jid: bot@${domain}
  password: "${password}"
  rooms: [${room}]
  nick: ${nick}`,
		community: community(language),
	});
	const kannel = await startKannel(t, { ports, moUrl: moUrl(`${daemon.url}/hook/sms/mo`, secret) });
	const phones = await kannel.phones();
	const volunteers = [];
	for (const name of ['alice', 'bob']) {
		const person = await Person.connect(t, server, name);
		await person.join(room);
		volunteers.push(person);
	}
	await carol.until('the bot in the room', (e) => e.is('presence') && e.attrs.from === `${room}/${nick}`);
	return { server, daemon, phones, carol, volunteers };
}

/** What the resident types and is answered; answers are looked at in the order they come. */
function resident(phones) {
	let read = 0;
	return {
		say: (text) => phones.say(phone, ours, text),
		async hears(pattern) {
			const message = await waitFor(`an SMS like ${pattern}`, () =>
				phones.got.filter((one) => one.to === `+${phone}`)[read])
				.catch((error) => { throw new Error(`${error.message}\n${JSON.stringify(phones.got)}`); });
			read++;
			assert.equal(message.from, ours);
			assert.match(message.text, pattern);
			return message.text.match(pattern);
		},
		nothingMore: () => assert.equal(phones.got.length, read),
	};
}

const scenes = {
	Chinese: {
		language: 'zh-CN',
		asks: [['麻烦帮我买药，阿莫西林，东区', /什么时候/], ['3', /具体在哪儿/], ['3号楼502', /请确认：买药，东区，明天，3号楼502。/]],
		post: '1', posted: /编号(\d+)/, secrets: ['阿莫西林', '3号楼502'],
		card: (code) => `【${code}】买药，东区，明天。`, take: (code) => `接 ${code}`,
		taken: /(\S+)接了(\d+)。暗号“(.+?)”/, late: (code, name) => `${code}被${name}先接了一步，谢谢您！`,
		details: /阿莫西林.*（地址：3号楼502）/s,
		way: ['路上', /在路上了.*暗号/], arrived: ['到了', /到了.*暗号/], done: ['完成', /办好了，是吗/],
		yes: '1', closed: /已完成/, thanked: /对方确认/, cardTaken: (name) => `${name}接了，谢谢！`,
		cardDone: (name) => `${name}办好了。`, cardClosed: '已完成，谢谢大家！',
	},
	English: {
		language: 'en',
		asks: [['someone please collect my medicine, zolpidem, east block', /When\?/], ['3', /Where exactly/],
			['flat 4b, ring twice', /medicine, east block, tomorrow, flat 4b, ring twice/]],
		post: '1', posted: /Task (\d+) is posted/, secrets: ['zolpidem', 'flat 4b', 'ring twice'],
		card: (code) => `[${code}] medicine, east block, tomorrow.`, take: (code) => `take ${code}`,
		taken: /(\S+) takes task (\d+)\. Safety word: (.+?)\./,
		late: (code, name) => `${code} was taken by ${name} a moment ago. Thank you for offering!`,
		details: /zolpidem.*\(where: flat 4b, ring twice\)/s,
		way: ['on my way', /on the way.*Safety word/], arrived: ['arrived', /is there.*safety word/], done: ['done', /is done\. Is it\?/],
		yes: 'yes', closed: /is closed/, thanked: /The neighbour says/, cardTaken: (name) => `Taken by ${name}.`,
		cardDone: (name) => `Done by ${name}.`, cardClosed: 'Done, thank you all.',
	},
};

for (const [name, scene] of Object.entries(scenes))
	test(`from a phone to a room and back, in ${name}`, { skip }, async (t) => {
		const { daemon, phones, carol, volunteers } = await neighbourhood(t, scene.language, 'debug');
		const [alice, bob] = volunteers;
		const granny = resident(phones);

		for (const [text, answer] of scene.asks) {
			await granny.say(text);
			await granny.hears(answer);
		}
		assert.equal(said(carol, 'groupchat').length, 0, 'nothing is in the room before it is confirmed');
		await granny.say(scene.post);
		const [, code] = await granny.hears(scene.posted);

		for (const person of [carol, alice, bob])
			await person.until('the card', (e) => e.is('message') && body(e)?.startsWith(scene.card(code)));
		const card = said(carol, 'groupchat')[0];
		/** The room's card, as every client shows it: the last correction of the first message. */
		const edited = (text) => carol.until(`the card with ${text}`, (e) => e.is('message')
			&& e.getChild('replace', 'urn:xmpp:message-correct:0')?.attrs.id === card.attrs.id && body(e).includes(text));

		await Promise.all(volunteers.map((person) => person.say(scene.take(code))));
		const details = (person) => said(person, 'chat').find((e) => scene.details.test(body(e)));
		const winner = await waitFor('somebody to win', () => volunteers.find(details));
		const loser = winner === alice ? bob : alice;
		const [, helper, takenCode, safety] = await granny.hears(scene.taken);
		assert.deepEqual([helper, takenCode], [winner.nick, code]);
		assert.ok(body(details(winner)).includes(safety), 'both know the same word');
		await edited(scene.cardTaken(winner.nick));
		const kind = await loser.until('a kind word', (e) => e.is('message') && body(e) === scene.late(code, winner.nick));
		assert.equal(kind.getChild('reply', 'urn:xmpp:reply:0')?.attrs.to, `${room}/${loser.nick}`);

		for (const [text, answer] of [scene.way, scene.arrived, scene.done]) {
			const before = said(winner, 'chat').length;
			winner.tell(`${room}/${nick}`, text, `<x xmlns='http://jabber.org/protocol/muc#user'/>`);
			await granny.hears(answer);
			await waitFor('a word of thanks', () => said(winner, 'chat').length > before);
		}
		await edited(scene.cardDone(winner.nick));
		await granny.say(scene.yes);
		await granny.hears(scene.closed);
		await winner.until('thanks', (e) => e.is('message') && e.attrs.type === 'chat' && scene.thanked.test(body(e)));
		await edited(scene.cardClosed);

		/* Who was told: each once, and nobody more than they need to know. */
		granny.nothingMore();
		assert.equal(said(winner, 'chat').filter((e) => scene.details.test(body(e))).length, 1);
		assert.deepEqual(said(loser, 'chat').map(body), []);
		assert.deepEqual(said(carol, 'chat').map(body), []);
		const hidden = [...scene.secrets, phone.slice(2), safety];
		const shown = [...carol.got, ...loser.got, ...winner.got.filter((e) => e.attrs.type === 'groupchat')].map(String);
		for (const secret of hidden)
			assert.deepEqual(shown.filter((xml) => xml.includes(secret)), []);

		/* Neither the log nor what Redis leaves on the disk knows them, nor who talked. */
		assert.equal(await daemon.stop(), 0, daemon.program.tail());
		const log = daemon.program.out + daemon.program.err;
		assert.match(log, /"channel":"hood"/);
		const files = filesIn(path.join(daemon.folder, 'data')).map((file) => fs.readFileSync(file));
		assert.ok(files.some((octets) => octets.includes('linli:')), 'the store is on the disk');
		for (const secret of [...hidden, `${winner.name}@`, scene.asks[0][0]])
			for (const written of [secret, encodeURIComponent(secret), encodeURIComponent(secret).replaceAll('%20', '+')]) {
				assert.ok(!log.includes(written), `the log holds ${secret}\n${log}`);
				assert.ok(!files.some((octets) => octets.includes(written)), `the store holds ${secret}`);
			}
	});
