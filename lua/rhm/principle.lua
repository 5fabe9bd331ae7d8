-- principle.lua - rhm.principle: do the three conditions of shallow-to-deep chaining hold for a source? What is
-- measured and with what statistics is told in src/engine/structure/principle.h; here are the verdicts and the report.
local M = {}

local check = require "rhm.check"
local grid = require "rhm.grid"
local help = require "rhm.help"
local measure = require "rhm.principle.measure"
local printer = require "rhm.print"
local ipairs, setmetatable, type = ipairs, setmetatable, type
local format, concat = string.format, table.concat
local ceil, floor, log, huge, max, min, tointeger = math.ceil, math.floor, math.log, math.huge, math.max, math.min,
  math.tointeger

local where = "rhm.principle"
local keys = {"n", "seed", "s", "L", "place", "capacity", "confidence", "features", "grammar", "M"}

-- A layer's outputs are clean where this share of what it learned holds for other strings, and no more than this share
-- of their variance tells synonyms apart.
M.least_clean, M.most_leak = 0.5, 0.5

local LEAST, MOST, BY_LUA = 100000, 1000000, 20000 -- strings drawn

-- --- the strings --------------------------------------------------------------------------------------------------

-- What the smallest gap there is asks for (V m/rho^2, 16 times; a gate of two inputs counts as m = 2), within limits.
local function enough(source, kind)
  if kind == "source" then return BY_LUA end
  local gap = huge
  for l = 1, source.L do
    local g = source:gap(l)
    if g > 1e-9 then gap = min(gap, g) end
  end
  local m = kind == "grammar" and source.m or 2 ^ (source.s - 1)
  return tointeger(ceil(max(LEAST, min(MOST, gap < huge and 16 * source.V * m / gap ^ 2 or 0))))
end

local function strings_of(source, kind, t)
  if kind ~= "dataset" then
    local n = check.whole(where, t, "n", 4, 2 ^ 53, enough(source, kind))
    return source:sample{ n=n, seed=check.whole(where, t, "seed", 0, 2 ^ 53, 0) }
  end
  if t.n ~= nil then
    check.fail(where, "n = %s: a data set gives all its strings; n is for strings that are drawn", check.show(t.n))
  end
  return source
end

-- s and L of a tree of which nobody knows the symbols; s may be a list, one number for each level.
local function sizes_of(source, t, d)
  local list = t.s == nil and source.s or t.s
  if type(list) == "table" then
    local product = 1
    for l = 1, #list do product = product * check.whole(where, list, l, 2, max(d, 2)) end
    if product ~= d or #list == 0 then
      check.fail(where, "s = {%s}: the product is %d, but the strings have %d tokens", concat(list, ", "), product, d)
    end
    if t.L ~= nil and t.L ~= #list then check.fail(where, "L = %s: s has %d numbers", check.show(t.L), #list) end
    return list, #list
  end
  if t.s == nil and not source.s then check.fail(where, "'s' is missing: the tokens of a patch (d = %d = s^L)", d) end
  local s = check.whole(where, t, "s", 2, max(d, 2), source.s)
  local L, length = 0, 1
  while length < d do L, length = L + 1, length * s end
  if length ~= d then check.fail(where, "s = %d: the %d tokens of a string are no power of it", s, d) end
  if t.L ~= nil and check.whole(where, t, "L", 1, 62) ~= L then
    check.fail(where, "L = %d: s^L = %d^%d, but the strings have %d tokens", t.L, s, t.L, d)
  end
  return s, L
end

local function features_of(t, truth)
  local features = t.features or (truth and "true" or "learned")
  if features ~= "true" and features ~= "learned" then
    check.fail(where, "features = %s: must be \"true\" or \"learned\"", check.show(features))
  end
  if features == "true" and not truth then
    check.fail(where, "features = \"true\": nobody knows the symbols of these strings (token noise hides them, too): "
      .. "leave it out, or give grammar = g")
  end
  return features
end

-- --- verdicts -----------------------------------------------------------------------------------------------------

