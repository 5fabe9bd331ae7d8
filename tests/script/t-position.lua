-- t-position.lua - layers that learn from all patches of their level: position = "all".
local lu = require "luaunit"

TestPosition = {}

local function distance(a, b)
  local sum = 0
  for c = 1, #b do sum = sum + (a[c] - b[c]) ^ 2 end
  return math.sqrt(sum)
end

local function grammar() return rhm.grammar{ V=8, m=4, s=2, L=3, seed=1 } end

-- One data set of 1000 strings for all layers, the grammar not known to the network: the first place is far from it.
function TestPosition.test_few_strings()
  local g = grammar()
  local d, accuracy = g:sample{ n=1000, seed=101 }, {}
  for _, position in ipairs{"first", "all"} do
    local net = rhm.network{ V=8, s=2, L=3, seed=1 }
    local r = net:train{ from=d, position=position, progress=false }
    accuracy[position] = net:accuracy(g)
    lu.assertEquals(r.levels[3].places, position == "all" and 4 or 1)
    lu.assertEquals(r.levels[1].places, 1)
    lu.assertEquals(r.levels[3].n, 1000)
  end
  lu.assertTrue(accuracy.all >= 0.98)
  lu.assertTrue(accuracy.first < 0.9)
end

-- q at each place against the exact one; shares are the counts' and weigh what is not there with nothing.
function TestPosition.test_q_of_places()
  local g = grammar()
  local net = rhm.network{ grammar=g, seed=2 }
  net:train{ from=g, position="all", n=100000, progress=false }
  lu.assertEquals(net:accuracy(g), 1)
  local lay = net:layer(3)
  local patches, sum, absent = lay:patches(), {}, 0
  for i = 1, 4 do
    local q, exact, shares = lay:q(i), g:q(3, i), lay:shares(i)
    for k, patch in ipairs(patches) do
      sum[k] = (sum[k] or 0) + shares[k]
      if shares[k] == 0 then
        absent = absent + 1
        for c = 1, 8 do lu.assertEquals(q[k][c], 1 / 8) end
      elseif shares[k] * patch.count >= 200 then -- sd .07 or less: 5 of them
        lu.assertTrue(distance(q[k], exact[patch.parent]) < 5 / math.sqrt(shares[k] * patch.count))
      end
    end
  end
  for k in ipairs(patches) do lu.assertAlmostEquals(sum[k], 1, 1e-12) end
  local e, d = lay:embedding(), lay:distances()
  lu.assertTrue(e:cols() <= 7)
  for k = 2, #e, 5 do lu.assertAlmostEquals(d[1][k], distance(e[1], e[k]), 1e-12) end
  lu.assertTrue(lay.error < lay.gap / 4)
  local text = tostring(lay:diagnostics())
  lu.assertStrContains(text, "4 dependent patches")
  lu.assertStrContains(text, "no warnings")
  local parse = net:parse(g:sample{ n=1, seed=5 }:tokens(1))
  for i = 1, 4 do
    local node = parse.levels[3][i]
    lu.assertEquals(node.parent, node.truth)
    lu.assertTrue(distance(node.q, g:q(3, i)[node.truth]) < 0.1)
  end
end

-- Symbols that never stand first: nothing to learn for the first place, all that is needed for the others.
function TestPosition.test_symbols_that_never_stand_first()
  local g = rhm.grammar{ V=16, m=4, s=2, L=5, seed=19 }
  lu.assertFalse(g:check().ok)
  local net = rhm.network{ grammar=g, seed=1 }
  net:train{ from=g, position="all", n=10000, progress=false }
  lu.assertTrue(net:accuracy(g) >= 0.99)
  for l = 1, 5 do lu.assertEquals(net:layer(l):diagnostics().never, 0) end
  local first = rhm.network{ grammar=g, seed=1 }
  first:train{ from=g, n=10000000, progress=false }
  lu.assertTrue(first:accuracy(g) < 1)
end

