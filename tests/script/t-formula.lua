-- t-formula.lua - rhm.formula: gates in all ways of writing, exact signal, strings, trainings, errors.
local lu = require "luaunit"

TestFormula = {}

local function fails(text, f, ...)
  lu.assertErrorMsgContains(text, f, ...)
end

local function gates(t)
  return rhm.formula(t).gates
end

function TestFormula.test_ways_to_write_gates()
  lu.assertEquals(gates{ gates="and", L=3 }, "and")
  lu.assertEquals(gates{ gates="and or xor", L=3 }, "and or xor")
  lu.assertEquals(gates{ gates={"and", "or", "xor"}, L=3 }, "and or xor")
  lu.assertEquals(gates{ gates="and/or", L=3 }, "and or and")
  lu.assertEquals(gates{ gates="and/or/xor", L=4 }, "and or xor and")
  lu.assertEquals(gates{ gates="and or,xor", L=2 }, "and or,xor")
  lu.assertEquals(gates{ gates={{"and"}, {"or", "xor"}}, L=2 }, "and or,xor")
  lu.assertEquals(gates{ gates="and or,or", L=2 }, "and or")
  lu.assertEquals(gates{ gates="1000 0111", L=2 }, "nor or")
  lu.assertEquals(gates{ gates="00000001", s=3, L=2 }, "and")
  lu.assertEquals(gates{ gates="00101101", s=3, L=1 }, "00101101")
end

function TestFormula.test_random_gates()
  for _, word in ipairs{"random", "literals"} do
    local f = rhm.formula{ gates=word, L=5, seed=3 }
    lu.assertEquals(f.gates, gates{ gates=word, L=5, seed=3 })
    lu.assertNotEquals(f.gates, gates{ gates=word, L=5, seed=4 })
    lu.assertNotStrContains(f.gates, ",")
    local node = rhm.formula{ gates=word, L=5, seed=3, per="node" }
    lu.assertStrContains(node.gates, ",")
    lu.assertEquals(gates{ gates=node.gates, L=5 }, node.gates)
    lu.assertEquals(node:gate(4, 1), f:gate(4))
  end
  for seed = 1, 50 do
    local g = gates{ gates="literals", L=1, seed=seed }
    lu.assertTrue(({["and"]=1, ["or"]=1, nand=1, nor=1, ["0100"]=1, ["0010"]=1, ["1101"]=1, ["1011"]=1})[g] == 1, g)
  end
end

-- Against a plain evaluation of all strings.
function TestFormula.test_signal()
  local f = rhm.formula{ gates="or xor and,or,nand,0010", L=3 }
  local of = {["and"]=function(a, b) return a and b end, ["or"]=function(a, b) return a or b end,
    nand=function(a, b) return not (a and b) end, ["0010"]=function(a, b) return a and not b end,
    xor=function(a, b) return a ~= b end}
  local true_, both, first, all = 0, 0, 0, 256
  for x = 0, all - 1 do
    local tokens, v = {}, {}
    for j = 1, 8 do tokens[j] = (x >> (j - 1) & 1) + 1 end
    local w = {of["and"](tokens[1] == 2, tokens[2] == 2), of["or"](tokens[3] == 2, tokens[4] == 2),
      of.nand(tokens[5] == 2, tokens[6] == 2), of["0010"](tokens[7] == 2, tokens[8] == 2)}
    v[1], v[2] = of.xor(w[1], w[2]), of.xor(w[3], w[4])
    local label = of["or"](v[1], v[2])
    lu.assertEquals(f:value(tokens), label and 2 or 1)
    if label then true_ = true_ + 1 end
    if v[1] then first = first + 1 end
    if v[1] and label then both = both + 1 end
  end
  lu.assertAlmostEquals(f:probability(), true_ / all, 1e-14)
  lu.assertAlmostEquals(f:probability(1, 1), first / all, 1e-14)
  lu.assertAlmostEquals(f:probability(3, 5), .5, 1e-14)
  lu.assertAlmostEquals(f:q(2)[2][2], both / first, 1e-14)
  lu.assertAlmostEquals(f:gap(2), math.sqrt(2) * (both / first - (true_ - both) / (all - first)), 1e-14)
  local p, c = first / all, true_ / all
  lu.assertAlmostEquals(f:correlation(1), (both / all - p * c) / math.sqrt(p * (1 - p) * c * (1 - c)), 1e-14)
  lu.assertEquals(f:correlation(0), 1.0)
  lu.assertAlmostEquals(f:correlation(3, 4), f:correlation(3, 3), 1e-14) -- the two inputs of an or
  lu.assertTrue(math.abs(f:correlation(3, 4)) > .01)
  local parity = rhm.formula{ gates="xor", L=4 }
  lu.assertEquals({parity:correlation(4, 7), parity:gap(4), parity:gap(1)}, {0.0, 0.0, math.sqrt(2)})
  lu.assertNil(rhm.formula{ gates="0000", L=2 }:correlation(2))
  lu.assertEquals(rhm.formula{ gates="0000", L=2 }:gap(1), math.huge)
end

