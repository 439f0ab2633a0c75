-- Grants a lease, unless another node has it.
-- KEYS: lease, fence. ARGV: this node's name, TTL in ms, TTL of the fence in ms, "1" if this node may take a free lease.
-- Returns: the token or nil; the owner's name or nil; the last owner if it never released the lease, or nil.
local owner = redis.call('HGET', KEYS[1], 'node')
if owner and owner ~= ARGV[1] then
  return { false, owner, false }
end
if ARGV[4] ~= '1' then
  -- The lease is left from an ended ownership of this node: release it.
  if owner then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[2], 'holder', '')
    redis.call('PEXPIRE', KEYS[2], ARGV[3])
  end
  return { false, false, false }
end
local holder = redis.call('HGET', KEYS[2], 'holder')
local token = redis.call('HINCRBY', KEYS[2], 'token', 1)
redis.call('HSET', KEYS[2], 'holder', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
-- Copied as text: a Lua number could lose digits.
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'token', redis.call('HGET', KEYS[2], 'token'))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if holder == '' or holder == ARGV[1] then
  holder = false
end
return { token, false, holder }
