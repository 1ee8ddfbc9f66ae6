/*
 * Streams: both ends come to the same keys, or one of them refuses.
 */
#include "handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct cluster_id cluster = {{1, 2, 3}};
static struct node_keys ann, ben, eve;

/* Two ends and what passed between them. */
struct run {
	struct handshake handshake;
	uint8_t first[HANDSHAKE_FIRST_SIZE], second[HANDSHAKE_SECOND_SIZE];
	struct stream_keys initiator, responder;
};

static const uint8_t initiator_random[32] = {11}, responder_random[56] = {22, [40] = 33};

static bool member_run(struct run *r)
{
	handshake_first_member(&r->handshake, &cluster, &ann, &ben.public_key, initiator_random,
	                       r->first);
	return handshake_second_member(&cluster, &ben, &ann.public_key, r->first, responder_random,
	                               r->second, &r->responder);
}

static const struct hash token_secret = {{7, 7, 7}};

static bool join_run(struct run *r)
{
	handshake_first_join(&r->handshake, &cluster, 99, &token_secret, initiator_random, r->first);
	return handshake_second_join(&cluster, &token_secret, r->first, responder_random, r->second,
	                             &r->responder);
}

static uint8_t sealed[FRAME_MAX + FRAME_OVERHEAD], opened[FRAME_MAX];

/* One frame across. */
static void say(struct stream_keys *from, struct stream_keys *to, const char *text)
{
	size_t size = frame_seal(from, (const uint8_t *)text, strlen(text), sealed);
	size_t out_size, consumed, needed;

	assert_int_equal(size, strlen(text) + FRAME_OVERHEAD);
	assert_int_equal(frame_open(to, sealed, size, opened, &out_size, &consumed, &needed),
	                 FRAME_OPENED);
	assert_int_equal(consumed, size);
	assert_int_equal(out_size, strlen(text));
	assert_memory_equal(opened, text, out_size);
}

static void check_stream(struct run *r)
{
	assert_true(handshake_finish(&r->handshake, r->second, &r->initiator));
	assert_memory_equal(&r->initiator.binding, &r->responder.binding, HASH_SIZE);
	say(&r->initiator, &r->responder, "good day");
	say(&r->responder, &r->initiator, "good day to you");
	say(&r->responder, &r->initiator, "");
	say(&r->initiator, &r->responder, "good night");
}

static void members_open_a_stream_and_talk_both_ways(void **state)
{
	struct run r;

	assert_true(member_run(&r));
	check_stream(&r);
}

static void a_joining_node_and_a_member_open_a_stream_by_the_token(void **state)
{
	struct run r;

	assert_true(join_run(&r));
	check_stream(&r);
}

static void the_first_message_claims_who_and_where(void **state)
{
	struct run r;
	struct handshake_claim claim;

	member_run(&r);
	assert_true(handshake_read_claim(r.first, &claim));
	assert_int_equal(claim.kind, STREAM_MEMBER);
	assert_true(claim.member == node_key_id(&ann.public_key));
	assert_memory_equal(&claim.cluster, &cluster, sizeof cluster);
	assert_int_equal(claim.wire_min, WIRE_VERSION_MIN);
	assert_int_equal(claim.wire_max, WIRE_VERSION_MAX);
	join_run(&r);
	assert_true(handshake_read_claim(r.first, &claim));
	assert_int_equal(claim.kind, STREAM_JOIN);
	assert_true(claim.token == 99);
}

static void a_responder_refuses_a_wrong_member_token_or_cluster(void **state)
{
	struct run r;
	struct cluster_id other_cluster = {{9}};
	struct hash other_token = {{8}};

	member_run(&r);
	assert_false(handshake_second_member(&cluster, &ben, &eve.public_key, r.first,
	                                     responder_random, r.second, &r.responder));
	assert_false(handshake_second_member(&cluster, &eve, &ann.public_key, r.first,
	                                     responder_random, r.second, &r.responder));
	assert_false(handshake_second_member(&other_cluster, &ben, &ann.public_key, r.first,
	                                     responder_random, r.second, &r.responder));
	assert_false(handshake_second_join(&cluster, &token_secret, r.first, responder_random,
	                                   r.second, &r.responder));
	join_run(&r);
	assert_false(handshake_second_join(&cluster, &other_token, r.first, responder_random,
	                                   r.second, &r.responder));
	assert_false(handshake_second_join(&other_cluster, &token_secret, r.first, responder_random,
	                                   r.second, &r.responder));
}

