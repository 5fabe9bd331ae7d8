-- help/view.lua - views, as pictures and as text; the panel's keys.
return {
  {name = "rhm.view", group = "rhm", signature = {"rhm.view(name [, subject [, options]])", "view(name, ...)   in the shell"},
    summary = "shows a view: layers, distances, curves or another",
    text = [[On the panel the view takes the panel; without one it is printed. The subject is a network, a layer, a grammar or a job;
unless given it is the network made, trained or stepped last. A network stands for its layer in work, or options.level.

Options of all views: level, ascii (true: no UTF-8), and for printing width, height, colours (0, 8, 16, 256). help "views" has
those of each view.]],
    example = "rhm.view(\"layers\", net)\nrhm.view(\"curves\", net, { level=3 })", see = {"views", "rhm.view.register"}},

  {name = "rhm.view.register", group = "view", signature = {"rhm.view.register(name, draw)", "rhm.view.register(name, { draw=, summary=, subjects=, scroll=, key=, options=, keys= })"},
    summary = "adds a view of one's own, or replaces one",
    text = [[draw(subject, width, height, options) returns a list of lines. A line is a string or a list of segments; a segment is a
string or {text, style="name"}. height is nil where the view may be as long as it likes. See help "views".]],
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
  {name = "rhm.view.spec", group = "view", signature = "rhm.view.spec(name)", summary = "what a view was registered with",
    returns = "a table: draw, summary, subjects, scroll, key, options, keys"},
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

  {name = "views", kind = "topic", functions = "view", summary = "pictures of a training, and how to write one",
    text = [[rhm.view(name, subject, options) shows a view; view in the shell.]],
    see = {"rhm.view"}},
}
