-- t-width.lua - what rhm prints leaves the last column of the terminal free, at any width people have.
local lu = require "luaunit"
local help = require "rhm.help"

TestWidth = {}

local program = os.getenv "RHM" or arg[-1]

-- Every report there is: of good grammars and bad, of layers that learn and layers that cannot.
local reports = [==[
local function grammar(V, m, s, L, seed) return rhm.grammar{ V=V, m=m, s=s, L=L, seed=seed } end
local g = grammar(8, 4, 2, 3, 3)
for _, h in ipairs{g, grammar(8, 4, 2, 3, 1), grammar(3, 1, 2, 12, 1), grammar(64, 16, 3, 3, 1)} do
  print(h) print(h:check())
end
local function layers(net)
  print(net)
  for l = 3, 1, -1 do
    local lay = net:layer(l)
    print(lay)
    if not lay.trained then return end
    print(lay:diagnostics()) print(lay:synonyms()) print(lay:distances()) print(lay:patches()) print(lay:q())
  end
end
local d = g:sample{ n=300, seed=2 }
print(d)
for _, options in ipairs{{from=g}, {from=g, n=200}, {from=d}, {from=g, n=20000, solver="gd", steps=300}} do
  local net = rhm.network{ grammar=g, M=256 }
  layers(net)
  print(net:train(options))
  layers(net)
  print(net.job) print(net.job.progress)
  local labels, probabilities = net:predict(d)
  print(probabilities)
  rhm.print(labels, { probabilities }, { options, "text" }, g:schedule{ by="gap", c=16 })
end
]==]

-- Runs code with so many columns; no line may reach the last one.
local function check(width, code)
  local file = assert(io.open("code.lua", "wb"))
  file:write(code)
  file:close()
  local pipe = io.popen(("COLUMNS=%d %q -E code.lua 2>&1; echo \"exit $?\""):format(width, program))
  local n, last = 0, nil
  for line in pipe:lines() do
    lu.assertTrue((utf8.len(line) or #line) < width, ("%d columns at width %d: %s"):format(#line, width, line))
    n, last = n + 1, line
  end
  pipe:close()
  lu.assertEquals(last, "exit 0")
  return n
end

function TestWidth.test_reports()
  for _, width in ipairs{80, 100, 200} do lu.assertTrue(check(width, reports) > 500) end
end

-- The overview, and the page of every name.
function TestWidth.test_help()
  local code = [[local help = require "rhm.help"
print(help.text())
for _, entry in ipairs(help.list) do print(help.page(entry)) end]]
  for _, width in ipairs{80, 100} do lu.assertTrue(check(width, code) > 5 * #help.list) end
end

function TestWidth.test_usage()
  local pipe = io.popen(("%q --help"):format(program))
  for line in pipe:lines() do lu.assertTrue(#line < 80, line) end
  lu.assertTrue(pipe:close())
end

os.exit(lu.LuaUnit.run())
