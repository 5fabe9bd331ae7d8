# The engine: librhm. Knows no Lua and no terminal. A folder uses those listed before it.
# Public headers are installed as <rhm/engine/FOLDER/*.h>, all of them in <rhm/rhm.h>; the others stand among the sources.
rhmincludedir = $(includedir)/rhm
rhminclude_HEADERS = src/engine/rhm.h

# Errors, memory, random numbers, threads, matrices, the shape of a tree, how long work is watched
base_includedir = $(rhmincludedir)/engine/base
base_include_HEADERS = \
	src/engine/base/branches.h \
	src/engine/base/claim.h \
	src/engine/base/error.h \
	src/engine/base/matrix.h \
	src/engine/base/memory.h \
	src/engine/base/monitor.h \
	src/engine/base/poll.h \
	src/engine/base/random.h \
	src/engine/base/rng.h \
	src/engine/base/threads.h \
	src/engine/base/tuples.h \
	src/engine/base/turn.h
base_sources = \
	src/engine/base/branches.c \
	src/engine/base/cholesky.c \
	src/engine/base/claim.c \
	src/engine/base/error.c \
	src/engine/base/lapack.h \
	src/engine/base/linalg.c \
	src/engine/base/linalg.h \
	src/engine/base/matrix.c \
	src/engine/base/memory.c \
	src/engine/base/monitor.c \
	src/engine/base/output.c \
	src/engine/base/output.h \
	src/engine/base/random.c \
	src/engine/base/threads.c \
	src/engine/base/trig.c \
	src/engine/base/trig.h \
	src/engine/base/tuples.c \
	src/engine/base/turn.c

files_sources = \
	src/engine/files/hdf5_file.c \
	src/engine/files/hdf5_file.h \
	src/engine/files/hdf5_reader.c \
	src/engine/files/hdf5_reader.h \
	src/engine/files/matrix_file.c \
	src/engine/files/npy.c \
	src/engine/files/npy.h

# Data sets: labelled strings in memory and in files
data_includedir = $(rhmincludedir)/engine/data
data_include_HEADERS = \
	src/engine/data/accuracy.h \
	src/engine/data/dataset.h
data_sources = \
	src/engine/data/accuracy.c \
	src/engine/data/dataset.c \
	src/engine/data/dataset_check.c \
	src/engine/data/dataset_csv.c \
	src/engine/data/dataset_file.c \
	src/engine/data/dataset_hdf5.c \
	src/engine/data/dataset_io.h \
	src/engine/data/dataset_missing.c \
	src/engine/data/dataset_npy.c \
	src/engine/data/dataset_split.c

# Grammars: rules, exact q, strings, formulas
grammar_includedir = $(rhmincludedir)/engine/grammar
grammar_include_HEADERS = \
	src/engine/grammar/formula.h \
	src/engine/grammar/grammar.h \
	src/engine/grammar/resample.h \
	src/engine/grammar/sample.h \
	src/engine/grammar/signal.h
grammar_sources = \
	src/engine/grammar/alias.c \
	src/engine/grammar/alias.h \
	src/engine/grammar/draw.c \
	src/engine/grammar/formula.c \
	src/engine/grammar/gate.c \
	src/engine/grammar/grammar.c \
	src/engine/grammar/inverse.c \
	src/engine/grammar/inverse.h \
	src/engine/grammar/resample.c \
	src/engine/grammar/rules.h \
	src/engine/grammar/sample.c \
	src/engine/grammar/signal.c \
	src/engine/grammar/weights.c

# Exact probabilities on a known tree
tree_includedir = $(rhmincludedir)/engine/tree
tree_include_HEADERS = \
	src/engine/tree/bayes.h \
	src/engine/tree/tree.h
tree_sources = \
	src/engine/tree/bayes.c \
	src/engine/tree/tree.c \
	src/engine/tree/tree_pass.c \
	src/engine/tree/tree_pass.h \
	src/engine/tree/tree_sweep.c

# Dendrograms, cuts, k-means
cluster_includedir = $(rhmincludedir)/engine/cluster
cluster_include_HEADERS = \
	src/engine/cluster/cluster.h
cluster_sources = \
	src/engine/cluster/cluster.c \
	src/engine/cluster/kmeans.c \
	src/engine/cluster/kmeans.h \
	src/engine/cluster/linkage.c \
	src/engine/cluster/points.c \
	src/engine/cluster/points.h

# One layer: features, ridge regression, outputs, synonyms
layer_includedir = $(rhmincludedir)/engine/layer
layer_include_HEADERS = \
	src/engine/layer/codebook.h \
	src/engine/layer/directions.h \
	src/engine/layer/features.h \
	src/engine/layer/layer.h \
	src/engine/layer/ridge.h \
	src/engine/layer/tally.h
layer_sources = \
	src/engine/layer/codebook.c \
	src/engine/layer/directions.c \
	src/engine/layer/features.c \
	src/engine/layer/layer.c \
	src/engine/layer/repeats.c \
	src/engine/layer/repeats.h \
	src/engine/layer/ridge.c \
	src/engine/layer/ridge_small.h \
	src/engine/layer/ridge_solve.c \
	src/engine/layer/synonyms.c \
	src/engine/layer/tally.c

