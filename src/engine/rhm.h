/* rhm.h - the whole engine in one header: #include <rhm/rhm.h>, `pkg-config --cflags --libs rhm`. */
#ifndef RHM_RHM_H
#define RHM_RHM_H

#include "cluster.h"
#include "cnn.h"
#include "codebook.h"
#include "dataset.h"
#include "diagnose.h"
#include "error.h"
#include "features.h"
#include "grammar.h"
#include "job.h"
#include "layer.h"
#include "matrix.h"
#include "memory.h"
#include "monitor.h"
#include "network.h"
#include "network_file.h"
#include "parse.h"
#include "poll.h"
#include "random.h"
#include "resample.h"
#include "results.h"
#include "ridge.h"
#include "rng.h"
#include "sample.h"
#include "shallow.h"
#include "signal.h"
#include "tally.h"
#include "threads.h"
#include "tuples.h"

#endif
