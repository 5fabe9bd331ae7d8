-- t-view-layers.lua - the views layers, curves, jobs and keys: every size, every state, true numbers.
local lu = require "luaunit"
package.path = (os.getenv "srcdir" or ".") .. "/tests/script/?.lua;" .. package.path
local pictures = require "pictures"
local text = require "rhm.view.text"
local view, g = rhm.view, pictures.g

local function gd(options)
  local net = rhm.network{ grammar=g, M=256, seed=1 }
  options = options or {}
  options.from, options.n, options.progress = g, 20000, false
  options.solver, options.steps = "gd", options.steps or 60
  net:train(options)
  return net
end

local networks = pictures.networks()
networks.gd = {gd(), 2}

-- The words of the line that begins with `first`.
local function words(lines, first)
  for _, line in ipairs(lines) do
    local list = {}
    for word in line:gmatch "%S+" do list[#list + 1] = word end
    if list[1] == first then return list end
  end
end

-- The cells of the table as a map from the head's titles; bars and percentages have none.
local function cells(lines, level)
  local head, row, map = lines[1], nil, {}
  for i = 2, #lines do
    if lines[i]:find("^ *" .. level .. " ") then row = lines[i] break end
  end
  for from, title, to in head:gmatch "()(%S+)()" do
    if title ~= "state" then -- aligned to the right: what ends in the same column
      map[title] = row:sub(1, to - 1):match "%S+$"
      if row:sub(to - 1, to - 1) == " " or row:sub(to - 1, to - 1) == "" then map[title] = nil end
    end
  end
  return map, row
end

TestLayers = {}

function TestLayers.test_every_size_and_state()
  for state, of in pairs(networks) do
    pictures.each("layers", of[1], {}, function(lines, width, height)
      if width >= 40 and (height or 99) > of[1].L then
        for l = 1, of[1].L do lu.assertNotNil(words(lines, tostring(l)), state .. ": no line for level " .. l) end
      end
    end)
  end
end

-- Every number of the widest table is that of the layer.
function TestLayers.test_numbers_are_those_of_the_layers()
  for _, name in ipairs {"trained", "gd", "stepped", "trained_on_data", "unknown"} do
    local net = networks[name][1]
    local _, lines = pictures.text("layers", net, 250, 60)
    for l = 1, net.L do
      local lay, shown = net:layer(l), cells(lines, l)
      if lay.samples then
        lu.assertEquals(shown.samples, tostring(lay.samples))
        for title, key in pairs {loss="loss", sigma="sigma", eps_S="eps_S", ["rho~"]="rho", gap="gap", error="error"} do
          lu.assertEquals(shown[title], lay[key] and text.number(lay[key], 6) or nil, name .. " " .. title .. l)
        end
        lu.assertEquals(shown.patches, tostring(lay.patch_count))
        lu.assertEquals(shown.clusters, lay.trained and tostring(lay.clusters) or nil)
        if lay.steps > 0 then
          local h = lay.history
          lu.assertStrMatches(shown.step, lay.steps .. "/?%d*")
          lu.assertEquals({shown.intra, shown.inter},
            {text.number(h.intra[#h.intra], 6), text.number(h.inter[#h.inter], 6)})
        end
      else
        lu.assertNil(shown.samples)
      end
    end
  end
end

function TestLayers.test_states_and_total()
  local function shows(name, ...)
    local all = pictures.text("layers", networks[name][1], 120, 40)
    for _, what in ipairs {...} do lu.assertStrContains(all, what) end
  end
  shows("untrained", "nothing is trained yet", "waiting")
  shows("begun", "by hand", "level 3 by hand: step 0")
  shows("stepped", "level 3 by hand: step 5")
  local net = networks.trained[1]
  shows("trained", "done", string.format("trained, accuracy %.4f", net.job.progress.accuracy),
    "90000 samples")
  shows("gd", "60/60")
  local bad = networks.unknown[1]
  for l = 1, 3 do
    local all = pictures.text("layers", bad, 2000, 60)
    for _, warning in ipairs(bad:layer(l):diagnostics().warnings) do
      lu.assertStrContains(all, "level " .. l .. ": " .. warning)
    end
  end
end

-- Columns stay where they are while a training goes from phase to phase.
function TestLayers.test_columns_do_not_jump()
  local net = rhm.network{ grammar=g, M=256 }
  local heads = {}
  for l = 3, 1, -1 do
    local lay = net:layer(l)
    lay:begin{ from=g, n=5000 }
    for _ = 1, 3 do
      lay:step(5)
      heads[select(2, pictures.text("layers", net, 80, 10))[1]] = true
    end
    lay:finish()
    heads[select(2, pictures.text("layers", net, 80, 10))[1]] = true
  end
  lu.assertNotNil(next(heads))
  lu.assertNil(next(heads, next(heads)))
end

-- A layer trained again by hand is not said to have the accuracy of the training before.
function TestLayers.test_accuracy_is_not_that_of_a_training_before()
  local net = gd()
  lu.assertStrContains(pictures.text("layers", net, 120, 30), "accuracy ")
  for l = 3, 1, -1 do
    local lay = net:layer(l)
    lay:begin{ from=g, n=300, seed=9 }
    lay:step()
    lu.assertStrContains(pictures.text("layers", net, 120, 30), "level " .. l .. " by hand: step 1")
    lay:finish()
  end
  lu.assertNotStrContains(pictures.text("layers", net, 120, 30), "accuracy ")
end

-- While a job trains: its phase, steps and level; paused it says how to go on.
function TestLayers.test_a_job_at_work()
  local net = rhm.network{ grammar=g, M=256 }
  local job = net:train{ from=g, n=5000, solver="gd", steps=100000, steps_per_second=500, background=true }
  local deadline, p = rhm.clock() + 20, nil
  repeat
    p = job.progress
  until (p.level == 3 and p.levels[3].phase == "solving" and p.levels[3].step > 20) or rhm.clock() > deadline
  local all, lines = pictures.text("layers", net, 120, 30)
  lu.assertStrContains(all, "level 3: solving")
  lu.assertTrue(tonumber(cells(lines, 3).step:match "^%d+") >= 20)
  lu.assertStrContains(pictures.text("jobs", nil, 120, 30), "running")
  lu.assertStrContains(pictures.text("curves", net, 120, 30), "level 3")
  job:pause()
  job:wait(10)
  lu.assertStrContains(pictures.text("layers", net, 120, 30), "net:resume() goes on")
  lu.assertStrContains(pictures.text("jobs", nil, 120, 30), "paused")
  job:stop()
  job:wait(10)
  lu.assertStrContains(pictures.text("jobs", nil, 120, 30), "stopped")
  pictures.each("layers", net)
end

-- What a failed training says is there in full.
function TestLayers.test_a_job_that_fails()
  local net = rhm.network{ grammar=g, M=4096 }
  local before = rhm.memory
  rhm.memory = 200000
  local job = net:train{ from=g, background=true }
  local ok = pcall(job.wait, job, 20)
  rhm.memory = before
  lu.assertFalse(ok)
  lu.assertEquals(job.state, "failed")
  for _, name in ipairs {"layers", "jobs"} do
    local words = pictures.text(name, name == "jobs" and job or net, 60, 30):gsub("%s+", " ")
    lu.assertStrContains(words, job.error)
    pictures.each(name, name == "jobs" and job or net)
  end
end

TestCurves = {}

function TestCurves.test_every_size_and_state()
  for _, of in pairs(networks) do
    for l = 1, of[1].L do pictures.each("curves", of[1], {level=l}) end
  end
end

function TestCurves.test_numbers_and_words()
  local net = networks.gd[1]
  for l = 1, 3 do
    local lay = net:layer(l)
    local all = pictures.text("curves", net, 80, 30, {level=l})
    local h = lay.history
    for _, what in ipairs {"level " .. l, "60 of 60", "20000 samples", "loss " .. text.number(lay.loss, 6),
      "intra " .. text.number(h.intra[#h.intra], 6), "inter " .. text.number(h.inter[#h.inter], 6)} do
      lu.assertStrContains(all, what)
    end
  end
  local exact = pictures.text("curves", networks.trained[1], 80, 24, {level=2})
  for _, what in ipairs {"closed form", "gap", "rho~", "eps_S", "error", "loss", "level"} do
    lu.assertStrContains(exact, what)
  end
  lu.assertStrContains(pictures.text("curves", networks.untrained[1], 80, 24), "not trained yet")
  lu.assertStrContains(pictures.text("curves", networks.begun[1], 80, 24, {level=3}), "no step yet")
end

-- The curve falls from the top left to the bottom right where the loss does.
function TestCurves.test_the_curve_is_the_history()
  local _, lines = pictures.text("curves", networks.gd[1], 60, 20, {level=1, xlog=false, ylog=false})
  local first, last
  for i, line in ipairs(lines) do
    if line:find "intra" then break end -- the picture of the loss alone
    local from, to = line:match "^%s*[%d.]*%s*[|+].-()%*", line:match ".*%*()"
    if from then
      first = first or {i, from}
      last = {i, to}
    end
  end
  lu.assertTrue(last[1] > first[1] and last[2] > first[2] + 20)
end

function TestCurves.test_keys()
  local spec, options = view.spec "curves", {}
  lu.assertTrue(spec.key(networks.gd[1]:layer(1), options, "x"))
  lu.assertFalse(options.xlog)
  lu.assertTrue(spec.key(networks.gd[1]:layer(1), options, "x"))
  lu.assertTrue(options.xlog)
  lu.assertTrue(spec.key(networks.gd[1]:layer(1), options, "y"))
  lu.assertFalse(options.ylog)
  lu.assertFalse(spec.key(networks.gd[1]:layer(1), options, "u"))
end

TestJobs = {}

function TestJobs.test_every_size()
  pictures.each("jobs", nil)
  pictures.each("jobs", {})
  lu.assertStrContains(pictures.text("jobs", {}, 80, 10), "no training yet")
end

function TestJobs.test_numbers_are_those_of_the_jobs()
  local net = gd()
  local job = net.job
  local _, lines = pictures.text("jobs", job, 120, 10)
  local row = words(lines, tostring(job.id))
  lu.assertNotNil(row)
  local line = table.concat(row, " ")
  for _, what in ipairs {"done", job.name, string.format("%.4f", job.progress.accuracy),
    text.duration(job.progress.seconds)} do
    lu.assertStrContains(line, what)
  end
end

function TestJobs.test_keys()
  local net = rhm.network{ grammar=g, M=256 }
  local job = net:train{ from=g, n=5000, solver="gd", steps=100000, steps_per_second=200, background=true }
  local spec, options = view.spec "jobs", {}
  lu.assertTrue(spec.key({job}, options, "down"))
  lu.assertEquals(options.job, 1)
  lu.assertTrue(spec.key({job}, options, "p"))
  job:wait(10)
  lu.assertEquals(job.state, "paused")
  lu.assertTrue(spec.key({job}, options, "p"))
  local deadline = rhm.clock() + 20
  while job.state == "queued" and rhm.clock() < deadline do job:wait(0.01) end -- for its turn
  lu.assertEquals(job.state, "running")
  local asked = spec.key({job}, options, "enter")
  lu.assertEquals(asked.show, "layers")
  lu.assertIs(asked.subject, net)
  lu.assertTrue(spec.key({job}, options, "X"))
  job:wait(10)
  lu.assertEquals(job.state, "stopped")
  lu.assertFalse(spec.key({job}, options, "p"))
  lu.assertFalse(spec.key({}, options, "enter"))
end

TestKeys = {}

function TestKeys.test_every_size_and_all_views()
  pictures.each("keys", nil)
  for _, width in ipairs {80, 160} do
    local all = pictures.text("keys", nil, width)
    for _, name in ipairs(view.names()) do lu.assertStrContains(all, name) end
    lu.assertStrContains(all, "F10")
  end
end

os.exit(lu.LuaUnit.run())
