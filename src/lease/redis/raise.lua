-- Raises the fence above a token of the store, because Redis lost the fence, or is younger than the store.
-- KEYS: lease, fence. ARGV: this node's name, TTL in ms, TTL of the fence in ms, the store's token.
-- Returns: the new token, or nil if another node has the lease by now.
local owner = redis.call('HGET', KEYS[1], 'node')
if owner and owner ~= ARGV[1] then
  return false
end
local known = tonumber(redis.call('HGET', KEYS[2], 'token') or '0')
if known < tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[2], 'token', ARGV[4])
end
local token = redis.call('HINCRBY', KEYS[2], 'token', 1)
redis.call('HSET', KEYS[2], 'holder', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'token', redis.call('HGET', KEYS[2], 'token'))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return token
