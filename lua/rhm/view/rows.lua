-- rows.lua - a layer as the views look at it: its patches and their q^ in Lua arrays, in groups of synonyms, with the
-- distances within and between them. One copy is kept for each state of a layer, so that a frame costs no more than
-- what it shows.
local M = {}

local subjects = require "rhm.view.subject"
local states = require "rhm.view.state"
local sqrt, huge, max, min, floor = math.sqrt, math.huge, math.max, math.min, math.floor
local ipairs, pairs, pcall, error, tostring, setmetatable = ipairs, pairs, pcall, error, tostring, setmetatable
local sort = table.sort
local format, gsub, find, concat = string.format, string.gsub, string.find, table.concat

-- Beyond these a picture of the layer would take seconds and hundreds of megabytes.
M.limits = {patches = 50000, numbers = 4e6}

-- Squares that the distances between patches may take, of a layer that stays and of one that changes with each frame.
M.limits.terms, M.limits.live = 3e6, 3e5

-- --- what is asked for --------------------------------------------------------------------------------------------

-- The layer that a subject means: itself, or that of a network at options.level or in work.
local function layer_of(subject, options)
  return subjects.find(subject, {"layer"}, options and options.level)
end

-- The error's text without who raised it: "layer 2 is in the midst of its closed form: ...".
local function plain(message)
  return (gsub(tostring(message), "^[%w_]+:[%w_]+: ", ""))
end
M.plain = plain

-- Calls f(...): true and what it returns, or false and the message; but Ctrl-C goes on to whoever waits for it.
function M.try(f, ...)
  local result = table.pack(pcall(f, ...))
  if not result[1] and find(tostring(result[2]), "interrupted", 1, true) then error(result[2], 0) end
  return table.unpack(result, 1, result.n)
end

-- --- reading ------------------------------------------------------------------------------------------------------

local function state_of(layer)
  return format("%s %s %s %s %s %s", layer.trained, layer.steps, layer.samples, layer.patch_count, layer.loss,
    layer.seconds)
end
M.state = state_of

-- Patches, q (at the first place) and what distances are made of, of one state: a training may go on in between.
local function read(layer)
  local state, patches, q, points
  for _ = 1, 5 do
    state = state_of(layer)
    patches, q = layer:patches(), layer:q()
    points = layer.places > 1 and layer:embedding() or q
    if state_of(layer) == state and #patches == #q and #q == #points then break end
  end
  return state, patches, q, points
end

-- While a layer is in training and no parent is known there is no order: the most probable label is one.
local function guess_order(patches, q, U, C)
  local top, order = {}, {}
  for i = 1, U do
    local row, best = q[i], 1
    for c = 2, C do if row[c] > row[best] then best = c end end
    top[i], order[i] = {best, row[best]}, i
  end
  sort(order, function(a, b)
    local x, y = top[a], top[b]
    if x[1] ~= y[1] then return x[1] < y[1] end
    if x[2] ~= y[2] then return x[2] > y[2] end
    return a < b
  end)
  local new = {}
  for place, i in ipairs(order) do
    new[place] = setmetatable({label = top[i][1]}, {__index = patches[i]})
  end
  return new, order
end

-- The parent that most samples of rows first..last have, as lay:synonyms() has it; ties go to the lowest.
local function majority(patches, first, last)
  local votes, best = {}, nil
  for i = first, last do
    local parent = patches[i].parent
    if parent then votes[parent] = (votes[parent] or 0) + patches[i].count end
  end
  for parent, n in pairs(votes) do
    if not best or n > votes[best] or (n == votes[best] and parent < best) then best = parent end
  end
  return best
end

local function group_key(data, patch)
  if data.by == "cluster" then return patch.cluster or 0 end
  if data.by == "parent" then return patch.parent or 0 end
  return patch.label
end

