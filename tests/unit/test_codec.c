/*
 * The codec: every message comes back as it was, and nothing illegal comes in.
 */
#include "samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t packed[2 * FRAME_MAX], again[2 * FRAME_MAX];
static uint8_t sample_memory[4 * FRAME_MAX], arena_memory[ARENA_FRAME_SIZE];
static struct arena arena = {arena_memory, sizeof arena_memory, 0};

static struct walk filler(uint64_t seed, bool maxima, bool small)
{
	return (struct walk){.mode = WALK_FILL,
	                     .maxima = maxima,
	                     .small = small,
	                     .random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1,
	                     .memory = sample_memory,
	                     .size = sizeof sample_memory};
}

static void fill(struct envelope *e, enum message_kind kind, uint64_t seed, bool maxima, bool small)
{
	struct walk w = filler(seed, maxima, small);

	memset(e, 0, sizeof *e);
	e->kind = kind;
	walk_envelope(&w, e);
}

static uint64_t trace(struct envelope *e)
{
	struct walk w = {.mode = WALK_TRACE};

	walk_envelope(&w, e);
	return w.trace;
}

/* Encodes, decodes into rubbish, compares field by field. */
static void check_round_trip(struct envelope *in)
{
	static struct envelope out;
	size_t size = envelope_encode(in, packed, sizeof packed);

	assert_true(size > 0);
	memset(&out, 0xa5, sizeof out);
	assert_true(envelope_decode(packed, size, &arena, &out));
	assert_true(trace(&out) == trace(in));
}

static void every_kind_of_message_comes_back_with_every_field(void **state)
{
	static struct envelope e;

	for (unsigned kind = MESSAGE_NONE; kind < MESSAGE_KINDS; kind++)
		for (uint64_t seed = 1; seed <= 40; seed++) {
			fill(&e, (enum message_kind)kind, seed, false, true);
			check_round_trip(&e);
		}
}

static void the_largest_legal_messages_come_back(void **state)
{
	static struct envelope e;

	for (unsigned kind = MESSAGE_NONE; kind < MESSAGE_KINDS; kind++) {
		fill(&e, (enum message_kind)kind, 7, true, false);
		if (kind == MESSAGE_SNAPSHOT) /* its chunk alone nearly fills a frame */
			e.item_count = 0;
		check_round_trip(&e);
	}
}

static void a_message_of_zeros_comes_back(void **state)
{
	static struct envelope e, out;

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_PROMISE;
	check_round_trip(&e);
	e.kind = MESSAGE_ACCEPT;
	check_round_trip(&e);
	e.kind = MESSAGE_REQUEST;
	size_t size = envelope_encode(&e, packed, sizeof packed);
	assert_true(envelope_decode(packed, size, &arena, &out));
	assert_true(out.request.command.if_version == 0);
}

static void a_condition_on_no_version_and_on_version_zero_stay_apart(void **state)
{
	static const uint64_t versions[] = {0, 1, 5, NO_VERSION - 1, NO_VERSION};
	struct command out;

	for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
		struct command command = {.kind = COMMAND_KV_PUT, .if_version = versions[i]};
		size_t size = command_encode(&command, packed, sizeof packed);
		assert_true(command_decode(packed, size, &arena, &out));
		assert_true(out.if_version == versions[i]);
	}
}

static void equal_messages_give_equal_bytes(void **state)
{
	static struct envelope e, out;

	for (unsigned kind = MESSAGE_NONE; kind < MESSAGE_KINDS; kind++) {
		fill(&e, (enum message_kind)kind, 3, false, true);
		size_t size = envelope_encode(&e, packed, sizeof packed);
		assert_true(envelope_decode(packed, size, &arena, &out));
		assert_int_equal(envelope_encode(&out, again, sizeof again), size);
		assert_memory_equal(packed, again, size);
	}
}

static void encoding_into_too_little_room_gives_nothing(void **state)
{
	static struct envelope e;

	fill(&e, MESSAGE_ACCEPT, 5, false, true);
	size_t size = envelope_encode(&e, packed, sizeof packed);
	for (size_t room = 0; room < size; room++)
		assert_int_equal(envelope_encode(&e, again, room), 0);
	assert_int_equal(envelope_encode(&e, again, size), size);
}

