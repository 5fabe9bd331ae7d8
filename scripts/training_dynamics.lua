-- training_dynamics.lua - how synonyms fall together: distances within and between clusters, step by step.
--
-- The paper: with features that are orthogonal for different patches one step of gradient descent makes W x_mu
-- proportional to q_mu, so that synonyms meet after a single step and the clusters stand rho^(l) apart. Real features
-- leave inner products of the order of eps_O and 1/sqrt(M), patches are of unequal frequency, and further steps take
-- away what that mixes in. What stays within a cluster is the noise of the counts, sqrt(V m/N).
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "training_dynamics",
  summary = "Distances of the outputs within and between clusters of synonyms against the steps of gradient descent, "
    .. "layer by layer.",
  theory = "with orthogonal features synonyms fall together in one step and clusters stand rho^(l) apart; inner "
    .. "products of real features make more steps necessary. The noise of the counts stays.",
  seeds = {full = 100, quick = 10, text = "Grammars."},
  options = function(parser)
    parser:option("--shape", "V,m,s,L of the grammars.", "8,4,2,3"):argname "<V,m,s,L>":convert(function(text)
      local shape = {}
      for number in (text .. ","):gmatch "(%d+)," do shape[#shape + 1] = math.tointeger(tonumber(number)) end
      if #shape == 4 and text:match "^[%d,]+$" then return {V=shape[1], m=shape[2], s=shape[3], L=shape[4]} end
      return nil, "--shape " .. text .. ": must be four whole numbers, as 8,4,2,3"
    end)
    parser:option("--steps", "Steps of gradient descent for each layer.", "1000"):argname "<T>"
      :convert(experiment.whole("--steps", 1))
    parser:option("--c", "N^(l) = max(c V m/rho^(l)^2, 20000) samples.", "16"):argname "<c>"
      :convert(experiment.whole("--c", 1))
  end,
}
local shape = x.args.shape

-- One grammar: intra_l and inter_l are lists over the steps of step_l. separated_l: the first step from which on each
-- patch is nearer to all its synonyms than to any other; 0 where that never comes.
local function learn(p, seed)
  local g = experiment.grammars(p, seed * 1000000, 1)[1]
  local net = rhm.network{ grammar=g, M=p.M, linkage="average", seed=seed }
  local r = net:train{ from=g, n=g:schedule{ by="gap", c=p.c }, solver="gd", steps=p.steps, progress=false }
  local measures = {accuracy = r.accuracy}
  for l = 1, p.L do
    local h, separated = net:layer(l).history, 0
    for i = #h.step, 1, -1 do
      if h.inter[i] <= h.intra[i] then break end
      separated = h.step[i]
    end
    measures["step_" .. l], measures["intra_" .. l], measures["inter_" .. l] = h.step, h.intra, h.inter
    measures["separated_" .. l], measures["gap_" .. l] = separated, g:gap(l)
  end
  return measures
end

local r = x:sweep{ run=learn,
  parameters={ V=shape.V, m=shape.m, s=shape.s, L=shape.L, M=1024, c=x.args.c, steps=x.args.steps } }

-- Medians and quartiles over the grammars of a list at each step.
local function curve(name, l)
  local out, at = {x = {}, y = {}, low = {}, high = {}, label = name}, {}
  for _, row in ipairs(r.rows) do
    for i, step in ipairs(row["step_" .. l] or {}) do
      if not at[step] then
        at[step] = {}
        out.x[#out.x + 1] = step
      end
      table.insert(at[step], row[name .. "_" .. l][i])
    end
  end
  table.sort(out.x)
  for i, step in ipairs(out.x) do
    out.y[i] = experiment.median(at[step])
    out.low[i], out.high[i] = experiment.quantile(at[step], 0.25), experiment.quantile(at[step], 0.75)
  end
  return out
end

x:finish(function()
  x:say("(V,m,s,L) = (%d,%d,%d,%d), M = 1024, N^(l) = max(%d V m/rho^(l)^2, 20000); %d grammars, median accuracy %.4f",
    shape.V, shape.m, shape.s, shape.L, x.args.c, #r.rows, experiment.median(experiment.values(r.rows, "accuracy")))
  print ""
  local rows, plots = {}, {}
  for l = shape.L, 1, -1 do
    local intra, inter = curve("intra", l), curve("inter", l)
    local apart = {}
    for _, step in ipairs(experiment.values(r.rows, "separated_" .. l)) do
      if step > 0 then apart[#apart + 1] = step end
    end
    rows[#rows + 1] = {l, intra.y[1], inter.y[1], intra.y[#intra.y], inter.y[#inter.y],
      experiment.median(experiment.values(r.rows, "gap_" .. l)), ("%d of %d"):format(#apart, #r.rows),
      experiment.median(apart)}
    plots[#plots + 1] = {l, {intra, inter}}
  end
  x:table({"level", "intra(1)", "inter(1)", "intra(T)", "inter(T)", "rho", "separated", "at step"}, rows, "%.3g")
  print ""
  x:say("medians. intra: largest distance of the outputs of synonyms; inter: smallest of patches with different "
    .. "parents; (1) after one step, (T) after %d; rho: the exact distance; at step: from which on inter > intra, of "
    .. "those that come to it", x.args.steps)
  for _, plot in ipairs(plots) do
    x:plot({ series=plot[2], log="xy", xlabel="step", ylabel="distance", title="level " .. plot[1] },
      "level" .. plot[1])
  end
end)
