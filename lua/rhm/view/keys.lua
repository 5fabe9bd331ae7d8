-- keys.lua - the view "keys": the keys of the panel and of the prompt, and the views.
local M = {
  summary = "the keys, and the views there are",
  scroll = true,
  options = {},
}

local rhm = require "rhm"
local text = require "rhm.view.text"
local rep, max = string.rep, math.max

-- Keys that the terminal itself knows.
M.everywhere = {
  {"F1", "this page"}, {"F2 .. F8, F11", "the views; also Ctrl-X 1 .. 8"}, {"F9", "pause, and go on; also Ctrl-X p"},
  {"F10", "the keys below go to the view, and back to the prompt; also Ctrl-X o"},
  {"F12", "panel larger, whole, hidden; also Ctrl-X z"},
  {"PageUp PageDown", "scroll the output; Ctrl-X / searches in it, Ctrl-X s saves it"},
    {"Ctrl-L", "draw everything anew"},
  {"Ctrl-C", "stop the command; a training is paused: net:resume()"},
}

local function section(lines, title, rows, width)
  local wide = 0
  for _, row in ipairs(rows) do wide = max(wide, text.columns(row[1])) end
  lines[#lines + 1] = {{title, style = "title"}}
  for _, row in ipairs(rows) do
    local wrapped = text.wrap(row[2], max(10, width - wide - 4))
    for i, line in ipairs(wrapped) do
      lines[#lines + 1] = {"  ", {text.pad(i == 1 and row[1] or "", wide), style = "bold"}, "  " .. line}
    end
  end
end

function M.draw(_, width)
  local view = rhm.view
  local width_of_column = width >= 110 and (width - 4) // 2 or width
  local left, right = {}, {}
  section(left, "anywhere", M.everywhere, width_of_column)
  left[#left + 1] = ""
  section(left, "in the view, after F10", rhm.panel.keys, width_of_column)
  local views, own = {}, {}
  for _, name in ipairs(view.names()) do
    local spec = view.spec(name)
    views[#views + 1] = {(view.key(name) or "  ") .. " " .. name, spec.summary or ""}
    for _, row in ipairs(spec.keys or {}) do own[#own + 1] = {name .. ": " .. row[1], row[2]} end
  end
  section(right, "views", views, width_of_column)
  if #own > 0 then
    right[#right + 1] = ""
    section(right, "in one view, after F10", own, width_of_column)
  end
  if width >= 110 then return text.beside({left, right}, {width_of_column, width_of_column}, 4) end
  left[#left + 1] = ""
  for _, line in ipairs(right) do left[#left + 1] = line end
  return left
end

return M
