-- t-errors.lua - bad input: one clear line on standard error, exit code 1, nothing on standard output.
local lu = require "luaunit"

TestErrors = {}

local program = os.getenv "RHM" or arg[-1]

local function write(name, bytes)
  local file = assert(io.open(name, "wb"))
  file:write(bytes)
  file:close()
end

local function read(name)
  local file = assert(io.open(name, "rb"))
  local bytes = file:read "a"
  file:close()
  return bytes
end

-- Runs the program with these arguments (for the shell) and checks that it ends as it should; all parts stand in the
-- line.
local function refuse(arguments, ...)
  local pipe = io.popen(("%q -E %s 2>stderr.txt; echo \"exit $?\""):format(program, arguments))
  local output = pipe:read "a"
  pipe:close()
  local message = read "stderr.txt"
  lu.assertEquals(output, "exit 1\n", arguments .. ": " .. message)
  local _, lines = message:gsub("\n", "\n")
  lu.assertEquals(lines, 1, arguments .. ": " .. message)
  lu.assertStrMatches(message, "rhm: .*\n")
  lu.assertTrue(#message < 400, message)
  for _, part in ipairs{...} do lu.assertStrContains(message, part) end
end

-- The same for code, whose name and line the message must give.
local function refuse_code(code, ...)
  write("code.lua", code .. "\nprint 'went on'\n")
  refuse("code.lua", "code.lua:1: ", ...)
end

function TestErrors.test_shapes()
  local function shape(text, ...) refuse_code("rhm.grammar{ " .. text .. " }", "rhm.grammar: ", ...) end
  shape("V=8, m=9, s=2, L=3", "m*V = 72", "V^s = 64")
  shape("V=8, m=4, s=2, L=3, classes=17", "m*classes = 68", "V^s = 64")
  shape("V=8, m=4, s=2, L=0", "L = 0")
  shape("V=8, m=4, s=1, L=3", "s = 1")
  shape("V=0, m=4, s=2, L=3", "V = 0", "2")
  shape("V=-8, m=4, s=2, L=3", "V = -8")
  shape("V=8, m=-4, s=2, L=3", "m = -4")
  shape("V=8, m=0, s=2, L=3", "m = 0")
  shape("V=2.5, m=4, s=2, L=3", "V = 2.5", "whole number")
  shape("V=8, m=4, s=2, L=3.5", "L = 3.5", "whole number")
  shape("V=10^9, m=4, s=2, L=3", "V = 1000000000", "65535")
  shape("V=8, m=10^9, s=2, L=3", "m*V = 8000000000")
  shape("V=8, m=4, s=10^9, L=3", "s = 1000000000")
  shape("V=8, m=4, s=2, L=10^9", "L = 1000000000")
  shape("V=10^30, m=4, s=2, L=3", "V = 1e+30", "2^63")
  shape("V=0/0, m=4, s=2, L=3", "V = nan")
  shape("V=1/0, m=4, s=2, L=3", "V = inf")
  shape("V='x', m=4, s=2, L=3", "V = 'x'", "number")
  shape("V={}, m=4, s=2, L=3", "V = a table", "number")
  shape("V=8, m=4, s=2, L=3, seed=-1", "seed = -1")
  shape("V=8, m=4, s=2, L=3, classes=0", "classes = 0")
  shape("V=8, m=4, s=2, L=3, classes=4, C=4", "C is another name of classes")
  shape("V=8, m=4, s=2, L=3, ensemble='zipf'", "ensemble = 'zipf'", "'uniform' or 'latin'")
  shape("V=8, m=8, s=2, L=3, shuffle=.1", "shuffle = 0.1", "only ensemble = 'latin'")
  shape("V=8, m=8, s=2, L=3, shuffle=1.5, ensemble='latin'", "shuffle = 1.5", "from 0 to 1")
  shape("V=8, m=4, s=2, L=3, ensemble='latin'", "m = 4 is no multiple of V = 8", "take m = 8")
  shape("V=8, m=16, s=2, L=3, classes=2, ensemble='latin'", "m*V = 128 exceeds V^s = 64")
  shape("V=8, m=8, s=3, L=3, classes=9, ensemble='latin'", "classes = 9 exceeds V = 8")
  shape("V=4, m=2, s=2, L=2, zipf=-1", "zipf = -1", "from 0")
  shape("V=4, m=2, s=2, L=2, label_noise=2", "label_noise = 2", "0 to 1")
  shape("V=4, m=2, s=2, L=2, token_noise=-.5", "token_noise = -0.5", "0 to 1")
  shape("V=4, m=2, s=2, L=2, prior={1,2}", "prior: 2 probabilities", "4 labels")
  shape("V=4, m=2, s=2, L=2, prior={1,2,0,1}", "prior[3] = 0", "positive")
  shape("V=4, m=2, s=2, L=2, prior=1", "prior = 1", "list of 4")
  shape("V=4, m=2, s=2, L=2, zipf=1, weights={2,1}", "zipf and weights", "one of them")
  shape("V=4, m=2, s=2, L=2, weights=3", "weights = 3", "table")
  shape("V=4, m=2, s=2, L=2, weights={3,1,1}", "weights", "3 weights", "has 2")
  shape("V=4, m=2, s=2, L=2, weights={3,-1}", "rule 2: -1", "positive")
  shape("V=2, m=2, s=2, L=1, weights={{{1,2},{1,'x'}}}", "level 1, symbol 2, rule 2: 'x'", "positive")
  shape("V=2, m=2, s=2, L=1, weights={{{1,2}}}", "level 1: 1 symbols", "has 2")
  shape("V=2, m=2, s=2, L=2, weights={{{1,2},{2,1}}}", "1 levels", "has 2")
  shape("V=2, m=2, s=2, L=1, weights={{1,{2,1}}}", "level 1, symbol 1: 1 where a list")
  shape("V=2, m=2, s=2, L=1, weights={{{1,1e-20},{2,1}}}", "level 1, symbol 1, rule 2", "negligible")
  shape("rules={{{{1,1}},{{1,2}}}}, ensemble='uniform'", "ensemble and rules")
  shape("V=8, m=4, s=2, L=63", "2^63")
  shape("V=8, m=4, s=3, L=40", "s^L", "2^63")
end

function TestErrors.test_whole_strings_beyond_memory()
  refuse_code("rhm.grammar{ V=8, m=4, s=2, L=60 }:sample{ n=1 }", "grammar:sample: ", "the budget is", "rhm.memory")
  refuse_code("rhm.grammar{ V=8, m=4, s=2, L=3 }:sample{ n=10^14 }", "the budget is")
  refuse_code("rhm.grammar{ V=8, m=4, s=2, L=3 }:sample{ n=-1 }", "n = -1")
  refuse_code("rhm.grammar{ V=8, m=4, s=2, L=3 }:sample{}", "key 'n' is missing")
end

function TestErrors.test_keys()
  refuse_code("rhm.grammar{ v=8, m=4, s=2, L=3 }", "unknown key 'v'", "did you mean 'V'?")
  refuse_code("rhm.grammar{ V=8, m=4, s=2, L=3, sede=1 }", "unknown key 'sede'", "did you mean 'seed'?")
  refuse_code("rhm.grammar{ V=8, m=4, s=2, L=3, nonsense=1 }", "unknown key 'nonsense'", "V, m, s, L")
  refuse_code("rhm.grammar{ V=8, m=4, s=2, L=3, ['a\\n\\tb']=1 }", "unknown key 'a\\n\\tb': it knows")
  refuse_code("rhm.grammar{ V=8, m=4, s=2, L=3, [('x'):rep(500)]=1 }", "unknown key 'xxxx", "xxx...'")
  refuse_code("rhm.network{ V=8, s=2, L=3, codebook='ex\\nact' }", "codebook = 'ex\\nact'")
  refuse_code("g = rhm.grammar{ V=8, m=4, s=2, L=3 } g['a\\1b'] = 1", "field 'a\\x01b' cannot be set")
  refuse_code("rhm.grammar{ V=8, m=4, s=2 }", "key 'L' is missing")
  refuse_code("rhm.grammar{ 8, 4, 2, 3 }", "value 8 has no name")
  refuse_code("rhm.grammar()", "one table of arguments expected, got nothing: rhm.grammar{ V=, m=, s=, L=")
  refuse_code("rhm.network{ V=8, s=2, L=3, position='all' }",
    "unknown key 'position' (a key of network:train): it knows grammar,")
  refuse_code("rhm.fit(3)", "one table of arguments expected, got 3: rhm.fit{")
  refuse_code("rhm.network{ V=8, s=2, L=3, codebok='exact' }", "did you mean 'codebook'?")
  local hand = "net = rhm.network{ V=8, s=2, L=3 } net"
  refuse_code(hand .. ":train{ codebook='exact' }", "network:train: unknown key 'codebook' (a key of rhm.network)")
  lu.assertErrorMsgContains("rhm.fit: unknown key 'a\\nb': it knows x, y", rhm.fit, { x={1}, y={1}, ['a\nb']=1 })
  lu.assertErrorMsgContains("rhm.fit: unknown key 'lgo': did you mean 'log'?", rhm.fit, { x={1}, y={1}, lgo='x' })
  lu.assertErrorMsgContains("rhm.fit: unknown key 2: it knows x, y", rhm.fit, { x={1}, y={1}, [2]=1 })
  lu.assertErrorMsgContains('log = "a\\nb": must be', rhm.fit, { x={1}, y={1}, log='a\nb' })
  refuse_code("rhm.network{ V=8, s=2, L=3, codebook='exakt' }", "codebook = 'exakt'", "'centroid' or 'exact'")
  refuse_code("g = rhm.grammar{ V=8, m=4, s=2, L=3 } g.sample{ n=1 }", "colon")
end

function TestErrors.test_rules()
  local function rules(text, ...) refuse_code("rhm.grammar{ rules=" .. text .. " }", "rhm.grammar: ", ...) end
  rules("{{{{1,2},{2,1}}, {{1,1},{2}}}}", "level 1, symbol 2, rule 2", "children: 1", "2")
  rules("{{{{1,2},{2,1}}, {{1,1}}}}", "level 1, symbol 2", "rules: 1")
  rules("{{{{1,2},{2,1}}, {{1,1},{2,2}}}, {{{1,2},{2,1}}}}", "level 2", "1 symbols, V = 2")
  rules("{{{{1,2},{2,1}}, {{1,1},{2,3}}}, {{{1,2},{2,1}}, {{1,1},{2,2}}}}", "level 2", "2 symbols, V = 3")
  rules("{{{{1,2},{2,1}}, {{1,1},{2,0}}}}", "level 1, symbol 2, rule 2", "child 2 is 0")
  rules("{{{{1,2},{2,1}}, {{1,1},{2,1.5}}}}", "child 2 is 1.5")
  rules("{{{{1,2},{2,1}}, {{1,1},{2,'a'}}}}", "child 2 is 'a'")
  rules("{{{{1,2},{2,1}}, {{1,1},{2,3}}}}, V=2", "child 2 is 3", "from 1 to 2")
  rules("{{{{1,2},{2,1}}, 5}}", "level 1, symbol 2", "5 where a list of rules is expected")
  rules("{}", "0 levels")
  rules("{{}}", "level 1", "0 symbols")
  rules("5", "rules = 5", "a table")
  rules("{{{{1,2},{2,1}}, {{1,1},{2,2}}}}, m=3", "m = 3, but the rules have 2")
  rules("{{{{1,2},{2,1}}, {{1,1},{1,2}}}}", "level 1", "1,2", "parent 1", "parent 2") -- ambiguous
end

function TestErrors.test_csv()
  local function csv(text, ...)
    write("bad.csv", text)
    refuse_code("rhm.dataset{ path='bad.csv', V=8, classes=8 }", "rhm.dataset: bad.csv", ...)
  end
  csv("0,1,2,3,0\n0,1,2,9,0\n", "bad.csv:2", "9", "0..7")
  csv("0,1,2,3,0\n0,1,2,3,8\n", "bad.csv:2", "label 8")
  csv("0,1,2,3,0\n0,1,2,0\n", "bad.csv:2")
  csv("0,1,2,3,0\n0,1,x,3,0\n", "bad.csv:2", "x")
  csv("", "bad.csv")
  csv("# nothing\n", "bad.csv")
  refuse_code("rhm.dataset('none.csv')", "none.csv", "No such file")
  refuse_code("rhm.dataset('name.xyz')", "name.xyz")
  refuse_code("rhm.dataset{ path='bad.csv', V=1 }", "V = 1", "65535")
end

function TestErrors.test_npy()
  rhm.dataset{ tokens={{1, 2, 1, 2}, {2, 1, 2, 1}}, labels={1, 2} }:save("good.npy")
  local bytes = read "good.npy"
  write("cut.npy", bytes:sub(1, -3))
  write("cut_labels.npy", read "good_labels.npy")
  refuse_code("rhm.dataset('cut.npy')", "cut.npy")
  write("cut.npy", bytes:sub(1, 20))
  refuse_code("rhm.dataset('cut.npy')", "cut.npy")
  write("cut.npy", bytes)
  os.remove "cut_labels.npy"
  refuse_code("rhm.dataset('cut.npy')", "cut_labels.npy")
end

function TestErrors.test_hdf5()
  rhm.grammar{ V=8, m=4, s=2, L=3 }:q(2):save("matrix.h5")
  refuse_code("rhm.dataset('matrix.h5')", "matrix.h5", "tokens")
  write("text.h5", "this is no HDF5 file\n")
  refuse_code("rhm.dataset('text.h5')", "text.h5")
end

function TestErrors.test_tables()
  local function tables(text, ...) refuse_code("rhm.dataset{ " .. text .. " }", "rhm.dataset: ", ...) end
  tables("tokens={{1,2},{2}}, labels={1,1}", "tokens[2] has 1 tokens")
  tables("tokens={{1,2},{2,9}}, labels={1,1}, V=8", "tokens[2][2] = 9", "8")
  tables("tokens={{1,2},{2,-1}}, labels={1,1}", "tokens[2][2] = -1")
  tables("tokens={{1,2},{2,1}}, labels={1}", "2 strings", "1 labels")
  tables("tokens={{1,2}}, labels={-1}", "labels[1] = -1")
  tables("tokens={{1,2}}", "key 'labels' is missing")
  tables("tokens={}, labels={}", "empty")
  refuse_code("rhm.dataset(5)", "got 5")
  refuse_code("rhm.dataset{ tokens={{1,2}}, labels={1} }:tokens(2)", "string 2")
  refuse_code("rhm.dataset{ tokens={{1,2}}, labels={1} }:tokens(-1)", "string -1")
  refuse_code("rhm.dataset{ tokens={{1,2},{2,1}}, labels={1,2} }:split(2)", "dataset:split: ", "2")
end

function TestErrors.test_networks()
  local net = "net = rhm.network{ V=8, s=2, L=3 } "
  local g = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } "
  refuse_code("rhm.network{ V=8, s=2 }", "key 'L' is missing")
  refuse_code("rhm.network{ V=8, s=2, L=3, M=7 }", "M = 7", "even")
  refuse_code("rhm.network{ V=8, s=2, L=3, eps_O=2 }", "eps_O = 2")
  refuse_code("rhm.network{ V=8, s=2, L=3, sigma=-1 }", "sigma = -1")
  refuse_code(g .. "rhm.network{ grammar=g, V=9 }", "V = 9", "8")
  refuse_code("rhm.network{ grammar=8 }", "grammar = 8")
  refuse_code(net .. "net:train{}", "key 'from' is missing")
  refuse_code(net .. "net:train{ from=8 }", "from = 8")
  refuse_code(net .. g .. "net:train{ from=g, n=0 }", "n = 0")
  refuse_code(net .. g .. "net:train{ from=g, n={1, 2} }", "n has 2 numbers", "3 levels")
  refuse_code(net .. g .. "net:train{ from=g, n={1000, 2.5, 1000} }", "n[2] = 2.5")
  refuse_code(net .. g .. "net:train{ from=g, n=2^54 }", "2^53")
  refuse_code(net .. g .. "net:train{ from=g, n=10, c=2 }", "n and c")
  refuse_code(net .. g .. "net:train{ from=g, solver='exact', steps=3 }", "steps")
  refuse_code(net .. g .. "net:train{ from=g, position='last' }", "position = 'last'", "all")
  refuse_code(net .. g .. "net:train{ from=g, position='all', sampler='tally' }", "not exact", "'draw'")
  refuse_code(net .. g .. "net:train{ from=g, lambda=-1 }", "lambda = -1")
  refuse_code(net .. g .. "net:train{ from=g, eta=-1 }", "eta = -1")
  refuse_code(net .. "net:train{ from=rhm.grammar{ V=9, m=4, s=2, L=3 } }", "V = 9", "8")
  refuse_code(net .. "net:train{ from=rhm.dataset{ tokens={{1,2,3}}, labels={1} } }", "network:train: ",
    "3 tokens", "8")
  refuse_code(net .. "net:predict{ 1, 2, 3 }", "3 tokens", "8")
  refuse_code(net .. "net:predict{ 1, 2, 3, 4, 5, 6, 7, 9 }", "token 8 = 9")
  refuse_code(net .. "net:predict{ 1, 2, 3, 4, 5, 6, 7, 8 }", "not trained")
  refuse_code(net .. g .. "net:accuracy(g)", "not trained")
  refuse_code(net .. g .. "net:train{ from=g, n=1000 } net:predict(rhm.grammar{ V=8, m=4, s=2, L=2 }:sample{ n=3 })",
    "4 tokens", "8")
  refuse_code(net .. g .. "net:train{ from=g, n=1000, seed=-1 }", "seed = -1")
  refuse_code(net .. "net:layer(0)", "level 0")
