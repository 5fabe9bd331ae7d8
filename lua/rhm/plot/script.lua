-- plot/script.lua - a plot as a script for gnuplot, with the numbers in it.
local M = {}

local ipairs = ipairs
local format, gsub, rep, concat = string.format, string.gsub, string.rep, table.concat
local sort, pairs = table.sort, pairs
local abs, ceil, floor, log = math.abs, math.ceil, math.floor, math.log
local huge, max, min = math.huge, math.max, math.min

-- Okabe and Ito's colours, dark ones first; viridis for heat maps.
local colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"}
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
    return format("dumb size %d,%d noenhanced %s", p.width, p.height, colour)
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
  if p.ylabel then add("set ylabel %s noenhanced", quoted(p.ylabel)) end
  for axis in p.log:gmatch "." do add("set logscale %s", axis) end
  add("set format '%%g'")
end

-- --- axes ---------------------------------------------------------------------------------------------------------

-- From the smallest to the largest of these lists, and a little more, so that no point is hidden by the frame.
local function range_of(lists, logarithmic, share)
  local low, high = huge, -huge
  for _, list in ipairs(lists) do
    for _, value in ipairs(list) do low, high = min(low, value), max(high, value) end
  end
  if logarithmic then
    local room = max((high / low) ^ share, 1.05)
    return {low / room, high * room}
  end
  local room = high > low and share * (high - low) or max(abs(high), 1) / 2
  return {low - room, high + room}
end

-- The values themselves where they are few, else 1, 2 and 5 times powers of 10 where those alone would be too few; nil:
-- gnuplot's own.
local function log_tics(range, values)
  local tics, seen, count = {}, {}, 0
  for _, value in ipairs(values or {}) do
    if not seen[value] then count, seen[value] = count + 1, true end
  end
  if count > 0 and count <= 8 then
    for value in pairs(seen) do tics[#tics + 1] = value end
  elseif range[2] / range[1] < 100 then
    for power = floor(log(range[1], 10)), floor(log(range[2], 10)) do
      for _, digit in ipairs{1, 2, 5} do tics[#tics + 1] = digit * 10.0 ^ power end
    end
  end
  sort(tics)
  local texts = {}
  for _, tic in ipairs(tics) do
    if tic >= range[1] and tic <= range[2] then texts[#texts + 1] = number(tic) end
  end
  return #texts > 1 and concat(texts, ", ") or nil
end

-- gnuplot does not see that the labels of a small text are in each other's way: at most `most` tics on a linear axis,
-- 1, 2 or 5 times a power of 10 apart; of decades every second, third, ...
local function text_tics(range, logarithmic, most)
  if logarithmic then return number(10.0 ^ ceil(log(range[2] / range[1], 10) / most)) end
  local rough = (range[2] - range[1]) / most
  local power = 10.0 ^ floor(log(rough, 10))
  for _, digit in ipairs{1, 2, 5, 10} do
    if digit * power >= rough * (1 - 1e-9) then return number(digit * power) end
  end
end

local function add_axes(p, lines)
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
    local tics = logarithmic and log_tics(range, axis == "x" and places or nil)
    if tics then
      lines[#lines + 1] = format("set %stics (%s)", axis, tics)
    elseif p.device == "dumb" then
      local most = axis == "x" and max(2, p.width // 10) or max(2, (p.height - 6) // 2)
      lines[#lines + 1] = format("set %stics %s", axis, text_tics(range, logarithmic, most))
    end
  end
end

-- --- series -------------------------------------------------------------------------------------------------------

-- A series' block of data: x y low high.
local function add_points(lines, name, series)
  lines[#lines + 1] = format("$%s << END", name)
  for i, x in ipairs(series.x) do
    lines[#lines + 1] = concat({number(x), number(series.y[i]), number(series.low and series.low[i] or series.y[i]),
      number(series.high and series.high[i] or series.y[i])}, " ")
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
  add_axes(p, lines)
  for k, series in ipairs(p.series) do
    local name, colour = "series" .. k, colours[(k - 1) % #colours + 1]
    add_points(lines, name, series)
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
      plots[#plots + 1] = format("$%s using 1:2:3:4 with yerrorbars %s ps 0 notitle", name, line)
    end
    local shape = kind == "lines" and "linespoints" or "points"
    plots[#plots + 1] = format("$%s using 1:2 with %s %s %s", name, shape, style, title)
  end
  local labelled = false
  for _, series in ipairs(p.series) do labelled = labelled or series.label or series.line end
  lines[#lines + 1] = not labelled and "unset key" or dumb and "set key outside below Left reverse noenhanced"
    or "set key outside bottom center horizontal Left reverse noenhanced"
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