function TestFormula.test_polynomial()
  lu.assertEquals(rhm.formula{ gates="and", L=1 }:polynomial(1), {["1"]=-.5, x1=.5, x2=.5, ["x1 x2"]=.5})
  lu.assertEquals(rhm.formula{ gates="xor", L=1, s=3 }:polynomial(1), {["x1 x2 x3"]=1.0})
end

function TestFormula.test_balanced()
  local f = rhm.formula{ gates="and", L=3, balanced=true }
  lu.assertEquals({f:probability(), f.balanced}, {.5, true})
  local d, count = f:sample{ n=2000, seed=1 }, 0
  for i = 1, #d do
    count = count + d:label(i) - 1
    lu.assertEquals(d:label(i), f:value(d:tokens(i)))
  end
  lu.assertTrue(math.abs(count - 1000) < 4.5 * math.sqrt(500)) -- p = 7e-6
  lu.assertStrContains(tostring(f), "P[label 2] = 0.5, inputs given the label")
end

function TestFormula.test_learners()
  local f = rhm.formula{ gates="and/or", L=3 }
  local net = rhm.network{ V=2, s=2, L=3, M=256 }
  local r = net:train{ from=f, n=3000, progress=false }
  lu.assertEquals({r.levels[3].n, r.accuracy, net:accuracy(f), net:accuracy(f, { n=50 })}, {3000, 1.0, 1.0, 1.0})
  lu.assertEquals(net:train{ from=f, n={100, 200, 300}, progress=false }.levels[1].n, 100)
  lu.assertEquals(#rhm.latest "source", 300) -- the strings that were drawn
  net:layer(3):begin{ from=f }
  lu.assertEquals(net:layer(3).samples, 10000)
  local job = rhm.network{ V=2, s=2, L=3, M=256 }:train{ from=f, n=500, background=true }
  lu.assertTrue(job:wait().accuracy > .9)
  local c = rhm.cnn{ V=2, s=2, L=3, h=16 }
  lu.assertEquals(c:train{ from=f, n=700, epochs=100, progress=false }.n, 700)
  lu.assertTrue(c:accuracy(f) > .95)
  lu.assertNotEquals(c:accuracy(rhm.formula{ gates="xor", L=3 }, { n=99, seed=5 }), c:accuracy(f, { n=99, seed=5 }))
  local k = rhm.shallow{ V=2, d=8, classes=2, M=64 }
  lu.assertEquals(k:train{ from=f, n=300 }.n, 300)
  lu.assertTrue(k:accuracy(f) > .9)
end

function TestFormula.test_errors()
  fails("rhm.formula: gate 'adn' of level 1: did you mean 'and'?", rhm.formula, { gates="adn", L=2 })
  fails("a table of 2^s = 4 digits", rhm.formula, { gates="and 01110", L=2 })
  fails("gates of 3 levels: must be one for all, or one for each of L = 2", rhm.formula, { gates="and or and", L=2 })
  fails("level 2 has 3 gates: must be one, or one for each of its s^(l-1) = 2", rhm.formula,
    { gates={"or", {"or", "or", "or"}}, L=2 })
  fails("gates = a table: must be a name", rhm.formula, { gates={}, L=2 })
  fails("gates[2] = 5: must be a name or a list", rhm.formula, { gates={"or", 5}, L=2 })
  fails("gates[2][1] = true: must be a name", rhm.formula, { gates={"or", {true}}, L=2 })
  fails("there is no name in '/'", rhm.formula, { gates="/", L=2 })
  fails("key 'gates' is missing", rhm.formula, { L=2 })
  fails("key 'L' is missing", rhm.formula, { gates="or" })
  fails("s = 7: must be from 2 to 6", rhm.formula, { gates="or", L=2, s=7 })
  fails("L = 0", rhm.formula, { gates="or", L=0 })
  fails("the budget is", rhm.formula, { gates="or", L=50 })
  fails("per = 'nodes': must be 'level' or 'node'", rhm.formula, { gates="or", L=2, per="nodes" })
  fails("false for all inputs", rhm.formula, { gates="0000", L=2, balanced=true })
  local f = rhm.formula{ gates="or", L=3 }
  fails("formula:q: level 4: must be a whole number from 1 to 3", f.q, f, 4)
  fails("place 5: must be a whole number from 1 to 4", f.q, f, 3, 5)
  fails("place 9: must be", f.correlation, f, 3, 9)
  fails("7 tokens, a string has 8", f.value, f, {1, 1, 1, 1, 1, 1, 1})
  fails("token 2 = 3", f.value, f, {1, 3, 1, 1, 1, 1, 1, 1})
  fails("key 'n' is missing", f.sample, f, {})
  local net = rhm.network{ V=2, s=2, L=2 }
  fails("strings of 8 tokens, the network reads", net.train, net, { from=f })
  fails("c is for a grammar", net.train, net, { from=f, c=3 })
  fails("n and seed are for strings that are drawn", net.accuracy, net, f:sample{ n=3 }, { n=5 })
  fails("strings of 8 tokens needs about", f.sample, f, { n=2 ^ 50 // 1 })
end

os.exit(lu.LuaUnit.run())
