-- distances.lua - the view "distances": a heat map of |q^_mu - q^_mu'| between the patches of a layer, in the order of
-- their clusters, so that synonyms are dark blocks on the diagonal.
local text = require "rhm.view.text"
local rows = require "rhm.view.rows"
local map = require "rhm.view.map"

local ipairs, type, tostring, error = ipairs, type, tostring, error
local format, rep, concat = string.format, string.rep, table.concat
local floor, max, min, log = math.floor, math.max, math.min, math.log
local layout, cell_of, value_of = map.layout, map.cell_of, map.value_of
local pad, columns, number, count = text.pad, text.columns, text.number, text.count

-- --- the scale of colours -----------------------------------------------------------------------------------------

-- From 0 (or, by the logarithm, a small distance) to the largest between centres of groups, in ten steps. Distributions
-- are at most sqrt(2) apart; what is farther is noise, and would make all else dark.
local function heat_scale(data, options)
  local stats = data:statistics()
  local high = 0
  for _, group in ipairs(data.groups) do high = max(high, group.farthest or 0) end
  if high <= 0 then high = stats.within.largest or 0 end
  high = min(high, math.sqrt(2))
  local scale = {high = high, low = 0, log = options.scale == "log" and high > 0}
  if scale.log then
    local low = stats.within.largest and stats.within.largest / 4 or high / 100
    scale.low = max(high * 1e-4, min(high / 10, low))
    local a, b = log(scale.low), log(high)
    function scale.level(d) return d <= scale.low and 0 or min(9, floor(10 * (log(d) - a) / (b - a))) end
    function scale.value(share) return math.exp(a + share * (b - a)) end
  else
    function scale.level(d) return high > 0 and min(9, floor(10 * d / high)) or 0 end
    function scale.value(share) return share * high end
  end
  return scale
end

