-- quickstart.lua - a grammar, the chain that learns it layer by layer, and what each layer has found.
--
-- Run it as `rhm quickstart`, read it as a tutorial: each step also works when typed at the prompt.
local usage = [[
usage: rhm quickstart [--quick] [--seed N]
Makes a Random Hierarchy Model with (V, m, s, L) = (8, 4, 2, 3), trains a chain
on it layer by layer and shows the result.

  --quick    fewer random features: the same in less time
  --seed N   of the grammar: 0, 1, 2, ... (default 3)
  --help     this text
]]

local function fail(message)
  io.stderr:write("rhm quickstart: ", message, " (see rhm quickstart --help)\n")
  os.exit(2)
end

local M, seed = 2048, 3
local i = 1
while arg[i] do
  if arg[i] == "--help" or arg[i] == "-h" then
    io.write(usage)
    return
  elseif arg[i] == "--quick" then
    M = 512
  elseif arg[i] == "--seed" then
    i, seed = i + 1, math.tointeger(tonumber(arg[i + 1]))
    if not seed or seed < 0 then
      fail("--seed " .. (arg[i] or "without a number") .. ": must be a whole number, 0 or more")
    end
  else
    fail("unknown argument '" .. arg[i] .. "'")
  end
  i = i + 1
end

-- 1. A grammar. Each of V symbols has m rules, each rule s symbols of the next level; the label stands at level 0 and
--    after L levels of rules a string has s^L = 8 tokens.
local g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=seed }
print(g)

-- 2. Can it be learned at all? Assumption 4.1: at every level each symbol must stand first somewhere, and no two
--    symbols may have the same q, the distribution of the label given the patch. Their smallest distance is the signal
--    rho; a layer needs about V m/rho^2 samples.
print("\n== g:check()")
print(g:check())

-- 3. The chain: one layer a level, each a ridge regression of the label on random features of the first patch. Layer L
--    is trained first, on the tokens; then it is frozen and layer L-1 reads its outputs; and so on up to the label.
local net = rhm.network{ grammar=g, M=M, seed=1 }
print("\n== net:train{ from=g }")
local r = net:train{ from=g, c=16 }
print(r)

-- 4. What did layer L find? Synonyms, patches with the same parent, have the same q; so they fall into clusters, one
-- for
--    each symbol of level L-1, though nobody told the layer which patches belong together.
print("\n== net:layer(3):synonyms()")
print(net:layer(g.L):synonyms())

-- 5. The exact q of the first parent of level 2, and its estimate for the patches of that parent.
print("\n== exact q of parent 1 of level 2, and q^ of its patches")
local lay = net:layer(2)
rhm.print(g:q(2)[1])
local q = lay:q()
for row, patch in ipairs(lay:patches()) do
  if patch.parent == 1 then rhm.print(q[row]) end
end

-- 6. A string it has not seen, and how often it is right: on 1000 such strings, and exactly, summed over all strings of
--    the grammar (each of them has one derivation).
local test = g:sample{ n=1000, seed=99 }
local label, p = net:predict(test:tokens(1))
print(("\nstring %s: predicted label %d with probability %.3f, true label %d")
  :format(table.concat(test:tokens(1), " "), label, p[label], test:label(1)))
print(("accuracy %.4f on %d new strings"):format(net:accuracy(test), #test))
print(("accuracy %.4f (exact, on the grammar)"):format(net:accuracy(g)))
