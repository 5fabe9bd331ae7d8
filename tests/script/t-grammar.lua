-- t-grammar.lua - rhm.grammar: rules, exact signal against enumeration, schedules, strings.
package.path = os.getenv "srcdir" .. "/tests/script/?.lua;" .. package.path
local lu = require "luaunit"
local branches = require "rhm.branches"
local rewritten = require "enumeration".rewritten

TestGrammar = {}

-- All sequences of level-(l-1) symbols that a label derives, one for each derivation (they are equally likely).
local function derivations(g, label, depth)
  local list = {{label}}
  for l = 1, depth do
    local rules, longer = g:rules(l), {}
    for _, sequence in ipairs(list) do
      local partial = rewritten(rules, sequence)
      table.move(partial, 1, #partial, #longer + 1, longer)
    end
    list = longer
  end
  return list
end

-- q of the parents at place i of level l, by counting derivations.
local function counted_q(g, l, i)
  local parents = l == 1 and g.classes or g.V
  local count, total = {}, {}
  for nu = 1, parents do count[nu], total[nu] = {}, 0 end
  for label = 1, g.classes do
    for _, sequence in ipairs(derivations(g, label, l - 1)) do
      local nu = sequence[i]
      count[nu][label] = (count[nu][label] or 0) + 1
      total[nu] = total[nu] + 1
    end
  end
  return count, total
end

local function check_q(g)
  for l = 1, g.L do
    for i = 1, branches.product(g.s, 1, l - 1) do
      local q, count, total = g:q(l, i), counted_q(g, l, i)
      lu.assertEquals(q:rows(), l == 1 and g.classes or g.V)
      lu.assertEquals(q:cols(), g.classes)
      for nu = 1, q:rows() do
        for label = 1, g.classes do
          if total[nu] == 0 then
            lu.assertIsNaN(q[nu][label])
          else
            lu.assertAlmostEquals(q[nu][label], (count[nu][label] or 0) / total[nu], 1e-12)
          end
        end
      end
    end
  end
end

function TestGrammar.test_q_equals_enumeration()
  local shapes = {{V=4, m=2, s=2, L=3}, {V=3, m=2, s=2, L=3, classes=2}, {V=3, m=2, s=3, L=3, classes=5},
    {V=2, m=2, s=5, L=2, classes=3}, {V=6, m=3, s=2, L=3, C=4}, {V=4, m=2, s={2, 3}}, {V=4, m=3, s={3, 2}, classes=3},
    {V=3, m=2, s={2, 2, 3}, L=3}}
  for _, shape in ipairs(shapes) do
    for seed = 1, 4 do
      shape.seed = seed
      check_q(rhm.grammar(shape))
    end
  end
end

function TestGrammar.test_first_place_is_the_default()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }
  local a, b = g:q(3), g:q(3, 1)
  for i = 1, 8 do for j = 1, 8 do lu.assertEquals(a[i][j], b[i][j]) end end
end

function TestGrammar.test_gap_and_K()
  local g = rhm.grammar{ V=8, m=4, s=2, L=4, seed=5 }
  local K = math.huge
  for l = 1, 4 do
    local q, gap = g:q(l), math.huge
    for a = 1, q:rows() do
      for b = a + 1, q:rows() do
        local sum = 0
        for c = 1, q:cols() do sum = sum + (q[a][c] - q[b][c]) ^ 2 end
        if sum == sum then gap = math.min(gap, math.sqrt(sum)) end -- not nan
      end
    end
    lu.assertAlmostEquals(g:gap(l), gap, 1e-12)
    K = math.min(K, gap * 4 ^ (l / 2))
  end
  lu.assertAlmostEquals(g:K(), K, 1e-12)
end

