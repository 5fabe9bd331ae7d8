-- t-plot.lua - rhm.fit, and rhm.plot with and without gnuplot.
local lu = require "luaunit"
local fit = require "rhm.fit"
local script = require "rhm.plot.script"

local program = os.getenv "RHM" or arg[-1]
local have = os.execute "command -v gnuplot >/dev/null 2>&1"

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

-- What code prints to stdout and stderr in a process of its own, where PATH has `path` alone (nil: as it is).
local function run(code, path, more)
  local file = io.open("plot.lua", "w")
  file:write(code)
  file:close()
  local settings = (more or "COLUMNS=80 LINES=24") .. (path and " PATH=" .. path or "")
  local pipe = io.popen(("%s %q plot.lua 2>errors"):format(settings, program))
  local out = pipe:read "a"
  local ok = pipe:close()
  return out, read "errors", ok
end

TestFit = {}

-- Quantiles of Student's t as printed in tables (R's qt to 7 digits).
function TestFit:test_t()
  for df, wanted in pairs{ [1]=12.7062047, [2]=4.3026527, [3]=3.1824463, [5]=2.5705818, [10]=2.2281389, [30]=2.0422725,
      [1000]=1.9623391 } do
    lu.assertAlmostEquals(fit.t_quantile(0.95, df), wanted, 1e-6)
  end
  lu.assertAlmostEquals(fit.t_quantile(0.99, 4), 4.6040949, 1e-6)
end

-- R: lm(y ~ x), x = 1..5, y = 2.1, 3.9, 6.2, 7.8, 10.1: b = 1.99, its standard error 0.0597..., t(3).
function TestFit:test_line()
  local x, y = { 1, 2, 3, 4, 5 }, { 2.1, 3.9, 6.2, 7.8, 10.1 }
  local f = rhm.fit{ x=x, y=y }
  lu.assertAlmostEquals(f.b, 1.99, 1e-12)
  lu.assertAlmostEquals(f.a, 0.05, 1e-12)
  local rest = 0
  for i = 1, 5 do rest = rest + (y[i] - 0.05 - 1.99 * x[i]) ^ 2 end
  lu.assertAlmostEquals(f.sigma, (rest / 3) ^ 0.5, 1e-12)
  lu.assertAlmostEquals(f.b_high - f.b, 3.1824463 * f.sigma / 10 ^ 0.5, 1e-7)
  lu.assertAlmostEquals(f.b - f.b_low, f.b_high - f.b, 1e-12)
  lu.assertAlmostEquals(f.a_high - f.a, 3.1824463 * f.sigma * (1 / 5 + 9 / 10) ^ 0.5, 1e-7)
  lu.assertAlmostEquals(f.r2, 1 - rest / 39.708, 1e-6)
  lu.assertAlmostEquals(f:at(10), 19.95, 1e-12)
  lu.assertStrContains(tostring(f), "y = a + b x: b = 1.99 [")
end

-- The interval holds the true slope in about 95 % of 2000 draws: within 4 standard deviations of it.
function TestFit:test_interval_covers()
  math.randomseed(7)
  local hit, x, y = 0, { 1, 2, 3, 4, 5, 6 }, { }
  for _ = 1, 2000 do
    for i = 1, 6 do
      y[i] = 2 * x[i] + (-2 * math.log(1 - math.random())) ^ 0.5 * math.cos(2 * math.pi * math.random())
    end
    local f = rhm.fit{ x=x, y=y }
    if f.b_low <= 2 and 2 <= f.b_high then hit = hit + 1 end
  end
  lu.assertAlmostEquals(hit, 1900, 4 * (2000 * 0.95 * 0.05) ^ 0.5)
end

function TestFit:test_scales()
  local x, power, exponential, logarithm = { 1, 2, 4, 8 }, { }, { }, { }
  for i, v in ipairs(x) do
    power[i], exponential[i], logarithm[i] = 3 * v ^ 1.5, 3 * math.exp(0.7 * v), 3 + 2 * math.log(v)
  end
  local f = rhm.fit{ x=x, y=power, log="xy" }
  lu.assertAlmostEquals(f.b, 1.5, 1e-12)
  lu.assertAlmostEquals(math.exp(f.a), 3, 1e-12)
  lu.assertAlmostEquals(f:at(16), 192, 1e-9)
  lu.assertAlmostEquals(rhm.fit{ x=x, y=exponential, log="y" }.b, 0.7, 1e-12)
  lu.assertAlmostEquals(rhm.fit{ x=x, y=logarithm, log="x" }.b, 2, 1e-12)
  local two = rhm.fit{ x={ 1, 2 }, y={ 1, 3 } }
  lu.assertEquals({ two.b, two.b_low, two.sigma }, { 2.0 })
