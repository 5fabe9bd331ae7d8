-- sweep/plan.lua - what is to be run: parameter sets and seeds, the results' file, the command that starts a child.
local M = {}

local rhm = require "rhm"
local check = require "rhm.check"
local child = require "rhm.child"
local json = require "rhm.json"
local type, ipairs, next, pcall, error = type, ipairs, next, pcall, error
local format, match, find = string.format, string.match, string.find
local sort, tointeger = table.sort, math.tointeger

-- --- parameters and seeds -----------------------------------------------------------------------------------------

local function copy(t)
  local new = {}
  for key, value in next, t do new[key] = value end
  return new
end

-- Every choice of one value of each list, the last name changing fastest.
local function combinations(where, grid)
  local names, sets = {}, {{}}
  for name, values in next, grid do
    if type(name) ~= "string" then
      check.fail(where, "grid: %s: names of parameters must be strings", check.show(name))
    end
    if type(values) ~= "table" or #values == 0 then
      check.fail(where, "grid.%s = %s: must be a list of values", name,
        type(values) == "table" and "{}" or check.show(values))
    end
    names[#names + 1] = name
  end
  sort(names)
  for _, name in ipairs(names) do
    local more = {}
    for _, set in ipairs(sets) do
      for _, value in ipairs(grid[name]) do
        local new = copy(set)
        new[name] = value
        more[#more + 1] = new
      end
    end
    sets = more
  end
  return sets
end

-- t.parameters (a list of sets, or one set for all) times t.grid: a list of sets, no two the same. Values come as they
-- will be read from the file.
function M.parameters(where, t)
  local given = check.field(where, t, "parameters", "table", {})
  if #given == 0 then given = {given} end
  local grid = combinations(where, check.field(where, t, "grid", "table", {}))
  local sets, seen = {}, {}
  for i, set in ipairs(given) do
    if type(set) ~= "table" then check.fail(where, "parameters[%d] = %s: must be a table", i, check.show(set)) end
    for _, choice in ipairs(grid) do
      local whole = copy(set)
      for name, value in next, choice do
        if whole[name] ~= nil then check.fail(where, "'%s' is both in parameters and in grid", name) end
        whole[name] = value
      end
      local text = json.encode(whole, where .. ": parameters")
      if not find(text, "^{") then check.fail(where, "parameters: names and values expected, got %s", text) end
      if seen[text] then check.fail(where, "parameters: %s is there twice", text) end
      seen[text] = true
      sets[#sets + 1] = json.decode(text)
    end
  end
  return sets
end

-- t.seeds: n for 1..n, or a list.
function M.seeds(where, t)
  local seeds = t.seeds
  if type(seeds) ~= "table" then
    local n, list = check.whole(where, t, "seeds", 1, 1e7, 1), {}
    for seed = 1, n do list[seed] = seed end
    return list
  end
  local list, seen = {}, {}
  for i, seed in ipairs(seeds) do
    local whole = type(seed) == "number" and tointeger(seed)
    if not whole then check.fail(where, "seeds[%d] = %s: must be a whole number", i, check.show(seed)) end
    if seen[whole] then check.fail(where, "seeds: %d is there twice", whole) end
    list[i], seen[whole] = whole, true
  end
  if #list == 0 then check.fail(where, "seeds = {}: must be a number or a list of seeds") end
  return list
end

-- "2/4" -> 2, 4
function M.shard(where, t)
  local text = check.field(where, t, "shard", "string", false)
  if not text then return nil end
  local i, n = match(text, "^%s*(%d+)%s*/%s*(%d+)%s*$")
  i, n = tointeger(tonumber(i)), tointeger(tonumber(n))
  if not i or not n or i < 1 or i > n then
    check.fail(where, "shard = %q: must be i/n with 1 <= i <= n, as 2/4", text)
  end
  return i, n
end

-- The results' file: results.db, of a shard results.2-of-4.db.
function M.path(where, t, i, n)
  local path = check.field(where, t, "out", "string", t.name .. ".db")
  if not i then return path end
  local stem, ending = match(path, "^(.*[^/])(%.[^./]+)$")
  return format("%s.%d-of-%d%s", stem or path, i, n, ending or "")
end

-- --- the command of a child ---------------------------------------------------------------------------------------

-- The program and its options, less those that are the parent's own affair, and where they end in `line`.
local function options_of(line, count)
  local command, i = {child.program() or line[0], "--threads", "1"}, 1
  while i <= count do
    local word = line[i]
    if word == "-e" or word == "-l" then
      command[#command + 1], command[#command + 2] = word, line[i + 1]
      i = i + 1
    elseif word == "--threads" then
      i = i + 1
    elseif word ~= "-i" and not match(word, "^%-%-threads=") then
      command[#command + 1] = word
    end
    i = i + 1
  end
  return command
end

-- The command line of this process, from 0, and how many words after the program are options.
local function own_line()
  local words, line, first = M.command, {}, 0
  while words[first - 1] do first = first - 1 end
  for i = first, #words do line[i - first] = words[i] end
  if first == 0 then return line, #line end -- no script: all are options
  return line, -first - 1
end

-- A function reaches the children by their running the same script, up to the same call.
local function repeat_command(where, run)
  local source = debug.getinfo(run, "S").source
  local line, options = own_line()
  local from_file = find(source, "^@") and line[options + 1] and line[options + 1] ~= "-"
  if not from_file and source ~= "=(command line)" then
    check.fail(where, "child processes cannot have a function that was typed or loaded at the prompt: put it in a file "
      .. "(run=\"file.lua\", which returns it), or run here, one after the other (jobs=0)")
  end
  local command = options_of(line, options)
  for i = options + 1, #line do command[#command + 1] = line[i] end
  return command
end

-- A file returns the function, or a table that has it as `run` or by the sweep's name.
function M.load(where, path, name)
  local chunk, message = loadfile(path)
  if not chunk then check.fail(where, "run = %q: %s", path, message) end
  local ok, value = pcall(chunk)
  if not ok then check.fail(where, "run = %q: %s", path, value) end
  if type(value) == "table" then value = value[name] or value.run end
  if type(value) ~= "function" then
    check.fail(where, "run = %q: the file must return a function (or a table with it as '%s' or 'run')", path, name)
  end
  return value
end

-- run: the function and the command of a child.
function M.command_of(where, t)
  local run = t.run
  if type(run) == "function" then
    return run, t.jobs ~= 0 and repeat_command(where, run) or nil
  elseif type(run) ~= "string" then
    check.fail(where, "run = %s: must be a function of (parameters, seed), or the name of a file that returns one",
      check.show(run))
  end
  local command = options_of({[0] = M.command[0]}, 0)
  command[#command + 1] = "-e"
  command[#command + 1] = format('require("rhm.sweep").serve(%q, %q)', run, t.name)
  return M.load(where, run, t.name), command
end

return M
