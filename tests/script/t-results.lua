-- t-results.lua - rhm.results, and JSON, in which it keeps parameters and measures.
local lu = require "luaunit"
local json = require "rhm.json"

TestJson = {}

function TestJson:test_canonical()
  lu.assertEquals(json.encode{ b=1, a={ 1, 2.5, "x" }, c={ } }, '{"a":[1,2.5,"x"],"b":1,"c":{}}')
  lu.assertEquals(json.encode{ N=1000.0 }, json.encode{ N=1000 })
  lu.assertEquals(json.encode(0.1), "0.1")
  lu.assertEquals(json.encode(1/3), "0.3333333333333333")
  lu.assertEquals(json.encode(math.huge), "9e999")
  lu.assertEquals(json.encode(0/0), "null")
  lu.assertEquals(json.encode "a\"b\\c\n\1\127\xE9", '"a\\"b\\\\c\\n\\u0001\\u007fé"') -- Latin-1 becomes UTF-8
end

function TestJson:test_comes_back()
  local value = {
    list={ 1, -2, 3.5, 1e300, 5e-324, 0.1 + 0.2, math.maxinteger, math.mininteger },
    text="ü \"\\\n\t\r\0\127/", yes=true, no=false,
    inner={ deep={ deeper={ } } }, ["odd key"]="x",
  }
  lu.assertEquals(json.decode(json.encode(value)), value)
  lu.assertEquals(math.type(json.decode "3"), "integer")
  lu.assertEquals(math.type(json.decode "3.0"), "float")
  lu.assertEquals(json.decode "9e999", math.huge)
  lu.assertEquals(json.decode ' { "a" : [ 1 , { } , [ ] ] , "b":null, "c":"\\u00e9\\ud83d\\ude00\\/" } ',
    { a={ 1, { }, { } }, c="é😀/" })
end

function TestJson:test_refusals()
  for _, text in ipairs{ "", "{", "[1,]", "{a=1}", '{"a" 1}', '"x', "tru", "1 2", '"\\q"', "--1", '{"a":1,}' } do
    local value, message = json.decode(text)
    lu.assertNil(value)
    lu.assertStrContains(message, "not JSON at byte", false, text)
  end
  lu.assertErrorMsgContains("p.f: a function", json.encode, { f=print }, "p")
  lu.assertErrorMsgContains("names of fields must be strings", json.encode, { 1, 2, x=3 }, "p")
  local loop = {}
  loop.loop = loop
  lu.assertErrorMsgContains("nested more than", json.encode, loop, "p")
end

TestResults = {}

function TestResults:setUp()
  os.remove "r.db"
  self.r = rhm.results{ path="r.db", create=true }
end

function TestResults:tearDown() self.r:close() end

