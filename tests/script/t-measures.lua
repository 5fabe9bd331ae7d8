-- t-measures.lua - g:resample, net:outputs, rhm.sensitivity against sums over all strings of small grammars.
local lu = require "luaunit"

TestMeasures = {}

-- All strings that a label derives, each with the sequence of level-l symbols above it: list of {[0] = {label}, ..., [L] = tokens}.
local function derivations(g, label)
  local list = {{[0] = {label}}}
  for l = 1, g.L do
    local rules, longer = g:rules(l), {}
    for _, tree in ipairs(list) do
      local partial = {{}}
      for _, symbol in ipairs(tree[l - 1]) do
        local grown = {}
        for _, prefix in ipairs(partial) do
          for _, children in ipairs(rules[symbol]) do
            local t = table.move(prefix, 1, #prefix, 1, {})
            grown[#grown + 1] = table.move(children, 1, #children, #t + 1, t)
          end
        end
        partial = grown
      end
      for _, sequence in ipairs(partial) do
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

-- The mean of |f(x) - f(y)|^2 over all x and all y with the same level-l symbols: all strings are equally likely, and no
-- string has two derivations. l = nil: over all pairs. By sums: E|x - y|^2 = 2 (E|x|^2 - |E x|^2) in each group.
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
  print(string.format("S to %.2g of all strings, %.2g to %.2g", worst, least, most)) -- 20000: a standard error of about 0.01
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

os.exit(lu.LuaUnit.run())
