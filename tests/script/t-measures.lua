-- t-measures.lua - g:resample, net:outputs, rhm.sensitivity against sums over all strings of small grammars.
package.path = os.getenv "srcdir" .. "/tests/script/?.lua;" .. package.path
local lu = require "luaunit"
local rewritten = require "enumeration".rewritten

TestMeasures = {}

-- All strings that a label derives, each with the sequence of level-l symbols above it: a list of {[0] = {label}, ...,
-- [L] = tokens}.
local function derivations(g, label)
  local list = {{[0] = {label}}}
  for l = 1, g.L do
    local rules, longer = g:rules(l), {}
    for _, tree in ipairs(list) do
      for _, sequence in ipairs(rewritten(rules, tree[l - 1])) do
        local t = table.move(tree, 0, l - 1, 0, {})
        t[l] = sequence
        longer[#longer + 1] = t
      end
    end
    list = longer
  end
  return list
end

local function all_strings(g)
  local trees, tokens, labels = {}, {}, {}
  for label = 1, g.classes do
    for _, tree in ipairs(derivations(g, label)) do
      trees[#trees + 1], tokens[#tokens + 1], labels[#labels + 1] = tree, tree[g.L], label
    end
  end
  return trees, rhm.dataset{ tokens=tokens, labels=labels, V=g.V, classes=g.classes }
end

-- The mean of |f(x) - f(y)|^2 over all x and all y with the same level-l symbols: all strings are equally likely, and
-- no string has two derivations. l = nil: over all pairs. By sums: E|x - y|^2 = 2 (E|x|^2 - |E x|^2) in each group.
local function mean_square(trees, f, l)
  local groups, total = {}, 0
  for i, tree in ipairs(trees) do
    local key = l and table.concat(tree[l], " ") or ""
    groups[key] = groups[key] or {}
    table.insert(groups[key], f[i])
  end
  for _, rows in pairs(groups) do
    for c = 1, f:cols() do
      local sum, squares = 0, 0
      for _, row in ipairs(rows) do sum, squares = sum + row[c], squares + row[c] ^ 2 end
      total = total + 2 * (squares - sum ^ 2 / #rows)
    end
  end
  return total / #trees
end

-- Of the three kinds of networks, and of such with another branching factor than the grammar's.
function TestMeasures.test_sensitivity_of_other_networks()
  local g = rhm.grammar{ V=3, m=2, s=2, L=3, seed=2 }
  local trees, all = all_strings(g)
  for _, kind in ipairs{"cnn", "onestep", "network"} do
    for _, s in ipairs(kind == "network" and {3} or {2, 3}) do
      local net = rhm[kind]{ grammar=g, s=s, seed=1, [kind == "network" and "M" or "h"]=kind == "network" and 64 or 16 }
      net:train{ from=g:sample{ n=200, seed=1 }, [kind == "cnn" and "epochs" or "seed"]=20, progress=false }
      local t, worst, least, most = rhm.sensitivity{ of=net, grammar=g, n=20000, seed=3 }, 0, 1, 0
      lu.assertEquals({#t, t.layers, t.levels}, {net.L, s == 2 and 3 or 2, 3})
      for k = 1, net.L do
        local f = net:outputs(all, k)
        local scale = mean_square(trees, f)
        for l = 1, g.L do
          local exact = mean_square(trees, f, l - 1) / scale
          worst = math.max(worst, math.abs(t[k][l] - exact))
          least, most = math.min(least, exact), math.max(most, exact)
        end
      end
      print(string.format("%s, s = %d: S to %.2g of all strings, %.2g to %.2g", kind, s, worst, least, most))
      lu.assertTrue(worst < 0.04, worst) -- a standard error of about 0.01
      lu.assertTrue(most > 0.5 and most - least > 0.3)
    end
  end
end

function TestMeasures.test_sensitivity_is_that_of_all_strings()
  local worst, least, most = 0, 1, 0
  for _, case in ipairs{{V=3, m=2, s=2, L=2, n=200}, {V=3, m=2, s=2, L=3, n=15}, {V=4, m=2, s=2, L=3, n=40000}} do
    local g = rhm.grammar{ V=case.V, m=case.m, s=case.s, L=case.L, seed=2 }
    local net = rhm.network{ grammar=g, M=128, seed=1 }
    net:train{ from=g, n=case.n, progress=false }
    local trees, all = all_strings(g)
    local t = rhm.sensitivity{ of=net, n=20000, seed=3 }
    for k = 1, g.L do
      local f = net:outputs(all, k)
      lu.assertEquals({f:rows(), f:cols()}, {#trees, g.s ^ (k - 1) * g.classes // 1})
      local scale = mean_square(trees, f)
      for l = 1, g.L do
        local exact = mean_square(trees, f, l - 1) / scale
        worst = math.max(worst, math.abs(t[k][l] - exact))
        least, most = math.min(least, exact), math.max(most, exact)
      end
    end
  end
  -- 20000: a standard error of about 0.01
  print(string.format("S to %.2g of all strings, %.2g to %.2g", worst, least, most))
  lu.assertTrue(worst < 0.04, worst)
  lu.assertTrue(least < 0.01 and most > 0.5)
end

function TestMeasures.test_a_trained_layer_does_not_notice_its_synonyms()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }
  local net = rhm.network{ grammar=g, seed=1 }
  lu.assertEquals(net:train{ from=g, progress=false }.accuracy, 1)
  local t = rhm.sensitivity{ of=net }
  for k = 1, 3 do
    for l = 1, 3 do
      if l >= k then
        if l > 1 then lu.assertEquals(t[k][l], 0.0) end
      else
        lu.assertTrue(t[k][l] > 0.2, t[k][l])
      end
    end
  end
  lu.assertStrContains(tostring(t), "level 3")
  -- a function, an object and the network are the same
  local again = rhm.sensitivity{ of=function(d, k) return net:outputs(d, k) end, grammar=g }
  local object = rhm.sensitivity{ of={outputs=function(_, d, k) return net:outputs(d, k) end}, grammar=g, layers=2 }
  for k = 1, 3 do lu.assertEquals(again[k], t[k]) end
  lu.assertEquals(object[2], t[2])
  lu.assertNil(object[3])
  lu.assertNotEquals(rhm.sensitivity{ of=net, seed=1 }[1], t[1])
end

function TestMeasures.test_resample()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }
  local d = g:sample{ n=300, seed=4 }
  local e, one, same = g:resample(d, 2), g:resample(d, 3, 2, "rules", 5), g:resample(d, 3, 2, "rules", 5)
  local changed, symbol = 0, g:resample(d, 1, nil, "symbol", 6)
  for i = 1, 300 do
    lu.assertEquals(e:label(i), d:label(i))
    lu.assertEquals(one:tokens(i), same:tokens(i))
    for j = 1, 8 do
      if j ~= 3 and j ~= 4 then lu.assertEquals(one:tokens(i)[j], d:tokens(i)[j]) end
    end
    changed = changed + (symbol:label(i) ~= d:label(i) and 1 or 0)
  end
  lu.assertTrue(changed > 230 and changed < 290, changed) -- 7/8 of 300
  local function refuse(words, ...)
    local ok, message = pcall(...)
    lu.assertFalse(ok)
    lu.assertStrContains(message, words)
  end
  refuse("level 4: must be", g.resample, g, d, 4)
  refuse("place 5: must be", g.resample, g, d, 3, 5)
  refuse("kind = 'x': must be 'rules' or 'symbol'", g.resample, g, d, 3, 1, "x")
  refuse("seed -1: must be", g.resample, g, d, 3, 1, "rules", -1)
  refuse("a data set expected, got 3", g.resample, g, 3, 1)
  refuse("they must fit", g.resample, g, rhm.grammar{ V=8, m=4, s=2, L=2 }:sample{ n=3 }, 1)
  refuse("is no string of the grammar", g.resample, g, rhm.grammar{ V=8, m=4, s=2, L=3, seed=9 }:sample{ n=3 }, 3)
  local net = rhm.network{ grammar=g, M=64 }
  refuse("not trained", net.outputs, net, d, 1)
  refuse("a data set expected, got nil", net.outputs, net)
  refuse("of = 3: a network", rhm.sensitivity, {of=3, grammar=g})
  refuse("'of' is missing", rhm.sensitivity, {})
  refuse("grammar = nil", rhm.sensitivity, {of=function() end})
  refuse("grammar = 3", rhm.sensitivity, {of=function() end, grammar=3})
  refuse("outputs of layer 1 are nil", rhm.sensitivity, {of=function() end, grammar=g})
  refuse("have 8 rows for 1000 strings", rhm.sensitivity, {of=function() return g:q(1) end, grammar=g})
  refuse("n = 0", rhm.sensitivity, {of=net, n=0})
  refuse("matrix expected", g:q(1).square_distance, g:q(1), 3)
  lu.assertEquals(g:q(1):square_distance(g:q(1)), 0.0)
end

-- From all strings, their probabilities multiplied up from the rules.
local function correlation_of_all(g, place)
  local trees, weights, cells, patches, labels = all_strings(g), {}, {}, {}, {}
  for l = 1, g.L do weights[l] = g:weights(l) end
  for _, tree in ipairs(trees) do
    local p = 1 / g.classes
    for l = 1, g.L do
      local rules = g:rules(l)
      for i, nu in ipairs(tree[l - 1]) do
        local below = table.concat(tree[l], " ", (i - 1) * g.s + 1, i * g.s)
        for k, children in ipairs(rules[nu]) do
          if table.concat(children, " ") == below then p = p * weights[l][nu][k] end
        end
      end
    end
    local key, label = table.concat(tree[g.L], " ", (place - 1) * g.s + 1, place * g.s), tree[0][1]
    cells[key] = cells[key] or {}
    cells[key][label] = (cells[key][label] or 0) + p
    patches[key], labels[label] = (patches[key] or 0) + p, (labels[label] or 0) + p
  end
  local sum = 0
  for key, p in pairs(patches) do
    for c = 1, g.classes do sum = sum + p * ((cells[key][c] or 0) / p - labels[c]) ^ 2 end
  end
  return math.sqrt(sum / g.classes)
end

function TestMeasures.test_correlation_is_that_of_all_strings()
  for _, shape in ipairs{{V=3, m=2, s=2, L=3}, {V=3, m=2, s=2, L=2, classes=2, zipf=1},
      {V=3, m=2, s=3, L=2, weights={3, 1}}, {V=4, m=2, s=2, L=3, zipf=2}} do
    shape.seed = 5
    local g = rhm.grammar(shape)
    local d = g:sample{ n=40000, seed=1 }
    for place = 1, g.s ^ (g.L - 1) do
      local exact, none = rhm.correlation{ of=g, place=place }
      lu.assertAlmostEquals(exact, correlation_of_all(g, place), 1e-12)
      lu.assertEquals(none, 0.0)
      local counted, noise = rhm.correlation{ of=d, s=g.s, place=place }
      lu.assertAlmostEquals(counted ^ 2, exact ^ 2, 6 * noise * (noise + exact) + 1e-3 * exact ^ 2)
      lu.assertTrue(noise >= 0 and noise < 0.02)
    end
  end
end

-- Labels that have nothing to do with the strings: the noise is taken off, so that the mean square is 0, not noise^2.
function TestMeasures.test_correlation_of_nothing()
  local g, sum, floor = rhm.grammar{ V=8, m=4, s=2, L=2, seed=1 }, 0, 0
  for seed = 1, 20 do
    local a, b, tokens, labels = g:sample{ n=500, seed=seed }, g:sample{ n=500, seed=100 + seed }, {}, {}
    for i = 1, 500 do tokens[i], labels[i] = a:tokens(i), b:label(i) end
    local C, noise = rhm.correlation{ of=rhm.dataset{ tokens=tokens, labels=labels, V=8, classes=8 }, s=2 }
    sum, floor = sum + C ^ 2, floor + noise ^ 2
  end
  lu.assertTrue(sum < 0.25 * floor, sum / floor) -- squares below 0 count as 0, so not quite 0
end

function TestMeasures.test_correlation_of_the_ensemble()
  local sum, C = 0, 16
  for seed = 1, 60 do
    sum = sum + rhm.correlation{ of=rhm.grammar{ V=16, m=4, s=2, L=3, seed=seed }, place=3 } ^ 2 / 60
  end
  local ratio = sum / ((C - 1) / C ^ 2 * 4.0 ^ -2)
  lu.assertTrue(ratio > 0.8 and ratio < 1, ratio)
end

function TestMeasures.test_correlation_errors()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3 }
  local function refuse(words, t)
    local ok, message = pcall(rhm.correlation, t)
    lu.assertFalse(ok)
    lu.assertStrContains(message, words)
  end
  refuse("of = nil: a grammar or a data set", {})
  refuse("of = a table", {of={q=1, s=2}})
  refuse("'s' is missing", {of=g:sample{ n=9 }})
  refuse("s = 3: does not divide the 8 tokens", {of=g:sample{ n=9 }, s=3})
  refuse("s = 4: the grammar's patches have 2 tokens", {of=g, s=4})
  refuse("place = 5", {of=g, place=5})
end

os.exit(lu.LuaUnit.run())
