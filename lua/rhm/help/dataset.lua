-- help/dataset.lua - rhm.dataset and its objects.
return {
  {name = "rhm.infer_branching", group = "rhm", signature = "rhm.infer_branching(d [, { n=, seed= }])",
    summary = "the branching factors and the depth of a data set whose tree is not known",
    text = [[A candidate s cuts the strings into blocks of s tokens. Neighbours in one block stand under one symbol and
depend on each other more than neighbours on two sides of a border. within is phi^2 of neighbours in a block (Pearson's
X^2/n less what chance gives, about twice their mutual information), border that of neighbours in two blocks, coherence
phi^2 of the tables of all blocks added up over the mean of each: near 1 where blocks share their rules, and small for a
divisor of the true s. score = within coherence^2/border, of the weakest pair of the block; the smallest s that passes
1.55 is taken (measured on random grammars: 2.0 or more for the true s, 1.2 or less for its divisors), unless its pairs
depend more than 3 times as much as one level with so many kinds of blocks would make them: then they are several
levels, of which the lower ones do not show. Then blocks become the symbols of the next level, and so on up to the
label. Chance is measured by pairs from different strings.

Where all tokens are independent (m V = V^s) pairs of them may tell of the label what neither tells alone: the same by
labels, with score within/border above 3. by says what decided a level: "tokens", "labels", "arithmetic" (a prime number
of places is left), "assumption" (nothing does; as at the levels below, where the length is a power of their s) or
"nothing". confidence is the probability that the score is on the right side of its limit, for the cut taken and for
those refused before it; a cut with less than .95 is not taken. confident: all levels are established, none assumed.

It needs rules that make neighbours depend, m V < V^s, or labels that depend on them, and as many strings as it takes to
see that: from 10^4 up for a handful of rules. A level is left open with a reason, above all where the patches below are
of more than 2048 kinds: a table of K x K kinds has a noise of sqrt(2) K/n, which hides the levels above unless n is
many times K. Missing tokens are left out of the counts. One rule a symbol (m = 1) shows no border, nor do shuffled
tokens.]],
    keys = {
      {"n", "all", "look at the first n strings only"},
      {"seed", "0", "of the strings that chance is measured with"},
    },
    returns = "a report: .s (a number or a list; nil: cannot tell), .L, .confident, .confidence, .established (levels "
      .. "from the tokens up that the strings show), .levels[k] = { s=, by=, reason=, places=, codes=, z=, "
      .. "confidence=, candidates = { {s=, score=, within=, border=, coherence=, passes=}, ... } }, k = 1 for the "
      .. "tokens",
    example = "r = rhm.infer_branching(d)\nnet = rhm.network{ V=d.V, s=r.s, L=r.L, classes=d.classes }",
    see = {"rhm.network", "dataset", "rhm.correlation"}},

  {name = "rhm.dataset", group = "rhm",
    signature = {"rhm.dataset(path)", "rhm.dataset{ path= [, V=, classes=] }",
      "rhm.dataset{ tokens=, labels= [, V=, classes=] }"},
    summary = "labelled strings from a file or from tables",
    text = [[The ending of the name says the format. Symbols in files count from 0 (NumPy's habit), in Lua from 1.

.csv .txt: one string a line, its tokens and then its label, separated by commas, blanks, tabs or semicolons; empty
lines, lines that begin with # and one header line of words are skipped. .npy: a pair, tokens (n x d) in X.npy and
labels (n) in X_labels.npy, or in the same name with "labels" for "tokens"; any integer type. .h5 .hdf5: data sets
"tokens" (n x d) and "labels" (n), any integer type.

A label or a token that is not known is -1 in files and 0 in Lua. Trainings and accuracies leave out the strings without
a label; learners that read whole strings refuse missing tokens.

V and classes are one more than the largest value seen unless given; given, a value out of range is an error that names
the file and the line.]],
    keys = {
      {"path", "", "the file; or tokens and labels"},
      {"tokens", "", "in place of a file: a list of n lists of d symbols, from 1; 0: missing"},
      {"labels", "", "with tokens: a list of n labels, from 1; 0: missing"},
      {"V", "from the data", "symbols"},
      {"classes", "from the data", "labels"},
    },
    returns = "a dataset (see help \"dataset\")",
    example = [[d = rhm.dataset("strings.csv")
d = rhm.dataset{ tokens={{1,2},{2,1}}, labels={1,2} }]], see = {"dataset:save"}},

  {name = "dataset", kind = "object",
    summary = "labelled strings in memory; #d is their number",
    text = [[Made by rhm.dataset and g:sample. Printing it gives its sizes and the first strings.]],
    fields = {
      {"n", "strings, the same as #d"}, {"d", "tokens a string"}, {"V", "symbols"}, {"classes", "labels"},
      {"unlabelled", "strings whose label is missing"}, {"missing", "tokens that are missing"},
    },
    see = {"rhm.dataset", "grammar:sample"}},

  {name = "dataset:tokens", signature = "d:tokens(i)", summary = "the i-th string, a list of symbols",
    returns = "a list of d integers from 1, 0 where one is missing", see = {"dataset:label"}},

  {name = "dataset:label", signature = "d:label(i)", summary = "the label of the i-th string",
    returns = "an integer from 1, 0 where it is missing", see = {"dataset:tokens"}},

  {name = "dataset:save", signature = "d:save(path)",
    summary = "writes the strings; the ending (.h5, .csv, .txt, .npy) says the format", returns = "the dataset",
    text = [[The file appears whole or not at all; an older one stays as it was if writing fails. Symbols in the file
count from 0; what is missing is -1.]],
    example = "d:save(\"strings.h5\")", see = {"rhm.dataset"}},

  {name = "dataset:split", signature = {"d:split(fraction)", "d:split{ fraction= [, seed=, disjoint=] }"},
    summary = "splits into train and test at random",
    keys = {
      {"fraction", "required", "the share of the strings that goes to train, between 0 and 1"},
      {"seed", "0", "of the random order"},
      {"disjoint", "false", "true: equal strings go to the same side, so that no test string was seen in training"},
    },
    returns = "two datasets", example = "train, test = d:split(0.8)", see = {"network:accuracy"}},

  {name = "dataset:hide", signature = "d:hide{ [labels=, tokens=, seed=] }",
    summary = "a copy with some labels and tokens missing",
    text = [[What is hidden depends on the seed and the sizes alone; with one seed a larger share hides the same and
more.]],
    keys = {
      {"labels", "0", "the share of the strings, rounded, that lose their label"},
      {"tokens", "0", "the probability of each token to be hidden, independently"},
      {"seed", "0", "of the choice"},
    },
    returns = "a dataset", example = "half = g:sample{ n=1000 }:hide{ labels=.5 }", see = {"rhm.dataset",
      "dataset:split"}},
}