end

function TestErrors.test_exact_codebook_over_budget()
  refuse_code("g = rhm.grammar{ V=16, m=4, s=2, L=4, seed=1 } rhm.memory = 20*2^20 "
    .. "rhm.network{ grammar=g, codebook='exact', M=64 }:train{ from=g, n=100000 }", "network:train: ", "the budget is")
end

function TestErrors.test_layers_by_hand()
  local lay = "g = rhm.grammar{ V=8, m=4, s=2, L=3 } lay = rhm.network{ grammar=g, M=64 }:layer(3) "
  refuse_code(lay .. "lay:step()", "layer:step: ", "begin")
  refuse_code(lay .. "lay:finish()", "layer:finish: ", "begin")
  refuse_code(lay .. "lay:begin{ from=g, n=1000 } lay:step(0)", "steps 0")
  refuse_code(lay .. "lay:begin{ from=g, n={1, 2, 3} }", "n = a table")
  refuse_code(lay .. "lay:begin{ from=g, background=true }", "unknown key 'background'")
  refuse_code(lay .. "lay:q()", "not trained")
end

-- What is there can be set, also by the user: a function of rhm replaced.
function TestErrors.test_fields_that_can_be_set()
  local load = rhm.load
  rhm.load = print
  lu.assertEquals(rhm.load, print)
  rhm.load = load
  rawset(rhm, "mine", 1)
  lu.assertEquals(rhm.mine, 1)
  rhm.mine = nil
