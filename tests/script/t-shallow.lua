-- t-shallow.lua - rhm.shallow: its kinds, trainings, predictions, files, errors.
local lu = require "luaunit"

TestShallow = {}

local g = rhm.grammar{ V=8, m=4, s=2, L=2, seed=1 }

local function fails(text, f, ...)
  lu.assertErrorMsgContains(text, f, ...)
end

function TestShallow.test_fields()
  local k = rhm.shallow{ V=5, d=7, classes=3, M=64, sigma=2, lambda=.5, seed=4 }
  lu.assertEquals({k.kind, k.V, k.d, k.classes, k.M, k.sigma, k.lambda, k.seed, k.n}, {"rbf", 5, 7, 3, 64, 2, .5, 4, 0})
  local kernel = rhm.shallow{ grammar=g, kind="kernel" }
  lu.assertEquals({kernel.V, kernel.d, kernel.classes, kernel.n}, {8, 4, 8, 0})
  lu.assertNil(kernel.M)
  lu.assertNil(kernel.sigma)
  lu.assertStrContains(tostring(kernel), "Gaussian kernel, sigma = the median distance")
  lu.assertStrContains(tostring(kernel), "not trained")
end

function TestShallow.test_learns_from_many_strings()
  for _, kind in ipairs{"rbf", "kernel"} do
    local k = rhm.shallow{ grammar=g, kind=kind }
    local r = k:train{ from=g, n=100 }
    lu.assertEquals({r.n, k.n, r.sigma}, {100, 100, k.sigma})
    local poor = k:accuracy(g)
    r = k:train{ from=g, n=1000 }
    lu.assertTrue(r.accuracy > .99 and r.seconds > 0)
    lu.assertTrue(poor < .6 and k:accuracy(g) > .85)
    lu.assertStrContains(tostring(r), "1000 strings")
    lu.assertStrContains(tostring(k), "trained on 1000 strings")
  end
end

function TestShallow.test_predict()
  local d = g:sample{ n=700, seed=3 }
  local k = rhm.shallow{ grammar=g, kind="kernel" }
  k:train{ from=d, n=300 }
  local labels, p = k:predict(d)
  lu.assertEquals({#labels, p:rows(), p:cols()}, {700, 700, 8})
  local right = 0
  for i = 1, 700 do
    for c = 1, 8 do lu.assertTrue(p[i][c] <= p[i][labels[i]]) end
    if labels[i] == d:label(i) then right = right + 1 end
  end
  lu.assertAlmostEquals(k:accuracy(d), right / 700, 1e-12)
  local label, row = k:predict(d:tokens(600))
  lu.assertEquals(label, labels[600])
  for c = 1, 8 do lu.assertAlmostEquals(row[c], p[600][c], 1e-9) end
end

function TestShallow.test_mlp()
  local c = rhm.shallow{ grammar=g, kind="mlp", h=128, seed=2, scaling="mean-field" }
  lu.assertEquals({c.s, c.L, c.d, c.h, c.scaling, c.seed}, {4, 1, 4, 128, "mean-field", 2})
  c = rhm.shallow{ grammar=g, kind="mlp" }
  c:train{ from=g, n=2000, epochs=100, progress=false }
  lu.assertTrue(c:accuracy(g) > .9)
end

function TestShallow.test_files()
  for _, kind in ipairs{"rbf", "kernel"} do
    local k = rhm.shallow{ grammar=g, kind=kind, M=kind == "rbf" and 256 or nil }
    k:train{ from=g, n=200 }
    k:save("shallow.h5")
    local back = rhm.load("shallow.h5")
    lu.assertEquals(tostring(back), tostring(k))
    fails("shallow:save: path = 'k.npy': a network is written to an .h5 file", k.save, k, "k.npy")
    lu.assertEquals(back:accuracy(g), k:accuracy(g))
    os.remove("shallow.h5")
  end
end

function TestShallow.test_errors()
  fails("kind = 'x'", rhm.shallow, {grammar=g, kind="x"})
  fails("key 'V' is missing", rhm.shallow, {d=4})
  fails("key 'd' is missing", rhm.shallow, {V=4})
  fails("M is for kind = 'rbf', not for 'kernel'", rhm.shallow, {grammar=g, kind="kernel", M=64})
  fails("h is for kind = 'mlp', not for 'rbf'", rhm.shallow, {grammar=g, h=64})
  fails("sigma is for kind = 'rbf' and 'kernel', not for 'mlp'", rhm.shallow, {grammar=g, kind="mlp", sigma=1})
  fails("M = 7: must be even", rhm.shallow, {grammar=g, M=7})
  fails("sigma = 0", rhm.shallow, {grammar=g, sigma=0})
  fails("lambda = -1", rhm.shallow, {grammar=g, lambda=-1})
  local k = rhm.shallow{ grammar=g, kind="kernel" }
  fails("not trained", k.accuracy, k, g)
  fails("not trained", k.predict, k, {1, 2, 3, 4})
  fails("key 'from' is missing", k.train, k, {})
  fails("8 tokens", k.train, k, {from=rhm.grammar{ V=8, m=4, s=2, L=3, seed=1 }, n=10})
  local before = rhm.memory
  rhm.memory = 20 * 2^20
  local ok, message = pcall(k.train, k, {from=g, n=2000})
  rhm.memory = before
  lu.assertFalse(ok)
  lu.assertStrContains(message, "shallow:train: the kernel matrix of these strings needs about 30.5 MiB")
  lu.assertStrContains(message, "kind = 'rbf'")
end

os.exit(lu.LuaUnit.run())
