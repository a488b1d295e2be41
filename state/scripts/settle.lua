-- Ends an outbox entry; its outcome, if one is told, becomes an inbox event.
-- KEYS: outbox, flying, inbox
-- ARGV: entry, optionally the sealed outcome
-- Returns 1, or -2 if it was ended before.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then
	return -2
end
redis.call('SREM', KEYS[2], ARGV[1])
if ARGV[2] then
	redis.call('XADD', KEYS[3], '*', 'p', ARGV[2])
end
return 1
