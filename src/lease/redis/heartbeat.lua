-- Says that a node lives, and who else does. Nodes that have been silent for too long are forgotten.
-- KEYS: a sorted set of the members' names by the time they are good for, a hash of what is told of each; the same two of
-- the nodes that wait to be members.
-- ARGV: my name, TTL in ms, what I tell of myself, how I come ('member', 'candidate', 'outsider', or 'expelled': a
-- member until now), and the names of the members that nothing speaks against.
-- A member stays one while it is known. Else it becomes one if it knows all members there are, unless it is an outsider.
-- Gives whether I am a member, the time in ms, what a member told under my name before, for each member its name, for how
-- many more ms it is known and what it told of itself, and the same of those who wait.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Each node that is known: its name, for how many more ms, what it told of itself.
local function known(times, abouts)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', times, '-inf', string.format('%.0f', now))) do
    redis.call('ZREM', times, gone)
    redis.call('HDEL', abouts, gone)
  end
  local names = redis.call('ZRANGE', times, 0, -1, 'WITHSCORES')
  local answer = {}
  for i = 1, #names, 2 do
    local about = redis.call('HGET', abouts, names[i])
    if about then
      answer[#answer + 1] = { names[i], names[i + 1] - now, about }
    end
  end
  return answer
end

local function put(times, abouts)
  redis.call('ZADD', times, string.format('%.0f', now + ARGV[2]), ARGV[1])
  redis.call('HSET', abouts, ARGV[1], ARGV[3])
end

local function drop(times, abouts)
  redis.call('ZREM', times, ARGV[1])
  redis.call('HDEL', abouts, ARGV[1])
end

if ARGV[4] == 'expelled' then
  drop(KEYS[1], KEYS[2])
end
local members = known(KEYS[1], KEYS[2])
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
  members = known(KEYS[1], KEYS[2])
else
  put(KEYS[3], KEYS[4])
end
return { is_member and 1 or 0, now, before, members, known(KEYS[3], KEYS[4]) }
