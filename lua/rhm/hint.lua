-- hint.lua - what the help knows that an error message can end with. Each function gives text to append, perhaps "".
local M = {}

local help = require "rhm.help"
local concat = table.concat

local function knows(entry, key)
  for _, known in ipairs(entry.keys or {}) do
    for name in known[1]:gmatch("[%w_]+") do
      if name == key then return true end
    end
  end
end

-- " (a key of network:train)": the functions that have a key which `where` has not, those of the same object before all
-- others, of these at most two.
function M.key(where, key)
  local object = where:match("^rhm%.(%a+)$") or where:match("^(%a+):")
  local near, far = {}, {}
  for _, entry in ipairs(help.list) do
    if entry.name ~= where and knows(entry, key) then
      local list = object and entry.name:match("^rhm%.(%a+)$") ~= object and entry.name:match("^(%a+):") ~= object and far or near
      list[#list + 1] = entry.name
    end
  end
  local owners = #near > 0 and near or #far <= 2 and far or {}
  return #owners > 0 and (" (a key of %s)"):format(concat(owners, ", ")) or ""
end

-- ": g:sample{ n= [, seed=] }": how `where` is called.
function M.usage(where)
  local entry = help.entries[where]
  local signature = entry and entry.signature
  if type(signature) == "table" then signature = signature[1] end
  return signature and ": " .. signature or ""
end

return M
