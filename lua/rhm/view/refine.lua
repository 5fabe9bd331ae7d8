-- refine.lua - the view "refine": EM sweep by sweep, of the network as refined or while it is: the likelihood of
-- labels, the accuracy, and how sharp the tables are (the entropy of P(symbol | tuple), 1 at random, 0 where each tuple
-- has its symbol).
local M = {
  summary = "net:refine by sweep: likelihood, accuracy, entropy of the tables",
  subjects = {"network"},
}

local rhm = require "rhm"
local text = require "rhm.view.text"
local canvas = require "rhm.view.canvas"
local state = require "rhm.view.state"
local format, max, min = string.format, math.max, math.min

local most = 1000 -- sweeps: a screen has no more columns

local function series(name, style, history, values, digits)
  return {name = name, style = style, x = history.sweep, y = values, last = text.number(values[#values], digits or 5)}
end

local function plot(list, width, height, options)
  local x = list[1].x
  return canvas.plot({series = list, glyphs = options.glyphs, colours = options.colours,
    xlog = options.xlog ~= false, xlow = 1, xhigh = canvas.round(max(x[#x], 10), true), integer = true,
      xlabel = "sweep"}, width, height)
end

function M.draw(net, width, height, options)
  local r = net:refinement(options.start, most)
  if not r then
    return text.wrap("not refined: net:refine{ from=d } fits tables for all levels at once by EM", width)
  end
  local h = r.history
  local start, last = h.start[1], #h.start
  local progress = r.running and net.job and net.job.progress
  local head = {{"refined  ", style = "title"}, format("%s strings", text.count(r.n, 9))}
  if progress then
    local glyph, style = state.look(progress.state, options.glyphs)
    head[1] = {format("%s %s  ", glyph, progress.state == "running" and "refining" or progress.state), style = style}
  end
  if r.labelled < r.n then head[#head + 1] = format(", %s labelled", text.count(r.labelled, 9)) end
  head[#head + 1] = format("  start %d of %d", start, progress and progress.starts or r.starts)
  if start == r.start and not r.running and r.starts > 1 then head[#head + 1] = {" (kept)", style = "good"} end
  head[#head + 1] = format("  sweep %d  accuracy %.4f", h.sweep[last], h.accuracy[last])
  local lines, rest = {head}, (height or max(10, min(rhm.height() - 4, 26))) - 1
  local fit = {series("log P(label)", "series1", h, h.log_label)}
  if r.held_out then fit[2] = series("held out", "series3", h, h.held_out) end
  local sharp = {series("accuracy", "series4", h, h.accuracy)}
  for l = 1, net.L do -- deep trees: the lowest and the highest levels
    if l <= 2 or l > net.L - 1 then
      sharp[#sharp + 1] = series("entropy " .. l, "series" .. #sharp, h, h.entropy[l], 4)
    end
  end
  local pictures
  if width >= 100 then
    local half = (width - 4) // 2
    pictures = text.beside({plot(fit, half, rest, options), plot(sharp, half, rest, options)}, {half, half}, 4)
  elseif rest >= 17 then
    pictures = plot(fit, width, (rest - 1) // 2, options)
    pictures[#pictures + 1] = ""
    for _, line in ipairs(plot(sharp, width, rest // 2, options)) do pictures[#pictures + 1] = line end
  else
    pictures = plot(sharp, width, rest, options)
  end
  for _, line in ipairs(pictures) do lines[#lines + 1] = line end
  return lines
end

function M.key(net, options, key)
  local r = net:refinement(options.start, 1)
  if r and key == "x" then
    options.xlog = options.xlog == false
    return true
  end
  if not r or (key ~= "left" and key ~= "right") then return false end
  local start = (options.start or r.start) + (key == "left" and -1 or 1)
  if start < 1 or start > r.starts then return false end
  options.start = start
  return true
end

M.options = {{"start", "the start shown; the one that was kept unless given"},
  {"xlog", "false: sweeps on a linear axis"}}
M.keys = {{"left right", "another start"}, {"x", "logarithmic axis or linear"}}

return M
