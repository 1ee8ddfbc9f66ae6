/*
 * voters_why.c: one sentence for people: why the voters are as they are, as seen from this node.
 */
#include "core.h"
#include "settings.h"
#include "text.h"

static void add(char out[VOTERS_WHY_MAX], const char *text)
{
	size_t used = text_size(out), size = text_size(text);
	if (used + size >= VOTERS_WHY_MAX)
		return;
	memcpy(out + used, text, size + 1);
}

static uint32_t count_silent(const struct voter_facts *facts)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < facts->count; i++)
		count += facts->list[i].voter && !facts->list[i].answers;
	return count;
}

static void say_wanted(const struct voter_facts *facts, uint32_t wanted, char out[VOTERS_WHY_MAX])
{
	struct error e;
	uint32_t all = facts->nodes + facts->witnesses;
	if (facts->wish != 0 && wanted == facts->wish)
		error_set(&e, 0, "%u voters are wanted, as was set", wanted);
	else if (facts->wish != 0)
		error_set(&e, 0, "%u voters were set, %u members allow %u", facts->wish, all,
		          wanted);
	else
		error_set(&e, 0, "%u member%s make%s %u voter%s", all, all == 1 ? "" : "s",
		          all == 1 ? "s" : "", wanted, wanted == 1 ? "" : "s");
	add(out, e.text);
}

static void say_kept(const struct voter_facts *facts, uint32_t wanted, char out[VOTERS_WHY_MAX])
{
	struct error e;
	uint32_t silent = count_silent(facts), voters = 0;
	for (uint32_t i = 0; i < facts->count; i++)
		voters += facts->list[i].voter;
	if (voters < wanted) {
		error_set(&e, 0, "; there %s %u, as no other member is well",
		          voters == 1 ? "is" : "are", voters);
		add(out, e.text);
	}
	if (silent > 0) {
		error_set(&e, 0, "; %u of them silent, and nobody takes that place yet", silent);
		add(out, e.text);
	}
}

/* The plan's next step; elsewhere than at the master it is a guess, and most often the same. */
static void say_step(const struct gossip *g, const struct voter_facts *facts, uint32_t wanted,
                     char out[VOTERS_WHY_MAX])
{
	struct voters_plan plan;
	struct error e;
	const char *name;
	voters_plan(facts, &plan);
	name = gossip_name(g, plan.node);
	switch (plan.move) {
	case VOTERS_KEEP:
		say_kept(facts, wanted, out);
		return;
	case VOTERS_ADD:
		error_set(&e, 0, "; '%s' %s", name,
		          g->voters.training == plan.node ? "learns the ledger first" : "is next");
		break;
	case VOTERS_DROP:
		error_set(&e, 0, "; '%s' goes next", name);
		break;
	case VOTERS_STUCK:
		error_set(&e, 0, "; '%s' cannot go: of the others %u answer and %u are needed",
		          name, plan.answering, plan.needed);
		break;
	}
	add(out, e.text);
}

void gossip_voters(const struct gossip *g, const struct now *now, struct voters_view *out)
{
	struct voter_facts facts;
	*out = (struct voters_view){0};
	(void)now; /* as of the last step: reachability changes in steps only */
	if (!life_member(g))
		return;
	voters_facts(g, &facts);
	out->wanted = voters_size(facts.nodes, facts.witnesses, facts.wish);
	say_wanted(&facts, out->wanted, out->why);
	say_step(g, &facts, out->wanted, out->why);
}