/* In a block of its very size, so that the sanitizer sees a read beyond it. */
static bool decode_exactly(const uint8_t *data, size_t size, struct envelope *out)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	assert_non_null(copy);
	memcpy(copy, data, size);
	bool decoded = envelope_decode(copy, size, &arena, out);
	free(copy);
	return decoded;
}

static void a_message_cut_anywhere_is_refused_or_legal(void **state)
{
	static struct envelope e, out;

	for (unsigned kind = MESSAGE_NONE; kind < MESSAGE_KINDS; kind++) {
		fill(&e, (enum message_kind)kind, 11, false, true);
		size_t size = envelope_encode(&e, packed, sizeof packed);
		for (size_t cut = 0; cut < size; cut++)
			if (decode_exactly(packed, cut, &out))
				(void)trace(&out); /* all that it points to is readable */
	}
}

static void a_message_with_any_byte_changed_is_refused_or_legal(void **state)
{
	static struct envelope e, out;

	for (unsigned kind = MESSAGE_NONE; kind < MESSAGE_KINDS; kind++) {
		fill(&e, (enum message_kind)kind, 13, false, true);
		size_t size = envelope_encode(&e, packed, sizeof packed);
		for (size_t at = 0; at < size; at++) {
			for (int bit = 0; bit < 8; bit++) {
				packed[at] ^= (uint8_t)(1 << bit);
				if (decode_exactly(packed, size, &out))
					(void)trace(&out);
				packed[at] ^= (uint8_t)(1 << bit);
			}
		}
	}
}

static void what_needs_more_than_the_arena_is_refused(void **state)
{
	static struct envelope e, out;

	fill(&e, MESSAGE_JOINED, 17, false, true);
	size_t size = envelope_encode(&e, packed, sizeof packed);
	assert_true(envelope_decode(packed, size, &arena, &out));
	size_t needed = arena.used;
	for (size_t room = 0; room < needed; room += 7) {
		struct arena small = {arena_memory, room, 0};
		assert_false(envelope_decode(packed, size, &small, &out));
	}
}

static void many_empty_parts_cannot_outgrow_a_packets_arena(void **state)
{
	static struct envelope out;
	struct arena small = {arena_memory, ARENA_PACKET_SIZE, 0};

	for (size_t i = 0; i + 1 < PACKET_PLAIN_MAX; i += 2) {
		packed[i] = 6 << 3 | 2; /* items, empty */
		packed[i + 1] = 0;
	}
	assert_false(envelope_decode(packed, PACKET_PLAIN_MAX, &small, &out));
	assert_false(envelope_decode(packed, PACKET_PLAIN_MAX, &arena, &out));
}

static void an_unknown_message_leaves_its_items(void **state)
{
	static struct envelope e, out;
	/* field 900, of bytes: what a later version may add */
	static const uint8_t unknown[] = {0xa2, 0x38, 0x03, 'n', 'e', 'w'};

	fill(&e, MESSAGE_NONE, 19, true, true);
	size_t size = envelope_encode(&e, packed, sizeof packed);
	memcpy(packed + size, unknown, sizeof unknown);
	assert_true(envelope_decode(packed, size + sizeof unknown, &arena, &out));
	assert_int_equal(out.kind, MESSAGE_NONE);
	assert_int_equal(out.item_count, 3);
	assert_true(trace(&out) == trace(&e));
}

static void an_item_of_an_unknown_kind_is_left_out(void **state)
{
	static struct envelope e, out;
	/* an item with only field 15, varint: a kind that a later version may add */
	static const uint8_t unknown[] = {6 << 3 | 2, 2, 15 << 3, 1};

	fill(&e, MESSAGE_PROBE, 23, true, true);
	size_t size = envelope_encode(&e, packed, sizeof packed);
	memcpy(packed + size, unknown, sizeof unknown);
	assert_true(envelope_decode(packed, size + sizeof unknown, &arena, &out));
	assert_true(trace(&out) == trace(&e));
}

/* ---- limits ---- */

static bool survives(const struct envelope *e)
{
	static struct envelope out;
	size_t size = envelope_encode(e, packed, sizeof packed);

	assert_true(size > 0);
	return envelope_decode(packed, size, &arena, &out);
}

