/*
 * views_engine.h: operations, the audit and jobs as this node's ledger has them; nothing is asked of the
 * master. And how far an operation is, if it runs here.
 */
#ifndef ESSAIM_VIEWS_ENGINE_H
#define ESSAIM_VIEWS_ENGINE_H

#include "gossip.h"
#include "registry.h"

/* "1f3c…-7-12": as in JSON. `out` holds 64. */
void views_operation_id(const struct request_id *id, char out[64]);

/* "volume create" of that number, or "operation 12" if it is not known here. */
void views_operation_name(const struct gossip *g, uint64_t number, char *out, size_t size);

#endif
