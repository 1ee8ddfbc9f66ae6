/* The words between daemon and hand: what was written reads back, and nothing else is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hand_message.h"

static uint8_t packet[HAND_PACKET_MAX];

static struct hand_message a_run(void)
{
	struct hand_message m = {.kind = HAND_RUN};
	m.run = (struct hand_run){.job = 7, .program = PROGRAM_HOOK, .deadline_ms = 1500, .output_max = 99,
	                          .count = 3, .arguments = {"before", "", "\xff\x01 \n'\""},
	                          .input = {(const uint8_t *)"{}\0x", 4}};
	return m;
}

static size_t samples(struct hand_message *out)
{
	out[0] = a_run();
	out[1] = (struct hand_message){.kind = HAND_CANCEL, .cancel = UINT64_MAX};
	out[2] = (struct hand_message){.kind = HAND_STATE, .state = {HAND_PROTOCOL, 12345, 2, 30}};
	out[3] = (struct hand_message){.kind = HAND_OUTPUT, .output = {7, 2, {(const uint8_t *)"abc", 3}}};
	out[4] = (struct hand_message){.kind = HAND_ENDED,
	                               .ended = {7, HAND_REFUSED, -3, true, false, {(const uint8_t *)"no", 2}}};
	out[5] = (struct hand_message){.kind = HAND_ANEW};
	return 6;
}

static void what_is_written_reads_back(void **state)
{
	struct hand_message out, run = a_run();
	size_t size = hand_message_write(&run, packet);
	assert_true(hand_message_read((struct bytes){packet, size}, &out));
	assert_int_equal(out.run.job, 7);
	assert_int_equal(out.run.program, PROGRAM_HOOK);
	assert_int_equal(out.run.deadline_ms, 1500);
	assert_int_equal(out.run.output_max, 99);
	assert_int_equal(out.run.count, 3);
	for (int i = 0; i < 3; i++)
		assert_string_equal(out.run.arguments[i], run.run.arguments[i]);
	assert_int_equal(out.run.input.size, 4);
	assert_memory_equal(out.run.input.data, "{}\0x", 4);
}

static void every_kind_writes_the_same_bytes_again(void **state)
{
	static uint8_t again[HAND_PACKET_MAX];
	struct hand_message list[6], out;
	for (size_t i = 0, count = samples(list); i < count; i++) {
		size_t size = hand_message_write(&list[i], packet);
		assert_true(hand_message_read((struct bytes){packet, size}, &out));
		assert_int_equal(hand_message_write(&out, again), size);
		assert_memory_equal(again, packet, size);
	}
}

/* Text and bytes at the end may be shorter; what says its size may not. */
static void no_request_is_taken_cut_or_with_more_behind_it(void **state)
{
	struct hand_message out, run = a_run();
	size_t size = hand_message_write(&run, packet);
	for (size_t i = 0; i < size; i++)
		assert_false(hand_message_read((struct bytes){packet, i}, &out));
	packet[size] = 0;
	assert_false(hand_message_read((struct bytes){packet, size + 1}, &out));
	size = hand_message_write(&(struct hand_message){.kind = HAND_CANCEL, .cancel = 1}, packet);
	assert_false(hand_message_read((struct bytes){packet, size - 1}, &out));
	assert_false(hand_message_read((struct bytes){packet, size + 1}, &out));
}

static void numbers_out_of_bounds_are_refused(void **state)
{
	struct hand_message out, m = a_run();
	size_t size = hand_message_write(&m, packet);
	struct {
		size_t at;
		uint8_t value;
	} wrong[] = {{0, 0}, {0, 7}, {8, 0}, {13, 0xff}, {17, 0xff}, {21, 0xff}, {22, 0xff}, {23, 0xff}, {26, 0xff}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		uint8_t before = packet[wrong[i].at];
		packet[wrong[i].at] = wrong[i].value; /* [8]: the last byte of the job's number, 7 */
		assert_false(hand_message_read((struct bytes){packet, size}, &out));
		packet[wrong[i].at] = before;
	}
	assert_true(hand_message_read((struct bytes){packet, size}, &out));
}

static void an_answer_with_a_strange_outcome_stream_or_text_is_refused(void **state)
{
	struct hand_message list[6], out;
	samples(list);
	size_t size = hand_message_write(&list[4], packet);
	for (int outcome = 0; outcome < 256; outcome++) {
		packet[9] = (uint8_t)outcome;
		bool good = outcome >= HAND_EXITED && outcome < HAND_GONE;
		assert_int_equal(hand_message_read((struct bytes){packet, size}, &out), good);
	}
	packet[9] = HAND_EXITED;
	packet[size - 1] = 0;
	assert_false(hand_message_read((struct bytes){packet, size}, &out));
	size = hand_message_write(&list[3], packet);
	packet[9] = 3;
	assert_false(hand_message_read((struct bytes){packet, size}, &out));
	list[3].output.bytes.size = 0;
	size = hand_message_write(&list[3], packet);
	assert_false(hand_message_read((struct bytes){packet, size}, &out));
}

static void the_largest_request_fits_and_one_byte_more_does_not(void **state)
{
	static char text[PROGRAM_ARGUMENTS_BYTES + 1];
	static uint8_t input[PROGRAM_INPUT_MAX];
	struct hand_message out, m = a_run();
	memset(text, 'a', sizeof text - 2); /* with its NUL: all that is allowed */
	m.run.count = 1;
	m.run.arguments[0] = text;
	m.run.input = (struct bytes){input, sizeof input};
	size_t size = hand_message_write(&m, packet);
	assert_true(size <= HAND_PACKET_MAX);
	assert_true(hand_message_read((struct bytes){packet, size}, &out));
	text[sizeof text - 2] = 'a';
	m.run.input.size = 0;
	size = hand_message_write(&m, packet);
	assert_false(hand_message_read((struct bytes){packet, size}, &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(every_kind_writes_the_same_bytes_again),
		cmocka_unit_test(no_request_is_taken_cut_or_with_more_behind_it),
		cmocka_unit_test(numbers_out_of_bounds_are_refused),
		cmocka_unit_test(an_answer_with_a_strange_outcome_stream_or_text_is_refused),
		cmocka_unit_test(the_largest_request_fits_and_one_byte_more_does_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
