/*
 * What both sides' words mean together.
 */
#include "drbd.h"

#include <string.h>

#define JUST_CREATED 4 /* a generation that never held data */

/* ---- generations ---- */

/* The lowest bit only says who was Primary. */
static uint64_t bare(uint64_t uuid)
{
	return uuid & ~UINT64_C(1);
}

static bool in_past(const struct drbd_generation *g, uint64_t uuid)
{
	return bare(uuid) > JUST_CREATED &&
	       (bare(g->older[0]) == bare(uuid) || bare(g->older[1]) == bare(uuid));
}

static bool share_past(const struct drbd_generation *a, const struct drbd_generation *b)
{
	return (bare(a->bitmap) > JUST_CREATED &&
	        (bare(a->bitmap) == bare(b->bitmap) || in_past(b, a->bitmap))) ||
	       in_past(a, b->bitmap) || in_past(a, b->older[0]) || in_past(a, b->older[1]);
}

enum drbd_lineage drbd_compare(const struct drbd_generation *a, const struct drbd_generation *b)
{
	if (!a->known || !b->known || bare(a->current) == 0 || bare(b->current) == 0)
		return LINEAGE_UNKNOWN;
	if (bare(a->current) == bare(b->current))
		return LINEAGE_SAME;
	if (bare(b->current) == JUST_CREATED || bare(a->bitmap) == bare(b->current) ||
	    in_past(a, b->current))
		return LINEAGE_FIRST_NEWER;
	if (bare(a->current) == JUST_CREATED || bare(b->bitmap) == bare(a->current) ||
	    in_past(b, a->current))
		return LINEAGE_SECOND_NEWER;
	return share_past(a, b) ? LINEAGE_SPLIT : LINEAGE_UNRELATED;
}

/* ---- one side ---- */

static const struct drbd_peer *peer_in(const struct drbd_side *s)
{
	return s->resource != NULL && s->peer < s->resource->peer_count
	               ? &s->resource->peers[s->peer]
	               : NULL;
}

static bool connection_is(const struct drbd_side *s, const char *state)
{
	const struct drbd_peer *p = peer_in(s);
	return p != NULL && strcmp(p->connection, state) == 0;
}

static bool stands_alone(const struct drbd_side *s)
{
	return s->resource != NULL && (peer_in(s) == NULL || connection_is(s, "StandAlone"));
}

static bool said(const struct drbd_side *s, enum drbd_word word)
{
	const struct drbd_peer *p = peer_in(s);
	return p != NULL && strcmp(p->connection, "Connected") != 0 && p->said == word;
}

static const struct drbd_volume *volume_numbered(const struct drbd_side *s, uint32_t number)
{
	for (uint32_t i = 0; s->resource != NULL && i < s->resource->volume_count; i++) {
		if (s->resource->volumes[i].number == number)
			return &s->resource->volumes[i];
	}
	return NULL;
}

static bool replication_begins(const struct drbd_side *s, const char *const *begins)
{
	const struct drbd_peer *p = peer_in(s);
	for (uint32_t i = 0; p != NULL && i < p->volume_count; i++) {
		for (const char *const *b = begins; *b != NULL; b++) {
			if (strncmp(p->volumes[i].replication, *b, strlen(*b)) == 0)
				return true;
		}
	}
	return false;
}

static bool resyncs(const struct drbd_side *s)
{
	static const char *const begins[] = {
		"Sync", "PausedSync", "StartingSync", "WFBitMap", "WFSyncUUID", "Ahead", "Behind", NULL};
	return replication_begins(s, begins);
}

static bool verifies(const struct drbd_side *s)
{
	static const char *const begins[] = {"Verify", NULL};
	return replication_begins(s, begins);
}

/* ---- both ---- */

struct case_ {
	const struct drbd_side *sides;
	struct drbd_judgement *out;
	bool lineage_split, lineage_unrelated;
};

static bool give(struct case_ *c, enum drbd_verdict verdict, uint32_t side)
{
	c->out->verdict = verdict;
	c->out->side = side;
	return true;
}

/* Both sides' generations, volume by volume. */
static void compare_all(struct case_ *c)
{
	for (uint32_t i = 0; c->sides[0].resource != NULL && i < c->sides[0].resource->volume_count; i++) {
		const struct drbd_volume *a = &c->sides[0].resource->volumes[i];
		const struct drbd_volume *b = volume_numbered(&c->sides[1], a->number);
		enum drbd_lineage lineage =
			b == NULL ? LINEAGE_UNKNOWN : drbd_compare(&a->generation, &b->generation);
		c->lineage_split |= lineage == LINEAGE_SPLIT;
		c->lineage_unrelated |= lineage == LINEAGE_UNRELATED;
	}
}