function TestPosition.test_by_hand()
  local g = grammar()
  local d = g:sample{ n=2000, seed=3 }
  local a, b = rhm.network{ grammar=g, seed=4 }, rhm.network{ grammar=g, seed=4 }
  a:train{ from=d, position="all", steps=60, progress=false }
  for l = 3, 1, -1 do
    local lay = b:layer(l):begin{ from=d, position="all" }
    lay:step(10)
    lu.assertEquals(#lay:embedding(), #lay:q(l > 1 and 2 or 1)) -- of the iterate
    lay:step(50)
    lay:finish()
    lu.assertEquals(lay:q()[1][1], a:layer(l):q()[1][1])
  end
  lu.assertEquals(b:accuracy(g), a:accuracy(g))
end

function TestPosition.test_exact_codebook_and_orf()
  local g = rhm.grammar{ V=8, m=2, s=2, L=3, seed=2 }
  local net = rhm.network{ grammar=g, codebook="exact", features="orf", seed=1 }
  net:train{ from=g:sample{ n=2000, seed=1 }, position="all", progress=false }
  lu.assertTrue(net:accuracy(g) >= 0.95)
end

function TestPosition.test_save()
  local g = grammar()
  local net = rhm.network{ grammar=g, seed=3 }
  net:train{ from=g, position="all", n=3000, progress=false }
  local path = os.tmpname() .. ".h5"
  net:save(path)
  local again = rhm.load(path)
  os.remove(path)
  local d = g:sample{ n=50, seed=9 }
  for l = 1, 3 do
    local a, b = net:layer(l), again:layer(l)
    lu.assertEquals(b.places, a.places)
    lu.assertEquals(b.samples, 3000)
    local x, y = net:outputs(d, l), again:outputs(d, l)
    lu.assertEquals(x:square_distance(y), 0)
    lu.assertEquals(a:q(a.places):square_distance(b:q(a.places)), 0)
    lu.assertEquals(a:embedding():square_distance(b:embedding()), 0)
  end
  lu.assertEquals(again:accuracy(g), net:accuracy(g))
end

-- Noisy strings are learned; those without a label count as if they were not there; a missing token is one clear error.
local function same_layers(a, b)
  for l = 1, 3 do
    lu.assertEquals(a:layer(l).samples, b:layer(l).samples)
    lu.assertEquals(a:layer(l):embedding():square_distance(b:layer(l):embedding()), 0)
  end
end

function TestPosition.test_noisy_and_partly_labelled_data()
  local clean = rhm.grammar{ V=6, m=3, s=2, L=3, seed=1 }
  local noisy = rhm.grammar{ V=6, m=3, s=2, L=3, seed=1, token_noise=0.05, label_noise=0.1 }
  local function new() return rhm.network{ V=6, classes=6, s=2, L=3, M=128, seed=1 } end
  local function learn(d, position)
    local net = new()
    net:train{ from=d, position=position, progress=false }
    return net
  end
  lu.assertTrue(learn(noisy:sample{ n=3000, seed=2 }, "all"):accuracy(clean) > 0.999)
  local d, all, some = clean:sample{ n=800, seed=2 }, { tokens={}, labels={}, V=6, classes=6 },
    { tokens={}, labels={}, V=6, classes=6 }
  for i = 1, #d do
    all.tokens[i], all.labels[i] = d:tokens(i), i % 3 > 0 and d:label(i) or 0
    if i % 3 > 0 then some.tokens[#some.tokens + 1], some.labels[#some.labels + 1] = d:tokens(i), d:label(i) end
  end
  for _, position in ipairs{"first", "all"} do
    same_layers(learn(rhm.dataset(all), position), learn(rhm.dataset(some), position))
  end
  local one, other = rhm.onestep{ V=6, classes=6, s=2, L=3 }, rhm.onestep{ V=6, classes=6, s=2, L=3 }
  one:train{ from=rhm.dataset(all), progress=false }
  other:train{ from=rhm.dataset(some), progress=false }
  lu.assertEquals((one:predict(d)), (other:predict(d)))
  lu.assertTrue(one:accuracy(d) > 0.9)
  all.tokens[3][2] = 0
  lu.assertErrorMsgContains("network:train: string 3: token 2 is missing: the network reads whole strings", learn,
    rhm.dataset(all), "all")
  one = rhm.onestep{ V=6, classes=6, s=2, L=3 }
  lu.assertErrorMsgContains("onestep:train: string 3: token 2 is missing: the model reads whole strings", one.train,
    one, { from=rhm.dataset(all) })
end

function TestPosition.test_refusals()
  local g = grammar()
  local net = rhm.network{ grammar=g, seed=3 }
  net:train{ from=g, n=1000, progress=false }
  local lay = net:layer(3)
  lu.assertErrorMsgContains("first place only", lay.q, lay, 2)
  lu.assertErrorMsgContains("place 5: must be a whole number from 1 to 4", lay.q, lay, 5)
  lu.assertEquals(lay:shares(1)[1], 1)
  lu.assertErrorMsgContains("not exact", net.train, net, { from=g, position="all", sampler="tally" })
  lu.assertEquals(net:layer(3).samples, 1000) -- as it was
end

os.exit(lu.LuaUnit.run())
