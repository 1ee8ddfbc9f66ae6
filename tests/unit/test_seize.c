/*
 * The quorum is lost: who may found a new generation, who follows, who is told to stop.
 */
#include "band.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

#define CLIENT 5
#define ANSWERED (20 * SECOND)

static void ask_seize(struct band *b, uint32_t at, uint32_t count, const uint32_t *dead)
{
	node_id ids[BAND_MAX];
	struct input input = {.kind = INPUT_SEIZE};
	for (uint32_t i = 0; i < count; i++)
		ids[i] = band_id(b, dead[i]);
	input.seize.client = CLIENT;
	input.seize.dead_count = count;
	input.seize.dead = ids;
	b->nodes[at].text[0] = '\0';
	band_input(b, at, &input);
}

/* Names those dead and waits for the answer. */
static enum answer_code seize(struct band *b, uint32_t at, uint32_t count, const uint32_t *dead)
{
	uint32_t before = b->nodes[at].answers;
	ask_seize(b, at, count, dead);
	if (b->nodes[at].answers == before && !band_wait(b, at, ANSWERED))
		return ANSWER_UNKNOWN;
	return b->nodes[at].code;
}

#define SEIZE(b, at, ...) \
	seize(b, at, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (uint32_t[]){__VA_ARGS__})

static bool says(const struct band *b, uint32_t at, const char *part)
{
	if (strstr(b->nodes[at].text, part) != NULL)
		return true;
	print_message("'%s' is not in: %s\n", part, b->nodes[at].text);
	return false;
}

static uint64_t generation(const struct band *b, uint32_t at)
{
	struct status_view s;
	band_status(b, at, &s);
	return s.generation.number;
}

static enum standing standing(const struct band *b, uint32_t at)
{
	struct status_view s;
	band_status(b, at, &s);
	return s.standing;
}

static void the_survivor_founds_a_generation_and_those_who_consent_follow(void **state)
{
	struct band *b = band_new(4, 3);
	band_run(b, 12 * SECOND);
	assert_int_equal(band_put(b, 3, "before", "1"), ANSWER_DONE);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 15 * SECOND);
	assert_int_equal(band_master(b), BAND_MAX);
	assert_int_equal(SEIZE(b, 0, 1, 2), ANSWER_DONE);
	assert_int_equal(generation(b, 0), 2);
	assert_true(b->nodes[0].progresses > 2);
	band_run(b, 10 * SECOND);
	assert_int_equal(generation(b, 3), 2);
	assert_int_equal(standing(b, 3), STANDING_MEMBER);
	assert_int_not_equal(band_master(b), BAND_MAX);
	assert_int_equal(band_put(b, 3, "after", "2"), ANSWER_DONE);
	band_run(b, SECOND);
	assert_string_equal(band_get(b, 0, "before"), "1");
	assert_string_equal(band_get(b, 3, "after"), "2");
	assert_int_equal(b->overlaps, 0);
	struct status_view s;
	band_status(b, 0, &s);
	assert_int_equal(s.config.voter_count, 2); /* who followed was trained as a voter again */
	assert_int_equal(s.members_total, 2);
	band_free(b);
}

/* Its config may be older than the last one, in which the leases were longer. */
static void the_wait_is_for_the_longest_lease_that_any_config_may_have_given(void **state)
{
	struct band *b = band_new(3, 3);
	struct gossip *g = b->nodes[0].core;
	struct config last = g->durable.config;
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	config_times(&last, PROFILE_DEFAULT);
	config_times(&g->durable.config, PROFILE_LAN);
	ask_seize(b, 0, 2, (uint32_t[]){1, 2});
	while (g->seize.phase == SEIZE_SURVEYING)
		band_run(b, 10 * MILLISECOND);
	assert_int_equal(g->seize.phase, SEIZE_WAITING);
	band_run(b, last.exclusion - 20 * MILLISECOND);
	assert_int_equal(g->seize.phase, SEIZE_WAITING);
	band_run(b, 2 * SECOND);
	assert_int_equal(generation(b, 0), 2);
	band_free(b);
}

static void a_record_says_who_seized_and_whom_he_named(void **state)
{
	struct band *b = band_new(4, 3);
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	assert_int_equal(SEIZE(b, 0, 1, 2), ANSWER_DONE);
	band_run(b, 5 * SECOND);
	for (uint32_t at = 0; at < 4; at += 3) {
		struct generation_view v;
		struct status_view s;
		band_status(b, at, &s);
		assert_true(gossip_generation_at(b->nodes[at].core, 0, &v));
		assert_int_equal(v.number, 2);
		assert_memory_equal(v.hash.bytes, s.generation.hash.bytes, HASH_SIZE);
		assert_true(v.by == band_id(b, 0));
		assert_false(v.restored);
		assert_int_equal(v.dead_count, 2);
		assert_true(v.dead[0] == band_id(b, 1) && v.dead[1] == band_id(b, 2));
		assert_int_equal(v.followed_count, 1);
		assert_true(v.followed[0] == band_id(b, 3));
		assert_false(gossip_generation_at(b->nodes[at].core, 1, &v));
	}
	band_free(b);
}