-- What is to be said of a level: holds[1..3] true or false, nil where there is nothing to judge.
local function judge(r, l)
  local v = r.levels[l]
  local layer = v.layers[min(r.capacity, l - 1) + 1]
  v.layer = layer
  local c, gap = v.correlation, v.gap
  local complete = r.learned or #v.unseen == 0
  v.holds = {correlation = c ~= nil and c.low > 0, gap = gap ~= nil and gap.low > 0 and complete}
  if v.holds.correlation and layer.clean then
    v.holds.clean = layer.clean.low >= M.least_clean and (layer.leak or 0) <= M.most_leak
  end
end

local names = {"correlation", "clean", "gap"}

-- Learned symbols are those of a chain that goes from level L down: below a level where it fails they mean nothing.
local function conclude(r)
  local L, reached = #r.levels, true
  for _, name in ipairs(names) do r[name] = true end
  for l = L, 1, -1 do
    judge(r, l)
    local v = r.levels[l]
    v.reached = reached
    if reached then
      for _, name in ipairs(names) do
        if v.holds[name] == false then r[name] = false end
      end
      if r.learned and not (v.holds.correlation and v.holds.gap) then reached = false end
    end
  end
  local signal = false
  for _, v in ipairs(r.levels) do signal = signal or v.reached and v.holds.clean ~= nil end
  if not signal then r.clean = nil end -- nothing to judge
  r.ok = r.correlation and r.gap and r.clean == true
end

-- --- words --------------------------------------------------------------------------------------------------------

local function number(x, digits)
  return not x and "-" or x == huge and "inf" or format("%." .. (digits or 3) .. "g", x)
end

