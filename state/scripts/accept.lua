-- Appends events to the inbox unless they were seen before.
-- KEYS: inbox, then one "seen" key for each event that has one
-- ARGV: per event: sealed body, how long it is remembered in ms (0: has no "seen" key)
-- Returns how many were new.
local fresh, key = 0, 1
for i = 1, #ARGV, 2 do
	local new = true
	if ARGV[i + 1] ~= '0' then
		key = key + 1
		new = redis.call('SET', KEYS[key], '', 'NX', 'PX', ARGV[i + 1])
	end
	if new then
		redis.call('XADD', KEYS[1], '*', 'p', ARGV[i])
		fresh = fresh + 1
	end
end
return fresh
