-- help/general.lua - the rest of the rhm table, and the shell's functions.
return {
  {name = "rhm", kind = "object",
    summary = "the table of everything; also require \"rhm\"",
    text = [[Constructors take one table. A key that is unknown or missing is an error that names it and the nearest
known one. Symbols, labels, levels and places count from 1 in Lua and from 0 in files.]],
    fields = {
      {"memory", "the memory budget in bytes; assign to it to change it. What would pass it is refused beforehand"},
      {"threads", "threads of the engine, 1 to 1024; assign to it to change it. Results do not depend on it"},
      {"version", "of the program"},
    }},

  {name = "rhm.load", group = "rhm", signature = "rhm.load(path)", summary = "reads what net:save, c:save or k:save "
    .. "wrote",
    returns = "a network, a cnn, a shallow or a one-step model", see = {"network:save", "cnn:save", "shallow:save",
      "onestep:save"}},

  {name = "rhm.latest", group = "rhm", signature = "rhm.latest([kind])",
    summary = "the network that was made, trained or stepped last",
    text = [[kind: "network" (unless given), "grammar", the one made last, "source", the grammar or dataset of the last
training, or "learner", the network, cnn or shallow model trained last. What nobody holds any more is forgotten, but for
the source.]],
    returns = "the object, or nil", see = {"rhm.view"}},

  {name = "rhm.clock", group = "rhm", signature = "rhm.clock()", summary = "seconds on a clock that never goes back",
    returns = "a number; only differences have a meaning",
    example = "t = rhm.clock()\n...\nprint(rhm.clock() - t)", see = {"timing"}},

  {name = "rhm.width", group = "rhm", signature = "rhm.width()",
    summary = "columns of the terminal, else $COLUMNS, else 80", returns = "an integer"},

  {name = "rhm.height", group = "rhm", signature = "rhm.height()",
    summary = "rows of the terminal, else $LINES, else 24", returns = "an integer"},

  {name = "rhm.colours", group = "rhm", signature = "rhm.colours()",
    summary = "colours that output may use: 0, 8, 16 or 256",
    text = [[0 where standard output is no terminal, where NO_COLOR is set, and for
TERM=dumb.]], returns = "an integer"},

  {name = "rhm.utf8", group = "rhm", signature = "rhm.utf8()",
    summary = "whether output may use more than ASCII",
    text = "The locale's characters are UTF-8, and the terminal is not TERM=dumb.", returns = "a boolean"},

  {name = "rhm.help", group = "rhm", signature = {"rhm.help()", "rhm.help(name or value)"},
    summary = "help: an overview, or one page; help in the shell",
    text = [[At the prompt also help, help name, and ? name. The argument is a name ("grammar:q", "theory"), a function
or an object.]],
    example = "help \"layer:q\"\nhelp(rhm.grammar)\nhelp(g)"},

  {name = "rhm.print", group = "rhm", signature = "rhm.print(value, ...)",
    summary = "prints values as the prompt shows them; pp in the shell",
    text = [[Tables are shown with sorted keys, strings quoted, matrices fitted to the width. What is elided is set in
require("rhm.print").limits: rows, items, numbers, depth, string.]],
    example = "rhm.print({ a=1, { 2, 3 } })"},

  {name = "help", group = "shell", signature = {"help()", "help(name or value)", "? name"},
    summary = "the same as rhm.help", see = {"rhm.help"}},
  {name = "apropos", group = "shell", signature = {"apropos(word)", "apropos word"},
    summary = "the pages of the help that mention a word", text = [[In names, summaries, texts, keys and fields, capitals
like small letters; pages with the word in their name or summary come first.]], example = "apropos \"noise\"",
    see = {"rhm.help"}},
  {name = "pp", group = "shell", signature = "pp(value, ...)", summary = "the same as rhm.print", see = {"rhm.print"}},
  {name = "who", group = "shell", signature = "who()", summary = "lists your globals, a line each"},
  {name = "timing", group = "shell", signature = {"timing(true)", "timing(false)", "timing()"},
    summary = "prints the time after each command, or stops doing so",
    returns = "timing() tells whether it is on", see = {"rhm.clock"}},
  {name = "exit", group = "shell", signature = {"exit", "quit"}, summary = "leaves the shell, as Ctrl-D does"},
}
