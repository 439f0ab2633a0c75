-- Renews a lease, also one that was forgotten here, as long as nobody has been granted it since. An owner may have gone
-- on under a higher token while it could not ask.
-- KEYS: lease, fence. ARGV: my name, TTL in ms, TTL of the fence in ms, my token.
-- Gives: 1 if it is mine, 0 if it is lost.
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
-- Nobody's: it was given back under this very token.
if fence[1] == ARGV[4] and fence[2] == '' then
  return 0
end
redis.call('HSET', KEYS[2], 'token', ARGV[4], 'holder', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'token', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
