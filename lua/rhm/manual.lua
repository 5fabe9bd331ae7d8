-- manual.lua - writes the manual page rhm-api(7) from the help table:
--   rhm -e 'require("rhm.manual").write("man/rhm-api.7")'
local M = {}

local help = require "rhm.help"
local DATE = "2026-11-24" -- of the last change of substance

local gsub, gmatch = string.gsub, string.gmatch
local concat = table.concat

-- Text for roff: no escapes and no requests by accident.
local function plain(text)
  text = gsub(text, "\\", "\\e")
  text = gsub("\n" .. text, "\n([.'])", "\n\\&%1")
  return text:sub(2)
end

-- Code: its hyphens, carets and tildes are characters to copy.
local function code(text)
  return (gsub(gsub(gsub(plain(text), "%-", "\\-"), "%^", "\\(ha"), "~", "\\(ti"))
end

local function paragraphs(out, text)
  for paragraph in gmatch(text .. "\n\n", "(.-)\n\n+") do
    out[#out + 1] = ".PP"
    out[#out + 1] = plain(paragraph)
  end
end

local function rows(out, title, list)
  if title then
    out[#out + 1] = ".PP"
    out[#out + 1] = title
  end
  for _, row in ipairs(list) do
    out[#out + 1] = ".TP"
    out[#out + 1] = ".B " .. code(row[1])
    out[#out + 1] = plain(row[2])
  end
end

local function entry_text(out, entry)
  if entry.signature then
    local list = type(entry.signature) == "table" and entry.signature or {entry.signature}
    out[#out + 1] = ".PP"
    out[#out + 1] = ".nf"
    for _, signature in ipairs(list) do out[#out + 1] = ".B " .. code(signature) end
    out[#out + 1] = ".fi"
  end
  out[#out + 1] = ".PP"
  out[#out + 1] = plain(gsub(entry.summary, "^%l", string.upper) .. ".")
  if entry.text then paragraphs(out, entry.text) end
  if entry.keys then rows(out, entry.kind ~= "topic" and "Keys:" or nil, help.key_rows(entry)) end
  if entry.fields then rows(out, "Fields:", entry.fields) end
  if entry.more then paragraphs(out, entry.more) end
  if entry.returns then paragraphs(out, "Returns " .. entry.returns .. ".") end
  if entry.example then
    out[#out + 1] = ".PP"
    out[#out + 1] = ".RS 4\n.nf"
    out[#out + 1] = code(entry.example)
    out[#out + 1] = ".fi\n.RE"
  end
  if entry.see then paragraphs(out, "See " .. concat(entry.see, ", ") .. ".") end
end

local function subsection(out, entry)
  out[#out + 1] = ".SS " .. code(entry.name)
  entry_text(out, entry)
end

-- The whole page.
function M.text()
  local out = {
    ".\\\" Generated from lua/rhm/help/*.lua by lua/rhm/manual.lua: change it there (make man/rhm-api.7).",
    ".TH RHM\\-API 7 " .. DATE .. " rhm \"Random Hierarchy Models\"",
    ".SH NAME",
    "rhm\\-api \\- the Lua interface of rhm",
    ".SH DESCRIPTION",
    "The program", ".BR rhm (1)", "runs Lua 5.4 with the table", ".B rhm", "preloaded.",
    "This page has the text of its help() function.",
  }
  paragraphs(out, help.entries.rhm.text)
  rows(out, "Fields:", help.entries.rhm.fields)
  out[#out + 1] = ".SH FUNCTIONS"
  for _, entry in ipairs(help.group("rhm")) do subsection(out, entry) end
  for _, entry in ipairs(help.list) do
    if entry.kind == "object" and entry.name ~= "rhm" then
      out[#out + 1] = ".SH OBJECT " .. entry.name:upper()
      entry_text(out, entry)
      for _, method in ipairs(help.methods(entry.name)) do subsection(out, method) end
    end
  end
  out[#out + 1] = ".SH THE SHELL"
  out[#out + 1] = "Interactive sessions have these functions as globals; elsewhere there are rhm.help and rhm.print."
  for _, entry in ipairs(help.group("shell")) do subsection(out, entry) end
  for _, entry in ipairs(help.list) do
    if entry.kind == "topic" then
      out[#out + 1] = ".SH " .. entry.name:upper()
      entry_text(out, entry)
      for _, f in ipairs(entry.functions and help.group(entry.functions) or {}) do subsection(out, f) end
    end
  end
  out[#out + 1] = ".SH SEE ALSO\n.BR rhm (1)"
  local lines = {}
  for line in gmatch(concat(out, "\n") .. "\n", "(.-)\n") do
    line = gsub(line, "%s+$", "")
    local after_heading = lines[1] and lines[#lines]:find("^%.S[HS] ")
    if not (line == ".PP" and after_heading) then lines[#lines + 1] = line end
  end
  return concat(lines, "\n") .. "\n"
end

function M.write(path)
  local file = assert(io.open(path, "w"))
  assert(file:write(M.text()))
  assert(file:close())
end

return M
