-- t-network.lua - rhm.network: options, training from grammars and data sets, predictions, accuracy, files.
local lu = require "luaunit"

TestNetwork = {}

local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } -- passes g:check()

local function trained(options, training)
  options.grammar = options.grammar or g
  training.from = training.from or g
  local net = rhm.network(options)
  return net, net:train(training)
end

local function equal_matrices(a, b, tolerance)
  lu.assertEquals({a:rows(), a:cols()}, {b:rows(), b:cols()})
  for i = 1, a:rows() do
    local x, y = a[i], b[i]
    for j = 1, a:cols() do lu.assertAlmostEquals(x[j], y[j], tolerance) end
  end
end

function TestNetwork.test_fields()
  local net = rhm.network{ V=8, s=2, L=3, classes=5, M=512, codebook="exact", features="orf", seed=9, sigma=.5,
    eps_O=.1 }
  lu.assertEquals({net.V, net.s, net.L, net.d, net.classes, net.M, net.codebook, net.features, net.seed, net.sigma,
    net.eps_O}, {8, 2, 3, 8, 5, 512, "exact", "orf", 9, .5, .1})
  lu.assertNil(net.grammar)
  local known = rhm.network{ grammar=g }
  lu.assertEquals({known.V, known.s, known.L, known.classes, known.M}, {8, 2, 3, 8, 2048})
  lu.assertNil(known.sigma)
  lu.assertEquals(known.grammar:rules(2), g:rules(2))
  lu.assertTrue(rawequal(known.grammar, known.grammar))
  lu.assertStrContains(tostring(known), "not trained")
end