-- Without half blocks ink is nearness: a glyph for each of ten steps.
local function ink(options, level)
  local shades = options.glyphs.shades
  return shades[#shades - floor(level * (#shades - 1) / 9 + 0.5)]
end

-- --- lines --------------------------------------------------------------------------------------------------------

local function state_text(data)
  if data.trained then return "" end
  if data.steps == 0 then return ", no step yet" end
  return format(", step %d of its training", data.steps)
end

local function header(data, width)
  local stats, groups = data:statistics(), 0
  for _, group in ipairs(data.groups) do if not group.unknown then groups = groups + 1 end end
  local kinds = data.by == "cluster" and "clusters" or data.by == "parent" and "parents" or "most probable labels"
  local line = {{format("layer %d of %d", data.level, data.L), style = "title"},
    format(": %s patches, %d %s%s", count(data.U), groups, groups == 1 and kinds:sub(1, -2) or kinds, state_text(data))}
  local about = stats.exact and "" or "about "
  local within, between = stats.within.largest, stats.between.smallest
  local apart = not within or not between or between > within
  local function facts(long)
    local list = {}
    if within then
      list[#list + 1] = {(long and "largest within " or "within <= ") .. about .. number(within), style = "series1"}
    end
    if between then
      list[#list + 1] = {(long and "smallest between " or "between >= ") .. about .. number(between),
        style = apart and "series2" or "warn"}
    end
    if data.misplaced_count > 0 then list[#list + 1] = {format("%d misplaced", data.misplaced_count), style = "bad"} end
    local wide = 0
    for _, fact in ipairs(list) do wide = wide + 2 + #fact[1] end
    return list, wide
  end
  local used = columns(line)
  local list, wide = facts(true)
  if used + wide > width then list = facts(false) end
  for _, fact in ipairs(list) do
    if used + 2 + #fact[1] > width then break end
    line[#line + 1] = "  "
    line[#line + 1] = fact
    used = used + 2 + #fact[1]
  end
  return line
end

-- Names of the groups above the columns where they begin, and the cursor's place.
local function column_labels(data, l, width, options)
  local cells, free = {}, 0
  for i = 1, width do cells[i] = " " end
  local last
  for x = 0, l.wide - 1 do
    local cell = l.xstrip.pixel[l.x0 + x]
    local group = cell ~= 0 and l.xstrip.group[cell] or last
    if group ~= last then
      local name = data:group_name(data.groups[group], true)
      local at = l.margin + x + 1
      if at > free and at + #name - 1 <= width then
        for i = 1, #name do cells[at + i - 1] = name:sub(i, i) end
        free = at + #name
      end
      last = group
    end
  end
  local line = concat(cells)
  if l.cursor then
    local x = l.xstrip.start[cell_of(l.xstrip, l.cursor[2])] + (l.xscale.k * l.across - 1) // 2 - l.x0
    local at = l.margin + x + 1
    if x >= 0 and x < l.wide and at <= width then
      return {{concat(cells, "", 1, at - 1), style = "dim"}, {options.glyphs.down, style = "mark"},
        {concat(cells, "", at + 1), style = "dim"}}
    end
  end
  return {{line, style = "dim"}}
end

-- The name of the group that begins in a line, and marks for misplaced patches and the cursor.
local function margin_text(data, l, y, options)
  if l.margin == 0 then return {} end
  local name, mark, style = "", " ", nil
  for p = l.y0 + y, min(l.y0 + y + l.down - 1, l.ystrip.length) do
    local cell, before = l.ystrip.pixel[p], l.ystrip.pixel[p - 1]
    if cell ~= 0 then
      local c = l.ystrip.cells[cell]
      local was = before and before ~= 0 and l.ystrip.group[before] or nil
      local group = l.ystrip.group[cell]
      if (was ~= group or p == l.y0) and name == "" then name = data:group_name(data.groups[group], true) end
      for i = c[1], c[2] do
        if data.misplaced[i] then mark, style = options.glyphs.bad, "bad" break end
      end
      if l.cursor and l.cursor[1] >= c[1] and l.cursor[1] <= c[2] then mark, style = options.glyphs.cursor, "mark" end
    end
  end
  return {{pad(name, l.margin - 2, "right", "") .. " ", style = "dim"}, {mark, style = style or "plain"}}
end

-- Adds a piece to a line, to the last one where the style is the same.
local function put(line, piece, style)
  local last = line[#line]
  if last and last.run and last.style == style then
    local run = last.run
    run[#run + 1] = piece
  else
    line[#line + 1] = {run = {piece}, style = style}
  end
end

local function close(line)
  for _, segment in ipairs(line) do
    if segment.run then segment[1], segment.run = concat(segment.run), nil end
  end
  return line
end

-- Styles of a character with an upper and a lower pixel; 10: under the cursor.
local heat, pair = {[10] = "mark"}, {}
for level = 0, 9 do heat[level] = "heat" .. level end
for upper = 0, 10 do
  pair[upper] = {}
  for lower = 0, 10 do pair[upper][lower] = heat[upper] .. "+" .. heat[lower] end
end

-- The cells' levels as far as they were looked at, cell by cell; kept with the data.
local function level_cache(data, l, options)
  local key = format("%d %s %d %s %s", l.scale.b, l.scale.aligned, l.xscale.b, l.xscale.aligned, options.scale == "log")
  data.levels = data.levels or {}
  local cache = data.levels[key]
  if not cache or cache.kept > 500000 then
    cache = {kept = 0}
    data.levels[key] = cache
  end
  return cache
end

-- The levels (0..9) of the pixels of row y of the window, from x0 on; -1 in a gap, 10 under the cursor.
local function level_row(data, l, scale, cache, y, cursor)
  local row, a = {}, l.ystrip.pixel[y]
  if not a or a == 0 or y >= l.y0 + l.high then
    for x = 1, l.wide do row[x] = -1 end
    return row
  end
  local known = cache[a]
  if not known then
    known = {}
    cache[a] = known
  end
  local pixel, before, level = l.xstrip.pixel, nil, -1
  local at = cursor and cursor[1] == a and cursor[2] or nil
  for x = 1, l.wide do
    local b = pixel[l.x0 + x - 1]
    if b ~= before then
      before = b
      if b == 0 then
        level = -1
      elseif b == at then
        level = 10
      else
        level = known[b]
        if not level then
          level = scale.level(value_of(data, l, a, b))
          known[b], cache.kept = level, cache.kept + 1
        end
      end
    end
    row[x] = level
  end
  return row
end

local function half_line(l, upper, lower, glyphs, line)
  local half, full, low = glyphs.half, glyphs.full, glyphs.lower
  for x = 1, l.wide do
    local u, v = upper[x], lower[x]
    if u == v then
      put(line, u < 0 and " " or full, u < 0 and "plain" or heat[u])
    elseif v < 0 then
      put(line, half, heat[u])
    elseif u < 0 then
      put(line, low, heat[v])
    else
      put(line, half, pair[u][v])
    end
  end
end

local function shade_line(l, levels, cursor, options, line)
  for x = 1, l.wide do
    local level = levels[x]
    if level < 0 then
      put(line, " ", "plain")
    elseif level == 10 then
      local place = l.x0 + x - 1 - l.xstrip.start[cursor[2]]
      local last = l.xscale.k * l.across - 1
      put(line, last == 0 and "X" or place == 0 and "[" or place == last and "]" or "-", "select")
    else
      put(line, ink(options, level), heat[level])
    end
  end
end

local function ramp(data, l, scale, width, options)
  local line, steps = {}, width >= 60 and 20 or 10
  local function say(x) return scale.high < 5 and format("%.3g", x) or number(x, 5) end
  put(line, (scale.log and "<" or "") .. say(scale.value(0)) .. " ", "dim")
  for i = 0, steps - 1 do
    local level = floor(i * 10 / steps)
    put(line, l.half and options.glyphs.full or ink(options, level), "heat" .. level)
  end
  put(line, format(" %s", say(scale.value(1))), "dim")
  local b, across = l.scale.b, l.xscale.b
  local mu = options.ascii and "" or options.glyphs.mu
  local notes = {format("|q%s-q%s'|", mu, mu)}
  if scale.log then notes[#notes + 1] = "logarithmic" end
  if l.high < l.ystrip.length or l.wide < l.xstrip.length then notes[#notes + 1] = "a part of the map" end
  if b > 1 then notes[#notes + 1] = format("%d x %d patches a cell (rms)", b, across) end
  if data.by == "label" then notes[#notes + 1] = "clusters not known yet: by most probable label" end
  local used = 0
  for _, segment in ipairs(line) do for _, piece in ipairs(segment.run) do used = used + columns(piece) end end
  for i, note in ipairs(notes) do
    local piece = (i == 1 and "  " or ", ") .. note
    if used + columns(piece) <= width then
      put(line, piece, "dim")
      used = used + columns(piece)
    end
  end
  return close(line)
end

-- "9 (4 8) symbol 3, seen 633"; parts: 3 all, 2 not how often it was seen, 1 its row and tuple, 0 its row.
local function patch_text(data, i, parts)
  local patch, group = data.patches[i], data.groups[data.group_of[i]]
  if parts == 0 then return format("%d", data.row[i]) end
  local line = format("%d %s", data.row[i], data:tuple(i))
  if parts == 1 then return line end
  line = line .. " " .. data:group_name(group)
  if data.misplaced[i] then line = line .. (patch.parent and format(" (of %d)", patch.parent) or " (no rule)") end
  return parts == 2 and line or format("%s, seen %s", line, count(patch.count))
end

local function cursor_line(data, l, width)
  if not l.cursor then
    local hints, keys = {"arrows: a pair", "+ -: zoom", "c: closest of two clusters", "w: widest of one"}, ""
    if data.misplaced_count > 0 then table.insert(hints, 3, "m: misplaced") end
    for i, hint in ipairs(hints) do
      local piece = (i > 1 and "   " or "") .. hint
      if columns(keys) + columns(piece) <= width then keys = keys .. piece end
    end
    return {{keys, style = "dim"}}
  end
  local i, j = l.cursor[1], l.cursor[2]
  local d = data:distance(i, j)
  local row, column, block = cell_of(l.ystrip, i), cell_of(l.xstrip, j), ""
  local a, b = l.ystrip.cells[row], l.xstrip.cells[column]
  if a[2] > a[1] or b[2] > b[1] then block = format("  (cell %s)", number(value_of(data, l, row, column))) end
  for parts = 3, 0, -1 do
    local line = format("distance %s%s  %s | %s", number(d), parts > 0 and block or "", patch_text(data, i, parts),
      patch_text(data, j, parts))
    if columns(line) <= width or parts == 0 then return {line} end
  end
end

-- --- the side panel -----------------------------------------------------------------------------------------------

-- Clusters one below the other: how many patches, how wide, which other is nearest (of centres). Those wider than the
-- way to their neighbour are marked.
local function cluster_table(data, room, most)
  local names, lines = 7, {}
  for _, group in ipairs(data.groups) do names = max(names, #data:group_name(group)) end
  local long = room >= names * 2 + 42
  local head = pad("", names) .. "  size" .. (long and "      seen" or "") .. "  widest  nearest"
  lines[1] = {{head, style = "bold"}}
  local shown = min(#data.groups, #data.groups <= most and most or max(1, most - 1))
  for k = 1, shown do
    local group = data.groups[k]
    local tight = group.widest and group.nearest and group.widest >= group.nearest
    local line = {pad(data:group_name(group), names) .. format("  %4s", count(group.size, 4)),
      long and format("  %8s", count(group.count)) or "",
      {format("  %6s", group.widest and number(group.widest, 6) or "-"), style = tight and "warn" or "plain"}}
    if group.neighbour then
      line[#line + 1] = format("  %-6s ", number(group.nearest, 6))
        .. data:group_name(group.neighbour, not long)
    end
    lines[#lines + 1] = line
  end
  if shown < #data.groups then lines[#lines + 1] = {{format("... (%d more)", #data.groups - shown), style = "dim"}} end
  return lines
end

local function side_text(data, i, room)
  for parts = 3, 1, -1 do
    local line = patch_text(data, i, parts)
    if columns(line) <= room then return line end
  end
  return patch_text(data, i, 0)
end

-- What stands beside the map.
local function side_lines(data, l, room, high, options)
  local detail = l.cursor and high >= 12 and room >= 44
  local lines = cluster_table(data, room, high - 1 - (detail and 6 or 0))
  if detail then
    lines[#lines + 1] = ""
    local function fact(name, value, style) lines[#lines + 1] = {{name, style = "dim"}, {value, style = style}} end
    for n, i in ipairs(l.cursor) do
      fact(n == 1 and "row       " or "column    ", side_text(data, i, room - 10), "bold")
      fact("       q^ ", data:bars(i, options.glyphs, room - 12), "series" .. n)
    end
    fact("distance  ", number(data:distance(l.cursor[1], l.cursor[2])), "bold")
  end
  return lines
end

-- --- the view -----------------------------------------------------------------------------------------------------

local function message(why, width)
  local lines = {{{"distances", style = "title"}}}
  for _, line in ipairs(text.wrap(why, max(10, width))) do lines[#lines + 1] = line end
  return lines
end

local function check(options)
  local function refuse(key, wanted)
    error(format("view \"distances\": %s = %s: must be %s", key, tostring(options[key]), wanted), 0)
  end
  local zoom, cursor, scale, whole = options.zoom, options.cursor, options.scale, math.type
  if zoom ~= nil and (whole(zoom) ~= "integer" or zoom < 0) then
    refuse("zoom", "a whole number, 0 (the whole map) or more")
  end
  if cursor ~= nil and (type(cursor) ~= "table" or whole(cursor[1]) ~= "integer" or whole(cursor[2]) ~= "integer") then
    refuse("cursor", "{i, j}, rows of lay:patches()")
  end
  if scale ~= nil and scale ~= "log" and scale ~= "linear" then refuse("scale", "\"log\" or \"linear\"") end
end

local function draw(subject, width, height, options)
  check(options)
  local data, why = rows.of(subject, options)
  if not data then return message(why, width) end
  local l = layout(data, width, height, options)
  local scale = heat_scale(data, options)
  local lines = {header(data, width)}
  if height == 2 or (height or 9) < 3 then
    lines[2] = l.cursor and cursor_line(data, l, width) or ramp(data, l, scale, width, options)
    return lines
  end
  if l.labels > 0 then lines[#lines + 1] = column_labels(data, l, width, options) end
  local used = l.margin + l.wide
  local side = width - used >= 36 and l.map_lines >= 8
    and side_lines(data, l, width - used - 3, l.map_lines, options) or {}
  local cursor = l.cursor and {cell_of(l.ystrip, l.cursor[1]), cell_of(l.xstrip, l.cursor[2])}
  local cache = level_cache(data, l, options)
  for n = 1, l.map_lines do
    local line, y = {}, (n - 1) * l.down
    for _, segment in ipairs(margin_text(data, l, y, options)) do line[#line + 1] = segment end
    local levels = level_row(data, l, scale, cache, l.y0 + y, cursor)
    if l.half then
      half_line(l, levels, level_row(data, l, scale, cache, l.y0 + y + 1, cursor), options.glyphs, line)
    else
      shade_line(l, levels, cursor, options, line)
    end
    close(line)
    if side[n] then
      line[#line + 1] = rep(" ", 3 + max(0, used - columns(line)))
      for _, segment in ipairs(type(side[n]) == "table" and side[n] or {side[n]}) do line[#line + 1] = segment end
    end
    lines[#lines + 1] = line
  end
  if l.ramp > 0 then lines[#lines + 1] = ramp(data, l, scale, width, options) end
  if l.foot > 0 then lines[#lines + 1] = cursor_line(data, l, width) end
  return lines
end

-- --- keys ---------------------------------------------------------------------------------------------------------

-- The first patch of the cell before or after the one with patch i; i itself at the edge.
local function neighbour(strip, i, step)
  local cell = strip.cells[cell_of(strip, i) + step]
  return cell and cell[1] or i
end

local function next_group(data, i, step)
  local g = max(1, min(#data.groups, data.group_of[i] + step))
  return data.groups[g].first
end

local moves = {up = {1, -1}, down = {1, 1}, left = {2, -1}, right = {2, 1}}

local function key(subject, options, pressed, width, height)
  local data = rows.of(subject, options)
  if not data then return nil end
  local l = layout(data, width, height, options)
  local at = l.cursor or {l.ystrip.cells[l.ystrip.pixel[l.y0] ~= 0 and l.ystrip.pixel[l.y0] or 1][1],
    l.xstrip.cells[l.xstrip.pixel[l.x0] ~= 0 and l.xstrip.pixel[l.x0] or 1][1]}
  local move = moves[pressed]
  if move then
    if l.cursor then at[move[1]] = neighbour(move[1] == 1 and l.ystrip or l.xstrip, at[move[1]], move[2]) end
    options.cursor = at
  elseif pressed == "pageup" or pressed == "pagedown" then
    options.cursor = {next_group(data, at[1], pressed == "pageup" and -1 or 1), at[2]}
  elseif pressed == "home" then
    options.cursor = {1, 1}
  elseif pressed == "end" then
    options.cursor = {data.U, data.U}
  elseif pressed == "+" or pressed == "=" then
    options.zoom = min(#l.ladder - 1, l.zoom + 1)
  elseif pressed == "-" then
    options.zoom = max(0, l.zoom - 1)
  elseif pressed == "0" then
    options.zoom, options.cursor = 0, nil
  elseif pressed == "l" then
    options.scale = options.scale ~= "log" and "log" or nil
  elseif pressed == "c" or pressed == "w" then
    local stats = data:statistics()
    local pair = pressed == "c" and stats.between.pair or pressed == "w" and stats.within.pair
    if pair then options.cursor = {pair[1], pair[2]} end
  elseif pressed == "m" and data.misplaced_count > 0 then
    local i = l.cursor and l.cursor[1] or 0
    repeat i = i % data.U + 1 until data.misplaced[i]
    options.cursor = {i, i}
  else
    return nil
  end
  return true
end

return {
  draw = draw, key = key, subjects = {"layer"},
  summary = "heat map of the distances of q^ between patches, synonyms as dark blocks on the diagonal",
  options = {
    {"level", "the layer of a network (default: the one in work)"},
    {"zoom", "0: the whole map; 1, 2, ...: larger"},
    {"cursor", "{i, j}: the pair of patches, rows of lay:patches(), that the last line tells about"},
    {"scale", "\"linear\" or \"log\": colours by the distance or its logarithm"},
  },
  keys = {
    {"arrows", "move the cursor, PageUp and PageDown from cluster to cluster"},
    {"+ -", "zoom about the cursor; 0: the whole map"},
    {"c", "to the closest pair of two clusters; w: to the widest pair of one"},
    {"m", "to the next misplaced patch"},
    {"l", "linear or logarithmic colours"},
  },
}
