-- end_to_end.lua - layer by layer against end to end: the chain on first patches, on all patches, and a CNN, on the
-- same strings: accuracy, time, and what each layer still notices of an exchange of synonyms.
--
-- S_l is the synonymic sensitivity of layer l to level l (rhm.sensitivity, Cagnetta et al. 2024): how far its outputs
-- move where every level-l tuple of a string is replaced by a synonym, against another string. 0: synonyms are one.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "end_to_end",
  summary = "The chain on first patches and on all patches, and a CNN trained end to end, on the same strings.",
  theory = "a CNN needs some C m^L strings (PRX 2024), and its layers lose their sensitivity to synonyms together with "
    .. "the error. The chain is made to find the levels one by one: with first patches from some V m/rho^2 strings, "
    .. "with the patches of all places from fewer.",
  seeds = {full = 5, quick = 2, text = "Grammars of each shape that satisfy Assumption 4.1, with a data set each."},
}

local shapes = {["(8,4,2,3)"] = {V = 8, m = 4, s = 2, L = 3}, ["(8,8,2,3)"] = {V = 8, m = 8, s = 2, L = 3}}
local names = x.quick and {"(8,4,2,3)"} or {"(8,4,2,3)", "(8,8,2,3)"}
local Ns = x.quick and {500, 2000} or {250, 500, 1000, 2000, 4000, 8000, 16000}
local LEARNERS = {"first", "all", "cnn"}

local function train(learner, g, d, seed)
  if learner == "cnn" then
    local net = rhm.cnn{ grammar=g, h=64, seed=seed }
    net:train{ from=d, progress=false }
    return net
  end
  local net = rhm.network{ V=g.V, s=g.s, L=g.L, seed=seed }
  net:train{ from=d, position=learner, progress=false }
  return net
end

local r = x:sweep{ grid={ shape=names, N=Ns, learner=LEARNERS },
  run=function(p, seed)
    local g = experiment.grammars(shapes[p.shape], seed * 1000000, 1)[1]
    local d, start = g:sample{ n=p.N, seed=seed }, rhm.clock()
    local net = train(p.learner, g, d, seed)
    local result = {seconds = rhm.clock() - start, accuracy = net:accuracy(g:sample{ n=10000, seed=seed + 1000 })}
    local s = rhm.sensitivity{ of=net, grammar=g, n=1000 }
    for l = 1, g.L do result["S" .. l] = s[l][l] end
    return result
  end }

x:finish(function()
  local rows, series = {}, {}
  local function median(measure, which) return experiment.median(experiment.values(r.rows, measure, which)) end
  for _, shape in ipairs(names) do
    for _, learner in ipairs(LEARNERS) do
      local line = {x = {}, y = {}, label = shape .. " " .. learner}
      for i, N in ipairs(Ns) do
        local which = {shape = shape, N = N, learner = learner}
        local row = {shape, learner, N, ("%.4f"):format(median("accuracy", which)),
          ("%.2f s"):format(median("seconds", which))}
        for l = 3, 1, -1 do row[#row + 1] = ("%.3f"):format(median("S" .. l, which)) end
        rows[#rows + 1] = row
        line.x[i], line.y[i] = N, median("accuracy", which)
      end
      series[#series + 1] = line
    end
  end
  x:say("medians over %s of each shape, the same N strings for all; accuracy on 10000 fresh strings; S_l: "
    .. "sensitivity of layer l to synonyms of level l, 0 where it takes them for one", x.grammars)
  print ""
  x:table({"(V,m,s,L)", "learner", "N", "accuracy", "time", "S_3", "S_2", "S_1"}, rows)
  x:plot{ series=series, log="x", xlabel="strings", ylabel="median accuracy", title="Layer by layer and end to end" }
end)
