// The daemon itself on Telegram (our double of the Bot API, which grammy vouches for): a card with a
// button in a group, everything else in private, whatever Telegram or the daemon does in between.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';

import { linli, startLinli } from './daemon.mjs';
import { request, waitFor } from './lib.mjs';
import { startTelegram, token } from './telegram_double.mjs';

const skip = fs.existsSync(linli) ? undefined : `${linli} is not built`;

const community = (group) => `
name: {zh-CN: 测试巷, en: Test Lane}
language: zh-CN
zone: Asia/Shanghai
country: CN
emergency: ["110", "119", "120"]
areas:
  - {id: east, name: {zh-CN: 东区, en: east block}, words: [东区, east]}
  - {id: west, name: {zh-CN: 西区, en: west block}, words: [西区, west]}
kinds:
  - {id: medicine, name: {zh-CN: 买药, en: medicine}, words: [买药, medicine]}
groups:
  - {id: east, channel: telegram, address: "${group.id}", areas: [east]}
`;

/** Somebody's messages from the bot, as their client shows them now: the newest text of each. */
function follow(double, chat) {
	let read = 0;
	const all = () => [...(double.chats.get(chat.id)?.messages.values() ?? [])].filter((one) => one.from.id === double.me.id);
	return {
		all,
		/** The next message that comes; it must be like that. */
		async hears(pattern) {
			const message = await waitFor(`a message like ${pattern} to ${chat.title ?? chat.first_name}`, () => all()[read])
				.catch((error) => { throw new Error(`${error.message}\n${JSON.stringify(all().map((one) => one.text))}`); });
			read++;
			assert.match(message.text, pattern);
			return message;
		},
		nothingMore: () => assert.deepEqual(all().slice(read).map((one) => one.text), []),
	};
}

const button = (message, label) => {
	const found = message.reply_markup?.inline_keyboard.flat().find((one) => one.text === label);
	assert.ok(found, `a button ${label} under "${message.text}"`);
	return found.callback_data;
};

async function neighbourhood(t, options = {}) {
	const double = await startTelegram(t);
	const group = double.group(-1001234567890, '东区志愿者');
	const people = { granny: double.person(4000000001, '王奶奶'), lilei: double.person(4000000011, '李雷'),
		meimei: double.person(4000000012, '韩梅梅') };
	const daemon = await startLinli(t, {
		...options, log: 'debug', community: community(group),
		channels: `
telegram:
  adapter: telegram
  url: ${double.url}
  token: "${token}"
  poll: 30s`,
	});
	const chats = Object.fromEntries(Object.entries(people).map(([name, person]) => [name, follow(double, double.direct(person))]));
	const says = (person, text) => double.say(double.direct(person), person, text);
	const room = follow(double, group);
	double.say(group, people.meimei, '大家好');
	/** Volunteers open the bot once, as Telegram wants it; and a request is taken down. */
	async function posted() {
		for (const name of ['lilei', 'meimei']) {
			says(people[name], '/start');
			await chats[name].hears(/./);
		}
		says(people.granny, '麻烦帮我买药，阿莫西林，东区，明天，3号楼502');
		const asked = await chats.granny.hears(/请确认：买药，东区，明天/);
		double.tap(people.granny, asked, button(asked, '发布'));
		const [, code] = (await chats.granny.hears(/已发布，编号\d+/)).text.match(/编号(\d+)/);
		const card = await room.hears(/买药，东区，明天。/);
		assert.ok(card.text.startsWith(`【${code}】`));
		return { code, card, claim: button(card, '我来接') };
	}
	const shows = (card, text) => waitFor(`the card with ${text}`, () => card.text.includes(text))
		.catch((error) => { throw new Error(`${error.message}: ${card.text}`); });
	return { double, daemon, group, ...people, chats, room, says, posted, shows };
}

const secrets = ['阿莫西林', '3号楼502'];
const details = /阿莫西林[^]*暗号：/;

/** Nothing private was ever sent or edited into the group, nor written into the log. */
async function keptPrivate({ double, daemon, group, room }) {
	const shown = double.calls.filter((call) => Number(call.body.chat_id) === group.id).map((call) => JSON.stringify(call.body));
	assert.ok(shown.length > 0);
	assert.deepEqual(shown.filter((text) => secrets.some((secret) => text.includes(secret))), []);
	assert.equal(await daemon.stop(), 0, daemon.program.tail());
	const log = daemon.program.out + daemon.program.err;
	for (const secret of [...secrets, '王奶奶', '李雷', '4000000001', '4000000011', token])
		assert.ok(!log.includes(secret), `the log holds ${secret}\n${log}`);
	room.nothingMore();
}

