/*
 * What both sides of a DRBD resource say together, by what real ones said in each state, and by
 * examples of what could not be captured. usage: test_drbd FOLDER
 */
#include "capture.h"
#include "drbd_pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *folder;
static struct drbd_seen seen[2];
static struct drbd_side sides[2];
static struct drbd_judgement judgement;

/* ---- pairs that were captured ---- */

static void capture_side(int side, const char *state)
{
	char name[256];
	memset(&seen[side], 0, sizeof seen[side]);
	snprintf(name, sizeof name, "events-%s-node%c.txt", state, 'A' + side);
	capture_events(folder, name, &seen[side]);
	snprintf(name, sizeof name, "kernel-%s-node%c.txt", state, 'A' + side);
	capture_kernel(folder, name, &seen[side]);
	sides[side] = (struct drbd_side){true, drbd_resource_named(&seen[side], "r0"), 0};
	assert_non_null(sides[side].resource);
}

static void each_captured_state_gets_its_verdict(void **state)
{
	static const struct {
		const char *state;
		enum drbd_verdict verdict;
		uint32_t side;
	} cases[] = {
		{"fresh-inconsistent", DRBD_EMPTY, 2},
		{"syncing", DRBD_RESYNCING, 0}, /* the other was asked later: it had ended there */
		{"syncing128M", DRBD_RESYNCING, 2},
		{"primary-secondary", DRBD_FINE, 2},
		{"dual-primary", DRBD_FINE, 2},
		{"link-cut-wfconnection", DRBD_CONNECTING, 2},
		{"link-cut-both-written", DRBD_CONNECTING, 2}, /* without generations nobody can know more */
		{"splitbrain", DRBD_SPLIT_BRAIN, 2},
		{"splitbrain-A-reconnected-B-standalone", DRBD_SPLIT_BRAIN, 2},
		{"recovered-primary-secondary", DRBD_FINE, 2},
		{"recovered-dual-primary", DRBD_FINE, 2},
		{"after-verify-clean", DRBD_FINE, 2},
		{"after-verify-oos", DRBD_DIFFERS, 2},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		capture_side(0, cases[i].state);
		capture_side(1, cases[i].state);
		drbd_judge(sides, &judgement);
		if (judgement.verdict != cases[i].verdict || judgement.side != cases[i].side)
			fail_msg("%s: %s of side %u", cases[i].state, drbd_verdict_name(judgement.verdict),
			         judgement.side);
	}
}

static void what_differs_after_a_verify_is_counted(void **state)
{
	capture_side(0, "after-verify-oos");
	capture_side(1, "after-verify-oos");
	drbd_judge(sides, &judgement);
	assert_int_equal(judgement.out_of_sync, 12 * 1024);
}

static void a_resync_tells_how_far_it_is(void **state)
{
	capture_side(0, "syncing128M");
	capture_side(1, "syncing128M");
	drbd_judge(sides, &judgement);
	assert_true(judgement.done > 0 && judgement.done < 1000);
}

/* ---- pairs made by hand: line by line ---- */

static void tell(int side, const char *line)
{
	assert_int_equal(drbd_events_line(&seen[side], line), DRBD_LINE_TAKEN);
}

static void side_is(int side, const char *connection, const char *disk, const char *replication,
                    const char *peer_disk)
{
	char line[256];
	memset(&seen[side], 0, sizeof seen[side]);
	tell(side, "exists resource name:r0 role:Secondary suspended:no");
	snprintf(line, sizeof line, "exists connection name:r0 peer-node-id:0 connection:%s role:Unknown",
	         connection);
	tell(side, line);
	snprintf(line, sizeof line, "exists device name:r0 volume:0 minor:0 disk:%s size:1000", disk);
	tell(side, line);
	snprintf(line, sizeof line,
	         "exists peer-device name:r0 peer-node-id:0 volume:0 replication:%s peer-disk:%s",
	         replication, peer_disk);
	tell(side, line);
	sides[side] = (struct drbd_side){true, &seen[side].resources[0], 0};
}

static void well(int side)
{
	side_is(side, "Connected", "UpToDate", "Established", "UpToDate");
}

static void alone(int side)
{
	side_is(side, "StandAlone", "UpToDate", "Off", "DUnknown");
}

static void generation(int side, uint64_t current, uint64_t bitmap, uint64_t older)
{
	seen[side].resources[0].volumes[0].generation =
		(struct drbd_generation){true, current, bitmap, {older, 0}};
}

