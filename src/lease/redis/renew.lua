-- Renews a lease. Sets one again that Redis has lost, unless it was granted since. An owner may have raised its token while
-- Redis did not answer.
-- KEYS: lease, fence. ARGV: this node's name, TTL in ms, TTL of the fence in ms, this node's token.
-- Returns: 1 if this node has the lease, 0 if the lease is lost.
local lease = redis.call('HMGET', KEYS[1], 'node', 'token')
if lease[1] == ARGV[1] and lease[2] == ARGV[4] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
  return 1
end
if lease[1] and lease[1] ~= ARGV[1] then
  return 0
end
local fence = redis.call('HMGET', KEYS[2], 'token', 'holder')
if fence[1] and tonumber(fence[1]) > tonumber(ARGV[4]) then
  return 0
end
-- The lease was released under this token.
if fence[1] == ARGV[4] and fence[2] == '' then
  return 0
end
redis.call('HSET', KEYS[2], 'token', ARGV[4], 'holder', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'token', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
