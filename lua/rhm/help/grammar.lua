-- help/grammar.lua - rhm.grammar and its objects.
return {
  {name = "rhm.grammar", group = "rhm",
    signature = {"rhm.grammar{ V=, m=, s=, L= [, classes=, seed=, ensemble=, shuffle=, zipf=, weights=, prior=,"
      .. " label_noise=, token_noise=] }",
      "rhm.grammar{ rules= [, V=, zipf=, weights=, prior=, label_noise=, token_noise=] }"},
    summary = "a Random Hierarchy Model: drawn at random, or with your own rules",
    text = [[Level 0 holds the label, level L the d observed tokens (s^L). At each level l = 1..L every symbol of level
l-1 has m rules, each a tuple of s symbols of level l. All tuples of a level are distinct, so the grammar is
unambiguous, and they are drawn uniformly without replacement from the V^s possible ones: m*V <= V^s is needed, and
m*classes <= V^s at level 1. A sample is a uniform label (unless prior says otherwise) rewritten from level to level,
each time by one of the m rules, independent, and equally likely unless zipf or weights say otherwise. Those enter
whatever is computed or drawn: q, gap, p_min, K, the check, schedules by the gap, samples, training, exact accuracy.

With noise what is observed is not what was derived: label_noise is the probability that the label is replaced by one
drawn uniformly from all of them (itself, too), token_noise the same for each token, independently. Samples, trainings
and the exact accuracy are those of noisy strings and labels, so nobody is right more often than g:bayes says. Label
noise e shrinks every gap by 1 - e; q and gap are those of true parents, which token noise leaves as they are, but
patches then tell of their parents with doubt.

ensemble="latin" makes the first child of a rule tell nothing of its parent, so that a learner of first patches has no
signal (K_rho = 0): the tuples of parent nu satisfy a_1 + ... + a_s = nu mod V, and each symbol stands first in m/V of
them. It needs m a multiple of V, m <= V^(s-1) and classes <= V. A share shuffle of the rules of each level, chosen at
random, then gets tuples drawn uniformly from those that are free: K_rho grows from 0, and shuffle=1 is the uniform
ensemble. With one seed a larger share changes more of the same rules.

s={2,3,2} gives each level its own: a symbol of level l-1 has s[l] children, a string d = 2*3*2 tokens and level l the
product of s[1] to s[l-1] patches; wherever this manual says s^(l-1) that product is meant. L is then the length of the
list.

With rules the sizes are read off the rules; an ambiguous set is an error that names the tuple and both its parents.]],
    keys = {
      {"V", "required", "symbols at each level, 2 to 65535"},
      {"m", "required", "rules of each symbol (synonyms), at least 1"},
      {"s", "required", "symbols a rule has on its right, at least 2; or a list with one number for each level"},
      {"L", "required (#s where s is a list)", "depth: levels of rules, at least 1, with s^L < 2^63"},
      {"classes", "V", "labels"},
      {"C", "V", "the same as classes"},
      {"seed", "0", "of the draw; the same seed gives the same grammar everywhere"},
      {"ensemble", "\"uniform\"", "how rules are drawn", values = {"uniform", "latin"}},
      {"shuffle", "0", "latin: the share (0 to 1) of the rules drawn anew"},
      {"zipf", "0", "the k-th rule of a symbol has a probability ~ k^-zipf; 0: all alike"},
      {"weights", "all alike", "weights[l][symbol][k] > 0, or one list {w_1, ..., w_m} for every symbol; divided by "
        .. "their sum"},
      {"prior", "all alike", "a list: the labels' probabilities, > 0, divided by their sum"},
      {"label_noise", "0", "the probability that a label is replaced by a uniform one"},
      {"token_noise", "0", "the probability that a token is replaced by a uniform one"},
      {"rules", "drawn", "rules[l][symbol][k] = {children}, symbols 1..V: level 1 first, each level a list of all its "
        .. "symbols"},
    },
    returns = "a grammar (see help \"grammar\")",
    example = [[g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=1 }
g:check()]],
    see = {"grammar", "grammar:check", "theory"}},

  {name = "grammar", kind = "object",
    summary = "a grammar: sizes, rules, exact signal, samples",
    text = [[Made by rhm.grammar. Printing it gives its sizes and its signal in a few lines.]],
    fields = {
      {"V", "symbols at each level"}, {"m", "rules of each symbol"}, {"s", "branching factor; a list where the levels "
        .. "differ"}, {"L", "depth"},
      {"d", "tokens a string, s^L"}, {"classes", "labels"}, {"C", "the same as classes"},
        {"seed", "that drew the rules; nil for rules given"},
      {"ensemble", "\"uniform\" or \"latin\"; nil for rules given"}, {"shuffle", "of the latin ensemble, else nil"},
      {"zipf", "exponent of the rules' probabilities, 0 where all are alike; nil for given weights"},
      {"label_noise", "the probability that a label is replaced"}, {"token_noise", "the same for each token"},
    },
    see = {"rhm.grammar"}},

  {name = "grammar:rules", signature = "g:rules(l)",
    summary = "the rules of level l as a nested table",
    text = [[rules[symbol][k] is the list of the children of rule k of that symbol of level l-1; symbols count from
1.]],
    returns = "a table", example = "g:rules(1)[3]  -- the m rules of label 3", see = {"rhm.grammar"}},

  {name = "grammar:weights", signature = "g:weights(l)",
    summary = "the probabilities of the rules of level l",
    text = [[weights[symbol][k] is the probability that this symbol of level l-1 is rewritten by its rule k: 1/m unless
the grammar was made with zipf or weights. They sum to 1 for each symbol.]],
    returns = "a table", example = "rhm.grammar{ V=8, m=4, s=2, L=3, zipf=1 }:weights(1)[3]", see = {"grammar:rules",
      "rhm.grammar"}},

  {name = "grammar:prior", signature = "g:prior()",
    summary = "the probabilities of the labels, before noise",
    returns = "a list of classes numbers that sum to 1", see = {"rhm.grammar", "grammar:noisy"}},

  {name = "grammar:noisy", signature = "g:noisy{ [prior=, label_noise=, token_noise=] }",
    summary = "the same rules with other noise or label probabilities",
    text = [[What is not given stays as it is: g:noisy{ label_noise=0, token_noise=0 } is the clean grammar.]],
    keys = {
      {"prior", "as in g", "a list: the labels' probabilities"},
      {"label_noise", "as in g", "the probability that a label is replaced by a uniform one"},
      {"token_noise", "as in g", "the same for each token"},
    },
    returns = "a grammar", example = "noisy = g:noisy{ token_noise=.05 }", see = {"rhm.grammar", "grammar:sample"}},

  {name = "grammar:posterior", signature = "g:posterior(d | string [, { level=, label_noise=, token_noise= }])",
    summary = "the exact posterior of the label, or of the symbols of a level",
    text = [[By inside-outside on the tree: P(symbol | tokens) under the rules, their probabilities, the prior and the
noise. Missing tokens (0) are summed over. The label is the observed one, so that label noise is in it; label_noise=0
gives the one that was derived. Level L is the tokens themselves: what stood there before noise.

A string that the grammar cannot give (without token noise nearly any other one) has rows of nan and is counted.]],
    keys = {
      {"level", "0", "0: the label; l: the symbols of level l, s_1 ... s_l of them"},
      {"label_noise", "the grammar's", "that the labels have"},
      {"token_noise", "the grammar's", "that the strings have"},
    },
    returns = "a matrix and the number of strings outside the language. Of a data set: a row a string, its places "
      .. "after one another. Of one string: a row a place", example = [[g:posterior(d)
g:posterior({1, 5, 0, 2, 8, 8, 3, 4}, { level=2 })]], see = {"grammar:bayes", "network:predict", "dataset:hide"}},

  {name = "grammar:bayes", signature = {"g:bayes{ [n=, seed=, exact=, level=] }",
      "g:bayes(d [, { level=, label_noise=, token_noise= }])"},
    summary = "the best accuracy that anybody can have",
    text = [[Who knows the grammar names the likeliest label, and is right with the probability that its posterior says:
the mean of that over strings is accuracy, with its standard error and 95 % interval (low, high). Over all V^d strings
where these are 4 million at most or exact=true, else over n drawn ones. With d: over its strings, whatever is missing
or noisy in them; counted is the share of its labels that are the likeliest one (ties: the lowest). A learner's accuracy
on the same strings is then a share of what was possible. With level l: the mean over the symbols of that level.]],
    keys = {
      {"n", "100000", "strings to draw, unless exact"},
      {"seed", "0", "of the strings"},
      {"exact", "by V^d", "true: all strings; false: drawn ones"},
      {"level", "0", "0: the label; l: the symbols of level l"},
    },
    returns = "a report: accuracy, error, low, high, counted, labelled, n, outside, ties, level, exact, chance",
    example = [[g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=1, token_noise=.1 }
g:bayes()
test = g:sample{ n=10000, seed=9 }
net:accuracy(test) / g:bayes(test).accuracy]], see = {"grammar:posterior", "grammar:noisy", "network:accuracy"}},

  {name = "grammar:q", signature = "g:q(l [, i])",
    summary = "the exact q of the parents of level-l patches",
    text = [[Row nu is P[label | the i-th level-l patch has parent nu], the label as it is observed, computed from the
rules without sampling. q of a patch depends on it only through its parent: synonyms share it. With i left out the first
patch is meant, which is what a layer is trained on. A parent that never stands there has no q: its row is nan.]],
    returns = "a matrix, parents x classes", example = "g:q(3)      -- first patch\ng:q(3, 2)   -- second patch",
    see = {"grammar:gap", "layer:q"}},

  {name = "grammar:gap", signature = "g:gap(l)",
    summary = "the signal rho^(l): the smallest distance between two q of level l",
    text = [[rho^(l) = min |q_nu - q_nu'| over the pairs of parents that stand first. Layer l needs about V m/rho^(l)^2
samples.]],
    returns = "a number; inf where fewer than two parents occur", see = {"grammar:K", "grammar:schedule"}},

  {name = "grammar:K", signature = "g:K()",
    summary = "K_rho, the constant of Assumption 4.1(b)",
    text = [[The smallest of rho^(l) m^(l/2) over the levels: with it rho^(l) >= K_rho m^(-l/2) holds at each level.]],
    returns = "a number", see = {"grammar:gap", "grammar:check"}},

  {name = "grammar:check", signature = "g:check()",
    summary = "does Assumption 4.1 hold: every parent stands first, and the signal is not zero",
    text = [[.ok is true where at every level no parent is missing and rho^(l) > 1e-12. levels[l] has gap (rho^(l)), K
(rho^(l) m^(l/2)), pmin (the smallest positive probability that a parent stands first) and missing (the list of the
parents that never do, or nil). Printed, it is a report with a verdict in words. A parent that never stands first cannot
be learnt from first patches, whatever their number. Label noise is in the gaps; token noise is not, the report says
what it does to patches.]],
    returns = "a report: .ok, .K, .levels, .label_noise, .token_noise and the sizes", example = "g:check().ok",
      see = {"grammar:gap", "network:train"}},

  {name = "grammar:schedule", signature = {"g:schedule{ by=\"depth\", c=32 }", "g:schedule{ by=\"gap\", c=16 }",
      "g:schedule{ by=\"theorem\", kappa=1, delta=.1 }"},
    summary = "how many samples each layer needs",
    text = [[depth: max(c V m m^l/(1 - label_noise)^2, 20000). gap: max(c V m/rho^(l)^2, 20000), which a known grammar
needs (c from 8 to 32). theorem: kappa V^2 m^2 s L log^2(V m kappa/delta) K_rho^-2 m^l, the paper's. A number past 2^53
is an error.]],
    keys = {
      {"by", "\"depth\"", "the formula", values = {"depth", "gap", "theorem"}},
      {"c", "32 (depth), 16 (gap)", "the constant of depth and gap"},
      {"kappa", "1", "the constant of the theorem"},
      {"delta", "0.1", "the theorem's probability of failure"},
    },
    returns = "a list {N^(1), ..., N^(L)}", example = "net:train{ from=g, n=g:schedule{ by=\"gap\" } }",
    see = {"network:train", "grammar:gap"}},

  {name = "grammar:sample", signature = "g:sample{ n= [, seed=] }",
    summary = "n strings with their labels",
    text = [[String i depends on the seed and i alone, so it is the same for any number of threads.]],
    keys = {{"n", "required", "strings"}, {"seed", "0", "of the strings"}},
    returns = "a dataset", example = "d = g:sample{ n=1000, seed=2 }", see = {"dataset"}},

  {name = "grammar:resample", signature = "g:resample(d, l [, i [, kind [, seed]]])",
    summary = "the strings of d with parts drawn anew: synonyms exchanged",
    text = [[What stands under the symbol of level l-1 at place i (1 to s^(l-1), every place where i is nil) is drawn
anew. kind = "rules" (the default) keeps that symbol and draws its rule and all rules below it: the level-l patch there
becomes one of its synonyms, with the grammar's probabilities, perhaps itself, and the label stays. It needs strings of
the grammar. kind = "symbol" draws the symbol itself, uniformly, and all below it; the label changes only at l = 1.
String k depends on the seed (0 unless given), l and k alone.]],
    returns = "a dataset of as many strings",
    example = "e = g:resample(d, 2)                -- every level-2 patch\ne = g:resample(d, 3, 1, \"symbol\", 7) -- "
      .. "the first level-2 symbol",
    see = {"rhm.sensitivity", "grammar:sample"}},

  {name = "rhm.correlation", group = "rhm", signature = {"rhm.correlation{ of=g [, place=] }",
    "rhm.correlation{ of=d, s= [, place=] }"},
    summary = "how much one patch of tokens tells of the label: the signal of the whole string",
    text = [[The root of the mean of (P[label | patch] - P[label])^2 over labels and over the patches at a place of
level L, as often as they occur. Of a grammar it is exact. Of a data set it is counted, less the noise of the counts,
which is the second number; 0 where the counts are all noise. Patches seen once tell nothing and are left out.

Theory: the mean square over uniform grammars is about (classes - 1)/classes^2 m^-(L-1) (Cagnetta et al., PRX 2024, for
many symbols; 100 grammars each gave .97 of it at (V, m, s, L) = (32, 8, 2, 2), .90 at (16, 4, 2, 3), .81 at (8, 8, 2,
3)).]],
    keys = {
      {"of", "required", "a grammar or a data set"},
      {"s", "that of the grammar's level L", "tokens a patch"},
      {"place", "1", "of the patch, 1 to d/s"},
    },
    returns = "the correlation and its noise (0 for a grammar)",
    example = "rhm.correlation{ of=g }\nrhm.correlation{ of=g:sample{ n=10^5 }, s=2 }", see = {"grammar:q",
      "grammar:gap"}},

  {name = "rhm.sensitivity", group = "rhm", signature = "rhm.sensitivity{ of= [, grammar=, n=, seed=, layers=] }",
    summary = "which exchanges of synonyms each layer notices",
    text = [[S[k][l] = E|f_k(x) - f_k(P_l x)|^2 / E|f_k(x) - f_k(x')|^2 (Cagnetta et al., PRX 2024): f_k is the output
of layer k at all its places, P_l x the string x with every level-l patch exchanged for a synonym and all below it drawn
anew (grammar:resample), x' another string. 0: layer k does not notice the exchange; 1: it sees as much change as
between independent strings. Levels count from the label, as everywhere in rhm (the paper's count from the tokens): a
layer k that has learned its level has S[k][l] = 0 for l >= k. The measured layers must be trained.

of is a network (rhm.network, rhm.cnn or rhm.onestep; its s need not be the grammar's), an object with a method
outputs(d, k), or a function(d, k), that gives a matrix with a row for each string of the data set d.]],
    keys = {
      {"of", "required", "whose layers: a network, an object with outputs(d, k), a function(d, k)"},
      {"grammar", "of.grammar", "whose strings and synonyms"},
      {"n", "1000", "strings x, and as many x'"},
      {"seed", "0", "of the strings and of the exchanges"},
      {"layers", "of.L, or the grammar's", "how many layers there are: k = 1 to layers"},
    },
    returns = "a report t with t[k][l]", example = "t = rhm.sensitivity{ of=net, grammar=g }\nt[1][3]",
    see = {"network:outputs", "cnn:outputs", "onestep:outputs", "grammar:resample"}},
}