test('a card is taken by its button, done and confirmed', { skip }, async (t) => {
	const all = await neighbourhood(t);
	const { double, granny, lilei, meimei, chats, room, says, shows } = all;
	const { code, card, claim } = await all.posted();
	double.tap(lilei, card, claim);
	const told = await chats.lilei.hears(details);
	await chats.granny.hears(new RegExp(`李雷接了${code}`));
	await shows(card, '李雷接了，谢谢！');
	assert.equal(card.reply_markup, undefined, 'nobody presses in vain');
	/* A client that still shows the button. */
	double.tap(meimei, card, claim);
	await room.hears(new RegExp(`${code}被李雷先接了一步，谢谢您！`));
	double.tap(lilei, told, button(told, '到了'));
	await chats.granny.hears(/到了.*暗号/);
	await chats.lilei.hears(/办好后请发/);
	says(lilei, '完成');
	const asked = await chats.granny.hears(/办好了，是吗/);
	await chats.lilei.hears(/辛苦了/);
	await shows(card, '李雷办好了');
	double.tap(granny, asked, button(asked, '是'));
	await chats.granny.hears(/已完成/);
	await chats.lilei.hears(/对方确认/);
	await shows(card, '已完成，谢谢大家！');
	assert.ok(double.of('answerCallbackQuery').length >= 4, 'no button keeps turning');
	for (const chat of Object.values(chats))
		chat.nothingMore();
	await keptPrivate(all);
});

test('who never opened the bot is asked to, and then told', { skip }, async (t) => {
	const all = await neighbourhood(t);
	const { double, chats, room, says } = all;
	const { code, card, claim } = await all.posted();
	const stranger = double.person(4000000013, '小陈');
	double.tap(stranger, card, claim);
	await chats.granny.hears(new RegExp(`小陈接了${code}`));
	await room.hears(new RegExp(`小陈，我还不能私信您，请先私信我发：${code}`));
	says(stranger, code);
	await follow(double, double.direct(stranger)).hears(details);
	await keptPrivate(all);
});

test('Telegram asks to slow down: it is obeyed, and nothing is lost or said twice', { skip }, async (t) => {
	const all = await neighbourhood(t);
	const { double, lilei, chats, shows } = all;
	const { card, claim } = await all.posted();
	const seconds = 2;
	double.fail('sendMessage', double.slowDown(seconds));
	double.fail('editMessageText', double.slowDown(seconds));
	double.tap(lilei, card, claim);
	await chats.lilei.hears(details);
	await chats.granny.hears(/李雷接了/);
	await shows(card, '李雷接了，谢谢！');
	for (const method of ['sendMessage', 'editMessageText']) {
		const calls = double.of(method).slice(method === 'sendMessage' ? -3 : -2);
		const first = calls.find((one) => calls.some((other) => other !== one && JSON.stringify(other.body) === JSON.stringify(one.body)));
		assert.ok(first, `${method} was tried again`);
		const again = calls.findLast((one) => JSON.stringify(one.body) === JSON.stringify(first.body));
		assert.ok(again.at - first.at >= seconds * 1000, `${method} again after ${again.at - first.at} ms`);
	}
	chats.lilei.nothingMore();
	chats.granny.nothingMore();
	await keptPrivate(all);
});

/**
 * What was with Telegram when the daemon was killed is sent again, as Telegram knows no repeats
 * (linli_messages_maybe_twice_total counts them); here it is killed when nothing is.
 */
function settled(daemon) {
	let quiet = 0;
	return waitFor('nothing to be under way', async () => {
		const { text } = await request(`${daemon.url}/metrics`);
		const rows = text.match(/^linli_outbox_(in_flight|waiting)\b.* \d+$/gm);
		quiet = rows.every((row) => row.endsWith(' 0')) ? quiet + 1 : 0;
		return quiet >= 5; /* the last outcome is on the disk by then, too */
	});
}

test('an old card and old buttons work after the daemon stopped and after it was killed', { skip }, async (t) => {
	const all = await neighbourhood(t);
	const { double, daemon, granny, lilei, meimei, chats, room, shows } = all;
	const { code, card, claim } = await all.posted();

	/* Pressed by two while nobody listens: Telegram keeps it. Whose press counts is not promised. */
	await daemon.stop();
	double.tap(lilei, card, claim);
	double.tap(meimei, card, claim);
	await daemon.start();
	const winner = await waitFor('one of them to win', () => [lilei, meimei].find((person) =>
		chats[person === lilei ? 'lilei' : 'meimei'].all().some((one) => details.test(one.text))));
	const hers = winner === lilei ? chats.lilei : chats.meimei;
	const told = await hers.hears(details);
	await chats.granny.hears(new RegExp(`${winner.first_name}接了${code}`));
	await room.hears(new RegExp(`${code}被${winner.first_name}先接了一步`));
	await shows(card, `${winner.first_name}接了，谢谢！`);

	await settled(daemon);
	await daemon.stop('SIGKILL');
	double.tap(winner, told, button(told, '完成'));
	await daemon.start();
	const asked = await chats.granny.hears(/办好了，是吗/);
	await hers.hears(/辛苦了/);
	await settled(daemon);
	await daemon.stop('SIGKILL');
	await daemon.start();
	double.tap(granny, asked, button(asked, '是'));
	await chats.granny.hears(/已完成/);
	await hers.hears(/对方确认/);
	await shows(card, '已完成，谢谢大家！');
	for (const chat of Object.values(chats))
		chat.nothingMore();
	assert.equal(room.all()[0], card, 'one card, edited');
	await keptPrivate(all);
});
