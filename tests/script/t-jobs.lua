-- t-jobs.lua - rhm.jobs, the queue of background jobs, the hooks of rhm.on.
local lu = require "luaunit"

TestJobs = {}

local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }
local program = os.getenv "RHM" or arg[-1]

local function network() return rhm.network{ grammar=g, M=128, seed=1 } end

-- 100 steps a second, `steps` of them a layer.
local function slow(steps)
  return {from=g, n=2000, solver="gd", steps=steps or 300, steps_per_second=100, background=true}
end

local function await(what, condition)
  local start = rhm.clock()
  while not condition() do
    if rhm.clock() - start > 20 then lu.fail("never: " .. what) end
  end
end

local function state_is(job, state) return function() return job.state == state end end

-- All of them, stopped and over, so that the next test finds an empty queue.
local function stop(...)
  for _, job in ipairs{...} do job:stop() end
  for _, job in ipairs{...} do job:wait() end
end

local function shell(command)
  local pipe = io.popen(command .. "; echo \"exit $?\"")
  local text = pipe:read "a"
  pipe:close()
  local output, code = text:match "^(.*)exit (%d+)\n$"
  return output, tonumber(code)
end

local function run(code)
  return shell(("%q -e %q 2>&1"):format(program, code))
end

-- --- the list -----------------------------------------------------------------------------------------------------

