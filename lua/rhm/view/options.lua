-- options.lua - the options of views: checked, and with what every view wants to know.
local M = {}

local rhm = require "rhm"
local nearest = require "rhm.nearest"
local glyphs = require "rhm.view.glyphs"
local subjects = require "rhm.view.subject"
local type, next, ipairs, error, tostring, setmetatable = type, next, ipairs, error, tostring, setmetatable
local format, concat = string.format, table.concat

local common = {"level", "width", "height", "colours", "ascii"}
local written = setmetatable({}, {__mode = "k"}) -- a user's table -> the names that views have written to it

-- The options, {} where there are none; an error where they are no table or a common one is no number.
function M.check(name, options)
  if options ~= nil and type(options) ~= "table" then
    error(format("view \"%s\": options = %s: must be a table", name, tostring(options)), 0)
  end
  for _, key in ipairs {"level", "width", "height", "colours"} do
    local value = options and options[key]
    if value ~= nil and (math.type(value) ~= "integer" or value < (key == "colours" and 0 or 1)) then
      error(format("view \"%s\": %s = %s: must be a whole number, %s", name, key, tostring(value),
        key == "colours" and "0, 8, 16 or 256" or "1 or more"), 0)
    end
  end
  return options or {}
end

-- What a user gives to a view that lists its options must be among them, or one that all views know.
function M.check_names(name, spec, options)
  if not spec.options then return end
  local known, is_known = {}, {}
  for _, list in ipairs {spec.options, common} do
    for _, option in ipairs(list) do
      local key = type(option) == "table" and option[1] or option
      if not is_known[key] then known[#known + 1], is_known[key] = key, true end
    end
  end
  for key in next, options do
    if not is_known[key] and not (written[options] and written[options][key]) then
      if type(key) ~= "string" then
        error(format("view \"%s\": an option has no name: write name = value", name), 0)
      end
      local shown, near = format("%q", key):gsub("\\\n", "\\n"), nearest.word(key, known)
      error(format("view \"%s\": unknown option %s: %s", name, shown, near and format("did you mean '%s'?", near)
        or "it knows " .. concat(known, ", ")), 0)
    end
  end
end

-- The level must be one of the subject's.
function M.check_level(name, subject, level)
  local net = subjects.network(subject)
  if net and level and level > net.L then
    error(format("view \"%s\": level = %d: the network has levels 1 to %d", name, level, net.L), 0)
  end
end

-- The user's options and ascii, colours, glyphs. What is written goes to the user's table.
function M.complete(options)
  local ascii = options.ascii
  if ascii == nil then ascii = not rhm.utf8() end
  local chosen = ascii and glyphs.ascii or options.ascii == false and glyphs.utf8
    or glyphs.choose(rhm.utf8(), os.getenv "TERM")
  local known = {ascii = ascii, colours = options.colours or rhm.colours(), glyphs = chosen}
  local function write(_, key, value)
    written[options] = written[options] or {}
    written[options][key] = true
    options[key] = value
  end
  return setmetatable(known, {__index = options, __newindex = write})
end

return M
