// The Twilio adapter with npm emulate's Twilio, and Twilio's own npm library as a second judge of
// signatures: messages both ways, status callbacks, forged webhooks, and a request whose answer
// was lost and that must not be sent twice.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';

import { echoMissing, startEcho } from './echo.mjs';
import { atEnd, freePort, request, sink, waitFor } from './lib.mjs';

const { createEmulator } = await import('emulate').catch(() => ({}));
const twilio = (await import('twilio').catch(() => ({}))).default;
const skip = echoMissing() ?? (createEmulator && twilio ? undefined : 'npm emulate and twilio are not installed (npm ci in tests)');

const sid = `AC${'0'.repeat(32)}`, token = 'tok', ours = '+15551234567', phone = '+8613800001111';
const basic = { Authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString('base64')}` };

/** An emulated Twilio; `hook` is where it calls for SMS to our number, and may be set later. */
async function startTwilio(t, hook) {
	const port = await freePort();
	const emulator = await createEmulator({
		service: 'twilio', port,
		seed: { twilio: { account: { sid, auth_token: token }, phone_numbers: [{ phone_number: ours, sms_url: hook }] } },
	});
	atEnd(t, () => emulator.close());
	const url = `http://127.0.0.1:${port}`;
	const post = (path, fields) => request(url + path, { method: 'POST', headers: basic, body: new URLSearchParams(fields) });
	return {
		url,
		type: (text) => post('/_twilio/simulate/inbound-message', { To: ours, From: phone, Body: text }),
		status: (MessageSid, Status, ErrorCode = '') => post('/_twilio/simulate/message-status', { MessageSid, Status, ErrorCode }),
		async messages(direction = 'outbound-api') {
			const { text } = await request(`${url}/2010-04-01/Accounts/${sid}/Messages.json?PageSize=100`, { headers: basic });
			return JSON.parse(text).messages.filter((message) => message.direction === direction);
		},
	};
}

/** A door that passes requests on to `target()` and lets a test see and spoil them. */
async function door(t, target, spoil = () => undefined) {
	return sink(t, (got, index) => new Promise((done) => {
		const { host, ...headers } = got.headers;
		const forward = http.request(target() + got.target, { method: got.method, headers }, async (response) => {
			const chunks = [];
			for await (const chunk of response)
				chunks.push(chunk);
			got.answered = { status: response.statusCode, body: Buffer.concat(chunks).toString() };
			done(spoil(got, index) ?? { status: response.statusCode, headers: { 'Content-Type': response.headers['content-type'] ?? 'text/plain' }, body: got.answered.body });
		});
		/* The emulator goes on telling statuses when a test is over. */
		forward.on('error', () => done({ status: 502 })).end(got.body);
	}));
}

async function pair(t, settings = {}) {
	let echo;
	const hooks = await door(t, () => echo.url);
	const provider = await startTwilio(t, `${hooks.url}/hook/test/sms`);
	echo = await startEcho(t, 'twilio', {
		account_sid: sid, auth_token: token, from: ours, base_url: provider.url,
		webhook_url: `${hooks.url}/hook/test`, look_after: '50ms', ...settings,
	});
	return { echo, hooks, provider };
}

/** What Twilio's own library says of a webhook that came through the door. */
function judged(hooks, got) {
	const fields = Object.fromEntries(new URLSearchParams(got.body.toString()));
	return twilio.validateRequest(token, got.headers['x-twilio-signature'], hooks.url + got.target, fields);
}

test('an SMS comes in signed and is answered', { skip }, async (t) => {
	const { echo, hooks, provider } = await pair(t);
	await provider.type('接单 17 & 50%+1 😀');
	const message = await echo.until('the message', (event) => event.accepted === 'text');
	assert.equal(message.sender, phone);
	assert.equal(message.text, '接单 17 & 50%+1 😀');
	assert.match(message.id, /^SM[0-9a-f]{32}$/);
	const answer = await echo.until('the answer', (event) => event.settled);
	assert.equal(answer.settled, 'sent');
	const [sent] = await provider.messages();
	assert.deepEqual([sent.sid, sent.to, sent.from, sent.body], [answer.message_id, phone, ours, 'echo: 接单 17 & 50%+1 😀']);
	assert.ok(judged(hooks, hooks.got[0]), 'Twilio\'s own library believes it too');
	assert.deepEqual(hooks.got[0].answered, { status: 200, body: '<Response/>' });
	assert.equal(await echo.end(), 0);
});

