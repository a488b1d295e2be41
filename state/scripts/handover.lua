-- Records that an outbox entry is about to be handed to the platform.
-- KEYS: fence, outbox, flying
-- ARGV: fence, entry
-- Returns 1, -1 fenced, -2 gone.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return -1
end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then
	return -2
end
redis.call('SADD', KEYS[3], ARGV[2])
return 1
