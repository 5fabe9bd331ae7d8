-- log_regime.lua - samples the chain needs where depth grows with the length d of strings, as the paper has it.
--
-- The paper's regime: V, m = Theta(log d), L = Theta(log d/log log d), so that s = d^(1/L) is about log d. Here
-- V = m = ln d, L = log2 d/log2 log2 d, all rounded. Then V m m^L is d to a power near 1, and N ~ V m/rho^2 samples a
-- layer are polynomial in d, while there are V m^((s^L-1)/(s-1)) strings: doubly exponential in L.
--
-- N is given as c V m/rho^2 of each grammar, rho its smallest gap over the levels 2..L, and c is searched in eighths:
-- the smallest with which the median accuracy reaches .9. Near the border a chain mixes its codes, and with s children
-- there are k^s tuples of those: a run that takes longer than --timeout, or whose accuracy is not known within 64 MB,
-- is counted as one that has not learned; chains that do learn take .01 to .5 s.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "log_regime",
  summary = "N* of the chain against the length d of strings, with V, m = Theta(log d) and "
    .. "L = Theta(log d/log log d).",
  theory = "N* is polynomial in d: of the order of V m/rho^2 with rho ~ m^(-L/2), and m^L is d to a power near 1. "
    .. "The number of strings is doubly exponential in L.",
  seeds = {full = 5, quick = 3, text = "Grammars of each size."},
  options = function(parser)
    parser:option("--timeout", "Seconds after which a run counts as one that has not learned (default: 4, with --quick "
      .. "1)."):argname "<t>":convert(experiment.whole("--timeout", 1))
  end,
}

local function grammar(p, seed)
  local g, rho = experiment.grammars(p, seed * 1000000, 1)[1], math.huge
  for l = 2, p.L do rho = math.min(rho, g:gap(l)) end
  return g, p.V * p.m / rho ^ 2
end

local function learn(p, seed)
  rhm.memory = 64e6
  local g, needed = grammar(p, seed)
  local N = math.ceil(p.eighths / 8 * needed)
  local net = rhm.network{ grammar=g, M=p.M, linkage="average", seed=seed }
  local accuracy = net:train{ from=g, n=N, progress=false }.accuracy
  if not accuracy then error("the accuracy is not known: more tuples of mixed codes than fit in 64 MB", 0) end
  return { accuracy=accuracy, N=N }
end

-- (s, L) with L = log2 d/log2 log2 d, rounded.
local sizes = x.quick and {{4, 2}, {5, 2}, {6, 2}, {6, 3}, {8, 3}}
  or {{4, 2}, {5, 2}, {6, 2}, {6, 3}, {8, 3}, {10, 3}, {14, 3}, {11, 4}, {13, 4}, {16, 4}, {16, 5}}
local cells = {}
for i, size in ipairs(sizes) do
  local d = math.tointeger(size[1] ^ size[2])
  local V = math.floor(math.log(d) + 0.5)
  cells[i] = {d = d, s = size[1], L = size[2], V = V, m = V, M = 1024}
end

local r = x:search{ run=learn, parameters=cells, variable="eighths", from=16, to=512, goal=0.9,
  precision=x.quick and 1.5 or 1.2, timeout=x.args.timeout or (x.quick and 1 or 4) }

x:finish(function()
  local rows, points, law = {}, {x = {}, y = {}, low = {}, high = {}, label = "N*"}, {x = {}, y = {}, label = "V m m^L"}
  for i, cell in ipairs(r.cells) do
    local p, needs = cell.parameters, {}
    for seed = 1, x.seeds do needs[seed] = select(2, grammar(p, seed)) end
    local need = experiment.median(needs)
    local N = cell.N and cell.N / 8 * need
    rows[i] = {p.d, p.s, p.L, p.V, ("%.3g"):format(need), cell.N and cell.N / 8, ("[%s, %s]"):format(
      cell.low / 8, cell.high / 8), N and ("%.3g"):format(N), ("%.2g"):format(p.V * p.m * p.m ^ p.L)}
    if N then
      local k = #points.x + 1
      points.x[k], points.y[k] = p.d, N
      points.low[k], points.high[k] = cell.low / 8 * need, cell.high / 8 * need
      law.x[k], law.y[k] = p.d, p.V * p.m * p.m ^ p.L
    end
  end
  x:say("N* = c V m/rho^2, the smallest N of a layer with median accuracy >= .9 over %s; M = 1024", x.grammars)
  print ""
  x:table({"d", "s", "L", "V = m", "V m/rho^2", "c", "95 %", "N*", "V m m^L"}, rows)
  if #points.x >= 3 then
    local fit, of_law = rhm.fit{ x=points.x, y=points.y, log="xy" }, rhm.fit{ x=law.x, y=law.y, log="xy" }
    print ""
    x:say("N* ~ d^b, b = %.3g [%.3g, %.3g] (95 %%), R2 = %.3f; V m m^L at the same sizes: b = %.3g", fit.b, fit.b_low,
      fit.b_high, fit.r2, of_law.b)
  end
  points.fit, points.kind, law.kind = #points.x >= 3, "points", "lines"
  if #points.x > 0 then
    x:plot{ series={ points, law }, log="xy", xlabel="d", ylabel="samples", title="N* in the logarithmic regime" }
  end
end, "they took too long or too much memory, and count as chains that have not learned")
