-- print.lua - values as text for people: what the prompt shows, rhm.print, and the table a matrix prints.
local M = {}

-- What is elided: rows of a matrix, items of a table, levels of nesting, bytes of a string.
M.limits = {rows = 40, items = 40, numbers = 400, depth = 4, string = 1000}

local rhm = require "rhm"
local type, next, rawget, rawlen, tostring, pcall = type, next, rawget, rawlen, tostring, pcall
local format, rep, find, gsub, sub = string.format, string.rep, string.find, string.gsub, string.sub
local concat, sort, floor, huge = table.concat, table.sort, math.floor, math.huge
local getmetatable = debug.getmetatable

-- Columns a text takes; bytes where it is not UTF-8.
local function columns(text)
  return utf8.len(text) or #text
end
M.columns = columns

-- Columns a line may take: the terminal's but for the last one, where many wrap already, and for the margin of an
-- object that is printed inside a table.
local margin = 0
function M.width()
  return math.max(20, rhm.width() - 1 - margin)
end

-- 0.0123 -> "12.3 ms"
function M.duration(seconds)
  if seconds < 1e-3 then return format("%.3g us", seconds * 1e6) end
  if seconds < 1 then return format("%.3g ms", seconds * 1e3) end
  if seconds < 100 then return format("%.2f s", seconds) end
  local minutes = floor(seconds / 60)
  if minutes < 60 then return format("%d min %02d s", minutes, floor(seconds - 60 * minutes)) end
  return format("%d h %02d min", minutes // 60, minutes % 60)
end

-- Breaks words into lines of at most `width` columns; every line begins with `indent`.
function M.wrap(text, width, indent)
  local lines, line = {}, nil
  for word in text:gmatch "%S+" do
    if line and columns(line) + 1 + columns(word) <= width then
      line = line .. " " .. word
    else
      if line then lines[#lines + 1] = line end
      line = (indent or "") .. word
    end
  end
  lines[#lines + 1] = line
  return concat(lines, "\n")
end

-- --- numbers, strings, keys ---------------------------------------------------------------------------------------

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch "%a+" do keywords[word] = true end

local function quoted(s)
  local more = #s - M.limits.string
  if more > 0 then s = sub(s, 1, M.limits.string) end
  s = gsub(format("%q", s), "\\\n", "\\n")
  return more > 0 and format("%s... (%d more bytes)", s, more) or s
end

local function key_text(key)
  if type(key) == "string" then
    if find(key, "^[%a_][%w_]*$") and not keywords[key] then return key end
    return "[" .. quoted(key) .. "]"
  end
  return "[" .. tostring(key) .. "]"
end

local rank = {number = 1, string = 2, boolean = 3}
local function key_before(a, b)
  local ra, rb = rank[type(a)] or 4, rank[type(b)] or 4
  if ra ~= rb then return ra < rb end
  if ra <= 2 then return a < b end
  return tostring(a) < tostring(b)
end

-- Whoever wrote a __tostring may have made a mistake in it.
local function safe_tostring(value)
  local ok, text = pcall(tostring, value)
  if ok then return text end
  return format("<%s: error in __tostring: %s>", type(value), type(text) == "string" and text or type(text))
end

local function function_text(f)
  local info = debug.getinfo(f, "S")
  if info.what == "C" then return safe_tostring(f) end
  return format("function <%s:%d>", info.short_src, info.linedefined)
end

-- --- tables -------------------------------------------------------------------------------------------------------

local value_text

-- Numbers in columns: the cells of one width, as many in a line as fit.
local function cells_text(cells, tail, indent, width)
  local shown, wide = #cells, 0
  for _, cell in ipairs(cells) do wide = math.max(wide, #cell) end
  local line = "{" .. concat(cells, ", ") .. tail .. "}"
  if #line + indent <= width then return line end
  local each = floor((width - indent - 1) / (wide + 2))
  if each < 1 then each = 1 end
  local lines, row = {}, {}
  for i = 1, shown do
    row[#row + 1] = rep(" ", wide - #cells[i]) .. cells[i]
    if #row == each or i == shown then
      lines[#lines + 1] = concat(row, ", ")
      row = {}
    end
  end
  return "{" .. concat(lines, ",\n" .. rep(" ", indent + 1)) .. tail .. "}"
end

local function numbers_text(t, n, indent, width)
  local shown = n > M.limits.numbers and M.limits.numbers or n
  local cells = {}
  for i = 1, shown do cells[i] = tostring(rawget(t, i)) end
  return cells_text(cells, shown < n and format(", ... (%d more)", n - shown) or "", indent, width)
end

-- A row of a matrix says itself how its numbers look.
local function row_text(row, indent, width)
  local cells = {}
  for cell in string.gmatch(tostring(row), "[^{}, ]+") do
    if #cells == M.limits.numbers then break end
    cells[#cells + 1] = cell
  end
  local tail = #row > #cells and format(", ... (%d more)", #row - #cells) or ""
  return cells_text(cells, tail, indent, width)
end

-- The items of a table as texts: those of the list first, then the rest by key.
local function items_text(t, n, depth, indent, width, path)
  local items, keys, more = {}, {}, 0
  for i = 1, n do
    if #items == M.limits.items then
      more = n - i + 1
      break
    end
    items[#items + 1] = value_text(rawget(t, i), depth + 1, indent + 2, width, path)
  end
  for key in next, t do
    if not (math.type(key) == "integer" and key >= 1 and key <= n) then keys[#keys + 1] = key end
  end
  sort(keys, key_before)
  for i, key in ipairs(keys) do
    if #items >= M.limits.items then
      more = more + #keys - i + 1
      break
    end
    local name = key_text(key) .. " = "
    items[#items + 1] = name .. value_text(rawget(t, key), depth + 1, indent + 2 + columns(name), width, path)
  end
  if more > 0 then items[#items + 1] = format("... (%d more)", more) end
  return items
end

local function table_text(t, depth, indent, width, path)
  if next(t) == nil then return "{}" end
  if path[t] then return "<the table itself>" end
  local n, count, numbers = rawlen(t), 0, true
  for _ in next, t do count = count + 1 end
  for i = 1, n do
    local value = rawget(t, i)
    if type(value) ~= "number" then numbers = false end
    if value == nil then n = i - 1 break end -- a border is not always the first one
  end
  if numbers and n == count then return numbers_text(t, n, indent, width) end
  if depth >= M.limits.depth then return format("{... (%d)}", count) end
  path[t] = true
  local items = items_text(t, n, depth, indent, width, path)
  path[t] = nil
  local line = "{" .. concat(items, ", ") .. "}"
  if columns(line) + indent <= width and not find(line, "\n") then return line end
  local pad = rep(" ", indent + 2)
  return "{\n" .. pad .. concat(items, ",\n" .. pad) .. "\n" .. rep(" ", indent) .. "}"
end

-- The text of a value whose first line begins at column `indent`; the lines after it are indented by as much.
function value_text(value, depth, indent, width, path)
  local t = type(value)
  if t == "string" then return quoted(value) end
  if t == "function" then return function_text(value) end
  local meta = getmetatable(value)
  if t == "table" and not (type(meta) == "table" and rawget(meta, "__tostring")) then
    return table_text(value, depth, indent, width, path)
  end
  if t == "userdata" and type(meta) == "table" and rawget(meta, "__name") == "rhm.row" then
    return row_text(value, indent, width)
  end
  local before = margin
  margin = indent
  local text = safe_tostring(value)
  margin = before
  if indent > 0 and find(text, "\n") then
    if depth >= 2 then
      local room = math.max(20, width - indent - 8) -- " ...", and what closes the tables around it
      text = sub(text, 1, find(text, "\n") - 1)
      local cut = columns(text) > room and (utf8.len(text) and utf8.offset(text, room + 1) or room + 1)
      return (cut and sub(text, 1, cut - 1) or text) .. " ..."
    end
    text = gsub(text, "\n", "\n" .. rep(" ", indent))
  end
  return text
end

-- --- matrices -----------------------------------------------------------------------------------------------------

-- The places of 1..n to show: all, or `fit` of them without the middle. The gap is 0.
local function places(n, fit)
  local list = {}
  if n <= fit then
    for i = 1, n do list[i] = i end
    return list
  end
  local head = (fit + 1) // 2
  for i = 1, head do list[i] = i end
  list[#list + 1] = 0
  for i = n - (fit - head) + 1, n do list[#list + 1] = i end
  return list
end

-- How the numbers are written: all whole; or with 5 digits for the largest; or that after a common scale.
local function number_format(cells)
  local whole, largest = true, 0
  for _, x in ipairs(cells) do
    if x == x and x ~= huge and x ~= -huge then
      if x ~= floor(x) then whole = false end
      if x < 0 then x = -x end
      if x > largest then largest = x end
    end
  end
  if whole and largest < 1e9 then return "%.0f", 1 end
  local exponent = floor(math.log(largest, 10) + 1e-12)
  if exponent >= -2 and exponent <= 4 then
    return format("%%.%df", exponent >= 0 and 4 - exponent or 3 - exponent), 1
  end
  return "%.4f", tonumber("1e" .. exponent)
end

local function cell_text(fmt, x, scale)
  if x ~= x then return "nan" end
  if x == huge or x == -huge then return x > 0 and "inf" or "-inf" end
  local text = format(fmt, x / scale)
  return find(text, "^%-[0.]+$") and sub(text, 2) or text -- no "-0.0000"
end

-- A matrix (m:rows(), m:cols(), m[i][j]) as lines of at most `width` columns and a footer with its shape.
function M.matrix(m, width)
  width = width or M.width()
  local rows, cols = m:rows(), m:cols()
  local footer = format("[%d x %d]", rows, cols)
  if rows == 0 or cols == 0 then return footer end
  local row_places = places(rows, M.limits.rows)
  -- The format needs the numbers shown and their number needs the width of the format: take as many as could fit first.
  local most = math.max(2, (width + 1) // 3)
  local candidates, values, all = places(cols, most), {}, {}
  for _, i in ipairs(row_places) do
    if i > 0 then
      local row, list = m[i], {}
      for _, j in ipairs(candidates) do
        if j > 0 then
          list[j] = row[j]
          all[#all + 1] = list[j]
        end
      end
      values[i] = list
    end
  end
  local fmt, scale = number_format(all)
  local texts, wide = {}, 1
  for i, list in next, values do
    texts[i] = {}
    for j, x in next, list do
      texts[i][j] = cell_text(fmt, x, scale)
      if #texts[i][j] > wide then wide = #texts[i][j] end
    end
  end
  local fit = (width + 2) // (wide + 2)
  if cols > fit then fit = math.max(1, (width - 3) // (wide + 2)) end
  local col_places = places(cols, math.min(fit, most))
  local lines = {}
  if scale ~= 1 then lines[1] = format("%.0e x", scale) end
  for _, i in ipairs(row_places) do
    local cells = {}
    for k, j in ipairs(col_places) do
      local text = j == 0 and "..." or i == 0 and ":" or texts[i][j]
      cells[k] = j == 0 and (i == 0 and "   " or text) or rep(" ", wide - #text) .. text
    end
    lines[#lines + 1] = gsub(concat(cells, "  "), "%s+$", "")
  end
  lines[#lines + 1] = footer
  return concat(lines, "\n")
end

-- --- what others call ---------------------------------------------------------------------------------------------

-- The text of any value; `width` is the terminal's unless given.
function M.format(value, width)
  return value_text(value, 0, 0, width or M.width(), {})
end

-- One line of at most `width` columns.
function M.line(value, width)
  local text = type(value) == "table" and value_text(value, M.limits.depth - 2, 0, huge, {}) or M.format(value, width)
  text = gsub(text, "\n.*", " ...")
  if columns(text) <= width then return text end
  local cut = utf8.len(text) and utf8.offset(text, width - 2) or width - 2
  return sub(text, 1, cut - 1) .. "..."
end

-- Prints its arguments: in one line where they are short, else one below the other.
function M.print(...)
  local n, texts, long, total = select("#", ...), {}, false, 0
  local width = M.width()
  for i = 1, n do
    texts[i] = M.format((select(i, ...)), width)
    long = long or find(texts[i], "\n") ~= nil
    total = total + columns(texts[i]) + 2
  end
  io.write(concat(texts, (long or total > width) and "\n" or "  "), "\n")
end

return M
