-- t-branches.lua - another s at each level: grammars, networks, baselines, views, files.
package.path = os.getenv "srcdir" .. "/tests/script/?.lua;" .. package.path
local lu = require "luaunit"
local pictures = require "pictures"

TestBranches = {}

local function fails(words, f, ...)
  lu.assertErrorMsgContains(words, f, ...)
end

function TestBranches.test_s_is_a_number_or_a_list()
  local g = rhm.grammar{ V=6, m=4, s={3, 2, 4}, classes=5, seed=1 }
  lu.assertEquals({g.s, g.L, g.d, #g:rules(1)[1][1], #g:rules(2)[1][1], #g:rules(3)[6][4]}, {{3, 2, 4}, 3, 24, 3, 2, 4})
  lu.assertStrContains(tostring(g), "s = {3,2,4}")
  lu.assertStrContains(tostring(g:check()), "(6, 4, {3,2,4}, 3)")
  local same, plain = rhm.grammar{ V=6, m=4, s={2, 2, 2}, seed=1 }, rhm.grammar{ V=6, m=4, s=2, L=3, seed=1 }
  lu.assertEquals({same.s, same:rules(2)}, {2, plain:rules(2)})
  local again = rhm.grammar{ rules={g:rules(1), g:rules(2), g:rules(3)}, s={3, 2, 4} }
  lu.assertEquals({again.s, again.V, again.classes, again:rules(3)}, {{3, 2, 4}, 6, 5, g:rules(3)})
  fails("s = {3,2,2}, but the rules have {3,2,4}", rhm.grammar,
    {rules={g:rules(1), g:rules(2), g:rules(3)}, s={3, 2, 2}})
  fails("s = 2, but the rules have {3,2,4}", rhm.grammar, {rules={g:rules(1), g:rules(2), g:rules(3)}, s=2})
end

function TestBranches.test_refusals()
  fails("level 2, s = 2: m*V = 72 exceeds V^s = 64", rhm.grammar, {V=8, m=9, s={3, 2}})
  fails("L = 3, but s is a list of 2 numbers", rhm.grammar, {V=8, m=4, s={3, 2}, L=3})
  fails("s[2] = 1: must be", rhm.grammar, {V=8, m=4, s={3, 1}})
  fails("s[1] = 'x'", rhm.grammar, {V=8, m=4, s={"x"}})
  fails("s is a list of 0 numbers", rhm.grammar, {V=8, m=4, s={}})
  fails("key 'L' is missing", rhm.grammar, {V=8, m=4, s=2})
  local g = rhm.grammar{ V=8, m=4, s={2, 3} }
  fails("L = 3, but the grammar has another s at each of 2 levels", rhm.network, {grammar=g, L=3})
  fails("L = 3, but the grammar has another s at each of 2 levels", rhm.cnn, {grammar=g, L=3})
  local net = rhm.network{ V=8, s={3, 2} }
  fails("the grammar has s = {2,3}, the network {3,2}", net.train, net, {from=g})
  fails("a string of 2 tokens, the network reads 3*2 = 6", net.parse, net, {1, 2})
  local d = rhm.grammar{ V=8, m=4, s=2, L=3 }:sample{ n=10 }
  fails("the data set has strings of 8 tokens, the network reads 3*2 = 6", net.train, net, {from=d})
end

function TestBranches.test_networks()
  local g = rhm.grammar{ V=8, m=3, s={2, 3, 2}, seed=4, classes=6 }
  local d = g:sample{ n=20000, seed=2 }
  local net = rhm.network{ grammar=g, M=512 }
  lu.assertEquals({net.s, net.L, net.d}, {{2, 3, 2}, 3, 12})
  net:train{ from=d }
  lu.assertAlmostEquals(net:accuracy(g), 1, 1e-12)
  lu.assertEquals(net:accuracy(d), 1.0)
  lu.assertEquals({net:outputs(d, 1):cols(), net:outputs(d, 2):cols(), net:outputs(d, 3):cols()}, {6, 12, 36})
  lu.assertEquals(#net:layer(2):patches()[1].tuple, 3)
  local parse = net:parse(d:tokens(1))
  lu.assertEquals({parse.s, #parse.levels[1], #parse.levels[2], #parse.levels[3]}, {{2, 3, 2}, 1, 2, 6})
  local _, lines = tostring(parse):gsub("\n", "")
  lu.assertEquals(lines, 10) -- a heading, 9 nodes, the label
  local place = 0
  for l, many in ipairs{1, 2, 6} do
    for i = 1, many do
      place = place + 1
      lu.assertEquals(parse.levels[l][i].truth, parse.levels[l][i].parent)
    end
  end
  net:save("net.h5")
  local copy = rhm.load("net.h5")
  lu.assertEquals({copy.s, copy.grammar.s, copy:accuracy(g)}, {{2, 3, 2}, {2, 3, 2}, net:accuracy(g)})
  lu.assertStrContains(tostring(copy), "s = {2,3,2}")
  local sensitivity = rhm.sensitivity{ of=net, n=500 }
  lu.assertTrue(sensitivity[3][3] < 1e-12 and sensitivity[2][2] < 1e-12, tostring(sensitivity)) -- synonyms: one code
  lu.assertTrue(sensitivity[1][1] < 0.01 and sensitivity[3][2] > 0.1, tostring(sensitivity))
end

function TestBranches.test_baselines()
  local g = rhm.grammar{ V=8, m=2, s={2, 3}, seed=3 }
  local d = g:sample{ n=1000, seed=2 }
  for _, shared in ipairs{true, false} do
    local c = rhm.cnn{ grammar=g, h=64, seed=1, shared=shared }
    lu.assertEquals({c.s, c.L, c.d}, {{2, 3}, 2, 6})
    c:train{ from=d, epochs=40, progress=false }
    lu.assertTrue(c:accuracy(g:sample{ n=1000, seed=3 }) > 0.95)
    c:save("cnn.h5")
    local copy = rhm.load("cnn.h5")
    lu.assertEquals({copy.s, copy:accuracy(d)}, {{2, 3}, c:accuracy(d)})
    lu.assertStrContains(tostring(copy), "s = {2,3}")
  end
  local s = rhm.shallow{ grammar=g, kind="kernel" }
  s:train{ from=d }
  lu.assertEquals(s.d, 6)
end

-- The trees of the views have the children there are.
function TestBranches.test_views()
  local g = rhm.grammar{ V=8, m=3, s={2, 3, 2}, seed=4, classes=6 }
  local net = rhm.network{ grammar=g, M=256 }
  net:train{ from=g, n=100000 }
  local string = g:sample{ n=1, seed=1 }:tokens(1)
  lu.assertStrContains(pictures.text("synonyms", net, 100, nil, {string=string}), "all 9 nodes as in the grammar")
  lu.assertStrContains(pictures.text("synonyms", net, 20, nil, {string=string}), "`- 2  0.34")
  lu.assertStrContains(pictures.text("grammar", g, 100), "(8, 3, {2,3,2}, 3)")
  lu.assertEquals(require "rhm.view.state".shape(net), "(V,m,s,L) = (8,3,{2,3,2},3)")
end

os.exit(lu.LuaUnit.run())
