// Redis stopped, killed, and gone slow under the daemon: webhooks answer 503 with Retry-After
// within 100 ms, health says so, and everything goes on by itself.
import assert from 'node:assert/strict';
import test from 'node:test';
import { atEnd, request, sink, startRedis, waitFor } from '../peers/lib.mjs';
import { startLinli } from '../peers/daemon.mjs';

const secret = 'a-secret';

async function setUp(t) {
	const redis = await startRedis(t);
	const provider = await sink(t, () => ({ status: 202, body: '0: Accepted for delivery' }));
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
	const text = (id, from = '+8613800000001') => request(`${daemon.url}/hook/sms/mo?secret=${secret}` +
		`&from=${encodeURIComponent(from)}&to=500&id=${id}&text=help&coding=0&charset=UTF-8`);
	return { redis, provider, daemon, text };
}

// The quickest of a few tries: what is asked is whether the daemon waits, not how busy this machine is.
async function refusedQuickly(text, name) {
	let best = Infinity;
	for (let i = 0; i < 5; i++) {
		const began = performance.now();
		const answer = await text(`${name}-${i}`);
		best = Math.min(best, performance.now() - began);
		assert.equal(answer.status, 503);
		assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
	}
	assert.ok(best < 100, `503 took ${best} ms`);
}

test('Redis that does not answer makes webhooks answer 503 at once; afterwards all goes on', async (t) => {
	const { redis, provider, daemon, text } = await setUp(t);
	assert.equal((await text('before')).status, 200);
	await waitFor('the first answer', () => provider.got.length === 1);
	process.kill(redis.program.pid, 'SIGSTOP');
	atEnd(t, () => process.kill(redis.program.pid, 'SIGCONT'));
	await refusedQuickly(text, 'stopped');
	process.kill(redis.program.pid, 'SIGCONT');
	await daemon.ready();
	assert.equal((await text('after', '+8613800000002')).status, 200);
	await waitFor('the answer after it', () =>
		provider.got.some(({ headers }) => headers['x-kannel-to'].includes('8613800000002')));
	assert.ok((await daemon.metric('linli_web_refused_total', '{class="5xx"}')) >= 5);
});

test('a killed Redis is told by /readyz, refused at once, and found again', async (t) => {
	const { redis, provider, daemon, text } = await setUp(t);
	await redis.stop('SIGKILL');
	await waitFor('/readyz to say so', async () => (await request(`${daemon.url}/readyz`)).status === 503);
	await refusedQuickly(text, 'killed');
	assert.equal((await request(`${daemon.url}/healthz`)).status, 200);
	await redis.startAgain();
	await daemon.ready();
	assert.equal((await text('killed-0')).status, 200);
	await waitFor('the answer', () => provider.got.length === 1);
	assert.equal((await text('killed-0')).status, 200);
	assert.equal((await text('other', '+8613800000003')).status, 200);
	await waitFor('the second answer', () => provider.got.length >= 2);
	assert.equal(provider.got.filter(({ headers }) => headers['x-kannel-to'].includes('8613800000001')).length, 1);
});
