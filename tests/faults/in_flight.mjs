// How many sends are recorded as possibly gone: they may be handed over once more, no others may.
// In the outbox by their field's name, or in the set beside the stream (docs/store.md).
import { execFileSync } from 'node:child_process';

const count = `local n = 0
for _, key in ipairs(redis.call('KEYS', 'linli:*:out:*')) do
	for _, entry in ipairs(redis.call('XRANGE', key, '-', '+')) do
		if string.sub(entry[2][1], 1, 1) == 'f' then n = n + 1 end
	end
end
for _, key in ipairs(redis.call('KEYS', 'linli:*:flying:*')) do n = n + redis.call('SCARD', key) end
return n`;

export const redisCli = (socket, ...args) =>
	execFileSync('redis-cli', ['-s', socket, ...args], { encoding: 'utf8' }).trim();

export const countInFlight = (socket) => Number(redisCli(socket, 'EVAL', count, '0'));

/** Entries left in all outboxes or inboxes: `of` is 'out:*' or 'in'. */
export const left = (socket, of) => redisCli(socket, '--raw', 'KEYS', `linli:*:${of}`).split('\n')
	.filter(Boolean).reduce((sum, key) => sum + Number(redisCli(socket, 'XLEN', key)), 0);
