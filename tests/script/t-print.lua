-- Values as the prompt shows them.
local lu = require "luaunit"
local program = os.getenv "RHM" or arg[-1]
local printer = require "rhm.print"

local function text(value, width) return printer.format(value, width or 80) end

-- Stands for rhm.matrix where numbers of our choice are wanted.
local function matrix(rows, cols, f)
  local row = function(i) return setmetatable({}, { __index = function(_, j) return f(i, j) end }) end
  return setmetatable({ rows = function() return rows end, cols = function() return cols end },
    { __index = function(_, i) return row(i) end })
end

TestPrint = {}

function TestPrint:test_scalars()
  lu.assertEquals(text(nil), "nil")
  lu.assertEquals(text(true), "true")
  lu.assertEquals(text(1), "1")
  lu.assertEquals(text(1.0), "1.0")
  lu.assertEquals(text(0.1), "0.1")
  lu.assertEquals(text("a\n\"b\"\0"), [["a\n\"b\"\0"]])
  lu.assertEquals(text(("x"):rep(1003)), '"' .. ("x"):rep(1000) .. '"... (3 more bytes)')
end

function TestPrint:test_tables()
  lu.assertEquals(text {}, "{}")
  lu.assertEquals(text { 1, 2, 3 }, "{1, 2, 3}")
  lu.assertEquals(text { "a", b = 1, A = 2, [10] = 3, ["end"] = 4, [true] = 5 },
    '{"a", [10] = 3, A = 2, b = 1, ["end"] = 4, [true] = 5}')
  lu.assertEquals(text({ alpha = 1, beta = { 1, 2 } }, 20), "{\n  alpha = 1,\n  beta = {1, 2}\n}")
  lu.assertEquals(text { 1, nil, 3 }, "{1, [3] = 3}")
end

function TestPrint:test_depth_and_length()
  lu.assertEquals(text { { { { { 1 } } } } }, "{{{{{1}}}}}")
  lu.assertEquals(text { { { { { "x" } } } } }, "{{{{{... (1)}}}}}")
  local list = {}
  for i = 1, 50 do list[i] = "s" end
  lu.assertStrContains(text(list), "... (10 more)")
  for i = 1, 1000 do list[i] = i end
  lu.assertStrContains(text(list), "400, ... (600 more)}")
end

