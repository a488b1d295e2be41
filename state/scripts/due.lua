-- Moves what is due to the inbox, the earliest first.
-- KEYS: due, inbox
-- ARGV: now in ms, how many at most
-- Returns how many were moved, and when the next is due ('0': none).
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #due, 2 do
	redis.call('XADD', KEYS[2], '*', 'd', due[i], 't', due[i + 1])
end
if #due > 0 then
	redis.call('ZREMRANGEBYRANK', KEYS[1], 0, #due / 2 - 1)
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {#due / 2, first[2] or '0'}