function TestResults:test_runs()
  local r = self.r
  lu.assertEquals(#r, 0)
  local before = os.time()
  r:add{ experiment="one", parameters={ N=1000, kind="a" }, seed=1, measures={ accuracy=0.5 }, started=before,
    seconds=2 }
  r:add{ experiment="one", parameters={ kind="a", N=1e3 }, seed=2, error="no luck" }
  r:add{ experiment="two", parameters={ }, seed=1, measures={ bad=0/0 }, version="0", host="h" }
  lu.assertEquals(#r, 3)
  lu.assertEquals(r:experiments(), { { name="one", runs=2, failed=1 }, { name="two", runs=1, failed=0 } })
  local runs = r:runs "one"
  lu.assertEquals(#runs, 2)
  lu.assertEquals(runs[1].parameters, { N=1000, kind="a" })
  lu.assertEquals(runs[1].measures, { accuracy=0.5 })
  lu.assertEquals({ runs[1].status, runs[1].seed, runs[1].seconds }, { "done", 1, 2 })
  lu.assertEquals({ runs[1].started, runs[1].ended }, { before, before + 2 })
  lu.assertEquals(runs[1].version, rhm.version)
  lu.assertEquals({ runs[2].status, runs[2].error, runs[2].measures }, { "failed", "no luck" })
  lu.assertEquals(r:find("one", { N=1000, kind="a" }, 2).error, "no luck")
  lu.assertNil(r:find("one", { N=1001, kind="a" }, 2))
  lu.assertEquals(r:find("two", { }, 1).measures, { })
  lu.assertEquals(#r:runs(), 3)
  lu.assertEquals(tostring(r), "results in r.db\n  one: 2 runs, 1 failed\n  two: 1 runs")
  lu.assertEquals(r.path, "r.db")
end

function TestResults:test_refusals()
  local r = self.r
  local function refused(words, t) lu.assertErrorMsgContains(words, r.add, r, t) end
  refused("'experiment'", { parameters={ }, seed=1, measures={ } })
  refused("experiment 'a b'", { experiment="a b", parameters={ }, seed=1, measures={ } })
  refused("'seed'", { experiment="a", parameters={ }, measures={ } })
  refused("parameters = nil: must be a table", { experiment="a", seed=1, measures={ } })
  refused("parameters.f: a function", { experiment="a", seed=1, parameters={ f=print }, measures={ } })
  refused("not a list", { experiment="a", seed=1, parameters={ 1, 2 }, measures={ } })
  refused("'measures' or 'error'", { experiment="a", seed=1, parameters={ } })
  lu.assertEquals(#r, 0)
  local reader = rhm.results{ path="r.db", readonly=true }
  lu.assertErrorMsgContains("reading only", reader.add, reader,
    { experiment="a", seed=1, parameters={ }, measures={ } })
  lu.assertErrorMsgContains("reading only", reader.merge, reader, "none.db")
  reader:close()
  lu.assertErrorMsgContains("exclude each other", rhm.results, { path="r.db", create=true, readonly=true })
  lu.assertErrorMsgContains("No such file", rhm.results, "none.db")
  lu.assertErrorMsgContains("no runs", r.export, r, "x.csv")
  r:close()
  lu.assertErrorMsgContains("closed", r.runs, r)
  lu.assertEquals(tostring(r), "results: closed")
  local file = io.open("r.csv", "w")
  file:write "N,accuracy\n1000,0.5\n"
  file:close()
  lu.assertErrorMsgContains("r.csv: not an SQLite database; it stays as it is", rhm.results,
    { path="r.csv", create=true })
end

function TestResults:test_merge_and_export()
  local r = self.r
  os.remove "s.db"
  local s = rhm.results{ path="s.db", create=true }
  r:add{ experiment="one", parameters={ N=1 }, seed=1, measures={ x=1 } }
  s:add{ experiment="one", parameters={ N=1 }, seed=2, measures={ x=2 } }
  s:add{ experiment="one", parameters={ N=1 }, seed=1, measures={ x=1 } }
  s:close()
  lu.assertEquals(r:merge "s.db", { added=1, replaced=0, equal=1, kept=0 })
  lu.assertEquals(r:export "r.csv", 2)
  local lines = {}
  for line in io.lines "r.csv" do lines[#lines + 1] = line end
  lu.assertStrContains(lines[1], "N,seed,x,status,")
  lu.assertStrContains(lines[3], "1,2,2,done,")
  r:add{ experiment="other", parameters={ }, seed=1, measures={ } }
  lu.assertErrorMsgContains("several experiments (one, other, ...)", r.export, r, "r.csv")
  lu.assertErrorMsgContains("same file", r.merge, r, "r.db")
end

-- Processes that open, write and close the same file at the same time, in turns that nobody orders.
function TestResults:test_many_writers()
  local file = io.open("writer.lua", "w")
  file:write [[
    for i = 1, 20 do
      local r = rhm.results{ path="r.db", create=true }
      r:add{ experiment="e", parameters={ writer=tonumber(arg[1]) }, seed=i, measures={ x=1 } }
      assert(#r:runs "e" >= i)
      r:close()
    end]]
  file:close()
  local program = os.getenv "RHM" or arg[-1]
  local command = ("%q writer.lua %%d & "):format(program)
  local ok = os.execute("(" .. command:format(1) .. command:format(2) .. command:format(3) .. "wait) 2>errors")
  lu.assertTrue(ok)
  lu.assertEquals(io.open("errors"):read "a", "")
  lu.assertEquals(self.r:experiments(), { { name="e", runs=60, failed=0 } })
end

os.exit(lu.LuaUnit.run())
