-- measures.lua - rhm.sensitivity: what the layers of a network ignore, and what they notice (PRX 2024).
local M = {}

local check = require "rhm.check"
local report = require "rhm.report"
local type, pcall, setmetatable = type, pcall, setmetatable
local format = string.format

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
    (report.grid(rows)))
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
  local layers = check.whole(where, t, "layers", 1, 1000, g.L)
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

return M
