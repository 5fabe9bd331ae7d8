-- help/source.lua - sources other than grammars: rhm.formula, rhm.source, and their objects.
return {
  {name = "rhm.formula", group = "rhm", signature = "rhm.formula{ gates=, L= [, s=, per=, balanced=, seed=] }",
    summary = "a tree of Boolean gates over uniform inputs",
    text = [[Level L holds the d = s^L tokens, independent and uniform: 1 is false (-1), 2 is true (+1). Each node of
level l-1 is a gate of its s children of level l, and level 0, the label, is 1 or 2. A gate of two inputs is a quadratic
polynomial over +-1 variables. A level-l patch is what stands below one gate; those with the same value are synonyms.

gates: a name for all levels, or names for levels 1 (the label's gate) to L apart by blanks, each one name or one for
each node of the level with commas between them: "and", "or and xor", "and or,xor". A list, or a list of lists, says the
same. "and/or" takes turns from level to level. Names: and, or, xor (xor of all is parity), nand, nor, xnor, first (its
first input alone); a table of 2^s digits, the values on 00, 01, 10, 11 ("0111" is or); random, a table that depends on
each input (10 of the 16 of two); literals, an AND or OR of inputs each negated or not. What is drawn at random is the
same in the whole level, unless per="node".

Of AND and OR kinds each input correlates with the value, of XOR none does. Labels are as frequent as the gates make
them: where only AND follows AND, true is rare; "and/or" keeps off that for a while. balanced=true makes both labels
equally likely, and the inputs uniform given the label. f:probability() tells.]],
    keys = {
      {"gates", "required", "a name, names for each level, or for each node"},
      {"L", "required", "depth: levels of gates"},
      {"s", "2", "inputs of a gate, 2 to 6"},
      {"per", "\"level\"", "random gates: one a level, or one a node", values = {"level", "node"}},
      {"balanced", "false", "true: each label has probability 1/2"},
      {"seed", "0", "of random gates"},
    },
    returns = "a formula (see help \"formula\")",
    example = [[f = rhm.formula{ gates="and/or", L=3 }
f:correlation(3)   -- of the first input with the label
net = rhm.network{ V=2, s=2, L=3 }
net:train{ from=f, n=2000 }]],
    see = {"formula", "rhm.source", "rhm.grammar"}},

  {name = "formula", kind = "object", summary = "a tree of gates: exact correlations and q, strings",
    text = [[Made by rhm.formula. Trainings (network, cnn, shallow) and accuracies take it where they take a data set:
they draw its strings.]],
    fields = {
      {"V", "2"}, {"s", "inputs of a gate"}, {"L", "depth"}, {"d", "tokens a string, s^L"}, {"classes", "2"},
        {"C", "2"},
      {"gates", "a text that makes the same gates again, whatever was drawn"},
      {"balanced", "true where both labels are equally likely"}, {"seed", "of random gates"},
    },
    see = {"rhm.formula"}},

  {name = "formula:gate", signature = "f:gate(l [, i])", summary = "the gate above the i-th level-l patch",
    text = "Its name, or its table in digits. i is 1 unless given.", returns = "a string",
      see = {"formula:polynomial"}},

  {name = "formula:polynomial", signature = "f:polynomial(l [, i])", summary = "that gate as a polynomial over +-1 "
    .. "variables",
    text = [[The value +-1 of the gate is the sum of these coefficients times the products of inputs that their keys
name; those that are 0 are left out.]],
    returns = "a table: keys \"1\", \"x1\", \"x2\", \"x1 x2\", ...",
    example = "rhm.formula{ gates=\"and\", L=1 }:polynomial(1)", see = {"formula:gate"}},

  {name = "formula:q", signature = "f:q(l [, i])", summary = "the exact q of level-l patches",
    text = [[Row v is P[label | the i-th level-l patch has value v], v = 1 false, 2 true; nan where it never has. The
first patch where i is left out.]],
    returns = "a matrix, 2 x 2", see = {"formula:gap", "grammar:q"}},

  {name = "formula:gap", signature = "f:gap(l [, i])", summary = "the distance of the two rows of f:q(l, i)",
    returns = "a number; inf where one value never occurs", see = {"formula:q", "grammar:gap"}},

  {name = "formula:correlation", signature = "f:correlation(l [, i])",
    summary = "the correlation of the i-th level-l symbol with the label",
    text = [[Exact, from -1 to 1. l = L are the tokens, 0 the label itself.]],
    returns = "a number; nil where one of them never varies", example = "f:correlation(2, 3)", see = {"formula:gap",
      "rhm.principle"}},

  {name = "formula:probability", signature = "f:probability([l [, i]])",
    summary = "how likely the i-th level-l symbol is true (2); without l, the label",
    returns = "a number from 0 to 1", see = {"rhm.formula"}},

  {name = "formula:value", signature = "f:value{ 1, 2, 2, ... }", summary = "the label of a string",
    returns = "1 or 2", see = {"formula:sample"}},

  {name = "formula:sample", signature = "f:sample{ n= [, seed=] }", summary = "n strings with their labels",
    text = [[String i depends on the seed and i alone.]],
    keys = {{"n", "required", "strings"}, {"seed", "0", "of the strings"}},
    returns = "a dataset", example = "d = f:sample{ n=1000, seed=2 }", see = {"dataset"}},

  {name = "rhm.source", group = "rhm", signature = "rhm.source{ V=, classes=, d= | s=, L=, sample= [, name=] }",
    summary = "strings made by a function of yours",
    text = [[sample(rng) returns the tokens of one string, a list of d symbols 1 to V, and its label, 1 to classes; 0
where one is missing. All that is random in it should come from rng (help "random"), whose numbers depend on the seed
and the number of the string alone; then the string does, too. An error in it is reported with the string's number. It
runs before a training, for all strings.]],
    keys = {
      {"V", "required", "symbols"},
      {"classes", "required", "labels"},
      {"d", "s^L", "tokens a string"},
      {"s", "none", "with L in place of d, or beside it: the tree that strings have, for rhm.principle"},
      {"L", "none", "its depth"},
      {"sample", "required", "the function(rng)"},
      {"name", "none", "for its printing"},
    },
    returns = "a source (see help \"source\")",
    example = [[src = rhm.source{ V=2, classes=2, d=8, sample=function(rng)
  local tokens, ones = {}, 0
  for k = 1, 8 do
    tokens[k] = rng:integer(2)
    ones = ones + tokens[k] - 1
  end
  return tokens, ones > 4 and 2 or 1
end }
rhm.shallow{ V=2, d=8, classes=2 }:train{ from=src, n=1000 }]],
    see = {"source", "random", "rhm.formula"}},

  {name = "source", kind = "object", summary = "strings made by a function of the user's",
    text = [[Made by rhm.source. Trainings (network, cnn, shallow) and accuracies take it where they take a data set:
they draw its strings, 10000 unless n is given.]],
    fields = {
      {"V", "symbols"}, {"classes", "labels"}, {"C", "the same as classes"}, {"d", "tokens a string"},
        {"s", "as given, or nil"},
      {"L", "as given, or nil"}, {"name", "as given, or nil"},
    },
    see = {"rhm.source"}},

  {name = "source:sample", signature = "src:sample{ n= [, seed=] }", summary = "n strings with their labels",
    keys = {{"n", "required", "strings"}, {"seed", "0", "of the strings"}},
    returns = "a dataset", see = {"dataset"}},

  {name = "rhm.principle", group = "rhm",
    signature = "rhm.principle(source [, { n=, seed=, place=, capacity=, confidence=, features=, s=, L=, grammar=, M= "
      .. "}])",
    summary = "the three conditions of shallow-to-deep chaining, measured",
    text = [[A chain learns layer by layer if, at each level l: (i) the patch correlates with the label, (ii) the signal
is clean: the layer does not overfit to what stands above its level, (iii) the features can be identified: symbols
differ in q by a gap. Looked at is one patch of level L, the first unless place says another, and its ancestors. source
is a grammar, a formula, a source or a data set. Its symbols are the true ones, or (features="learned", and where nobody
knows the true ones, or token noise hides them) the clusters of a chain trained on half of the strings; below a level
where that fails nothing is reached.

The strings fall at random into halves A and B. correlation is the correlation ratio eta: eta^2 = sum P(mu) |q_mu -
q|^2/(1 - |q|^2), q the labels' shares (of two labels and two symbols the correlation coefficient); B's labels against
A's estimate of q_mu and the other way round; normal interval by the delta method. It holds where the interval is above
0.

clean: the layer is the table of label frequencies of one half, what ridge regression on nearly orthogonal features
tends to. With capacity k it reads all level-l symbols below the k-th ancestor of the patch's node: 0, the chain's own,
sees the patch alone, l - 1 the whole string. fit is its R^2 on its half, held on the other, clean = held/fit: of what
it learned, the share that holds for other strings; normal interval by the delta method. leak is the share of its
outputs' variance on the other half that is no function of the patch's symbol: the layer above would take it for
differences of synonyms. It holds where clean is above 1/2 with its whole interval, and leak at most 1/2. The columns k
= 1, 2, ... are clean of wider layers. Learned symbols: on B alone.

gap is min |q_nu - q_nu'| over pairs of symbols: the interval allows each pair the quantile of |N(0, S)|, S the
covariance of its difference (Satterthwaite's chi-square), all pairs at once (Bonferroni). Learned symbols: on B alone.
It holds where the interval is above 0 and every symbol stands at the place.

Intervals of a condition hold with the confidence for all levels together; they are approximations for strings in the
hundreds or more. exact is that of the grammar or formula.]],
    keys = {
      {"n", "chosen", "strings drawn: 16 V m/gap^2, from 100000 to 1000000; from a source of yours 20000; a data set "
        .. "gives all"},
      {"seed", "0", "of the strings, the halves and the chain's features"},
      {"place", "1", "of the patch at level L"},
      {"capacity", "0", "levels above its own that a layer sees"},
      {"confidence", "0.95", "of the intervals"},
      {"features", "true if known", "whose symbols", values = {"true", "learned"}},
      {"s", "the source's", "tokens a patch, where no grammar says it; or a list with one number for each level"},
      {"L", "log d/log s", "levels"},
      {"grammar", "none", "of a data set: the one that its strings are from, so that the symbols are known"},
      {"M", "1024", "features of the learned chain's layers"},
    },
    returns = "a report: .ok, .correlation, .clean, .gap (true, false; clean is nil without any signal), .verdict, "
      .. ".levels[l] = { correlation={ value=, low=, high= }, gap={...}, exact_correlation=, exact_gap=, layers={ { "
      .. "fit=, held=, clean={...}, leak=, inputs= }, ... }, holds={ correlation=, clean=, gap= }, seen=, parents=, "
      .. "unseen=, nearest=, unresolved=, reached= }",
    example = [[rhm.principle(rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 })
rhm.principle(rhm.formula{ gates="xor", L=3 }).verdict
rhm.principle(d, { s=2 })]],
    see = {"grammar:check", "rhm.formula", "rhm.source", "rhm.correlation"}},

  {name = "random", kind = "object", summary = "the random numbers of one string",
    text = [[What the function of rhm.source gets: numbers that depend on the seed and the string's number alone
(Philox).]],
    see = {"rhm.source"}},

  {name = "random:integer", signature = {"rng:integer(n)", "rng:integer(a, b)"},
    summary = "a whole number from 1 to n, or from a to b, all equally likely", returns = "an integer"},
  {name = "random:real", signature = "rng:real()", summary = "uniform in (0, 1)", returns = "a number"},
  {name = "random:normal", signature = "rng:normal()", summary = "a standard Gaussian", returns = "a number"},
  {name = "random:boolean", signature = "rng:boolean([p])", summary = "true with probability p, 1/2 unless given",
    returns = "a boolean"},
  {name = "random:choose", signature = "rng:choose(list)", summary = "one of the list, all equally likely",
    returns = "it"},
  {name = "random:shuffle", signature = "rng:shuffle(list)", summary = "puts the list in a random order",
    returns = "the list"},
}
