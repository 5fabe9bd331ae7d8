-- view.lua - views: pictures of networks, layers, grammars and jobs, as lines of text with named styles. Pure: a view
-- gets a subject and a size and returns lines. The panel shows them, rhm.view prints them where there is no panel.
--
--   view.register("name", function(subject, width, height, options) return {line, ...} end)
--   view.register("name", {draw = that function, summary = "one line", subjects = {"layer"}, scroll = true,
--     options = {{"level", "the layer shown"}, ...}, keys = {{"+ -", "zoom"}, ...},
--     key = function(subject, options, key, width, height) return true end})
--
-- A line is a string or a list of segments; a segment is a string or {text, style="name"}. No line should be wider
-- than `width` columns, no more than `height` lines come (nil: as many as needed); what is more is cut. What raises an
-- error in a panel is disabled, and says so once.
--
-- subjects: the kinds of object the view takes, the best first; a network stands for its layer options.level (or the
-- one in work), its grammar, its job. Without subjects a view gets whatever was given, also nil.
-- scroll: the view is a text of any length: it is asked for with height = nil, and the panel scrolls it.
-- key: called for keys "up" "down" "left" "right" "pageup" "pagedown" "home" "end" "enter" "tab" or one character;
-- returns true where it changed the options (which stay, one table for each view), {ask="prompt: ", call=f(text)}, or
-- {show=name, subject=object} to go to another view.
-- options: where they are listed, the user's other ones are errors. Beside the user's there are always options.ascii
-- (true or false), options.colours (0, 8, 16, 256) and options.glyphs (view.glyphs of these); what draw writes to it
-- stays there. The panel sets options.panel.
--
-- Styles: plain dim bold title good warn bad mark select heat0..heat9 (near 0 .. largest) series1..series4; "A+B" is
-- the foreground of A on the foreground colour of B. Helpers: rhm.view.text (columns, clip, pad, wrap, beside; number,
-- count, duration of fixed width), rhm.view.canvas (plot, bar, spark, ticks, braille and ASCII dots).
local rhm = require "rhm"
local nearest = require "rhm.nearest"
local text = require "rhm.view.text"
local glyphs = require "rhm.view.glyphs"
local palette = require "rhm.view.palette"
local subjects = require "rhm.view.subject"
local options_for = require "rhm.view.options"

local M = rhm.view -- the table itself: rhm.view "layers" calls it

local type, ipairs, pcall, error, tostring = type, ipairs, pcall, error, tostring
local setmetatable, getmetatable = setmetatable, getmetatable
local format, match, concat = string.format, string.match, table.concat

-- Those that come with rhm, in the order of their keys F2, F3, ..., F11; a module each, loaded when first drawn.
local builtin = {"layers", "distances", "curves", "histogram", "synonyms", "grammar", "jobs", "refine",
  "keys"}
local is_builtin, specs, added = {}, {}, {}
for _, name in ipairs(builtin) do is_builtin[name] = true end

-- --- the list of views --------------------------------------------------------------------------------------------

local function check_spec(name, spec)
  if type(name) ~= "string" or not match(name, "^%a[%w_-]*$") then
    error(format("view.register(%s): a name of letters, digits, - and _ expected", tostring(name)), 3)
  end
  if type(spec) == "function" then spec = {draw = spec} end
  if type(spec) ~= "table" or type(spec.draw) ~= "function" then
    error(format("view.register(\"%s\"): a function or a table with draw = a function expected, got %s", name,
      type(spec) == "table" and "draw = " .. tostring(spec.draw) or tostring(spec)), 3)
  end
  if spec.key ~= nil and type(spec.key) ~= "function" then
    error(format("view.register(\"%s\"): key = %s: must be a function", name, tostring(spec.key)), 3)
  end
  if spec.subjects ~= nil and type(spec.subjects) ~= "table" then
    error(format("view.register(\"%s\"): subjects = %s: must be a list of kinds, say {\"layer\"}", name,
      tostring(spec.subjects)), 3)
  end
  return spec
end

