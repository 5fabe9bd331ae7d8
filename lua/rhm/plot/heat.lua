-- plot/heat.lua - a heat map as text: gnuplot's own, in a terminal, tells the cells by colour alone.
local M = {}

local rhm = require "rhm"
local text = require "rhm.view.text"
local setmetatable = setmetatable
local format, rep = string.format, string.rep
local ceil, floor, max, min = math.ceil, math.floor, math.max, math.min

-- How many rows a cell has, and columns: as large as fits, about as high as wide.
local function cell_size(p, margin)
  local m = p.matrix
  local rows = max(1, (p.height - 6) // m.rows)
  local columns = max(1, (p.width - margin - 1) // m.cols)
  rows = max(1, min(rows, columns // 2, 4))
  return rows, max(1, min(columns, 2 * rows + 1, 8))
end

local function name_of(names, i)
  return names and names[i] or tostring(i)
end

-- The line below the map: as many names as fit without touching.
local function name_line(p, margin, columns)
  local line, at = rep(" ", margin), margin
  for j = 1, p.matrix.cols do
    local name = name_of(p.xnames, j)
    local place = margin + (j - 1) * columns + max(0, (columns - text.columns(name)) // 2)
    if place >= at and place + text.columns(name) <= p.width then
      line = line .. rep(" ", place - at) .. name
      at = place + text.columns(name)
      line, at = line .. " ", at + 1
    end
  end
  return line
end

-- Means over blocks of cells, where there are more of them than lines or columns: a matrix and its names.
local function reduce(p, margin)
  local m = p.matrix
  local rows, columns = ceil(m.rows / max(1, p.height - 6)), ceil(m.cols / max(1, p.width - margin - 1))
  if rows <= 1 and columns <= 1 then return p end
  local small = {rows = ceil(m.rows / rows), cols = ceil(m.cols / columns)}
  local new = {matrix = small, xnames = {}, ynames = {}, mean = format("means of %d x %d", rows, columns)}
  for i = 1, small.rows do
    small[i], new.ynames[i] = {}, name_of(p.ynames, (i - 1) * rows + 1)
    for j = 1, small.cols do
      local sum, n = 0, 0
      for k = (i - 1) * rows + 1, min(i * rows, m.rows) do
        for l = (j - 1) * columns + 1, min(j * columns, m.cols) do
          local value = m[k][l]
          if value == value then sum, n = sum + value, n + 1 end
        end
      end
      small[i][j] = n > 0 and sum / n or 0 / 0
      new.xnames[j] = name_of(p.xnames, (j - 1) * columns + 1)
    end
  end
  return setmetatable(new, {__index = p})
end

-- A list of lines of a view: strings and styled segments.
function M.lines(p)
  local glyphs = rhm.view.glyphs(p.ascii)
  local margin = 1
  for i = 1, p.matrix.rows do margin = max(margin, text.columns(name_of(p.ynames, i))) end
  margin = margin + 1
  p = reduce(p, margin)
  local m = p.matrix
  local rows, columns = cell_size(p, margin)
  local low, high = p.zrange[1], p.zrange[2]

  local function cell(value, width)
    if value ~= value then return rep(" ", width) end
    local share = high > low and (value - low) / (high - low) or 0
    local level = max(0, min(9, floor(share * 9.9999)))
    if p.colours >= 8 then return {rep(glyphs.full, width), style = "heat" .. level} end
    return rep(glyphs.shades[1 + floor(level * (#glyphs.shades - 1) / 9 + 0.5)], width)
  end

  local lines = {}
  local wide = margin + columns * m.cols
  local function center(label) return rep(" ", max(0, (wide - text.columns(label)) // 2)) .. label end
  if p.title then lines[#lines + 1] = {{center(p.title), style = "title"}} end
  if p.ylabel then lines[#lines + 1] = p.ylabel end
  for i = m.rows, 1, -1 do -- the first row at the bottom, as in other plots
    for k = 1, rows do
      local name = k == (rows + 1) // 2 and name_of(p.ynames, i) or ""
      local line = {rep(" ", margin - 1 - text.columns(name)) .. name .. " "}
      for j = 1, m.cols do line[#line + 1] = cell(m[i][j], columns) end
      lines[#lines + 1] = line
    end
  end
  lines[#lines + 1] = name_line(p, margin, columns)
  if p.xlabel then lines[#lines + 1] = center(p.xlabel) end
  local legend = {rep(" ", margin), format("%.4g ", low)}
  for level = 0, 9 do legend[#legend + 1] = cell(low + (high - low) * (level + 0.5) / 10, 2) end
  legend[#legend + 1] = format(" %.4g", high)
  if p.zlabel then legend[#legend + 1] = "  " .. p.zlabel end
  if p.mean then legend[#legend + 1] = "  (" .. p.mean .. ")" end
  lines[#lines + 1] = legend
  return lines
end

return M
