/* The engine's rows, journal, requests and messages: what is encoded comes back; what is cut is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arguments.h"
#include "codec_registry.h"

static uint8_t memory[ENGINE_ARENA_SIZE], out[ENGINE_BYTES_MAX];

static struct arena arena(void)
{
	return (struct arena){memory, sizeof memory, 0};
}

static void fill(char *text, size_t max)
{
	memset(text, 'x', max);
	text[max] = '\0';
}

static struct operation_row operation(void)
{
	struct operation_row o = {.id = {1, 2, 3}, .number = 77, .epoch = 5, .noun = "volume",
		.verb = "create", .subject = "disk1", .who = "root", .from = 9, .target_count = 2,
		.targets = {11, 12}, .blob_size = 4, .state = OPERATION_CANCELLING, .undoing = true,
		.step = 3, .asked_wall = 100, .started_wall = 200, .deadline_wall = 300,
		.memo = "a=b\n", .text = "because"};
	arguments_add(&o.arguments, "size", "20G");
	locks_add(&o.locks, true, "vg0");
	locks_add(&o.locks, false, "disk1");
	return o;
}

/* Every beginning of it is refused, or is something else; nothing beyond it is read (sanitizers). */
#define CUT(size, decode, type)                                                                    \
	for (size_t cut = 0; cut < (size); cut++) {                                                \
		struct arena cut_arena = arena();                                                  \
		uint8_t *part = test_malloc(cut + 1);                                              \
		static type other;                                                                 \
		memcpy(part, out, cut);                                                            \
		if (decode((struct bytes){part, cut}, &cut_arena, &other))                                 \
			assert_memory_not_equal(&in, &other, sizeof in);                           \
		test_free(part);                                                                   \
	}

static void operations_come_back(void **state)
{
	struct operation_row in = operation(), back;
	struct arena a = arena();
	size_t size = operation_row_encode(&in, out, sizeof out);
	assert_true(size > 0);
	assert_true(operation_row_decode((struct bytes){out, size}, &a, &back));
	assert_memory_equal(&in, &back, sizeof in);
	CUT(size, operation_row_decode, struct operation_row)
}

static void the_longest_operation_fits_its_row(void **state)
{
	struct operation_row in = operation(), back;
	struct arena a = arena();
	fill(in.subject, OPERATION_SUBJECT_MAX);
	fill(in.who, OPERATION_WHO_MAX);
	fill(in.memo, OPERATION_MEMO_MAX);
	fill(in.text, OPERATION_TEXT_MAX);
	while (arguments_add(&in.arguments, "argument", "of some length"))
		;
	while (locks_add(&in.locks, false, "storage/volume"))
		;
	size_t size = operation_row_encode(&in, out, 8192);
	assert_true(size > 3000);
	assert_true(operation_row_decode((struct bytes){out, size}, &a, &back));
	assert_memory_equal(&in, &back, sizeof in);
}

static void audit_and_jobs_come_back(void **state)
{
	struct audit_row audit = {.number = 8, .id = {1, 2, 3}, .epoch = 5, .noun = "job", .verb = "add",
		.subject = "nightly", .who = "anna", .from = 4, .asked_wall = 6, .ended_wall = 7,
		.state = OPERATION_UNKNOWN, .text = "nobody knows"}, audit_back;
	struct job_row job = {.name = "nightly", .number = 8, .noun = "volume", .verb = "snapshot",
		.who = "anna", .from = 4, .every = SECOND, .due_wall = 99, .run = 3, .last = 12,
		.note = "was locked"}, job_back;
	struct arena a = arena();
	arguments_add(&audit.arguments, "a", "b");
	arguments_add(&job.arguments, "a", "b");
	size_t size = audit_row_encode(&audit, out, sizeof out);
	assert_true(audit_row_decode((struct bytes){out, size}, &a, &audit_back));
	assert_memory_equal(&audit, &audit_back, sizeof audit);
	size = job_row_encode(&job, out, sizeof out);
	assert_true(job_row_decode((struct bytes){out, size}, &a, &job_back));
	assert_memory_equal(&job, &job_back, sizeof job);
}

static void journal_records_come_back(void **state)
{
	struct journal_record in = {.id = {1, 2, 3}, .number = 77, .epoch = 5, .version = 900,
		.from = 1, .to = 4, .undoing = true, .backing = true, .phase = JOURNAL_ENDED, .step = 2,
		.attempt = 3, .outcome = LEG_FAILED, .cancelled = true, .memo = "a=b\n", .text = "left",
		.operation = operation()}, back;
	struct arena a = arena();
	size_t size = journal_record_encode(&in, out, sizeof out);
	static uint8_t again[sizeof out];
	assert_true(journal_record_decode((struct bytes){out, size}, &a, &back));
	assert_int_equal(journal_record_encode(&back, again, sizeof again), size);
	assert_memory_equal(out, again, size);
	assert_int_equal(back.outcome, LEG_FAILED);
	assert_true(back.backing && back.cancelled && back.undoing);
	assert_string_equal(back.operation.memo, in.operation.memo);
	assert_false(journal_record_decode((struct bytes){out, size / 2}, &a, &back));
}