static void the_dead_that_come_back_are_told_and_stop(void **state)
{
	struct band *b = band_new(4, 3);
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	assert_int_equal(SEIZE(b, 0, 1, 2), ANSWER_DONE);
	band_run(b, 5 * SECOND);
	assert_true(band_start(b, 1));
	band_run(b, 10 * SECOND);
	assert_true(b->nodes[1].stopped);
	assert_int_equal(b->nodes[1].stopped_as, STANDING_OLD_GENERATION);
	struct status_view s;
	band_status(b, 1, &s);
	assert_true(s.superseded_by == band_id(b, 0));
	assert_false(s.superseded_by_rival);
	assert_int_equal(s.generation.number, 1); /* its data are as they were */
	/* and so it stays */
	assert_true(band_start(b, 1));
	assert_int_equal(standing(b, 1), STANDING_OLD_GENERATION);
	assert_int_equal(b->overlaps, 0);
	band_free(b);
}

static void an_old_master_behind_a_cut_stops_when_it_is_told(void **state)
{
	struct band *b = band_new(4, 3);
	band_run(b, 8 * SECOND);
	/* two wrong words: b and c live behind a cut, and are a quorum */
	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t k = 1; k < 3; k++) {
			if (i != 1 && i != 2)
				band_cut(b, i, k);
		}
	}
	band_run(b, 12 * SECOND);
	assert_int_equal(SEIZE(b, 0, 1, 2), ANSWER_DONE);
	band_run(b, 5 * SECOND);
	assert_true(b->overlaps > 0); /* the word was wrong: two act, each in its generation */
	band_heal(b);
	band_run(b, 15 * SECOND);
	assert_int_equal(b->nodes[1].stopped_as, STANDING_OLD_GENERATION);
	assert_int_equal(b->nodes[2].stopped_as, STANDING_OLD_GENERATION);
	assert_int_not_equal(band_master(b), BAND_MAX);
	uint32_t before = b->overlaps;
	band_run(b, 5 * SECOND);
	assert_int_equal(b->overlaps, before);
	band_free(b);
}

static void it_is_refused_while_there_is_a_master_or_a_quorum(void **state)
{
	struct band *b = band_new(4, 3);
	band_run(b, 8 * SECOND);
	uint32_t master = band_master(b), other = master == 0 ? 1 : 0;
	assert_int_equal(SEIZE(b, master, 3), ANSWER_REFUSED);
	assert_true(says(b, master, "is the master"));
	assert_int_equal(SEIZE(b, other, 3), ANSWER_REFUSED);
	assert_int_equal(generation(b, 0), 1);
	band_run(b, 10 * SECOND);
	assert_int_not_equal(band_master(b), BAND_MAX);
	band_free(b);
}

static void it_is_refused_while_somebody_named_dead_answers(void **state)
{
	struct band *b = band_new(6, 5);
	band_run(b, 8 * SECOND);
	for (uint32_t i = 1; i < 6; i++) {
		if (i != 4)
			band_kill(b, i);
	}
	band_run(b, 12 * SECOND);
	assert_int_equal(SEIZE(b, 0, 1, 2, 3, 4, 5), ANSWER_REFUSED);
	assert_true(says(b, 0, "'e'"));
	/* ... also if only another member hears it */
	assert_true(band_start(b, 5));
	band_cut(b, 0, 5);
	band_run(b, 5 * SECOND);
	assert_int_equal(SEIZE(b, 0, 1, 2, 3, 5), ANSWER_REFUSED);
	assert_true(says(b, 0, "'f' was named dead, and 'e' heard it"));
	band_free(b);
}

static void it_is_refused_while_a_silent_member_is_not_named(void **state)
{
	struct band *b = band_new(5, 3);
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_kill(b, 4);
	band_run(b, 12 * SECOND);
	assert_int_equal(SEIZE(b, 0, 1), ANSWER_REFUSED);
	assert_true(says(b, 0, "'c', 'e'"));
	assert_true(says(b, 0, "not named dead"));
	/* who consented meanwhile votes again */
	struct status_view s;
	band_run(b, SECOND);
	band_status(b, 3, &s);
	assert_true(s.consented_to == 0);
	assert_int_equal(SEIZE(b, 0, 1, 2, 4), ANSWER_DONE);
	band_free(b);
}