-- Adds a view, or puts it in the place of one of that name.
function M.register(name, spec)
  spec = check_spec(name, spec)
  if not specs[name] and not is_builtin[name] then added[#added + 1] = name end
  specs[name] = spec
  if package.loaded["rhm.panel"] then rhm.panel.enable(name) end
end

-- Takes a view away; one that came with rhm comes back as it was.
function M.remove(name)
  if not specs[name] then error(format("view.remove(%s): there is no such view", tostring(name)), 2) end
  specs[name] = nil
  for i, other in ipairs(added) do
    if other == name then table.remove(added, i) break end
  end
end

-- The names of all views, in the order of their keys.
function M.names()
  local list = {}
  for _, name in ipairs(builtin) do list[#list + 1] = name end
  for _, name in ipairs(added) do list[#list + 1] = name end
  return list
end

-- The key that brings a view, "F2"; nil where it has none.
local places = {layers = 2, distances = 3, curves = 4, histogram = 5, synonyms = 6, grammar = 7, jobs = 8, refine = 11,
  keys = 1}
function M.key(name)
  return places[name] and "F" .. places[name] or nil
end

-- The view that `name` may have meant: one that begins so, or the nearest.
local function near_to(name)
  for _, known in ipairs(M.names()) do
    if known:sub(1, #name) == name then return known end
  end
  return nearest.word(name, M.names())
end

-- The spec of a view; an error where there is none.
local function spec_of(name)
  if specs[name] then return specs[name] end
  if is_builtin[name] then
    specs[name] = require("rhm.view." .. name)
    return specs[name]
  end
  if type(name) ~= "string" then
    error(format("view: a name expected, got %s: %s", type(name), concat(M.names(), ", ")), 0)
  end
  local near = near_to(name)
  error(format("view \"%s\": there is none of that name%s", name, near and format(": did you mean \"%s\"?", near)
    or "; there are " .. concat(M.names(), ", ")), 0)
end
M.spec = spec_of

-- --- drawing ------------------------------------------------------------------------------------------------------

-- Styles as {fg=, bg=, bold=, dim=, underline=, reverse=} for a terminal of so many colours.
function M.palette(colours)
  return palette.table(colours or rhm.colours())
end

-- The characters to draw with: those of the terminal, or ASCII ones.
function M.glyphs(ascii)
  return glyphs.choose(not ascii and rhm.utf8(), os.getenv "TERM")
end

-- What stands where a view has nothing to show.
local function nothing(name, why, width, learner)
  if learner then return text.wrap(name .. ": " .. why, width) end
  local lines, rows = {{{name, style = "title"}, ": " .. why}, ""}, {
    {"g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }", "rules drawn at random"},
    {"net = rhm.network{ grammar=g }", "one layer for each level"},
    {"net:train{ from=g }", "or a step at a time, by hand: F10, then s"},
  }
  for _, row in ipairs(rows) do
    local comment = width >= 90 and {text.pad("", 48 - #row[1]) .. "-- " .. row[2], style = "dim"} or ""
    lines[#lines + 1] = {row[1], comment}
  end
  return lines
end

-- The lines of a view of a subject (nil: what is in work). height nil: as many as needed.
function M.lines(name, subject, width, height, options)
  local spec = spec_of(name)
  options = options_for.check(name, options)
  if math.type(width) ~= "integer" or width < 1 then
    error(format("view \"%s\": width = %s: must be a whole number, 1 or more", name, tostring(width)), 0)
  end
  if height ~= nil and (math.type(height) ~= "integer" or height < 0) then
    error(format("view \"%s\": height = %s: must be a whole number or nil", name, tostring(height)), 0)
  end
  if subject == nil then subject = subjects.latest(spec.subjects) end
  options_for.check_level(name, subject, options.level)
  local why
  local learner = subjects.learner(subject)
  subject, why = subjects.find(subject, spec.subjects, options.level)
  local lines
  if subject == nil and spec.subjects then
    lines = nothing(name, why, width, learner)
  else
    lines = spec.draw(subject, width, height, options_for.complete(options))
  end
  if type(lines) ~= "table" then
    error(format("view \"%s\" returned %s: a list of lines expected", name,
      lines == nil and "nothing" or "a " .. type(lines)), 0)
  end
  local out = {}
  for i, line in ipairs(lines) do
    if height and i > height then break end
    out[i] = text.clip(line, width)
  end
  return out
end

-- The same as one string, with the terminal's colours. options.width, height, colours, ascii: not the terminal's.
function M.text(name, subject, options)
  options = options_for.check(name, options)
  options_for.check_names(name, spec_of(name), options)
  local width = options.width or require "rhm.print".width()
  local colours = options.colours or rhm.colours()
  local styles = colours > 0 and M.palette(colours) or nil
  local lines = {}
  for i, line in ipairs(M.lines(name, subject, width, options.height, options)) do
    lines[i] = palette.line(line, styles)
  end
  return concat(lines, "\n")
end

-- Prints it.
function M.print(name, subject, options)
  io.write(M.text(name, subject, options), "\n")
end

-- rhm.view(name, subject, options): shows the view on the panel, or prints it where there is none.
local function show(_, name, subject, options)
  if name == nil then error("view: which one? " .. concat(M.names(), ", "), 2) end
  local panel = package.loaded["rhm.panel"]
  local ok, message
  if panel and panel.open then
    ok, message = pcall(panel.show, name, subject, options)
  else
    ok, message = pcall(M.print, name, subject, options)
  end
  if not ok then error(message, 2) end
end
getmetatable(M).__call = show

return M