# The chain: samples, training, prediction, refinement
chain_includedir = $(rhmincludedir)/engine/chain
chain_include_HEADERS = \
	src/engine/chain/diagnose.h \
	src/engine/chain/network.h \
	src/engine/chain/network_file.h \
	src/engine/chain/parse.h \
	src/engine/chain/refine.h
chain_sources = \
	src/engine/chain/chain.c \
	src/engine/chain/chain.h \
	src/engine/chain/collect.c \
	src/engine/chain/collect.h \
	src/engine/chain/diagnose.c \
	src/engine/chain/law.c \
	src/engine/chain/law.h \
	src/engine/chain/network.c \
	src/engine/chain/network_format.h \
	src/engine/chain/network_load.c \
	src/engine/chain/network_load.h \
	src/engine/chain/network_load_grammar.c \
	src/engine/chain/network_load_layer.c \
	src/engine/chain/network_load_refined.c \
	src/engine/chain/network_save.c \
	src/engine/chain/outputs.c \
	src/engine/chain/parse.c \
	src/engine/chain/predict.c \
	src/engine/chain/refine.c \
	src/engine/chain/refine_predict.c \
	src/engine/chain/refine_run.c \
	src/engine/chain/refine_run.h \
	src/engine/chain/refine_start.c \
	src/engine/chain/refine_start_chain.c \
	src/engine/chain/refine_step.c \
	src/engine/chain/refine_tuples.c \
	src/engine/chain/refine_tuples.h \
	src/engine/chain/train.c \
	src/engine/chain/trainer.c \
	src/engine/chain/trainer.h \
	src/engine/chain/trainer_create.c \
	src/engine/chain/truth.c \
	src/engine/chain/truth.h \
	src/engine/chain/view.c

# What labelled strings tell of a tree or a grammar that is not known
structure_includedir = $(rhmincludedir)/engine/structure
structure_include_HEADERS = \
	src/engine/structure/branching.h \
	src/engine/structure/principle.h
structure_sources = \
	src/engine/structure/branching.c \
	src/engine/structure/branching_block.c \
	src/engine/structure/branching_block.h \
	src/engine/structure/dependence.c \
	src/engine/structure/dependence.h \
	src/engine/structure/principle.c \
	src/engine/structure/principle_gap.c \
	src/engine/structure/principle_stats.c

# Learners to compare with: CNN, shallow models, one step a layer
baselines_includedir = $(rhmincludedir)/engine/baselines
baselines_include_HEADERS = \
	src/engine/baselines/cnn.h \
	src/engine/baselines/onestep.h \
	src/engine/baselines/shallow.h
baselines_sources = \
	src/engine/baselines/cnn.c \
	src/engine/baselines/cnn_file.c \
	src/engine/baselines/cnn_optimiser.c \
	src/engine/baselines/cnn_optimiser.h \
	src/engine/baselines/cnn_pass.c \
	src/engine/baselines/cnn_pass.h \
	src/engine/baselines/cnn_patches.c \
	src/engine/baselines/cnn_predict.c \
	src/engine/baselines/cnn_train.c \
	src/engine/baselines/onestep.c \
	src/engine/baselines/onestep_file.c \
	src/engine/baselines/onestep_fit.c \
	src/engine/baselines/onestep_fit.h \
	src/engine/baselines/shallow.c \
	src/engine/baselines/shallow_file.c \
	src/engine/baselines/shallow_fit.c \
	src/engine/baselines/shallow_fit.h

# Work on threads of its own
jobs_includedir = $(rhmincludedir)/engine/jobs
jobs_include_HEADERS = \
	src/engine/jobs/job.h \
	src/engine/jobs/training.h
jobs_sources = \
	src/engine/jobs/job.c \
	src/engine/jobs/training.c

# Runs of experiments in a database
results_includedir = $(rhmincludedir)/engine/results
results_include_HEADERS = \
	src/engine/results/results.h
results_sources = \
	src/engine/results/results.c \
	src/engine/results/results_file.h \
	src/engine/results/results_merge.c \
	src/engine/results/results_runs.c \
	src/engine/results/results_table.c \
	src/engine/results/results_wait.c

engine_sources = $(base_sources) $(files_sources) $(data_sources) $(grammar_sources) $(tree_sources) $(cluster_sources) \
	$(layer_sources) $(chain_sources) $(structure_sources) $(baselines_sources) $(jobs_sources) $(results_sources)
all_headers = $(rhminclude_HEADERS) $(base_include_HEADERS) $(data_include_HEADERS) $(grammar_include_HEADERS) \
	$(tree_include_HEADERS) $(cluster_include_HEADERS) $(layer_include_HEADERS) $(chain_include_HEADERS) \
	$(structure_include_HEADERS) $(baselines_include_HEADERS) $(jobs_include_HEADERS) $(results_include_HEADERS)
