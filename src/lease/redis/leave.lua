-- Forgets a node that goes.
-- KEYS: as for the heartbeat. ARGV: its name.
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
