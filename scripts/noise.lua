-- noise.lua - accuracy under token noise, label noise and unequal rules, against the best that is possible.
--
-- Token noise makes patches that are no rules and mixes the q of all parents; label noise only shrinks the signal, by
-- 1 - e. Nobody passes the Bayes accuracy (g:bayes): the exact posterior under the grammar, on the same test strings.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "noise",
  summary = "The chain on first and on all patches, a CNN, EM and the best possible accuracy, against token noise, "
    .. "label noise and Zipf's exponent.",
  theory = "label noise e leaves 1 - e of every gap, so the chain needs 1/(1 - e)^2 times the samples and then loses "
    .. "nothing; token noise lets patches tell of their parents with doubt, which a chain that names one cluster a "
    .. "patch cannot pass on: the Bayes posterior carries the doubt up, and so does EM. Zipf's law makes rules rare, "
    .. "not ambiguous.",
  seeds = {full = 10, quick = 1, text = "Grammars (the first that satisfy Assumption 4.1)."},
  options = function(parser)
    parser:option("--cnn", "Grammars that the CNN, which takes most of the time, is trained on, too; 0: none (default: "
      .. "3, with --quick 1)."):argname "<n>":convert(experiment.whole("--cnn", 0))
  end,
}
local TEST = x.quick and 4000 or 10000

-- What each learner is right in, of the test strings; trained on the same strings.
local learners = {}
local function chain(position)
  return function(g, data, test, seed)
    local net = rhm.network{ V=g.V, s=g.s, L=g.L, classes=g.classes, M=512, seed=seed }
    net:train{ from=data, position=position, progress=false }
    return net:accuracy(test)
  end
end
learners.first, learners.all = chain "first", chain "all"
function learners.CNN(g, data, test, seed)
  local net = rhm.cnn{ V=g.V, s=g.s, L=g.L, classes=g.classes, h=64, seed=seed }
  local held_out, train = data:split{ fraction=.1, seed=seed }
  net:train{ from=train, held_out=held_out, patience=5, epochs=100, seed=seed, progress=false }
  return net:accuracy(test)
end
function learners.EM(g, data, test, seed) -- the chain's tree, all levels fitted at once: it hands doubt on
  local net = rhm.network{ V=g.V, s=g.s, L=g.L, classes=g.classes, M=512, seed=seed }
  net:refine{ from=data, restarts=1, sweeps=40, seed=seed, progress=false }
  return net:accuracy(test)
end
local cnns = x.args.cnn or (x.quick and 1 or 3)
local names = cnns > 0 and {"first", "all", "CNN", "EM"} or {"first", "all", "EM"}

local function draw(p, seed)
  local base = experiment.grammars(p, seed * 1000000, 1)[1]
  local g = rhm.grammar{ V=p.V, m=p.m, s=p.s, L=p.L, seed=base.seed, token_noise=p.token, label_noise=p.label,
    zipf=p.zipf }
  return g, g:sample{ n=p.N, seed=1 }, g:sample{ n=p.test, seed=2 }
end

local function learn(p, seed)
  local g, data, test = draw(p, seed)
  local measures = {bayes = g:bayes(test).counted, K = g:K()}
  for _, name in ipairs(names) do
    if name ~= "CNN" then measures[name] = learners[name](g, data, test, seed) end
  end
  return measures
end

local function learn_cnn(p, seed)
  local g, data, test = draw(p, seed)
  return {CNN = learners.CNN(g, data, test, seed)}
end

local kinds = {
  {key = "token", plot = true, values = x.quick and {0, 0.1} or {0, 0.01, 0.02, 0.05, 0.1, 0.2}},
  {key = "label", plot = true, values = x.quick and {0.3} or {0, 0.1, 0.2, 0.4, 0.6}},
  {key = "zipf", values = x.quick and {1} or {0, 1, 2}},
}
local sizes = x.quick and {4000} or {4000, 20000}
local cells, seen = {}, {}
for _, kind in ipairs(kinds) do
  for _, value in ipairs(kind.values) do
    for _, N in ipairs(sizes) do
      local cell = {V = 8, m = 4, s = 2, L = 3, N = N, test = TEST, token = 0, label = 0, zipf = 0}
      cell[kind.key] = value
      local key = string.format("%g %g %g %d", cell.token, cell.label, cell.zipf, N)
      if not seen[key] then cells[#cells + 1], seen[key] = cell, true end -- the clean ones are shared
    end
  end
end

local r = x:sweep{ parameters=cells, run=learn }
local cnn = cnns > 0 and x:sweep{ name="cnn", parameters=cells, run=learn_cnn, seeds=cnns } or {rows = {}}
x:finish(function()
  x:say("(V,m,s,L) = (8,4,2,3), the same N strings for all learners, %d test strings of the same noise; medians over "
    .. "%s%s. first, all: the chain, by the patches of a level it is trained on. Bayes: who names the "
    .. "likeliest label under the grammar; the percentages are of that, on the same grammars.", TEST, x.grammars,
    cnns > 0 and (" (CNN: the first %d)"):format(cnns) or "")
  local first_few = {} -- what is possible on the grammars of the CNN
  for _, row in ipairs(r.rows) do
    if row.seed <= cnns then first_few[#first_few + 1] = row end
  end
  local title = {token = "token noise", label = "label noise", zipf = "Zipf exponent"}
  for _, kind in ipairs(kinds) do
    local lines, series = {}, {}
    for _, value in ipairs(kind.values) do
      for _, N in ipairs(sizes) do
        local which = {token = 0, label = 0, zipf = 0, N = N}
        which[kind.key] = value
        local function median(name)
          return experiment.median(experiment.values(name == "CNN" and cnn.rows or r.rows, name, which))
        end
        local bayes, line = median "bayes", {string.format("%g", value), N}
        local possible = {CNN = experiment.median(experiment.values(first_few, "bayes", which))}
        line[3] = bayes
        for k, name in ipairs(names) do
          local got, best = median(name), possible[name] or bayes
          line[k + 3] = got and best and string.format("%.3f %3.0f%%", got, 100 * got / best)
          if got and N == sizes[1] then
            series[k] = series[k] or {x = {}, y = {}, label = name}
            table.insert(series[k].x, value)
            table.insert(series[k].y, got)
          end
        end
        if bayes and N == sizes[1] then
          local k = #names + 1
          series[k] = series[k] or {x = {}, y = {}, label = "Bayes"}
          table.insert(series[k].x, value)
          table.insert(series[k].y, bayes)
        end
        lines[#lines + 1] = line
      end
    end
    local head = {title[kind.key], "N", "Bayes"}
    for _, name in ipairs(names) do head[#head + 1] = name end
    print ""
    x:table(head, lines, "%.3f")
    if kind.plot and #kind.values > 1 and #series > 0 then
      x:plot({ series=series, xlabel=title[kind.key], ylabel="accuracy", title="(8,4,2,3), N = " .. sizes[1] },
        kind.key)
    end
  end
end)
