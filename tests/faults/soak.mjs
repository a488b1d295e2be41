// Hours of random traffic while the daemon and its Redis are killed at random: soak.mjs 10m (or 90s,
// 2h). In rounds; after each, every message in has had its effect exactly once, every message out
// was handed over, and those that went out twice are no more than were in flight at the kills. The
// daemon's memory and Redis's are shown, so that growth can be seen.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { request, says, sink, start, startRedis, waitFor, which } from '../peers/lib.mjs';
import { startLinli } from '../peers/daemon.mjs';
import { countInFlight, left, redisCli } from './in_flight.mjs';

const [, amount, unit] = (process.argv[2] ?? '10m').match(/^(\d+)([smh])$/) ?? [];
if (!amount) {
	console.error('soak.mjs TIME: 90s, 10m, 2h');
	process.exit(2);
}
const duration = Number(amount) * { s: 1000, m: 60000, h: 3600000 }[unit];
const messages = 1000; // a round
const killsARound = 12;
const senders = 16; // requests under way at once
const asking = 200; // people who ask for help's words: one answer each time, so they are counted
const talking = 100; // people who say anything

let seed = Number(process.env.LINLI_SEED ?? Date.now() % 1e9) || 1;
const random = (below) => {
	seed = (seed * 48271) % 2147483647;
	return seed % below;
};
const person = (prefix, i) => `+86${prefix}${String(10000000 + i).slice(-8)}`;

const said = [
	'could someone fetch my medicine?', '我想请人帮忙买药', '帮我买菜', 'east', '东区 3号楼 201', 'yes', 'no', '好的', '不用了',
	'today at 6pm', '明天上午', 'list', '任务', 'volunteer', '我想当志愿者', 'take', 'cancel', '取消', 'done', '完成', 'stop', 'start',
	'thank you so much', '今天天气不错', '🙏🙏', '...', 'x'.repeat(700), '邻'.repeat(300), 'language', '中文', 'English', '1', '2', '9999',
];
const codes = () => (random(2) ? `接 ${random(40)}` : `take ${random(40)}`);

test(`${process.argv[2] ?? '10m'} of traffic and kills lose nothing and double nothing`, async (t) => {
	console.log(`LINLI_SEED=${seed}`);
	const redis = await startRedis(t);
	const socket = redis.socket;
	const handed = new Map(); // our send id → { to, times }
	const provider = await sink(t, ({ headers }) => {
		const id = new URL(headers['x-kannel-dlr-url']).searchParams.get('id');
		const known = handed.get(id) ?? { to: decodeURIComponent(headers['x-kannel-to']), times: 0 };
		known.times++;
		handed.set(id, known);
		provider.got.length = 0; // hours of it would fill the memory
		return { status: 202, body: '0: Accepted for delivery' };
	});
	const secret = 'a-secret';
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

	let inFlight = 0, killed = { daemon: 0, redis: 0 }, total = 0, twiceInAll = 0;

	async function killDaemon() {
		await daemon.program.stop('SIGKILL');
		inFlight += countInFlight(socket);
		await daemon.start();
		killed.daemon++;
	}

	// What was in flight is read before the daemon can come back to it: elsewhere, from the same file.
	async function killRedis() {
		await redis.stop('SIGKILL');
		const aside = path.join(redis.folder, 'aside.sock');
		const reader = start(t, which('redis-server'), ['--port', '0', '--unixsocket', aside, '--dir', redis.folder,
			'--save', '', '--appendonly', 'yes']);
		await says(reader, /ready to accept connections/i);
		inFlight += countInFlight(aside);
		await reader.stop();
		fs.rmSync(aside, { force: true });
		await redis.startAgain();
		await daemon.ready();
		killed.redis++;
	}

	async function round(number) {
		handed.clear();
		inFlight = 0;
		let accepted = 0, next = 0, kills = 0, killAt = random(80), restarting, asked = 0;
		const perPerson = new Map();

		async function deliver(i) {
			let from = person('139', random(talking)), text = random(4) ? said[random(said.length)] : codes();
			if (i % 2 === 0) {
				from = person('138', random(asking));
				text = 'help';
				asked++;
				perPerson.set(from, (perPerson.get(from) ?? 0) + 1);
			}
			const url = `${daemon.url}/hook/sms/mo?secret=${secret}&from=${encodeURIComponent(from)}` +
				`&to=500&id=r${number}k${i}&text=${encodeURIComponent(text)}&coding=0&charset=UTF-8`;
			// Like a provider: again with the same id until told "received".
			for (;;) {
				const answer = await request(url).catch(() => undefined);
				if (answer?.status === 200)
					break;
				await (restarting ?? new Promise((go) => setImmediate(go)));
			}
			accepted++;
			if (accepted >= killAt && kills < killsARound && !restarting) {
				kills++;
				killAt = accepted + 1 + random(Math.ceil((2 * (messages - accepted)) / (killsARound - kills + 1)) + 1);
				restarting = (random(3) ? killDaemon() : killRedis()).finally(() => { restarting = undefined; });
				await restarting;
			}
		}
		await Promise.all(Array.from({ length: senders }, async () => {
			while (next < messages)
				await deliver(next++);
		}));
		const answers = () => [...handed.values()].filter(({ to }) => perPerson.has(to));
		await waitFor('everything to be answered and handed over', () =>
			answers().length >= asked && left(socket, 'in') === 0 && left(socket, 'out:*') === 0, 60000)
			.catch((error) => {
				throw new Error(`${error.message}: ${answers().length} of ${asked} answers, ${left(socket, 'in')} in the inbox, ` +
					`${left(socket, 'out:*')} in the outboxes\n${daemon.program.tail()}`);
			});
		const got = new Map();
		for (const { to } of answers())
			got.set(to, (got.get(to) ?? 0) + 1);
		assert.deepEqual(got, perPerson, 'each person has one answer for each message');
		const twice = [...handed.values()].reduce((sum, { times }) => sum + times - 1, 0);
		assert.ok(twice <= inFlight, `${twice} repeats, but only ${inFlight} were in flight at the kills`);
		twiceInAll += twice;
		total += messages;
	}

	const memory = () => Number(fs.readFileSync(`/proc/${daemon.program.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
	const redisMemory = () => Number(redisCli(socket, 'INFO', 'memory').match(/used_memory:(\d+)/)[1]);
	const end = Date.now() + duration;
	for (let number = 1; Date.now() < end; number++) {
		await round(number);
		console.log(`${new Date().toISOString()} ${total} messages, ${killed.daemon} kills of the daemon and ${killed.redis} of Redis, ` +
			`${twiceInAll} went out twice; daemon ${Math.round(memory() / 1e6)} MB, Redis ${Math.round(redisMemory() / 1e6)} MB`);
	}
});
