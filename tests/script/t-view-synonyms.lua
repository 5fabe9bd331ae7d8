-- t-view-synonyms.lua - the view "synonyms": the tree, what codes stand for, the search; the parse of a string.
package.path = os.getenv "srcdir" .. "/tests/script/?.lua;" .. package.path
local lu = require "luaunit"
local pictures = require "pictures"
local rows, tokens = require "rhm.view.rows", require "rhm.view.tokens"
local text = require "rhm.view.text"
local networks, g = pictures.networks(), pictures.g

TestTokens = {}

-- All strings that patch i of level l stands for, by the clusters that lay:synonyms() gives.
local function strings_of(net, l, tuple)
  if l == net.L then return {tuple} end
  local list = {{}}
  for _, c in ipairs(tuple) do
    local longer = {}
    for _, patch in ipairs(net:layer(l + 1):synonyms()[c].patches) do
      for _, tail in ipairs(strings_of(net, l + 1, patch.tuple)) do
        for _, head in ipairs(list) do
          longer[#longer + 1] = table.move(tail, 1, #tail, #head + 1, {table.unpack(head)})
        end
      end
    end
    list = longer
  end
  return list
end

local function holds(string, list)
  return (" " .. table.concat(string, " ") .. " "):find(" " .. table.concat(list, " ") .. " ", 1, true) ~= nil
end

function TestTokens.test_strings_and_examples()
  local net = networks.trained[1]
  for l = 1, 3 do
    local chain = tokens.chain(net:layer(l))
    for i = 1, chain[l].U, 5 do
      local all, known = strings_of(net, l, chain[l].patches[i].tuple), {}
      for _, string in ipairs(all) do known[table.concat(string, " ")] = true end
      lu.assertEquals(chain:strings(l, i), #all)
      local seen, n = {}, math.min(#all, 40)
      for k = 1, n do
        local example, long = chain:example(l, i, k)
        lu.assertTrue(known[example], example)
        lu.assertNil(seen[example], "twice: " .. example)
        lu.assertEquals(long, 2 ^ (4 - l))
        seen[example] = true
      end
    end
  end
end

-- The search finds the patches whose strings hold the tokens, and no others.
function TestTokens.test_search()
  local net = networks.trained[1]
  for l = 2, 3 do
    local chain = tokens.chain(net:layer(l))
    for _, want in ipairs {{1}, {7}, {1, 3}, {3, 3}, {2, 4, 5}, {1, 3, 8, 1}, {5, 8, 5, 8}, {9}, {1, 2, 3, 4, 5}} do
      local found = chain:search(want)
      for i = 1, chain[l].U do
        local expected, known = false, {}
        for _, string in ipairs(strings_of(net, l, chain[l].patches[i].tuple)) do
          expected = expected or holds(string, want)
          known[table.concat(string, " ")] = true
        end
        lu.assertEquals(found[i] ~= nil, expected, l .. ": " .. table.concat(want, " "))
        if found[i] then -- a string of the patch that has them
          local match = chain:match(i, want, found[i])
          lu.assertTrue(known[table.concat(match, " ")])
          lu.assertEquals({table.unpack(match, found[i], found[i] + #want - 1)}, want)
        end
      end
    end
  end
  local most = tokens.most_tokens
  tokens.most_tokens = 3
  local found, why = tokens.chain(net:layer(2)):search{1}
  tokens.most_tokens = most
  lu.assertNil(found)
  lu.assertEquals(why, "patches of 4 tokens are too long to search (3)")
end

-- With the exact codebook a code is a patch: what it stands for is what the grammar says.
function TestTokens.test_codes_of_the_exact_codebook()
  local chain = tokens.chain(networks.exact[1]:layer(2))
  local patches, checked = chain[2].patches, 0
  local parent = {}
  for nu, list in ipairs(g:rules(2)) do
    for _, children in ipairs(list) do parent[table.concat(children, " ")] = nu end
  end
  for i = 1, #patches do
    if patches[i].parent then
      lu.assertEquals(parent[chain:symbols(2, i):sub(2, -2)], patches[i].parent)
      checked = checked + 1
    end
  end
  lu.assertTrue(checked > 300)
  lu.assertEquals(chain:code(2, 99999).name, "?")
end

TestSynonyms = {}

function TestSynonyms.test_every_size_and_state()
  for name, case in pairs(networks) do
    pictures.each("synonyms", case[1], {level=case[2]}, function(lines, width, height)
      if width >= 40 then lu.assertStrContains(lines[1], name == "untrained" and "synonyms" or "layer " .. case[2]) end
      if height == 24 and name ~= "untrained" then lu.assertEquals(#lines, 24) end
    end)
    pictures.each("synonyms", case[1]:layer(case[2]), {search="1 7", line=5})
    pictures.each("synonyms", case[1]:layer(case[2]), {open={["2"]=true, ["1.1"]=true}, line=9999})
    pictures.each("synonyms", case[1], {string={6, 7, 3, 3, 2, 7, 5, 3}})
  end
end

-- All clusters with their patches, as lay:synonyms() has them.
function TestSynonyms.test_the_tree()
  for _, name in ipairs {"trained", "unknown", "trained_on_data"} do
    local lay = networks[name][1]:layer(2)
    local _, lines = pictures.text("synonyms", lay, 200)
    local synonyms, n = lay:synonyms(), 2
    for k, cluster in ipairs(synonyms) do
      local head = cluster.parent and "symbol " .. cluster.parent or "cluster " .. k
      lu.assertStrMatches(lines[n], string.format("v %s: %d %s, seen %d .*", head, cluster.size,
        cluster.size == 1 and "patch" or "synonyms", cluster.count))
      for p, patch in ipairs(cluster.patches) do
        n = n + 1
        lu.assertStrMatches(lines[n], string.format("%s %%(%d %d%%) += %%(.*%%) +seen +%d.*",
          p == #cluster.patches and "`%-" or "|%-", patch.tuple[1], patch.tuple[2], patch.count))
        lu.assertEquals(lines[n]:find "misplaced" ~= nil, patch.misplaced or false)
        if patch.misplaced and patch.parent then
          lu.assertStrContains(lines[n], "misplaced: of symbol " .. patch.parent)
        end
      end
      n = n + 1
    end
    lu.assertEquals(lines[n] ~= nil and lines[n]:find "^v unknown: " ~= nil, synonyms.unknown ~= nil)
    if synonyms.misplaced then
      lu.assertStrContains(lines[1], synonyms.misplaced == 0 and "each with its own parent"
        or synonyms.misplaced .. " misplaced")
    end
  end
end

function TestSynonyms.test_numbers_of_clusters()
  local lay = networks.trained[1]:layer(2)
  local data, m = rows.of(lay), lay:distances()
  local picture = pictures.text("synonyms", lay, 120)
  for _, group in ipairs(data.groups) do
    local widest = 0
    for i = group.first, group.last do for j = group.first, group.last do widest = math.max(widest, m[i][j]) end end
    lu.assertStrContains(picture, string.format("symbol %d: 4 synonyms, seen %d  widest %s  nearest ", group.parent,
      group.count, text.number(widest)))
  end
end

local function press(lay, options, keys, height)
  local spec, result = rhm.view.spec "synonyms", nil
  for key in keys:gmatch "%S+" do result = spec.key(lay, options, key, 100, height or 24) end
  return result
end

function TestSynonyms.test_opening_and_closing()
  local lay = networks.trained[1]:layer(2)
  local options = {ascii=true, colours=0}
  local function shown(height) return (pictures.text("synonyms", lay, 100, height or 60, options)) end
  lu.assertStrContains(shown(), "> v symbol")
  local before = select(2, shown():gsub("\n[^\n]+", ""))
  press(lay, options, "enter")
  lu.assertEquals(select(2, shown():gsub("\n[^\n]+", "")), before - 4) -- its four patches
  press(lay, options, "right down right down right")
  local data = rows.of(lay)
  local code = data.patches[1].tuple[1]
  local synonyms = lay.network:layer(3):synonyms()[code]
  local picture = shown()
  lu.assertStrContains(picture, string.format("code %d = symbol %d", code, synonyms.parent))
  for _, patch in ipairs(synonyms.patches) do
    lu.assertStrMatches(picture, string.format(".*\n  |  |  [|`]%%- %%(%d %d%%)  seen +%d.*", patch.tuple[1],
      patch.tuple[2], patch.count))
  end
  lu.assertEquals(options.line, 3)
  press(lay, options, "left left left") -- closes the code, up to the patch, closes it
  lu.assertEquals(options.line, 2)
  lu.assertNil(shown():find "code")
  press(lay, options, "end")
  lu.assertStrContains(shown(10), "> `- ")
  lu.assertStrContains(shown(10), "33-40 of 40")
  press(lay, options, "home")
  lu.assertEquals(options.line, 1)
  lu.assertStrContains(shown(10), "1-8 of 40")
  press(lay, options, "pagedown pagedown pageup", 10)
  lu.assertEquals(options.line, 8)
  lu.assertNil(press(lay, options, "k"))
end

function TestSynonyms.test_search()
  local lay = networks.trained[1]:layer(3)
  local options = {ascii=true, colours=0}
  local ask = press(lay, options, "/")
  ask.call "3"
  lu.assertEquals(options.search, "3")
  local _, lines = pictures.text("synonyms", lay, 100, nil, options)
  local n = 0
  for _, patch in ipairs(lay:patches()) do
    if patch.tuple[1] == 3 or patch.tuple[2] == 3 then n = n + 1 end
  end
  lu.assertStrContains(lines[1], "\"3\": " .. n .. " found")
  local listed = 0
  for i = 2, #lines do
    if lines[i]:find "seen +%d+" and lines[i]:find "%- %(" then
      lu.assertStrMatches(lines[i], ".*%(.*3.*%).*")
      listed = listed + 1
    end
  end
  lu.assertEquals(listed, n)
  options.search = "#6"
  lu.assertStrContains(pictures.text("synonyms", lay, 100, nil, options), "#6: 4 found\nv symbol 6: 4 synonyms")
  for _, what in ipairs {"99", "1 2 3 4 5", "words", "1 x"} do
    options.search = what
    lu.assertStrContains(pictures.text("synonyms", lay, 100, 24, options), "nothing found")
  end
  lu.assertStrContains(pictures.text("synonyms", lay, 100, 24, options), '"1 x": tokens are looked for')
  lu.assertTrue(press(lay, options, "x"))
  lu.assertNil(options.search)
  ask.call ""
  lu.assertNil(options.search)
end

function TestSynonyms.test_misplaced_patches_are_found()
  local lay = networks.unknown[1]:layer(2)
  local options = {ascii=true, colours=0}
  lu.assertTrue(press(lay, options, "m"))
  local picture = pictures.text("synonyms", lay, 120, 24, options)
  lu.assertStrMatches(picture, ".*\n> [|`]%- %([^\n]*misplaced.*")
  lu.assertNil(press(networks.trained[1]:layer(2), {ascii=true, colours=0}, "m"))
end

TestParse = {}

local function string_of(seed) return g:sample{ n=1, seed=seed }:tokens(1) end

-- Names and confidences of a tree that stands on its tokens, level by level from the left.
function TestParse.test_the_tree_has_the_nodes_of_the_parse()
  local net, string = networks.trained[1], string_of(7)
  local parse = net:parse(string)
  local picture, lines = pictures.text("synonyms", net, 80, nil, {string=string})
  lu.assertStrContains(lines[1], ("label %d, p = %s, all 7 nodes as in the grammar"):format(parse.label,
    text.number(parse.p)))
  local rest = picture
  for l = 1, 3 do
    local from = rest:find("layer " .. l, 1, true)
    local line = rest:sub(from):match "layer %d([^\n]*)"
    local k = 0
    for name, p in line:gmatch "(%d+)  ([%d.]+)" do
      k = k + 1
      local node = parse.levels[l][k]
      lu.assertEquals(name, tostring(l == 1 and parse.label or node.parent))
      lu.assertEquals(p, ("%.2f"):format(node.p))
    end
    lu.assertEquals(k, 2 ^ (l - 1))
  end
  lu.assertStrMatches(lines[#lines], "tokens +" .. table.concat(string, " +"))
end

-- Under token noise each node has the posterior of its likeliest symbol beside the layer's confidence.
function TestParse.test_noisy_strings()
  local noisy = g:noisy{ token_noise=.1 }
  local net = rhm.network{ grammar=noisy, M=256, seed=1 }
  net:train{ from=noisy, n=20000, progress=false }
  local differ = 0
  for seed = 1, 12 do
    local string = noisy:sample{ n=1, seed=seed }:tokens(1)
    local parse, wrong = net:parse(string), 0
    local picture, lines = pictures.text("synonyms", net, 80, nil, {string=string})
    for l = 1, 3 do
      for _, node in ipairs(parse.levels[l]) do
        wrong = wrong + ((l == 1 and parse.label or node.parent) ~= node.bayes and 1 or 0)
        lu.assertStrContains(picture, ("%.2f|%.2f"):format(node.p, node.bayes_p))
      end
    end
    lu.assertStrContains(lines[1], wrong == 0 and "all 7 nodes are the likeliest"
      or wrong .. " of 7 nodes not the likeliest")
    lu.assertEquals(select(2, picture:gsub("%d%S*≠%d", "")) + select(2, picture:gsub("%d!=%d", "")), wrong, picture)
    differ = differ + wrong
    pictures.each("synonyms", net, {string=string})
  end
  lu.assertTrue(differ > 0)
end

-- Below each node hang its children, in the middle of theirs; a node of three stands above the second.
function TestParse.test_shapes()
  for _, case in ipairs {{8, 4, 2, 3}, {8, 4, 3, 2}, {8, 2, 4, 2}, {6, 3, 2, 5}} do
    local other = rhm.grammar{ V=case[1], m=case[2], s=case[3], L=case[4], seed=2 }
    local net = rhm.network{ grammar=other, M=256, seed=1 }
    net:train{ from=other, n=20000, progress=false }
    local string = other:sample{ n=1, seed=3 }:tokens(1)
    pictures.each("synonyms", net, {string=string})
    for _, width in ipairs {80, 200} do
      local _, lines = pictures.text("synonyms", net, width, nil, {string=string})
      local last = lines[#lines]
      lu.assertStrMatches(last, "tokens +" .. table.concat(string, " +"))
      local strokes, ends = 0, {}
      for place in lines[#lines - 1]:gmatch "()%+" do
        strokes = strokes + 1
        ends[place] = true
      end
      local _, tokens_below = last:gsub("%d+", "")
      lu.assertEquals(tokens_below, #string)
      for place in last:gmatch "()%d+" do lu.assertTrue(ends[place], last) end -- one digit each: under its stroke
      local s = case[3]
      lu.assertEquals(strokes, #string + (s % 2 == 0 and #string // s or 0)) -- even: a stroke up of its own
    end
  end
end

-- Too long for the width: a line a node, with all tokens.
function TestParse.test_long_strings_are_a_tree_of_lines()
  local net, string = networks.trained[1], string_of(9)
  local parse = net:parse(string)
  local _, lines = pictures.text("synonyms", net, 15, nil, {string=string})
  lu.assertEquals(#lines, 8)
  _, lines = pictures.text("synonyms", net, 15, 5, {string=string, first=3})
  lu.assertEquals(#lines, 5)
  lu.assertStrMatches(lines[2], "|  |%- " .. parse.levels[3][1].parent .. "  0.*")
end

function TestParse.test_what_is_wrong_is_marked()
  local net, seen = networks.unknown[1], 0
  for seed = 1, 20 do
    local string = string_of(seed)
    local parse, wrong = net:parse(string), 0
    for l = 1, 3 do
      for _, node in ipairs(parse.levels[l]) do
        local name = l == 1 and parse.label or node.parent
        if node.unknown or name ~= node.truth then wrong = wrong + 1 end
      end
    end
    local picture = pictures.text("synonyms", net, 120, nil, {string=string})
    if wrong == 0 then
      lu.assertStrContains(picture, "all 7 nodes")
    else
      lu.assertStrContains(picture, wrong .. " of 7 nodes wrong")
      lu.assertEquals(select(2, picture:gsub("%S!=%d", "")), wrong)
      seen = seen + 1
    end
  end
  lu.assertTrue(seen > 3)
  local odd
  for k = 1, 8 do -- no string of the grammar
    local string = string_of(1)
    string[#string] = k
    local picture = pictures.text("synonyms", networks.trained[1], 80, nil, {string=string})
    if picture:find "not a string of the grammar" then odd = true end
  end
  lu.assertTrue(odd)
end

function TestParse.test_refusals_are_lines()
  local net = networks.trained[1]
  local function says(string, what, other)
    lu.assertStrContains(pictures.text("synonyms", other or net, 80, 10, {string=string}), what)
  end
  says({1, 2, 3}, "a string of 3 tokens, the network reads s^L = 2^3 = 8")
  says("1 2 3 4 5 6 7 9", "must be a whole number from 1 to 8")
  says("1 2 3 4 5 6 7 x", "must be a whole number from 1 to 8")
  says(string_of(1), "not trained", networks.untrained[1])
end

function TestParse.test_a_part_of_the_layers()
  local net = rhm.network{ grammar=g, M=256 }
  local lay = net:layer(3)
  lay:begin{ from=g, n=20000 }
  lay:step(50)
  lay:finish()
  local string = string_of(2)
  local picture, lines = pictures.text("synonyms", net, 80, nil, {string=string})
  lu.assertStrContains(lines[1], "layers 1 to 2 are not trained yet")
  local parse = net:parse(string)
  lu.assertStrMatches(picture, ".*layer 3 +" .. parse.levels[3][1].parent .. "  0.*")
end

function TestParse.test_keys()
  local net, options = networks.trained[1], {ascii=true, colours=0}
  local lay = net:layer(2)
  local ask = press(lay, options, "=")
  lu.assertStrContains(ask.ask, "8 tokens")
  ask.call "6 7 3 3 2 7 5 3"
  lu.assertStrContains(pictures.text("synonyms", lay, 80, 24, options), "parse: label")
  ask.call ""
  lu.assertEquals(options.string, string_of(1))
  lu.assertTrue(press(lay, options, "d"))
  lu.assertEquals(options.string, string_of(2))
  press(lay, options, "down down")
  pictures.text("synonyms", lay, 80, 6, options)
  lu.assertEquals(options.first, 3)
  press(lay, options, "end")
  lu.assertStrMatches(pictures.text("synonyms", lay, 80, 6, options),
    ".*tokens +" .. table.concat(options.string, " +") .. ".*")
  press(lay, options, "home")
  pictures.text("synonyms", lay, 80, 6, options)
  lu.assertEquals(options.first, 1)
  lu.assertTrue(press(lay, options, "x"))
  lu.assertNil(options.string)
end

function TestSynonyms.test_refusals()
  local lay = networks.trained[1]:layer(2)
  lu.assertErrorMsgEquals('view "synonyms": search = true: must be tokens ("1 7") or a symbol ("#6")', rhm.view.lines,
    "synonyms", lay, 80, 24, {search=true})
  lu.assertErrorMsgEquals('view "synonyms": string = 7: must be a list of tokens {1, 5, ...}', rhm.view.lines,
    "synonyms", lay, 80, 24, {string=7})
end

os.exit(lu.LuaUnit.run())
