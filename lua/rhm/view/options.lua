-- options.lua - the user's options with what every view wants to know: ascii, colours, glyphs. What is written goes to the
-- user's table.
local rhm = require "rhm"
local glyphs = require "rhm.view.glyphs"

return function(options)
  local ascii = options.ascii
  if ascii == nil then ascii = not rhm.utf8() end
  local chosen = ascii and glyphs.ascii or options.ascii == false and glyphs.utf8
    or glyphs.choose(rhm.utf8(), os.getenv "TERM")
  local known = {ascii = ascii, colours = options.colours or rhm.colours(), glyphs = chosen}
  return setmetatable(known, {__index = options, __newindex = options})
end
