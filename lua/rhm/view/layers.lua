-- layers.lua - the view "layers": a line for each layer from L down to 1, and below, where there is room, what each
-- found.
local M = {
  summary = "a line a layer: state, samples, steps, loss, spread, gap, error",
  subjects = {"network"},
}

local text = require "rhm.view.text"
local canvas = require "rhm.view.canvas"
local state = require "rhm.view.state"
local format, rep, concat = string.format, string.rep, table.concat
local max, min, huge = math.max, math.min, math.huge

-- Diagnosis compares all patches with each other: of larger layers only when asked for.
M.diagnosed_patches = 600

-- --- the table ----------------------------------------------------------------------------------------------------

local function number(key)
  return function(row) return row[key] and text.number(row[key], 6) or "" end
end

-- key, title, columns, and the cell as text and style. when: of which networks ("gd" or "known"); all others always, so
-- that columns do not come and go.
local columns = {
  {key = "level", title = "l", width = 2, cell = function(row) return format("%d", row.level) end},
  {key = "state", title = "state", width = 10, left = true, cell = function(row, glyphs)
    local glyph, style = state.look(row.state, glyphs)
    return glyph .. " " .. row.state, style
  end},
  {key = "samples", title = "samples", width = 7, cell = function(row)
    return (row.drawn or 0) > 0 and text.count(row.drawn, 7) or ""
  end},
  {key = "n", title = "of", width = 7, cell = function(row) return (row.n or 0) > 0 and text.count(row.n, 7) or "" end},
  {key = "bar", title = "", width = 7, left = true},
  {key = "percent", title = "", width = 4, cell = function(row)
    return row.state ~= "done" and row.share and text.percent(row.share, 1) or ""
  end},
  {key = "rate", title = "rate", width = 7, cell = function(row) return text.rate(row.rate) end},
  {key = "left", title = "left", width = 6, cell = function(row)
    return row.left and row.left > 0 and text.left(row.left) or ""
  end},
  {key = "step", title = "step", width = 9, when = "gd", cell = function(row)
    if not row.step then return "" end
    local all = row.steps and "/" .. text.count(row.steps, 5) or ""
    return text.count(row.step, 9 - #all > 5 and 5 or 9 - #all) .. all
  end},
  {key = "loss", title = "loss", width = 6, cell = number "loss"},
  {key = "spark", title = "", width = 8, left = true, when = "gd"},
  {key = "intra", title = "intra", width = 6, when = "gd", cell = number "intra"},
  {key = "inter", title = "inter", width = 6, when = "gd", cell = number "inter"},
  {key = "sigma", title = "sigma", width = 6, cell = number "sigma"},
  {key = "eps_S", title = "eps_S", width = 6, cell = number "eps_S"},
  {key = "rho", title = "rho~", width = 6, cell = number "rho"},
  {key = "gap", title = "gap", width = 6, when = "known", cell = number "gap"},
  {key = "error", title = "error", width = 6, when = "known", cell = number "error"},
  {key = "accuracy", title = "acc", width = 6, cell = number "accuracy"},
  {key = "patches", title = "patches", width = 7, cell = function(row)
    return (row.patches or 0) > 0 and text.count(row.patches, 7) or ""
  end},
  {key = "clusters", title = "clusters", width = 8, cell = function(row)
    return row.state == "done" and row.clusters and text.count(row.clusters, 7) or ""
  end},
  {key = "seconds", title = "time", width = 7, cell = function(row) return text.duration(row.seconds) end},
}
for _, column in ipairs(columns) do columns[column.key] = column end

-- Which columns a narrow window keeps: the first ones here.
local order = {"level", "state", "percent", "samples", "loss", "error", "rho", "step", "bar", "inter", "intra", "gap",
  "eps_S", "sigma", "accuracy", "spark", "left", "rate", "seconds", "n", "clusters", "patches"}

-- How much a column takes of what is left over.
local most = {bar = 24, spark = 32}

-- The columns that fit, the widths of all, the gap between them.
local function layout(width, gd, known)
  local used, total, count = {}, 0, 0
  for _, key in ipairs(order) do
    local column = columns[key]
    if not ((column.when == "gd" and not gd) or (column.when == "known" and not known)) then
      local more = column.width + (count > 0 and 1 or 0)
      if total + more <= width then
        used[key], total, count = column.width, total + more, count + 1
      elseif key ~= "bar" and key ~= "spark" then
        break
      end
    end
  end
  local gap = 1
  while gap < 3 and total + count - 1 <= width do total, gap = total + count - 1, gap + 1 end
  for _, key in ipairs {"bar", "spark"} do
    if used[key] then
      local more = min(most[key] - used[key], width - total)
      used[key], total = used[key] + more, total + more
    end
  end
  return used, gap
end

local bar_styles = {done = "good", waiting = "dim"}

local function cell(column, row, width, glyphs)
  if column.key == "bar" then
    if not row.share then return {{rep(" ", width)}} end
    return canvas.bar(row.share, width, glyphs, bar_styles[row.state] or select(2, state.look(row.state, glyphs)))
  elseif column.key == "spark" then
    return {{canvas.spark(row.history and row.history.loss or {}, width, glyphs, true), style = "series1"}}
  end
  local content, style = column.cell(row, glyphs)
  return {{text.pad(content, width, not column.left and "right" or nil), style = style}}
end

local function table_lines(s, width, glyphs)
  local gd = false
  for _, row in ipairs(s.rows) do gd = gd or row.step ~= nil or row.steps ~= nil end
  local used, gap = layout(width, gd, s.network.grammar ~= nil)
  local space, lines = rep(" ", gap), {}
  local head = text.titles(columns, used)
  lines[1] = {{concat(head, space), style = "dim"}}
  for l = #s.rows, 1, -1 do
    local row, line = s.rows[l], {}
    for _, column in ipairs(columns) do
      if used[column.key] then
        if #line > 0 then line[#line + 1] = space end
        for _, segment in ipairs(cell(column, row, used[column.key], glyphs)) do
          if row.state == "waiting" then segment.style = "dim" end
          if row.level == s.level and column.key == "level" then segment.style = "bold" end
          line[#line + 1] = segment
        end
      end
    end
    lines[#lines + 1] = line
  end
  return lines
end

-- --- in words -----------------------------------------------------------------------------------------------------

-- The line below the table; several where there is an error.
local function total(s, width, glyphs, panel)
  local style_of = {trained = "done", untrained = "waiting", ["partly trained"] = "waiting", measuring = "running"}
  local glyph, style = state.look(style_of[s.state] or s.state, glyphs)
  local parts = {}
  if s.state == "untrained" then
    parts[1] = "nothing is trained yet: net:train{ from=g }"
      .. (panel and ", or by hand: F10, then s" or ", or by hand: lay:begin{ from=g }")
  elseif s.level or s.state == "measuring" then
    parts[1] = s.state == "paused" and "paused: net:resume() goes on; " .. state.work(s)
      or s.state == "stopping" and "stopping at the next block; " .. state.work(s)
      or s.state == "pausing" and "pausing at the next block; " .. state.work(s) or state.work(s)
  else
    parts[1] = s.error and s.state .. ": " .. s.error or s.state
  end
  if s.accuracy then parts[#parts + 1] = format("accuracy %.4f", s.accuracy) end
  if s.samples > 0 and not s.level then parts[#parts + 1] = text.count(s.samples, 9) .. " samples" end
  if s.seconds > 0 then parts[#parts + 1] = text.duration(s.seconds) end
  if s.error then
    local lines = text.wrap(parts[1], max(10, width - 2))
    for i, line in ipairs(lines) do lines[i] = {{i == 1 and glyph .. " " or "  ", style = style}, line} end
    return lines
  end
  local words = parts[1]
  for i = 2, #parts do
    if text.columns(words) + text.columns(parts[i]) + 4 > width then break end
    words = words .. ", " .. parts[i]
  end
  return {{{glyph .. " ", style = style}, words}}
end

-- Warnings of a finished layer, found once: it does not change any more.
local found = setmetatable({}, {__mode = "k"})

local function warnings_of(s, row)
  if row.state ~= "done" or (row.patches or huge) > M.diagnosed_patches then return nil end
  local of = found[s.network]
  if not of then
    of = {}
    found[s.network] = of
  end
  local key = format("%s %s %s %s", row.seconds, row.n, row.step, row.loss)
  if not of[row.level] or of[row.level].key ~= key then
    local ok, d = pcall(row.layer.diagnostics, row.layer)
    if not ok then return nil end -- the layer is being trained again this moment
    of[row.level] = {key = key, warnings = d.warnings}
  end
  return of[row.level].warnings
end

local function warning_lines(s, width, glyphs)
  local lines, asked = {}, 0
  for l = #s.rows, 1, -1 do
    local warnings = warnings_of(s, s.rows[l])
    if warnings then asked = asked + 1 end
    for _, warning in ipairs(warnings or {}) do
      for i, line in ipairs(text.wrap(format("level %d: %s", l, warning), max(10, width - 2))) do
        lines[#lines + 1] = {{i == 1 and glyphs.warn .. " " or "  ", style = "warn"}, line}
      end
    end
  end
  if #lines == 0 and asked == #s.rows then
    lines[1] = {{glyphs.good .. " ", style = "good"},
      {"no warnings: the diagnostics of all layers are clean", style = "dim"}}
  end
  return lines
end

-- --- cards: what a layer found, as a picture ----------------------------------------------------------------------

local function card_title(row, glyphs, width)
  local glyph, style = state.look(row.state, glyphs)
  local title = format(" level %d ", row.level)
  local rest = width - text.columns(title) - 6
  return {{rep(glyphs.horizontal, 2), style = "dim"}, {title, style = "title"}, {glyph .. " ", style = style},
    {rep(glyphs.horizontal, max(0, rest)), style = "dim"}}
end

-- The descent: loss, intra and inter by step; where there is little room as sparklines (the history's steps grow by
-- some 20 %, so their axis is logarithmic).
local function curve_card(row, width, height, options)
  local glyphs = options.glyphs
  local lines = {card_title(row, glyphs, width)}
  if height >= 10 then
    local curves = require "rhm.view.curves".plot(row, width, min(height - 1, 24), options)
    for _, line in ipairs(curves) do lines[#lines + 1] = line end
    return lines
  end
  for i, name in ipairs {"loss", "intra", "inter"} do
    local wide = min(width - 14, 4 * #row.history.step)
    if #lines < height and wide >= 4 then
      local values = {}
      for k = 1, wide do -- each step as many columns wide as fit
        values[k] = row.history[name][math.floor((k - 1) * #row.history.step / wide) + 1]
      end
      lines[#lines + 1] = {{text.pad(name, 6), style = "dim"}, text.pad(text.number(row[name], 6), 6, "right"), " ",
        {canvas.spark(values, wide, glyphs, true), style = "series" .. i}}
    end
  end
  return lines
end

local measures = {
  {"gap", "gap", "series3"}, {"rho~", "rho", "series1"}, {"eps_S", "eps_S", "series2"}, {"error", "error", "series4"},
}

-- No descent: the signal (gap, rho~) beside what disturbs it (eps_S, error), as bars of one scale.
local function bar_card(row, width, height, options)
  local glyphs = options.glyphs
  local lines, largest = {card_title(row, glyphs, width)}, 0
  for _, m in ipairs(measures) do
    local x = row[m[2]]
    if x and x < huge then largest = max(largest, x) end
  end
  local room = width - 6 - 8
  for _, m in ipairs(measures) do
    local x = row[m[2]]
    if x and #lines < height and room >= 5 then
      local n = largest > 0 and x < huge and max(x > 0 and 1 or 0, math.floor(x / largest * room + 0.5)) or 0
      lines[#lines + 1] = {{text.pad(m[1], 6), style = "dim"}, {rep(glyphs.line, n), style = m[3]},
        " " .. text.number(x, 6)}
    end
  end
  return lines
end

-- A card drawn once for as long as its layer and its size stay the same.
local drawn = setmetatable({}, {__mode = "k"})

local function draw_card(s, card, width, height, options)
  local row = card.row
  local key = format("%s %s %s %s %s %d %d %d %s", row.state, row.n, row.step, row.seconds, row.loss, width, height,
    options.colours, options.ascii)
  local of = drawn[s.network]
  if not of then
    of = {}
    drawn[s.network] = of
  end
  if not of[row.level] or of[row.level].key ~= key then
    of[row.level] = {key = key, lines = card.draw(row, width, height, options)}
  end
  return of[row.level].lines
end

-- As many layers as fit, side by side and one below the other: from L down, but the one chosen or in work always.
local function cards(s, width, height, options)
  local list, need = {}, 0
  for l = #s.rows, 1, -1 do
    local row = s.rows[l]
    if row.history and #row.history.step > 1 then
      list[#list + 1] = {row = row, draw = curve_card, least = 4, best = 25}
    elseif row.rho or row.eps_S then
      local n = 1
      for _, m in ipairs(measures) do n = n + (row[m[2]] and 1 or 0) end
      list[#list + 1] = {row = row, draw = bar_card, least = n, best = n}
    end
  end
  if #list == 0 then return {} end
  local best = 0
  for _, card in ipairs(list) do need, best = max(need, card.least), max(best, card.best) end
  local across = max(1, min(width // 58, 4, #list))
  local down = (#list + across - 1) // across
  if best > 10 and height >= 11 then need = 11 end -- rather few curves than many sparklines
  down = min(down, (height + 1) // (need + 1))
  if down < 1 then return {} end
  local chosen = options.level or s.level
  while #list > down * across do
    table.remove(list, list[#list].row.level == chosen and 1 or #list)
  end
  local each = min((height + 1) // down - 1, best)
  local wide = (width - 3 * (across - 1)) // across
  local lines = {}
  for i = 1, #list, across do
    local blocks, widths = {}, {}
    for k = i, min(i + across - 1, #list) do
      blocks[#blocks + 1] = draw_card(s, list[k], wide, each, options)
      widths[#widths + 1] = wide
    end
    if i > 1 then lines[#lines + 1] = "" end
    for _, line in ipairs(text.beside(blocks, widths, 3)) do lines[#lines + 1] = line end
  end
  return lines
end

-- --- the view -----------------------------------------------------------------------------------------------------

function M.draw(net, width, height, options)
  local glyphs = options.glyphs
  local s = state.network(net)
  local lines = table_lines(s, width, glyphs)
  if height and #lines > height then -- the one in work, and those before it
    local skip = min(#lines - height, max(0, s.level and net.L - s.level + 1 - (height - 2) or 0))
    for _ = 1, skip do table.remove(lines, 2) end
    return lines
  end
  local room = height and height - #lines or 60
  local function add(list, most)
    most = min(#list, most)
    if most > 0 and room > most then
      lines[#lines + 1] = ""
      for i = 1, most do lines[#lines + 1] = list[i] end
      room = room - 1 - most
    end
  end
  local told = not options.panel or s.error or s.state == "untrained" -- else the status line says it
  local words = told and total(s, width, glyphs, options.panel) or {}
  local warnings = warning_lines(s, width, glyphs)
  local clean = #warnings == 1 and warnings[1][1].style == "good"
  if not clean or told then
    local most = height and max(1, room // 2) or #warnings
    for i = 1, min(#warnings, most) do words[#words + 1] = warnings[i] end
    if #warnings > most then -- what is cut is not lost
      words[#words] = {{"  ... more: net:layer(l):diagnostics()", style = "dim"}}
    end
  end
  add(words, max(1, room - 1))
  if options.cards ~= false then
    local below = cards(s, width, min(room - 1, 52), options)
    add(below, #below)
    if #below == 0 and clean and not told then add(warnings, 1) end
  end
  return lines
end

M.options = {{"level", "the layer whose curves are shown where there is room for few"},
  {"cards", "false: the table and the warnings alone"}}

return M
