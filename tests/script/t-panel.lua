-- t-panel.lua - the panel's Lua half: views, subjects, keys, stepping by hand, views that fail.
local lu = require "luaunit"
local palette, text = require "rhm.view.palette", require "rhm.view.text"
local panel, view = rhm.panel, rhm.view
panel.speed = nil -- do not wait

local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }

local function bare(lines)
  local out = {}
  for i, line in ipairs(lines) do out[i] = palette.line(line) end
  return table.concat(out, "\n")
end
local function frame(width, height) return bare(panel.frame(width or 80, height or 12)) end
local function status(width) return palette.line(panel.status(width or 80)) end
local function selected()
  for _, segment in ipairs(panel.title(200)) do
    if segment.style == "select" then return segment[1]:match "(%a+) *$" end
  end
end

-- Runs f with what it writes caught.
local function output(f, ...)
  local write, parts = io.write, {}
  io.write = function(...) parts[#parts + 1] = table.concat {...} end
  local ok, message = pcall(f, ...)
  io.write = write
  if not ok then error(message, 0) end
  return table.concat(parts)
end

-- A job that goes on waits for its turn first.
local function assert_running(job)
  local deadline = rhm.clock() + 20
  while job.state == "queued" and rhm.clock() < deadline do job:wait(0.01) end
  lu.assertEquals(job.state, "running")
end

TestPanel = {}

function TestPanel.setUp()
  panel.opened(true)
  panel.show "layers"
  panel.message()
end

function TestPanel.tearDown()
  panel.opened(false)
  for _, name in ipairs(view.names()) do
    if name:find "^own" then view.remove(name) end
  end
end

-- The first test, by its name: there is nothing yet.
function TestPanel.test_0_nothing_yet()
  lu.assertStrContains(frame(), "nothing to show yet")
  lu.assertStrContains(frame(), "net:train{ from=g }")
  lu.assertStrContains(status(), "nothing is trained yet")
  view "keys"
  frame(80, 9)
  lu.assertStrMatches(status(), "nothing is trained yet +1%-%d of %d%d") -- more of it than there is room for
  view "layers"
  for _, name in ipairs(view.names()) do
    panel.show(name)
    lu.assertTrue(#panel.frame(80, 12) > 0)
    lu.assertNil(panel.message())
  end
  collectgarbage() collectgarbage()
  if not rhm.latest() then lu.assertErrorMsgContains("there is no network", panel.step) end
end

function TestPanel.test_title()
  for _, name in ipairs(view.names()) do
    panel.show(name)
    lu.assertEquals(selected(), name)
    for width = 1, 200 do lu.assertTrue(text.columns(panel.title(width)) <= width) end
  end
  panel.show "layers"
  lu.assertStrContains(palette.line(panel.title(80)), "F2 layers")
  lu.assertStrContains(palette.line(panel.title(80)), "F8 jobs")
end

function TestPanel.test_frame_has_its_size()
  local net = rhm.network{ grammar=g, M=256 }
  net:train{ from=g, n=5000, progress=false }
  for _, name in ipairs(view.names()) do
    panel.show(name, net)
    for _, size in ipairs {{20, 2}, {80, 10}, {80, 24}, {200, 60}} do
      local lines = panel.frame(size[1], size[2])
      lu.assertTrue(#lines > 0 and #lines <= size[2], name)
      for _, line in ipairs(lines) do lu.assertTrue(text.columns(line) <= size[1], name) end
      lu.assertTrue(text.columns(panel.status(size[1])) <= size[1])
    end
  end
  lu.assertNil(panel.message())
end

-- The panel follows the network that is made or trained last; one asked for stays until then.
function TestPanel.test_subject()
  local first = rhm.network{ V=5, s=2, L=2 }
  lu.assertStrContains(status(), "(V,s,L) = (5,2,2)")
  local second = rhm.network{ V=6, s=2, L=2 }
  lu.assertStrContains(status(), "(V,s,L) = (6,2,2)")
  view("layers", first)
  lu.assertStrContains(status(), "(V,s,L) = (5,2,2)")
  panel.show "curves" -- another view of the same
  lu.assertStrContains(status(), "(V,s,L) = (5,2,2)")
  second:layer(2):begin{ from=rhm.grammar{ V=6, m=2, s=2, L=2 }, n=100 }
  lu.assertStrContains(status(), "(V,s,L) = (5,2,2)") -- the latest as before
  local third = rhm.network{ V=7, s=2, L=2 }
  lu.assertStrContains(status(), "(V,s,L) = (7,2,2)")
  lu.assertStrContains(status(), "untrained")
  lu.assertErrorMsgContains('view "layers": a matrix has no such view', view, "layers", g:q(1))
  lu.assertErrorMsgContains("there is none of that name", view, "lairs")
  lu.assertErrorMsgContains("options = 5", view, "layers", third, 5)
  lu.assertErrorMsgContains("level = 3: the network has levels 1 to 2", view, "layers", third, {level=3})
  lu.assertErrorMsgContains("level = x: must be a whole number", view, "layers", nil, {level="x"})
  lu.assertNotNil(third)
end

function TestPanel.test_the_one_at_work_before_those_in_the_queue()
  local function begin(seed)
    local net = rhm.network{ grammar=g, M=64, seed=seed }
    return net:train{ from=g, n=1000, solver="gd", steps=1000, steps_per_second=50, background=true }
  end
  local first, second = begin(1), begin(2)
  assert_running(first)
  lu.assertEquals(second.state, "queued")
  lu.assertNotStrContains(status(), "queued")
  panel.show("layers", second.network) -- asked for
  lu.assertStrContains(status(), "queued")
  first:stop() second:stop()
end

function TestPanel.test_the_name_of_the_global()
  _G.my_net = rhm.network{ V=5, s=2, L=2 }
  lu.assertStrContains(status(), "my_net (V,s,L)")
  _G.my_net = nil
  lu.assertStrContains(status(), "network (V,s,L)")
end

function TestPanel.test_level()
  local net = rhm.network{ grammar=g, M=256 }
  net:train{ from=g, n=5000, progress=false }
  panel.show("curves", net)
  lu.assertStrContains(frame(), "level 3")
  lu.assertFalse(panel.key "[")
  lu.assertTrue(panel.key "]")
  lu.assertStrContains(frame(), "level 2")
  lu.assertStrContains(status(), "level 2")
  lu.assertTrue(panel.key ".")
  lu.assertFalse(panel.key "]")
  lu.assertTrue(panel.key ",")
  lu.assertStrContains(frame(), "level 2")
  lu.assertTrue(panel.key "f")
  lu.assertStrContains(frame(), "level 3")
  view("curves", net:layer(1))
  lu.assertStrContains(frame(), "level 1")
  view("curves", net, {level=2})
  lu.assertStrContains(frame(), "level 2")
end

-- step, run and next train the network as lay:begin, step and finish do.
function TestPanel.test_by_hand()
  local net, hand = rhm.network{ grammar=g, M=256, seed=2 }, rhm.network{ grammar=g, M=256, seed=2 }
  local function run() -- of `net`, which is not the latest
    panel.show("layers", net)
    panel.step()
    panel.step(4)
    lu.assertStrContains(frame(), "by hand")
    lu.assertStrContains(status(), "level 3 by hand: step 5")
    panel.run()
    lu.assertEquals(net:layer(3).steps, 100)
    panel.run(7)
    lu.assertEquals(net:layer(3).steps, 107)
    panel.next()
    lu.assertTrue(net:layer(3).trained)
    lu.assertStrContains(status(), "level 2 by hand: step 0")
    lu.assertErrorMsgContains("level 2 has taken no step yet", panel.next)
    panel.step(10)
    panel.next()
    panel.step(10)
    lu.assertStrContains(output(panel.next), string.format("all layers are trained: accuracy %.4f", net:accuracy(g)))
  end
  run()
  for l, steps in ipairs {10, 10, 107} do lu.assertEquals(net:layer(l).steps, steps) end
  for l = 3, 1, -1 do
    local lay = hand:layer(l)
    lay:begin{ from=g }
    lay:step(net:layer(l).steps)
    lay:finish()
    lu.assertEquals(lay.loss, net:layer(l).loss)
  end
  lu.assertErrorMsgContains("all layers are trained", panel.step)
  lu.assertErrorMsgContains("all layers are trained", panel.run)
end

function TestPanel.test_by_hand_from_a_data_set()
  local net = rhm.network{ V=8, s=2, L=3, M=256 }
  panel.show("layers", net)
  local data = g:sample{ n=3000, seed=5 }
  net:layer(3):begin{ from=data }
  panel.step(3)
  panel.next() -- from the same data
  lu.assertEquals(net:layer(2).samples, 3000)
end

-- The keys of training are commands for the shell, which mean the network shown.
function TestPanel.test_keys_of_training()
  lu.assertEquals({panel.key "s", panel.key "S", panel.key "r", panel.key "n"},
    {"rhm.panel.step(1)", "rhm.panel.step(10)", "rhm.panel.run()", "rhm.panel.next()"})
  local net = rhm.network{ grammar=g, M=256 }
  load(panel.key "S")()
  lu.assertEquals(net:layer(3).steps, 10)
  lu.assertFalse(panel.key "Z")
end

function TestPanel.test_pause()
  local net = rhm.network{ grammar=g, M=256 }
  local job = net:train{ from=g, n=5000, solver="gd", steps=100000, steps_per_second=300, background=true }
  lu.assertTrue(panel.key "p")
  job:wait(10)
  lu.assertEquals(job.state, "paused")
  lu.assertStrContains(status(100), "paused")
  lu.assertTrue(panel.key " ")
  assert_running(job)
  panel.pause()
  job:wait(10)
  panel.run() -- a paused training goes on
  assert_running(job)
  job:stop()
  job:wait(10)
end

function TestPanel.test_speed()
  panel.speed = 100
  local net = rhm.network{ grammar=g, M=64 }
  panel.step()
  local function seconds(f, ...)
    local start = rhm.clock()
    f(...)
    return rhm.clock() - start
  end
  lu.assertTrue(seconds(panel.run, 20) >= 0.18)
  panel.speed = 20
  lu.assertTrue(seconds(panel.step, 4) >= 0.15)
  local lay = net:layer(3) -- which itself has no limit
  lu.assertTrue(seconds(lay.step, lay, 100) < 4)
  lu.assertEquals(lay.steps, 125)
  panel.speed = 100
  lu.assertTrue(panel.key ">")
  lu.assertEquals(panel.speed, 200)
  lu.assertTrue(panel.key "<")
  lu.assertEquals(panel.speed, 100)
  lu.assertEquals(status(), "100 steps a second")
  lu.assertNil(panel.message()) -- no error
  panel.key "f"
  lu.assertStrContains(status(), "by hand")
  panel.speed = nil
  lu.assertNotNil(net)
end

function TestPanel.test_views_by_key()
  for i, name in ipairs {"layers", "distances", "curves"} do
    lu.assertTrue(panel.key(tostring(i)))
    lu.assertEquals(selected(), name)
  end
  panel.show "layers"
  local seen = {}
  for _ = 1, #view.names() do
    lu.assertTrue(panel.key "tab")
    seen[selected()] = true
  end
  for _, name in ipairs(view.names()) do lu.assertTrue(seen[name], name) end
  lu.assertTrue(panel.key "?")
  lu.assertEquals(selected(), "keys")
end

-- A text longer than the window is scrolled and searched.
function TestPanel.test_scroll_and_search()
  view.register("own", {scroll=true, draw=function(_, _, height)
    lu.assertNil(height)
    local lines = {}
    for i = 1, 100 do lines[i] = "line " .. i .. (i % 30 == 0 and " Needle" or "") end
    return lines
  end})
  panel.show "own"
  local function first() return tonumber(frame(40, 10):match "line (%d+)") end
  lu.assertEquals(first(), 1)
  lu.assertFalse(panel.key "up")
  for _, step in ipairs {{"down", 2}, {"pagedown", 11}, {"end", 91}, {"up", 90}, {"pageup", 81}, {"home", 1}} do
    lu.assertTrue(panel.key(step[1]), step[1])
    lu.assertEquals(first(), step[2])
  end
  local question = panel.key "/"
  lu.assertEquals(question.ask, "search: ")
  for _, at in ipairs {30, 60, 90, 30} do
    question.call "needle"
    lu.assertEquals(first(), at)
  end
  question.call "nowhere"
  lu.assertEquals(status(), '"nowhere" is not in this view')
  lu.assertEquals(first(), 30)
  lu.assertFalse(panel.key "Z") -- the next key takes the note away
  rhm.network{ V=5, s=2, L=2 }
  lu.assertStrContains(status(100), "30-39 of 100")
end

-- What raises an error is disabled, says so once, and the panel goes on with the layers.
function TestPanel.test_a_view_that_fails()
  local calls = 0
  view.register("own", function() calls = calls + 1 error "oh no" end)
  view "own"
  local net = rhm.network{ grammar=g, M=256 }
  lu.assertStrContains(frame(), "waiting")
  lu.assertEquals(selected(), "layers")
  local message = panel.message()
  lu.assertStrContains(message, 'view "own" is disabled: ')
  lu.assertStrContains(message, "oh no")
  lu.assertNil(panel.message())
  frame()
  lu.assertEquals(calls, 1)
  view "own" -- another try
  frame()
  lu.assertEquals(calls, 2)
  view.register("own", function() return {"well"} end)
  view "own"
  lu.assertEquals(frame(), "well")
  lu.assertNotNil(net)
end

function TestPanel.test_a_view_that_returns_nonsense()
  for _, what in ipairs {5, "text", false} do
    view.register("own", function() return what end)
    panel.show "own"
    frame()
    lu.assertStrContains(panel.message(), "a list of lines expected")
  end
  view.register("own", function() return {1, {2, {}, {{}}}, true, {{nil, style=5}}} end) -- strange, but harmless
  panel.show "own"
  lu.assertTrue(#panel.frame(10, 5) > 0)
end

function TestPanel.test_a_key_that_fails()
  view.register("own", {draw=function() return {"here"} end, key=function(_, _, key)
    if key == "k" then error "no key" end
    return key == "l"
  end})
  panel.show "own"
  lu.assertTrue(panel.key "l")
  lu.assertEquals(panel.key "s", "rhm.panel.step(1)") -- not its own: the panel's
  lu.assertTrue(panel.key "k")
  lu.assertStrContains(panel.message(), "no key")
  lu.assertEquals(selected(), "layers")
end

-- Even where layers fails there is something to see.
function TestPanel.test_when_all_fails()
  view.register("layers", function() error "broken" end)
  panel.show "layers"
  lu.assertStrContains(frame(), "broken")
  lu.assertStrContains(panel.message(), "broken")
  view.remove "layers"
  panel.show "layers"
  lu.assertNil(panel.message())
end

-- Options stay with the view; draw finds those it wrote.
function TestPanel.test_options_stay()
  local seen
  view.register("own", {draw=function(_, _, _, options) seen = options.zoom return {} end,
    key=function(_, options, key)
      if key ~= "+" then return false end
      options.zoom = (options.zoom or 0) + 1
      return true
    end})
  panel.show("own", nil, {zoom=3})
  frame()
  lu.assertEquals(seen, 3)
  lu.assertTrue(panel.key "+")
  panel.show "layers"
  panel.show "own"
  frame()
  lu.assertEquals(seen, 4)
end

function TestPanel.test_without_a_panel_it_is_printed()
  panel.opened(false)
  view.register("own", function(_, width) return {"printed", ("x"):rep(width)} end)
  lu.assertStrContains(output(view, "own"), "printed\nx")
end

os.exit(lu.LuaUnit.run())
