/*
 * store.h: what must survive a crash: SQLite in the data folder, written by one thread of its own.
 *
 *     store_open -> store_load -> store_start -> store_persist ... store_stop -> store_close
 *
 *     WELL --a transaction fails--> FAILED --the backlog is written, tried every 2 s--> WELL
 *     any  --the queue is full--> GAPPED --the whole state is given again, and fits--> as before
 *
 * The format is the cluster's level (PRAGMA user_version); the tables are the same:
 *   meta(key, value)   'durable': the one durable record (codec.h: durable_encode)
 *   log(idx, counter, incarnation, node, hop, command)   accepted entries
 *   rows(key, value)   the ledger's rows as of durable.applied
 *   journal(key, value)   what this node's engine has begun and done (engine_body.h)
 *
 * Invariants
 *   1. Persists are written in the order given. One is written whole or not at all; several that
 *      wait share one transaction, so what is on the disk is always a prefix of what was given.
 *   2. Each is reported once, in order. "Failed" means that it is not known to be on the disk.
 *      While FAILED every persist is reported as failed at once, but kept and written first when
 *      the disk works again: the prefix never has a hole. One that gives the whole state anew
 *      (clears the rows, cuts the log, sets the durable record) replaces what was kept before it.
 *   3. The caller never waits for the disk. If the bounded queue is full (a disk stalled for very
 *      long), everything outstanding is reported as failed at once; what did not fit would be a
 *      hole, so nothing more is taken until the whole state is given anew.
 *   4. A corrupt or newer store is refused and left as it is.
 *
 * Source: https://www.sqlite.org/wal.html; synchronous=FULL syncs the log at every commit.
 */
#ifndef ESSAIM_STORE_H
#define ESSAIM_STORE_H

#include "error.h"
#include "gossip.h"

struct store;
struct event_base;

/* 0, or a negative errno: -EINVAL corrupt or newer. Makes an empty store if there is none. */
int store_open(const char *folder, struct store **out, struct error *error);

/* What store_load hands out, in the order durable record, rows, entries. False stops: corrupt. */
struct store_reader {
	void *context;
	bool (*durable)(void *context, struct bytes record);
	bool (*row)(void *context, struct bytes key, struct bytes value);
	bool (*entry)(void *context, uint64_t index, const struct ballot *ballot, struct bytes command);
	bool (*journal)(void *context, struct bytes key, struct bytes value); /* NULL: not wanted */
};
int store_load(struct store *store, const struct store_reader *reader, struct error *error);

/* Does it hold a node's record? False: a fresh store. */
bool store_initialised(struct store *store);

typedef void store_report(void *context, uint64_t number, bool failed);

/* Starts the thread. Reports come from `base`'s loop, never from within store_persist. */
int store_start(struct store *store, struct event_base *base, store_report *report, void *context,
                struct error *error);

/* Copies the ops. `number` is one more than at the last call. */
void store_persist(struct store *store, uint64_t number, bool lazy, uint32_t op_count,
                   const struct store_op *ops);

/* The slowest transaction since the last call; 0 if none. */
duration store_latency(struct store *store, bool begin_anew);

/* Writes what is queued, for at most `patience`. False if the disk did not manage. */
bool store_stop(struct store *store, duration patience);

/* After a store_stop that said true, or before store_start. */
void store_close(struct store *store);

#endif
