-- synonyms.lua - the view "synonyms": a tree from the clusters of a layer to their patches, to what the codes in these
-- stand for, down to tokens; and, for a chosen string, its parse.
--
-- A node of the tree is {kind=, id=, parent=, last=, ...}. Nodes are listed in the order they are shown; only those in
-- the window become text. options.open has the ids of nodes that were turned: clusters are open unless turned, all else
-- is closed.
local text = require "rhm.view.text"
local tokens = require "rhm.view.tokens"
local parse = require "rhm.view.parse"

local ipairs, pairs, type, tonumber, tostring, error = ipairs, pairs, type, tonumber, tostring, error
local format, concat, match, gmatch = string.format, table.concat, string.match, string.gmatch
local floor, max, min = math.floor, math.max, math.min
local pad, columns, number, count = text.pad, text.columns, text.number, text.count

-- Patches of a cluster that are printed; a panel has them all.
local MOST_PRINTED = 24

-- --- search -------------------------------------------------------------------------------------------------------

-- What is looked for: {tokens=} "1 7", or {cluster=} "#6".
local function read_search(what)
  if what == nil or what == "" then return nil end
  if type(what) == "number" then what = format("%d", what) end
  if type(what) == "table" then what = concat(what, " ") end
  local cluster = match(what, "^%s*#%s*(%d+)%s*$") or match(what, "^%a+%s+(%d+)%s*$")
  if cluster then return {cluster = tonumber(cluster), text = what} end
  local list = {}
  for token in gmatch(what, "%d+") do list[#list + 1] = tonumber(token) end
  if #list == 0 or match(what, "[^%d%s,;()]") then
    return {none = format("\"%s\": tokens are looked for (1 7), or a symbol (#6)", what), text = what}
  end
  return {tokens = list, text = concat(list, " ")}
end

-- The rows that a search finds, as a set, with the place of the tokens where there are some; nil: no search. Kept with
-- the data.
local function found_rows(chain, search)
  if not search then return nil end
  local data = chain[chain.top]
  if data.searched and data.searched.text == search.text then return data.searched.rows, data.searched.why end
  local set, why = {}, search.none
  if search.cluster then
    for _, group in ipairs(data.groups) do
      if (group.parent or group.number) == search.cluster and not group.unknown then
        for i = group.first, group.last do set[i] = true end
      end
    end
  elseif search.tokens then
    set, why = chain:search(search.tokens)
  end
  data.searched = {text = search.text, rows = set or {}, why = why, tokens = search.tokens}
  return data.searched.rows, why
end

-- --- the tree -----------------------------------------------------------------------------------------------------

local function is_open(options, node)
  local turned = options.open and options.open[node.id] or false
  return (node.kind == "cluster") ~= turned
end

local function codes_open(chain, l)
  return l < chain.L
end

local add_patch

-- Nodes for what the codes of patch i of level l stand for.
local function add_codes(list, chain, options, parent, l, i)
  local tuple = chain[l].patches[i].tuple
  for j, c in ipairs(tuple) do
    local code = chain:code(l, c)
    local node = {kind = "code", id = parent.id .. "." .. j, parent = parent, last = j == #tuple, code = code,
      number = c, l = l}
    list[#list + 1] = node
    if is_open(options, node) then
      for k, p in ipairs(code.patches) do add_patch(list, chain, options, node, l + 1, p, k == #code.patches) end
    end
  end
end

function add_patch(list, chain, options, parent, l, i, last)
  local node = {kind = "patch", id = parent.id .. "." .. i, parent = parent, last = last, l = l, i = i}
  list[#list + 1] = node
  if codes_open(chain, l) and is_open(options, node) then add_codes(list, chain, options, node, l, i) end
end

-- All nodes that are shown. most: patches of a cluster, nil: all.
local function nodes_of(chain, options, found, most)
  local data, list = chain[chain.top], {}
  for k, group in ipairs(data.groups) do
    local shown = {}
    for i = group.first, group.last do
      if not found or found[i] then shown[#shown + 1] = i end
    end
    if #shown > 0 then
      local node = {kind = "cluster", id = tostring(k), group = group, shown = #shown}
      list[#list + 1] = node
      if is_open(options, node) then
        local n = most and min(most, #shown) or #shown
        for x = 1, n do add_patch(list, chain, options, node, chain.top, shown[x], x == #shown) end
        if n < #shown then list[#list + 1] = {kind = "more", parent = node, last = true, number = #shown - n} end
      end
    end
  end
  return list
end

-- --- nodes as text ------------------------------------------------------------------------------------------------

-- The branches of the tree before a node.
local function stem(node, glyphs)
  local parts, at = {}, node
  while at.parent do
    local tree = glyphs.tree
    local piece = at == node and (at.last and tree.last or tree.branch) or (at.last and tree.space or tree.pipe)
    table.insert(parts, 1, piece)
    at = at.parent
  end
  return concat(parts)
end

local function fold_mark(open, glyphs)
  if glyphs.ascii then return open and "v " or "> " end
  return open and "▾ " or "▸ "
end

local function cluster_segments(data, node, room, options)
  local group, glyphs = node.group, options.glyphs
  local line = {{fold_mark(is_open(options, node), glyphs), style = "dim"},
    {data:group_name(group), style = group.unknown and "warn" or "title"}}
  local used = columns(line)
  local function add(piece, style)
    if used + columns(piece) > room then return end
    line[#line + 1] = {piece, style = style}
    used = used + columns(piece)
  end
  local things = group.size == 1 and "patch" or data.by == "cluster" and not group.unknown and "synonyms" or "patches"
  add(format(": %d %s", group.size, things), "plain")
  add(format(", seen %s", count(group.count)), "plain")
  if node.shown < group.size then add(format("  %d found", node.shown), "mark") end
  if group.unknown then
    add("  no output", "dim")
    return line
  end
  if group.widest then
    local tight = group.nearest and group.widest >= group.nearest
    add(format("  widest %s", number(group.widest)), tight and "warn" or "dim")
  end
  if group.neighbour then
    add(format("  nearest %s at %s", data:group_name(group.neighbour, true), number(group.nearest)), "dim")
  end
  return line
end

-- Columns that the tuples of a layer take, and those of their symbols.
local function tuple_widths(chain, l)
  local data = chain[l]
  if not data.tuple_wide then
    local wide, names = 1, 1
    for i = 1, data.U do
      wide = max(wide, #data:tuple(i))
      if l < chain.L then names = max(names, #chain:symbols(l, i)) end
    end
    data.tuple_wide, data.symbols_wide = wide, names
  end
  return data.tuple_wide, data.symbols_wide
end

-- Examples of what a patch stands for, as many as fit; and how many there are in all.
local function examples(chain, l, i, room)
  local n, shown, left = chain:strings(l, i), {}, room
  local total = n > 1 and "  of " .. count(n, 6) or ""
  for k = 1, min(n, 12) do
    local sample, long = chain:example(l, i, k, 64)
    local piece = (k > 1 and " | " or "") .. sample
    if long > 64 and k > 1 then break end
    if columns(piece) > left - (k < n and #total or 0) then
      if k == 1 and left > 12 then shown[1], left = pad(sample, left, "left", " ..."), 0 end
      break
    end
    shown[#shown + 1], left = piece, left - columns(piece)
  end
  return concat(shown), #shown > 0 and #shown < n and #total <= left and total or ""
end

-- Adds an example that has the tokens looked for, these marked; whether there was room.
local function add_match(line, chain, i, at, room)
  local looked = chain[chain.top].searched.tokens
  local string, last = chain:match(i, looked, at), at + #looked - 1
  local text_of = concat(string, " ")
  if #text_of > room - 2 then return false end
  local before, after = concat(string, " ", 1, at - 1), concat(string, " ", last + 1)
  line[#line + 1] = "  " .. before .. (before ~= "" and " " or "")
  line[#line + 1] = {concat(string, " ", at, last), style = "mark"}
  line[#line + 1] = (after ~= "" and " " or "") .. after
  local total = "  of " .. count(chain:strings(chain.top, i), 6)
  if #text_of + 2 + #total <= room then line[#line + 1] = {total, style = "dim"} end
  return true
end

local function patch_segments(chain, node, room, found, options)
  local data, l, i = chain[node.l], node.l, node.i
  local patch, wide, names = data.patches[i], tuple_widths(chain, l)
  local line = {{pad(data:tuple(i), wide), style = l == chain.top and found and found[i] and "mark" or "bold"}}
  if l < chain.L then line[#line + 1] = " = " .. pad(chain:symbols(l, i), names) end
  line[#line + 1] = {format("  seen %s", pad(count(patch.count), 5, "right")), style = "dim"}
  local C = data.classes
  if C <= 32 and room - columns(line) >= C + (l < chain.L and 28 or 2) + (data.misplaced[i] and 24 or 0) then
    line[#line + 1] = {"  " .. data:bars(i, options.glyphs), style = "series1"}
  end
  if data.misplaced[i] then
    local where = patch.parent and format("of %s %d", l == 1 and "label" or "symbol", patch.parent) or "no rule"
    local short = columns(line) + columns(where) + 13 > room
    line[#line + 1] = {(short and "  " or "  misplaced: ") .. where, style = "bad"}
  end
  if l < chain.L then
    local at = l == chain.top and found and found[i]
    if type(at) == "number" and add_match(line, chain, i, at, room - columns(line)) then return line end
    local shown, total = examples(chain, l, i, room - columns(line) - 2)
    if shown ~= "" then
      line[#line + 1] = "  " .. shown
      line[#line + 1] = {total, style = "dim"}
    elseif chain:strings(l, i) == 0 then
      line[#line + 1] = {columns(line) + 26 <= room and "  stands for nothing known" or "  ?", style = "warn"}
    end
  end
  return line
end

local function code_segments(chain, node, room, options)
  local code, l = node.code, node.l + 1
  local line = {{fold_mark(is_open(options, node), options.glyphs), style = "dim"}, format("code %d", node.number)}
  if code.unknown then
    line[#line + 1] = {" = unknown", style = "warn"}
    return line
  end
  line[#line + 1] = {" = " .. (code.parent and "symbol " or "") .. code.name, style = "title"}
  local data, left = chain[l], room - columns(line) - 2
  local pieces = {}
  for k, p in ipairs(code.patches) do
    local piece = (k > 1 and " " or "") .. (l == chain.L and data:tuple(p) or chain:symbols(l, p))
    if columns(piece) > left - 4 then
      pieces[#pieces + 1] = " ..."
      break
    end
    pieces[#pieces + 1], left = piece, left - columns(piece)
  end
  line[#line + 1] = {"  " .. concat(pieces), style = "dim"}
  return line
end

-- selected: true: under the cursor; false: not; nil: there is no cursor, and no room is kept for it.
local function node_line(chain, node, width, found, options, selected)
  local line = {}
  if selected ~= nil then line[1] = selected and {options.glyphs.cursor .. " ", style = "mark"} or "  " end
  local branches = stem(node, options.glyphs)
  if branches ~= "" then line[#line + 1] = {branches, style = "dim"} end
  local room = width - columns(line)
  local segments
  if node.kind == "cluster" then
    segments = cluster_segments(chain[chain.top], node, room, options)
  elseif node.kind == "patch" then
    segments = patch_segments(chain, node, room, found, options)
  elseif node.kind == "code" then
    segments = code_segments(chain, node, room, options)
  else
    segments = {{format("... (%d more)", node.number), style = "dim"}}
  end
  for _, segment in ipairs(segments) do
    if selected and type(segment) == "table" and (segment.style == "title" or segment.style == "bold") then
      segment = {segment[1], style = "select"}
    end
    line[#line + 1] = segment
  end
  return line
end

-- --- the view -----------------------------------------------------------------------------------------------------

local function message(why, width)
  local lines = {{{"synonyms", style = "title"}}}
  for _, line in ipairs(text.wrap(why, max(10, width))) do lines[#lines + 1] = line end
  return lines
end

local function header(data, search, found, why, width)
  local groups, unknown = 0, 0
  for _, group in ipairs(data.groups) do
    if group.unknown then unknown = group.size else groups = groups + 1 end
  end
  local kinds = data.by == "cluster" and "cluster" or data.by == "parent" and "parent" or "most probable label"
  local line = {{format("layer %d of %d", data.level, data.L), style = "title"},
    format(": %s patches, %d %s%s", count(data.U), groups, kinds, groups == 1 and "" or "s")}
  local function add(piece, style)
    if columns(line) + columns(piece) <= width then line[#line + 1] = {piece, style = style} end
  end
  if not data.trained then add(format(", in training: step %d", data.steps), "warn") end
  if search then
    local n = 0
    for _ in pairs(found) do n = n + 1 end
    add(why and "; " .. why or format("; %s: %d found", search.cluster and "#" .. search.cluster or "\"" .. search.text
      .. "\"", n), "mark")
    return line
  end
  if data.trained and data.truth then
    if data.misplaced_count == 0 then
      add(", each with its own parent", "good")
    else
      add(format(", %d misplaced", data.misplaced_count), "bad")
    end
  end
  if unknown > 0 then add(format(", %d unknown", unknown), "warn") end
  return line
end

-- First node of the window of `room` lines, so that the selected one is in it, and the view does not jump about.
local function first_of(options, line, total, room)
  local first = floor(tonumber(options.top) or 1)
  first = max(line - room + 1, min(line, first))
  return max(1, min(first, total - room + 1))
end

local function selected_line(options, total)
  return max(1, min(total, floor(tonumber(options.line) or 1)))
end

local function prepare(layer, options)
  local chain, why = tokens.chain(layer)
  if not chain then return nil, why end
  chain[chain.top]:statistics() -- widest, nearest
  local search = read_search(options.search)
  local found, no = found_rows(chain, search)
  return chain, search, found, no
end

local function check(options)
  local search = options.search
  if search ~= nil and type(search) ~= "string" and type(search) ~= "number" and type(search) ~= "table" then
    error(format("view \"synonyms\": search = %s: must be tokens (\"1 7\") or a symbol (\"#6\")", tostring(search)), 0)
  end
  local string = options.string
  if string ~= nil and type(string) ~= "table" and type(string) ~= "string" then
    error(format("view \"synonyms\": string = %s: must be a list of tokens {1, 5, ...}", tostring(string)), 0)
  end
end

local function draw(layer, width, height, options)
  check(options)
  if options.string then return parse.draw(layer.network, width, height, options) end
  local chain, search, found, why = prepare(layer, options)
  if not chain then return message(search, width) end
  local data = chain[chain.top]
  local nodes = nodes_of(chain, options, found, not height and MOST_PRINTED or nil)
  local lines = {header(data, search, found, why, width)}
  local marked = height ~= nil and width >= 40
  local room = height and height - 1 or #nodes
  local foot = height and height >= 6
  if foot then room = room - 1 end
  local line = selected_line(options, #nodes)
  local first = height and first_of(options, line, #nodes, room) or 1
  if height then options.top = first end
  for n = first, min(#nodes, first + room - 1) do
    local selected
    if marked then selected = n == line end
    lines[#lines + 1] = node_line(chain, nodes[n], width, found, options, selected)
  end
  if #nodes == 0 then lines[#lines + 1] = {{"nothing found", style = "dim"}} end
  if foot then
    while #lines < height - 1 do lines[#lines + 1] = "" end
    local place = #nodes > room and format("%d-%d of %d  ", first, min(#nodes, first + room - 1), #nodes) or ""
    local keys = place .. "up down, Enter: open, close   /: search   =: parse a string"
    lines[#lines + 1] = {{columns(keys) <= width and keys or place .. "Enter  /: search  =: parse", style = "dim"}}
  end
  return lines
end

-- --- keys ---------------------------------------------------------------------------------------------------------

-- Opens or closes a node; want: true to open, false to close, nil: the other way.
local function turn(options, node, want)
  if not node or node.kind == "more" or (want ~= nil and is_open(options, node) == want) then return false end
  options.open = options.open or {}
  options.open[node.id] = not options.open[node.id] or nil
  return true
end

local function can_open(chain, node)
  return node.kind == "cluster" or node.kind == "code" and #node.code.patches > 0
    or node.kind == "patch" and codes_open(chain, node.l)
end

local function ask_search(options)
  return {ask = "search (tokens, or #symbol): ", call = function(what)
    options.search, options.line, options.top = what ~= "" and what or nil, 1, 1
  end}
end

local function key(layer, options, pressed, width, height)
  if pressed == "=" then return parse.ask(layer.network, options) end
  if options.string then return parse.key(layer.network, options, pressed, width, height) end
  local chain, _, found = prepare(layer, options)
  if not chain then return nil end
  if pressed == "/" then return ask_search(options) end
  if pressed == "x" then
    if not options.search then return nil end
    options.search = nil
    return true
  end
  local nodes = nodes_of(chain, options, found)
  if #nodes == 0 then return nil end
  local page = max(1, height - 3)
  local line = selected_line(options, #nodes)
  local node = nodes[line]
  local by = ({up = -1, down = 1, pageup = -page, pagedown = page, home = -#nodes, ["end"] = #nodes})[pressed]
  if by then
    options.line = max(1, min(#nodes, line + by))
    return true
  elseif pressed == "enter" then
    return can_open(chain, node) and turn(options, node) or nil
  elseif pressed == "right" or pressed == "left" then
    if can_open(chain, node) and turn(options, node, pressed == "right") then return true end
    if pressed == "left" and node.parent then
      for n, other in ipairs(nodes) do if other.id == node.parent.id then options.line = n end end
      return true
    end
    return nil
  elseif pressed == "m" then
    for step = 1, #nodes do
      local other = nodes[(line + step - 1) % #nodes + 1]
      if other.kind == "patch" and chain[other.l].misplaced[other.i] then
        options.line = (line + step - 1) % #nodes + 1
        return true
      end
    end
    return nil
  end
  return nil
end

return {
  draw = draw, key = key, subjects = {"layer"},
  summary = "clusters of synonyms, their patches and tokens; the parse of a string",
  options = {
    {"level", "the layer of a network (default: the one in work)"},
    {"search", "tokens that a patch's string holds (\"1 7\"), or a symbol (\"#6\")"},
    {"string", "a string of d tokens, {1, 5, 2, ...}: its parse instead of the clusters"},
  },
  keys = {
    {"up down", "choose a line; PageUp, PageDown, Home, End"},
    {"Enter", "open or close it; right opens, left closes or goes up"},
    {"/", "search; x: all again"},
    {"m", "to the next misplaced patch"},
    {"=", "parse a string (empty: one of the grammar's, drawn); x: back to the clusters"},
  },
}
