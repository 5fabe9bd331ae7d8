-- random_features.lua - what the features must be like: their number M, the bandwidth sigma, their kind.
--
-- The paper asks that features of different patches be near-orthogonal (inner products below eps_O) and those of
-- synonyms nearly the same. With inputs at least rho~ apart the Gaussian kernel gives exp(-rho~^2/(2 sigma^2)), so
-- sigma^2 = rho~^2/(2 log(2/eps_O)) leaves eps_O/2, and M features add fluctuations of the order of 1/sqrt(M).
-- Lemma 4.2 is about inputs of synonyms that are eps_S apart: their features differ by sqrt(2 - 2 exp(-eps_S^2/
-- (2 sigma^2))) <= eps_S/sigma, so that, |q| being at most 1, a layer's outputs should differ by no more than
-- eps_S/sigma, to first order, and the noise of its own counts. That bound, eps_S/sigma + noise, is what the second
-- part measures, on chains that keep every output (codebook="exact"). f(x) = W x/(1^T W x) cancels what is common to
-- all components, so that much less should come out.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "random_features",
  summary = "Number, bandwidth and kind of the random features: inner products, accuracy, warnings, and how errors of "
    .. "the inputs grow through a layer.",
  theory = "inner products of different patches stay below eps_O where sigma^2 = rho~^2/(2 log(2/eps_O)) and "
    .. "M > 1/eps_O^2; inputs that differ by eps_S make outputs that differ by at most eps_S/sigma and the noise of "
    .. "the counts.",
  seeds = {full = 40, quick = 4, text = "Grammars."},
}

-- Warnings by their words.
local classes = {
  {"signal", "^signal"}, {"errors", "^error accumulation"}, {"sigma", "^sigma poor"}, {"few", "^M too small"},
  {"unseen", "^never trained"}, {"mixed", "lie in a cluster whose majority"}, {"cond", "^condition"},
}

local known = {}
local function learn(p, seed)
  local key = p.V .. " " .. seed -- the same grammars for all features
  known[key] = known[key] or experiment.grammars(p, seed * 1000000, 1)[1]
  local g, rho = known[key], math.huge
  for l = 2, p.L do rho = math.min(rho, g:gap(l)) end
  local net = rhm.network{
    grammar=g, M=p.M, features=p.features, eps_O=p.eps_O, sigma=p.sigma, codebook=p.codebook, linkage="average",
    seed=seed,
  }
  local r = net:train{ from=g, n=math.ceil(p.c * p.V * p.m / rho ^ 2), progress=false }
  local measures = {accuracy = r.accuracy, eps_O_measured = 0}
  for _, class in ipairs(classes) do measures["warns_" .. class[1]] = 0 end
  for l = p.L, 1, -1 do
    local D = net:layer(l):diagnostics()
    measures.eps_O_measured = math.max(measures.eps_O_measured, D.eps_O)
    for _, warning in ipairs(D.warnings) do
      for _, class in ipairs(classes) do
        if warning:find(class[2]) then measures["warns_" .. class[1]] = 1 end
      end
    end
    if p.codebook == "exact" and l < p.L then
      measures["in_" .. l], measures["out_" .. l] = D.eps_S_in, D.eps_S
      measures["bound_" .. l] = D.eps_S_in / D.sigma + D.noise
    end
  end
  return measures
end

local base = {V = 8, m = 4, s = 2, L = 3, c = 16, codebook = "centroid"}
local function with(more)
  local p = {}
  for _, t in ipairs{base, more} do
    for key, value in pairs(t) do p[key] = value end
  end
  return p
end