static void keys_names_and_values_beyond_their_limits_are_refused(void **state)
{
	static uint8_t text[VALUE_MAX_SIZE + 1];
	static struct envelope e;

	memset(text, 'x', sizeof text);
	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_REQUEST;
	e.request.command.key = (struct bytes){text, KEY_MAX_SIZE};
	e.request.command.value = (struct bytes){text, VALUE_MAX_SIZE};
	e.request.command.member.name = (struct bytes){text, NAME_MAX_SIZE};
	assert_true(survives(&e));
	e.request.command.key.size++;
	assert_false(survives(&e));
	e.request.command.key.size--;
	e.request.command.value.size++;
	assert_false(survives(&e));
	e.request.command.value.size--;
	e.request.command.member.name.size++;
	assert_false(survives(&e));
}

static void entries_of_too_many_bytes_are_refused(void **state)
{
	static uint8_t text[ENTRIES_BYTES_MAX];
	static struct envelope e;
	struct entry entries[2] = {{.index = 1, .command = {text, ENTRIES_BYTES_MAX - 10}},
	                           {.index = 2, .command = {text, 10}}};

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_ENTRIES;
	e.entries.entry_count = 2;
	e.entries.entries = entries;
	assert_true(survives(&e));
	entries[1].command.size++;
	assert_false(survives(&e));
}

static size_t write_varint(uint8_t *out, uint32_t value)
{
	size_t size = 0;

	for (; value >= 0x80; value >>= 7)
		out[size++] = (uint8_t)(value | 0x80);
	out[size++] = (uint8_t)value;
	return size;
}

/* Makes the first `size` bytes of `packed` a field of this tag. Returns the new size. */
static size_t wrap(uint32_t tag, size_t size)
{
	uint8_t head[10];
	size_t head_size = write_varint(head, tag << 3 | 2);

	head_size += write_varint(head + head_size, (uint32_t)size);
	memmove(packed + head_size, packed, size);
	memcpy(packed, head, head_size);
	return head_size + size;
}

/* `count` empty parts of one tag. */
static size_t empty_parts(uint32_t tag, uint32_t count)
{
	size_t size = 0;

	for (uint32_t i = 0; i < count; i++) {
		size += write_varint(packed + size, tag << 3 | 2);
		packed[size++] = 0;
	}
	return size;
}

static void parts_beyond_their_count_are_refused(void **state)
{
	static struct envelope out;
	static const struct {
		uint32_t message, list, most;
	} lists[] = {{9, 16, ENTRIES_PER_MESSAGE_MAX}, /* accept's entries */
	             {21, 5, ENTRIES_PER_MESSAGE_MAX}, /* promise's */
	             {28, 3, ENTRIES_PER_MESSAGE_MAX}, /* entries' */
	             {33, 6, PEERS_IN_WELCOME_MAX}};   /* joined's peers */

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		size_t size = wrap(lists[i].message, empty_parts(lists[i].list, lists[i].most));
		assert_true(envelope_decode(packed, size, &arena, &out));
		assert_true(out.kind != MESSAGE_NONE);
		size = wrap(lists[i].message, empty_parts(lists[i].list, lists[i].most + 1));
		assert_false(envelope_decode(packed, size, &arena, &out));
	}
	assert_true(envelope_decode(packed, empty_parts(6, ITEMS_PER_PACKET_MAX), &arena, &out));
	assert_false(envelope_decode(packed, empty_parts(6, ITEMS_PER_PACKET_MAX + 1), &arena, &out));
}

/* A packed list of fixed64, ascending from 1. */
static size_t fixed_list(uint32_t tag, uint32_t count)
{
	memset(packed, 0, 8 * count);
	for (uint32_t i = 0; i < count; i++)
		packed[8 * i] = (uint8_t)(i + 1);
	return wrap(tag, 8 * count);
}

/* The same, and one-byte columns of as many numbers after it. */
static size_t columns(uint32_t first_tag, uint32_t column_count, uint32_t count)
{
	size_t size = fixed_list(first_tag, count);

	for (uint32_t tag = first_tag + 1; tag < first_tag + column_count; tag++) {
		size += write_varint(packed + size, tag << 3 | 2);
		size += write_varint(packed + size, count);
		memset(packed + size, 1, count);
		size += count;
	}
	return size;
}

