-- plot/script.lua - a plot as a script for gnuplot, with the numbers in it.
local M = {}

local ipairs = ipairs
local format, gsub, rep, concat = string.format, string.gsub, string.rep, table.concat
local sort, tonumber = table.sort, tonumber
local abs, ceil, floor, log = math.abs, math.ceil, math.floor, math.log
local huge, max, min = math.huge, math.max, math.min

-- Okabe and Ito's colours, dark ones first, grey for their yellow, which white paper hides; viridis for heat maps.
local colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F"}
local viridis = {"#440154", "#482878", "#3E4989", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6ECE58", "#B5DE2B",
  "#FDE725"}

-- Between single quotes gnuplot replaces nothing, but a quote is doubled and a line cannot end.
local function quoted(text)
  return "'" .. gsub(gsub(text, "%c", " "), "'", "''") .. "'"
end

local function number(x)
  if x ~= x or x == huge or x == -huge then return "NaN" end
  return format("%.10g", x)
end

-- Terminals by what is asked for; sizes in columns and rows, or in pixels.
local function terminal(p)
  if p.device == "dumb" then
    local colour = p.colours >= 256 and "ansi256" or p.colours >= 8 and "ansi" or "mono"
    return format("dumb size %d,%d noenhanced %s", p.width, p.height - (p.ylabel and 1 or 0), colour)
  elseif p.device == "sixel" then
    return format("sixelgd size %d,%d truecolor", p.width, p.height)
  elseif p.device == "svg" then
    return format("svg size %d,%d noenhanced font 'sans-serif,14' background '#ffffff'", p.width, p.height)
  elseif p.device == "pdf" then
    return format("pdfcairo size %.3fin,%.3fin noenhanced font 'sans-serif,11'", p.width / 120, p.height / 120)
  end
  return format("pngcairo size %d,%d noenhanced font 'sans-serif,12' background '#ffffff'", p.width, p.height)
end

