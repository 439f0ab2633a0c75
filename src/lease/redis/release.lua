-- Gives a lease back, unless it has been granted anew.
-- KEYS: lease, fence. ARGV: my name, my token, TTL of the fence in ms, "1" if nothing is to be kept.
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
