-- t-cnn.lua - rhm.cnn: options, training from grammars and data sets, predictions, accuracy, files, errors.
local lu = require "luaunit"

TestCnn = {}

local g = rhm.grammar{ V=8, m=4, s=2, L=2, seed=1 }

local function fails(text, f, ...)
  lu.assertErrorMsgContains(text, f, ...)
end

local function trained(options, training)
  options.grammar, training.from, training.progress = options.grammar or g, training.from or g, false
  local c = rhm.cnn(options)
  return c, c:train(training)
end

function TestCnn.test_fields()
  local c = rhm.cnn{ V=6, s=3, L=2, classes=4, h=10, shared=false, scaling="mean-field", seed=5 }
  lu.assertEquals({c.V, c.s, c.L, c.d, c.classes, c.h, c.shared, c.scaling, c.seed, c.epochs, c.steps},
    {6, 3, 2, 9, 4, 10, false, "mean-field", 5, 0, 0})
  lu.assertEquals(c.parameters, 3 * (18 * 10 + 10) + 30 * 10 + 10 + 10 * 4 + 4)
  lu.assertEquals(c.history, {epoch={}, loss={}, accuracy={}, rate={}, held_loss={}, held_accuracy={}})
  lu.assertStrContains(tostring(c), "for each position")
  lu.assertStrContains(tostring(c), "not trained")
  local known = rhm.cnn{ grammar=g }
  lu.assertEquals({known.V, known.s, known.L, known.classes, known.h, known.shared, known.scaling},
    {8, 2, 2, 8, 256, true, "mean-field"})
  lu.assertEquals(rhm.cnn{ grammar=g, s=4, L=1, h=3 }.d, 4) -- one hidden layer
  lu.assertNil(known.nothing)
end

