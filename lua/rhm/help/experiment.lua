-- help/experiment.lua - the scripts of the experiments, and the module they share.
return {
  {name = "experiments", kind = "topic", summary = "the scripts of the experiments, and how to write one",
    text = [[rhm NAME runs a script of the scripts folder; rhm NAME --help tells what it varies and what the theory
says, and rhm-experiments(7) what was measured. Each prints tables and a plot, and writes a folder: results.db (see
rhm.results), a CSV with a line a run, and the plot. A script that was interrupted or killed goes on where it was when
it is run again.]],
    keys = {
      {"--quick", "", "a smaller version: under 20 s on 2 processors. Its files are named NAME_quick"},
      {"--seeds N", "", "repetitions"},
      {"--out DIR", "", "the folder; one of the script's name in the current one unless given"},
      {"--jobs N", "", "child processes: one a processor unless given; 0: here, one run after the other"},
      {"--shard i/n", "", "the i-th of n parts, on a machine of its own. Without it the parts found in the folder are "
        .. "taken over"},
      {"--format F", "", "of the plot: svg, pdf or png"},
    },
    more = [[One's own is about a page: x = require("rhm.experiment").new{ name=, summary=, theory=, seeds={ full=,
quick=, text= } [, options=] } reads the options (options, a function of the argparse parser, adds more; they are in
x.args); x.quick tells the version. x:sweep{...} and x:search{...} are rhm.sweep and rhm.search with seeds, processes
and file filled in; a script with more than one gives each a name=. x:finish(show [, failures]) ends it: show() prints
by x:table(head, rows), x:say(text, ...) and x:plot{...}, which is rhm.plot into the terminal and the folder; runs that
failed make exit code 1, unless failures, a text, tells what they mean.

The module's functions: median(list), mean(list), quantile(list, share); values(rows, measure, which), the numbers of a
measure in the runs whose parameters are as in which; geometric(from, to, count), whole numbers at equal ratios;
whole(option, low), for the option's convert; grammars(shape, seed, count), the first grammars from that seed on that
pass g:check().]],
    see = {"rhm.sweep", "rhm.search", "rhm.plot"}},
}