/* It heard of a config whose new voters' admissions it had not heard of when it was cut off. */
static enum answer_code seize_behind(uint32_t strangers, uint32_t others)
{
	struct band *b = band_new(3, 3);
	struct config *c = &b->nodes[0].core->durable.config;
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	c->voter_count = others + strangers;
	for (uint32_t i = 0; i < strangers; i++)
		c->voters[others + i] = 1000 + i;
	enum answer_code code = SEIZE(b, 0, 1, 2);
	assert_true(code == ANSWER_DONE || says(b, 0, "this node's ledger is behind"));
	assert_int_equal(generation(b, 0), code == ANSWER_DONE ? 2 : 1);
	band_free(b);
	return code;
}

static void it_is_refused_where_most_voters_are_members_that_the_ledger_does_not_hold_yet(void **state)
{
	assert_int_equal(seize_behind(3, 2), ANSWER_REFUSED);
	assert_int_equal(seize_behind(2, 1), ANSWER_REFUSED);
	assert_int_equal(seize_behind(2, 3), ANSWER_DONE); /* too few to choose a master without the dead */
	assert_int_equal(seize_behind(1, 2), ANSWER_DONE);
}

static void words_that_make_no_sense_are_refused(void **state)
{
	struct band *b = band_new(3, 3);
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	assert_int_equal(SEIZE(b, 0, 0, 1, 2), ANSWER_REFUSED);
	assert_true(says(b, 0, "itself"));
	struct input input = {.kind = INPUT_SEIZE};
	node_id nobody = 12345;
	input.seize.dead_count = 1;
	input.seize.dead = &nobody;
	band_input(b, 0, &input);
	assert_int_equal(b->nodes[0].code, ANSWER_REFUSED);
	assert_true(says(b, 0, "no member"));
	ask_seize(b, 0, 2, (uint32_t[]){1, 2});
	ask_seize(b, 0, 2, (uint32_t[]){1, 2});
	assert_true(says(b, 0, "seizing already"));
	band_free(b);
}

static void who_consented_is_frozen_until_it_hears_that_it_is_over(void **state)
{
	struct band *b = band_new(5, 5);
	band_run(b, 8 * SECOND);
	band_kill(b, 2);
	band_kill(b, 3);
	band_kill(b, 4);
	band_run(b, 12 * SECOND);
	ask_seize(b, 0, 3, (uint32_t[]){2, 3, 4});
	band_run(b, SECOND);
	struct status_view s;
	band_status(b, 1, &s);
	assert_true(s.consented_to == band_id(b, 0));
	assert_false(s.votes);
	band_kill(b, 0);
	/* durable: it neither votes nor consents to another, whatever comes back */
	assert_true(band_start(b, 1));
	assert_true(band_start(b, 2));
	assert_true(band_start(b, 3));
	band_run(b, 15 * SECOND);
	band_status(b, 1, &s);
	assert_true(s.consented_to == band_id(b, 0));
	assert_int_equal(band_master(b), BAND_MAX); /* two of five vote */
	/* its seizer comes back: a new start knows that the attempt is over */
	assert_true(band_start(b, 0));
	band_run(b, 15 * SECOND);
	band_status(b, 1, &s);
	assert_true(s.consented_to == 0);
	assert_int_not_equal(band_master(b), BAND_MAX);
	assert_int_equal(generation(b, 0), 1);
	assert_int_equal(b->overlaps, 0);
	band_free(b);
}

static void a_seizer_that_is_lost_is_named_dead_by_the_next(void **state)
{
	struct band *b = band_new(5, 5);
	band_run(b, 8 * SECOND);
	for (uint32_t i = 2; i < 5; i++)
		band_kill(b, i);
	band_run(b, 12 * SECOND);
	ask_seize(b, 0, 3, (uint32_t[]){2, 3, 4});
	band_run(b, SECOND);
	band_kill(b, 0);
	band_run(b, 12 * SECOND);
	assert_int_equal(SEIZE(b, 1, 2, 3, 4), ANSWER_REFUSED);
	assert_true(says(b, 1, "'a' is seizing"));
	assert_int_equal(SEIZE(b, 1, 0, 2, 3, 4), ANSWER_DONE);
	band_run(b, 3 * SECOND);
	assert_int_equal(generation(b, 1), 2);
	assert_int_equal(band_master(b), 1);
	band_free(b);
}

