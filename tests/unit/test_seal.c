/*
 * Keys, sealed packets, signatures: both modes keep the same promises about shape and refusal.
 */
#include "seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const enum seal_mode modes[] = {SEAL_REAL, SEAL_QUICK};

#define EACH_MODE(mode) \
	for (enum seal_mode mode = SEAL_REAL; mode <= SEAL_QUICK; mode = (enum seal_mode)(mode + 1))

struct pair {
	struct node_keys a, b;
	struct cluster_id cluster;
	struct generation generation;
	struct pair_key key;
	struct packet_header header;
	struct incarnation incarnation;
};

static void keys_make(enum seal_mode mode, uint8_t seed, struct node_keys *out)
{
	uint8_t bytes[32] = {seed};

	node_keys_from_seed(mode, bytes, out);
}

static struct pair pair_make(enum seal_mode mode)
{
	struct pair p = {.cluster = {{1, 2, 3}}, .generation = {1, {{4}}}, .incarnation = {5, 6}};

	keys_make(mode, 1, &p.a);
	keys_make(mode, 2, &p.b);
	assert_true(pair_key_compute(mode, &p.a, &p.b.public_key, &p.cluster, &p.generation, &p.key));
	p.header = (struct packet_header){
		.sender = node_key_id(&p.a.public_key), .salt = {9, 8, 7}, .sequence = 42};
	return p;
}

static size_t pair_seal(enum seal_mode mode, const struct pair *p, const char *text, uint8_t *out)
{
	return packet_seal(mode, &p->key, &p->header, node_key_id(&p->b.public_key), &p->incarnation,
	                   (const uint8_t *)text, strlen(text), out);
}

static bool pair_open(enum seal_mode mode, const struct pair *p, const uint8_t *packet, size_t size,
                      uint8_t *out, size_t *out_size)
{
	struct packet_header header;

	return packet_header_read(packet, size, &header) &&
	       packet_open(mode, &p->key, &header, node_key_id(&p->b.public_key), &p->incarnation,
	                   packet, size, out, out_size);
}

static void one_seed_gives_one_key_and_another_seed_another(void **state)
{
	EACH_MODE(mode)
	{
		node_id ids[256];
		for (unsigned seed = 0; seed < 256; seed++) {
			struct node_keys keys, same;
			keys_make(mode, (uint8_t)seed, &keys);
			keys_make(mode, (uint8_t)seed, &same);
			assert_memory_equal(&keys, &same, sizeof keys);
			ids[seed] = node_key_id(&keys.public_key);
			assert_true(ids[seed] != 0);
			for (unsigned i = 0; i < seed; i++)
				assert_true(ids[i] != ids[seed]);
		}
	}
}

static void two_nodes_compute_one_key_and_a_third_another(void **state)
{
	EACH_MODE(mode)
	{
		struct pair p = pair_make(mode);
		struct node_keys c;
		struct pair_key other;
		keys_make(mode, 3, &c);
		assert_true(pair_key_compute(mode, &p.b, &p.a.public_key, &p.cluster, &p.generation,
		                             &other));
		assert_memory_equal(&other, &p.key, sizeof other);
		assert_true(pair_key_compute(mode, &c, &p.a.public_key, &p.cluster, &p.generation,
		                             &other));
		assert_memory_not_equal(&other, &p.key, sizeof other);
	}
}

static void a_pair_key_belongs_to_one_cluster_and_one_generation(void **state)
{
	EACH_MODE(mode)
	{
		struct pair p = pair_make(mode);
		struct pair_key other;
		p.cluster.bytes[15]++;
		pair_key_compute(mode, &p.a, &p.b.public_key, &p.cluster, &p.generation, &other);
		assert_memory_not_equal(&other, &p.key, sizeof other);
		p.cluster.bytes[15]--;
		p.generation.number++;
		pair_key_compute(mode, &p.a, &p.b.public_key, &p.cluster, &p.generation, &other);
		assert_memory_not_equal(&other, &p.key, sizeof other);
		p.generation.number--;
		p.generation.hash.bytes[31]++;
		pair_key_compute(mode, &p.a, &p.b.public_key, &p.cluster, &p.generation, &other);
		assert_memory_not_equal(&other, &p.key, sizeof other);
	}
}

static void a_key_of_low_order_or_off_the_curve_is_refused(void **state)
{
	struct pair p = pair_make(SEAL_REAL);
	struct node_key zero = {{0}}, one = {{1}}, off = {{2}};
	struct pair_key out;

	assert_false(pair_key_compute(SEAL_REAL, &p.a, &zero, &p.cluster, &p.generation, &out));
	assert_false(pair_key_compute(SEAL_REAL, &p.a, &one, &p.cluster, &p.generation, &out));
	assert_false(pair_key_compute(SEAL_REAL, &p.a, &off, &p.cluster, &p.generation, &out));
}

