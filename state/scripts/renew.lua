-- Prolongs the lease of a shard that nobody else has taken since.
-- KEYS: owner, fence
-- ARGV: instance, lease in ms, fence
-- Returns 1, or 0 if it is lost.
if redis.call('GET', KEYS[2]) ~= ARGV[3] then
	return 0
end
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[3], 'PX', ARGV[2])
return 1
