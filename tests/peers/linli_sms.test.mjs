// The daemon itself with a real Kannel and with an emulated Twilio: somebody texts, and is answered
// once, whoever of the three was away meanwhile.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';

import { linli, startLinli } from './daemon.mjs';
import { kannelMissing, kannelPorts, kannelUser, moUrl, smppLibrary, startKannel, startSmsc } from './kannel.mjs';
import { atEnd, freePort, request, startRedis, waitFor } from './lib.mjs';

const built = fs.existsSync(linli) ? undefined : `${linli} is not built`;
const missing = built ?? kannelMissing();
const noSmpp = missing ?? (smppLibrary() ? undefined : 'npm smpp is not installed (npm ci in tests)');
const { createEmulator } = await import('emulate').catch(() => ({}));
const secret = 's3cret', phone = '+8613800001111', ours = '10690001';

async function neighbourhood(t, { smpp, redis } = {}) {
	const ports = await kannelPorts();
	const daemon = await startLinli(t, {
		redis,
		channels: `
sms:
  adapter: kannel
  sendsms_url: ${ports.sendsmsUrl}
  username: ${kannelUser.username}
  password: "${kannelUser.password}"
  secret: ${secret}
  from: "${ours}"
  country_code: "86"
  max_messages: 5`,
	});
	const hook = moUrl(`${daemon.url}/hook/sms/mo`, secret);
	const smsc = smpp ? await startSmsc(t) : undefined;
	const kannel = await startKannel(t, { ports, moUrl: hook, smppPort: smsc?.port, retries: 1000 });
	await smsc?.ready;
	return { daemon, kannel, hook, smsc, phones: smpp ? undefined : await kannel.phones() };
}

const answers = (phones, to = phone) => phones.got.filter((message) => message.to === to);

test('a request typed on a phone is taken down question by question', { skip: missing }, async (t) => {
	const { phones } = await neighbourhood(t);
	const say = async (text) => {
		const before = answers(phones).length;
		await phones.say(phone.slice(1), ours, text);
		return (await waitFor(`an answer to "${text}"`, () => answers(phones)[before])).text;
	};
	const first = await say('I need medicine in the east block');
	const second = await say('1');
	assert.notEqual(first, second);
	assert.ok(answers(phones).every((message) => message.from === ours));
	assert.ok(!phones.got.some((message) => /<Response|empty reply|Could not fetch/i.test(message.text)));
});

test('Chinese is answered in Chinese, in UCS-2', { skip: noSmpp }, async (t) => {
	const { smsc } = await neighbourhood(t, { smpp: true });
	await smsc.deliver(phone.slice(1), ours, Buffer.from('东区需要买药，谢谢', 'utf16le').swap16());
	const answer = await waitFor('the answer', () => smsc.submitted[0]);
	assert.equal(answer.to, phone.slice(1));
	assert.equal(answer.coding, 8);
	assert.match(answer.message, /\p{Script=Han}/u);
});

test('the daemon was away: Kannel keeps the SMS, and it is answered once', { skip: missing }, async (t) => {
	const { daemon, phones } = await neighbourhood(t);
	await daemon.stop();
	await phones.say(phone.slice(1), ours, 'I need medicine in the east block');
	await phones.say('8613800002222', ours, 'I need groceries in the west block');
	await daemon.start();
	for (const to of [phone, '+8613800002222'])
		await waitFor(`the answer to ${to}`, () => answers(phones, to).length > 0, 30000);
	/* A third, afterwards: what was answered twice would be there before its answer. */
	await phones.say('8613800003333', ours, 'I need groceries in the west block');
	await waitFor('the last answer', () => answers(phones, '+8613800003333').length > 0);
	assert.deepEqual([phone, '+8613800002222'].map((to) => answers(phones, to).length), [1, 1]);
});

