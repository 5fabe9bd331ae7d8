-- jobs.lua - the view "jobs": trainings that run, wait, are paused and have ended.
local M = {
  summary = "trainings: running, queued, paused and finished",
}

local rhm = require "rhm"
local text = require "rhm.view.text"
local canvas = require "rhm.view.canvas"
local state = require "rhm.view.state"
local subject = require "rhm.view.subject"
local format, rep, concat = string.format, string.rep, table.concat
local max, min = math.max, math.min

-- --- the list -----------------------------------------------------------------------------------------------------

-- The jobs to show: a list or one that was given, else all.
local function given(value)
  if subject.kind(value) == "job" then return {value} end
  if type(value) == "table" then return value end
  return rhm.jobs()
end

-- Those at work first, in their order, then those that ended, the last one first.
local function sorted(value)
  local active, ended = {}, {}
  for _, job in ipairs(given(value)) do
    if state.is_active(job.state) then active[#active + 1] = job else table.insert(ended, 1, job) end
  end
  return table.move(ended, 1, #ended, #active + 1, active), #ended
end

-- What a job tells: of one whose network is gone a few fields are left.
local function row_of(job, place)
  local p = job.progress
  local row = {job = job, id = job.id or place, state = job.state, name = job.name or "train", error = job.error,
    accuracy = p and p.accuracy or job.accuracy, seconds = p and p.seconds or job.seconds}
  if p then
    row.share = job.state == "done" and 1 or state.share(p)
    local level = p.levels[p.level]
    if state.is_active(job.state) and level then
      row.level, row.phase, row.rate, row.left = p.level, level.phase, level.rate, level.left
      row.loss = level.loss
    elseif p.kind ~= "chain" then
      row.phase = p.unit and format("%s %d", p.unit, p[p.unit]) or p.stage
      row.loss, row.rate = p.loss, state.is_active(job.state) and p.rate or nil
      row.left = state.is_active(job.state) and p.left or nil
      row.accuracy = p.held_accuracy or row.accuracy
    elseif job.state == "running" then
      row.phase = row.share == 1 and "accuracy" or ""
    end
  elseif job.state == "done" then
    row.share = 1
  end
  return row
end

-- --- the table ----------------------------------------------------------------------------------------------------

local columns = {
  {key = "id", title = "id", width = 3, cell = function(row) return tostring(row.id) end},
  {key = "state", title = "state", width = 10, left = true, cell = function(row, glyphs)
    local glyph, style = state.look(row.state, glyphs)
    return glyph .. " " .. row.state, style
  end},
  {key = "name", title = "training", width = 18, left = true, cell = function(row) return row.name end},
  {key = "work", title = "work", width = 10, left = true, cell = function(row)
    return row.level and format("%d %s", row.level, row.phase) or row.phase or ""
  end},
  {key = "bar", title = "", width = 8},
  {key = "percent", title = "", width = 4, cell = function(row)
    return row.share and row.state ~= "done" and text.percent(row.share, 1) or ""
  end},
  {key = "rate", title = "rate", width = 7, cell = function(row) return text.rate(row.rate) end},
  {key = "left", title = "left", width = 6, cell = function(row)
    return row.left and row.left > 0 and text.left(row.left) or ""
  end},
  {key = "loss", title = "loss", width = 6, cell = function(row)
    return row.loss and text.number(row.loss, 6) or ""
  end},
  {key = "seconds", title = "time", width = 7, cell = function(row) return text.duration(row.seconds) end},
  {key = "accuracy", title = "acc", width = 6, cell = function(row)
    return row.accuracy and format("%.4f", row.accuracy) or ""
  end},
}
for _, column in ipairs(columns) do columns[column.key] = column end

local order = {"id", "state", "percent", "seconds", "name", "accuracy", "bar", "work", "left", "rate", "loss"}

-- longest: the columns of the longest name.
local function layout(width, longest)
  local used, total, n = {}, 2, 0 -- the mark of the one chosen
  for _, key in ipairs(order) do
    local wide = key == "name" and max(8, min(longest, 32)) or columns[key].width
    if key == "name" and width < 60 then wide = min(wide, 12) end
    local more = wide + (n > 0 and 1 or 0)
    if total + more > width then break end
    used[key], total, n = wide, total + more, n + 1
  end
  local gap = 1
  while gap < 3 and total + n - 1 <= width do total, gap = total + n - 1, gap + 1 end
  if used.bar then used.bar = used.bar + min(24, width - total) end
  return used, gap
end

local function line_of(row, used, gap, glyphs, chosen)
  local line, space = {{chosen and glyphs.cursor .. " " or "  ", style = "bold"}}, rep(" ", gap)
  for _, column in ipairs(columns) do
    local width = used[column.key]
    if width then
      if #line > 1 then line[#line + 1] = space end
      if column.key == "bar" then
        local style = row.state == "done" and "good" or select(2, state.look(row.state, glyphs))
        for _, segment in ipairs(row.share and canvas.bar(row.share, width, glyphs, style) or {rep(" ", width)}) do
          line[#line + 1] = segment
        end
      else
        local content, style = column.cell(row, glyphs)
        content = text.pad(content, width, not column.left and "right" or nil, glyphs.ellipsis)
        line[#line + 1] = {content, style = style or chosen and "bold" or nil}
      end
    end
  end
  return line
end

function M.draw(value, width, height, options)
  local glyphs = options.glyphs
  local list, ended = sorted(value)
  if #list == 0 then
    return {{{"no training yet", style = "title"}}, "", "net:train{ from=g } in the foreground,",
      "job = net:train{ from=g, background=true } beside the prompt"}
  end
  local rows, longest = {}, 0
  for i, job in ipairs(list) do
    rows[i] = row_of(job, #list - i + 1)
    longest = max(longest, text.columns(rows[i].name))
  end
  local used, gap = layout(width, longest)
  local head = text.titles(columns, used)
  local lines = {{{"  " .. concat(head, rep(" ", gap)), style = "dim"}}}
  local chosen = options.job and max(1, min(#list, options.job)) or nil
  local first = 1
  if height and chosen and chosen > height - 2 then first = chosen - (height - 2) + 1 end
  for i = first, #list do
    if height and #lines >= height then break end
    local row = rows[i]
    lines[#lines + 1] = line_of(row, used, gap, glyphs, i == chosen)
    for _, part in ipairs(row.error and text.wrap(row.error, max(10, width - 6)) or {}) do
      if height and #lines >= height then break end
      lines[#lines + 1] = {"      ", {part, style = "bad"}}
    end
  end
  if not height or #lines + 1 < height then
    lines[#lines + 1] = ""
    lines[#lines + 1] = {{format("%d at work or waiting, %d ended", #list - ended, ended), style = "dim"}}
  end
  return lines
end

-- Keys of the panel: a job is chosen with the arrows.
function M.key(value, options, key)
  local list = sorted(value)
  local job = list[max(1, min(#list, options.job or 1))]
  if key == "up" or key == "down" then
    options.job = max(1, min(#list, (options.job or (key == "up" and 2 or 0)) + (key == "up" and -1 or 1)))
    return #list > 0
  elseif not job then
    return false
  elseif key == "enter" then
    if not job.network then return false end
    local p = job.progress
    local name = subject.learner(job) and "curves" or p and p.kind == "refine" and "refine" or "layers"
    return {show = name, subject = job.network}
  elseif key == "p" or key == " " then
    if not state.is_active(job.state) then return false end
    if job.state == "paused" or job.state == "pausing" then job:resume() else job:pause() end
    return true
  elseif key == "X" then
    if not state.is_active(job.state) then return false end
    job:stop()
    return true
  end
  return false
end

M.options = {{"job", "the place in the list of the job that keys are for"}}
M.keys = {{"up down", "choose a job"}, {"Enter", "its layers, curves or refinement"},
  {"p", "pause it, or go on"}, {"X", "stop it"}}

return M
