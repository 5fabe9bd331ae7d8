-- branching_factor.lua - a learner that assumes patches of s' tokens where the grammar has s.
--
-- The theory takes the tree as known. A patch of s' tokens that is no whole number of rules, or a part of one, has a
-- distribution q of the label, too, but its q are not those of V parents: what a layer clusters are no synonyms, and
-- the patches at other places of the string are not of the same kind as the first. Only s' = s (or a power of it, with
-- more samples) keeps all of the label's information in V clusters a layer.
--
-- Given s = s' and d the networks pad strings at their end with a symbol of its own up to the next power of s'.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "branching_factor",
  summary = "The chain and a CNN that assume patches of s' tokens, s' = 2 to 6, on grammars with s = 2, 3 and 4.",
  theory = "with s' = s each layer has V clusters of synonyms, alike at all places; other patches have not. Strings "
    .. "are padded at the end with a symbol of its own to a length s'^L', L' the smallest that will do.",
  seeds = {full = 5, quick = 1, text = "Grammars of each s, with strings of their own."},
  options = function(parser)
    parser:option("--samples", "Strings to train on (default: 1000 and 10000, with --quick 4000)."):argname "<n>"
      :convert(experiment.whole("--samples", 1))
  end,
}
local samples = {x.args.samples}
if #samples == 0 then samples = x.quick and {4000} or {1000, 10000} end
local shapes = {{s = 2, V = 8, m = 2, L = 4}, {s = 3, V = 8, m = 2, L = 3}, {s = 4, V = 8, m = 4, L = 2}}

-- Mutual information of neighbouring tokens: the mean across the borders of assumed patches divided by the mean inside.
local function border(data, assumed)
  local sum, count = {[true] = 0, [false] = 0}, {[true] = 0, [false] = 0}
  local strings, n = {}, #data
  for i = 1, n do strings[i] = data:tokens(i) end
  for k = 1, data.d - 1 do
    local pair, left, right = {}, {}, {}
    for _, string in ipairs(strings) do
      local a, b = string[k], string[k + 1]
      local code = a << 16 | b
      pair[code], left[a], right[b] = (pair[code] or 0) + 1, (left[a] or 0) + 1, (right[b] or 0) + 1
    end
    local information = 0
    for code, c in pairs(pair) do
      information = information + c / n * math.log(c * n / (left[code >> 16] * right[code & 0xFFFF]))
    end
    local at = k % assumed == 0
    sum[at], count[at] = sum[at] + information, count[at] + 1
  end
  return (sum[true] / count[true]) / (sum[false] / count[false])
end

local function learn(p, seed)
  local g = experiment.grammars(p, 1, seed)[seed]
  local data, test = g:sample{ n=p.N, seed=seed }, g:sample{ n=5000, seed=seed + 1000 }
  local net = rhm.network{ V=g.V, s=p.assumed, d=g.d, linkage="average", seed=seed }
  net:train{ from=data, progress=false }
  local apart, kinds, list = 1000, {}, {}
  for l = net.L, 1, -1 do
    local layer = net:layer(l):diagnostics()
    apart = math.min(apart, layer.rho / layer.eps_S)
    for _, warning in ipairs(layer.warnings) do
      local kind = warning:match "^[^:]*"
      if not kinds[kind] then list[#list + 1] = kind end
      kinds[kind] = true
    end
  end
  local cnn = rhm.cnn{ V=g.V, s=p.assumed, d=g.d, h=64, seed=seed }
  cnn:train{ from=data, epochs=60, progress=false }
  return { chain=net:accuracy(test), cnn=cnn:accuracy(test), border=border(data, p.assumed), apart=apart,
    warnings=table.concat(list, ", ") }
end

local cells = {}
for _, N in ipairs(samples) do
  for _, shape in ipairs(shapes) do
    for assumed = 2, 6 do
      cells[#cells + 1] = {V = shape.V, m = shape.m, s = shape.s, L = shape.L, assumed = assumed, N = N}
    end
  end
end

local r = x:sweep{ parameters=cells, run=learn }

-- Of the runs, those that the layers warn of: where the chain has learned, and where it has not.
local function alarms()
  local list, learned, failed = {{"no warning", 0, 0}, {"any warning", 0, 0}}, 0, 0
  list["no warning"], list["any warning"] = list[1], list[2]
  local function count(name, place)
    if not list[name] then
      list[name] = {name, 0, 0}
      list[#list + 1] = list[name]
    end
    list[name][place] = list[name][place] + 1
  end
  for _, row in ipairs(r.rows) do
    if row.status == "done" then
      local place = row.chain >= 0.9 and 2 or 3
      if place == 2 then learned = learned + 1 else failed = failed + 1 end
      count(row.warnings == "" and "no warning" or "any warning", place)
      for kind in row.warnings:gmatch "[^,]+" do count(kind:match "^ *(.*)", place) end
    end
  end
  x:table({"runs with", ("of %d with accuracy >= .9"):format(learned), ("of %d below"):format(failed)}, list)
end

-- In how many grammars the assumed borders that stand out most are those of s, or of a power of it.
local function borders(N)
  local best = {}
  for _, row in ipairs(r.rows) do
    local key = row.s .. " " .. row.seed
    if row.status == "done" and row.N == N and (not best[key] or row.border < best[key].border) then best[key] = row end
  end
  local all, right = 0, 0
  for _, row in pairs(best) do
    local rest = row.assumed
    while rest % row.s == 0 do rest = rest // row.s end
    all, right = all + 1, right + (rest == 1 and 1 or 0)
  end
  x:say("N = %d: the s' with the smallest ratio of borders is s or a power of s in %d of %d grammars", N, right, all)
end

x:finish(function()
  local rows, series = {}, {}
  for _, cell in ipairs(cells) do
    local d = cell.s ^ cell.L
    local L = rhm.cnn{ V=2, s=cell.assumed, d=d // 1 | 0, h=1 }.L
    local function median(measure) return experiment.median(experiment.values(r.rows, measure, cell)) end
    rows[#rows + 1] = {cell.N, cell.s, cell.assumed, L, math.tointeger(cell.assumed ^ L - d), median "chain",
      median "cnn", median "apart", median "border"}
    if cell.N == samples[#samples] then
      local line = series[#series]
      if not line or line.s ~= cell.s then
        line = {s = cell.s, x = {}, y = {}, label = "s = " .. cell.s}
        series[#series + 1] = line
      end
      line.x[#line.x + 1], line.y[#line.y + 1] = cell.assumed, median "chain" or 0 / 0
    end
  end
  for _, line in ipairs(series) do line.s = nil end
  x:say("Grammars (V,m,s,L) = (8,2,2,4), (8,2,3,3), (8,4,4,2), medians over %d of each; 5000 test strings. rho~/eps_S: "
    .. "the smallest of a layer. borders: mutual information of neighbouring tokens, across the assumed borders "
    .. "divided by inside.", x.seeds)
  print ""
  x:table({"N", "s", "s'", "L'", "padding", "chain", "CNN", "rho~/eps_S", "borders"}, rows, "%.3f")
  print ""
  alarms()
  for _, N in ipairs(samples) do borders(N) end
  x:plot{ series=series, xlabel="assumed s'", ylabel="accuracy", yrange={ 0, 1.05 },
    title="the chain with patches of s' tokens, N = " .. samples[#samples] }
end)
