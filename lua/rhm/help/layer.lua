-- help/layer.lua - one layer of a network, and matrices.
return {
  {name = "layer", kind = "object",
    summary = "one layer: trained by hand, its q, its synonyms",
    text = [[Made by net:layer(l). Fields but level, network and trained are nil before the training. begin, step and
finish train it by hand, one or more steps of gradient descent at a time; the layers above l (l+1 .. L) must be finished
first. net:train does all that.]],
    fields = {
      {"level", "l"}, {"network", "the network it belongs to"}, {"trained", "true once finished"},
      {"samples", "N^(l), samples (strings) seen"}, {"places", "patches of each that it learned from: 1, or s^(l-1)"},
        {"patch_count", "distinct patches among them"}, {"clusters", "found"},
      {"steps", "steps of gradient descent taken"}, {"sigma", "bandwidth"}, {"lambda", "ridge"}, {"eta", "step size"},
      {"loss", "1/2 E|e - W x|^2 + lambda/2 |W|^2"}, {"condition", "of G + lambda I"},
      {"rho_in", "rho~ of the inputs"}, {"eps_S_in", "eps_S of the inputs"},
      {"rho", "smallest distance between clusters of the outputs"}, {"eps_S", "spread within them"},
      {"gap", "the exact rho^(l), where the grammar is known"},
      {"error", "root mean square distance to the exact q, where the grammar is known"},
      {"unknown", "patches without an output: unknown"}, {"seconds", "taken by the training; files do not keep it"},
      {"accuracy", "of the label that the largest entry of q names, when one patch is all that is seen; exact where "
        .. "the grammar is known, else on the samples"},
      {"history", "of the gradient descent: {step=, loss=, intra=, inter=, accuracy=}, five lists; steps some 20 % "
        .. "apart"},
    },
    see = {"network:layer", "network:train"}},

  {name = "layer:begin", signature = "lay:begin{ from=, n= [, eta=, lambda=, position=, sampler=, seed=] }",
    summary = "samples, features and W = 0: ready to step",
    keys = {
      {"from", "required", "a grammar, a dataset, a formula or a source"},
      {"n", "by c", "samples"},
      {"c", "32", "samples by the depth schedule max(c V m m^l, 20000)"},
      {"eta", "chosen", "step size; 1/(lambda_max(G) + lambda) unless given"},
      {"lambda", "1e-4", "ridge"},
      {"position", "\"first\"", "a layer learns from the first patch of its level, or from all of them",
        values = {"first", "all"}},
      {"sampler", "the fastest", "of a grammar", values = {"tally", "draw"}},
      {"seed", "the network's", "of the samples"},
      {"steps_per_second", "no limit", "gradient descent at a pace one can watch"},
    },
    returns = "the layer",
    example = [[lay = net:layer(3)
lay:begin{ from=g, n=20000 }
for k = 1, 10 do print(k, lay:step(5)) end   -- the loss
print(lay:finish():diagnostics())]], see = {"layer:step", "layer:finish"}},

  {name = "layer:step", signature = "lay:step([k [, steps_per_second]])",
    summary = "takes k steps of gradient descent (1 unless given)",
    text = [[W <- W - eta (W (G + lambda I) - B). An error before lay:begin. steps_per_second is the pace of these
steps, 0 for no limit; that of lay:begin unless given.]],
    returns = "the loss after them", see = {"layer:begin", "layer:finish"}},

  {name = "layer:finish", signature = "lay:finish()",
    summary = "clusters the outputs and freezes the layer, which the next one then reads",
    text = [[An error before the first step.]],
    returns = "the layer", see = {"layer:begin"}},

  {name = "layer:patches", signature = "lay:patches()",
    summary = "the distinct patches in the order of their clusters",
    text = [[Row i of lay:q() and of lay:distances() is patch i of this list. The tuple has the codes of the layer above
(at level L the tokens): with k clusters there code k+1 stands for the patches unknown to it, with no output. cluster is
the synonym cluster found; parent is the true symbol, where the grammar is known.]],
    returns = "a list of tables: tuple, count, cluster and, where they are known, parent, and unknown=true",
    see = {"layer:q", "layer:distances"}},

  {name = "layer:q", signature = "lay:q([i])",
    summary = "the estimated q of each distinct patch",
    text = [[f(x) = W x / (1^T W x), the layer's output: a probability vector up to the error of estimation (small
negative entries stay). Where 1^T W x is below 0.05 of its mean over the samples the patch is unknown, and its row is
1/classes.

After position="all" i is the place, 1 to s^(l-1) (1 unless given): the output of such a layer estimates P[place, label
| patch], and this is its block of place i over the block's sum. Where a patch was never seen at place i its q there is
1/classes, and lay:shares(i) is 0.]],
    returns = "a matrix, patches x classes, in the order of lay:patches()",
    see = {"grammar:q", "layer:patches", "layer:shares", "layer:embedding"}},

  {name = "layer:shares", signature = "lay:shares([i])",
    summary = "which part of each patch's samples stands at place i",
    text = [[The weight that q of this place has in the distances. 1 for a layer that learned from first patches.]],
    returns = "a list of numbers from 0 to 1, in the order of lay:patches()", example = "lay:shares(2)[1]",
    see = {"layer:q"}},

  {name = "layer:embedding", signature = "lay:embedding()",
    summary = "the vectors that distances, clusters and the layer below are made of",
    text = [[After position="first" this is lay:q(). After position="all" these are the leading directions, at most one
less than there are symbols, of P[place, label | patch]: the count-weighted singular vectors of (P - mean)/sqrt(mean).
Their noise is about 1/n_mu in every direction, whatever the place, so that a place where a patch is rare does not drown
the others.]],
    returns = "a matrix, patches x directions, in the order of lay:patches()", see = {"layer:distances", "layer:q"}},

  {name = "layer:distances", signature = "lay:distances()",
    summary = "|q_mu - q_mu'| between all patches, ordered by cluster",
    text = [[Synonyms are near: small blocks along the diagonal. After position="all" the distances of
lay:embedding().]],
    returns = "a matrix, patches x patches", example = "lay:distances():save(\"distances.csv\")",
      see = {"layer:synonyms"}},

  {name = "layer:synonyms", signature = "lay:synonyms()",
    summary = "the clusters of synonyms that the layer found",
    text = [[Where the grammar is known it also says which patches are misplaced: those whose parent is not that of most
in their cluster.]],
    returns = "a report: [k] = {patches=, size=, count=, parent=}, .level, .misplaced", see = {"layer:patches",
      "layer:distances"}},

  {name = "layer:numbers", signature = "lay:numbers()",
    summary = "all numbers of the layer at one moment",
    text = [[Of a layer in training the fields read one after the other may be of different steps; these are not.]],
    returns = "a table as in the report of net:train, with trained=, L=, level=, n=, patches=, history=, ...; nil "
      .. "before the training",
    see = {"layer"}},

  {name = "layer:diagnostics", signature = "lay:diagnostics()",
    summary = "numbers and plain warnings about a layer",
    text = [[N and the distinct patches, sigma, eps_O as measured, eps_S (spread within a cluster), rho~ (smallest
distance between clusters), the condition number and, where the grammar is known, the error to the exact q. Warnings
name the signatures of failure: signal too small for N; error that accumulates (eps_S near rho~); M too small or sigma
poor; patches never trained. noise is what |q^ - q| the counts alone explain, the count-weighted root mean square over
patches of sqrt((1 - |q|^2)/n_mu). After position="all" it is that of lay:embedding(), patches of one string being as
dependent as they were: the variance of z_mu is sum_t |sum_i (map_i - m_mu)|^2/n_mu^2, over strings t and the places i
of mu in them. Under token noise the exact q (or embedding) of a patch is the mean over all parents that may stand above
it; the gap is that of true parents.]],
    returns = "a report: .n .patches .clusters .sigma .eps_O .rho .eps_S .condition .noise .gap .error .unknown ..., "
      .. ".warnings (a list)",
    see = {"network:train", "theory"}},

  {name = "matrix", kind = "object",
    summary = "a matrix of numbers: m[i][j], #m = its rows",
    text = [[Returned by g:q, lay:q, lay:distances, net:predict. Printing it fits the columns to the terminal's width,
with a common scale and without the middle where it is large; the last line is its shape.]],
    see = {"matrix:save"}},
  {name = "matrix:rows", signature = "m:rows()", summary = "number of rows, the same as #m", returns = "an integer"},
  {name = "matrix:cols", signature = "m:cols()", summary = "number of columns", returns = "an integer"},
  {name = "matrix:square_distance", signature = "m:square_distance(n)",
    summary = "the mean over the rows of |m_i - n_i|^2; both of one shape", returns = "a number",
    example = "net:outputs(d, 2):square_distance(net:outputs(e, 2))", see = {"network:outputs"}},
  {name = "matrix:save", signature = "m:save(path)",
    summary = "writes the matrix; the ending (.csv, .h5, .npy) says the format", returns = "the matrix",
    example = "g:q(3):save(\"q.npy\")"},
}
