-- help/topics.lua - pages that belong to no function.
return {
  {name = "options", kind = "topic", summary = "the command line of rhm",
    text = [==[rhm [options] [script [args]]. Without a script: the shell where standard input is a terminal, else
standard input is the script. The bare name of a script is also looked up in the scripts folder: rhm quickstart.]==],
    keys = {
      {"-e CODE", "", "run CODE; may be repeated"},
      {"-l MODULE", "", "require MODULE into a global of that name; NAME=MODULE gives it another"},
      {"-i", "", "enter the shell afterwards"},
      {"-E", "", "ignore LUA_PATH, LUA_CPATH and the init file"},
      {"-q", "", "no banner (--quiet)"},
      {"-W", "", "turn warnings on"},
      {"--plain", "", "the shell without the panel"},
      {"--threads N", "", "threads of the engine; results do not depend on it"},
      {"-v, --version", "", "print the version"},
      {"-h, --help", "", "print the options"},
      {"-", "", "standard input as the script"},
      {"--", "", "end of options"},
    },
    more = [[Exit codes: 0, 1 error, 2 usage, 130 interrupted. A script finds its arguments in ... and in the table arg.
Interactive sessions first run $XDG_CONFIG_HOME/rhm/init.lua (~/.config/rhm/init.lua); their history is
$XDG_STATE_HOME/rhm/history (~/.local/state/rhm/history).]]},

  {name = "keys", kind = "topic", summary = "keys and input at the prompt",
    text = [[An expression is evaluated and shown, without return or =; a final semicolon silences it. Input goes on
(...>) until it is complete. The keys are Readline's and ~/.inputrc holds (application name: rhm).]],
    keys = {
      {"TAB", "",
        "completes names, fields, methods, the keys of a call's table, file, module and help names in quotes"},
      {"Up, Ctrl-R", "", "earlier commands, kept between sessions; search in them"},
      {"Ctrl-C", "", "drops the line; stops the command that runs (a training is paused: net:resume())"},
      {"Ctrl-D", "", "on an empty line: leaves. In an unfinished command: gives it up"},
      {"Ctrl-Z", "", "suspends rhm; fg comes back"},
      {"? name", "", "help on name"},
      {"exit, quit", "", "leave"},
    }},

  {name = "errors", kind = "topic", summary = "what messages mean",
    text = [[A message is one line: where (file:line), what, the value and the limit, and what would help. Calls deeper
than one are listed below it, the innermost first. At the prompt an error leaves the session as it was.

over the memory budget: sizes are checked before anything is allocated; raise rhm.memory or do what the message says.
interrupted: Ctrl-C stopped the command. unknown key: the nearest known one is named.]],
    see = {"options"}},

  {name = "theory", kind = "topic", summary = "the symbols used everywhere",
    text = [[After Ren, Dandi, Krzakala, Lee, "Provable Learning of Random Hierarchy Models and Hierarchical
Shallow-to-Deep Chaining" (arXiv 2601.19756) and Cagnetta et al., "The Random Hierarchy Model" (arXiv 2307.02129).]],
    keys = {
      {"V, m, s, L", "", "symbols a level, rules a symbol, children a rule, levels"},
      {"C", "", "labels (classes); level 0 holds the label, level L the d = s^L tokens"},
      {"patch", "", "an s-tuple of level-l symbols under one parent; patches of one parent are synonyms"},
      {"q_mu", "", "P[label | the first level-l patch is mu]: the same for all synonyms"},
      {"rho^(l)", "", "the smallest |q_nu - q_nu'| over parents of level l: the signal (g:gap)"},
      {"K_rho", "", "min over l of rho^(l) m^(l/2) (g:K)"},
      {"N^(l)", "", "samples for layer l (g:schedule)"},
      {"M, sigma", "", "features of a patch; bandwidth of exp(-|h - h'|^2/(2 sigma^2))"},
      {"G, B, W", "", "E[x x^T], E[e_label x^T], ridge weights: W (G + lambda I) = B"},
      {"eps_S", "", "spread of the outputs within a cluster of synonyms"},
      {"eps_O", "", "inner product left between non-synonyms"},
      {"rho~", "", "smallest distance between clusters of the layer's inputs"},
    },
    see = {"grammar:check", "layer:diagnostics"}},
}
