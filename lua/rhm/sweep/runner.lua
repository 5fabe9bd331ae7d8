-- sweep/runner.lua - runs tasks in child processes and keeps what they give: the one writer of the results' file.
--
-- A task is {parameters=, seed=}. The children read and write lines of JSON (src/script/child.h): the parent sends
-- {"parameters":, "seed":}, a child says {"ready":true} once and then for each task {"seconds":, "measures":} or
-- {"seconds":, "error":}.
local M = {}

local rhm = require "rhm"
local child = require "rhm.child"
local json = require "rhm.json"
local printer = require "rhm.print"
local type, ipairs, pcall, error, tostring, setmetatable = type, ipairs, pcall, error, tostring, setmetatable
local rawget = rawget
local format, match, gsub, sub = string.format, string.match, string.gsub, string.sub
local ceil, max = math.ceil, math.max
local stderr = io.stderr

-- --- one run ------------------------------------------------------------------------------------------------------

-- A run reads like one table: row.N is a parameter, row.accuracy a measure.
local row_meta = {
  __index = function(row, key)
    local measures = rawget(row, "measures")
    local value = measures and measures[key]
    if value ~= nil then return value end
    local parameters = rawget(row, "parameters")
    return parameters and parameters[key]
  end,
}

-- Calls the user's function; the answer as it is sent to the parent. Its random numbers are the seed's.
function M.perform(run, parameters, seed)
  local start = rhm.clock()
  math.randomseed(seed)
  local ok, measures = pcall(run, parameters, seed)
  local answer = {seconds = rhm.clock() - start}
  if not ok then
    answer.error = type(measures) == "string" and measures or "error: " .. tostring(measures)
  elseif type(measures) ~= "table" then
    answer.error = format("run returned %s: a table of measures expected",
      measures == nil and "nothing" or "a " .. type(measures))
  else
    local good, text = pcall(json.encode, measures, "measures")
    if not good then
      answer.error = text
    elseif sub(text, 1, 1) ~= "{" then
      answer.error = "run returned a list: names and values expected, {accuracy=0.9}"
    else
      answer.measures = measures
    end
  end
  return answer
end

-- The life of a child from here: it ends when the parent does.
function M.serve(run)
  M.serving = true
  child.begin()
  child.write '{"ready":true}'
  while true do
    local task = json.decode(child.read())
    rhm.memory = task.memory
    child.write(json.encode(M.perform(run, task.parameters, task.seed)))
  end
end

-- --- progress -----------------------------------------------------------------------------------------------------

local Runner = {}
Runner.__index = Runner

local function clear(self)
  if self.shown then stderr:write "\r\27[K" end
  self.shown = false
end