function TestJobs.test_numbers_and_names()
  local net, other = network(), rhm.network{ grammar=g, M=128 }
  local before = #rhm.jobs() > 0 and rhm.jobs()[#rhm.jobs()].id or 0
  net:train{ from=g, n=1000 }
  local job = other:train(slow(5))
  lu.assertEquals({net.job.id, job.id}, {before + 1, before + 2})
  lu.assertEquals({net.job.name, job.name}, {"train (8,4,2,3) exact", "train (8,4,2,3) gd"})
  local list = rhm.jobs()
  lu.assertTrue(rawequal(list[#list], job) and rawequal(list[#list - 1], net.job))
  for i = 2, #list do lu.assertTrue(list[i].id > list[i - 1].id) end
  lu.assertTrue(job:wait() ~= nil)
  lu.assertEquals(job.accuracy, job.result.accuracy)
  lu.assertEquals(job.seconds, job.result.seconds)
  lu.assertStrContains(tostring(job), ("job %d: train (8,4,2,3) gd: done, accuracy"):format(job.id))
  lu.assertStrContains(tostring(list), "train (8,4,2,3) gd")
  local d = g:sample{ n=500 }
  other:train{ from=d }
  lu.assertEquals(other.job.name, "train (8,-,2,3) exact")
end

function TestJobs.test_records_of_what_is_gone()
  local r, id, failed;
  (function() -- a frame of its own, which leaves no reference behind
    local net = network()
    r = net:train{ from=g, n=1000 }
    id = net.job.id
    local big = rhm.network{ grammar=g, M=128, codebook="exact" }
    local budget = rhm.memory
    rhm.memory = 1 << 20
    local job = big:train{ from=g, n=1000000, background=true }
    lu.assertErrorMsgContains("memory", job.wait, job)
    rhm.memory = budget
    failed = {job.id, job.error}
  end)()
  collectgarbage() collectgarbage()
  local found = {}
  for _, job in ipairs(rhm.jobs()) do found[job.id] = job end
  local record = found[id]
  lu.assertEquals(type(record), "table")
  lu.assertEquals({record.name, record.state, record.accuracy, record.seconds},
    {"train (8,4,2,3) exact", "done", r.accuracy, r.seconds})
  lu.assertStrMatches(tostring(record), "job %d+: train %(8,4,2,3%) exact: done, accuracy [%d.]+, [%d.]+ s")
  lu.assertEquals({found[failed[1]].state, found[failed[1]].error}, {"failed", failed[2]})
  lu.assertStrContains(tostring(found[failed[1]]), failed[2])
end

function TestJobs.test_fifty_records_stay()
  local output, code = run [[
    local g = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }
    assert(#rhm.jobs() == 0 and tostring(rhm.jobs()):find "no jobs")
    local net = rhm.network{ grammar=g, M=32 }
    for i = 1, 60 do net:train{ from=g, n=100 } end
    collectgarbage() collectgarbage()
    local jobs = rhm.jobs()
    assert(#jobs == 51 and jobs[51].id == 60 and jobs[51] == net.job and type(jobs[1]) == 'table', #jobs)
    for i = 1, 50 do assert(jobs[i].id == 9 + i) end]]
  lu.assertEquals({output, code}, {"", 0})
end

-- --- the queue ----------------------------------------------------------------------------------------------------

function TestJobs.test_background_jobs_take_turns()
  local a, b, c = network():train(slow()), network():train(slow()), network():train(slow(10))
  await("a begins", state_is(a, "running"))
  lu.assertEquals({b.state, c.state}, {"queued", "queued"})
  lu.assertEquals(b.progress.levels[3].n, 2000)
  lu.assertStrContains(tostring(b), "queued")
  local result, state = b:wait(.05)
  lu.assertNil(result)
  lu.assertEquals(state, "queued")
  lu.assertErrorMsgContains("waits in the queue", b.network.train, b.network, {from=g})
  lu.assertErrorMsgContains("in training", function() b.network:layer(3):begin{ from=g, n=100 } end)
  local free = network():train{ from=g, n=1000 } -- the foreground does not wait
  lu.assertEquals(free.levels[1].n, 1000)
  a:pause()
  await("a is paused", state_is(a, "paused"))
  await("b begins", state_is(b, "running"))
  a:resume()
  lu.assertEquals({a.state, c.state}, {"queued", "queued"})
  b:stop()
  await("a goes on", state_is(a, "running"))
  lu.assertEquals(c.state, "queued")
  a:stop()
  lu.assertEquals(c:wait().levels[3].steps, 10)
  stop(a, b)
end

function TestJobs.test_a_queued_job_stops_and_pauses()
  local a, b, c = network():train(slow()), network():train(slow()), network():train(slow())
  b:stop()
  local result, state = b:wait()
  lu.assertNil(result)
  lu.assertEquals({state, b.seconds < .1}, {"stopped", true})
  c:pause()
  await("c is paused", state_is(c, "paused"))
  a:stop()
  c:resume()
  await("c runs", state_is(c, "running"))
  stop(a, c)
end

function TestJobs.test_leaving_with_a_full_queue()
  local start = rhm.clock()
  for _, leave in ipairs{"", "os.exit(0, true)", "os.exit(0)",
      "nets = nil jobs = nil collectgarbage() collectgarbage()"} do
    local output, code = run([[
      g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } nets = {}
      for i = 1, 6 do
        nets[i] = rhm.network{ grammar=g, M=128 }
        nets[i]:train{ from=g, solver='gd', steps=100000, steps_per_second=.1, background=true }
      end
      nets[1].job:pause() nets[4].job:pause() nets[4].job:wait() ]] .. leave)
    lu.assertEquals({output, code}, {"", 0})
  end
  lu.assertTrue(rhm.clock() - start < 10)
end

function TestJobs.test_the_rate()
  local job = network():train(slow(100))
  await("half of layer 3", function() return job.progress.levels[3].step > 50 end)
  local p = job.progress
  local v = p.levels[3]
  lu.assertEquals(v.phase, "solving")
  lu.assertTrue(v.rate > 1 and v.rate < 110, v.rate) -- the limit; a busy machine is slower
  lu.assertAlmostEquals(v.left, (v.steps - v.step) / v.rate, 1e-9)
  lu.assertNil(p.levels[2].rate)
  lu.assertStrContains(tostring(p), "/s")
  lu.assertStrContains(tostring(job), "steps/s")
  await("layer 2", function() return job.progress.level == 2 end)
  lu.assertNil(job.progress.levels[3].rate)
  stop(job)
end

-- --- hooks --------------------------------------------------------------------------------------------------------

function TestJobs.test_progress_hooks()
  local net, calls, times = network(), {}, {}
  local old = network()
  old:train{ from=g, n=500 } -- no news, when the hook comes
  local off = rhm.on("progress", function(job, p)
    calls[#calls + 1], times[#times + 1] = {job, p}, rhm.clock()
  end)
  local start = rhm.clock()
  local r = net:train{ from=g, n=2000, solver="gd", steps=30, steps_per_second=60 }
  local seconds = rhm.clock() - start
  local last = calls[#calls]
  lu.assertTrue(rawequal(last[1], net.job))
  lu.assertEquals({last[2].state, last[2].accuracy}, {"done", r.accuracy})
  lu.assertTrue(#calls >= 3 and #calls <= seconds * 10 + 3, #calls)
  for i = 2, #calls - 1 do lu.assertTrue(times[i] - times[i - 1] >= .09) end
  local count = #calls
  local other = network():train(slow(20)) -- hooks see jobs in the background as well
  other:wait()
  lu.assertTrue(#calls > count)
  lu.assertTrue(rawequal(calls[#calls][1], other))
  lu.assertEquals(calls[#calls][2].state, "done")
  count = #calls
  lu.assertTrue(off())
  lu.assertFalse(off())
  net:train{ from=g, n=1000 }
  lu.assertEquals(#calls, count)
end

function TestJobs.test_short_jobs_have_their_last_call()
  local states = {}
  local off = rhm.on("progress", function(_, p) states[#states + 1] = p.state end)
  local net = network()
  for _ = 1, 5 do net:train{ from=g, n=500 } end
  off()
  local ends = 0
  for _, state in ipairs(states) do ends = ends + (state == "done" and 1 or 0) end
  lu.assertEquals(ends, 5)
end

function TestJobs.test_step_hooks()
  local seen, lay = {}, network():layer(3)
  local off = rhm.on("step", function(layer, loss) seen[#seen + 1] = {layer.level, loss} end)
  lay:begin{ from=g, n=1000 }
  local one, ten = lay:step(), lay:step(10)
  off()
  lay:step()
  lu.assertEquals(seen, {{3, one}, {3, ten}})
end

function TestJobs.test_a_hook_that_fails()
  local make = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g, M=64 } "
  local output, code = run(make .. [[
    good = 0
    rhm.on('progress', function() local x = nil; return x.y end)
    rhm.on('progress', function() good = good + 1 end)
    rhm.on('step', function() error(setmetatable({}, {__tostring = function() error 'twice' end})) end)
    rhm.on('step', function() coroutine.yield() end)
    net:train{ from=g, solver='gd', steps=20, steps_per_second=100 }
    lay = rhm.network{ grammar=g, M=64 }:layer(3)
    lay:begin{ from=g, n=100 } lay:step() lay:step()
    print(good > 3)]])
  lu.assertEquals(code, 0)
  local lines = {}
  for line in output:gmatch "[^\n]+" do lines[#lines + 1] = line end
  lu.assertEquals(#lines, 3, output)
  lu.assertStrContains(lines[1], "rhm: error in a hook on 'progress', which is removed: ")
  lu.assertStrContains(lines[1], "'x'")
  lu.assertStrContains(lines[2], "outside a coroutine")
  lu.assertEquals(lines[3], "true")
end

-- A hook may train; hooks are called neither meanwhile nor for what it trained.
function TestJobs.test_hooks_do_not_call_themselves()
  local calls, inner, depth = 0, network(), 0
  local off = rhm.on("progress", function()
    calls, depth = calls + 1, depth + 1
    lu.assertEquals(depth, 1)
    inner:train{ from=g, n=500 }
    inner:layer(3):begin{ from=g, n=100 }
    inner:layer(3):step()
    depth = depth - 1
  end)
  local steps = 0
  local off_steps = rhm.on("step", function() steps = steps + 1 end)
  local net = network()
  net:train{ from=g, n=500 }
  lu.assertTrue(off()) -- it is still there: none of its asserts failed
  lu.assertTrue(calls >= 1 and calls <= 3, calls)
  lu.assertEquals(steps, 0)
  off_steps()
end

function TestJobs.test_hooks_that_come_and_go()
  local order, offs = {}, {}
  offs[1] = rhm.on("step", function()
    order[#order + 1] = "a"
    offs[1]()
    offs[3] = rhm.on("step", function() order[#order + 1] = "c" end)
  end)
  offs[2] = rhm.on("step", function() order[#order + 1] = "b" end)
  local lay = network():layer(3)
  lay:begin{ from=g, n=1000 }
  lay:step()
  lay:step()
  lu.assertEquals(order, {"a", "b", "b", "c"})
  offs[2]() offs[3]()
end

function TestJobs.test_wrong_hooks()
  lu.assertErrorMsgContains("event 'block': must be 'progress' or 'step'", rhm.on, "block", print)
  lu.assertErrorMsgContains("event 3: must be", rhm.on, 3, print)
  lu.assertErrorMsgContains("rhm.on('step', nil): a function expected", rhm.on, "step")
  lu.assertErrorMsgContains("a function expected", rhm.on, "progress", {})
end

function TestJobs.test_an_endless_hook_ends_with_an_interrupt()
  if not os.execute "command -v timeout >/dev/null" then lu.skip "no timeout(1)" end
  local code = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g, M=64 } "
    .. "rhm.on('progress', function() while true do end end) "
    .. "net:train{ from=g, solver='gd', steps=100000, steps_per_second=100 }"
  local start = rhm.clock()
  local output, status = shell(("timeout --foreground --preserve-status -s INT 1 %q -e %q 2>&1"):format(program, code))
  lu.assertEquals(status, 130, output)
  lu.assertStrContains(output, "error in a hook on 'progress', which is removed: interrupted")
  lu.assertTrue(rhm.clock() - start < 4)
end

os.exit(lu.LuaUnit.run())