end

function TestErrors.test_module()
  refuse_code("rhm.threads = 0", "threads 0", "1024")
  refuse_code("rhm.memory = -1", "bytes -1")
  refuse_code("rhm.memry = 5", "no field 'memry' to set", "did you mean 'memory'?")
  refuse_code("rhm.Grammar = 5", "no field 'Grammar' to set", "did you mean 'grammar'?")
  refuse_code("rhm.something_else = 5", "no field 'something_else' to set")
  refuse_code("rhm[5] = 5", "field 5 cannot be set")
  refuse_code("rhm.load('none.h5')", "none.h5")
  refuse_code("rhm.load(5)", "rhm.load: path = 5: must be the name of a file")
  local net = "net = rhm.network{ V=8, s=2, L=3, M=16 } "
  refuse_code(net .. "net:save(5)", "network:save: path = 5: must be the name of a file, a string")
  refuse_code(net .. "net:save()", "network:save: path = nil: must be")
  refuse_code(net .. "net:save('')", "network:save: path = '': must be")
  refuse_code(net .. "net:save('n.csv')", "network:save: path = 'n.csv': a network is written to an .h5 file")
  refuse_code("m = rhm.grammar{ V=8, m=4, s=2, L=3 }:q(1) m:save(5)", "matrix:save: path = 5")
  refuse_code("m = rhm.grammar{ V=8, m=4, s=2, L=3 }:q(1) m:save('m.xyz')", "m.xyz")
  refuse_code("m = rhm.grammar{ V=8, m=4, s=2, L=3 }:q(1) m:save('/nonexistent/m.csv')", "/nonexistent/m.csv")
