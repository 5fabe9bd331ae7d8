-- refinement.lua - how few strings net:refine needs, beside the chain that it starts from and other learners.
--
-- A level's rules hold log2(V^s! / ((V^s - m V)! m!^V)) bits, 142 at (8,4,2), and a label tells log2 V at most: some
-- 140 labelled strings are the least that could do for (8,4,2,3), a quarter of C m^L = 512. EM on the whole tree comes
-- near.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "refinement",
  summary = "Accuracy of the chain on first and on all patches, of EM on the whole tree, of a CNN, of shallow ridge "
    .. "and of Bayes against the number of strings; the fewest strings that EM learns from; whether its posteriors "
    .. "are calibrated.",
  theory = "layer by layer needs V m/rho^2 strings, a deep CNN about C m^L (PRX 2024); the bits in the rules only ask "
    .. "for a fraction of that. EM uses strings and labels at all levels at once, and its posterior is calibrated "
    .. "where the tables are right.",
  seeds = {full = 10, quick = 3, text = "Grammars and data sets."},
}
local TEST, BINS = 10000, {0, 0.5, 0.7, 0.9, 0.99}

local function bin_of(p)
  for k = #BINS, 1, -1 do
    if p >= BINS[k] then return k end
  end
end

local function learn(p, seed)
  local g = rhm.grammar{ V=p.V, m=p.m, s=2, L=p.L, seed=seed }
  local data, test = g:sample{ n=p.N, seed=2 * seed }, g:sample{ n=TEST, seed=2 * seed + 1 }
  local measures = {}
  local net = rhm.network{ V=g.V, s=g.s, L=g.L, seed=seed }
  if p.others then
    net:train{ from=data, progress=false }
    measures.first = net:accuracy(test)
    net:train{ from=data, position="all", progress=false }
    measures.all = net:accuracy(test)
    local cnn = rhm.cnn{ V=g.V, s=g.s, L=g.L, h=64, seed=seed }
    local held_out, train = data:split{ fraction=.1, seed=seed }
    cnn:train{ from=train, held_out=held_out, patience=20, epochs=300, seed=seed, progress=false }
    measures.cnn = cnn:accuracy(test)
    local ridge = rhm.shallow{ V=g.V, d=g.d, kind="kernel", seed=seed }
    ridge:train{ from=data }
    measures.shallow = ridge:accuracy(test)
    net = rhm.network{ V=g.V, s=g.s, L=g.L, seed=seed } -- from counts alone, as in the other rows
  end
  local r = net:refine{ from=data, progress=false }
  local labels, probability = net:predict(test)
  local count, right, sum, good, log_test = {}, {}, {}, 0, 0
  for k = 1, #BINS do count[k], right[k], sum[k] = 0, 0, 0 end
  for i, label in ipairs(labels) do
    local chance, is_right = probability[i][label], label == test:label(i) and 1 or 0
    local k = bin_of(chance)
    log_test = log_test + math.log(math.max(probability[i][test:label(i)], 1e-300))
    count[k], right[k], sum[k], good = count[k] + 1, right[k] + is_right, sum[k] + chance, good + is_right
  end
  measures.em, measures.starts, measures.bayes = good / TEST, r.starts, g:bayes(test).counted
  measures.log_test, measures.count, measures.right, measures.sum = log_test / TEST, count, right, sum
  return measures
end

-- The first of each shape is that of the comparison.
local shapes = x.quick and {{8, 4, 3, {150, 256}}}
  or {{8, 4, 3, {120, 150, 180, 256, 360, 512, 1024, 2048}}, {8, 8, 3, {1000, 1400, 2048, 4096}},
    {8, 4, 4, {200, 300, 512, 1024, 2048}}}
local cells = {}
for k, shape in ipairs(shapes) do
  for _, N in ipairs(shape[4]) do
    cells[#cells + 1] = {V = shape[1], m = shape[2], L = shape[3], N = N, others = k == 1}
  end
end

local r = x:sweep{ parameters=cells, run=learn }
x:finish(function()
  local lines, fewest = {}, {}
  for _, c in ipairs(cells) do
    local em = experiment.values(r.rows, "em", c)
    local reached, median = 0, experiment.median(em)
    for _, a in ipairs(em) do reached = reached + (a >= 0.99 and 1 or 0) end
    local scale = c.V * c.m ^ c.L
    local name = ("(%d,%d,2,%d)"):format(c.V, c.m, c.L)
    local line = {name, c.N, c.N / scale}
    for k, column in ipairs{"first", "all", "shallow", "cnn", "em", "", "bayes", "log_test"} do
      line[k + 3] = experiment.median(experiment.values(r.rows, column, c))
    end
    line[9] = ("%d/%d"):format(reached, #em)
    lines[#lines + 1] = line
    if median and median >= 0.99 and not fewest[name] then
      fewest[name] = true
      fewest[#fewest + 1] = ("%s %d (%.2f)"):format(name, c.N, c.N / scale)
    end
  end
  x:say("the same N strings for all, %d fresh test strings; medians over %s. first, all: the chain by the "
    .. "patches of a level it is trained on; ridge: shallow, on whole strings; share: N/(C m^L); >= .99: grammars "
    .. "that EM learns so well; Bayes: who knows the grammar; log P: EM's mean of log P(label | string), 0 for Bayes",
    TEST, x.grammars)
  print ""
  x:table({"(V,m,s,L)", "N", "share", "first", "all", "ridge", "CNN", "EM", ">=.99", "Bayes", "log P"}, lines, "%.3f")
  print ""
  x:say("fewest strings tried with a median of .99 (share of C m^L): %s",
    #fewest > 0 and table.concat(fewest, ", ") or "none")
  local rows = {}
  for k, low in ipairs(BINS) do
    local count, right, sum = 0, 0, 0
    for _, row in ipairs(r.rows) do
      if row.status == "done" then
        count, right, sum = count + row.count[k], right + row.right[k], sum + row.sum[k]
      end
    end
    rows[k] = {("%.2f to %.2f"):format(low, BINS[k + 1] or 1), count, count > 0 and sum / count or nil,
      count > 0 and right / count or nil}
  end
  print ""
  x:say("Calibration, all runs: of the strings whose likeliest label has such a probability, its mean, and the share "
    .. "of right ones.")
  print ""
  x:table({"P(label | string)", "strings", "mean", "right"}, rows, "%.4f")
  local series = {}
  local labels = {first = "chain, first", all = "chain, all", shallow = "ridge", cnn = "CNN", em = "EM"}
  for _, name in ipairs{"first", "all", "shallow", "cnn", "em"} do
    local s = {x = {}, y = {}, label = labels[name]}
    for _, c in ipairs(cells) do
      local y = c.others and experiment.median(experiment.values(r.rows, name, c))
      if y then s.x[#s.x + 1], s.y[#s.y + 1] = c.N, y end
    end
    if #s.x > 0 then series[#series + 1] = s end
  end
  x:plot{ series=series, log="x", xlabel="strings", ylabel="accuracy", title="(8,4,2,3)" }
end)