-- Part 1: accuracy, inner products and warnings.
local M = x.quick and {32, 128, 512} or {16, 32, 64, 128, 256, 512, 1024, 2048}
local eps = x.quick and {0.9, 0.1, 0.0001} or {0.9, 0.5, 0.1, 0.01, 0.0001, 1e-8}
local sigmas = x.quick and {0.01, 0.1, 1} or {0.003, 0.01, 0.03, 0.1, 0.3, 1, 3}
local wide, kinds, cells = M[#M], {"rbf", "orf"}, {}
for _, features in ipairs(kinds) do
  for _, count in ipairs(M) do
    for _, e in ipairs(eps) do cells[#cells + 1] = with{features = features, M = count, eps_O = e} end
  end
end
for _, count in ipairs(M) do cells[#cells + 1] = with{features = "relu", M = count} end
for _, sigma in ipairs(sigmas) do cells[#cells + 1] = with{features = "rbf", M = wide, sigma = sigma} end
local accuracy = x:sweep{ name="accuracy", parameters=cells, run=learn }

-- Part 2: errors that pass through a layer. Small grammars, whose every output can be kept.
cells = {}
for _, c in ipairs(x.quick and {4, 64} or {4, 16, 64, 256, 1024}) do
  for _, e in ipairs(x.quick and {0.1, 0.0001} or {0.9, 0.1, 0.01, 0.0001, 1e-8}) do
    cells[#cells + 1] = with{V = 4, m = 2, features = "rbf", M = 512, eps_O = e, c = c, codebook = "exact"}
  end
end
local growth = x:sweep{ name="growth", parameters=cells, run=learn }

local function median(rows, measure, which)
  return experiment.median(experiment.values(rows, measure, which))
end

local function row_of(name, which)
  local rows = accuracy.rows
  local row = {name, which.M, which.eps_O or which.sigma, median(rows, "eps_O_measured", which),
    experiment.mean(experiment.values(rows, "accuracy", which))}
  for _, class in ipairs(classes) do
    local share = experiment.mean(experiment.values(rows, "warns_" .. class[1], which))
    row[#row + 1] = share and share > 0 and ("%.2f"):format(share) or ""
  end
  return row
end

local function show_accuracy()
  local rows, head = {}, {"kind", "M", "eps_O", "measured", "accuracy"}
  for _, class in ipairs(classes) do head[#head + 1] = class[1] end
  for _, features in ipairs(kinds) do
    for _, count in ipairs(M) do
      rows[#rows + 1] = row_of(features, {features = features, M = count, eps_O = 0.1})
    end
  end
  for _, count in ipairs(M) do rows[#rows + 1] = row_of("relu", {features = "relu", M = count}) end
  for _, e in ipairs(eps) do rows[#rows + 1] = row_of("rbf", {features = "rbf", M = wide, eps_O = e}) end
  x:say("(V,m,s,L) = (8,4,2,3), N = 16 V m/rho^2 in each layer, %s. eps_O: wanted, and measured (the largest "
    .. "inner product of different patches in any layer, median); accuracy: mean; then the share of the chains that "
    .. "are warned of a signal too small, errors that accumulate, sigma, too few features, patches never trained, "
    .. "clusters that mix parents, the condition number", x.grammars)
  print ""
  x:table(head, rows, "%.3g")
  print ""
  rows = {}
  for _, sigma in ipairs(sigmas) do rows[#rows + 1] = row_of("rbf", {features = "rbf", M = wide, sigma = sigma}) end
  head[3] = "sigma"
  x:say("the same sigma in all layers:")
  x:table(head, rows, "%.3g")

  local series = {}
  for i, e in ipairs(eps) do
    series[i] = {x = {}, y = {}, label = ("eps_O = %g"):format(e)}
    for j, count in ipairs(M) do
      series[i].x[j] = count
      series[i].y[j] = median(accuracy.rows, "eps_O_measured", {features = "rbf", M = count, eps_O = e})
    end
  end
  x:plot({ series=series, log="xy", xlabel="M", ylabel="largest inner product", title="rbf features" }, "products")
  local matrix = {}
  for i, e in ipairs(eps) do
    matrix[i] = {}
    for j, count in ipairs(M) do
      local which = {features = "rbf", M = count, eps_O = e}
      matrix[i][j] = experiment.mean(experiment.values(accuracy.rows, "accuracy", which))
    end
  end
  x:plot({ matrix=matrix, xnames=M, ynames=eps, xlabel="M", ylabel="eps_O", zlabel="accuracy", zrange={ 0, 1 },
    title="accuracy, rbf features" }, "accuracy")
end

local function show_growth()
  local rows, series = {}, {}
  for i, l in ipairs{2, 1} do
    series[i] = {x = {}, y = {}, label = "level " .. l, kind = "points"}
    for _, p in ipairs(cells) do
      local which = {c = p.c, eps_O = p.eps_O}
      local into, out = median(growth.rows, "in_" .. l, which), median(growth.rows, "out_" .. l, which)
      local bound, over = median(growth.rows, "bound_" .. l, which), 0
      for _, row in ipairs(growth.rows) do
        if row.c == p.c and row.eps_O == p.eps_O and (row["out_" .. l] or 0) > (row["bound_" .. l] or math.huge) then
          over = over + 1
        end
      end
      rows[#rows + 1] = {l, p.c, p.eps_O, into, out, bound, out and into and out / into, out and out / bound, over}
      table.insert(series[i].x, bound)
      table.insert(series[i].y, out)
    end
  end
  local ends = {}
  for _, s in ipairs(series) do table.move(s.x, 1, #s.x, #ends + 1, ends) end
  local low, high = experiment.quantile(ends, 0), experiment.quantile(ends, 1)
  series[3] = {x = {low, high}, y = {low, high}, label = "the bound"}
  print ""
  x:say("(V,m,s,L) = (4,2,2,3), every output kept, M = 512, N = c V m/rho^2: eps_S of a layer's inputs and outputs, "
    .. "and the bound eps_S in/sigma + noise of the counts; medians over %s; over: chains beyond their bound",
    x.grammars)
  print ""
  x:table({"level", "c", "eps_O", "eps_S in", "eps_S out", "bound", "out/in", "out/bound", "over"}, rows, "%.3g")
  x:plot({ series=series, log="xy", xlabel="bound", ylabel="eps_S out", title="errors through a layer" }, "growth")
end

x:finish(function()
  show_accuracy()
  show_growth()
end)
