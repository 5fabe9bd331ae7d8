-- net:refine, net.refined, net:posterior, net:unrefine.
local lu = require "luaunit"
local line = require "rhm.view.palette".line

TestRefine = {}

local function made()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=21 }
  return g, g:sample{ n=300, seed=2 }, rhm.network{ grammar=g, seed=1 }
end

function TestRefine:test_refines_and_back()
  local g, d, net = made()
  net:train{ from=d, progress=false }
  local before = net:accuracy(g)
  lu.assertNil(net.refined)
  local seen = 0
  local r = net:refine{ from=d, progress=function(p) seen = p.sweep end }
  lu.assertTrue(net:accuracy(g) > before)
  lu.assertTrue(net:accuracy(g) > 0.95)
  lu.assertEquals(r.m, 4)
  lu.assertTrue(r.from_chain)
  lu.assertEquals(#r.entropy, 3)
  lu.assertEquals(#r.history.sweep, #r.history.log_label)
  lu.assertEquals(r.history.log_label[#r.history.log_label] <= 0, true)
  lu.assertEquals(net.refined.log_label, r.log_label)
  lu.assertStrContains(tostring(r), "300 strings, all labelled")
  lu.assertTrue(seen >= 0)
  local kept = net:refinement()
  lu.assertEquals({ kept.start, kept.log_label, kept.n }, { r.start, r.log_label, r.n })
  for start = 1, r.starts do
    local one, at = net:refinement(start).history, 0
    for i, s in ipairs(r.history.start) do
      if s == start then
        at = at + 1
        lu.assertEquals({ one.sweep[at], one.log_joint[at], one.entropy[2][at] },
          { r.history.sweep[i], r.history.log_joint[i], r.history.entropy[2][i] })
      end
    end
    lu.assertEquals(#one.sweep, at)
  end
  lu.assertEquals(net:refinement(r.starts + 1).history.log_joint, kept.history.log_joint)
  lu.assertErrorMsgContains("start = 0", net.refinement, net, 0)
  lu.assertErrorMsgContains("most = 0", net.refinement, net, 1, 0)
  net:unrefine()
  lu.assertNil(net.refined)
  lu.assertEquals(net:accuracy(g), before)
  net:refine{ from=d }
  net:train{ from=d, progress=false } -- new layers, without the tables of the old ones
  lu.assertNil(net.refined)
end

function TestRefine:test_posterior_of_holes()
  local g, d, net = made()
  net:refine{ from=d }
  local string = d:tokens(1)
  local whole, root = net:posterior(string, { level=3 }), net:posterior(string)
  lu.assertEquals({ whole:rows(), whole:cols(), root:rows(), root:cols() }, { 8, 8, 1, 8 })
  for i = 1, 8 do lu.assertEquals(whole[i][string[i]], 1) end
  lu.assertEquals(net:posterior(d):rows(), 300)
  lu.assertEquals(net:posterior(d, { level=2 }):cols(), 4 * 8)
  -- with a token missing the label is as likely as the fitted tables say, and its own token is filled in
  local truth = string[3]
  string[3] = 0
  local hole = net:posterior(string, { level=3 })
  local sum = 0
  for v = 1, 8 do sum = sum + hole[3][v] end
  lu.assertAlmostEquals(sum, 1, 1e-12)
  local bayes = g:posterior(string, { level=3 })
  lu.assertAlmostEquals(hole[3][truth], bayes[3][truth], 0.25)
  lu.assertEquals(#net:predict(d:hide{ tokens=.1, seed=1 }), 300)
end

function TestRefine:test_parse_and_view()
  local g, d, net = made()
  net:refine{ from=d }
  lu.assertTrue(net:accuracy(g) > 0.99)
  local test, known, right = g:sample{ n=100, seed=9 }, 0, 0
  for i = 1, #test do
    local parse = net:parse(test:tokens(i))
    lu.assertEquals({ #parse.levels[1], #parse.levels[2], #parse.levels[3] }, { 1, 2, 4 })
    lu.assertEquals(parse.levels[1][1].truth, test:label(i))
    for l = 1, 3 do
      local posterior = net:posterior(test:tokens(i), { level=l - 1 })
      for k, node in ipairs(parse.levels[l]) do
        local largest = 0
        for v = 1, 8 do largest = math.max(largest, posterior[k][v]) end
        lu.assertEquals(node.p, largest)
        known, right = known + 1, right + (node.parent == node.truth and 1 or 0)
      end
    end
  end
  lu.assertTrue(right > 0.97 * known) -- the tables' symbols are the grammar's, by other numbers
  for _, width in ipairs{ 40, 80, 120 } do
    for _, height in ipairs{ 6, 24 } do
      local lines = rhm.view.lines("refine", net, width, height)
      lu.assertTrue(#lines <= height and #lines > 2)
    end
  end
  rhm.panel.show("refine", net)
  local linear = rhm.panel.frame(80, 20)
  lu.assertTrue(rhm.panel.key "x")
  lu.assertNotEquals(rhm.panel.frame(80, 20), linear)
  lu.assertTrue(rhm.panel.key "x")
  lu.assertEquals(rhm.panel.frame(80, 20), linear)
  local said = rhm.view.lines("refine", rhm.network{ grammar=g }, 80, 24)
  lu.assertStrContains(said[1], "not refined")
end

-- Paused, looked at, resumed: the same as in the foreground.
function TestRefine:test_background()
  local g, d, net = made()
  local other = rhm.network{ grammar=g, seed=1 }
  local how = { from=d, tol=0, sweeps=40, restarts=2, smoothing=1, background=true }
  local job = net:refine(how)
  lu.assertEquals(job.name, "refine (8,2,3) n=300")
  lu.assertErrorMsgContains("a training", net.train, net, { from=d })
  local p = job.progress
  while not p.log_label do p = job.progress end
  job:pause()
  local _, state = job:wait()
  p = job.progress
  lu.assertEquals({ state, p.state, p.kind, p.unit, p.group, p.starts },
    { "paused", "paused", "refine", "sweep", "start", 2 })
  lu.assertTrue(p.sweep >= 1 and p.sweep <= 41 and p.log_joint < 0 and p.accuracy <= 1)
  lu.assertStrContains(tostring(p), ", start " .. p.start .. " of 2, sweep " .. p.sweep .. " of 40, log label")
  local now = net.refined
  lu.assertTrue(now.running)
  lu.assertEquals({ now.sweep, now.start, now.log_label }, { p.sweep, p.start, p.log_label })
  lu.assertErrorMsgContains("not refined", net.posterior, net, d)
  lu.assertErrorMsgContains("paused training", net.refine, net, how)
  rhm.panel.show("refine", net)
  lu.assertStrContains(line(rhm.view.lines("refine", net, 80, 20)[1]),
    "paused  300 strings  start " .. p.start .. " of 2")
  lu.assertStrContains(line(rhm.view.lines("jobs", job, 100, 20)[2]), "sweep " .. p.sweep)
  local r = net:resume()
  lu.assertEquals(#r.history.sweep, 82)
  lu.assertEquals(#job.history.sweep, 82)
  lu.assertEquals(job.history.log_joint, r.history.log_joint)
  lu.assertEquals({ job.state, job.accuracy, job.result.log_label }, { "done", r.accuracy, net.refined.log_label })
  lu.assertNil(net.refined.running)
  how.background = nil
  how.progress = false
  local direct = other:refine(how)
  for _, name in ipairs { "start", "sweep", "log_joint", "log_label", "accuracy", "entropy" } do
    lu.assertEquals(direct.history[name], r.history[name])
  end
  lu.assertEquals(net:accuracy(g), other:accuracy(g))
end

-- Of many sweeps some stand for all: the first hundred, the newest, and as many as were asked for.
function TestRefine:test_thinned()
  local _, d, net = made()
  lu.assertNil(net:refinement())
  local r = net:refine{ from=d, tol=0, sweeps=350, restarts=1, smoothing=1 }
  local all, some = r.history, net:refinement(1, 50).history
  local wanted = {}
  for i = 1, #all.sweep do
    if i <= 100 or i % (#all.sweep // 50) == 0 or i == #all.sweep then wanted[#wanted + 1] = i end
  end
  lu.assertTrue(#all.sweep > 300 and #some.sweep < 160)
  for at, i in ipairs(wanted) do
    lu.assertEquals({ some.sweep[at], some.accuracy[at] }, { all.sweep[i], all.accuracy[i] })
  end
  lu.assertEquals(#some.sweep, #wanted)
end

function TestRefine:test_errors()
  local g, d, net = made()
  lu.assertErrorMsgContains("network:refine: key 'from' is missing", net.refine, net, {})
  lu.assertErrorMsgContains("from = 3: must be a data set", net.refine, net, { from=3 })
  lu.assertErrorMsgContains("restarts", net.refine, net, { from=d, restart=3 })
  lu.assertErrorMsgContains("m = 0: must be 1 or more", net.refine, net, { from=d, m=0 })
  lu.assertErrorMsgContains("subsample = 2", net.refine, net, { from=d, subsample=2 })
  lu.assertErrorMsgContains("not refined", net.posterior, net, d)
  lu.assertErrorMsgContains("boom", net.refine, net,
    { from=g:sample{ n=20000, seed=1 }, tol=0, sweeps=1000, progress=function() error "boom" end })
  local _, state = net.job:wait()
  lu.assertEquals(state, "stopped")
  lu.assertNil(net.refined)
  lu.assertErrorMsgContains("level = 4", net.posterior, net, d, { level=4 })
end

os.exit(lu.LuaUnit.run())
