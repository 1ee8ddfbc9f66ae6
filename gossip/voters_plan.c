#include "voters_plan.h"

#include <assert.h>
#include <string.h>

#include "quorum.h"

#define STEPS_MAX (4 * VOTERS_MAX)

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t witnesses_in(uint32_t size)
{
	return size == 0 ? 0 : (size - 1) / 2;
}

static bool fillable(uint32_t size, uint32_t nodes, uint32_t witnesses)
{
	return nodes + min(witnesses, witnesses_in(size)) >= size;
}

/* An even set beyond two needs one more to agree than the odd one below it, and survives no more.
 */
static bool sensible(uint32_t size)
{
	return size <= 2 || size % 2 == 1;
}

uint32_t voters_size(uint32_t nodes, uint32_t witnesses, uint32_t wish)
{
	uint32_t all = nodes + witnesses;
	uint32_t size = min(wish != 0 ? wish : 5, min(all, VOTERS_MAX));
	while (size > 1 && (!sensible(size) || !fillable(size, nodes, witnesses)))
		size--;
	return size;
}

/* ---- the set aimed at: a bit per fact ---- */

static bool healthy(const struct voter_fact *f)
{
	return f->staying && (f->voter ? !f->stale : f->answers);
}

static bool eligible(const struct voter_fact *f)
{
	return f->staying && (f->voter || f->answers);
}

static uint32_t voter_count(const struct voter_facts *facts)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < facts->count; i++)
		count += facts->list[i].voter;
	return count;
}

/* As many as there are to fill it; an even number only if it is there already. */
static uint32_t size_now(const struct voter_facts *facts)
{
	uint32_t nodes = 0, witnesses = 0;
	uint32_t size = voters_size(facts->nodes, facts->witnesses, facts->wish);
	for (uint32_t i = 0; i < facts->count; i++) {
		const struct voter_fact *f = &facts->list[i];
		nodes += !f->witness && (eligible(f) || f->node == facts->master);
		witnesses += f->witness && eligible(f);
	}
	while (size > 1 && (!fillable(size, nodes, witnesses) ||
	                    (!sensible(size) && size != voter_count(facts))))
		size--;
	return size;
}

enum pick { PICK_VOTERS, PICK_LEARNING, PICK_NEWCOMERS, PICK_STALE };

static bool picks(enum pick pick, const struct voter_fact *f)
{
	switch (pick) {
	case PICK_VOTERS:
		return healthy(f) && f->voter;
	case PICK_LEARNING:
		return healthy(f) && !f->voter && f->learning;
	case PICK_NEWCOMERS:
		return healthy(f) && !f->voter;
	case PICK_STALE:
		return eligible(f) && !healthy(f);
	}
	return false;
}

static void fill(const struct voter_facts *facts, enum pick pick, bool witness, uint32_t most,
                 uint32_t *set)
{
	for (uint32_t i = 0; i < facts->count && quorum_count(*set) < most; i++) {
		const struct voter_fact *f = &facts->list[i];
		if (f->witness == witness && picks(pick, f))
			*set |= 1u << i;
	}
}

/* Healthy witnesses first, within their bound: that place is what they are for. */
static uint32_t ideal(const struct voter_facts *facts)
{
	uint32_t size = size_now(facts), witnesses = 0, nodes = 0;
	for (uint32_t i = 0; i < facts->count; i++)
		nodes |= (uint32_t)(facts->list[i].node == facts->master) << i;
	fill(facts, PICK_VOTERS, true, witnesses_in(size), &witnesses);
	fill(facts, PICK_LEARNING, true, witnesses_in(size), &witnesses);
	fill(facts, PICK_NEWCOMERS, true, witnesses_in(size), &witnesses);
	uint32_t places = size - quorum_count(witnesses);
	fill(facts, PICK_VOTERS, false, places, &nodes);
	fill(facts, PICK_LEARNING, false, places, &nodes);
	fill(facts, PICK_NEWCOMERS, false, places, &nodes);
	fill(facts, PICK_STALE, false, places, &nodes);
	uint32_t left = size - quorum_count(nodes);
	fill(facts, PICK_STALE, true, min(left, witnesses_in(size)), &witnesses);
	return nodes | witnesses;
}

/* ---- one step ---- */

/* Of the voters without that one, how many answer? */
static uint32_t answering_without(const struct voter_facts *facts, const struct voter_fact *out)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < facts->count; i++) {
		const struct voter_fact *f = &facts->list[i];
		count += f != out && f->voter && (f->answers || f->node == facts->master);
	}
	return count;
}

static bool keeps_quorum(const struct voter_facts *facts, const struct voter_fact *out)
{
	return answering_without(facts, out) >= quorum_needed(voter_count(facts) - 1);
}

