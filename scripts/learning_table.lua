-- learning_table.lua - how often the chain learns: exact accuracy on random grammars of five shapes.
--
-- Many random grammars cannot be learned from the first patch at any number of samples: some symbol never stands
-- first, so that its patches have no q. g:check() tells beforehand. Of those that pass, nearly all are learned with
-- N^(l) = max(c V m m^l, 20000) samples for layer l, the depth schedule with the constant c. It knows nothing of the
-- grammar's own signal rho, and what fails often has a small one: g:schedule{ by="gap", c=16 } takes it into account.
local argparse = require "argparse"

local parser = argparse("rhm learning_table", "How many random grammars the chain learns: a table of shapes.",
  "Exit code 1 where a row stays below what it should reach.")
parser:option("--seeds", "Grammars a row: the first that pass g:check().", "40"):argname("<n>"):convert(function(text)
  local n = math.tointeger(tonumber(text))
  if n and n >= 1 then return n end
  return nil, "--seeds " .. text .. ": must be a whole number, 1 or more"
end)
parser:help_max_width(79)
parser:flag("--quick", "At most 10 grammars a row, and codebook=\"centroid\" alone.")
function parser:error(message)
  io.stderr:write("rhm learning_table: ", message, " (see rhm learning_table --help)\n")
  os.exit(2)
end
local options = parser:parse(arg)
local seeds = options.quick and math.min(options.seeds, 10) or options.seeds

-- What is tried: the shape, the constant c of the schedule, and the share of the grammars that is to be learned.
local centroid_rows = {
  {V=8,  m=4, s=2, L=3, c=16,  wanted=34/40},
  {V=8,  m=4, s=3, L=3, c=32,  wanted=34/40},
  {V=8,  m=8, s=2, L=4, c=32,  wanted=34/40},
  {V=16, m=8, s=2, L=4, c=32,  wanted=34/40},
  {V=16, m=4, s=2, L=6, c=128, wanted=34/40},
  {V=16, m=4, s=2, L=6, c=512, wanted=38/40},
}
-- The paper's own chain keeps every distinct output. Its tables grow fast with depth, and it takes seconds a grammar.
local exact_rows = {
  {V=8, m=4, s=2, L=3, n=100000, solver="exact", wanted=1},
  {V=8, m=4, s=2, L=3, n=100000, solver="gd",    wanted=1},
}
local LEARNED = 0.99 -- exact accuracy from which a grammar counts as learned

-- Progress goes to the terminal, on the line that the row then takes; into a file or a pipe goes the table alone.
local live = os.execute("test -t 2 && test \"${TERM-dumb}\" != dumb")
local function progress(...)
  if live then io.stderr:write("\r\27[K", string.format(...)) end
end

-- One grammar, one fresh network: accuracy (summed over all strings of the grammar) and samples of all layers.
local function learn(row, g, codebook)
  local net = rhm.network{ grammar=g, M=2048, codebook=codebook, seed=g.seed }
  local r = net:train{ from=g, n=row.n, c=row.c, solver=row.solver, progress=false }
  local samples = 0
  for _, level in ipairs(r.levels) do samples = samples + level.n end
  return r.accuracy, samples
end

-- The middle one; of an even number the mean of the two in the middle.
local function median(t)
  table.sort(t)
  return (t[(#t + 1) // 2] + t[#t // 2 + 1]) / 2
end

-- A row: seeds 0, 1, 2, ... until `count` grammars have passed the check. Returns whether enough were learned.
local layout = "%-10s %6s %5s %6s %7s %6s %8s %8s %7s  %s"
local function run(row, count, codebook)
  local name = ("(%d,%d,%d,%d)"):format(row.V, row.m, row.s, row.L)
  local wanted = math.ceil(row.wanted * count - 1e-9)
  local tried, learned, samples, accuracies, start = 0, 0, 0, {}, rhm.clock()
  while #accuracies < count do
    local g = rhm.grammar{ V=row.V, m=row.m, s=row.s, L=row.L, seed=tried }
    tried = tried + 1
    if g:check().ok then
      progress("%s %s: grammar %d of %d, %d learned", name, codebook, #accuracies + 1, count, learned)
      local accuracy, n = learn(row, g, codebook)
      accuracies[#accuracies + 1] = accuracy
      learned = learned + (accuracy >= LEARNED and 1 or 0)
      samples = samples + n
    end
  end
  progress("")
  print(layout:format(name, row.c or row.solver, tried, #accuracies, learned, wanted,
    ("%.4f"):format(median(accuracies)), ("%.3g"):format(samples), ("%.1f s"):format(rhm.clock() - start),
    learned >= wanted and "holds" or "MISSED"))
  return learned >= wanted
end

local function heading(text, varied)
  print(text)
  local line = layout:format("(V,m,s,L)", varied, "tried", "passed", "learned", "wanted", "accuracy", "samples", "time",
    "")
  print((line:gsub(" +$", "")))
end

local all = true
heading("codebook = \"centroid\", M = 2048, N^(l) = max(c V m m^l, 20000)", "c")
for _, row in ipairs(centroid_rows) do all = run(row, seeds, "centroid") and all end
if not options.quick then
  heading("\ncodebook = \"exact\", M = 2048, N^(l) = 100000", "solver")
  for _, row in ipairs(exact_rows) do all = run(row, math.max(1, seeds // 40), "exact") and all end
end
print("\ntried: grammars drawn; passed: g:check(); learned: exact accuracy >= 0.99;")
print("accuracy: the median; samples: of all layers and grammars")
print(all and "all limits hold" or "a limit is MISSED")
if not all then os.exit(1) end
