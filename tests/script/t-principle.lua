-- t-principle.lua - rhm.principle: its verdicts on sources of which the theory says what holds, its report, errors.
local lu = require "luaunit"

TestPrinciple = {}

local function fails(text, f, ...)
  lu.assertErrorMsgContains(text, f, ...)
end

-- The three verdicts, nil written as "none".
local function verdicts(r)
  return {r.correlation, r.clean == nil and "none" or r.clean, r.gap}
end

-- The levels at which a condition fails, from L down.
local function failing(r, name)
  local list = {}
  for l = #r.levels, 1, -1 do
    if r.levels[l].holds[name] == false then list[#list + 1] = l end
  end
  return list
end

-- Grammars that pass Assumption 4.1 with gaps that 10^6 strings show.
function TestPrinciple.test_uniform_ensemble()
  local seen = 0
  for seed = 1, 60 do
    local g = rhm.grammar{ V=8, m=4, s=2, L=2, seed=seed }
    if g:check().ok and g:gap(2) > .05 then
      local r = rhm.principle(g, { n=40000 })
      lu.assertEquals(verdicts(r), {true, true, true}, tostring(r))
      lu.assertTrue(r.ok)
      seen = seen + 1
      if seen == 8 then break end
    end
  end
  lu.assertEquals(seen, 8)
  local r = rhm.principle(rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 })
  lu.assertTrue(r.ok)
  lu.assertEquals(r.n, 100000)
  for l = 1, 3 do
    local v = r.levels[l]
    lu.assertTrue(v.gap.low <= v.exact_gap + 1e-9 and v.exact_gap <= v.gap.high + 1e-9)
    lu.assertTrue(v.correlation.low <= v.exact_correlation + 1e-9 and v.exact_correlation <= v.correlation.high + 1e-9)
    lu.assertEquals(#v.layers, l)
  end
  lu.assertStrContains(r.verdict, "all three conditions hold with 100000 strings")
end

function TestPrinciple.test_a_parent_that_never_stands_first()
  for seed = 1, 100 do
    local g = rhm.grammar{ V=8, m=2, s=2, L=2, seed=seed }
    local missing = g:check().levels[2].missing
    if #missing > 0 then
      local r = rhm.principle(g, { n=2000 })
      lu.assertFalse(r.gap)
      lu.assertEquals(r.levels[2].unseen, missing)
      lu.assertStrContains(tostring(r), "never stand")
      return
    end
  end
  lu.fail("no such grammar")
end

function TestPrinciple.test_latin_ensemble()
  local r = rhm.principle(rhm.grammar{ V=8, m=8, s=2, L=3, seed=1, ensemble="latin" })
  lu.assertEquals(verdicts(r), {false, true, false}) -- at level 1 all is well
  lu.assertEquals(failing(r, "correlation"), {3, 2})
  lu.assertEquals(failing(r, "gap"), {3, 2})
  lu.assertEquals(r.levels[3].exact_gap < 1e-9, true)
  lu.assertStrContains(tostring(r):gsub("%s+", " "), "(exactly 0)")
end

function TestPrinciple.test_parity()
  for _, features in ipairs{"true", "learned"} do
    for _, f in ipairs{rhm.formula{ gates="xor", L=3 }, rhm.formula{ gates="xor", L=1, s=4 },
      rhm.formula{ gates="xor xnor xor", L=3 }} do
      local r = rhm.principle(f, { features=features, n=50000 })
      if f.L == 3 then
        lu.assertEquals({r.correlation, r.gap, r.ok}, {false, false, false})
        lu.assertEquals({r.levels[3].holds.correlation, r.levels[3].holds.gap}, {false, false})
        if features == "learned" then lu.assertEquals({r.clean, r.levels[2].reached}, {nil, false}) end
      else
        lu.assertTrue(r.correlation) -- one gate: the patch is the whole string
      end
    end
  end
end

function TestPrinciple.test_and_or_trees()
  for _, gates in ipairs{"and/or", "or/and", "and and or", "nand nor or"} do
    for _, features in ipairs{"true", "learned"} do
      local r = rhm.principle(rhm.formula{ gates=gates, L=3 }, { features=features })
      lu.assertEquals(verdicts(r), {true, true, true}, tostring(r))
    end
  end
  local r = rhm.principle(rhm.formula{ gates="and/or", L=3, balanced=true })
  lu.assertTrue(r.ok)
  r = rhm.principle(rhm.formula{ gates="or xor and", L=3 }, { n=20000 }) -- an xor above an and tells a little
  lu.assertEquals(r.levels[3].exact_gap > 0, r.levels[3].holds.gap)
end

-- (ii): a layer that sees more than its patch.
function TestPrinciple.test_overfitting_layers()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }
  for capacity = 1, 2 do
    local r = rhm.principle(g, { n=50000, capacity=capacity })
    lu.assertEquals(verdicts(r), {true, false, true})
    lu.assertFalse(r.ok)
    lu.assertFalse(r.levels[3].holds.clean)
  end
  local r = rhm.principle(g, { n=50000, capacity=2 })
  lu.assertTrue(r.levels[3].layers[3].clean.high < .4) -- the whole string: what it learned by heart
  lu.assertTrue(r.levels[3].layers[3].fit > .99)
  lu.assertStrContains(tostring(r), "overfitted")
  lu.assertStrContains(tostring(r), "(ii) fails")
  -- the whole string of 4 tokens is learned for others as well, but it is not the symbol of the patch
  r = rhm.principle(rhm.formula{ gates="and/or", L=2 }, { capacity=1 })
  lu.assertTrue(r.levels[2].layers[2].clean.low > .9)
  lu.assertTrue(r.levels[2].layers[2].leak > .5)
  lu.assertEquals(verdicts(r), {true, false, true})
  lu.assertStrContains(tostring(r):gsub("%s+", " "), "the outputs depend on more than the patch")
  -- few strings
  r = rhm.principle(g, { n=500 })
  lu.assertEquals(r.levels[2].holds.clean, false)
  lu.assertStrMatches(tostring(r):gsub("%s+", " "), ".*%(about %d+ strings would do%).*")
