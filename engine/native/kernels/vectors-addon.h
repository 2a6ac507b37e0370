/* SPDX-License-Identifier: MIT */
/* Node-API binding of vectors.h. */
#ifndef LOCKSTEP_VECTORS_ADDON_H
#define LOCKSTEP_VECTORS_ADDON_H
#include <node_api.h>
#include <stdbool.h>

/* Adds createVectors to the addon's exports; false if Node.js refuses. */
bool vectors_init(napi_env env, napi_value exports);

#endif
