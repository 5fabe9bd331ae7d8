-- glyphs.lua - the characters that views draw with: one table for UTF-8, one for ASCII, of the same fields. Each is one
-- column wide, but for the items of `tree` (3 columns) and the names of quantities.
local M = {}

-- The bytes of "0123" as a list of characters.
local function each(text)
  local list = {}
  for _, code in utf8.codes(text) do list[#list + 1] = utf8.char(code) end
  return list
end

M.utf8 = {
  ascii = false,
  braille = true,             -- the canvas may use 2 x 4 dots a character
  eighths = each "▏▎▍▌▋▊▉█",  -- bars to the right
  spark = each "▁▂▃▄▅▆▇█",    -- bars upwards, sparklines
  shades = each " ░▒▓█",      -- heat maps without colour, light to dense
  full = "█", half = "▀", lower = "▄", track = "░",
  line = "━", thin = "─",     -- progress: done, not yet
  horizontal = "─", vertical = "│", corner = "└", tick_x = "┴", tick_y = "┤", cross = "┼",
  separator = "│", dot = "·", bullet = "•", ellipsis = "…",
  up = "▲", down = "▼", left = "◀", right = "▶", cursor = "▸",
  good = "✓", bad = "✗", warn = "!", arrow = "→", times = "×",
  tree = {branch = "├─ ", last = "└─ ", pipe = "│  ", space = "   "},
  marks = each "●■▲◆",        -- series without colour
  run = "▶", pause = "‖", wait = "·", stop = "■",
  sigma = "σ", rho = "ρ", eps = "ε", mu = "μ", nu = "ν", lambda = "λ", eta = "η",
}

M.ascii = {
  ascii = true,
  braille = false,
  eighths = {"#"},
  spark = each "_.:-=+*#",
  shades = each " .:-=+*#%@",
  full = "#", half = "\"", lower = "_", track = ".",
  line = "=", thin = "-",
  horizontal = "-", vertical = "|", corner = "+", tick_x = "+", tick_y = "+", cross = "+",
  separator = "|", dot = ".", bullet = "*", ellipsis = "~",
  up = "^", down = "v", left = "<", right = ">", cursor = ">",
  good = "+", bad = "x", warn = "!", arrow = ">", times = "x",
  tree = {branch = "|- ", last = "`- ", pipe = "|  ", space = "   "},
  marks = each "ox+*",
  run = ">", pause = "=", wait = ".", stop = "x",
  sigma = "sigma", rho = "rho", eps = "eps", mu = "mu", nu = "nu", lambda = "lambda", eta = "eta",
}

-- The Linux console has box drawing and blocks, but its fonts have neither braille dots nor eighths.
M.console = setmetatable({
  braille = false, eighths = {"█"}, spark = M.ascii.spark, line = "█", thin = "░", marks = M.ascii.marks,
  cursor = ">", good = "+", bad = "x", run = ">", pause = "=", stop = "x", ellipsis = "~", bullet = "*",
}, {__index = M.utf8})

-- The table for a terminal: utf8 = whether its codeset is UTF-8; term = $TERM.
function M.choose(utf8, term)
  if not utf8 then return M.ascii end
  return term == "linux" and M.console or M.utf8
end

return M
