-- help/sweep.lua - rhm.sweep, rhm.search and what they return.
local common = {
  {"name", "required", "of the experiment: a letter, then letters, digits, _ and -"},
  {"parameters", "{}", "a table of parameters for all runs, or a list of such tables"},
  {"grid", "{}", "{N={500, 1000}, m={2, 4}}: every combination, with each of the parameters"},
  {"seeds", "1", "how many (1, 2, ...), or a list of them"},
  {"run", "required", "a function of (parameters, seed) that returns a table of measures, or a file that returns one"},
  {"jobs", "all processors", "child processes, each with its share of rhm.memory; 0: here, one after the other"},
  {"out", "NAME.db", "the file of the results (see rhm.results)"},
  {"shard", "", "\"2/4\": only every fourth run, from the second on, into a file of its own: results.2-of-4.db"},
  {"quiet", "false", "true: no line of progress"},
  {"retry", "false", "true: runs that failed before are run again"},
  {"timeout", "", "seconds after which a run is stopped and counts as failed"},
}

local function with(more)
  local keys = {}
  for _, list in ipairs{common, more} do
    for _, key in ipairs(list) do keys[#keys + 1] = key end
  end
  return keys
end

return {
  {name = "rhm.sweep", group = "rhm", signature = "rhm.sweep{ name=, run= [, parameters=, grid=, seeds=, ...] }",
    summary = "runs a function on many parameters and seeds, with results that last",
    text = [[The runs are shared among child processes, of one thread each. Every run is written to the file when it
ends; one that is there is not run again, so a sweep that was interrupted or killed goes on where it was, and one
that is extended runs what is new. A run that fails is kept with its error, and the sweep goes on. math.random
begins each run with its seed.

The child processes run the same command again up to the same call of rhm.sweep: what the script does before is done
by each of them (what it prints is dropped), and must not depend on anything else. A function typed at the prompt
has to be put into a file: run="file.lua".

Machines share a sweep by shard="i/n"; results:merge brings the files together.]],
    keys = with{}, returns = "the sweep: its rows, and a table of medians when printed (see help \"sweep\")",
    example = [[function learn(p, seed)
  local g = rhm.grammar{ V=8, m=p.m, s=2, L=3, seed=seed }
  local net = rhm.network{ grammar=g, seed=seed }
  local r = net:train{ from=g, n=p.N, progress=false }
  return { accuracy=r.accuracy }
end
r = rhm.sweep{ name="learning", run=learn, seeds=10,
  grid={ m={2, 4}, N={1000, 10000} } }
print(r)]], see = {"sweep", "rhm.search", "rhm.results"}},

  {name = "rhm.search", group = "rhm",
    signature = "rhm.search{ name=, run= [, goal=, measure=, from=, to=, ...] }",
    summary = "the smallest N at which the median over seeds reaches a goal",
    text = [[A search for each set of parameters, all at the same time: N is doubled or halved from `from` until the
goal is bracketed, then bisected on a log scale. The function gets p.N. Runs are kept and found again as by
rhm.sweep; a run that failed counts as one that has not reached the goal.

The interval (95 %) is a bootstrap over the seeds, which all N share: the smallest N tried from which on all medians
reach the goal, in 1000 draws of as many seeds with replacement. inf: in so many draws the largest N tried does not.]],
    keys = with{
      {"variable", "\"N\"", "the name of what is searched for, a whole number"},
      {"measure", "\"accuracy\"", "the measure that shall reach the goal"},
      {"goal", "0.9", "the median that is enough"},
      {"from", "1000", "the first N tried"},
      {"to", "1000000", "the largest N tried"},
      {"precision", "1.1", "where the bisection ends: the ratio of an N that is enough to one that is not"},
    },
    returns = "the search: its cells, and a table when printed (see help \"search\")",
    example = "rhm.search{ name=\"nstar\", run=learn, seeds=5, grid={ m={2, 3, 4} } }",
    see = {"search", "rhm.sweep"}},

  {name = "sweep", kind = "object", summary = "what rhm.sweep returns",
    text = [[Printing it gives, for each set of parameters, the medians of the measures over seeds.

A row is a run as results:runs gives it; parameters and measures can be read from the row itself: row.N,
row.accuracy.]],
    fields = {
      {"name", "of the experiment"}, {"path", "of the results' file"},
      {"rows", "the runs, in the order of parameters and seeds; #sweep is their number"},
      {"ran", "how many were run now"}, {"found", "how many were in the file"}, {"failed", "how many failed"},
      {"error", "the first error"}, {"seconds", "wall time"},
    }, see = {"rhm.sweep"}},
  {name = "sweep:series", signature = "r:series{ x=, y= [, by=] }", summary = "medians against a parameter, for a plot",
    text = [[A series for each value of `by`: medians of y and quartiles (low, high) over seeds and all other
parameters.]],
    keys = {
      {"x", "required", "the name of a parameter or measure"},
      {"y", "required", "the name of a measure"},
      {"by", "", "the name of a parameter"},
    },
    returns = "a list of series: tables of x, y, low, high, label",
    example = "r:series{ x=\"N\", y=\"accuracy\", by=\"m\" }"},

  {name = "search", kind = "object", summary = "what rhm.search returns",
    text = [[Printing it gives N* and its interval for each set of parameters.

A cell is a table: parameters, N (nil where no N up to `to` was enough), below (the largest N that was not enough),
low and high (the interval), trials (a list, by N: N, median, values in the order of the seeds), failed (runs).]],
    fields = {
      {"name", "of the experiment"}, {"path", "of the results' file"},
      {"cells", "one for each set of parameters; #search is their number"},
      {"variable", "\"N\""}, {"measure", "\"accuracy\""}, {"goal", "what was to be reached"}, {"seeds", "their number"},
      {"ran", "how many runs were made now"}, {"found", "how many were in the file"}, {"failed", "how many failed"},
      {"error", "the first error"}, {"seconds", "wall time"},
    }, see = {"rhm.search"}},
  {name = "search:series", signature = "r:series{ x= [, by=] }", summary = "N* against a parameter, for a plot",
    keys = {
      {"x", "required", "the name of a parameter"},
      {"by", "", "the name of a parameter: a series for each of its values"},
    },
    returns = "a list of series: tables of x, y (N*), low, high, label", example = "r:series{ x=\"m\", by=\"L\" }"},
}