function TestGrammar.test_rules_are_unambiguous()
  local g = rhm.grammar{ V=16, m=8, s=2, L=3, classes=5, seed=2 }
  for l = 1, 3 do
    local rules, seen = g:rules(l), {}
    lu.assertEquals(#rules, l == 1 and 5 or 16)
    for _, list in ipairs(rules) do
      lu.assertEquals(#list, 8)
      for _, children in ipairs(list) do
        lu.assertEquals(#children, 2)
        for _, child in ipairs(children) do lu.assertTrue(child >= 1 and child <= 16) end
        local key = table.concat(children, " ")
        lu.assertNil(seen[key])
        seen[key] = true
      end
    end
  end
end

function TestGrammar.test_tuples_without_listing_them()
  local g = rhm.grammar{ V=256, m=3, s=4, L=2, seed=1 } -- 256^4 tuples
  local seen = {}
  for _, list in ipairs(g:rules(2)) do
    for _, children in ipairs(list) do
      local key = table.concat(children, " ")
      lu.assertNil(seen[key])
      seen[key] = true
    end
  end
end

function TestGrammar.test_rules_go_back_and_forth()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, classes=6, seed=7 }
  local h = rhm.grammar{ rules={g:rules(1), g:rules(2), g:rules(3)} }
  lu.assertEquals({h.V, h.m, h.s, h.L, h.classes, h.d}, {8, 4, 2, 3, 6, 8})
  lu.assertNil(h.seed)
  for l = 1, 3 do lu.assertEquals(h:rules(l), g:rules(l)) end
  local a, b = g:sample{ n=50, seed=1 }, h:sample{ n=50, seed=1 }
  for i = 1, 50 do
    lu.assertEquals(a:tokens(i), b:tokens(i))
    lu.assertEquals(a:label(i), b:label(i))
  end
end

function TestGrammar.test_seeds()
  local function rules(seed) return rhm.grammar{ V=8, m=4, s=2, L=2, seed=seed }:rules(2) end
  lu.assertEquals(rules(4), rules(4))
  lu.assertNotEquals(rules(4), rules(5))
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=4 }
  lu.assertNotEquals(g:rules(2), g:rules(3))
end

function TestGrammar.test_latin()
  for _, shape in ipairs{{V=8, m=8, s=2, L=3}, {V=8, m=8, s=3, L=3}, {V=8, m=16, s=3, L=3, classes=5}} do
    shape.ensemble, shape.seed = "latin", 6
    local g = rhm.grammar(shape)
    lu.assertEquals({g.ensemble, g.shuffle, g.seed}, {"latin", 0.0, 6})
    for l = 1, 3 do
      for nu, list in ipairs(g:rules(l)) do
        for _, children in ipairs(list) do
          local sum = 0
          for _, child in ipairs(children) do sum = sum + child - 1 end
          lu.assertEquals(sum % 8, nu - 1)
        end
      end
    end
    lu.assertTrue(g:K() < 1e-12, g:K())
    lu.assertFalse(g:check().ok)
    for _, share in ipairs{0.1, 0.4, 1} do
      shape.shuffle = share
      local h, n = rhm.grammar(shape), 0
      lu.assertEquals(h.shuffle, share)
      for nu, list in ipairs(h:rules(2)) do
        for k, children in ipairs(list) do
          local same = table.concat(children, " ") == table.concat(g:rules(2)[nu][k], " ")
          n = n + (same and 0 or 1)
        end
      end
      lu.assertTrue(n > 0 and n <= math.floor(share * 8 * shape.m + 0.5), n)
    end
    lu.assertTrue(rhm.grammar(shape):K() > 0.1)
    lu.assertStrContains(tostring(rhm.grammar(shape)), "latin")
  end
  local u = rhm.grammar{ V=8, m=4, s=2, L=3 }
  lu.assertEquals(u.ensemble, "uniform")
  lu.assertNil(u.shuffle)
end

function TestGrammar.test_noise_and_prior()
  local clean = rhm.grammar{ V=4, m=2, s=2, L=3, seed=2 }
  local g = rhm.grammar{ V=4, m=2, s=2, L=3, seed=2, label_noise=.1, token_noise=.05, prior={4, 3, 2, 1} }
  lu.assertEquals({g.label_noise, g.token_noise, clean.label_noise, clean.token_noise}, {.1, .05, 0.0, 0.0})
  lu.assertEquals(g:prior(), {.4, .3, .2, .1})
  lu.assertEquals(clean:prior(), {.25, .25, .25, .25})
  lu.assertEquals(g:rules(2), clean:rules(2))
  for _, part in ipairs{"labels from 0.1 to 0.4", "label noise 0.1, token noise 0.05"} do
    lu.assertStrContains(tostring(g), part)
  end
  lu.assertAlmostEquals(g:q(1)[2][2], .9 + .1 / 4, 1e-15)
  local back = g:noisy{ label_noise=0, token_noise=0, prior={1, 1, 1, 1} }
  for l = 1, 3 do lu.assertEquals(back:gap(l), clean:gap(l)) end
  local a, b = back:sample{ n=50, seed=1 }, clean:sample{ n=50, seed=1 }
  for i = 1, 50 do lu.assertEquals({a:tokens(i), a:label(i)}, {b:tokens(i), b:label(i)}) end
  local half = clean:noisy{ label_noise=.5 }
  for l = 1, 3 do lu.assertAlmostEquals(half:gap(l), clean:gap(l) / 2, 1e-14) end
  lu.assertEquals(g:noisy{ token_noise=.2 }:prior(), g:prior())
  local report = tostring(g:check())
  lu.assertStrContains(report, "label noise 0.1")
  lu.assertStrContains(report, "token noise 0.05: a rule's 2 tokens")
end

-- What a learner says of strings that it was trained on, and of the grammar they came from.
function TestGrammar.test_learners_of_noisy_data()
  local g = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1, label_noise=.1, token_noise=.1, prior={1, 2, 3, 4} }
  local d, test = g:sample{ n=4000, seed=1 }, g:sample{ n=20000, seed=2 }
  local net = rhm.network{ grammar=g, M=256, seed=1 }
  for _, how in ipairs{ {from=d}, {from=g, sampler="tally"}, {from=g, sampler="draw"} } do
    how.n = how.n or 4000
    net:train(how)
    local exact, counted = net:accuracy(g), net:accuracy(test)
    lu.assertAlmostEquals(exact, counted, 5 * math.sqrt(.25 / 20000))
    for l = 2, 1, -1 do
      lu.assertTrue(net:layer(l):diagnostics().error < .2)
      lu.assertTrue(#net:layer(l):synonyms() > 0)
    end
  end
  lu.assertNotNil(net:parse(test:tokens(1)).label)
  local cnn, shallow = rhm.cnn{ V=4, s=2, L=2, h=16, seed=1 }, rhm.shallow{ V=4, d=4, kind="kernel" }
  cnn:train{ from=d, epochs=20 }
  shallow:train{ from=d }
  lu.assertTrue(cnn:accuracy(test) > .5)
  lu.assertTrue(shallow:accuracy(test) > .5)
  lu.assertErrorMsgContains("the grammar's strings have token noise", g.resample, g, d, 2)
  lu.assertErrorMsgContains("token_noise = 0.1", rhm.correlation, {of=g})
  lu.assertTrue(rhm.correlation{ of=g:noisy{ token_noise=0 } } > 0)
end

-- Sums over all strings of a small grammar, in Lua.
function TestGrammar.test_bayes()
  local g = rhm.grammar{ V=3, m=2, s=2, L=2, seed=3, token_noise=.2, label_noise=.1, prior={3, 2, 1} }
  local rules, joint = {g:rules(1), g:rules(2)}, {}
  for label = 1, 3 do
    for _, top in ipairs(rules[1][label]) do
      for _, a in ipairs(rules[2][top[1]]) do
        for _, b in ipairs(rules[2][top[2]]) do
          local clean = {a[1], a[2], b[1], b[2]}
          for k = 0, 80 do
            local p, number = g:prior()[label] / 8, k
            for j = 1, 4 do
              p = p * (.2 / 3 + (number % 3 + 1 == clean[j] and .8 or 0))
              number = number // 3
            end
            joint[k] = joint[k] or {0, 0, 0}
            for seen = 1, 3 do joint[k][seen] = joint[k][seen] + p * (.1 / 3 + (seen == label and .9 or 0)) end
          end
        end
      end
    end
  end
  local best, tokens, labels = 0, {}, {}
  for k = 0, 80 do
    best, labels[k + 1] = best + math.max(table.unpack(joint[k])), 1
    tokens[k + 1] = {k % 3 + 1, k // 3 % 3 + 1, k // 9 % 3 + 1, k // 27 + 1}
  end
  local exact = g:bayes()
  lu.assertTrue(exact.exact)
  lu.assertAlmostEquals(exact.accuracy, best, 1e-12)
  local p, outside = g:posterior(rhm.dataset{ tokens=tokens, labels=labels, V=3, classes=3 })
  lu.assertEquals({p:rows(), p:cols(), outside}, {81, 3, 0})
  for k = 0, 80 do
    local sum = joint[k][1] + joint[k][2] + joint[k][3]
    for c = 1, 3 do lu.assertAlmostEquals(p[k + 1][c], joint[k][c] / sum, 1e-12) end
    if k % 10 == 0 then lu.assertEquals(g:posterior(tokens[k + 1])[1][2], p[k + 1][2]) end
  end
  local drawn = g:bayes{ n=20000, seed=1 }
  lu.assertFalse(drawn.exact)
  lu.assertAlmostEquals(drawn.accuracy, best, 5 * drawn.error)
  lu.assertAlmostEquals(drawn.counted, best, 5 * math.sqrt(.25 / 20000))
  lu.assertStrContains(tostring(drawn), "best possible accuracy for the label")
  lu.assertStrContains(tostring(exact), "exact\nover all 81 strings")
  local symbols = g:posterior({1, 0, 2, 3}, { level=1 })
  lu.assertEquals({symbols:rows(), symbols:cols()}, {2, 3})
  lu.assertEquals(g:posterior({0, 0, 0, 0}, { level=2 }):rows(), 4)
  -- nobody does better
  local test = g:sample{ n=5000, seed=7 }
  local net, bayes = rhm.network{ grammar=g, M=128 }, g:bayes(test)
  net:train{ from=g }
  lu.assertTrue(net:accuracy(g) <= best + 1e-12)
  lu.assertEquals(bayes.labelled, 5000)
  local hidden = g:bayes(test:hide{ tokens=.5, labels=.5 })
  lu.assertTrue(hidden.accuracy < bayes.accuracy)
  lu.assertEquals(hidden.labelled, 2500)
end

function TestGrammar.test_strings_outside_the_language()
  local g = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }
  local d, tokens, labels = g:sample{ n=200, seed=1 }, {}, {}
  for i = 1, 200 do
    tokens[i], labels[i] = d:tokens(i), d:label(i)
    if i % 4 == 0 then -- a tuple that is no rule
      local rule = {}
      for _, list in ipairs(g:rules(2)) do
        for _, t in ipairs(list) do rule[t[1] * 4 + t[2]] = true end
      end
      for a = 1, 4 do
        for b = 1, 4 do if not rule[a * 4 + b] then tokens[i][1], tokens[i][2] = a, b end end
      end
    end
  end
  local mixed = rhm.dataset{ tokens=tokens, labels=labels, V=4, classes=4 }
  local p, outside = g:posterior(mixed)
  lu.assertEquals(outside, 50)
  lu.assertTrue(p[4][1] ~= p[4][1])
  lu.assertEquals(p[1][d:label(1)], 1)
  local bayes = g:bayes(mixed)
  lu.assertEquals({bayes.outside, bayes.counted, bayes.accuracy}, {50, 1.0, 1.0})
  lu.assertStrContains(tostring(bayes), "50 strings the grammar cannot give")
  lu.assertEquals(g:bayes(mixed, { token_noise=.1 }).outside, 0)
  lu.assertEquals(g:noisy{ label_noise=.4 }:bayes().accuracy, .7)
  lu.assertErrorMsgContains("level = 3: must be from 0 (the label) to 2 (L)", g.posterior, g, d, {level=3})
  lu.assertErrorMsgContains("a string of 2 tokens, those of the grammar have 4", g.posterior, g, {1, 2})
  lu.assertErrorMsgContains("token 2 = 5", g.posterior, g, {1, 5, 1, 1})
  lu.assertErrorMsgContains("exact goes through all strings", g.bayes, g, {exact=true, n=10})
  lu.assertErrorMsgContains("got 3", g.posterior, g, 3)
end

function TestGrammar.test_zipf_and_weights()
  local g = rhm.grammar{ V=4, m=4, s=2, L=3, seed=0, zipf=1.5 }
  local sum = 0
  for k = 1, 4 do sum = sum + k ^ -1.5 end
  for l = 1, 3 do
    for _, p in ipairs(g:weights(l)) do
      for k = 1, 4 do lu.assertAlmostEquals(p[k], k ^ -1.5 / sum, 1e-14) end
    end
  end
  lu.assertEquals(g.zipf, 1.5)
  lu.assertStrContains(tostring(g), "exponent 1.5")
  -- the same probabilities as weights, for all symbols and for each: the same grammar, q and strings
  local rules, weights = {g:rules(1), g:rules(2), g:rules(3)}, {g:weights(1), g:weights(2), g:weights(3)}
  local same = rhm.grammar{ rules=rules, weights=weights }
  lu.assertNil(same.zipf)
  lu.assertStrContains(tostring(same), "weighted")
  for l = 1, 3 do
    lu.assertEquals(same:weights(l), g:weights(l))
    lu.assertEquals(same:gap(l), g:gap(l))
  end
  local a, b = g:sample{ n=200, seed=3 }, same:sample{ n=200, seed=3 }
  for i = 1, 200 do lu.assertEquals(a:tokens(i), b:tokens(i)) end
  lu.assertEquals(rhm.grammar{ rules=rules, weights={8, 4, 2, 2} }:weights(2)[3], {0.5, 0.25, 0.125, 0.125})
  -- equal ones are the uniform grammar
  local u = rhm.grammar{ V=4, m=4, s=2, L=3, seed=5 }
  local e = rhm.grammar{ V=4, m=4, s=2, L=3, seed=5, weights={2, 2, 2, 2} }
  lu.assertEquals({u.zipf, e.zipf}, {0.0, 0.0})
  lu.assertEquals(tostring(u), tostring(e))
  lu.assertEquals(u:sample{ n=1, seed=9 }:tokens(1), e:sample{ n=1, seed=9 }:tokens(1))
  lu.assertEquals(u:weights(1)[1], {0.25, 0.25, 0.25, 0.25})
  -- a network that keeps its grammar keeps them
  local net = rhm.network{ grammar=g, M=256, seed=1 }
  lu.assertTrue(net:train{ from=g, progress=false }.accuracy > 0.99)
  lu.assertEquals(net.grammar:weights(2), g:weights(2))
end

-- Symbol 3 of level 1 never stands first; symbols 1 and 2 do.
local function lame()
  return rhm.grammar{ rules={
    {{{1, 2}, {1, 3}}, {{2, 1}, {2, 3}}, {{1, 1}, {2, 2}}},
    {{{1, 2}, {2, 1}}, {{3, 1}, {1, 3}}, {{2, 3}, {3, 2}}}} }
end

function TestGrammar.test_check_names_missing_symbols()
  local c = lame():check()
  lu.assertFalse(c.ok)
  lu.assertEquals(c.levels[1].missing, {})
  lu.assertEquals(c.levels[2].missing, {3})
  lu.assertStrContains(tostring(c), "fails")
  lu.assertStrContains(tostring(c), "symbol 3 of level 1 never stands first")
  lu.assertIsNaN(lame():q(2)[3][1])
end

function TestGrammar.test_check_sees_equal_q()
  local g = rhm.grammar{ rules={{{{1, 2}, {2, 1}}, {{1, 1}, {2, 2}}}, {{{1, 2}, {2, 1}}, {{1, 1}, {2, 2}}}} }
  local c = g:check()
  lu.assertFalse(c.ok)
  lu.assertTrue(c.levels[2].gap <= 1e-12)
  lu.assertStrContains(tostring(c), "the same q")
end

function TestGrammar.test_check_agrees_with_gap()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }
  local c = g:check()
  lu.assertTrue(c.ok)
  lu.assertStrContains(tostring(c), "holds")
  lu.assertEquals(c.K, g:K())
  for l = 1, 3 do
    lu.assertEquals(c.levels[l].gap, g:gap(l))
    lu.assertTrue(c.levels[l].pmin > 0 and c.levels[l].pmin <= 1 / 8)
  end