static void nobody_poses_as_a_member_without_its_key(void **state)
{
	struct run r;
	struct node_keys pose = eve;

	pose.public_key = ann.public_key; /* says it is Ann, signs as Eve */
	handshake_first_member(&r.handshake, &cluster, &pose, &ben.public_key, initiator_random,
	                       r.first);
	assert_false(handshake_second_member(&cluster, &ben, &ann.public_key, r.first,
	                                     responder_random, r.second, &r.responder));
}

static void a_first_message_sent_back_to_its_sender_is_refused(void **state)
{
	struct run r;

	member_run(&r);
	assert_false(handshake_second_member(&cluster, &ann, &ben.public_key, r.first,
	                                     responder_random, r.second, &r.responder));
	assert_false(handshake_second_member(&cluster, &ann, &ann.public_key, r.first,
	                                     responder_random, r.second, &r.responder));
}

static void a_first_message_with_any_bit_changed_is_refused(void **state)
{
	struct run r;

	join_run(&r);
	for (size_t bit = 0; bit < 8 * HANDSHAKE_FIRST_SIZE; bit++) {
		r.first[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(handshake_second_join(&cluster, &token_secret, r.first,
		                                   responder_random, r.second, &r.responder));
		r.first[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void a_second_message_with_any_bit_changed_is_refused(void **state)
{
	struct run r;

	join_run(&r);
	for (size_t bit = 0; bit < 8 * HANDSHAKE_SECOND_SIZE; bit++) {
		struct handshake copy = r.handshake;
		r.second[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(handshake_finish(&copy, r.second, &r.initiator));
		r.second[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(handshake_finish(&r.handshake, r.second, &r.initiator));
}

static void an_answer_by_someone_else_is_refused(void **state)
{
	struct run r, other;

	assert_true(member_run(&r));
	handshake_first_member(&other.handshake, &cluster, &ann, &eve.public_key, initiator_random,
	                       other.first);
	assert_false(handshake_finish(&other.handshake, r.second, &other.initiator));
}

static void a_second_message_of_an_earlier_handshake_is_refused(void **state)
{
	static const uint8_t fresh[32] = {[5] = 12}; /* X25519 ignores three bits of [0] */
	struct run r;

	assert_true(member_run(&r));
	handshake_first_member(&r.handshake, &cluster, &ann, &ben.public_key, fresh, r.first);
	assert_false(handshake_finish(&r.handshake, r.second, &r.initiator));
}

static void fresh_randomness_gives_another_stream(void **state)
{
	static const uint8_t fresh[56] = {[5] = 23};
	struct run r, other;

	member_run(&r);
	assert_true(handshake_second_member(&cluster, &ben, &ann.public_key, r.first, fresh,
	                                    other.second, &other.responder));
	assert_memory_not_equal(&r.responder.binding, &other.responder.binding, HASH_SIZE);
	assert_memory_not_equal(r.responder.push, other.responder.push, 64);
	assert_memory_not_equal(r.responder.push, r.responder.pull, 64);
}

static void an_unusable_peer_key_never_opens(void **state)
{
	struct run r;
	struct node_key zero = {{0}};

	assert_true(member_run(&r));
	handshake_first_member(&r.handshake, &cluster, &ann, &zero, initiator_random, r.first);
	assert_false(handshake_finish(&r.handshake, r.second, &r.initiator));
	assert_false(handshake_second_member(&cluster, &ben, &zero, r.first, responder_random,
	                                     r.second, &r.responder));
}

static void a_wiped_handshake_never_opens(void **state)
{
	struct run r;

	assert_true(member_run(&r));
	handshake_wipe(&r.handshake);
	assert_false(handshake_finish(&r.handshake, r.second, &r.initiator));
}

/* ---- frames ---- */

static void a_frame_in_pieces_asks_for_what_is_missing(void **state)
{
	struct run r;
	size_t out_size, consumed, needed;

	member_run(&r);
	check_stream(&r);
	size_t size = frame_seal(&r.initiator, (const uint8_t *)"in pieces", 9, sealed);
	for (size_t have = 0; have < size; have++) {
		assert_int_equal(frame_open(&r.responder, sealed, have, opened, &out_size, &consumed,
		                            &needed),
		                 FRAME_MORE);
		assert_int_equal(needed, have < 4 ? 4 : size);
	}
	assert_int_equal(frame_open(&r.responder, sealed, size, opened, &out_size, &consumed, &needed),
	                 FRAME_OPENED);
}

static void the_largest_frame_opens_and_a_larger_is_refused_unread(void **state)
{
	static uint8_t plain[FRAME_MAX];
	static const uint8_t too_long[4] = {0, 0x10, 0, 18}; /* FRAME_MAX + 18 */
	struct run r;
	size_t out_size, consumed, needed;

	member_run(&r);
	check_stream(&r);
	size_t size = frame_seal(&r.initiator, plain, sizeof plain, sealed);
	assert_int_equal(frame_open(&r.responder, sealed, size, opened, &out_size, &consumed, &needed),
	                 FRAME_OPENED);
	assert_int_equal(out_size, FRAME_MAX);
	assert_int_equal(frame_open(&r.responder, too_long, 4, opened, &out_size, &consumed, &needed),
	                 FRAME_BAD);
	assert_int_equal(frame_open(&r.responder, (const uint8_t[]){0, 0, 0, 16}, 4, opened,
	                            &out_size, &consumed, &needed),
	                 FRAME_BAD);
}

static void a_changed_repeated_or_skipped_frame_is_refused(void **state)
{
	struct run r;
	size_t out_size, consumed, needed;

	member_run(&r);
	check_stream(&r);
	size_t size = frame_seal(&r.initiator, (const uint8_t *)"once", 4, sealed);
	for (size_t bit = 32; bit < 8 * size; bit++) {
		struct stream_keys copy = r.responder;
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(frame_open(&copy, sealed, size, opened, &out_size, &consumed,
		                            &needed),
		                 FRAME_BAD);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	struct stream_keys skipping = r.responder;
	assert_int_equal(frame_open(&r.responder, sealed, size, opened, &out_size, &consumed, &needed),
	                 FRAME_OPENED);
	assert_int_equal(frame_open(&r.responder, sealed, size, opened, &out_size, &consumed, &needed),
	                 FRAME_BAD);
	size = frame_seal(&r.initiator, (const uint8_t *)"next", 4, sealed);
	assert_int_equal(frame_open(&skipping, sealed, size, opened, &out_size, &consumed, &needed),
	                 FRAME_BAD);
}

static void a_frame_does_not_open_at_its_own_sender(void **state)
{
	struct run r;
	size_t out_size, consumed, needed;

	member_run(&r);
	check_stream(&r);
	size_t size = frame_seal(&r.initiator, (const uint8_t *)"mirror", 6, sealed);
	assert_int_equal(frame_open(&r.initiator, sealed, size, opened, &out_size, &consumed, &needed),
	                 FRAME_BAD);
}

static int group_start(void **state)
{
	static const uint8_t seeds[3][32] = {{1}, {2}, {3}};

	if (seal_start() != 0)
		return -1;
	node_keys_from_seed(SEAL_REAL, seeds[0], &ann);
	node_keys_from_seed(SEAL_REAL, seeds[1], &ben);
	node_keys_from_seed(SEAL_REAL, seeds[2], &eve);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_open_a_stream_and_talk_both_ways),
		cmocka_unit_test(a_joining_node_and_a_member_open_a_stream_by_the_token),
		cmocka_unit_test(the_first_message_claims_who_and_where),
		cmocka_unit_test(a_responder_refuses_a_wrong_member_token_or_cluster),
		cmocka_unit_test(nobody_poses_as_a_member_without_its_key),
		cmocka_unit_test(a_first_message_sent_back_to_its_sender_is_refused),
		cmocka_unit_test(a_first_message_with_any_bit_changed_is_refused),
		cmocka_unit_test(a_second_message_with_any_bit_changed_is_refused),
		cmocka_unit_test(an_answer_by_someone_else_is_refused),
		cmocka_unit_test(a_second_message_of_an_earlier_handshake_is_refused),
		cmocka_unit_test(fresh_randomness_gives_another_stream),
		cmocka_unit_test(an_unusable_peer_key_never_opens),
		cmocka_unit_test(a_wiped_handshake_never_opens),
		cmocka_unit_test(a_frame_in_pieces_asks_for_what_is_missing),
		cmocka_unit_test(the_largest_frame_opens_and_a_larger_is_refused_unread),
		cmocka_unit_test(a_changed_repeated_or_skipped_frame_is_refused),
		cmocka_unit_test(a_frame_does_not_open_at_its_own_sender),
	};
	return cmocka_run_group_tests(tests, group_start, NULL);
}