static void judged(enum drbd_verdict verdict, uint32_t side)
{
	drbd_judge(sides, &judgement);
	if (judgement.verdict != verdict || judgement.side != side)
		fail_msg("%s of side %u, not %s", drbd_verdict_name(judgement.verdict), judgement.side,
		         drbd_verdict_name(verdict));
}

static void standalone_alone_is_only_a_disconnect(void **state)
{
	alone(0);
	side_is(1, "Connecting", "UpToDate", "Off", "DUnknown");
	judged(DRBD_ADMIN, 0);
	alone(1);
	judged(DRBD_ADMIN, 2);
	generation(0, 0x100, 0, 0);
	generation(1, 0x101, 0, 0); /* the same but for who was Primary */
	judged(DRBD_ADMIN, 2);
}

static void standalone_with_split_generations_is_a_split_brain(void **state)
{
	alone(0);
	alone(1);
	generation(0, 0x200, 0x100, 0x10);
	generation(1, 0x300, 0x101, 0x10);
	judged(DRBD_SPLIT_BRAIN, 2);
}

static void while_both_try_to_connect_it_is_not_yet_a_split_brain(void **state)
{
	side_is(0, "Connecting", "UpToDate", "Off", "DUnknown");
	side_is(1, "Connecting", "UpToDate", "Off", "DUnknown");
	generation(0, 0x200, 0x100, 0x10);
	generation(1, 0x300, 0x100, 0x10);
	judged(DRBD_DIVERGED, 2);
	generation(1, 0x100, 0, 0x10);
	judged(DRBD_CONNECTING, 2);
}

static void the_kernels_words_tell_why_it_stands_alone(void **state)
{
	static const struct {
		const char *line;
		enum drbd_verdict verdict;
	} cases[] = {
		{"6,1,2,-;block drbd0: Split-Brain detected but unresolved, dropping connection!", DRBD_SPLIT_BRAIN},
		{"[   52.899112] block drbd0: helper command: /sbin/drbdadm split-brain minor-0", DRBD_SPLIT_BRAIN},
		{"block drbd0: Unrelated data, aborting!", DRBD_UNRELATED},
		{"drbd r0: Authentication of peer failed", DRBD_AUTHENTICATION},
		{"drbd r0: incompatible after-sb-0pri settings", DRBD_OPTIONS},
		{"block drbd0: helper command: /sbin/drbdadm initial-split-brain minor-0", DRBD_ADMIN},
		{"block drbd0: helper command: /sbin/drbdadm split-brain minor-0 exit code 0 (0x0)", DRBD_ADMIN},
		{"drbd r1: Authentication of peer failed", DRBD_ADMIN}, /* another one */
		{"usb 1-1: Split-Brain detected but unresolved", DRBD_ADMIN},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		alone(0);
		alone(1);
		drbd_kernel_line(&seen[1], cases[i].line);
		judged(cases[i].verdict, cases[i].verdict == DRBD_ADMIN ? 2 : 1);
	}
}

static void one_sides_word_suffices_when_it_says_so_itself(void **state)
{
	alone(0);
	assert_true(drbd_kernel_line(&seen[0], "block drbd0: Split-Brain detected but unresolved"));
	sides[1] = (struct drbd_side){.known = false};
	judged(DRBD_SPLIT_BRAIN, 0);
	alone(0);
	judged(DRBD_UNKNOWN, 1);
	well(0);
	judged(DRBD_UNKNOWN, 1);
}

static void what_the_kernel_said_ends_when_they_are_connected(void **state)
{
	alone(0);
	drbd_kernel_line(&seen[0], "block drbd0: Split-Brain detected but unresolved");
	drbd_kernel_line(&seen[0], "block drbd0: conn( WFReportParams -> WFBitMapS )");
	assert_int_equal(seen[0].resources[0].peers[0].said, DRBD_SAID_NOTHING);
	drbd_kernel_line(&seen[0], "block drbd0: Split-Brain detected but unresolved");
	drbd_kernel_line(&seen[0], "drbd r0: conn( StandAlone -> Unconnected )");
	assert_int_equal(seen[0].resources[0].peers[0].said, DRBD_SAID_SPLIT_BRAIN);
	tell(0, "change connection name:r0 peer-node-id:0 connection:Connected role:Secondary");
	assert_int_equal(seen[0].resources[0].peers[0].said, DRBD_SAID_NOTHING);
}

static void who_is_believed_up_to_date_and_is_not_is_stale(void **state)
{
	static const char *const disks[] = {"Outdated", "Inconsistent", "Consistent", "Diskless", "Failed"};
	for (size_t i = 0; i < sizeof disks / sizeof disks[0]; i++) {
		well(0);
		side_is(1, "Connected", disks[i], "Established", "UpToDate");
		judged(DRBD_STALE, 1);
	}
	side_is(0, "Connected", "UpToDate", "Established", "DUnknown");
	well(1);
	judged(DRBD_STALE, 1);
}

