-- positions.lua - layers that learn from all patches of their level, against layers that learn from the first.
--
-- The rules of a level are the same at every place, and synonyms share q at each. A layer that sees all s^(l-1) patches
-- of a string (position = "all") needs fewer strings, and learns symbols that never stand first: no N helps the first
-- place there.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "positions",
  summary = "Accuracy of the chain against the strings of one data set, first patches and all patches; and grammars in "
    .. "which symbols never stand first.",
  theory = "q of the places of a level differ, and each is as good as the first: s^(l-1) places give about s^(l-1) "
    .. "times the samples, less what is lost in telling signal from noise in more numbers. A symbol that never stands "
    .. "first has no q^(l) there, whatever N.",
  seeds = {full = 10, quick = 4, text = "Grammars of each shape, all that are drawn, with a data set each."},
  options = function(parser)
    parser:option("--missing", "Symbols of one level that never stand first, at least, in the grammars of the second "
      .. "part.", "2"):argname "<k>":convert(experiment.whole("--missing", 1))
  end,
}
local POSITIONS = {"first", "all"}

-- --- one data set of N strings for all layers ---------------------------------------------------------------------

local shapes = {["(8,4,2,3)"] = {4, 3}, ["(8,8,2,3)"] = {8, 3}, ["(8,4,2,4)"] = {4, 4}}
local names = x.quick and {"(8,4,2,3)"} or {"(8,4,2,3)", "(8,8,2,3)", "(8,4,2,4)"}
local Ns = x.quick and {300, 1000, 3000} or {300, 500, 1000, 2000, 5000, 10000, 30000}
local data = x:sweep{ name="data", grid={ shape=names, N=Ns, position=POSITIONS },
  run=function(p, seed)
    local g = rhm.grammar{ V=8, m=shapes[p.shape][1], s=2, L=shapes[p.shape][2], seed=seed }
    local net = rhm.network{ V=8, s=2, L=g.L, seed=seed } -- knows the sizes only
    net:train{ from=g:sample{ n=p.N, seed=seed + 1000 }, position=p.position, progress=false }
    return { accuracy=net:accuracy(g) }
  end }

-- --- grammars that fail the assumption only because symbols never stand first -------------------------------------

local function missing_of(g)
  local check, most = g:check(), 0
  if check.ok then return 0 end
  for l = 1, g.L do
    if not (check.levels[l].gap > 1e-12) then return 0 end
    most = math.max(most, #check.levels[l].missing)
  end
  return most
end

local function failing(count, k)
  local list, seed = {}, 0
  while #list < count do
    seed = seed + 1
    local g = rhm.grammar{ V=16, m=4, s=2, L=5, seed=seed }
    if missing_of(g) >= k then list[#list + 1] = g end
    if seed >= 20000 then
      io.stderr:write(("rhm positions: --missing %d: %d of 20000 grammars (16,4,2,5) have so many, 5 wanted; "
        .. "lower it\n")
        :format(k, #list))
      os.exit(1)
    end
  end
  return list
end

local FIRST, ALL = 10000000, 10000
local failed = x:sweep{ name="missing", seeds=1, grid={ number={1, 2, 3, 4, 5}, position=POSITIONS },
  run=function(p)
    local g = failing(p.number, x.args.missing)[p.number]
    local net = rhm.network{ grammar=g, seed=1 }
    local r = net:train{ from=g, n=p.position == "all" and ALL or FIRST, position=p.position, progress=false }
    return { accuracy=r.accuracy, seconds=r.seconds, grammar=g.seed, missing=missing_of(g) }
  end }

-- --- what they say ------------------------------------------------------------------------------------------------

x:finish(function()
  local rows, series = {}, {}
  for _, shape in ipairs(names) do
    for _, position in ipairs(POSITIONS) do
      local line = {x = {}, y = {}, label = shape .. " " .. position}
      for i, N in ipairs(Ns) do
        local list = experiment.values(data.rows, "accuracy", {shape = shape, N = N, position = position})
        line.x[i], line.y[i] = N, experiment.median(list)
        rows[#rows + 1] = {shape, position, N, ("%.4f"):format(line.y[i] or 0 / 0),
          ("%.4f"):format(experiment.mean(list) or 0 / 0), ("%.4f"):format(experiment.quantile(list, 0) or 0 / 0)}
      end
      series[#series + 1] = line
    end
  end
  x:say("exact accuracy over %s of each shape, one data set of N strings for all layers; the grammar is not "
    .. "known to the network", x.grammars)
  print ""
  x:table({"(V,m,s,L)", "position", "N", "median", "mean", "least"}, rows)
  print ""
  x:say("five grammars (16,4,2,5) in which %d or more symbols of a level never stand first, and nothing else fails: "
    .. "from N = %g first patches a layer, and from all patches of N = %g drawn strings a layer", x.args.missing, FIRST,
    ALL)
  print ""
  local five = {}
  for i = 1, 5 do
    five[i] = {}
    for _, row in ipairs(failed.rows) do
      if row.parameters.number == i and row.status == "done" then
        five[i][1], five[i][2] = row.grammar, row.missing
        local at = row.parameters.position == "first" and 3 or 5
        five[i][at], five[i][at + 1] = ("%.4f"):format(row.accuracy), ("%.1f s"):format(row.seconds)
      end
    end
  end
  x:table({"seed", "missing", "first", "time", "all", "time"}, five)
  x:plot{ series=series, log="x", xlabel="strings", ylabel="median accuracy", title="First patches and all patches" }
end)
