-- sweep.lua - rhm.sweep: a function on many parameters and seeds, on all processors, with results that last.
-- rhm.search: the smallest N that reaches a goal.
--
-- In a child process the script runs again up to the sweep it serves; sweeps before that one have ended when it was
-- started, so that their results are read from the file.
local M = {}

local rhm = require "rhm"
local check = require "rhm.check"
local child = require "rhm.child"
local plan = require "rhm.sweep.plan"
local report = require "rhm.sweep.report"
local runner = require "rhm.sweep.runner"
local search = require "rhm.sweep.search"
local ipairs, match, format = ipairs, string.match, string.format
local tointeger = math.tointeger

local calls = 0 -- of sweeps and searches in this process

-- For children whose function is in a file.
function M.serve(path, name)
  runner.serve(plan.load("rhm.sweep", path, name))
end

-- What both have in common. Returns what runner.new takes, or in the child of this call never.
local function prepare(where, t, known)
  check.keys(where, t, known)
  if runner.serving then check.fail(where, "a run of a sweep cannot start a sweep of its own") end
  calls = calls + 1
  local s = {where = format("%s{ name=%q }", where, t.name or ""), name = check.field(where, t, "name", "string")}
  if not match(s.name, "^%a[%w_-]*$") or #s.name > 100 or match(s.name, "^rhm_") or match(s.name, "^sqlite_") then
    check.fail(where, "name = %s: must be a letter and then letters, digits, _ or -, and not begin with rhm_ or "
      .. "sqlite_", check.show(s.name))
  end
  s.jobs = check.whole(where, t, "jobs", 0, 1024, child.cores())
  s.quiet = check.field(where, t, "quiet", "boolean", false)
  s.retry = check.field(where, t, "retry", "boolean", false)
  s.timeout = check.number(where, t, "timeout", 1e-3, 1e9, false)
  s.parameters, s.seeds = plan.parameters(where, t), plan.seeds(where, t)
  s.shard, s.shards = plan.shard(where, t)
  s.path = plan.path(where, t, s.shard, s.shards)
  local task = child.task()
  local index = task and tointeger(tonumber(match(task, "^%d+")))
  if index == calls then
    if match(task, " (.*)$") ~= s.name then
      check.fail(where, "the script came to another sweep ('%s') in a child process than here ('%s'): what it does "
        .. "before must not change from run to run", s.name, match(task, " (.*)$"))
    end
    runner.serve(t.run) -- does not return
  end
  s.reading = task ~= nil -- a sweep before: its results are there
  if s.reading then s.jobs, s.quiet, s.retry = 0, true, false end
  s.run, s.command = plan.command_of(where, {run=t.run, jobs=s.jobs, name=s.name})
  s.task = format("%d %s", calls, s.name)
  return s
end

local common = {"name", "parameters", "grid", "seeds", "run", "jobs", "out", "shard", "quiet", "retry", "timeout"}

-- rhm.sweep{...}
function M.sweep(t)
  local s = prepare("rhm.sweep", t, common)
  local rows, tasks, place = {}, {}, {}
  for _, parameters in ipairs(s.parameters) do
    for _, seed in ipairs(s.seeds) do
      local task = {parameters = parameters, seed = seed}
      tasks[#tasks + 1] = task
      place[task] = #tasks
    end
  end
  local store <close> = rhm.results{ path=s.path, create=not s.reading, readonly=s.reading }
  s.store = store
  function s.done(task, row) rows[place[task]] = row end
  local work = runner.new(s)
  for i, task in ipairs(tasks) do
    if not s.shard or i % s.shards == s.shard % s.shards then work:add(task) end
  end
  work:work()
  local list = {}
  for i = 1, #tasks do list[#list + 1] = rows[i] end
  return report.sweep(s, list, work)
end

-- rhm.search{...}
function M.search(t)
  local known = {"variable", "from", "to", "measure", "goal", "precision"}
  table.move(common, 1, #common, #known + 1, known)
  local s = prepare("rhm.search", t, known)
  search.arguments("rhm.search", t, s)
  local store <close> = rhm.results{ path=s.path, create=not s.reading, readonly=s.reading }
  s.store = store
  local cells, work = search.run(s, runner)
  return report.search(s, cells, work)
end

return M
