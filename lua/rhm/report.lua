-- report.lua - what the result tables of the C API print: g:check(), net:train(), the inspections of a layer.
local M = {}

local branches = require "rhm.branches"
local grid = require "rhm.grid"
local printer = require "rhm.print"
local format, rep, find, gsub, concat = string.format, string.rep, string.find, string.gsub, table.concat
local insert = table.insert
local ceil, floor, huge, max, min = math.ceil, math.floor, math.huge, math.max, math.min

-- How many rows a long table prints before it is elided.
M.limits = {patches = 40, clusters = 16, synonyms = 12, nodes = 40, tokens = 16}

-- --- numbers ------------------------------------------------------------------------------------------------------

-- 20000, 1.6e+08: whole numbers as they are while they are short.
local function count(n)
  if not n then return "" end
  return n < 1e7 and format("%d", n) or format("%.3g", n)
end

local function number(x, digits)
  if not x then return "-" end
  if x == huge then return "inf" end
  local text = format("%." .. (digits or 4) .. "g", x)
  if digits == 3 and find(text, "^%-?0%.000") then text = gsub(format("%.2e", x), "e%-0", "e-") end -- two columns less
  return text
end

local function seconds(x)
  return x and format("%.3f s", x) or "-"
end

local function plural(n, one, many)
  return format("%d %s", n, n == 1 and one or many or one .. "s")
end

-- --- facts -----------------------------------------------------------------------------------------------------------

