-- t-view-histogram.lua - the view "histogram": its bars, marks and numbers.
package.path = os.getenv "srcdir" .. "/tests/script/?.lua;" .. package.path
local lu = require "luaunit"
local pictures = require "pictures"
local rows, text = require "rhm.view.rows", require "rhm.view.text"
local networks = pictures.networks()

TestHistogram = {}

function TestHistogram.test_every_size_and_state()
  for name, case in pairs(networks) do
    pictures.each("histogram", case[1], {level=case[2]}, function(lines, width, height)
      if width >= 40 then lu.assertStrContains(lines[1], name == "untrained" and "histogram" or "layer " .. case[2]) end
      if height == 24 and name ~= "untrained" then lu.assertEquals(#lines, 24) end
    end)
    pictures.each("histogram", case[1]:layer(case[2]), {counts="log"})
    pictures.each("histogram", case[1]:layer(case[2]), {counts="linear"})
  end
end

function TestHistogram.test_numbers_are_those_of_the_layer()
  local net = networks.trained[1]
  for l = 1, 3 do
    local lay = net:layer(l)
    local stats, picture = rows.of(lay):statistics(), pictures.text("histogram", lay, 120, 30)
    lu.assertStrContains(picture, string.format("within: %d pairs, largest %s", stats.within.pairs,
      text.number(stats.within.largest)))
    lu.assertStrContains(picture, string.format("between: %d pairs, smallest %s", stats.between.pairs,
      text.number(stats.between.smallest)))
    lu.assertEquals(stats.within.pairs + stats.between.pairs, lay.patch_count * (lay.patch_count - 1) // 2)
    for name, x in pairs {["rho~"]=lay.rho, ["eps_S"]=lay.eps_S, gap=lay.gap, ["sigma(" .. l .. ")"]=lay.sigma} do
      lu.assertStrContains(picture, name .. " " .. text.number(x))
    end
    if l > 1 then
      lu.assertStrContains(picture, string.format("sigma(%d) %s", l - 1, text.number(net:layer(l - 1).sigma)))
    end
  end
end

-- With counts="linear" the bars' heights are the counts: columns of the plot against the distances themselves.
function TestHistogram.test_bars()
  local lay = networks.trained[1]:layer(2)
  local data = rows.of(lay)
  local _, lines = pictures.text("histogram", lay, 60, 40, {counts="linear"})
  local top, bottom, high = nil, nil, 0
  for i, line in ipairs(lines) do
    if not top and line:find "^ +%d+ %+" then top = i end
    if line:find "^      %+%+" then bottom = i - 1 end
  end
  lu.assertNotNil(top)
  lu.assertNotNil(bottom)
  for _, list in ipairs {data:pairs().within, data:pairs().between} do
    for _, d in ipairs(list) do high = math.max(high, d) end
  end
  -- within and between stand apart in a trained layer, so ":" and "#" do, too, and the hills end where the distances do
  local last_within, first_between = 0, math.huge
  for i = top, bottom do
    local bars = lines[i]:sub(8)
    for at in bars:gmatch "()#" do last_within = math.max(last_within, at) end
    for at in bars:gmatch "():" do first_between = math.min(first_between, at) end
  end
  local stats = data:statistics()
  lu.assertTrue(last_within < first_between)
  local high_axis = stats.between.smallest / (first_between - 0.5) -- of one column
  lu.assertAlmostEquals(stats.within.largest / last_within, high_axis, high_axis * .35)
  lu.assertStrMatches(lines[top], " +%d+ %+.*:.*")
end

function TestHistogram.test_keys()
  local options = {}
  local key = rhm.view.spec("histogram").key
  lu.assertTrue(key(nil, options, "l"))
  lu.assertEquals(options.counts, "log")
  lu.assertTrue(key(nil, options, "l"))
  lu.assertEquals(options.counts, "linear")
  lu.assertNil(key(nil, options, "x"))
end

function TestHistogram.test_clusters_not_known_yet()
  local lay = networks.stepped_on_data[1]:layer(3)
  local picture = pictures.text("histogram", lay, 100, 20)
  lu.assertStrContains(picture, string.format("all pairs: %d;", lay.patch_count * (lay.patch_count - 1) // 2))
end

function TestHistogram.test_refusals()
  lu.assertErrorMsgEquals('view "histogram": counts = many: must be "log" or "linear"', rhm.view.lines, "histogram",
    networks.trained[1]:layer(2), 80, 24, {counts="many"})
end

os.exit(lu.LuaUnit.run())
