// Starts the daemon itself for a test: a configuration in a temporary folder, a key, a free port;
// ready when /readyz says so. Restarts keep folder, key and port.
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { atEnd, binary, freePort, request, start, tempFolder, waitFor } from './lib.mjs';

export const linli = path.join(binary, 'bot/run/linli');

const indent = (text, by) => text.trim().split('\n').map((line) => ' '.repeat(by) + line).join('\n');

/**
 * options.channels: YAML of the channels section (unindented); options.community: YAML rows of
 * the one community, without its name and channels; options.redis: url (else a managed one);
 * options.log: level.
 * `{port}` in either stands for the daemon's port.
 */
export async function startLinli(t, options) {
	const folder = tempFolder(t, 'linli');
	const port = await freePort();
	const key = path.join(folder, 'linli.key');
	const file = path.join(folder, 'linli.yaml');
	const names = options.channels.match(/^[a-z]\w*(?=:)/gm);
	execFileSync(linli, ['keygen', key]);
	fs.writeFileSync(file, `data: ${folder}/data
redis: ${options.redis ?? 'managed'}
key: ${key}
listen: 127.0.0.1:${port}
public_url: http://127.0.0.1:${port}
log: ${options.log ?? 'info'}
${options.settings ?? ''}
channels:
${indent(options.channels, 2)}
communities:
  lane:
    channels: [${names.join(', ')}]
${indent(options.community ?? defaultCommunity, 4)}
`.replaceAll('{port}', port));
	const self = {
		folder, port, file, url: `http://127.0.0.1:${port}`, program: undefined, starts: 0,
		async start() {
			self.program = start(undefined, linli, ['run', file]);
			self.starts++;
			await self.ready();
		},
		async ready() {
			const status = await waitFor('the daemon to be ready', async () => {
				if (self.program.exited !== undefined)
					return -1;
				return (await request(`${self.url}/readyz`)).status === 200;
			}, 30000);
			if (status === -1)
				throw new Error(`the daemon ended with ${self.program.exited}\n${self.program.tail()}`);
		},
		stop: (signal) => self.program.stop(signal, 40000),
		async metric(name, labels = '') {
			const { text } = await request(`${self.url}/metrics`);
			const line = text.split('\n').find((row) => row.startsWith(`${name}${labels} `));
			return line ? Number(line.split(' ').at(-1)) : 0;
		},
	};
	atEnd(t, async () => {
		const status = await self.stop();
		if (options.mayDie !== true && status !== 0)
			throw new Error(`the daemon ended with ${status}\n${self.program.tail(60)}`);
	});
	await self.start();
	return self;
}

export const defaultCommunity = `
name: {zh-CN: 测试巷, en: Test Lane}
language: en
zone: Asia/Shanghai
country: CN
emergency: ["110", "119", "120"]
flood: {count: 10000, window: 1m}
areas:
  - {id: east, name: {zh-CN: 东区, en: east block}, words: [东区, 1号楼, east]}
  - {id: west, name: {zh-CN: 西区, en: west block}, words: [西区, west]}
kinds:
  - {id: medicine, name: {zh-CN: 买药, en: medicine}, words: [买药, 药, medicine, pharmacy]}
  - {id: errand, name: {zh-CN: 跑腿, en: errand}, words: [跑腿, 买菜, errand, groceries]}
`;
