-- t-onestep.lua - rhm.onestep: trainings, clusters, predictions, files, errors.
local lu = require "luaunit"

TestOnestep = {}

local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=1 }

local function fails(text, f, ...)
  lu.assertErrorMsgContains(text, f, ...)
end

function TestOnestep.test_fields()
  local o = rhm.onestep{ V=5, s={ 2, 3 }, classes=3, h=32, rate="same", restarts=7, seed=4 }
  lu.assertEquals({o.V, o.L, o.d, o.classes, o.h, o.rate, o.restarts, o.seed, o.n}, {5, 2, 6, 3, 32, "same", 7, 4, 0})
  lu.assertEquals(o.s, {2, 3})
  o = rhm.onestep{ grammar=g }
  lu.assertEquals({o.V, o.s, o.L, o.d, o.rate}, {8, 2, 3, 8, "patch"})
  lu.assertStrContains(tostring(o), "onestep: V = 8, s = 2, L = 3, 8 classes")
  lu.assertStrContains(tostring(o), "not trained")
end

function TestOnestep.test_learns_the_synonyms()
  local o = rhm.onestep{ grammar=g }
  local r = o:train{ from=g, n=4001 }
  lu.assertEquals({r.n, o.n, #r.levels, r.levels[3].patches, r.levels[3].clusters}, {4001, 4001, 3, 32, 8})
  lu.assertTrue(r.levels[3].between > r.levels[3].within and r.levels[1].clusters == nil)
  lu.assertTrue(r.accuracy > .99 and o:accuracy(g) > .99)
  lu.assertStrContains(tostring(r), "4001 strings: accuracy")
  lu.assertStrContains(tostring(o), "trained on 4001 strings")
  local parent = {}
  for nu, rules in ipairs(g:rules(3)) do
    for _, t in ipairs(rules) do parent[t[1] .. " " .. t[2]] = nu end
  end
  for _, cluster in ipairs(o:clusters(3)) do
    lu.assertEquals(#cluster, 4)
    for _, t in ipairs(cluster) do
      lu.assertEquals(parent[t[1] .. " " .. t[2]], parent[cluster[1][1] .. " " .. cluster[1][2]])
    end
  end
end

function TestOnestep.test_predict()
  local d = g:sample{ n=700, seed=3 }
  local o = rhm.onestep{ grammar=g, restarts=5 }
  o:train{ from=d, n=600 }
  local labels, p = o:predict(d)
  lu.assertEquals({#labels, p:rows(), p:cols()}, {700, 700, 8})
  local right = 0
  for i = 1, 700 do
    if labels[i] == d:label(i) then right = right + 1 end
  end
  lu.assertAlmostEquals(o:accuracy(d), right / 700, 1e-12)
  local label, row = o:predict(d:tokens(650))
  lu.assertEquals(label, labels[650])
  for c = 1, 8 do lu.assertEquals(row[c], p[650][c]) end
end

-- Carried up by hand through the lists of clusters.
function TestOnestep.test_outputs()
  local o, d = rhm.onestep{ grammar=g, restarts=5 }, g:sample{ n=60, seed=4 }
  fails("not trained", o.outputs, o, d, 2)
  o:train{ from=g, n=800 }
  local codes = {}
  for i = 1, #d do codes[i] = d:tokens(i) end
  for l = 3, 2, -1 do
    local cluster, y = {}, o:outputs(d, l)
    lu.assertEquals({y:rows(), y:cols()}, {60, 2 ^ (l - 1) * 8 // 1})
    for c, patches in ipairs(o:clusters(l)) do
      for _, t in ipairs(patches) do cluster[t[1] .. " " .. t[2]] = c end
    end
    for i = 1, #d do
      local above = {}
      for p = 1, 2 ^ (l - 1) do
        above[p] = cluster[codes[i][2 * p - 1] .. " " .. codes[i][2 * p]]
        for c = 1, 8 do lu.assertEquals(y[i][8 * (p - 1) + c], c == above[p] and 1.0 or 0.0) end
      end
      codes[i] = above
    end
  end
  local _, p = o:predict(d)
  lu.assertEquals(o:outputs(d, 1):square_distance(p), 0.0)
  fails("level 4: must be a whole number from 1 to 3", o.outputs, o, d, 4)
end

local function drawn(name, subject)
  local lines = rhm.view.lines(name, subject, 100, 20)
  for i, line in ipairs(lines) do lines[i] = require "rhm.view.palette".line(line) end
  return table.concat(lines, "\n")
end

function TestOnestep.test_background()
  local o = rhm.onestep{ grammar=g, restarts=10000 }
  local job = o:train{ from=g, n=500, background=true }
  lu.assertEquals(job.name, "onestep (8,2,3) h=256")
  lu.assertEquals(o.job, job)
  local p = job.progress
  while p.unit ~= "start" or p.start < 1 do p = job.progress end
  job:pause()
  job:wait()
  p = job.progress
  lu.assertEquals({ p.state, p.kind, p.group, p.layers, p.starts }, { "paused", "onestep", "layer", 3, 10000 })
  lu.assertStrContains(tostring(p), ", layer " .. p.layer .. " of 3, start " .. p.start .. " of 10000")
  lu.assertEquals(o.n, 0)
  fails("not trained", o.clusters, o, 3)
  fails("a paused training is there", o.train, o, { from=g })
  rhm.panel.show("curves", o)
  local said = drawn("curves", o)
  lu.assertStrContains(said, "layer " .. p.layer .. " of 3, clusters, start " .. p.start .. " of 10000")
  lu.assertStrContains(said, "one step a layer: no curve")
  job:stop()
  job:wait()
  lu.assertEquals({ job.state, o.n }, { "stopped", 0 })
  o = rhm.onestep{ grammar=g, restarts=50 }
  local other = rhm.onestep{ grammar=g, restarts=50 }
  job = o:train{ from=g, n=500, background=true }
  job:pause()
  if job.state == "pausing" or job.state == "paused" then o:resume() end
  local r = job:wait()
  lu.assertEquals(other:train{ from=g, n=500, progress=false }.levels[2].within, r.levels[2].within)
  lu.assertEquals({ o:accuracy(g), o.n, r.n, job.accuracy }, { other:accuracy(g), 500, 500, r.accuracy })
  lu.assertEquals(o:clusters(2), other:clusters(2))
  lu.assertNil(job.history)
end

function TestOnestep.test_files()
  local o = rhm.onestep{ grammar=g, restarts=5 }
  o:train{ from=g, n=500 }
  o:save("onestep.h5")
  local back = rhm.load("onestep.h5")
  lu.assertEquals(tostring(back), tostring(o))
  lu.assertEquals(back:accuracy(g), o:accuracy(g))
  lu.assertEquals(back:clusters(2), o:clusters(2))
  fails("onestep:save: path = 'o.npy': a network is written to an .h5 file", o.save, o, "o.npy")
  os.remove("onestep.h5")
end

function TestOnestep.test_errors()
  fails("'patch'", rhm.onestep, {grammar=g, rate="x"})
  fails("key 'V' is missing", rhm.onestep, {s=2, L=2})
  fails("key 's' is missing", rhm.onestep, {V=4, L=2})
  fails("h = 0: must be 1..", rhm.onestep, {grammar=g, h=0})
  fails("restarts = 0: must be 1..10000", rhm.onestep, {grammar=g, restarts=0})
  fails("did you mean 'restarts'", rhm.onestep, {grammar=g, restart=3})
  local o = rhm.onestep{ grammar=g }
  fails("not trained", o.accuracy, o, g)
  fails("not trained", o.clusters, o, 3)
  fails("layer = 4", o.clusters, o, 4)
  fails("layer 1 answers by itself", o.clusters, o, 1)
  fails("key 'from' is missing", o.train, o, {})
  fails("4 tokens", o.train, o, {from=rhm.grammar{ V=8, m=4, s=2, L=2, seed=1 }, n=10})
end

os.exit(lu.LuaUnit.run())
