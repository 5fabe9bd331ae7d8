-- t-sweep.lua - rhm.sweep and rhm.search, in this process and in children. tests/terminal/test_sweep.py kills them.
local lu = require "luaunit"
local search = require "rhm.sweep.search"

local program = os.getenv "RHM" or arg[-1]

local function write(name, text)
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
end

-- Output of a script with stderr, and its exit code.
local function script(text, words)
  write("script.lua", text)
  local pipe = io.popen(("%q script.lua %s 2>&1; echo \"exit $?\""):format(program, words or ""))
  local all = pipe:read "a"
  pipe:close()
  local output, code = all:match "^(.*)exit (%d+)\n$"
  return output, tonumber(code)
end

local function fresh(path) for _, ending in ipairs{ "", "-wal", "-shm" } do os.remove(path .. ending) end end

local function product(p, seed) return { product=p.a * p.b, seed2=2 * seed } end

TestSweep = {}

function TestSweep:setUp() for _, name in ipairs{ "t.db", "s.db", "t.1-of-2.db", "t.2-of-2.db" } do fresh(name) end end

function TestSweep:test_here()
  local t = { name="t", jobs=0, run=product, parameters={ a=3 }, grid={ b={ 1, 2 } }, seeds=2 }
  local r = rhm.sweep(t)
  lu.assertEquals(#r, 4)
  lu.assertEquals({ r.ran, r.found, r.failed, r.path, r.name }, { 4, 0, 0, "t.db", "t" })
  local seen = {}
  for i, row in ipairs(r.rows) do seen[i] = { row.b, row.seed, row.product, row.seed2, row.status } end
  lu.assertEquals(seen, { { 1, 1, 3, 2, "done" }, { 1, 2, 3, 4, "done" }, { 2, 1, 6, 2, "done" },
    { 2, 2, 6, 4, "done" } })
  t.grid.b[3], t.seeds = 7, { 2, 5 } -- only what is new is run
  r = rhm.sweep(t)
  lu.assertEquals({ r.ran, r.found, #r }, { 4, 2, 6 })
  lu.assertEquals(r.rows[6].product, 21)
  local results = rhm.results "t.db"
  lu.assertEquals(#results, 8)
  lu.assertEquals(results:find("t", { a=3, b=7 }, 5).measures, { product=21, seed2=10 })
  results:close()
end

-- The budget of the parent is for all children together; a run that sets its own has it for itself alone.
function TestSweep:test_memory_is_shared()
  local output = script[[
    rhm.memory = 6000003
    local r = rhm.sweep{ name="memory", jobs=2, seeds=3, run=function(p, seed)
      local given = rhm.memory
      rhm.memory = 1000 * seed
      return { given=given }
    end }
    print(r.rows[1].given, r.rows[2].given, r.rows[3].given, rhm.memory)]]
  lu.assertEquals(output:match "[^\n]*\n$", "3000001\t3000001\t3000001\t6000003\n")
end

function TestSweep:test_failing_runs()
  local calls = 0
  local t = { name="t", jobs=0, seeds=5, run=function(p, seed)
    calls = calls + 1
    if seed == 2 then error "no luck" end
    if seed == 3 then return 7 end
    if seed == 4 then return { f=print } end
    return { x=seed }
  end }
  local r = rhm.sweep(t)
  lu.assertEquals({ r.ran, r.failed, calls }, { 5, 3, 5 })
  lu.assertStrContains(r.rows[2].error, "t-sweep.lua:%d+: no luck", true)
  lu.assertStrContains(r.rows[3].error, "run returned a number: a table of measures expected")
  lu.assertStrContains(r.rows[4].error, "measures.f: a function")
  lu.assertEquals({ r.rows[5].status, r.rows[5].x }, { "done", 5 })
  -- where the path is long the rest is on the next line
  lu.assertStrContains(tostring(r), "3 of 5 runs failed; the first:")
  r = rhm.sweep(t)
  lu.assertEquals({ r.ran, r.failed, calls }, { 0, 3, 5 })
  t.retry = true
  r = rhm.sweep(t)
  lu.assertEquals({ r.ran, r.failed, calls }, { 3, 3, 8 })
end

function TestSweep:test_printed()
  local r = rhm.sweep{ name="t", jobs=0, run=product, parameters={ a=3 }, grid={ b={ 1, 2 } }, seeds=3 }
  local text = tostring(r):gsub("%d[%d.e-]* [mu]?s", "TIME")
  lu.assertEquals(text:gsub(" +", " "),
    "t: 6 runs, medians, a = 3\nb runs product seed2 time\n1 3 3 4 TIME\n2 3 6 4 TIME")
end

function TestSweep:test_series()
  local r = rhm.sweep{ name="t", jobs=0, run=product, grid={ a={ 20, 3 }, b={ 2, 1 } }, seeds=5 }
  lu.assertEquals(r:series{ x="b", y="seed2", by="a" }, {
    { label="a = 3", x={ 1, 2 }, y={ 6, 6 }, low={ 4, 4 }, high={ 8, 8 } },
    { label="a = 20", x={ 1, 2 }, y={ 6, 6 }, low={ 4, 4 }, high={ 8, 8 } } })
  lu.assertEquals(r:series{ x="b", y="product" }, { { x={ 1, 2 }, y={ 11.5, 23 }, low={ 3, 6 }, high={ 20, 40 } } })
  lu.assertErrorMsgContains("'y' is missing", r.series, r, { x="b" })
  lu.assertErrorMsgContains("x = \"c\": no number", r.series, r, { x="c", y="product" })
end

function TestSweep:test_arguments()
  local function refused(words, t)
    t.name, t.run, t.jobs = t.name or "t", t.run or product, t.jobs or 0
    lu.assertErrorMsgContains(words, rhm.sweep, t)
  end
  refused("name = \"a b\"", { name="a b" })
  refused("name = \"rhm_x\"", { name="rhm_x" })
  refused("run = 3: must be a function", { run=3 })
  refused("run = \"none.lua\": cannot open", { run="none.lua" })
  refused("seeds = 0: must be between 1", { seeds=0 })
  refused("seeds = 1.5: must be a whole number", { seeds=1.5 })
  refused("seeds[2] = \"x\"", { seeds={ 1, "x" } })
  refused("seeds: 4 is there twice", { seeds={ 4, 4 } })
  refused("grid.b = 3: must be a list", { grid={ b=3 } })
  refused("grid.b = {}: must be a list", { grid={ b={ } } })
  refused("{\"a\":1} is there twice", { parameters={ { a=1 }, { a=1.0 } } })
  refused("'a' is both in parameters and in grid", { parameters={ a=1 }, grid={ a={ 1 } } })
  refused("parameters.a: a function", { parameters={ a=print } })
  refused("shard = \"3/2\"", { shard="3/2" })
  refused("jobs = -1", { jobs=-1 })
  lu.assertErrorMsgContains("run = nil: must be a function", rhm.sweep, { name="t" })
  lu.assertErrorMsgContains("did you mean 'seeds'?", rhm.sweep, { name="t", seedz=1 })
  lu.assertErrorMsgContains("one table of arguments expected, got nil", rhm.sweep)
end

function TestSweep:test_foreign_file_stays()
  write("t.db", "my precious notes, not a database at all\n")
  lu.assertErrorMsgContains("t.db: not an SQLite database", rhm.sweep, { name="t", jobs=0, run=product })
  lu.assertEquals(io.open("t.db"):read "a", "my precious notes, not a database at all\n")
end

function TestSweep:test_shards_merge_to_the_whole()
  local t = { name="t", jobs=0, run=product, grid={ a={ 1, 2, 3 }, b={ 4, 5, 6 } }, seeds=3, out="s.db" }
  rhm.sweep(t)
  t.out = "t.db"
  local counts = {}
  for i = 1, 2 do
    t.shard = i .. "/2"
    local r = rhm.sweep(t)
    counts[i] = r.ran
    lu.assertEquals(r.path, "t." .. i .. "-of-2.db")
  end
  lu.assertEquals(counts, { 14, 13 })
  local all = rhm.results{ path="t.db", create=true }
  lu.assertEquals(all:merge("t.1-of-2.db").added, 14)
  lu.assertEquals(all:merge("t.2-of-2.db").added, 13)
  local function content(results)
    local rows = {}
    for _, run in ipairs(results:runs()) do
      local p, m = run.parameters, run.measures
      rows[#rows + 1] = ("%d %d %d %s %g %g"):format(p.a, p.b, run.seed, run.status, m.product, m.seed2)
    end
    table.sort(rows)
    return rows
  end
  local whole = rhm.results "s.db"
  lu.assertEquals(content(all), content(whole))
  all:close()
  whole:close()
end

TestChildren = {}

function TestChildren:setUp() fresh "c.db" fresh "d.db" end

-- The script's own text comes once, runs' output to stderr, progress not at all where there is no terminal.
function TestChildren:test_function_of_a_script()
  local output, code = script [[
    print("heading", ...)
    local offset = tonumber((...))
    arg = { }
    local r = rhm.sweep{ name="c", jobs=3, seeds=6, grid={ a={ 1, 2 } }, run=function(p, seed)
      if seed == 4 then print("seed 4 of", p.a) end
      return { x=offset + p.a * seed, threads=rhm.threads, r=math.random(1 << 30) }
    end }
    local sum = 0
    for _, row in ipairs(r.rows) do sum = sum + row.x end
    print(sum, r.ran, r.failed, r.rows[1].threads, r.rows[1].r == r.rows[7].r, r.rows[1].r == r.rows[2].r)]]
  lu.assertEquals(code, 1) -- no argument: offset is nil
  lu.assertStrContains(output, "heading\n")
  fresh "c.db"
  output, code = script(io.open("script.lua"):read "a", "100 two")
  lu.assertEquals(code, 0, output)
  lu.assertEquals(select(2, output:gsub("heading\t100\ttwo\n", "")), 1)
  lu.assertEquals(select(2, output:gsub("seed 4 of\t[12]\n", "")), 2)
  lu.assertStrContains(output, "1263\t12\t0\t1\ttrue\tfalse\n")
  lu.assertNotStrContains(output, "runs/s")
end

function TestChildren:test_function_of_a_file()
  write("runs.lua", "return { c=function(p, seed) return { x=10 * seed } end, d=3 }")
  local function sweep(name) return rhm.sweep{ name=name, run="runs.lua", seeds=3, jobs=2 } end
  local r = sweep "c"
  lu.assertEquals({ r.rows[1].x, r.rows[2].x, r.rows[3].x, r.ran }, { 10, 20, 30, 3 })
  lu.assertErrorMsgContains("must return a function", sweep, "d")
  write("runs.lua", "return function(p, seed) return { x=seed } end")
  lu.assertEquals(sweep("d").rows[3].x, 3)
end

function TestChildren:test_two_sweeps_in_a_script()
  local output, code = script [[
    local a = rhm.sweep{ name="c", jobs=2, seeds=3, run=function(p, seed) return { x=seed } end }
    local function run(p, seed) return { y=a.rows[2].x + seed } end
    local b = rhm.sweep{ name="d", jobs=2, seeds={ a.rows[3].x }, run=run }
    print(b.rows[1].y, b.rows[1].seed)]]
  lu.assertEquals({ output, code }, { "5\t3\n", 0 })
  output, code = script [[
    local n = io.open("marker") and 4 or 3
    io.open("marker", "w"):close()
    rhm.sweep{ name="c", jobs=2, seeds=n, run=function() return { } end }
    rhm.sweep{ name="d", jobs=2, seeds=9, run=function() return { } end }]]
  os.remove "marker"
  lu.assertEquals(code, 1)
  lu.assertStrContains(output, "misses a run in c.db")
end

function TestChildren:test_no_sweep_in_a_run()
  local output = script [[
    local function inner() return rhm.sweep{ name="d", run=function() return { } end } end
    print(rhm.sweep{ name="c", jobs=1, run=inner }.rows[1].error)]]
  lu.assertStrContains(output, "a run of a sweep cannot start a sweep of its own")
end

function TestChildren:test_ends_of_children()
  local output, code = script [[
    local r = rhm.sweep{ name="c", jobs=2, seeds=5, timeout=1.5, run=function(p, seed)
      if seed == 1 then os.exit(3) end
      if seed == 2 then io.stderr:write "last words\n" os.execute("kill -KILL $PPID") end
      if seed == 3 then while true do end end
      return { x=seed }
    end }
    for i, row in ipairs(r.rows) do print(row.status, row.error or row.x) end]]
  lu.assertEquals(code, 0, output)
  lu.assertStrContains(output, "failed\tthe process ended: exit code 3\n")
  lu.assertStrContains(output, "failed\tthe process ended: signal 9 %(Killed%): last words\n", true)
  lu.assertStrContains(output, "failed\tstopped after 1.5 s (timeout)\n")
  lu.assertStrContains(output, "done\t4\ndone\t5\n")
end

function TestChildren:test_a_child_that_never_comes()
  local output, code = script([[
    local file = io.open("marker")
    if file then error "not again" end
    io.open("marker", "w"):close()
    rhm.sweep{ name="c", jobs=2, run=function() return { } end }]])
  os.remove "marker"
  lu.assertEquals(code, 1)
  lu.assertStrContains(output, "a child process ended before it came to this sweep")
  lu.assertStrContains(output, "not again")
end

function TestChildren:test_code_and_prompt()
  local code = "print(rhm.sweep{ name=\"c\", jobs=1, seeds=2, run=function(p, s) return { x=s } end }.rows[2].x)"
  local pipe = io.popen(("%q -e '%s'"):format(program, code))
  lu.assertEquals(pipe:read "a", "2\n")
  pipe:close()
  pipe = io.popen(("echo 'rhm.sweep{ name=\"c\", run=print }' | %q 2>&1"):format(program))
  lu.assertStrContains(pipe:read "a", "rhm.sweep: child processes cannot have a function that was typed")
  pipe:close()
end

TestSearch = {}

function TestSearch:setUp() fresh "n.db" end

-- For every threshold: the N found is enough, `below` is not, their ratio is within the precision.
function TestSearch:test_bisection()
  for _, threshold in ipairs{ 1, 2, 3, 7, 99, 100, 101, 1234, 99999, 100000 } do
    for _, from in ipairs{ 1, 100, 5000 } do
      local tried, count = {}, 0
      local N, below = search.bisect(function(N)
        lu.assertEquals(math.type(N), "integer")
        lu.assertNil(tried[N], "tried twice")
        tried[N], count = true, count + 1
        return N >= threshold
      end, from, 100000, 1.05)
      lu.assertTrue(N >= threshold and below < threshold and below < N)
      lu.assertTrue(N - below == 1 or N / below <= 1.05)
      lu.assertTrue(count < 30, count)
    end
  end
  local N, below = search.bisect(function() return false end, 100, 1000, 1.1)
  lu.assertNil(N)
  lu.assertEquals(below, 1000)
end

function TestSearch:test_median()
  lu.assertNil(search.median{ })
  lu.assertEquals(search.median{ 3 }, 3)
  lu.assertEquals(search.median{ 1, 2, 10 }, 2)
  lu.assertEquals(search.median{ 1, 2, 4, 10 }, 3)
  lu.assertEquals(search.median{ -math.huge, -math.huge }, -math.huge)
end

-- Seed k reaches the goal from 100 k on: the median of 1..5 from 300. A replicate's median is any of the five.
local function steps(p, seed)
  if p.fail and seed > 2 then error "always" end
  return { accuracy=p.N >= (p.factor or 1) * 100 * seed and 1 or 0 }
end

function TestSearch:test_search()
  local t = { name="n", jobs=0, run=steps, seeds=5, from=1000, to=4000, precision=1.02, grid={ factor={ 1, 2, 100 } } }
  local r = rhm.search(t)
  lu.assertEquals(#r, 3)
  local one, two, far = r.cells[1], r.cells[2], r.cells[3]
  lu.assertTrue(one.N >= 300 and one.N < 307 and one.below < 300, one.N)
  lu.assertTrue(two.N >= 600 and two.N < 613 and two.below < 600, two.N)
  lu.assertTrue(one.low < one.N and one.high > one.N and one.high <= 500, one.high)
  lu.assertNil(far.N)
  lu.assertEquals({ far.below, far.low, far.high }, { 4000, math.huge, math.huge })
  for _, trial in ipairs(one.trials) do lu.assertEquals(trial.median >= 0.9, trial.N >= 300) end
  local text = tostring(r)
  lu.assertStrContains(text, "n: smallest N with median accuracy >= 0.9 over 5 seeds")
  lu.assertStrContains(text, "> 4000")
  lu.assertEquals(r:series{ x="factor" }[1].y, { one.N, two.N })
  local again = rhm.search(t)
  lu.assertEquals({ again.ran, again.found }, { 0, r.ran })
  lu.assertEquals({ again.cells[1].low, again.cells[1].high, again.cells[1].N }, { one.low, one.high, one.N })
end

-- Three of five seeds fail: the median is of no run.
function TestSearch:test_failed_runs_do_not_reach()
  local r = rhm.search{ name="n", jobs=0, run=steps, seeds=5, from=1000, to=2000, parameters={ fail=true } }
  lu.assertNil(r.cells[1].N)
  lu.assertEquals(r.cells[1].failed, 6)
  lu.assertStrContains(tostring(r), "6 runs failed; the first:")
end

-- Seed k reaches the goal from N = k on: a replicate's N* is the median of its seeds.
function TestSearch:test_interval()
  local trials = {}
  for k = 1, 5 do
    local values = {}
    for seed = 1, 5 do values[seed] = k >= seed and 1 or 0 end
    trials[k] = { N=k, values=values }
  end
  local low, high = search.interval(trials, 5, 0.9) -- P[median = 1] = P[Bin(5, .2) >= 3] = .058 = P[median = 5]
  lu.assertEquals({ low, high }, { 1, 5 })
  local one = { { N=1, values={ 0, 0, 0 } }, { N=2, values={ 1, 1, 1 } } }
  lu.assertEquals({ search.interval(one, 3, 0.9) }, { 2, 2 })
end

function TestSearch:test_arguments()
  local function refused(words, t)
    t.name, t.run, t.jobs = "n", steps, 0
    lu.assertErrorMsgContains(words, rhm.search, t)
  end
  refused("from = 10 is above to = 5", { from=10, to=5 })
  refused("'N' is what is searched for", { parameters={ N=3 } })
  refused("precision = 1", { precision=1 })
  refused("run gave no number 'loss': got nil", { measure="loss" })
end

os.exit(lu.LuaUnit.run())