static void count_all(struct case_ *c)
{
	for (int s = 0; s < 2; s++) {
		const struct drbd_peer *p = peer_in(&c->sides[s]);
		for (uint32_t i = 0; p != NULL && i < p->volume_count; i++) {
			const struct drbd_peer_volume *v = &p->volumes[i];
			if (v->out_of_sync > c->out->out_of_sync)
				c->out->out_of_sync = v->out_of_sync;
			if (v->done >= 0 && (c->out->done < 0 || v->done < c->out->done))
				c->out->done = v->done;
		}
	}
}

/* Which one, of those of whom that is true; 2: both. */
static uint32_t which(bool first, bool second)
{
	return first && second ? 2 : first ? 0 : 1;
}

static bool judge_said(struct case_ *c, enum drbd_word word, enum drbd_verdict verdict)
{
	bool first = said(&c->sides[0], word), second = said(&c->sides[1], word);
	return (first || second) && give(c, verdict, which(first, second));
}

/* ---- the rules, in order; the first that holds is the verdict ---- */

typedef bool rule(struct case_ *c);

static bool rule_split_brain(struct case_ *c)
{
	return judge_said(c, DRBD_SAID_SPLIT_BRAIN, DRBD_SPLIT_BRAIN);
}

static bool rule_unrelated(struct case_ *c)
{
	return judge_said(c, DRBD_SAID_UNRELATED, DRBD_UNRELATED);
}

static bool rule_authentication(struct case_ *c)
{
	return judge_said(c, DRBD_SAID_AUTHENTICATION, DRBD_AUTHENTICATION);
}

static bool rule_options(struct case_ *c)
{
	return judge_said(c, DRBD_SAID_OPTIONS, DRBD_OPTIONS);
}

static bool rule_one_unknown(struct case_ *c)
{
	bool first = !c->sides[0].known, second = !c->sides[1].known;
	return (first || second) && give(c, DRBD_UNKNOWN, which(first, second));
}

static bool rule_down(struct case_ *c)
{
	bool first = c->sides[0].resource == NULL, second = c->sides[1].resource == NULL;
	return (first || second) && give(c, DRBD_DOWN, which(first, second));
}

static bool rule_standalone(struct case_ *c)
{
	bool first = stands_alone(&c->sides[0]), second = stands_alone(&c->sides[1]);
	uint32_t side = which(first, second);
	if (!first && !second)
		return false;
	if (c->lineage_split)
		return give(c, DRBD_SPLIT_BRAIN, side);
	if (c->lineage_unrelated)
		return give(c, DRBD_UNRELATED, side);
	if (c->out->options_differ)
		return give(c, DRBD_OPTIONS, side);
	return give(c, DRBD_ADMIN, side);
}

static bool rule_not_connected(struct case_ *c)
{
	bool first = !connection_is(&c->sides[0], "Connected");
	bool second = !connection_is(&c->sides[1], "Connected");
	if (!first && !second)
		return false;
	return give(c, c->lineage_split ? DRBD_DIVERGED : DRBD_CONNECTING, which(first, second));
}

static bool rule_resyncing(struct case_ *c)
{
	bool first = resyncs(&c->sides[0]), second = resyncs(&c->sides[1]);
	return (first || second) && give(c, DRBD_RESYNCING, which(first, second));
}

/* Does `s`, connected, believe of the other's volume what it does not say of itself, or know nothing? */
static bool deceived(const struct drbd_side *s, const struct drbd_side *other, uint32_t *volume)
{
	const struct drbd_peer *p = peer_in(s);
	for (uint32_t i = 0; p != NULL && i < p->volume_count; i++) {
		const struct drbd_volume *own = volume_numbered(other, p->volumes[i].number);
		if (own == NULL)
			continue;
		bool stale = strcmp(p->volumes[i].disk, "UpToDate") == 0 && strcmp(own->disk, "UpToDate") != 0;
		if (stale || strcmp(p->volumes[i].disk, "DUnknown") == 0) {
			*volume = own->number;
			return true;
		}
	}
	return false;
}

/* About whom the other is deceived. */
static bool rule_stale(struct case_ *c)
{
	bool second = deceived(&c->sides[0], &c->sides[1], &c->out->volume);
	bool first = deceived(&c->sides[1], &c->sides[0], &c->out->volume);
	return (first || second) && give(c, DRBD_STALE, which(first, second));
}