local function head(p, lines)
  local function add(...) lines[#lines + 1] = format(...) end
  add("set terminal %s", terminal(p))
  add("set encoding utf8")
  if p.file then add("set output %s", quoted(p.file)) end
  if p.title then add("set title %s noenhanced", quoted(p.title)) end
  if p.xlabel then add("set xlabel %s noenhanced", quoted(p.xlabel)) end
  if p.ylabel and p.device ~= "dumb" then add("set ylabel %s noenhanced", quoted(p.ylabel)) end
  for axis in p.log:gmatch "." do add("set logscale %s", axis) end
  add("set format '%%g'")
end

-- --- axes ---------------------------------------------------------------------------------------------------------

-- From the smallest to the largest of these lists, and a little more, so that no point is hidden by the frame.
local function range_of(lists, logarithmic, share)
  local low, high = huge, -huge
  for _, list in ipairs(lists) do
    for _, value in ipairs(list) do
      if abs(value) ~= huge then low, high = min(low, value), max(high, value) end
    end
  end
  if logarithmic then
    local room = max((high / low) ^ share, 1.05)
    return {low / room, high * room}
  end
  local room = high > low and share * (high - low) or max(abs(high), 1) / 2
  return {low - room, high + room}
end

-- Those tics, of a sorted list, that a reader can tell apart: texts that do not touch on an axis of so many characters.
local function spaced(tics, range, cells)
  local texts, free = {}, -huge
  for _, tic in ipairs(tics) do
    local text = number(tic)
    local at = cells * log(tic / range[1]) / log(range[2] / range[1]) - #text / 2
    if tic >= range[1] and tic <= range[2] and at >= free then
      texts[#texts + 1] = text
      free = at + #text + 1
    end
  end
  return texts
end

-- On a log scale: the values themselves where they are few and short, else digits times powers of 10 where the powers
-- alone would be too few; nil: gnuplot's own.
local function log_tics(range, values, cells)
  local tics, seen, short = {}, {}, true
  for _, value in ipairs(values or {}) do
    if not seen[value] then tics[#tics + 1], seen[value] = value, true end
    short = short and (value == floor(value) or value == tonumber(format("%.3g", value)))
  end
  sort(tics)
  if #tics > 0 and #tics <= 8 and short then return concat(spaced(tics, range, cells), ", ") end
  if range[2] / range[1] >= 100 then return nil end
  for _, digits in ipairs{{1, 2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9}} do
    tics = {}
    for power = floor(log(range[1], 10)), floor(log(range[2], 10)) do
      for _, digit in ipairs(digits) do tics[#tics + 1] = digit * 10.0 ^ power end
    end
    local texts = spaced(tics, range, cells)
    if #texts > 1 then return concat(texts, ", ") end
  end
  tics = {}
  for i = 0, 4 do tics[i + 1] = tonumber(format("%.3g", range[1] * (range[2] / range[1]) ^ (0.1 + 0.2 * i))) end
  return concat(spaced(tics, range, cells), ", ")
end

-- Few whole numbers, of layers or tokens say, are their own tics: halves would mean nothing.
local function whole_tics(values)
  local low, high = huge, -huge
  for _, value in ipairs(values) do
    if value ~= floor(value) then return nil end
    low, high = min(low, value), max(high, value)
  end
  if high - low > 10 then return nil end
  local texts = {}
  for value = low, high do texts[#texts + 1] = number(value) end
  return concat(texts, ", ")
end

-- gnuplot does not see that the labels of a small text are in each other's way: at most `most` tics on a linear axis,
-- 1, 2 or 5 times a power of 10 apart; of decades every second, third, ...
local function text_tics(range, logarithmic, most)
  if logarithmic then
    local low, high = ceil(log(range[1], 10) - 1e-9), floor(log(range[2], 10) + 1e-9)
    local step, texts = max(1, ceil((high - low + 1) / most)), {}
    for power = ceil(low / step) * step, high, step do texts[#texts + 1] = number(10.0 ^ power) end
    return "(" .. concat(texts, ", ") .. ")"
  end
  local rough = (range[2] - range[1]) / most
  local power = 10.0 ^ floor(log(rough, 10))
  for _, digit in ipairs{1, 2, 5, 10} do
    if digit * power >= rough * (1 - 1e-9) then return number(digit * power) end
  end
end

-- Adds ranges and tics; returns where bars without an end go: so far beyond the range of y that gnuplot cuts them off
-- at the frame, without the stroke across that ends the others.
local function add_axes(p, lines)
  local beyond
  for _, axis in ipairs{"x", "y"} do
    local lists, places = {}, {}
    for _, s in ipairs(p.series) do
      lists[#lists + 1] = s[axis]
      if axis == "y" and s.low then lists[#lists + 1], lists[#lists + 2] = s.low, s.high end
      if axis == "x" then table.move(s.x, 1, #s.x, #places + 1, places) end
    end
    local logarithmic = p.log:find(axis)
    local share = 0.04
    if p.device == "dumb" then share = axis == "x" and 2 / max(4, p.width - 12) or 1.2 / max(4, p.height - 7) end
    local range = p[axis .. "range"] or range_of(lists, logarithmic, share)
    lines[#lines + 1] = format("set %srange [%s:%s]", axis, number(range[1]), number(range[2]))
    local tics
    if logarithmic then
      local cells = p.device == "dumb" and p.width - 12 or p.width / 9 - 12
      tics = log_tics(range, axis == "x" and places or nil, axis == "x" and cells or 1e9)
    elseif axis == "x" then tics = whole_tics(places) end
    if tics then
      lines[#lines + 1] = format("set %stics (%s)", axis, tics)
    elseif p.device == "dumb" then
      local most = axis == "x" and max(2, p.width // 10) or max(2, (p.height - 6) // 2)
      lines[#lines + 1] = format("set %stics %s", axis, text_tics(range, logarithmic, most))
    end
    local span = logarithmic and range[2] / range[1] or range[2] - range[1]
    beyond = logarithmic and {range[1] / span, range[2] * span} or {range[1] - span, range[2] + span}
  end
  return beyond
end

-- --- series -------------------------------------------------------------------------------------------------------

-- A series' block of data: x y low high.
local function add_points(lines, name, series, beyond)
  lines[#lines + 1] = format("$%s << END", name)
  for i, x in ipairs(series.x) do
    local low, high = series.low and series.low[i] or series.y[i], series.high and series.high[i] or series.y[i]
    if low == -huge then low = beyond[1] end
    if high == huge then high = beyond[2] end
    lines[#lines + 1] = concat({number(x), number(series.y[i]), number(low), number(high)}, " ")
  end
  lines[#lines + 1] = "END"
end

-- The fitted line as points, as many as make it smooth on any scales.
local function add_curve(lines, name, series, p)
  local low, high = huge, -huge
  for _, x in ipairs(series.x) do low, high = min(low, x), max(high, x) end
  lines[#lines + 1] = format("$%s << END", name)
  local straight = p.log:find "x"
  for i = 0, 100 do
    local x = straight and low * (high / low) ^ (i / 100) or low + (high - low) * i / 100
    lines[#lines + 1] = number(x) .. " " .. number(series.line:at(x))
  end
  lines[#lines + 1] = "END"
end

local function series_script(p, lines)
  local plots, dumb = {}, p.device == "dumb"
  local gap = dumb and " " or "" -- its legend has none
  local beyond = add_axes(p, lines)
  for k, series in ipairs(p.series) do
    local name, colour = "series" .. k, colours[(k - 1) % #colours + 1]
    add_points(lines, name, series, beyond)
    local label = series.label
    if series.line then label = label and label .. ": " .. series.fit_label or series.fit_label end
    local title = label and "title " .. quoted(gap .. label) or "notitle"
    -- A text without colours draws each line type with a character of its own.
    local line = format("lt %d lc rgb '%s' lw %s", k, colour, dumb and "1" or "2")
    local style = format("%s pt %d ps %s", line, dumb and k or 4 + k, dumb and "1" or "0.9")
    local kind = series.kind or p.kind
    if series.line and kind == "lines" then kind = "points" end -- the fit is the line
    local bars = series.low or series.high
    if series.line then -- first, so that the points stand on it
      add_curve(lines, "fit" .. k, series, p)
      plots[#plots + 1] = format("$fit%d using 1:2 with lines %s dt 2 notitle", k, line)
    end
    if bars then -- of their own: in a legend of text they would take three lines
      local size = dumb and "0" or "0.01" -- a point of no size is no SVG for librsvg
      plots[#plots + 1] = format("$%s using 1:2:3:4 with yerrorbars %s ps %s notitle", name, line, size)
    end
    local shape = kind == "lines" and "linespoints" or "points"
    plots[#plots + 1] = format("$%s using 1:2 with %s %s %s", name, shape, style, title)
  end
  local labelled = false
  for _, series in ipairs(p.series) do labelled = labelled or series.label or series.line end
  lines[#lines + 1] = not labelled and "unset key" or dumb and "set key outside below Left reverse noenhanced"
    or "set key outside bottom center horizontal Left reverse noenhanced height 1"
  if not dumb then
    lines[#lines + 1] = "set grid xtics ytics lt 1 lc rgb '#dddddd' lw 0.5\nset tics nomirror\nset border 3"
  end
  lines[#lines + 1] = "plot " .. concat(plots, ", \\\n  ")
end

-- Cells are centred on 1, 2, ...; the tics say what they stand for.
local function add_tics(lines, axis, names, count)
  local step, tics = max(1, (count + 19) // 20), {}
  for i = 1, count, step do tics[#tics + 1] = format("%s %d", quoted(names and names[i] or tostring(i)), i) end
  lines[#lines + 1] = format("set %stics (%s) noenhanced", axis, concat(tics, ", "))
end

local function heat_script(p, lines)
  local m, stops = p.matrix, {}
  for i, colour in ipairs(viridis) do stops[i] = format("%d '%s'", i - 1, colour) end
  lines[#lines + 1] = "$cells << END"
  for i = 1, m.rows do
    local row = {}
    for j = 1, m.cols do row[j] = number(m[i][j]) end
    lines[#lines + 1] = concat(row, " ")
  end
  lines[#lines + 1] = "END"
  lines[#lines + 1] = format("set palette defined (%s)", concat(stops, ", "))
  lines[#lines + 1] = format("set cbrange [%s:%s]", number(p.zrange[1]), number(p.zrange[2]))
  if p.zlabel then lines[#lines + 1] = format("set cblabel %s noenhanced\nset rmargin 12", quoted(p.zlabel)) end
  lines[#lines + 1] = format("set xrange [0.5:%d.5]\nset yrange [0.5:%d.5]", m.cols, m.rows)
  lines[#lines + 1] = "set tics nomirror out scale 0.5"
  add_tics(lines, "x", p.xnames, m.cols)
  add_tics(lines, "y", p.ynames, m.rows)
  lines[#lines + 1] = "unset key\nplot $cells matrix using ($1+1):($2+1):3 with image pixels"
end

-- p: device, width, height, colours, file, title, xlabel, ylabel, log, xrange, yrange; series, kind or matrix (.rows,
-- .cols), zrange, zlabel, xnames, ynames.
function M.write(p)
  local lines = {}
  head(p, lines)
  if p.matrix then heat_script(p, lines) else series_script(p, lines) end
  lines[#lines + 1] = "unset output\n"
  return concat(lines, "\n")
end

return M