static void a_bad_disk_that_both_know_of_is_degraded(void **state)
{
	side_is(0, "Connected", "UpToDate", "Established", "Diskless");
	side_is(1, "Connected", "Diskless", "Established", "UpToDate");
	judged(DRBD_DEGRADED, 1);
}

static void differing_options_refuse_a_connect_and_are_told_before(void **state)
{
	well(0);
	well(1);
	seen[0].resources[0].peers[0].options = 1;
	seen[1].resources[0].peers[0].options = 2;
	judged(DRBD_FINE, 2);
	assert_true(judgement.options_differ);
	alone(0);
	alone(1);
	seen[0].resources[0].peers[0].options = 1;
	seen[1].resources[0].peers[0].options = 2;
	judged(DRBD_OPTIONS, 2);
}

static void what_is_not_up_on_one_side_is_down(void **state)
{
	side_is(0, "Connecting", "UpToDate", "Off", "DUnknown");
	sides[1] = (struct drbd_side){.known = true};
	judged(DRBD_DOWN, 1);
}

static void a_verify_is_no_resync(void **state)
{
	side_is(0, "Connected", "UpToDate", "VerifyS", "UpToDate");
	side_is(1, "Connected", "UpToDate", "VerifyT", "UpToDate");
	judged(DRBD_VERIFYING, 2);
	assert_int_equal(judgement.done, -1);
}

/* ---- generations ---- */

static void generations_tell_who_is_newer(void **state)
{
	static const struct {
		struct drbd_generation a, b;
		enum drbd_lineage lineage, mirrored;
	} cases[] = {
		{{true, 0x100, 0, {0, 0}}, {true, 0x101, 0, {0, 0}}, LINEAGE_SAME, LINEAGE_SAME},
		{{true, 0x200, 0x100, {0, 0}}, {true, 0x100, 0, {0, 0}}, LINEAGE_FIRST_NEWER, LINEAGE_SECOND_NEWER},
		{{true, 0x200, 0, {0x150, 0x100}}, {true, 0x100, 0, {0, 0}}, LINEAGE_FIRST_NEWER, LINEAGE_SECOND_NEWER},
		{{true, 0x200, 0x100, {0, 0}}, {true, 0x300, 0x101, {0, 0}}, LINEAGE_SPLIT, LINEAGE_SPLIT},
		{{true, 0x200, 0, {0x100, 0}}, {true, 0x300, 0, {0x50, 0x100}}, LINEAGE_SPLIT, LINEAGE_SPLIT},
		{{true, 0x200, 0, {0, 0}}, {true, 0x300, 0, {0, 0}}, LINEAGE_UNRELATED, LINEAGE_UNRELATED},
		{{true, 0x200, 4, {0, 0}}, {true, 0x300, 4, {4, 0}}, LINEAGE_UNRELATED, LINEAGE_UNRELATED},
		{{true, 0x200, 0, {0, 0}}, {true, 4, 0, {0, 0}}, LINEAGE_FIRST_NEWER, LINEAGE_SECOND_NEWER},
		{{true, 4, 0, {0, 0}}, {true, 4, 0, {0, 0}}, LINEAGE_SAME, LINEAGE_SAME},
		{{false, 0, 0, {0, 0}}, {true, 0x300, 0, {0, 0}}, LINEAGE_UNKNOWN, LINEAGE_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(drbd_compare(&cases[i].a, &cases[i].b), cases[i].lineage);
		assert_int_equal(drbd_compare(&cases[i].b, &cases[i].a), cases[i].mirrored);
	}
}

static void the_kernels_own_generations_of_a_real_split_brain_compare_as_one(void **state)
{
	struct drbd_generation self, peer;
	assert_true(drbd_generation_parse("block drbd0: self BBB631512B4CB2C9:38D39DDFC526A8B1:"
	                                  "D1DFE5ADF2F9E7D5:0000000000000004 bits:1 flags:0", &self));
	assert_true(drbd_generation_parse("block drbd0: peer AFD4DD447C332E2B:38D39DDFC526A8B1:"
	                                  "D1DFE5ADF2F9E7D4:0000000000000004 bits:1 flags:0", &peer));
	assert_int_equal(drbd_compare(&self, &peer), LINEAGE_SPLIT);
	assert_false(drbd_generation_parse("BBB631512B4CB2C9:38D3:D1DFE5ADF2F9E7D5:0000000000000004", &self));
	assert_false(drbd_generation_parse("", &self));
}

/* ---- lines ---- */

static void lines_that_mean_nothing_change_nothing(void **state)
{
	static const char *const lines[] = {"", " ", "exists", "exists device", "exists weather name:x",
		"frobnicate resource name:x", "exists resource name:", "exists resource role:Primary",
		"change device name:r0 minor:5", "exists connection name:r0 connection:Connected"};
	struct drbd_seen before;
	well(0);
	before = seen[0];
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		drbd_events_line(&seen[0], lines[i]);
		assert_memory_equal(&before, &seen[0], sizeof before);
	}
	assert_int_equal(drbd_events_line(&seen[0], "- skipped 3"), DRBD_LINE_LOST);
	assert_int_equal(drbd_events_line(&seen[0], "exists -"), DRBD_LINE_COMPLETE);
}

