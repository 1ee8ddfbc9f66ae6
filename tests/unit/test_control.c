/* The control socket's framing, requests and arguments: every limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base64.h"
#include "control_frame.h"
#include "control_request.h"

#define PATIENCE_MS 5000

static void pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

static void a_frame_travels_whole(void **state)
{
	int fds[2];
	char *text;
	size_t size;
	pair(fds);
	assert_int_equal(control_frame_write(fds[0], "{\"a\":1}", 7), 0);
	assert_int_equal(control_frame_read(fds[1], &text, &size, PATIENCE_MS), 0);
	assert_int_equal(size, 7);
	assert_string_equal(text, "{\"a\":1}");
	free(text);
	close(fds[0]);
	assert_int_equal(control_frame_read(fds[1], &text, &size, PATIENCE_MS), -EPIPE);
	close(fds[1]);
}

static void a_length_out_of_bounds_is_refused(void **state)
{
	uint8_t length[CONTROL_LENGTH_SIZE];
	uint32_t size;
	control_length_write(0, length);
	assert_false(control_length_read(length, CONTROL_FRAME_MAX, &size));
	control_length_write(CONTROL_FRAME_MAX, length);
	assert_true(control_length_read(length, CONTROL_FRAME_MAX, &size));
	assert_int_equal(size, CONTROL_FRAME_MAX);
	control_length_write(CONTROL_FRAME_MAX + 1, length);
	assert_false(control_length_read(length, CONTROL_FRAME_MAX, &size));
	memset(length, 0xff, sizeof length);
	assert_false(control_length_read(length, CONTROL_REPLY_MAX, &size));
	assert_int_equal(control_frame_write(-1, "", 0), -EMSGSIZE);
	assert_int_equal(control_frame_write(-1, "x", CONTROL_FRAME_MAX + 1), -EMSGSIZE);
}

static void a_frame_cut_short_is_an_end(void **state)
{
	int fds[2];
	char *text;
	size_t size;
	pair(fds);
	assert_int_equal(write(fds[0], "\0\0\0\5abc", 7), 7);
	assert_int_equal(control_frame_read(fds[1], &text, &size, 1), -ETIMEDOUT);
	close(fds[0]);
	close(fds[1]);
	pair(fds);
	assert_int_equal(write(fds[0], "\0\0\0\5abc", 7), 7);
	close(fds[0]);
	assert_int_equal(control_frame_read(fds[1], &text, &size, PATIENCE_MS), -EPIPE);
	close(fds[1]);
}

/* ---- requests ---- */

static int parse(const char *json, struct control_request *out)
{
	struct error error;
	return control_request_parse(json, strlen(json), out, &error);
}

static void a_request_is_taken_apart(void **state)
{
	struct control_request r;
	assert_int_equal(parse("{\"verb\":\"kv put\",\"args\":{\"key\":\"a\"},\"timeout_ms\":1500}", &r), 0);
	assert_string_equal(r.verb, "kv put");
	assert_int_equal(r.patience, 1500 * MILLISECOND);
	assert_true(json_is_object(r.args));
	control_request_free(&r);
	assert_int_equal(parse("{\"verb\":\"status\"}", &r), 0);
	assert_int_equal(r.patience, PATIENCE_DEFAULT);
	assert_int_equal(json_object_size(r.args), 0);
	control_request_free(&r);
	assert_int_equal(parse("{\"verb\":\"x\",\"timeout_ms\":9223372036854775807}", &r), 0);
	assert_int_equal(r.patience, PATIENCE_MAX);
	control_request_free(&r);
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "null", "[]", "{", "{}", "{\"verb\":1}", "{\"verb\":\"a\",\"args\":[]}",
		"{\"verb\":\"a\",\"args\":null}", "{\"verb\":\"a\",\"timeout_ms\":0}",
		"{\"verb\":\"a\",\"timeout_ms\":-1}", "{\"verb\":\"a\",\"timeout_ms\":\"1\"}",
		"{\"verb\":\"a\",\"verb\":\"b\"}", "{\"verb\":\"a\"} x", "\xff",
		"{\"verb\":\"0123456789012345678901234567890123456789\"}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct control_request r;
		if (parse(bad[i], &r) == 0)
			fail_msg("taken: %s", bad[i]);
	}
}

