// kill -9 of the daemon at random, 50 times during 2,000 messages. Afterwards every message in has
// had its effect exactly once, every message out was handed over, and those that went out twice
// are no more than were in flight at a kill.
import assert from 'node:assert/strict';
import test from 'node:test';
import { request, sink, startRedis, waitFor } from '../peers/lib.mjs';
import { startLinli } from '../peers/daemon.mjs';
import { countInFlight, left } from './in_flight.mjs';

const kills = Number(process.env.LINLI_KILLS ?? 50);
const messages = Number(process.env.LINLI_MESSAGES ?? 2000);
const senders = 16; // requests under way at once
const secret = 'a-secret';

// A generator with a seed, so that a run can be repeated as near as processes allow.
let seed = Number(process.env.LINLI_SEED ?? Date.now() % 1e9);
const random = (below) => {
	seed = (seed * 48271) % 2147483647;
	return seed % below;
};

test(`${kills} kills during ${messages} messages lose nothing and double nothing`, async (t) => {
	t.diagnostic(`LINLI_SEED=${seed}`);
	const redis = await startRedis(t);
	const handed = new Map(); // our send id → { to, times }
	const provider = await sink(t, ({ headers }) => {
		const id = new URL(headers['x-kannel-dlr-url']).searchParams.get('id');
		const known = handed.get(id) ?? { to: decodeURIComponent(headers['x-kannel-to']), times: 0 };
		known.times++;
		handed.set(id, known);
		return { status: 202, body: '0: Accepted for delivery' };
	});
	const daemon = await startLinli(t, {
		redis: redis.url, mayDie: true,
		settings: 'instance: same', // so that the lease is its own again at once
		channels: `
sms:
  adapter: kannel
  sendsms_url: ${provider.url}/cgi-bin/sendsms
  username: u
  password: p
  secret: ${secret}
  from: "500"`,
	});

	let accepted = 0, next = 0, killed = 0, inFlight = 0, killAt = 20;
	const person = (i) => `+86138${String(10000000 + (i % 400)).padStart(8, '0')}`;

	async function killOnce() {
		killed++;
		await daemon.program.stop('SIGKILL');
		inFlight += countInFlight(redis.socket);
		await daemon.start();
	}

	let restarting;
	async function deliver(i) {
		const url = `${daemon.url}/hook/sms/mo?secret=${secret}&from=${encodeURIComponent(person(i))}` +
			`&to=500&id=k${i}&text=help&coding=0&charset=UTF-8`;
		// Like a provider: again with the same id until told "received".
		for (;;) {
			const answer = await request(url).catch(() => undefined);
			if (answer?.status === 200)
				break;
			await (restarting ?? new Promise((go) => setImmediate(go)));
		}
		accepted++;
		if (accepted >= killAt && killed < kills && !restarting) {
			killAt = accepted + 1 + random(Math.floor((2 * (messages - accepted)) / (kills - killed + 1)));
			restarting = killOnce().finally(() => { restarting = undefined; });
			await restarting;
		}
	}
	await Promise.all(Array.from({ length: senders }, async () => {
		while (next < messages)
			await deliver(next++);
	}));
	while (killed < kills)
		await killOnce();

	await waitFor('every message to be answered', () => handed.size >= messages && left(redis.socket, 'out:*') === 0, 60000)
		.catch((error) => { throw new Error(`${error.message}: ${handed.size} of ${messages}, ${left(redis.socket, 'out:*')} left\n${daemon.program.tail()}`); });

	assert.equal(killed, kills);
	assert.equal(handed.size, messages, 'one answer for each message, no more and no less');
	const perPerson = new Map();
	for (const { to } of handed.values())
		perPerson.set(to, (perPerson.get(to) ?? 0) + 1);
	for (let i = 0; i < Math.min(400, messages); i++) {
		const expected = Math.floor((messages - 1 - i) / 400) + 1;
		assert.equal(perPerson.get(person(i)), expected, 'each person has all answers');
	}
	const twice = [...handed.values()].reduce((sum, { times }) => sum + times - 1, 0);
	t.diagnostic(`${twice} went out twice; ${inFlight} were in flight at the ${kills} kills`);
	assert.ok(twice <= inFlight, `${twice} repeats, but only ${inFlight} were in flight`);
	assert.equal(left(redis.socket, 'in'), 0, 'the inbox is empty');
});