end

function TestGrammar.test_schedules()
  local g = rhm.grammar{ V=16, m=4, s=2, L=4, seed=3 }
  local depth, default, gap = g:schedule{ by="depth", c=100 }, g:schedule(), g:schedule{ by="gap", c=8 }
  local theorem = g:schedule{ by="theorem", kappa=2, delta=.05 }
  for l = 1, 4 do
    lu.assertEquals(math.type(depth[l]), "integer")
    lu.assertEquals(depth[l], math.max(100 * 16 * 4 * 4 ^ l, 20000))
    lu.assertEquals(default[l], math.max(32 * 16 * 4 * 4 ^ l, 20000))
    lu.assertAlmostEquals(gap[l], math.max(8 * 16 * 4 / g:gap(l) ^ 2, 20000), 1)
    local N = 2 * 16 ^ 2 * 4 ^ 2 * 2 * 4 * math.log(16 * 4 * 2 / .05) ^ 2 / g:K() ^ 2 * 4 ^ l
    lu.assertAlmostEquals(theorem[l] / N, 1, 1e-6)
  end
end

-- The label that derives a string, or nil.
local function parse(tables, g, tokens)
  for l = g.L, 1, -1 do
    local up = {}
    local s = branches.at(g.s, l)
    for i = 1, #tokens, s do
      local nu = tables[l][table.concat(tokens, " ", i, i + s - 1)]
      if not nu then return nil end
      up[#up + 1] = nu
    end
    tokens = up
  end
  return tokens[1]
end

local function parse_tables(g)
  local tables = {}
  for l = 1, g.L do
    tables[l] = {}
    for nu, list in ipairs(g:rules(l)) do
      for _, children in ipairs(list) do tables[l][table.concat(children, " ")] = nu end
    end
  end
  return tables
end

function TestGrammar.test_samples_are_strings_of_the_grammar()
  for _, shape in ipairs{{V=8, m=4, s=2, L=3, seed=1}, {V=5, m=3, s=3, L=2, classes=3, seed=2}} do
    local g = rhm.grammar(shape)
    local d, tables, labels = g:sample{ n=2000, seed=11 }, parse_tables(g), {}
    lu.assertEquals({#d, d.d, d.V, d.classes}, {2000, g.d, g.V, g.classes})
    for i = 1, #d do
      lu.assertEquals(parse(tables, g, d:tokens(i)), d:label(i))
      labels[d:label(i)] = (labels[d:label(i)] or 0) + 1
    end
    local chi = 0
    for label = 1, g.classes do chi = chi + (labels[label] - 2000 / g.classes) ^ 2 / (2000 / g.classes) end
    lu.assertTrue(chi < 30, chi) -- 7 degrees of freedom: p = 1e-4; the seed is fixed
  end
end

function TestGrammar.test_sample_i_depends_on_the_seed_alone()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=1 }
  local few, many, threads = g:sample{ n=100, seed=5 }, g:sample{ n=3000, seed=5 }, rhm.threads
  rhm.threads = 1
  local one = g:sample{ n=3000, seed=5 }
  rhm.threads = threads
  for i = 1, 3000 do
    lu.assertEquals(many:tokens(i), one:tokens(i))
    if i <= 100 then lu.assertEquals(few:tokens(i), many:tokens(i)) end
  end
  lu.assertNotEquals(g:sample{ n=1, seed=6 }:tokens(1), few:tokens(1))
end

function TestGrammar.test_depth_60_without_strings()
  local g = rhm.grammar{ V=8, m=4, s=2, L=60, seed=1 }
  lu.assertEquals(g.d, 1 << 60)
  local row, sum = g:q(60, 1 << 59)[1], 0
  for c = 1, 8 do sum = sum + row[c] end
  lu.assertAlmostEquals(sum, 1, 1e-12)
  lu.assertEquals(#g:check().levels, 60)
  lu.assertErrorMsgContains("2^53", g.schedule, g)
  lu.assertErrorMsgContains("the budget is", g.sample, g, {n=1})
end

function TestGrammar.test_prints_itself()
  local text = tostring(rhm.grammar{ V=8, m=4, s=2, L=3, seed=12 })
  for _, part in ipairs{"V = 8", "m = 4", "s = 2", "L = 3", "seed 12"} do lu.assertStrContains(text, part) end
end

function TestGrammar.test_fields_cannot_be_set()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3 }
  lu.assertErrorMsgContains("field 'V' cannot be set", function() g.V = 9 end)
  lu.assertNil(g.nonsense)
end

os.exit(lu.LuaUnit.run())
