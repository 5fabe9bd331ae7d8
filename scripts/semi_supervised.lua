-- semi_supervised.lua - how far strings without labels replace labels, by EM on the whole tree.
--
-- A string without a label says which tuples stand beside which: where m V < V^s that tells of synonyms, and the labels
-- need only name what was found. Where m V = V^s every string is as likely as any other, and tells nothing. In either
-- case only labels tell which label the tuples at the top belong to: a rule of the top that no labelled string uses is
-- guessed, but for what the others leave over (each label has m).
local experiment = require "rhm.experiment"

local x = experiment.new{
  name = "semi_supervised",
  summary = "Accuracy of net:refine against the number of labels, for several numbers of strings without labels.",
  theory = "with m V < V^s neighbours depend on each other, so that unlabelled strings tell of the rules, and labels "
    .. "are only needed to name the rules of the top, of which n labels use a share 1 - (1 - 1/(C m))^n; with m V = "
    .. "V^s the tokens are independent and unlabelled strings are worth nothing.",
  seeds = {full = 10, quick = 3, text = "Grammars and data sets."},
}
local TEST = 10000

local function learn(p, seed)
  local g = rhm.grammar{ V=p.V, m=p.m, s=2, L=p.L, seed=seed }
  local test, all = g:sample{ n=TEST, seed=2 * seed + 1 }, g:sample{ n=p.labels + p.unlabelled, seed=2 * seed }
  -- the first strings keep their labels, whatever comes after them
  local tokens, labels = {}, {}
  for i = 1, #all do tokens[i], labels[i] = all:tokens(i), i <= p.labels and all:label(i) or 0 end
  local data = rhm.dataset{ tokens=tokens, labels=labels, V=p.V, classes=p.V }
  local net = rhm.network{ V=p.V, s=2, L=p.L, seed=seed }
  local r = net:refine{ from=data, progress=false }
  return {accuracy = net:accuracy(test), log_label = r.log_label, starts = r.starts}
end

-- {V, m, L, labels, strings without}
local shapes = x.quick and {{8, 4, 3, {100}, {0, 900}}}
  or {{8, 4, 3, {50, 100, 200}, {0, 200, 1000, 4000}}, {8, 8, 3, {1000, 1600}, {0, 2000}}}
local cells = {}
for _, s in ipairs(shapes) do
  for _, labels in ipairs(s[4]) do
    for _, unlabelled in ipairs(s[5]) do
      cells[#cells + 1] = {V = s[1], m = s[2], L = s[3], labels = labels, unlabelled = unlabelled}
    end
  end
end

local r = x:sweep{ parameters=cells, run=learn }
x:finish(function()
  x:say("median accuracy on %d fresh strings over %s, and how many are learned to .99; seen: share of the "
    .. "rules of the top that so many labelled strings use, expected", TEST, x.grammars)
  local series = {}
  for _, s in ipairs(shapes) do
    local lines, head = {}, {"labels", "seen"}
    for k, unlabelled in ipairs(s[5]) do
      head[k + 2] = "+" .. unlabelled
      if s == shapes[1] then series[k] = {x = {}, y = {}, label = unlabelled .. " without labels"} end
    end
    for _, labels in ipairs(s[4]) do
      local line = {labels, 1 - (1 - 1 / (s[1] * s[2])) ^ labels}
      for k, unlabelled in ipairs(s[5]) do
        local values = experiment.values(r.rows, "accuracy",
          {V = s[1], m = s[2], L = s[3], labels = labels, unlabelled = unlabelled})
        local reached, median = 0, experiment.median(values)
        for _, a in ipairs(values) do reached = reached + (a >= 0.99 and 1 or 0) end
        line[k + 2] = median and ("%.3f %2d/%d"):format(median, reached, #values) or nil
        if s == shapes[1] and median then
          table.insert(series[k].x, labels)
          table.insert(series[k].y, median)
        end
      end
      lines[#lines + 1] = line
    end
    print ""
    x:say("(V,m,s,L) = (%d,%d,2,%d), m V %s V^s; strings without a label:", s[1], s[2], s[3],
      s[1] * s[2] < s[1] ^ 2 and "<" or "=")
    x:table(head, lines, "%.3f")
  end
  x:plot{ series=series, log="x", xlabel="labels", ylabel="accuracy", title="(8,4,2,3)" }
end)
