-- Deletes the announcement of a node that leaves.
-- KEYS: as for the heartbeat. ARGV: its name, and "1" if it is a member.
if ARGV[2] == '1' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