/* A follower that has not yet the entry that founded its generation, and has to seize already. */
static void those_named_dead_stay_named_when_an_older_founding_is_learned_meanwhile(void **state)
{
	struct band *b = band_new(6, 5);
	band_run(b, 8 * SECOND);
	for (uint32_t i = 1; i < 4; i++)
		band_kill(b, i);
	band_run(b, 12 * SECOND);
	ask_seize(b, 0, 3, (uint32_t[]){1, 2, 3});
	for (int i = 0; i < 8000 && generation(b, 0) != 2; i++)
		band_run(b, MILLISECOND);
	b->lost = MESSAGE_ENTRIES;
	for (int i = 0; i < 2000 && generation(b, 4) != 2; i++)
		band_run(b, MILLISECOND);
	band_cut(b, 4, 0);
	band_cut(b, 4, 5);
	b->lost = MESSAGE_NONE;
	band_run(b, 2 * SECOND);
	assert_int_equal(generation(b, 4), 2);
	assert_int_equal(generation(b, 5), 2);
	band_kill(b, 0);
	struct generation_view v;
	assert_false(gossip_generation_at(b->nodes[4].core, 0, &v));
	assert_true(gossip_generation_at(b->nodes[5].core, 0, &v));
	b->lost = MESSAGE_ENTRIES;
	band_heal(b);
	band_run(b, 15 * SECOND);
	assert_int_equal(SEIZE(b, 4, 0, 1, 2, 3), ANSWER_DONE);
	b->lost = MESSAGE_NONE;
	band_run(b, 5 * SECOND);
	assert_true(gossip_generation_at(b->nodes[4].core, 0, &v));
	assert_int_equal(v.number, 3);
	assert_int_equal(v.dead_count, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(v.dead[i] == band_id(b, i));
	struct status_view s;
	band_status(b, 4, &s);
	assert_int_equal(s.members_total, 2); /* the first founder is buried as well */
	assert_int_equal(generation(b, 5), 3);
	band_free(b);
}

/* A word that is seen to be wrong ends no consent: the seizer may be about to found. */
static void a_consent_stands_while_its_seizer_is_heard(void **state)
{
	struct band *b = band_new(6, 5);
	struct status_view s;
	band_run(b, 8 * SECOND);
	for (uint32_t i = 2; i < 5; i++)
		band_kill(b, i);
	band_cut(b, 0, 5);
	band_cut(b, 1, 5);
	band_run(b, 15 * SECOND);
	ask_seize(b, 0, 4, (uint32_t[]){2, 3, 4, 5});
	band_run(b, SECOND);
	band_status(b, 1, &s);
	assert_true(s.consented_to == band_id(b, 0));
	band_heal(b);
	band_cut(b, 0, 5);
	ask_seize(b, 5, 4, (uint32_t[]){0, 2, 3, 4});
	for (int i = 0; i < 50; i++) {
		band_run(b, 20 * MILLISECOND);
		band_status(b, 1, &s);
		assert_true(s.consented_to == band_id(b, 0) || generation(b, 1) == 2);
	}
	band_free(b);
}

/* Nor is the store pressed: everything is written anew now and then until it holds. */
static void a_consent_is_not_said_before_the_store_has_it(void **state)
{
	struct band *b = band_new(5, 5);
	struct status_view s;
	band_run(b, 8 * SECOND);
	for (uint32_t i = 2; i < 5; i++)
		band_kill(b, i);
	band_run(b, 12 * SECOND);
	b->nodes[1].failing = true;
	ask_seize(b, 0, 3, (uint32_t[]){2, 3, 4});
	uint64_t before = b->nodes[1].core->persist_number;
	band_run(b, 3 * SECOND);
	assert_true(b->nodes[1].core->persist_number - before < 10);
	band_status(b, 0, &s);
	assert_int_equal(s.seizing, SEIZE_SURVEYING);
	b->nodes[1].failing = false;
	assert_true(band_wait(b, 0, ANSWERED));
	assert_int_equal(b->nodes[0].code, ANSWER_DONE);
	band_run(b, 3 * SECOND);
	assert_int_equal(generation(b, 1), 2);
	band_free(b);
}

/* The others have a quorum again, without it: so it need not found anything to be free of its word. */
static void who_consented_to_a_seizer_that_is_lost_votes_again_when_it_is_named_dead(void **state)
{
	struct band *b = band_new(5, 5);
	struct status_view s;
	band_run(b, 8 * SECOND);
	for (uint32_t i = 2; i < 5; i++)
		band_kill(b, i);
	band_run(b, 12 * SECOND);
	ask_seize(b, 0, 3, (uint32_t[]){2, 3, 4});
	band_run(b, SECOND);
	band_kill(b, 0);
	for (uint32_t i = 2; i < 5; i++)
		assert_true(band_start(b, i));
	band_run(b, 15 * SECOND);
	assert_int_not_equal(band_master(b), BAND_MAX);
	band_status(b, 1, &s);
	assert_true(s.consented_to == band_id(b, 0));
	assert_int_equal(SEIZE(b, 1, 0), ANSWER_REFUSED);
	band_run(b, 5 * SECOND);
	band_status(b, 1, &s);
	assert_true(s.consented_to == 0);
	assert_true(s.votes);
	assert_int_equal(generation(b, 1), 1);
	band_free(b);
}

/* Who has followed and not yet learned the record says only that there is another generation. */
static void who_may_follow_waits_for_the_record_and_stops_at_no_mere_word(void **state)
{
	struct band *b = band_new(6, 5);
	struct generation_view v;
	struct status_view s;
	band_run(b, 8 * SECOND);
	for (uint32_t i = 1; i < 4; i++)
		band_kill(b, i);
	band_run(b, 12 * SECOND);
	ask_seize(b, 0, 3, (uint32_t[]){1, 2, 3});
	for (int i = 0; i < 4000 && b->nodes[0].core->seize.phase != SEIZE_WAITING; i++)
		band_run(b, MILLISECOND);
	band_cut(b, 5, 0);
	band_cut(b, 5, 4);
	b->lost = MESSAGE_ENTRIES;
	for (int i = 0; i < 4000 && generation(b, 4) != 2; i++)
		band_run(b, MILLISECOND);
	band_kill(b, 0);
	assert_int_equal(generation(b, 4), 2);
	assert_false(gossip_generation_at(b->nodes[4].core, 0, &v));
	band_heal(b);
	b->lost = MESSAGE_NONE;
	band_run(b, 10 * SECOND);
	assert_int_equal(standing(b, 5), STANDING_MEMBER);
	band_status(b, 5, &s);
	assert_true(s.consented_to == band_id(b, 0));
	assert_true(band_start(b, 0));
	band_run(b, 15 * SECOND);
	assert_int_equal(generation(b, 5), 2);
	assert_int_equal(standing(b, 5), STANDING_MEMBER);
	assert_int_equal(b->overlaps, 0);
	band_free(b);
}

static void what_a_follower_had_accepted_is_not_lost(void **state)
{
	struct band *b = band_new(5, 5);
	band_run(b, 8 * SECOND);
	uint32_t master = band_master(b);
	uint32_t seizer = master == 0 ? 1 : 0, holder = BAND_MAX;
	for (uint32_t i = 0; i < 5 && holder == BAND_MAX; i++)
		holder = i != master && i != seizer ? i : BAND_MAX;
	/* the seizer misses a write that a majority has */
	for (uint32_t i = 0; i < 5; i++) {
		if (i != seizer)
			band_cut(b, i, seizer);
	}
	assert_int_equal(band_put(b, master, "late", "kept"), ANSWER_DONE);
	uint32_t dead[3], count = 0;
	for (uint32_t i = 0; i < 5; i++) {
		if (i != seizer && i != holder) {
			band_kill(b, i);
			dead[count++] = i;
		}
	}
	band_heal(b);
	assert_string_equal(band_get(b, seizer, "late"), "");
	/* before it has caught up by itself */
	b->lost = MESSAGE_ENTRIES;
	band_run(b, 12 * SECOND);
	assert_int_equal(seize(b, seizer, count, dead), ANSWER_DONE);
	b->lost = MESSAGE_NONE;
	band_run(b, 5 * SECOND);
	assert_string_equal(band_get(b, seizer, "late"), "kept");
	assert_string_equal(band_get(b, holder, "late"), "kept");
	band_free(b);
}

/* One of five is dead; two sides of a cut, each of whose operators is wrong about the other. */
static struct band *rivals(void)
{
	struct band *b = band_new(5, 5);
	band_run(b, 8 * SECOND);
	band_kill(b, 4);
	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t k = 0; k < 4; k++) {
			if (i % 2 != k % 2)
				band_cut(b, i, k);
		}
	}
	band_run(b, 15 * SECOND);
	assert_int_equal(SEIZE(b, 0, 1, 3, 4), ANSWER_DONE);
	assert_int_equal(SEIZE(b, 1, 0, 2, 4), ANSWER_DONE);
	band_run(b, 5 * SECOND);
	assert_int_equal(generation(b, 2), 2);
	assert_int_equal(generation(b, 3), 2);
	return b;
}