static void what_is_destroyed_is_gone(void **state)
{
	well(0);
	tell(0, "destroy connection name:r0 peer-node-id:0");
	assert_int_equal(seen[0].resources[0].peer_count, 0);
	tell(0, "destroy device name:r0 volume:0");
	assert_int_equal(seen[0].resources[0].volume_count, 0);
	tell(0, "destroy resource name:r0");
	assert_int_equal(seen[0].resource_count, 0);
}

static void more_than_there_is_room_for_is_counted(void **state)
{
	char line[64];
	memset(&seen[0], 0, sizeof seen[0]);
	for (int i = 0; i < DRBD_RESOURCES_MAX + 3; i++) {
		snprintf(line, sizeof line, "exists resource name:r%d role:Secondary", i);
		drbd_events_line(&seen[0], line);
	}
	assert_int_equal(seen[0].resource_count, DRBD_RESOURCES_MAX);
	assert_int_equal(seen[0].more, 3);
}

/* ---- pairs ---- */

static struct drbd_resource members[3];
static struct drbd_holder holders[3];

static void holder(int at, const char *node, const char *peer, const char *local, const char *remote)
{
	struct drbd_resource *r = &members[at];
	memset(r, 0, sizeof *r);
	strcpy(r->name, "r0");
	r->peer_count = 1;
	strcpy(r->peers[0].name, peer);
	strcpy(r->peers[0].local, local);
	strcpy(r->peers[0].address, remote);
	strcpy(r->peers[0].connection, "StandAlone");
	holders[at] = (struct drbd_holder){(node_id)at + 1, node, true, r};
}

static void two_that_do_not_name_each_other_are_a_pair_if_there_is_no_third(void **state)
{
	struct drbd_pair pairs[4];
	holder(0, "a", "", "", "");
	holder(1, "b", "peer", "", "");
	assert_int_equal(drbd_pairs(holders, 2, NULL, 0, pairs, 4), 1);
	assert_int_equal(pairs[0].holders[0], 0);
	assert_int_equal(pairs[0].holders[1], 1);
	assert_int_equal(pairs[0].judgement.verdict, DRBD_ADMIN);
	holder(2, "c", "", "", "");
	assert_int_equal(drbd_pairs(holders, 3, NULL, 0, pairs, 4), 3); /* nobody can say who is whose */
	assert_int_equal(pairs[0].holders[1], NO_HOLDER);
	assert_int_equal(pairs[0].judgement.verdict, DRBD_UNKNOWN);
}

static void names_and_addresses_tell_who_is_whose_peer(void **state)
{
	struct drbd_pair pairs[4];
	holder(0, "a", "b", "", "");
	holder(1, "b", "a", "", "");
	holder(2, "c", "gone", "", "");
	assert_int_equal(drbd_pairs(holders, 3, NULL, 0, pairs, 4), 2);
	assert_int_equal(pairs[0].holders[1], 1);
	assert_int_equal(pairs[1].holders[0], 2);
	assert_int_equal(pairs[1].holders[1], NO_HOLDER);
	holder(0, "a", "", "10.0.0.1:7788", "10.0.0.3:7788");
	holder(1, "b", "", "10.0.0.2:7788", "10.0.0.9:7788");
	holder(2, "c", "", "10.0.0.3:7788", "10.0.0.1:7788");
	drbd_pairs(holders, 3, NULL, 0, pairs, 4);
	assert_int_equal(pairs[0].holders[1], 2);
}

