// An XMPP server that does what no honest one does, to see that the adapter does not believe it.
// Frames as in RFC 7395 and RFC 5802; what it says after the login is the test's.
import crypto from 'node:crypto';
import { once } from 'node:events';
import * as ltx from 'ltx';
import { WebSocketServer } from 'ws';

const salt = Buffer.from('QSXCR+Q6sek8bf92', 'base64');
const hmac = (key, data) => crypto.createHmac('sha1', key).update(data).digest();
const frame = (name, more = '') => `<${name} xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' from='liar.test'${more}/>`;
const features = (inner) => `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${inner}</stream:features>`;
const sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
const encode = (text) => Buffer.from(text).toString('base64');
const decode = (element) => Buffer.from(element.getText(), 'base64').toString();

/**
 * options.mechanisms; options.proof(signature) → what the server claims; options.heard(session,
 * element) for stanzas and nonzas after the bind; options.resume(session, element).
 */
export async function startLiar(t, options) {
	const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'xmpp' });
	await once(server, 'listening');
	const self = { sessions: [], url: `ws://127.0.0.1:${server.address().port}/` };

	function login(session, element) {
		const { ws } = session;
		if (element.is('open')) {
			ws.send(frame('open'));
			const mechanisms = (options.mechanisms ?? ['SCRAM-SHA-1', 'PLAIN']).map((m) => `<mechanism>${m}</mechanism>`).join('');
			ws.send(features(session.known ? "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>"
				: `<mechanisms ${sasl}>${mechanisms}</mechanisms>`));
		} else if (element.is('auth')) {
			session.mechanism = element.attrs.mechanism;
			session.clientFirst = decode(element).slice(3);
			session.nonce = `${session.clientFirst.match(/r=(.*)$/)[1]}server`;
			session.serverFirst = `r=${session.nonce},s=${salt.toString('base64')},i=${options.iterations ?? 4096}`;
			ws.send(`<challenge ${sasl}>${encode(session.serverFirst)}</challenge>`);
		} else if (element.is('response')) {
			session.responded = true;
			const without = decode(element).replace(/,p=.*$/, '');
			const salted = crypto.pbkdf2Sync(options.password ?? 'secret', salt, 4096, 20, 'sha1');
			const signature = hmac(hmac(salted, 'Server Key'), `${session.clientFirst},${session.serverFirst},${without}`);
			const claim = (options.proof ?? ((s) => `v=${s.toString('base64')}`))(signature);
			session.known = true;
			ws.send(`<success ${sasl}>${claim === '' ? '' : encode(claim)}</success>`);
		} else if (element.is('iq') && element.getChild('bind')) {
			ws.send(`<iq xmlns='jabber:client' type='result' id='${element.attrs.id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>bot@liar.test/x</jid></bind></iq>`);
		} else if (element.is('enable')) {
			ws.send("<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>");
		} else if (element.is('resume')) {
			(options.resume ?? (() => ws.send("<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")))(session, element);
		} else {
			return false;
		}
		return true;
	}

	server.on('connection', (ws) => {
		const session = { ws, got: [], index: self.sessions.length };
		self.sessions.push(session);
		ws.on('message', (data) => {
			const element = ltx.parse(data.toString());
			session.got.push(element);
			if (!login(session, element))
				options.heard?.(session, element);
		});
	});
	t.after(() => {
		for (const ws of server.clients)
			ws.terminate();
		server.close();
	});
	return self;
}
