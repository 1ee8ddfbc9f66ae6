/*
 * paths_inside.h: what the paths*.c files share with each other.
 *
 *   paths.c        a path's state, and which one is taken
 *   paths_due.c    which answers are expected by when
 *   paths_set.c    who has which addresses, and the pairs that makes
 *   paths_told.c   what is told of them: views, and the fact of what is down
 *
 * A path is a number below PATHS_MAX: path_of our socket and the place of its address.
 */
#ifndef ESSAIM_PATHS_INSIDE_H
#define ESSAIM_PATHS_INSIDE_H

#include "member.h"
#include "paths.h"

#define PATIENCE (300 * MILLISECOND) /* a probe's, at health 0 (probe.c) */

struct path {
	instant heard;          /* 0: never */
	uint32_t round_trip_us; /* 0: unknown */
	uint8_t state;          /* enum path_state */
	uint8_t misses;         /* probes by it, one after another, without an ack */
};

struct path_set {
	uint32_t slot; /* the member's + 1; 0: free */
	struct addresses remote;
	bool learned; /* the last of them is where it was heard, not what it says */
	uint8_t used; /* the path that is taken */
	instant moved;
	instant agreed; /* its own traffic last came by it */
	struct path paths[PATHS_MAX]; /* by path_of */
};

static inline uint32_t path_of(uint32_t local, uint32_t remote)
{
	return local * ADDRESSES_MAX + remote;
}

static inline struct path_set *set_of(const struct gossip *g, const struct member *m)
{
	return m->paths == 0 ? NULL : &g->membership.paths->sets[m->paths - 1];
}

static inline struct member *member_of(const struct gossip *g, const struct path_set *s)
{
	return &g->membership.members[s->slot - 1];
}

static inline struct way way_of(const struct path_set *s, uint32_t path)
{
	return (struct way){path / ADDRESSES_MAX, s->remote.list[path % ADDRESSES_MAX]};
}

/* It answers, as far as we know. */
static inline bool path_trusted(const struct path *p)
{
	return p->state == PATH_UP && p->misses == 0;
}

static inline duration path_patience(const struct gossip *g)
{
	return PATIENCE * (1 + (duration)g->membership.health);
}

/* ---- paths.c ---- */

/* The best but `not_this`; NO_PATH if there is no other. */
uint32_t path_best(const struct gossip *g, const struct path_set *s, uint32_t not_this);
void path_use(struct member *m, struct path_set *s, uint32_t path);
/* Nothing is known of it but when it was heard. */
void path_reset(struct gossip *g, struct path_set *s, uint32_t path);

/* ---- paths_due.c ---- */

/* An answer is due by that path: to a probe, or to something else. */
void path_expect(struct gossip *g, const struct path_set *s, uint32_t path, bool probe);
/* NULL: none is. */
struct promise_due *path_due(struct gossip *g, uint32_t slot, uint32_t path);
void path_due_end(struct gossip *g, struct promise_due *due);
void paths_due_drop(struct gossip *g, uint32_t slot);

/* ---- paths_set.c ---- */

uint32_t paths_local_count(const struct gossip *g);
/* Do both ends exist, and speak one family? */
bool path_usable(const struct gossip *g, const struct path_set *s, uint32_t path);
uint32_t path_find(const struct gossip *g, const struct path_set *s, const struct way *way);

/* ---- paths_told.c ---- */

struct address path_local(const struct gossip *g, uint32_t path);
void path_trace(struct gossip *g, enum rule rule, const struct member *m,
                const struct path_set *s, uint32_t path);
/*
 * From the first network to the second and back by the first: it dies with either, and the straight
 * ones tell what is to be told of that. Without a straight one it is as good as any.
 */
bool path_is_cross(const struct gossip *g, const struct path_set *s, uint32_t path);
/* The fact of what is down, if it changed. */
void paths_say(struct gossip *g);

#endif
