-- sweep/search.lua - N*: the smallest N at which the median over seeds of a measure reaches a goal.
--
-- Bracketing by factors of 2, then bisection on a log scale until the bracket's ends differ by less than `precision`.
-- Which N are tried depends on the results alone, so that a search that was killed takes the same way again, along the
-- runs in the file. The interval is a bootstrap over seeds: all N tried share them, so a replicate draws seeds, not
-- runs.
local M = {}

local check = require "rhm.check"
local ipairs, next, error = ipairs, next, error
local format = string.format
local floor, huge, max, min, sqrt = math.floor, math.huge, math.max, math.min, math.sqrt
local create, resume, status, yield = coroutine.create, coroutine.resume, coroutine.status, coroutine.yield
local sort = table.sort

local REPLICATES, SHARE = 1000, 0.95

function M.arguments(where, t, s)
  s.variable = check.field(where, t, "variable", "string", "N")
  s.measure = check.field(where, t, "measure", "string", "accuracy")
  s.goal = check.number(where, t, "goal", -huge, huge, 0.9)
  s.from = check.whole(where, t, "from", 1, 0x1p53, 1000)
  s.to = check.whole(where, t, "to", 1, 0x1p53, 1000000)
  s.precision = check.number(where, t, "precision", 1.0001, 100, 1.1)
  if s.from > s.to then check.fail(where, "from = %d is above to = %d", s.from, s.to) end
  for _, set in ipairs(s.parameters) do
    if set[s.variable] ~= nil then
      check.fail(where, "parameters: '%s' is what is searched for (variable)", s.variable)
    end
  end
end

-- The middle one of the sorted list; of an even number the mean of the two in the middle.
function M.median(sorted)
  local n = #sorted
  if n == 0 then return nil end
  local a, b = sorted[(n + 1) // 2], sorted[n // 2 + 1]
  return a == b and a or (a + b) / 2
end

-- --- the interval -------------------------------------------------------------------------------------------------

-- xorshift64*: the same replicates always, and the user's math.random is left alone.
local function generator(state)
  return function(n)
    state = state ~ (state >> 12)
    state = state ~ (state << 25)
    state = state ~ (state >> 27)
    return ((state * 0x2545F4914F6CDD1D) >> 33) % n + 1
  end
end

-- The smallest N tried from which on all medians reach the goal; inf where the largest does not. trials: in order of N,
-- each with values by the place of the seed.
local function crossing(trials, places, goal)
  local best = huge
  for i = #trials, 1, -1 do
    local values = {}
    for k, place in ipairs(places) do values[k] = trials[i].values[place] end
    sort(values)
    if M.median(values) < goal then break end
    best = trials[i].N
  end
  return best
end

function M.interval(trials, seeds, goal)
  local random, found = generator(0x9E3779B97F4A7C15), {}
  for b = 1, REPLICATES do
    local places = {}
    for k = 1, seeds do places[k] = random(seeds) end
    found[b] = crossing(trials, places, goal)
  end
  sort(found)
  local cut = floor((1 - SHARE) / 2 * REPLICATES)
  return found[cut], found[REPLICATES + 1 - cut]
end

-- --- one cell -----------------------------------------------------------------------------------------------------

-- tried(N): whether N reaches the goal, having run it. Returns the smallest that does and the largest below that does
-- not; nil and `to` where none up to `to` does.
function M.bisect(tried, from, to, precision)
  local low, high
  if tried(from) then
    high = from
    while high > 1 do
      local N = high // 2
      if not tried(N) then
        low = N
        break
      end
      high = N
    end
    low = low or 0
  else
    low = from
    repeat
      if low >= to then return nil, low end
      local N = min(2 * low, to)
      if tried(N) then high = N else low = N end
    until high
  end
  while high - low > 1 and high / max(low, 0.5) > precision do
    local N = max(low + 1, min(high - 1, floor(sqrt(max(low, 1) * high) + 0.5)))
    if tried(N) then high = N else low = N end
  end
  return high, low
end

-- The coroutine of a cell; `want` queues the runs of an N, and the coroutine goes on when they are there.
local function find_cell(s, cell, want)
  local function tried(N)
    want(N)
    local rows = yield()
    local values, sorted = {}, {}
    for k, seed in ipairs(s.seeds) do
      local row = rows[seed]
      local value = row.status == "done" and row.measures[s.measure]
      if row.status == "failed" then
        cell.failed = cell.failed + 1
        cell.error = cell.error or row.error
      elseif type(value) ~= "number" then
        error(format("%s: run gave no number '%s': got %s", s.where, s.measure, check.show(value or nil)), 0)
      end
      values[k] = value or -huge -- a run that failed has not reached the goal
      sorted[k] = values[k]
    end
    sort(sorted)
    local trial = {N = N, values = values, median = M.median(sorted)}
    cell.trials[#cell.trials + 1] = trial
    return trial.median >= s.goal
  end
  cell.N, cell.below = M.bisect(tried, s.from, s.to, s.precision)
  sort(cell.trials, function(a, b) return a.N < b.N end)
  cell.low, cell.high = M.interval(cell.trials, #s.seeds, s.goal)
end

-- --- all cells ----------------------------------------------------------------------------------------------------

-- All cells advance at the same time. Returns them and the runner.
function M.run(s, runner)
  local cells, ended, work = {}, 0, nil
  local owner = {} -- task -> cell

  local function go_on(cell, rows)
    local ok, message = resume(cell.thread, rows)
    if not ok then error(message, 0) end
    if status(cell.thread) == "dead" then ended = ended + 1 end
  end

  local function want(cell, N)
    cell.waiting, cell.rows, cell.tasks = #s.seeds, {}, {}
    for _, seed in ipairs(s.seeds) do
      local parameters = {[s.variable] = N}
      for name, value in next, cell.parameters do parameters[name] = value end
      local task = {parameters = parameters, seed = seed}
      owner[task] = cell
      cell.tasks[#cell.tasks + 1] = task
    end
  end

  -- Rows that are in the file come at once: cells are driven by a list, not by calls within calls.
  local ready = {}
  function s.done(task, row)
    local cell = owner[task]
    owner[task] = nil
    cell.rows[task.seed] = row
    cell.waiting = cell.waiting - 1
    if cell.waiting == 0 then ready[#ready + 1] = cell end
    if not cell.adding then s.drive() end
  end
  function s.drive()
    while #ready > 0 do
      local cell = table.remove(ready)
      go_on(cell, cell.rows)
      s.queue(cell)
    end
  end
  function s.queue(cell)
    local tasks = cell.tasks
    cell.tasks, cell.adding = nil, true
    for _, task in ipairs(tasks or {}) do work:add(task) end
    cell.adding = false
  end
  function s.headline() return format("%s: %d of %d searches, %d runs", s.name, ended, #cells, work.finished) end

  work = runner.new(s)
  for i, parameters in ipairs(s.parameters) do
    if not s.shard or i % s.shards == s.shard % s.shards then
      local cell = {parameters = parameters, trials = {}, failed = 0}
      cell.thread = create(function() find_cell(s, cell, function(N) want(cell, N) end) end)
      cells[#cells + 1] = cell
    end
  end
  for _, cell in ipairs(cells) do
    go_on(cell)
    s.queue(cell)
    s.drive()
  end
  work:work()
  for _, cell in ipairs(cells) do
    cell.thread, cell.rows, cell.tasks, cell.waiting, cell.adding = nil, nil, nil, nil, nil
  end
  return cells, work
end

return M
