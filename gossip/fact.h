/*
 * fact.h: what the three files of facts share, and nobody else sees.
 *
 *     fact_store.c   the records and their values, and the marks that sum them up
 *     fact.c         taking, publishing, pulling what is too big for a packet
 *     digest.c       finding out what somebody else lacks, or we
 *
 * Invariants
 *   1. An owner's records are all of its highest incarnation, one a key.
 *   2. `summary` is the XOR over the marks of all records; a book's, of its owner's.
 *   3. A value lies in its record if it is short, else in a block of the slab for its size.
 */
#ifndef ESSAIM_FACT_H
#define ESSAIM_FACT_H

#include "member.h"

#define FACTS_PER_OWNER 32 /* nine of membership and host, twelve pages of storage, three heads, and room */
#define FACTS_ON_AVERAGE 16
#define INLINE_SIZE 64 /* most values; kept within the record */

enum value_class { VALUE_NONE = 0, VALUE_INLINE, VALUE_PACKET, VALUE_PAGE, VALUE_SHEET, VALUE_BIG };

struct fact {
	bool used;
	bool tombstone, big, pending;
	uint8_t key_size;
	enum value_class class;
	uint32_t block; /* of the class's slab */
	uint32_t next;  /* index + 1: of the same owner, or in the free list */
	uint32_t owner; /* slot */
	uint32_t size;
	uint64_t incarnation, version;
	instant made_wall, arrived;
	struct hash hash;
	uint8_t signature[SIGNATURE_SIZE];
	uint8_t key[FACT_KEY_MAX];
	uint8_t value[INLINE_SIZE];
};

/* Blocks of one size; the first bytes of a free one name the next. */
struct slab {
	uint8_t *data;
	uint32_t block_size, capacity, used, free_first; /* free_first: index + 1 */
};

/* What there is of one owner, and what passed between it and us. */
struct book {
	uint32_t first; /* index + 1 */
	uint32_t count;
	uint64_t incarnation;
	uint64_t summary;
	instant digest_at;
};

struct facts {
	struct book *books; /* by slot */
	struct fact *pool;
	uint32_t capacity, used, free_first, free_count;
	struct slab packet, page, sheet, big;
	uint64_t summary;
	uint64_t own_version;
	instant changed;
	instant digest_next;    /* no other digest before, whoever differs */
	uint32_t digest_cursor; /* owners take turns in digests */
	uint32_t pending_count, pull_cursor;
};

struct book *fact_book(const struct gossip *g, const struct member *owner);
struct bytes fact_key(const struct fact *x);
/* Its value; data NULL: none, or not here yet. */
struct bytes fact_bytes(const struct facts *f, const struct fact *x);
/* False: no room; the record is as before, without a value. */
bool fact_set(struct facts *f, struct fact *x, struct bytes value);
/* Called with every fact that comes or goes: XOR takes it in and out alike. */
void fact_toggle(struct gossip *g, const struct fact *x);
/* NULL: its owner says nothing under that key. */
struct fact *fact_find(const struct gossip *g, const struct member *owner, struct bytes key);
/* A zeroed record in its owner's book; NULL if there is no room. */
struct fact *fact_new(struct gossip *g, struct member *owner);
/* With its value and its mark. */
void fact_free(struct gossip *g, struct member *owner, struct fact *x);
/* The tombstone of lowest version makes room; every node would choose the same. */
struct fact *fact_oldest_tombstone(const struct gossip *g, const struct member *owner);

#endif
