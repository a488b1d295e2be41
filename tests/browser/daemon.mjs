// Starts the real daemon, with a Redis of its own, on a small neighbourhood of the simulator.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { binary, freePort, says, source, start, tempFolder, waitFor, which } from '../peers/lib.mjs';

const linli = path.join(binary, 'bot/run/linli');

export function daemonMissing() {
	if (!fs.existsSync(linli))
		return 'the daemon is not built';
	if (!which('redis-server'))
		return 'redis-server is not installed';
	return undefined;
}

/** JSON is YAML too. */
function configuration(folder, listen, publicUrl, own) {
	return JSON.stringify({
		data: folder,
		key: path.join(folder, 'linli.key'),
		listen,
		...(publicUrl && { public_url: publicUrl }),
		channels: {
			simulator: {
				adapter: 'simulator',
				residents: ['+8613800000001 王奶奶 zh-CN', '+8613800000002 Mr Brown en'],
				volunteers: ['+8613900000001 李明 zh-CN', '+8613900000002 Sarah en'],
				organisers: ['+8613700000001 赵主任 zh-CN'],
				groups: ['zh 志愿者互助群 zh-CN', 'en Helpers en'],
				...own,
			},
		},
		communities: {
			demo: {
				name: { 'zh-CN': '和平里', en: 'Hepingli' },
				language: 'zh-CN', zone: 'Asia/Shanghai', country: 'CN',
				emergency: ['110', '119', '120'],
				channels: ['simulator'],
				areas: [
					{ id: 'east', name: { 'zh-CN': '东区', en: 'East' }, words: ['3号楼', 'building 3'] },
					{ id: 'west', name: { 'zh-CN': '西区', en: 'West' }, words: ['4号楼', 'building 4'] },
				],
				kinds: [{
					id: 'errand', name: { 'zh-CN': '跑腿', en: 'errand' }, words: ['买点', '买菜', 'groceries'],
				}],
				groups: [
					{ id: 'zh', channel: 'simulator', address: 'zh', language: 'zh-CN' },
					{ id: 'en', channel: 'simulator', address: 'en', language: 'en' },
				],
				organisers: [{ channel: 'simulator', address: '+8613700000001' }],
			},
		},
	}, null, '\t');
}

/** own: further settings of the channel; host: the address to listen on. */
export async function startDaemon(t, { host = '127.0.0.1', publicUrl, own = {} } = {}) {
	const folder = tempFolder(t, 'linli-browser');
	const port = await freePort();
	const file = path.join(folder, 'linli.yaml');
	fs.writeFileSync(file, configuration(folder, `${host}:${port}`, publicUrl, own));
	execFileSync(linli, ['keygen', path.join(folder, 'linli.key')], { stdio: 'pipe' });
	const env = { ...process.env, LINLI_LOCALES: path.join(source, 'config/locales') };
	const self = {
		url: `http://127.0.0.1:${port}/hook/simulator/`,
		log: '',
		port,
		async start() {
			self.program = start(t, linli, ['run', file], { env });
			await says(self.program, /the page is at/);
			await waitFor('the page', async () => (await fetch(self.url)).ok);
		},
		async stop() {
			const status = await self.program.stop();
			self.log += self.program.out + self.program.err;
			assert.equal(status, 0, self.program.tail());
		},
		async notes() {
			return (await (await fetch(`${self.url}state`)).json()).notes;
		},
	};
	await self.start();
	return self;
}
