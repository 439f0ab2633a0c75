-- Announces a node, and lists every node that is alive. Nodes that have been silent for too long are deleted.
-- KEYS: a sorted set of the members' names by expiry time, and a hash of their announcements; then the same two for nodes
-- that are alive but not members.
-- ARGV: this node's name, TTL in ms, its announcement, what it asks to be ('member', 'candidate', 'waiting', or 'expelled':
-- a member until now), and the names of the members that it agrees with.
-- A listed member stays a member. A candidate becomes one if it agrees with every listed member.
-- Returns: whether this node is a member; the time in ms; its announcement as a member before; for each member its name,
-- for how many more ms it is listed, and its announcement; the same for the nodes that wait.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Each listed node: its name, for how many more ms, its announcement.
local function listed(times, announcements)
  for _, expired in ipairs(redis.call('ZRANGEBYSCORE', times, '-inf', string.format('%.0f', now))) do
    redis.call('ZREM', times, expired)
    redis.call('HDEL', announcements, expired)
  end
  local names = redis.call('ZRANGE', times, 0, -1, 'WITHSCORES')
  local answer = {}
  for i = 1, #names, 2 do
    local announcement = redis.call('HGET', announcements, names[i])
    if announcement then
      answer[#answer + 1] = { names[i], names[i + 1] - now, announcement }
    end
  end
  return answer
end

local function put(times, announcements)
  redis.call('ZADD', times, string.format('%.0f', now + ARGV[2]), ARGV[1])
  redis.call('HSET', announcements, ARGV[1], ARGV[3])
end

local function drop(times, announcements)
  redis.call('ZREM', times, ARGV[1])
  redis.call('HDEL', announcements, ARGV[1])
end

if ARGV[4] == 'expelled' then
  drop(KEYS[1], KEYS[2])
end
local members = listed(KEYS[1], KEYS[2])
local before = redis.call('HGET', KEYS[2], ARGV[1])
local is_member = ARGV[4] == 'member' or ARGV[4] == 'candidate'
if is_member and not (ARGV[4] == 'member' and redis.call('ZSCORE', KEYS[1], ARGV[1])) then
  local agreed = {}
  for i = 5, #ARGV do
    agreed[ARGV[i]] = true
  end
  for _, member in ipairs(members) do
    is_member = is_member and agreed[member[1]] == true
  end
end
if is_member then
  put(KEYS[1], KEYS[2])
  drop(KEYS[3], KEYS[4])
  members = listed(KEYS[1], KEYS[2])
else
  put(KEYS[3], KEYS[4])
end
return { is_member and 1 or 0, now, before, members, listed(KEYS[3], KEYS[4]) }
