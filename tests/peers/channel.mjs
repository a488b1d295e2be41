// Runs tests/peers/channel.c: one adapter without a daemon, spoken to in JSON lines.
import path from 'node:path';
import { binary, start, waitFor } from './lib.mjs';

/** settings: {url: '…', rooms: ['a', 'b']}. `.events` holds all that the adapter said. */
export function startChannel(t, adapter, settings) {
	const args = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
	const program = start(t, path.join(binary, 'tests/peers/channel'), [adapter, ...args]);
	const events = [];
	let rest = '', sends = 0;
	program.child.stdout.on('data', (text) => {
		const lines = (rest + text).split('\n');
		rest = lines.pop();
		events.push(...lines.filter(Boolean).map((line) => JSON.parse(line)));
	});
	const tell = (line) => program.child.stdin.write(`${JSON.stringify(line)}\n`);
	const self = {
		program, events, tell,
		accepted: () => events.filter((e) => e.event === 'accepted'),
		texts: () => self.accepted().filter((e) => e.kind === 'text').map((e) => e.text),
		/** The first event, from `from` on, of which `check` is true. */
		until: (what, check, from = 0, timeout = 15000) => waitFor(what, () => {
			const found = events.slice(from).find(check);
			if (!found && program.exited !== undefined)
				throw new Error(`the channel ended with ${program.exited}\n${program.tail()}`);
			return found;
		}, timeout).catch((error) => {
			throw new Error(`${error.message}\n${JSON.stringify(events.slice(-5), null, 1)}\n${program.err.slice(-3000)}`);
		}),
		untilHealth: (health, from = 0, timeout) =>
			self.until(`health ${health}`, (e) => e.event === 'health' && e.health === health, from, timeout),
		untilText: (text) => self.until(`the text ${text}`, (e) => e.event === 'accepted' && e.text === text),
		/** Sends, and gives the outcome. */
		async send(message, timeout) {
			const id = message.id ?? `send-${++sends}-${process.pid}`;
			const from = events.length;
			tell({ do: 'send', ...message, id });
			return self.until(`the outcome of ${id}`, (e) => e.event === 'settled' && e.id === id, from, timeout);
		},
		/** Closes it and gives its exit status: 0 when the adapter cleaned up. */
		async close() {
			tell({ do: 'close' });
			await waitFor('the channel to end', () => program.exited !== undefined);
			return program.exited;
		},
	};
	return self;
}
