-- Applies what one event changes: everything, or nothing and the reason.
-- KEYS: fence
-- ARGV: fence; plan: number of reads (2 bytes), then the number of words of each command (1 byte
--       each); inbox; entry ('': none); per read: document, version (8 bytes; '': must not exist);
--       then the commands, word by word. All their keys carry the tag of KEYS[1].
-- Returns -1 fenced, -2 gone, -3 conflict; else what each XADD returned, or 1 if there was none.
local call, A, byte = redis.call, ARGV, string.byte
if call('GET', KEYS[1]) ~= A[1] then
	return -1
end
local plan, inbox, entry, at = A[2], A[3], A[4], 5
for i = 1, byte(plan, 1) * 256 + byte(plan, 2) do
	if call('GETRANGE', A[at], '0', '7') ~= A[at + 1] then
		if entry ~= '' and #call('XRANGE', inbox, entry, entry) == 0 then
			return -2
		end
		return -3
	end
	at = at + 2
end
-- The last check is the first write: where it fails it writes nothing.
if entry ~= '' and call('XDEL', inbox, entry) == 0 then
	return -2
end
local ids, count = {}, 0
for i = 3, #plan do
	local next = at + byte(plan, i)
	local reply = call(unpack(A, at, next - 1))
	if A[at] == 'XADD' then
		count = count + 1
		ids[count] = reply
	end
	at = next
end
return count > 0 and ids or 1
