/* network_file.h - a network on disk: one HDF5 file. */
#ifndef RHM_NETWORK_FILE_H
#define RHM_NETWORK_FILE_H

#include "engine/chain/network.h"

/* Writes beside `path` and renames, so that a failure leaves an old file as it was. */
enum rhm_status rhm_network_save(struct rhm_network *net, const char *path, struct rhm_error *err);

/* A new network that predicts as the saved one did; free with rhm_network_free. */
enum rhm_status rhm_network_load(struct rhm_network **net, const char *path, struct rhm_error *err);

#endif
