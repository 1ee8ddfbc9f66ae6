/* Who should vote: every small cluster enumerated, and the cases that people meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quorum.h"
#include "voters_plan.h"

#define MASTER 1
#define STEPS_MAX 64

/* ---- making facts ---- */

/* What a member can be; the first letter says whether it votes. */
enum being { V_WELL, V_SILENT, V_STALE, V_LEAVING, V_LEAVING_DEAD, M_WELL, M_SILENT, BEINGS };

static struct voter_fact fact(node_id node, enum being being, bool witness)
{
	struct voter_fact f = {.node = node, .voter = being < M_WELL, .witness = witness};
	f.staying = being != V_LEAVING && being != V_LEAVING_DEAD;
	f.answers = being == V_WELL || being == V_LEAVING || being == M_WELL;
	f.stale = being == V_STALE || being == V_LEAVING_DEAD;
	return f;
}

static void add(struct voter_facts *facts, enum being being, bool witness)
{
	struct voter_fact f = fact(facts->count + MASTER, being, witness);
	facts->nodes += f.staying && !witness;
	facts->witnesses += f.staying && witness;
	facts->list[facts->count++] = f;
}

static struct voter_facts begin(uint32_t wish)
{
	struct voter_facts facts = {.master = MASTER, .wish = wish};
	add(&facts, V_WELL, false);
	return facts;
}

/* "v" votes and is well, "s" silent, "x" stale, "l" leaves, "d" leaves and is dead, "m" a member
 * that is well, "u" one that is not; capitals: witnesses. */
static struct voter_facts facts_of(const char *others, uint32_t wish)
{
	static const char letters[] = "vsxldmu";
	struct voter_facts facts = begin(wish);
	for (; *others != '\0'; others++) {
		bool witness = *others < 'a';
		const char *at = strchr(letters, witness ? *others - 'A' + 'a' : *others);
		assert_non_null(at);
		add(&facts, (enum being)(at - letters), witness);
	}
	return facts;
}

/* ---- following a plan ---- */

static uint32_t voters_of(const struct voter_facts *facts, bool witness)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < facts->count; i++)
		count += facts->list[i].voter && facts->list[i].witness == witness;
	return count;
}

static uint32_t answering(const struct voter_facts *facts)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < facts->count; i++)
		count += facts->list[i].voter && facts->list[i].answers;
	return count;
}

static uint32_t all_voters(const struct voter_facts *facts)
{
	return voters_of(facts, false) + voters_of(facts, true);
}

static bool quorate(const struct voter_facts *facts)
{
	return answering(facts) >= quorum_needed(all_voters(facts));
}

static void take(struct voter_facts *facts, const struct voters_plan *plan)
{
	for (uint32_t i = 0; i < facts->count; i++) {
		struct voter_fact *f = &facts->list[i];
		if (f->node == plan->node) {
			assert_int_equal(f->voter, plan->move == VOTERS_DROP);
			f->voter = !f->voter;
		}
	}
}

/* Takes steps until the plan keeps the set or is stuck; every set on the way can agree. */
static enum voters_move follow(struct voter_facts *facts)
{
	struct voters_plan plan;
	for (int i = 0; i < STEPS_MAX; i++) {
		voters_plan(facts, &plan);
		if (plan.move == VOTERS_KEEP || plan.move == VOTERS_STUCK)
			return plan.move;
		assert_int_not_equal(plan.node, MASTER);
		bool before = quorate(facts);
		take(facts, &plan);
		assert_in_range(all_voters(facts), 1, VOTERS_MAX);
		assert_true(!before || quorate(facts));
	}
	fail_msg("the plan never comes to rest");
	return VOTERS_KEEP;
}

static void expect_end(const char *others, uint32_t wish, const char *voters, enum voters_move move)
{
	struct voter_facts facts = facts_of(others, wish);
	assert_int_equal(follow(&facts), move);
	for (uint32_t i = 1; i < facts.count; i++) {
		if (facts.list[i].voter != (voters[i - 1] == 'v'))
			fail_msg("%s: member %u ends as %s", others, i,
			         facts.list[i].voter ? "v" : "-");
	}
}

static struct voters_plan next_of(const char *others)
{
	struct voter_facts facts = facts_of(others, 0);
	struct voters_plan plan;
	voters_plan(&facts, &plan);
	return plan;
}

/* ---- how many ---- */

static void one_two_three_and_from_five_on_five_vote(void **state)
{
	static const uint32_t wanted[] = {0, 1, 2, 3, 3, 5, 5, 5, 5};
	(void)state;
	for (uint32_t n = 1; n <= 8; n++)
		assert_int_equal(voters_size(n, 0, 0), wanted[n]);
}

