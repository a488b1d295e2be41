// Runs one adapter in the test house (tests/adapters/echo.c), which answers every text with "echo: …".
import fs from 'node:fs';
import path from 'node:path';

import { binary, says, start, waitFor } from './lib.mjs';

const program = path.join(binary, 'tests/adapters/adapter_echo');

export function echoMissing() {
	return fs.existsSync(program) ? undefined : `${program} is not built`;
}

/** settings: {name: value}. `.events` are its JSON lines, `.until(what, test)` waits for one. */
export async function startEcho(t, adapter, settings) {
	const args = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
	const child = start(t, program, [adapter, ...args]);
	const { url } = JSON.parse((await says(child, /^\{"url":.*\}$/m))[0]);
	const events = () => child.out.split('\n').slice(1, -1).map((line) => JSON.parse(line));
	const tell = (line) => child.child.stdin.write(`${JSON.stringify(line)}\n`);
	return {
		child, url, tell,
		get events() { return events(); },
		until: (what, test) => waitFor(what, () => {
			if (child.exited !== undefined)
				throw new Error(`adapter_echo ended with ${child.exited}: ${child.tail()}`);
			return events().find(test);
		}),
		send(id, to, text) {
			tell({ id, to, text });
			return waitFor(`what became of ${id}`, () => events().find((event) => event.settled && event.id === id));
		},
		/** Ends it by its stdin, and with it whatever a sanitizer has to say. */
		async end() {
			child.child.stdin.end();
			await waitFor('the end of adapter_echo', () => child.exited !== undefined);
			return child.exited;
		},
	};
}
