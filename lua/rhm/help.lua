-- help.lua - help(), from the one table of names that also feeds completion and the manual rhm-api(7).
--
-- An entry: name ("rhm.grammar", "grammar:q", "theory"), kind (nil: a function; "object", "topic"), group ("rhm",
-- "shell"), signature (a string or a list), summary, text (paragraphs), keys ({name, default, text, values=}), fields
-- ({name, text}), more, returns, example, see. Only name and summary are always there.
local M = {}

local rhm = require "rhm"
local printer = require "rhm.print"
local distance = require "rhm.nearest".distance
local format, rep, find, match, gmatch, sub = string.format, string.rep, string.find, string.match, string.gmatch,
  string.sub
local concat, sort, insert = table.concat, table.sort, table.insert

M.parts = {"grammar", "source", "dataset", "network", "layer", "baseline", "sweep", "results", "plot", "experiment",
  "view",
  "general", "topics"}
M.list = {}    -- all entries, in the order of the manual
M.entries = {} -- by name

for _, part in ipairs(M.parts) do
  for _, entry in ipairs(require("rhm.help." .. part)) do
    if M.entries[entry.name] then error("two help entries for " .. entry.name) end
    M.list[#M.list + 1] = entry
    M.entries[entry.name] = entry
  end
end

-- --- finding ------------------------------------------------------------------------------------------------------

-- The kind of object a value is ("grammar"), or nil. Objects are userdata or tables whose metatable is named
-- "rhm.grammar".
function M.object_of(value)
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and match(name, "^rhm%.(.*)") or nil
end

-- The methods of an object in order.
function M.methods(object)
  local list = {}
  for _, entry in ipairs(M.list) do
    if match(entry.name, "^(.-):") == object then list[#list + 1] = entry end
  end
  return list
end

-- The function that an entry is about, or nil.
function M.function_of(name)
  local field = match(name, "^rhm%.(.*)")
  local found = field and rawget(rhm, field)
  if found then return found end
  local inner, last = match(name, "^rhm%.(%a+)%.(%a+)$")
  if inner and type(rhm[inner]) == "table" then return rawget(rhm[inner], last) end
  local object, method = match(name, "^(.*):(.*)$")
  local meta = object and debug.getregistry()["rhm." .. object]
  local methods = type(meta) == "table" and rawget(meta, "__methods")
  if type(methods) == "table" then return rawget(methods, method) end
  return M.entries[name].group == "shell" and rawget(_G, name) or nil
end

-- The name of a public function: looked for in rhm, the shell's globals and the methods of all objects.
function M.name_of(f)
  for name in pairs(M.entries) do
    if M.function_of(name) == f then return name end
  end
end

-- Up to three names near to `name`: by a few changed letters, of the whole name or of its last part.
function M.nearest(name)
  local near = {}
  for _, entry in ipairs(M.list) do
    local last = match(entry.name, "[^.:]*$")
    local d = math.min(distance(name, entry.name), distance(match(name, "[^.:]*$"), last))
    if d <= math.max(1, #last // 3) or (#name >= 3 and find(entry.name, name, 1, true)) then
      near[#near + 1] = {d, entry.name}
    end
  end
  sort(near, function(a, b) if a[1] ~= b[1] then return a[1] < b[1] end return a[2] < b[2] end)
  local names = {}
  for i = 1, math.min(3, #near) do names[i] = near[i][2] end
  return names
end

-- The entries a name can stand for: exactly that one, else those whose last part it is ("train": network:train).
function M.find(name)
  name = match(name, "^%s*(.-)[%s({]*%)?}?%s*$")
  if M.entries[name] then return {M.entries[name]} end
  if M.entries["rhm." .. name] then return {M.entries["rhm." .. name]} end
  local found = {}
  local plain = name:gsub("^.*[.:]", "")
  local object = match(name, "^(.*)[.:]")
  for _, entry in ipairs(M.list) do
    local of, last = match(entry.name, "^(.*)[.:](.*)$")
    if last == plain and (not object or object == of) then found[#found + 1] = entry end
  end
  if #found == 0 then
    for _, entry in ipairs(M.list) do -- a field or a key: its object's page has it
      for _, field in ipairs(entry.fields or {}) do
        if field[1] == plain and (not object or object == entry.name) then found[#found + 1] = entry end
      end
    end
  end
  return found
end

-- All words of an entry, in small letters.
local function words_of(entry)
  local words = {entry.name, entry.summary, entry.text or "", entry.more or "", entry.returns or ""}
  for _, list in ipairs {entry.keys or {}, entry.fields or {}} do
    for _, row in ipairs(list) do words[#words + 1] = concat(row, " ") end
  end
  return concat(words, "\n"):lower()
end

-- The entries that mention a word: those whose name or summary does come first.
function M.mentions(word)
  local first, others = {}, {}
  word = word:lower()
  for _, entry in ipairs(M.list) do
    if find((entry.name .. " " .. entry.summary):lower(), word, 1, true) then
      first[#first + 1] = entry
    elseif find(words_of(entry), word, 1, true) then
      others[#others + 1] = entry
    end
  end
  return table.move(others, 1, #others, #first + 1, first)
end

-- --- writing ------------------------------------------------------------------------------------------------------

local function lines_of(text)
  return gmatch(text .. "\n", "(.-)\n")
end

local function paragraphs(out, text, width, indent)
  local first = true
  for paragraph in gmatch(text .. "\n\n", "(.-)\n\n+") do
    if not first then out[#out + 1] = "" end
    out[#out + 1] = printer.wrap(paragraph, width, indent)
    first = false
  end
end

-- Two columns: names, and texts wrapped beside them.
local function columns(out, rows, width)
  local wide = 0
  for _, row in ipairs(rows) do wide = math.max(wide, #row[1]) end
  wide = math.min(wide, 20)
  local pad = rep(" ", wide + 6)
  for _, row in ipairs(rows) do
    local text = printer.wrap(row[2], math.max(width, wide + 26), pad)
    if #row[1] <= wide then
      out[#out + 1] = "    " .. row[1] .. rep(" ", wide + 2 - #row[1]) .. sub(text, #pad + 1)
    else
      out[#out + 1] = "    " .. row[1]
      out[#out + 1] = text
    end
  end
end

local function signatures(entry)
  if type(entry.signature) == "table" then return entry.signature end
  return {entry.signature or entry.name}
end

-- The keys as rows of two columns.
function M.key_rows(entry)
  local rows = {}
  for _, key in ipairs(entry.keys) do
    local text = key[3]
    if key.values then text = text .. ": \"" .. concat(key.values, "\", \"") .. "\"" end
    if key[2] == "required" then
      text = text .. " (required)"
    elseif key[2] ~= "" then
      text = text .. " (default: " .. key[2] .. ")"
    end
    rows[#rows + 1] = {key[1], text}
  end
  return rows
end

-- The page of an entry.
function M.page(entry, width)
  width = math.min(width or printer.width(), 100)
  local out = {}
  for _, line in ipairs(signatures(entry)) do
    out[#out + 1] = #line <= width and line or printer.wrap(line, width - 4):gsub("\n", "\n    ")
  end
  out[#out + 1] = printer.wrap(entry.summary, width, "    ")
  if entry.text then
    out[#out + 1] = ""
    paragraphs(out, entry.text, width, "    ")
  end
  if entry.keys then
    out[#out + 1] = ""
    if entry.kind ~= "topic" then out[#out + 1] = "  keys" end
    columns(out, M.key_rows(entry), width)
  end
  if entry.fields then
    out[#out + 1] = ""
    out[#out + 1] = "  fields"
    columns(out, entry.fields, width)
  end
  if entry.kind == "object" then
    local methods = entry.name == "rhm" and M.group("rhm") or M.methods(entry.name)
    local rows = {}
    for i, method in ipairs(methods) do rows[i] = {match(method.name, "[^:]*$"), method.summary} end
    if #rows > 0 then
      out[#out + 1] = ""
      out[#out + 1] = entry.name == "rhm" and "  functions" or "  methods"
      columns(out, rows, width)
    end
  end
  if entry.functions then -- a topic that has functions of its own
    local rows = {}
    for i, f in ipairs(M.group(entry.functions)) do rows[i] = {f.name, f.summary} end
    out[#out + 1] = ""
    out[#out + 1] = "  functions"
    columns(out, rows, width)
  end
  if entry.more then
    out[#out + 1] = ""
    paragraphs(out, entry.more, width, "    ")
  end
  if entry.returns then
    out[#out + 1] = ""
    out[#out + 1] = printer.wrap("returns " .. entry.returns, width, "  ")
  end
  if entry.example then
    out[#out + 1] = ""
    out[#out + 1] = "  example"
    for line in lines_of(entry.example) do out[#out + 1] = "    " .. line end
  end
  if entry.see then
    out[#out + 1] = ""
    out[#out + 1] = printer.wrap("see " .. concat(entry.see, ", "), width, "  ")
  end
  return concat(out, "\n")
end

-- The entries of a group ("rhm", "shell") in order.
function M.group(name)
  local list = {}
  for _, entry in ipairs(M.list) do
    if entry.group == name then list[#list + 1] = entry end
  end
  return list
end

-- All that there is, in a page.
function M.overview(width)
  width = math.min(width or printer.width(), 100)
  local out = {"rhm - a workbench for Random Hierarchy Models", ""}
  local function section(title, list, name)
    local rows = {}
    for i, entry in ipairs(list) do rows[i] = {name and name(entry) or entry.name, entry.summary} end
    out[#out + 1] = "  " .. title
    columns(out, rows, width)
    out[#out + 1] = ""
  end
  section("make and load", M.group("rhm"))
  local objects = {}
  for _, entry in ipairs(M.list) do
    if entry.kind == "object" and entry.name ~= "rhm" then
      local names = {}
      for i, method in ipairs(M.methods(entry.name)) do names[i] = match(method.name, ":.*") end
      objects[#objects + 1] = {name = entry.name, summary = concat(names, " ")}
    end
  end
  section("objects and their methods", objects)
  section("in the shell", M.group("shell"))
  local topics = {}
  for _, entry in ipairs(M.list) do
    if entry.kind == "topic" then insert(topics, entry) end
  end
  section("topics", topics)
  out[#out + 1] = printer.wrap(
    "help(name) or ? name tells more: help \"grammar\", help \"network:train\", help(g) for an object. TAB completes "
      .. "names.",
    width, "  ")
  return concat(out, "\n")
end

-- The text help() prints; nil and a message where there is none.
function M.text(what, width)
  if what == nil then return M.overview(width) end
  if what == rhm then return M.page(M.entries.rhm, width) end
  if what == rhm.panel then return M.page(M.entries.panel, width) end
  if what == rhm.view then return M.page(M.entries["rhm.view"], width) end
  local name = what
  if type(what) == "function" then
    name = M.name_of(what)
    if not name then return nil, "no help on this function: it is none of rhm's" end
  elseif type(what) ~= "string" then
    name = M.object_of(what)
    if not name or not M.entries[name] then return nil, format("no help on a %s value", type(what)) end
  end
  local found = M.find(name)
  if #found == 1 then return M.page(found[1], width) end
  if #found > 1 then
    local rows, out = {}, {format("\"%s\" can be", name)}
    for i, entry in ipairs(found) do rows[i] = {entry.name, entry.summary} end
    columns(out, rows, width or printer.width())
    return concat(out, "\n")
  end
  local object = type(what) == "string" and M.object_of(rawget(_G, what)) -- one of the user's
  if object and M.entries[object] then return M.page(M.entries[object], width) end
  local near = M.nearest(name)
  local mentions, hints = #M.mentions(name), {}
  if #near > 0 then hints[1] = format("did you mean %s?", concat(near, ", ")) end
  if mentions > 0 then
    hints[#hints + 1] = format("apropos \"%s\" lists %s", name,
      mentions == 1 and "a page that mentions it" or mentions .. " pages that mention it")
  end
  return nil, format("no help on \"%s\": %s", name, #hints > 0 and concat(hints, " ") or "help() lists all names")
end

-- Prints the names and summaries of the pages that mention a word.
function M.apropos(word)
  if type(word) ~= "string" or not find(word, "%S") then
    error(format("apropos: a word expected, got %s", word == nil and "nothing" or printer.line(word, 40)), 2)
  end
  word = match(word, "^%s*(.-)%s*$")
  local rows, out = {}, {}
  for i, entry in ipairs(M.mentions(word)) do rows[i] = {entry.name, entry.summary} end
  if #rows == 0 then error(format("apropos: no page of the help mentions \"%s\"", word), 0) end
  columns(out, rows, math.min(printer.width(), 100))
  io.write(concat(out, "\n"), "\n")
end

function M.help(...)
  if select("#", ...) > 0 and (...) == nil then error("help(nil): no such value; help() lists all names", 2) end
  local text, message = M.text((...))
  if not text then error(message, 0) end
  io.write(text, "\n")
end

return M
