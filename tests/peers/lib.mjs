// Starts and stops real programs for the peers tests: free ports, temporary folders, waiting for a
// condition instead of sleeping, children ended by their pid.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const source = process.env.LINLI_SOURCE ?? path.resolve(here, '../..');
// Where the build is; ctest sets it.
export const binary = process.env.LINLI_BINARY ?? path.join(source, 'build');

/** A port nobody listened on a moment ago. Ask for all you need at once: they differ. */
export async function freePorts(count) {
	const servers = [];
	for (let i = 0; i < count; i++) {
		const server = net.createServer();
		server.listen(0, '127.0.0.1');
		await once(server, 'listening');
		servers.push(server);
	}
	const ports = servers.map((server) => server.address().port);
	await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
	return ports;
}

export async function freePort() {
	return (await freePorts(1))[0];
}

const endings = new WeakMap();

/** Runs `end` when the test `t` is over, the last first: a folder goes after who lives in it. */
export function atEnd(t, end) {
	if (!endings.has(t)) {
		const list = [];
		endings.set(t, list);
		t.after(async () => {
			const errors = [];
			while (list.length)
				await Promise.resolve(list.pop()()).catch((error) => errors.push(error));
			if (errors.length)
				throw errors[0];
		});
	}
	endings.get(t).push(end);
}

/** A folder that is removed when the test `t` is over (kept when LINLI_KEEP is set). */
export function tempFolder(t, name = 'linli') {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`));
	if (t && !process.env.LINLI_KEEP)
		atEnd(t, () => fs.rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** Asks `check` until it gives something true; a condition that never comes fails with `what`. */
export async function waitFor(what, check, timeout = 15000) {
	const end = Date.now() + timeout;
	let last;
	for (;;) {
		try {
			const value = await check();
			if (value)
				return value;
			last = undefined;
		} catch (error) {
			last = error;
		}
		if (Date.now() > end)
			throw new Error(`waited ${timeout} ms for ${what}${last ? `: ${last.message}` : ''}`);
		await new Promise((done) => setTimeout(done, 20));
	}
}

export function portOpens(port, what = `port ${port}`, timeout = 15000) {
	return waitFor(what, () => new Promise((done) => {
		const socket = net.connect(port, '127.0.0.1');
		socket.on('connect', () => { socket.destroy(); done(true); });
		socket.on('error', () => done(false));
	}), timeout);
}

/* A test program that breaks off leaves nothing running. */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/**
 * Starts a program. Its output is collected in `.out` and `.err` and, when the
 * test fails, can be shown by `.tail()`. Stopped by pid when the test `t` is over, and killed when
 * it has not ended after `patience` ms.
 */
export function start(t, command, args = [], { patience: standard = 10000, ...options } = {}) {
	const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
	const program = {
		child, pid: child.pid, out: '', err: '', exited: undefined,
		tail: (lines = 30) => (program.out + program.err).split('\n').slice(-lines).join('\n'),
		async stop(signal = 'SIGTERM', patience = standard) {
			if (program.exited !== undefined)
				return program.exited;
			const gone = once(child, 'exit');
			child.kill(signal);
			const hard = setTimeout(() => child.kill('SIGKILL'), patience);
			await gone;
			clearTimeout(hard);
			return program.exited;
		},
	};
	child.on('error', (error) => { program.err += `${error.message}\n`; program.exited ??= -1; });
	child.stdout.setEncoding('utf8').on('data', (text) => { program.out += text; });
	child.stderr.setEncoding('utf8').on('data', (text) => { program.err += text; });
	child.stdin.on('error', () => {});
	running.add(child);
	child.on('exit', (code, signal) => {
		running.delete(child);
		program.exited = signal ?? code;
	});
	if (t)
		atEnd(t, () => program.stop());
	return program;
}

/** Waits for a program's output; fails at once, with its last lines, if it has died. */
export async function says(program, pattern, timeout = 15000) {
	return waitFor(`${pattern} from ${program.child.spawnfile}`, () => {
		const found = (program.out + program.err).match(pattern);
		if (!found && program.exited !== undefined)
			throw new Error(`ended with ${program.exited}\n${program.tail()}`);
		return found;
	}, timeout);
}

/**
 * A small HTTP server that remembers what it got: `.got` holds {method, target, headers, body},
 * `answer(request, index)` may give {status, headers, body}.
 */
export async function sink(t, answer = () => ({}), port = 0) {
	const got = [];
	const server = http.createServer(async (request, response) => {
		const chunks = [];
		for await (const chunk of request)
			chunks.push(chunk);
		const entry = {
			method: request.method, target: request.url, headers: request.headers,
			body: Buffer.concat(chunks),
			url: new URL(request.url, 'http://127.0.0.1'),
		};
		got.push(entry);
		const { status = 200, headers = {}, body = '' } = await answer(entry, got.length - 1) ?? {};
		response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers });
		response.end(body);
	});
	server.listen(port, '127.0.0.1');
	await once(server, 'listening');
	const self = {
		got, server, port: server.address().port,
		url: `http://127.0.0.1:${server.address().port}`,
		close: () => new Promise((done) => { server.close(done); server.closeAllConnections(); }),
	};
	if (t)
		atEnd(t, () => self.close());
	return self;
}

/** An HTTP request on loopback; {status, headers, text}. */
export async function request(url, options = {}) {
	const response = await fetch(url, { redirect: 'manual', ...options });
	return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Whether a program of that name is there (a test skips plainly when not). */
export function which(name) {
	for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']) {
		const file = path.join(folder, name);
		try {
			fs.accessSync(file, fs.constants.X_OK);
			return file;
		} catch { /* not in this folder */ }
	}
	return undefined;
}

/** A Redis of the test's own, on a Unix socket, everything synced before it is answered. */
export async function startRedis(t, options = {}) {
	const folder = tempFolder(t, 'linli-redis');
	const socket = path.join(folder, 'redis.sock');
	const args = [
		'--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '',
		'--appendonly', 'yes', '--appendfsync', options.fsync ?? 'always',
	];
	const run = async () => {
		const program = start(t, which('redis-server') ?? 'redis-server', args);
		await says(program, /ready to accept connections/i);
		return program;
	};
	const redis = {
		socket, folder, url: `unix:${socket}`, program: await run(),
		stop: (signal) => redis.program.stop(signal),
		/** With what it had written. */
		async startAgain() { redis.program = await run(); },
	};
	return redis;
}
