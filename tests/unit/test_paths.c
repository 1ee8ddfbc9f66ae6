/* Paths: several addresses a node, and what happens when one network of several is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "swarm.h"
#include "text.h"

static uint32_t count_state(const struct member_view *view, enum path_state state)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < view->path_count; i++)
		count += view->paths[i].state == state;
	return count;
}

static const struct path_view *used_path(const struct member_view *view)
{
	for (uint32_t i = 0; i < view->path_count; i++) {
		if (view->paths[i].used)
			return &view->paths[i];
	}
	fail_msg("no path is in use");
	return NULL;
}

static uint32_t all_traces(const struct swarm *s, enum rule rule)
{
	return swarm_traces(s, SWARM_MAX, rule, SWARM_MAX);
}

static void assert_nobody_is_suspect(const struct swarm *s)
{
	assert_int_equal(all_traces(s, RULE_SUSPECT), 0);
	assert_int_equal(all_traces(s, RULE_UNREACHABLE), 0);
	for (uint32_t i = 0; i < s->count; i++) {
		for (uint32_t k = 0; k < s->count; k++)
			assert_int_equal(swarm_state(s, i, k), REACHABLE);
	}
}

static void one_address_is_one_path_and_costs_nothing(void **state)
{
	struct swarm *s = swarm_new(3, SEAL_QUICK);
	swarm_run(s, 20 * SECOND);
	struct member_view view = swarm_view(s, 0, 1);
	assert_int_equal(view.path_count, 1);
	assert_int_equal(view.paths[0].state, PATH_UP);
	assert_true(view.paths[0].used);
	assert_true(view.paths[0].round_trip > 0);
	/* every probe is one of the membership's own: two turns a second at each of three nodes */
	assert_true(s->sent[MESSAGE_PROBE] <= 3 * 20 * 22 / 10 + 12);
	assert_int_equal(swarm_view(s, 0, 0).path_count, 0);
	swarm_free(s);
}

static void every_pair_of_addresses_is_tried(void **state)
{
	struct swarm *s = swarm_new_on(3, SEAL_QUICK, 2);
	swarm_run(s, 10 * SECOND);
	for (uint32_t at = 0; at < 3; at++) {
		for (uint32_t of = 0; of < 3; of++) {
			struct member_view view = swarm_view(s, at, of);
			if (at == of)
				continue;
			assert_int_equal(view.path_count, 4);
			assert_int_equal(count_state(&view, PATH_UP), 4);
			struct address first = swarm_address_in(of, 0);
			assert_true(address_equal(&used_path(&view)->remote, &first));
		}
	}
	assert_nobody_is_suspect(s);
	swarm_free(s);
}

static void check_net_dies(uint32_t count, uint32_t net)
{
	struct swarm *s = swarm_new_on(count, SEAL_QUICK, 2);
	swarm_run(s, 10 * SECOND);
	for (uint32_t i = 0; i < count; i++)
		swarm_unplug(s, i, net);
	swarm_run(s, 20 * SECOND);
	assert_nobody_is_suspect(s);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t of = (i + 1) % count;
		struct member_view view = swarm_view(s, i, of);
		struct address other = swarm_address_in(of, 1 - net);
		struct address ours = swarm_address_in(i, 1 - net);
		assert_int_equal(count_state(&view, PATH_UP), 1);
		assert_int_equal(count_state(&view, PATH_DOWN), 3);
		assert_int_equal(used_path(&view)->state, PATH_UP);
		assert_true(address_equal(&used_path(&view)->remote, &other));
		assert_true(address_equal(&used_path(&view)->local, &ours));
	}
	assert_int_equal(all_traces(s, RULE_PATH_DOWN), count * (count - 1));
	assert_int_equal(all_traces(s, RULE_CROSS_DOWN), count * (count - 1) * 2);
	swarm_heal(s);
	swarm_run(s, 20 * SECOND);
	assert_int_equal(all_traces(s, RULE_PATH_UP), count * (count - 1));
	assert_int_equal(all_traces(s, RULE_CROSS_UP), count * (count - 1) * 2);
	struct member_view view = swarm_view(s, 0, 1);
	assert_int_equal(count_state(&view, PATH_UP), 4);
	assert_nobody_is_suspect(s);
	swarm_free(s);
}

static void a_dead_network_of_two_is_shown_and_nobody_is_suspected(void **state)
{
	check_net_dies(3, 0);
	check_net_dies(3, 1);
	check_net_dies(5, 0);
	check_net_dies(12, 0);
}

