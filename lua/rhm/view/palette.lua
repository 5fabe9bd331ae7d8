-- palette.lua - the styles of views as colours and attributes, and as the SGR codes of a terminal.
--
-- Colours are indexes of the terminal's palette. Series are those of Okabe and Ito, the heat ramp follows viridis:
-- people who see few colours can tell both, and the ramp grows lighter all the way. What matters is never said by
-- colour alone.
local M = {}

local type, ipairs, tostring = type, ipairs, tostring
local match, gmatch, concat = string.match, string.gmatch, table.concat

-- Ten heat colours, then four series, good, warn, bad, mark; nil: the terminal's own.
local heat = {
  [8] = {4, 4, 4, 6, 6, 6, 3, 3, 7, 7},
  [16] = {4, 4, 12, 12, 6, 6, 14, 14, 11, 15},
  [256] = {17, 54, 25, 30, 36, 41, 113, 149, 191, 229},
}
local series = {[8] = {6, 3, 2, 5}, [16] = {14, 11, 10, 13}, [256] = {32, 172, 36, 175}}
local judged = {
  [8] = {good = 6, warn = 3, bad = 1, mark = 5},
  [16] = {good = 6, warn = 3, bad = 1, mark = 13},
  [256] = {good = 36, warn = 172, bad = 166, mark = 175},
}

-- style -> {fg=, bg=, bold=, dim=, underline=, reverse=} for a terminal of so many colours (0, 8, 16 or 256).
function M.table(colours)
  local t = {
    plain = {}, dim = {dim = true}, bold = {bold = true}, title = {bold = true}, select = {reverse = true},
    good = {}, warn = {bold = true}, bad = {bold = true}, mark = {bold = true, underline = true},
  }
  local depth = colours >= 256 and 256 or colours >= 16 and 16 or colours >= 8 and 8 or 0
  for i = 0, 9 do t["heat" .. i] = {fg = depth > 0 and heat[depth][i + 1] or nil} end
  for i = 1, 4 do t["series" .. i] = {fg = depth > 0 and series[depth][i] or nil} end
  if depth == 0 then
    t.series1.bold, t.series4.bold = true, true
  else
    for name, colour in next, judged[depth] do t[name].fg = colour end
    if depth == 256 then t.dim = {fg = 245} end -- faint is not everywhere; this grey is read on black and on white
  end
  return t
end

-- --- SGR ----------------------------------------------------------------------------------------------------------

local function colour_code(colour, base)
  if colour < 8 then return tostring(base + colour) end
  if colour < 16 then return tostring(base + 60 + colour - 8) end
  return base + 8 .. ";5;" .. colour
end

-- The attributes of a style; "A+B" has the foreground of A on that of B. Unknown ones are plain.
function M.attributes(palette, style)
  local found = palette[style]
  if found or type(style) ~= "string" then return found or palette.plain end
  local front, back = match(style, "^(.-)%+(.+)$")
  front, back = palette[front], palette[back]
  if not front or not back then return palette.plain end
  found = {}
  for key, value in next, front do found[key] = value end
  found.bg = back.fg
  palette[style] = found
  return found
end

local function sgr(attributes)
  local codes = {}
  if attributes.bold then codes[#codes + 1] = "1" end
  if attributes.dim then codes[#codes + 1] = "2" end
  if attributes.underline then codes[#codes + 1] = "4" end
  if attributes.reverse then codes[#codes + 1] = "7" end
  if attributes.fg then codes[#codes + 1] = colour_code(attributes.fg, 30) end
  if attributes.bg then codes[#codes + 1] = colour_code(attributes.bg, 40) end
  return #codes > 0 and "\27[" .. concat(codes, ";") .. "m" or ""
end

-- A line as a string with SGR codes, without trailing blanks of the terminal's own colour; palette nil: the bare text.
function M.line(line, palette)
  if type(line) == "string" then return (line:gsub("%s+$", "")) end
  local out = {}
  for i, segment in ipairs(line) do
    local text = type(segment) == "table" and tostring(segment[1]) or tostring(segment)
    local styled = palette and type(segment) == "table" and segment.style
    local codes = styled and sgr(M.attributes(palette, styled)) or ""
    out[i] = codes ~= "" and text ~= "" and codes .. text .. "\27[0m" or text
  end
  return (concat(out):gsub("%s+$", ""))
end

-- The same line without its codes (tests, files).
function M.bare(text)
  local out = {}
  for part in gmatch(text, "[^\27]+") do out[#out + 1] = (part:gsub("^%[[%d;]*m", "")) end
  return concat(out)
end

return M
