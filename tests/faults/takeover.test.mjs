// Two daemons on one Redis: one owns the neighbourhood, both take messages in. Killed or stopped, the
// owner is followed by the other within seconds, and nothing is lost or answered twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, freePort, request, sink, start, startRedis, tempFolder, waitFor } from '../peers/lib.mjs';
import { linli, startLinli } from '../peers/daemon.mjs';

const secret = 'a-secret';
const handedOn = ['linli_messages_out_total', '{channel="sms",outcome="sent"}'];

const figure = async (url, [name, labels]) => {
	const { text } = await request(`${url}/metrics`);
	const row = text.split('\n').find((line) => line.startsWith(`${name}${labels} `));
	return Number(row?.split(' ').at(-1));
};
const isReady = async (url) => (await request(`${url}/readyz`)).status === 200;

const text = (url, id, from) => request(`${url}/hook/sms/mo?secret=${secret}` +
	`&from=${encodeURIComponent(from)}&to=500&id=${id}&text=help&coding=0&charset=UTF-8`);

// Like a provider: again with the same id until told "received".
const deliver = (url, id, from) =>
	waitFor(`${id} to be taken`, async () => (await text(url, id, from)).status === 200);

// The same configuration and key, another port, a name of its own (random, as no `instance` is set).
async function second(t, first) {
	const port = await freePort();
	const folder = tempFolder(t, 'linli-second');
	const file = path.join(folder, 'linli.yaml');
	fs.writeFileSync(file, fs.readFileSync(first.file, 'utf8')
		.replaceAll(String(first.port), String(port))
		.replace(/^data: .*$/m, `data: ${folder}/data`));
	const url = `http://127.0.0.1:${port}`;
	const program = start(undefined, linli, ['run', file]);
	atEnd(t, () => program.stop('SIGTERM', 40000));
	await waitFor('the second daemon', async () => (await request(`${url}/healthz`)).status === 200);
	return { url, program };
}

test('one of two owns the neighbourhood; when it is killed or stopped the other goes on', async (t) => {
	const redis = await startRedis(t);
	const provider = await sink(t, () => ({ status: 202, body: '0: Accepted for delivery' }));
	const answers = (number) => provider.got.filter(({ headers }) =>
		headers['x-kannel-to'].includes(number.slice(1))).length;
	const answered = (number) => waitFor(`the answer to ${number}`, () => answers(number) === 1, 20000);
	const one = await startLinli(t, {
		redis: redis.url, mayDie: true,
		channels: `
sms:
  adapter: kannel
  sendsms_url: ${provider.url}/cgi-bin/sendsms
  username: u
  password: p
  secret: ${secret}
  from: "500"`,
	});
	const two = await second(t, one);

	// What the one that does not own it takes in reaches the one that does.
	await deliver(two.url, 'm1', '+8613800000001');
	await answered('+8613800000001');
	assert.equal(await isReady(one.url), true);
	assert.equal(await isReady(two.url), false);
	await waitFor('the owner to have counted it', async () => await figure(one.url, handedOn) === 1);
	assert.equal(await figure(two.url, handedOn), 0);

	// Killed: messages go on being taken in, and are answered once somebody owns it again.
	await one.program.stop('SIGKILL');
	const killed = Date.now();
	await deliver(two.url, 'm2', '+8613800000002');
	await waitFor('the second to take over', () => isReady(two.url), 20000);
	t.diagnostic(`taken over ${Date.now() - killed} ms after the kill`);
	await answered('+8613800000002');
	await deliver(two.url, 'm1', '+8613800000001'); // a repeat, of the time before
	await deliver(two.url, 'm3', '+8613800000003');
	await answered('+8613800000003');

	// Back, it waits; and it has the neighbourhood soon after the other is stopped in order.
	one.program = start(undefined, linli, ['run', one.file]);
	await waitFor('the first to be back', async () => (await request(`${one.url}/healthz`)).status === 200);
	await deliver(one.url, 'm4', '+8613800000004');
	await answered('+8613800000004');
	assert.equal(await isReady(one.url), false);
	assert.equal(await two.program.stop('SIGTERM', 40000), 0);
	const stopped = Date.now();
	await waitFor('the first to take over', () => isReady(one.url), 20000);
	t.diagnostic(`taken over ${Date.now() - stopped} ms after the stop`);
	assert.ok(Date.now() - stopped < 5000, 'a shard given back is not waited for until its lease is over');
	await deliver(one.url, 'm5', '+8613800000005');
	await answered('+8613800000005');
	assert.equal(provider.got.length, 5, 'five messages, five answers');
});