static void of_two_rivals_both_are_alarmed_and_the_lower_stops(void **state)
{
	struct band *b = rivals();
	struct status_view one, other;
	band_status(b, 0, &one);
	band_status(b, 1, &other);
	uint32_t lower = memcmp(one.generation.hash.bytes, other.generation.hash.bytes, HASH_SIZE) < 0
	                     ? 0 : 1;
	band_heal(b);
	band_run(b, 20 * SECOND);
	for (uint32_t i = 0; i < 4; i++) {
		struct status_view s;
		band_status(b, i, &s);
		if (i % 2 != lower) {
			assert_int_equal(s.standing, STANDING_MEMBER);
			continue;
		}
		assert_int_equal(b->nodes[i].stopped_as, STANDING_OLD_GENERATION);
		assert_true(s.superseded_by_rival);
		assert_true(s.superseded_by == band_id(b, 1 - lower));
		assert_true(b->nodes[i].traces[RULE_RIVAL] > 0);
	}
	uint32_t winners = b->nodes[1 - lower].traces[RULE_RIVAL] + b->nodes[3 - lower].traces[RULE_RIVAL];
	assert_true(winners > 0);
	uint32_t before = b->overlaps;
	band_run(b, 5 * SECOND);
	assert_int_equal(b->overlaps, before);
	assert_int_equal(band_put(b, 1 - lower, "on", "1"), ANSWER_DONE);
	band_free(b);
}