static void a_wish_counts_as_far_as_members_allow(void **state)
{
	(void)state;
	assert_int_equal(voters_size(9, 0, 7), 7);
	assert_int_equal(voters_size(9, 0, 3), 3);
	assert_int_equal(voters_size(6, 0, 7), 5);
	assert_int_equal(voters_size(4, 0, 5), 3);
	assert_int_equal(voters_size(2, 0, 3), 2);
	assert_int_equal(voters_size(1, 0, 7), 1);
}

static void witnesses_are_less_than_half_of_any_size(void **state)
{
	(void)state;
	assert_int_equal(voters_size(2, 1, 0), 3);
	assert_int_equal(voters_size(1, 1, 0), 1);
	assert_int_equal(voters_size(1, 4, 0), 1);
	assert_int_equal(voters_size(3, 2, 0), 5);
	assert_int_equal(voters_size(2, 5, 7), 3);
}

/* ---- which ---- */

static void a_cluster_grows_as_members_join(void **state)
{
	(void)state;
	expect_end("m", 0, "v", VOTERS_KEEP);
	expect_end("mm", 0, "vv", VOTERS_KEEP);
	expect_end("mmm", 0, "vv-", VOTERS_KEEP);
	expect_end("mmmm", 0, "vvvv", VOTERS_KEEP);
	expect_end("mmmmmmm", 7, "vvvvvv-", VOTERS_KEEP);
}

static void three_do_not_become_four_for_want_of_a_fifth(void **state)
{
	(void)state;
	expect_end("vvmu", 0, "vv--", VOTERS_KEEP);
	expect_end("vvvu", 0, "vvv-", VOTERS_KEEP); /* but four that are there stay */
}

static void a_witness_takes_the_place_it_is_for(void **state)
{
	(void)state;
	expect_end("mM", 0, "vv", VOTERS_KEEP);
	expect_end("vvM", 0, "v-v", VOTERS_KEEP);
	expect_end("vvU", 0, "vv-", VOTERS_KEEP);
	expect_end("M", 0, "-", VOTERS_KEEP);
	expect_end("vmMM", 0, "vvvv", VOTERS_KEEP);
	expect_end("mMM", 0, "vv-", VOTERS_KEEP);
}

static void a_silent_voter_stays_until_it_is_stale_and_another_is_well(void **state)
{
	(void)state;
	expect_end("vsm", 0, "vv-", VOTERS_KEEP);
	expect_end("vxu", 0, "vv-", VOTERS_KEEP);
	expect_end("vxm", 0, "v-v", VOTERS_KEEP);
	expect_end("vx", 0, "vv", VOTERS_KEEP);
	expect_end("vvxxm", 0, "vvv-v", VOTERS_KEEP);
	expect_end("vXm", 0, "v-v", VOTERS_KEEP);
}

static void the_living_leaver_goes_after_its_heir_the_dead_one_before(void **state)
{
	(void)state;
	assert_int_equal(next_of("vlm").move, VOTERS_ADD);
	assert_int_equal(next_of("vlm").replaced, 3);
	assert_int_equal(next_of("vdm").move, VOTERS_DROP);
	assert_int_equal(next_of("vxm").move, VOTERS_DROP);
	/* but not if the others could not agree without it */
	assert_int_equal(next_of("lsm").move, VOTERS_ADD);
	expect_end("lsm", 0, "-vv", VOTERS_KEEP);
}

static void of_seven_one_goes_before_another_comes(void **state)
{
	struct voter_facts facts = facts_of("vvvvvlmm", 7);
	struct voters_plan plan;
	(void)state;
	voters_plan(&facts, &plan);
	assert_int_equal(plan.move, VOTERS_DROP);
	expect_end("vvvvvlmm", 7, "vvvvv-v-", VOTERS_KEEP);
}

static void who_learns_already_is_not_passed_by(void **state)
{
	struct voter_facts facts = facts_of("mmm", 0);
	struct voters_plan plan;
	(void)state;
	facts.list[2].learning = true;
	voters_plan(&facts, &plan);
	assert_int_equal(plan.node, 3);
}

/* ---- may it go? ---- */

static bool can_go(const char *others, node_id subject, struct voters_plan *plan)
{
	struct voter_facts facts = facts_of(others, 0);
	if (subject == MASTER) {
		facts.list[0].staying = false;
		facts.nodes--;
	}
	return voters_can_go(&facts, subject, plan);
}

