-- t-layer.lua - rhm.layer: training by hand, and what a layer shows of itself.
local lu = require "luaunit"

TestLayer = {}

local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }

local function trained(n)
  local net = rhm.network{ grammar=g, M=512, seed=1 }
  net:train{ from=g, n=n or 50000 }
  return net
end

function TestLayer.test_by_hand_as_by_train()
  local whole, hand = rhm.network{ grammar=g, M=256, seed=4 }, rhm.network{ grammar=g, M=256, seed=4 }
  whole:train{ from=g, n=5000, solver="gd", steps=30 }
  for l = 3, 1, -1 do
    local lay = hand:layer(l)
    lay:begin{ from=g, n=5000 }
    lay:step(10)
    for _ = 1, 20 do lay:step() end
    lay:finish()
    lu.assertEquals({lay.steps, lay.trained, lay.samples, lay.level}, {30, true, 5000, l})
    local a, b = lay:q(), whole:layer(l):q()
    lu.assertEquals(a:rows(), b:rows())
    for i = 1, a:rows() do for j = 1, a:cols() do lu.assertAlmostEquals(a[i][j], b[i][j], 1e-9) end end
  end
  lu.assertEquals(hand:accuracy(g), whole:accuracy(g))
end

-- What one patch tells of the label: at most the best guess by the exact q, all of it at the root.
function TestLayer.test_accuracy()
  local net = rhm.network{ grammar=g, M=512, seed=1 }
  net:train{ from=g, n=50000, solver="gd", steps=100 }
  local last = 0
  for l = 3, 1, -1 do
    local lay, best, n = net:layer(l), 0, 0
    local q = g:q(l)
    for _, patch in ipairs(lay:patches()) do
      local row, most = q[patch.parent], 0
      for c = 1, 8 do most = math.max(most, row[c]) end
      best, n = best + patch.count * most, n + patch.count
    end
    lu.assertTrue(lay.accuracy <= best / n + 1e-12 and lay.accuracy > .9 * best / n, lay.accuracy)
    lu.assertEquals(#lay.history.accuracy, #lay.history.step)
    lu.assertAlmostEquals(lay.history.accuracy[#lay.history.accuracy], lay.accuracy, .01)
    lu.assertTrue(lay.accuracy > last) -- the whole string tells all
    lu.assertEquals(net.job.progress.levels[l].accuracy, lay.accuracy)
    last = lay.accuracy
  end
  lu.assertAlmostEquals(last, net:accuracy(g), 1e-9)
  local d = g:sample{ n=3000, seed=1 }
  local plain = rhm.network{ V=8, s=2, L=3, M=256 }
  plain:train{ from=d }
  local right, n = 0, 0 -- by the samples themselves, where there is no grammar
  local lay = plain:layer(3)
  local q, guess = lay:q(), {}
  for i, patch in ipairs(lay:patches()) do
    local c = 1
    for k = 2, 8 do if q[i][k] > q[i][c] then c = k end end
    guess[table.concat(patch.tuple, " ")] = c
  end
  for i = 1, #d do
    local t = d:tokens(i)
    right, n = right + (guess[t[1] .. " " .. t[2]] == d:label(i) and 1 or 0), n + 1
  end
  lu.assertAlmostEquals(lay.accuracy, right / n, 1e-12)
end

function TestLayer.test_steps_lower_the_loss()
  local lay = rhm.network{ grammar=g, M=256 }:layer(3)
  lay:begin{ from=g, n=5000 }
  lu.assertFalse(lay.trained)
  local before = math.huge
  for k = 1, 15 do
    local loss = lay:step()
    lu.assertTrue(loss < before)
    lu.assertEquals({lay.loss, lay.steps}, {loss, k})
    before = loss
  end
  lu.assertEquals({lay:q():rows(), lay:q():cols()}, {32, 8}) -- of the iterate, while it moves
  lu.assertErrorMsgContains("in training", lay.synonyms, lay)
  lay:finish()
  lu.assertTrue(lay.trained)
end

function TestLayer.test_patches_are_those_of_the_grammar()
  local lay, parent = trained():layer(3), {}
  for nu, list in ipairs(g:rules(3)) do
    for _, children in ipairs(list) do parent[table.concat(children, " ")] = nu end
  end
  local sum, q, exact = 0, lay:q(), g:q(3)
  local patches = lay:patches()
  lu.assertEquals(#patches, 32)
  for row, patch in ipairs(patches) do
    lu.assertEquals(patch.parent, parent[table.concat(patch.tuple, " ")])
    sum = sum + patch.count
    for c = 1, 8 do lu.assertAlmostEquals(q[row][c], exact[patch.parent][c], 6 / math.sqrt(patch.count)) end
  end
  lu.assertEquals(sum, lay.samples)
  lu.assertStrContains(tostring(patches), "32 patches")
end

function TestLayer.test_pace()
  local lay = rhm.network{ grammar=g, M=64 }:layer(3)
  lay:begin{ from=g, n=1000, steps_per_second=40 }
  local function seconds(...)
    local start = rhm.clock()
    lay:step(...)
    return rhm.clock() - start
  end
  lu.assertTrue(seconds(8) >= 0.17)       -- as begun
  lu.assertTrue(seconds(4000, 0) < 90)    -- no limit: 100 s with it
  lu.assertTrue(seconds(4, 20) >= 0.15)
  lu.assertTrue(seconds(8) >= 0.17)       -- as begun again
  lu.assertEquals(lay.steps, 4020)
  lu.assertErrorMsgContains("steps_per_second = -1: must be 0", lay.step, lay, 1, -1)
  lu.assertErrorMsgContains("steps_per_second = 'x': must be a number", lay.step, lay, 1, "x")
end

function TestLayer.test_numbers_are_the_fields()
  lu.assertNil(rhm.network{ grammar=g, M=64 }:layer(3):numbers())
  local stepped = rhm.network{ grammar=g, M=256 }:layer(3)
  stepped:begin{ from=g, n=5000 }
  stepped:step(7)
  for _, lay in ipairs{ trained():layer(2), stepped } do
    local all = lay:numbers()
    lu.assertEquals({all.n, all.patches, all.level, all.L, all.trained},
      {lay.samples, lay.patch_count, lay.level, 3, lay.trained})
    for _, name in ipairs{ "clusters", "steps", "sigma", "rho_in", "eps_S_in", "rho", "eps_S", "gap", "error",
        "lambda", "eta", "loss", "condition", "unknown", "seconds", "history" } do
      lu.assertEquals(all[name], lay[name], name)
    end
    lu.assertEquals(tostring(all), tostring(lay))
  end
end

function TestLayer.test_distances()
  local lay = trained():layer(2)
  local q, d, patches = lay:q(), lay:distances(), lay:patches()
  lu.assertEquals({#d, d:cols()}, {#q, #q})
  local seen = {}
  for i = 1, #d do
    for j = 1, #d do
      local sum = 0
      for c = 1, 8 do sum = sum + (q[i][c] - q[j][c]) ^ 2 end
      lu.assertAlmostEquals(d[i][j], math.sqrt(sum), 1e-12)
    end
    local cluster = patches[i].cluster -- clusters stand together
    if i > 1 and patches[i - 1].cluster ~= cluster then lu.assertNil(seen[cluster]) end
    seen[cluster] = true
  end
end

function TestLayer.test_synonyms()
  local lay = trained():layer(3)
  local clusters, parents, rules = lay:synonyms(), {}, g:rules(3)
  lu.assertEquals({#clusters, clusters.misplaced, clusters.level}, {8, 0, 3})
  for _, cluster in ipairs(clusters) do
    lu.assertEquals({cluster.size, #cluster.patches}, {4, 4})
    lu.assertNil(parents[cluster.parent])
    parents[cluster.parent] = true
    local found, count = {}, 0
    for _, patch in ipairs(cluster.patches) do
      found[#found + 1] = patch.tuple
      count = count + patch.count
    end
    lu.assertItemsEquals(found, rules[cluster.parent])
    lu.assertEquals(count, cluster.count)
  end
  lu.assertStrContains(tostring(clusters), "all patches with their own parent")
end

function TestLayer.test_misplaced_patches_are_marked()
  local lay, marked = trained(400):layer(3), 0 -- far too few samples
  local clusters = lay:synonyms()
  for _, cluster in ipairs(clusters) do
    for _, patch in ipairs(cluster.patches) do
      lu.assertEquals(patch.misplaced or false, patch.parent ~= cluster.parent)
      if patch.misplaced then marked = marked + 1 end
    end
  end
  lu.assertTrue(marked > 0)
  lu.assertEquals(clusters.misplaced, marked)
  lu.assertEquals(lay:diagnostics().misplaced, marked)
  lu.assertStrContains(tostring(clusters), "*(of ")
end

function TestLayer.test_diagnostics()
  local good = trained():layer(3):diagnostics()
  lu.assertEquals({good.level, good.n, good.patches, good.clusters}, {3, 50000, 32, 8})
  lu.assertEquals({good.misplaced, good.missing, good.untrained, good.unknown, #good.warnings}, {0, 0, 0, 0, 0})
  lu.assertEquals(good.eps_O_wanted, .01)
  lu.assertTrue(good.eps_O > 0 and good.eps_O < 1 and good.condition >= 1)
  lu.assertAlmostEquals(good.gap, g:gap(3), 1e-9)
  lu.assertStrContains(tostring(good), "no warnings")
  local bad = trained(400):layer(3):diagnostics()
  lu.assertTrue(#bad.warnings > 0)
  lu.assertStrContains(tostring(bad), "warning: ")
  lu.assertTrue(bad.noise > bad.gap)
end

function TestLayer.test_parents_that_cannot_stand_first()
  local lame = rhm.grammar{ rules={ -- symbol 3 of level 1 never stands first
    {{{1, 2}, {1, 3}}, {{2, 1}, {2, 3}}, {{1, 1}, {2, 2}}},
    {{{1, 2}, {2, 1}}, {{3, 1}, {1, 3}}, {{2, 3}, {3, 2}}}} }
  local net = rhm.network{ grammar=lame, M=256 }
  net:train{ from=lame, n=20000 }
  local d = net:layer(2):diagnostics()
  lu.assertEquals({d.missing, d.never, d.clusters, d.patches}, {1, 1, 2, 4})
  lu.assertStrContains(tostring(d), "cannot stand first")
end

function TestLayer.test_order_of_calls()
  local net = rhm.network{ grammar=g, M=256 }
  local lay = net:layer(3)
  lu.assertErrorMsgContains("begin", lay.step, lay)
  lu.assertErrorMsgContains("begin", lay.finish, lay)
  lu.assertErrorMsgContains("not trained", lay.q, lay)
  lu.assertErrorMsgContains("layer 3", function() net:layer(2):begin{ from=g, n=1000 } end)
  lu.assertErrorMsgContains("level 4", net.layer, net, 4)
  lu.assertNil(lay.sigma)
  lu.assertStrContains(tostring(lay), "not trained")
end

function TestLayer.test_unknown_grammar()
  local net = rhm.network{ V=8, s=2, L=3, M=256 }
  net:train{ from=g:sample{ n=20000, seed=3 } }
  local lay = net:layer(3)
  lu.assertNil(lay.gap)
  lu.assertNil(lay:patches()[1].parent)
  local clusters = lay:synonyms()
  lu.assertNil(clusters.misplaced)
  lu.assertStrContains(tostring(clusters), "cluster 1")
  lu.assertNil(lay:diagnostics().misplaced)
end

function TestLayer.test_a_layer_keeps_its_network()
  local lay = trained(2000):layer(3)
  collectgarbage() collectgarbage()
  lu.assertEquals(lay:q():rows(), 32)
  lu.assertEquals(lay.network.V, 8)
end

function TestLayer:test_history_follows_the_descent()
  local g = rhm.grammar{V=8, m=4, s=2, L=3, seed=3}
  local lay = rhm.network{grammar=g, M=256}:layer(3)
  lu.assertNil(lay.history)
  lay:begin{from=g, n=5000}
  lay:step(7)
  lay:step(500)
  local h = lay.history
  lu.assertEquals(h.step[1], 1)
  lu.assertTrue(#h.step > 20 and #h.loss == #h.step and #h.intra == #h.step and #h.inter == #h.step)
  for i = 2, #h.step do
    lu.assertTrue(h.step[i] > h.step[i - 1] and h.step[i] <= h.step[i - 1] * 1.2 + 1)
    lu.assertTrue(h.loss[i] <= h.loss[i - 1] + 1e-12)
  end
  lu.assertTrue(h.intra[#h.step] < h.inter[#h.step] * 3)
  lay:finish()
  lu.assertEquals(lay.history, h)
  lay = rhm.network{grammar=g, M=256}:train{from=g, n=5000}
  lu.assertNil(lay.levels[3].history)
end

os.exit(lu.LuaUnit.run())
