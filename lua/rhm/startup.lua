-- startup.lua - the functions of `rhm` that are written in Lua. Run once, before any user code; each module is loaded
-- when it is first needed, so that `rhm -e ''` stays quick.
local rhm = require "rhm"
local require = require

function rhm.help(...)
  return require "rhm.help".help(...)
end

function rhm.print(...)
  return require "rhm.print".print(...)
end