end

-- A training in the background that would last for minutes, and what people do beside it.
function TestErrors.test_jobs()
  local slow = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g, M=64 } "
    .. "job = net:train{ from=g, n=2000, solver='gd', steps=100000, steps_per_second=200, background=true } "
  refuse_code(slow .. "net:train{ from=g }", "network:train: ", "net.job:stop()")
  refuse_code(slow .. "net:train{ from=g, background=true }", "network:train: ", "net.job:stop()")
  refuse_code(slow .. "job:pause() net:train{ from=g }", "network:train: ", "net:resume()")
  refuse_code(slow .. "net:layer(3):begin{ from=g, n=1000 }", "layer:begin: ")
  refuse_code(slow .. "net:layer(3):step()", "layer:step: ")
  refuse_code(slow .. "net:layer(3):finish()", "layer:finish: ")
  refuse_code(slow .. "job:wait(0/0)", "job:wait: ", "0 or more")
  refuse_code(slow .. "job:pause() job:pause() job:stop() job:stop() job:wait() net:resume()",
    "network:resume: ", "not paused")
  refuse_code(slow .. "net, g = nil, nil collectgarbage() collectgarbage() error 'its objects are garbage'", "garbage")
  refuse_code("rhm.network{ V=8, s=2, L=3 }:resume()", "network:resume: ", "no paused training")
  write("code.lua", slow .. "os.exit(1, true)") -- closes the state while the job runs: no line, no hang
  local pipe = io.popen(("%q -E code.lua 2>&1; echo \"exit $?\""):format(program))
  lu.assertEquals(pipe:read "a", "exit 1\n")
  pipe:close()