-- "level 3", "levels 3 and 2", of those that satisfy `is`, from L down.
local function levels_where(r, is)
  local list = {}
  for l = #r.levels, 1, -1 do
    if r.levels[l].reached and is(r.levels[l], l) then list[#list + 1] = l end
  end
  if #list == 0 then return nil, list end
  local head = concat(list, ", ", 1, max(1, #list - 1))
  return (#list == 1 and "level " or "levels ") .. (#list == 1 and head or head .. " and " .. list[#list]), list
end

local function largest(r, list, value)
  local most = 0
  for _, l in ipairs(list) do most = max(most, value(r.levels[l])) end
  return most
end

-- What the law itself says of what the strings do not show: " (exactly 0)", or that more would.
local function exactly(r, list, value)
  local most = 0
  for _, l in ipairs(list) do
    local x = value(r.levels[l])
    if not x then return "" end
    most = max(most, x)
  end
  return most < 1e-9 and " (exactly 0)" or format(" (exactly %s, more strings would show it)", number(most))
end

local function say_correlation(r)
  local which, list = levels_where(r, function(v) return not v.holds.correlation end)
  if not which then return "holds: the patch tells something of the label at every level" end
  return format("fails at %s: with these strings no correlation is seen, it is %s at most%s: a layer has nothing to "
    .. "learn from",
    which, number(largest(r, list, function(v) return v.correlation and v.correlation.high or 0 end)),
    exactly(r, list, function(v) return v.exact_correlation end))
end

-- At how many strings a layer that sees its own patch alone would be clean: its noise falls as 1/n.
local function needed(r, v)
  local signal, noise = (v.layer.fit + v.layer.held) / 2, (v.layer.fit - v.layer.held) / 2
  if not (signal > 0) then return nil end
  local share = (1 - M.least_clean) / (1 + M.least_clean)
  return r.n * noise / (share * signal)
end

-- To one digit: 3000, 2e+07.
local function rounded(n)
  local unit = 10 ^ floor(log(n, 10))
  n = ceil(n / unit) * unit
  return n < 1e7 and format("%d", tointeger(n)) or format("%.0e", n)
end

local function say_clean(r)
  local none = levels_where(r, function(v) return v.holds.clean == nil end)
  local rest = none and format("; no signal to judge at %s", none) or ""
  if r.clean == nil then return "cannot be judged: there is no signal" end
  local spoiled, list = levels_where(r, function(v)
    return v.holds.clean == false and v.layer.clean.low < M.least_clean
  end)
  local mixed, others = levels_where(r, function(v, l)
    return v.holds.clean == false and v.layer.clean.low >= M.least_clean
  end)
  if r.clean then
    local least = 1
    for _, v in ipairs(r.levels) do
      if v.reached and v.holds.clean then least = min(least, v.layer.clean.value) end
    end
    return format("holds: of what a layer learns from its strings %s holds for others, and synonyms have nearly the "
      .. "same outputs%s", least >= 1 and "all" or format("%.0f %% or more", floor(100 * least)), rest)
  end
  local parts = {}
  if spoiled then
    local worst = r.levels[list[1]]
    for _, l in ipairs(list) do
      if r.levels[l].layer.clean.value < worst.layer.clean.value then worst = r.levels[l] end
    end
    local n = r.capacity == 0 and needed(r, worst)
    parts[1] = format("fails at %s: of what the layer learns from its strings only %.0f %% holds for others (%.0f to "
      .. "%.0f), the rest is overfitted%s", spoiled, 100 * max(0, worst.layer.clean.value),
      100 * max(0, worst.layer.clean.low),
      100 * max(0, worst.layer.clean.high), n and n > r.n and format(" (about %s strings would do)", rounded(n)) or "")
  end
  if mixed then
    parts[#parts + 1] = format("%s at %s: the outputs depend on more than the patch, %.0f %% of their variance tells "
      .. "synonyms apart", spoiled and "and" or "fails", mixed,
      100 * largest(r, others, function(v) return v.layer.leak or 0 end))
  end
  return concat(parts, "; ") .. rest
end

local function say_gap(r)
  local which, list = levels_where(r, function(v) return not v.holds.gap end)
  if not which then
    return r.learned and "holds: the clusters of each level differ on strings that did not make them"
      or "holds: the symbols of each level have different q"
  end
  local parts = {}
  for _, l in ipairs(list) do
    local v = r.levels[l]
    local one = #v.unseen == 1
    if v.seen < 2 then
      parts[#parts + 1] = format("level %d: only %d %s is there", l, v.seen, r.learned and "cluster" or "symbol")
    elseif not r.learned and #v.unseen > 0 then
      parts[#parts + 1] = format("level %d: %s %s never %s at this place", l, one and "symbol" or "symbols",
        concat(v.unseen, ", ", 1, min(8, #v.unseen)) .. (#v.unseen > 8 and ", ..." or ""), one and "stands" or "stand")
    else
      local pairs_ = v.seen * (v.seen - 1) // 2
      local exact, kind = exactly(r, {l}, function(w) return w.exact_gap end), r.learned and "clusters" or "symbols"
      parts[#parts + 1] = pairs_ == 1 and format("level %d: the two %s cannot be told apart, their q are at most %s "
        .. "apart%s",
        l, kind, number(v.gap.high), exact)
        or format("level %d: %d of %d pairs of %s cannot be told apart, the q of the nearest are at most %s apart%s", l,
          v.unresolved, pairs_, kind, number(v.gap.high), exact)
    end
  end
  return "fails at " .. concat(parts, "; ")
end

local function say_all(r)
  local L = #r.levels
  if r.ok then
    return format("all three conditions hold with %d strings: a chain of layers can learn this, from level %d down",
      r.n, L)
  end
  local failed = {}
  for i, name in ipairs(names) do if r[name] == false then failed[#failed + 1] = ({"(i)", "(ii)", "(iii)"})[i] end end
  local lowest = L
  while lowest > 1 and r.levels[lowest].reached and r.levels[lowest].holds.correlation and r.levels[lowest].holds.gap
    and r.levels[lowest].holds.clean ~= false do lowest = lowest - 1 end
  local text = #failed == 3 and "(i), (ii) and (iii)" or concat(failed, " and ")
  return format("%s fail%s: with %d strings a chain of layers gets stuck at level %d", text, #failed == 1 and "s" or "",
    r.n, lowest)
end

-- --- the report ---------------------------------------------------------------------------------------------------

local function bounds(x)
  return x and format("%s to %s", number(x.low), number(x.high)) or "-"
end

local Report = {}

function Report.__tostring(r)
  local width, percent = printer.width(), format("%g %%", 100 * r.confidence)
  local function wrap(text) return (printer.wrap(text, width)) end
  local one, two, three = {{"level", "patches", "correlation", percent, "exact"}},
    {{"level", "fit", "held", "clean", percent, "leak"}}, {{"level", "symbols", "gap", percent, "exact", "nearest"}}
  for l = 1, #r.levels - 1 do two[1][6 + l] = "k = " .. l end
  for l = #r.levels, 1, -1 do
    local v = r.levels[l]
    local level = format(v.reached and "%d" or "(%d)", l)
    one[#one + 1] = {level, format("%d", v.patches), number(v.correlation and v.correlation.value),
      bounds(v.correlation), number(v.exact_correlation)}
    local layer = v.layer
    local row = {level, number(layer.fit), number(layer.held), v.holds.clean ~= nil and number(layer.clean.value)
      or "-",
      v.holds.clean ~= nil and bounds(layer.clean) or "-", number(layer.leak)}
    for k = 1, l - 1 do
      local wide = v.layers[k + 1]
      row[6 + k] = wide.clean and number(max(wide.clean.value, 0), 2) or "-"
    end
    two[#two + 1] = row
    three[#three + 1] = {level, format("%d of %d", v.seen, v.parents), number(v.gap and v.gap.value), bounds(v.gap),
      number(v.exact_gap), v.nearest and format("%d, %d", v.nearest[1], v.nearest[2]) or "-"}
  end
  local lines = {
    wrap(format("principle of shallow-to-deep chaining: %s, %s symbols, %d strings in halves of %d and %d, patch %d",
      r.of, r.learned and "learned" or "true", r.n, r.n_A, r.n_B, r.place)),
    wrap("(i) correlation with the label " .. say_correlation(r)), (grid(one)),
    wrap(format("(ii) clean signal, layers of capacity %d: %s", r.capacity, say_clean(r))), (grid(two)),
    wrap("(iii) identifiability " .. say_gap(r)), (grid(three)),
  }
  local unreached = {}
  for l = #r.levels, 1, -1 do if not r.levels[l].reached then unreached[#unreached + 1] = l end end
  if #unreached > 0 then
    lines[#lines + 1] = wrap("(level): not reached, its symbols are those of a chain that failed above")
  end
  lines[#lines + 1] = wrap(r.verdict)
  return concat(lines, "\n")
end

-- --- all of it ----------------------------------------------------------------------------------------------------

function M.principle(source, t)
  t = t or {}
  check.keys(where, t, keys)
  local kind = help.object_of(source)
  if kind ~= "grammar" and kind ~= "formula" and kind ~= "source" and kind ~= "dataset" then
    check.fail(where, "%s: a grammar, a formula, a source or a data set expected", check.show(source))
  end
  if t.grammar ~= nil and (kind ~= "dataset" or help.object_of(t.grammar) ~= "grammar") then
    check.fail(where, kind ~= "dataset" and "grammar: is for a data set whose grammar is known"
      or "grammar = %s: must be a grammar",
      check.show(t.grammar))
  end
  local shape = t.grammar or source
  local truth = (t.grammar or kind == "grammar" or kind == "formula") and shape or nil
  if truth and help.object_of(truth) == "grammar" and truth.token_noise > 0 then truth = nil end -- no string shows them
  local features = features_of(t, truth)
  local confidence = check.number(where, t, "confidence", 0.5, 0.999999, 0.95)
  local data = strings_of(source, kind, t)
  local s, L = nil, truth and truth.L
  if shape.s and (t.s or t.L) then check.fail(where, "s and L: the %s has its own", help.object_of(shape)) end
  if not truth then s, L = sizes_of(shape, t, data.d) end
  if features == "learned" then s = s or truth.s end
  local r = measure{ data=data, grammar=features == "true" and help.object_of(truth) == "grammar" and truth or nil,
    formula=features == "true" and help.object_of(truth) == "formula" and truth or nil, s=s, L=L,
    place=check.whole(where, t, "place", 1, 2 ^ 53, 1), confidence=confidence,
    seed=check.whole(where, t, "seed", 0, 2 ^ 53, 0), M=check.whole(where, t, "M", 2, 2 ^ 20, 1024) }
  r.of, r.confidence, r.place = kind == "dataset" and "data set" or kind, confidence, t.place or 1
  r.capacity = check.whole(where, t, "capacity", 0, 62, 0)
  r.learned = features == "learned"
  conclude(r)
  r.verdict = say_all(r)
  if kind == "formula" and source.gates:find "," then
    r.verdict = r.verdict .. "; but gates of a level differ from place to place, and a chain uses each layer at all "
      .. "places"
  end
  return setmetatable(r, Report)
end

return M
