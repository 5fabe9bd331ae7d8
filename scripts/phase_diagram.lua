-- phase_diagram.lua - where the chain learns: accuracy over (m, N) or (V, m), thousands of small chains.
--
-- The paper: layer l needs N of the order of V m/rho^(l)^2 samples, and rho^(l) shrinks as m^(-l/2). With depth L the
-- border between chance (1/V) and certainty should therefore lie at N ~ m^(L+1), a straight line on log scales, of
-- slope 5 at L = 4; the measured slope is a little larger, since K_rho = rho m^(l/2) falls with m, too.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "phase_diagram",
  summary = "Accuracy of the chain over the rules m of a symbol and the samples N of a layer, as a heat map.",
  theory = "N ~ V m/rho^2 samples a layer are enough, so that the border of the region that is learned is N ~ m^(L+1) "
    .. "for a constant K_rho. All grammars satisfy Assumption 4.1; accuracy is exact, summed over all strings.",
  seeds = {full = 4, quick = 1, text = "Batches of grammars for each cell, 24 a batch."},
  options = function(parser)
    parser:option("--plane", "What is varied: m and N at V = 8, or V and m at a fixed N.", "mN"):choices{"mN", "Vm"}
    parser:option("--samples", "N of the plane Vm.", "100000"):argname "<n>"
      :convert(experiment.whole("--samples", 1))
  end,
}
local CHAINS = x.quick and 12 or 24

-- A batch of chains of one cell. All cells of a shape have the same grammars, found once in each process.
local known = {}
local function learn(p, seed)
  local key = p.V .. " " .. p.m .. " " .. seed
  known[key] = known[key] or experiment.grammars(p, seed * 1000000, p.chains)
  local sum, learned, needed = 0, 0, {}
  for i, g in ipairs(known[key]) do
    local net = rhm.network{ grammar=g, M=p.M, linkage="average", seed=i }
    local accuracy = net:train{ from=g, n=p.N, progress=false }.accuracy
    sum, learned = sum + accuracy, learned + (accuracy >= 0.99 and 1 or 0)
    local rho = math.huge
    for l = 2, p.L do rho = math.min(rho, g:gap(l)) end
    needed[i] = p.V * p.m / rho ^ 2
  end
  return { accuracy=sum / p.chains, learned=learned / p.chains, needed=experiment.median(needed) }
end

-- The cells; `along` is the axis to the right, `up` the other one.
local along, up, cells = {}, {}, {}
local function add(V, m, N)
  cells[#cells + 1] = {V = V, m = m, N = N, s = 2, L = 4, M = 512, chains = CHAINS}
end
local plane = x.args.plane
if plane == "mN" then
  for m = 2, 8, x.quick and 2 or 1 do along[#along + 1] = m end
  up = experiment.geometric(100, 3000000, x.quick and 8 or 15)
  for _, m in ipairs(along) do
    for _, N in ipairs(up) do add(8, m, N) end
  end
else
  for V = 4, x.quick and 10 or 16, 2 do along[#along + 1] = V end
  for m = 3, along[#along], x.quick and 2 or 1 do up[#up + 1] = m end -- m = 2: at V = 16 hardly a grammar passes
  for _, V in ipairs(along) do
    for _, m in ipairs(up) do
      if m <= V then add(V, m, x.args.samples) end -- m V <= V^2: no more tuples than there are
    end
  end
end

local r = x:sweep{ name=plane == "Vm" and "Vm" or nil, parameters=cells, run=learn }
x:finish(function()
  local first, second = plane == "mN" and "m" or "V", plane == "mN" and "N" or "m"
  local matrix, table_rows, border = {}, {}, {x = {}, y = {}}
  for i in ipairs(up) do matrix[i] = {} end
  for j, a in ipairs(along) do
    local from, need, last = nil, nil, nil
    for i, b in ipairs(up) do
      local which = {[first] = a, [second] = b}
      if plane == "Vm" then which.N = x.args.samples end
      local value = experiment.mean(experiment.values(r.rows, "accuracy", which))
      matrix[i][j] = value or 0 / 0
      need = experiment.median(experiment.values(r.rows, "needed", which)) or need
      if value and value >= 0.9 then
        from, last = from or b, b
      elseif value and plane == "mN" then
        from = nil
      end
    end
    if plane == "mN" then
      table_rows[j] = {a, from or "> " .. up[#up], need, from and from / need}
      if from then border.x[#border.x + 1], border.y[#border.y + 1] = a, from end
    else
      table_rows[j] = {a, last}
    end
  end
  x:say("s = 2, L = 4, M = 512%s; mean accuracy of %d chains a cell, %d chains in all", plane == "mN"
    and ", V = 8" or ", N = " .. x.args.samples, CHAINS * x.seeds, CHAINS * #r.rows)
  print ""
  if plane == "mN" then
    x:table({"m", "N (accuracy >= .9)", "V m/rho^2 (median)", "ratio"}, table_rows)
    if #border.x >= 3 then
      local fit = rhm.fit{ x=border.x, y=border.y, log="xy" }
      x:say("border: N ~ m^b, b = %.3g [%.3g, %.3g]; L + 1 = 5 for a constant K_rho", fit.b, fit.b_low, fit.b_high)
    end
  else
    x:table({"V", "largest m with accuracy >= .9"}, table_rows)
  end
  x:plot({ matrix=matrix, xnames=along, ynames=up, xlabel=first, ylabel=second, zlabel="accuracy", zrange={ 0, 1 },
    title="accuracy of the chain, " .. (plane == "mN" and "V = 8, L = 4" or "L = 4, N = " .. x.args.samples) },
    plane == "Vm" and "Vm" or nil)
end)
