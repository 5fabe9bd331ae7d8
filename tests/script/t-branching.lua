-- t-branching.lua - rhm.infer_branching: what it says, how it prints, its refusals.
local lu = require "luaunit"

TestBranching = {}

local function fails(words, f, ...)
  lu.assertErrorMsgContains(words, f, ...)
end

local function strings(shape, n)
  shape.seed = shape.seed or 1
  return rhm.grammar(shape):sample{ n=n or 20000, seed=2 }
end

function TestBranching.test_a_tree_is_found()
  local r = rhm.infer_branching(strings{ V=8, m=4, s=2, L=3 })
  lu.assertEquals({r.s, r.L, r.d, r.n, r.established, r.confident, #r.levels}, {2, 3, 8, 20000, 3, true, 3})
  lu.assertTrue(r.confidence > 0.99 and r.confidence <= 1)
  local lowest = r.levels[1]
  lu.assertEquals({lowest.s, lowest.by, lowest.reason, lowest.places, lowest.codes}, {2, "tokens", "found", 8, 8})
  lu.assertEquals({lowest.candidates[1].s, lowest.candidates[2].s, #lowest.candidates}, {2, 4, 2})
  lu.assertTrue(lowest.candidates[1].score > 1.55 and lowest.candidates[1].coherence > 0.7)
  lu.assertEquals(r.levels[3].by, "arithmetic")
  local text = tostring(r)
  for _, part in ipairs{"s = 2, L = 3 (d = 8)", "every level shows", "tokens", "arithmetic"} do
    lu.assertStrContains(text, part)
  end
end

function TestBranching.test_levels_of_their_own()
  local r = rhm.infer_branching(strings{ V=8, m=3, s={2, 3, 2} })
  lu.assertEquals({r.s, r.L, r.confident}, {{2, 3, 2}, 3, true})
  lu.assertStrContains(tostring(r), "s = {2,3,2}")
end

function TestBranching.test_what_is_assumed_is_said()
  local r = rhm.infer_branching(strings{ V=8, m=48, s=3, L=3 })
  lu.assertEquals({r.s, r.L, r.confident, r.levels[3].by}, {3, 3, false, "assumption"})
  lu.assertTrue(r.established >= 1)
  lu.assertStrContains(tostring(r), "the rest is assumed alike")
end

-- One rule a symbol: tokens follow from the label, all pairs alike.
function TestBranching.test_what_does_not_show()
  local r = rhm.infer_branching(strings({ V=8, m=1, s=2, L=2 }))
  lu.assertNil(r.s)
  lu.assertNil(r.L)
  lu.assertEquals({r.established, r.confident, r.confidence}, {0, false, 0.0})
  lu.assertStrContains(tostring(r), "cannot tell")
  local tokens, labels, d = {}, {}, strings({ V=8, m=4, s=2, L=2 }, 5000)
  math.randomseed(1)
  for i = 1, #d do -- in no order
    tokens[i], labels[i] = d:tokens(i), d:label(i)
    for j = d.d, 2, -1 do
      local k = math.random(j)
      tokens[i][j], tokens[i][k] = tokens[i][k], tokens[i][j]
    end
  end
  r = rhm.infer_branching(rhm.dataset{ tokens=tokens, labels=labels })
  lu.assertEquals({r.s, r.established, r.confident, r.levels[1].by}, {nil, 0, false, "nothing"})
  lu.assertStrContains(tostring(r), "cannot tell")
end

function TestBranching.test_arguments()
  local d = strings({ V=8, m=4, s=2, L=3 }, 2000)
  local all, some = rhm.infer_branching(d), rhm.infer_branching(d, {n=1000, seed=3})
  lu.assertEquals({all.n, some.n}, {2000, 1000})
  lu.assertNotEquals(all.levels[1].z, some.levels[1].z)
  lu.assertEquals(rhm.infer_branching(d, {seed=0}).levels[1].z, all.levels[1].z)
  fails("n = 2001: the data set has 2000 strings", rhm.infer_branching, d, {n=2001})
  fails("99 strings", rhm.infer_branching, d, {n=99})
  fails("unknown key 'sed': did you mean 'seed'?", rhm.infer_branching, d, {sed=1})
  fails("a data set expected, got nil", rhm.infer_branching)
  fails("a data set expected", rhm.infer_branching, {})
end

function TestBranching.test_networks()
  local g = rhm.grammar{ V=8, m=3, s={2, 3}, seed=1 }
  local d = g:sample{ n=20000, seed=2 }
  local net = rhm.network{ s="infer", from=d, M=512 }
  lu.assertEquals({net.V, net.s, net.L, net.classes, net.M}, {8, {2, 3}, 2, 8, 512})
  lu.assertEquals({net.branching.s, net.branching.confident}, {{2, 3}, true})
  net:train{ from=d }
  lu.assertTrue(net:accuracy(g:sample{ n=1000, seed=3 }) > 0.99)
  lu.assertNil(rhm.network{ grammar=g }.branching)
  local later = rhm.network{ s="infer", M=512 }
  lu.assertStrContains(tostring(later), "s is to be inferred")
  fails("s is not inferred yet", function() return later.V end)
  fails("s is not inferred yet", later.accuracy, later, d)
  fails("looks at a data set", later.train, later, {from=g})
  later:train{ from=d }
  lu.assertEquals({later.V, later.s, later.M, later.branching.s}, {8, {2, 3}, 512, {2, 3}})
  lu.assertEquals(later:accuracy(d), net:accuracy(d))
  later:train{ from=d, n=10000 } -- as any network
  local other = rhm.grammar{ V=8, m=3, s=2, L=2 }:sample{ n=1000 }
  fails("strings of 4 tokens", later.train, later, {from=other})
  fails("L = 3, but the strings have 2 levels", rhm.network, {s="infer", from=d, L=3})
  fails("s = 'infer' and grammar", rhm.network, {s="infer", grammar=g})
  fails("from = 5: must be a data set", rhm.network, {s="infer", from=5})
  fails("s is given", rhm.network, {V=8, s=2, L=3, from=d})
  fails("the strings do not tell their tree", rhm.network, {s="infer", from=strings({ V=8, m=1, s=2, L=2 }, 1000)})
end

os.exit(lu.LuaUnit.run())
