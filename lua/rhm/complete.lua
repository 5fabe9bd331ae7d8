-- complete.lua - what TAB offers. Looks at values by raw gets only: no metamethod and no code of the user's is run.
local M = {}

local rhm = require "rhm"
local help = require "rhm.help"
local type, next, rawget, ipairs = type, next, rawget, ipairs
local find, match, sub, gmatch, gsub = string.find, string.match, string.sub, string.gmatch, string.gsub
local sort = table.sort
local getmetatable = debug.getmetatable

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch "%a+" do keywords[#keywords + 1] = word end

-- --- where the cursor is ------------------------------------------------------------------------------------------

-- Reads Lua up to the cursor. Returns where it is, "code", "string" or "comment"; in a string the place of its opening
-- quote; and the places of the brackets open there, the innermost last.
local function scan(text)
  local i, n, open = 1, #text, {}
  while i <= n do
    local c = sub(text, i, i)
    local level = match(text, "^%-%-%[(=*)%[", i) or match(text, "^%[(=*)%[", i)
    if level then
      local comment = c == "-"
      local _, stop = find(text, "]" .. level .. "]", i, true)
      if not stop then return comment and "comment" or "string", i, open end
      i = stop
    elseif find(text, "^%-%-", i) then
      i = find(text, "\n", i, true)
      if not i then return "comment", nil, open end
    elseif c == '"' or c == "'" then
      local start = i
      repeat
        i = i + 1
        local d = sub(text, i, i)
        if d == "\\" then i = i + 1 end
        if d == "\n" then break end
        if i > n then return "string", start, open end
      until d == c
    elseif c == "(" or c == "{" or c == "[" then
      open[#open + 1] = i
    elseif c == ")" or c == "}" or c == "]" then
      open[#open] = nil
    end
    i = i + 1
  end
  return "code", nil, open
end

-- The names a text ends with, "a.b:c" or nil.
local function chain_before(text)
  return match(text, "([%a_][%w_]*)%s*$") and match(text, "([%a_][%w_.:]*)%s*$")
end

-- --- values -------------------------------------------------------------------------------------------------------

-- Where the fields that a value lacks are: the table its metatable's __index is, or for an object of ours its methods.
local function behind(value)
  local meta = getmetatable(value)
  if type(meta) ~= "table" then return nil end
  local index, methods = rawget(meta, "__index"), rawget(meta, "__methods")
  return type(index) == "table" and index or type(methods) == "table" and methods or nil
end

-- The raw field of a value, or of what is behind it.
local function get(value, key)
  for _ = 1, 10 do
    if type(value) == "table" then
      local found = rawget(value, key)
      if found ~= nil then return found end
    end
    value = behind(value)
    if not value then return nil end
  end
end

local function resolve(chain)
  local value, first = nil, true
  for name in gmatch(chain, "[^.:]+") do
    if first then value = get(_G, name) else value = get(value, name) end
    if value == nil then return nil end
    first = false
  end
  if value == rhm.view or value == rhm.panel then require(value == rhm.view and "rhm.view" or "rhm.panel") end
  return value
end

-- --- lists --------------------------------------------------------------------------------------------------------

local function add(list, seen, word, name)
  if not seen[word] and sub(word, 1, #name) == name then
    seen[word] = true
    list[#list + 1] = word
  end
end

local function is_module(value)
  for _, module in next, package.loaded do
    if module == value then return true end
  end
  return false
end

-- Our functions that take a table and nothing else, by their signatures: an opening brace serves them better.
local braces
local function find_braces()
  braces = {}
  for _, entry in ipairs(help.list) do
    local signatures = type(entry.signature) == "table" and entry.signature or {entry.signature}
    local all = #signatures > 0
    for _, signature in ipairs(signatures) do all = all and find(signature, "^[%w_.:]+{") ~= nil end
    local f = all and help.function_of(entry.name)
    if f then braces[f] = true end
  end
end

local function suffixed(name, value, only_functions)
  if type(value) == "function" then return name .. (braces[value] and "{" or "(") end
  if only_functions then return nil end
  local meta = type(value) == "table" and getmetatable(value)
  if meta and rawget(meta, "__call") ~= nil then return name end -- rhm.view: a function and a module
  return type(value) == "table" and is_module(value) and name .. "." or name
end

-- The fields of a value (its methods where `method`) that begin with `name`.
local function fields(value, name, method)
  local list, seen = {}, {}
  local meta = getmetatable(value)
  local computed = type(meta) == "table" and rawget(meta, "__fields") or {} -- the names of an object's fields
  for _ = 1, 10 do
    if type(value) == "table" then
      for key, field in next, value do
        if type(key) == "string" and find(key, "^[%a_][%w_]*$") and (sub(key, 1, 2) ~= "__" or name ~= "") then
          local word = suffixed(key, field, method)
          if word then add(list, seen, word, name) end
        end
      end
    end
    value = behind(value)
    if not value then break end
  end
  if not method then
    for _, field in ipairs(computed) do add(list, seen, field, name) end
  end
  return list
end

local function globals(name)
  local list = fields(_G, name, false)
  local seen = {}
  for _, word in ipairs(keywords) do add(list, seen, word, name) end
  return list
end

-- Completes `typed` (the string so far) to the words, each cut to what follows the part that stays.
local function rest(words, typed, name)
  local list, seen = {}, {}
  for _, word in ipairs(words) do
    if sub(word, 1, #typed) == typed then add(list, seen, sub(word, #typed - #name + 1), name) end
  end
  return list
end

local function close_quote(list, quote)
  if #list == 1 and not find(list[1], "/$") then list[1] = list[1] .. quote end
  return list
end

local function topics()
  local names = {}
  for _, entry in ipairs(help.list) do names[#names + 1] = entry.name end
  return names
end

-- Modules: those loaded, and the files that package.path would find.
local function modules(typed, files)
  local names = {}
  for name in next, package.loaded do names[#names + 1] = name end
  for name in next, package.preload do names[#names + 1] = name end
  local folder = match(typed, "^(.*%.)[^.]*$") or ""
  for template in gmatch(package.path, "[^;]+") do
    local before = match(template, "^([^?]*)%?%.lua$")
    if before then
      for _, file in ipairs(files(before .. gsub(folder, "%.", "/"))) do
        local name = match(file, "^([%w_-]+)%.lua$") or match(file, "^([%w_-]+/)$")
        if name then names[#names + 1] = folder .. gsub(name, "/$", ".") end
      end
    end
  end
  return names
end

-- --- the keys of constructor tables -------------------------------------------------------------------------------

-- The help entry of the function whose table argument is open at `place` in text, or nil.
local function callee(text, place)
  local before = gsub(sub(text, 1, place - 1), "%s*%(?%s*$", "")
  local chain = chain_before(before)
  if not chain then return nil end
  local f = resolve(chain)
  local owner, method = match(chain, "^(.*):([%w_]+)$")
  local object = owner and help.object_of(resolve(owner))
  local name = object and object .. ":" .. method or type(f) == "function" and help.name_of(f)
  if name and help.entries[name] then return help.entries[name] end
  if owner and f == nil then -- a local: any method of that name that takes keys
    for _, entry in ipairs(help.list) do
      if entry.keys and match(entry.name, ":(.*)$") == method then return entry end
    end
  end
  return help.entries[chain]
end

local function keys(entry, given, name)
  local list, seen = {}, {}
  for key in gmatch(given, "([%a_][%w_]*)%s*=[^=]") do seen[key .. "="] = true end
  for _, key in ipairs(entry.keys) do add(list, seen, key[1] .. "=", name) end
  return list
end

-- The words a key's value can be, where the string that begins at `quote` is the value of one.
local function key_values(text, quote, open)
  local key = match(sub(text, 1, quote - 1), "([%a_][%w_]*)%s*=%s*$")
  local place = open[#open]
  if not key or not place or sub(text, place, place) ~= "{" then return nil end
  local entry = callee(text, place)
  for _, k in ipairs(entry and entry.keys or {}) do
    if k[1] == key then return k.values end
  end
end

-- --- what completion.c calls --------------------------------------------------------------------------------------

-- before: the line up to the word under the cursor; name: the word up to the cursor; above: the lines before this one;
-- files(prefix): the names in a folder that begin with the last part of prefix. Returns the words that name can become.
local function candidates(before, name, above, files)
  if above == "" and (find(before, "^%s*%?") or find(before, "^%s*help%s+[%w_.:]*$")) then
    local typed = gsub(gsub(gsub(before, "^%s*%?%s*", ""), "^%s*help%s+", ""), "^[\"']", "") .. name
    return rest(topics(), typed, name)
  end
  local text = above == "" and before or above .. "\n" .. before
  local where, quote, open = scan(text)
  if where == "comment" then return {} end
  if where == "string" then
    local mark = sub(text, quote, quote)
    local typed = gsub(sub(text, quote), "^%[=*%[", "")
    if mark ~= "[" then typed = sub(text, quote + 1) end
    typed = typed .. name
    local func = match(sub(text, 1, quote - 1), "([%a_][%w_.]*)%s*%(?%s*$")
    if func == "require" then
      return close_quote(rest(modules(typed, files), typed, name), mark)
    elseif func == "help" or func == "rhm.help" then
      return close_quote(rest(topics(), typed, name), mark)
    elseif func and (func == "view" or find(func, "%f[%w]view%.%a+$") or find(func, "%.view$")
      or find(func, "panel%.show$")) then
      return close_quote(rest(rhm.view.names(), typed, name), mark)
    end
    local values = key_values(text, quote, open)
    if values then return close_quote(rest(values, typed, name), mark) end
    local folder = match(typed, "^(.*/)[^/]*$") or ""
    local names = files(typed)
    for i, file in ipairs(names) do names[i] = folder .. file end
    return close_quote(rest(names, typed, name), mark)
  end
  local chain, mark = match(before, "([%a_][%w_.:]*)([.:])$")
  if chain and not find(chain, "[.:]$") then return fields(resolve(chain), name, mark == ":") end
  if find(before, "[.:]$") and not find(before, "%.%.$") then return {} end
  local place = open[#open]
  if place and sub(text, place, place) == "{" and find(text, "[{,;]%s*$") then
    local entry = callee(text, place)
    local list = entry and entry.keys and keys(entry, sub(text, place + 1), name) or {}
    if #list > 0 then return list end
  end
  return globals(name)
end

function M.candidates(before, name, above, files)
  find_braces()
  local list = candidates(before, name, above, files)
  sort(list)
  return list
end

return M
