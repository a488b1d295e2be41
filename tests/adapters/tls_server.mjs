// tests/adapters/tls_server.mjs - a TLS server by Node: HTTP/2 and HTTP/1.1, and websockets by ws.
// Prints "<port> <certificate file>" and ends with its standard input. Answers with the HTTP version
// and how many connections there were.
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'linli-tls-'));
const key = join(folder, 'key.pem');
const cert = join(folder, 'cert.pem');
execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key,
	'-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], {stdio: 'ignore'});
const options = {key: readFileSync(key), cert: readFileSync(cert), allowHTTP1: true};

let connections = 0;
let server;
if (process.argv[2] === 'ws') {
	const {WebSocketServer} = await import('ws');
	server = https.createServer(options);
	const sockets = new WebSocketServer({server, perMessageDeflate: true});
	sockets.on('connection', (socket, request) => {
		connections++;
		socket.send(JSON.stringify({
			path: request.url, host: request.headers.host, authorization: request.headers.authorization,
			extensions: request.headers['sec-websocket-extensions'] ?? '',
		}));
		socket.on('message', (data) => socket.send(data.toString()));
	});
} else {
	server = http2.createSecureServer(options, (request, response) => {
		request.resume();
		request.on('end', () => response.end(JSON.stringify({version: request.httpVersion, connections})));
	});
	server.on('secureConnection', () => connections++);
}
server.listen(0, '127.0.0.1', () => console.log(`${server.address().port} ${cert}`));
process.stdin.resume();
process.stdin.on('end', () => {
	rmSync(folder, {recursive: true});
	process.exit(0);
});
