-- Takes a shard whose lease is free or was ours; from here on older fences are refused.
-- KEYS: owner, fence
-- ARGV: instance, lease in ms
-- Returns the fence, or 0 if somebody else's lease holds.
local owner = redis.call('GET', KEYS[1])
if owner and string.match(owner, '^(.*):%d+$') ~= ARGV[1] then
	return 0
end
local fence = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. string.format('%.0f', fence), 'PX', ARGV[2])
return fence