/* What a node hears by a path does not say that it is heard by it. */
static void a_path_that_works_one_way_only_is_down(void **state)
{
	struct swarm *s = swarm_new_on(3, SEAL_QUICK, 2);
	swarm_run(s, 10 * SECOND);
	s->mute[0][0] = true;
	swarm_run(s, 20 * SECOND);
	assert_nobody_is_suspect(s);
	assert_true(swarm_traces(s, 0, RULE_PATH_DOWN, 1) > 0);
	assert_true(swarm_traces(s, 1, RULE_PATH_DOWN, 0) > 0);
	struct member_view mine = swarm_view(s, 0, 1), theirs = swarm_view(s, 1, 0);
	struct address second = swarm_address_in(1, 1), own = swarm_address_in(0, 1);
	assert_true(address_equal(&used_path(&mine)->remote, &second));
	assert_true(address_equal(&used_path(&theirs)->remote, &own));
	assert_int_equal(used_path(&mine)->state, PATH_UP);
	assert_int_equal(used_path(&theirs)->state, PATH_UP);
	swarm_free(s);
}

/* It answers by none: the member is what is gone, and no path is called down for it. */
static void a_dead_member_has_no_dead_path(void **state)
{
	struct swarm *s = swarm_new_on(4, SEAL_QUICK, 2);
	swarm_run(s, 10 * SECOND);
	instant dead = s->time;
	swarm_cut(s, 3, true, true);
	swarm_run(s, 20 * SECOND);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(swarm_state(s, i, 3), UNREACHABLE);
		assert_int_equal(swarm_traces(s, i, RULE_PATH_DOWN, 3), 0);
		struct member_view view = swarm_view(s, i, 3);
		assert_int_equal(count_state(&view, PATH_UNKNOWN), 4);
	}
	assert_true(swarm_all_traced(s, RULE_UNREACHABLE, 3, dead) - dead < 6 * SECOND);
	swarm_heal(s);
	swarm_run(s, 20 * SECOND);
	struct member_view view = swarm_view(s, 0, 3);
	assert_int_equal(view.state, REACHABLE);
	assert_int_equal(count_state(&view, PATH_UP), 4);
	swarm_free(s);
}

static void refuse(struct swarm *s, uint32_t at, struct address from)
{
	swarm_input(s, at, &(struct input){.kind = INPUT_REFUSED, .refused = {.from = from}});
}

static void a_refusal_by_one_path_of_two_accuses_nobody(void **state)
{
	struct swarm *s = swarm_new_on(3, SEAL_QUICK, 2);
	swarm_run(s, 10 * SECOND);
	refuse(s, 0, swarm_address_in(1, 0));
	swarm_run(s, MILLISECOND / 2);
	struct member_view view = swarm_view(s, 0, 1);
	struct address second = swarm_address_in(1, 1);
	assert_true(address_equal(&used_path(&view)->remote, &second));
	swarm_run(s, 10 * SECOND);
	assert_int_equal(all_traces(s, RULE_REFUSED), 0);
	assert_int_equal(all_traces(s, RULE_PATH_DOWN), 0); /* the probe after it was answered */
	assert_nobody_is_suspect(s);
	swarm_free(s);
}

static void a_dead_daemon_refuses_by_every_path_and_is_accused(void **state)
{
	struct swarm *s = swarm_new_on(3, SEAL_QUICK, 2);
	swarm_run(s, 10 * SECOND);
	instant dead = s->time;
	swarm_kill(s, 2);
	swarm_run(s, 10 * SECOND);
	assert_true(swarm_traces(s, SWARM_MAX, RULE_REFUSED, 2) > 0);
	assert_int_equal(swarm_traces(s, SWARM_MAX, RULE_PATH_DOWN, 2), 0);
	assert_true(swarm_all_traced(s, RULE_UNREACHABLE, 2, dead) - dead < 4 * SECOND);
	swarm_free(s);
}

/* The first of one and the second of the other: no path is left, but a third one reaches both. */
static void two_that_have_no_network_in_common_are_reached_by_a_third(void **state)
{
	struct swarm *s = swarm_new_on(3, SEAL_QUICK, 2);
	swarm_run(s, 10 * SECOND);
	swarm_unplug(s, 0, 0);
	swarm_unplug(s, 1, 1);
	swarm_run(s, 30 * SECOND);
	assert_int_equal(all_traces(s, RULE_UNREACHABLE), 0);
	assert_true(swarm_traces(s, 2, RULE_PATH_DOWN, 0) > 0);
	assert_true(swarm_traces(s, 2, RULE_PATH_DOWN, 1) > 0);
	swarm_free(s);
}