function TestNetwork.test_training_from_a_grammar()
  local net, r = trained({M=1024, seed=1}, {c=16})
  lu.assertTrue(r.accuracy >= .99)
  lu.assertTrue(r.seconds > 0)
  lu.assertEquals(#r.levels, 3)
  for l, level in ipairs(r.levels) do
    lu.assertEquals(level.n, math.max(16 * 8 * 4 * 4 ^ l, 20000))
    lu.assertEquals({level.level, level.patches, level.clusters}, {l, 32, 8})
    lu.assertAlmostEquals(level.gap, g:gap(l), 1e-9)
    lu.assertTrue(level.error < level.gap)
    lu.assertTrue(level.sigma > 0 and level.eps_S < level.rho)
  end
  lu.assertEquals(net:accuracy(g), r.accuracy)
  lu.assertStrContains(tostring(r), "accuracy 1.0000")
  lu.assertStrContains(tostring(net), "all layers trained")
end

function TestNetwork.test_samples_for_each_layer()
  local _, r = trained({M=256}, {n={1000, 2000, 3000}})
  lu.assertEquals({r.levels[1].n, r.levels[2].n, r.levels[3].n}, {1000, 2000, 3000})
  _, r = trained({M=256}, {n=1500})
  lu.assertEquals({r.levels[1].n, r.levels[2].n, r.levels[3].n}, {1500, 1500, 1500})
end

function TestNetwork.test_samplers_have_the_same_law()
  for _, sampler in ipairs{"tally", "draw"} do
    local _, r = trained({M=512, seed=2}, {n=50000, sampler=sampler})
    lu.assertTrue(r.accuracy >= .99, sampler)
    lu.assertAlmostEquals(r.levels[3].error, .03, .02) -- sqrt(1/n_mu) with n_mu = 50000/32
  end
end

function TestNetwork.test_kinds()
  for _, features in ipairs{"rbf", "orf", "relu"} do
    -- The kernel of relu decays slowly: its small eigenvalues want a small ridge.
    local _, r = trained({M=1024, features=features}, {n=50000, lambda=features == "relu" and 1e-6 or nil})
    lu.assertTrue(r.accuracy >= .99, features)
  end
  for _, solver in ipairs{"exact", "gd"} do
    local _, r = trained({M=1024, codebook="exact"}, {n=100000, solver=solver})
    lu.assertTrue(r.accuracy >= .99, solver)
  end
end

function TestNetwork.test_the_same_seed_gives_the_same()
  local a = trained({M=256, seed=5}, {n=5000})
  local b = trained({M=256, seed=5}, {n=5000})
  local c = trained({M=256, seed=6}, {n=5000})
  for l = 1, 3 do
    equal_matrices(a:layer(l):q(), b:layer(l):q(), 1e-12)
  end
  lu.assertNotEquals(a:layer(3):q()[1][1], c:layer(3):q()[1][1])
end

function TestNetwork.test_predictions()
  local net = trained({M=512, seed=1}, {c=16})
  local d = g:sample{ n=300, seed=8 }
  local labels, p = net:predict(d)
  lu.assertEquals({#labels, p:rows(), p:cols()}, {300, 300, 8})
  local right = 0
  for i = 1, 300 do
    local row, sum, best = p[i], 0, 1
    for c = 1, 8 do
      sum = sum + row[c]
      if row[c] > row[best] then best = c end
    end
    lu.assertAlmostEquals(sum, 1, 1e-9)
    lu.assertEquals(labels[i], best)
    if labels[i] == d:label(i) then right = right + 1 end
    if i <= 20 then
      local label, one = net:predict(d:tokens(i))
      lu.assertEquals(label, best)
      for c = 1, 8 do lu.assertAlmostEquals(one[c], row[c], 1e-12) end
    end
  end
  lu.assertEquals(net:accuracy(d), right / 300)
  lu.assertTrue(right >= 297)
end

function TestNetwork.test_unseen_strings_have_an_output()
  local net = trained({M=512, seed=1}, {c=16})
  local label, p = net:predict{ 1, 1, 1, 1, 1, 1, 1, 1 } -- may be no string of the grammar
  local sum = 0
  for c = 1, 8 do sum = sum + p[c] end
  lu.assertAlmostEquals(sum, 1, 1e-9)
  lu.assertTrue(label >= 1 and label <= 8)
end

function TestNetwork.test_accuracy_on_a_grammar_is_exact()
  -- Few samples: the share of right labels on many strings must agree with the sum over all derivations.
  local net, r = trained({M=512, seed=1}, {n=1500})
  local d = g:sample{ n=40000, seed=21 }
  local exact = net:accuracy(g)
  lu.assertEquals(exact, r.accuracy)
  lu.assertTrue(exact < .999, exact)
  lu.assertAlmostEquals(net:accuracy(d), exact, 5 * math.sqrt(.25 / 40000))
end

function TestNetwork.test_training_from_a_data_set()
  local train, test = g:sample{ n=20000, seed=5 }:split{ fraction=.9, disjoint=true }
  local net = rhm.network{ V=8, s=2, L=3, classes=8, M=512 }
  local r = net:train{ from=train }
  for l = 1, 3 do
    lu.assertEquals(r.levels[l].n, #train)
    lu.assertNil(r.levels[l].gap) -- the grammar is not known
  end
  lu.assertTrue(r.accuracy >= .99)
  lu.assertTrue(net:accuracy(test) >= .99)
  r = net:train{ from=train, n=500 }
  lu.assertEquals(r.levels[1].n, 500)
end

function TestNetwork.test_training_from_numpy()
  local folder = os.getenv "RHM_TEST_DATA"
  if not folder then lu.skip "RHM_TEST_DATA is not set" end
  local d = rhm.dataset(folder .. "/rhm-8-4-2-3.npy")
  local train, test = d:split{ fraction=.8, disjoint=true }
  local net = rhm.network{ V=d.V, s=2, L=3, classes=d.classes, M=1024 }
  net:train{ from=train }
  local labels = net:predict(test)
  lu.assertEquals(#labels, #test)
  lu.assertTrue(net:accuracy(test) >= .9, net:accuracy(test))
end

function TestNetwork.test_threads_do_not_matter()
  local threads, q = rhm.threads, {}
  for n = 1, 2 do
    rhm.threads = n
    local net = trained({M=256, seed=4}, {n=30000, sampler="draw"})
    q[n] = {net:layer(3):q(), net:layer(1):q(), net:layer(3):patches()}
  end
  rhm.threads = threads
  lu.assertEquals(q[1][3], q[2][3]) -- counts, to the last one
  equal_matrices(q[1][1], q[2][1], 1e-11)
  equal_matrices(q[1][2], q[2][2], 1e-11)
end

function TestNetwork.test_files()
  local net = trained({M=256, seed=1}, {n=20000})
  net:save("net.h5")
  local copy = rhm.load("net.h5")
  lu.assertEquals({copy.V, copy.s, copy.L, copy.classes, copy.M, copy.codebook, copy.features, copy.seed},
    {8, 2, 3, 8, 256, "centroid", "rbf", 1})
  local d = g:sample{ n=200, seed=3 }
  local labels, p = net:predict(d)
  local same, q = copy:predict(d)
  lu.assertEquals(same, labels)
  equal_matrices(q, p, 1e-12)
  lu.assertEquals(copy:accuracy(g), net:accuracy(g))
  lu.assertErrorMsgContains("nonesuch.h5", rhm.load, "nonesuch.h5")
end

os.exit(lu.LuaUnit.run())
