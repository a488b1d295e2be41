// Records the fixtures of the SMS adapters anew: `node tests/peers/record.mjs` lets the real Kannel
// (Debian 1.4.5) and npm emulate's Twilio talk to a sink and writes down what they said.
import fs from 'node:fs';
import path from 'node:path';
import { createEmulator } from 'emulate';

import { freePort, request, sink, source, waitFor } from './lib.mjs';
import { startKannel, startSmsc } from './kannel.mjs';

const cleanups = [];
const t = { after: (cleanup) => cleanups.unshift(cleanup) };
const folder = path.join(source, 'tests/adapters/fixtures');
const keep = ['content-type', 'x-twilio-signature', 'x-kannel-to', 'x-kannel-coding', 'user-agent'];

function save(name, got) {
	const head = [`${got.method} ${got.target}`];
	for (const [header, value] of Object.entries(got.headers))
		if (keep.includes(header))
			head.push(`${header}: ${value}`);
	fs.writeFileSync(path.join(folder, name), Buffer.concat([Buffer.from(`${head.join('\n')}\n\n`), got.body]));
}

async function saveAnswer(name, url, options) {
	const answer = await request(url, options);
	fs.writeFileSync(path.join(folder, name), `${answer.status}\n\n${answer.text}`);
}

const utf16 = (text) => Buffer.from(text, 'utf16le').swap16();

async function kannel() {
	const escapes = 'from=%p&to=%P&text=%b&charset=%C&coding=%c&ts=%T&id=%I';
	const fates = { 777: 'UNDELIV', 999: 11 };
	for (const recode of [true, false])
		for (const post of [false, true]) {
			const web = await sink(t);
			const smsc = await startSmsc(t, (to) => fates[to.slice(-3)] ?? 'DELIVRD');
			const query = post ? escapes.replace('&text=%b', '') : escapes;
			const moUrl = `${web.url}/hook/test/mo?secret=s3cret&${query}`;
			const gateway = await startKannel(t, { smppPort: smsc.port, recode, [post ? 'moPostUrl' : 'moUrl']: moUrl });
			await smsc.ready;
			const how = `${post ? 'post' : 'get'}-${recode ? 'utf8' : 'utf16'}`;
			await smsc.deliver('8613800001111', '10690001', utf16('接单 17 & 50%+1 😀'));
			await waitFor('message', () => web.got.length === 1);
			save(`kannel/mo-${how}.http`, web.got[0]);
			if (!recode)
				continue;
			await smsc.deliver('8613800001111', '10690001', Buffer.from([1, 2, 0, 255, 32, 43]), 4);
			await waitFor('binary message', () => web.got.length === 2);
			save(`kannel/mo-${post ? 'post' : 'get'}-binary.http`, web.got[1]);
			if (post)
				continue;
			const send = (changes) => {
				const dlr = `${web.url}/hook/test/dlr?secret=s3cret&id=s-1&piece=1&type=%d`;
				const fields = { username: gateway.username, password: gateway.password, from: '10690001', to: '+8613800001111', coding: 2, charset: 'UTF-8', text: '接单', 'dlr-mask': 31, 'dlr-url': dlr, ...changes };
				return `${gateway.sendsmsUrl}?${new URLSearchParams(fields)}`;
			};
			const dlrs = () => web.got.filter((got) => got.target.includes('/dlr'));
			const dlr = async (name, to, type) => {
				const before = dlrs().length;
				await request(send({ to }));
				save(`kannel/dlr-${name}.http`, await waitFor(name, () => dlrs().slice(before).find((got) => got.target.endsWith(`type=${type}`))));
			};
			await dlr('delivered', '+8613800001111', 1);
			await dlr('progress', '+8613800001111', 8);
			await dlr('failed', '+8613800001777', 2);
			await dlr('rejected', '+8613800001999', 16);
			await saveAnswer('kannel/answer-accepted.txt', send({}));
			await saveAnswer('kannel/answer-authorization.txt', send({ password: 'wrong' }));
			await saveAnswer('kannel/answer-no-sender.txt', send({ from: '' }));
			await saveAnswer('kannel/answer-denied.txt', send({ to: 'abc' }));
			await saveAnswer('kannel/answer-charset.txt', send({ charset: 'nonsense' }));
			await saveAnswer('kannel/answer-nothing-here.txt', gateway.sendsmsUrl.replace('sendsms', 'nothing'));
			for (const session of [smsc])
				session.server.close();
		}
}

async function twilio() {
	const sid = `AC${'0'.repeat(32)}`, token = 'tok';
	const web = await sink(t, () => ({ headers: { 'Content-Type': 'text/xml' }, body: '<Response/>' }), 18099);
	const port = await freePort();
	const emulator = await createEmulator({
		service: 'twilio', port,
		seed: { twilio: { account: { sid, auth_token: token }, phone_numbers: [{ phone_number: '+15551234567', sms_url: `${web.url}/hook/test/sms` }] } },
	});
	t.after(() => emulator.close?.());
	const base = `http://127.0.0.1:${port}`;
		const basic = { Authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString('base64')}` };
	const form = (fields, headers = basic) => ({ method: 'POST', headers, body: new URLSearchParams(fields) });
	const messages = `${base}/2010-04-01/Accounts/${sid}/Messages.json`;
	const message = { To: '+8613800001111', From: '+15551234567', Body: '接单 17', StatusCallback: `${web.url}/hook/test/status?id=s-1&piece=1` };
	await request(`${base}/_twilio/simulate/inbound-message`, form({ To: '+15551234567', From: '+8613800001111', Body: '接单 17 & 50%+1 😀' }));
	save('twilio/sms.http', await waitFor('message', () => web.got.find((got) => got.target.includes('/sms'))));
	await saveAnswer('twilio/answer-created.txt', messages, form(message));
	const created = JSON.parse(fs.readFileSync(path.join(folder, 'twilio/answer-created.txt'), 'utf8').split('\n\n')[1]);
	await saveAnswer('twilio/answer-list.txt', `${messages}?${new URLSearchParams({ To: message.To, PageSize: 50 })}`, { headers: basic });
	await saveAnswer('twilio/answer-20003.txt', messages, form(message, {}));
	await saveAnswer('twilio/answer-no-to.txt', messages, form({ ...message, To: '' }));
	for (const status of ['sent', 'delivered', 'undelivered']) {
		const before = web.got.length;
		await request(`${base}/_twilio/simulate/message-status`, form({ MessageSid: created.sid, Status: status, ErrorCode: status === 'undelivered' ? '30005' : '' }));
		save(`twilio/status-${status}.http`, await waitFor(status, () => web.got.slice(before).find((got) => got.body.includes(`MessageStatus=${status}`))));
	}
}

await kannel();
await twilio();
for (const cleanup of cleanups)
	await cleanup();
process.exit(0);
