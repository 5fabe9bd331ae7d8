-- sample_complexity.lua - N*, the samples a learner needs, against the rules m of a symbol and the depth L.
--
-- The paper: the chain needs N ~ V m/rho^2 samples a layer, rho the smallest gap of the levels 2 to L. With a constant
-- K_rho = rho m^(l/2) that is N ~ V m^(L+1), so that log N* grows as L log m. A shallow learner needs a share of all
-- strings, and there are V m^((s^L-1)/(s-1)) of them: exponential in the length s^L of a string.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "sample_complexity",
  summary = "N*, the smallest N with a median accuracy of .9: of the chain, a CNN, one step a layer, a shallow "
    .. "learner.",
  theory = "the chain needs N ~ V m/rho^2, a line of slope 1 on log scales, or N ~ m^L for a constant K_rho; a shallow "
    .. "learner needs a share of all V m^((s^L-1)/(s-1)) strings. All grammars satisfy Assumption 4.1.",
  seeds = {full = 3, quick = 3, text = "Draws for each N; in the comparison each has a grammar of its own."},
  options = function(parser)
    parser:option("--part", "The chain on many grammars, the learners on the same few, or both.", "both")
      :choices{"chain", "learners", "both"}
    parser:option("--budget", "Largest N of the shallow learner; rows that need more are cut (default: 8000, with "
      .. "--quick 1000)."):argname "<n>":convert(experiment.whole("--budget", 250))
  end,
}
local part, budget = x.args.part, x.args.budget or (x.quick and 1000 or 8000)
local s, GRAMMARS = 2, x.quick and 3 or 8

-- --- the runs -----------------------------------------------------------------------------------------------------

local made = {}
local function grammar_of(p)
  local key = p.V .. " " .. p.m .. " " .. p.L .. " " .. p.grammar
  made[key] = made[key] or rhm.grammar{ V=p.V, m=p.m, s=s, L=p.L, seed=p.grammar }
  return made[key]
end

local learners, names = {}, {"chain", "cnn", "onestep", "shallow"}
function learners.chain(g, N, seed)
  return rhm.network{ grammar=g, linkage="average", seed=seed }:train{ from=g, n=N, progress=false }.accuracy
end
function learners.cnn(g, N, seed)
  local net = rhm.cnn{ grammar=g, h=64, seed=seed }
  net:train{ from=g, n=N, progress=false }
  return net:accuracy(g)
end
function learners.onestep(g, N, seed)
  local net = rhm.onestep{ grammar=g, seed=seed }
  net:train{ from=g, n=N }
  return net:accuracy(g)
end
function learners.shallow(g, N, seed)
  local model = rhm.shallow{ grammar=g, kind="rbf", M=4096, seed=seed }
  model:train{ from=g, n=N }
  return model:accuracy(g)
end