-- "name  value" lines, long values wrapped.
local function facts(list)
  local wide, lines = 0, {}
  for _, fact in ipairs(list) do wide = max(wide, printer.columns(fact[1])) end
  local pad = rep(" ", wide + 4)
  for _, fact in ipairs(list) do
    if fact[2] then
      local text = printer.wrap(fact[2], printer.width(), pad)
      lines[#lines + 1] = "  " .. fact[1] .. rep(" ", wide - printer.columns(fact[1])) .. text:sub(wide + 3)
    end
  end
  return concat(lines, "\n")
end

local function warn(lines, warnings)
  for _, warning in ipairs(warnings) do
    local text = printer.wrap(warning, printer.width() - 9)
    lines[#lines + 1] = "warning: " .. text:gsub("\n", "\n         ")
  end
end

-- "3, 5 and 8"
local function list_text(t)
  if #t == 1 then return tostring(t[1]) end
  local shown = min(#t, 12)
  local text = concat(t, ", ", 1, shown == #t and shown - 1 or shown)
  return shown == #t and text .. " and " .. t[#t] or format("%s and %d more", text, #t - shown)
end

-- --- g:check() ----------------------------------------------------------------------------------------------------

-- A parent that stands first more rarely than this share of the average one is worth a word; so is a K_rho this small.
M.rare, M.small_K = 0.05, 0.1

local function check_warnings(t)
  local warnings, needed, worst = {}, 0, 1
  for l, level in ipairs(t.levels) do
    local parents = l == 1 and t.classes or t.V
    if level.gap and level.gap < huge and level.gap > 0 and t.V * t.m / level.gap ^ 2 > needed then
      needed, worst = t.V * t.m / level.gap ^ 2, l
    end
    if level.pmin and #level.missing == 0 and level.pmin * parents < M.rare then
      warnings[#warnings + 1] = format("at level %d a parent stands first in only %.2g %% of the strings: its patches "
        .. "need %.0f times the samples of an average one", l, 100 * level.pmin, 1 / (level.pmin * parents))
    end
  end
  if t.ok and t.K < M.small_K then
    warnings[#warnings + 1] = format("K_rho = %.3g is small: samples needed ~ V m/rho^2 = %.2g at level %d", t.K,
      needed,
      worst)
  end
  if t.token_noise > 0 then
    warnings[#warnings + 1] = format("token noise %g: a rule's %d tokens arrive whole in %.3g %% of the patches; the "
      .. "gaps are those of true parents", t.token_noise, t.s, 100 * (1 - t.token_noise * (1 - 1 / t.V)) ^ t.s)
  end
  if t.label_noise > 0 then
    warnings[#warnings + 1] = format("label noise %g: gaps and K_rho are %g of those without it", t.label_noise,
      1 - t.label_noise)
  end
  return warnings
end

-- Level numbers as ranges: "2, 5 to 9"
local function levels_text(levels)
  local parts, i = {}, 1
  while i <= #levels do
    local k = i
    while levels[k + 1] == levels[k] + 1 do k = k + 1 end
    if k - i < 2 then
      for j = i, k do parts[#parts + 1] = format("%d", levels[j]) end
    else
      parts[#parts + 1] = format("%d to %d", levels[i], levels[k])
    end
    i = k + 1
  end
  return concat(parts, ", ")
end

local function check_reasons(t)
  local reasons, equal = {}, {}
  for l, level in ipairs(t.levels) do
    local one, label = #level.missing == 1, l == 1
    if #level.missing > 0 then
      reasons[#reasons + 1] = format("%s %s of level %d never %s first: %s patches have no q at level %d",
        label and (one and "label" or "labels") or one and "symbol" or "symbols", list_text(level.missing), l - 1,
        one and "stands" or "stand", one and "its" or "their", l)
    end
    if level.gap and level.gap <= 1e-12 then equal[#equal + 1] = l end
  end
  if #equal > 0 then
    local pair = #equal == 1 and t.levels[equal[1]].nearest
    reasons[#reasons + 1] = format("at level%s %s two parents%s have the same q: no number of samples tells them apart",
      #equal > 1 and "s" or "", levels_text(equal), pair and format(" (%d and %d)", pair[1], pair[2]) or "")
  end
  return reasons
end

function M.check(t)
  local rows = {{"level", "parents", "gap rho", "K", "p_min", "missing", "V m/rho^2"}}
  for l = #t.levels, 1, -1 do
    local level = t.levels[l]
    rows[#rows + 1] = {format("%d", l), format("%d", l == 1 and t.classes or t.V), number(level.gap), number(level.K),
      number(level.pmin), format("%d", #level.missing),
      level.gap and level.gap > 0 and level.gap < huge and count(floor(t.V * t.m / level.gap ^ 2 + 0.5)) or "-"}
  end
  local head = format("Assumption 4.1 %s: (V, m, s, L) = (%d, %d, %s, %d), %d classes, K_rho = %s",
    t.ok and "holds" or "fails", t.V, t.m, branches.text(t.s), t.L, t.classes, number(t.K))
  local lines = {printer.wrap(head, printer.width()), (grid(rows))}
  if t.ok then
    lines[#lines + 1] = printer.wrap("every parent of every level stands first somewhere, and their q differ: it can "
      .. "be learned", printer.width())
  else
    for _, reason in ipairs(check_reasons(t)) do
      lines[#lines + 1] = (printer.wrap(reason, printer.width()))
    end
  end
  warn(lines, check_warnings(t))
  return concat(lines, "\n")
end

-- --- net:train() --------------------------------------------------------------------------------------------------

local function accuracy_text(accuracy)
  return accuracy and format("accuracy %.4f", accuracy) or "accuracy not known: net:accuracy(d) on a data set"
end

local function result_table(r, digits)
  local rows = {{"level", "samples", "patches", "clusters", "steps", "sigma", "rho~", "eps_S", "gap", "error", "time"}}
  for l = #r.levels, 1, -1 do
    local v = r.levels[l]
    rows[#rows + 1] = {format("%d", l), count(v.n), count(v.patches), count(v.clusters),
      v.steps and v.steps > 0 and count(v.steps) or "", number(v.sigma, digits), number(v.rho, digits),
      number(v.eps_S, digits), number(v.gap, digits), number(v.error, digits), seconds(v.seconds)}
  end
  return grid(rows)
end

function M.result(r)
  local text, wide = result_table(r, 4)
  if wide > printer.width() then text = result_table(r, 3) end
  return format("%s\n%s, %s", text, accuracy_text(r.accuracy), seconds(r.seconds))
end

-- ", start 2 of 5, sweep 12 of 250, loss 0.31": where a training stands that is not of levels.
local function work_facts(p)
  local parts = {""}
  for _, what in ipairs {p.group or false, p.unit or false} do
    local all = what and p[what .. "s"]
    if what then parts[#parts + 1] = format("%s %d%s", what, p[what], all and format(" of %d", all) or "") end
  end
  if not p.unit then parts[#parts + 1] = p.stage end
  for _, name in ipairs {"loss", "log_label", "accuracy", "held_loss", "held_accuracy", "held_out"} do
    if p[name] then parts[#parts + 1] = format("%s %s", name:gsub("_", " "), number(p[name])) end
  end
  return concat(parts, ", ")
end

function M.progress(p)
  local rows = {{"level", "phase", "samples", "of", "patches", "step", "of", "loss", "rate", "left", "time"}}
  for l = #p.levels, 1, -1 do
    local v = p.levels[l]
    rows[#rows + 1] = {format("%d", l), v.phase, v.drawn > 0 and count(v.drawn) or "", v.n > 0 and count(v.n) or "",
      v.patches > 0 and count(v.patches) or "", v.steps > 0 and count(v.step) or "", v.steps > 0 and count(v.steps)
        or "",
      v.loss and number(v.loss) or "", v.rate and number(v.rate, 3) .. "/s" or "",
      v.left and format("%.0f s", ceil(v.left)) or "", v.seconds and seconds(v.seconds) or ""}
  end
  local head = format("%s, %s", p.state, seconds(p.seconds))
  if p.kind ~= "chain" then return head .. work_facts(p) end
  return #rows > 1 and head .. "\n" .. grid(rows, {[2] = true}) or head
end

-- net:refine, net.refined.
function M.refined(r)
  local sharp = {}
  for l, h in ipairs(r.entropy) do sharp[#sharp + 1] = format("%d: %.3f", l, h) end
  return format("%s strings, %s: start %d of %d, sweep %d%s\n%s", count(r.n),
    r.labelled == r.n and "all labelled" or count(r.labelled) .. " labelled", r.start, r.starts, r.sweep,
    r.seconds and ", " .. seconds(r.seconds) or "", facts {
    {"training", format("accuracy %.4f, log P(label) %s, log P(string, label) %s", r.accuracy, number(r.log_label),
      number(r.log_joint))},
    {"held-out", r.held_out and format("log P(label) %s", number(r.held_out))},
    {"rules", r.m and format("each tuple has one parent, of %d rules", r.m)},
    {"entropy", "of P(symbol | tuple) by level, 1 at random:  " .. concat(sharp, "  ")},
  })
end

-- cnn:train.
function M.cnn(r)
  local why = {epochs = "all done", loss = "the loss is low enough", held_out = "the held-out loss no longer falls"}
  return format("%s strings, %s, %s: %s, %s\n%s", count(r.n), plural(r.epochs, "epoch"), plural(r.steps, "step"),
    why[r.ended_by], seconds(r.seconds), facts {
    {"training", format("loss %s, accuracy %.4f", number(r.loss), r.accuracy)},
    {"held-out", r.held_loss and format("loss %s, accuracy %.4f", number(r.held_loss), r.held_accuracy)},
  })
end

-- shallow:train.
function M.shallow(r)
  return format("%s strings, sigma = %s: accuracy %.4f on them, %s", count(r.n), number(r.sigma), r.accuracy,
    seconds(r.seconds))
end

-- onestep:train.
function M.onestep(r)
  local rows = {{"level", "patches", "clusters", "within", "between", "time"}}
  for l = #r.levels, 1, -1 do
    local v = r.levels[l]
    rows[#rows + 1] = {tostring(l), count(v.patches), count(v.clusters), v.within and number(v.within) or "-",
      v.between and number(v.between) or "-", seconds(v.seconds)}
  end
  return format("%s\n%s strings: accuracy %.4f on them, %s", (grid(rows)), count(r.n), r.accuracy, seconds(r.seconds))
end

-- What stays of a job that went with its network; the same line as a job's own.
function M.job(t)
  return format("job %d: %s: %s%s, %.2f s%s", t.id, t.name, t.state,
    t.accuracy and format(", accuracy %.4f", t.accuracy) or "", t.seconds, t.error and ": " .. t.error or "")
end

-- Where a job that has not ended stands: "level 2, solving, 41 %"
local function place(job)
  local p = job.progress -- a record has none
  local v = p and p.levels[p.level]
  if not p or p.state == "queued" or p.state == "done" or p.state == "stopped" or p.state == "failed" then return "" end
  if p.kind ~= "chain" then return work_place(p) or "" end
  if not v then return "" end
  local done, all = v.drawn, v.n
  if v.phase == "solving" then done, all = v.step, v.steps end
  local share = (v.phase == "sampling" or v.phase == "solving") and all > 0 and format(", %.0f %%", 100 * done / all)
    or ""
  return format("level %d, %s%s", p.level, v.phase, share)
end

function M.jobs(t)
  if #t == 0 then return "no jobs: net:train{ ... } makes one" end
  local rows, errors = {{"id", "job", "state", "at", "accuracy", "time"}}, {}
  for _, job in ipairs(t) do
    rows[#rows + 1] = {format("%d", job.id), job.name, job.state, place(job),
      job.accuracy and format("%.4f", job.accuracy) or "", format("%.2f s", job.seconds)}
    if job.error then errors[#errors + 1] = printer.wrap(format("job %d: %s", job.id, job.error), printer.width()) end
  end
  local text = grid(rows, {[2] = true, [3] = true, [4] = true})
  return #errors == 0 and text or text .. "\n" .. concat(errors, "\n")
end

-- --- layers -------------------------------------------------------------------------------------------------------

function M.layer(v)
  local head = format("layer %d of %d: %s, %s samples, %s distinct patches", v.level, v.L,
    v.trained and "trained" or "in training", count(v.n), count(v.patches))
  return head .. "\n" .. facts {
    {"steps", v.steps > 0 and format("%d of gradient descent", v.steps) or v.trained and "closed form" or "none yet"},
    {"loss", v.loss and number(v.loss)},
    {"sigma", v.sigma and number(v.sigma)},
    {"clusters", v.trained and format("%d, rho~ = %s, eps_S = %s", v.clusters, number(v.rho), number(v.eps_S))},
    {"exact", v.gap and format("gap %s, error of q^ %s", number(v.gap), number(v.error))},
  }
end

local function tuple_text(patch)
  return "(" .. concat(patch.tuple, " ") .. ")"
end

function M.patches(t)
  local rows, shown = {{"row", "patch", "count", "cluster", "parent"}}, min(#t, M.limits.patches)
  for i = 1, shown do
    local p = t[i]
    rows[#rows + 1] = {format("%d", i), tuple_text(p), count(p.count), p.cluster and format("%d", p.cluster) or "",
      p.parent and format("%d", p.parent) or ""}
  end
  local text = grid(rows)
  if shown < #t then text = text .. format("\n... (%d more)", #t - shown) end
  return text .. format("\n[%s]", plural(#t, "patch", "patches"))
end

-- One branch of the tree for each cluster; the patches that belong to another parent are marked with a star.
local function branch(lines, cluster, i)
  local head = cluster.parent and format("parent %d", cluster.parent) or format("cluster %d", i)
  lines[#lines + 1] = format("%s: %s, seen %s %s", head, plural(cluster.size, "synonym"), count(cluster.count),
    cluster.count == 1 and "time" or "times")
  local shown, texts = min(#cluster.patches, M.limits.synonyms), {}
  for k = 1, shown do
    local patch = cluster.patches[k]
    texts[k] = tuple_text(patch) .. (patch.misplaced and (patch.parent and format("*(of %d)", patch.parent) or "*")
      or "")
  end
  if shown < #cluster.patches then texts[shown + 1] = format("... (%d more)", #cluster.patches - shown) end
  lines[#lines + 1] = "  `- " .. printer.wrap(concat(texts, "\1"):gsub(" ", "\2"):gsub("\1", " "), printer.width() - 5)
    :gsub("\n", "\n     "):gsub("\2", " ")
end

function M.synonyms(t)
  local lines, shown = {}, min(#t, M.limits.clusters)
  for i = 1, shown do branch(lines, t[i], i) end
  if shown < #t then lines[#lines + 1] = format("... (%d more)", #t - shown) end
  if t.unknown then
    lines[#lines + 1] = format("unknown: %s without an output", plural(#t.unknown, "patch", "patches"))
  end
  lines[#lines + 1] = format("[level %d: %s%s]", t.level, plural(#t, "cluster"), not t.misplaced and ""
    or t.misplaced == 0 and ", all patches with their own parent"
    or format(", %s misplaced (*)", plural(t.misplaced, "patch", "patches")))
  return concat(lines, "\n")
end

-- The nodes of a tree, a line each: what the code stands for, its confidence, the tokens below. Nodes that are wrong
-- are marked with a star. leaves: s_1 ... s_L, from #t.tokens on padding.
local function parse_nodes(t, noisy, leaves, l, i, depth, rows)
  local nodes, s = t.levels[l], branches.at(t.s, l)
  if not nodes then return end
  local node = nodes[i]
  local wide = leaves // branches.product(t.s, 1, l - 1)
  local first, below = (i - 1) * wide + 1, min(i * wide, #t.tokens)
  local last = min(below, first + M.limits.tokens - 1)
  local tokens = first > below and "padding" or concat(t.tokens, " ", first, last) .. (last < below and " ..." or "")
  local name = node.unknown and "unknown" or node.parent and format("%d", node.parent)
    or node.code and format("code %d", node.code) or "new"
  local row = {}
  if noisy then
    if node.bayes and node.bayes ~= node.parent then name = name .. "*" end
    row = {node.bayes and format("%d", node.bayes) or "-", number(node.bayes_p)}
  elseif node.truth and node.truth ~= node.parent then
    name = format("%s*(%d)", name, node.truth)
  end
  insert(row, 1, number(node.p))
  insert(row, 1, rep("  ", depth) .. name)
  insert(row, format("%d", l))
  insert(row, tokens)
  rows[#rows + 1] = row
  for j = 1, s do parse_nodes(t, noisy, leaves, l + 1, (i - 1) * s + j, depth + 1, rows) end
end

-- A tree from its lowest level there is; without all layers it is a wood.
function M.parse(t)
  local top = 1
  while not t.levels[top] do top = top + 1 end
  local noisy = t.levels[top][1].bayes ~= nil -- token noise: nobody knows what stands there, but what is likeliest
  local rows = {noisy and {"symbol", "p", "likeliest", "p", "level", "tokens"} or {"symbol", "p", "level", "tokens"}}
  local L = top
  while t.levels[L + 1] do L = L + 1 end
  local leaves = branches.product(t.s, 1, L)
  for i = 1, #t.levels[top] do parse_nodes(t, noisy, leaves, top, i, 0, rows) end
  local all, wrong = #rows - 1, 0
  for l = top, #t.levels do
    for _, node in ipairs(t.levels[l]) do
      local truth = node.truth
      if noisy then truth = node.bayes end
      if truth and truth ~= node.parent then wrong = wrong + 1 end
    end
  end
  for k = #rows, M.limits.nodes + 2, -1 do rows[k] = nil end
  local lines = {(grid(rows, {[1] = true, [noisy and 6 or 4] = true}))}
  if all > M.limits.nodes then lines[2] = format("... (%d more)", all - M.limits.nodes) end
  lines[#lines + 1] = format("[%s%s]", t.label and format("label %d, p = %s", t.label, number(t.p))
    or format("%s: the layers below are not trained", #t.levels == top and format("level %d", top)
      or format("levels %d to %d", #t.levels, top)),
    wrong > 0 and format("; %s %s (*)", plural(wrong, "node is", "nodes are"),
      noisy and "not the likeliest symbol" or "another symbol") or "")
  return concat(lines, "\n")
end

-- g:bayes: what nobody can do better.
function M.bayes(t)
  local what = t.level == 0 and "the label" or format("the symbols of level %d", t.level)
  local lines = {t.exact and format("best possible accuracy for %s: %.6f, exact", what, t.accuracy)
    or format("best possible accuracy for %s: %.4f +- %.4f (95 %%: %.4f to %.4f), chance %.4g", what, t.accuracy,
      1.96 * t.error, t.low, t.high, t.chance)}
  if t.exact then
    lines[2] = t.n > 0 and format("over all %s strings", count(t.n))
      or "a string has one derivation: only label noise counts"
    return concat(lines, "\n")
  end
  lines[2] = format("over %s strings%s", count(t.n), t.counted
    and format("; the likeliest label is there in %.4f of %s", t.counted, count(t.labelled)) or "")
  if t.outside > 0 then
    lines[#lines + 1] = format("%s the grammar cannot give (token noise would explain %s), left out",
      plural(t.outside, "string", "strings"), t.outside == 1 and "it" or "them")
  end
  if t.ties > 0 then
    lines[#lines + 1] = format("%s where two labels are likeliest", plural(t.ties, "string", "strings"))
  end
  return concat(lines, "\n")
end

-- Why a level of r stays open, or could not be seen.
local function open_reason(r, level)
  local where = level.places == r.d and "the tokens" or format("the %d patches above", level.places)
  if level.reason == "independent" then return format("neighbours among %s are independent, as far as %s strings show",
    where, count(r.n)) end
  if level.reason == "no order" then return "the tokens depend on each other, but in no order: all pairs are alike" end
  if level.reason == "no border" then return format("no cut of %s stands out", where) end
  if level.reason == "composed" then
    return format("%s fall into blocks, but of more than one level, whose own borders do not stand out", where)
  end
  if level.reason == "too many" then return format("%s are of %s kinds, too many to count pairs of", where,
    count(level.codes)) end
  local best
  for _, c in ipairs(level.candidates) do if not best or (c.score or 0) > (best.score or 0) then best = c end end
  return format("among %s s = %d looks best (score %s), not clearly enough", where, best.s, number(best.score, 3))
end

local function branching_head(r)
  if not r.s then
    local found = {}
    for k = 1, r.established do found[k] = format("%d", r.levels[k].s) end
    return format("branching: cannot tell%s", #found > 0 and format(" beyond the lowest %s: s = %s, from the tokens up",
      #found == 1 and "level" or #found .. " levels", concat(found, ", ")) or "")
  end
  local sure = r.established == r.L and "every level shows in the strings" or format("%s from the tokens up %s in the "
    .. "strings, the rest is assumed alike", r.established == 1 and "the level" or r.established .. " levels",
    r.established == 1 and "shows" or "show")
  return format("branching: s = %s, L = %d (d = %d), confidence %s: %s", branches.text(r.s), r.L, r.d,
    number(r.confidence, 3), sure)
end

function M.branching(r)
  local rows = {{"level", "places", "s", "by", "score", "confidence", "kinds", "other cuts (score)"}}
  for k, level in ipairs(r.levels) do
    local others, score = {}, nil
    for _, c in ipairs(level.candidates) do
      if c.s == level.s then score = c.score
      elseif c.score and #others < 4 then others[#others + 1] = format("%d (%s)", c.s, number(c.score, 2)) end
    end
    rows[#rows + 1] = {r.L and format("%d", r.L + 1 - k) or k == 1 and "lowest" or format("+%d", k - 1),
      format("%d", level.places), level.s and format("%d", level.s) or "?", level.by, score and number(score, 3) or "-",
      level.confidence > 0 and number(level.confidence, 3) or "-", level.codes and count(level.codes) or "-",
      concat(others, " ")}
  end
  local lines = {printer.wrap(branching_head(r), printer.width()), (grid(rows, {[4] = true, [8] = true}))}
  local open = r.levels[r.established + 1]
  if open then lines[#lines + 1] = printer.wrap(open_reason(r, open), printer.width()) end
  return concat(lines, "\n")
end

function M.diagnostics(d)
  local lines = {format("layer %d: %s samples%s, %d distinct patches, %s", d.level, count(d.n),
    d.places > 1 and format(" of %d dependent patches", d.places) or "", d.patches, plural(d.clusters, "cluster"))}
  lines[#lines + 1] = facts {
    {"inputs", format("rho~ = %s, eps_S = %s, sigma = %s", number(d.rho_in), number(d.eps_S_in), number(d.sigma))},
    {"features", format("eps_O = %s measured (rms %s), %s wanted; condition number %s", number(d.eps_O),
      number(d.eps_O_rms), number(d.eps_O_wanted), number(d.condition))},
    {"outputs", format("rho~ = %s, eps_S = %s; noise of the counts alone %s", number(d.rho), number(d.eps_S),
      number(d.noise))},
    {"exact", d.gap and format("gap %s, error of q^ %s (largest %s)", number(d.gap), number(d.error),
      number(d.error_max))},
    {"patches", format("%d unknown%s", d.unknown, d.untrained and
      format(", %d never sampled, %d misplaced; %s never seen%s", d.untrained, d.misplaced, plural(d.missing, "parent"),
        d.never > 0 and format(d.places > 1 and " (%d cannot occur)" or " (%d cannot stand first)", d.never) or "")
      or "")},
  }
  if #d.warnings == 0 then lines[#lines + 1] = "no warnings" end
  warn(lines, d.warnings)
  return concat(lines, "\n")
end

return M
