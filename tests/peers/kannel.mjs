// Starts a real Kannel (bearerbox and smsbox of the Debian package) with a fake SMSC whose phones
// the test plays, or bound over SMPP to an SMSC in this process (npm smpp).
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { atEnd, freePorts, portOpens, start, tempFolder, waitFor, which } from './lib.mjs';

const fakesmscPath = '/usr/lib/kannel/test/fakesmsc';

/** A sentence when Kannel cannot be run here, else undefined. */
export function kannelMissing() {
	if (!which('bearerbox') || !which('smsbox'))
		return 'Kannel is not installed (Debian package kannel)';
	if (!fs.existsSync(fakesmscPath))
		return 'fakesmsc is not installed (Debian package kannel-extras)';
	return undefined;
}

export const kannelUser = { username: 'tester', password: 'foo&bar 1' };

function configuration(options) {
	const { folder, ports, moUrl, moPostUrl, smppPort, maxMessages, retries } = options;
	const service = moPostUrl ? `post-url = "${moPostUrl}"` : `get-url = "${moUrl}"`;
	const smsc = smppPort
		? ['group = smsc', 'smsc = smpp', 'smsc-id = SMPP', 'host = 127.0.0.1', `port = ${smppPort}`,
			'transceiver-mode = 1', 'smsc-username = kannel', 'smsc-password = secret',
			'system-type = "VMA"', 'reconnect-delay = 1', 'source-addr-autodetect = true']
		: ['group = smsc', 'smsc = fake', 'smsc-id = FAKE', `port = ${ports.fake}`,
			'our-host = 127.0.0.1', 'connect-allow-ip = 127.0.0.1'];
	return [
		'group = core', `admin-port = ${ports.admin}`, 'admin-interface = 127.0.0.1',
		'admin-password = bar', 'status-password = foo', `smsbox-port = ${ports.box}`,
		'smsbox-interface = 127.0.0.1', 'box-allow-ip = "127.0.0.1"', 'box-deny-ip = "*.*.*.*"',
		'dlr-storage = internal', `log-file = "${folder}/bearerbox.log"`, '',
		...smsc, '',
		'group = smsbox', 'bearerbox-host = 127.0.0.1', `bearerbox-port = ${ports.box}`,
		`sendsms-port = ${ports.send}`, 'sendsms-interface = 127.0.0.1',
		`mo-recode = ${options.recode ?? true}`, `http-request-retry = ${retries ?? 5}`,
		'http-queue-delay = 1', `log-file = "${folder}/smsbox.log"`, '',
		'group = sendsms-user', `username = ${kannelUser.username}`,
		`password = "${kannelUser.password}"`, `max-messages = ${maxMessages ?? 5}`,
		'concatenation = true', '',
		...(moUrl || moPostUrl
			? ['group = sms-service', 'keyword = default', 'catch-all = true', service,
				'max-messages = 0', 'omit-empty = true']
			: []),
		'',
	].join('\n');
}

/** Ports for a Kannel that is started later, because its URLs are needed first. */
export async function kannelPorts() {
	const [admin, box, send, fake] = await freePorts(4);
	return { admin, box, send, fake, sendsmsUrl: `http://127.0.0.1:${send}/cgi-bin/sendsms` };
}

/** The sms-service URL of docs/channels/kannel.md for a hook like http://…/hook/NAME/mo. */
export function moUrl(hook, secret) {
	return `${hook}?secret=${secret}&id=%I&from=%p&to=%P&text=%b&charset=%C&coding=%c&ts=%T`;
}

/**
 * options: ports of kannelPorts(), moUrl (sms-service get-url with its escapes) or moPostUrl, maxMessages of the sendsms
 * user, smppPort (an SMSC to bind to, see startSmsc) instead of the fake one, recode, retries.
 * Gives { sendsmsUrl, status(), phone() … }; everything is stopped when the test is over.
 */