static bool voters_decode(uint32_t count)
{
	static struct envelope out;

	return envelope_decode(packed, wrap(20, wrap(3, fixed_list(8, count))), &arena, &out);
}

static bool accusers_decode(uint32_t count)
{
	static struct envelope out;

	return envelope_decode(packed, wrap(6, wrap(7, columns(4, 2, count))), &arena, &out);
}

static bool digest_decode(uint32_t count)
{
	static struct envelope out;

	return envelope_decode(packed, wrap(14, columns(1, 3, count)), &arena, &out);
}

static bool replies_decode(uint32_t count)
{
	static struct origin_row out;
	size_t size = 0;

	for (uint32_t tag = 4; tag <= 7; tag++) {
		size += write_varint(packed + size, tag << 3 | 2);
		size += write_varint(packed + size, count);
		memset(packed + size, 1, count);
		size += count;
	}
	return origin_row_decode(packed, size, &arena, &out);
}

static void columns_beyond_their_count_are_refused(void **state)
{
	assert_true(voters_decode(VOTERS_MAX));
	assert_false(voters_decode(VOTERS_MAX + 1));
	assert_false(voters_decode(200));
	assert_true(accusers_decode(ACCUSERS_MAX));
	assert_false(accusers_decode(ACCUSERS_MAX + 1));
	assert_true(digest_decode(DIGEST_ENTRIES_MAX));
	assert_false(digest_decode(DIGEST_ENTRIES_MAX + 1));
	assert_true(replies_decode(REPLIES_PER_ORIGIN));
	assert_false(replies_decode(REPLIES_PER_ORIGIN + 1));
}

static void columns_of_unequal_length_are_refused(void **state)
{
	static struct envelope out;

	assert_true(envelope_decode(packed, wrap(14, columns(1, 3, 4)), &arena, &out));
	assert_false(envelope_decode(packed, wrap(14, columns(1, 2, 4)), &arena, &out));
	assert_false(envelope_decode(packed, wrap(6, wrap(7, columns(4, 1, 4))), &arena, &out));
}

static void a_config_with_doubled_or_unordered_voters_is_refused(void **state)
{
	static struct envelope e;
	struct config good = {.voter_count = 3, .voters = {1, 2, 3}, .witnesses = 4};

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_PREPARE;
	e.prepare.config = good;
	assert_true(survives(&e));
	e.prepare.config.voters[1] = 3;
	assert_false(survives(&e));
	e.prepare.config.voters[1] = 1;
	assert_false(survives(&e));
	e.prepare.config = good;
	e.prepare.config.voters[0] = 0;
	assert_false(survives(&e));
	e.prepare.config = good;
	e.prepare.config.witnesses = 8;
	assert_false(survives(&e));
}

static void a_config_with_senseless_terms_is_refused(void **state)
{
	static struct envelope e;

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_PREPARE;
	e.prepare.config.lease = -1;
	assert_false(survives(&e));
	e.prepare.config.lease = INT64_MAX;
	assert_false(survives(&e));
	e.prepare.config.lease = 1500 * MILLISECOND;
	assert_true(survives(&e));
	e.prepare.config.profile = PROFILE_LAN + 1;
	assert_false(survives(&e));
	e.prepare.config.profile = PROFILE_LAN;
	e.prepare.config.rate_ppm = 1000000; /* (1 - rho) would be 0 */
	assert_false(survives(&e));
}

static void words_outside_their_enum_are_refused(void **state)
{
	static struct envelope e;

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_PROBE_REPORT;
	e.probe_report.outcome = (enum probe_outcome)(OUTCOME_HOST_UP + 1);
	assert_false(survives(&e));
	e.kind = MESSAGE_FAREWELL;
	e.farewell.reason = (enum farewell_reason)0;
	assert_false(survives(&e));
	e.kind = MESSAGE_ANSWER;
	e.answer.code = (enum answer_code)2;
	assert_false(survives(&e));
	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_REQUEST;
	e.request.command.kind = COMMAND_KINDS;
	assert_false(survives(&e));
	e.request.command.kind = COMMAND_NOOP;
	e.request.command.role = (enum role)(ROLE_WITNESS + 1);
	assert_false(survives(&e));
}

