// The Kannel adapter with a real Kannel 1.4.5: an SMS from a phone comes in and is answered, Chinese
// and long texts arrive whole, delivery reports find their message, and nothing is lost while the
// store is away. Phones are Kannel's own fakesmsc, or an SMS centre on npm smpp.
import assert from 'node:assert/strict';
import test from 'node:test';

import { echoMissing, startEcho } from './echo.mjs';
import { kannelMissing, kannelPorts, kannelUser, moUrl, smppLibrary, startKannel, startSmsc } from './kannel.mjs';
import { waitFor } from './lib.mjs';

const missing = kannelMissing() ?? echoMissing();
const noSmpp = missing ?? (smppLibrary() ? undefined : 'npm smpp is not installed (npm ci in tests)');
const secret = 's3cret._~-';
const phone = '+8613800001111';
const utf16 = (text) => Buffer.from(text, 'utf16le').swap16();
const fates = { 777: 'UNDELIV', 999: 11 /* ESME_RINVDSTADR */ };

async function gateway(t, options = {}) {
	const ports = await kannelPorts();
	const echo = await startEcho(t, 'kannel', {
		sendsms_url: ports.sendsmsUrl, ...kannelUser, secret, from: '10690001', country_code: '86',
		max_messages: options.maxMessages ?? 5, ...options.settings,
	});
	const smsc = options.smpp ? await startSmsc(t, (to) => fates[to.slice(-3)] ?? 'DELIVRD') : undefined;
	const kannel = await startKannel(t, {
		ports, smppPort: smsc?.port, moUrl: moUrl(`${echo.url}/hook/test/mo`, secret), maxMessages: 5, ...options,
	});
	await smsc?.ready;
	return { echo, smsc, kannel, phones: smsc ? undefined : await kannel.phones() };
}

test('a phone on the fake SMSC writes and is answered', { skip: missing }, async (t) => {
	const { echo, phones } = await gateway(t);
	await phones.say('8613800001111', '10690001', 'help & 50% more+1');
	const message = await echo.until('the message', (event) => event.accepted === 'text');
	assert.equal(message.sender, phone);
	assert.equal(message.text, 'help & 50% more+1');
	assert.match(message.id, /^[0-9a-f-]{36}$/);
	const answer = await waitFor('the answer on the phone', () => phones.got[0]);
	assert.deepEqual(answer, { from: '10690001', to: phone, text: 'echo: help & 50% more+1' });
	assert.equal(phones.got.length, 1, 'the hook\'s own answer is not texted to the phone');
	assert.equal(await echo.end(), 0);
});

test('Chinese, emoji and the whole GSM alphabet arrive whole, both ways', { skip: noSmpp }, async (t) => {
	const { echo, smsc } = await gateway(t, { smpp: true });
	const gsm = '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà^{}\\[~]|€';
	await smsc.deliver('8613800001111', '10690001', utf16('接单 17 & 50%+1 😀'));
	await waitFor('the answer', () => smsc.submitted.length === 1);
	assert.deepEqual(smsc.submitted.map(({ to, coding, message }) => ({ to, coding, message })),
		[{ to: phone.slice(1), coding: 8, message: 'echo: 接单 17 & 50%+1 😀' }]);
	assert.equal((await echo.send('s-gsm', phone, gsm)).settled, 'sent');
	await waitFor('the alphabet', () => smsc.submitted.length === 2);
	assert.equal(smsc.submitted[1].message, gsm);
	assert.equal(smsc.submitted[1].coding, 0, 'not paid for as UCS-2');
});

test('a gateway that does not recode is understood as well', { skip: noSmpp }, async (t) => {
	const { echo, smsc } = await gateway(t, { smpp: true, recode: false });
	const texts = ['接单 17 & 50%+1 😀', '稍稍'];
	for (const text of texts)
		await smsc.deliver('8613800001111', '10690001', utf16(text));
	await smsc.deliver('8613800001111', '10690001', Buffer.from([1, 2, 0, 255]), 4);
	await smsc.deliver('8613800001111', '10690001', Buffer.from('the end'), 1);
	await echo.until('the last message', (event) => event.text === 'the end');
	assert.deepEqual(echo.events.filter((event) => event.accepted === 'text').map((event) => event.text), [...texts, 'the end']);
});

test('texts longer than max-messages arrive whole and in order', { skip: noSmpp }, async (t) => {
	const { echo, smsc } = await gateway(t, { smpp: true, maxMessages: 3, settings: { max_messages: 3 } });
	for (const [id, text] of [
		['s-zh', '一二三四五六七八九，十😀。'.repeat(60)],
		['s-en', 'The lift in house 3 is stuck [again] € and nobody comes. '.repeat(20)],
	]) {
		const before = smsc.submitted.length;
		assert.equal((await echo.send(id, phone, text)).settled, 'sent');
		const rest = () => smsc.submitted.slice(before).map((part) => part.message).join('');
		await waitFor(`all parts of ${id}`, () => rest().length >= text.length);
		assert.equal(rest(), text);
	}
});

test('delivery reports find their message', { skip: noSmpp }, async (t) => {
	const { echo } = await gateway(t, { smpp: true });
	const receipt = (id) => echo.until(`a receipt for ${id}`, (event) => event.accepted === 'receipt' && event.about === id);
	for (const [id, to, want] of [
		['s-1', '+8613800001111', 'delivered'],
		['s-2', '+8613800001777', 'failed'],
		['s-3', '+8613800001999', 'failed'],
	]) {
		assert.equal((await echo.send(id, to, '接单')).settled, 'sent');
		assert.equal((await receipt(id)).receipt, want);
	}
	assert.equal(await echo.end(), 0);
});

test('a message waits in Kannel while the store is away', { skip: missing }, async (t) => {
	const { echo, phones } = await gateway(t);
	echo.tell({ accept: 'later' });
	await phones.say('8613800001111', '10690001', 'help');
	const first = await echo.until('the refused message', (event) => event.accepted === 'text');
	echo.tell({ accept: 'now' });
	await waitFor('it once more', () => echo.events.filter((event) => event.accepted === 'text').length > 1);
	assert.ok(echo.events.filter((event) => event.accepted === 'text').every((event) => event.id === first.id), 'known by its id');
});

test('refusals and a gateway that is away are told apart', { skip: missing }, async (t) => {
	const { echo, kannel } = await gateway(t);
	const denied = await echo.send('s-1', 'abc', 'x');
	assert.deepEqual([denied.settled, denied.refusal], ['refused', 2]);
	await kannel.smsbox.stop();
	assert.equal((await echo.send('s-2', phone, 'x')).settled, 'retry');
	const wrong = await startEcho(t, 'kannel', { sendsms_url: kannel.sendsmsUrl, ...kannelUser, secret });
	assert.equal((await wrong.send('s-3', phone, 'x')).settled, 'retry');
});

test('wrong credentials are the operator\'s to mend', { skip: missing }, async (t) => {
	const kannel = await startKannel(t);
	const echo = await startEcho(t, 'kannel', { sendsms_url: kannel.sendsmsUrl, ...kannelUser, password: 'wrong', secret });
	const refused = await echo.send('s-1', phone, 'x');
	assert.deepEqual([refused.settled, refused.refusal], ['refused', 4]);
	assert.doesNotMatch(refused.reason, /13800001111|wrong/);
});