static void two_seizers_that_hear_each_other_refuse_each_other(void **state)
{
	struct band *b = band_new(5, 5);
	band_run(b, 8 * SECOND);
	for (uint32_t i = 2; i < 5; i++)
		band_kill(b, i);
	band_run(b, 12 * SECOND);
	ask_seize(b, 0, 3, (uint32_t[]){2, 3, 4});
	ask_seize(b, 1, 3, (uint32_t[]){2, 3, 4});
	band_run(b, 15 * SECOND);
	assert_int_equal(b->nodes[0].code, ANSWER_REFUSED);
	assert_true(says(b, 0, "'b' is seizing itself"));
	assert_int_equal(b->nodes[1].code, ANSWER_REFUSED);
	assert_true(says(b, 1, "'a' is seizing itself"));
	assert_int_equal(generation(b, 0), 1);
	assert_int_equal(generation(b, 1), 1);
	band_free(b);
}

static void a_crash_while_founding_leaves_the_old_generation_or_the_new_one(void **state)
{
	for (int failing = 0; failing < 2; failing++) {
		struct band *b = band_new(3, 3);
		band_run(b, 8 * SECOND);
		band_kill(b, 1);
		band_kill(b, 2);
		band_run(b, 12 * SECOND);
		ask_seize(b, 0, 2, (uint32_t[]){1, 2});
		struct status_view s;
		do {
			band_run(b, MILLISECOND);
			band_status(b, 0, &s);
		} while (s.seizing != SEIZE_WAITING);
		b->nodes[0].hold = true;
		b->nodes[0].failing = failing == 1;
		while (standing(b, 0) != STANDING_STARTING)
			band_run(b, MILLISECOND);
		assert_int_equal(band_master(b), BAND_MAX);
		uint32_t answers = b->nodes[0].answers;
		if (failing) { /* not durable: nobody may know of it, and it is tried again */
			band_report(b, 0);
			band_run(b, SECOND);
			assert_int_equal(b->nodes[0].answers, answers);
			assert_int_equal(standing(b, 0), STANDING_STARTING);
		}
		band_kill(b, 0);
		b->nodes[0].hold = b->nodes[0].failing = false;
		assert_true(band_start(b, 0));
		band_run(b, 5 * SECOND);
		assert_int_equal(generation(b, 0), failing ? 1 : 2);
		assert_int_equal(band_master(b), failing ? BAND_MAX : 0);
		band_free(b);
	}
}

static void a_store_that_fails_for_a_while_delays_the_founding(void **state)
{
	struct band *b = band_new(3, 3);
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	ask_seize(b, 0, 2, (uint32_t[]){1, 2});
	band_run(b, 3 * SECOND);
	b->nodes[0].failing = true;
	band_run(b, 3 * SECOND);
	if (standing(b, 0) == STANDING_STARTING)
		assert_int_equal(band_master(b), BAND_MAX);
	b->nodes[0].failing = false;
	band_run(b, 15 * SECOND);
	band_kill(b, 0);
	assert_true(band_start(b, 0));
	band_run(b, 5 * SECOND);
	assert_true(generation(b, 0) == 1 || band_master(b) == 0);
	band_free(b);
}

static void a_follower_that_missed_the_word_is_told_when_it_is_heard(void **state)
{
	struct band *b = band_new(4, 3);
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	b->lost = MESSAGE_SEIZED;
	assert_int_equal(SEIZE(b, 0, 1, 2), ANSWER_DONE);
	band_run(b, 5 * SECOND);
	assert_int_equal(generation(b, 3), 1);
	band_cut(b, 0, 3);
	b->lost = MESSAGE_NONE;
	band_run(b, 90 * SECOND); /* nobody tells it by himself any more */
	assert_int_equal(standing(b, 3), STANDING_MEMBER);
	band_heal(b);
	band_run(b, 10 * SECOND);
	assert_int_equal(generation(b, 3), 2);
	assert_int_equal(standing(b, 3), STANDING_MEMBER);
	band_free(b);
}

