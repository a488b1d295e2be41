-- Gives a shard up, if it is still ours; what is still under way with its fence is refused.
-- KEYS: owner, fence
-- ARGV: fence
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
	return 0
end
redis.call('DEL', KEYS[1])
redis.call('INCR', KEYS[2])
return 1