function TestCnn.test_learns_a_grammar()
  for _, scaling in ipairs{"standard", "mean-field"} do
    local c, r = trained({h=64, scaling=scaling, seed=2}, {n=1280})
    lu.assertEquals(r.ended_by, scaling == "standard" and "loss" or "epochs") -- it cools down before
    lu.assertTrue(r.loss < (scaling == "standard" and 1e-3 or 3e-3) and r.accuracy == 1)
    lu.assertEquals({r.n, r.steps}, {1280, 10 * r.epochs})
    lu.assertEquals({c.epochs, c.steps}, {r.epochs, r.steps})
    lu.assertTrue(c:accuracy(g) > .95)
    lu.assertEquals(c:accuracy(g), c:accuracy(g))
    lu.assertNotEquals(c:accuracy(g, {n=100, seed=7}), nil)
    lu.assertEquals(#c.history.loss, r.epochs)
    lu.assertEquals(c.history.loss[r.epochs], r.loss)
    lu.assertEquals(c.history.held_loss[1], false)
    lu.assertTrue(c.history.rate[1] > c.history.rate[r.epochs])
    lu.assertStrContains(tostring(r), "accuracy 1.0000")
    lu.assertStrContains(tostring(c), "trained for " .. r.epochs)
  end
end

function TestCnn.test_data_sets_and_held_out()
  local d, held = g:sample{ n=300, seed=1 }, g:sample{ n=200, seed=2 }
  local c, r = trained({h=32}, {from=d, n=77, batch=20, epochs=3, held_out=held, optimiser="adam", stop_loss=0})
  lu.assertEquals({r.n, r.epochs, r.steps, r.ended_by}, {77, 3, 12, "epochs"})
  lu.assertEquals(c.history.held_accuracy[3], r.held_accuracy)
  lu.assertAlmostEquals(c:accuracy(held), r.held_accuracy, 1e-12)
  r = c:train{ from=d, epochs=400, held_out=held, patience=4, stop_loss=0, progress=false }
  lu.assertEquals(r.ended_by, "held_out")
  lu.assertStrContains(tostring(r), "held-out")
  lu.assertEquals(c.epochs, 3 + r.epochs)
  local again = c:train{ from=d, epochs=1, anew=true, progress=false }
  lu.assertEquals({again.epochs, c.epochs, #c.history.loss}, {1, 1, 1})
end

function TestCnn.test_the_same_seed_gives_the_same()
  local d = g:sample{ n=200, seed=3 }
  local function loss(options, seed)
    local _, r = trained(options, {from=d, epochs=3, seed=seed})
    return r.loss
  end
  lu.assertEquals(loss({h=16, seed=4}), loss({h=16, seed=4}))
  lu.assertEquals(loss({h=16, seed=4}), loss({h=16, seed=4}, 4))
  lu.assertNotEquals(loss({h=16, seed=4}), loss({h=16, seed=5}))
  lu.assertNotEquals(loss({h=16, seed=4}), loss({h=16, seed=4}, 6))
end

function TestCnn.test_predict()
  local c = trained({h=64}, {n=1280})
  local d = g:sample{ n=50, seed=9 }
  local labels, p = c:predict(d)
  lu.assertEquals({#labels, p:rows(), p:cols()}, {50, 50, 8})
  local right = 0
  for i = 1, 50 do
    local sum = 0
    for k = 1, 8 do
      sum = sum + p[i][k]
      lu.assertTrue(p[i][k] <= p[i][labels[i]])
    end
    lu.assertAlmostEquals(sum, 1, 1e-9)
    if labels[i] == d:label(i) then right = right + 1 end
  end
  lu.assertAlmostEquals(c:accuracy(d), right / 50, 1e-12)
  local label, row = c:predict(d:tokens(7))
  lu.assertEquals(label, labels[7])
  for k = 1, 8 do lu.assertAlmostEquals(row[k], p[7][k], 1e-5) end
end

function TestCnn.test_outputs()
  local c, d = rhm.cnn{ grammar=g, h=5 }, g:sample{ n=12 }
  local deep, last = c:outputs(d, 2), c:outputs(d, 1)
  lu.assertEquals({deep:rows(), deep:cols(), last:rows(), last:cols()}, {12, 10, 12, 5})
  for i = 1, 12 do for k = 1, 5 do lu.assertTrue(last[i][k] >= 0) end end
  fails("cnn:outputs: level 3: must be a whole number from 1 to 2", c.outputs, c, d, 3)
  fails("cnn:outputs: a data set expected, got nil", c.outputs, c)
  fails("8 tokens a string, the model reads 4", c.outputs, c, rhm.grammar{ V=8, m=4, s=2, L=3 }:sample{ n=3 }, 1)
end

-- The tokens of strings that a network pads are those of a network whose strings are padded by hand.
function TestCnn.test_another_branching_factor()
  local four = rhm.grammar{ V=4, m=2, s=2, L=4, seed=1 }
  local d, tokens, labels = four:sample{ n=300, seed=1 }, {}, {}
  for i = 1, #d do
    tokens[i], labels[i] = d:tokens(i), d:label(i)
    for k = 17, 27 do tokens[i][k] = 5 end
  end
  local more = rhm.dataset{ tokens=tokens, labels=labels, V=5, classes=4 }
  for _, make in ipairs{rhm.cnn, rhm.network, rhm.onestep} do
    local a, b = make{ V=4, s=3, d=16, seed=2 }, make{ V=5, s=3, L=3, classes=4, seed=2 }
    lu.assertEquals({a.V, a.s, a.L, a.d, a.classes, b.d}, {4, 3, 3, 16, 4, 27})
    lu.assertStrContains(tostring(a), ", 16 tokens padded to 27")
    lu.assertFalse(tostring(b):find "padded" ~= nil)
    local known = make{ grammar=four, s=3 }
    lu.assertEquals({known.V, known.s, known.L, known.d}, {4, 3, 3, 16})
    lu.assertEquals({make{ grammar=four, s=4 }.L, make{ grammar=four, s=4, L=2 }.d, make{ grammar=four, s=3, L=2 }.d},
      {2, 16, 9})
    lu.assertEquals({make{ V=4, s={ 2, 3, 3 }, d=16 }.L, make{ V=4, s=2, L=5, d=16 }.d}, {3, 16})
    fails("d = 17: must be 1 or more, and at most s^L = 4^2 = 16 (raise L)", make, {V=4, s=4, L=2, d=17})
    fails("d = 0: must be 1 or more", make, {V=4, s=4, L=2, d=0})
    local options, by_hand = {from=d}, {from=more}
    if make == rhm.cnn then options.epochs, by_hand.epochs = 3, 3 end
    a:train(options)
    b:train(by_hand)
    local p = a:predict(d)
    lu.assertEquals(p, (b:predict(more)))
    for l = 1, 3 do lu.assertEquals(a:outputs(d, l):square_distance(b:outputs(more, l)), 0.0) end
    a:save("padded.h5")
    local back = rhm.load("padded.h5")
    lu.assertEquals({back.V, back.d}, {4, 16})
    lu.assertStrContains(tostring(back), ", 16 tokens padded to 27")
    lu.assertEquals((back:predict(d)), p)
    lu.assertEquals({(back:predict(d:tokens(1)))}, {p[1]})
    fails("27 tokens", a.accuracy, a, more)
    fails("27 tokens", a.train, a, {from=more})
    os.remove("padded.h5")
  end
  local net = rhm.network{ grammar=four, s=3 }
  lu.assertNil(net.grammar)
  net:train{ from=d, progress=false }
  local parse = net:parse(d:tokens(1))
  lu.assertEquals({#parse.levels[3], #parse.tokens}, {9, 16})
  local below = {}
  for level, tokens in tostring(parse):gmatch " ([123])  ([%d ]+)\n" do below[#below + 1] = level .. ": " .. tokens end
  local function wanted(level, first, last) return level .. ": " .. table.concat(d:tokens(1), " ", first, last) end
  lu.assertEquals({below[1], below[2], below[3], below[6], below[9]},
    {wanted(1, 1, 16), wanted(2, 1, 9), wanted(3, 1, 3), wanted(2, 10, 16), wanted(3, 16, 16)})
  lu.assertEquals(select(2, tostring(parse):gsub("padding\n", "")), 4) -- the last of level 2, and its three
  fails("strings of 16, padded to", net.accuracy, net, four)
  net:refine{ from=d, sweeps=3, restarts=1, progress=false } -- predicts by tables that know no padding
  lu.assertEquals({#net:posterior(d:tokens(1), { level=2 }), net:posterior(d, { level=0 }):rows()}, {9, #d})
  lu.assertAlmostEquals(net:accuracy(four), net:accuracy(d), 0.2)
  fails("s = 'infer' and d", rhm.network, {s="infer", d=16, from=d})
end

function TestCnn.test_files()
  local c = trained({h=16, scaling="mean-field", shared=false, seed=3}, {n=200, epochs=4})
  c:save("cnn.h5")
  local back = rhm.load("cnn.h5")
  lu.assertEquals(tostring(back), tostring(c))
  lu.assertEquals(back:accuracy(g), c:accuracy(g))
  lu.assertEquals(back.history, c.history)
  rhm.network{ grammar=g, M=64 }:save("chain.h5") -- the chain's files are still its own
  lu.assertStrContains(tostring(rhm.load("chain.h5")), "network:")
  fails("cnn:save", c.save, c, "absent/cnn.h5")
  fails("cnn:save: path = 'cnn.csv': a network is written to an .h5 file", c.save, c, "cnn.csv")
  fails("rhm.load", rhm.load, "absent.h5")
  os.remove("cnn.h5")
  os.remove("chain.h5")
end

function TestCnn.test_progress()
  local seen = {}
  local c = rhm.cnn{ grammar=g, h=64 }
  c:train{ from=g, n=5000, epochs=40, stop_loss=0, progress=function(p) seen[#seen + 1] = p end }
  lu.assertTrue(#seen >= 1)
  local last = seen[#seen]
  lu.assertEquals({last.epoch, last.epochs}, {40, 40})
  lu.assertTrue(last.loss > 0 and last.accuracy > 0 and last.seconds > 0)
  -- An error in it ends the training; the network is free again.
  fails("no more", c.train, c, {from=g, epochs=1000000, stop_loss=0, progress=function() error "no more" end})
  c:train{ from=g, n=100, epochs=1, progress=false }
end

function TestCnn.test_background()
  -- Paused, resumed, read meanwhile: the same bits as the training that nobody disturbs.
  local d = g:sample{ n=3000, seed=4 }
  local held = g:sample{ n=200, seed=5 }
  local a, b = rhm.cnn{ grammar=g, h=64 }, rhm.cnn{ grammar=g, h=64 }
  local options = {from=d, held_out=held, epochs=30, stop_loss=0, background=true}
  local job = a:train(options)
  lu.assertIs(job.network, a)
  lu.assertIs(a.job, job)
  lu.assertStrContains(job.name, "cnn (8,2,2)")
  for _ = 1, 3 do
    job:pause()
    job:wait()
    lu.assertTrue(job.state == "paused" or job.state == "done")
    a:predict(held)
    if job.state == "paused" then fails("a paused training is there", a.train, a, {from=d}) end
    job:resume()
  end
  local r = job:wait()
  options.background, options.progress = nil, false
  local again = b:train(options)
  lu.assertEquals({r.loss, r.accuracy, r.held_loss, r.held_accuracy, r.steps},
    {again.loss, again.accuracy, again.held_loss, again.held_accuracy, again.steps})
  local _, p = a:predict(held)
  local _, q = b:predict(held)
  for i = 1, #p do
    for j = 1, 8 do lu.assertEquals(p[i][j], q[i][j]) end
  end
  lu.assertIs(job.result, r)
  lu.assertEquals(job.accuracy, r.held_accuracy)
  lu.assertEquals(job.history.epoch, a.history.epoch)
  lu.assertEquals(job.history.held_loss, a.history.held_loss)
  p = job.progress
  lu.assertEquals({p.kind, p.unit, p.epoch, p.epochs, p.loss}, {"cnn", "epoch", 30, 30, r.loss})
  lu.assertStrContains(tostring(p), "epoch 30 of 30")
  fails("the training is done, not paused", a.resume, a)
  fails("a progress function is for the foreground", a.train, a, {from=d, background=true, progress=print})
end

function TestCnn.test_queue_and_stop()
  local d = g:sample{ n=2000, seed=4 }
  local a, b = rhm.cnn{ grammar=g, h=64 }, rhm.cnn{ grammar=g, h=16 }
  local k = rhm.shallow{ grammar=g, kind="kernel" }
  local first = a:train{ from=d, epochs=1000000, stop_loss=0, background=true }
  local second = b:train{ from=d, epochs=3, stop_loss=0, background=true }
  local third = k:train{ from=d, n=300, background=true }
  lu.assertEquals({second.state, third.state}, {"queued", "queued"})
  fails("a training waits in the queue", b.train, b, {from=d})
  fails("in training", b.reset, b)
  second:stop()
  second:wait()
  lu.assertEquals(second.state, "stopped")
  lu.assertEquals(b.steps, 0)
  first:stop()
  lu.assertEquals({first:wait()}, {nil, "stopped"})
  local r = third:wait()
  lu.assertEquals(r.n, 300)
  lu.assertEquals(third.accuracy, r.accuracy)
  lu.assertNil(third.history)
  b:train{ from=d, epochs=1, progress=false } -- let go of
  lu.assertEquals(b.epochs, 1)
  lu.assertStrContains(tostring(rhm.jobs()), "cnn (8,2,2) h=64")
  local seen = 0
  local off = rhm.on("progress", function(job, p) seen = seen + (job.network == b and p.kind == "cnn" and 1 or 0) end)
  b:train{ from=d, epochs=2, stop_loss=0, progress=false }
  off()
  lu.assertTrue(seen > 0)
end

function TestCnn.test_views()
  local d = g:sample{ n=500, seed=4 }
  local c, k = rhm.cnn{ grammar=g, h=16 }, rhm.shallow{ grammar=g }
  lu.assertStrContains(rhm.view.text("curves", c), "no epoch has ended yet")
  c:train{ from=d, held_out=d, epochs=6, stop_loss=0, progress=false }
  k:train{ from=d }
  for _, width in ipairs {40, 80, 140} do
    local text = rhm.view.text("curves", c, {width=width, height=24, colours=0})
    lu.assertStrContains(text, "epoch")
    lu.assertStrContains(text, "held")
    for line in text:gmatch "[^\n]+" do lu.assertTrue(utf8.len(line) <= width) end
  end
  lu.assertStrContains(rhm.view.text("curves", k), "no curve")
  lu.assertStrContains(rhm.view.text("layers", c, {width=200}), "a cnn is trained as a whole")
  lu.assertStrContains(rhm.view.text("layers", c.job, {width=200}), "a cnn is trained as a whole")
  lu.assertStrContains(rhm.view.text("jobs", c.job, {width=120}), "epoch 6")
end

function TestCnn.test_errors()
  fails("key 'V' is missing", rhm.cnn, {s=2, L=2})
  fails("rhm.cnn: h = 0: must be 1", rhm.cnn, {grammar=g, h=0})
  fails("unknown key 'width'", rhm.cnn, {grammar=g, width=3})
  fails("scaling = 'x'", rhm.cnn, {grammar=g, scaling="x"})
  fails("grammar = 3: must be a grammar", rhm.cnn, {grammar=3})
  fails("classes = 0", rhm.cnn, {grammar=g, classes=0})
  local c, d = rhm.cnn{ grammar=g, h=8 }, g:sample{ n=20 }
  fails("key 'from' is missing", c.train, c, {})
  fails("from = 3: must be a grammar, a formula, a source or a data set", c.train, c, {from=3})
  fails("n = 21: the data set has 20 strings", c.train, c, {from=d, n=21})
  fails("rate = 0", c.train, c, {from=d, rate=0})
  fails("momentum is for", c.train, c, {from=d, optimiser="adam", momentum=.5})
  fails("momentum = 1: must be in [0, 1)", c.train, c, {from=d, momentum=1})
  fails("held_out = 5: must be a data set", c.train, c, {from=d, held_out=5})
  fails("patience = 3 needs held-out data", c.train, c, {from=d, patience=3})
  fails("epochs = 0", c.train, c, {from=d, epochs=0})
  fails("not finite", c.train, c, {from=d, rate=1e30, progress=false})
  local longer = rhm.grammar{ V=8, m=4, s=2, L=3, seed=1 }
  fails("8 tokens", c.train, c, {from=longer, n=10})
  fails("8 tokens a string, the model reads 4", c.accuracy, c, longer)
  fails("3 tokens a string, the model reads 4", c.predict, c, {1, 2, 3})
  fails("token 2 = 9", c.predict, c, {1, 9, 3, 4})
  fails("cnn:predict: a data set or one string", c.predict, c, 5)
  fails("cnn:accuracy: a grammar, a formula, a source or a data set", c.accuracy, c, 5)
  fails("n and seed are for strings that are drawn", c.accuracy, c, d, {n=5})
  fails("cannot be set", function() c.h = 3 end)
end

os.exit(lu.LuaUnit.run())
