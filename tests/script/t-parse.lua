-- t-parse.lua - net:parse: the table, the report, the refusals.
local lu = require "luaunit"

TestParse = {}

local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }
local net = rhm.network{ grammar=g, seed=1 }
net:train{ from=g, c=16 }
local d = g:sample{ n=50, seed=5 }

function TestParse.test_the_tree()
  for i = 1, #d do
    local tokens = d:tokens(i)
    local t = net:parse(tokens)
    local label, row = net:predict(tokens)
    lu.assertEquals(t.label, label)
    lu.assertEquals(t.label, d:label(i))
    lu.assertEquals({#t.levels[1], #t.levels[2], #t.levels[3]}, {1, 2, 4})
    lu.assertEquals(t.tokens, tokens)
    local root = t.levels[1][1]
    lu.assertEquals({t.p, root.parent, root.truth, root.unknown}, {root.p, label, label, false})
    for c = 1, 8 do lu.assertEquals(root.q[c], row[c]) end
    lu.assertEquals(math.max(table.unpack(root.q)), t.p)
    for l = 1, 3 do -- each node's children are a rule of its parent
      for k, node in ipairs(t.levels[l]) do
        lu.assertEquals(node.parent, node.truth)
        local below = {}
        for j = 1, 2 do below[j] = l == 3 and tokens[2 * k - 2 + j] or t.levels[l + 1][2 * k - 2 + j].parent end
        local found = false
        for _, rule in ipairs(g:rules(l)[node.parent]) do
          found = found or rule[1] == below[1] and rule[2] == below[2]
        end
        lu.assertTrue(found)
      end
    end
  end
end

-- The code of a node is the cluster of its patch.
function TestParse.test_codes_are_clusters()
  local cluster = {}
  for _, patch in ipairs(net:layer(3):patches()) do cluster[table.concat(patch.tuple, " ")] = patch.cluster end
  local tokens = d:tokens(1)
  for k, node in ipairs(net:parse(tokens).levels[3]) do
    lu.assertEquals(node.code, cluster[tokens[2 * k - 1] .. " " .. tokens[2 * k]])
  end
end

function TestParse.test_it_prints()
  local text = tostring(net:parse(d:tokens(1)))
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  lu.assertEquals(#lines, 9) -- head, 7 nodes, summary
  lu.assertStrMatches(lines[2], d:label(1) .. " .* 1 +" .. table.concat(d:tokens(1), " "))
  lu.assertStrMatches(lines[9], "%[label " .. d:label(1) .. ", p = [%d.]+%]")
end

-- Under token noise: the likeliest symbols beside what the chain says, as g:posterior has them.
function TestParse.test_noisy_strings()
  local noisy = g:noisy{ token_noise=.1 }
  local chain = rhm.network{ grammar=noisy, seed=1 }
  chain:train{ from=noisy, c=16 }
  local strings, differ = noisy:sample{ n=40, seed=1 }, 0
  for i = 1, 40 do
    local tokens = strings:tokens(i)
    local t = chain:parse(tokens)
    for l = 1, 3 do
      local p = noisy:posterior(tokens, { level=l - 1 })
      for k, node in ipairs(t.levels[l]) do
        local largest = 0
        for c = 1, 8 do largest = math.max(largest, p[k][c]) end
        lu.assertEquals({p[k][node.bayes], node.bayes_p}, {largest, largest})
        differ = differ + (node.parent ~= node.bayes and 1 or 0)
      end
    end
    local text = tostring(t)
    lu.assertStrMatches(text:match "[^\n]+", "symbol +p +likeliest +p +level +tokens")
    lu.assertEquals(text:find("not the likeliest", 1, true) ~= nil, text:find("*", 1, true) ~= nil)
  end
  lu.assertTrue(differ > 0)
  lu.assertNil(net:parse(d:tokens(1)).levels[1][1].bayes)
  lu.assertTrue(rhm.sensitivity{ of=chain, n=50 }[1][1] >= 0)
end

function TestParse.test_marks()
  local part = rhm.network{ grammar=g, seed=1 }
  part:train{ from=g, n=40 } -- too few: wrong, and unseen patches
  local stars, texts = 0, {}
  for i = 1, 20 do
    local t = part:parse(d:tokens(i))
    local text, wrong = tostring(t), 0
    for l = 1, 3 do for _, node in ipairs(t.levels[l]) do wrong = wrong + (node.parent ~= node.truth and 1 or 0) end end
    lu.assertEquals(select(2, text:gsub("%*%(", "")), wrong)
    if wrong > 0 then lu.assertStrContains(text, "another symbol (*)") end
    stars, texts[#texts + 1] = stars + wrong, text
  end
  lu.assertTrue(stars > 0)
  part:layer(2):begin{ from=g }
  local t = part:parse(d:tokens(1))
  lu.assertNil(t.label)
  lu.assertNil(t.p)
  lu.assertNil(t.levels[2])
  lu.assertEquals(#t.levels[3], 4)
  lu.assertStrContains(tostring(t), "[level 3: the layers below are not trained")
end

function TestParse.test_refusals()
  lu.assertErrorMsgContains("network:parse: a string of 2 tokens, the network reads s^L = 2^3 = 8", net.parse, net,
    {1, 2})
  lu.assertErrorMsgContains("network:parse: token 8 = 9: must be a whole number from 1 to 8", net.parse, net,
    {1, 2, 3, 4, 5, 6, 7, 9})
  lu.assertErrorMsgContains("token 2 = 1.5", net.parse, net, {1, 1.5, 3, 4, 5, 6, 7, 8})
  lu.assertErrorMsgContains("one string {1, 5, 2, ...} expected, got nil", net.parse, net)
  lu.assertErrorMsgContains("got rhm.dataset: d:tokens(i)", net.parse, net, g:sample{ n=2 })
  lu.assertErrorMsgContains("got rhm.dataset", net.parse, net, d)
  lu.assertErrorMsgContains("layer 3 is not trained", function()
    rhm.network{ grammar=g }:parse{ 1, 2, 3, 4, 5, 6, 7, 8 }
  end)
end

os.exit(lu.LuaUnit.run())
