-- Says that a node lives, and who else does. Nodes that have been silent for too long are forgotten.
-- KEYS: a sorted set of names by the time they are good for, a hash of what is told of each.
-- ARGV: my name, TTL in ms, what I tell of myself.
-- Gives what was told under my name before, and for each node: its name, for how many more ms it is known, what it told
-- of itself.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
local before = redis.call('HGET', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
end
local known = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local answer = {}
for i = 1, #known, 2 do
  local about = redis.call('HGET', KEYS[2], known[i])
  if about then
    answer[#answer + 1] = { known[i], known[i + 1] - now, about }
  end
end
return { before, answer }
