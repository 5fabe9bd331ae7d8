-- t-view.lua - views: the core (registry, clipping, styles, glyphs, curves).
local lu = require "luaunit"
local view = rhm.view
local text, palette, canvas = require "rhm.view.text", require "rhm.view.palette", require "rhm.view.canvas"
local glyphs = require "rhm.view.glyphs"

TestCore = {}

function TestCore.tearDown()
  for _, name in ipairs(view.names()) do
    if name:find "^own" then view.remove(name) end
  end
end

function TestCore.test_register()
  local seen
  view.register("own", function(...) seen = {...} return {"one", "two", "three"} end)
  lu.assertEquals(view.lines("own", "subject", 10, 2, {x=1}), {"one", "two"})
  lu.assertEquals({seen[1], seen[2], seen[3], seen[4].x}, {"subject", 10, 2, 1})
  lu.assertEquals(type(seen[4].colours), "number")
  lu.assertEquals(view.names()[#view.names()], "own")
  view.register("own", {draw=function() return {"new"} end, summary="a view"})
  lu.assertEquals(view.lines("own", 1, 10), {"new"})
  lu.assertEquals(view.spec("own").summary, "a view")
  view.remove "own"
  lu.assertErrorMsgContains('view "own": there is none of that name', view.lines, "own", 1, 10)
end

function TestCore.test_what_draw_writes_to_options_stays()
  view.register("own", function(_, _, _, options) options.calls = (options.calls or 0) + 1 return {} end)
  local options = {}
  view.lines("own", 1, 10, 5, options)
  view.lines("own", 1, 10, 5, options)
  lu.assertEquals(options, {calls=2})
end

function TestCore.test_refusals()
  local refused = {
    {"view.register(5)", view.register, 5, print},
    {"view.register(a b)", view.register, "a b", print},
    {'view.register("own"): a function', view.register, "own", 7},
    {"draw = nil", view.register, "own", {}},
    {"key = 3", view.register, "own", {draw=print, key=3}},
    {"subjects = layer", view.register, "own", {draw=print, subjects="layer"}},
    {"view.remove(none)", view.remove, "none"},
    {"a name expected, got number", view.lines, 7, 1, 10},
  }
  for _, call in ipairs(refused) do lu.assertErrorMsgContains(call[1], table.unpack(call, 2)) end
  view.register("own", function() end)
  lu.assertErrorMsgContains('view "own" returned nothing: a list of lines', view.lines, "own", 1, 10)
  lu.assertErrorMsgContains("width = 0: must be a whole number, 1", view.lines, "own", 1, 0)
  lu.assertErrorMsgContains("width = 9.5: must be a whole number", view.lines, "own", 1, 9.5)
  lu.assertErrorMsgContains("height = x: must be a whole number", view.lines, "own", 1, 10, "x")
  for key, value in pairs {level=0, width="wide", height=-1, colours=true} do
    local message = key .. " = " .. tostring(value) .. ": must be a whole number"
    lu.assertErrorMsgContains(message, view.text, "own", 1, {[key]=value})
  end
  local net = rhm.network{ V=4, s=2, L=2 }
  lu.assertErrorMsgContains('view "layers": level = 3: the network has levels 1 to 2', view, "layers", net, {level=3})
  lu.assertErrorMsgContains("options = 5: must be a table", view.lines, "own", 1, 10, 5, 5)
  lu.assertErrorMsgContains('did you mean "own"', view, "ow")
  lu.assertErrorMsgContains("view: which one?", view)
end

function TestCore.test_unknown_options_are_refused()
  local net = rhm.network{ V=4, s=2, L=2 }
  lu.assertErrorMsgContains("view \"distances\": unknown option \"zom\": did you mean 'zoom'?", view, "distances", net,
    {zom=2})
  lu.assertErrorMsgContains("did you mean 'level'?", view.text, "layers", net, {levl=2})
  lu.assertErrorMsgContains('unknown option "a\\nb": it knows start, xlog, level, width', view.print, "refine", net,
    {["a\nb"]=2})
  lu.assertErrorMsgContains("it knows level, width, height, colours, ascii", view.text, "keys", nil, {zoom=2})
  lu.assertErrorMsgContains("an option has no name", view.text, "layers", net, {2})
  lu.assertErrorMsgContains("did you mean 'zoom'?", require "rhm.panel".show, "distances", net, {zom=2})
  for _, name in ipairs {"layers", "distances", "curves", "histogram", "synonyms", "grammar", "jobs", "keys",
      "refine"} do
    lu.assertErrorMsgContains('unknown option "nonsense"', view.text, name, net, {nonsense=1})
  end
  -- A view without a list takes any; what a view has written to a table is no mistake of the user's.
  view.register("own", function() return {"x"} end)
  lu.assertEquals(view.text("own", 1, {nonsense=1, colours=0}), "x")
  view.register("own", {options={{"size", "of it"}},
    draw=function(_, _, _, o) o.calls = (o.calls or 0) + 1 return {} end})
  local options = {size=1}
  view.text("own", 1, options)
  view.text("own", 1, options)
  lu.assertEquals(options, {size=1, calls=2})
end

function TestCore.test_lines_are_clipped()
  view.register("own", function()
    return {"0123456789abc", {"01234", {"56789abc", style="bold"}, "never"}, "a\tb\nc\27[m", "\xffx",
      "日本語日本語", "é́́"}
  end)
  local lines = view.lines("own", 1, 9, nil)
  lu.assertEquals(lines, {"012345678", {"01234", {"5678", style="bold"}}, "a b c [m", "?x", "日本語日", "é́́"})
  for _, line in ipairs(lines) do lu.assertTrue(text.columns(line) <= 9) end
end

function TestCore.test_text_has_the_colours_asked_for()
  view.register("own", function()
    return {{"a ", {"b", style="bad"}, {" c  ", style="nonsense"}}, {{"x", style="heat0+heat9"}}}
  end)
  lu.assertEquals(view.text("own", 1, {colours=0}), "a b c\nx")
  lu.assertEquals(view.text("own", 1, {colours=8}), "a \27[1;31mb\27[0m c\n\27[34;47mx\27[0m")
  lu.assertEquals(view.text("own", 1, {colours=256}), "a \27[1;38;5;166mb\27[0m c\n\27[38;5;17;48;5;229mx\27[0m")
  lu.assertEquals(palette.bare(view.text("own", 1, {colours=256})), "a b c\nx")
end

-- All palettes have all styles; without colours there are attributes alone; colours are those of the terminal.
function TestCore.test_palettes()
  for _, colours in ipairs {0, 8, 16, 256} do
    local t = view.palette(colours)
    for _, name in ipairs {"plain", "dim", "bold", "title", "good", "warn", "bad", "mark", "select", "heat0", "heat9",
      "series1", "series4"} do
      lu.assertNotNil(t[name], name)
      lu.assertEquals(t[name].fg == nil or (colours > 0 and t[name].fg < colours), true, name)
    end
    lu.assertTrue(t.select.reverse)
    lu.assertTrue(t.bad.bold and t.mark.underline) -- not by colour alone
  end
end

-- The heat ramp grows lighter from one colour to the next: it can be read without seeing hues.
function TestCore.test_heat_grows_lighter()
  local steps = {0, 95, 135, 175, 215, 255}
  local function light(c)
    c = c - 16
    local function linear(v) v = v / 255 return v > .04045 and ((v + .055) / 1.055) ^ 2.4 or v / 12.92 end
    return .2126 * linear(steps[c // 36 + 1]) + .7152 * linear(steps[c // 6 % 6 + 1]) + .0722 * linear(steps[c % 6 + 1])
  end
  local t, last = view.palette(256), -1
  for i = 0, 9 do
    local now = light(t["heat" .. i].fg)
    lu.assertTrue(now > last, "heat" .. i)
    last = now
  end
end

function TestCore.test_glyph_tables_are_of_one_shape()
  for key, value in pairs(glyphs.utf8) do
    local other = glyphs.ascii[key]
    lu.assertEquals(type(other), type(value), key)
    for _, list in ipairs {other, glyphs.console[key]} do
      for _, glyph in pairs(type(list) == "table" and list or {}) do
        lu.assertEquals(text.columns(glyph), key == "tree" and 3 or 1, key)
      end
    end
    for _, glyph in pairs(type(other) == "table" and other or {other}) do
      if type(glyph) == "string" then lu.assertNil(glyph:find "[\x80-\xff]", key) end
    end
  end
  lu.assertIs(glyphs.choose(false, "xterm"), glyphs.ascii)
  lu.assertIs(glyphs.choose(true, "xterm"), glyphs.utf8)
  lu.assertFalse(glyphs.choose(true, "linux").braille)
end

function TestCore.test_numbers_fit_their_width()
  for _, x in ipairs {0, 1, -1, .42396055, 1.4142135, 123.456, 99999.9, 9.99999, 1e-3, .00099, 1.6e-8, -2.5e-5, 1.5e99,
    -1.5e-99, 3e9, math.pi * 1e4} do
    for width = 6, 10 do
      local s = text.number(x, width)
      lu.assertTrue(#s <= width, s)
      if #s > 6 then lu.assertAlmostEquals(tonumber(s), x, math.abs(x) * .05 + 1e-300) end
    end
  end
  lu.assertEquals({text.number(.42396055, 6), text.number(1.6e-5, 6), text.number(nil), text.number(0 / 0)},
    {"0.4240", "1.6e-5", "-", "nan"})
  lu.assertEquals({text.count(20000), text.count(1.6e8, 6), text.count(999999, 5), text.count(12345, 5)},
    {"20000", "160M", "1.00M", "12345"})
  lu.assertEquals({text.duration(.0123), text.duration(12.34), text.duration(185), text.duration(3725)},
    {"0.012 s", "12.3 s", "3:05", "1:02:05"})
  lu.assertEquals({text.left(3.2), text.left(600), text.left(7200), text.left(), text.left(1e6)},
    {"4 s", "10 min", "2 h", "", "12 d"})
  lu.assertEquals({text.rate(1.6e6), text.rate(3.25), text.percent(999, 1000), text.percent(5, 5), text.percent(1, 0)},
    {"1.60M/s", "3.2/s", "99%", "100%", ""})
end

function TestCore.test_ticks_are_round_and_within()
  local ranges = {{0, 1}, {0, 100}, {.12, .19}, {-3, 7}, {1e-9, 3e-9}, {0, 12345}, {99, 101}}
  for _, r in ipairs(ranges) do
    for n = 2, 8 do
      local t = canvas.ticks(r[1], r[2], n)
      lu.assertTrue(#t >= 1 and #t <= n, r[1] .. " " .. n)
      for i, x in ipairs(t) do
        lu.assertTrue(x >= r[1] - 1e-12 and x <= r[2] * (1 + 1e-9))
        if i > 1 then lu.assertTrue(x > t[i - 1]) end
      end
    end
  end
  lu.assertEquals(canvas.ticks(1, 1000, 5, true), {1, 10, 100, 1000})
  lu.assertEquals({canvas.tick_text(.02), canvas.tick_text(1e-4), canvas.tick_text(20000), canvas.tick_text(0)},
    {"0.02", "1e-4", "20k", "0"})
end

-- A dot lies where its value says: the curve y = x goes through the corners of the canvas.
function TestCore.test_plot()
  for _, ascii in ipairs {true, false} do
    local g = ascii and glyphs.ascii or glyphs.utf8
    local lines = canvas.plot({series={{name="f", x={0, 1}, y={0, 1}, style="series1"}}, glyphs=g, colours=256,
      xlabel="x"}, 40, 12)
    lu.assertEquals(#lines, 12)
    local bare = {}
    for i, line in ipairs(lines) do
      lu.assertTrue(text.columns(line) <= 40)
      bare[i] = palette.line(line)
    end
    lu.assertStrContains(bare[1], "f")
    lu.assertEquals(text.columns(bare[2]), 40)           -- top right
    lu.assertStrMatches(bare[10], ".*[|│┤+][^ ].*")      -- bottom left
    lu.assertStrContains(bare[12], "0.5")
    lu.assertStrMatches(bare[12], ".*x")
  end
end

function TestCore.test_plots_of_little_or_odd_data()
  local odd = {{}, {1}, {1, 1, 1}, {0, 0}, {0 / 0, 1}, {math.huge, 1, 2}, {-1, 5}, {1e-300, 1e300}}
  for _, y in ipairs(odd) do
    local x = {}
    for i = 1, #y do x[i] = i end
    for _, scale in ipairs {false, true, "auto"} do
      for _, size in ipairs {{1, 1}, {15, 3}, {20, 5}, {80, 24}} do
        local lines = canvas.plot({series={{name="f", x=x, y=y}}, glyphs=glyphs.utf8, colours=0, xlog=scale, ylog=scale,
          marks={{x=1, label="here"}}}, size[1], size[2])
        lu.assertTrue(#lines <= size[2])
        if size[1] >= 20 then for _, line in ipairs(lines) do lu.assertTrue(text.columns(line) <= size[1]) end end
      end
    end
  end
end

function TestCore.test_bars_and_sparklines()
  lu.assertEquals(palette.line(canvas.bar(.5, 10, glyphs.ascii)), "=====-----")
  lu.assertEquals(palette.line(canvas.bar(2, 4, glyphs.ascii)), "====")
  lu.assertEquals(canvas.spark({0, 1, 2, 3, 4, 5, 6, 7}, 8, glyphs.utf8), "▁▂▃▄▅▆▇█")
  lu.assertEquals(canvas.spark({0, 7}, 4, glyphs.utf8), "▁█  ")
  lu.assertEquals(text.columns(canvas.spark({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 4, glyphs.utf8)), 4)
  lu.assertEquals(canvas.spark({}, 3, glyphs.utf8), "   ")
end

-- The examples in the help run as they stand, and their views draw.
function TestCore.test_examples_in_the_help()
  local help = require "rhm.help"
  local g = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }
  for entry, name in pairs {views="losses", ["rhm.view.register"]="loss"} do
    local code = help.entries[entry].example:gsub('\nrhm%.view[^\n]*$', "\n")
    local net = rhm.network{ grammar=g, M=64 }
    assert(load(code, entry, "t", setmetatable({net=net}, {__index=_G})))()
    net:train{ from=g, n=2000, steps=60, steps_per_second=200, progress=false }
    local lines = view.lines(name, net, 40, 5)
    lu.assertEquals(#lines, 2)
    lu.assertStrMatches(palette.line(lines[1]), name == "loss" and "2  [%d.]+" or "loss [%d.]+")
    view.remove(name)
  end
end

TestSubject = {}

local function small_grammar() return rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 } end

function TestSubject.test_latest()
  local g = small_grammar()
  local net, other = rhm.network{ grammar=g, M=64 }, rhm.network{ grammar=g, M=64 }
  lu.assertIs(rhm.latest(), other)
  lu.assertIs(rhm.latest "grammar", g)
  net:layer(2):begin{ from=g, n=1000 }
  lu.assertIs(rhm.latest "network", net)
  lu.assertIs(rhm.latest "source", g)
  local d = g:sample{ n=100 }
  other:train{ from=d, progress=false }
  lu.assertIs(rhm.latest(), other)
  lu.assertIs(rhm.latest "source", d)
  net:layer(2):step()
  lu.assertIs(rhm.latest(), net)
  net, other = nil, nil
  collectgarbage() collectgarbage()
  lu.assertNil(rhm.latest())
  lu.assertErrorMsgContains("kind = 'x': must be 'network'", rhm.latest, "x")
end

-- A view gets what stands for the subject: a network's layer in work, its grammar, its job.
function TestSubject.test_what_stands_for_what()
  local find = require "rhm.view.subject".find
  local g = small_grammar()
  local net = rhm.network{ grammar=g, M=64 }
  lu.assertEquals(find(net, {"layer"}).level, 2)
  lu.assertEquals(find(net, {"layer"}, 1).level, 1)
  net:layer(2):begin{ from=g, n=1000 }
  net:layer(2):step()
  net:layer(2):finish()
  lu.assertEquals(find(net, {"layer"}).level, 2)
  net:layer(1):begin{ from=g, n=1000 }
  lu.assertEquals(find(net, {"layer"}).level, 1)
  lu.assertEquals(find(net:layer(1), {"network", "layer"}).level, 1) -- itself, though a network is preferred
  lu.assertIs(find(net:layer(1), {"network"}), net)
  lu.assertIs(find(net, {"grammar"}), net.grammar)
  lu.assertEquals({find(net, {"job"})}, {nil, "this network has no job"})
  lu.assertEquals({find(g, {"network", "layer"})}, {nil, "a grammar has no such view: it shows a network or a layer"})
  lu.assertEquals({find(nil, {"network"})}, {nil, "nothing to show yet"})
  local other = small_grammar() -- newer, but a network comes first where a view takes both
  local latest = require "rhm.view.subject".latest
  lu.assertIs(latest {"network"}, net)
  lu.assertIs(latest {"grammar", "network"}, net)
  net = nil
  collectgarbage() collectgarbage()
  lu.assertNil(latest {"network"})
  lu.assertIs(latest {"grammar", "network"}, other)
  lu.assertEquals(find(5), 5)
end

os.exit(lu.LuaUnit.run())
