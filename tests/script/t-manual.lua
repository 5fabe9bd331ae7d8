-- rhm(1), the help page "options" and what --help prints tell of the same options, and the page is well made.
local lu = require "luaunit"
local help = require "rhm.help"

local program = os.getenv "RHM" or "./rhm"
local page = (os.getenv "srcdir" or ".") .. "/man/rhm.1"

local function run(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  return text, select(3, pipe:close())
end

local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

local function read(name)
  local file = assert(io.open(name))
  local text = file:read "a"
  file:close()
  return text
end

local source = read(page)

-- The lines of a section of the page.
local function section(name)
  local text = (source .. ".Sh "):match("%.Sh " .. name .. "\n(.-)%.Sh ")
  lu.assertNotNil(text, "no section " .. name)
  return text
end

local function add(set, word)
  lu.assertNil(set[word], "twice: " .. word)
  set[word] = true
end

-- The options at the beginning of a line: "-q, --quiet", "-e CODE", "--".
local function options_of(line, set)
  for word in (line:match "^[-,%w ]+" or ""):gmatch "%-[-%w]*" do add(set, word) end
end

local function of_usage()
  local set = {}
  for line in run(quoted(program) .. " --help"):gmatch "[^\n]+" do
    local option = line:match "^  (%-.-)  " or line:match "^  (%-.*)$"
    if option then options_of(option, set) end
  end
  return set
end

local function of_page()
  local set = {}
  for item in section("OPTIONS"):gmatch "%.It (Fl[^\n]*)" do
    for word in (item .. " ,"):gmatch "([^,]-) *," do -- "Fl q", " -quiet", "Fl", "Fl e Ar code"
      add(set, "-" .. (word:gsub("^ *Fl *", ""):gsub(" *Ar .*", ""):gsub(" ", "")))
    end
  end
  return set
end

local function of_help()
  local set = {}
  for _, key in ipairs(help.entries.options.keys) do options_of(key[1], set) end
  return set
end

TestManual = {}

function TestManual:test_options()
  local usage = of_usage()
  lu.assertTrue(usage["-e"] and usage["--threads"] and usage["--help"] and usage["-"] and usage["--"])
  lu.assertEquals(of_page(), usage)
end

-- The help page writes the long form of -q in its text; all others stand in its table.
function TestManual:test_help_page()
  local usage, told = of_usage(), of_help()
  usage["--quiet"], told["--quiet"] = nil, nil
  lu.assertEquals(told, usage)
end

-- Each option of the synopsis is one of those; and none of them is unknown to the program.
function TestManual:test_synopsis()
  local usage = of_usage()
  for option in section("SYNOPSIS"):gmatch "Fl (%-?%a+)" do lu.assertTrue(usage["-" .. option], option) end
  for option in pairs(usage) do
    local takes = ({ ["-e"] = " ''", ["-l"] = " rhm", ["--threads"] = " 1" })[option] or ""
    local ends = (option == "-" or option == "--") and " </dev/null" or " -e '' </dev/null"
    local _, code = run(quoted(program) .. " " .. option .. takes .. (option == "-i" and " -E -q" or "") .. ends)
    lu.assertEquals(code, 0, option)
  end
end

function TestManual:test_exit_status()
  local told = {}
  for code in section("EXIT STATUS"):gmatch "%.It (%d+)" do told[tonumber(code)] = true end
  lu.assertEquals(told, { [0] = true, [1] = true, [2] = true, [130] = true })
  local function code(words) return select(2, run(quoted(program) .. " " .. words .. " 2>/dev/null </dev/null")) end
  lu.assertEquals(code "-e ''", 0)
  lu.assertEquals(code "-e 'error()'", 1)
  lu.assertEquals(code "no-such-script", 1)
  lu.assertEquals(code "--no-such-option", 2)
end

-- What the page tells to type at the prompt is there.
function TestManual:test_words_of_the_prompt()
  local shell = {}
  for _, entry in ipairs(help.group "shell") do shell[entry.name] = true end
  local text = section "THE PROMPT"
  for name in pairs(shell) do lu.assertStrContains(text, name) end
end

-- The examples in the page run.
function TestManual:test_examples()
  local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }
  g:sample{ n=4000, seed=1 }:save "strings.npy"
  local ran = 0
  for block in section("EXAMPLES"):gmatch "%.Bd[^\n]*\n(.-)%.Ed" do
    local code = block:match "^rhm %-e '(.*)'\n$" or block
    lu.assertNotNil(load(code), code)
    local _, status = run(quoted(program) .. " -E -e " .. quoted(code) .. " 2>&1")
    lu.assertEquals(status, 0, code)
    ran = ran + 1
  end
  lu.assertEquals(ran, 2)
end

-- Where mandoc or groff are, they find nothing to say. (A page that is not installed cannot be referred to yet, and the
-- source of rhm-api.7 is made with lines as long as the help's.)
function TestManual:test_lint()
  local checked = false
  for _, name in ipairs{"rhm.1", "rhm-api.7", "rhm-experiments.7"} do
    local file = quoted((page:gsub("rhm%.1$", name)))
    if os.execute "command -v mandoc >/dev/null 2>&1" then
      local said = {}
      for line in run("mandoc -Tlint " .. file .. " 2>&1"):gmatch "[^\n]+" do
        if not line:find "referenced manual not found" and not line:find "outdated mandoc.db"
          and not (name == "rhm-api.7" and line:find "longer than 80 bytes") then said[#said + 1] = line end
      end
      lu.assertEquals(table.concat(said, "\n"), "")
      checked = true
    end
    if os.execute "command -v groff >/dev/null 2>&1" then
      lu.assertEquals(run("groff -mandoc -ww -Tutf8 -z " .. file .. " 2>&1"), "")
      checked = true
    end
  end
  lu.skipIf(not checked, "neither mandoc nor groff is here")
end

os.exit(lu.LuaUnit.run())