static void requests_come_back_without_what_others_prove(void **state)
{
	static uint8_t blob[OPERATION_BLOB_MAX];
	struct engine_request in = {.ask = ASK_JOB_ADD, .detach = true, .dry_run = true, .who = "root",
		.noun = "volume", .verb = "create", .blob = {blob, sizeof blob}, .deadline = SECOND,
		.number = 5, .job = "nightly", .first_wall = 6, .every = 7}, back;
	struct arena a = arena();
	arguments_add(&in.arguments, "size", "20G");
	in.id = (struct request_id){1, 2, 3};
	in.from = 4;
	size_t size = engine_request_encode(&in, out, sizeof out);
	assert_true(size > sizeof blob && size <= ENGINE_BYTES_MAX);
	assert_true(engine_request_decode((struct bytes){out, size}, &a, &back));
	assert_int_equal(back.id.origin, 0);
	assert_int_equal(back.from, 0);
	assert_int_equal(back.blob.size, sizeof blob);
	assert_string_equal(back.job, "nightly");
	assert_memory_equal(&back.arguments, &in.arguments, sizeof in.arguments);
}

static void progress_and_answers_come_back(void **state)
{
	struct engine_told in = {.is_progress = true,
		.answer = {.operation = {1, 2, 3}, .number = 7},
		.progress = {.state = OPERATION_RUNNING, .step = 1, .step_count = 3, .phase = "copy",
			.done_bytes = 5, .total_bytes = 10, .rate = 2, .time_left = SECOND,
			.step_age = 2 * SECOND, .waits = "n2 is away"}}, back;
	struct arena a = arena();
	size_t size = engine_told_encode(&in, out, sizeof out);
	assert_true(engine_told_decode((struct bytes){out, size}, &a, &back));
	assert_memory_equal(&in, &back, sizeof in);
	in = (struct engine_told){.answer = {.result = ENGINE_LOCKED, .number = 7,
		.state = OPERATION_UNDONE, .text = "another works on it"}};
	size = engine_told_encode(&in, out, sizeof out);
	assert_true(engine_told_decode((struct bytes){out, size}, &a, &back));
	assert_false(back.is_progress);
	assert_memory_equal(&in.answer, &back.answer, sizeof in.answer);
}

static void messages_come_back(void **state)
{
	static struct engine_message in, back;
	struct arena a = arena();
	in = (struct engine_message){.kind = ENGINE_MESSAGE_DISPATCH, .epoch = 6};
	in.dispatch.from = 1;
	in.dispatch.to = 2;
	in.dispatch.version = 9;
	in.dispatch.operation = operation();
	size_t size = engine_message_encode(&in, out, sizeof out);
	assert_true(engine_message_decode((struct bytes){out, size}, &a, &back));
	assert_memory_equal(&in.dispatch, &back.dispatch, sizeof in.dispatch);
	in = (struct engine_message){.kind = ENGINE_MESSAGE_REPORT, .epoch = 6};
	in.report.id = (struct request_id){1, 2, 3};
	in.report.state = LEG_DONE;
	in.report.progress.time_left = -1;
	size = engine_message_encode(&in, out, sizeof out);
	assert_true(engine_message_decode((struct bytes){out, size}, &a, &back));
	assert_memory_equal(&in.report, &back.report, sizeof in.report);
	assert_int_equal(back.epoch, 6);
	assert_false(engine_message_decode((struct bytes){out, 0}, &a, &back));
}

static void a_row_is_read_by_its_kind(void **state)
{
	struct operation_row o = operation();
	struct registry_row row = {.kind = REGISTRY_OPERATION, .operation = &o}, back;
	struct registry_room room;
	struct arena a = arena();
	uint8_t key[REGISTRY_NAME_MAX + 1];
	struct bytes name = {(const uint8_t *)"n", 1};
	size_t size = registry_row_encode(&row, out, sizeof out);
	struct bytes whole = registry_row_key(REGISTRY_OPERATION, name, key);
	assert_true(registry_row_decode(whole, (struct bytes){out, size}, &a, &room, &back));
	assert_memory_equal(back.operation, &o, sizeof o);
	assert_false(registry_row_decode(whole, (struct bytes){out, size / 2}, &a, &room, &back));
	whole = registry_row_key(REGISTRY_VOLUME, name, key);
	assert_true(registry_row_decode(whole, (struct bytes){out, 3}, &a, &room, &back));
	assert_int_equal(back.bytes.size, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_come_back),
		cmocka_unit_test(the_longest_operation_fits_its_row),
		cmocka_unit_test(audit_and_jobs_come_back),
		cmocka_unit_test(journal_records_come_back),
		cmocka_unit_test(requests_come_back_without_what_others_prove),
		cmocka_unit_test(progress_and_answers_come_back),
		cmocka_unit_test(messages_come_back),
		cmocka_unit_test(a_row_is_read_by_its_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
