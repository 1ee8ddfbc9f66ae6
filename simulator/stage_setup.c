/*
 * stage_setup.c: a play's steps before its world exists, and what of it is narrated.
 */
#include <string.h>

#include "stage_steps.h"

int step_nodes(struct stage *s)
{
	uint64_t count;
	if (play_number(s->text, s->line, 1, &count, s->error))
		return -1;
	if (count < 1 || count > PLAY_NODES_MAX)
		return play_fail(s->text, s->line, s->error, "expected 1 to %d nodes",
		                 PLAY_NODES_MAX);
	s->settings.nodes = (uint32_t)count;
	return 0;
}

int step_node(struct stage *s)
{
	uint32_t index;
	s->settings.nodes++;
	if (s->settings.nodes > PLAY_NODES_MAX ||
	    play_node(s->text, s->line, 1, s->settings.nodes, &index, s->error) ||
	    index + 1 != s->settings.nodes)
		return play_fail(s->text, s->line, s->error,
		                 "expected nodes to be named a, b, c in this order");
	return 0;
}

int step_others(struct stage *s)
{
	uint64_t count;
	if (play_number(s->text, s->line, 1, &count, s->error))
		return -1;
	if (count < 1 || count > FOREIGN_MAX)
		return play_fail(s->text, s->line, s->error, "expected 1 to %d others", FOREIGN_MAX);
	s->settings.foreigners = (uint32_t)count;
	return 0;
}

int step_networks(struct stage *s)
{
	uint64_t count;
	if (play_number(s->text, s->line, 1, &count, s->error))
		return -1;
	if (count < 1 || count > ADDRESSES_MAX)
		return play_fail(s->text, s->line, s->error, "expected 1 to %d networks",
		                 ADDRESSES_MAX);
	s->settings.networks = (uint32_t)count;
	return 0;
}

int step_rivals(struct stage *s)
{
	s->settings.rivals = true;
	return 0;
}

int step_seed(struct stage *s)
{
	return play_number(s->text, s->line, 1, &s->settings.seed, s->error);
}

int step_profile(struct stage *s)
{
	const char *name = play_word(s->line, 1);
	if (strcmp(name, "lan") != 0 && strcmp(name, "default") != 0)
		return play_fail(s->text, s->line, s->error, "expected default or lan, not '%s'",
		                 name);
	s->settings.profile = strcmp(name, "lan") ? PROFILE_DEFAULT : PROFILE_LAN;
	return 0;
}

/* ---- what is narrated ---- */

static int show_rules(struct stage *s, bool shown)
{
	bool all = s->line->count == 2 && !strcmp(play_word(s->line, 1), "all");
	if (all)
		s->silent = !shown;
	for (int rule = 0; all && rule < RULE_COUNT; rule++)
		s->shown[rule] = shown;
	for (uint32_t word = 1; word < s->line->count && !all; word++) {
		enum rule rule;
		if (play_rule(s->text, s->line, word, &rule, s->error))
			return -1;
		s->shown[rule] = shown;
	}
	return 0;
}

int step_show(struct stage *s)
{
	return show_rules(s, true);
}

int step_quiet(struct stage *s)
{
	return show_rules(s, false);
}
