-- histogram.lua - the view "histogram": how the distances |q^_mu - q^_mu'| within and between clusters are spread, with
-- eps_S, rho~, the exact gap and the bandwidths sigma marked. A layer has learned when the two hills stand apart.
local text = require "rhm.view.text"
local rows = require "rhm.view.rows"
local canvas = require "rhm.view.canvas"
local subject_of = require "rhm.view.subject"

local ipairs, pairs, tostring, error = ipairs, pairs, tostring, error
local format, rep, concat, sort = string.format, string.rep, table.concat, table.sort
local floor, max, min, log, huge = math.floor, math.max, math.min, math.log, math.huge
local pad, columns, number, count = text.pad, text.columns, text.number, text.count

-- --- what is marked -----------------------------------------------------------------------------------------------

-- {x=, name=, style=}, the most telling first. sigma(l) is the bandwidth of layer l over its inputs, so that of the
-- next layer, l - 1, is the one chosen for these outputs.
local function marks_of(layer, glyphs)
  local list = {}
  local function add(x, name, style)
    if x and x == x and x < huge then list[#list + 1] = {x = x, name = name, style = style} end
  end
  if layer.trained then
    add(layer.rho, glyphs.rho .. "~", "series2")
    add(layer.eps_S, glyphs.eps .. "_S", "series1")
    add(layer.gap, "gap", "good")
  end
  add(layer.sigma, format("%s(%d)", glyphs.sigma, layer.level), "series4")
  if layer.trained and layer.level > 1 then
    add(layer.network:layer(layer.level - 1).sigma, format("%s(%d)", glyphs.sigma, layer.level - 1), "series4")
  end
  return list
end

-- The right end of the axis: all distances and the quantities of the outputs; a few far outliers go to the last bin.
local function range(data, lists, marks)
  local high, centres = lists.largest, 0
  if not high then
    high = 0
    for _, name in ipairs {"within", "between"} do
      for _, d in ipairs(lists[name]) do high = max(high, d) end
    end
    lists.largest = high
  end
  for _, group in ipairs(data.groups) do centres = max(centres, group.farthest or 0) end
  if centres > 0 and high > 2 * centres then high = 1.5 * centres end
  for _, mark in ipairs(marks) do
    if mark.style ~= "series4" or mark.x < 1.25 * high then high = max(high, mark.x) end
  end
  return high > 0 and high * 1.02 or 1
end

-- Counts of n columns, of which `wide` make a bin; and how many lie beyond the last.
local function bins(list, n, wide, high, weight)
  local counts, beyond = {}, 0
  for i = 1, n do counts[i] = 0 end
  for _, d in ipairs(list) do
    local i = floor(d / high * n) // wide * wide + 1
    if i > n then i, beyond = (n - 1) // wide * wide + 1, beyond + 1 end
    counts[i] = counts[i] + weight
  end
  for i = 1, n do counts[i] = counts[(i - 1) // wide * wide + 1] end
  return counts, beyond
end

-- The counts of both hills, and how many pairs lie beyond; kept with the data until the width changes.
local function counts_of(data, lists, plot_columns, high)
  local old = data.counts
  if old and old.columns == plot_columns and old.high == high then return old end
  local within, between, stats = lists.within, lists.between, data:statistics()
  local all = stats.between.pairs
  if data.by == "label" then -- one hill
    between = table.move(within, 1, #within, #between + 1, table.move(between, 1, #between, 1, {}))
    within, all = {}, all + stats.within.pairs
  end
  local most = 2 * math.sqrt(#within + #between) + 1 -- few pairs have wide bins
  local wide = max(1, min(4, floor(plot_columns / most + 0.5)))
  local counts, beyond, more = {columns = plot_columns, high = high}, 0, 0
  -- where only some pairs were looked at, each stands for as many
  counts.within, beyond = bins(within, plot_columns, wide, high, #within > 0 and stats.within.pairs / #within or 1)
  counts.between, more = bins(between, plot_columns, wide, high, #between > 0 and all / #between or 1)
  counts.beyond = beyond + more
  data.counts = counts
  return counts
end

-- --- bars ---------------------------------------------------------------------------------------------------------

-- Heights in eighths of a line. Logarithmic: 1 stands a little above the ground.
local function height_of(n, most, lines, logarithmic)
  if n <= 0 then return 0 end
  local share = logarithmic and log(n * 2) / log(most * 2) or n / most
  return max(1, floor(share * lines * 8 + 0.5))
end

local single = {within = {utf8 = "█", ascii = "#"}, between = {utf8 = "▒", ascii = ":"}}

-- The character of a bar in a line: front and back are how many eighths of it the shorter and the taller one fill.
local function bar_cell(front, back, front_name, back_name, options)
  local spark = options.glyphs.spark
  if options.ascii or options.colours == 0 then -- told apart by the character
    local name = front >= 4 and front_name or back >= 4 and back_name or nil
    if not name and max(front, back) > 0 then name = back > front and back_name or front_name end
    local glyph = name and single[name][options.ascii and "ascii" or "utf8"] or " "
    return glyph, name == "within" and "series1" or "series2"
  end
  local styles = {within = "series1", between = "series2"}
  if #spark ~= 8 or front == 8 or (front == 0 and back == 8) then
    local name = front >= 4 and front_name or back_name
    if max(front, back) == 0 then return " ", "plain" end
    return options.glyphs.full, styles[front >= 4 and front_name or name]
  end
  if front > 0 then
    return spark[front], back == 8 and styles[front_name] .. "+" .. styles[back_name] or styles[front_name]
  end
  if back > 0 then return spark[back], styles[back_name] end
  return " ", "plain"
end

local function fill(h, base)
  return max(0, min(8, h - base))
end

-- Adds a character to a line, to its last segment where the style is the same.
local function put(line, piece, style)
  local last = line[#line]
  if last and last.style == style then
    last.run[#last.run + 1] = piece
  else
    line[#line + 1] = {run = {piece}, style = style}
  end
end

local function close(line)
  for _, segment in ipairs(line) do segment[1], segment.run = concat(segment.run), nil end
  return line
end

-- --- the plot -----------------------------------------------------------------------------------------------------

local MARGIN = 7 -- "12.3k │"

local function tick_lines(most, lines, logarithmic)
  local at = {}
  if logarithmic then
    local n = 1
    local last
    while n <= most do
      local r = lines - floor((height_of(n, most, lines, true) - 1) / 8)
      if not last or last - r >= 2 then at[r], last = n, r end
      n = n * 10
    end
  else
    at[1] = floor(most + 0.5)
    if lines >= 6 then at[floor(lines / 2) + 1] = most * (lines - floor(lines / 2)) / lines end
  end
  return at
end

-- The lines of the bars, top to bottom.
local function plot(counts, lines, plot_columns, high, marks, logarithmic, options)
  local most, mark_at = 1, {}
  for i = 1, plot_columns do most = max(most, counts.within[i], counts.between[i]) end
  for k = #marks, 1, -1 do
    local at = floor(marks[k].x / high * plot_columns) + 1
    if marks[k].x <= high then mark_at[min(plot_columns, at)] = marks[k].style end
  end
  local within, between = {}, {}
  for i = 1, plot_columns do
    within[i] = height_of(counts.within[i], most, lines, logarithmic)
    between[i] = height_of(counts.between[i], most, lines, logarithmic)
  end
  local out, at = {}, tick_lines(most, lines, logarithmic)
  for r = 1, lines do
    local line, base = {}, (lines - r) * 8
    if at[r] then
      put(line, pad(count(floor(at[r] + 0.5), 5), MARGIN - 2, "right") .. " " .. options.glyphs.tick_y, "dim")
    else
      put(line, rep(" ", MARGIN - 1) .. options.glyphs.vertical, "dim")
    end
    for i = 1, plot_columns do
      local w, b, glyph, style = fill(within[i], base), fill(between[i], base)
      if within[i] <= between[i] then
        glyph, style = bar_cell(w, b, "within", "between", options)
      else
        glyph, style = bar_cell(b, w, "between", "within", options)
      end
      if glyph == " " and mark_at[i] then glyph, style = options.ascii and ":" or "┊", mark_at[i] end
      if glyph == ":" and mark_at[i] and max(w, b) == 0 then glyph = "|" end
      put(line, glyph, style)
    end
    out[r] = close(line)
  end
  return out
end

local function axis_lines(plot_columns, high, options)
  local glyphs, below, numbers, free = options.glyphs, {}, {}, 1
  local ticks = canvas.ticks(0, high, max(2, plot_columns // 10))
  for i = 1, plot_columns do below[i], numbers[i] = glyphs.horizontal, " " end
  for _, x in ipairs(ticks) do
    local at, label = min(plot_columns, floor(x / high * plot_columns) + 1), canvas.tick_text(x)
    local from = max(1, min(at - #label // 2, plot_columns - #label + 1))
    below[at] = glyphs.tick_x
    if from >= free then
      for k = 1, #label do numbers[from + k - 1] = label:sub(k, k) end
      free = from + #label + 1
    end
  end
  return {{rep(" ", MARGIN - 1) .. glyphs.corner .. concat(below), style = "dim"}},
    {{rep(" ", MARGIN) .. concat(numbers), style = "dim"}}
end

-- The marks' names below the axis, each with an arrow up to its place, in as many lines as they need to stand apart.
local function mark_lines(marks, plot_columns, high, most, glyphs)
  local placed, lines = {}, {}
  for k, mark in ipairs(marks) do
    local inside = mark.x <= high
    local at = inside and min(plot_columns, floor(mark.x / high * plot_columns) + 1) or plot_columns
    local label = mark.name .. " " .. number(mark.x)
    local piece = inside and glyphs.up .. label or label .. glyphs.right
    local from, wide = at, columns(piece)
    if not inside then
      from = plot_columns - wide + 1
    elseif from + wide - 1 > plot_columns then
      piece, from = label .. glyphs.up, at - wide + 1
    end
    placed[k] = {from = max(1, from), wide = wide, piece = piece, style = mark.style}
  end
  local used = {}
  for _, p in ipairs(placed) do
    for r = 1, most do
      used[r] = used[r] or {}
      local free = true
      for _, other in ipairs(used[r]) do
        if p.from <= other.from + other.wide and other.from <= p.from + p.wide then free = false end
      end
      if free then
        used[r][#used[r] + 1] = p
        break
      end
    end
  end
  for r, list in ipairs(used) do
    if #list > 0 then
      sort(list, function(a, b) return a.from < b.from end)
      local line, at = {rep(" ", MARGIN)}, 1
      for _, p in ipairs(list) do
        line[#line + 1] = rep(" ", p.from - at)
        line[#line + 1] = {p.piece, style = p.style}
        at = p.from + p.wide
      end
      lines[#lines + 1] = line
    end
  end
  return lines
end

-- --- the words ----------------------------------------------------------------------------------------------------

local function sampled(stride)
  return stride > 1 and format(" (1 patch of %d drawn)", stride) or ""
end

-- What the two hills are: one line, or two where it is narrow.
local function legend(data, lists, width, options)
  local stats = data:statistics()
  local about = stats.exact and "" or "about "
  local solid = not options.ascii and options.colours > 0
  local function sample(name)
    return solid and options.glyphs.full or single[name][options.ascii and "ascii" or "utf8"]
  end
  local within, between = stats.within, stats.between
  if data.by == "label" then
    return {{{sample "between" .. " all pairs", style = "series2"},
      format(": %s%s; clusters come with the end of the training", count(within.pairs + between.pairs),
        sampled(lists.between_stride))}}
  end
  local a = {{sample "within" .. " within", style = "series1"}, format(": %s %s%s", count(within.pairs),
    within.pairs == 1 and "pair" or "pairs", sampled(lists.within_stride)) ..
    (within.largest and format(", largest %s%s", about, number(within.largest)) or "")}
  local b = {{sample "between" .. " between", style = "series2"}, format(": %s %s%s", count(between.pairs),
    between.pairs == 1 and "pair" or "pairs", sampled(lists.between_stride)) ..
    (between.smallest and format(", smallest %s%s", about, number(between.smallest)) or "")}
  if columns(a) + 3 + columns(b) > width then return {a, b} end
  return {{a[1], a[2] .. "   ", b[1], b[2]}}
end

local function title(data, logarithmic, beyond, width)
  local line = {{format("layer %d of %d", data.level, data.L), style = "title"}}
  local used = columns(line)
  local function add(piece, style)
    if used + columns(piece) > width then return end
    line[#line + 1] = {piece, style = style or "plain"}
    used = used + columns(piece)
  end
  add(": distances of q^")
  add(format(" between %s patches", count(data.U)))
  if not data.trained then
    add(data.steps == 0 and ", no step yet" or format(", in training: step %d", data.steps), "warn")
  end
  if beyond > 0 then add(format(", %s farther on the right", count(beyond)), "warn") end
  if logarithmic then add(", counts by their logarithm", "dim") end
  return line
end

local function message(why, width)
  local lines = {{{"histogram", style = "title"}}}
  for _, line in ipairs(text.wrap(why, max(10, width))) do lines[#lines + 1] = line end
  return lines
end

local function caption(layer, glyphs)
  local words = format("%s(%d): bandwidth of this layer, over its inputs", glyphs.sigma, layer.level)
  local below = layer.trained and layer.level > 1 and layer.network:layer(layer.level - 1).sigma
  if below then
    words = format("%s; %s(%d): of layer %d, which reads these q^", words, glyphs.sigma, layer.level - 1,
      layer.level - 1)
  end
  return words
end

-- --- the view -----------------------------------------------------------------------------------------------------

-- counts = "log" or "linear"; unless given, by how much the heights differ.
local function is_logarithmic(counts, plot_columns, options)
  if options.counts == "log" or options.counts == "linear" then return options.counts == "log" end
  local peak = {within = 0, between = 0}
  for name in pairs(peak) do
    for i = 1, plot_columns do peak[name] = max(peak[name], counts[name][i]) end
  end
  local low = min(peak.within, peak.between)
  return low > 0 and max(peak.within, peak.between) > 8 * low
end

local function draw(layer, width, height, options)
  if options.counts ~= nil and options.counts ~= "log" and options.counts ~= "linear" then
    error(format("view \"histogram\": counts = %s: must be \"log\" or \"linear\"", tostring(options.counts)), 0)
  end
  local data, why = rows.of(layer, options)
  if not data then return message(why, width) end
  layer = subject_of.find(layer, {"layer"}, options.level)
  height = height or 18
  local lists, glyphs = data:pairs(), options.glyphs
  local words = legend(data, lists, width, options)
  local plot_columns = width - MARGIN - 1
  if height < 6 or plot_columns < 10 then
    local lines = {title(data, false, 0, width)}
    for _, line in ipairs(words) do lines[#lines + 1] = line end
    return lines
  end
  local marks = marks_of(layer, glyphs)
  local high = range(data, lists, marks)
  local counts = counts_of(data, lists, plot_columns, high)
  local logarithmic = is_logarithmic(counts, plot_columns, options)
  local axis, numbers = axis_lines(plot_columns, high, options)
  local below = mark_lines(marks, plot_columns, high, height >= 14 and 4 or height >= 9 and 2 or 1, glyphs)
  local note = height >= 14 and caption(layer, glyphs)
  if note and columns(note) > width then note = nil end
  local lines = {title(data, logarithmic, counts.beyond, width)}
  for _, line in ipairs(words) do lines[#lines + 1] = line end
  local bar_lines = height - #lines - 2 - #below - (note and 1 or 0)
  while bar_lines < 2 and #below > 0 do
    below[#below] = nil
    bar_lines = bar_lines + 1
  end
  for _, line in ipairs(plot(counts, max(1, bar_lines), plot_columns, high, marks, logarithmic, options)) do
    lines[#lines + 1] = line
  end
  lines[#lines + 1] = axis
  lines[#lines + 1] = numbers
  for _, line in ipairs(below) do lines[#lines + 1] = line end
  if note then lines[#lines + 1] = {{note, style = "dim"}} end
  return lines
end

local function key(_, options, pressed)
  if pressed ~= "l" then return nil end
  options.counts = options.counts ~= "log" and "log" or "linear"
  return true
end

return {
  draw = draw, key = key, subjects = {"layer"},
  summary = "distances of q^ within and between clusters, with rho~, eps_S and sigma marked",
  options = {
    {"level", "the layer of a network (default: the one in work)"},
    {"counts", "\"log\" or \"linear\" (default: as the heights differ)"},
  },
  keys = {{"l", "counts by their logarithm, or linear"}},
}