static void an_address_without_a_port_is_refused(void **state)
{
	static struct envelope e;

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_JOIN;
	e.join.member.address = (struct address){.family = 4, .ip = {127, 0, 0, 1}, .port = 1};
	assert_true(survives(&e));
	e.join.member.address.port = 0;
	assert_false(survives(&e));
}

static void a_node_has_four_addresses_at_most(void **state)
{
	static struct envelope e;

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_JOIN;
	e.join.member.address = (struct address){.family = 4, .ip = {127, 0, 0, 1}, .port = 1};
	for (uint32_t i = 0; i < ADDRESSES_MAX; i++)
		e.join.member.more.list[i] = e.join.member.address;
	e.join.member.more.count = ADDRESSES_MAX - 1;
	assert_true(survives(&e));
	e.join.member.more.count = ADDRESSES_MAX;
	assert_false(survives(&e));
}

static void a_snapshot_chunk_beyond_the_whole_is_refused(void **state)
{
	static struct envelope e;
	uint8_t chunk[10] = {0};

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_SNAPSHOT;
	e.snapshot.chunk = (struct bytes){chunk, sizeof chunk};
	e.snapshot.offset = 90;
	e.snapshot.total = 100;
	assert_true(survives(&e));
	e.snapshot.offset = 91;
	assert_false(survives(&e));
	e.snapshot.offset = UINT64_MAX - 5;
	assert_false(survives(&e));
}

static void a_tombstone_or_a_big_fact_carries_no_value(void **state)
{
	static struct envelope e;
	uint8_t text[FACT_INLINE_MAX + 1] = "v";
	struct item item = {.kind = ITEM_FACT,
	                    .fact = {.key = {text, 1}, .value = {text, FACT_INLINE_MAX}}};

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_GOSSIP;
	e.item_count = 1;
	e.items = &item;
	assert_true(survives(&e));
	item.fact.value.size++;
	assert_false(survives(&e));
	item.fact.value.size = 1;
	item.fact.tombstone = true;
	assert_false(survives(&e));
	item.fact.tombstone = false;
	item.fact.big = true;
	assert_false(survives(&e));
	item.fact.value.size = 0;
	assert_true(survives(&e));
	item.fact.size = FACT_VALUE_MAX + 1;
	assert_false(survives(&e));
}

static void a_wild_clock_is_tamed_not_refused(void **state)
{
	static struct envelope e, out;

	memset(&e, 0, sizeof e);
	e.kind = MESSAGE_ACK;
	e.ack.received_wall = INT64_MIN;
	e.ack.sent_wall = INT64_MAX;
	size_t size = envelope_encode(&e, packed, sizeof packed);
	assert_true(envelope_decode(packed, size, &arena, &out));
	int64_t difference;
	assert_false(__builtin_sub_overflow(out.ack.sent_wall, out.ack.received_wall, &difference));
	assert_true(difference > 0);
}

/* ---- sizes ---- */

static void a_probe_and_an_ack_stay_small(void **state)
{
	static struct envelope e;

	memset(&e, 0, sizeof e);
	e.wire = 1;
	e.incarnation = 1000;
	e.commit = 1000000;
	e.summary = UINT64_MAX;
	e.refutation = 100;
	e.kind = MESSAGE_PROBE;
	e.probe = (struct probe){.sequence = 10000000, .sent_wall = INT64_C(1700000000000000000)};
	assert_true(envelope_encode(&e, packed, sizeof packed) <= 40);
	e.kind = MESSAGE_ACK;
	e.ack = (struct ack){10000000, INT64_C(1700000000000000000), INT64_C(1700000000000400000)};
	assert_true(envelope_encode(&e, packed, sizeof packed) <= 50);
}

static void an_items_size_is_what_it_adds_to_an_envelope(void **state)
{
	static struct envelope e;
	struct item items[2];

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct walk w = filler(seed, seed % 5 == 0, seed % 2 == 0);
		memset(&e, 0, sizeof e);
		memset(items, 0, sizeof items);
		items[0].kind = (enum item_kind)(ITEM_FACT + seed % 4);
		items[1].kind = (enum item_kind)(ITEM_FACT + seed / 4 % 4);
		walk_item(&w, &items[0]);
		walk_item(&w, &items[1]);
		e.kind = MESSAGE_PROBE;
		size_t bare = envelope_encode(&e, packed, sizeof packed);
		e.items = items;
		e.item_count = 2;
		assert_int_equal(envelope_encode(&e, packed, sizeof packed),
		                 bare + item_size(&items[0]) + item_size(&items[1]));
	}
}

