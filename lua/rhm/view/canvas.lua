-- canvas.lua - curves in braille (2 x 4 dots a character) or ASCII (1 x 2), with axes, numbers and a legend.
local M = {}

local text = require "rhm.view.text"
local ipairs, setmetatable = ipairs, setmetatable
local floor, huge, max, min, abs = math.floor, math.huge, math.max, math.min, math.abs
local log, format, rep, concat = math.log, string.format, string.rep, table.concat

-- --- dots ---------------------------------------------------------------------------------------------------------

local canvas = {}
canvas.__index = canvas

-- A blank canvas of so many characters. Its dots are (0,0), top left, to (c.wide - 1, c.high - 1).
function M.new(columns, rows, glyphs)
  local across, down = 1, 2
  if glyphs.braille then across, down = 2, 4 end
  return setmetatable({columns = columns, rows = rows, across = across, down = down, wide = columns * across,
    high = rows * down, cell = {}, style = {}, braille = glyphs.braille}, canvas)
end

-- The bit of a dot in its character, by row and column; ASCII has an upper and a lower one.
local braille_bits = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}
local ascii_dots = {"'", ".", ":"}

-- Sets a dot; outside nothing happens. The last one to draw in a character gives it its style.
function canvas:dot(x, y, style)
  x, y = floor(x), floor(y)
  if x < 0 or y < 0 or x >= self.wide or y >= self.high then return end
  local place = y // self.down * self.columns + x // self.across + 1
  local bit = self.braille and braille_bits[y % 4 + 1][x % 2 + 1] or y % 2 + 1
  self.cell[place] = (self.cell[place] or 0) | bit
  self.style[place] = style
end

-- A character in place of the dots at a dot.
function canvas:mark(x, y, glyph, style)
  x, y = floor(x), floor(y)
  if x < 0 or y < 0 or x >= self.wide or y >= self.high then return end
  local place = y // self.down * self.columns + x // self.across + 1
  self.cell[place], self.style[place] = glyph, style
end

-- A straight line; dash = {on, off} leaves dots out. phase: dots drawn before, returned for the line that goes on.
function canvas:line(x0, y0, x1, y1, style, dash, phase)
  local steps = max(abs(floor(x1) - floor(x0)), abs(floor(y1) - floor(y0)))
  phase = phase or 0
  local dx, dy = 0, 0
  if steps > 0 then dx, dy = (x1 - x0) / steps, (y1 - y0) / steps end
  for i = 0, steps do
    if not dash or phase % (dash[1] + dash[2]) < dash[1] then self:dot(x0 + i * dx, y0 + i * dy, style) end
    if i > 0 then phase = phase + 1 end
  end
  return phase
end