static bool disk_bad(const struct drbd_side *s, const char *only, uint32_t *volume)
{
	for (uint32_t i = 0; i < s->resource->volume_count; i++) {
		const struct drbd_volume *v = &s->resource->volumes[i];
		if (only == NULL ? strcmp(v->disk, "UpToDate") != 0 : strcmp(v->disk, only) == 0) {
			*volume = v->number;
			return true;
		}
	}
	return false;
}

static bool rule_empty(struct case_ *c)
{
	return disk_bad(&c->sides[0], "Inconsistent", &c->out->volume) &&
	       disk_bad(&c->sides[1], "Inconsistent", &c->out->volume) && give(c, DRBD_EMPTY, 2);
}

static bool rule_degraded(struct case_ *c)
{
	bool first = disk_bad(&c->sides[0], NULL, &c->out->volume);
	bool second = disk_bad(&c->sides[1], NULL, &c->out->volume);
	return (first || second) && give(c, DRBD_DEGRADED, which(first, second));
}

static bool rule_verifying(struct case_ *c)
{
	return (verifies(&c->sides[0]) || verifies(&c->sides[1])) && give(c, DRBD_VERIFYING, 2);
}

static bool rule_differs(struct case_ *c)
{
	return c->out->out_of_sync > 0 && give(c, DRBD_DIFFERS, 2);
}

static rule *const rules[] = {
	rule_split_brain, rule_unrelated, rule_authentication, rule_options, rule_one_unknown,
	rule_down, rule_standalone, rule_not_connected, rule_resyncing, rule_stale, rule_empty,
	rule_degraded, rule_verifying, rule_differs,
};

void drbd_judge(const struct drbd_side sides[2], struct drbd_judgement *out)
{
	struct case_ c = {.sides = sides, .out = out};
	*out = (struct drbd_judgement){.verdict = DRBD_FINE, .side = 2, .done = -1};
	const struct drbd_peer *first = peer_in(&sides[0]), *second = peer_in(&sides[1]);
	out->options_differ = first != NULL && second != NULL && first->options != 0 &&
	                      second->options != 0 && first->options != second->options;
	compare_all(&c);
	count_all(&c);
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (rules[i](&c))
			return;
	}
}

/* ---- words ---- */

static const struct {
	const char *name, *sentence;
} words[DRBD_VERDICTS] = {
	[DRBD_FINE] = {"fine", "both sides are connected and up to date"},
	[DRBD_RESYNCING] = {"resyncing", "what one side lacks is being copied"},
	[DRBD_VERIFYING] = {"verifying", "both sides are being compared"},
	[DRBD_DIFFERS] = {"differs", "connected and up to date by their own word, but blocks are known to differ"},
	[DRBD_CONNECTING] = {"connecting", "there is no connection, and it is being tried"},
	[DRBD_DIVERGED] = {"diverged", "there is no connection and both sides were written: a split brain as soon as they meet"},
	[DRBD_ADMIN] = {"disconnected", "StandAlone, and nothing but a 'disconnect' by hand explains it"},
	[DRBD_AUTHENTICATION] = {"authentication", "the two sides do not know the same secret"},
	[DRBD_OPTIONS] = {"options", "the two sides' options do not fit together"},
	[DRBD_UNRELATED] = {"unrelated", "the two sides' data never were the same: nothing may be copied by itself"},
	[DRBD_SPLIT_BRAIN] = {"split-brain", "both sides were written while apart, and neither may be thrown away unasked"},
	[DRBD_STALE] = {"stale", "one side believes the other up to date, and it is not: a fail-over would go back in time"},
	[DRBD_DEGRADED] = {"degraded", "a disk is not up to date and nothing mends it"},
	[DRBD_EMPTY] = {"empty", "never synchronised: neither side has data yet"},
	[DRBD_DOWN] = {"down", "configured on one side, not up on the other"},
	[DRBD_UNKNOWN] = {"unknown", "one side is not known, and the other's word alone does not suffice"},
};

const char *drbd_verdict_name(enum drbd_verdict verdict)
{
	return verdict < DRBD_VERDICTS ? words[verdict].name : "?";
}

const char *drbd_verdict_sentence(enum drbd_verdict verdict)
{
	return verdict < DRBD_VERDICTS ? words[verdict].sentence : "?";
}

bool drbd_verdict_well(enum drbd_verdict verdict)
{
	return verdict == DRBD_FINE || verdict == DRBD_RESYNCING || verdict == DRBD_VERIFYING;
}
