// Who is let in to the simulator when the daemon listens to the whole network.
import assert from 'node:assert/strict';
import http from 'node:http';
import os from 'node:os';
import { test } from 'node:test';

import { daemonMissing, startDaemon } from './daemon.mjs';

const address = Object.values(os.networkInterfaces()).flat()
	.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const skip = daemonMissing() ?? (address ? undefined : 'this machine has no network of its own');

function status(host, port, headers) {
	return new Promise((resolve, reject) => {
		http.get({ host, port, path: '/hook/simulator/state', headers, agent: false }, (answer) => {
			answer.resume();
			resolve(answer.statusCode);
		}).on('error', reject);
	});
}

test('another machine is refused, whatever it calls us', { skip }, async (t) => {
	const daemon = await startDaemon(t, { host: '0.0.0.0' });
	assert.equal(await status('127.0.0.1', daemon.port, {}), 200);
	assert.equal(await status(address, daemon.port, {}), 403);
	assert.equal(await status(address, daemon.port, { Host: `localhost:${daemon.port}` }), 403);
	await daemon.stop();
});

test('open: yes lets it in, under the public name only', { skip }, async (t) => {
	const daemon = await startDaemon(t, {
		host: '0.0.0.0', publicUrl: 'http://linli.test', own: { open: true },
	});
	assert.equal(await status('127.0.0.1', daemon.port, {}), 200);
	assert.equal(await status(address, daemon.port, { Host: 'linli.test' }), 200);
	assert.equal(await status(address, daemon.port, { Host: 'example.org' }), 403);
	await daemon.stop();
});