static void a_node_that_knows_of_no_such_resource_has_it_down(void **state)
{
	struct drbd_pair pairs[4];
	struct drbd_node nodes[] = {
		{1, "a", "10.0.0.1", true}, {2, "b", "10.0.0.2", true}, {3, "c", "10.0.0.22", true}};
	holder(0, "a", "peer", "10.0.0.1:7788", "10.0.0.2:7788");
	strcpy(members[0].peers[0].connection, "Connecting");
	assert_int_equal(drbd_pairs(holders, 1, nodes, 3, pairs, 4), 1);
	assert_int_equal(pairs[0].judgement.verdict, DRBD_DOWN);
	assert_int_equal(pairs[0].judgement.side, 1);
	assert_int_equal(pairs[0].absent, 2);
	nodes[1].known = false; /* what it has is not known: nothing is said of it */
	drbd_pairs(holders, 1, nodes, 3, pairs, 4);
	assert_int_equal(pairs[0].judgement.verdict, DRBD_UNKNOWN);
	assert_int_equal(pairs[0].absent, 0);
	holder(0, "a", "b", "", ""); /* DRBD 9 calls it by its name */
	nodes[1].known = true;
	drbd_pairs(holders, 1, nodes, 3, pairs, 4);
	assert_int_equal(pairs[0].judgement.verdict, DRBD_DOWN);
	holder(0, "a", "elsewhere", "", "");
	drbd_pairs(holders, 1, nodes, 3, pairs, 4);
	assert_int_equal(pairs[0].judgement.verdict, DRBD_UNKNOWN);
	strcpy(nodes[2].host, "fe80::2");
	holder(0, "a", "", "ipv6:[fe80::1]:7788", "ipv6:[fe80::2]:7788");
	drbd_pairs(holders, 1, nodes, 3, pairs, 4);
	assert_int_equal(pairs[0].absent, 3);
}

static void a_resource_without_any_connection_is_in_a_pair_all_the_same(void **state)
{
	struct drbd_pair pairs[4];
	holder(0, "a", "", "", "");
	holder(1, "b", "", "", "");
	members[0].peer_count = members[1].peer_count = 0;
	assert_int_equal(drbd_pairs(holders, 2, NULL, 0, pairs, 4), 1);
	assert_int_equal(pairs[0].holders[1], 1);
	assert_int_equal(pairs[0].judgement.verdict, DRBD_ADMIN);
	assert_int_equal(drbd_pairs(holders, 1, NULL, 0, pairs, 4), 1);
	assert_int_equal(pairs[0].judgement.verdict, DRBD_UNKNOWN);
}

static void each_verdict_has_its_words(void **state)
{
	for (int v = 0; v < DRBD_VERDICTS; v++) {
		assert_true(strlen(drbd_verdict_name((enum drbd_verdict)v)) > 2);
		assert_true(strlen(drbd_verdict_sentence((enum drbd_verdict)v)) > 10);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_captured_state_gets_its_verdict),
		cmocka_unit_test(what_differs_after_a_verify_is_counted),
		cmocka_unit_test(a_resync_tells_how_far_it_is),
		cmocka_unit_test(standalone_alone_is_only_a_disconnect),
		cmocka_unit_test(standalone_with_split_generations_is_a_split_brain),
		cmocka_unit_test(while_both_try_to_connect_it_is_not_yet_a_split_brain),
		cmocka_unit_test(the_kernels_words_tell_why_it_stands_alone),
		cmocka_unit_test(one_sides_word_suffices_when_it_says_so_itself),
		cmocka_unit_test(what_the_kernel_said_ends_when_they_are_connected),
		cmocka_unit_test(who_is_believed_up_to_date_and_is_not_is_stale),
		cmocka_unit_test(a_bad_disk_that_both_know_of_is_degraded),
		cmocka_unit_test(differing_options_refuse_a_connect_and_are_told_before),
		cmocka_unit_test(what_is_not_up_on_one_side_is_down),
		cmocka_unit_test(a_verify_is_no_resync),
		cmocka_unit_test(generations_tell_who_is_newer),
		cmocka_unit_test(the_kernels_own_generations_of_a_real_split_brain_compare_as_one),
		cmocka_unit_test(lines_that_mean_nothing_change_nothing),
		cmocka_unit_test(what_is_destroyed_is_gone),
		cmocka_unit_test(more_than_there_is_room_for_is_counted),
		cmocka_unit_test(two_that_do_not_name_each_other_are_a_pair_if_there_is_no_third),
		cmocka_unit_test(names_and_addresses_tell_who_is_whose_peer),
		cmocka_unit_test(a_node_that_knows_of_no_such_resource_has_it_down),
		cmocka_unit_test(a_resource_without_any_connection_is_in_a_pair_all_the_same),
		cmocka_unit_test(each_verdict_has_its_words),
	};
	if (argc != 2)
		return 2;
	folder = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
