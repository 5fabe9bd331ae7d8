-- function_classes.lua - what a chain of shallow layers learns, beyond grammars, and what rhm.principle says
-- beforehand.
--
-- The paper: layerwise training learns a hierarchy where (i) the lower parts correlate with the label, (ii) the signal
-- is clean, and (iii) the features can be identified by a gap. A random grammar has all three. The latin ensemble and
-- trees of XOR gates (parity) have neither (i) nor (iii): below the top nothing correlates with the label. Trees of AND
-- and OR have all three, and so do most trees with a random gate a level: an XOR lets through what the imbalance of its
-- other inputs leaves, nothing only where they are balanced, as under more XORs. A gate of its own at each node breaks
-- what a chain takes for granted, which uses each layer at all places.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "function_classes",
  summary = "The chain, a CNN and a shallow learner on grammars, latin grammars, parities and trees of Boolean gates, "
    .. "beside the verdicts of rhm.principle.",
  theory = "a chain learns where the lower parts correlate with the label, the signal is clean, and symbols can be "
    .. "told apart by a gap. Grammars and AND/OR trees satisfy that, latin grammars, parities and XOR trees do not.",
  seeds = {full = 10, quick = 2, text = "Functions of each class, with strings of their own."},
}
local OTHERS = x.quick and 1 or 4 -- functions of a class that the CNN and the shallow learner are trained on, too
local samples = x.quick and {1000, 4000} or {1000, 4000, 16000}
local positions = {"first", "all"}

-- The parity of half of 16 tokens, chosen by the seed: a source of one's own.
local function parity(seed)
  local chosen
  rhm.source{ V=2, classes=2, d=1, sample=function(rng)
    chosen = table.move(rng:shuffle{ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }, 1, 8, 1, {})
    return {1}, 1
  end }:sample{ n=1, seed=seed }
  return rhm.source{ V=2, classes=2, s=2, L=4, sample=function(rng)
    local tokens, odd = {}, 0
    for k = 1, 16 do tokens[k] = rng:integer(2) end
    for _, k in ipairs(chosen) do odd = odd ~ tokens[k] end
    return tokens, (odd & 1) + 1
  end }
end

-- name, what it is, and how one is made; balanced: both labels equally likely, so that 1/2 is chance.
local classes = {
  {"grammar", "(8,4,2,3), passes g:check()", function(seed)
    return experiment.grammars({V=8, m=4, s=2, L=3}, seed * 1000000, 1)[1]
  end},
  {"latin", "latin grammar (8,8,2,3), shuffle = 0", function(seed)
    return rhm.grammar{ V=8, m=8, s=2, L=3, ensemble="latin", seed=seed }
  end},
  {"parity", "parity of 8 of 16 tokens", parity},
  {"xor", "tree of XOR gates, 16 tokens", function() return rhm.formula{ gates="xor", L=4 } end},
  {"and/or", "tree of AND and OR by turns, 16 tokens, balanced labels", function()
    return rhm.formula{ gates="and/or", L=4, balanced=true }
  end},
  {"literals", "a random AND/OR kind a level, 16 tokens, balanced", function(seed)
    return rhm.formula{ gates="literals", L=4, balanced=true, seed=seed }
  end},
  {"random", "a random gate a level, 16 tokens, balanced", function(seed)
    return rhm.formula{ gates="random", L=4, balanced=true, seed=seed }
  end},
  {"by node", "a random gate a node, 16 tokens, balanced", function(seed)
    return rhm.formula{ gates="random", per="node", L=4, balanced=true, seed=seed }
  end},
}
local make = {}
for _, class in ipairs(classes) do make[class[1]] = class[3] end

local function learn(p, seed)
  local source = make[p.class](seed)
  local data, test = source:sample{ n=p.N, seed=seed }, source:sample{ n=5000, seed=seed + 1000000 }
  local measures = {}
  for _, position in ipairs(positions) do
    local net = rhm.network{ V=data.V, s=source.s, L=source.L, classes=data.classes, M=1024, seed=seed }
    net:train{ from=data, position=position, progress=false }
    measures[position] = net:accuracy(test)
  end
  if seed <= OTHERS then
    local cnn = rhm.cnn{ V=data.V, s=source.s, L=source.L, classes=data.classes, h=64, seed=seed }
    cnn:train{ from=data, epochs=math.max(10, math.min(100, p.steps * 128 // p.N)), progress=false }
    measures.cnn = cnn:accuracy(test)
    local shallow = rhm.shallow{ V=data.V, d=data.d, classes=data.classes, M=p.features, seed=seed }
    shallow:train{ from=data }
    measures.shallow = shallow:accuracy(test)
  end
  local principle = rhm.principle(source, { n=p.N, seed=seed })
  for _, name in ipairs{"correlation", "clean", "gap", "ok"} do measures[name] = principle[name] and 1 or 0 end
  return measures
end

local cells = {}
for _, class in ipairs(classes) do
  for _, N in ipairs(samples) do
    local cell = {class = class[1], N = N, steps = 6000, features = 1024}
    if x.quick then cell.steps, cell.features = 300, 256 end
    cells[#cells + 1] = cell
  end
end

local r = x:sweep{ parameters=cells, run=learn }

-- Of the runs where all three conditions held, and of the others: how often the chain learned.
local function agreement(shared)
  local count = {[0] = {0, 0}, [1] = {0, 0}}
  for _, row in ipairs(r.rows) do
    if row.status == "done" and (row.class ~= "by node") == shared then
      local c = count[row.ok]
      c[1], c[2] = c[1] + 1, c[2] + (row.first >= 0.95 and 1 or 0)
    end
  end
  return count
end

x:finish(function()
  for _, class in ipairs(classes) do print(("%-9s %s"):format(class[1], class[2])) end
  print ""
  x:say("Medians of accuracy over %d functions of each class (CNN, shallow: the first %d), on 5000 strings not trained "
    .. "on. first, all: the chain, by the patches of a level it is trained on. (i), (ii), (iii), (i-iii): for how many "
    .. "functions rhm.principle finds the conditions to hold with N strings.", x.seeds, math.min(x.seeds, OTHERS))
  print ""
  local rows, series = {}, {}
  for i, class in ipairs(classes) do
    series[i] = {x = {}, y = {}, label = class[1]}
    for _, N in ipairs(samples) do
      local which = {class = class[1], N = N}
      local row = {class[1], N}
      for _, name in ipairs{"first", "all", "cnn", "shallow"} do
        row[#row + 1] = experiment.median(experiment.values(r.rows, name, which))
      end
      for _, name in ipairs{"correlation", "clean", "gap", "ok"} do
        local holds = 0
        for _, value in ipairs(experiment.values(r.rows, name, which)) do holds = holds + value end
        row[#row + 1] = math.tointeger(holds)
      end
      rows[#rows + 1] = row
      series[i].x[#series[i].x + 1], series[i].y[#series[i].y + 1] = N, row[3] or 0 / 0
    end
  end
  x:table({"class", "N", "first", "all", "CNN", "shallow", "(i)", "(ii)", "(iii)", "(i-iii)"}, rows, "%.3f")
  print ""
  local same, own = agreement(true), agreement(false)
  x:say("from first patches the chain learns (accuracy >= .95) in %d of %d runs where all three conditions hold, and "
    .. "in %d of %d where one fails; with gates of their own at each node in %d of %d and %d of %d", same[1][2],
    same[1][1], same[0][2], same[0][1],
    own[1][2], own[1][1], own[0][2], own[0][1])
  x:plot{ series=series, log="x", xlabel="N", ylabel="accuracy", yrange={ 0, 1.05 },
    title="the chain on function classes" }
end)
