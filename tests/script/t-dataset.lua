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
