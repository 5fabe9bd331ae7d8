-- curves.lua - the view "curves": loss, spread within (intra) and distance between clusters (inter), accuracy by step.
local M = {
  summary = "loss, intra, inter and accuracy by step of gradient descent, or by epoch",
  subjects = {"layer", "learner"},
}

local rhm = require "rhm"
local text = require "rhm.view.text"
local canvas = require "rhm.view.canvas"
local state = require "rhm.view.state"
local subject = require "rhm.view.subject"
local format, max, min = string.format, math.max, math.min

-- The history of a layer as series, with the last point. names: of loss, intra, inter, accuracy.
local function series_of(row, names)
  local h, list, style = row.history, {}, {loss = "series1", intra = "series2", inter = "series3", accuracy = "series4"}
  for _, name in ipairs(names) do
    local values = h[name]
    if values then
      local s = {name = name, style = style[name], x = {}, y = {}, last = row[name] and text.number(row[name], 6)}
      for k = 1, #h.step do s.x[k], s.y[k] = h.step[k], values[k] end
      if row.step and row[name] and row.step > (h.step[#h.step] or -1) then
        s.x[#s.x + 1], s.y[#s.y + 1] = row.step, row[name]
      end
      list[#list + 1] = s
    end
  end
  return list
end

local function plot(row, names, width, height, options)
  local xlog, ylog = options.xlog, options.ylog
  if xlog == nil then xlog = true end
  if ylog == nil then ylog = "auto" end
  local list = series_of(row, names)
  if xlog then -- the state before the first step has no place on a logarithmic axis
    for _, s in ipairs(list) do
      while s.x[1] == 0 and #s.x > 2 do
        table.remove(s.x, 1)
        table.remove(s.y, 1)
      end
    end
  end
  -- The axes stay while the curve grows along them: it is looked at, and sent over slow lines.
  local last = list[1].x[#list[1].x]
  local most = max(2, row.steps or canvas.round(max(last, 10), true))
  return canvas.plot({series = list, glyphs = options.glyphs, colours = options.colours, xlog = xlog, ylog = ylog,
    xlow = xlog and 1 or 0, xhigh = most, round = true, xlabel = "step"}, width, height)
end

-- The curves of a row of state.network that has a history: in one picture, or where there is room the loss, which moves
-- little, in one of its own.
function M.plot(row, width, height, options)
  local rest = {"intra", "inter", "accuracy"}
  if width >= 100 then
    local wide = (width - 4) // 2
    local left, right = plot(row, {"loss"}, wide, height, options), plot(row, rest, wide, height, options)
    return text.beside({left, right}, {wide, wide}, 4)
  elseif height >= 18 then
    local lines = plot(row, {"loss"}, width, (height - 1) // 2, options)
    lines[#lines + 1] = ""
    for _, line in ipairs(plot(row, rest, width, height // 2, options)) do lines[#lines + 1] = line end
    return lines
  end
  return plot(row, {"loss", "intra", "inter", "accuracy"}, width, height, options)
end

-- Without steps: what the layers have found, level by level.
local function by_level(s, width, height, options)
  local list, names = {}, {{"gap", "gap"}, {"rho~", "rho"}, {"eps_S", "eps_S"}, {"error", "error"}}
  for i, name in ipairs(names) do
    local one = {name = name[1], style = "series" .. i, x = {}, y = {}}
    for l = #s.rows, 1, -1 do
      local value = s.rows[l].state == "done" and s.rows[l][name[2]]
      if value and value < math.huge then one.x[#one.x + 1], one.y[#one.y + 1] = l, value end
    end
    if #one.x > 0 then list[#list + 1] = one end
  end
  if #list == 0 then return {} end
  return canvas.plot({series = list, glyphs = options.glyphs, colours = options.colours, ylog = "auto", xlow = 1,
    xhigh = max(2, #s.rows), integer = true, xlabel = "level"}, width, height)
end

-- Words for a layer that has no curve; below: there is a picture of the levels that are done.
local function why(row, below)
  local rest = below and "; below, what the levels have found" or ""
  if row.state == "by hand" then return "no step yet: lay:step(k), or s in the panel (F10)" end
  if row.state == "waiting" then return "not trained yet" .. rest end
  if row.steps and row.state ~= "done" then return "no step yet" .. rest end
  return "closed form: no steps, no curve" .. rest
end

-- --- what is trained as a whole -----------------------------------------------------------------------------------

local measures = {
  {"loss", "series1"}, {"held_loss", "series2", "held out"},
  {"accuracy", "series1"}, {"held_accuracy", "series2", "held out"},
}

-- The measures from the i-th to the j-th against what is counted.
local function series_of_whole(history, unit, i, j)
  local list = {}
  for k = i, j do
    local name, style, title = table.unpack(measures[k])
    local one = {name = title or name, style = style, x = {}, y = {}}
    for point, value in ipairs(history[name] or {}) do
      if value then one.x[#one.x + 1], one.y[#one.y + 1] = history[unit][point], value end
    end
    if #one.x > 0 then
      one.last = text.number(one.y[#one.y], 6)
      list[#list + 1] = one
    end
  end
  return list
end

local function plot_of_whole(history, unit, i, j, width, height, options)
  local list = series_of_whole(history, unit, i, j)
  if #list == 0 then return {} end
  local xlog = options.xlog or false
  local accuracy = measures[i][1] == "accuracy"
  local ylog = options.ylog
  if ylog == nil then ylog = "auto" end
  return canvas.plot({series = list, glyphs = options.glyphs, colours = options.colours, xlog = xlog,
    ylog = not accuracy and ylog, xlow = 1, xhigh = max(2, canvas.round(max(history[unit][#history[unit]], 10), xlog)),
    ylow = accuracy and 0 or nil, yhigh = accuracy and 1 or nil, round = true, xlabel = unit}, width, height)
end

local function draw_whole(learner, width, height, options)
  local job = learner.job
  local progress = job and job.progress
  local history, unit = nil, progress and progress.unit or "epoch"
  if subject.kind(learner) == "cnn" then history = learner.history elseif job then history = job.history end
  local glyph, style = state.look(progress and progress.state or "waiting", options.glyphs)
  local head = {{subject.kind(learner) .. "  ", style = "title"}}
  head[#head + 1] = {glyph .. " " .. (progress and progress.state or "not trained yet"), style = style}
  if progress then
    head[#head + 1] = "  " .. text.parts(state.work_of_whole(progress, width < 110), width - text.columns(head) - 2)
  end
  local lines = {head}
  local rest = (height or max(8, min(rhm.height() - 4, 24))) - 1
  if not history or #history[unit] < 2 then
    local why = history and "no epoch has ended yet" or "solved at once: no steps, no curve"
    if subject.kind(learner) == "onestep" then why = "one step a layer: no curve" end
    if history and #history[unit] == 1 then why = "one epoch so far: no curve" end
    lines[#lines + 1] = {{why, style = "dim"}}
    return lines
  end
  local function add(list) for _, line in ipairs(list) do lines[#lines + 1] = line end end
  if width >= 100 then
    local wide = (width - 4) // 2
    add(text.beside({plot_of_whole(history, unit, 1, 2, wide, rest, options),
      plot_of_whole(history, unit, 3, 4, wide, rest, options)}, {wide, wide}, 4))
  elseif rest >= 14 then
    add(plot_of_whole(history, unit, 1, 2, width, (rest - 1) // 2, options))
    lines[#lines + 1] = ""
    add(plot_of_whole(history, unit, 3, 4, width, rest // 2, options))
  else
    add(plot_of_whole(history, unit, 3, 4, width, rest, options))
  end
  return lines
end

function M.draw(lay, width, height, options)
  if subject.learner(lay) then return draw_whole(lay, width, height, options) end
  local s = state.network(lay.network)
  local row = s.rows[lay.level]
  local glyph, style = state.look(row.state, options.glyphs)
  local head = {{format("level %d  ", row.level), style = "title"}, {glyph .. " " .. row.state, style = style}}
  if row.step then head[#head + 1] = format("  step %d%s", row.step, row.steps and " of " .. row.steps or "") end
  if row.n and row.n > 0 then head[#head + 1] = format("  %s samples", text.count(row.n, 9)) end
  if row.loss and not row.history then head[#head + 1] = "  loss " .. text.number(row.loss, 6) end
  if s.accuracy then head[#head + 1] = format("  network accuracy %.4f", s.accuracy) end
  local lines = {head}
  local rest = (height or max(8, min(rhm.height() - 4, 24))) - 1
  local pictures
  if row.history and #row.history.step > 1 then
    pictures = M.plot(row, width, rest, options)
  else
    pictures = by_level(s, width, min(rest - 2, 20), options)
    for _, line in ipairs(text.wrap(why(row, #pictures > 0), width)) do lines[#lines + 1] = {{line, style = "dim"}} end
    lines[#lines + 1] = ""
  end
  for _, line in ipairs(pictures) do lines[#lines + 1] = line end
  return lines
end

function M.key(_, options, key)
  if key == "x" then
    options.xlog = options.xlog == false
  elseif key == "y" then
    options.ylog = options.ylog == false
  else
    return false
  end
  return true
end

M.options = {{"level", "the layer shown"}, {"xlog", "false: steps on a linear axis"},
  {"ylog", "true or false: a logarithmic axis or not; otherwise where the values span decades"}}
M.keys = {{"x y", "logarithmic axis or linear"}}

return M
