// Starts a real XMPP server (Prosody, Debian package) with rooms, and people on it: a websocket
// client of its own, so that what the bot's adapter understands is not tested against itself.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import * as ltx from 'ltx';
import WebSocket from 'ws';

import { atEnd, freePort, portOpens, start, tempFolder, waitFor, which } from './lib.mjs';

export const domain = 'xmpp.test';
export const rooms = 'rooms.xmpp.test';
export const password = 'pass word,=1';

/** A sentence when Prosody cannot be run here, else undefined. */
export function prosodyMissing() {
	return which('prosody') ? undefined : 'Prosody is not installed (Debian package prosody)';
}

function configuration(folder, port, options) {
	return `
run_as_root = true; daemonize = false; pidfile = "${folder}/prosody.pid"; data_path = "${folder}/data"
interfaces = { "127.0.0.1" }; c2s_ports = {}; s2s_ports = {}; https_ports = {}
c2s_direct_tls_ports = {}; s2s_direct_tls_ports = {}
http_ports = { ${port} }; http_interfaces = { "127.0.0.1" }; http_default_host = "${domain}"
modules_enabled = { "roster", "saslauth", "disco", "ping", "websocket"${options.smacks === false ? '' : ', "smacks"'} }
modules_disabled = { "s2s", "tls", "offline" }
c2s_require_encryption = false; allow_unencrypted_plain_auth = true; consider_websocket_secure = true
authentication = "internal_hashed"; storage = "internal"
smacks_hibernation_time = ${options.hibernation ?? 30}
log = { { levels = { min = "debug" }, to = "file", filename = "${folder}/prosody.log" } }
VirtualHost "${domain}"
Component "${rooms}" "muc"
  modules_enabled = { ${options.archive === false ? '' : '"muc_mam"'} }
  restrict_room_creation = false; muc_room_default_persistent = true
`;
}

export async function startProsody(t, options = {}) {
	const folder = tempFolder(t, 'linli-prosody');
	const port = await freePort();
	const file = path.join(folder, 'prosody.cfg.lua');
	const self = {
		folder, port, url: `ws://127.0.0.1:${port}/xmpp-websocket`,
		async start() {
			self.program = start(undefined, which('prosody'), ['--config', file, '-F']);
			await portOpens(port, 'Prosody');
		},
		stop: (signal) => self.program.stop(signal),
		register: (name) => promisify(execFile)(which('prosodyctl'),
			['--config', file, 'register', name, domain, password]),
		log: () => fs.readFileSync(path.join(folder, 'prosody.log'), 'utf8'),
	};
	fs.mkdirSync(path.join(folder, 'data'));
	fs.writeFileSync(file, configuration(folder, port, options));
	for (const name of options.users ?? ['bot', 'alice', 'bob'])
		await self.register(name);
	atEnd(t, () => self.stop());
	await self.start();
	return self;
}

/** One person's client. Logs in with PLAIN, binds; `.got` holds every stanza. */
export class Person {
	constructor(name) {
		this.name = name;
		this.jid = `${name}@${domain}`;
		this.got = [];
		this.count = 0;
	}

	static async connect(t, server, name, resource = 'phone') {
		const person = new Person(name);
		await person.login(server.url, resource);
		atEnd(t, () => person.ws.terminate());
		return person;
	}

	write(xml) {
		this.ws.send(xml);
	}

	until(what, check, from = 0) {
		return waitFor(`${this.name} to get ${what}`, () => this.got.slice(from).find(check))
			.catch((error) => { throw new Error(`${error.message}\n${this.got.slice(-5).join('\n')}`); });
	}

	async login(url, resource) {
		this.ws = new WebSocket(url, 'xmpp');
		this.ws.on('message', (data) => this.receive(ltx.parse(data.toString())));
		await once(this.ws, 'open');
		const open = `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='${domain}' version='1.0'/>`;
		const step = async (xml, name) => {
			const from = this.got.length;
			this.write(xml);
			return this.until(name, (e) => e.getName() === name, from);
		};
		await step(open, 'features');
		const plain = Buffer.from(`\0${this.name}\0${password}`).toString('base64');
		await step(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`, 'success');
		await step(open, 'features');
		await step(`<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>`
			+ `<resource>${resource}</resource></bind></iq>`, 'iq');
		this.write(`<presence xmlns='jabber:client'/>`);
	}

	receive(element) {
		this.got.push(element);
		if (element.is('iq') && element.attrs.type === 'get')
			this.write(`<iq xmlns='jabber:client' type='result' id='${element.attrs.id}' to='${element.attrs.from}'/>`);
	}

	/** Joins a room (and opens it when new); the room is semi-anonymous. */
	async join(room, nick = this.name) {
		const from = this.got.length;
		this.room = room;
		this.nick = nick;
		this.write(`<presence xmlns='jabber:client' to='${room}/${nick}'><x xmlns='http://jabber.org/protocol/muc'>`
			+ `<history maxstanzas='0'/></x></presence>`);
		await this.until('its own presence', (e) => e.is('presence')
			&& e.attrs.from === `${room}/${nick}` && !e.attrs.type, from);
		this.write(`<iq xmlns='jabber:client' type='set' id='unlock' to='${room}'>`
			+ `<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`);
		await this.until('the room unlocked', (e) => e.is('iq') && e.attrs.id === 'unlock', from);
	}

	/** Writes to the room; gives the echo. `more` is XML beside the body. */
	async say(text, more = '', room = this.room) {
		const id = `${this.name}-${++this.count}`;
		const body = text === undefined ? '' : `<body>${ltx.escapeXMLText(text)}</body>`;
		this.write(`<message xmlns='jabber:client' type='groupchat' id='${id}' to='${room}'>${body}${more}</message>`);
		return this.until(`the echo of ${id}`, (e) => e.is('message') && e.attrs.id === id && e.attrs.type === 'groupchat');
	}

	tell(to, text, more = '') {
		const id = `${this.name}-${++this.count}`;
		this.write(`<message xmlns='jabber:client' type='chat' id='${id}' to='${to}'>`
			+ `<body>${ltx.escapeXMLText(text)}</body>${more}</message>`);
		return id;
	}

	/** The message with that text. */
	hears(text, from = 0) {
		return this.until(`the text ${text}`, (e) => e.is('message') && e.getChildText('body') === text, from);
	}

	count_of(text) {
		return this.got.filter((e) => e.is('message') && e.getChildText('body') === text).length;
	}
}

/** The id that the room gave a message (XEP-0359). */
export const stanzaId = (element) => element.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id;

/** A TCP proxy whose connections can be cut: what a network does. */
export async function startCutter(t, port) {
	const pairs = new Set();
	const self = {
		open: true,
		cut() {
			for (const [a, b] of pairs) {
				a.destroy();
				b.resetAndDestroy();
			}
			pairs.clear();
		},
	};
	const server = net.createServer((a) => {
		if (!self.open)
			return a.destroy();
		const b = net.connect(port, '127.0.0.1');
		pairs.add([a, b]);
		for (const [from, to] of [[a, b], [b, a]]) {
			from.on('error', () => {}).on('close', () => to.destroy());
			from.pipe(to);
		}
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	atEnd(t, () => { self.cut(); server.close(); });
	self.url = `ws://127.0.0.1:${server.address().port}/xmpp-websocket`;
	return self;
}