test('the store was away: nothing is acknowledged, nothing is lost', { skip: missing }, async (t) => {
	const redis = await startRedis(t);
	const { daemon, hook, phones } = await neighbourhood(t, { redis: redis.url });
	await redis.stop();
	const asked = hook.replace('%I', 'direct-1').replace('%p', encodeURIComponent('8613800002222')).replace('%P', ours)
		.replace('%b', 'I+need+groceries+in+the+west+block').replace('%C', 'UTF-8').replace('%c', '0').replace('%T', '1795479154');
	await waitFor('the daemon to notice', async () => (await request(`${daemon.url}/readyz`)).status === 503);
	const refused = await request(asked);
	assert.equal(refused.status, 503);
	assert.match(refused.headers.get('retry-after'), /^\d+$/);
	await phones.say(phone.slice(1), ours, 'I need medicine in the east block');
	await redis.startAgain();
	await waitFor('the answer', () => answers(phones).length > 0, 30000);
	assert.equal(answers(phones).length, 1);
	assert.equal(answers(phones, '+8613800002222').length, 0);
});

test('smsbox was away: the answer waits in the daemon and arrives once', { skip: missing }, async (t) => {
	const { kannel, hook, phones, daemon } = await neighbourhood(t);
	await kannel.smsbox.stop();
	const asked = hook.replace('%I', 'direct-1').replace('%p', encodeURIComponent(phone.slice(1))).replace('%P', ours)
		.replace('%b', 'I+need+groceries+in+the+west+block').replace('%C', 'UTF-8').replace('%c', '0').replace('%T', '1795479154');
	const taken = await request(asked);
	assert.deepEqual([taken.status, taken.text], [200, '']);
	/* The same SMS again, as Kannel would after a lost answer: taken, but counted once. */
	assert.equal((await request(asked)).status, 200);
	await waitFor('a try that failed', async () => /"sms".*(retry|refused|connect)/i.test(daemon.program.err));
	kannel.startSmsbox();
	await waitFor('the answer', () => answers(phones).length > 0, 60000);
	await phones.say('8613800003333', ours, 'I need groceries in the west block');
	await waitFor('the last answer', () => answers(phones, '+8613800003333').length > 0, 30000);
	assert.equal(answers(phones).length, 1);
});

test('a delivery report reaches the daemon', { skip: noSmpp }, async (t) => {
	const { smsc, daemon } = await neighbourhood(t, { smpp: true });
	await smsc.deliver(phone.slice(1), ours, Buffer.from('I need medicine in the east block'), 1);
	await waitFor('the answer', () => smsc.submitted[0]);
	const messages = async () => daemon.metric('linli_messages_in_total', '{channel="sms",result="new"}');
	await waitFor('the report', async () => (await messages()) >= 2);
});

test('an emulated Twilio account texts and is answered', { skip: built ?? (createEmulator ? undefined : 'npm emulate is not installed') }, async (t) => {
	const sid = `AC${'0'.repeat(32)}`, token = 'tok', number = '+15551234567';
	const [port] = [await freePort()];
	const api = `http://127.0.0.1:${port}`;
	const daemon = await startLinli(t, {
		channels: `
sms:
  adapter: twilio
  account_sid: ${sid}
  auth_token: ${token}
  from: "${number}"
  base_url: ${api}`,
	});
	const emulator = await createEmulator({
		service: 'twilio', port,
		seed: { twilio: { account: { sid, auth_token: token }, phone_numbers: [{ phone_number: number, sms_url: `${daemon.url}/hook/sms/sms` }] } },
	});
	atEnd(t, () => emulator.close());
	const headers = { Authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString('base64')}` };
	await request(`${api}/_twilio/simulate/inbound-message`, {
		method: 'POST', headers, body: new URLSearchParams({ To: number, From: phone, Body: '东区需要买药' }),
	});
	const sent = await waitFor('the answer', async () => {
		const { text } = await request(`${api}/2010-04-01/Accounts/${sid}/Messages.json`, { headers });
		return JSON.parse(text).messages.find((message) => message.direction === 'outbound-api');
	});
	assert.deepEqual([sent.to, sent.from], [phone, number]);
	assert.match(sent.body, /\p{Script=Han}/u);
	const forged = await request(`${daemon.url}/hook/sms/sms`, { method: 'POST', body: new URLSearchParams({ MessageSid: 'SM1', From: phone, Body: 'x' }) });
	assert.equal(forged.status, 403);
});