end

function TestFit:test_refusals()
  local function refused(words, t) lu.assertErrorMsgContains(words, rhm.fit, t) end
  refused("'y' is missing", { x={ 1 } })
  refused("2 x and 1 y", { x={ 1, 2 }, y={ 1 } })
  refused("1 point: a line needs 2", { x={ 1 }, y={ 1 } })
  refused("all x are 3", { x={ 3, 3, 3 }, y={ 1, 2, 3 } })
  refused("y[2] = 0: must be above 0 on a log scale", { x={ 1, 2 }, y={ 1, 0 }, log="y" })
  refused("x[1] = \"a\": must be a finite number", { x={ "a", 2 }, y={ 1, 0 } })
  refused("log = \"z\"", { x={ 1, 2 }, y={ 1, 0 }, log="z" })
end

TestPlot = {}

local series = [[series={
  { x={1, 10, 100}, y={0.2, 0.6, 0.9}, low={0.1, 0.5, 0.8}, high={0.3, 0.7, 1/0}, label="one, \"two\"" },
  { x={1, 10, 100}, y={0.1, 0.2, 0.4}, fit="xy" } }]]

function TestPlot:test_terminal()
  if not have then lu.skip "gnuplot" end
  local out, errors, ok = run("rhm.plot{ " .. series .. ", log='x', title=\"it's `id` $HOME {a}_b\", xlabel='N' }")
  lu.assertEquals({ errors, ok }, { "", true })
  lu.assertStrContains(out, "it's `id` $HOME {a}_b\n")
  lu.assertStrContains(out, "one, \"two\"")
  lu.assertStrContains(out, "power 0.301 [")
  lu.assertNotStrContains(out, "\27")
  lu.assertNotStrContains(out, "\f")
  local lines = select(2, out:gsub("\n", ""))
  lu.assertTrue(lines >= 15 and lines <= 22, lines)
  for line in out:gmatch "[^\n]*" do lu.assertTrue(utf8.len(line) < 80 and not line:find "%s$", line) end
  out = run("rhm.plot{ " .. series .. ", log='x', title='t', xlabel='N', ylabel='largest inner product' }")
  lu.assertStrContains(out, "t\nlargest inner product\n ") -- whatever the margin
  lu.assertEquals(select(2, out:gsub("\n", "")), lines)
  out = run("rhm.plot{ y={ 3, 1, 2 }, ylabel='accuracy' }")
  lu.assertEquals(out:sub(1, 9), "accuracy\n")
  out = run("rhm.plot{ y={ 3, 1, 2 }, kind='points', width=40, height=10 }")
  for line in out:gmatch "[^\n]*" do lu.assertTrue(#line <= 40) end
  lu.assertEquals(select(2, out:gsub("A", "")), 3) -- no point is hidden by the frame
end

function TestPlot:test_colours()
  if not have then lu.skip "gnuplot" end
  local text = script.write{ device="dumb", width=70, height=20, colours=256, log="", kind="lines",
    series={ { x={ 1, 2 }, y={ 1, 2 } } } }
  lu.assertStrContains(text, "ansi256")
end

function TestPlot:test_files()
  if not have then lu.skip "gnuplot" end
  for ending, start in pairs{ svg="<?xml", pdf="%PDF", png="\137PNG" } do
    local path = "a 'b' $c." .. ending
    os.remove(path)
    local out, errors = run(("rhm.plot{ %s, log='xy', title='T&<t>', out=%q }"):format(series, path))
    lu.assertEquals({ out, errors }, { "", "" })
    local bytes = read(path)
    lu.assertEquals(bytes:sub(1, #start), start)
    lu.assertTrue(#bytes > 2000)
    lu.assertNil(read(path .. ".tmp"))
    if ending == "svg" then
      lu.assertStrContains(bytes, "</svg>")
      lu.assertStrContains(bytes, "T&amp;&lt;t")
    end
  end
  local out, errors, ok = run("rhm.plot{ y={ 1, 2 }, out='no/such/folder.svg' }")
  lu.assertNil(ok)
  lu.assertStrContains(errors, "rhm: plot.lua:1: rhm.plot: ")
  lu.assertStrContains(errors, "no/such/folder.svg")
  lu.assertEquals(select(2, errors:gsub("\n", "")), 1)
  out = run "rhm.plot{ y={ 1, 2 }, sixel=true, width=200, height=100 }"
  lu.assertStrContains(out, "\27P") -- sixels begin so
end

-- A bar without an end is cut off by the frame; a point of no size would be a matrix that librsvg refuses.
function TestPlot:test_bars()
  local function plot(high)
    return script.write{ device="svg", width=840, height=525, colours=0, log="y", kind="lines",
      series={ { x={ 1, 2 }, y={ 1, 10 }, low={ 1, 2 }, high={ 5, high }, at={ } } } }
  end
  local low, top = plot(1/0):match "set yrange %[(%S+):(%S+)%]"
  local last = plot(1/0):match "\n2 10 2 (%S+)\n"
  lu.assertTrue(tonumber(low) > 0.8 and tonumber(low) < 1 and tonumber(top) > 10 and tonumber(top) < 12, top)
  lu.assertTrue(tonumber(last) > 2 * tonumber(top), last)
  lu.assertEquals(plot(20):match "\n2 10 2 (%S+)\n", "20")
  if not have then lu.skip "gnuplot" end
  run("rhm.plot{ " .. series .. ", log='xy', out='bars.svg' }")
  lu.assertNotStrContains(read "bars.svg", "scale(0.00)")
end

function TestPlot:test_tics()
  local function tics(scale, x, width)
    return script.write{ device="dumb", width=width or 70, height=20, colours=0, log=scale, kind="lines",
      series={ { x=x, y=x, at={ } } } }:match "set xtics ([^\n]*)"
  end
  lu.assertEquals(tics("", { 2, 6 }), "(2, 3, 4, 5, 6)") -- levels have no halves
  lu.assertEquals(tics("", { 0, 0.2 }), "0.05")
  lu.assertEquals(tics("", { 0, 30 }), "5")
  lu.assertEquals(tics("x", { 0.25, 64, 17496 }), "(0.25, 64, 17496)")
  lu.assertEquals(tics("x", { 1000, 1010, 5000 }), "(1000, 5000)") -- 1010 would touch 1000
  lu.assertEquals(tics("x", { 0.257991, 1.24236 }), "(0.5, 1)")
  lu.assertEquals(tics("x", { 3.1234, 4.1234 }), "(3, 4)")
  lu.assertEquals(tics("x", { 100 }), "(100)")
  lu.assertEquals(tics("x", { 9940.5, 12345678.5 }), "(10000, 100000, 1000000, 10000000)") -- not 9940, 99400, ...
  lu.assertEquals(tics("x", { 0.001234, 1.234e9 }), "(0.01, 1, 100, 10000, 1000000, 100000000)")
  lu.assertEquals(tics("x", { 21234.5, 22345.6, 23456.7 }), "(20600, 21500, 22300, 23200, 24100)")
  lu.assertEquals(tics("x", { 300, 500, 1000, 2000, 5000, 10000, 30000 }, 30), "(300, 2000, 30000)")
end

local matrix = [[matrix={ { 0, 0.5, 1 }, { 1, 0/0, 0.25 } }, xnames={ 10, 20, 30 }, ynames={ 'a', 'b' },
  zlabel='acc', xlabel='m']]

function TestPlot:test_heat()
  local out, errors = run("rhm.plot{ " .. matrix .. ", title='H', width=40, height=12 }", nil, "LC_ALL=C COLUMNS=80")
  lu.assertEquals(errors, "")
  local lines = {}
  for line in out:gmatch "[^\n]+" do lines[#lines + 1] = line end
  lu.assertStrContains(lines[1], "H")
  lu.assertStrContains(out, "b @@@@@@@") -- the second row on top; 1 is densest
  lu.assertTrue(out:find("a +%s+[+=*-]+@+\n") ~= nil, out) -- 0 is blank
  lu.assertStrContains(out, "10     20     30")
  lu.assertStrContains(out, "1  acc")
  for _, line in ipairs(lines) do lu.assertTrue(#line <= 40) end
  if have then
    run("rhm.plot{ " .. matrix .. ", out='h.svg' }")
    lu.assertStrContains(read "h.svg", "acc")
  end
  out = run("local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } rhm.plot{ matrix=g:q(2), height=14 }")
  local rows = {}
  for line in out:gmatch "[^\n]+" do rows[#rows + 1] = line:match "^(%d)%f[%D]" end
  lu.assertEquals(table.concat(rows), "87654321")
end

function TestPlot:test_large_heat_fits()
  local out = run([[local m = { }
    for i = 1, 300 do m[i] = { } for j = 1, 300 do m[i][j] = i + j end end
    rhm.plot{ matrix=m }]], nil, "LC_ALL=C COLUMNS=60 LINES=24")
  lu.assertTrue(select(2, out:gsub("\n", "")) <= 22)
  for line in out:gmatch "[^\n]*" do lu.assertTrue(#line < 60, line) end
end

function TestPlot:test_csv()
  run("rhm.plot{ " .. series .. ", xlabel='N', out='s.csv' }")
  lu.assertEquals(read "s.csv", 'series,N,y,low,high\n"one, ""two""",1,0.2,0.1,0.3\n"one, ""two""",10,0.6,0.5,0.7\n'
    .. '"one, ""two""",100,0.9,0.8,inf\n2,1,0.1,,\n2,10,0.2,,\n2,100,0.4,,\n')
  run("rhm.plot{ " .. matrix .. ", out='m.csv' }")
  lu.assertEquals(read "m.csv", "m,y,acc\n10,a,0\n20,a,0.5\n30,a,1\n10,b,1\n20,b,\n30,b,0.25\n")
end

function TestPlot:test_without_gnuplot()
  os.remove "n.csv"
  local out, errors, ok = run("rhm.plot{ " .. series .. ", out='n.svg' }", "/nowhere")
  lu.assertEquals({ out, ok }, { "", true })
  lu.assertEquals(errors,
    "rhm.plot: there is no gnuplot to draw with (Debian: gnuplot-nox); the numbers are in n.csv\n")
  lu.assertStrContains(read "n.csv", "2,100,0.4")
  lu.assertNil(read "n.svg")
  out, errors = run("rhm.plot{ " .. series .. " }", "/nowhere")
  lu.assertStrContains(errors, "the numbers follow\n")
  lu.assertStrContains(out, "series,x,y,low,high\n")
  out, errors = run("rhm.plot{ " .. matrix .. " }", "/nowhere")
  lu.assertEquals(errors, "") -- a heat map in the terminal needs none
end

function TestPlot:test_refusals()
  local function refused(words, t) lu.assertErrorMsgContains(words, rhm.plot, t) end
  refused("'series', 'y' or 'matrix' is needed", { title="x" })
  refused("series = {}", { series={ } })
  refused("series 1 has 1 x and 2 y", { x={ 1 }, y={ 1, 2 } })
  refused("y[2] = \"b\": must be a number", { y={ 1, "b" } })
  refused("err: must be a list of 2 numbers", { y={ 1, 2 }, err={ 1 } })
  refused("no points to draw (on log scales", { y={ 0, -1 }, log="y" })
  refused("out = \"a.jpg\": the ending must be", { y={ 1 }, out="a.jpg" })
  refused("kind = \"bars\"", { y={ 1 }, kind="bars" })
  refused("'matrix' is needed", { y={ 1 }, kind="heat" })
  refused("matrix = 3", { matrix=3 })
  refused("row 2 has 1 numbers, row 1 has 2", { matrix={ { 1, 2 }, { 3 } } })
  refused("not one finite number", { matrix={ { 0/0 } } })
  refused("xnames: must be a list of 2 names", { matrix={ { 1, 2 } }, xnames={ 1 } })
  refused("log = \"z\"", { y={ 1 }, log="z" })
  refused("yrange: must be two numbers", { y={ 1 }, yrange={ 2, 1 } })
  refused("yrange: must be above 0", { y={ 1 }, yrange={ 0, 1 }, log="y" })
  refused("fit = \"cubic\"", { y={ 1, 2 }, fit="cubic" })
  refused("width = 5: must be between 20", { y={ 1 }, width=5 })
  refused("did you mean 'title'?", { y={ 1 }, titel="x" })
end

os.exit(lu.LuaUnit.run())
