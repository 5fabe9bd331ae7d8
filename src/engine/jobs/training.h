/* training.h - the bodies of jobs (job.h): what each kind of training does on the job's thread.
 *
 * A body claims the model at once, so that a second training is refused (RHM_ESTATE) while the job lives; bad
 * options are refused here as well. Models and data are the caller's and must outlive the job; grammars are
 * copied.
 */
#ifndef RHM_TRAINING_H
#define RHM_TRAINING_H

#include "engine/baselines/cnn.h"
#include "engine/baselines/onestep.h"
#include "engine/baselines/shallow.h"
#include "engine/chain/network.h"
#include "engine/chain/refine.h"
#include "engine/jobs/job.h"

enum rhm_status rhm_training_network(struct rhm_job_body *body, struct rhm_network *net,
                                     const struct rhm_train_options *options, struct rhm_error *err);

/* Its accuracy is that on the labelled strings of the data. */
enum rhm_status rhm_training_refine(struct rhm_job_body *body, struct rhm_network *net,
                                    const struct rhm_dataset *data, const struct rhm_refine_options *options,
                                    struct rhm_error *err);

enum rhm_status rhm_training_cnn(struct rhm_job_body *body, struct rhm_cnn *net,
                                 const struct rhm_cnn_train_options *options, struct rhm_error *err);
/* What the training came to; the job's self, read after its end. */
const struct rhm_cnn_result *rhm_training_cnn_result(const void *self);

enum rhm_status rhm_training_shallow(struct rhm_job_body *body, struct rhm_shallow *net,
                                     const struct rhm_dataset *data, struct rhm_error *err);

enum rhm_status rhm_training_onestep(struct rhm_job_body *body, struct rhm_onestep *net,
                                     const struct rhm_dataset *data, struct rhm_error *err);

/* A chain's training as a job, at once or in the queue. */
enum rhm_status rhm_network_start(struct rhm_job **job, struct rhm_network *net,
                                  const struct rhm_train_options *options, struct rhm_error *err);
enum rhm_status rhm_network_queue(struct rhm_job **job, struct rhm_network *net,
                                  const struct rhm_train_options *options, struct rhm_error *err);

#endif
