/* rhm.h - the whole engine in one header: #include <rhm/rhm.h>, `pkg-config --cflags --libs rhm`. */
#ifndef RHM_RHM_H
#define RHM_RHM_H

#include "engine/base/branches.h"
#include "engine/base/claim.h"
#include "engine/base/error.h"
#include "engine/base/matrix.h"
#include "engine/base/memory.h"
#include "engine/base/monitor.h"
#include "engine/base/poll.h"
#include "engine/base/random.h"
#include "engine/base/rng.h"
#include "engine/base/threads.h"
#include "engine/base/tuples.h"

#include "engine/data/accuracy.h"
#include "engine/data/dataset.h"

#include "engine/grammar/formula.h"
#include "engine/grammar/grammar.h"
#include "engine/grammar/resample.h"
#include "engine/grammar/sample.h"
#include "engine/grammar/signal.h"

#include "engine/tree/bayes.h"
#include "engine/tree/tree.h"

#include "engine/cluster/cluster.h"

#include "engine/layer/codebook.h"
#include "engine/layer/directions.h"
#include "engine/layer/features.h"
#include "engine/layer/layer.h"
#include "engine/layer/ridge.h"
#include "engine/layer/tally.h"

#include "engine/chain/diagnose.h"
#include "engine/chain/network.h"
#include "engine/chain/network_file.h"
#include "engine/chain/parse.h"
#include "engine/chain/refine.h"

#include "engine/structure/branching.h"
#include "engine/structure/principle.h"

#include "engine/baselines/cnn.h"
#include "engine/baselines/onestep.h"
#include "engine/baselines/shallow.h"

#include "engine/jobs/job.h"
#include "engine/jobs/training.h"

#include "engine/results/results.h"

#endif
