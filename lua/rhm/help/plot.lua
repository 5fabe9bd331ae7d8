-- help/plot.lua - rhm.plot and rhm.fit.
return {
  {name = "rhm.plot", group = "rhm",
    signature = {"rhm.plot{ series={ {x=, y=, ...}, ... } [, log=, out=, ...] }", "rhm.plot{ matrix= [, ...] }"},
    summary = "draws series or a heat map, in the terminal or to a file",
    text = [[A series has y, and x (1, 2, ... unless given); err, or low and high, the ends of its bars (inf: to the
edge); label; fit=true, a line by least squares on the plot's scales (or "linear", "x", "y", "xy": see rhm.fit);
kind. A single one may be given without the list. sweep:series and search:series make such lists. On a log scale
points at 0 or below are left out.

A matrix is an rhm.matrix or a list of rows; the first row is drawn at the bottom. xnames and ynames name its
columns and rows.

Drawn by gnuplot; where there is none, the numbers are written as CSV (beside the file, or here), and a line says
so.]],
    keys = {
      {"series", "or y, matrix", "a list of series"},
      {"matrix", "or series, y", "a heat map"},
      {"x", "1, 2, ...", "of a single series, as the next five"},
      {"y", "or series", "its numbers"},
      {"err", "", "half lengths of its bars"},
      {"low", "", "the lower ends of its bars"},
      {"high", "", "the upper ends of its bars"},
      {"label", "", "its name in the legend"},
      {"fit", "", "true: with a fitted line, whose slope the legend tells with its 95 % interval"},
      {"kind", "\"lines\"", "how series are drawn, or \"heat\" (a matrix)", values = {"lines", "points"}},
      {"title", "", "above the plot"},
      {"xlabel", "", "below"}, {"ylabel", "", "at the left"}, {"zlabel", "", "of a heat map's colours"},
      {"log", "\"\"", "the axes with a log scale", values = {"", "x", "y", "xy"}},
      {"xrange", "the data's", "two numbers"}, {"yrange", "the data's", "two numbers"},
      {"zrange", "the data's", "two numbers: the ends of a heat map's colours"},
      {"xnames", "1, 2, ...", "a list: of a matrix' columns"}, {"ynames", "1, 2, ...", "a list: of its rows"},
      {"out", "the terminal", "a file; its ending (.svg, .pdf, .png, .csv) says the format"},
      {"sixel", "false", "true: as a picture in terminals that show sixels"},
      {"width", "fits", "columns, of files pixels"}, {"height", "fits", "rows, of files pixels"},
    },
    example = [[r = rhm.sweep{ name="learning", run=learn, seeds=10,
  grid={ m={2, 4}, N={1000, 10000} } }
rhm.plot{ series=r:series{ x="N", y="accuracy", by="m" },
  log="x", xlabel="N", ylabel="accuracy", out="learning.svg" }
rhm.plot{ matrix=net:layer(3):distances(), title="layer 3" }]],
    see = {"rhm.fit", "sweep:series", "rhm.view"}},

  {name = "rhm.fit", group = "rhm", signature = "rhm.fit{ x=, y= [, log=, level=] }",
    summary = "a straight line through points by least squares, with intervals",
    text = [[y = a + b x, or of the natural logarithms: log="xy" fits ln y = a + b ln x, so that b is the exponent
of a power law. The intervals are Student's, for errors of equal size at all points.]],
    keys = {
      {"x", "required", "a list of numbers"},
      {"y", "required", "a list of as many"},
      {"log", "\"\"", "of which logarithms are taken", values = {"", "x", "y", "xy"}},
      {"level", "0.95", "of the intervals"},
    },
    returns = "the fit (see help \"fit\")",
    example = "f = rhm.fit{ x={1, 2, 4, 8}, y={3, 7, 11, 26}, log=\"xy\" }\nf.b, f.b_low, f.b_high, f:at(16)",
    see = {"fit", "rhm.plot"}},

  {name = "fit", kind = "object", summary = "a fitted line",
    fields = {
      {"a", "the intercept"}, {"b", "the slope"},
      {"a_low", "its interval; nil with two points alone"}, {"a_high", "its other end"},
      {"b_low", "of the slope"}, {"b_high", "its other end"},
      {"r2", "the share of y's variance that the line explains"}, {"n", "points"},
      {"log", "as given"}, {"level", "as given"},
      {"sigma", "standard deviation of the errors; nil with two points alone"},
    }, see = {"rhm.fit"}},
  {name = "fit:at", signature = "f:at(x)", summary = "the line's y at x"},
}
