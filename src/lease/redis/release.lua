-- Releases a lease, unless it was granted anew.
-- KEYS: lease, fence. ARGV: this node's name, its token, TTL of the fence in ms, "1" to delete the fence too.
local lease = redis.call('HMGET', KEYS[1], 'node', 'token')
if lease[1] == ARGV[1] and lease[2] == ARGV[2] then
  redis.call('DEL', KEYS[1])
  if ARGV[4] == '1' then
    redis.call('DEL', KEYS[2])
  else
    redis.call('HSET', KEYS[2], 'holder', '')
    redis.call('PEXPIRE', KEYS[2], ARGV[3])
  end
end
