-- help/network.lua - rhm.network, its objects, and jobs.
return {
  {name = "rhm.network", group = "rhm",
    signature = {
      "rhm.network{ V=, s=, L= [, d=, classes=, M=, codebook=, linkage=, features=, sigma=, eps_O=, seed=] }",
      "rhm.network{ grammar= [, M=, ...] }", "rhm.network{ s=\"infer\" [, from=, M=, ...] }"},
    summary = "an untrained chain of L layers",
    text = [[Layer L reads tokens, layer l the outputs of layer l+1; each is ridge regression of the label on random
features of the first patch, trained from level L down to 1 and then used at every position (shallow-to-deep chaining).

codebook="centroid" replaces each cluster of synonyms by its centroid, so that each layer has about m V distinct patches
whatever the depth. codebook="exact" keeps every distinct output (the paper's chain): its tables grow fast with depth
and are refused beforehand where they would pass rhm.memory.

linkage="ward" merges patches in the order of what that adds to the count-weighted sum of squares, so that rare patches,
whose q^ is noise, keep no cluster for themselves; "average" goes by mean distances, and needs 2 to 5 times the samples.

s need not be the strings' own. With d, or with a grammar and another s than its, there are as few layers as s^L >= d
takes, and strings of d tokens are padded at their end to s^L with a symbol of its own, V+1: the network takes the same
data sets as any other, and has V+1 clusters a layer. It is trained from data sets.]],
    keys = {
      {"grammar", "none", "a grammar: V, s, L, classes are then its own, and quantities of the truth are reported"},
      {"V", "grammar's", "symbols at each level"},
      {"s", "grammar's",
        "branching factor, or a list with one number for each layer; \"infer\": by rhm.infer_branching"},
      {"L", "grammar's, or #s", "layers"},
      {"d", "s^L; the grammar's, where s alone is given", "tokens a string: without L the fewest layers with s^L >= "
        .. "d, shorter strings are padded"},
      {"from", "the first training's", "the strings that s=\"infer\" looks at; L, and V and classes unless given, are "
        .. "theirs"},
      {"classes", "V", "labels"},
      {"C", "V", "the same as classes"},
      {"M", "2048", "features of a patch, even"},
      {"features", "\"rbf\"", "the paper's random Fourier features, orthogonal ones, or random ReLU (less high "
        .. "frequency)",
        values = {"rbf", "orf", "relu"}},
      {"codebook", "\"centroid\"", "what a layer hands on", values = {"centroid", "exact"}},
      {"linkage", "\"ward\"", "how the clusters of synonyms are found", values = {"ward", "average"}},
      {"sigma", "chosen", "bandwidth of the kernel in all layers; chosen for each from rho~ and eps_O unless given"},
      {"eps_O", "0.01", "inner product wanted between non-synonyms, above 0 and below 1"},
      {"seed", "0", "of the features and, unless given there, of the samples"},
    },
    returns = "a network (see help \"network\")",
    example = [[net = rhm.network{ grammar=g, M=2048, seed=3 }
net:train{ from=g }]], see = {"network:train", "theory"}},

  {name = "network", kind = "object",
    summary = "a chain of layers: trained, asked, saved",
    text = [[Made by rhm.network and rhm.load. Printing it gives a line for each layer.]],
    fields = {
      {"V", "symbols at each level"}, {"s", "branching factor; a list where the layers differ"}, {"L", "layers"},
        {"d", "tokens a string"},
      {"classes", "labels"}, {"M", "features of a patch"}, {"codebook", "\"centroid\" or \"exact\""},
      {"linkage", "\"ward\" or \"average\""},
      {"features", "\"rbf\", \"orf\" or \"relu\""}, {"seed", "of the features"},
      {"sigma", "the bandwidth given; nil: chosen for each layer"}, {"eps_O", "what sigma is chosen for"},
      {"grammar", "the grammar given, or nil"}, {"branching", "how s was inferred (see rhm.infer_branching), or nil"},
      {"job", "the last training, or nil"},
      {"refined", "what net:refine reached (while it runs: how far it is, .running), or nil: then the layers predict"},
    },
    see = {"rhm.network"}},

  {name = "network:train", signature = "net:train{ from= [, n= | c=, solver=, position=, ...] }",
    summary = "trains all layers, from level L down to 1",
    text = [[From a grammar each layer gets fresh samples; from a dataset all layers share its strings. The sampler
"tally" draws the counts of all N samples of a layer at once and "draw" makes N strings: both have the same law, and the
first costs nothing.

position="all" trains a layer on all s^(l-1) patches of its level in every string, which needs fewer strings, and learns
the symbols that never stand first. What it regresses on a patch is (place, label); synonyms share it at every place.
The patches of one string depend on each other, so counts of patches are not counts of independent samples: N is always
in strings, c gives max(c V m m^l / s^(l-1), 20000) of them, the noise in lay:diagnostics() is that of independent
patches, and a grammar's strings are drawn, not tallied: sampler="tally" would not be exact and is an error.

Samples for a dataset are its strings; n takes fewer. Ctrl-C pauses the training: net:resume() goes on with it.
background=true returns a job at once; such jobs take turns (help "job"), a training in the foreground does not wait for
them.]],
    keys = {
      {"from", "required", "a grammar, a dataset, or a formula or source, whose strings are drawn (10000 unless n is "
        .. "given)"},
      {"n", "by c", "samples of a layer: one number for all, or a list with one each, level 1 first"},
      {"c", "32", "samples by the depth schedule max(c V m m^l, 20000)"},
      {"solver", "\"exact\"", "closed form, or T steps of gradient descent from W = 0", values = {"exact", "gd"}},
      {"steps", "100", "gradient descent: its steps T; with steps or eta given, solver is \"gd\""},
      {"eta", "chosen", "gradient descent: the step size; 1/(lambda_max(G) + lambda) unless given"},
      {"lambda", "1e-4", "ridge"},
      {"position", "\"first\"", "a layer learns from the first patch of its level, or from all of them",
        values = {"first", "all"}},
      {"sampler", "the fastest", "of a grammar", values = {"tally", "draw"}},
      {"seed", "the network's", "of the samples"},
      {"steps_per_second", "no limit", "gradient descent at a pace one can watch"},
      {"progress", "true",
        "a line of progress on the terminal; false: none; a function: called with the progress table"},
      {"background", "false",
        "true: train while the prompt is free, in turn with others of this kind, and return a job"},
    },
    returns = "a report: .accuracy (where it is known), .seconds, .levels[l] = {n=, patches=, clusters=, sigma=, "
      .. "rho=, eps_S=, gap=, error=, seconds=, ...}; or a job",
    example = [[net:train{ from=g, c=16 }
net:train{ from=d, solver="gd", steps=200 }]],
    see = {"grammar:schedule", "layer:diagnostics", "network:resume", "job"}},

  {name = "network:resume", signature = "net:resume()", summary = "goes on with the training that Ctrl-C paused",
    returns = "what net:train would have returned", see = {"network:train", "job:resume"}},

  {name = "network:layer", signature = "net:layer(l)", summary = "layer l, 1 (the label's) to L (the tokens')",
    returns = "a layer (see help \"layer\")", example = "net:layer(3):synonyms()", see = {"layer"}},

  {name = "network:predict", signature = {"net:predict(d)", "net:predict{ 1, 5, 2, ... }"},
    summary = "the most probable labels and their distributions",
    text = [[A tie goes to the lowest label.]],
    returns = "a list of labels and a matrix, strings x classes; for a single string one label and a row of the matrix",
    example = "labels, p = net:predict(d)", see = {"network:accuracy"}},

  {name = "network:parse", signature = "net:parse{ 1, 5, 2, ... }",
    summary = "what each layer makes of one string: a tree",
    text = [[levels[l] has the s^(l-1) nodes of level l from left to right, each a table: code, the output code of layer
l (its cluster; nil for a patch that an exact codebook has not seen); parent, the true symbol that this code stands for,
and truth, the symbol that really stands there, where the grammar is known; q, the estimate of P[label | patch]; p, the
largest of q; unknown, true where the layer has no output for the patch. The root's q is that of net:predict. Without
the lower layers the tree ends at the last one that is trained.

Where the known grammar has token noise nobody can say what really stands there: bayes is then the likeliest symbol
given all tokens, bayes_p its posterior (see g:posterior).

After net:refine the codes are symbols of its tables, the likeliest at each node, and q (p the largest) is the posterior
of the node's symbols given the whole string.]],
    returns = "a report: .label, .p, .levels[l] = { {code=, parent=, truth=, p=, unknown=, q= [, bayes=, bayes_p=]}, "
      .. "... }, .tokens",
    example = "net:parse(d:tokens(1))", see = {"network:predict", "layer:synonyms", "grammar:posterior"}},

  {name = "network:outputs", signature = "net:outputs(d, l)",
    summary = "what layer l says at every place of each string of a data set",
    text = [[Row k holds the outputs for string k, place after place (s^(l-1) places of level l, classes numbers each;
as many as lay:embedding() has after position="all"): the estimates q^ that the layer below reads, or the centroids that
stand for them in the codebook. Layers L to l must be trained.]],
    returns = "a matrix, strings x s^(l-1)*classes", example = "net:outputs(g:sample{ n=100 }, 2)",
    see = {"network:parse", "rhm.sensitivity"}},

  {name = "network:refine", signature = "net:refine{ from= [, sweeps=, restarts=, held_out=, m=, background=, ...] }",
    summary = "EM on the whole tree: far fewer samples than layer by layer",
    text = [[Each level has a table P(tuple | symbol), shared by its places; EM (inside-outside on the tree, the label
at the root) fits all of them at once to the strings and labels, so that the top levels mend the bottom ones. It starts
from the trained chain, where there is one, and from counts: tuples clustered by how often they stand at (place, label),
the first time in all strings, then in random shares of them. The start with the best log P(label | string) is kept;
none is tried after one that names all labels rightly and with confidence. On the uniform grammars measured about a
quarter of C m^L strings suffice.

Labels may be missing (d:hide): such strings count with whatever label their tokens suggest. A start then tries labels
alone, and takes in the other strings, ten times as many at once, if it does with them; otherwise it begins again with
these. Which label the tuples of the top belong to only labels tell, so in the first 80 sweeps the top is fitted to them
alone, and all labels count as equally likely unless those there are say otherwise (chi-square). Tokens may be missing,
too. From then on the network predicts by the tables: P(label | string) is a posterior (calibrated, as far as the tables
are right), net:posterior gives that of every node, and predictions stand missing tokens. Training a layer again drops
the tables.

Where the network pads its strings, the tables know no padding: a string is the first d leaves of a tree of which the
others are never seen, and a patch that its end cuts is any that begins so. All starts are then from counts.

m=: a tuple has one parent, so P(tuple | symbol), summed over symbols, is at most 1/m where the m rules of a symbol are
about equally likely. Unless told, m is the number of distinct tuples of tokens over V where these are about equally
frequent (their perplexity above .85 of the number): not with much noise, nor with very unequal rules.

The pseudo-count falls from 0.25 to 0.03 in the first 80 sweeps. A start that names all labels of the training rightly
gets 20 sweeps more with 0.0003: with the larger one its posteriors would say less than they know. With smoothing= it is
that number throughout, and the likelihood plus smoothing times the sum of all log P never falls (with labels missing:
after 80 sweeps).

Ctrl-C pauses it: net:resume() goes on, to the same bits, net.job:stop() gives it up. Until its end the network stays as
it was.]],
    keys = {
      {"from", "required", "a dataset; strings without a label and missing tokens are fine"},
      {"sweeps", "250", "of a start, at most"},
      {"tol", "1e-5", "a start ends where log P(string, label) changes by less, per string"},
      {"restarts", "4", "starts from counts"},
      {"subsample", "0.8", "share of the strings that counts are taken from, after the first start"},
      {"smoothing", "0.25 to 0.03", "pseudo-count of each entry of a table"},
      {"held_out", "0", "share of the strings that only says when to stop and which start is best"},
      {"m", "as the tokens show it", "rules of a symbol; false: do not use it"},
      {"seed", "the network's", "of the random shares"},
      {"progress", "true", "a line of progress on the terminal; false: none; a function: called with job.progress, "
        .. "{start=, starts=, sweep=, log_label=, accuracy=, ...}"},
      {"background", "false", "true: refine while the prompt is free, in turn with others of this kind, and return a "
        .. "job"},
    },
    returns = "a report: .accuracy, .log_label, .log_joint (means over the strings), .start, .starts, .sweep, .m, "
      .. ".entropy[l] of P(symbol | tuple), .history, .seconds; or a job",
    example = [[d = g:sample{ n=256, seed=1 }
net:refine{ from=d }
net:accuracy(g)]], see = {"network:posterior", "network:unrefine", "dataset:hide", "grammar:bayes"}},

  {name = "network:refinement", signature = "net:refinement([start [, most]])",
    summary = "net.refined with the sweeps of one start alone",
    text = [[The start is the one that was kept (while it runs: the one at work) unless given, and unless it has no sweep
yet. Of more than `most` sweeps the history holds the first hundred, and from there each so many-th and the newest.]],
    returns = "a report as net.refined, or nil", example = "net:refinement(2).history.log_label",
    see = {"network:refine"}},

  {name = "network:unrefine", signature = "net:unrefine()", summary = "drops the tables of net:refine: the layers "
    .. "predict again",
    returns = "the network", see = {"network:refine"}},

  {name = "network:posterior", signature = "net:posterior(d | string [, { level= }])",
    summary = "after net:refine: the posterior of the label, or of the symbols of a level",
    text = [[By inside-outside under the fitted tables; missing tokens (0) are summed over. Symbols of levels 1 to L - 1
have numbers of the network's own: those of the grammar in another order.]],
    keys = {{"level", "0", "0: the label; l: the symbols of level l, s_1 ... s_l of them"}},
    returns = "a matrix. Of a data set: a row a string, its places after one another. Of one string: a row a place",
    example = [[net:posterior(d)
net:posterior({1, 5, 0, 2, 8, 8, 3, 4}, { level=2 })]], see = {"network:refine", "grammar:posterior"}},

  {name = "network:accuracy", signature = {"net:accuracy(d)", "net:accuracy(g)", "net:accuracy(f [, { n=, seed= }])"},
    summary = "the share of right labels",
    text = [[On a dataset the share of its strings. On a grammar the exact accuracy, summed over all derivations by the
codebook, where that is finite (codebook="centroid", or "exact" within the memory budget); of a refined network exact up
to 262144 derivations without token noise, else the share of 20000 drawn strings. On a formula or a source that of n
strings drawn from it, 10000 unless given.]],
    returns = "a number from 0 to 1", see = {"network:predict"}},

  {name = "network:save", signature = "net:save(path)",
    summary = "writes the network to an .h5 file; rhm.load reads it",
    text = [[The same training makes the same file, byte for byte, also where it was paused or done by hand, on however
many threads.]],
    returns = "the network", example = "net:save(\"net.h5\")", see = {"rhm.load"}},

  {name = "rhm.jobs", group = "rhm", signature = "rhm.jobs()",
    summary = "all trainings of the session, the newest last",
    text = [[A job is listed as long as its network or you hold it. Of the last 50 that are gone a table stays: id,
name, state, seconds, accuracy, error. Printing the list gives a line for each.]],
    returns = "a list of jobs", example = "rhm.jobs()\nfor _, job in ipairs(rhm.jobs()) do job:stop() end",
    see = {"job", "network:train"}},

  {name = "rhm.on", group = "rhm", signature = {"rhm.on(\"progress\", f)", "rhm.on(\"step\", f)"},
    summary = "calls a function of yours after blocks of a training",
    text = [["progress": f(job, progress) where a job has something new, at most ten times a second, and once more when
it has ended. It is called in between, never inside other code: while a training or a job is waited for, a layer steps,
or the panel's prompt waits. "step": f(layer, loss) after each layer:step.

A hook that raises an error says so once and is removed; the training goes on. Hooks are not called from within a hook,
nor for trainings that a hook starts.]],
    returns = "a function that removes the hook",
    example = [[off = rhm.on("progress", function(job, p) print(job.name, p.level) end)
net:train{ from=g }
off()]], see = {"job", "layer:step"}},

  {name = "job", kind = "object",
    summary = "a training that runs on a worker thread",
    text = [[Made by net:train, net:refine, and train of CNNs, shallow and one-step models; with background=true they
return it at once, otherwise net.job is the last one. Jobs in the background take turns, in the order they were made:
one works, the others are queued. A paused job gives its turn up; resumed, it waits for it before those that have not
begun. A job goes on to its end also where no variable holds it; it and its network are in rhm.jobs(), of those that
have ended in the background the last eight.

progress is a table: state, level (in work), seconds, accuracy, and levels[l] with phase ("waiting", "sampling", "gram",
"solving", "clusters", "done"), n and drawn (samples wanted and counted), patches, step and steps (gradient descent),
loss, intra and inter (largest distance within, smallest between clusters), sigma, rho, eps_S, gap, error, accuracy
(help "layer"), rate (samples or steps a second since the phase began), left (seconds of the phase at that rate),
seconds. What is not known is nil.

kind is "chain", "refine", "cnn", "shallow" or "onestep". For those that are not trained level by level levels is empty;
progress has unit ("epoch", "sweep") and what is counted under that name (epoch=12, epochs=250), group where it is
counted anew for each start or layer (group="start", start=2, starts=5), stage ("gram", "solving", "clusters"), rate,
left, and the measures: loss, accuracy, held_loss, held_accuracy of a CNN, log_joint, log_label, accuracy, held_out of a
refinement. history has the same for all epochs, or sweeps of all starts: history.epoch[i], history.loss[i], ...; where
they are more than 512 every second, fourth, ... one.]],
    fields = {
      {"id", "1, 2, ...: its number in this session"},
      {"name", "what it does: train (V,m,s,L) and the solver, cnn (V,s,L), ..."},
      {"state", "\"queued\", \"running\", \"pausing\", \"paused\", \"stopping\", \"stopped\", \"done\" or \"failed\""},
      {"progress", "a table, see above"},
      {"seconds", "of work, without pauses and the time in the queue"},
      {"accuracy", "once done, where it is known"},
      {"result", "once done what train or refine returns, else nil"},
      {"network", "what it trains"},
      {"history", "lists of the measures by epoch or sweep, see above; nil for others"},
      {"error", "the message where it failed, else nil"},
    },
    see = {"network:train", "rhm.jobs", "rhm.on"}},

  {name = "job:wait", signature = "job:wait([seconds])", summary = "waits for the end; Ctrl-C ends the waiting, not "
    .. "the job",
    returns = "what train returns; nil and the state where the job did not come to its end"},
  {name = "job:pause", signature = "job:pause()", summary = "pauses at the next block of work, or in the queue"},
  {name = "job:resume", signature = "job:resume()", summary = "goes on after a pause, when its turn comes"},
  {name = "job:stop", signature = "job:stop()", summary = "ends the job; the layers read as they were last left"},
}