static void nobody_follows_an_attempt_that_it_did_not_consent_to(void **state)
{
	struct band *b = band_new(4, 3);
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	b->lost = MESSAGE_SEIZED;
	assert_int_equal(SEIZE(b, 0, 1, 2), ANSWER_DONE);
	/* as if it had been withdrawn here and asked for anew */
	b->nodes[3].core->durable.consent_attempt++;
	b->lost = MESSAGE_NONE;
	band_run(b, 5 * SECOND);
	assert_int_equal(b->nodes[3].stopped_as, STANDING_OLD_GENERATION);
	band_free(b);
}

static void a_forged_record_is_not_believed(void **state)
{
	struct band *b = band_new(4, 3);
	band_run(b, 8 * SECOND);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	b->lost = MESSAGE_SEIZED;
	assert_int_equal(SEIZE(b, 0, 1, 2), ANSWER_DONE);
	struct seized r;
	assert_true(generation_record(b->nodes[0].core, 2, &r));
	r.index++; /* neither its hash nor its signature fits any more */
	static uint8_t bytes[FRAME_MAX];
	struct envelope e = {.kind = MESSAGE_SEIZED, .wire = 2, .incarnation = 2, .seized = r};
	struct input input = {.kind = INPUT_FRAME};
	input.frame.stream = 1;
	input.frame.from = band_id(b, 0);
	input.frame.bytes = (struct bytes){bytes, envelope_encode(&e, bytes, sizeof bytes)};
	band_input(b, 3, &input);
	assert_int_equal(generation(b, 3), 1);
	assert_int_equal(standing(b, 3), STANDING_MEMBER);
	assert_true(b->nodes[3].core->dropped[DROP_SIGNATURE] > 0);
	band_free(b);
}

/* ---- restore ---- */

static void restore_begin(struct band *b, uint32_t at)
{
	struct input input = {.kind = INPUT_RESTORE};
	input.restore.step = RESTORE_BEGIN;
	input.restore.name = "r";
	input.restore.cluster = (struct cluster_id){{9, 9, 9}};
	input.restore.generation = (struct generation){3, {{1, 2, 3}}};
	input.restore.index = 500;
	band_input(b, at, &input);
}

static void restore_row(struct band *b, uint32_t at, enum restore_table table, const char *key,
                        const char *value, uint64_t version)
{
	struct input input = {.kind = INPUT_RESTORE};
	input.restore.step = RESTORE_ROW;
	input.restore.table = table;
	input.restore.key = text_bytes(key);
	input.restore.value = text_bytes(value);
	input.restore.version = version;
	input.restore.changed_wall = SECOND;
	band_input(b, at, &input);
}

static void restore_step(struct band *b, uint32_t at, enum restore_step step)
{
	struct input input = {.kind = INPUT_RESTORE};
	input.restore.step = step;
	band_input(b, at, &input);
}

static void a_backup_becomes_the_next_generation_of_its_cluster(void **state)
{
	struct band *b = band_new_blank(1);
	assert_true(band_start(b, 0));
	restore_begin(b, 0);
	restore_row(b, 0, RESTORE_SETTING, "profile", "lan", 0);
	restore_row(b, 0, RESTORE_KV, "motd", "hello", 300);
	assert_int_equal(b->nodes[0].outcomes, 0);
	assert_int_equal(b->nodes[0].store.durable_size, 0); /* nothing yet */
	restore_step(b, 0, RESTORE_END);
	assert_int_equal(b->nodes[0].outcomes, 1);
	assert_true(b->nodes[0].outcome_done);
	band_run(b, 5 * SECOND);
	for (int start = 0; start < 2; start++) {
		struct status_view s;
		struct generation_view v;
		band_status(b, 0, &s);
		assert_int_equal(s.generation.number, 4);
		assert_int_equal(s.config.profile, PROFILE_LAN);
		assert_int_equal(s.members_total, 1);
		assert_int_equal(band_master(b), 0);
		assert_string_equal(band_get(b, 0, "motd"), "hello");
		assert_true(gossip_generation_at(b->nodes[0].core, 0, &v));
		assert_true(v.restored && v.by == band_id(b, 0) && v.old.bytes[1] == 2);
		assert_int_equal(band_put(b, 0, "more", "x"), ANSWER_DONE);
		assert_true(band_start(b, 0));
		band_run(b, 5 * SECOND);
	}
	band_free(b);
}