/* The lower the sooner: who learns goes on; nodes first, so that a growing set keeps its bound. */
static uint32_t add_order(const struct voter_fact *f)
{
	return (f->learning ? 0 : 2u) + (f->witness ? 1u : 0);
}

static const struct voter_fact *next_in(const struct voter_facts *facts, uint32_t set)
{
	const struct voter_fact *best = NULL;
	for (uint32_t i = 0; i < facts->count; i++) {
		const struct voter_fact *f = &facts->list[i];
		if (f->voter || !(set >> i & 1))
			continue;
		if (best == NULL || add_order(f) < add_order(best))
			best = f;
	}
	return best;
}

/* The lower the sooner: the dead go before the living, which help to agree. */
static uint32_t drop_order(const struct voter_facts *facts, const struct voter_fact *f)
{
	return (f->answers ? 4u : 0) + (f->staying ? 2u : 0) + (keeps_quorum(facts, f) ? 0 : 8u);
}

static const struct voter_fact *next_out(const struct voter_facts *facts, uint32_t set)
{
	const struct voter_fact *best = NULL;
	for (uint32_t i = 0; i < facts->count; i++) {
		const struct voter_fact *f = &facts->list[i];
		if (!f->voter || (set >> i & 1) || f->node == facts->master)
			continue;
		if (best == NULL || drop_order(facts, f) < drop_order(facts, best))
			best = f;
	}
	return best;
}

static void say_stuck(const struct voter_facts *facts, const struct voter_fact *out,
                      struct voters_plan *plan)
{
	*plan = (struct voters_plan){.move = VOTERS_STUCK,
	                             .node = out->node,
	                             .answering = answering_without(facts, out),
	                             .needed = quorum_needed(voter_count(facts) - 1)};
}

/* Add, then drop, while the leaver still helps to agree; if it is dead: drop, then add. */
void voters_plan(const struct voter_facts *facts, struct voters_plan *out)
{
	uint32_t set = ideal(facts);
	const struct voter_fact *in = next_in(facts, set), *gone = next_out(facts, set);
	bool keeps = gone != NULL && keeps_quorum(facts, gone);
	bool drop_first =
	    gone != NULL && ((!gone->answers && keeps) || voter_count(facts) == VOTERS_MAX);
	*out = (struct voters_plan){.move = VOTERS_KEEP};
	if (gone != NULL && (in == NULL || drop_first)) {
		if (keeps)
			*out = (struct voters_plan){.move = VOTERS_DROP, .node = gone->node};
		else
			say_stuck(facts, gone, out);
	} else if (in != NULL) {
		*out = (struct voters_plan){.move = VOTERS_ADD,
		                            .node = in->node,
		                            .replaced = gone == NULL ? 0 : gone->node};
	}
}

/* ---- may it go? ---- */

static struct voter_fact *fact_of(struct voter_facts *facts, node_id node)
{
	for (uint32_t i = 0; i < facts->count; i++) {
		if (facts->list[i].node == node)
			return &facts->list[i];
	}
	return NULL;
}

/* Who would take over from the master: a voter if there is one, else the first that could be one.
 */
static struct voter_fact *successor(struct voter_facts *facts)
{
	struct voter_fact *best = NULL;
	for (uint32_t i = 0; i < facts->count; i++) {
		struct voter_fact *f = &facts->list[i];
		if (f->witness || !f->staying || !f->answers || f->node == facts->master)
			continue;
		if (best == NULL || (f->voter && !best->voter))
			best = f;
	}
	return best;
}

static bool others_take_over(struct voter_facts *facts, struct voters_plan *out)
{
	struct voter_fact *next = successor(facts);
	if (next == NULL) {
		*out = (struct voters_plan){.move = VOTERS_KEEP};
		return false;
	}
	next->voter = true; /* it becomes one before it is master: another vote that answers */
	facts->master = next->node;
	return true;
}

bool voters_can_go(const struct voter_facts *facts, node_id subject, struct voters_plan *out)
{
	struct voter_facts f = *facts;
	if (f.nodes == 0 || (subject == f.master && !others_take_over(&f, out))) {
		*out = (struct voters_plan){.move = VOTERS_KEEP};
		return false;
	}
	for (int i = 0; i < STEPS_MAX; i++) {
		const struct voter_fact *leaver = fact_of(&f, subject);
		if (leaver == NULL || !leaver->voter)
			return true;
		voters_plan(&f, out);
		if (out->move == VOTERS_KEEP || out->move == VOTERS_STUCK)
			return false;
		struct voter_fact *moved = fact_of(&f, out->node);
		moved->voter = out->move == VOTERS_ADD;
		moved->stale = false;
	}
	return false;
}
