-- experiment.lua - what the scripts of the experiments share: options, the folder of the results, sweeps that go on
-- where they were, plots, and a last line that says what was written. help "experiments" is its page.
local M = {}

local rhm = require "rhm"
local argparse = require "argparse"
local check = require "rhm.check"
local child = require "rhm.child"
local grid = require "rhm.grid"
local printer = require "rhm.print"
local sweeps = require "rhm.sweep.report"
local ipairs, next, tonumber, setmetatable = ipairs, next, tonumber, setmetatable
local format, gsub, match = string.format, string.gsub, string.match
local concat, sort, tointeger = table.concat, table.sort, math.tointeger

-- --- numbers ------------------------------------------------------------------------------------------------------

-- The value at the share p of a list, between its neighbours; nil of an empty one.
function M.quantile(list, p)
  if #list == 0 then return nil end
  local sorted = table.move(list, 1, #list, 1, {})
  sort(sorted)
  return sweeps.quantile(sorted, p)
end

function M.median(list)
  return M.quantile(list, 0.5)
end

function M.mean(list)
  local sum = 0
  for _, value in ipairs(list) do sum = sum + value end
  return #list > 0 and sum / #list or nil
end

-- The numbers of a measure in those rows whose parameters are as in `which`.
function M.values(rows, measure, which)
  local list = {}
  for _, row in ipairs(rows) do
    local fits, value = row.status == "done", row[measure]
    for name, wanted in next, which or {} do fits = fits and row.parameters[name] == wanted end
    if fits and type(value) == "number" then list[#list + 1] = value end
  end
  return list
end

-- From one whole number to another by equal ratios, `count` of them, rounded to two digits: 100, 150, 220, 320, ...
function M.geometric(from, to, count)
  local list = {}
  for i = 0, count - 1 do
    local x = from * (to / from) ^ (i / (count - 1))
    local unit = 10 ^ math.max(0, math.floor(math.log(x, 10) + 1e-9) - 1)
    list[i + 1] = tointeger(math.floor(x / unit + 0.5) * unit)
  end
  return list
end

-- The first `count` grammars of a shape, by seed from `seed` on, of which Assumption 4.1 holds.
function M.grammars(shape, seed, count)
  local list, tried = {}, 0
  while #list < count do
    local g = rhm.grammar{ V=shape.V, m=shape.m, s=shape.s, L=shape.L, seed=seed + tried }
    tried = tried + 1
    if g:check().ok then list[#list + 1] = g end
    if tried >= 100000 and #list < count then
      check.fail("experiment.grammars", "(V,m,s,L) = (%d,%d,%d,%d): %d of %d grammars satisfy Assumption 4.1, %d "
        .. "wanted: raise m or lower V", shape.V, shape.m, shape.s, shape.L, #list, tried, count)
    end
  end
  return list, tried
end

local function plural(n, word)
  return format("%d %s%s", n, word, n == 1 and "" or "s")
end

-- --- options ------------------------------------------------------------------------------------------------------

-- For argparse: a whole number from `low` on.
function M.whole(option, low)
  return function(text)
    local n = tointeger(tonumber(text))
    if n and n >= low then return n end
    return nil, format("%s %s: must be a whole number, %d or more", option, text, low)
  end
end

local function shard(text)
  local i, n = match(text, "^(%d+)/(%d+)$")
  i, n = tointeger(tonumber(i)), tointeger(tonumber(n))
  if i and n and i >= 1 and i <= n then return text end
  return nil, format("--shard %s: must be i/n with 1 <= i <= n, as 2/4", text)
end

local function parser_of(t)
  local width = math.min(printer.width(), 79)
  local parser = argparse("rhm " .. t.name, printer.wrap(t.summary, width),
    printer.wrap("What the theory says: " .. t.theory, width))
  parser:help_max_width(width)
  parser:usage_max_width(width)
  parser:flag("--quick", "A smaller version: under 20 s on 2 processors.")
  parser:option("--seeds", format("%s (default: %d, with --quick %d)", t.seeds.text, t.seeds.full, t.seeds.quick))
    :argname "<n>":convert(M.whole("--seeds", 1))
  parser:option("--out", "The folder of the results.", t.name):argname "<dir>"
  parser:option("--jobs", "Child processes; 0: here, one run after the other (default: one a processor)."):argname "<n>"
    :convert(M.whole("--jobs", 0))
  parser:option("--shard", "Run only the i-th of n parts, into a file of its own in the folder; without it the parts"
    .. " that are there are taken over."):argname "<i/n>":convert(shard)
  parser:option("--format", "Of the plot in the folder.", "svg"):choices{"svg", "pdf", "png"}:argname "<format>"
  if t.options then t.options(parser) end
  function parser:error(message)
    io.stderr:write("rhm ", t.name, ": ", message, " (see rhm ", t.name, " --help)\n")
    os.exit(2)
  end
  return parser
end

-- --- the folder ---------------------------------------------------------------------------------------------------

local function quoted(text)
  return "'" .. gsub(text, "'", "'\\''") .. "'"
end

local function output_of(command)
  local pipe = io.popen(command .. " 2>&1")
  local text = pipe:read "a"
  return pipe:close(), text
end

local function make_folder(self)
  local ok, said = output_of("mkdir -p -- " .. quoted(self.folder))
  if ok then return end
  io.stderr:write(format("rhm %s: --out %s: cannot make the folder: %s\n", self.name, self.folder,
    match(said, ": ([^:\n]*)\n*$") or said))
  os.exit(1)
end

-- Results of parts (--shard) that came into the folder.
local function take_parts(self)
  local _, names = output_of(format("cd -- %s && ls -d results.*-of-*.db", quoted(self.folder)))
  for name in names:gmatch "[^\n]+" do
    if match(name, "^results%.%d+%-of%-%d+%.db$") then
      local store <close> = rhm.results{ path=self.path, create=true }
      local count = store:merge(self.folder .. "/" .. name)
      local new = count.added + count.replaced
      if new > 0 then io.stderr:write(format("rhm %s: %d new runs from %s\n", self.name, new, name)) end
    end
  end
end

-- --- an experiment ------------------------------------------------------------------------------------------------

local Experiment = {}
Experiment.__index = Experiment

-- Reads the options: experiment.new{ name=, summary=, theory=, seeds={full=, quick=, text=} [, options=f(parser)] }
function M.new(t)
  check.keys("experiment.new", t, {"name", "summary", "theory", "seeds", "options"})
  local args = parser_of(t):parse(arg)
  local self = setmetatable({
    name = t.name, args = args, quick = args.quick == true, folder = gsub(args.out, "(.)/+$", "%1"),
    seeds = args.seeds or (args.quick and t.seeds.quick or t.seeds.full), shard = args.shard,
    written = {}, sweeps = {}, start = rhm.clock(), stem = t.name .. (args.quick and "_quick" or ""),
  }, Experiment)
  self.path, self.grammars = self.folder .. "/results.db", plural(self.seeds, "grammar") -- as most scripts say it
  if not child.task() then
    make_folder(self)
    if not self.shard then take_parts(self) end
  end
  return self
end

local function prepare(self, t)
  local new = {}
  for key, value in next, t do new[key] = value end
  new.name = self.stem .. (t.name and "_" .. t.name or "")
  new.seeds = t.seeds or self.seeds
  new.jobs, new.shard, new.out = self.args.jobs, self.shard, self.path
  return new
end

local function note(self, r)
  self.sweeps[#self.sweeps + 1] = r
  return r
end

-- rhm.sweep and rhm.search with the options' seeds, processes and file. `name` is only needed where there are several.
function Experiment:sweep(t)
  return note(self, rhm.sweep(prepare(self, t)))
end

function Experiment:search(t)
  return note(self, rhm.search(prepare(self, t)))
end

-- Rows of texts and numbers in columns below their heads; `format` is of the numbers that are not whole.
function Experiment:table(head, rows, number)
  local all = {head}
  for i, row in ipairs(rows) do
    all[i + 1] = {}
    for j = 1, #head do
      local value = row[j]
      if math.type(value) == "float" then value = format(number or "%.4g", value) end
      all[i + 1][j] = value == nil and "-" or tostring(value)
    end
  end
  print((grid(all)))
end

-- A sentence or more, broken at the terminal's width.
function Experiment:say(text, ...)
  print(printer.wrap(format(text, ...), math.min(printer.width(), 79)))
end

local function have_gnuplot()
  return (os.execute "command -v gnuplot >/dev/null 2>&1")
end

-- rhm.plot in the terminal and into the folder, as NAME.svg or NAME_suffix.svg.
function Experiment:plot(t, suffix)
  if self.gnuplot == nil then
    self.gnuplot = have_gnuplot() == true
    if not self.gnuplot then
      io.stderr:write(format("rhm %s: there is no gnuplot to draw with (Debian: gnuplot-nox); the CSV has the "
        .. "numbers\n",
        self.name))
    end
  end
  if self.gnuplot or t.matrix then
    print ""
    rhm.plot(t)
  end
  if not self.gnuplot then return end
  local copy = {out = format("%s/%s%s.%s", self.folder, self.stem, suffix and "_" .. suffix or "", self.args.format)}
  for key, value in next, t do copy[key] = value end
  rhm.plot(copy)
  self.written[#self.written + 1] = match(copy.out, "[^/]*$")
end

-- The end: what `show` says of the whole (of a part, --shard, nothing is shown), the CSV, and what was written. Exit
-- code 1 where runs failed, unless `failures` says what they mean.
function Experiment:finish(show, failures)
  local path, runs, new, failed, first = self.path, 0, 0, 0, nil
  for _, r in ipairs(self.sweeps) do
    path, runs, new, failed = r.path, runs + r.ran + r.found, new + r.ran, failed + r.failed
    first = first or r.error
  end
  if not self.shard then
    if runs > failed then show() end
    local store <close> = rhm.results{ path=path, readonly=true }
    for _, r in ipairs(self.sweeps) do
      store:export(format("%s/%s.csv", self.folder, r.name), r.name)
      table.insert(self.written, 1, r.name .. ".csv")
    end
  end
  table.insert(self.written, 1, format("%s (%s, %d new)", match(path, "[^/]*$"), plural(runs, "run"), new))
  print ""
  if failed > 0 and failures then self:say("%d of %s failed: %s", failed, plural(runs, "run"), failures) end
  print(format("written to %s: %s; %s", self.folder, concat(self.written, ", "),
    printer.duration(rhm.clock() - self.start)))
  if failed == 0 or failures then return end
  io.stderr:write(format("rhm %s: %s failed; the first: %s\n", self.name, plural(failed, "run"), first or "?"))
  os.exit(1)
end

return M
