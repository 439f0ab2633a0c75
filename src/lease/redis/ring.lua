-- Wakes the other nodes.
-- ARGV: channel, this node's name.
redis.call('PUBLISH', ARGV[1], ARGV[2])