end

function TestPrinciple.test_data_sets_and_sources()
  local g = rhm.grammar{ V=8, m=4, s=2, L=2, seed=2 }
  local d = g:sample{ n=30000, seed=5 }
  local known, learned = rhm.principle(d, { grammar=g }), rhm.principle(d, { s=2 })
  lu.assertEquals({known.learned, learned.learned, known.of, #known.levels, #learned.levels},
    {false, true, "data set", 2, 2})
  lu.assertTrue(known.ok)
  lu.assertTrue(learned.ok, tostring(learned))
  lu.assertEquals(known.levels[2].correlation, learned.levels[2].correlation) -- tokens are tokens
  local src = rhm.source{ V=2, classes=2, s=2, L=2, sample=function(rng)
    local t = {rng:integer(2), rng:integer(2), rng:integer(2), rng:integer(2)}
    return t, t[1] == 2 and t[2] == 2 and 2 or rng:integer(2)
  end }
  local r = rhm.principle(src, { n=8000 })
  lu.assertEquals({r.n, r.of, r.ok}, {8000, "source", true}, tostring(r))
  lu.assertStrContains(tostring(r), "source, learned symbols, 8000 strings")
end

function TestPrinciple.test_noise()
  local g = rhm.grammar{ V=8, m=4, s=2, L=2, seed=2, label_noise=.2 }
  local r = rhm.principle(g, { n=40000 })
  lu.assertFalse(r.learned)
  for l = 1, 2 do
    local v = r.levels[l]
    lu.assertAlmostEquals(v.exact_gap, g:gap(l), 1e-12)
    lu.assertTrue(v.gap.low <= v.exact_gap + 1e-9 and v.exact_gap <= v.gap.high + 1e-9)
    lu.assertTrue(v.correlation.low <= v.exact_correlation + 1e-9 and v.exact_correlation <= v.correlation.high + 1e-9)
  end
  local noisy = g:noisy{ token_noise=.1 }
  lu.assertTrue(rhm.principle(noisy, { n=40000 }).learned)
  lu.assertTrue(rhm.principle(noisy:sample{ n=4000 }, { grammar=noisy }).learned)
  fails("token noise hides them", rhm.principle, noisy, { n=400, features="true" })
end

function TestPrinciple.test_s_of_each_level()
  local g = rhm.grammar{ V=6, m=3, s={3, 2}, seed=3 }
  lu.assertEquals(g.d, 6)
  local r = rhm.principle(g, { n=30000 })
  lu.assertEquals(r.levels[2].layers[2].inputs > 100, true)
  for l = 1, 2 do
    lu.assertAlmostEquals(r.levels[l].exact_gap, g:gap(l), 1e-12)
    lu.assertTrue(r.levels[l].gap.low <= g:gap(l) + 1e-9 and g:gap(l) <= r.levels[l].gap.high + 1e-9)
  end
  local d = g:sample{ n=30000, seed=2 }
  local learned = rhm.principle(d, { s={3, 2} })
  lu.assertEquals({#learned.levels, learned.ok}, {2, r.ok})
  fails("s = {2, 2}: the product is 4, but the strings have 6 tokens", rhm.principle, d, { s={2, 2} })
  fails("L = 3: s has 2 numbers", rhm.principle, d, { s={3, 2}, L=3 })
end

function TestPrinciple.test_the_same_again()
  local g = rhm.grammar{ V=8, m=4, s=2, L=2, seed=2 }
  local a = tostring(rhm.principle(g, { n=3000, seed=4 }))
  lu.assertEquals(tostring(rhm.principle(g, { n=3000, seed=4 })), a)
  lu.assertNotEquals(tostring(rhm.principle(g, { n=3000, seed=5 })), a)
  for line in a:gmatch "[^\n]+" do lu.assertTrue(#line <= 80, line) end
end

function TestPrinciple.test_places_that_differ()
  lu.assertStrContains(rhm.principle(rhm.formula{ gates="and or,and", L=2 }, { n=5000 }).verdict,
    "differ from place to place")
end

function TestPrinciple.test_errors()
  fails("all 1000 strings have label 1: there is nothing to learn", rhm.principle, rhm.formula{ gates="0000", L=2 },
    { n=1000 })
  local g = rhm.grammar{ V=8, m=4, s=2, L=2, seed=2 }
  local d = g:sample{ n=300 }
  fails("5: a grammar, a formula, a source or a data set expected", rhm.principle, 5)
  fails("unknown key 'capacty': did you mean 'capacity'?", rhm.principle, g, { capacty=1 })
  fails("'s' is missing: the tokens of a patch (d = 4 = s^L)", rhm.principle, d)
  fails("s = 3: the 4 tokens of a string are no power of it", rhm.principle, d, { s=3 })
  fails("L = 3: s^L = 2^3, but the strings have 4 tokens", rhm.principle, d, { s=2, L=3 })
  fails("n = 5: a data set gives all its strings", rhm.principle, d, { s=2, n=5 })
  fails("features = \"true\": nobody knows", rhm.principle, d, { s=2, features="true" })
  fails("features = \"both\": must be", rhm.principle, g, { features="both" })
  fails("s and L: the grammar has its own", rhm.principle, g, { s=2 })
  fails("grammar: is for a data set", rhm.principle, g, { grammar=g })
  fails("grammar = 3: must be a grammar", rhm.principle, d, { grammar=3 })
  fails("place 3: must be 1..2", rhm.principle, g, { n=100, place=3 })
  fails("confidence = 1: must be between", rhm.principle, g, { confidence=1 })
  fails("none of the grammar's", rhm.principle, d, { grammar=rhm.grammar{ V=8, m=4, s=2, L=2, seed=3 } })
end

os.exit(lu.LuaUnit.run())
