-- panel/status.lua - the panel's status line: what is shown at the left, how the work on it goes at the right.
local M = {}

local view = require "rhm".view
local branches = require "rhm.branches"
local text = require "rhm.view.text"
local state = require "rhm.view.state"
local subjects = require "rhm.view.subject"

local type, rawget, next = type, rawget, next
local format, rep = string.format, string.rep

-- The name of the global that holds a value, or nil.
local named = setmetatable({}, {__mode = "k"})
local function global_name(value)
  local known = named[value]
  if known and rawget(_G, known) == value then return known end
  local best
  for name, other in next, _G do
    if other == value and type(name) == "string" then
      if not best or #name < #best or (#name == #best and name < best) then best = name end
    end
  end
  named[value] = best
  return best
end

-- What is shown at the left, how the work on it goes at the right; where both do not fit, the work matters more.
local function both_sides(left, right, width)
  local space = width - text.columns(left) - text.columns(right)
  if space < 2 then return text.clip(right, width) end
  left[#left + 1] = rep(" ", space)
  for _, segment in ipairs(right) do left[#left + 1] = segment end
  return left
end

-- `more` is what else a line tells at its end, or nil.

-- "c cnn (V,s,L) = (8,2,3)", and how its training goes; the same of a network that is refined.
function M.whole(value, more, width)
  local glyphs = view.glyphs()
  local what = subjects.kind(value)
  local left = {{global_name(value) or what, style = "bold"}}
  left[2] = what == "network" and " " .. state.shape(value)
    or what == "shallow" and format(" %s (V,d) = (%d,%d)", value.kind, value.V, value.d)
    or format(" %s (V,s,L) = (%d,%s,%d)", what, value.V, branches.text(value.s), value.L)
  local progress = value.job and value.job.progress
  local words, glyph, style = "not trained", state.look("waiting", glyphs)
  if progress then
    glyph, style = state.look(progress.state, glyphs)
    local work = progress.state ~= "queued" and state.work_of_whole(progress, width < 110) or ""
    if progress.state == "done" then
      words = (progress.kind == "refine" and "refined" or "trained")
        .. (value.job.accuracy and format(", accuracy %.4f", value.job.accuracy) or "")
    elseif progress.state == "running" then
      words = work
    else
      words = progress.state .. (work ~= "" and ", " .. work or "")
    end
  elseif (value.epochs or value.n) > 0 then
    words = "trained"
  end
  return both_sides(left, {{glyph .. " ", style = style}, text.parts(words, width - 2), more}, width)
end

-- A network whose refinement has not ended, or is the last that was done to it.
function M.is_refined(net)
  local progress = net.job and net.job.progress
  return progress and progress.kind == "refine" and (state.is_active(progress.state) or net:refinement(nil, 1))
end

-- A network: its numbers now, the level a view shows (or nil).
function M.network(net, s, level, more, width)
  local left = {{global_name(net) or "network", style = "bold"}, " " .. state.shape(net)}
  if level then left[#left + 1] = format("  level %d", level) end
  local looks = {trained = "done", untrained = "waiting", ["partly trained"] = "waiting"}
  local glyph, style = state.look(looks[s.state] or s.state, view.glyphs())
  local words = s.state
  if s.level then
    local before = s.state ~= "running" and s.state ~= "by hand" and s.state
    words = (before and before .. ", " or "") .. state.work(s)
  end
  if s.state == "trained" and s.accuracy then words = format("trained, accuracy %.4f", s.accuracy) end
  if s.level and s.seconds > 0 and s.state ~= "by hand" then words = words .. ", " .. text.duration(s.seconds) end
  return both_sides(left, {{glyph .. " ", style = style}, text.parts(words, width - 2), more}, width)
end

-- Something that is not trained, or nothing (nil).
function M.other(value, more, width)
  local what = value ~= nil and subjects.kind(value) or nil
  local line = what == "grammar"
    and format("%s (V,m,s,L) = (%d,%d,%s,%d)", global_name(value) or "grammar", value.V, value.m,
      branches.text(value.s), value.L)
    or what or "nothing is trained yet"
  return more and both_sides({line}, {more}, width) or text.clip(line, width)
end

return M
