-- options.lua - the options of views: checked, and with what every view wants to know.
local M = {}

local rhm = require "rhm"
local glyphs = require "rhm.view.glyphs"
local subjects = require "rhm.view.subject"
local type, ipairs, error, tostring, setmetatable, format = type, ipairs, error, tostring, setmetatable, string.format

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
  return setmetatable(known, {__index = options, __newindex = options})
end

return M
