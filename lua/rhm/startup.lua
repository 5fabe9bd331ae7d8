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

-- rhm.view is the module itself, filled when it is first used; called, it shows a view.
rhm.view = setmetatable({}, {
  __index = function(view, key)
    require "rhm.view"
    return rawget(view, key)
  end,
  __call = function(view, ...)
    require "rhm.view" -- puts its own function here
    return view(...)
  end,
})
