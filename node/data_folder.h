/*
 * data_folder.h: the folder of one node: its lock, its key, and what `node reset` wipes.
 *
 *   lock       flock'ed while a daemon runs; holds its pid, for the sentence a second one gets
 *   node.key   32 bytes, 0600: the seed of the node's Ed25519 key. Whoever has it is this node
 *   key.new    the same of the key that is to take its place (gossip/rekey.h), while that is under way
 *   store.db   SQLite (store.h), with -wal and -shm beside it
 *
 * Invariants
 *   1. At most one daemon per folder.
 *   2. A key is durable (file and directory synced) before it is used.
 *      Under its name a key is whole: it is written and synced under another, then renamed.
 *   3. Key and store stay together: a key without its store has forgotten its promises, a store
 *      without its key belongs to somebody else. Either alone refuses to start.
 */
#ifndef ESSAIM_DATA_FOLDER_H
#define ESSAIM_DATA_FOLDER_H

#include "error.h"
#include "words.h"

#define NODE_SEED_SIZE 32
#define FOLDER_PATH_SIZE 320

/* Creates the folder (0700) if need be and takes its lock: a descriptor to keep, or -errno. */
int data_folder_lock(const char *folder, struct error *error);

/* "FOLDER/name" */
void data_folder_path(const char *folder, const char *name, char out[FOLDER_PATH_SIZE]);

/* Is there a node.key, a store.db that is not empty? */
bool data_folder_has(const char *folder, const char *name);

/*
 * Key and store together? `initialised`: the store holds a node's record. A store without one and
 * without a key is what a crash at the very first start leaves: fine. 0, or -EINVAL and the way out.
 */
int data_folder_check(const char *folder, bool had_store, bool initialised, struct error *error);

/* Reads node.key, or makes it if there is none. 0 or -errno. Caller wipes the seed. */
int node_seed_load(const char *folder, uint8_t out_seed[NODE_SEED_SIZE], struct error *error);

/*
 * key.new: what an earlier change of key left is taken again, for it may be committed already; with
 * `make` it is made if there is none. 1: there is one; 0: none; or -errno. Caller wipes the seed.
 */
int node_seed_next(const char *folder, bool make, uint8_t out_seed[NODE_SEED_SIZE],
                   struct error *error);
/* key.new takes the place of node.key, which is gone then. 0 or -errno: one of them is there, whole. */
int node_seed_switch(const char *folder, struct error *error);

/* Removes keys and store, only those. 0 or -errno. */
int data_folder_wipe(const char *folder, struct error *error);

#endif
