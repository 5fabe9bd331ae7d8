-- measures.lua - rhm.sensitivity: what the layers of a network ignore, and what they notice; rhm.correlation: what one
-- patch tells of the label (Cagnetta et al., PRX 2024).
local M = {}

local branches = require "rhm.branches"
local check = require "rhm.check"
local grid = require "rhm.grid"
local type, pcall, setmetatable = type, pcall, setmetatable
local next, ipairs = next, ipairs
local format, concat, find = string.format, table.concat, string.find
local sqrt, max = math.sqrt, math.max

-- Seeds of the strings start here, so that they are not the strings somebody trained with.
local SEEDS = 0x53 << 44

local sensitivity_text = {}

-- Rows from the layer next to the tokens up to the label, columns from the label's level down to the tokens'.
function sensitivity_text.__tostring(t)
  local rows = {{"layer"}}
  for l = 1, t.levels do rows[1][l + 1] = "level " .. l end
  for k = t.layers, 1, -1 do
    local row = {format("%d", k)}
    for l = 1, t.levels do row[l + 1] = format("%.4f", t[k][l]) end
    rows[#rows + 1] = row
  end
  return format("synonymic sensitivity of layers to levels, %d strings\n%s\n0: not noticed, 1: as another string", t.n,
    (grid(rows)))
end

local function outputs_of(where, of)
  if type(of) == "function" then return of end
  local ok, method = pcall(function() return of.outputs end)
  if ok and type(method) == "function" then return function(d, k) return of:outputs(d, k) end end
  check.fail(where, "of = %s: a network, an object with a method outputs(d, k), or a function(d, k) expected",
    check.show(of))
end

local function outputs(where, f, d, k)
  local m = f(d, k)
  if type(m) ~= "userdata" or not pcall(function() return m:square_distance(m) end) then
    check.fail(where, "the outputs of layer %d are %s: a matrix with a row for each string expected", k, check.show(m))
  end
  if m:rows() ~= #d then
    check.fail(where, "the outputs of layer %d have %d rows for %d strings", k, m:rows(), #d)
  end
  return m
end

-- S[k][l] = E|f_k(x) - f_k(P_l x)|^2 / E|f_k(x) - f_k(x')|^2, k = 1..layers, l = 1..L.
function M.sensitivity(t)
  local where = "rhm.sensitivity"
  check.keys(where, t, {"of", "grammar", "n", "seed", "layers"})
  if t.of == nil then check.fail(where, "'of' is missing: a network, or a function(d, k)") end
  local f, g = outputs_of(where, t.of), t.grammar
  if g == nil and type(t.of) ~= "function" then
    local ok, known = pcall(function() return t.of.grammar end)
    g = ok and known or nil
  end
  local ok, method = pcall(function() return g.resample end)
  if not ok or type(g) ~= "userdata" or not method then
    check.fail(where, "grammar = %s: the grammar whose synonyms are exchanged is needed", check.show(g))
  end
  local n = check.whole(where, t, "n", 1, 2 ^ 31, 1000)
  local seed = check.whole(where, t, "seed", 0, 2 ^ 40, 0)
  local own
  ok, own = pcall(function() return t.of.L end)
  local layers = check.whole(where, t, "layers", 1, 1000, ok and math.type(own) == "integer" and own or g.L)
  if g.token_noise > 0 then g = g:noisy{ token_noise=0 } end -- synonyms are those of clean strings
  local x, other = g:sample{ n=n, seed=SEEDS + 2 * seed }, g:sample{ n=n, seed=SEEDS + 2 * seed + 1 }
  local result = {n = n, seed = seed, layers = layers, levels = g.L}
  local here, scale = {}, {}
  for k = 1, layers do
    here[k] = outputs(where, f, x, k)
    scale[k] = here[k]:square_distance(outputs(where, f, other, k))
    result[k] = {}
  end
  for l = 1, g.L do
    local exchanged = g:resample(x, l, nil, "rules", seed)
    for k = 1, layers do
      result[k][l] = here[k]:square_distance(outputs(where, f, exchanged, k)) / scale[k]
    end
  end
  return setmetatable(result, sensitivity_text)
end

-- P[the symbol of level L-1 at `place` is nu], for each nu.
local function probabilities(g, place)
  local p = {}
  for nu = 1, g.classes do p[nu] = 1 / g.classes end
  for l = 1, g.L - 1 do
    local below, rules, weights, new = branches.product(g.s, l + 1, g.L - 1), g:rules(l), g:weights(l), {}
    local digit = (place - 1) // below % branches.at(g.s, l) + 1
    for nu = 1, g.V do new[nu] = 0 end
    for nu, list in ipairs(rules) do
      for k, children in ipairs(list) do
        local kappa = children[digit]
        new[kappa] = new[kappa] + p[nu] * weights[nu][k]
      end
    end
    p = new
  end
  return p
end

local function exact_correlation(g, place)
  local q, p, C, sum, label = g:q(g.L, place), probabilities(g, place), g.classes, 0, {}
  for c = 1, C do
    label[c] = 0
    for nu = 1, #p do label[c] = label[c] + (p[nu] > 0 and p[nu] * q[nu][c] or 0) end
  end
  for nu = 1, #p do
    for c = 1, p[nu] > 0 and C or 0 do sum = sum + p[nu] * (q[nu][c] - label[c]) ^ 2 end
  end
  return sqrt(sum / C), 0.0
end

-- sum_c (p_c - P_c)^2 of a patch seen N times is estimated by that of the counts less its noise (1 - sum p^2)/(N - 1).
local function counted_correlation(d, s, place)
  local C, n, labels, patches = d.classes, 0, {}, {}
  for c = 1, C do labels[c] = 0 end
  for i = 1, #d do
    local key, label = concat(d:tokens(i), " ", (place - 1) * s + 1, place * s), d:label(i)
    if label > 0 and not find(key, "%f[%d]0%f[%D]") then -- nothing of it is missing
      local patch = patches[key]
      if not patch then
        patch = {n = 0}
        patches[key] = patch
      end
      n, patch.n, patch[label], labels[label] = n + 1, patch.n + 1, (patch[label] or 0) + 1, labels[label] + 1
    end
  end
  local sum, noise, weight = 0, 0, 0
  for _, patch in next, patches do
    if patch.n > 1 then
      local square, own = 0, 0
      for c = 1, C do
        local p = (patch[c] or 0) / patch.n
        square, own = square + (p - labels[c] / n) ^ 2, own + p * p
      end
      local floor = (1 - own) / (patch.n - 1)
      sum, noise, weight = sum + patch.n * (square - floor), noise + patch.n * floor, weight + patch.n
    end
  end
  return sqrt(max(sum, 0) / weight / C), sqrt(noise / weight / C)
end

-- sqrt E (P[c | patch] - P[c])^2 over labels c and patches at a place of level L, and the noise of the estimate.
function M.correlation(t)
  local where = "rhm.correlation"
  check.keys(where, t, {"of", "s", "place"})
  local of, ok, g, d = t.of, nil, nil, nil
  ok, g = pcall(function() return of.q and of.s end)
  g = ok and type(of) == "userdata" and g and of or nil
  ok, d = pcall(function() return of.split and of.d end)
  d = ok and type(of) == "userdata" and not g and d and of or nil
  if not g and not d then check.fail(where, "of = %s: a grammar or a data set expected", check.show(of)) end
  local width = g and g.d or d.d
  local s = check.whole(where, t, "s", 1, width, g and branches.at(g.s, g.L) or nil)
  local own = g and branches.at(g.s, g.L)
  if g and s ~= own then check.fail(where, "s = %d: the grammar's patches have %d tokens", s, own) end
  if width % s ~= 0 then check.fail(where, "s = %d: does not divide the %d tokens of a string", s, width) end
  local place = check.whole(where, t, "place", 1, width // s, 1)
  if g and g.token_noise > 0 then
    check.fail(where, "token_noise = %g: patches are no rules, measure it on strings (of = g:sample{...})",
      g.token_noise)
  end
  if g then return exact_correlation(g, place) end
  return counted_correlation(d, s, place)
end

return M
