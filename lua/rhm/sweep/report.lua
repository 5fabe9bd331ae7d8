-- sweep/report.lua - what rhm.sweep and rhm.search return: rows and cells, their tables, and series for rhm.plot.
local M = {}

local rhm = require "rhm"
local check = require "rhm.check"
local grid = require "rhm.grid"
local json = require "rhm.json"
local printer = require "rhm.print"
local search = require "rhm.sweep.search"
local ipairs, next, type, setmetatable, tostring = ipairs, next, type, setmetatable, tostring
local format, concat, sort, huge = string.format, table.concat, table.sort, math.huge

M.limits = {rows = 60}

-- --- numbers ------------------------------------------------------------------------------------------------------

local function text_of(value)
  if type(value) == "number" then
    return math.type(value) == "integer" and tostring(value) or format("%.4g", value)
  elseif type(value) == "string" then
    return value
  elseif value == nil then
    return "-"
  end
  return type(value) == "table" and json.encode(value) or tostring(value)
end

-- The value at the share p of the sorted list, between its neighbours (R's and NumPy's default).
local function quantile(sorted, p)
  local at = 1 + (#sorted - 1) * p
  local i = math.floor(at)
  local a, b = sorted[i], sorted[math.min(i + 1, #sorted)]
  return a == b and a or a + (b - a) * (at - i)
end
M.quantile = quantile

local function before(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
  return tostring(a) < tostring(b)
end

-- --- parameters ---------------------------------------------------------------------------------------------------

-- The names of parameters, those that vary and those that do not; `sets` is a list of tables.
local function split_names(sets)
  local first, seen, varied, constant = {}, {}, {}, {}
  for i, set in ipairs(sets) do
    for name, value in next, set do
      local text = json.encode(value)
      if seen[name] == nil then
        first[name], seen[name] = text, i == 1 and 1 or 0
      elseif seen[name] > 0 and first[name] == text then
        seen[name] = seen[name] + 1
      end
    end
  end
  for name, count in next, seen do
    local list = count == #sets and constant or varied
    list[#list + 1] = name
  end
  sort(varied)
  sort(constant)
  return varied, constant
end

local function heading(result, sets, constant, what)
  local parts = {}
  for i, name in ipairs(constant) do parts[i] = format("%s = %s", name, text_of(sets[1][name])) end
  local text = result.name .. ": " .. what
  if #parts > 0 then text = text .. ", " .. concat(parts, ", ") end
  return printer.wrap(text, printer.width())
end

local function add_table(lines, head, rows)
  local all = {head}
  for i = 1, math.min(#rows, M.limits.rows) do all[i + 1] = rows[i] end
  lines[#lines + 1] = (grid(all))
  if #rows > M.limits.rows then lines[#lines + 1] = format("... (%d more rows)", #rows - M.limits.rows) end
end

-- --- rhm.sweep ----------------------------------------------------------------------------------------------------

-- Rows by their parameters, in order: lists of rows.
local function groups_of(rows)
  local groups, by_text = {}, {}
  for _, row in ipairs(rows) do
    local text = json.encode(row.parameters)
    local group = by_text[text]
    if not group then
      group = {parameters = row.parameters}
      by_text[text] = group
      groups[#groups + 1] = group
    end
    group[#group + 1] = row
  end
  return groups
end

-- The numbers of a measure in a list of rows, sorted.
local function numbers(rows, measure)
  local list = {}
  for _, row in ipairs(rows) do
    local value = row.measures and row.measures[measure]
    if type(value) == "number" then list[#list + 1] = value end
  end
  sort(list)
  return list
end

local function measure_names(rows)
  local seen, names = {}, {}
  for _, row in ipairs(rows) do
    for name, value in next, row.measures or {} do
      if type(value) == "number" and not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  sort(names)
  return names
end

local function sweep_text(result)
  local groups, sets, failed = groups_of(result.rows), {}, 0
  for i, group in ipairs(groups) do sets[i] = group.parameters end
  local varied, constant = split_names(sets)
  local measures, head, rows = measure_names(result.rows), {}, {}
  for i, name in ipairs(varied) do head[i] = name end
  head[#head + 1], head[#head + 2] = "runs", "failed"
  for _, name in ipairs(measures) do head[#head + 1] = name end
  head[#head + 1] = "time"
  for i, group in ipairs(groups) do
    local row, bad, seconds = {}, 0, {}
    for _, r in ipairs(group) do
      if r.status == "failed" then bad = bad + 1 end
      if r.seconds then seconds[#seconds + 1] = r.seconds end
    end
    failed = failed + bad
    for k, name in ipairs(varied) do row[k] = text_of(group.parameters[name]) end
    row[#row + 1] = tostring(#group)
    row[#row + 1] = bad > 0 and tostring(bad) or ""
    for _, name in ipairs(measures) do
      local median = search.median(numbers(group, name))
      row[#row + 1] = median and format("%.4g", median) or "-"
    end
    sort(seconds)
    row[#row + 1] = #seconds > 0 and printer.duration(search.median(seconds)) or "-"
    rows[i] = row
  end
  local what = format("%d runs%s", #result.rows, #measures > 0 and ", medians" or "")
  local lines = {heading(result, sets, constant, what)}
  if #rows > 0 then add_table(lines, head, rows) end
  if failed > 0 then
    what = format("%d of %d runs failed; the first: %s", failed, #result.rows, result.error or "?")
    lines[#lines + 1] = printer.wrap(what, printer.width())
  end
  return concat(lines, "\n")
end

-- result:series{ x=, y= [, by=] }: medians and quartiles over what is left (seeds and other parameters), for rhm.plot.
local function sweep_series(result, t)
  check.keys("sweep:series", t, {"x", "y", "by"})
  local x, y = check.field("sweep:series", t, "x", "string"), check.field("sweep:series", t, "y", "string")
  local by = check.field("sweep:series", t, "by", "string", false)
  local series, at = {}, {}
  for _, row in ipairs(result.rows) do
    local place, name = row[x], by and row[by]
    if type(place) ~= "number" then
      check.fail("sweep:series", "x = %q: no number in a run: %s", x, check.show(place))
    end
    local key = by and text_of(name) or ""
    local one = at[key]
    if not one then
      one = {label = by and format("%s = %s", by, key) or nil, order = name, points = {}, places = {}}
      at[key] = one
      series[#series + 1] = one
    end
    if not one.points[place] then
      one.points[place] = {}
      one.places[#one.places + 1] = place
    end
    local point = one.points[place]
    point[#point + 1] = row
  end
  if by then sort(series, function(a, b) return before(a.order, b.order) end) end
  local list = {}
  for i, one in ipairs(series) do
    local out = {x = {}, y = {}, low = {}, high = {}, label = one.label}
    sort(one.places)
    for _, place in ipairs(one.places) do
      local values = numbers(one.points[place], y)
      if #values > 0 then
        local n = #out.x + 1
        out.x[n], out.y[n] = place, search.median(values)
        out.low[n], out.high[n] = quantile(values, 0.25), quantile(values, 0.75)
      end
    end
    list[i] = out
  end
  return list
end

-- As those of the objects in C: completion finds methods and fields by their names.
local function class(name, text, methods, fields, list)
  return {__name = name, __tostring = text, __index = methods, __methods = methods, __fields = fields,
    __len = function(result) return #result[list] end}
end

local sweep_meta = class("rhm.sweep", sweep_text, {series = sweep_series},
  {"name", "path", "rows", "ran", "found", "failed", "error", "seconds"}, "rows")

function M.sweep(s, rows, work)
  return setmetatable({
    name = s.name, path = s.path, rows = rows, ran = work.ran, found = work.found, failed = work.failed,
    error = work.first_error, seconds = rhm.clock() - work.start,
  }, sweep_meta)
end

-- --- rhm.search ---------------------------------------------------------------------------------------------------

local function bound(N)
  return N and (N == huge and "inf" or tostring(N)) or "-"
end

local function search_text(result)
  local sets = {}
  for i, cell in ipairs(result.cells) do sets[i] = cell.parameters end
  local varied, constant = split_names(sets)
  local head, rows = {}, {}
  for i, name in ipairs(varied) do head[i] = name end
  for _, name in ipairs{result.variable .. "*", "2.5 %", "97.5 %", "runs", "failed"} do head[#head + 1] = name end
  for i, cell in ipairs(result.cells) do
    local row = {}
    for k, name in ipairs(varied) do row[k] = text_of(cell.parameters[name]) end
    row[#row + 1] = cell.N and tostring(cell.N) or format("> %d", cell.below)
    row[#row + 1], row[#row + 2] = bound(cell.low), bound(cell.high)
    row[#row + 1] = tostring(#cell.trials * result.seeds)
    row[#row + 1] = cell.failed > 0 and tostring(cell.failed) or ""
    rows[i] = row
  end
  local what = format("smallest %s with median %s >= %.4g over %d seed%s", result.variable, result.measure, result.goal,
    result.seeds, result.seeds == 1 and "" or "s")
  local lines = {heading(result, sets, constant, what)}
  if #rows > 0 then add_table(lines, head, rows) end
  if result.failed > 0 then
    what = format("%d runs failed; the first: %s", result.failed, result.error or "?")
    lines[#lines + 1] = printer.wrap(what, printer.width())
  end
  return concat(lines, "\n")
end

-- result:series{ x= [, by=] }: N* with its interval where it was found.
local function search_series(result, t)
  check.keys("search:series", t, {"x", "by"})
  local x = check.field("search:series", t, "x", "string")
  local by = check.field("search:series", t, "by", "string", false)
  local list, at = {}, {}
  local cells = table.move(result.cells, 1, #result.cells, 1, {})
  for i, cell in ipairs(cells) do
    if type(cell.parameters[x]) ~= "number" then
      check.fail("search:series", "x = %q: no number in a cell: %s", x, check.show(cell.parameters[x]))
    end
  end
  sort(cells, function(a, b)
    local p, q = a.parameters, b.parameters
    if by and text_of(p[by]) ~= text_of(q[by]) then return before(p[by], q[by]) end
    return p[x] < q[x]
  end)
  for _, cell in ipairs(cells) do
    local key = by and text_of(cell.parameters[by]) or ""
    local out = at[key]
    if not out then
      out = {x = {}, y = {}, low = {}, high = {}, label = by and format("%s = %s", by, key) or nil}
      at[key] = out
      list[#list + 1] = out
    end
    if cell.N then
      local n = #out.x + 1
      out.x[n], out.y[n], out.low[n], out.high[n] = cell.parameters[x], cell.N, cell.low, cell.high
    end
  end
  return list
end

local search_meta = class("rhm.search", search_text, {series = search_series},
  {"name", "path", "cells", "variable", "measure", "goal", "seeds", "ran", "found", "failed", "error", "seconds"},
  "cells")

function M.search(s, cells, work)
  return setmetatable({
    name = s.name, path = s.path, cells = cells, variable = s.variable, measure = s.measure, goal = s.goal,
    seeds = #s.seeds, ran = work.ran, found = work.found, failed = work.failed, error = work.first_error,
    seconds = rhm.clock() - work.start,
  }, search_meta)
end

return M
