-- signal_to_noise.lua - when the first child tells little of its parent: K_rho from 0 to that of uniform grammars.
--
-- The theorem needs rho^(l) >= K_rho m^(-l/2) and asks for N ~ K_rho^-2 samples. In the latin ensemble the first child
-- tells nothing (K_rho = 0, no number of samples is enough); a share `shuffle` of the rules drawn anew brings the
-- signal back. Rules by Zipf's law change it the other way. Where does the guarantee break, and did g:check() say so?
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "signal_to_noise",
  summary = "K_rho, the samples that the chain needs and its accuracy, from the latin to the uniform ensemble and by "
    .. "Zipf.",
  theory = "with K_rho = min rho^(l) m^(l/2) the chain learns from N ~ V m/rho^2 samples a layer, so N grows as "
    .. "K_rho^-2 and without bound as the first child tells less and less; g:check() knows K_rho before a sample is "
    .. "drawn.",
  seeds = {full = 10, quick = 2, text = "Grammars of each kind, seeds 1, 2, ..."},
}

-- The smallest of the N that give exact accuracy >= .9: by factors of 2, fresh counts in each layer.
local MOST = 2 ^ 34
local function needed(g, M, seed)
  local N = 256
  while N <= MOST do
    local net = rhm.network{ grammar=g, M=M, seed=seed }
    if net:train{ from=g, n=N, seed=N + seed, progress=false }.accuracy >= 0.9 then return N end
    N = N * 2
  end
end

-- What g:check() says before anything is drawn, as a number: 2 it holds, 1 with a small K_rho or a rare parent, 0
-- fails.
local function verdict(c)
  if not c.ok then return 0 end
  local rare = c.K < 0.1
  for l, level in ipairs(c.levels) do rare = rare or level.pmin * (l == 1 and c.classes or c.V) < 0.05 end
  return rare and 1 or 2
end

local function learn(p, seed)
  local g = rhm.grammar{ V=p.V, m=p.m, s=p.s, L=p.L, seed=seed, ensemble=p.zipf == 0 and "latin" or "uniform",
    shuffle=p.zipf == 0 and p.shuffle or nil, zipf=p.zipf > 0 and p.zipf or nil }
  local c, rho = g:check(), math.huge
  for l = 2, p.L do rho = math.min(rho, c.levels[l].gap) end
  local net = rhm.network{ grammar=g, M=p.M, seed=seed }
  local accuracy = net:train{ from=g, c=32, progress=false }.accuracy -- the schedule of who does not know rho
  local ratio = math.huge
  for l = p.L, 2, -1 do
    local d = net:layer(l):diagnostics()
    ratio = math.min(ratio, d.rho / d.eps_S)
  end
  local N = needed(g, p.M, seed)
  return { K=c.K, said=verdict(c), accuracy=accuracy, apart=ratio, needed=N, bound=rho > 1e-12 and p.V * p.m / rho ^ 2
    or nil }
end

local shapes, cells = {{8, 2}, {8, 3}, {16, 3}}, {}
local shares = x.quick and {0, 0.3, 1} or {0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1}
local exponents = x.quick and {1} or {0.5, 1, 1.5, 2}
for k, shape in ipairs(shapes) do
  local function add(shuffle, zipf)
    cells[#cells + 1] = {V = 8, m = shape[1], s = shape[2], L = 3, M = x.quick and 256 or 512, shuffle = shuffle,
      zipf = zipf}
  end
  if not x.quick or k < 3 then
    for _, share in ipairs(shares) do add(share, 0) end
    for _, zipf in ipairs(exponents) do add(1, zipf) end
  end
end

local r = x:sweep{ parameters=cells, run=learn }
x:finish(function()
  local function median(list) return experiment.median(list) end
  local lines, points, series = {}, {x = {}, y = {}}, {}
  for _, cell in ipairs(cells) do
    local which = {m = cell.m, s = cell.s, shuffle = cell.shuffle, zipf = cell.zipf}
    local K, N = experiment.values(r.rows, "K", which), experiment.values(r.rows, "needed", which)
    local said, accuracy = experiment.values(r.rows, "said", which), experiment.values(r.rows, "accuracy", which)
    local holds, warns = 0, 0
    for _, v in ipairs(said) do holds, warns = holds + (v == 2 and 1 or 0), warns + (v == 1 and 1 or 0) end
    local middle = #N > #K / 2 and median(N) or nil
    local name = string.format("(%d,%d)", cell.m, cell.s)
    lines[#lines + 1] = {name, string.format("%g", cell.shuffle), string.format("%g", cell.zipf), median(K),
      string.format("%d/%d/%d", holds, warns, #said - holds - warns), string.format("%d/%d", #N, #K),
      middle and math.tointeger(math.floor(middle + 0.5)), median(accuracy), median(experiment.values(r.rows, "apart",
        which))}
    if cell.zipf == 0 then
      series[name] = series[name] or {x = {}, y = {}, label = name}
      if middle and median(K) > 0 then
        table.insert(series[name].x, median(K))
        table.insert(series[name].y, middle)
      end
    end
  end
  x:say("V = 8, L = 3, %s of each kind. check: how many it passes / passes with a warning / fails, before "
    .. "training. learned: how many reach accuracy .9 with N <= %.2g in each layer; N*: the median of all. accuracy: "
    .. "median with N = max(32 V m m^l, 20000). apart: median of the smallest rho~/eps_S of layers 2 and 3.",
    x.grammars, MOST)
  print ""
  x:table({"(m,s)", "shuffle", "zipf", "K_rho", "check", "learned", "N*", "accuracy", "apart"}, lines, "%.3g")
  -- every grammar: N* against the bound, and what the check had said of those that were not learned
  local surprise, warned = 0, {0, 0, 0}
  local lost = {0, 0, 0}
  for _, row in ipairs(r.rows) do
    if row.status == "done" then
      warned[row.said + 1] = warned[row.said + 1] + 1
      if not row.needed then lost[row.said + 1] = lost[row.said + 1] + 1 end
      if row.needed and row.bound then
        points.x[#points.x + 1], points.y[#points.y + 1] = row.bound, row.needed
      end
      if row.accuracy < 0.9 and row.said == 2 then surprise = surprise + 1 end
    end
  end
  print ""
  x:say("never learned (N* > %.2g): %d of the %d grammars that fail the check, %d of the %d with a warning, %d of the "
    .. "%d that pass; below .9 with the schedule by depth although they pass: %d", MOST, lost[1], warned[1], lost[2],
    warned[2],
    lost[3], warned[3], surprise)
  if #points.x >= 3 then
    local fit = rhm.fit{ x=points.x, y=points.y, log="xy" }
    x:say("N* ~ (V m/rho^2)^b over %d grammars: b = %.3g [%.3g, %.3g]", #points.x, fit.b, fit.b_low, fit.b_high)
  end
  local list = {}
  for _, shape in ipairs(shapes) do
    local one = series[string.format("(%d,%d)", shape[1], shape[2])]
    if one and #one.x > 0 then list[#list + 1] = one end
  end
  if #list > 0 then
    x:plot{ series=list, xlabel="K_rho", ylabel="N*", log="xy",
      title="samples needed against the signal, V = 8, L = 3" }
  end
end)
