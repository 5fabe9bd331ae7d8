-- shell.lua - the Lua half of the interactive shell: its global functions, and how results are shown.
local rhm = require "rhm"
local printer = require "rhm.print"

local shell = {}
local select, type, rawget, next = select, type, rawget, next
local find, match, format = string.find, string.match, string.format
local write = io.write
local timed = false

-- What was there before the user came: who() lists the rest.
local known = {}

-- Called after each command by evaluate.c.
function shell.show(seconds, silent, ...)
  if not silent and select("#", ...) > 0 then printer.print(...) end
  if timed then write(format("(%s)\n", printer.duration(seconds))) end
end

-- Input that is no Lua: returns the Lua it stands for, false to leave, nil for all else.
function shell.command(text)
  local word = match(text, "^%s*([%a]+)%s*$")
  if (word == "exit" or word == "quit") and rawget(_G, word) == nil then return false end
  local name = match(text, "^%s*%?%s*(.-)%s*$")
  if name and not find(name, "\n") then
    return name == "" and "help()" or format("help(%q)", (name:gsub("^[\"'](.*)[\"']$", "%1")))
  end
  name = match(text, "^%s*help%s+([%a_][%w_.:]*)%s*$")
  if name then return format("help(%q)", name) end
  if match(text, "^%s*help%s*$") then return "help()" end
  name = match(text, "^%s*apropos%s+([%w_.:~|^-][%w_.:~|^ -]*)$")
  if name then return format("apropos(%q)", name) end
end

local function describe(value)
  local t = type(value)
  if t == "function" then
    local info = debug.getinfo(value, "S")
    return info.what == "C" and "function (C)" or format("function, %s:%d", info.short_src, info.linedefined)
  end
  local text = printer.line(value, 60)
  return t == "userdata" and text or t .. "  " .. text
end

local function who()
  local names = {}
  for name in next, _G do
    if not known[name] and type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  if #names == 0 then write("no globals yet\n") end
  local wide = 0
  for _, name in ipairs(names) do wide = math.max(wide, utf8.len(name) or #name) end
  for _, name in ipairs(names) do
    write(name, string.rep(" ", wide + 2 - (utf8.len(name) or #name)), describe(rawget(_G, name)), "\n")
  end
end

local function timing(on)
  if on == nil then
    return timed
  elseif type(on) ~= "boolean" then
    error(format("timing(%s): true or false expected", tostring(on)), 2)
  end
  timed = on
end

local function apropos(word)
  return require "rhm.help".apropos(word)
end

_G.help, _G.pp, _G.view, _G.who, _G.timing, _G.apropos = rhm.help, rhm.print, rhm.view, who, timing, apropos
for name in next, _G do known[name] = true end

return shell
