-- t-view-distances.lua - the view "distances": the map, its numbers, its cursor and zoom, its speed.
package.path = os.getenv "srcdir" .. "/tests/script/?.lua;" .. package.path
local lu = require "luaunit"
local pictures = require "pictures"
local rows, text = require "rhm.view.rows", require "rhm.view.text"
local networks, g = pictures.networks(), pictures.g

TestRows = {}

-- Largest within and smallest between clusters, by all pairs.
local function extremes(lay, data)
  local m, within, between, n = lay:distances(), -1, math.huge, {0, 0}
  for i = 1, #m do
    for j = 1, i - 1 do
      local a, b = data.patches[i], data.patches[j]
      if not a.unknown and not b.unknown then
        if data.group_of[i] == data.group_of[j] then
          within, n[1] = math.max(within, m[i][j]), n[1] + 1
        else
          between, n[2] = math.min(between, m[i][j]), n[2] + 1
        end
      end
    end
  end
  return within, between, n
end

function TestRows.test_distances_are_those_of_the_layer()
  for name, case in pairs(networks) do
    if name ~= "untrained" and name ~= "stepped_on_data" then
      local lay = case[1]:layer(case[2])
      local data, m = rows.of(lay), lay:distances()
      lu.assertEquals({data.U, data.C}, {#m, 8}, name)
      for i = 1, #m, 3 do for j = 1, #m, 5 do lu.assertAlmostEquals(data:distance(i, j), m[i][j], 1e-12, name) end end
    end
  end
end

function TestRows.test_why_there_is_nothing_yet()
  local function begin(seed)
    local net = rhm.network{ grammar=g, M=64, seed=seed }
    return net:train{ from=g, n=1000, solver="gd", steps=100000, steps_per_second=20, background=true }
  end
  local first, second = begin(1), begin(2)
  local deadline = rhm.clock() + 20
  while first.progress.level == 0 and rhm.clock() < deadline do first:wait(.01) end
  local _, why = rows.of(first.network:layer(1))
  lu.assertEquals(why, "layer 1 of 3 waits for its turn: layer 3 is in training")
  _, why = rows.of(second.network:layer(3))
  lu.assertEquals(why, "layer 3 of 3 waits for its turn: the training is queued")
  lu.assertStrContains(pictures.text("curves", second.network, 80, 24), "not trained yet")
  first:stop() second:stop()
end

function TestRows.test_statistics_are_exact()
  for _, name in ipairs {"stepped", "trained", "trained_on_data", "unknown", "exact"} do
    for l = networks[name][2], 3 do
      local lay = networks[name][1]:layer(l)
      local data = rows.of(lay)
      local within, between, n = extremes(lay, data)
      local stats = data:statistics()
      lu.assertTrue(stats.exact, name)
      lu.assertEquals({stats.within.pairs, stats.between.pairs}, n, name)
      lu.assertAlmostEquals(stats.within.largest, within, 1e-12, name)
      lu.assertAlmostEquals(stats.between.smallest, between, 1e-12, name)
      lu.assertAlmostEquals(data:distance(table.unpack(stats.within.pair)), within, 1e-12)
      lu.assertAlmostEquals(data:distance(table.unpack(stats.between.pair)), between, 1e-12)
      lu.assertEquals({#data:pairs().within, #data:pairs().between}, n)
    end
  end
end

function TestRows.test_blocks_are_root_mean_squares()
  local data = rows.of(networks.exact[1]:layer(2))
  for _, b in ipairs {{1, 5, 9, 20}, {30, 30, 31, 40}, {7, 18, 7, 18}, {100, 200, 300, 400}, {50, 60, 55, 56},
    {3, 3, 1, 9}, {20, 40, 35, 60}} do
    local sum, n = 0, 0
    for i = b[1], b[2] do
      for j = b[3], b[4] do
        if i ~= j then sum, n = sum + data:distance(i, j) ^ 2, n + 1 end
      end
    end
    lu.assertAlmostEquals(data:block_distance(data:block(b[1], b[2]), data:block(b[3], b[4])), math.sqrt(sum / n), 1e-9)
  end
end

-- Groups are the clusters of lay:synonyms(), misplaced patches those it marks.
function TestRows.test_groups_are_the_synonyms()
  for _, name in ipairs {"trained", "unknown", "exact", "trained_on_data"} do
    local lay = networks[name][1]:layer(2)
    local data, synonyms = rows.of(lay), lay:synonyms()
    lu.assertEquals(data.misplaced_count, synonyms.misplaced or 0)
    for k, cluster in ipairs(synonyms) do
      local group = data.groups[k]
      lu.assertEquals({group.size, group.count, group.parent}, {cluster.size, cluster.count, cluster.parent})
      for n, patch in ipairs(cluster.patches) do
        lu.assertEquals(data.patches[group.first + n - 1].tuple, patch.tuple)
        lu.assertEquals(data.misplaced[group.first + n - 1], patch.misplaced)
      end
    end
    lu.assertEquals(data.groups[#synonyms + 1] ~= nil, synonyms.unknown ~= nil)
  end
  lu.assertTrue(rows.of(networks.unknown[1]:layer(2)).misplaced_count > 0)
end

function TestRows.test_a_state_is_read_once()
  local lay = rhm.network{ grammar=g, M=256 }:layer(3)
  lay:begin{ from=g, n=2000 }
  local first = rows.of(lay)
  lu.assertIs(rows.of(lay.network:layer(3)), first)
  lay:step()
  local second = rows.of(lay)
  lu.assertFalse(second == first)
  lay:finish()
  lu.assertFalse(rows.of(lay) == second)
  lu.assertTrue(rows.of(lay).trained)
end

-- Ctrl-C is not a layer that cannot be read.
function TestRows.test_interrupts_pass()
  lu.assertErrorMsgContains("interrupted", rows.try, error, "interrupted")
  lu.assertEquals({rows.try(error, "layer:q: not now", 0)}, {false, "layer:q: not now"})
  lu.assertEquals({rows.try(math.max, 1, 2)}, {true, 2})
  lu.assertEquals(rows.plain "layer:q: not now", "not now")
end

-- Large layers: bounds instead of all pairs, and a part of the pairs for the histogram.
function TestRows.test_large_layers_are_sampled_and_say_so()
  local net = rhm.network{ grammar=g, M=256, codebook="exact", seed=1 }
  net:train{ from=g, n=5000, progress=false }
  local data = rows.of(net:layer(2))
  lu.assertEquals(data.terms, rows.limits.terms)
  data.terms = 50
  local stats = data:statistics()
  data.terms = 2e4
  local lists = data:pairs()
  lu.assertFalse(stats.exact)
  lu.assertTrue(lists.between_stride > 1 and lists.within_stride > 1)
  lu.assertTrue((#lists.within + #lists.between) * 8 <= 4e4)
  lu.assertStrContains(pictures.text("distances", net, 100, 24, {level=2}), "about")
  local patches = rows.limits.patches
  rows.limits.patches = 100
  net:layer(2):begin{ from=g, n=5000 }
  lu.assertEquals({rows.of(net:layer(2))}, {nil, "layer 2 has " .. net:layer(2).patch_count .. " distinct patches of 8 "
    .. "classes, too many for a picture (100, or 4e+06 numbers): lay:diagnostics() sums them up"})
  rows.limits.patches = patches
end

TestDistances = {}

function TestDistances.test_every_size_and_state()
  for name, case in pairs(networks) do
    pictures.each("distances", case[1], {level=case[2]}, function(lines, width, height)
      if width >= 40 then lu.assertStrContains(lines[1], name == "untrained" and "distances" or "layer " .. case[2]) end
      if name == "untrained" and width >= 80 then lu.assertStrContains(lines[2], "layer 3 of 3 is not trained yet") end
      if height == 24 and name ~= "untrained" then lu.assertTrue(#lines >= 12, name) end
    end)
    pictures.each("distances", case[1]:layer(case[2]), {cursor={2, 30}, zoom=1, scale="log"})
    pictures.each("distances", case[1]:layer(case[2]), {cursor={9999, -5}, zoom=99})
  end
end

function TestDistances.test_the_numbers_are_those_of_the_layer()
  local lay = networks.trained[1]:layer(2)
  local within, between = extremes(lay, rows.of(lay))
  local picture = pictures.text("distances", lay, 120, 40)
  lu.assertStrContains(picture, "largest within " .. text.number(within))
  lu.assertStrContains(picture, "smallest between " .. text.number(between))
  lu.assertStrContains(picture, ": " .. lay.patch_count .. " patches, 8 clusters")
end

-- Black on white: each cell's ink is the distance's, and no cell is missing.
function TestDistances.test_the_map_is_the_matrix()
  local lay = networks.trained[1]:layer(2)
  local m, data, ink = lay:distances(), rows.of(lay), "@%#*+=-:. "
  local _, lines = pictures.text("distances", lay, 120, 80)
  local largest = 0
  data:statistics()
  for _, group in ipairs(data.groups) do largest = math.max(largest, group.farthest) end
  local y, seen = 3, 0
  local k = 0
  for _ in lines[3]:gmatch "@" do k = k + 1 end -- columns of a cluster
  local high = k // 8
  for i = 1, #m do
    if i > 1 and data.group_of[i] ~= data.group_of[i - 1] then y = y + 1 end
    local x = 4
    for j = 1, #m do
      if j > 1 and data.group_of[j] ~= data.group_of[j - 1] then x = x + 1 end
      local level = math.min(9, math.floor(10 * m[i][j] / largest))
      local want = ink:sub(level + 1, level + 1):rep(2 * high)
      lu.assertEquals((lines[y]:sub(x, x + 2 * high - 1) .. "   "):sub(1, 2 * high), want, i .. "," .. j)
      x, seen = x + 2 * high, seen + 1
    end
    y = y + high
  end
  lu.assertEquals(seen, #m * #m)
end

local function press(lay, options, keys, width, height)
  local spec = rhm.view.spec "distances"
  for key in keys:gmatch "%S+" do
    lu.assertTrue(spec.key(lay, options, key, width or 80, height or 24), key)
  end
end

function TestDistances.test_the_cursor()
  local lay = networks.trained[1]:layer(3)
  local data, m, options = rows.of(lay), lay:distances(), {ascii=true, colours=0}
  press(lay, options, "down", 200, 60)
  lu.assertEquals(options.cursor, {1, 1})
  press(lay, options, "down right right down", 200, 60)
  lu.assertEquals(options.cursor, {3, 3})
  press(lay, options, "up left left left left", 200, 60)
  lu.assertEquals(options.cursor, {2, 1})
  press(lay, options, "pagedown pagedown", 200, 60)
  lu.assertEquals(options.cursor, {data.groups[3].first, 1})
  press(lay, options, "end right down")
  lu.assertEquals(options.cursor, {data.U, data.U})
  press(lay, options, "c", 200, 60)
  local i, j = table.unpack(options.cursor)
  lu.assertEquals(m[i][j], data:statistics().between.smallest)
  local picture = pictures.text("distances", lay, 200, 60, options)
  local a, b = data.patches[i], data.patches[j]
  lu.assertStrContains(picture, "distance " .. text.number(m[i][j]))
  lu.assertStrContains(picture, string.format("%d (%d %d) symbol %d, seen %d | %d (%d %d) symbol %d, seen %d", i,
    a.tuple[1], a.tuple[2], a.parent, a.count, j, b.tuple[1], b.tuple[2], b.parent, b.count))
  lu.assertStrContains(picture, "[")
  press(lay, options, "w")
  lu.assertEquals(m[options.cursor[1]][options.cursor[2]], data:statistics().within.largest)
  lu.assertNil(rhm.view.spec("distances").key(lay, options, "x", 80, 24))
  press(lay, options, "0")
  lu.assertNil(options.cursor)
  lu.assertNil(rhm.view.spec("distances").key(networks.untrained[1]:layer(3), options, "down", 80, 24))
end

-- Each zoom in shows fewer patches, larger; back at 0 all are there. The cursor's pair stays in the window.
function TestDistances.test_zoom()
  local lay = networks.exact[1]:layer(2)
  local options = {ascii=true, colours=0, cursor={300, 40}}
  local steps = 0
  lu.assertStrContains(pictures.text("distances", lay, 80, 24, options), "patches a cell")
  repeat
    local before = options.zoom or 0
    press(lay, options, "+")
    steps = steps + 1
    local picture = pictures.text("distances", lay, 80, 24, options)
    if options.zoom > before then lu.assertStrContains(picture, "a part of the map") end
    lu.assertStrContains(picture, "[")
    lu.assertEquals(options.cursor, {300, 40})
  until options.zoom == before
  lu.assertTrue(steps > 6, steps)
  local picture = pictures.text("distances", lay, 80, 24, options)
  lu.assertNil(picture:find "patches a cell")
  for _ = 1, steps do press(lay, options, "-") end
  lu.assertEquals(options.zoom, 0)
  press(lay, options, "l")
  lu.assertStrContains(pictures.text("distances", lay, 80, 24, options), "logarithmic")
end

function TestDistances.test_misplaced_rows_are_marked()
  local lay = networks.unknown[1]:layer(2)
  local data, options = rows.of(lay), {ascii=true, colours=0}
  local _, lines = pictures.text("distances", lay, 200, 80)
  local marked = 0
  for i = 3, #lines do
    if lines[i]:sub(1, 8):find "x" then marked = marked + 1 end
  end
  lu.assertTrue(marked >= data.misplaced_count, marked)
  lu.assertStrContains(lines[1], data.misplaced_count .. " misplaced")
  press(lay, options, "m")
  lu.assertTrue(data.misplaced[options.cursor[1]])
  local parent = data.patches[options.cursor[1]].parent
  lu.assertStrContains(pictures.text("distances", lay, 200, 80, options), parent and "(of " .. parent .. ")"
    or "(no rule)")
end

-- Thousands of patches: after the first frame, which reads them, one takes a few milliseconds; a move shows new cells.
function TestDistances.test_a_large_layer_is_quick()
  local net = rhm.network{ grammar=g, M=512, codebook="exact", seed=1 }
  net:train{ from=g, n=5000, progress=false }
  local lay, options = net:layer(1), {colours=256, ascii=false}
  lu.assertTrue(lay.patch_count > 2000)
  local function seconds() -- of this process: the machine may be busy
    local start = os.clock()
    rhm.view.lines("distances", lay, 200, 60, options)
    return os.clock() - start
  end
  seconds()
  local moved, still = 0, 0
  for _, keys in ipairs {"down", "+", "right", "pagedown", "+ +", "down", "-"} do
    press(lay, options, keys, 200, 60)
    moved = math.max(moved, seconds())
    still = math.max(still, math.min(seconds(), seconds(), seconds()))
  end
  print(string.format("# %d patches at 200 x 60: %.1f ms a frame, %.1f ms after a move", lay.patch_count, 1e3 * still,
    1e3 * moved))
  lu.assertTrue(still < 0.05, still)
  lu.assertTrue(moved < 0.15, moved)
end

function TestDistances.test_refusals()
  local lay = networks.trained[1]:layer(2)
  local function refuse(options, message)
    lu.assertErrorMsgEquals('view "distances": ' .. message, rhm.view.lines, "distances", lay, 80, 24, options)
  end
  refuse({zoom=-1}, "zoom = -1: must be a whole number, 0 (the whole map) or more")
  refuse({zoom="in"}, "zoom = in: must be a whole number, 0 (the whole map) or more")
  refuse({cursor=5}, "cursor = 5: must be {i, j}, rows of lay:patches()")
  refuse({scale="sqrt"}, 'scale = sqrt: must be "log" or "linear"')
end

os.exit(lu.LuaUnit.run())