-- The chain on many grammars: each is a search of its own, and its seeds are draws of samples and features.
local many, cells = nil, {}
if part ~= "learners" then
  for _, shape in ipairs(x.quick and {{V = 16, m = 4}} or {{V = 16, m = 4}, {V = 16, m = 8}, {V = 32, m = 8}}) do
    for L = 2, x.quick and 4 or 5 do
      local list = experiment.grammars({V = shape.V, m = shape.m, s = s, L = L}, 1, GRAMMARS)
      for _, g in ipairs(list) do cells[#cells + 1] = {V = g.V, m = g.m, L = L, grammar = g.seed} end
    end
  end
  many = x:search{ name="grammars", parameters=cells, from=2000, to=1 << 40, precision=x.quick and 1.5 or 1.1,
    run=function(p, seed) return { accuracy=learners.chain(grammar_of(p), p.N, seed) } end }
end

-- The learners on the same few: the k-th draw is of the k-th grammar that passes.
local few, found = {}, {}
local shapes = {{2, 2}, {3, 2}, {4, 2}, {2, 3}, {3, 3}, {4, 3}}
if part ~= "chain" then
  for i = 1, x.quick and 3 or #shapes do few[i] = {V = 8, m = shapes[i][1], L = shapes[i][2]} end
  for _, name in ipairs(names) do
    found[name] = x:search{ name=name, parameters=few, from=250, to=name == "shallow" and budget or 1000000,
      precision=x.quick and 1.5 or 1.2,
      run=function(p, seed)
        local shape = {V = p.V, m = p.m, s = s, L = p.L}
        return { accuracy=learners[name](experiment.grammars(shape, 1, seed)[seed], p.N, seed) }
      end }
  end
end

-- --- what they say ------------------------------------------------------------------------------------------------

-- The cells with an N*: what(p) and N*.
local function points(r, what)
  local list = {x = {}, y = {}, low = {}, high = {}}
  for _, cell in ipairs(r.cells) do
    if cell.N then
      local n = #list.x + 1
      list.x[n], list.y[n], list.low[n], list.high[n] = what(cell.parameters), cell.N, cell.low, cell.high
    end
  end
  return list
end

local function interval(fit)
  return fit.b_low and ("%.3f [%.3f, %.3f]"):format(fit.b, fit.b_low, fit.b_high) or ("%.3f"):format(fit.b)
end

local function depth(p) return p.L * math.log(p.m) end
local function strings(p) return p.V * p.m ^ ((s ^ p.L - 1) // (s - 1)) end

local function needed(p) -- V m/rho^2
  local g, rho = grammar_of(p), math.huge
  for l = 2, p.L do rho = math.min(rho, g:gap(l)) end
  return p.V * p.m / rho ^ 2
end

local function median(list) return #list > 0 and math.floor(experiment.median(list) + 0.5) or nil end

local function show_many()
  local groups, order, uncertain = {}, {}, 0
  for _, cell in ipairs(many.cells) do
    local p = cell.parameters
    local key = ("%d %d %d"):format(p.V, p.m, p.L)
    if not groups[key] then
      groups[key] = {V = p.V, m = p.m, L = p.L, N = {}, need = {}, ratio = {}}
      order[#order + 1] = groups[key]
    end
    local group, need = groups[key], needed(p)
    if cell.N then
      group.N[#group.N + 1], group.need[#group.need + 1] = cell.N, need
      group.ratio[#group.ratio + 1] = cell.N / need
    else
      uncertain = uncertain + 1
    end
  end
  local rows = {}
  for i, group in ipairs(order) do
    rows[i] = {group.V, group.m, group.L, #group.N, median(group.N), median(group.need), experiment.median(group.ratio),
      experiment.quantile(group.ratio, 0), experiment.quantile(group.ratio, 1)}
  end
  x:say("The chain, %d grammars of each shape, the same N in each layer; medians over grammars.", GRAMMARS)
  print ""
  x:table({"V", "m", "L", "grammars", "N*", "V m/rho^2", "N* rho^2/(V m)", "min", "max"}, rows)
  if uncertain > 0 then x:say("%d grammars are left out: not learned with N = %d", uncertain, 1 << 40) end
  local all = points(many, needed)
  if #all.x < 3 then return end
  local fit, raw = rhm.fit{ x=all.x, y=all.y, log="xy" }, points(many, depth)
  x:say("N* ~ (V m/rho^2)^b, b = %s, correlation %.3f, %d grammars; theory 1", interval(fit), math.sqrt(fit.r2), fit.n)
  x:say("log N* = a + b L log m, b = %s: not 1, since V m stands before it and K_rho shrinks with L, so that rho^2 "
    .. "falls faster than m^-L", interval(rhm.fit{ x=raw.x, y=raw.y, log="y" }))
  local low, high = experiment.quantile(all.x, 0), experiment.quantile(all.x, 1)
  x:plot({ series={ {x=all.x, y=all.y, kind="points", label="grammars"},
    {x={ low, high }, y={ fit:at(low), fit:at(high) }, label=("slope %.3f"):format(fit.b)} }, log="xy",
    xlabel="V m/rho^2", ylabel="N*", title="samples the chain needs" }, "grammars")
end

local function show_few()
  local rows, cut = {}, {}
  for i, p in ipairs(few) do
    local row = {p.m, p.L}
    for _, name in ipairs(names) do
      local cell = found[name].cells[i]
      row[#row + 1] = cell.N or "> " .. cell.below
      row[#row + 1] = cell.N and ("%g-%g"):format(cell.low, cell.high) or "-"
    end
    local cell = found.shallow.cells[i]
    row[#row + 1] = cell.N and ("%.3f"):format(cell.N / strings(p)) or ("> %.3f"):format(cell.below / strings(p))
    if not cell.N then
      cut[#cut + 1] = ("(8,%d,2,%d), median accuracy %.2f at N = %d"):format(p.m, p.L, cell.trials[#cell.trials].median,
        cell.below)
    end
    rows[i] = row
  end
  print ""
  x:say("V = 8, s = 2, %s a row, each with a draw of its own; 95 %% intervals. step: one gradient step a "
    .. "layer; strings = V m^((s^L-1)/(s-1)), share = N*/strings of the shallow learner.", x.grammars)
  print ""
  x:table({"m", "L", "chain", "", "CNN", "", "step", "", "shallow", "", "share"}, rows)
  if #cut > 0 then x:say("cut for cost (--budget %d): %s", budget, table.concat(cut, "; ")) end
  local series = {}
  for i, name in ipairs(names) do
    local line = points(found[name], depth)
    if #line.x >= 3 then
      x:say("%s: log N* = a + b L log m, b = %s", name, interval(rhm.fit{ x=line.x, y=line.y, log="y" }))
    end
    series[i] = points(found[name], strings)
    series[i].label = name
  end
  if #series[4].x >= 3 then
    x:say("shallow: N* ~ strings^b, b = %s, so N* is exponential in d = s^L; theory 1",
      interval(rhm.fit{ x=series[4].x, y=series[4].y, log="xy" }))
  end
  x:plot({ series=series, log="xy", xlabel="strings of the grammar", ylabel="N*", title="V = 8, s = 2" }, "learners")
end

x:finish(function()
  if many then show_many() end
  if found.chain then show_few() end
end)
