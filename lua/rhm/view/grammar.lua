-- grammar.lua - the view "grammar": what Assumption 4.1 says of each level, and each parent's rules, its q and how
-- often it stands first. Levels come as they rewrite: 1 (the label's rules) first.
local branches = require "rhm.branches"
local text = require "rhm.view.text"
local rows = require "rhm.view.rows"

local ipairs, type, tostring, error, setmetatable = ipairs, type, tostring, error, setmetatable
local format, rep, concat = string.format, string.rep, table.concat
local floor, max, min, huge = math.floor, math.max, math.min, math.huge
local pad, columns, number, count = text.pad, text.columns, text.number, text.count

-- Parents of a level that are shown, and children of a level that are read at all.
local MOST, MOST_CHILDREN = 256, 4e6

-- --- what is known of a grammar, read once ------------------------------------------------------------------------

-- Probability that each symbol stands first, level by level: p[l][nu] = P[the first level-l patch has parent nu].
local function first_probabilities(g, rules)
  local p = {{}}
  for nu = 1, g.classes do p[1][nu] = 1 / g.classes end
  for l = 1, g.L - 1 do
    local new = {}
    for nu = 1, g.V do new[nu] = 0 end
    local weights = g:weights(l)
    for nu, list in ipairs(rules[l]) do
      for k, children in ipairs(list) do new[children[1]] = new[children[1]] + p[l][nu] * weights[nu][k] end
    end
    p[l + 1] = new
  end
  return p
end

local cache = setmetatable({}, {__mode = "k"})

local function children_of(g)
  local sum = 0
  for l = 1, g.L do sum = sum + branches.at(g.s, l) end
  return sum * g.V * g.m
end

local function facts_of(g)
  if cache[g] then return cache[g] end
  local facts = {check = g:check(), rules = {}, q = {}}
  if children_of(g) <= MOST_CHILDREN then
    for l = 1, g.L do facts.rules[l] = g:rules(l) end
    facts.first = first_probabilities(g, facts.rules)
  end
  cache[g] = facts
  return facts
end

local function q_of(facts, g, l)
  if facts.q[l] == nil then
    local ok, q = rows.try(g.q, g, l)
    facts.q[l] = ok and q or false -- where its matrix passes rhm.memory
  end
  return facts.q[l] or nil
end

-- --- q as bars ----------------------------------------------------------------------------------------------------

local function largest_of(q, rows)
  local largest = 0
  for nu = 1, rows do
    local row = q[nu]
    for c = 1, q:cols() do if row[c] > largest then largest = row[c] end end -- not nan
  end
  return largest
end

-- A bar a class, or one for several of them (their largest), the height relative to `largest`.
local function bars(row, classes, room, largest, glyphs)
  local out, spark = {}, glyphs.spark
  for k = 1, min(classes, room) do
    local from, to = k, k
    if classes > room then from, to = (k - 1) * classes // room + 1, k * classes // room end
    local x = 0
    for c = from, to do x = max(x, row[c]) end
    local step = max(1, min(#spark, floor(x / largest * #spark + 0.5)))
    out[k] = x <= 0 and (glyphs.ascii and " " or glyphs.dot) or spark[step]
  end
  return concat(out)
end

-- --- one level ----------------------------------------------------------------------------------------------------

local function names(l, glyphs)
  return l == 1 and "label" or "symbol", glyphs.ascii and "->" or glyphs.arrow
end

local function level_head(g, facts, l, width, glyphs)
  local level = facts.check.levels[l]
  local bad = #level.missing > 0 or not (level.gap > 1e-12)
  local line = {{format("level %d", l), style = "title"}, {format(" of %d ", g.L), style = "dim"},
    {bad and glyphs.bad or glyphs.good, style = bad and "bad" or "good"}}
  local parts = {
    {format("gap %s%s", level.gap == huge and "none" or number(level.gap),
      level.nearest and format(" (%d and %d)", level.nearest[1], level.nearest[2]) or ""),
      style = level.gap > 1e-12 and "series2" or "bad"},
    {format("K %s", level.K == huge and "-" or number(level.K)), style = "plain"},
    {format("p_min %s", number(level.pmin)), style = "plain"},
  }
  if level.gap > 0 and level.gap < huge then
    local needed = floor(g.V * g.m / level.gap ^ 2 + 0.5)
    parts[#parts + 1] = {format("V m/%s^2 = %s", glyphs.rho, count(needed)), style = "plain"}
  end
  if #level.missing > 0 then
    table.insert(parts, 1, {format("%d never first", #level.missing), style = "bad"})
  end
  local used = columns(line)
  for _, part in ipairs(parts) do
    if used + 2 + columns(part[1]) <= width then
      line[#line + 1] = "  "
      line[#line + 1] = part
      used = used + 2 + columns(part[1])
    end
  end
  return line
end

local function tuple_text(children)
  return "(" .. concat(children, " ") .. ")"
end

-- Rules in as many lines as they need, none wider than `room`.
local function rule_lines(list, room)
  local lines, line = {}, nil
  for _, children in ipairs(list) do
    local piece = tuple_text(children)
    if line and #line + 1 + #piece > room then
      lines[#lines + 1] = line
      line = piece
    else
      line = line and line .. " " .. piece or piece
    end
  end
  lines[#lines + 1] = line
  return lines
end

-- The entry of parent nu: a list of lines; `place` has the widths {name=, bars=, rules=}.
local function entry(g, facts, l, nu, q, place, options)
  local glyphs, level = options.glyphs, facts.check.levels[l]
  local _, arrow = names(l, glyphs)
  local near = level.nearest and (level.nearest[1] == nu or level.nearest[2] == nu)
  local row = q and q[nu]
  local missing = row and row[1] ~= row[1]
  local head = {{pad(tostring(nu), place.name, "right"), style = near and "warn" or missing and "bad" or "bold"}, " "}
  if place.p then
    head[#head + 1] = {pad(facts.first[l][nu] > 0 and number(facts.first[l][nu], 6) or "never", 6, "right") .. " ",
      style = missing and "bad" or "dim"}
  end
  if place.bars > 0 then
    head[#head + 1] = missing and {pad("no q", place.bars + 1, "left", ""), style = "bad"}
      or {bars(row, g.classes, place.bars, place.largest, glyphs) .. " ", style = "series1"}
  end
  local rules = facts.rules[l]
  if not rules then return {head} end
  head[#head + 1] = {arrow .. " ", style = "dim"}
  local lines, indent = {head}, columns(head)
  for k, line in ipairs(rule_lines(rules[nu], max(place.rules, 1))) do
    if k == 1 then head[#head + 1] = line else lines[#lines + 1] = rep(" ", indent) .. line end
  end
  return lines
end

-- How wide the parts of an entry are, and how many entries stand side by side.
local function places(g, facts, l, q, width)
  local parents = l == 1 and g.classes or g.V
  local rules = facts.rules[l]
  local place = {name = max(2, #tostring(parents)), bars = q and min(g.classes, 32, max(0, width // 4)) or 0,
    p = facts.first and width >= 60}
  local longest = 0
  if rules then
    for nu = 1, min(parents, MOST) do
      local n = -1
      for _, children in ipairs(rules[nu]) do n = n + #tuple_text(children) + 1 end
      longest = max(longest, n)
    end
  end
  local fixed = place.name + 1 + (place.p and 7 or 0) + (place.bars > 0 and place.bars + 1 or 0) + 3
  if width - fixed < 12 then -- too narrow for bars
    place.bars, place.p, fixed = 0, false, place.name + 4
  end
  place.rules = max(1, min(longest, width - fixed))
  place.wide = fixed + place.rules
  place.across = max(1, min(6, (width + 3) // (place.wide + 3)))
  return place
end

local function column_names(place, l, across)
  local name = l == 1 and "label" or "symbol"
  local one = pad(place.name >= #name and name or "", place.name, "right") .. " "
    .. (place.p and pad("first", 6, "right") .. " " or "")
    .. (place.bars > 0 and pad(format(place.bars >= 8 and "q to %s" or "q", number(place.largest, 5)), place.bars + 1,
      "left", "") or "") .. "  rules"
  one = pad(one, place.wide, "left", "")
  local list = {}
  for k = 1, across do list[k] = one end
  return {{concat(list, "   "), style = "dim"}}
end

local function level_lines(lines, g, facts, l, width, options)
  local q = q_of(facts, g, l)
  local parents = l == 1 and g.classes or g.V
  local shown = min(parents, MOST)
  local place = places(g, facts, l, q, width)
  place.largest = q and max(1e-300, largest_of(q, shown)) or 1
  lines[#lines + 1] = level_head(g, facts, l, width, options.glyphs)
  local across = min(place.across, shown)
  if width >= 40 then lines[#lines + 1] = column_names(place, l, across) end
  local down = (shown + across - 1) // across
  for r = 1, down do
    local entries, high = {}, 0
    for k = 1, across do
      local nu = (k - 1) * down + r
      entries[k] = nu <= shown and entry(g, facts, l, nu, q, place, options) or {}
      high = max(high, #entries[k])
    end
    for h = 1, high do
      local line, at = {}, 0
      for k = 1, across do
        local piece = entries[k][h]
        if piece then
          local from = (k - 1) * (place.wide + 3)
          line[#line + 1] = rep(" ", from - at)
          for _, segment in ipairs(type(piece) == "table" and piece or {piece}) do line[#line + 1] = segment end
          at = from + columns(piece)
        end
      end
      lines[#lines + 1] = line
    end
  end
  if shown < parents then
    lines[#lines + 1] = {{format("... (%d more %ss)", parents - shown, (names(l, options.glyphs))), style = "dim"}}
  end
end

-- --- the view -----------------------------------------------------------------------------------------------------

local function head_lines(g, facts, width, glyphs)
  local check = facts.check
  local sizes = format("(V, m, s, L) = (%d, %d, %s, %d), %d tokens a string, %d classes%s", g.V, g.m,
    branches.text(g.s), g.L, g.d, g.classes, g.seed and format(", seed %d", g.seed) or "")
  local verdict = format("Assumption 4.1 %s, K_rho = %s", check.ok and "holds" or "fails", number(check.K))
  local lines = {}
  for k, line in ipairs(text.wrap(sizes, max(10, width - 9))) do
    lines[k] = k == 1 and {{"grammar  ", style = "title"}, line} or rep(" ", 9) .. line
  end
  local mark, style = glyphs.bad, "bad"
  if check.ok then mark, style = glyphs.good, "good" end
  lines[#lines + 1] = {{mark .. " " .. verdict, style = style}}
  return lines
end

local function draw(g, width, _, options)
  local facts = facts_of(g)
  local lines = head_lines(g, facts, width, options.glyphs)
  local from, to, only = 1, g.L, options.only
  if only ~= nil then
    if math.type(only) ~= "integer" or only < 1 or only > g.L then
      error(format("view \"grammar\": only = %s: must be a level, 1 to %d (L)", tostring(only), g.L), 0)
    end
    from, to = only, only
  end
  for l = from, to do
    lines[#lines + 1] = ""
    level_lines(lines, g, facts, l, width, options)
  end
  return lines
end

return {
  draw = draw, subjects = {"grammar"}, scroll = true,
  summary = "rules, q, gaps and Assumption 4.1, level by level",
  options = {{"only", "this level alone (default: all)"}},
}