static void deep_nesting_is_refused(void **state)
{
	struct control_request r;
	static char deep[100001];
	memset(deep, '[', sizeof deep - 1);
	assert_true(parse(deep, &r) < 0);
}

/* ---- values ---- */

static int take_value(const char *json, uint8_t **out, size_t *size)
{
	struct error error;
	json_t *args = json_loads(json, 0, NULL);
	assert_non_null(args);
	int status = args_value(args, out, size, &error);
	json_decref(args);
	return status;
}

static void values_are_text_or_base64(void **state)
{
	uint8_t *value;
	size_t size;
	assert_int_equal(take_value("{\"value\":\"h\xc3\xa9\"}", &value, &size), 0);
	assert_int_equal(size, 3);
	free(value);
	assert_int_equal(take_value("{\"value_base64\":\"AP8=\"}", &value, &size), 0);
	assert_int_equal(size, 2);
	assert_memory_equal(value, "\0\xff", 2);
	free(value);
	assert_true(take_value("{}", &value, &size) < 0);
	assert_true(take_value("{\"value\":7}", &value, &size) < 0);
	assert_true(take_value("{\"value_base64\":\"AP8\"}", &value, &size) < 0);
	assert_true(take_value("{\"value_base64\":\"A*8=\"}", &value, &size) < 0);
}

static void check_round_trip(const uint8_t *value, size_t size, bool as_text)
{
	uint8_t *again;
	size_t again_size;
	struct error error;
	json_t *object = json_object();
	json_set_value(object, value, size);
	assert_true((json_object_get(object, "value") != NULL) == as_text);
	assert_int_equal(args_value(object, &again, &again_size, &error), 0);
	assert_int_equal(again_size, size);
	assert_memory_equal(again, value, size);
	free(again);
	json_decref(object);
}

static void every_value_comes_back_as_it_went(void **state)
{
	static uint8_t big[VALUE_MAX_SIZE];
	check_round_trip((const uint8_t *)"", 0, true);
	check_round_trip((const uint8_t *)"text", 4, true);
	check_round_trip((const uint8_t *)"\xff\xfe", 2, false);
	check_round_trip((const uint8_t *)"a\0b", 3, false);
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 7);
	check_round_trip(big, sizeof big, false);
	check_round_trip(big, sizeof big - 1, false);
	check_round_trip(big, sizeof big - 2, false);
}

static void a_value_above_the_limit_is_refused(void **state)
{
	static char big[VALUE_MAX_SIZE + 2];
	memset(big, 'a', sizeof big - 1);
	uint8_t *value;
	size_t size;
	struct error error;
	json_t *args = json_pack("{s:s}", "value", big);
	assert_true(args_value(args, &value, &size, &error) < 0);
	assert_non_null(strstr(error.text, "65537 bytes"));
	json_decref(args);
}

static void base64_is_strict(void **state)
{
	static const char *const bad[] = {"=", "====", "A===", "AA=A", "AB==", "AAB=", "AA==AAAA", "AA A"};
	uint8_t out[16];
	size_t size;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (base64_decode(bad[i], strlen(bad[i]), out, sizeof out, &size))
			fail_msg("taken: %s", bad[i]);
	}
	assert_true(base64_decode("", 0, out, sizeof out, &size));
	assert_int_equal(size, 0);
	assert_false(base64_decode("AAAA", 4, out, 2, &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_travels_whole),
		cmocka_unit_test(a_length_out_of_bounds_is_refused),
		cmocka_unit_test(a_frame_cut_short_is_an_end),
		cmocka_unit_test(a_request_is_taken_apart),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(values_are_text_or_base64),
		cmocka_unit_test(every_value_comes_back_as_it_went),
		cmocka_unit_test(a_value_above_the_limit_is_refused),
		cmocka_unit_test(base64_is_strict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
