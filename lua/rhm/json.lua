-- json.lua - Lua values as JSON and back: parameters and measures in the results' file, messages to child processes.
--
-- encode is canonical: keys in order, no blanks, 1000.0 as 1000. Equal values give equal texts, so that parameters can
-- be found by their text. nan becomes null and so is absent when read back; inf is 9e999, which JSON's readers take for
-- it.
local M = {}

local type, next, tostring, tonumber, error, pcall = type, next, tostring, tonumber, error, pcall
local format, byte, find, gsub = string.format, string.byte, string.find, string.gsub
local match, sub = string.match, string.sub
local concat, sort = table.concat, table.sort
local floor, huge, mathtype, tointeger = math.floor, math.huge, math.type, math.tointeger

-- --- writing ------------------------------------------------------------------------------------------------------

local escapes = {['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r"}

local function escape(c)
  return escapes[c] or format("\\u%04x", byte(c))
end

-- A text that is not UTF-8 is taken for Latin-1, so that what is written always is.
local function text_json(s)
  if not utf8.len(s) then s = gsub(s, "[\128-\255]", function(c) return utf8.char(byte(c)) end) end
  return '"' .. gsub(s, '[%c"\\\127]', escape) .. '"'
end

-- The shortest form that reads back as the same number.
local function number_json(x)
  if mathtype(x) == "integer" then return format("%d", x) end
  if x ~= x then return "null" end
  if x == huge then return "9e999" elseif x == -huge then return "-9e999" end
  if x == floor(x) and x >= -0x1p53 and x <= 0x1p53 then return format("%d", x) end
  for digits = 15, 16 do
    local text = format("%." .. digits .. "g", x)
    if tonumber(text) == x then return text end
  end
  return format("%.17g", x)
end

local encode

-- A table is a list where its keys are 1..n (an empty one is an object), else all its keys must be strings.
local function table_json(t, where, depth)
  if depth > 32 then error(where .. ": tables nested more than 32 deep", 0) end
  local n, keys = 0, {}
  for key in next, t do
    n = n + 1
    keys[n] = key
  end
  local parts = {}
  if n > 0 and #t == n then
    for i = 1, n do parts[i] = encode(t[i], format("%s[%d]", where, i), depth + 1) end
    return "[" .. concat(parts, ",") .. "]"
  end
  for _, key in next, keys do
    if type(key) ~= "string" then
      error(format("%s: key %s: names of fields must be strings", where, tostring(key)), 0)
    end
  end
  sort(keys)
  for i, key in next, keys do
    parts[i] = text_json(key) .. ":" .. encode(t[key], where .. "." .. key, depth + 1)
  end
  return "{" .. concat(parts, ",") .. "}"
end

function encode(value, where, depth)
  local kind = type(value)
  if kind == "number" then return number_json(value) end
  if kind == "string" then return text_json(value) end
  if kind == "boolean" or kind == "nil" then return kind == "nil" and "null" or tostring(value) end
  if kind == "table" then return table_json(value, where, depth) end
  error(format("%s: a %s: must be numbers, strings, booleans or tables of them", where, kind), 0)
end

-- `name` is what error messages call the value.
function M.encode(value, name)
  return encode(value, name or "value", 1)
end

-- --- reading ------------------------------------------------------------------------------------------------------

local unescapes = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/"}

local function fail(text, at, wanted)
  error(format("not JSON at byte %d: %s expected, got %q", at, wanted, sub(text, at, at + 19)), 0)
end

-- Each reader returns the value and the place behind it.
local read

local function read_unicode(text, at)
  local code = match(text, "^%x%x%x%x", at)
  if not code then fail(text, at, "4 hexadecimal digits") end
  return tonumber(code, 16), at + 4
end

local function read_text(text, at)
  local parts = {}
  while true do
    local stop = find(text, '["\\%c]', at)
    if not stop then fail(text, #text + 1, '"') end
    parts[#parts + 1] = sub(text, at, stop - 1)
    local c = sub(text, stop, stop)
    if c == '"' then return concat(parts), stop + 1 end
    if c ~= "\\" then fail(text, stop, '"') end
    local kind = sub(text, stop + 1, stop + 1)
    if kind == "u" then
      local code
      code, at = read_unicode(text, stop + 2)
      if code >= 0xD800 and code < 0xDC00 and find(text, "^\\u[dD][c-fC-F]", at) then -- a pair of surrogates
        local low
        low, at = read_unicode(text, at + 2)
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
      end
      parts[#parts + 1] = utf8.char(code)
    else
      if not unescapes[kind] then fail(text, stop, "an escape") end
      parts[#parts + 1] = unescapes[kind]
      at = stop + 2
    end
  end
end

local function read_list(text, at, depth)
  local list, n = {}, 0
  at = find(text, "%S", at) or at
  if sub(text, at, at) == "]" then return list, at + 1 end
  while true do
    n = n + 1
    list[n], at = read(text, at, depth)
    at = find(text, "%S", at) or at
    local c = sub(text, at, at)
    if c == "]" then return list, at + 1 end
    if c ~= "," then fail(text, at, ", or ]") end
    at = at + 1
  end
end

local function read_object(text, at, depth)
  local object = {}
  at = find(text, "%S", at) or at
  if sub(text, at, at) == "}" then return object, at + 1 end
  while true do
    local key
    at = find(text, "%S", at) or at
    if sub(text, at, at) ~= '"' then fail(text, at, "a name") end
    key, at = read_text(text, at + 1)
    at = find(text, "%S", at) or at
    if sub(text, at, at) ~= ":" then fail(text, at, ":") end
    object[key], at = read(text, at + 1, depth)
    at = find(text, "%S", at) or at
    local c = sub(text, at, at)
    if c == "}" then return object, at + 1 end
    if c ~= "," then fail(text, at, ", or }") end
    at = at + 1
  end
end

local words = {["true"] = true, ["false"] = false}

function read(text, at, depth)
  at = find(text, "%S", at) or at
  local c = sub(text, at, at)
  if c == "{" or c == "[" then
    if depth > 64 then fail(text, at, "less nesting") end
    if c == "{" then return read_object(text, at + 1, depth + 1) end
    return read_list(text, at + 1, depth + 1)
  end
  if c == '"' then return read_text(text, at + 1) end
  local word = match(text, "^%a+", at)
  if word and words[word] ~= nil then return words[word], at + #word end
  if word == "null" then return nil, at + 4 end
  local number = match(text, "^%-?%d+%.?%d*[eE]?[-+]?%d*", at)
  local value = number and tonumber(number)
  if not value then fail(text, at, "a value") end
  return tointeger(value) and not find(number, "[.eE]") and tointeger(value) or value, at + #number
end

-- The value of a text, or nil and what is wrong with it.
function M.decode(text)
  local ok, value, at = pcall(read, text, 1, 1)
  if not ok then return nil, value end
  if find(text, "%S", at) then return nil, format("not JSON at byte %d: the end expected", at) end
  return value
end

return M