local function draw(self, now)
  if not self.live or now - self.drawn < 0.1 then return end
  self.drawn = now
  local elapsed = now - self.start
  local rate = self.ran / elapsed
  local parts = {self.headline and self:headline() or format("%s: %d of %d runs", self.name, self.finished, self.total)}
  if self.failed > 0 then parts[#parts + 1] = format("%d failed", self.failed) end
  if self.ran > 0 then
    parts[#parts + 1] = rate >= 1 and format("%.3g runs/s", rate) or format("%.3g s a run", 1 / rate)
    local left = (self.total - self.finished) / rate
    if not self.headline then
      parts[#parts + 1] = (left < 100 and format("%d s", ceil(left)) or printer.duration(left)) .. " left"
    end
  end
  stderr:write("\r\27[K", sub(table.concat(parts, ", "), 1, max(10, rhm.width() - 1)))
  stderr:flush()
  self.shown = true
end

-- What the runs print goes to stderr, in whole lines, whoever prints.
local function put_output(self, state, text)
  text = state.partial .. text
  local lines, partial = match(text, "^(.*\n)(.*)$")
  state.partial = sub(partial or text, -10000)
  if lines then
    state.last = match(lines, "([^\n]*%S[^\n]*)\n+%s*$") or state.last
    clear(self)
    stderr:write(lines)
  end
end

-- --- tasks --------------------------------------------------------------------------------------------------------

local function finish(self, task, row)
  self.finished = self.finished + 1
  if row.status == "failed" then
    self.failed = self.failed + 1
    self.first_error = self.first_error or row.error
  end
  setmetatable(row, row_meta)
  self.done(task, row)
end

-- Into the file first, then to whoever waits for it.
local function keep(self, task, answer, started)
  self.ran = self.ran + 1
  self.store:add{
    experiment=self.name, parameters=task.parameters, seed=task.seed, measures=answer.measures, error=answer.error,
    seconds=answer.seconds, started=started,
  }
  finish(self, task, self.store:find(self.name, task.parameters, task.seed))
end

-- Queues a task, unless the file has it. `done` may add further ones.
function Runner:add(task)
  self.total = self.total + 1
  local row = self.store:find(self.name, task.parameters, task.seed)
  if row and not (self.retry and row.status == "failed") then
    self.found = self.found + 1
    return finish(self, task, row)
  end
  if self.reading then
    error(format("%s: a child process that goes through this sweep to a later one misses a run in %s: what the script "
      .. "does must not change from run to run", self.where, self.store.path), 0)
  end
  self.last = self.last + 1
  self.queue[self.last] = task
end

local function take(self)
  local task = self.queue[self.first]
  self.queue[self.first] = nil
  self.first = self.first + 1
  return task
end

-- --- children -----------------------------------------------------------------------------------------------------

local environment = {"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1", "BLIS_NUM_THREADS=1"}

local function start_child(self)
  local settings = {"RHM_SWEEP=" .. self.task}
  for i, setting in ipairs(environment) do settings[i + 1] = setting end
  local i = self.crew:start(self.command, settings)
  self.children[i] = {partial = "", ready = false}
  self.count = self.count + 1
  return i
end

local function give(self, i)
  local state = self.children[i]
  state.task, state.started, state.since = take(self), child.now(), rhm.clock()
  self.crew:send(i, json.encode{parameters=state.task.parameters, seed=state.task.seed, memory=self.memory})
end

-- Work for every child that has none, and a child for every task, up to `jobs`.
local function assign(self)
  for i, state in pairs(self.children) do
    if not state.task and self.first <= self.last then give(self, i) end
  end
  while self.first <= self.last and self.count < self.jobs do give(self, start_child(self)) end
end

local function ended(self, i, how)
  local state = self.children[i]
  self.children[i] = nil
  self.count = self.count - 1
  local said = match(state.partial, "%S") and state.partial or state.last
  local why = said and format("%s: %s", how, said) or how
  if not state.ready then
    clear(self)
    error(format("%s: a child process ended before it came to this sweep (%s): the script must come to it again when "
      .. "it is run with the same arguments", self.where, why), 0)
  end
  if state.task then
    keep(self, state.task, {error = "the process ended: " .. why, seconds = rhm.clock() - state.since}, state.started)
  end
end

local function answered(self, i, line)
  local state = self.children[i]
  local answer = json.decode(line)
  if type(answer) ~= "table" then
    self.crew:kill(i)
    return ended(self, i, "it sent what is no answer")
  end
  if answer.ready then
    -- What the script did up to here is no part of the run.
    state.ready, state.started, state.since = true, child.now(), rhm.clock()
  elseif state.task then
    local task, started = state.task, state.started
    state.task = nil
    keep(self, task, answer, started)
  end
end

local function stop_late(self, now)
  for i, state in pairs(self.children) do
    if state.ready and state.task and now - state.since > self.timeout then
      self.crew:kill(i)
      local task, started = state.task, state.started
      self.children[i] = nil
      self.count = self.count - 1
      local message = format("stopped after %g s (timeout)", self.timeout)
      keep(self, task, {error = message, seconds = now - state.since}, started)
    end
  end
end

-- --- the loop -----------------------------------------------------------------------------------------------------

-- t: name, store, jobs (0: in this process), done (function(task, row)), where ("rhm.sweep", for errors); command (of a
-- child), task (what RHM_SWEEP tells it) or run; retry, timeout, quiet, headline.
function M.new(t)
  return setmetatable({
    name = t.name, store = t.store, jobs = t.jobs, done = t.done, where = t.where, command = t.command, task = t.task,
    run = t.run, retry = t.retry, reading = t.reading, timeout = t.timeout, headline = t.headline,
    live = not t.quiet and child.terminal(), drawn = -1, start = rhm.clock(),
    memory = math.max(1, rhm.memory // math.max(1, t.jobs)),      -- of a child: the budget is for all of them
    queue = {}, first = 1, last = 0,                              -- tasks to give, queue[first..last]
    total = 0, finished = 0, failed = 0, ran = 0, found = 0,      -- tasks, and how they ended
    children = {}, count = 0,                                     -- by the crew's numbers
  }, Runner)
end

-- Until no task is left. Ctrl-C and errors end it at once: crew is closed by C, which no hook disturbs.
function Runner:work()
  if self.jobs == 0 then
    while self.first <= self.last do
      draw(self, rhm.clock())
      local task, started = take(self), child.now()
      local parameters = json.decode(json.encode(task.parameters)) -- a copy, as a child would get
      keep(self, task, M.perform(self.run, parameters, task.seed), started)
    end
    return clear(self)
  end
  local crew <close> = child.crew(self.jobs)
  self.crew = crew
  while self.finished < self.total do
    assign(self)
    local i, kind, text = crew:event(0.1)
    if kind == "line" then
      answered(self, i, text)
    elseif kind == "output" then
      put_output(self, self.children[i], text)
    elseif kind == "end" then
      ended(self, i, text)
    end
    local now = rhm.clock()
    if self.timeout then stop_late(self, now) end
    draw(self, now)
  end
  clear(self)
end

return M