static void a_backup_that_is_not_legal_leaves_the_node_blank(void **state)
{
	struct band *b = band_new_blank(1);
	assert_true(band_start(b, 0));
	for (int bad = 0; bad < 5; bad++) {
		uint32_t before = b->nodes[0].outcomes;
		restore_begin(b, 0);
		restore_row(b, 0, RESTORE_KV, "motd", "hello", 300);
		if (bad == 0)
			restore_row(b, 0, RESTORE_KV, "motd", "again", 301);
		else if (bad == 1)
			restore_row(b, 0, RESTORE_KV, "newer", "x", 501);
		else if (bad == 2)
			restore_row(b, 0, RESTORE_SETTING, "no-such", "x", 0);
		else if (bad == 3)
			restore_row(b, 0, RESTORE_SETTING, "voters", "6", 0);
		else
			restore_step(b, 0, RESTORE_ABANDON);
		assert_int_equal(b->nodes[0].outcomes, before + 1);
		assert_false(b->nodes[0].outcome_done);
		restore_step(b, 0, RESTORE_END); /* too late: changes nothing */
		assert_int_equal(standing(b, 0), STANDING_BLANK);
		assert_int_equal(b->nodes[0].store.durable_size, 0);
		assert_string_equal(band_get(b, 0, "motd"), "");
	}
	struct input input = {.kind = INPUT_INIT};
	input.init.name = "fresh";
	input.init.cluster = (struct cluster_id){{1}};
	band_input(b, 0, &input);
	assert_true(b->nodes[0].outcome_done);
	band_free(b);
}

static void only_a_blank_node_takes_a_backup(void **state)
{
	struct band *b = band_new(2, 2);
	band_run(b, 5 * SECOND);
	restore_begin(b, 0);
	assert_int_equal(b->nodes[0].outcomes, 1);
	assert_false(b->nodes[0].outcome_done);
	assert_int_equal(standing(b, 0), STANDING_MEMBER);
	band_free(b);
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_survivor_founds_a_generation_and_those_who_consent_follow),
		cmocka_unit_test(the_wait_is_for_the_longest_lease_that_any_config_may_have_given),
		cmocka_unit_test(a_record_says_who_seized_and_whom_he_named),
		cmocka_unit_test(the_dead_that_come_back_are_told_and_stop),
		cmocka_unit_test(an_old_master_behind_a_cut_stops_when_it_is_told),
		cmocka_unit_test(it_is_refused_while_there_is_a_master_or_a_quorum),
		cmocka_unit_test(it_is_refused_while_somebody_named_dead_answers),
		cmocka_unit_test(it_is_refused_while_a_silent_member_is_not_named),
		cmocka_unit_test(it_is_refused_where_most_voters_are_members_that_the_ledger_does_not_hold_yet),
		cmocka_unit_test(words_that_make_no_sense_are_refused),
		cmocka_unit_test(who_consented_is_frozen_until_it_hears_that_it_is_over),
		cmocka_unit_test(a_seizer_that_is_lost_is_named_dead_by_the_next),
		cmocka_unit_test(those_named_dead_stay_named_when_an_older_founding_is_learned_meanwhile),
		cmocka_unit_test(a_consent_stands_while_its_seizer_is_heard),
		cmocka_unit_test(a_consent_is_not_said_before_the_store_has_it),
		cmocka_unit_test(
			who_consented_to_a_seizer_that_is_lost_votes_again_when_it_is_named_dead),
		cmocka_unit_test(who_may_follow_waits_for_the_record_and_stops_at_no_mere_word),
		cmocka_unit_test(what_a_follower_had_accepted_is_not_lost),
		cmocka_unit_test(of_two_rivals_both_are_alarmed_and_the_lower_stops),
		cmocka_unit_test(two_seizers_that_hear_each_other_refuse_each_other),
		cmocka_unit_test(a_crash_while_founding_leaves_the_old_generation_or_the_new_one),
		cmocka_unit_test(a_store_that_fails_for_a_while_delays_the_founding),
		cmocka_unit_test(a_follower_that_missed_the_word_is_told_when_it_is_heard),
		cmocka_unit_test(nobody_follows_an_attempt_that_it_did_not_consent_to),
		cmocka_unit_test(a_forged_record_is_not_believed),
		cmocka_unit_test(a_backup_becomes_the_next_generation_of_its_cluster),
		cmocka_unit_test(a_backup_that_is_not_legal_leaves_the_node_blank),
		cmocka_unit_test(only_a_blank_node_takes_a_backup),
	};
	int started = seal_start();
	if (count > 1)
		cmocka_set_test_filter(words[1]);
	assert_int_equal(started, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
