-- state.lua - the state of networks and layers as views and the status line tell it: what a job published where one is
-- at work, else what the layers say of themselves.
local M = {}

local branches = require "rhm.branches"
local text = require "rhm.view.text"
local subject = require "rhm.view.subject"
local format, max, min = string.format, math.max, math.min
local concat = table.concat

local at_work = {queued = true, running = true, pausing = true, paused = true, stopping = true}

-- Whether a job in this state has not ended.
function M.is_active(state)
  return at_work[state] or false
end

-- "exact" has no steps; a glyph and a style say at a glance how a layer or a job stands.
local looks = {
  waiting = {"wait", "dim"}, queued = {"wait", "dim"},
  sampling = {"run", "series1"}, gram = {"run", "series1"}, solving = {"run", "series1"},
  clusters = {"run", "series1"}, running = {"run", "series1"}, measuring = {"run", "series1"},
  pausing = {"pause", "warn"}, paused = {"pause", "warn"}, ["by hand"] = {"cursor", "series2"},
  stopping = {"stop", "warn"}, stopped = {"stop", "warn"}, failed = {"bad", "bad"}, done = {"good", "good"},
}

-- The glyph and the style of a state.
function M.look(state, glyphs)
  local look = looks[state] or looks.waiting
  return glyphs[look[1]], look[2]
end

-- What a row has of layer:numbers().
local fields = {"n", "patches", "loss", "sigma", "rho", "eps_S", "gap", "error", "seconds", "accuracy", "clusters",
  "history"}

