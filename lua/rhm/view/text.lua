-- text.lua - lines of a view: their columns, clipping and padding; numbers of a fixed width.
--
-- A line is a string or a list of segments; a segment is a string or {text, style="name"}.
local M = {}

local type, ipairs, tostring = type, ipairs, tostring
local format, rep, sub, find, gsub = string.format, string.rep, string.sub, string.find, string.gsub
local floor, huge, abs, max = math.floor, math.huge, math.abs, math.max

-- --- columns ------------------------------------------------------------------------------------------------------

-- Ranges of characters of no width (combining marks, joiners) and of two columns (East Asian wide, emoji).
local zero = {0x300, 0x36f, 0x483, 0x489, 0x591, 0x5bd, 0x610, 0x61a, 0x64b, 0x65f, 0x200b, 0x200f, 0x20d0, 0x20ff,
  0xfe00, 0xfe0f, 0xfe20, 0xfe2f}
local wide = {0x1100, 0x115f, 0x2e80, 0x303e, 0x3041, 0xa4cf, 0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe30, 0xfe6f, 0xff00,
  0xff60, 0xffe0, 0xffe6, 0x1f300, 0x1f64f, 0x1f900, 0x1f9ff, 0x20000, 0x3fffd}

local function within(ranges, code)
  for i = 1, #ranges, 2 do
    if code < ranges[i] then return false end
    if code <= ranges[i + 1] then return true end
  end
  return false
end

local function width_of(code)
  if code < 0x300 then return 1 end
  return within(zero, code) and 0 or within(wide, code) and 2 or 1
end

-- Text with nothing in it that moves the cursor or breaks the line; bytes that are no UTF-8 become "?".
local function clean(text)
  if not find(text, "[%c\x80-\xff]") then return text end
  if not utf8.len(text) then text = gsub(text, "[\x80-\xff]", "?") end
  return (gsub(gsub(text, "\xc2[\x80-\x9f]", "?"), "%c", " "))
end
M.clean = clean

-- Whether all characters take one column, seen by their bytes: ASCII, Latin and Greek letters, and U+2180 to U+2BFF,
-- where boxes, blocks and braille are.
local function simple(text)
  return not find(text, "[\xcc\xcd\xd2-\xd9\xe0\xe1\xe3-\xff]") and not find(text, "\xe2[\x80-\x85\xb0-\xbf]")
end

-- Columns of a string (clean already), or of a line.
local function columns(line)
  if type(line) == "string" then
    if not find(line, "[\x80-\xff]") then return #line end
    if simple(line) then return utf8.len(line) end
    local n = 0
    for _, code in utf8.codes(line) do n = n + width_of(code) end
    return n
  end
  local n = 0
  for _, segment in ipairs(line) do n = n + columns(type(segment) == "table" and segment[1] or segment) end
  return n
end
M.columns = columns

-- The first characters of a string that fit `width` columns, and how many columns they take.
local function cut(text, width)
  if not find(text, "[\x80-\xff]") then
    text = sub(text, 1, max(0, width))
    return text, #text
  elseif simple(text) then
    local n = utf8.len(text)
    if n <= width then return text, n end
    width = max(0, width)
    return sub(text, 1, utf8.offset(text, width + 1) - 1), width
  end
  local n = 0
  for place, code in utf8.codes(text) do
    local w = width_of(code)
    if n + w > width then return sub(text, 1, place - 1), n end
    n = n + w
  end
  return text, n
end

