-- t-dataset.lua - rhm.dataset: tables, files in three formats, splits; rhm.matrix beside it.
local lu = require "luaunit"

TestDataset = {}

local function equal(a, b)
  lu.assertEquals({#a, a.n, a.d, a.V, a.classes}, {#b, b.n, b.d, b.V, b.classes})
  for i = 1, #a do
    lu.assertEquals(a:tokens(i), b:tokens(i))
    lu.assertEquals(a:label(i), b:label(i))
  end
end

local function sample(n, seed)
  return rhm.grammar{ V=8, m=4, s=2, L=3, classes=5, seed=1 }:sample{ n=n, seed=seed }
end

function TestDataset.test_from_tables()
  local d = rhm.dataset{ tokens={{1, 3, 2}, {2, 1, 1}}, labels={2, 1} }
  lu.assertEquals({#d, d.d, d.V, d.classes}, {2, 3, 3, 2})
  lu.assertEquals(d:tokens(1), {1, 3, 2})
  lu.assertEquals(d:label(1), 2)
  local wide = rhm.dataset{ tokens={{1, 2}}, labels={1}, V=9, classes=4 }
  lu.assertEquals({wide.V, wide.classes}, {9, 4})
  lu.assertEquals(rhm.dataset{ tokens={{1, 1}}, labels={1} }.V, 2) -- a single symbol is no alphabet
end

function TestDataset.test_files()
  local d = sample(200, 3)
  for _, name in ipairs{"d.h5", "d.csv", "d.txt", "d.npy"} do
    d:save(name)
    equal(rhm.dataset{ path=name, V=8, classes=5 }, d)
    equal(rhm.dataset(name), d) -- 200 strings show all symbols
  end
end

function TestDataset.test_files_count_from_0()
  rhm.dataset{ tokens={{1, 3}, {2, 2}}, labels={2, 1} }:save("zero.csv")
  local numbers = {}
  for line in io.lines "zero.csv" do
    if line:find "^%d" then
      for number in line:gmatch "%d+" do numbers[#numbers + 1] = tonumber(number) end
    end
  end
  lu.assertEquals(numbers, {0, 2, 1, 1, 1, 0})
end

function TestDataset.test_numpy_file()
  local folder = os.getenv "RHM_TEST_DATA"
  if not folder then lu.skip "RHM_TEST_DATA is not set" end
  local d = rhm.dataset(folder .. "/rhm-8-4-2-3.npy")
  lu.assertEquals({d.d, d.V, d.classes}, {8, 8, 8})
  lu.assertTrue(#d >= 1000)
end

function TestDataset.test_split()
  local d = sample(1000, 4)
  local train, test = d:split(.8)
  lu.assertEquals({#train, #test, train.V, test.classes}, {800, 200, 8, 5})
  local again = d:split{ fraction=.8, seed=0 }
  equal(again, train)
  local other = d:split{ fraction=.8, seed=1 }
  lu.assertNotEquals(other:tokens(1), train:tokens(1))
  local function keys(...)
    local count = {}
    for _, part in ipairs{...} do
      for i = 1, #part do
        local key = table.concat(part:tokens(i), " ") .. ":" .. part:label(i)
        count[key] = (count[key] or 0) + 1
      end
    end
    return count
  end
  lu.assertEquals(keys(train, test), keys(d)) -- nothing lost, nothing twice
end

function TestDataset.test_disjoint_split()
  local tokens, labels = {}, {}
  for i = 1, 400 do
    tokens[i], labels[i] = {i % 7 + 1, i % 5 + 1, i % 3 + 1}, i % 2 + 1
  end
  local train, test = rhm.dataset{ tokens=tokens, labels=labels }:split{ fraction=.5, seed=2, disjoint=true }
  lu.assertEquals(#train + #test, 400)
  local seen = {}
  for i = 1, #train do seen[table.concat(train:tokens(i), " ")] = true end
  for i = 1, #test do lu.assertNil(seen[table.concat(test:tokens(i), " ")]) end
end

function TestDataset.test_prints_itself()
  local text = tostring(sample(10, 1))
  for _, part in ipairs{"10 strings of 8 tokens", "V = 8", "5 classes", "..."} do lu.assertStrContains(text, part) end
end

function TestDataset.test_missing()
  local d = rhm.dataset{ tokens={{1, 0, 2}, {2, 1, 1}, {0, 0, 3}}, labels={2, 0, 1} }
  lu.assertEquals({d.V, d.classes, d.unlabelled, d.missing}, {3, 2, 1, 3})
  lu.assertEquals({d:tokens(1), d:label(1), d:label(2)}, {{1, 0, 2}, 2, 0})
  lu.assertStrContains(tostring(d), "missing (?): 1 labels, 3 of 9 tokens")
  lu.assertStrContains(tostring(d), "1: 1 ? 2 -> 2\n  2: 2 1 1 -> ?")
  for _, name in ipairs{"missing.h5", "missing.csv", "missing.npy"} do
    d:save(name)
    equal(rhm.dataset(name), d)
  end
  equal(rhm.dataset{ tokens={{1, 2}}, labels={0} }, rhm.dataset{ tokens={{1, 2}}, labels={0}, V=2, classes=2 })
end

function TestDataset.test_hide()
  local d = sample(1000, 5)
  local half = d:hide{ labels=.5, seed=3 }
  lu.assertEquals({#half, half.unlabelled, half.missing}, {1000, 500, 0})
  local more = d:hide{ labels=.7, tokens=.1, seed=3 }
  lu.assertEquals(more.unlabelled, 700)
  lu.assertAlmostEquals(more.missing, 800, 5 * math.sqrt(8000 * .1 * .9))
  for i = 1, 1000 do
    lu.assertEquals(half:tokens(i), d:tokens(i))
    lu.assertTrue(half:label(i) == 0 or half:label(i) == d:label(i))
    lu.assertTrue(half:label(i) > 0 or more:label(i) == 0) -- a larger share hides the same and more
  end
  equal(d:hide{ labels=0 }, d)
  lu.assertEquals(d:hide{ labels=1, tokens=1 }.missing, 8000)
  lu.assertErrorMsgContains("labels = 1.5: must be a share, from 0 to 1", d.hide, d, {labels=1.5})
  lu.assertErrorMsgContains("nothing to hide", d.hide, d, {seed=1})
end

-- Learners see the strings that have a label and no others; none reads a string with holes.
function TestDataset.test_learners_and_missing_values()
  local d = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }:sample{ n=400, seed=1 }
  local some, tokens, labels = d:hide{ labels=.5, seed=2 }, {}, {}
  for i = 1, 400 do
    if some:label(i) > 0 then tokens[#tokens + 1], labels[#labels + 1] = d:tokens(i), d:label(i) end
  end
  local whole, holes = rhm.dataset{ tokens=tokens, labels=labels, V=4, classes=4 }, d:hide{ tokens=.5, seed=2 }
  local none = d:hide{ labels=1 }
  local learners = {
    function() return rhm.network{ V=4, s=2, L=2, M=128, seed=1 } end,
    function() return rhm.cnn{ V=4, s=2, L=2, h=8, seed=1 } end,
    function() return rhm.shallow{ V=4, d=4, kind="kernel" } end,
    function() return rhm.shallow{ V=4, d=4, kind="rbf", M=64 } end,
  }
  for _, new in ipairs(learners) do
    local a, b = new(), new()
    a:train{ from=some }
    b:train{ from=whole }
    local _, p = a:predict(d)
    local _, q = b:predict(d)
    for i = 1, 400, 7 do
      for c = 1, 4 do lu.assertEquals(p[i][c], q[i][c]) end
    end
    lu.assertEquals(a:accuracy(some), b:accuracy(whole))
    lu.assertErrorMsgMatches(".*string 1: token %d is missing: the .* reads whole strings", a.train, a, {from=holes})
    lu.assertErrorMsgContains("is missing: the", a.predict, a, holes)
    lu.assertErrorMsgContains("is missing: the", a.accuracy, a, holes)
    lu.assertErrorMsgContains("none of the 400 strings of the data set has a label", a.train, a, {from=none})
    lu.assertErrorMsgContains("none of the 400 strings of the data set has a label", a.accuracy, a, none)
  end
  local net = learners[1]()
  lu.assertErrorMsgContains("the data set has 200 strings with a label", net.train, net, {from=some, n=201})
  lu.assertEquals({rhm.correlation{ of=some, s=2 }}, {rhm.correlation{ of=whole, s=2 }})
  lu.assertTrue(rhm.correlation{ of=d:hide{ tokens=.2 }, s=2 } > 0)
end

TestMatrix = {}

function TestMatrix.test_rows_and_places()
  local m = rhm.grammar{ V=4, m=2, s=2, L=2, classes=3, seed=1 }:q(2)
  lu.assertEquals({m:rows(), m:cols(), #m, #m[1]}, {4, 3, 4, 3})
  for _, i in ipairs{0, 5, -1, 1.5} do lu.assertNil(m[i]) end
  lu.assertNil(m[1][4])
  lu.assertNil(m[1][0])
  lu.assertEquals(#{table.unpack(m[1])}, 3)
  lu.assertStrContains(tostring(m), "[4 x 3]")
  lu.assertError(function() m[1] = 2 end)
  lu.assertError(function() m[1][1] = 2 end)
end

function TestMatrix.test_a_row_keeps_its_matrix()
  local row = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }:q(1)[1]
  collectgarbage() collectgarbage()
  lu.assertEquals({row[1], row[2], row[3], row[4]}, {1, 0, 0, 0})
end

function TestMatrix.test_csv()
  local m = rhm.grammar{ V=4, m=2, s=2, L=2, classes=3, seed=1 }:q(2)
  m:save("m.csv")
  local i = 0
  for line in io.lines "m.csv" do
    i = i + 1
    local j = 0
    for number in line:gmatch "[^,]+" do
      j = j + 1
      local x = m[i][j]
      if x ~= x then lu.assertStrContains(number, "nan") else lu.assertEquals(tonumber(number), x) end
    end
    lu.assertEquals(j, 3)
  end
  lu.assertEquals(i, 4)
end

os.exit(lu.LuaUnit.run())
