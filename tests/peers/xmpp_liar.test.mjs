// The XMPP adapter against a server that lies, is silent, or speaks nonsense.
import assert from 'node:assert/strict';
import test from 'node:test';

import { startChannel } from './channel.mjs';
import { waitFor } from './lib.mjs';
import { startLiar } from './xmpp_liar.mjs';

const room = 'hood@rooms.liar.test';
const bot = (liar, more = {}) =>
	({ url: liar.url, jid: 'bot@liar.test', password: 'secret', timeout: '1s', rest: '1h', ...more });

async function dead(t, options, why) {
	const liar = await startLiar(t, options);
	const channel = startChannel(t, 'xmpp', bot(liar));
	assert.match((await channel.untilHealth('dead')).why, why);
	assert.ok(!channel.events.some((e) => e.health === 'up'));
	assert.equal(liar.sessions.length, 1);
	assert.equal(await channel.close(), 0);
	return liar;
}

test('a server that cannot prove that it knows the password is not our server', async (t) => {
	await dead(t, { password: 'guessed' }, /proof is wrong/);
	await dead(t, { proof: () => '' }, /did not prove/);
	await dead(t, { proof: () => 'e=other-error' }, /did not prove/);
});

test('a password is not given away: not in clear, and not for a cheap hash', async (t) => {
	const clear = await dead(t, { mechanisms: ['PLAIN', 'ANONYMOUS'] }, /offers no login/);
	assert.ok(!clear.sessions[0].got.some((e) => e.is('auth')));
	const cheap = await dead(t, { iterations: 1 }, /iterations/);
	assert.ok(!cheap.sessions[0].responded);
});

test('nonsense ends the connection, not the channel', async (t) => {
	const nonsense = ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', '<message', 'hello', "<message xmlns='jabber:client'>&nbsp;</message>"];
	const liar = await startLiar(t, { heard(session, element) {
		if (element.is('presence') && nonsense[session.index])
			session.ws.send(nonsense[session.index]);
	} });
	const channel = startChannel(t, 'xmpp', bot(liar));
	await waitFor('it to come back after each', () => liar.sessions.length > nonsense.length, 30000);
	await channel.untilHealth('up');
	assert.equal(channel.accepted().length, 0);
	assert.equal(await channel.close(), 0);
});

test('acknowledging more than was sent is not believed', async (t) => {
	const liar = await startLiar(t, { heard(session, element) {
		if (element.is('message') && session.index === 0)
			session.ws.send("<a xmlns='urn:xmpp:sm:3' h='4000'/>");
	} });
	const channel = startChannel(t, 'xmpp', bot(liar, { timeout: '5s' }));
	await channel.untilHealth('up');
	const outcome = await channel.send({ to: 'ali@liar.test', text: 'x' });
	assert.equal(outcome.outcome, 'uncertain');
	await waitFor('a new connection', () => liar.sessions.length > 1);
	assert.equal(await channel.close(), 0);
});

test('what was not answered is uncertain; an edit may be repeated', async (t) => {
	const liar = await startLiar(t, {});
	const channel = startChannel(t, 'xmpp', bot(liar));
	await channel.untilHealth('up');
	assert.equal((await channel.send({ to: 'ali@liar.test', text: 'x' })).outcome, 'uncertain');
	assert.equal((await channel.send({ to: 'ali@liar.test', text: 'x', edit: 'linli-1' })).outcome, 'retry');
	const nowhere = await channel.send({ to: room, group: true, text: 'x' });
	assert.deepEqual([nowhere.outcome, nowhere.refusal], ['refused', 'unreachable']);
	assert.equal(await channel.close(), 0);
});

test('a session that cannot be resumed: told how far it got, only the rest is sent again', async (t) => {
	let first;
	const liar = await startLiar(t, {
		heard(session, element) {
			if (!element.is('message') || session.index)
				return;
			if (first)
				session.ws.terminate();
			first = element;
		},
		// The presence and the first message were counted, the second was not.
		resume: ({ ws }) => ws.send("<failed xmlns='urn:xmpp:sm:3' h='2'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"),
	});
	const channel = startChannel(t, 'xmpp', bot(liar, { timeout: '20s' }));
	await channel.untilHealth('up');
	const outcomes = await Promise.all([
		channel.send({ to: 'ali@liar.test', text: 'one' }), channel.send({ to: 'ali@liar.test', text: 'two' })]);
	assert.deepEqual(outcomes.map((o) => o.outcome), ['sent', 'retry']);
	assert.equal(await channel.close(), 0);
});

test('a stanza is counted once the house has it, in order', async (t) => {
	const asked = [];
	const liar = await startLiar(t, { heard(session, element) {
		if (element.is('a'))
			asked.push(Number(element.attrs.h));
	} });
	const channel = startChannel(t, 'xmpp', bot(liar, { timeout: '20s' }));
	await channel.untilHealth('up');
	const { ws } = liar.sessions[0];
	channel.tell({ do: 'withhold', on: true });
	const say = (id) => ws.send(`<message xmlns='jabber:client' type='chat' from='ali@liar.test/a' id='${id}'><body>${id}</body></message>`);
	ws.send("<presence xmlns='jabber:client' from='ali@liar.test/a'/>");
	say('m1');
	say('m2');
	ws.send("<iq xmlns='jabber:client' type='get' id='p' from='liar.test'><ping xmlns='urn:xmpp:ping'/></iq>");
	ws.send("<r xmlns='urn:xmpp:sm:3'/>");
	await waitFor('an answer', () => asked.length === 1);
	assert.deepEqual(asked, [1], 'the presence only');
	channel.tell({ do: 'withhold', on: false });
	await waitFor('the rest', () => asked.length === 2);
	assert.deepEqual(asked, [1, 4]);
	assert.equal(await channel.close(), 0);
});