end

function TestErrors.test_progress_functions_and_coroutines()
  local net = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g, M=64 } "
  refuse_code(net .. "net:train{ from=g, n=1000, progress=function() error 'in progress' end }", "in progress")
  refuse_code(net .. "coroutine.wrap(function() net:train{ from=g, n=1000 } error 'inside' end)()", "inside")
  refuse_code(net .. "net:train{ from=g, background=true, progress=print }", "job.progress")
end

function TestErrors.test_strange_tables()
  refuse_code("local t = {} t[1] = t rhm.grammar{ rules=t }", "rhm.grammar: ")
  refuse_code("local t = {{}} t[1][1] = t rhm.grammar{ rules=t }", "rhm.grammar: ")
  refuse_code("rhm.grammar{ rules={{{{1,2},{2,1}}, {{1,1},{2,0/0}}}} }", "child 2 is nan")
  refuse_code("rhm.grammar{ [{}]=1 }", "rhm.grammar: ")
  refuse_code("rhm.dataset{ tokens={{1,0/0}}, labels={1} }", "rhm.dataset: ", "nan")
  refuse_code("rhm.network{ V=8, s=2, L=3, sigma=0/0 }", "rhm.network: ", "nan")
end

function TestErrors.test_layers_by_hand_take_no_solver()
  local lay = "g = rhm.grammar{ V=8, m=4, s=2, L=3 } lay = rhm.network{ grammar=g, M=64 }:layer(3) "
  refuse_code(lay .. "lay:begin{ from=g, n=1000, steps=5 }", "layer:begin: ", "unknown key 'steps'")
  refuse_code(lay .. "lay:begin{ from=g, n=1000, solver='gd' }", "layer:begin: ", "unknown key 'solver'")