static void who_comes_back_elsewhere_is_found_there(void **state)
{
	struct swarm *s = swarm_new_on(3, SEAL_QUICK, 2);
	swarm_run(s, 10 * SECOND);
	s->nodes[2].first_net = 4;
	swarm_start(s, 2);
	swarm_run(s, 20 * SECOND);
	for (uint32_t i = 0; i < 2; i++) {
		struct member_view view = swarm_view(s, i, 2);
		assert_int_equal(view.state, REACHABLE);
		assert_int_equal(view.path_count, 4); /* what it says now, and nothing of before */
		assert_int_equal(count_state(&view, PATH_UP), 4);
		struct address first = swarm_address_in(2, 4), second = swarm_address_in(2, 5);
		for (uint32_t k = 0; k < 4; k++)
			assert_true(address_equal(&view.paths[k].remote, &first) ||
			            address_equal(&view.paths[k].remote, &second));
	}
	swarm_free(s);
}

/* Its own word, signed; but only a word. */
static void nonsense_as_addresses_changes_nothing(void **state)
{
	struct swarm *s = swarm_new_on(3, SEAL_QUICK, 2);
	const char *said[] = {"", ",", "10.0.0.1:7800,", "1.2.3.4,1.2.3.5,1.2.3.6,1.2.3.7,1.2.3.8",
		"example.org", "127.0.1.2:7800 127.0.2.2:7800"};
	swarm_run(s, 5 * SECOND);
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		struct input input = {.kind = INPUT_PUBLISH};
		input.publish.key = text_bytes("addresses");
		input.publish.value = text_bytes(said[i]);
		swarm_input(s, 1, &input);
		swarm_run(s, 2 * SECOND);
		struct member_view view = swarm_view(s, 0, 1);
		assert_int_equal(view.path_count, 4);
		assert_int_equal(count_state(&view, PATH_UP), 4);
	}
	assert_nobody_is_suspect(s);
	swarm_free(s);
}

static bool fact_of(const struct swarm *s, uint32_t at, uint32_t owner, const char *key,
                    char out[FACT_INLINE_MAX + 1])
{
	struct fact_view fact;
	struct now now = swarm_now(s);
	for (uint32_t i = 0; gossip_fact_at(s->nodes[at].core, &now, i, &fact); i++) {
		if (fact.owner != swarm_id(s, owner) || fact.key.size != strlen(key) ||
		    memcmp(fact.key.data, key, fact.key.size) != 0 || fact.tombstone)
			continue;
		memcpy(out, fact.value.data, fact.value.size);
		out[fact.value.size] = '\0';
		return true;
	}
	return false;
}

static void a_dead_path_is_told_to_all_until_it_is_back(void **state)
{
	struct swarm *s = swarm_new_on(4, SEAL_QUICK, 2);
	char text[FACT_INLINE_MAX + 1];
	swarm_run(s, 10 * SECOND);
	assert_false(fact_of(s, 3, 0, "paths", text));
	swarm_unplug(s, 0, 1);
	swarm_run(s, 20 * SECOND);
	assert_true(fact_of(s, 3, 0, "paths", text));
	assert_non_null(strstr(text, "n2 127.0.2.1:7800 > 127.0.2.2:7800"));
	assert_true(fact_of(s, 3, 1, "paths", text));
	assert_non_null(strstr(text, "n1 127.0.2.2:7800 > 127.0.2.1:7800"));
	swarm_heal(s);
	swarm_run(s, 20 * SECOND);
	assert_false(fact_of(s, 3, 0, "paths", text));
	assert_false(fact_of(s, 3, 1, "paths", text));
	swarm_free(s);
}

/* More than one packet's worth of dead paths is cut, not lost. */
static void many_dead_paths_fit_one_fact(void **state)
{
	struct swarm *s = swarm_new_on(24, SEAL_QUICK, 2);
	char text[FACT_INLINE_MAX + 1];
	swarm_run(s, 15 * SECOND);
	swarm_unplug(s, 0, 1);
	swarm_run(s, 60 * SECOND);
	assert_true(fact_of(s, 3, 0, "paths", text));
	assert_non_null(strstr(text, " and more"));
	assert_nobody_is_suspect(s);
	swarm_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_is_one_path_and_costs_nothing),
		cmocka_unit_test(every_pair_of_addresses_is_tried),
		cmocka_unit_test(a_dead_network_of_two_is_shown_and_nobody_is_suspected),
		cmocka_unit_test(a_path_that_works_one_way_only_is_down),
		cmocka_unit_test(a_dead_member_has_no_dead_path),
		cmocka_unit_test(a_refusal_by_one_path_of_two_accuses_nobody),
		cmocka_unit_test(a_dead_daemon_refuses_by_every_path_and_is_accused),
		cmocka_unit_test(two_that_have_no_network_in_common_are_reached_by_a_third),
		cmocka_unit_test(who_comes_back_elsewhere_is_found_there),
		cmocka_unit_test(nonsense_as_addresses_changes_nothing),
		cmocka_unit_test(a_dead_path_is_told_to_all_until_it_is_back),
		cmocka_unit_test(many_dead_paths_fit_one_fact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