static void a_voter_may_go_if_the_others_can_agree_without_it(void **state)
{
	struct voters_plan plan;
	(void)state;
	assert_true(can_go("l", 2, &plan));
	assert_true(can_go("lv", 2, &plan));
	assert_true(can_go("dv", 2, &plan));
	assert_true(can_go("lL", 2, &plan));
	assert_true(can_go("lsm", 2, &plan));
	assert_false(can_go("ls", 2, &plan));
	assert_int_equal(plan.move, VOTERS_STUCK);
	assert_int_equal(plan.answering, 1);
	assert_int_equal(plan.needed, 2);
}

static void a_master_may_go_if_another_can_be_master(void **state)
{
	struct voters_plan plan;
	(void)state;
	assert_true(can_go("v", MASTER, &plan));
	assert_true(can_go("m", MASTER, &plan));
	assert_true(can_go("vV", MASTER, &plan));
	assert_false(can_go("V", MASTER, &plan));
	assert_int_equal(plan.move, VOTERS_KEEP);
	assert_false(can_go("uM", MASTER, &plan));
	assert_int_equal(plan.move, VOTERS_KEEP);
	assert_false(can_go("vs", MASTER, &plan));
	assert_int_equal(plan.move, VOTERS_STUCK);
}

/* ---- every small cluster ---- */

static void check_end(const struct voter_facts *facts, enum voters_move move)
{
	uint32_t size = all_voters(facts);
	if (move == VOTERS_STUCK)
		return;
	assert_true(voters_of(facts, true) <= (size - 1) / 2);
	for (uint32_t i = 0; i < facts->count; i++)
		assert_true(!facts->list[i].voter || facts->list[i].staying || i == 0);
}

/* A voter that stays a member, and is silent or stale, is let go for another, for a smaller set,
 * or as a witness too many. */
static void check_silent_go_for_others_only(const struct voter_facts *before,
                                            const struct voter_facts *after)
{
	uint32_t lost = 0, came = 0;
	for (uint32_t i = 0; i < before->count; i++) {
		const struct voter_fact *a = &before->list[i], *b = &after->list[i];
		lost += a->voter && a->staying && !a->answers && !b->voter;
		came += !a->voter && b->voter;
	}
	if (lost <= came)
		return;
	uint32_t wanted = voters_size(before->nodes, before->witnesses, before->wish);
	uint32_t stay = 0, witnesses = 0;
	for (uint32_t i = 0; i < before->count; i++) {
		stay += before->list[i].voter && before->list[i].staying;
		witnesses +=
		    before->list[i].voter && before->list[i].staying && before->list[i].witness;
	}
	assert_true(stay > wanted || witnesses > (stay - 1) / 2);
}

static void check_all(uint32_t others, uint32_t wish)
{
	uint64_t cases = 1;
	for (uint32_t i = 0; i < others; i++)
		cases *= 2 * BEINGS;
	for (uint64_t n = 0; n < cases; n++) {
		struct voter_facts facts = begin(wish), before;
		uint64_t rest = n;
		for (uint32_t i = 0; i < others; i++, rest /= 2 * BEINGS)
			add(&facts, (enum being)(rest % BEINGS), rest / BEINGS % 2 == 1);
		before = facts;
		enum voters_move move = follow(&facts);
		check_end(&facts, move);
		if (move == VOTERS_KEEP && quorate(&before))
			check_silent_go_for_others_only(&before, &facts);
	}
}

static void every_cluster_of_up_to_five_comes_to_rest_and_can_agree_on_the_way(void **state)
{
	(void)state;
	for (uint32_t others = 0; others <= 4; others++) {
		check_all(others, 0);
		check_all(others, 3);
		check_all(others, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_two_three_and_from_five_on_five_vote),
	    cmocka_unit_test(a_wish_counts_as_far_as_members_allow),
	    cmocka_unit_test(witnesses_are_less_than_half_of_any_size),
	    cmocka_unit_test(a_cluster_grows_as_members_join),
	    cmocka_unit_test(three_do_not_become_four_for_want_of_a_fifth),
	    cmocka_unit_test(a_witness_takes_the_place_it_is_for),
	    cmocka_unit_test(a_silent_voter_stays_until_it_is_stale_and_another_is_well),
	    cmocka_unit_test(the_living_leaver_goes_after_its_heir_the_dead_one_before),
	    cmocka_unit_test(of_seven_one_goes_before_another_comes),
	    cmocka_unit_test(who_learns_already_is_not_passed_by),
	    cmocka_unit_test(a_voter_may_go_if_the_others_can_agree_without_it),
	    cmocka_unit_test(a_master_may_go_if_another_can_be_master),
	    cmocka_unit_test(every_cluster_of_up_to_five_comes_to_rest_and_can_agree_on_the_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