end

function TestErrors.test_missing_script()
  refuse("nonesuch", "nonesuch")
  refuse("./nonesuch.lua", "nonesuch.lua", "No such file")
end

function TestErrors.test_a_failed_save_leaves_the_old_file()
  write("old.csv", "precious\n")
  lu.assertError(function() rhm.dataset{ tokens={{1, 2}}, labels={1} }:save("old.csv/x.csv") end)
  lu.assertEquals(read "old.csv", "precious\n")
end

-- Functions written in Lua name the line of who called them, also where C below them raises the error.
function TestErrors.test_the_users_line()
  local g = "g = rhm.grammar{ V=8, m=4, s=2, L=3 } "
  refuse_code(g .. "x = rhm.principle(g, { place=9 })", "rhm.principle: place 9: must be 1..4")
  refuse_code(g .. "x = rhm.principle(g, { n=1 })", "n = 1: must be between 4 and 2^53")
  refuse_code(g .. "x = rhm.principle(rhm.network{ grammar=g })", "rhm.principle: rhm.network: a grammar, a formula")
  refuse_code("x = rhm.sweep{ name='a', grid={ x={1} }, run=print, jobs=0, out='/no/such/s.db' }",
    "/no/such/s.db: cannot create")
end

function TestErrors.test_results()
  local function store(text, ...)
    refuse_code("local s <close> = rhm.results{ path='e.db', create=true } x = s:" .. text, ...)
  end
  store("add{ experiment='a', seed=1, parameters={ x=print }, measures={} }", "results:add: parameters.x: a function")
  store("find('a', {}, 1.5)", "results:find: seed = 1.5", "whole number")
  store("find(1, {}, 1)", "results:find: experiment = 1", "a name")
  store("runs(5)", "results:runs: experiment = 5", "a name")
  store("merge()", "results:merge: path = nil", "name of a file")
  store("export()", "results:export: path = nil", "name of a file")
  store("export('x.csv', 'none')", "results:export: e.db: no runs of experiment 'none'")
end

function TestErrors.test_refine()
  local d = "g = rhm.grammar{ V=8, m=4, s=2, L=3 } d = g:sample{ n=2000 } rhm.network{ grammar=g }:refine{ from=d, "
  refuse_code(d .. "m=9 }", "network:refine: m = 9: m*V = 72 exceeds V^s = 64")
  refuse_code(d .. "held_out=.9999 }", "network:refine: held_out = 0.9999 of 2000 strings: at least 2")
end

-- What is no function: the nearest one there is.
function TestErrors.test_what_was_meant()
  local net = "net = rhm.network{ V=8, s=2, L=3, classes=8 } x = "
  refuse_code(net .. "net:acuracy(1)", "attempt to call a nil value (method 'acuracy'): did you mean 'accuracy'?")
  refuse_code("x = rhm.gramar{}", "(field 'gramar'): did you mean 'grammar'?")
  refuse_code("x = grammar{}", "(global 'grammar'): did you mean 'rhm.grammar'?")
  refuse_code("x = zorkmid{}", "attempt to call a nil value (global 'zorkmid')\n")
end

os.exit(lu.LuaUnit.run())
