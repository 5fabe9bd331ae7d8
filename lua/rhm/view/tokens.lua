-- tokens.lua - what the codes of a trained layer stand for, down to the tokens: examples of strings, their number, and
-- the search for the patches that can derive some tokens.
local M = {}

local branches = require "rhm.branches"
local rows = require "rhm.view.rows"
local ipairs, pairs, setmetatable, sort = ipairs, pairs, setmetatable, table.sort
local concat, format = table.concat, string.format
local max = math.max

-- Strings longer than this are not searched.
M.most_tokens = 1024

-- --- codes --------------------------------------------------------------------------------------------------------

local function tuple_before(a, b)
  for j = 1, #a do
    if a[j] ~= b[j] then return a[j] < b[j] end
  end
  return false
end

-- The codes that a layer hands on: code -> {patches = its rows, the most frequent first, parent =, name =, unknown =}.
-- "centroid": a code a cluster; "exact" (and level 1): a code a known patch, in the order of their tuples; one more
-- stands for all unknown patches.
local function codes_of(data)
  if data.codes then return data.codes end
  local codes, last = {}, 0
  if data.codebook == "centroid" and data.level > 1 then
    for _, group in ipairs(data.groups) do
      if not group.unknown then
        local list = {}
        for i = group.first, group.last do list[#list + 1] = i end
        codes[group.number] = {patches = list, parent = group.parent, name = data:group_name(group, true)}
        last = max(last, group.number)
      end
    end
  else
    local order = {}
    for i = 1, data.U do
      if not data.patches[i].unknown then order[#order + 1] = i end
    end
    sort(order, function(a, b) return tuple_before(data.patches[a].tuple, data.patches[b].tuple) end)
    for c, i in ipairs(order) do
      local patch = data.patches[i]
      codes[c] = {patches = {i}, parent = patch.parent, name = data:group_name(data.groups[data.group_of[i]], true)}
      if patch.parent then codes[c].name = format("%d", patch.parent) end
    end
    last = #order
  end
  for _, code in ipairs(codes) do
    sort(code.patches, function(a, b)
      local x, y = data.patches[a].count, data.patches[b].count
      if x ~= y then return x > y end
      return a < b
    end)
  end
  local unknown = {patches = {}, unknown = true, name = "?"}
  for i = 1, data.U do
    if data.patches[i].unknown then unknown.patches[#unknown.patches + 1] = i end
  end
  codes[last + 1] = unknown
  data.codes = codes
  return codes
end

-- A patch that came after the training (exact codebook) has a code that no row of the layer knows.
local unseen = {patches = {}, unknown = true, name = "?"}

-- --- a layer and those it reads -----------------------------------------------------------------------------------

local Chain = {}
Chain.__index = Chain

-- The layers l .. L of a network as rows; nil and why where one is not there.
function M.chain(layer)
  local net = layer.network
  local chain = setmetatable({top = layer.level, L = net.L, s = net.s}, Chain)
  for l = net.L, layer.level, -1 do
    local data, why = rows.of(net:layer(l))
    if not data then return nil, why end
    chain[l] = data
  end
  return chain
end

-- Tokens under a patch of level l.
function Chain:span(l)
  return branches.product(self.s, l, self.L)
end

-- What code c in a tuple of level l (< L) stands for.
function Chain:code(l, c)
  return codes_of(self[l + 1])[c] or unseen
end

-- The tuple of patch i of level l as names of the symbols that its codes stand for: "(5 2)"; at level L the tokens.
function Chain:symbols(l, i)
  local tuple, names = self[l].patches[i].tuple, {}
  for j, c in ipairs(tuple) do names[j] = l == self.L and format("%d", c) or self:code(l, c).name end
  return "(" .. concat(names, " ") .. ")"
end

-- How many strings of tokens patch i of level l can stand for (0 where one of its codes is unknown).
function Chain:strings(l, i)
  if l == self.L then return 1 end
  local data = self[l]
  data.strings = data.strings or {}
  local known = data.strings[i]
  if known then return known end
  local n = 1
  for _, c in ipairs(data.patches[i].tuple) do
    local sum = 0
    for _, p in ipairs(self:code(l, c).patches) do sum = sum + self:strings(l + 1, p) end
    n = n * sum
  end
  data.strings[i] = n
  return n
end

-- Adds the k-th example of the tokens of patch i to a list: k counts through the patches of its codes, the most
-- frequent first. "?" stands for what is not known.
local function add_example(chain, l, i, k, out)
  for _, c in ipairs(chain[l].patches[i].tuple) do
    if l == chain.L then
      out[#out + 1] = c
    else
      local patches = chain:code(l, c).patches
      if #patches == 0 then
        for _ = 1, chain:span(l + 1) do out[#out + 1] = "?" end
      else
        add_example(chain, l + 1, patches[(k - 1) % #patches + 1], (k - 1) // #patches + 1, out)
        k = (k - 1) // #patches + 1
      end
    end
  end
end

-- The first `most` tokens of the k-th example of patch i of level l, as a text.
function Chain:example(l, i, k, most)
  local out = {}
  add_example(self, l, i, k or 1, out)
  if most and #out > most then return concat(out, " ", 1, most) .. " ...", #out end
  return concat(out, " "), #out
end

-- --- search -------------------------------------------------------------------------------------------------------

-- Which rows of level l can derive the tokens want[first .. first + span - 1], nil where any will do. All: true.
local function derive(chain, l, want, first, memo)
  local size = chain:span(l)
  local key, any = {l}, true
  for k = first, first + size - 1 do
    if want[k] then any = false end
    key[#key + 1] = want[k] or "."
  end
  if any then return true end
  key = concat(key, " ")
  if memo[key] then return memo[key] end
  local data, found, part = chain[l], {}, chain:span(l + 1)
  local sets = {} -- per child: codes (or tokens) that will do
  for j = 1, branches.at(chain.s, l) do
    if l == chain.L then
      sets[j] = want[first + j - 1] and {[want[first + j - 1]] = true} or true
    else
      local fine = derive(chain, l + 1, want, first + (j - 1) * part, memo)
      sets[j] = fine
      if fine ~= true then
        sets[j] = {}
        for c, code in ipairs(codes_of(chain[l + 1])) do
          for _, p in ipairs(code.patches) do
            if fine[p] then sets[j][c] = true break end
          end
        end
      end
    end
  end
  for i, patch in ipairs(data.patches) do
    local fits = true
    for j, c in ipairs(patch.tuple) do
      if sets[j] ~= true and not sets[j][c] then fits = false break end
    end
    if fits then found[i] = true end
  end
  memo[key] = found
  return found
end

-- tokens[1], tokens[2], ... wanted at place `at` on.
local function wanted(tokens, at)
  local want = {}
  for k, token in ipairs(tokens) do want[at + k - 1] = token end
  return want
end

-- The patches of the chain's top level whose strings can hold these tokens one after the other: row -> the first place
-- where they can stand; nil and why where the strings are too long.
function Chain:search(tokens)
  local length, found, memo = self:span(self.top), {}, {}
  if length > M.most_tokens then
    return nil, format("patches of %d tokens are too long to search (%d)", length, M.most_tokens)
  end
  for at = 1, length - #tokens + 1 do
    for i in pairs(derive(self, self.top, wanted(tokens, at), 1, memo)) do found[i] = found[i] or at end
  end
  return found
end

local function add_match(chain, l, i, want, first, memo, out)
  local part = chain:span(l + 1)
  for j, c in ipairs(chain[l].patches[i].tuple) do
    if l == chain.L then
      out[#out + 1] = c
    else
      local from, patches = first + (j - 1) * part, chain:code(l, c).patches
      local fine = derive(chain, l + 1, want, from, memo)
      local chosen = patches[1]
      for _, p in ipairs(patches) do
        if fine == true or fine[p] then chosen = p break end
      end
      if chosen then
        add_match(chain, l + 1, chosen, want, from, memo, out)
      else
        for _ = 1, part do out[#out + 1] = "?" end
      end
    end
  end
end

-- A string of patch i of the top level that has the tokens at place `at`, as search found it: a list.
function Chain:match(i, tokens, at)
  local out = {}
  add_match(self, self.top, i, wanted(tokens, at), 1, {}, out)
  return out
end

return M
