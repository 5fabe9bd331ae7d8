-- hint.lua - what the help knows that an error message can end with. Each function gives text to append, perhaps "".
local M = {}

local help = require "rhm.help"
local nearest = require "rhm.nearest"
local concat = table.concat

local function knows(entry, key)
  for _, known in ipairs(entry.keys or {}) do
    for name in known[1]:gmatch("[%w_]+") do
      if name == key then return true end
    end
  end
end

-- " (a key of network:train)": the functions of the same object that have a key which `where` has not.
function M.key(where, key)
  local object, owners = where:match "^rhm%.(%a+)$" or where:match "^(%a+):", {}
  for _, entry in ipairs(help.list) do
    local name = entry.name
    local same = object and (name:match "^rhm%.(%a+)$" == object or name:match "^(%a+):" == object)
    if same and name ~= where and knows(entry, key) then owners[#owners + 1] = name end
  end
  return #owners > 0 and (" (a key of %s)"):format(concat(owners, ", ")) or ""
end

-- ": g:sample{ n= [, seed=] }": how `where` is called.
function M.usage(where)
  local entry = help.entries[where]
  local signature = entry and entry.signature
  if type(signature) == "table" then signature = signature[1] end
  return signature and ": " .. signature or ""
end

-- What is called, and the names of the help that could have been meant.
local patterns = {
  method = {"^%a+:([%w_]+)$"},
  field = {"^rhm%.([%w_]+)$"},
  global = {"^([%w_]+)$", "^rhm%.([%w_]+)$"},
}

-- The message of a call of nil, with the nearest name there is, if one is near.
function M.meant(message)
  local kind, name = message:match "attempt to call a nil value %((%a+) '([%w_]+)'%)$"
  local words, whole = {}, {}
  for _, pattern in ipairs(patterns[kind] or {}) do
    for _, entry in ipairs(help.list) do
      local word = entry.name:match(pattern)
      local is_function = kind ~= "global" or entry.name ~= word or type(_G[word]) == "function"
      if word and is_function and not whole[word] then
        words[#words + 1], whole[word] = word, kind == "global" and entry.name or word
      end
    end
  end
  local near = name and nearest.word(name, words)
  return near and ("%s: did you mean '%s'?"):format(message, whole[near]) or message
end

return M