static void what_is_sealed_opens_for_its_receiver(void **state)
{
	static char text[PACKET_PLAIN_MAX + 1];

	EACH_MODE(mode)
	{
		struct pair p = pair_make(mode);
		for (size_t size = 0; size <= PACKET_PLAIN_MAX; size += size < 70 ? 1 : 37) {
			uint8_t packet[PACKET_MAX], out[PACKET_MAX];
			size_t out_size;
			memset(text, 'x', size);
			text[size] = '\0';
			assert_int_equal(pair_seal(mode, &p, text, packet), size + PACKET_OVERHEAD);
			assert_true(pair_open(mode, &p, packet, size + PACKET_OVERHEAD, out, &out_size));
			assert_int_equal(out_size, size);
			assert_memory_equal(out, text, size);
		}
	}
}

static void a_header_reads_back(void **state)
{
	struct pair p = pair_make(SEAL_REAL);
	struct packet_header header;
	uint8_t packet[PACKET_MAX];

	p.header.sequence = (UINT64_C(1) << 63) - 1;
	for (int unknown = 0; unknown <= 1; unknown++) {
		p.header.unknown_receiver = unknown != 0;
		size_t size = pair_seal(SEAL_REAL, &p, "hello", packet);
		assert_true(packet_header_read(packet, size, &header));
		assert_true(header.sender == p.header.sender);
		assert_true(header.sequence == p.header.sequence);
		assert_int_equal(header.unknown_receiver, unknown);
		assert_memory_equal(header.salt, p.header.salt, SALT_SIZE);
	}
	assert_false(packet_header_read(packet, PACKET_OVERHEAD - 1, &header));
	assert_true(packet_header_read(packet, PACKET_OVERHEAD, &header));
	assert_false(packet_header_read(packet, PACKET_MAX + 1, &header));
}