function TestPrint:test_numbers_are_aligned_and_fit()
  local list = {}
  for i = 1, 100 do list[i] = i * i end
  for line in text(list, 40):gmatch "[^\n]+" do lu.assertTrue(#line <= 40, line) end
  lu.assertStrContains(text(list, 40), "{    1,     4,     9,")
end

function TestPrint:test_cycles()
  local t = { 1 }
  t.self = t
  lu.assertEquals(text(t), "{1, self = <the table itself>}")
  local twice = { "x" }
  lu.assertEquals(text { twice, twice }, '{{"x"}, {"x"}}')
end

function TestPrint:test_no_metamethod_but_tostring()
  local ran = false
  local trap = function() ran = true end
  lu.assertEquals(text(setmetatable({ 1, "a" }, { __index = trap, __pairs = trap, __len = trap })), '{1, "a"}')
  lu.assertFalse(ran)
  lu.assertEquals(text(setmetatable({}, { __tostring = function() return "mine" end })), "mine")
  lu.assertStrContains(text(setmetatable({}, { __tostring = function() error "bad" end })), "error in __tostring")
end

function TestPrint:test_matrix_common_format()
  lu.assertEquals(printer.matrix(matrix(2, 3, function(i, j) return i / j end), 80),
    "1.0000  0.5000  0.3333\n2.0000  1.0000  0.6667\n[2 x 3]")
  lu.assertEquals(printer.matrix(matrix(2, 2, function(i, j) return i == 1 and -j or 100 * j end), 80),
    " -1   -2\n100  200\n[2 x 2]")
  lu.assertEquals(printer.matrix(matrix(1, 2, function(_, j) return 1.5e-7 * j end), 80),
    "1e-07 x\n1.5000  3.0000\n[1 x 2]")
  lu.assertEquals(printer.matrix(matrix(1, 3, function(_, j) return ({ 0/0, 1/0, 0.25 })[j] end), 80),
    "   nan     inf  0.2500\n[1 x 3]")
  lu.assertEquals(printer.matrix(matrix(0, 5), 80), "[0 x 5]")
end

function TestPrint:test_matrix_fits_any_width()
  local m = matrix(100, 100, function(i, j) return math.sin(i * j) end)
  for width = 20, 200, 7 do
    local out = printer.matrix(m, width)
    for line in out:gmatch "[^\n]+" do lu.assertTrue(#line <= width, width .. ": " .. line) end
    lu.assertStrContains(out, "...")
    lu.assertStrContains(out, "[100 x 100]")
    lu.assertEquals(select(2, out:gsub("\n", "\n")), printer.limits.rows + 1)
  end
end

function TestPrint:test_matrix_elides_no_more_than_needed()
  local m = matrix(1, 9, function() return 0.5 end) -- 9 columns of 6, 2 between: 70
  lu.assertEquals(printer.matrix(m, 70), ("0.5000  "):rep(8) .. "0.5000\n[1 x 9]")
  lu.assertEquals(printer.matrix(m, 69), ("0.5000  "):rep(4) .. "...  " .. ("0.5000  "):rep(3) .. "0.5000\n[1 x 9]")
end

function TestPrint:test_real_matrix()
  local q = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }:q(1)
  lu.assertEquals(tostring(q), printer.matrix(q))
  lu.assertStrContains(tostring(q), "[4 x 4]")
end

function TestPrint:test_row_of_a_matrix_fits()
  local q = rhm.grammar{ V = 30, m = 2, s = 2, L = 2, seed = 1 }:q(1)
  for _, width in ipairs { 20, 40, 79 } do
    for _, text in ipairs { printer.format(q[1], width), printer.format({ q[1], { q[2] } }, width) } do
      for line in text:gmatch "[^\n]+" do lu.assertTrue(#line <= width, line) end
    end
  end
  lu.assertEquals(printer.format(q[1], 200), tostring(q[1]))
  lu.assertEquals(printer.format(q[1], 40):gsub("%s+", ""), (tostring(q[1]):gsub("%s+", "")))
  local wide = rhm.grammar{ V = 500, m = 2, s = 2, L = 2, seed = 1 }:q(1)
  lu.assertStrContains(printer.format(wide[1], 79), ", ... (100 more)}")
end

-- A table in parts has in each of them what tells its rows apart; rows that are the same in all columns need nothing.
function TestPrint:test_table_in_parts()
  local code = [[
    local rows = { { "kind", "M", "eps_O", "accuracy", "warnings" }, { "rbf", "16", "0.1", "0.9", "" },
      { "rbf", "32", "0.1", "0.9", "1" }, { "relu", "16", "-", "0.8", "1" }, { "relu", "16", "-", "0.8", "1" } }
    print((require "rhm.grid"(rows)))]]
  local function parts(width)
    local pipe = io.popen(("COLUMNS=%d %q -e %q"):format(width, program, code))
    local text = pipe:read "a"
    pipe:close()
    local heads = {}
    for line in text:gmatch "[^\n]+" do
      if line:find "kind" then heads[#heads + 1] = line:match "^ *(.*)$":gsub(" +", " ") end
    end
    return heads
  end
  lu.assertEquals(parts(80), { "kind M eps_O accuracy warnings" })
  lu.assertEquals(parts(25), { "kind M eps_O accuracy", "kind M warnings" })
end

function TestPrint:test_line()
  lu.assertEquals(printer.line({ 1, 2, { x = 1 } }, 60), "{1, 2, {x = 1}}")
  lu.assertEquals(printer.line(("ä"):rep(50), 20), '"' .. ("ä"):rep(16) .. "...")
  lu.assertEquals(printer.line(setmetatable({}, { __tostring = function() return "two\nlines" end }), 60), "two ...")
end

function TestPrint:test_duration()
  lu.assertEquals(printer.duration(2e-6), "2 us")
  lu.assertEquals(printer.duration(0.0123), "12.3 ms")
  lu.assertEquals(printer.duration(12.345), "12.35 s")
  lu.assertEquals(printer.duration(3723), "1 h 02 min")
end

os.exit(lu.LuaUnit.run())
