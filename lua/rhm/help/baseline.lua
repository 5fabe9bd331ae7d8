-- help/baseline.lua - the networks that the chain is compared with.
return {
  {name = "rhm.cnn", group = "rhm",
    signature = {"rhm.cnn{ grammar= [, h=, shared=, scaling=, seed=] }", "rhm.cnn{ V=, s=, L= [, classes=, h=, ...] }"},
    summary = "a convolutional network that knows the tree, trained end to end",
    text = [[L layers of non-overlapping convolutions (patches of s, width h, ReLU) and a linear head, cross-entropy, in
single precision. As in the chain, layer L reads the tokens and layer l has s^(l-1) positions. With L=1 and s=d it is a
network with one hidden layer.

A branching factor that is not the strings': rhm.cnn{ V=8, s=3, d=16 }, or rhm.cnn{ grammar=g, s=3 }. Strings are padded
as those of the chain are (help "rhm.network").

scaling="standard": weights N(0, 2/fan-in) (He et al., ICCV 2015), head N(0, 1/h). scaling="mean-field": the network of
Cagnetta et al., PRX 14, 031001 (2024), as in their public code: weights N(0, 1), sums divided by the square root of the
channels (V or h), outputs by h, and the rate of SGD multiplied by h. Biases start at 0.]],
    keys = {
      {"grammar", "none", "a grammar: V, s, L, classes are its own unless given"},
      {"V", "grammar's", "symbols"},
      {"s", "grammar's", "patch: inputs of a position; or a list with one number for each layer"},
      {"L", "grammar's, or #s", "layers; the network reads strings of s^L tokens, or of d"},
      {"d", "s^L; the grammar's, where s alone is given", "tokens a string: without L the fewest layers with s^L >= "
        .. "d, shorter strings are padded"},
      {"classes", "V", "labels"},
      {"C", "V", "the same as classes"},
      {"h", "256", "width: channels of each layer"},
      {"shared", "true", "positions of a layer share their weights; false: each has its own (locally connected)"},
      {"scaling", "\"mean-field\"", "first weights and scales", values = {"mean-field", "standard"}},
      {"seed", "0", "of the first weights and, unless given there, of trainings"},
    },
    returns = "a network (see help \"cnn\")",
    example = [[c = rhm.cnn{ grammar=g, h=64 }
c:train{ from=g, n=2000 }
c:accuracy(g)]], see = {"cnn:train", "rhm.network"}},

  {name = "cnn", kind = "object",
    summary = "a convolutional network: trained, asked, saved",
    text = [[Made by rhm.cnn and rhm.load. history has an entry an epoch: history.loss[i] is the mean loss over epoch
history.epoch[i], each batch before its step; held_loss and held_accuracy are false where there were no held-out
strings.]],
    fields = {
      {"V", "symbols"}, {"s", "patch; a list where the layers differ"}, {"L", "layers"}, {"d", "tokens a string"},
        {"classes", "labels"},
      {"h", "width"}, {"shared", "true: one set of weights a layer"}, {"scaling", "\"standard\" or \"mean-field\""},
      {"seed", "of the first weights"}, {"parameters", "how many"}, {"epochs", "begun in all trainings"},
      {"steps", "of the optimiser, in all trainings"},
      {"history", "lists epoch, loss, accuracy, rate, held_loss, held_accuracy"},
      {"job", "the last training, or nil"},
    },
    see = {"rhm.cnn"}},

  {name = "cnn:train", signature = "c:train{ from= [, n=, epochs=, batch=, optimiser=, rate=, ...] }",
    summary = "trains all layers together, from the weights there are",
    text = [[Each epoch goes through all strings once, in an order drawn anew; the last batch may be smaller. A training
goes on from the last one's weights (anew=true: from the first ones), the optimiser begins anew. It ends after its
epochs, when the loss of an epoch is below stop_loss, or when the held-out loss has not fallen for `patience` epochs;
then the best weights come back. Defaults are PRX 2024's: batches of 128, rate .1, cosine, until the loss is below .001.

Ctrl-C pauses a training after the batch in work: c:resume() ends it to the last bit as if it had not been paused,
c.job:stop() gives it up; the weights can be used meanwhile. background=true returns a job at once (help "job"). The
same seeds give the same weights, whatever the number of threads.]],
    keys = {
      {"from", "required", "a dataset, or a grammar, formula or source, whose strings are drawn once, before the "
        .. "training"},
      {"n", "all", "strings; of a grammar 10 classes m^L, at most 100000; of a formula or source 10000"},
      {"epochs", "250", "at most"},
      {"batch", "128", "strings a step"},
      {"optimiser", "\"sgd\"", "gradient descent with momentum, or Adam (Kingma and Ba, ICLR 2015)",
        values = {"sgd", "adam"}},
      {"rate", "by optimiser", "step size at the start: .1, for \"adam\" .03 (with scaling=\"standard\" .001)"},
      {"momentum", "0.9", "of \"sgd\", 0 to below 1"},
      {"schedule", "\"cosine\"", "rate over the epochs: to 0 as a cosine; constant; a tenth after 1/2, a hundredth "
        .. "after 3/4",
        values = {"cosine", "constant", "step"}},
      {"stop_loss", "0.001", "ends when the mean loss of an epoch is below; 0: never"},
      {"held_out", "none", "a dataset to measure after each epoch"},
      {"patience", "none", "epochs without a lower held-out loss before it ends"},
      {"seed", "the network's", "of the order of the strings, and of strings drawn from a grammar"},
      {"anew", "false", "true: begin with the first weights, forget the history"},
      {"progress", "true",
        "a line of progress on the terminal; false: none; a function: called with job.progress, {epoch=, epochs=, "
          .. "loss=, accuracy=, ...}"},
      {"background", "false",
        "true: train while the prompt is free, in turn with others of this kind, and return a job"},
    },
    returns = "a report: .epochs, .steps, .loss, .accuracy (of the training strings, while training), .held_loss, "
      .. ".held_accuracy, .seconds, .n, .ended_by (\"epochs\", \"loss\" or \"held_out\"); or a job",
    example = [[c:train{ from=d, optimiser="adam", epochs=100 }
c:train{ from=train, held_out=test, patience=10 }]], see = {"cnn:accuracy", "cnn:resume", "job"}},

  {name = "cnn:resume", signature = "c:resume()", summary = "goes on with the training that Ctrl-C paused",
    returns = "what c:train would have returned", see = {"cnn:train", "job:resume"}},

  {name = "cnn:predict", signature = {"c:predict(d)", "c:predict{ 1, 5, 2, ... }"},
    summary = "the most probable labels and their distributions",
    returns = "a list of labels and a matrix, strings x classes; for a single string one label and a row of the matrix",
    see = {"network:predict"}},

  {name = "cnn:accuracy", signature = {"c:accuracy(d)", "c:accuracy(g [, { n=, seed= }])"},
    summary = "the share of right labels",
    text = [[On a dataset of its strings; on a grammar of n=10000 strings drawn with a seed that is not the training's
(some may be among the training strings all the same, where the grammar has few).]],
    returns = "a number from 0 to 1", see = {"network:accuracy"}},

  {name = "cnn:outputs", signature = "c:outputs(d, l)",
    summary = "what layer l says at every position of each string, after the ReLU",
    returns = "a matrix, strings x (s^(l-1) positions times h)", example = "c:outputs(d, c.L)",
    see = {"network:outputs", "rhm.sensitivity"}},

  {name = "cnn:reset", signature = "c:reset()", summary = "back to the first weights", returns = "the network",
    see = {"cnn:train"}},

  {name = "cnn:save", signature = "c:save(path)", summary = "writes the network to an .h5 file; rhm.load reads it",
    returns = "the network", example = "c:save(\"cnn.h5\")", see = {"rhm.load"}},

  {name = "rhm.shallow", group = "rhm",
    signature = {"rhm.shallow{ grammar= [, kind=, M=, sigma=, lambda=, seed=] }",
      "rhm.shallow{ V=, d= [, classes=, kind=, ...] }"},
    summary = "a learner that does not know the tree, on whole strings",
    text = [[kind="rbf": ridge regression of the label on M random Fourier features of the one-hot string, exactly
solved. kind="kernel": the same with the Gaussian kernel exp(-|x - x'|^2/(2 sigma^2)) itself, which is what many
features tend to; it holds n^2 numbers and does n^3/3 multiplications for n strings. kind="mlp": a network with one
hidden layer of width h, trained by gradients: an object of rhm.cnn with one patch of d tokens (help "cnn:train").

They need a share of all V m^((s^L-1)/(s-1)) strings, where the chain needs about m^L.]],
    keys = {
      {"grammar", "none", "a grammar: V, d, classes are its own unless given"},
      {"kind", "\"rbf\"", "the learner", values = {"rbf", "kernel", "mlp"}},
      {"V", "grammar's", "symbols"},
      {"d", "grammar's", "tokens a string"},
      {"classes", "V", "labels"},
      {"C", "V", "the same as classes"},
      {"M", "4096", "\"rbf\": features, even"},
      {"sigma", "chosen", "bandwidth; the median distance of two training strings unless given"},
      {"lambda", "1e-6", "ridge: lambda times n is added to the kernel's diagonal"},
      {"h", "256", "\"mlp\": width"},
      {"scaling", "\"mean-field\"", "\"mlp\": as for rhm.cnn"},
      {"seed", "0", "of the features or first weights and, unless given there, of trainings"},
    },
    returns = "a model (see help \"shallow\"), for \"mlp\" a cnn",
    example = [[k = rhm.shallow{ grammar=g, kind="kernel" }
k:train{ from=g, n=2000 }
k:accuracy(g)]], see = {"shallow:train", "rhm.cnn"}},

  {name = "shallow", kind = "object",
    summary = "ridge regression on whole strings: trained, asked, saved",
    text = [[Made by rhm.shallow and rhm.load.]],
    fields = {
      {"kind", "\"rbf\" or \"kernel\""}, {"V", "symbols"}, {"d", "tokens a string"}, {"classes", "labels"},
      {"M", "features, of \"rbf\""}, {"sigma", "bandwidth in use; nil: not chosen yet"}, {"lambda", "ridge"},
      {"seed", "of the features"}, {"n", "strings it was trained on, 0: none"},
      {"job", "the last training, or nil"},
    },
    see = {"rhm.shallow"}},

  {name = "shallow:train", signature = "k:train{ from= [, n=, seed=, background=] }",
    summary = "solves for all strings at once",
    text = [[A second training takes the place of the first. Until its end predictions are the old ones. Ctrl-C pauses
it, but not within LAPACK's factorisation; k:resume() goes on, k.job:stop() gives it up.]],
    keys = {
      {"from", "required", "a dataset, or a grammar, formula or source, whose strings are drawn"},
      {"n", "all", "strings; of a grammar 10 classes m^L, at most 100000; of a formula or source 10000"},
      {"seed", "the model's", "of strings drawn from a grammar"},
      {"progress", "true", "a line of progress on the terminal; false: none; a function: called with job.progress"},
      {"background", "false",
        "true: train while the prompt is free, in turn with others of this kind, and return a job"},
    },
    returns = "a report: .n, .sigma, .accuracy (of the training strings), .seconds; or a job",
    example = "k:train{ from=d }", see = {"shallow:accuracy", "shallow:resume", "job"}},

  {name = "shallow:resume", signature = "k:resume()", summary = "goes on with the training that Ctrl-C paused",
    returns = "what k:train would have returned", see = {"shallow:train", "job:resume"}},

  {name = "shallow:predict", signature = {"k:predict(d)", "k:predict{ 1, 5, 2, ... }"},
    summary = "the labels with the largest outputs, and the outputs",
    text = [[Outputs estimate probabilities by least squares: they can be negative.]],
    returns = "a list of labels and a matrix, strings x classes; for a single string one label and a row of the matrix",
    see = {"cnn:predict"}},

  {name = "shallow:accuracy", signature = {"k:accuracy(d)", "k:accuracy(g [, { n=, seed= }])"},
    summary = "the share of right labels", text = [[As cnn:accuracy.]],
    returns = "a number from 0 to 1", see = {"cnn:accuracy"}},

  {name = "shallow:save", signature = "k:save(path)", summary = "writes the model to an .h5 file; rhm.load reads it",
    returns = "the model", see = {"rhm.load"}},

  {name = "rhm.onestep", group = "rhm",
    signature = {"rhm.onestep{ grammar= [, h=, rate=, restarts=, seed=] }",
      "rhm.onestep{ V=, s=, L= [, classes=, h=, ...] }"},
    summary = "a learner that knows the tree: one gradient step a layer, then k-means",
    text = [[After Malach and Shalev-Shwartz, A Provably Correct Algorithm for Deep Learning that Actually Works (arXiv
1803.09522): layer by layer from L to 1 a network of two layers is trained a little, the weights of its patches are
clustered by k-means, and clusters take the place of patches. Here the network takes one step of gradient descent on all
strings at once (as in the analysis of PRX 14, 031001 (2024)): a row of h weights for each patch, the same at every
position, all 1 at the start; ReLU; a fixed random linear head with its own part for each position. The gradient of a
row is then a random projection of the patch's correlations with the label at each position, which are equal for
synonyms.

rate="patch" takes the step of a row by its patch's own rate, one over its share of all patches, and weighs the row by
that share; rate="same" is the plain step, for which a patch's frequency counts as a difference. The rows go into V
clusters, best of `restarts` k-means++ starts. Layer 1 answers by itself. It uses all positions, where the chain's
default is the first.]],
    keys = {
      {"grammar", "none", "a grammar: V, s, L, classes are its own unless given"},
      {"V", "grammar's", "symbols; clusters of each layer"},
      {"s", "grammar's", "patch: inputs of a position, or a list, one for each level from 1 to L"},
      {"L", "grammar's", "layers; the length of the list s unless given"},
      {"d", "s^L; the grammar's, where s alone is given", "tokens a string: without L the fewest layers with s^L >= "
        .. "d, shorter strings are padded (help \"rhm.network\")"},
      {"classes", "V", "labels"},
      {"C", "V", "the same as classes"},
      {"h", "256", "width: weights of a patch"},
      {"rate", "\"patch\"", "of the step", values = {"patch", "same"}},
      {"restarts", "50", "starts of k-means, of which the best is kept"},
      {"seed", "0", "of the heads and of k-means and, unless given there, of trainings"},
    },
    returns = "a model (see help \"onestep\")",
    example = [[o = rhm.onestep{ grammar=g }
o:train{ from=g, n=2000 }
o:accuracy(g)]], see = {"onestep:train", "rhm.network", "rhm.cnn"}},

  {name = "onestep", kind = "object",
    summary = "one gradient step a layer, then k-means: trained, asked, saved",
    text = [[Made by rhm.onestep and rhm.load.]],
    fields = {
      {"V", "symbols"}, {"s", "patch; a list where the levels differ"}, {"L", "layers"}, {"d", "tokens a string"},
      {"classes", "labels"}, {"h", "width"}, {"rate", "\"patch\" or \"same\""}, {"restarts", "starts of k-means"},
      {"seed", "of the heads and of k-means"}, {"n", "strings it was trained on, 0: none"},
      {"job", "the last training, or nil"},
    },
    see = {"rhm.onestep"}},

  {name = "onestep:train", signature = "o:train{ from= [, n=, seed=, background=] }",
    summary = "trains layer L to 1 on all strings",
    text = [[A second training takes the place of the first. Until its end predictions are the old ones. Ctrl-C pauses
it; o:resume() goes on, o.job:stop() gives it up. Strings without a label are left out. The same seeds give the same
model, whatever the number of threads.]],
    keys = {
      {"from", "required", "a dataset, or a grammar, formula or source whose strings are drawn"},
      {"n", "all", "strings; of a grammar 10 classes m^L, at most 100000"},
      {"seed", "the model's", "of strings drawn"},
      {"progress", "true", "a line of progress on the terminal; false: none; a function: called with job.progress"},
      {"background", "false",
        "true: train while the prompt is free, in turn with others of this kind, and return a job"},
    },
    returns = "a report: .n, .accuracy (of the training strings), .seconds, .levels[l] = {patches=, clusters=, "
      .. "within= (root mean square distance of a row to its centroid), between= (least distance of two centroids), "
      .. "seconds=}; or a job",
    example = "o:train{ from=d }", see = {"onestep:resume", "onestep:clusters", "job"}},

  {name = "onestep:resume", signature = "o:resume()", summary = "goes on with the training that Ctrl-C paused",
    returns = "what o:train would have returned", see = {"onestep:train", "job:resume"}},

  {name = "onestep:clusters", signature = "o:clusters(l)", summary = "the patches of layer l, cluster by cluster",
    text = [[l from 2 to L. Codes of a patch are tokens at layer L, clusters of layer l+1 elsewhere.]],
    returns = "a list of clusters, each a list of patches { code, ... }", example = "o:clusters(o.L)",
      see = {"layer:synonyms"}},

  {name = "onestep:outputs", signature = "o:outputs(d, l)", summary = "what layer l says at every position of each "
    .. "string",
    text = [[From layer 2 on the cluster of each patch: V numbers a position, 1 at the cluster and 0 elsewhere. Layer 1
gives what o:predict(d) does.]],
    returns = "a matrix, strings x (s^(l-1) positions times V); l = 1: strings x classes", example = "o:outputs(d, 2)",
    see = {"network:outputs", "onestep:clusters", "rhm.sensitivity"}},

  {name = "onestep:predict", signature = {"o:predict(d)", "o:predict{ 1, 5, 2, ... }"},
    summary = "the labels with the largest outputs, and the outputs",
    text = [[Outputs estimate P[label | the top patch] through a random projection: they can be negative. Of a top patch
that was never seen the labels' shares in the training strings are told.]],
    returns = "a list of labels and a matrix, strings x classes; for a single string one label and a row of the matrix",
    see = {"cnn:predict"}},

  {name = "onestep:accuracy", signature = {"o:accuracy(d)", "o:accuracy(source [, { n=, seed= }])"},
    summary = "the share of right labels", text = [[As cnn:accuracy.]],
    returns = "a number from 0 to 1", see = {"cnn:accuracy"}},

  {name = "onestep:save", signature = "o:save(path)", summary = "writes the model to an .h5 file; rhm.load reads it",
    returns = "the model", see = {"rhm.load"}},
}