/* ---- stored ---- */

#define STORED_ROUND_TRIP(type, seed_, maxima_) \
	do { \
		static struct type in_, out_; \
		struct walk fill_ = filler(seed_, maxima_, false); \
		struct walk before_ = {.mode = WALK_TRACE}, after_ = {.mode = WALK_TRACE}; \
		memset(&in_, 0, sizeof in_); \
		walk_##type(&fill_, &in_); \
		size_t size_ = type##_encode(&in_, packed, sizeof packed); \
		assert_true(size_ > 0); \
		assert_int_equal(type##_encode(&in_, again, size_ - 1), 0); \
		memset(&out_, 0xa5, sizeof out_); \
		assert_true(type##_decode(packed, size_, &arena, &out_)); \
		walk_##type(&before_, &in_); \
		walk_##type(&after_, &out_); \
		assert_true(before_.trace == after_.trace); \
		for (size_t cut_ = 0; cut_ < size_; cut_ += 1 + size_ / 500) \
			if (type##_decode(packed, cut_, &arena, &out_)) \
				walk_##type(&after_, &out_); \
	} while (0)

static void every_stored_record_comes_back_with_every_field(void **state)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		STORED_ROUND_TRIP(command, seed, seed == 1);
		STORED_ROUND_TRIP(durable, seed, seed == 1);
		STORED_ROUND_TRIP(member_row, seed, seed == 1);
		STORED_ROUND_TRIP(token_row, seed, seed == 1);
		STORED_ROUND_TRIP(kv_row, seed, seed == 1);
		STORED_ROUND_TRIP(origin_row, seed, seed == 1);
		STORED_ROUND_TRIP(seized, seed, seed == 1);
	}
}

static void a_stored_name_with_a_nul_inside_is_refused(void **state)
{
	static const uint8_t record[] = {5 << 3 | 2, 3, 'a', 0, 'b'};
	struct durable out;

	assert_false(durable_decode(record, sizeof record, &arena, &out));
}

/* ---- statements ---- */

static bool same_statement(const struct item *a, const struct item *b)
{
	static const struct cluster_id cluster = {{1}};
	static const struct generation generation = {1, {{2}}};
	uint8_t first[STATEMENT_MAX], second[STATEMENT_MAX];
	size_t size = item_statement(&cluster, &generation, a, first);

	return item_statement(&cluster, &generation, b, second) == size &&
	       memcmp(first, second, size) == 0;
}

static void a_statement_changes_with_what_it_covers_and_only_with_that(void **state)
{
	struct item base = {.kind = ITEM_FACT, .author = 1, .incarnation = 2};
	base.fact = (struct fact_item){.key = {(const uint8_t *)"key", 3}, .version = 3};
	struct item other = base;

	other.fact.value = (struct bytes){(const uint8_t *)"left out by a relay", 19};
	other.fact.big = true;
	assert_true(same_statement(&base, &other));
	other = base;
	other.fact.hash.bytes[31] = 1;
	assert_false(same_statement(&base, &other));
	other = base;
	other.fact.tombstone = true;
	assert_false(same_statement(&base, &other));
	other = base;
	other.fact.version++;
	assert_false(same_statement(&base, &other));
	other = base;
	other.fact.key.size = 2;
	assert_false(same_statement(&base, &other));
	other = base;
	other.incarnation++;
	assert_false(same_statement(&base, &other));
}

static void statements_of_different_kinds_generations_and_clusters_differ(void **state)
{
	struct cluster_id cluster = {{1}};
	struct generation generation = {1, {{2}}};
	struct item item = {.kind = ITEM_REFUTATION, .author = 1};
	struct transfer transfer = {.round = 1};
	struct hash claim = {{3}};
	uint8_t a[STATEMENT_MAX], b[STATEMENT_MAX];

	size_t size = item_statement(&cluster, &generation, &item, a);
	generation.hash.bytes[0]++;
	assert_int_equal(item_statement(&cluster, &generation, &item, b), size);
	assert_memory_not_equal(a, b, size);
	generation.hash.bytes[0]--;
	cluster.bytes[15]++;
	assert_int_equal(item_statement(&cluster, &generation, &item, b), size);
	assert_memory_not_equal(a, b, size);
	size = transfer_statement(&cluster, &generation, &transfer, &claim, a);
	transfer.successor.hop++;
	assert_int_equal(transfer_statement(&cluster, &generation, &transfer, &claim, b), size);
	assert_memory_not_equal(a, b, size);
	assert_memory_not_equal(a, "essaim item 1", 14);
}

/* Two records that differ anywhere but in their own hash and signature are two generations. */
static void a_founding_record_is_covered_as_a_whole(void **state)
{
	static uint8_t a[SEIZED_STATEMENT_MAX], b[SEIZED_STATEMENT_MAX];
	static const node_id nodes[] = {5, 6, 7};
	struct cluster_id cluster = {{1}};
	struct seized r = {.generation = {2, {{9}}}, .old = {1, {{8}}}, .config = {.voter_count = 1},
		.dead_count = 1, .followed_count = 2, .dead = nodes, .followed = nodes + 1};
	size_t size = seized_statement(&cluster, &r, a);
	uint8_t *fields[] = {(uint8_t *)&r.generation.number, (uint8_t *)&r.old.number,
		r.old.hash.bytes, (uint8_t *)&r.restored, r.by.bytes, (uint8_t *)&r.attempt,
		(uint8_t *)&r.nonce, (uint8_t *)&r.wall, (uint8_t *)&r.index,
		(uint8_t *)&r.config.ballot.node, (uint8_t *)&r.config.version,
		(uint8_t *)&r.config.voters[0], (uint8_t *)&r.config.lease};

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		*fields[i] ^= 1;
		assert_int_equal(seized_statement(&cluster, &r, b), size);
		assert_memory_not_equal(a, b, size);
		*fields[i] ^= 1;
	}
	r.dead_count = 2; /* the same nodes, but one more of them is dead */
	r.followed_count = 1;
	r.followed = nodes + 2;
	assert_int_equal(seized_statement(&cluster, &r, b), size);
	assert_memory_not_equal(a, b, size);
	r = (struct seized){.generation = {3, {{1}}}, .dead_count = MEMBERS_MAX};
	static const node_id many[MEMBERS_MAX];
	r.dead = many;
	r.config.voter_count = VOTERS_MAX;
	assert_true(seized_statement(&cluster, &r, a) < SEIZED_STATEMENT_MAX);
	assert_true(seized_signed(&cluster, &r.generation, b) < STATEMENT_MAX / 2);
}

