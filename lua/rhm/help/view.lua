-- help/view.lua - views, as pictures and as text; the panel and its keys.
local rhm = require "rhm"

-- The pages of the views are their own: see each module's summary, options and keys.
local function rows()
  local list = {}
  for _, name in ipairs(rhm.view.names()) do
    local spec, parts = rhm.view.spec(name), {}
    for i, of in ipairs {spec.options or {}, spec.keys or {}} do
      local texts = {}
      for k, row in ipairs(of) do texts[k] = row[1] .. ": " .. row[2] end
      if #texts > 0 then
        parts[#parts + 1] = (i == 1 and "Options: " or "Keys: ") .. table.concat(texts, "; ") .. "."
      end
    end
    local key = rhm.view.key(name)
    list[#list + 1] = {name .. (key and " (" .. key .. ")" or ""), "",
      (spec.summary or "a view of a script") .. (#parts > 0 and ". " .. table.concat(parts, " ") or "")}
  end
  return list
end

local views = setmetatable({name = "views", kind = "topic", functions = "view",
  summary = "pictures of a training, and how to write one",
  text = [[rhm.view(name, subject, options) shows a view; view in the shell. On the panel it stays there and
follows the training (help "panel"); elsewhere it is printed, so that scripts and rhm --plain have the same
pictures.]],
  more = [[A view of one's own is a function of a subject, a width, a height and options that returns a list of
lines. It draws and asks, and changes nothing. A line is a string or a list of segments, a segment a string or
{text, style="name"}. Styles: plain, dim, bold, title, good, warn, bad, mark, select, series1 to series4, heat0
(near zero) to heat9 (largest); "A+B" is the colour of A on that of B. What is wider than width or beyond height is
cut. height is nil where the view may be as long as it likes: when it is printed, and on the panel for views
registered with scroll=true, which the panel scrolls.

Given as a table a view can say more: summary; subjects={"layer"}, the kinds it takes (a network stands for its
layer options.level, its grammar, its job); key=f(subject, options, key, width, height), called for "up", "down",
"left", "right", "pageup", "pagedown", "home", "end", "enter" and single characters, which returns true where it
changed the options, or {ask="prompt: ", call=f(text)}; options and keys, lists of {name, text} for this page.

options has, beside what was given, ascii, colours (0, 8, 16, 256) and glyphs (rhm.view.glyphs). rhm.view.canvas has
plot (curves with axes), bar and spark; rhm.view.text has number, count and duration of fixed width, columns, pad,
wrap, beside; both are modules to require.

An error in a view is shown once and disables it; view "name" tries it again. A hook, rhm.on("progress", f), is
called after each block of a training, so that a script can note what its view then draws.]],
  example = [[local losses = {}
rhm.on("progress", function(job, p)
  local layer = p.levels[p.level]
  if layer and layer.loss then losses[#losses + 1] = layer.loss end
end)
rhm.view.register("losses", { summary = "the loss, block by block",
  draw = function(_, width, height, options)
    local canvas = require "rhm.view.canvas"
    if #losses == 0 then return { "no block yet" } end
    local spark = canvas.spark(losses, width, options.glyphs)
    return { { { "loss ", style="title" }, tostring(losses[#losses]) },
      { { spark, style="series1" } } }
  end })
rhm.view "losses"]],
  see = {"rhm.view", "rhm.view.register", "panel", "rhm.on"}},
  {__index = function(entry, key)
    if key ~= "keys" then return nil end
    rawset(entry, "keys", rows())
    return entry.keys
  end})

return {
  {name = "rhm.view", group = "rhm",
    signature = {"rhm.view(name [, subject [, options]])", "view(name, ...)   in the shell"},
    summary = "shows a view: layers, distances, curves or another",
    text = [[On the panel the view takes the panel; without one it is printed. The subject is a network, a layer, a
grammar or a job; unless given it is the network made, trained or stepped last. A network stands for its layer in
work, or options.level.

Options of all views: level, ascii (true: no UTF-8), and for printing width, height, colours (0, 8, 16, 256).
help "views" has those of each view.]],
    example = "rhm.view(\"layers\", net)\nrhm.view(\"curves\", net, { level=3 })",
    see = {"views", "rhm.view.register"}},

  {name = "rhm.view.register", group = "view",
    signature = {"rhm.view.register(name, draw)",
      "rhm.view.register(name, { draw=, summary=, subjects=, scroll=, key=, options=, keys= })"},
    summary = "adds a view of one's own, or replaces one",
    text = [[draw(subject, width, height, options) returns a list of lines. A line is a string or a list of
segments; a segment is a string or {text, style="name"}. height is nil where the view may be as long as it
likes. See help "views".]],
    example = [[rhm.view.register("loss", function(net, width, height, options)
  local lines = {}
  for l = net.L, 1, -1 do
    local text = tostring(net:layer(l).loss)
    lines[#lines + 1] = { l .. "  ", { text, style="bold" } }
  end
  return lines
end)
rhm.view("loss", net)]], see = {"views"}},
  {name = "rhm.view.remove", group = "view", signature = "rhm.view.remove(name)",
    summary = "takes a view away; one of rhm's own comes back as it was"},
  {name = "rhm.view.names", group = "view", signature = "rhm.view.names()", summary = "the names of all views",
    returns = "a list, in the order of their keys F2, F3, ..."},
  {name = "rhm.view.spec", group = "view", signature = "rhm.view.spec(name)",
    summary = "what a view was registered with",
    returns = "a table: draw, summary, subjects, scroll, key, options, keys"},
  {name = "rhm.view.key", group = "view", signature = "rhm.view.key(name)", summary = "the function key of a view",
    returns = "\"F2\" or so, nil where it has none"},
  {name = "rhm.view.lines", group = "view", signature = "rhm.view.lines(name, subject, width [, height [, options]])",
    summary = "the lines of a view, none wider than width", returns = "a list of strings and lists of segments"},
  {name = "rhm.view.text", group = "view", signature = "rhm.view.text(name [, subject [, options]])",
    summary = "a view as one string, with the colours of the terminal",
    text = [[options.width, height and colours (0: none) say other sizes than the terminal's.]],
    returns = "a string without a final newline",
    example = "rhm.view.text(\"layers\", net, { width=100, colours=0 })"},
  {name = "rhm.view.print", group = "view", signature = "rhm.view.print(name [, subject [, options]])",
    summary = "prints a view, also where there is a panel"},
  {name = "rhm.view.palette", group = "view", signature = "rhm.view.palette([colours])",
    summary = "the styles as colours and attributes",
    text = [[For a terminal of 0, 8, 16 or 256 colours; rhm.colours() unless given.]],
    returns = "a table: style -> {fg=, bg=, bold=, dim=, underline=, reverse=}"},
  {name = "rhm.view.glyphs", group = "view", signature = "rhm.view.glyphs([ascii])",
    summary = "the characters to draw with, in UTF-8 or ASCII",
    returns = "a table: full, half, eighths, spark, shades, tree, up, down, ..."},

  {name = "view", group = "shell", signature = "view(name [, subject [, options]])", summary = "the same as rhm.view",
    see = {"rhm.view", "views"}},

  views,

  {name = "rhm.panel.step", group = "panel", signature = "rhm.panel.step([k])",
    summary = "k steps of gradient descent (1 unless given) on the layer whose turn it is",
    text = [[That is the first layer from L down which is not trained, of the network the panel shows. Where it
has not begun, it begins with samples from the network's grammar, or from the data set of the last training. The
pace is rhm.panel.speed.]],
    see = {"layer:step", "panel"}},
  {name = "rhm.panel.run", group = "panel", signature = "rhm.panel.run([k])",
    summary = "steps up to the next 100, or k of them; a training that is paused goes on instead",
    text = [[rhm.panel.pause (key p) and Ctrl-C end it between two steps.]], see = {"panel"}},
  {name = "rhm.panel.pause", group = "panel", signature = "rhm.panel.pause()",
    summary = "pauses a training or lets it go on, ends rhm.panel.run",
    returns = "true where there was something to pause"},
  {name = "rhm.panel.next", group = "panel", signature = "rhm.panel.next()",
    summary = "finishes the layer in training by hand and begins the next one", see = {"layer:finish"}},
  {name = "rhm.panel.show", group = "panel", signature = "rhm.panel.show(name [, subject [, options]])",
    summary = "makes a view the panel's; rhm.view does so where there is a panel"},
  {name = "rhm.panel.key", group = "panel", signature = "rhm.panel.key(key)",
    summary = "what a key does in the view",
    returns = "true: something changed; false: not known; a string: a command to run; {ask=, call=}: a question"},
  {name = "rhm.panel.frame", group = "panel", signature = "rhm.panel.frame(width, height)",
    summary = "the lines that the panel shows", returns = "a list of lines (see help \"views\")"},
  {name = "rhm.panel.title", group = "panel", signature = "rhm.panel.title(width)",
    summary = "the line with the names of the views", returns = "a line"},
  {name = "rhm.panel.status", group = "panel", signature = "rhm.panel.status(width)",
    summary = "the line that says what is shown and how the work goes", returns = "a line"},
  {name = "rhm.panel.message", group = "panel", signature = "rhm.panel.message()",
    summary = "what went wrong in a view since the last call", returns = "a string, or nil"},
  {name = "rhm.panel.enable", group = "panel", signature = "rhm.panel.enable(name)",
    summary = "lets a view that was disabled try again"},
  {name = "rhm.panel.interrupted", group = "panel", signature = "rhm.panel.interrupted()",
    summary = "called by the terminal when Ctrl-C ended the drawing of a view, which is then disabled"},
  {name = "rhm.panel.opened", group = "panel", signature = "rhm.panel.opened(open)",
    summary = "called by the terminal when the panel opens and closes"},

  {name = "panel", kind = "topic", functions = "panel", summary = "the screen above the prompt, and its keys",
    text = [[Started on a terminal, rhm shows a view of the training above the output and the prompt; rhm
--plain does not. F10 gives plain keys to the view, so that one can step a layer by hand and watch synonyms fall
together.]],
    keys = {
      {"F1", "", "the keys, in the panel"},
      {"F2 .. F8, F11", "",
        "layers, distances, curves, histogram, synonyms, grammar, jobs, refine; also Ctrl-X 1 .. 8"},
      {"F9", "", "pauses the training, or lets it go on; also Ctrl-X p"},
      {"F10", "", "keys go to the view, and back to the prompt; also Ctrl-X o"},
      {"F12", "", "the panel larger, whole, hidden; also Ctrl-X z"},
      {"PageUp, PageDown", "", "scroll the output; Ctrl-X / searches in it, Ctrl-X s saves it"},
      {"s, S", "", "in the view: a step of gradient descent by hand, ten steps"},
      {"r", "", "in the view: steps up to the next 100; a paused training goes on"},
      {"p, space", "", "in the view: pause, and go on"},
      {"n", "", "in the view: finish this layer, begin the next"},
      {"<, >", "", "in the view: half and twice the steps a second"},
      {"[, ]", "", "in the view: the level above, below; f follows the level in work"},
      {"1 .. 8, TAB", "", "in the view: the views, the next view"},
      {"/", "", "in the view: search, where it is a text"},
      {"arrows, PageUp, PageDown, Home, End", "", "in the view: scroll it, or move its cursor"},
    },
    more = [[rhm.panel.speed is the pace of these steps, so many a second (25; nil: no limit), rhm.panel.steps
how many r takes (100). rhm.panel.open tells whether there is a panel.]],
    see = {"views", "keys"}},
}