-- A line made safe and not wider than `width`: itself where it was so, else a new one.
function M.clip(line, width)
  if type(line) ~= "table" then
    local text = clean(tostring(line))
    return columns(text) <= width and text or (cut(text, width))
  end
  local new, left = {}, width
  for _, segment in ipairs(line) do
    if left <= 0 then break end
    local styled = type(segment) == "table"
    local text, n = cut(clean(tostring(styled and segment[1] or segment)), left)
    new[#new + 1] = styled and {text, style = segment.style} or text
    left = left - n
  end
  return new
end

-- Text of exactly `width` columns: padded on the right, on the left where align = "right", or cut with `ellipsis`.
function M.pad(text, width, align, ellipsis)
  local n = columns(text)
  if n > width then
    ellipsis = ellipsis or ""
    local room = width - columns(ellipsis)
    if room < 0 then ellipsis, room = "", width end
    local short, taken = cut(text, room)
    return short .. ellipsis .. rep(" ", room - taken)
  end
  local space = rep(" ", width - n)
  return align == "right" and space .. text or text .. space
end

-- The titles of a table's columns, for those that have a width in `widths` (by their keys).
function M.titles(list, widths)
  local titles = {}
  for _, column in ipairs(list) do
    local width = widths[column.key]
    if width then titles[#titles + 1] = M.pad(column.title, width, not column.left and "right" or nil) end
  end
  return titles
end

-- Lines of at most `width` columns from words.
function M.wrap(text, width)
  local lines, line, n = {}, nil, 0
  for word in text:gmatch "%S+" do
    local w = columns(word)
    if line and n + 1 + w <= width then
      line, n = line .. " " .. word, n + 1 + w
    else
      lines[#lines + 1] = line
      line, n = word, w
    end
  end
  lines[#lines + 1] = line
  return lines
end

-- Blocks of lines side by side, each filled to its width.
function M.beside(blocks, widths, gap)
  local rows, out = 0, {}
  for _, block in ipairs(blocks) do rows = max(rows, #block) end
  for r = 1, rows do
    local line = {}
    for i, block in ipairs(blocks) do
      local part = block[r] or ""
      local n = columns(part)
      if type(part) == "table" then
        for _, segment in ipairs(part) do line[#line + 1] = segment end
      else
        line[#line + 1] = part
      end
      if i < #blocks then line[#line + 1] = rep(" ", max(0, widths[i] - n) + gap) end
    end
    out[r] = line
  end
  return out
end

-- --- numbers ------------------------------------------------------------------------------------------------------

-- "1.6e-3": no sign or zeros that say nothing in the exponent.
local function short_exponent(text)
  return (gsub(gsub(text, "e%+?(%-?)0*(%d)", "e%1%2"), "e0$", ""))
end

-- A number in at most `width` columns (5 or more), with as many digits as fit; "-" for nil.
function M.number(x, width)
  width = width or 6
  if not x then return "-" end
  if x ~= x then return "nan" end
  if x == huge then return "inf" end
  if x == -huge then return "-inf" end
  if x == 0 then return "0" end
  local room = x < 0 and width - 1 or width
  if abs(x) >= 1e-3 and abs(x) < 10 ^ (room - 2) then
    local before = abs(x) < 10 and 1 or floor(math.log(abs(x), 10) + 1e-9) + 1
    local text = format("%." .. max(0, room - before - 1) .. "f", x)
    if #text > width then text = sub(text, 1, -2) end -- 9.9999 rounded up to 10.000
    return text
  end
  if x == floor(x) and #format("%.0f", x) <= width then return format("%.0f", x) end
  for digits = max(0, width - 5), 0, -1 do
    local text = short_exponent(format("%." .. digits .. "e", x))
    if #text <= width then return text end
  end
  return short_exponent(format("%.0e", x))
end

-- A whole number in at most `width` columns (5 or more): 20000, 1.60M.
function M.count(n, width)
  if not n then return "" end
  width = width or 7
  local text = format("%.0f", n)
  if #text <= width then return text end
  local unit = 0
  while n >= 999.5 and unit < 6 do n, unit = n / 1000, unit + 1 end
  local digits = n >= 99.95 and 0 or n >= 9.995 and 1 or 2
  return format("%." .. digits .. "f", n) .. ({"k", "M", "G", "T", "P", "E"})[unit]
end

-- Seconds in at most 7 columns: 0.012 s, 12.3 s, 3:05, 1:02:05, 12 d.
function M.duration(seconds)
  if not seconds or seconds ~= seconds then return "" end
  if seconds < 9.9995 then return format("%.3f s", seconds) end
  if seconds < 99.95 then return format("%.1f s", seconds) end
  local s = floor(seconds + 0.5)
  if s < 3600 then return format("%d:%02d", s // 60, s % 60) end
  if s < 36000 then return format("%d:%02d:%02d", s // 3600, s // 60 % 60, s % 60) end
  if s < 360000 then return format("%d h", s // 3600) end
  return format("%d d", s // 86400)
end

-- The time left in at most 6 columns; it need not be exact, and should not flicker.
function M.left(seconds)
  if not seconds or seconds ~= seconds or seconds == huge then return "" end
  local s = math.ceil(seconds)
  if s < 100 then return format("%d s", s) end
  if s < 6000 then return format("%d min", (s + 30) // 60) end
  if s < 360000 then return format("%d h", (s + 1800) // 3600) end
  return format("%d d", (s + 43200) // 86400)
end

-- Samples or steps a second in at most 7 columns: 950/s, 1.60M/s.
function M.rate(x)
  if not x or x ~= x or x == huge then return "" end
  if x < 10 then return format("%.1f/s", x) end
  return M.count(x, 4) .. "/s"
end

-- A share in at most 4 columns; 100 % is said of what is whole only.
function M.percent(done, all)
  if not all or all <= 0 or not done then return "" end
  return done >= all and "100%" or format("%d%%", floor(100 * done / all))
end

-- "a, b, c" without the last of its parts that make it wider than width.
function M.parts(words, width)
  while M.columns(words) > width and find(words, ", ", 1, true) do words = gsub(words, ",[^,]*$", "") end
  return words
end

return M