static bool survey_decode(uint32_t dead)
{
	static struct envelope out;

	return envelope_decode(packed, wrap(34, fixed_list(4, dead)), &arena, &out);
}

static bool seized_lists_decode(uint32_t dead, uint32_t followed)
{
	static struct seized out;
	static uint8_t first[16 + 8 * MEMBERS_MAX];
	size_t size = fixed_list(10, dead);
	memcpy(first, packed, size);
	size_t other = fixed_list(11, followed);
	memcpy(packed + other, first, size);
	return seized_decode(packed, size + other, &arena, &out);
}

static void more_nodes_than_a_cluster_can_have_are_refused(void **state)
{
	assert_true(survey_decode(MEMBERS_MAX));
	assert_false(survey_decode(MEMBERS_MAX + 1));
	assert_true(seized_lists_decode(MEMBERS_MAX - 3, 3));
	assert_false(seized_lists_decode(MEMBERS_MAX - 3, 4));
}

static void the_longest_statements_fit(void **state)
{
	struct cluster_id cluster = {{1}};
	struct generation generation = {1, {{2}}};
	uint8_t out[STATEMENT_MAX];

	for (unsigned kind = ITEM_FACT; kind <= ITEM_VERDICT; kind++) {
		struct walk w = filler(1, true, false);
		struct item item = {.kind = (enum item_kind)kind};
		walk_item(&w, &item);
		assert_true(item_statement(&cluster, &generation, &item, out) < STATEMENT_MAX / 2);
	}
	static struct envelope e;
	fill(&e, MESSAGE_JOIN, 1, true, false);
	assert_true(member_statement(&cluster, 1, &e.join.member, out) < STATEMENT_MAX / 2);
}

