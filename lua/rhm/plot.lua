-- plot.lua - rhm.plot: series and heat maps, in the terminal or as SVG, PDF or PNG, drawn by gnuplot. Where there is no
-- gnuplot, or where CSV is asked for, the numbers.
local M = {}

local rhm = require "rhm"
local check = require "rhm.check"
local fit = require "rhm.fit"
local heat = require "rhm.plot.heat"
local palette = require "rhm.view.palette"
local script = require "rhm.plot.script"
local ipairs, type, pcall, error, tostring = ipairs, type, pcall, error, tostring
local format, gsub, match, find, lower = string.format, string.gsub, string.match, string.find, string.lower
local concat = table.concat
local huge, max, min = math.huge, math.max, math.min

local where = "rhm.plot"
local series_keys = {"x", "y", "err", "low", "high", "label", "fit", "kind"}
local own_keys = {"series", "matrix", "title", "xlabel", "ylabel", "zlabel", "log", "xrange", "yrange", "zrange",
  "xnames", "ynames", "out", "sixel", "width", "height"}
local keys = table.move(own_keys, 1, #own_keys, #series_keys + 1, table.move(series_keys, 1, #series_keys, 1, {}))

-- --- what is drawn ------------------------------------------------------------------------------------------------

local function number(value, what, ...)
  if type(value) ~= "number" then check.fail(where, what .. " = %s: must be a number", ..., check.show(value)) end
  return value
end

-- A list of as many numbers as there are points; err is one list of half lengths, or low and high say where bars end.
local function bars(s, name, n)
  local list = s[name]
  if list == nil then return nil end
  if type(list) ~= "table" or #list ~= n then
    check.fail(where, "%s: must be a list of %d numbers, as y", name, n)
  end
  return list
end

-- Logarithms of what is not above 0 do not exist: such points are left out.
local function can_show(x, y, scale)
  return x - x == 0 and y - y == 0 and not (x <= 0 and find(scale, "x")) and not (y <= 0 and find(scale, "y"))
end

local function add_fit(out, given, scale)
  local kind = given == true and scale or given == "linear" and "" or given
  if kind ~= "" and kind ~= "x" and kind ~= "y" and kind ~= "xy" then
    check.fail(where, "fit = %s: must be true, \"linear\", \"x\", \"y\" or \"xy\" (log scales)", check.show(given))
  end
  out.line = fit.fit{ x=out.x, y=out.y, log=kind }
  local f = out.line
  local slope = f.b_low and format("%.3g [%.3g, %.3g]", f.b, f.b_low, f.b_high) or format("%.3g", f.b)
  out.fit_label = kind == "xy" and "power " .. slope or "slope " .. slope
end

-- Where a bar ends; one without an end, or with one that a log scale does not have, goes on beyond the plot.
local function bar_end(value, y, scale)
  if value ~= value then return y end
  return value <= 0 and find(scale, "y") and -huge or value
end

-- A series as it is drawn: only points that can be.
local function read_series(s, k, scale)
  check.keys(where, s, series_keys)
  local y = check.field(where, s, "y", "table")
  local x = check.field(where, s, "x", "table", false)
  local n = #y
  if x and #x ~= n then check.fail(where, "series %d has %d x and %d y: must be as many", k, #x, n) end
  local err, low, high = bars(s, "err", n), bars(s, "low", n), bars(s, "high", n)
  local out = {x = {}, y = {}, label = s.label and tostring(s.label), kind = s.kind, at = {}}
  if err or low or high then out.low, out.high = {}, {} end
  for i = 1, n do
    local px, py = x and number(x[i], "x[%d]", i) or i, number(y[i], "y[%d]", i)
    if can_show(px, py, scale) then
      local j = #out.x + 1
      out.x[j], out.y[j] = px, py
      if out.low then
        local from = low and number(low[i], "low[%d]", i) or err and py - number(err[i], "err[%d]", i) or py
        out.low[j] = bar_end(from, py, scale)
        out.high[j] = bar_end(high and number(high[i], "high[%d]", i) or err and py + err[i] or py, py, scale)
      end
    end
  end
  if s.fit and #out.x >= 2 then add_fit(out, s.fit, scale) end
  return out
end

local function read_all_series(t, p)
  local list = t.series
  if list == nil then
    if t.y == nil then check.fail(where, "'series', 'y' or 'matrix' is needed: what shall be drawn?") end
    local one = {}
    for _, key in ipairs(series_keys) do one[key] = t[key] end
    one.kind = nil
    list = {one}
  elseif type(list) ~= "table" or #list == 0 then
    check.fail(where, "series = %s: must be a list of series, {{x=, y=}, ...}",
      type(list) == "table" and "{}" or check.show(list))
  end
  p.series = {}
  local points = 0
  for k, s in ipairs(list) do
    local out = read_series(s, k, p.log)
    if #out.x > 0 then p.series[#p.series + 1] = out end
    points = points + #out.x
  end
  if points == 0 then
    check.fail(where, "no points to draw%s", p.log ~= "" and " (on log scales those at 0 and below are left out)" or "")
  end
end

-- An rhm.matrix or a list of rows, as a list with .rows and .cols, and the range of its numbers.
local function read_matrix(t, p)
  local given = t.matrix
  local is_object = debug.getmetatable(given) == debug.getregistry()["rhm.matrix"] and type(given) == "userdata"
  if not is_object and (type(given) ~= "table" or #given == 0 or type(given[1]) ~= "table") then
    check.fail(where, "matrix = %s: must be an rhm.matrix or a list of rows", check.show(given))
  end
  local m = {rows = #given, cols = #given[1]}
  local low, high = huge, -huge
  for i = 1, m.rows do
    m[i] = {}
    if #given[i] ~= m.cols then
      check.fail(where, "matrix: row %d has %d numbers, row 1 has %d", i, #given[i], m.cols)
    end
    for j = 1, m.cols do
      local value = number(given[i][j], "matrix[%d][%d]", i, j)
      m[i][j] = value
      if value == value and value ~= huge and value ~= -huge then low, high = min(low, value), max(high, value) end
    end
  end
  if low == huge then check.fail(where, "matrix: not one finite number") end
  p.matrix, p.zrange = m, t.zrange or {low, high > low and high or low + 1}
  for _, name in ipairs{"xnames", "ynames"} do
    local names = t[name]
    if names ~= nil then
      local n = name == "xnames" and m.cols or m.rows
      if type(names) ~= "table" or #names ~= n then check.fail(where, "%s: must be a list of %d names", name, n) end
      p[name] = {}
      for i, value in ipairs(names) do
        p[name][i] = math.type(value) == "float" and format("%.4g", value) or tostring(value)
      end
    end
  end
end

-- --- CSV ----------------------------------------------------------------------------------------------------------

local function cell(value)
  if value == nil or value ~= value then return "" end
  if type(value) == "number" then return format(math.type(value) == "integer" and "%d" or "%.15g", value) end
  if find(value, '[",\r\n]') then return '"' .. gsub(value, '"', '""') .. '"' end
  return value
end

local function csv(p)
  local lines = {}
  local function add(...)
    local cells = {}
    for i = 1, select("#", ...) do cells[i] = cell((select(i, ...))) end
    lines[#lines + 1] = concat(cells, ",")
  end
  if p.matrix then
    add(p.xlabel or "x", p.ylabel or "y", p.zlabel or "value")
    for i = 1, p.matrix.rows do
      for j = 1, p.matrix.cols do
        add(p.xnames and p.xnames[j] or j, p.ynames and p.ynames[i] or i, p.matrix[i][j])
      end
    end
  else
    add("series", p.xlabel or "x", p.ylabel or "y", "low", "high")
    for k, s in ipairs(p.series) do
      for i, x in ipairs(s.x) do add(s.label or k, x, s.y[i], s.low and s.low[i], s.high and s.high[i]) end
    end
  end
  return concat(lines, "\n") .. "\n"
end

-- The reason without the name of the temporary file.
local function cannot_write(path, message)
  check.fail(where, "%s: cannot write: %s", (gsub(path, "%.tmp$", "")), match(message, ": (.*)$") or message)
end

local function rename(from, to)
  local ok, message = os.rename(from, to)
  if ok then return end
  os.remove(from)
  cannot_write(to, message)
end

local function write_file(path, text)
  local file, message = io.open(path, "wb")
  if not file then cannot_write(path, message) end
  local ok, why = file:write(text)
  local closed, reason = file:close()
  if ok and closed then return end
  os.remove(path)
  cannot_write(path, why or reason)
end

-- Whole or not at all: written beside the file, then renamed over it.
local function save(path, text)
  write_file(path .. ".tmp", text)
  rename(path .. ".tmp", path)
end

-- --- gnuplot ------------------------------------------------------------------------------------------------------

local function read_file(path)
  local file = io.open(path, "rb")
  local text = file and file:read "a" or ""
  if file then file:close() end
  return text
end

local function shell_quoted(text)
  return "'" .. gsub(text, "'", "'\\''") .. "'"
end

local function have_gnuplot()
  return (os.execute "command -v gnuplot >/dev/null 2>&1")
end

-- What gnuplot prints; `text` is its script. -d: without the user's own settings.
local function gnuplot(text)
  local input, output, errors = os.tmpname(), os.tmpname(), os.tmpname()
  local file = assert(io.open(input, "w"))
  file:write(text)
  file:close()
  local streams = " >" .. shell_quoted(output) .. " 2>" .. shell_quoted(errors)
  local ok = os.execute("gnuplot -d " .. shell_quoted(input) .. streams)
  local said, drawn = read_file(errors), read_file(output)
  for _, name in ipairs{input, output, errors} do os.remove(name) end
  if not ok then
    local line = match(said, "line %d+: *([^\n]+)") or match(said, "([^\n]*%S[^\n]*)%s*$") or "it failed without a word"
    check.fail(where, "gnuplot: %s", line)
  end
  return drawn
end

-- gnuplot's text without its form feed, blank lines and the blanks at the ends of lines.
local function trim(text)
  local lines = {}
  for line in text:gmatch "[^\n]*" do
    line = gsub(line, "\f", "")
    local bare = gsub(line, "\27%[[%d;]*m", "")
    if not find(bare, "%S") then
      line = ""
    else
      local before
      repeat
        before = line
        line = gsub(gsub(line, "%s+$", ""), "\27%[[%d;]*m$", "")
      until line == before
      line = gsub(line, "^\27%[0;39m", "")
      if find(line, "\27") then line = line .. "\27[0m" end
    end
    if line ~= "" or (#lines > 0 and lines[#lines] ~= "") then lines[#lines + 1] = line end
  end
  while lines[#lines] == "" do lines[#lines] = nil end
  return concat(lines, "\n")
end

-- The name of the y axis above it, below the title: gnuplot's text drops one that is longer than its margin.
local function name_axis(text, p)
  if not p.ylabel then return text end
  local title, rest = match(text, "^([^\n]*\n)(.*)$")
  if not p.title then title, rest = "", text end
  return title .. gsub(p.ylabel, "%c", " ") .. "\n" .. rest
end

-- --- rhm.plot -----------------------------------------------------------------------------------------------------

local devices = {svg = "svg", pdf = "pdf", png = "png", csv = "csv"}

local function read_options(t)
  local p = {log = check.field(where, t, "log", "string", ""), kind = check.field(where, t, "kind", "string", "lines"),
    colours = rhm.colours()}
  if p.log ~= "" and p.log ~= "x" and p.log ~= "y" and p.log ~= "xy" then
    check.fail(where, "log = %s: must be \"x\", \"y\" or \"xy\"", check.show(p.log))
  end
  for _, key in ipairs{"title", "xlabel", "ylabel", "zlabel"} do
    p[key] = check.field(where, t, key, "string", false) or nil
  end
  for _, key in ipairs{"xrange", "yrange", "zrange"} do
    local range = check.field(where, t, key, "table", false)
    if range and not (type(range[1]) == "number" and type(range[2]) == "number" and range[1] < range[2]) then
      check.fail(where, "%s: must be two numbers, the smaller first", key)
    end
    if range and range[1] <= 0 and find(p.log, key:sub(1, 1), 1, true) then
      check.fail(where, "%s: must be above 0 on a log scale", key)
    end
    p[key] = range or nil
  end
  p.out = check.field(where, t, "out", "string", false)
  p.device = p.out and devices[lower(match(p.out, "%.(%w+)$") or "")]
  if p.out and not p.device then
    check.fail(where, "out = %q: the ending must be .svg, .pdf, .png or .csv", p.out)
  end
  if not p.out then p.device = check.field(where, t, "sixel", "boolean", false) and "sixel" or "dumb" end
  return p
end

-- In columns and rows, or pixels.
local function read_size(t, p)
  local text = p.device == "dumb"
  p.width = check.whole(where, t, "width", text and 20 or 100, 10000, text and max(20, rhm.width() - 1) or 840)
  local rows = max(8, min(rhm.height() - 2, 28))
  local count = p.matrix and p.matrix.rows or 0
  if count <= 54 then rows = max(rows, count + 6) end -- a line for each row
  p.height = check.whole(where, t, "height", text and 8 or 80, 10000, text and rows or 525)
end

local function read_kind(p, t)
  if p.kind == "heat" and t.matrix == nil then check.fail(where, "kind = \"heat\": 'matrix' is needed") end
  if p.kind ~= "lines" and p.kind ~= "points" and p.kind ~= "heat" then
    check.fail(where, "kind = %s: must be \"lines\", \"points\" or \"heat\"", check.show(p.kind))
  end
  for k, s in ipairs(p.series or {}) do
    if s.kind ~= nil and s.kind ~= "lines" and s.kind ~= "points" then
      check.fail(where, "series %d: kind = %s: must be \"lines\" or \"points\"", k, check.show(s.kind))
    end
  end
end

-- rhm.plot{...}
function M.plot(t)
  check.keys(where, t, keys)
  local p = read_options(t)
  if t.matrix ~= nil then read_matrix(t, p) else read_all_series(t, p) end
  read_size(t, p)
  read_kind(p, t)
  if p.device == "csv" then return save(p.out, csv(p)) end
  if p.matrix and p.device == "dumb" then
    local colours = p.colours > 0 and palette.table(p.colours) or nil
    for _, line in ipairs(heat.lines(p)) do print(palette.line(line, colours)) end
    return
  end
  if not have_gnuplot() then
    local path = p.out and gsub(p.out, "%.%w+$", ".csv")
    if path then save(path, csv(p)) end
    io.stderr:write("rhm.plot: there is no gnuplot to draw with (Debian: gnuplot-nox); the numbers ",
      path and "are in " .. path or "follow", "\n")
    if not path then io.write(csv(p)) end
    return
  end
  if p.out then
    p.file = p.out .. ".tmp"
    write_file(p.file, "") -- gnuplot would not say which file it cannot write
    local ok, message = pcall(gnuplot, script.write(p))
    if not ok then
      os.remove(p.file)
      error(message, 0)
    end
    rename(p.file, p.out)
  elseif p.device == "sixel" then
    io.write(gnuplot(script.write(p)), "\n")
  else
    print(name_axis(trim(gnuplot(script.write(p))), p))
  end
end

return M
