-- panel.lua - what the panel shows: the current view, its subject, level and options, and what keys do. Called by the
-- terminal in protected calls on a Lua thread of its own; it draws nothing itself.
local rhm = require "rhm"
local view = rhm.view
local status = require "rhm.panel.status"
local text = require "rhm.view.text"
local state = require "rhm.view.state"
local subjects = require "rhm.view.subject"
local options_for = require "rhm.view.options"
view.names() -- loaded

local M = rhm.panel -- the table itself, as rhm.view

local type, ipairs, pcall, error, tostring, next = type, ipairs, pcall, error, tostring, next
local format, find, lower, concat = string.format, string.find, string.lower, table.concat
local max, min = math.max, math.min

M.open = false   -- is there a panel? set by its C side
M.speed = 25     -- steps a second of steps by keys; nil: as fast as it goes
M.steps = 100    -- how many "r" takes

local current = "layers"
local level                                     -- the one chosen; nil: the one in work
local own = setmetatable({}, {__mode = "v"})    -- .latest: rhm.latest() when the subject was chosen
local chosen                                    -- the subject that was asked for
local options = {}                              -- view -> its options
local disabled = {}                             -- view -> what was wrong
local messages = {}
local note, noted                               -- an answer to the last key, in the status line for 5 s
local scroll = {}                               -- view -> first line shown - 1, of views that are texts
local seen = {total = 0, height = 0, width = 80} -- by the last frame
local stop_run = false

local function options_of(name)
  options[name] = options[name] or {}
  return options[name]
end

-- --- the subject --------------------------------------------------------------------------------------------------

-- The network at work where the latest one waits in the queue, with nothing to see yet.
local function at_work(net)
  local job = net and net.job
  if not job or job.state ~= "queued" then return net end
  for _, other in ipairs(rhm.jobs()) do
    if type(other) == "userdata" and (other.state == "running" or other.state == "pausing") then
      return other.network or net
    end
  end
  return net
end

-- What was asked for, until another network comes to be trained; else that one.
local function subject()
  local latest = rhm.latest "learner"
  if chosen ~= nil and latest ~= nil and own.latest ~= latest and own.had_latest then chosen, level = nil, nil end
  if chosen ~= nil then return chosen end
  return at_work(latest)
end

-- The same for a view that may take something else.
local function subject_for(name)
  local wanted = view.spec(name).subjects
  local value = subject()
  if subjects.learner(value) and wanted and wanted[1] ~= "grammar" then return value end -- or the view says why not
  if not wanted or subjects.find(value, wanted) ~= nil then return value end
  local latest = subjects.latest(wanted)
  return subjects.find(latest, wanted) ~= nil and latest or value
end

local function network()
  return subjects.network(subject()) or subjects.network(at_work(rhm.latest()))
end

-- The level shown: the one chosen or, of a network, the one in work.
local function level_of(net)
  if level then return max(1, min(net.L, level)) end
  return subjects.level(net)
end

-- --- showing ------------------------------------------------------------------------------------------------------

-- Told by the terminal when the panel opens (true) and closes.
function M.opened(open)
  M.open = open and true or false
end

-- Makes a view the current one. Without a subject it stays; options are added to those the view has.
function M.show(name, value, more)
  more = options_for.check(name, more)
  options_for.check_names(name, view.spec(name), more)
  options_for.check_level(name, value == nil and network() or value, more.level)
  if value ~= nil then
    local wanted = view.spec(name).subjects
    local found, why = subjects.find(value, wanted)
    if wanted and found == nil and not subjects.learner(value) then error(format("view \"%s\": %s", name, why), 0) end
    level = nil
    if subjects.kind(value) == "layer" then level, value = value.level, value.network end
    chosen, own.latest, own.had_latest = value, rhm.latest "learner", rhm.latest "learner" ~= nil
  end
  for key, x in next, more do
    if key == "level" then level = x else options_of(name)[key] = x end
  end
  current, disabled[name] = name, nil