-- Row r (1 = top) as segments, neighbours of a style together.
function canvas:row(r)
  local segments, run, style = {}, {}, nil
  local function close()
    if #run > 0 then segments[#segments + 1] = style and {concat(run), style = style} or concat(run) end
    run = {}
  end
  for c = 1, self.columns do
    local place = (r - 1) * self.columns + c
    local cell, new = self.cell[place], self.style[place]
    local glyph = " "
    if type(cell) == "string" then glyph = cell
    elseif cell then glyph = self.braille and utf8.char(0x2800 + cell) or ascii_dots[cell]
    else new = nil end
    if new ~= style then close() style = new end
    run[#run + 1] = glyph
  end
  close()
  return segments
end

-- --- axes ---------------------------------------------------------------------------------------------------------

-- A tick's number as short as it can be: 0.02, 1e-4, 30, 20k.
function M.tick_text(x)
  if x == 0 then return "0" end
  local a = abs(x)
  if a >= 1e-3 and a < 1e4 then return format("%.4g", x) end
  if a >= 1e4 and a < 1e15 then
    local number, unit = text.count(a, 4):match "^([%d.]+)(%a)$"
    return (x < 0 and "-" or "") .. format("%g", tonumber(number)) .. unit
  end
  return (format("%.1e", x):gsub("%.0e", "e"):gsub("e%+?(%-?)0*", "e%1"))
end

-- At most `n` (2 or more) round numbers from low to high: {x, ...}.
function M.ticks(low, high, n, logarithmic)
  local list = {}
  if logarithmic then
    local first, last = math.ceil(log(low, 10) - 1e-9), floor(log(high, 10) + 1e-9)
    local stride = max(1, math.ceil((last - first + 1) / n))
    if last - first >= 1 then
      for e = first, last, stride do list[#list + 1] = 10.0 ^ e end
      return list
    end
    for _, digits in ipairs {{1, 2, 5}, {1, 2, 3, 5, 7}, {1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9}} do
      local found = {}
      for e = first - 1, last + 1 do
        for _, digit in ipairs(digits) do
          local x = digit * 10.0 ^ e
          if x >= low * (1 - 1e-9) and x <= high * (1 + 1e-9) then found[#found + 1] = x end
        end
      end
      if #found <= n then list = found end
    end
    if #list >= 2 then return list end
    list = {}
  end
  local span = high - low
  if not (span > 0) then return {low} end
  local unit = 10.0 ^ floor(log(span / n, 10))
  local step
  for _, k in ipairs {1, 2, 2.5, 5, 10, 20} do
    step = k * unit
    if floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1 <= n then break end
  end
  for i = math.ceil(low / step - 1e-9), floor(high / step + 1e-9) do list[#list + 1] = i * step end
  return list
end

-- The next number of 1, 2, 5, 10, ... below x (up = false) or above it.
function M.round(x, up)
  local unit = 10.0 ^ floor(log(x, 10) + 1e-9)
  local list = up and {1, 2, 5, 10} or {5, 2, 1}
  for _, k in ipairs(list) do
    if up and k * unit >= x * (1 - 1e-9) or not up and k * unit <= x * (1 + 1e-9) then return k * unit end
  end
  return x
end

-- An axis over values: {low=, high=, log=, at(x) -> 0..1}. logarithmic = true: where the values allow it, else linear;
-- "auto": where they are positive and span more than a decade and a half. round: its ends are round numbers, which stay
-- when the values move a little.
function M.axis(values, logarithmic, low, high, round)
  local least, most, positive = huge, -huge, huge
  for _, x in ipairs(values) do
    if x == x and abs(x) < huge then
      least, most = min(least, x), max(most, x)
      if x > 0 then positive = min(positive, x) end
    end
  end
  if least > most then least, most = 0, 1 end
  least, most = low or least, high or most
  local wanted = logarithmic == true and positive < huge or logarithmic == "auto" and least > 0 and most / least > 30
  local axis = {log = wanted}
  if wanted then
    axis.low, axis.high = max(least, positive < huge and positive or least), most
    if axis.low <= 0 then axis.low = most / 1000 end
    if axis.high <= axis.low then axis.low, axis.high = axis.low / 2, axis.high * 2 end
    if round then axis.low, axis.high = low or M.round(axis.low, false), high or M.round(axis.high, true) end
    local a, b = log(axis.low), log(axis.high)
    function axis.at(x) return x > 0 and (log(x) - a) / (b - a) or 0 end -- zero lies on the axis
  else
    axis.low, axis.high = least, most
    if most <= least then
      local around = abs(least) > 0 and abs(least) / 2 or 1
      axis.low, axis.high = least - around, least + around
      if least >= 0 then axis.low = max(0, axis.low) end
    end
    if round then
      local unit = M.round((axis.high - axis.low) / 10, false)
      axis.low, axis.high = low or floor(axis.low / unit) * unit, high or math.ceil(axis.high / unit) * unit
    end
    local a, b = axis.low, axis.high
    function axis.at(x) return (x - a) / (b - a) end
  end
  return axis
end

-- --- plots --------------------------------------------------------------------------------------------------------

-- What tells series apart without colour.
local dashes = {false, {4, 3}, {1, 2}, {6, 2}}
local ascii_marks = {"*", "o", "+", "x"}

-- The line of numbers below the axis, centred under their ticks where there is room.
local function x_numbers(axis, ticks, columns, label)
  local cells = {}
  for i = 1, columns do cells[i] = " " end
  local free = 1
  local limit = label ~= "" and columns - text.columns(label) - 1 or columns
  for _, x in ipairs(ticks) do
    local number = M.tick_text(x)
    local at = floor(axis.at(x) * (columns - 1) + 0.5) + 1
    local from = max(1, min(at - #number // 2, columns - #number + 1))
    if from >= free and from + #number - 1 <= limit then
      for i = 1, #number do cells[from + i - 1] = number:sub(i, i) end
      free = from + #number + 1
    end
  end
  local line = concat(cells)
  if label ~= "" and limit > 0 then line = line:sub(1, columns - text.columns(label)) .. label end
  return line
end

-- The names of the series, each with a sample of its line and its last value.
local function legend(p)
  local line, samples = {}, {"──", "╌╌", "··", "─╌"}
  for i, s in ipairs(p.series) do
    if i > 1 then line[#line + 1] = "   " end
    local sample = p.glyphs.line .. p.glyphs.line
    if not p.glyphs.braille then
      sample = ascii_marks[(i - 1) % 4 + 1]
    elseif p.colours == 0 then
      sample = samples[(i - 1) % 4 + 1]
    end
    line[#line + 1] = {sample .. " ", style = s.style}
    line[#line + 1] = {s.name, style = s.style}
    if s.last then line[#line + 1] = {" " .. s.last, style = "plain"} end
  end
  return line
end

-- Series i through its points, place(x, y) -> dots.
local function draw_series(c, s, i, place, colours)
  local mark = not c.braille and ascii_marks[(i - 1) % 4 + 1] or nil
  local dash = not mark and colours == 0 and dashes[(i - 1) % 4 + 1] or nil
  local px, py, phase
  for k = 1, #s.x do
    local value, x, y = s.y[k], nil, nil
    if value and value == value and abs(value) < huge then
      x, y = place(s.x[k], value)
      local joined = px and not s.points
      if mark then
        local steps = joined and max(1, math.ceil(abs(x - px)), math.ceil(abs(y - py) / c.down)) or 1
        for t = 1, steps do
          local back = joined and 1 - t / steps or 0
          c:mark(x - back * (x - (px or x)) + 0.5, y - back * (y - (py or y)) + 0.5, mark, s.style)
        end
      elseif joined then
        phase = c:line(px + 0.5, py + 0.5, x + 0.5, y + 0.5, s.style, dash, phase)
      else
        c:dot(x + 0.5, y + 0.5, s.style)
      end
    end
    px, py = x, y
  end
end

-- Vertical lines, below the curves.
local function draw_marks(c, marks, place)
  for _, mark in ipairs(marks) do
    local x = place(mark.x, 1)
    for y = 0, c.high - 1, 2 do c:dot(x + 0.5, y, mark.style or "dim") end
  end
end

-- Their labels, above the curves: to the right of the lines where they fit, else to the left, each in the first row
-- where there is room.
local function draw_labels(c, marks, place)
  local free = {}
  for _, mark in ipairs(marks) do
    local label = text.clean(mark.label or "")
    local n, column = text.columns(label), floor(place(mark.x, 1) + 0.5) // c.across
    local from = column + 1 + n <= c.columns and column + 1 or max(0, column - n)
    for r = 0, n > 0 and c.rows - 1 or -1 do
      if from > (free[r] or -1) then
        for _, code in utf8.codes(label) do
          c:mark(from * c.across, r * c.down, utf8.char(code), mark.style or "dim")
          from = from + 1
        end
        free[r] = from
        break
      end
    end
  end
end

-- The two lines of the x axis, `before` columns from the left.
local function x_axis(p, axis, columns, before)
  local ticks = M.ticks(axis.low, axis.high, max(2, columns // 10), axis.log)
  if p.integer then
    for i = #ticks, 1, -1 do
      if ticks[i] ~= floor(ticks[i]) then table.remove(ticks, i) end
    end
  end
  local line = {}
  for i = 1, columns do line[i] = p.glyphs.horizontal end
  for _, x in ipairs(ticks) do line[floor(axis.at(x) * (columns - 1) + 0.5) + 1] = p.glyphs.tick_x end
  return {{rep(" ", before) .. p.glyphs.corner .. concat(line), style = "dim"}},
    {{rep(" ", before + 1) .. x_numbers(axis, ticks, columns, p.xlabel or ""), style = "dim"}}
end

-- Curves as `height` lines of at most `width` columns.
-- p: series = {{name=, x={..}, y={..}, style="series1", last=text, points=true: dots only}, ...}, glyphs, colours,
-- xlog, ylog (true, false, "auto"), xlow, xhigh, ylow, yhigh, round (the y axis has round ends), integer (whole numbers
-- on the x axis), xlabel, marks = {{x=, label=, style=}, ...} (vertical lines), legend = false: none.
function M.plot(p, width, height)
  local xs, ys = {}, {}
  for _, s in ipairs(p.series) do
    for i = 1, #s.x do
      if s.y[i] and s.y[i] == s.y[i] then xs[#xs + 1], ys[#ys + 1] = s.x[i], s.y[i] end
    end
  end
  local xa = M.axis(xs, p.xlog, p.xlow, p.xhigh)
  local ya = M.axis(ys, p.ylog, p.ylow, p.yhigh, p.round)
  local lines = {p.legend ~= false and legend(p) or nil}
  local rows = height - #lines - 2
  if rows < 2 or width < 16 then return height > 0 and lines or {} end
  local ticks, label_wide = M.ticks(ya.low, ya.high, max(2, min(8, (rows + 1) // 2)), ya.log), 4
  for _, y in ipairs(ticks) do label_wide = max(label_wide, #M.tick_text(y)) end
  local columns = width - label_wide - 2
  local c = M.new(columns, rows, p.glyphs)
  local function place(x, y) return xa.at(x) * (c.wide - 1), (1 - ya.at(y)) * (c.high - 1) end
  draw_marks(c, p.marks or {}, place)
  for i, s in ipairs(p.series) do draw_series(c, s, i, place, p.colours) end
  draw_labels(c, p.marks or {}, place)
  local at = {} -- row -> number beside it
  for _, y in ipairs(ticks) do at[floor((1 - ya.at(y)) * (c.high - 1) + 0.5) // c.down + 1] = M.tick_text(y) end
  for r = 1, rows do
    local line = {{text.pad(at[r] or "", label_wide, "right") .. " ", style = "dim"},
      {at[r] and p.glyphs.tick_y or p.glyphs.vertical, style = "dim"}}
    for _, segment in ipairs(c:row(r)) do line[#line + 1] = segment end
    lines[#lines + 1] = line
  end
  local line, numbers = x_axis(p, xa, columns, label_wide + 1)
  lines[#lines + 1], lines[#lines + 2] = line, numbers
  return lines
end

-- --- bars and sparklines ------------------------------------------------------------------------------------------

-- A horizontal bar of `width` columns for a share from 0 to 1, as segments.
function M.bar(share, width, glyphs, style)
  share = max(0, min(1, share or 0))
  local done = floor(share * width + 1e-9)
  return {{rep(glyphs.line, done), style = style or "series1"}, {rep(glyphs.thin, width - done), style = "dim"}}
end

-- Values as a row of `width` small bars; `logarithmic`: by their logarithm, where all are positive. Blank where there
-- is nothing. Values are taken at even places where there are more or fewer than columns.
function M.spark(values, width, glyphs, logarithmic)
  local n, out = #values, {}
  if n == 0 or width < 1 then return rep(" ", max(0, width)) end
  local axis = M.axis(values, logarithmic and "auto" or false)
  local steps = #glyphs.spark
  for i = 1, min(width, max(n, 2)) do
    local x = values[n <= width and min(i, n) or floor((i - 1) * (n - 1) / (width - 1) + 1.5)]
    local k = x == x and max(1, min(steps, floor(axis.at(x) * (steps - 1) + 1.5))) or 1
    out[i] = glyphs.spark[k]
  end
  return text.pad(concat(out), width)
end

return M
