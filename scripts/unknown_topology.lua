-- unknown_topology.lua - is the tree of strings seen in the strings? rhm.infer_branching on grammars of known trees.
--
-- The paper's learner is given s and L. Its data tell them: neighbours under one symbol share an s-tuple of which only
-- m V of V^s exist, neighbours on two sides of a border only what passes through their parents. Where m V = V^s all
-- tuples exist, tokens are independent and the label alone sees the tree; where tokens are shuffled there is none.
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "unknown_topology",
  summary = "The branching factors inferred from strings alone, and the chain that uses them.",
  theory = "The dependence of two tokens falls with the level of their first common symbol, by about (V/m)^2 a level "
    .. "and more: cuts into patches stand out while m V < V^s. With m V = V^s tokens are independent; pairs of one "
    .. "patch then tell of the label what neither tells alone, a signal of m^-L. Shuffled tokens have no tree to be "
    .. "found.",
  seeds = {full = 1, quick = 1, text = "Grammars of each cell."},
  options = function(parser)
    parser:option("--samples", "Strings a data set (default: 100000, with --quick 20000)."):argname "<n>"
      :convert(experiment.whole("--samples", 100))
  end,
}
local N = x.args.samples or (x.quick and 20000 or 100000)

local cells = {}
local function add(kind, V, m, s, L, draws)
  for draw = 1, draws or 1 do
    cells[#cells + 1] = {kind = kind, V = V, m = m, s = s, L = L, N = N, draw = draw}
  end
end
local rules = { ["2 8"]={2, 3, 4, 5, 6, 7}, ["2 16"]={2, 3, 4, 6, 8, 12, 15}, ["3 8"]={2, 4, 8, 16, 32, 48, 60},
  ["3 16"]={2, 4, 8, 32, 64, 128}, ["4 8"]={2, 4, 8, 32, 128, 256, 448}, ["4 16"]={2, 4, 8, 32, 128, 512, 1024} }
for _, s in ipairs{2, 3, 4} do
  for _, V in ipairs(x.quick and {8} or {8, 16}) do
    for i, m in ipairs(rules[s .. " " .. V]) do
      for L = 2, x.quick and 2 or 4 do
        if not x.quick or i % 3 == 1 then add("one s", V, m, tostring(s), L) end
      end
    end
  end
end
for _, s in ipairs(x.quick and {"2,3", "4,2"} or {"2,3", "3,2", "2,4", "4,2", "2,3,2", "3,2,3", "4,2,2", "2,2,4",
  "2,3,4",
    "4,3,2", "2,2,3,2", "3,2,2,2"}) do
  for _, m in ipairs(x.quick and {4} or {3, 6}) do add("s by level", 8, m, s, select(2, s:gsub(",", "")) + 1) end
end
for _, s in ipairs{2, 3} do -- 5 shapes x 2 ways x 4
  for L = 2, s == 2 and 4 or 3 do
    add("shuffled within", 8, 4, tostring(s), L, x.quick and 1 or 4)
    add("shuffled across", 8, 4, tostring(s), L, x.quick and 1 or 4)
  end
end
for _, shape in ipairs{ {4, 2}, {8, 2}, {16, 2}, {4, 3}, {8, 3} } do
  for L = 2, x.quick and 2 or 4 do
    add("m V = V^s", shape[1], shape[1] ^ (shape[2] - 1) // 1 | 0, tostring(shape[2]), L, x.quick and 1 or 4)
  end
end

-- The tokens of each string, or of each place, in another order.
local function shuffle(d, across, seed)
  local tokens, labels = {}, {}
  for i = 1, #d do tokens[i], labels[i] = d:tokens(i), d:label(i) end
  math.randomseed(seed)
  for i = 1, #d do
    for j = 1, d.d do
      local k = math.random(across and i or j)
      local other, place = across and tokens[k] or tokens[i], across and j or k
      tokens[i][j], other[place] = other[place], tokens[i][j]
    end
  end
  return rhm.dataset{ tokens=tokens, labels=labels, V=d.V, classes=d.classes }
end

local function text(s)
  if type(s) ~= "table" then return s and tostring(s) or "none" end
  return table.concat(s, ",")
end

local function infer(p, seed)
  local list = {}
  for s in p.s:gmatch "%d+" do list[#list + 1] = tonumber(s) end
  local g = rhm.grammar{ V=p.V, m=p.m, s=#list > 1 and list or list[1], L=p.L, seed=1000 * seed + 100 * p.draw + p.m }
  local d = g:sample{ n=p.N, seed=seed }
  if p.kind:find "shuffled" then d = shuffle(d, p.kind:find "across", seed + p.draw) end
  local start = rhm.clock()
  local r = rhm.infer_branching(d)
  local result = { right=text(r.s) == p.s and r.L == p.L and 1 or 0, said=r.s and 1 or 0, established=r.established,
    confident=r.confident and 1 or 0, seconds=rhm.clock() - start }
  if r.s and p.m <= 4 and g.d <= 100 and not p.kind:find "shuffled" then
    local net = rhm.network{ V=p.V, s=r.s, L=r.L, classes=d.classes, M=1024, seed=seed }
    net:train{ from=d, progress=false }
    result.accuracy = net:accuracy(g:sample{ n=2000, seed=seed + 1000000 })
  end
  return result
end

local r = x:sweep{ parameters=cells, run=infer }
x:finish(function()
  local function sum(measure, which)
    local total = 0
    for _, value in ipairs(experiment.values(r.rows, measure, which)) do total = total + value end
    return total
  end
  local head = {"strings", "s", "sets", "right", "sure", "wrong", "open", "seen", "chain", "time"}
  local lines, seen = {}, {}
  for _, kind in ipairs{"one s", "s by level", "shuffled within", "shuffled across", "m V = V^s"} do
    for _, cell in ipairs(cells) do
      local group = kind == "s by level" and kind or kind .. cell.s .. (kind == "m V = V^s" and cell.V .. " " .. cell.L
        or "")
      if cell.kind == kind and not seen[group] then
        seen[group] = true
        local which = {kind = kind}
        if kind ~= "s by level" then which.s = cell.s end
        if kind == "m V = V^s" then which.V, which.L = cell.V, cell.L end
        local n, wrong, levels = #experiment.values(r.rows, "said", which), 0, 0
        for _, row in ipairs(r.rows) do
          local fits = row.status == "done"
          for key, value in pairs(which) do fits = fits and row.parameters[key] == value end
          if fits and row.confident == 1 and (row.right == 0 or kind:find "shuffled") then wrong = wrong + 1 end
          if fits then levels = levels + row.parameters.L end
        end
        local accuracies, good = experiment.values(r.rows, "accuracy", which), 0
        for _, accuracy in ipairs(accuracies) do if accuracy >= 0.95 then good = good + 1 end end
        lines[#lines + 1] = {kind == "m V = V^s" and ("%d^%s, L = %d"):format(cell.V, cell.s, cell.L) or kind,
          kind == "s by level" and "lists" or cell.s, n, kind:find "shuffled" and "-" or sum("right", which),
          sum("confident", which), wrong, n - sum("said", which), ("%d of %d"):format(sum("established", which),
            levels),
          #accuracies > 0 and ("%d of %d"):format(good, #accuracies) or "-",
          ("%.2g s"):format(experiment.median(experiment.values(r.rows, "seconds", which)))}
      end
    end
  end
  x:say("%d strings a data set. right: s and L as in the grammar; sure: every level established by the strings; wrong: "
    .. "sure and not right; open: it cannot tell; seen: levels established, not assumed; chain: how many reach an "
    .. "accuracy of .95 with the tree that was found; time: median. V^s, L: grammars with m V = V^s, the others have "
    .. "m V < V^s", N)
  print ""
  x:table(head, lines)
  local one = {kind = "one s"}
  print ""
  x:say("one s: right in %d of %d data sets, of which %d sure of every level", sum("right", one),
    #experiment.values(r.rows, "said", one), sum("confident", one))
  local series = {}
  for _, s in ipairs{"2", "3", "4"} do
    local line, ms = {x = {}, y = {}, label = "s = " .. s, points = true}, {}
    for _, cell in ipairs(cells) do
      if cell.kind == "one s" and cell.s == s and not ms[cell.m] then
        ms[cell.m] = true
        local which = {kind = "one s", s = s, m = cell.m}
        local of = 0
        for _, row in ipairs(r.rows) do
          if row.parameters.kind == "one s" and row.parameters.s == s and row.parameters.m == cell.m then
            of = of + row.parameters.L
          end
        end
        line.x[#line.x + 1], line.y[#line.y + 1] = cell.m, of > 0 and sum("established", which) / of or nil
      end
    end
    local order, sorted = {}, {x = {}, y = {}, label = line.label}
    for i in ipairs(line.x) do order[i] = i end
    table.sort(order, function(a, b) return line.x[a] < line.x[b] end)
    for i, k in ipairs(order) do sorted.x[i], sorted.y[i] = line.x[k], line.y[k] end
    series[#series + 1] = sorted
  end
  x:plot{ series=series, log="x", xlabel="m", ylabel="share of levels seen", title="levels that show in the strings",
    yrange={ 0, 1.05 } }
end)
