-- Help: every public name, key and field has its text, and every text its name.
local lu = require "luaunit"
local help = require "rhm.help"

local g = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }
local net = rhm.network{ grammar=g, M=64 }
net:train{ from=g, n=2000, progress=false }

-- One object of each class.
local random
local objects = {
  grammar = g, dataset = g:sample{ n=20 }, network = net, layer = net:layer(1), matrix = g:q(1), job = net.job,
  cnn = rhm.cnn{ grammar=g, h=4 }, shallow = rhm.shallow{ grammar=g, M=4 },
  onestep = rhm.onestep{ grammar=g, h=4 },
  formula = rhm.formula{ gates="and", L=1 },
  source = rhm.source{ V=2, classes=2, d=1, sample=function(rng)
    random = rng
    return {1}, 1
  end },
  results = rhm.results{ path="help.db", create=true },
  fit = rhm.fit{ x={ 1, 2, 3 }, y={ 1, 2, 4 } },
  sweep = rhm.sweep{ name="help", jobs=0, run=function() return { x=1 } end },
  search = rhm.search{ name="help", jobs=0, run=function() return { accuracy=1 } end },
}

objects.source:sample{ n=1 }
objects.random = random

local function sorted(set)
  local list = {}
  for key in pairs(set) do list[#list + 1] = key end
  table.sort(list)
  return list
end

TestHelp = {}

function TestHelp:test_functions_of_rhm()
  local there, told = {}, {}
  for name, value in next, rhm do
    local meta = getmetatable(value)
    if type(value) == "function" or (type(meta) == "table" and meta.__call) then there["rhm." .. name] = true end
  end
  for _, entry in ipairs(help.group "rhm") do told[entry.name] = true end
  lu.assertEquals(sorted(told), sorted(there))
end

function TestHelp:test_functions_of_views()
  for module, some in pairs { view="lines", panel="frame" } do
    local there, told = {}, {}
    lu.assertNotNil(rhm[module][some]) -- loaded
    for name, value in next, rhm[module] do
      if type(value) == "function" then there["rhm." .. module .. "." .. name] = true end
    end
    for _, entry in ipairs(help.group(module)) do told[entry.name] = true end
    lu.assertEquals(sorted(told), sorted(there))
    for name in pairs(told) do lu.assertEquals(help.name_of(rhm[module][name:match "[^.]*$"]), name) end
  end
end

function TestHelp:test_fields_of_rhm()
  local there = { version = true }
  for _, name in ipairs(debug.getmetatable(rhm).__fields) do there[name] = true end
  local told = {}
  for _, field in ipairs(help.entries.rhm.fields) do told[field[1]] = true end
  lu.assertEquals(sorted(told), sorted(there))
end

function TestHelp:test_objects()
  local told = {}
  for _, entry in ipairs(help.list) do
    if entry.kind == "object" and entry.name ~= "rhm" then told[entry.name] = true end
  end
  lu.assertEquals(sorted(told), sorted(objects))
end

function TestHelp:test_methods()
  for name, object in pairs(objects) do
    local there, told = {}, {}
    for method in pairs(debug.getmetatable(object).__methods) do there[name .. ":" .. method] = true end
    for _, entry in ipairs(help.methods(name)) do told[entry.name] = true end
    lu.assertEquals(sorted(told), sorted(there))
  end
end

function TestHelp:test_fields()
  for name, object in pairs(objects) do
    local there, told = {}, {}
    for _, field in ipairs(debug.getmetatable(object).__fields or {}) do there[field] = true end
    for _, field in ipairs(help.entries[name].fields or {}) do told[field[1]] = true end
    lu.assertEquals(sorted(told), sorted(there), name)
  end
end

-- A function that gets an unknown key far from all others names those that it knows.
local function known_keys(call)
  local keys = { qqqqqqqqqqqq = 1 }
  local ok, message = pcall(call, keys)
  lu.assertFalse(ok)
  local list = message:match "unknown key 'q+': it knows (.*)$"
  lu.assertNotNil(list, message)
  local set = {}
  for key in list:gmatch "[%w_]+" do set[key] = true end
  return set
end

function TestHelp:test_keys()
  local calls = {
    ["rhm.grammar"] = rhm.grammar, ["rhm.dataset"] = rhm.dataset, ["rhm.network"] = rhm.network,
    ["rhm.plot"] = rhm.plot, ["rhm.fit"] = rhm.fit,
    ["rhm.sensitivity"] = rhm.sensitivity, ["rhm.correlation"] = rhm.correlation,
    ["rhm.sweep"] = rhm.sweep, ["sweep:series"] = function(t) return objects.sweep:series(t) end,
    ["rhm.search"] = rhm.search, ["search:series"] = function(t) return objects.search:series(t) end,
    ["rhm.results"] = rhm.results, ["results:add"] = function(t) return objects.results:add(t) end,
    ["grammar:schedule"] = function(t) return g:schedule(t) end,
    ["grammar:sample"] = function(t) return g:sample(t) end,
    ["rhm.infer_branching"] = function(t) return rhm.infer_branching(objects.dataset, t) end,
    ["rhm.formula"] = rhm.formula, ["formula:sample"] = function(t) return objects.formula:sample(t) end,
    ["rhm.source"] = rhm.source, ["source:sample"] = function(t) return objects.source:sample(t) end,
    ["grammar:posterior"] = function(t) return g:posterior(g:sample{ n=1 }, t) end,
    ["grammar:bayes"] = function(t) return g:bayes(t) end,
    ["grammar:noisy"] = function(t) return g:noisy(t) end,
    ["rhm.principle"] = function(t) return rhm.principle(g, t) end,
    ["dataset:split"] = function(t) return objects.dataset:split(t) end,
    ["dataset:hide"] = function(t) return objects.dataset:hide(t) end,
    ["network:train"] = function(t) return net:train(t) end,
    ["network:refine"] = function(t) return net:refine(t) end,
    ["network:posterior"] = function(t) return net:posterior(g:sample{ n=1 }, t) end,
    ["layer:begin"] = function(t) return net:layer(2):begin(t) end,
    ["rhm.shallow"] = rhm.shallow, ["shallow:train"] = function(t) return objects.shallow:train(t) end,
    ["rhm.onestep"] = rhm.onestep, ["onestep:train"] = function(t) return objects.onestep:train(t) end,
    ["rhm.cnn"] = rhm.cnn, ["cnn:train"] = function(t) return objects.cnn:train(t) end,
  }
  for _, entry in ipairs(help.list) do
    if entry.keys and entry.kind ~= "topic" then
      lu.assertNotNil(calls[entry.name], entry.name .. " has keys, but no call in this test")
      local told = {}
      for _, key in ipairs(entry.keys) do told[key[1]] = true end
      lu.assertEquals(sorted(told), sorted(known_keys(calls[entry.name])), entry.name)
      calls[entry.name] = nil
    end
  end
  lu.assertNil(next(calls))
end

-- What a key's help says it can be is what the function takes: another word is an error that names them.
function TestHelp:test_values_of_keys()
  local calls = {
    ["rhm.grammar"] = function(key, value) return rhm.grammar{ V=4, m=4, s=2, L=2, [key]=value } end,
    ["rhm.network"] = function(key, value) return rhm.network{ grammar=g, M=64, [key]=value } end,
    ["rhm.plot"] = function(key, value) return rhm.plot{ y={ 1, 2 }, out="values.csv", [key]=value } end,
    ["rhm.fit"] = function(key, value) return rhm.fit{ x={ 1, 2 }, y={ 1, 2 }, [key]=value } end,
    ["grammar:schedule"] = function(key, value) return g:schedule{ [key]=value } end,
    ["network:train"] = function(key, value)
      return rhm.network{ grammar=g, M=64 }:train{ from=g, n=100, progress=false, [key]=value }
    end,
    ["rhm.shallow"] = function(key, value) return rhm.shallow{ grammar=g, [key]=value } end,
    ["rhm.onestep"] = function(key, value) return rhm.onestep{ grammar=g, [key]=value } end,
    ["rhm.formula"] = function(key, value) return rhm.formula{ gates="and", L=1, [key]=value } end,
    ["rhm.principle"] = function(key, value) return rhm.principle(g, { n=200, [key]=value }) end,
    ["rhm.cnn"] = function(key, value) return rhm.cnn{ grammar=g, h=4, [key]=value } end,
    ["cnn:train"] = function(key, value)
      return rhm.cnn{ grammar=g, h=4 }:train{ from=g, n=20, epochs=1, progress=false, [key]=value }
    end,
    ["layer:begin"] = function(key, value)
      return rhm.network{ grammar=g, M=64 }:layer(2):begin{ from=g, n=100, [key]=value }
    end,
  }
  local seen = 0
  for _, entry in ipairs(help.list) do
    for _, key in ipairs(entry.keys or {}) do
      for _, value in ipairs(key.values or {}) do
        local ok, message = pcall(calls[entry.name], key[1], value)
        lu.assertTrue(ok, message)
        seen = seen + 1
      end
      if key.values then lu.assertFalse((pcall(calls[entry.name], key[1], "qqq")), entry.name .. " " .. key[1]) end
    end
  end
  lu.assertTrue(seen > 10)
end

function TestHelp:test_entries_are_whole()
  for _, entry in ipairs(help.list) do
    lu.assertStrMatches(entry.summary, "[^\n]+[^.\n]", nil, nil, entry.name)
    lu.assertTrue(entry.kind ~= nil or entry.signature ~= nil, entry.name)
    for _, name in ipairs(entry.see or {}) do lu.assertNotNil(help.entries[name], entry.name .. " sees " .. name) end
    lu.assertNotNil(help.text(entry.name, 80))
  end
end

function TestHelp:test_pages_fit_the_width()
  for _, width in ipairs { 60, 80, 100 } do
    for line in help.overview(width):gmatch "[^\n]+" do lu.assertTrue(#line <= width, line) end
  end
  for _, entry in ipairs(help.list) do
    for line in help.page(entry, 80):gmatch "[^\n]+" do lu.assertTrue(#line <= 80, entry.name .. ": " .. line) end
  end
end

function TestHelp:test_find()
  lu.assertStrContains(help.text("grammar:q", 80), "exact q of the parents")
  lu.assertStrContains(help.text("q", 80), "layer:q")          -- two of them: a list
  lu.assertStrContains(help.text("q", 80), "grammar:q")
  lu.assertStrContains(help.text("rhm.clock()", 80), "rhm.clock()")
  lu.assertStrContains(help.text("clock", 80), "rhm.clock()")
  lu.assertStrContains(help.text("patch_count", 80), "one layer") -- a field: its object
  lu.assertEquals(help.text(g, 80), help.text("grammar", 80))
  lu.assertEquals(help.text(rhm.grammar, 80), help.text("rhm.grammar", 80))
  lu.assertEquals(help.text(g.check, 80), help.text("grammar:check", 80))
  lu.assertEquals(help.text(rhm, 80), help.text("rhm", 80))
end

function TestHelp:test_not_found()
  lu.assertEquals({ help.text("grammr") }, { nil, 'no help on "grammr": did you mean grammar, rhm.grammar?' })
  lu.assertEquals({ help.text("zzzzzzzz") }, { nil, 'no help on "zzzzzzzz": help() lists all names' })
  lu.assertEquals({ help.text(print) }, { nil, "no help on this function: it is none of rhm's" })
  lu.assertEquals({ help.text(5) }, { nil, "no help on a number value" })
  lu.assertErrorMsgContains("no such value", rhm.help, nil)
  my_net = rhm.network{ grammar=g } -- no name of the help, but one of the user's
  lu.assertEquals(help.text("my_net", 80), help.text("network", 80))
  my_net = nil
  lu.assertStrMatches(select(2, help.text "perplexity"), 'no help on "perplexity": apropos "perplexity" lists .*')
end

function TestHelp:test_mentions()
  local function names(word)
    local list = {}
    for i, entry in ipairs(help.mentions(word)) do list[i] = entry.name end
    return list
  end
  local posterior = names "posterior"
  lu.assertItemsEquals({posterior[1], posterior[2]}, {"grammar:posterior", "network:posterior"}) -- by their names
  local label_noise = names "LABEL_noise" -- a key, in small letters
  lu.assertTrue(#label_noise >= 2 and #label_noise < 12)
  lu.assertTableContains(label_noise, "rhm.grammar")
  lu.assertEquals(names "zzzz", {})
  lu.assertErrorMsgEquals('apropos: no page of the help mentions "zzzz"', help.apropos, "zzzz")
  lu.assertErrorMsgContains("a word expected, got 5", help.apropos, 5)
  lu.assertErrorMsgContains("a word expected, got nothing", help.apropos)
end

function TestHelp:test_manual_is_up_to_date()
  local name = (os.getenv "srcdir" or ".") .. "/man/rhm-api.7"
  local file = assert(io.open(name))
  local text = file:read "a"
  file:close()
  lu.assertTrue(text == require "rhm.manual".text(), name .. " is older than the help: make manual")
end

os.exit(lu.LuaUnit.run())