test('statuses become receipts of our own send', { skip }, async (t) => {
	const { echo, hooks, provider } = await pair(t);
	const receipt = (id) => echo.until(`a receipt for ${id}`, (event) => event.accepted === 'receipt' && event.about === id);
	for (const [id, statuses, want] of [
		['s-1', ['sending', 'sent', 'delivered'], 'delivered'],
		['s-2', ['sent', 'undelivered'], 'failed'],
	]) {
		const { message_id } = await echo.send(id, phone, `接单 ${id}`);
		for (const status of statuses)
			await provider.status(message_id, status);
		assert.equal((await receipt(id)).receipt, want);
		assert.equal(echo.events.filter((event) => event.about === id).length, 1, 'only what is final is told');
	}
	assert.ok(hooks.got.every((got) => judged(hooks, got) && got.answered.status === 200));
});

test('what Twilio\'s library signs is believed, and nothing else', { skip }, async (t) => {
	const { echo, hooks } = await pair(t);
	const target = '/hook/test/sms?a=b%20c';
	const fields = { MessageSid: 'SM1', From: phone, To: ours, Body: '接单', Empty: '' };
	const post = (signature, changes = {}) => request(hooks.url + target, {
		method: 'POST', body: new URLSearchParams({ ...fields, ...changes }), headers: signature ? { 'X-Twilio-Signature': signature } : {},
	});
	const right = twilio.getExpectedTwilioSignature(token, hooks.url + target, fields);
	assert.equal((await post(right, { Body: '退订' })).status, 403);
	assert.equal((await post(twilio.getExpectedTwilioSignature('other', hooks.url + target, fields))).status, 403);
	assert.equal((await post(undefined)).status, 403);
	assert.equal(echo.events.length, 0);
	assert.equal((await post(right)).status, 200);
	const { MessageSid, ...json } = fields;
	const body = JSON.stringify({ MessageSid: 'SM2', ...json });
	const hash = twilio.getExpectedBodyHash(body);
	const url = `${hooks.url}/hook/test/sms?bodySHA256=${hash}`;
	const signed = (text) => request(url, {
		method: 'POST', body: text,
		headers: { 'Content-Type': 'application/json', 'X-Twilio-Signature': twilio.getExpectedTwilioSignature(token, url, {}) },
	});
	assert.equal((await signed(body.replace('SM2', 'SM3'))).status, 403);
	assert.equal((await signed(body)).status, 200);
	const ids = () => echo.events.filter((event) => event.accepted).map((event) => event.id);
	await waitFor('both messages', () => ids().length === 2);
	assert.deepEqual(ids(), ['SM1', 'SM2']);
});

test('a lost answer does not make a second SMS', { skip }, async (t) => {
	const provider = await startTwilio(t, 'http://127.0.0.1:9/never');
	const api = await door(t, () => provider.url, (got) => got.method === 'POST' ? { status: 502, body: 'bad gateway' } : undefined);
	const echo = await startEcho(t, 'twilio', { account_sid: sid, auth_token: token, from: ours, base_url: api.url, look_after: '50ms' });
	const first = await echo.send('s-1', phone, '接单 17');
	const second = await echo.send('s-2', phone, '接单 17');
	const messages = await provider.messages();
	assert.equal(messages.length, 2);
	assert.deepEqual([first.settled, second.settled], ['sent', 'sent']);
	assert.deepEqual([first.message_id, second.message_id].sort(), messages.map((message) => message.sid).sort());
});

test('wrong credentials are the operator\'s to mend', { skip }, async (t) => {
	const { echo } = await pair(t, { auth_token: 'wrong' });
	const refused = await echo.send('s-1', phone, 'x');
	assert.deepEqual([refused.settled, refused.refusal], ['refused', 4]);
	assert.doesNotMatch(refused.reason, /13800001111|wrong/);
});