end

-- A view that was registered anew may try again.
function M.enable(name)
  disabled[name] = nil
end

-- What went wrong since the last call, once; nil: nothing.
function M.message()
  state.hold(false) -- the last call of a frame
  if #messages == 0 then return nil end
  local all = concat(messages, "\n")
  messages = {}
  return all
end

local function draw(name, width, height)
  local o = options_of(name)
  local value = subject_for(name)
  local net = subjects.network(value)
  o.level, o.panel = net and level_of(net) or level, true
  local spec = view.spec(name)
  local ok, lines = pcall(view.lines, name, value, width, not spec.scroll and height or nil, o)
  o.level, o.panel = nil, nil
  if not ok then error(lines, 0) end
  seen.total = #lines
  if not spec.scroll then return lines end
  local first = max(0, min(scroll[name] or 0, #lines - height))
  scroll[name] = first
  return table.move(lines, first + 1, min(#lines, first + height), 1, {})
end

local function disable(name, message)
  disabled[name] = message
  if current == name then current = "layers" end
  messages[#messages + 1] = format("view \"%s\" is disabled: %s (view \"%s\" tries it again)", name, message, name)
end

-- Ctrl-C ended a frame that took long: the next one would take as long.
function M.interrupted()
  disable(current, "Ctrl-C ended its drawing")
end

-- The lines of the current view. One that raises an error is disabled, and "layers" stands in for it.
function M.frame(width, height)
  seen.width, seen.height = width, height
  state.hold(true) -- to the status line of this frame
  for _, name in ipairs {current, "layers"} do
    if not disabled[name] then
      local ok, lines = pcall(draw, name, width, height)
      if ok then return lines end
      local message = tostring(lines)
      if find(message, "interrupted", 1, true) then -- Ctrl-C meant what runs
        state.hold(false)
        error(lines, 0)
      end
      disable(name, message)
    end
  end
  return {text.clip("no view: " .. tostring(disabled[current] or disabled.layers), width)}
end

-- --- title and status ---------------------------------------------------------------------------------------------

-- The tabs as segments, each by tab(i, name), or nil where they do not fit.
local function tabs(names, width, tab)
  local line, n = {}, 0
  for i, name in ipairs(names) do
    local label = tab(i, name)
    line[#line + 1] = {label, style = name == current and "select" or disabled[name] and "dim" or nil}
    n = n + text.columns(label)
    if n > width then return nil end
  end
  return line
end

-- One line: the views with their keys, the current one selected.
function M.title(width)
  local names, fewer = {}, {}
  for _, name in ipairs(view.names()) do
    if name ~= "keys" then names[#names + 1] = name end
    if name ~= "keys" and (name ~= "refine" or current == name) then fewer[#fewer + 1] = name end -- 80 columns
  end
  if current == "keys" then
    table.insert(names, 1, "keys")
    table.insert(fewer, 1, "keys")
  end
  local forms = {
    function(_, name) return format(" %s%s ", view.key(name) and view.key(name) .. " " or "", name) end,
    function(_, name) return format(" %s%s", view.key(name) and view.key(name) .. " " or "", name) end,
    function(_, name) return format(" %s ", name) end,
    function(_, name)
      return name == current and format(" %s ", name) or view.key(name) and " " .. view.key(name) or ""
    end,
    function(_, name) return name == current and name or "" end,
  }
  for i, form in ipairs(forms) do
    local line = i <= 2 and tabs(names, width, form)
    if line then return line end
  end
  for _, form in ipairs(forms) do
    local line = tabs(fewer, width, form)
    if line then return line end
  end
  return {{text.pad(current, width), style = "select"}}
end

-- One line: what is shown, and how the work on it goes.
function M.status(width)
  local value = subject_for(current)
  local net = subjects.network(value)
  if note and rhm.clock() - noted < 5 then
    state.hold(false)
    return text.clip({{note, style = "bold"}}, width)
  end
  local spec, place = view.spec(current), nil
  if spec.scroll and seen.total > seen.height then
    local first = scroll[current] or 0
    place = format("  %d-%d of %d", first + 1, min(seen.total, first + seen.height), seen.total)
  end
  local whole = net and status.is_refined(net) and net or not net and subjects.learner(value)
  if whole or not net then
    state.hold(false)
    return whole and status.whole(whole, place, width) or status.other(value, place, width)
  end
  local s = state.network(net)
  state.hold(false)
  local of_layer = spec.subjects and spec.subjects[1] == "layer"
  return status.network(net, s, of_layer and level_of(net), place, width)
end

-- What pause and run are about: the model that is shown, with layers or without.
local function in_training()
  return subjects.learner(subject()) or network()
end

-- --- training by hand ---------------------------------------------------------------------------------------------

local function network_to_train(what)
  local net = network()
  if not net then error(format("%s: there is no network: net = rhm.network{ grammar=g }", what), 0) end
  return net
end

-- The layer whose turn it is: the first one from L down that is not trained.
local function layer_to_train(net)
  for l = net.L, 1, -1 do
    local lay = net:layer(l)
    if not lay.trained then return lay end
  end
end

-- Begins a layer from the network's own grammar, or from what the last training was from.
local function begin(what, net, lay)
  local from = net.grammar
  local last = rhm.latest "source"
  if last and subjects.kind(last) ~= "grammar" then from = last end
  if not from then
    error(format("%s: from what? This network knows no grammar: net:layer(%d):begin{ from=d } says it", what,
      lay.level), 0)
  end
  lay:begin{ from = from }
end

local function ready(what)
  local net = network_to_train(what)
  local lay = layer_to_train(net)
  if not lay then error(what .. ": all layers are trained; rhm.network{...} makes a new network", 0) end
  if not lay.samples then begin(what, net, lay) end
  level = nil
  return net, lay
end

-- Takes k steps of gradient descent on the layer whose turn it is; begins it where that is still to be done.
function M.step(k)
  local _, lay = ready "panel.step"
  lay:step(k or 1, M.speed or 0)
end

-- A training that is paused goes on; else the layer whose turn it is takes steps up to the next 100 (k: k more).
function M.run(k)
  local model = in_training()
  local job = model and model.job
  if job and (job.state == "paused" or job.state == "pausing") then
    job:resume()
    return
  end
  local _, lay = ready "panel.run"
  local left = k or M.steps - lay.steps % M.steps
  stop_run = false
  while left > 0 and not stop_run do -- in portions, so that the keys for a pause and the speed are heard
    local portion = max(1, (M.speed or 1000) // 10 | 0)
    lay:step(min(left, portion), M.speed or 0)
    left = left - portion
  end
end

-- Pauses a training, or lets it go on; ends what run does. Returns whether there was something.
function M.pause()
  stop_run = true
  local model = in_training()
  local job = model and model.job
  if not job then return model ~= nil end
  if job.state == "paused" or job.state == "pausing" then
    job:resume()
  elseif job.state == "running" or job.state == "queued" then
    job:pause()
  end
  return true
end

-- Finishes the layer in training by hand and begins the next one.
function M.next()
  local net = network_to_train "panel.next"
  local lay = layer_to_train(net)
  if lay and lay.samples then
    if lay.steps == 0 then
      error(format("panel.next: level %d has taken no step yet: rhm.panel.step(100), or r", lay.level), 0)
    end
    lay:finish()
    lay = layer_to_train(net)
  end
  level = nil
  if lay then return begin("panel.next", net, lay) end
  local known, accuracy = false, nil
  if net.grammar then known, accuracy = pcall(net.accuracy, net, net.grammar) end
  io.write("all layers are trained", known and format(": accuracy %.4f", accuracy) or "", "\n")
end

-- --- keys ---------------------------------------------------------------------------------------------------------

-- What the keys do in every view, for the page "keys".
M.keys = {
  {"1 .. 8, TAB", "the views; the next one"}, {"[ ]", "the level above, below"}, {"f", "follow the level in work"},
  {"s S", "one step of gradient descent by hand, ten"}, {"r", "run: steps, or a paused training goes on"},
  {"p, space", "pause, and go on"}, {"n", "finish this layer, begin the next"}, {"< >", "slower, faster steps"},
  {"?", "this page"},
}

local function change_level(by)
  local net = subjects.network(subject_for(current))
  if not net then return false end
  local new = level_of(net) + by
  if new < 1 or new > net.L then return false end
  level = new
  return true
end

local function next_view()
  local names = view.names()
  for i, name in ipairs(names) do
    if name == current then
      M.show(names[i % #names + 1])
      return true
    end
  end
end

local function change_speed(factor)
  M.speed = max(1, min(1e6, (M.speed or 1e6) * factor))
  note, noted = format("%g steps a second", M.speed), rhm.clock()
  return true
end

local common = {
  ["["] = function() return change_level(1) end, ["]"] = function() return change_level(-1) end,
  [","] = function() return change_level(1) end, ["."] = function() return change_level(-1) end,
  f = function() level = nil return true end,
  s = function() return "rhm.panel.step(1)" end, S = function() return "rhm.panel.step(10)" end,
  r = function() return "rhm.panel.run()" end, n = function() return "rhm.panel.next()" end,
  p = M.pause, [" "] = M.pause,
  ["<"] = function() return change_speed(0.5) end, [">"] = function() return change_speed(2) end,
  ["?"] = function() M.show "keys" return true end, tab = next_view,
}
for i = 1, 8 do
  common[tostring(i)] = function()
    M.show(view.names()[i])
    return true
  end
end

-- Scrolls a text to the next line that has `what`, from the top again after the end.
local function search(what)
  local name = current
  local lines = view.lines(name, subject_for(name), seen.width, nil, options_of(name))
  what = lower(what)
  for i = 1, #lines do
    local at = ((scroll[name] or 0) + i) % #lines + 1
    if find(lower(require "rhm.view.palette".line(lines[at])), what, 1, true) then
      scroll[name] = at - 1
      return
    end
  end
  note, noted = format("\"%s\" is not in this view", what), rhm.clock()
end

local function scroll_key(key)
  local page = max(1, seen.height - 1)
  local by = ({up = -1, down = 1, pageup = -page, pagedown = page, home = -math.huge, ["end"] = math.huge})[key]
  if key == "/" then return {ask = "search: ", call = function(what) if what ~= "" then search(what) end end} end
  if not by then return nil end
  local first = max(0, min((scroll[current] or 0) + by, seen.total - seen.height))
  local changed = first ~= (scroll[current] or 0)
  scroll[current] = first // 1
  return changed
end

-- A key: true (something changed), false (not for us), a Lua command to run, or {ask=, call=}.
function M.key(key)
  note = nil
  if not disabled[current] then
    local spec = view.spec(current)
    if spec.key then
      local o = options_of(current)
      local value = subject_for(current)
      local net = subjects.network(value)
      o.level = net and level_of(net) or level
      local found = spec.subjects and subjects.find(value, spec.subjects, o.level) or value
      local ok, done
      if found ~= nil or not spec.subjects then
        ok, done = pcall(spec.key, found, options_for.complete(o), key, seen.width, seen.height)
        if not ok then
          disable(current, tostring(done))
          return true
        end
      end
      if net and o.level and o.level ~= level_of(net) then level = o.level end
      o.level = nil
      if type(done) == "table" and done.show then
        M.show(done.show, done.subject)
        return true
      elseif done then
        return done
      end
    end
    local done = spec.scroll and scroll_key(key)
    if done ~= nil and done ~= false then return done end
  end
  local action = common[key]
  if action then return action() end
  return false
end

return M
