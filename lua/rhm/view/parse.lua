-- parse.lua - the parse of one string as a tree, from the label down to its tokens: what each layer makes of each
-- patch, how sure it is (p, the largest of q^), and whether that is what the grammar says, or under token noise what is
-- likeliest by it (p|posterior). Part of the view "synonyms".
--
-- Where the tokens fit side by side the tree stands on them; a longer string is a tree of lines, one a node.
local M = {}

local rhm = require "rhm"
local text = require "rhm.view.text"
local branches = require "rhm.branches"
local rows = require "rhm.view.rows"
local subjects = require "rhm.view.subject"

local ipairs, type, tonumber, tostring, setmetatable = ipairs, type, tonumber, tostring, setmetatable
local format, concat, gsub, gmatch = string.format, table.concat, string.gsub, string.gmatch
local floor, max, min = math.floor, math.max, math.min
local columns = text.columns

local lines_utf8 = {first = "┌", last = "┐", child = "┬", up = "┴", both = "┼", line = "─", not_equal = "≠"}
local lines_ascii = {first = "+", last = "+", child = "+", up = "+", both = "+", line = "-", not_equal = "!="}

-- --- the string and its parse -------------------------------------------------------------------------------------

-- Tokens from {1, 5, ...} or "1 5 ...".
local function tokens_of(string)
  if type(string) == "table" then return string end
  local list = {}
  for token in gmatch(tostring(string), "[^%s,;]+") do list[#list + 1] = tonumber(token) or token end
  return list
end

local cache = setmetatable({}, {__mode = "k"})

-- net:parse of the string, once for each state of the network; nil and why not.
local function parse_of(net, string)
  local tokens = tokens_of(string)
  local key = {}
  for k, token in ipairs(tokens) do key[k] = tostring(token) end
  for l = 1, net.L do key[#key + 1] = rows.state(net:layer(l)) end
  key = concat(key, " ")
  local old = cache[net]
  if old and old.key == key then return old.parse, old.why end
  local ok, parse = rows.try(net.parse, net, tokens)
  cache[net] = {key = key, parse = ok and parse or nil, why = not ok and rows.plain(parse) or nil}
  return cache[net].parse, cache[net].why
end

-- --- nodes --------------------------------------------------------------------------------------------------------

local function label_of(q)
  local best = 1
  for c = 2, #q do if q[c] > q[best] then best = c end end
  return best
end

-- What a node is called, and the style of that: right, wrong or not known.
local function name_of(tree, l, node)
  local style = "title"
  local name = l == 1 and format("%d", label_of(node.q)) or node.parent and format("%d", node.parent)
    or node.code and format("c%d", node.code) or "?"
  if node.unknown then name, style = "?", "warn" end
  local truth = node.bayes or node.truth -- under token noise the likeliest symbol is all that can be known
  if truth then
    local right = not node.unknown and tonumber(name) == truth
    style = right and "good" or "bad"
    if not right then name = name .. tree.strokes.not_equal .. truth end
  end
  return name, style
end

local function p_text(p, wide)
  if not p or p ~= p then return "-" end
  local s = format("%.2f", p)
  return wide >= 5 and s or (gsub(s, "^(-?)0%.", "%1."))
end

-- The layer's confidence, and beside it the posterior of the likeliest symbol where there is room and a need.
local function confidence(node, wide)
  local own = p_text(node.p, wide)
  if not node.bayes_p or wide < 10 then return own end
  return own .. "|" .. p_text(node.bayes_p, wide)
end

-- q^ as small bars, the largest number of the level a full one.
local function bars(tree, l, q)
  local glyphs, largest = tree.glyphs, tree.largest[l]
  local out, spark = {}, glyphs.spark
  for c, x in ipairs(q) do
    x = min(1, x / largest)
    out[c] = x < 0.5 / #spark and (glyphs.ascii and " " or glyphs.dot) or spark[min(#spark, floor(x * #spark + 0.5))]
  end
  return concat(out)
end

-- --- a tree that stands on its tokens -----------------------------------------------------------------------------

-- A row of characters to write on; neighbours of one style become one segment.
local function new_row(width)
  local row = {glyph = {}, style = {}}
  for x = 1, width do row.glyph[x] = " " end
  return row
end

local function write(row, x, what, style)
  for _, code in utf8.codes(what) do
    if x >= 1 and x <= #row.glyph then row.glyph[x], row.style[x] = utf8.char(code), style end
    x = x + 1
  end
end

local function segments(row)
  local line, from = {}, 1
  for x = 2, #row.glyph + 1 do
    if x > #row.glyph or row.style[x] ~= row.style[from] then
      line[#line + 1] = {concat(row.glyph, "", from, x - 1), style = row.style[from] or "plain"}
      from = x
    end
  end
  return line
end

local function write_centred(row, centre, what, style)
  write(row, centre - columns(what) // 2, what, style)
end

-- The rows of one level's nodes: names and p in one or two, then bars of q^ where they fit.
local function level_rows(tree, l, place, width, with_bars)
  local nodes, span = tree.levels[l], place.leaf * tree:span(l)
  local list, C = {new_row(width)}, #nodes[1].q
  local beside, longest = span >= 12, 1
  for _, node in ipairs(nodes) do longest = max(longest, columns((name_of(tree, l, node)))) end
  local room = nodes[1].bayes_p and 12 or 6
  if longest + room > span then beside = false end
  if not beside and span >= 4 then list[2] = new_row(width) end
  for k, node in ipairs(nodes) do
    local centre = place.margin + floor((k - 1) * span) + floor(span) // 2 + 1
    local name, style = name_of(tree, l, node)
    if beside then
      local title = (l == 1 and span >= 24 and "label " or "") .. name
      local p = confidence(node, 10)
      local from = centre - columns(title .. "  " .. p) // 2
      write(list[1], from, title, style)
      write(list[1], from + columns(title) + 2, p, "dim")
    else
      write_centred(list[1], centre, columns(name) <= span - 1 and name or name:match "^[^≠!]+", style)
      if list[2] then write_centred(list[2], centre, confidence(node, floor(span)), "dim") end
    end
  end
  if with_bars and C + 1 <= span then
    local row = new_row(width)
    for k, node in ipairs(nodes) do
      local centre = place.margin + floor((k - 1) * span) + floor(span) // 2 + 1
      write(row, centre - C // 2, bars(tree, l, node.q), "series1")
    end
    list[#list + 1] = row
  end
  if place.margin > 0 then write(list[1], 1, format("layer %d", l), "dim") end
  return list
end

-- The strokes from the nodes of level l to their children.
local function strokes_row(tree, l, place, width)
  local row, s, strokes = new_row(width), branches.at(tree.s, l), tree.strokes
  local span = place.leaf * tree:span(l)
  local part = span // s
  for k = 1, #tree.levels[l] do
    local from = place.margin + (k - 1) * span + 1
    local centre, first, last = from + span // 2, from + part // 2, from + (s - 1) * part + part // 2
    for x = first, last do write(row, x, strokes.line, "dim") end
    for j = 0, s - 1 do
      local stroke = j == 0 and strokes.first or j == s - 1 and strokes.last or strokes.child
      write(row, from + j * part + part // 2, stroke, "dim")
    end
    local meets = (centre - from - part // 2) % part == 0
    write(row, centre, meets and strokes.both or strokes.up, "dim")
  end
  return row
end

-- The whole tree as rows of segments.
local function standing(tree, place, width, with_bars)
  local out = {}
  for l = tree.lowest, tree.L do
    for _, row in ipairs(level_rows(tree, l, place, width, with_bars)) do out[#out + 1] = segments(row) end
    out[#out + 1] = segments(strokes_row(tree, l, place, width))
  end
  local row = new_row(width)
  for k, token in ipairs(tree.tokens) do
    write_centred(row, place.margin + (k - 1) * place.leaf + place.leaf // 2 + 1, tostring(token), "bold")
  end
  if place.margin > 0 then write(row, 1, "tokens", "dim") end
  out[#out + 1] = segments(row)
  return out
end

-- Columns of a token, or nil where they do not fit side by side.
local function leaf_width(tree, width)
  local digits = 1
  for _, token in ipairs(tree.tokens) do digits = max(digits, #tostring(token)) end
  local margin = width >= 60 and 9 or 0
  for _, m in ipairs {margin, 0} do
    local leaf = (width - m) // #tree.tokens
    if leaf >= digits + 1 then return {leaf = min(leaf, 16), margin = m} end
  end
end

-- --- a tree of lines ----------------------------------------------------------------------------------------------

local function node_line(tree, l, k, stem, width)
  local node = tree.levels[l][k]
  local name, style = name_of(tree, l, node)
  local line = {{stem, style = "dim"}, {(l == 1 and "label " or "") .. name, style = style},
    {"  " .. confidence(node, 10),
    style = "dim"}}
  if #node.q <= 32 and columns(line) + #node.q + 4 <= width then
    line[#line + 1] = {"  " .. bars(tree, l, node.q), style = "series1"}
  end
  local size = tree:span(l)
  local from = (k - 1) * size + 1
  local tokens = concat(tree.tokens, " ", from, from + min(size, 64) - 1)
  local room = width - columns(line) - 2
  if room >= 6 then
    line[#line + 1] = "  " .. (columns(tokens) <= room and size <= 64 and tokens or text.pad(tokens, min(room,
      columns(tokens) + 4), "left", " ..."))
  end
  return line
end

local function add_lines(tree, out, l, k, stem, below)
  out[#out + 1] = {l, k, stem}
  if l == tree.L then return end
  local marks = tree.glyphs.tree
  local s = branches.at(tree.s, l)
  for j = 1, s do
    local last = j == s
    add_lines(tree, out, l + 1, (k - 1) * s + j, below .. (last and marks.last or marks.branch),
      below .. (last and marks.space or marks.pipe))
  end
end

-- --- the picture --------------------------------------------------------------------------------------------------

local function tree_of(parse, net, options)
  local tree = {levels = parse.levels, tokens = parse.tokens, s = net.s, L = net.L, lowest = net.L,
    glyphs = options.glyphs, strokes = options.ascii and lines_ascii or lines_utf8,
    span = function(self, l) return branches.product(self.s, l, self.L) end}
  while tree.levels[tree.lowest - 1] do tree.lowest = tree.lowest - 1 end
  tree.largest = {}
  for l = tree.lowest, tree.L do
    local largest = 1e-300
    for _, node in ipairs(tree.levels[l]) do
      for _, x in ipairs(node.q) do largest = max(largest, min(1, x)) end
    end
    tree.largest[l] = largest
  end
  return tree
end

-- How many nodes are what the grammar says, and how many it knows.
local function score(tree)
  local right, known = 0, 0
  for l = tree.lowest, tree.L do
    for _, node in ipairs(tree.levels[l]) do
      if node.bayes or node.truth then
        known = known + 1
        local _, style = name_of(tree, l, node)
        if style == "good" then right = right + 1 end
      end
    end
  end
  return right, known
end

local function header(tree, parse, net, width)
  local line = {{"parse", style = "title"}}
  local function add(piece, style)
    if columns(line) + columns(piece) <= width then line[#line + 1] = {piece, style = style or "plain"} end
  end
  if parse.label then
    local unknown = tree.levels[1][1].unknown
    add(unknown and ": label unknown" or format(": label %d, p = %s", parse.label, text.number(parse.p)),
      unknown and "warn" or nil)
  else
    add(tree.lowest == 2 and ": layer 1 is not trained yet" or format(": layers 1 to %d are not trained yet",
      tree.lowest - 1), "warn")
  end
  local right, known = score(tree)
  local total = 0
  for l = tree.lowest, tree.L do total = total + #tree.levels[l] end
  if net.grammar and known < total then add(", not a string of the grammar", "warn") end
  if known > 0 then
    local noisy = tree.levels[tree.L][1].bayes -- p|posterior
    local all, some = ", all %d nodes as in the grammar", ", %d of %d nodes wrong"
    if noisy then all, some = ", all %d nodes are the likeliest", ", %d of %d nodes not the likeliest" end
    add(right == known and format(all, known) or format(some, known - right, known), right == known and "good" or "bad")
  end
  return line
end

-- The lines of the parse of options.string.
function M.draw(net, width, height, options)
  local parse, why = parse_of(net, options.string)
  if not parse then
    local lines = {{{"parse", style = "title"}}}
    for _, line in ipairs(text.wrap(why, max(10, width))) do lines[#lines + 1] = line end
    return lines
  end
  local tree = tree_of(parse, net, options)
  local lines = {header(tree, parse, net, width)}
  local foot = height and height >= 6 and 1 or 0
  local room = height and max(0, height - 1 - foot)
  local place, body = leaf_width(tree, width), nil
  if place then
    body = standing(tree, place, width, true)
    if room and #body > room then body = standing(tree, place, width, false) end
  else
    body = {}
    for k = 1, #tree.levels[tree.lowest] do add_lines(tree, body, tree.lowest, k, "", "") end
  end
  local first = 1
  if room then
    first = max(1, min(floor(tonumber(options.first) or 1), #body - room + 1))
    options.first = first
  end
  for n = first, min(#body, room and first + room - 1 or #body) do
    local row = body[n]
    lines[#lines + 1] = place and row or node_line(tree, row[1], row[2], row[3], width)
  end
  if foot == 1 then
    while #lines < height - 1 do lines[#lines + 1] = "" end
    local where = #body > room and format("%d-%d of %d  ", first, min(#body, first + room - 1), #body) or ""
    local keys = where .. "=: another string   d: one drawn   x: back to the clusters"
    lines[#lines + 1] = {{columns(keys) <= width and keys or where .. "=: another  d: drawn  x: back", style = "dim"}}
  end
  return lines
end

-- --- keys ---------------------------------------------------------------------------------------------------------

-- A string of the grammar, or of the data set trained from; another one each time.
local function draw_string(net, options)
  options.drawn = (options.drawn or 0) + 1
  if net.grammar then return net.grammar:sample{ n = 1, seed = options.drawn }:tokens(1) end
  local source = rhm.latest and rhm.latest "source"
  if source and subjects.kind(source) == "dataset" and source.d == net.d then
    return source:tokens((options.drawn - 1) % #source + 1)
  end
end

function M.ask(net, options)
  return {ask = format("string of %d tokens (empty: one drawn): ", net.d), call = function(what)
    if what:find "%S" then options.string = what else options.string = draw_string(net, options) end
    options.first = 1
  end}
end

function M.key(net, options, pressed, _, height)
  if pressed == "x" then
    options.string = nil
    return true
  elseif pressed == "d" then
    local string = draw_string(net, options)
    if not string then return nil end
    options.string, options.first = string, 1
    return true
  end
  local page = max(1, height - 3)
  local by = ({up = -1, down = 1, pageup = -page, pagedown = page, home = -(1 << 30), ["end"] = 1 << 30})[pressed]
  if not by then return nil end
  options.first = max(1, floor(options.first or 1) + by)
  return true
end

return M
