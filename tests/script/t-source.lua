-- t-source.lua - rhm.source: strings from a Lua function, its random numbers, learners, errors.
local lu = require "luaunit"

TestSource = {}

local function fails(text, f, ...)
  lu.assertErrorMsgContains(text, f, ...)
end

-- The majority of d tokens of two.
local function majority(d)
  return rhm.source{ V=2, classes=2, d=d, name="majority", sample=function(rng)
    local tokens, sum = {}, 0
    for k = 1, d do
      tokens[k] = rng:integer(2)
      sum = sum + tokens[k]
    end
    return tokens, sum > 1.5 * d and 2 or 1
  end }
end

function TestSource.test_fields()
  local src = majority(5)
  lu.assertEquals({src.V, src.classes, src.C, src.d, src.s, src.L, src.name}, {2, 2, 2, 5, nil, nil, "majority"})
  lu.assertStrMatches(tostring(src), "source majority: V = 2, 2 classes, d = 5 tokens a string\n +sample: .*:%d+", 1)
  local tree = rhm.source{ V=3, classes=4, s=2, L=3, sample=print }
  lu.assertEquals({tree.V, tree.classes, tree.d, tree.s, tree.L}, {3, 4, 8, 2, 3})
end

-- String i depends on (seed, i) alone.
function TestSource.test_strings()
  local src = majority(5)
  local d, more, other = src:sample{ n=20, seed=3 }, src:sample{ n=40, seed=3 }, src:sample{ n=20, seed=4 }
  lu.assertEquals({#d, d.d, d.V, d.classes}, {20, 5, 2, 2})
  local differ = 0
  for i = 1, 20 do
    lu.assertEquals(d:tokens(i), more:tokens(i))
    lu.assertEquals(d:label(i), more:label(i))
    if table.concat(d:tokens(i)) ~= table.concat(other:tokens(i)) then differ = differ + 1 end
    local sum = 0
    for _, token in ipairs(d:tokens(i)) do sum = sum + token end
    lu.assertEquals(d:label(i), sum > 7.5 and 2 or 1)
  end
  lu.assertTrue(differ > 10)
end

-- What rng gives, string by string, in a table.
local function draws(n, f)
  local list = {}
  rhm.source{ V=2, classes=2, d=1, sample=function(rng)
    list[#list + 1] = f(rng)
    return {1}, 1
  end }:sample{ n=n, seed=7 }
  return list
end

-- Counts against equal expectations: chi-square below its mean + 5 sd.
local function even(list, cells)
  local count, x = {}, 0
  for _, value in ipairs(list) do count[value] = (count[value] or 0) + 1 end
  local wanted = #list / #cells
  for _, cell in ipairs(cells) do
    x = x + ((count[cell] or 0) - wanted) ^ 2 / wanted
    count[cell] = nil
  end
  lu.assertNil(next(count))
  lu.assertTrue(x < #cells - 1 + 5 * math.sqrt(2 * (#cells - 1)), x)
end

function TestSource.test_random_numbers()
  even(draws(6000, function(rng) return rng:integer(6) end), {1, 2, 3, 4, 5, 6})
  even(draws(6000, function(rng) return rng:integer(-1, 1) end), {-1, 0, 1})
  even(draws(6000, function(rng) return rng:boolean() end), {true, false})
  even(draws(6000, function(rng) return rng:choose{ "a", "b", "c" } end), {"a", "b", "c"})
  even(draws(6000, function(rng) return table.concat(rng:shuffle{ 1, 2, 3 }) end),
    {"123", "132", "213", "231", "312", "321"})
  even(draws(6000, function(rng) return rng:real() * 10 // 1 end), {0., 1., 2., 3., 4., 5., 6., 7., 8., 9.})
  local sum, square = 0, 0
  for _, x in ipairs(draws(6000, function(rng) return rng:normal() end)) do sum, square = sum + x, square + x * x end
  lu.assertTrue(math.abs(sum) < 5 * math.sqrt(6000))
  lu.assertTrue(math.abs(square - 6000) < 5 * math.sqrt(2 * 6000))
  local heads = 0
  for _, x in ipairs(draws(6000, function(rng) return rng:boolean(.1) end)) do heads = heads + (x and 1 or 0) end
  lu.assertTrue(math.abs(heads - 600) < 5 * math.sqrt(540))
  lu.assertEquals(draws(3, function(rng) return rng:boolean(0) end), {false, false, false})
  lu.assertEquals(draws(2, function(rng) return rng:integer(5, 5) end), {5, 5})
  local widest = draws(1, function(rng) return rng:integer(math.mininteger, math.maxinteger) end)
  lu.assertTrue(math.type(widest[1]) == "integer")
  lu.assertEquals(draws(2, tostring)[2], "random numbers of seed 7, string 2")
end

function TestSource.test_learners()
  local src = majority(9)
  local k = rhm.shallow{ V=2, d=9, classes=2, M=256 }
  lu.assertEquals(k:train{ from=src, n=1000 }.n, 1000)
  lu.assertTrue(k:accuracy(src, { n=500 }) > .9)
  local c = rhm.shallow{ V=2, d=9, classes=2, kind="mlp", h=32 }
  c:train{ from=src, n=1000, epochs=100, progress=false }
  lu.assertTrue(c:accuracy(src, { n=500, seed=1 }) > .9)
  local pairs_of_two = rhm.source{ V=3, classes=2, s=2, L=2, sample=function(rng)
    local t = {rng:integer(3), rng:integer(3), rng:integer(3), rng:integer(3)}
    return t, t[1] == t[2] and 2 or 1
  end }
  local net = rhm.network{ V=3, s=2, L=2, classes=2, M=128 }
  net:train{ from=pairs_of_two, n=500, progress=false }
  lu.assertEquals(net:accuracy(pairs_of_two, { n=200 }), 1.0)
end

function TestSource.test_missing()
  local d = rhm.source{ V=3, classes=2, d=2, sample=function(rng) return {0, 2.0}, 0 end }:sample{ n=3 }
  lu.assertEquals({d:tokens(2), d:label(2), d.unlabelled, d.missing}, {{0, 2}, 0, 3, 3})
end

function TestSource.test_errors_of_the_function()
  local function drawing(f)
    local src = rhm.source{ V=3, classes=2, d=2, sample=f }
    return function() return src:sample{ n=5 } end
  end
  local count = 0
  fails("source:sample: string 3: ", drawing(function()
    count = count + 1
    if count == 3 then error "no more" end
    return {1, 1}, 1
  end))
  fails("no more", drawing(function() error("no more", 0) end))
  fails("string 1: tokens[2] = 4: must be a whole number from 1 to 3, or 0 for missing",
    drawing(function() return {1, 4}, 1 end))
  fails("string 1: tokens[1] = 'a'", drawing(function() return {"a", 2}, 1 end))
  fails("string 1: tokens[1] = 1.5", drawing(function() return {1.5, 2}, 1 end))
  fails("string 1: label = 3: must be a whole number from 1 to 2", drawing(function() return {1, 2}, 3 end))
  fails("string 1: label = nil", drawing(function() return {1, 2} end))
  fails("string 1: 3 tokens, d = 2 expected", drawing(function() return {1, 2, 3}, 1 end))
  fails("string 1: sample returned 5: a list of 2 tokens", drawing(function() return 5, 1 end))
  fails("rng:integer: n = 0: must be", drawing(function(rng) return {rng:integer(0), 1}, 1 end))
  fails("rng:integer: b = 1", drawing(function(rng) return {rng:integer(2, 1), 1}, 1 end))
  fails("rng:boolean: p = 2", drawing(function(rng) return {rng:boolean(2), 1}, 1 end))
  fails("rng:choose: a list expected, got an empty table", drawing(function(rng) return {rng:choose{}, 1}, 1 end))
  fails("rng:shuffle: a list expected, got 3", drawing(function(rng) return {rng:shuffle(3), 1}, 1 end))
  local net = rhm.network{ V=3, s=2, L=1, classes=2 }
  fails("network:train: string 1: label = 9", net.train, net,
    { from=rhm.source{ V=3, classes=2, d=2, sample=function() return {1, 2}, 9 end } })
end

function TestSource.test_errors()
  fails("key 'sample' is missing", rhm.source, { V=2, classes=2, d=3 })
  fails("sample = 3: must be a function(rng)", rhm.source, { V=2, classes=2, d=3, sample=3 })
  fails("key 'V' is missing", rhm.source, { classes=2, d=3, sample=print })
  fails("key 'd' is missing", rhm.source, { V=2, classes=2, sample=print })
  fails("V = 1: must be from 2 to 65535", rhm.source, { V=1, classes=2, d=3, sample=print })
  fails("s and L go together: L is missing", rhm.source, { V=2, classes=2, s=2, sample=print })
  fails("d = 5, but s^L = 2^2 = 4", rhm.source, { V=2, classes=2, d=5, s=2, L=2, sample=print })
  fails("s^L = 9^50", rhm.source, { V=2, classes=2, s=9, L=50, sample=print })
  fails("unknown key 'smaple': did you mean 'sample'?", rhm.source, { V=2, classes=2, d=5, smaple=print })
  local src = majority(3)
  fails("key 'n' is missing", src.sample, src, {})
  fails("the budget is", src.sample, src, { n=2 ^ 50 // 1 })
  fails("from = 3: must be a grammar, a formula, a source or a data set", function()
    rhm.network{ V=2, s=2, L=2 }:train{ from=3 }
  end)
end

os.exit(lu.LuaUnit.run())