export async function startKannel(t, options = {}) {
	const folder = tempFolder(t, 'linli-kannel');
	const ports = options.ports ?? await kannelPorts();
	const { admin, box, send, fake } = ports;
	const file = path.join(folder, 'kannel.conf');
	fs.writeFileSync(file, configuration({ ...options, folder, ports }));
	const bearerbox = start(t, which('bearerbox'), ['-v', '4', file], { cwd: folder, patience: 1000 /* it waits for kept connections */ });
	await portOpens(box, 'bearerbox');
	const startSmsbox = () => start(t, which('smsbox'), ['-v', '4', file], { cwd: folder, patience: 1000 /* it waits for kept connections */ });
	const smsbox = startSmsbox();
	await portOpens(send, 'smsbox');
	const status = async () =>
		(await fetch(`http://127.0.0.1:${admin}/status.txt?password=foo`)).text();
	await waitFor('the smsbox at its bearerbox', async () => /smsbox.*on-line/.test(await status()));
	return {
		folder, ports, bearerbox, smsbox, startSmsbox, status, ...kannelUser,
		sendsmsUrl: `http://127.0.0.1:${send}/cgi-bin/sendsms`,
		/** Phones on the fake SMSC: say() types an SMS, .got lists what arrived. */
		async phones() {
			const program = start(t, fakesmscPath, ['-H', '127.0.0.1', '-r', String(fake)]);
			await waitFor('the fake SMSC', async () => /FAKE.*online/.test(await status()));
			return {
				program,
				/** Types an SMS; fakesmsc overlooks the second of two lines that come together. */
				async say(from, to, text) {
					const before = program.err.split('fakesmsc: sent message').length;
					program.child.stdin.write(`${from} ${to} text ${text}\n`);
					await waitFor('fakesmsc to send it', () => program.err.split('fakesmsc: sent message').length > before);
				},
				/** {from, to, text}; a text of several lines comes as several of fakesmsc's. */
				get got() {
					const messages = [];
					for (const [, line] of program.err.matchAll(/Got message \d+: <([^]*?)>\n/g)) {
						const [, from, to, coding, text] = line.match(/^(\S+) (\+?\d+) (text|ucs-2) ([^]*)$/) ?? [];
						if (to)
							messages.push({ from, to, text: coding === 'text' ? text : utf16(text) });
						else if (messages.length)
							messages.at(-1).text += `\n${line}`;
					}
					return messages;
				},
			};
		},
	};
}

/** What fakesmsc shows of a UCS-2 message: its octets, URL-encoded. */
const utf16 = (encoded) => Buffer.from(encoded.replaceAll('+', ' ')
	.replace(/%(..)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1').swap16().toString('utf16le');

/** Loads the SMPP library from the tests' node_modules; undefined when not installed. */
export function smppLibrary() {
	try {
		return createRequire(import.meta.url)('smpp');
	} catch {
		return undefined;
	}
}

/**
 * A short message centre on npm smpp. `.submitted` lists {to, from, coding, udh, octets};
 * deliver() sends an SMS to the ESME; the fate of a number's messages is what `fate(to)` says:
 * 'DELIVRD', 'UNDELIV', or a command status to refuse with.
 */
export async function startSmsc(t, fate = () => 'DELIVRD') {
	const smpp = smppLibrary();
	const submitted = [];
	let esme, bound;
	const ready = new Promise((done) => { bound = done; });
	let count = 0;
	const sessions = new Set();
	const server = smpp.createServer((session) => {
		sessions.add(session);
		session.on('error', () => {});
		session.on('close', () => sessions.delete(session));
		session.on('enquire_link', (pdu) => session.send(pdu.response()));
		session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
		session.on('bind_transceiver', (pdu) => {
			session.send(pdu.response({ system_id: 'test' }));
			esme = session;
			bound();
		});
		session.on('submit_sm', (pdu) => {
			const what = fate(pdu.destination_addr);
			if (typeof what === 'number') {
				session.send(pdu.response({ command_status: what }));
				return;
			}
			const id = `M${++count}`;
			const message = pdu.short_message;
			submitted.push({
				to: pdu.destination_addr, from: pdu.source_addr, coding: pdu.data_coding,
				ton: pdu.dest_addr_ton, message: message.message, udh: message.udh,
			});
			session.send(pdu.response({ message_id: id }));
			if (pdu.registered_delivery & 1)
				session.deliver_sm({
					esm_class: 4, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr,
					short_message: `id:${id} sub:001 dlvrd:001 submit date:2611240000 done date:2611240000 stat:${what} err:000 text:`,
					receipted_message_id: id, message_state: what === 'DELIVRD' ? 2 : 5,
				});
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	atEnd(t, () => new Promise((done) => {
		for (const session of sessions)
			session.destroy();
		server.close(done);
	}));
	return {
		server, submitted, ready, port: server.address().port,
		deliver(from, to, octets, coding = 8, extra = {}) {
			return new Promise((done) => esme.deliver_sm({
				source_addr_ton: 1, source_addr_npi: 1, source_addr: from, destination_addr: to,
				data_coding: coding, short_message: octets, ...extra,
			}, done));
		},
	};
}