test('a Redis that refuses to write is said, answered with 503, and gone on with by itself', async (t) => {
	const redis = await startRedis(t);
	const set = (name, value) => execFileSync('redis-cli', ['-s', redis.socket, 'CONFIG', 'SET', name, value]);
	const left = () => execFileSync('redis-cli', ['-s', redis.socket, 'EVAL', `local n = 0
for _, key in ipairs(redis.call('KEYS', 'linli:*:out:*')) do n = n + redis.call('XLEN', key) end
return n`, '0'], { encoding: 'utf8' }).trim();
	let answer;
	const held = new Promise((go) => { answer = go; });
	const provider = await sink(t, async () => {
		await held;
		return { status: 202, body: '0: Accepted for delivery' };
	});
	const daemon = await startLinli(t, {
		redis: redis.url,
		channels: `
sms:
  adapter: kannel
  sendsms_url: ${provider.url}/cgi-bin/sendsms
  username: u
  password: p
  secret: ${secret}
  from: "500"`,
	});
	assert.equal((await text(daemon.url, 'a', '+8613800000001')).status, 200);
	await waitFor('the send to be with the provider', () => provider.got.length === 1);
	// NOREPLICAS: the one refusal to write that can be had by a setting alone.
	set('min-replicas-to-write', '1');
	const refused = await text(daemon.url, 'b', '+8613800000002');
	assert.equal(refused.status, 503);
	assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
	answer();
	await waitFor('the outcome to be there', () => daemon.metric(...handedOn));
	await waitFor('the log to say why', () => /NOREPLICAS, it has too few replicas/.test(daemon.program.out + daemon.program.err));
	assert.equal(left(), '1', 'the outcome could not be recorded');
	set('min-replicas-to-write', '0');
	await waitFor('the outcome to be recorded', () => left() === '0');
	assert.equal((await text(daemon.url, 'b', '+8613800000002')).status, 200);
	await waitFor('the second answer', () => provider.got.length === 2);
	assert.equal(await daemon.metric('linli_store_reconnects_total'), 0, 'no reconnection was needed for it');
	assert.equal(provider.got.filter(({ headers }) => headers['x-kannel-to'].includes('8613800000001')).length, 1);
});

test('a Redis of our own that cannot start ends the daemon with a sentence', async (t) => {
	const daemon = await startLinli(t, {
		mayDie: true,
		channels: `
sms:
  adapter: kannel
  sendsms_url: http://127.0.0.1:9/cgi-bin/sendsms
  username: u
  password: p
  secret: ${secret}
  from: "500"`,
	});
	assert.equal(await daemon.stop('SIGTERM'), 0);
	const files = path.join(daemon.folder, 'data', 'appendonlydir');
	fs.writeFileSync(path.join(files, 'appendonly.aof.manifest'), 'no such manifest\n');
	const began = Date.now();
	daemon.program = start(undefined, linli, ['run', daemon.file]);
	await waitFor('the daemon to give up', () => daemon.program.exited !== undefined, 20000);
	assert.equal(daemon.program.exited, 1);
	assert.match(daemon.program.out + daemon.program.err, /cannot start: redis-server ended with status 1/);
	t.diagnostic(`given up after ${Date.now() - began} ms`);
});
