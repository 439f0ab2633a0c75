-- Wakes the other nodes.
-- ARGV: channel, my name.
redis.call('PUBLISH', ARGV[1], ARGV[2])
