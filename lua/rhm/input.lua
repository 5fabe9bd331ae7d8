-- input.lua - in the panel the keyboard is the prompt's: io.read, io.lines and io.stdin get their lines from there.
local io = io
local getmetatable, ipairs, select, tonumber, type = debug.getmetatable, ipairs, select, tonumber, type
local error, tostring, unpack, sub, gsub = error, tostring, table.unpack, string.sub, string.gsub

-- read_line(): the next line without its newline, nil at the end of input.
return function(read_line)
  local read, lines = io.read, io.lines
  local methods = getmetatable(io.stdin).__index
  local file_read, file_lines = methods.read, methods.lines

  -- What io.read would return; a number takes its line with it, and a count of bytes as many of the next line.
  local function one(form)
    local line = read_line()
    if type(form) == "number" then return line and sub(line .. "\n", 1, form) end
    form = sub(gsub(form, "^%*", ""), 1, 1)
    if form == "l" then return line end
    if form == "L" then return line and line .. "\n" end
    if form == "n" then return line and tonumber(line) end
    local all = {}
    while line do
      all[#all + 1] = line .. "\n"
      line = read_line()
    end
    return table.concat(all)
  end

  local function from_prompt(...)
    local forms, results = {...}, {}
    if #forms == 0 then forms[1] = "l" end
    for i, form in ipairs(forms) do
      if type(form) ~= "number" and not tostring(form):find "^%*?[nlLa]" then
        error("bad argument #" .. i .. " to 'read' (invalid format)", 3)
      end
      results[i] = one(form)
      if results[i] == nil then return unpack(results, 1, i) end
    end
    return unpack(results, 1, #forms)
  end

  function io.read(...)
    if io.input() == io.stdin then return from_prompt(...) end
    return read(...)
  end

  function io.lines(...)
    if select("#", ...) > 0 and (...) ~= nil or io.input() ~= io.stdin then return lines(...) end
    local forms = {select(2, ...)}
    return function() return from_prompt(unpack(forms)) end
  end

  function methods.read(file, ...)
    if file == io.stdin then return from_prompt(...) end
    return file_read(file, ...)
  end

  function methods.lines(file, ...)
    if file ~= io.stdin then return file_lines(file, ...) end
    local forms = {...}
    return function() return from_prompt(unpack(forms)) end
  end
end