-- One layer: state, n, drawn, step, steps, loss, intra, inter, sigma, rho, eps_S, gap, error, accuracy, seconds, rate,
-- left, patches, clusters, history; nil where not known. share: of the phase in work, 0 .. 1.
local function layer_state(net, l, progress, job_state)
  local lay = net:layer(l)
  local row = {level = l, layer = lay}
  local live = progress and at_work[job_state] and progress.levels[l]
  local numbers = lay:numbers()
  if numbers then
    for _, name in ipairs(fields) do row[name] = numbers[name] end
    row.step, row.drawn = numbers.steps, numbers.n
    row.state = numbers.trained and "done" or "by hand"
    local h = row.history
    if h and #h.step > 0 then
      row.intra, row.inter = h.intra[#h.intra], h.inter[#h.inter]
      row.accuracy = row.accuracy or h.accuracy and h.accuracy[#h.accuracy]
    end
  else
    row.state = "waiting"
  end
  if live then
    for key, value in next, live do row[key] = value end
    row.state = live.phase
    if progress.level == l and live.phase ~= "done" and job_state ~= "running" then
      row.state = job_state -- of one that is pausing the call in work ends first
    end
  elseif row.state == "done" and progress and progress.levels[l].seconds == row.seconds then
    row.of_job = true -- not trained again by hand since
    row.steps = row.step
  end
  if row.steps == 0 then row.steps = nil end
  if row.step == 0 and not row.steps then row.step = nil end
  if live and live.phase == "solving" and row.steps then
    row.share = row.step / row.steps
  elseif live and live.phase == "sampling" and (row.n or 0) > 0 then
    row.share = row.drawn / row.n
  elseif row.state == "done" then
    row.share = 1
  elseif row.state == "by hand" then
    row.share = nil
  elseif live and live.phase ~= "waiting" then
    row.share = 1 -- samples are there; what follows has no measure
  end
  return row
end

-- Within a frame of the panel a network is read once: M.hold(true) before it, M.hold(false) after.
local held
function M.hold(on)
  held = on and {} or nil
end

-- A network: rows[l], state ("untrained", "by hand", "trained", "partly trained" or that of its job), level in work,
-- row (that level's), accuracy, seconds, samples of all layers, job.
function M.network(net)
  if held and held[net] then return held[net] end
  local progress, job = subject.progress(net)
  local job_state = progress and progress.state
  local s = {network = net, rows = {}, job = job, progress = progress, samples = 0, seconds = 0}
  local trained, hand = 0, nil
  for l = 1, net.L do
    local row = layer_state(net, l, progress, job_state)
    s.rows[l] = row
    if row.state == "done" then trained = trained + 1 end
    if row.state == "by hand" then hand = l end
    s.samples = s.samples + (row.drawn or 0)
    s.seconds = s.seconds + (row.seconds or 0)
  end
  if at_work[job_state] then
    s.state, s.level, s.seconds = job_state, progress.level > 0 and progress.level or nil, progress.seconds
    if job_state == "running" and not s.level then s.state = trained == net.L and "measuring" or "running" end
  else
    s.state = hand and "by hand" or trained == net.L and "trained" or trained > 0 and "partly trained" or "untrained"
    s.level = hand
    if (job_state == "failed" or job_state == "stopped") and trained < net.L and not hand then s.state = job_state end
    s.error = job_state == "failed" and job.error or nil
    local same = true
    for _, row in ipairs(s.rows) do same = same and row.of_job end
    if same and job_state == "done" then
      s.accuracy, s.seconds = progress.accuracy, max(s.seconds, progress.seconds)
    end
  end
  s.accuracy = s.accuracy or progress and at_work[job_state] and progress.accuracy or nil
  s.row = s.level and s.rows[s.level]
  if s.rows[1].state == "done" and s.accuracy then s.rows[1].accuracy = s.accuracy end
  if held then held[net] = s end
  return s
end

-- "(V,m,s,L) = (8,4,2,3)" or, where m is not known, "(V,s,L) = (8,2,3)".
function M.shape(net)
  local g = net.grammar
  if g then return format("(V,m,s,L) = (%d,%d,%s,%d)", g.V, g.m, branches.text(g.s), g.L) end
  return format("(V,s,L) = (%d,%s,%d)", net.V, branches.text(net.s), net.L)
end

local measures = {"loss", "log_label", "accuracy", "held_loss", "held_accuracy", "held_out"}

-- Where a training of a whole stands: "start 2 of 5, sweep 12 of 250, accuracy 0.91, 4 s left". brief: without what a
-- narrow line has no room for.
function M.work_of_whole(progress, brief)
  local p, parts = progress, {}
  local all = p.unit and p[p.unit .. "s"]
  if p.group then parts[1] = format("%s %d of %d", p.group, p[p.group], p[p.group .. "s"]) end
  if p.stage then parts[#parts + 1] = p.stage end
  if p.unit then parts[#parts + 1] = format("%s %d%s", p.unit, p[p.unit], all and format(" of %d", all) or "") end
  for _, name in ipairs(measures) do
    if p[name] and not (brief and (name == "log_label" or name:find "^held")) then
      local title = name == "log_label" and "log P(label)" or name:gsub("_", " ")
      parts[#parts + 1] = title .. " " .. text.number(p[name], 6)
    end
  end
  if at_work[p.state] and p.left and p.left > 0 then
    parts[#parts + 1] = (p.stage and "" or "at most ") .. text.left(p.left) .. " left" -- a stage goes to its end
  end
  return concat(parts, ", ")
end

-- What the work is at, in words: "level 3: sampling 43%, 1.60M/s, 12 s left".
function M.work(s)
  local row, parts = s.row, {}
  if s.state == "measuring" then return "measuring the accuracy" end
  if not row then return s.state end
  if s.state == "by hand" then
    parts[1] = format("level %d by hand: step %d", row.level, row.step or 0)
  else
    local phase = row.phase or row.state
    parts[1] = format("level %d: %s", row.level, phase)
    if row.share and row.share < 1 then
      parts[1] = parts[1] .. " " .. text.percent(row.share, 1)
    end
    if phase == "solving" and row.steps then parts[2] = format("step %d of %d", row.step, row.steps) end
    if row.rate then parts[#parts + 1] = text.rate(row.rate) end
    if row.left and row.left > 0 then parts[#parts + 1] = text.left(row.left) .. " left" end
  end
  if row.loss then parts[#parts + 1] = "loss " .. text.number(row.loss, 6) end
  return concat(parts, ", ")
end

-- The share of all that a job has to do, roughly: layers count alike.
function M.share(progress)
  if progress.kind ~= "chain" then
    local all = progress.unit and progress[progress.unit .. "s"]
    local part = all and min(1, progress[progress.unit] / all) or nil
    if not progress.group then return part end
    local member, members = progress[progress.group], progress[progress.group .. "s"]
    local before = progress.group == "layer" and members - member or member - 1 -- layers go down
    return (before + (part or 0)) / members
  end
  local sum = 0
  for _, v in ipairs(progress.levels) do
    local part = v.phase == "done" and 1 or 0
    local before = v.steps > 0 and 0.1 or 0.7 -- the samples' part: a descent takes longer than they do
    if v.phase == "sampling" and v.n > 0 then part = before * v.drawn / v.n end
    if v.phase == "gram" then part = before end
    if v.phase == "solving" then part = v.steps > 0 and before + 0.85 * v.step / v.steps or 0.8 end
    if v.phase == "clusters" then part = 0.95 end
    sum = sum + part
  end
  return min(1, sum / max(1, #progress.levels))
end

return M
