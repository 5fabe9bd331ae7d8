-- startup.lua - the functions of `rhm` that are written in Lua. Run once, before any user code; each module is loaded
-- when it is first needed, so that `rhm -e ''` stays quick.
local rhm = require "rhm"
local require = require

function rhm.help(...)
  return require "rhm.help".help(...)
end

-- The module itself at the prompt: what it has, not how it is made.
getmetatable(rhm).__tostring = function()
  local help, names = require "rhm.help", {}
  for _, entry in ipairs(help.group "rhm") do names[#names + 1] = entry.name:match "^rhm%.([%w_.]+)$" end
  local width = math.min(require "rhm.print".width(), 100)
  return ("rhm %s: help() tells what these are\n%s"):format(rhm.version,
    require "rhm.print".wrap(table.concat(names, "  "), width, "  "))
end

function rhm.print(...)
  return require "rhm.print".print(...)
end

-- The command line as it was given: the child processes of a sweep repeat it.
local command = {}
for i, word in pairs(arg) do command[i] = word end

function rhm.sweep(t)
  require "rhm.sweep.plan".command = command
  return require "rhm.sweep".sweep(t)
end

function rhm.search(t)
  require "rhm.sweep.plan".command = command
  return require "rhm.sweep".search(t)
end

function rhm.plot(t)
  return require "rhm.plot".plot(t)
end

function rhm.sensitivity(t)
  return require "rhm.measures".sensitivity(t)
end

function rhm.correlation(t)
  return require "rhm.measures".correlation(t)
end

function rhm.principle(...)
  return require "rhm.principle".principle(...)
end

function rhm.fit(t)
  return require "rhm.fit".fit(t)
end

-- rhm.view and rhm.panel are the modules themselves, filled when first used; rhm.view, called, shows a view.
local function lazily(name)
  return setmetatable({}, {
    __index = function(module, key)
      require(name)
      return rawget(module, key)
    end,
    __call = name == "rhm.view" and function(view, ...)
      require(name) -- puts its own function here
      return view(...)
    end or nil,
  })
end

rhm.view, rhm.panel = lazily "rhm.view", lazily "rhm.panel"
