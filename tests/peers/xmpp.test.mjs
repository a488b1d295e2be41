// The XMPP adapter against Prosody, with people on clients of their own.
import assert from 'node:assert/strict';
import test from 'node:test';

import { startChannel } from './channel.mjs';
import { waitFor } from './lib.mjs';
import { Person, domain, password, prosodyMissing, rooms, stanzaId, startCutter, startProsody } from './prosody.mjs';

const skip = prosodyMissing();
const room = `hood@${rooms}`;
const bot = (server, more = {}) =>
	({ url: server.url, jid: `bot@${domain}`, password, rooms: room, nick: '邻里', ...more });

async function inRoom(channel) {
	await channel.untilHealth('up');
	await waitFor('the bot to be in the room', () => channel.program.err.includes(`in room ${room}`))
		.catch((error) => { throw new Error(`${error.message}\n${channel.program.err}`); });
}

/** Prosody, alice in the room (she made it, so the bot sees occupant ids only), and the bot. */
async function setUp(t, options = {}, more = {}) {
	const server = await startProsody(t, options);
	const alice = await Person.connect(t, server, 'alice');
	await alice.join(room);
	const channel = startChannel(t, 'xmpp', bot(server, more));
	await inRoom(channel);
	return { server, alice, channel };
}

test('talks in a room, knows people by occupant id, quotes and is quoted', { skip }, async (t) => {
	const { server, alice, channel } = await setUp(t);
	const bob = await Person.connect(t, server, 'bob');
	await bob.join(room, 'alice2');

	const said = await alice.say('接单 17 <&> 😀');
	const heard = await channel.untilText('接单 17 <&> 😀');
	assert.equal(heard.kind, 'text');
	assert.equal(heard.group, room);
	assert.equal(heard.name, 'alice');
	assert.equal(heard.id, stanzaId(said));
	assert.match(heard.sender, /^hood@rooms\.xmpp\.test\/#.+/);
	assert.equal(heard.direct, undefined);

	const outcome = await channel.send({ to: room, group: true, text: '任务卡 #17 \'"><&', about: heard.id });
	assert.equal(outcome.outcome, 'sent');
	const card = await alice.hears('任务卡 #17 \'"><&');
	assert.equal(stanzaId(card), outcome.message_id);
	const reply = card.getChild('reply', 'urn:xmpp:reply:0');
	assert.equal(reply.attrs.id, heard.id);
	assert.equal(reply.attrs.to, `${room}/alice`);

	await bob.say('> card\n> two\nI take it', `<reply xmlns='urn:xmpp:reply:0' id='${stanzaId(card)}' to='${room}/邻里'/>`
		+ `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='13'/></fallback>`);
	const quoted = await channel.untilText('I take it');
	assert.equal(quoted.about, outcome.message_id);
	assert.notEqual(quoted.sender, heard.sender);
	assert.equal(channel.program.exited, undefined);
	assert.equal(await channel.close(), 0);
});

test('sees only the reactions that are new', { skip }, async (t) => {
	const { alice, channel } = await setUp(t);
	const outcome = await channel.send({ to: room, group: true, text: 'card' });
	const react = (...emoji) => alice.say(undefined, `<reactions xmlns='urn:xmpp:reactions:0' id='${outcome.message_id}'>`
		+ emoji.map((one) => `<reaction>${one}</reaction>`).join('') + '</reactions>');
	await react('👍');
	await react('👍', '✅');
	await react();
	await react('👍');
	await alice.say('end');
	await channel.untilText('end');
	const seen = channel.accepted().filter((e) => e.kind === 'reaction');
	assert.deepEqual(seen.map((e) => e.text), ['👍', '✅', '👍']);
	assert.ok(seen.every((e) => e.about === outcome.message_id && e.group === room));
	assert.equal(new Set(seen.map((e) => e.id)).size, 3);
	assert.equal(await channel.close(), 0);
});

test('edits its card, also after a restart, from history and from the archive', { skip }, async (t) => {
	const { server, alice, channel } = await setUp(t);
	const outcome = await channel.send({ to: room, group: true, text: 'card v1' });
	const original = (await alice.hears('card v1')).attrs.id;
	const corrects = async (text) => (await alice.hears(text)).getChild('replace', 'urn:xmpp:message-correct:0').attrs.id;

	const edited = await channel.send({ to: room, group: true, text: 'card v2', edit: outcome.message_id });
	assert.equal(edited.outcome, 'sent');
	assert.equal(edited.message_id, outcome.message_id);
	assert.equal(await corrects('card v2'), original);
	// Somebody quotes what they see: the corrected message, under its own id.
	await alice.say('mine', `<reply xmlns='urn:xmpp:reply:0' id='${stanzaId(await alice.hears('card v2'))}'/>`);
	assert.equal((await channel.untilText('mine')).about, outcome.message_id);
	assert.equal(await channel.close(), 0);

	const again = startChannel(t, 'xmpp', bot(server));
	await inRoom(again);
	await again.send({ to: room, group: true, text: 'card v3', edit: outcome.message_id, id: 'second-1' });
	assert.equal(await corrects('card v3'), original);
	await alice.say('mine too', `<reply xmlns='urn:xmpp:reply:0' id='${stanzaId(await alice.hears('card v3'))}'/>`);
	assert.equal((await again.untilText('mine too')).about, outcome.message_id);
	assert.ok(!again.texts().includes('mine'), 'history is not executed');
	assert.equal(await again.close(), 0);

	for (let i = 0; i < 60; i++)
		await alice.say(`chatter ${i}`);
	const third = startChannel(t, 'xmpp', bot(server));
	await inRoom(third);
	const late = await third.send({ to: room, group: true, text: 'card v4', edit: outcome.message_id, id: 'third-1' });
	assert.equal(late.outcome, 'sent', JSON.stringify(late));
	assert.equal(await corrects('card v4'), original);
	const lost = await third.send({ to: room, group: true, text: 'never seen', edit: 'no-such-id', id: 'third-2' });
	assert.equal(lost.outcome, 'refused');
	assert.equal(alice.count_of('never seen'), 0);
	assert.equal(await third.close(), 0);
});

test('answers in private through the room, to the person and not to the nick', { skip }, async (t) => {
	const { server, alice, channel } = await setUp(t);
	await alice.say('接单 17');
	const { sender } = await channel.untilText('接单 17');
	assert.equal((await channel.send({ to: sender, text: 'the address' })).outcome, 'sent');
	const answer = await alice.hears('the address');
	assert.equal(answer.attrs.type, 'chat');
	assert.equal(answer.attrs.from, `${room}/邻里`);
	alice.tell(`${room}/邻里`, 'thank you', `<x xmlns='http://jabber.org/protocol/muc#user'/>`);
	const thanks = await channel.untilText('thank you');
	assert.equal(thanks.sender, sender);
	assert.equal(thanks.group, undefined);

	// She takes another nick, and bob takes hers.
	alice.write(`<presence xmlns='jabber:client' to='${room}/ali'/>`);
	await alice.until('her new nick', (e) => e.is('presence') && e.attrs.from === `${room}/ali`);
	const bob = await Person.connect(t, server, 'bob');
	await bob.join(room, 'alice');
	await bob.say('hello');
	const other = await channel.untilText('hello');
	assert.equal(other.name, 'alice');
	assert.notEqual(other.sender, sender);
	assert.equal((await channel.send({ to: sender, text: 'the door code' })).outcome, 'sent');
	await alice.hears('the door code');
	assert.equal(bob.count_of('the door code'), 0);

	// She leaves: nothing goes to anybody.
	alice.write(`<presence xmlns='jabber:client' type='unavailable' to='${room}/ali'/>`);
	await bob.until('her going', (e) => e.is('presence') && e.attrs.from === `${room}/ali` && e.attrs.type === 'unavailable');
	await bob.say('she left');
	await channel.untilText('she left');
	const absent = await channel.send({ to: sender, text: 'nobody' });
	assert.equal(absent.outcome, 'retry');
	assert.ok(absent.retry_ms > 0);
	assert.equal(await channel.close(), 0);
});

test('sees addresses where the room shows them', { skip }, async (t) => {
	const server = await startProsody(t);
	const channel = startChannel(t, 'xmpp', bot(server)); // makes the room, so it owns it
	await inRoom(channel);
	const alice = await Person.connect(t, server, 'alice');
	await alice.join(room).catch(() => {}); // she may not unlock what is not hers
	await alice.say('hi');
	assert.equal((await channel.untilText('hi')).sender, `alice@${domain}`);
	assert.equal((await channel.send({ to: `alice@${domain}`, text: 'hi yourself' })).outcome, 'sent');
	assert.equal((await alice.hears('hi yourself')).attrs.from.split('/')[0], `bot@${domain}`);
	assert.equal(await channel.close(), 0);
});

test('talks to one person, with receipts both ways, and tells who is not there', { skip }, async (t) => {
	const { alice, channel } = await setUp(t);
	const id = alice.tell(`bot@${domain}`, '买药', `<request xmlns='urn:xmpp:receipts'/>`);
	const heard = await channel.untilText('买药');
	assert.equal(heard.sender, `alice@${domain}`);
	assert.equal(heard.group, undefined);
	await alice.until('the receipt', (e) => e.getChild('received', 'urn:xmpp:receipts')?.attrs.id === id);

	const outcome = await channel.send({ to: heard.sender, text: '收到', about: heard.id, id: 'direct-1' });
	assert.equal(outcome.outcome, 'sent');
	const answer = await alice.hears('收到');
	assert.equal(answer.getChild('reply', 'urn:xmpp:reply:0').attrs.id, id);
	assert.equal(answer.attrs.id, outcome.message_id);
	assert.ok(answer.getChild('request', 'urn:xmpp:receipts'));
	alice.write(`<message xmlns='jabber:client' type='chat' to='bot@${domain}'>`
		+ `<received xmlns='urn:xmpp:receipts' id='${answer.attrs.id}'/></message>`);
	const receipt = await channel.until('the receipt', (e) => e.kind === 'receipt');
	assert.equal(receipt.about, 'direct-1');
	assert.equal(receipt.receipt, 'delivered');
	await channel.send({ to: heard.sender, text: '收到了', edit: outcome.message_id });
	assert.equal((await alice.hears('收到了')).getChild('replace').attrs.id, outcome.message_id);

	const nobody = await channel.send({ to: `nobody@${domain}`, text: 'x' });
	assert.equal(nobody.outcome, 'refused');
	assert.equal(nobody.refusal, 'unreachable');
	assert.equal(await channel.close(), 0);
});

test('counts only what the house has: put off, then cut, then taken once', { skip }, async (t) => {
	const server = await startProsody(t);
	const alice = await Person.connect(t, server, 'alice');
	await alice.join(room);
	const cutter = await startCutter(t, server.port);
	const channel = startChannel(t, 'xmpp', bot(server, { url: cutter.url }));
	await inRoom(channel);

	channel.tell({ do: 'accept', as: 'later' });
	await alice.say('while the store is away');
	const first = await channel.until('the message to be put off', (e) => e.event === 'put off');
	cutter.open = false;
	cutter.cut();
	await alice.say('while the line is down');
	// Nothing is read while the store is away, so the cut is seen only after it.
	channel.tell({ do: 'accept', as: 'accepted' });
	await channel.untilHealth('retrying');
	cutter.open = true;
	await channel.untilText('while the line is down');
	await waitFor('the first to be taken', () => channel.accepted().some((e) => e.id === first.id));
	await waitFor('the session to be resumed', () => channel.program.err.includes('session resumed'));
	const ids = new Set(channel.accepted().map((e) => e.id));
	assert.equal(ids.size, 2);
	await alice.say('after');
	await channel.untilText('after');
	assert.ok(!server.log().includes('acknowledged more stanzas'), 'the count is exact');
	assert.equal((await channel.send({ to: room, group: true, text: 'still there' })).outcome, 'sent');
	assert.equal(await channel.close(), 0);
});

test('many cuts lose nothing and double nothing', { skip }, async (t) => {
	const server = await startProsody(t);
	const alice = await Person.connect(t, server, 'alice');
	await alice.join(room);
	const cutter = await startCutter(t, server.port);
	const channel = startChannel(t, 'xmpp', bot(server, { url: cutter.url, timeout: '20s' }));
	await inRoom(channel);
	const wanted = [], sent = [];
	for (let round = 0; round < 6; round++) {
		for (let i = 0; i < 4; i++) {
			wanted.push(`in ${round}-${i}`);
			sent.push({ text: `out ${round}-${i}`, outcome: channel.send({ to: room, group: true, text: `out ${round}-${i}` }, 40000) });
			await alice.say(wanted.at(-1));
		}
		const from = channel.events.length;
		sent.push({ text: `cut ${round}`, outcome: channel.send({ to: room, group: true, text: `cut ${round}` }, 40000) });
		cutter.cut();
		await alice.say(`down ${round}`);
		wanted.push(`down ${round}`);
		await channel.untilHealth('up', from, 20000);
	}
	await alice.say('end');
	await channel.untilText('end');
	const heard = [...new Map(channel.accepted().map((e) => [e.id, e.text])).values()];
	assert.deepEqual(heard, [...wanted, 'end']);
	for (const { text, outcome } of sent) {
		const result = await outcome;
		assert.ok(['sent', 'retry'].includes(result.outcome), JSON.stringify(result));
		assert.equal(alice.count_of(text), result.outcome === 'sent' ? 1 : 0, `${text}: ${result.outcome}`);
	}
	assert.ok(!server.log().includes('acknowledged more stanzas'));
	assert.equal(await channel.close(), 0);
});

test('a server that restarts is joined anew; what was sent into it is not claimed', { skip }, async (t) => {
	const { server, alice, channel } = await setUp(t);
	assert.equal((await channel.send({ to: room, group: true, text: 'before' })).outcome, 'sent');
	await alice.hears('before');
	const from = channel.events.length;
	await server.stop('SIGKILL');
	await channel.untilHealth('retrying', from);
	assert.equal((await channel.send({ to: room, group: true, text: 'into nothing' })).outcome, 'retry');
	channel.program.err = '';
	await server.start();
	await channel.untilHealth('up', from, 30000);
	await inRoom(channel);
	const back = await Person.connect(t, server, 'alice');
	await back.join(room).catch(() => {});
	await back.say('again');
	await channel.untilText('again');
	assert.ok(!channel.texts().includes('before'));
	assert.equal(await channel.close(), 0);
});

test('a wrong password is told to the operator, and tried again seldom', { skip }, async (t) => {
	const server = await startProsody(t, { users: ['bot'] });
	const channel = startChannel(t, 'xmpp', bot(server, { password: 'wrong', rest: '1h' }));
	const dead = await channel.untilHealth('dead');
	assert.match(dead.why, /refused the login.*password/);
	assert.ok(!JSON.stringify(channel.events).includes('wrong'));
	assert.equal((await channel.send({ to: room, group: true, text: 'x' })).outcome, 'retry');
	const tries = () => server.log().split('not-authorized').length - 1;
	const before = tries();
	await server.register('alice'); // takes a while: nothing must come meanwhile
	assert.equal(tries(), before);
	assert.equal(await channel.close(), 0);
});

test('kicked out of the room it comes back', { skip }, async (t) => {
	const { alice, channel } = await setUp(t);
	channel.program.err = '';
	alice.write(`<iq xmlns='jabber:client' type='set' id='kick' to='${room}'><query xmlns='http://jabber.org/protocol/muc#admin'>`
		+ `<item nick='邻里' role='none'/></query></iq>`);
	await inRoom(channel);
	assert.match(channel.program.err, /out of room hood@rooms\.xmpp\.test: kicked/);
	await alice.say('welcome back');
	await channel.untilText('welcome back');
	assert.equal(await channel.close(), 0);
});

test('without acknowledged streams and without an archive it still works', { skip }, async (t) => {
	const { alice, channel } = await setUp(t, { smacks: false, archive: false });
	await alice.say('hello');
	const heard = await channel.untilText('hello');
	const outcome = await channel.send({ to: room, group: true, text: 'card', about: heard.id });
	assert.equal(outcome.outcome, 'sent');
	const card = await alice.hears('card');
	assert.equal(outcome.message_id, card.attrs.id);
	assert.equal(card.getChild('reply'), undefined);
	await channel.send({ to: room, group: true, text: 'card 2', edit: outcome.message_id });
	assert.equal((await alice.hears('card 2')).getChild('replace').attrs.id, card.attrs.id);
	assert.equal((await channel.send({ to: `alice@${domain}`, text: 'direct' })).outcome, 'sent');
	await alice.hears('direct');
	assert.equal(await channel.close(), 0);
});

test('a forged room id, a correction and an encrypted message are not acted upon', { skip }, async (t) => {
	const { alice, channel } = await setUp(t, { archive: false });
	await alice.say('forged', `<stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='forged-id'/>`);
	assert.notEqual((await channel.untilText('forged')).id, 'forged-id');
	await alice.say('corrected', `<replace xmlns='urn:xmpp:message-correct:0' id='alice-1'/>`);
	await alice.say('stand-in', `<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/>`);
	await alice.say('end');
	await channel.untilText('end');
	assert.deepEqual(channel.texts(), ['forged', 'end']);
	assert.equal(await channel.close(), 0);
});