local function make_groups(data)
  local patches, groups, of, first = data.patches, {}, {}, 1
  while first <= data.U do
    local key, last = group_key(data, patches[first]), first
    while last < data.U and group_key(data, patches[last + 1]) == key do last = last + 1 end
    local group = {first = first, last = last, size = last - first + 1, count = 0, number = key}
    for i = first, last do
      group.count = group.count + patches[i].count
      of[i] = #groups + 1
    end
    if data.by == "cluster" then
      group.unknown = key == 0 or nil
      group.parent = key ~= 0 and majority(patches, first, last) or nil
    elseif data.by == "parent" then
      group.parent = key ~= 0 and key or nil
    end
    groups[#groups + 1] = group
    first = last + 1
  end
  data.groups, data.group_of = groups, of
end

local function find_misplaced(data)
  data.misplaced, data.misplaced_count = {}, 0
  if data.by ~= "cluster" or not data.truth then return end
  for i, patch in ipairs(data.patches) do
    local group = data.groups[data.group_of[i]]
    if not group.unknown and (not patch.parent or patch.parent ~= group.parent) then
      data.misplaced[i] = true
      data.misplaced_count = data.misplaced_count + 1
    end
  end
end

-- The points (q, where a layer learned from first patches) as one array, and sums over rows 1..i, from which the mean
-- square distance of two blocks comes at once:
-- mean |q_i - q_j|^2 = mean |q_i|^2 + mean |q_j|^2 - 2 mean q_i . mean q_j.
local function read_numbers(data, q)
  local U, C, flat, sums, squares = data.U, data.C, {}, {}, {[0] = 0}
  for c = 1, C do sums[c] = 0 end
  for i = 1, U do
    local row, at, square = q[data.row[i]], (i - 1) * C, 0
    for c = 1, C do
      local x = row[c]
      flat[at + c] = x
      sums[at + C + c] = sums[at + c] + x
      square = square + x * x
    end
    squares[i] = squares[i - 1] + square
  end
  data.q, data.sums, data.squares = flat, sums, squares
end

-- --- distances ----------------------------------------------------------------------------------------------------

local Data = {}
Data.__index = Data

-- |q^_i - q^_j|
function Data:distance(i, j)
  local q, C, sum = self.q, self.C, 0
  local a, b = (i - 1) * C, (j - 1) * C
  for c = 1, C do
    local difference = q[a + c] - q[b + c]
    sum = sum + difference * difference
  end
  return sqrt(sum)
end

-- Rows first..last as a block {first, last, square = mean |q|^2, mean q in [3] ...}.
function Data:block(first, last)
  local C, sums, n = self.C, self.sums, last - first + 1
  local block, a, b = {first, last}, last * C, (first - 1) * C
  for c = 1, C do block[c + 2] = (sums[a + c] - sums[b + c]) / n end
  block.square = (self.squares[last] - self.squares[first - 1]) / n
  return block
end

-- The root mean square distance of two blocks; pairs of a row with itself do not count.
function Data:block_distance(x, y)
  local i1, i2, j1, j2 = x[1], x[2], y[1], y[2]
  if i1 == i2 and j1 == j2 then return self:distance(i1, j1) end
  local dot = 0
  for c = 3, self.C + 2 do dot = dot + x[c] * y[c] end
  local mean, same = x.square + y.square - 2 * dot, min(i2, j2) - max(i1, j1) + 1
  if same > 0 then
    local all = (i2 - i1 + 1) * (j2 - j1 + 1)
    mean = mean * all / (all - same)
  end
  return sqrt(max(0, mean))
end

local function has_q(data, i)
  return not data.patches[i].unknown
end

-- Centre (mean of the known rows) of each group, and each row's distance to its own.
local function measure_groups(data)
  local C, radius = data.C, {}
  for _, group in ipairs(data.groups) do
    local centre, n = {}, 0
    for c = 1, C do centre[c] = 0 end
    for i = group.first, group.last do
      if has_q(data, i) then
        n = n + 1
        for c = 1, C do centre[c] = centre[c] + data.q[(i - 1) * C + c] end
      end
    end
    for c = 1, C do centre[c] = centre[c] / max(1, n) end
    group.centre, group.known, group.radius = centre, n, 0
    for i = group.first, group.last do
      local sum = 0
      for c = 1, C do sum = sum + (data.q[(i - 1) * C + c] - centre[c]) ^ 2 end
      radius[i] = sqrt(sum)
      if has_q(data, i) then group.radius = max(group.radius, radius[i]) end
    end
  end
  return radius
end

local function centre_distance(a, b)
  local sum = 0
  for c, x in ipairs(a.centre) do sum = sum + (x - b.centre[c]) ^ 2 end
  return sqrt(sum)
end

-- The farthest two rows of a group: by the triangle inequality only rows far from the centre can be.
local function widest_of(data, group, radius, budget)
  local list = {}
  for i = group.first, group.last do if has_q(data, i) then list[#list + 1] = i end end
  sort(list, function(i, j) if radius[i] ~= radius[j] then return radius[i] > radius[j] end return i < j end)
  local best, pair = -1, nil
  for x = 1, #list - 1 do
    local i = list[x]
    if 2 * radius[i] <= best then break end
    for y = x + 1, #list do
      local j = list[y]
      if radius[i] + radius[j] <= best then break end
      if budget.left <= 0 then budget.short = true return best, pair end
      budget.left = budget.left - data.C
      local d = data:distance(i, j)
      if d > best then best, pair = d, {min(i, j), max(i, j)} end
    end
  end
  return best, pair
end

-- The nearest two rows of two groups, where they are nearer than `best`.
local function nearest_of(data, a, b, best, budget)
  local pair
  for i = a.first, a.last do
    if has_q(data, i) then
      local sum, at = 0, (i - 1) * data.C
      for c, x in ipairs(b.centre) do sum = sum + (data.q[at + c] - x) ^ 2 end
      if sqrt(sum) - b.radius < best then
        for j = b.first, b.last do
          if budget.left <= 0 then budget.short = true return best, pair end
          budget.left = budget.left - data.C
          if has_q(data, j) then
            local d = data:distance(i, j)
            if d < best then best, pair = d, {min(i, j), max(i, j)} end
          end
        end
      end
    end
  end
  return best, pair
end

-- Pairs of groups whose rows could be the nearest ones, in order of the least distance they could have. Where there are
-- too many groups each is compared with every stride-th other.
local function group_pairs(data, budget)
  local groups, list, upper = {}, {}, huge
  for _, group in ipairs(data.groups) do if group.known > 0 then groups[#groups + 1] = group end end
  local stride = max(1, math.ceil(#groups * #groups / 2 * data.C / (4 * data.terms)))
  if stride > 1 then budget.short = true end
  for y = 2, #groups do
    local a = groups[y]
    for x = 1 + (y % stride), y - 1, stride do
      local b = groups[x]
      local d = centre_distance(a, b)
      if d < (a.nearest or huge) then a.nearest, a.neighbour = d, b end
      if d < (b.nearest or huge) then b.nearest, b.neighbour = d, a end
      a.farthest, b.farthest = max(a.farthest or 0, d), max(b.farthest or 0, d)
      local radii = a.radius + b.radius
      upper = min(upper, d + radii)
      if d - radii <= upper then list[#list + 1] = {b, a, d - radii} end
    end
  end
  local kept = {}
  for _, p in ipairs(list) do if p[3] <= upper then kept[#kept + 1] = p end end
  sort(kept, function(p, q)
    if p[3] ~= q[3] then return p[3] < q[3] end
    if p[1].first ~= q[1].first then return p[1].first < q[1].first end
    return p[2].first < q[2].first
  end)
  return kept
end

-- .within = {pairs=, largest=, pair={i,j}}, .between = {pairs=, smallest=, pair={i,j}}, .exact: false where there were
-- too many pairs to look at all that matter. Groups get .widest and, of centres, .nearest, .neighbour, .farthest.
function Data:statistics()
  if self.stats then return self.stats end
  local radius = measure_groups(self)
  local within, between, known = {pairs = 0, largest = nil}, {pairs = 0, smallest = nil}, 0
  local budget = {left = self.terms}
  for _, group in ipairs(self.groups) do
    known = known + group.known
    within.pairs = within.pairs + group.known * (group.known - 1) // 2
    local d, pair = widest_of(self, group, radius, budget)
    group.widest = pair and d or nil
    if pair and d > (within.largest or -1) then within.largest, within.pair = d, pair end
  end
  between.pairs = known * (known - 1) // 2 - within.pairs
  budget.left = self.terms
  local best = huge
  for _, p in ipairs(group_pairs(self, budget)) do
    if p[3] >= best then break end
    local d, pair = nearest_of(self, p[1], p[2], best, budget)
    if pair then best, between.pair, between.smallest = d, pair, d end
    if budget.short then break end
  end
  self.radius = radius
  self.stats = {within = within, between = between, exact = not budget.short}
  return self.stats
end

-- Every `stride`-th known row, so that pairs of them are few enough.
local function thin(rows, most)
  local stride = max(1, (#rows + most - 1) // most)
  if stride == 1 then return rows, 1 end
  local list = {}
  for x = 1, #rows, stride do list[#list + 1] = rows[x] end
  return list, stride
end

-- The distances themselves, within and between groups, as two lists; of a part of the rows where there are too many
-- pairs: .within_stride, .between_stride > 1.
function Data:pairs()
  if self.lists then return self.lists end
  local within, between, all, C = {}, {}, {}, self.C
  local budget, within_stride = self.terms / C / 2, 1
  local total = 0
  for _, group in ipairs(self.groups) do total = total + group.size * (group.size - 1) // 2 end
  local each = total <= budget and self.U or max(2, floor(sqrt(2 * budget / #self.groups)))
  for _, group in ipairs(self.groups) do
    local rows = {}
    for i = group.first, group.last do if has_q(self, i) then rows[#rows + 1] = i end end
    for _, i in ipairs(rows) do all[#all + 1] = i end
    local stride
    rows, stride = thin(rows, each)
    within_stride = max(within_stride, stride)
    for y = 2, #rows do
      for x = 1, y - 1 do within[#within + 1] = self:distance(rows[x], rows[y]) end
    end
  end
  local rows, between_stride = thin(all, floor(sqrt(2 * budget)))
  local of = self.group_of
  for y = 2, #rows do
    local j = rows[y]
    local group = of[j]
    for x = 1, y - 1 do
      local i = rows[x]
      if of[i] ~= group then between[#between + 1] = self:distance(i, j) end
    end
  end
  self.lists = {within = within, between = between, within_stride = within_stride, between_stride = between_stride}
  return self.lists
end

-- "symbol 6", "label 2", "cluster 3": what stands for group k; short: "6", "c3".
function Data:group_name(group, short)
  if group.unknown then return short and "?" or "unknown" end
  if group.parent then
    if short then return format("%d", group.parent) end
    return format("%s %d", self.level == 1 and "label" or "symbol", group.parent)
  end
  if self.by == "label" then return short and format("%d", group.number) or format("label %d", group.number) end
  if self.by == "parent" then return short and "-" or "no parent" end
  return short and format("c%d", group.number) or format("cluster %d", group.number)
end

-- "(1 3)"
function Data:tuple(i)
  return "(" .. concat(self.patches[i].tuple, " ") .. ")"
end

-- q^ of row i as small bars, class by class, the largest number of the layer a full one; of the first `most` classes.
function Data:bars(i, glyphs, most)
  local q, row = self.shown, self.row
  if not self.largest then
    self.largest = 0
    for k = 1, self.U do
      if not self.patches[k].unknown then
        for c = 1, self.classes do self.largest = max(self.largest, min(1, q[row[k]][c])) end
      end
    end
  end
  local spark, out = glyphs.spark, {}
  for c = 1, min(self.classes, most or self.classes) do
    local x = min(1, q[row[i]][c]) / max(self.largest, 1e-300)
    out[c] = x < 0.5 / #spark and (glyphs.ascii and " " or glyphs.dot) or spark[min(#spark, floor(x * #spark + 0.5))]
  end
  return concat(out) .. (self.classes > #out and glyphs.ellipsis or "")
end

-- --- the cache ----------------------------------------------------------------------------------------------------

local cache = setmetatable({}, {__mode = "k"}) -- network -> level -> data

local function build(layer, state, patches, q, points)
  local net = layer.network
  local data = setmetatable({level = layer.level, L = net.L, state = state, U = #patches,
    C = points:cols(), classes = q:cols(), shown = q, patches = patches, trained = layer.trained,
    steps = layer.steps, samples = layer.samples,
    codebook = net.codebook, truth = net.grammar ~= nil}, Data)
  data.row = setmetatable({}, {__index = function(_, i) return i end}) -- as lay:patches() has them
  data.terms = data.trained and M.limits.terms or M.limits.live
  data.by = data.trained and "cluster" or data.truth and "parent" or "label"
  if data.by == "label" then data.patches, data.row = guess_order(patches, q, data.U, data.classes) end
  read_numbers(data, points)
  make_groups(data)
  find_misplaced(data)
  return data
end

local function too_large(layer)
  local U, C = layer.patch_count, layer.network.classes
  if U > M.limits.patches or U * C > M.limits.numbers then
    return format("layer %d has %d distinct patches of %d classes, too many for a picture (%d, or %.0e numbers): "
      .. "lay:diagnostics() sums them up", layer.level, U, C, M.limits.patches, M.limits.numbers)
  end
end

-- Why a layer has no q^ yet, and what brings them.
local function nothing_yet(layer)
  local l, net = layer.level, layer.network
  local name = format("layer %d of %d ", l, net.L)
  local s = states.network(net)
  if not s.progress or not states.is_active(s.state) then
    return name .. "is not trained yet: net:train{ from=g }, or by hand lay:begin{ from=g }, lay:step()"
  elseif s.level == l then
    local row = s.rows[l]
    return name .. format("is in training (%s): its q^ come with %s", row.phase or row.state,
      row.steps and "the first step" or "its end")
  elseif s.level then
    return name .. format("waits for its turn: layer %d is in training", s.level)
  end
  return name .. "waits for its turn: the training is " .. s.state
end

-- The rows of the layer that `subject` means, or nil and why there are none.
function M.of(subject, options)
  local layer, why = layer_of(subject, options)
  if not layer then return nil, why end
  if not layer.samples then return nil, nothing_yet(layer) end
  local net = layer.network
  cache[net] = cache[net] or {}
  local old = cache[net][layer.level]
  if old and old.state == state_of(layer) then return old end
  why = too_large(layer)
  if why then return nil, why end
  local ok, state, patches, q, points = M.try(read, layer)
  if not ok then return nil, plain(state) end
  if #patches == 0 then return nil, format("layer %d has seen no patches", layer.level) end
  local data = build(layer, state, patches, q, points)
  cache[net][layer.level] = data
  return data
end

return M
