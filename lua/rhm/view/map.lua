-- map.lua - where the heat map of the view "distances" has its patches: zooms, cells and the window. See distances.lua.
--
-- The map is a square of pixels. Where all fits, a patch has k x k of them and clusters stand one pixel apart; a larger
-- layer has cells of b x b patches, which begin anew with each cluster where there is room. Every zoom is a step on
-- that ladder; the window follows the cursor. With 256 colours a character shows two pixels, one above the other.
local M = {}

local rhm = require "rhm"
local ipairs = ipairs
local format = string.format
local max, min = math.max, math.min

-- --- the ladder of zooms ------------------------------------------------------------------------------------------

-- Cells of b patches that begin anew with each group.
local function aligned_cells(data, b)
  local n = 0
  for _, group in ipairs(data.groups) do n = n + (group.size + b - 1) // b end
  return n
end

-- The scale at which all patches fit `pixels`: {b=, k=, gap=, aligned=}.
local function fitting(data, pixels)
  local U, gaps = data.U, #data.groups - 1
  if U + gaps <= pixels then
    return {b = 1, k = max(1, min(8, (pixels - gaps) // U)), gap = 1, aligned = true}
  end
  if U <= pixels then return {b = 1, k = 1, gap = 0, aligned = true} end
  local b = (U + pixels - 1) // pixels
  for more = b, b + b // 2 do -- a little coarser, but with clean borders
    local n = aligned_cells(data, more)
    if n <= pixels then return {b = more, k = 1, gap = n + gaps <= pixels and 1 or 0, aligned = true} end
  end
  return {b = b, k = 1, gap = 0, aligned = false}
end

-- From all patches in the window to a few large ones.
local function ladder(data, pixels)
  local scale = fitting(data, pixels)
  local list = {scale}
  local b, k = scale.b, scale.k
  while b > 1 do
    b = (b + 1) // 2
    if b > 1 then list[#list + 1] = {b = b, k = 1, gap = 0, aligned = true} end
    if b == 1 then list[#list + 1] = {b = 1, k = 1, gap = 1, aligned = true} end
  end
  for _, more in ipairs {2, 3, 4, 6, 8, 12} do
    if more > k and more * 3 <= pixels then list[#list + 1] = {b = 1, k = more, gap = 1, aligned = true} end
  end
  return list
end

-- The scale from left to right where the one from top to bottom is `scale`: the same, or finer where lines are few.
local function across_scale(data, scale, whole, pixels)
  if scale.b == 1 then return scale end
  local fit = fitting(data, pixels)
  if scale == whole then return {b = fit.b, k = 1, gap = fit.gap, aligned = fit.aligned} end
  return {b = min(scale.b, (scale.b * fit.b + whole.b - 1) // whole.b), k = 1, gap = 0, aligned = true}
end

-- One side of the map: its cells (blocks of rows), each `wide` places long; pixel[p] = cell or 0 (gap); start[c] = its
-- first place, group[c] = the group of its first row. Kept with the data.
local function strip_of(data, scale, wide, gap)
  local key = format("%d %d %d %s", scale.b, wide, gap, scale.aligned)
  data.strips = data.strips or {}
  local strip = data.strips[key]
  if strip then return strip end
  strip = {pixel = {}, cells = {}, start = {}, group = {}, length = 0}
  local function add(first, last, group)
    local cell = #strip.cells + 1
    strip.cells[cell], strip.start[cell], strip.group[cell] = data:block(first, last), strip.length + 1, group
    for _ = 1, wide do
      strip.length = strip.length + 1
      strip.pixel[strip.length] = cell
    end
  end
  if scale.aligned then
    for g, group in ipairs(data.groups) do
      if g > 1 and gap > 0 then
        strip.length = strip.length + 1
        strip.pixel[strip.length] = 0
      end
      for first = group.first, group.last, scale.b do add(first, min(group.last, first + scale.b - 1), g) end
    end
  else
    for first = 1, data.U, scale.b do add(first, min(data.U, first + scale.b - 1), data.group_of[first]) end
  end
  data.strips[key] = strip
  return strip
end

-- The cell that holds patch i.
function M.cell_of(strip, i)
  local low, high = 1, #strip.cells
  while low < high do
    local middle = (low + high + 1) // 2
    if strip.cells[middle][1] <= i then low = middle else high = middle - 1 end
  end
  return low
end

-- The distance that cells a (of a row) and b (of a column) show.
function M.value_of(data, l, a, b)
  return data:block_distance(l.ystrip.cells[a], l.xstrip.cells[b])
end

-- --- the layout ---------------------------------------------------------------------------------------------------

local function name_width(data)
  local wide = 1
  for _, group in ipairs(data.groups) do wide = max(wide, #data:group_name(group, true)) end
  return min(wide, 6)
end

-- The first place of a window of `room` places that has patch i in its middle, as far as the ends allow.
local function origin(strip, i, room, each)
  if strip.length <= room then return 1 end
  local centre = strip.start[M.cell_of(strip, i)] + each // 2
  return max(1, min(strip.length - room + 1, centre - room // 2))
end

-- Lines of a map that is printed: a pixel a patch, two where they are few, as far as the width allows.
local function printed_lines(data, l, width)
  local gaps = #data.groups - 1
  local pixels = min((width - l.margin - gaps) // l.across, 96)
  pixels = min(pixels, data.U <= 16 and 2 * data.U or data.U) + gaps
  return (pixels + l.down - 1) // l.down
end

-- What stands where in width x height: {half=, across=, down=, margin=, map_lines=, head=, labels=,
-- ramp=, foot=, ystrip=, xstrip=, scale=, x0=, y0=, cursor=}. head .. foot: lines, 0 or 1.
function M.layout(data, width, height, options)
  local l = {half = (options.colours or rhm.colours()) >= 256 and not options.ascii, head = 1}
  l.down = l.half and 2 or 1
  l.margin = width >= 40 and name_width(data) + 2 or 0
  l.across = (l.half or width - l.margin < 24) and 1 or 2
  local printed = not height
  height = height or 4 + printed_lines(data, l, width)
  l.height = height
  l.ramp = height >= 6 and 1 or 0
  l.foot = height >= 3 and (options.cursor or not printed) and 1 or 0 -- print no hints on keys
  l.labels = height >= 8 and 1 or 0
  l.map_lines = max(0, height - l.head - l.ramp - l.foot - l.labels)
  local high, wide = l.map_lines * l.down, max(1, width - l.margin)
  l.ladder = ladder(data, max(1, min(high, wide // l.across)))
  l.zoom = max(0, min(#l.ladder - 1, options.zoom or 0))
  l.scale = l.ladder[l.zoom + 1]
  l.ystrip = strip_of(data, l.scale, l.scale.k, l.scale.gap)
  l.xscale = across_scale(data, l.scale, l.ladder[1], wide // l.across)
  local xgap, each = l.xscale.gap, l.xscale.k * l.across
  if l.xscale.aligned and aligned_cells(data, l.xscale.b) * each + #data.groups - 1 <= wide then xgap = 1 end
  l.xstrip = strip_of(data, l.xscale, each, xgap)
  local cursor = options.cursor
  if cursor then l.cursor = {max(1, min(data.U, cursor[1])), max(1, min(data.U, cursor[2]))} end
  l.y0 = origin(l.ystrip, l.cursor and l.cursor[1] or 1, high, l.scale.k)
  l.x0 = origin(l.xstrip, l.cursor and l.cursor[2] or 1, wide, each)
  l.high, l.wide = min(high, l.ystrip.length - l.y0 + 1), min(wide, l.xstrip.length - l.x0 + 1)
  l.map_lines = (l.high + l.down - 1) // l.down
  return l
end

return M
