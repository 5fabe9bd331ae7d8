-- What TAB offers: the words for a line, the word under the cursor, and the lines above.
local lu = require "luaunit"
local complete = require "rhm.complete"

-- The part of a line before its last word, as Readline cuts it; a stand-in for the folder.
local function offers(line, above)
  local before, name = line:match "^(.-)([^%s\"'`@$><=;|&{(,+%-*/%%^#~%[%]%)}.:?!\\]*)$"
  return complete.candidates(before, name, above or "", function(prefix)
    local names = {}
    for _, file in ipairs { "strings.csv", "sub/", "strings.h5" } do
      if file:sub(1, #prefix) == prefix then names[#names + 1] = file end
    end
    return names
  end)
end

TestComplete = {}

function TestComplete:setUp()
  g = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }
  net = rhm.network{ grammar=g, M=64 }
end

function TestComplete:test_globals_and_keywords()
  lu.assertEquals(offers "setm", { "setmetatable(" })
  lu.assertEquals(offers "x = whi", { "while" })
  lu.assertEquals(offers "rh", { "rhm." })
  words_of_mine = 2
  lu.assertEquals(offers "f(words_", { "words_of_mine" })
end

function TestComplete:test_fields_and_methods()
  lu.assertEquals(offers "string.re", { "rep(", "reverse(" })
  lu.assertEquals(offers "rhm.gr", { "grammar{" })
  lu.assertEquals(offers "g:s", { "sample{", "schedule{" })
  lu.assertEquals(offers "g.c", { "check(", "classes" })
  lu.assertEquals(offers "g:c", { "check(" })
  local_net = rhm.network{ grammar = g }
  lu.assertEquals(offers "local_net:tr", { "train{" }) -- a table and nothing else, says its signature
  lu.assertEquals(offers "local_net:pr", { "predict(" }) -- or a data set
  lu.assertEquals(offers "rhm.data", { "dataset(" })
  local_net = nil
  t = { u = { value = 1, call = print } }
  lu.assertEquals(offers "t.u.", { "call(", "value" })
  lu.assertEquals(offers "t.u:", { "call(" })
  s = "text"
  lu.assertEquals(offers "s:upp", { "upper(" })
  lu.assertEquals(offers "nothing.here.", {})
end

function TestComplete:test_keys()
  lu.assertEquals(offers "rhm.grammar{ cl", { "classes=" })
  lu.assertEquals(offers "rhm.grammar({ V=8, cl", { "classes=" })
  lu.assertItemsEquals(offers "g:schedule{ ", { "by=", "c=", "delta=", "kappa=" })
  lu.assertItemsEquals(offers "g:schedule{ by='gap', ", { "c=", "delta=", "kappa=" }) -- not what is there
  lu.assertEquals(offers("solv", "net:train{ from=g,"), { "solver=" })
  lu.assertEquals(offers "local_net:train{ backg", { "background=" }) -- a local: by the method's name
  lu.assertEquals(offers "rhm.grammar{ V=setm", { "setmetatable(" }) -- a value, no key
  lu.assertEquals(offers "print{ setm", { "setmetatable(" })
end

function TestComplete:test_views()
  lu.assertEquals(offers "rhm.vie", { "view" }) -- a function and a module: both can follow
  lu.assertItemsEquals(offers "rhm.view.p", { "palette(", "print(" })
  lu.assertItemsEquals(offers "rhm.panel.sh", { "show(" })
  view = rhm.view
  for _, line in ipairs { 'view "la', 'view("la', 'rhm.view("la', 'rhm.view.print("la', "view 'la" } do
    lu.assertEquals(offers(line), { "layers" .. line:match "[\"']" }, line)
  end
  view = nil
end

function TestComplete:test_values_of_keys()
  lu.assertEquals(offers "net:train{ solver='", { "exact", "gd" })
  lu.assertEquals(offers 'rhm.network{ codebook="c', { 'centroid"' })
end

function TestComplete:test_modules_topics_files()
  lu.assertEquals(offers 'require "rhm.prin', { "principle.measure", "print" })
  lu.assertEquals(offers 'help "layer:syn', { 'synonyms"' })
  lu.assertEquals(offers "help layer:syn", { "synonyms" })
  lu.assertEquals(offers "? layer:syn", { "synonyms" })
  lu.assertEquals(offers "rhm.dataset('str", { "strings.csv", "strings.h5" })
  lu.assertEquals(offers "rhm.dataset('strings.c", { "csv'" })
  lu.assertEquals(offers "rhm.dataset('su", { "sub/" })
end

function TestComplete:test_strings_and_comments_hide_code()
  lu.assertEquals(offers "-- rhm.", {})
  lu.assertEquals(offers "x = '{' .. rhm.gr", { "grammar{" })
  lu.assertEquals(offers("rhm.gr", "--[[ {"), {})
  lu.assertEquals(offers("rhm.gr", "--[[ { ]]"), { "grammar{" })
  lu.assertEquals(offers [[x = "a\"" rhm.gr]], { "grammar{" })
end

function TestComplete:test_no_metamethod_runs()
  local ran = 0
  local count = function() ran = ran + 1 end
  trap = setmetatable({}, { __index = count, __pairs = count, __len = count, __tostring = count })
  offers "trap."
  offers "trap.x."
  offers "trap:"
  offers "trap{ "
  lu.assertEquals(ran, 0)
end

os.exit(lu.LuaUnit.run())
