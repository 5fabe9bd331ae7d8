-- t-job.lua - rhm.job: trainings on a worker thread; pausing, stopping, interrupts, the collector.
local lu = require "luaunit"

TestJob = {}

local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }
local program = os.getenv "RHM" or arg[-1]

local function network() return rhm.network{ grammar=g, M=256, seed=1 } end

-- Long enough to be caught at work: 100 steps a second, 300 of them a layer.
local function slow(more)
  local t = {from=g, n=5000, solver="gd", steps=300, steps_per_second=100, background=true}
  for k, v in pairs(more or {}) do t[k] = v end
  return t
end

-- Waits until a condition holds; fails after 20 s.
local function await(what, condition)
  local start = rhm.clock()
  while not condition() do
    if rhm.clock() - start > 20 then lu.fail("never: " .. what) end
  end
end

local function flat(m)
  local list = {}
  for i = 1, m:rows() do for j = 1, m:cols() do list[#list + 1] = m[i][j] end end
  return list
end

-- The standard output, then the exit code, of a shell command.
local function shell(command)
  local pipe = io.popen(command .. "; echo \"exit $?\"")
  local text = pipe:read "a"
  pipe:close()
  local output, code = text:match "^(.*)exit (%d+)\n$"
  return output, tonumber(code)
end

function TestJob.test_background_equals_foreground()
  local a, b = network(), network()
  local r = a:train{ from=g, n=5000 }
  local job = b:train{ from=g, n=5000, background=true }
  local result, state = job:wait()
  lu.assertNil(state)
  lu.assertEquals(job.state, "done")
  lu.assertEquals(result.accuracy, r.accuracy)
  lu.assertTrue(rawequal(result, job.result))
  lu.assertTrue(job.network == b and b.job == job)
  for l = 1, 3 do lu.assertEquals(flat(a:layer(l):q()), flat(b:layer(l):q())) end
end

function TestJob.test_progress()
  local job = network():train(slow())
  await("five steps of layer 3", function() return job.progress.levels[3].step >= 5 end)
  local p = job.progress
  lu.assertEquals({p.state, p.level, #p.levels}, {"running", 3, 3})
  local layer = p.levels[3]
  lu.assertEquals({layer.phase, layer.n, layer.drawn, layer.steps, layer.patches}, {"solving", 5000, 5000, 300, 32})
  lu.assertTrue(layer.loss > 0)
  lu.assertEquals(p.levels[1].phase, "waiting")
  lu.assertNil(job.result)
  lu.assertStrContains(tostring(job), "level 3 of 3")
  job:stop()
  local result, state = job:wait()
  lu.assertNil(result)
  lu.assertEquals(state, "stopped")
end

function TestJob.test_a_pause_changes_nothing()
  local a, b = network(), network()
  a:train{ from=g, n=5000, solver="gd", steps=40 }
  local job = b:train(slow{ steps=40 })
  for _ = 1, 5 do
    job:pause()
    job:wait(5)
    if job.state ~= "paused" then break end
    job:resume()
    job:wait(.05)
  end
  job:wait()
  lu.assertEquals(job.state, "done")
  for l = 1, 3 do lu.assertEquals(flat(a:layer(l):q()), flat(b:layer(l):q())) end
end

-- At once, by hand in odd portions, in the background with pauses: the same file.
function TestJob.test_the_same_file_byte_for_byte()
  local function contents(net)
    local path = os.tmpname()
    os.remove(path)
    path = path .. ".h5"
    net:save(path)
    local file = io.open(path, "rb")
    local bytes = file:read "a"
    file:close()
    os.remove(path)
    return bytes
  end
  local a, b, c = network(), network(), network()
  a:train{ from=g, n=5000, solver="gd", steps=100 }
  for l = 3, 1, -1 do
    local lay = b:layer(l):begin{ from=g, n=5000 }
    lay:step()
    lay:step(7)
    b:layer(l):q()
    for _ = 1, 30 do lay:step(3) end
    lay:step(2)
    lu.assertEquals(lay:finish().steps, 100)
  end
  local job, pauses = c:train(slow{ steps=100, steps_per_second=400 }), 0
  while true do
    job:wait(.01)
    job:pause()
    local _, state = job:wait()
    if state ~= "paused" then break end
    pauses = pauses + 1
    c:layer(3):distances()
    job:resume()
  end
  lu.assertTrue(pauses > 3, pauses)
  local bytes = contents(a)
  lu.assertTrue(#bytes > 10000)
  lu.assertTrue(bytes == contents(b))
  lu.assertTrue(bytes == contents(c))
end

function TestJob.test_a_paused_job_stands_still()
  local net = network()
  local job = net:train(slow())
  await("a step", function() return job.progress.levels[3].step >= 1 end)
  job:pause()
  local result, state = job:wait(5)
  lu.assertNil(result)
  lu.assertEquals({state, job.state}, {"paused", "paused"})
  local step = job.progress.levels[3].step
  job:wait(.1)
  lu.assertEquals(job.progress.levels[3].step, step)
  lu.assertEquals(net:layer(3):q():rows(), 32) -- it can be read meanwhile
  lu.assertErrorMsgContains("net:resume()", net.train, net, {from=g})
  job:stop()
  job:wait()
  lu.assertEquals(net:train{ from=g, n=1000 }.levels[1].n, 1000)
end

function TestJob.test_resume_in_the_foreground()
  local net = network()
  local job = net:train(slow{ steps=30 })
  job:pause()
  job:wait()
  local r = net:resume()
  lu.assertEquals(r.levels[3].steps, 30)
  lu.assertErrorMsgContains("not paused", net.resume, net)
  lu.assertErrorMsgContains("no paused training", function() network():resume() end)
end

function TestJob.test_waiting_has_an_end()
  local job = network():train(slow())
  local start = rhm.clock()
  local result, state = job:wait(.1)
  local seconds = rhm.clock() - start
  lu.assertNil(result)
  lu.assertEquals(state, "running")
  lu.assertTrue(seconds >= .1 and seconds < 1, seconds)
  lu.assertErrorMsgContains("seconds", job.wait, job, -1)
  job:stop()
end

function TestJob.test_progress_function()
  local net, calls, last = network(), 0, nil
  local r = net:train{ from=g, n=5000, solver="gd", steps=30, steps_per_second=100,
    progress=function(p) calls, last = calls + 1, p end }
  lu.assertTrue(calls >= 3, calls)
  lu.assertEquals(last.state, "done")
  lu.assertEquals(last.accuracy, r.accuracy)
  local ok, message = pcall(net.train, net, {from=g, solver="gd", steps=10000, steps_per_second=100,
    progress=function() error("mine", 0) end})
  lu.assertFalse(ok)
  lu.assertEquals(message, "mine")
  lu.assertEquals(net:train{ from=g, n=1000 }.levels[1].n, 1000) -- the stopped job is not in the way
end

function TestJob.test_the_collector_stops_no_training()
  local ids = {}
  for i = 1, 12 do
    rhm.network{ grammar=g, M=128 }:train(slow{ from=g:sample{ n=2000 }, n=2000, steps=2, steps_per_second=1000 })
    ids[i] = rhm.jobs()[#rhm.jobs()].id
    collectgarbage() collectgarbage()
  end
  local found = {}
  for _, job in ipairs(rhm.jobs()) do found[job.id] = job end
  for i = 1, 12 do
    local job = found[ids[i]]
    if type(job) == "userdata" then
      lu.assertEquals(job:wait().levels[1].steps, 2)
    else -- let go already: more than eight had ended
      lu.assertTrue(i <= 4)
      lu.assertEquals(job.state, "done")
    end
  end
  network():train{ from=g, n=1000 } -- the last eight that ended in the background are still held, the others let go
  found = nil
  collectgarbage() collectgarbage()
  found = {}
  for _, job in ipairs(rhm.jobs()) do found[job.id] = job end
  lu.assertEquals(type(found[ids[5]]), "userdata")
  lu.assertEquals(type(found[ids[4]]), "table")
  lu.assertEquals(found[ids[4]].state, "done")
end

function TestJob.test_leaving_with_a_running_job()
  local code = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g } "
    .. "net:train{ from=g, solver='gd', steps=100000, steps_per_second=100, background=true } "
  local start = rhm.clock()
  for _, leave in ipairs{"", "os.exit(0, true)", "os.exit(0)"} do
    local output, status = shell(("%q -e %q 2>&1"):format(program, code .. leave))
    lu.assertEquals({output, status}, {"", 0})
  end
  lu.assertTrue(rhm.clock() - start < 10)
end

function TestJob.test_interrupt()
  if not os.execute "command -v timeout >/dev/null" then lu.skip "no timeout(1)" end
  local make = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g } "
  local long = "{ from=g, solver='gd', steps=100000, steps_per_second=100"
  for _, code in ipairs{"net:train" .. long .. " }", "net:train" .. long .. ", background=true }:wait()",
    "pcall(net.train, net, " .. long .. " }) print 'swallowed'",
    "net:train" .. long .. ", background=true } net.job:pause() net:resume()",
    "net:layer(3):begin{ from=g, n=1000, steps_per_second=100 } net:layer(3):step(100000)",
    "net:layer(3):begin{ from=g, n=1000, steps_per_second=.01 } net:layer(3):step(3)",
    "net:train{ from=g, solver='gd', steps_per_second=.01 }"} do
    local start = rhm.clock()
    local command = "timeout --foreground --preserve-status -s INT .5 %q -e %q 2>&1"
    local output, status = shell(command:format(program, make .. code))
    lu.assertEquals(status, 130, output)
    lu.assertEquals(output, "rhm: interrupted\n")
    lu.assertTrue(rhm.clock() - start < 3)
  end
end

os.exit(lu.LuaUnit.run())