static void a_packet_with_any_bit_changed_does_not_open(void **state)
{
	EACH_MODE(mode)
	{
		struct pair p = pair_make(mode);
		uint8_t packet[PACKET_MAX], out[PACKET_MAX];
		size_t out_size, size = pair_seal(mode, &p, "some words for one receiver", packet);
		for (size_t bit = 0; bit < 8 * size; bit++) {
			packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(pair_open(mode, &p, packet, size, out, &out_size));
			packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (size_t cut = 0; cut < size; cut++)
			assert_false(pair_open(mode, &p, packet, cut, out, &out_size));
		assert_true(pair_open(mode, &p, packet, size, out, &out_size));
	}
}

static void a_packet_opens_only_for_the_incarnation_it_was_sealed_for(void **state)
{
	EACH_MODE(mode)
	{
		struct pair p = pair_make(mode);
		uint8_t packet[PACKET_MAX], out[PACKET_MAX];
		size_t out_size, size = pair_seal(mode, &p, "captured before a restart", packet);
		p.incarnation.number++;
		assert_false(pair_open(mode, &p, packet, size, out, &out_size));
		p.incarnation.number--;
		p.incarnation.nonce++;
		assert_false(pair_open(mode, &p, packet, size, out, &out_size));
	}
}

static void a_packet_for_an_unknown_incarnation_opens_in_any(void **state)
{
	EACH_MODE(mode)
	{
		struct pair p = pair_make(mode);
		uint8_t packet[PACKET_MAX], out[PACKET_MAX];
		p.header.unknown_receiver = true;
		size_t out_size, size = pair_seal(mode, &p, "hello", packet);
		p.incarnation = (struct incarnation){77, 78};
		assert_true(pair_open(mode, &p, packet, size, out, &out_size));
	}
}

static void a_packet_sent_back_to_its_sender_does_not_open(void **state)
{
	EACH_MODE(mode)
	{
		struct pair p = pair_make(mode);
		uint8_t packet[PACKET_MAX], out[PACKET_MAX];
		size_t out_size, size = pair_seal(mode, &p, "to b", packet);
		assert_false(packet_open(mode, &p.key, &p.header, node_key_id(&p.a.public_key),
		                         &p.incarnation, packet, size, out, &out_size));
	}
}

/* All three overlaps that callers use: into its own place, to the front, from its own place. */
static void sealing_and_opening_work_in_place(void **state)
{
	static char text[PACKET_PLAIN_MAX + 1];

	for (size_t i = 0; i < PACKET_PLAIN_MAX; i++)
		text[i] = (char)('a' + i % 26);
	EACH_MODE(mode)
	{
		struct pair p = pair_make(mode);
		uint8_t apart[PACKET_MAX], packet[PACKET_MAX];
		size_t out_size, size = pair_seal(mode, &p, text, apart);
		memcpy(packet + PACKET_HEADER_SIZE, text, PACKET_PLAIN_MAX);
		packet_seal(mode, &p.key, &p.header, node_key_id(&p.b.public_key), &p.incarnation,
		            packet + PACKET_HEADER_SIZE, PACKET_PLAIN_MAX, packet);
		assert_memory_equal(packet, apart, size);
		assert_true(pair_open(mode, &p, packet, size, packet + PACKET_HEADER_SIZE, &out_size));
		assert_memory_equal(packet + PACKET_HEADER_SIZE, text, out_size);
		assert_true(pair_open(mode, &p, apart, size, apart, &out_size));
		assert_memory_equal(apart, text, out_size);
	}
}

static void the_real_seal_hides_the_words_and_never_repeats_a_nonce_alike(void **state)
{
	struct pair p = pair_make(SEAL_REAL);
	uint8_t first[PACKET_MAX], second[PACKET_MAX];
	size_t size = pair_seal(SEAL_REAL, &p, "the same words", first);

	assert_memory_not_equal(first + PACKET_HEADER_SIZE, "the same words", 14);
	p.header.sequence++;
	pair_seal(SEAL_REAL, &p, "the same words", second);
	assert_memory_not_equal(first + PACKET_HEADER_SIZE, second + PACKET_HEADER_SIZE,
	                        size - PACKET_HEADER_SIZE);
}

static void a_signature_holds_for_its_author_and_its_statement_only(void **state)
{
	static const uint8_t statement[] = "the subject is unreachable";

	for (size_t m = 0; m < 2; m++) {
		struct pair p = pair_make(modes[m]);
		uint8_t signature[SIGNATURE_SIZE];
		statement_sign(modes[m], &p.a, statement, sizeof statement, signature);
		assert_true(statement_verify(modes[m], &p.a.public_key, statement, sizeof statement,
		                             signature));
		assert_false(statement_verify(modes[m], &p.b.public_key, statement,
		                              sizeof statement, signature));
		assert_false(statement_verify(modes[m], &p.a.public_key, statement,
		                              sizeof statement - 1, signature));
		for (size_t i = 0; i < SIGNATURE_SIZE; i++) {
			signature[i] ^= 1;
			assert_false(statement_verify(modes[m], &p.a.public_key, statement,
			                              sizeof statement, signature));
			signature[i] ^= 1;
		}
	}
}

static void hashes_tell_contents_and_sizes_apart(void **state)
{
	static const uint8_t data[40];

	EACH_MODE(mode)
	{
		struct hash hashes[40];
		for (size_t size = 0; size < 40; size++) {
			hash_bytes(mode, data, size, &hashes[size]);
			for (size_t i = 0; i < size; i++)
				assert_memory_not_equal(&hashes[i], &hashes[size], HASH_SIZE);
		}
		struct hash again;
		hash_bytes(mode, data, 39, &again);
		assert_memory_equal(&again, &hashes[39], HASH_SIZE);
	}
}

/* RFC 7693 has BLAKE2b-512 only; this BLAKE2b-256 of "abc" is `b2sum -l 256`'s. */
static void the_real_hash_is_blake2b_256(void **state)
{
	static const uint8_t expected[HASH_SIZE] = {
		0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef, 0x3f, 0xee, 0x98, 0x57,
		0x9b, 0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb, 0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5,
		0x23, 0x19};
	struct hash hash;

	hash_bytes(SEAL_REAL, (const uint8_t *)"abc", 3, &hash);
	assert_memory_equal(hash.bytes, expected, HASH_SIZE);
}

static int group_start(void **state)
{
	return seal_start();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_seed_gives_one_key_and_another_seed_another),
		cmocka_unit_test(two_nodes_compute_one_key_and_a_third_another),
		cmocka_unit_test(a_pair_key_belongs_to_one_cluster_and_one_generation),
		cmocka_unit_test(a_key_of_low_order_or_off_the_curve_is_refused),
		cmocka_unit_test(what_is_sealed_opens_for_its_receiver),
		cmocka_unit_test(a_header_reads_back),
		cmocka_unit_test(a_packet_with_any_bit_changed_does_not_open),
		cmocka_unit_test(a_packet_opens_only_for_the_incarnation_it_was_sealed_for),
		cmocka_unit_test(a_packet_for_an_unknown_incarnation_opens_in_any),
		cmocka_unit_test(a_packet_sent_back_to_its_sender_does_not_open),
		cmocka_unit_test(sealing_and_opening_work_in_place),
		cmocka_unit_test(the_real_seal_hides_the_words_and_never_repeats_a_nonce_alike),
		cmocka_unit_test(a_signature_holds_for_its_author_and_its_statement_only),
		cmocka_unit_test(hashes_tell_contents_and_sizes_apart),
		cmocka_unit_test(the_real_hash_is_blake2b_256),
	};
	return cmocka_run_group_tests(tests, group_start, NULL);
}
