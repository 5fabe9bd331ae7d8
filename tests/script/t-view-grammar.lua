-- t-view-grammar.lua - the view "grammar": rules, q, gaps and the assumption check as text.
package.path = os.getenv "srcdir" .. "/tests/script/?.lua;" .. package.path
local lu = require "luaunit"
local pictures = require "pictures"
local text = require "rhm.view.text"
local g = pictures.g

TestGrammar = {}

local function rule(children) return "(" .. table.concat(children, " ") .. ")" end

function TestGrammar.test_every_size()
  for _, other in ipairs {g, rhm.grammar{ V=3, m=2, s=3, L=2, seed=1 }, rhm.grammar{ V=40, m=30, s=2, L=2, seed=1 },
    rhm.grammar{ V=4, m=1, s=2, L=7, seed=2 }} do
    pictures.each("grammar", other, nil, function(lines) lu.assertStrContains(lines[1], "grammar") end)
  end
  pictures.each("grammar", rhm.network{ grammar=g }, {only=2}, function(lines)
    lu.assertStrContains(table.concat(lines, "\n"), "level 2 of 3")
    lu.assertNil(table.concat(lines, "\n"):find "level 1 of 3")
  end)
end

-- Each rule stands behind its parent, at each level, in each width.
function TestGrammar.test_all_rules_are_there()
  for _, width in ipairs {20, 60, 80, 200} do
    for l = 1, 3 do
      local picture = pictures.text("grammar", g, width, nil, {only=l}):gsub("%s+", " ")
      for nu, list in ipairs(g:rules(l)) do
        local texts = {}
        for k, children in ipairs(list) do texts[k] = rule(children) end
        lu.assertStrContains(picture, "-> " .. texts[1])
        lu.assertStrContains(picture, table.concat(texts, " "))
        if width == 60 then
          lu.assertStrMatches(picture, ".* " .. nu .. " [%d.]+ .* %-> " .. pictures.quote(texts[1]) .. ".*")
        end
      end
    end
  end
end

function TestGrammar.test_numbers_are_those_of_the_check()
  local check, picture = g:check(), pictures.text("grammar", g, 100)
  lu.assertStrContains(picture, "Assumption 4.1 holds, K_rho = " .. text.number(g:K()))
  lu.assertStrContains(picture, "(V, m, s, L) = (8, 4, 2, 3), 8 tokens a string, 8 classes, seed 3")
  for l = 1, 3 do
    local level = check.levels[l]
    lu.assertStrContains(picture, string.format("gap %s (%d and %d)  K %s  p_min %s", text.number(g:gap(l)),
      level.nearest[1], level.nearest[2], text.number(level.K), text.number(level.pmin)))
  end
end

-- "first": how often a parent stands first; its smallest is p_min, all make 1, and q weighted by it is uniform.
function TestGrammar.test_how_often_parents_stand_first()
  for l = 1, 3 do
    local sum, least = 0, 1
    local weighted = {0, 0, 0, 0, 0, 0, 0, 0}
    for line in pictures.text("grammar", g, 80, nil, {only=l}):gmatch "[^\n]+" do
      local nu, p = line:match "^ ([%d ]%d?) ([%d.]+) .*%->"
      if p then
        sum, least = sum + p, math.min(least, tonumber(p))
        for c = 1, 8 do weighted[c] = weighted[c] + p * g:q(l)[tonumber(nu)][c] end
      end
    end
    lu.assertAlmostEquals(sum, 1, 1e-3)
    lu.assertAlmostEquals(least, g:check().levels[l].pmin, 1e-4)
    for c = 1, 8 do lu.assertAlmostEquals(weighted[c], 1 / 8, 1e-3) end
  end
end

-- Bars: the largest number of a level fills its bar, a zero has none.
function TestGrammar.test_bars()
  local _, lines = pictures.text("grammar", g, 80, nil, {only=2, ascii=false})
  local seen = 0
  for _, line in ipairs(lines) do
    local nu, bars = line:match "^ (%d) [%d.]+ (%S+) "
    if nu and bars then
      local c = 0
      for _, code in utf8.codes(bars) do
        c = c + 1
        local x = g:q(2)[tonumber(nu)][c]
        lu.assertEquals(utf8.char(code) == "·", x == 0)
        lu.assertEquals(utf8.char(code) == "█", x > 15 / 16)
        seen = seen + 1
      end
    end
  end
  lu.assertEquals(seen, 64)
end

function TestGrammar.test_a_grammar_that_cannot_be_learned()
  local bad
  for seed = 1, 200 do
    local candidate = rhm.grammar{ V=8, m=2, s=2, L=4, seed=seed }
    if #candidate:check().levels[4].missing > 0 then bad = candidate break end
  end
  local missing = bad:check().levels[4].missing
  local picture = pictures.text("grammar", bad, 80)
  lu.assertStrContains(picture, "Assumption 4.1 fails")
  lu.assertStrContains(picture, #missing .. " never first")
  lu.assertStrMatches(picture, ".* " .. missing[1] .. " +never no q .*")
end

function TestGrammar.test_many_symbols_are_elided()
  local large = rhm.grammar{ V=1000, m=2, s=2, L=1, seed=1 }
  local picture, lines = pictures.text("grammar", large, 80)
  lu.assertStrContains(picture, "... (744 more labels)")
  lu.assertTrue(#lines < 300)
end

function TestGrammar.test_a_network_without_a_grammar()
  local picture = pictures.text("grammar", rhm.network{ V=8, s=2, L=3 }, 80, 10)
  lu.assertStrContains(picture, "this network has no grammar")
end

function TestGrammar.test_refusals()
  lu.assertErrorMsgEquals('view "grammar": only = 4: must be a level, 1 to 3 (L)', rhm.view.lines, "grammar", g, 80, 24,
    {only=4})
end

os.exit(lu.LuaUnit.run())
