-- grid.lua - rows of texts in columns, as wide as the terminal.

local printer = require "rhm.print"
local ipairs, pairs = ipairs, pairs
local rep, concat, max = string.rep, table.concat, math.max

-- The columns, from the left, that tell all rows apart that differ at all, where so many columns of the terminal have
-- room for them; else the first.
local function row_names(rows, used, wide, room)
  local function kinds(last)
    local seen, count = {}, 0
    for i = 2, #rows do
      local cells = {}
      for j = 1, last do cells[j] = rows[i][j] or "" end
      local key = concat(cells, "\0")
      if not seen[key] then seen[key], count = true, count + 1 end
    end
    return count
  end
  local names, first, all = {}, nil, kinds(#rows[1])
  for j = 1, #rows[1] do
    if used[j] then
      names[#names + 1], first, room = j, first or j, room - wide[j] - 1
      if room < 0 then break end
      if kinds(j) == all then return names end
    end
  end
  return {first}
end

-- Rows of texts in columns, the first row the head. Columns in which no row has anything are left out; all are
-- aligned to the right, but for those in `left`. A table too wide for the terminal has its columns closer together, and
-- one that still is comes in several parts, each with the columns that name the rows. Returns the text and the columns
-- it would like.
return function(rows, left)
  local wide, used, total, gap = {}, {}, -2, "  "
  for i, row in ipairs(rows) do
    for j = 1, #rows[1] do
      local text = row[j] or ""
      wide[j] = max(wide[j] or 0, printer.columns(text))
      if i > 1 and text ~= "" and text ~= "-" then used[j] = true end
    end
  end
  local parts, part, at, width, columns = {}, nil, 0, printer.width(), 0
  for j in pairs(used) do total, columns = total + wide[j] + 2, columns + 1 end
  if total > width then gap = " " end
  local names = row_names(rows, used, wide, width // 2)
  for j = 1, #rows[1] do
    if used[j] and (not part or (at + #gap + wide[j] > width and #part > #names)) then
      at = -#gap
      for _, name in ipairs(part and names or {}) do at = at + #gap + wide[name] end
      part = part and table.move(names, 1, #names, 1, {}) or {}
      parts[#parts + 1] = part
    end
    if used[j] then part[#part + 1], at = j, at + #gap + wide[j] end
  end
  local lines = {}
  for _, places in ipairs(parts) do
    for _, row in ipairs(rows) do
      local cells = {}
      for k, j in ipairs(places) do
        local text = row[j] or ""
        local pad = rep(" ", wide[j] - printer.columns(text))
        cells[k] = left and left[j] and text .. pad or pad .. text
      end
      lines[#lines + 1] = (concat(cells, gap):gsub("%s+$", ""))
    end
  end
  return concat(lines, "\n"), total - columns + 1
end
