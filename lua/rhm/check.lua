-- check.lua - the arguments of functions written in Lua: the same one-line errors as those written in C.
local M = {}

local hint = require "rhm.hint"
local nearest = require "rhm.nearest"
local type, next, ipairs, error, tostring = type, next, ipairs, error, tostring
local getmetatable, rawget = debug.getmetatable, rawget
local format, concat = string.format, table.concat
local tointeger, getinfo = math.tointeger, debug.getinfo

local own = getinfo(1, "S").source:match "^(.*/)check%.lua$"

-- "script.lua:3: ", the innermost line that is not one of these modules', as the errors of functions in C begin.
local function position()
  for level = 3, math.huge do
    local at = getinfo(level, "Sl")
    if not at then return "" end
    if at.currentline > 0 and at.source:sub(1, #own) ~= own then return format("%s:%d: ", at.short_src,
      at.currentline) end
  end
end

function M.fail(where, text, ...)
  error(position() .. format("%s: " .. text, where, ...), 0)
end

-- A value as messages show it: 2.5, "x", nil, a table.
function M.show(value)
  local kind = type(value)
  if kind == "string" then
    return (format("%q", #value > 40 and value:sub(1, 37) .. "..." or value):gsub("\\\n", "\\n"))
  end
  if kind == "number" or kind == "boolean" or kind == "nil" then return tostring(value) end
  local class = kind == "userdata" and rawget(getmetatable(value) or {}, "__name")
  return type(class) == "string" and class or "a " .. kind
end

-- t must be a table with no other keys than those of the list `known`.
function M.keys(where, t, known)
  if type(t) ~= "table" then M.fail(where, "one table of arguments expected, got %s%s", M.show(t),
    hint.usage(where)) end
  local is_known = {}
  for _, key in ipairs(known) do is_known[key] = true end
  for key in next, t do
    if not is_known[key] then
      local name = type(key) == "string" and format("'%s'", M.show(key):sub(2, -2)) or M.show(key)
      local near = type(key) == "string" and nearest.word(key, known)
      if near then M.fail(where, "unknown key %s: did you mean '%s'?", name, near) end
      M.fail(where, "unknown key %s%s: it knows %s", name, hint.key(where, tostring(key)), concat(known, ", "))
    end
  end
end

-- t[key] of a type, or `otherwise` where it is absent; without an `otherwise` it must be there.
function M.field(where, t, key, kind, otherwise)
  local value = t[key]
  if value == nil then
    if otherwise == nil then M.fail(where, "'%s' is missing: %s %s", key, kind == "integer" and "an" or "a", kind) end
    return otherwise
  end
  if type(value) ~= kind then M.fail(where, "%s = %s: must be a %s", key, M.show(value), kind) end
  return value
end

function M.number(where, t, key, low, high, otherwise)
  local value = M.field(where, t, key, "number", otherwise)
  if value and not (value >= low and value <= high) then
    M.fail(where, "%s = %s: must be between %.14g and %s", key, M.show(value), low,
      high == 2 ^ 53 and "2^53" or format("%.14g", high))
  end
  return value
end

function M.whole(where, t, key, low, high, otherwise)
  local value = M.number(where, t, key, low, high, otherwise)
  if value and not tointeger(value) then M.fail(where, "%s = %s: must be a whole number", key, M.show(value)) end
  return value and tointeger(value)
end

return M
