-- Applies what one event changes: everything, or nothing and the reason.
-- KEYS: fence, version, inbox, due, then a document for each read and each write,
--       an index for each index write, an outbox and its flying set for each send
-- ARGV: fence, entry ('': none), numbers of reads, writes, indexes, sends, dues, then
--       per read: version (8 bytes; '': must not exist); per write: sealed body ('': delete),
--       keep ms (0: for ever); per index: member, score ('': remove);
--       per send: sealed payload, '1' if in flight; per due: name, at ('0': clear)
-- Returns -1 fenced, -2 gone, -3 conflict; or {version, entry of each send}.
local call, K, A = redis.call, KEYS, ARGV
if call('GET', K[1]) ~= A[1] then
	return -1
end
local entry, k, a = A[2], 4, 7
for i = 1, tonumber(A[3]) do
	if call('GETRANGE', K[k + i], 0, 7) ~= A[a + i] then
		if entry ~= '' and #call('XRANGE', K[3], entry, entry) == 0 then
			return -2
		end
		return -3
	end
end
-- The last check is the first write: it writes nothing where it fails.
if entry ~= '' and call('XDEL', K[3], entry) == 0 then
	return -2
end
k, a = k + tonumber(A[3]), a + tonumber(A[3])
local version, result = 0, {0}
if A[4] ~= '0' then
	version = call('INCR', K[2])
	result[1] = version
	local stamp = struct.pack('>I8', version)
	for i = 1, tonumber(A[4]) do
		local body, keep = A[a + 1], A[a + 2]
		if body == '' then
			call('DEL', K[k + i])
		elseif keep == '0' then
			call('SET', K[k + i], stamp .. body)
		else
			call('SET', K[k + i], stamp .. body, 'PX', keep)
		end
		a = a + 2
	end
	k = k + tonumber(A[4])
end
for i = 1, tonumber(A[5]) do
	if A[a + 2] == '' then
		call('ZREM', K[k + i], A[a + 1])
	else
		call('ZADD', K[k + i], A[a + 2], A[a + 1])
	end
	a = a + 2
end
k = k + tonumber(A[5])
for i = 1, tonumber(A[6]) do
	local id = call('XADD', K[k + 1], '*', 'p', A[a + 1])
	if A[a + 2] == '1' then
		call('SADD', K[k + 2], id)
	end
	result[i + 1] = id
	k, a = k + 2, a + 2
end
for i = 1, tonumber(A[7]) do
	if A[a + 2] == '0' then
		call('ZREM', K[4], A[a + 1])
	else
		call('ZADD', K[4], A[a + 2], A[a + 1])
	end
	a = a + 2
end
return result
