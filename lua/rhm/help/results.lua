-- help/results.lua - rhm.results and its objects.
return {
  {name = "rhm.results", group = "rhm",
    signature = {"rhm.results(path)", "rhm.results{ path= [, create=, readonly=] }"},
    summary = "opens a file of experiments' results",
    text = [[An SQLite database in which every run (experiment, parameters, seed) stands once, committed by itself:
whatever is killed, the runs that were added are there. A file that is no such database, or that is damaged, is an
error and stays as it is.

Others read it too, also while runs are added: there is a view for each experiment, of its name, with a column for
each parameter and each measure: sqlite3 results.db "select N, avg(accuracy) from learning group by N".]],
    keys = {
      {"path", "required", "the file"},
      {"create", "false", "true: made where there is none"},
      {"readonly", "false", "true: nothing is written, whatever is called"},
    },
    returns = "results (see help \"results\")",
    example = "r = rhm.results(\"results.db\")\nr:export(\"learning.csv\", \"learning\")", see = {"results"}},

  {name = "results", kind = "object", summary = "the runs of experiments in a file; #r is their number",
    text = [[Made by rhm.results. Printing it lists the experiments.

A run is a table: experiment, parameters (a table), seed, status ("done" or "failed"), measures (a table), error
(why it failed), version (of rhm), host, seconds (wall time), started and ended (seconds since 1970; os.date shows
them).]],
    fields = {{"path", "the name of the file"}}, see = {"rhm.results"}},

  {name = "results:runs", signature = "r:runs([experiment])", summary = "the runs of an experiment, or all",
    returns = "a list of runs, in the order of their being added"},
  {name = "results:find", signature = "r:find(experiment, parameters, seed)", summary = "one run",
    returns = "the run, or nil", example = "r:find(\"learning\", { N=1000 }, 1)"},
  {name = "results:experiments", signature = "r:experiments()", summary = "the experiments of the file",
    returns = "a list of tables: name, runs, failed"},
  {name = "results:add", signature = "r:add{ experiment=, parameters=, seed=, measures= | error= [, ...] }",
    summary = "adds a run; one with the same name is replaced",
    keys = {
      {"experiment", "required", "a letter, then letters, digits, _ and -"},
      {"parameters", "required", "a table of numbers, strings, booleans and tables of them"},
      {"seed", "required", "a whole number"},
      {"measures", "or error", "a table like parameters"},
      {"error", "or measures", "a string: why the run failed"},
      {"seconds", "", "wall time"},
      {"started", "", "seconds since 1970"},
      {"version", "this one's", "of the program"},
      {"host", "this one", "name of the machine"},
    },
    returns = "the results",
    example = "r:add{ experiment=\"learning\", parameters={ N=1000 }, seed=1,\n  measures={ accuracy=0.93 } }"},
  {name = "results:merge", signature = "r:merge(path)", summary = "takes over the runs of another file",
    text = [[All of them or, on an error, none. A run that failed here and not there is replaced; of two that differ
in their measures this file's stays.]],
    returns = "a table of counts: added, replaced, equal, kept (with other measures)",
    example = "r = rhm.results{ path=\"all.db\", create=true }\nr:merge(\"a.db\")\nr:merge(\"b.db\")"},
  {name = "results:export", signature = "r:export(path [, experiment])",
    summary = "writes an experiment as CSV, a line a run", returns = "the number of runs",
    text = [[The experiment may be left out where the file has only one.]]},
  {name = "results:close", signature = "r:close()", summary = "closes the file",
    text = [[Also done when the results are collected.]]},
}