/* ---- orders ---- */

static void ballots_are_ordered_by_counter_incarnation_node_hop(void **state)
{
	static const struct ballot ascending[] = {{0, 0, 0, 0}, {1, 1, 1, 1}, {1, 1, 1, 2}, {1, 1, 2, 0},
	                                          {1, 2, 0, 0}, {2, 0, 0, 0}, {UINT64_MAX, 0, 0, 0}};
	int count = (int)(sizeof ascending / sizeof ascending[0]);

	for (int i = 0; i < count; i++)
		for (int j = 0; j < count; j++) {
			int order = ballot_compare(&ascending[i], &ascending[j]);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(ballot_equal(&ascending[i], &ascending[j]), i == j);
		}
}

static void configs_are_ordered_by_ballot_then_version(void **state)
{
	struct ballot low = {1, 0, 0, 0}, high = {2, 0, 0, 0};

	assert_true(config_compare(&low, 9, &high, 1) < 0);
	assert_true(config_compare(&high, 1, &low, 9) > 0);
	assert_true(config_compare(&low, 1, &low, 2) < 0);
	assert_true(config_compare(&low, 2, &low, 1) > 0);
	assert_int_equal(config_compare(&low, 2, &low, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_message_comes_back_with_every_field),
		cmocka_unit_test(the_largest_legal_messages_come_back),
		cmocka_unit_test(a_message_of_zeros_comes_back),
		cmocka_unit_test(a_condition_on_no_version_and_on_version_zero_stay_apart),
		cmocka_unit_test(equal_messages_give_equal_bytes),
		cmocka_unit_test(encoding_into_too_little_room_gives_nothing),
		cmocka_unit_test(a_message_cut_anywhere_is_refused_or_legal),
		cmocka_unit_test(a_message_with_any_byte_changed_is_refused_or_legal),
		cmocka_unit_test(what_needs_more_than_the_arena_is_refused),
		cmocka_unit_test(many_empty_parts_cannot_outgrow_a_packets_arena),
		cmocka_unit_test(an_unknown_message_leaves_its_items),
		cmocka_unit_test(an_item_of_an_unknown_kind_is_left_out),
		cmocka_unit_test(keys_names_and_values_beyond_their_limits_are_refused),
		cmocka_unit_test(entries_of_too_many_bytes_are_refused),
		cmocka_unit_test(parts_beyond_their_count_are_refused),
		cmocka_unit_test(columns_beyond_their_count_are_refused),
		cmocka_unit_test(columns_of_unequal_length_are_refused),
		cmocka_unit_test(a_config_with_doubled_or_unordered_voters_is_refused),
		cmocka_unit_test(a_config_with_senseless_terms_is_refused),
		cmocka_unit_test(words_outside_their_enum_are_refused),
		cmocka_unit_test(an_address_without_a_port_is_refused),
		cmocka_unit_test(a_node_has_four_addresses_at_most),
		cmocka_unit_test(a_snapshot_chunk_beyond_the_whole_is_refused),
		cmocka_unit_test(a_tombstone_or_a_big_fact_carries_no_value),
		cmocka_unit_test(a_wild_clock_is_tamed_not_refused),
		cmocka_unit_test(a_probe_and_an_ack_stay_small),
		cmocka_unit_test(an_items_size_is_what_it_adds_to_an_envelope),
		cmocka_unit_test(every_stored_record_comes_back_with_every_field),
		cmocka_unit_test(a_stored_name_with_a_nul_inside_is_refused),
		cmocka_unit_test(a_statement_changes_with_what_it_covers_and_only_with_that),
		cmocka_unit_test(statements_of_different_kinds_generations_and_clusters_differ),
		cmocka_unit_test(a_founding_record_is_covered_as_a_whole),
		cmocka_unit_test(more_nodes_than_a_cluster_can_have_are_refused),
		cmocka_unit_test(the_longest_statements_fit),
		cmocka_unit_test(ballots_are_ordered_by_counter_incarnation_node_hop),
		cmocka_unit_test(configs_are_ordered_by_ballot_then_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
