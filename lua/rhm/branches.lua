-- branches.lua - s, the children of a symbol: a number where all levels have the same, else a list {s_1, ..., s_L}.
local M = {}

local type, format, concat = type, string.format, table.concat

-- s of level l.
function M.at(s, l)
  return type(s) == "table" and s[l] or s
end

-- s_first * ... * s_last, 1 where last < first: the tokens under a patch of level l are product(s, l, L), the patches
-- of level l product(s, 1, l - 1).
function M.product(s, first, last)
  local product = 1
  for l = first, last do product = product * M.at(s, l) end
  return product
end

-- "2" or "{2,3,2}".
function M.text(s)
  return type(s) == "table" and "{" .. concat(s, ",") .. "}" or format("%d", s)
end

return M
