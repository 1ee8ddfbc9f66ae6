#include "sometimes.h"

#include <assert.h>
#include <stdlib.h>

#define QUICK SECOND
#define HAND_OVER_PATIENCE (3 * SECOND)

const char *situation_text(enum situation situation)
{
	static const char *const texts[SOMETIMES_COUNT] = {
#define S(name, text) [SOMETIMES_##name] = text,
		SITUATIONS(S)
#undef S
	};
	assert(situation < SOMETIMES_COUNT);
	return texts[situation];
}

void sometimes_init(struct sometimes *s, uint32_t nodes)
{
	*s = (struct sometimes){.nodes = nodes, .transfer_at = NEVER, .candidate = nodes};
	s->refused_at = malloc(nodes * sizeof(*s->refused_at));
	s->mute = calloc(nodes, sizeof(*s->mute));
	assert(s->refused_at && s->mute);
	for (uint32_t i = 0; i < nodes; i++)
		s->refused_at[i] = NEVER;
}

void sometimes_finish(struct sometimes *s)
{
	free(s->refused_at);
	free(s->mute);
}

static void candidate(struct sometimes *s, const struct moment *m)
{
	if (s->candidate < s->nodes && s->candidate != m->node && m->at - s->candidate_at < m->lease)
		sometimes_met(s, SOMETIMES_RIVAL_CANDIDATES);
	s->candidate = m->node;
	s->candidate_at = m->at;
}

/* Whoever is master next tells what became of the hand-over. */
static void new_master(struct sometimes *s, const struct moment *m)
{
	if (s->transfer_at == NEVER)
		return;
	bool done = m->id == s->transfer_to && m->at - s->transfer_at < HAND_OVER_PATIENCE;
	sometimes_met(s, done ? SOMETIMES_HAND_OVER_DONE : SOMETIMES_HAND_OVER_LOST);
	s->transfer_at = NEVER;
}

static void restarted(struct sometimes *s, const struct moment *m)
{
	if (m->subject >= s->nodes)
		return;
	instant *refused = &s->refused_at[m->subject];
	if (*refused != NEVER && m->at - *refused < QUICK)
		sometimes_met(s, SOMETIMES_QUICK_RESTART);
	*refused = NEVER;
}

static void lease_rules(struct sometimes *s, const struct moment *m)
{
	if (m->rule == RULE_CANDIDATE)
		candidate(s, m);
	else if (m->rule == RULE_MASTER)
		new_master(s, m);
	else if (m->rule == RULE_LAPSED && m->unfinished)
		sometimes_met(s, SOMETIMES_LAPSE_IN_APPEND);
	else if (m->rule == RULE_SNAPSHOT_TAKEN && m->cut)
		sometimes_met(s, SOMETIMES_SNAPSHOT_IN_CUT);
	else if (m->rule == RULE_CONFIG && m->lost)
		sometimes_met(s, SOMETIMES_CONFIG_IN_FAILOVER);
	else if ((m->rule == RULE_DISK_FAILED || m->rule == RULE_DISK_OVERDUE) && m->acts)
		sometimes_met(s, SOMETIMES_DISK_LOST_AT_MASTER);
	else if ((m->rule == RULE_VOTER_ADDED || m->rule == RULE_VOTER_DROPPED) && m->settled)
		sometimes_met(s, SOMETIMES_VOTER_CHANGED);
	else if (m->rule == RULE_TRANSFERRING) {
		s->transfer_at = m->at;
		s->transfer_to = m->subject_id;
	}
}

/* Rules that are a situation by themselves. */
static void plain_rules(struct sometimes *s, enum rule rule)
{
	static const struct {
		enum rule rule;
		enum situation situation;
	} plain[] = {
		{RULE_ROUND_OLD, SOMETIMES_ROUND_OLD},
		{RULE_RELEASE_INEXACT, SOMETIMES_RELEASE_INEXACT},
		{RULE_CANDIDATE_LAGGING, SOMETIMES_LAGGING},
		{RULE_OUTBID, SOMETIMES_OUTBID},
		{RULE_PREPARE_LIVE, SOMETIMES_LIVE_PREPARE},
		{RULE_ACCEPT_LIVE, SOMETIMES_LIVE_ACCEPT},
		{RULE_OWNER_SLOW, SOMETIMES_OWNER_SLOW},
		{RULE_DISK_WELL, SOMETIMES_STORE_REWRITTEN},
		{RULE_TRANSFER_REFUSED, SOMETIMES_HAND_OVER_REFUSED},
		{RULE_HEALTH_HANDS_OVER, SOMETIMES_HEALTH_HANDS_OVER},
		{RULE_REFUTED, SOMETIMES_REFUTED},
		{RULE_CLONE, SOMETIMES_CLONE},
		{RULE_OLD_SELF, SOMETIMES_OLD_SELF},
		{RULE_MEMBER_LEFT, SOMETIMES_LEFT},
		{RULE_MEMBER_REMOVED, SOMETIMES_REMOVED},
		{RULE_SETTING, SOMETIMES_SETTING_CHANGED},
		{RULE_TERMS, SOMETIMES_TERMS_CHANGED},
		{RULE_VOTER_SWAPPED, SOMETIMES_VOTER_SWAPPED},
		{RULE_VOTER_STAYS, SOMETIMES_VOTER_STAYS},
		{RULE_ADDRESSES, SOMETIMES_ADDRESS_KEPT},
		{RULE_STRAYED, SOMETIMES_STRAYED},
		{RULE_PATH_DOWN, SOMETIMES_PATH_DOWN},
		{RULE_LEVEL, SOMETIMES_LEVEL_RAISED},
		{RULE_SEIZE_REFUSED, SOMETIMES_SEIZE_REFUSED},
		{RULE_FOLLOWS, SOMETIMES_FOLLOWED},
	};
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (plain[i].rule == rule)
			sometimes_met(s, plain[i].situation);
}

void sometimes_traced(struct sometimes *s, const struct moment *m)
{
	lease_rules(s, m);
	plain_rules(s, m->rule);
	if (m->rule == RULE_RESTARTED)
		restarted(s, m);
	else if (m->rule == RULE_REFUSED && m->subject < s->nodes)
		s->refused_at[m->subject] = m->at;
	else if (m->rule == RULE_UNREACHABLE && m->subject < s->nodes)
		s->refused_at[m->subject] = NEVER;
	else if (m->rule == RULE_QUARANTINE || m->rule == RULE_QUARANTINE_OVER)
		s->mute[m->node] = m->rule == RULE_QUARANTINE;
}
