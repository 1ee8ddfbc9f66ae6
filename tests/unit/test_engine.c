/*
 * test_engine.c: the operation engine, rule by rule, on one node that is master and target.
 * What crashes do to it is the simulator's (tests/sim/ops.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alone_engine.h"

static struct alone *a;

static int before(void **state)
{
	a = calloc(1, sizeof(*a));
	alone_begin(a);
	return 0;
}

static int after(void **state)
{
	alone_end(a);
	free(a);
	return 0;
}

static const char *word(void)
{
	return a->run ? a->command.words[0] : "";
}

static const struct engine_answer *last(void)
{
	return a->answer_count ? &a->answers[a->answer_count - 1] : NULL;
}

static void give_mastership(bool master)
{
	struct engine_input input = {.kind = ENGINE_MASTERSHIP};
	input.mastership.master = master;
	input.mastership.epoch = a->epoch;
	alone_give(a, &input);
}

/* ---- a whole operation ---- */

static void an_operation_is_answered_when_its_end_is_committed(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	assert_null(alone_ask(a, &request));
	assert_string_equal(word(), "first");
	assert_int_equal(alone_operation(a, 1)->state, OPERATION_RUNNING);
	alone_finish(a, COMMAND_EXITED, 0, "");
	assert_string_equal(word(), "second");
	alone_finish(a, COMMAND_EXITED, 0, "");
	assert_int_equal(last()->result, ENGINE_DONE);
	assert_int_equal(last()->number, 1);
	assert_int_equal(alone_count(a, REGISTRY_OPERATION), 0);
	assert_int_equal(alone_audit(a, 1)->state, OPERATION_DONE);
	assert_string_equal(alone_audit(a, 1)->who, "anna");
	assert_true(alone_audit(a, 1)->ended_wall);
	assert_int_equal(a->dropped, 1);
}

static void a_request_asked_again_is_answered_not_done_again(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	alone_ask(a, &request);
	assert_null(alone_ask(a, &request)); /* still running: attached */
	assert_int_equal(a->run_count, 1);
	alone_finish(a, COMMAND_EXITED, 0, "");
	alone_finish(a, COMMAND_EXITED, 0, "");
	assert_int_equal(a->answer_count, 1);
	assert_int_equal(alone_ask(a, &request)->result, ENGINE_DONE); /* long after */
	assert_int_equal(a->run_count, 2);
	alone_again(a, NULL); /* and by the next master, which knows it from its rows */
	assert_int_equal(alone_ask(a, &request)->number, 1);
	assert_int_equal(a->run_count, 2);
}

static void detached_it_is_answered_when_it_is_committed(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	request.detach = true;
	const struct engine_answer *answer = alone_ask(a, &request);
	assert_int_equal(answer->result, ENGINE_STARTED);
	assert_int_equal(answer->number, 1);
	struct engine_request wait = alone_request(a, ASK_WAIT);
	wait.number = 1;
	assert_null(alone_ask(a, &wait));
	assert_string_equal(a->progress.phase, "first step");
	alone_finish(a, COMMAND_EXITED, 0, "");
	alone_finish(a, COMMAND_EXITED, 0, "");
	assert_int_equal(last()->result, ENGINE_DONE);
	assert_int_equal(last()->request.sequence, wait.id.sequence);
}

/* ---- refusals ---- */

static void what_is_wrong_is_refused_before_anything_is_written(void **state)
{
	struct engine_request request = alone_make(a, "forbidden", false);
	assert_string_equal(alone_ask(a, &request)->text, "'forbidden' may not be made");
	assert_int_equal(last()->result, ENGINE_REFUSED);
	request = alone_request(a, ASK_START);
	assert_non_null(strstr(alone_ask(a, &request)->text, "needs 'name'"));
	memcpy(request.verb, "melt", 5);
	assert_non_null(strstr(alone_ask(a, &request)->text, "'thing melt'"));
	a->other_unreachable = true;
	request = alone_make(a, "web", true);
	assert_non_null(
	    strstr(alone_ask(a, &request)->text, "'n2', where it would run, is unreachable"));
	request = alone_make(a, "web", false);
	request.arguments.text[request.arguments.size - 1] = 'x';
	assert_int_equal(alone_ask(a, &request)->result, ENGINE_REFUSED);
	assert_int_equal(alone_count(a, REGISTRY_AUDIT), 0);
	assert_int_equal(a->index, 0);
}

static void a_dry_run_says_what_would_be_done(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	request.dry_run = true;
	assert_string_equal(alone_ask(a, &request)->text, "would make 'web'");
	assert_int_equal(a->index, 0);
	assert_int_equal(a->run_count, 0);
}

static void a_taken_lock_names_who_holds_it(void **state)
{
	struct engine_request one = alone_make(a, "web", false), two = alone_make(a, "web", false);
	alone_ask(a, &one);
	alone_pass(a, 7 * SECOND);
	const struct engine_answer *answer = alone_ask(a, &two);
	assert_int_equal(answer->result, ENGINE_LOCKED);
	assert_string_equal(answer->text,
	                    "'web' is locked by operation 1, thing make, of anna from n2, for 7 s; "
	                    "it ends in 93 s at the latest: essaim op wait 1");
	alone_finish(a, COMMAND_EXITED, 0, "");
	alone_finish(a, COMMAND_EXITED, 0, "");
	assert_null(alone_ask(a, &two)); /* it died with its operation */
	assert_int_equal(alone_operation(a, 2)->state, OPERATION_RUNNING);
}

static void locks_that_are_taken_in_turns_are_waited_for(void **state)
{
	struct engine_request one = alone_make(a, "web", false), two = alone_make(a, "db", false);
	arguments_add(&one.arguments, "turn", "");
	arguments_add(&two.arguments, "turn", "");
	alone_ask(a, &one);
	assert_null(alone_ask(a, &two));
	assert_int_equal(alone_operation(a, 2)->state, OPERATION_QUEUED);
	assert_string_equal(a->progress.waits, "waits for operation 1, thing make");
	alone_finish(a, COMMAND_EXITED, 0, "");
	alone_finish(a, COMMAND_EXITED, 0, "");
	assert_int_equal(alone_operation(a, 2)->state, OPERATION_RUNNING);
}

static void a_node_is_given_no_more_than_it_may_have(void **state)
{
	struct engine_request requests[3] = {alone_make(a, "a", false), alone_make(a, "b", false),
	                                     alone_make(a, "c", false)};
	for (int i = 0; i < 3; i++)
		alone_ask(a, &requests[i]);
	assert_int_equal(a->run_count, 2);
	assert_int_equal(alone_operation(a, 3)->state, OPERATION_QUEUED);
	struct engine_figures figures;
	engine_figures(a->engine, &a->now, &figures);
	assert_int_equal(figures.open, 3);
	assert_int_equal(figures.queued, 1);
	assert_int_equal(figures.executing, 2);
}

/* ---- failing, cancelling ---- */

static void what_fails_is_undone(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	alone_ask(a, &request);
	alone_finish(a, COMMAND_EXITED, 0, "");
	alone_finish(a, COMMAND_EXITED, 1, "");
	assert_string_equal(word(), "undo");
	alone_finish(a, COMMAND_EXITED, 0, "");
	assert_int_equal(last()->result, ENGINE_UNDONE);
	assert_string_equal(last()->text, "second step: it said no");
}

static void a_lost_result_is_asked_for(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	alone_ask(a, &request);
	alone_finish(a, COMMAND_LOST, 0, "");
	assert_string_equal(word(), "probe");
	alone_finish(a, COMMAND_EXITED, 0, "there");
	assert_string_equal(word(), "second");
	alone_finish(a, COMMAND_TIMED_OUT, 0, ""); /* this one has no probe */
	assert_int_equal(last()->result, ENGINE_UNKNOWN);
	assert_non_null(strstr(last()->text, "second step: it is not known whether that was done"));
	assert_int_equal(alone_count(a, REGISTRY_OPERATION), 0);
}

static void what_cannot_be_undone_is_told(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	alone_ask(a, &request);
	alone_finish(a, COMMAND_EXITED, 0, "");
	alone_finish(a, COMMAND_EXITED, 1, "");
	for (int i = 0; i < 3; i++) {
		assert_string_equal(word(), "undo");
		alone_finish(a, COMMAND_EXITED, 5, "device busy");
		assert_string_equal(word(), "probe");
		alone_finish(a, COMMAND_EXITED, 0, "there");
		alone_pass(a, 3 * SECOND);
	}
	assert_int_equal(last()->result, ENGINE_FAILED);
	assert_non_null(strstr(last()->text, "not undone: first step: exit 5: device busy"));
}

static void cancelling_ends_the_command_and_stops_where_it_may(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	alone_ask(a, &request);
	struct engine_request cancel = alone_request(a, ASK_CANCEL);
	cancel.number = 1;
	assert_int_equal(alone_ask(a, &cancel)->result, ENGINE_STARTED);
	assert_int_equal(a->killed, a->run);
	alone_finish(a, COMMAND_KILLED, 0, "");
	assert_string_equal(word(), "probe");
	alone_finish(a, COMMAND_EXITED, 0, "there");
	assert_string_equal(word(), "second"); /* this one says that it may not be left */
	alone_finish(a, COMMAND_EXITED, 0, "");
	assert_int_equal(alone_audit(a, 1)->state, OPERATION_DONE);
}

static void a_queued_operation_is_cancelled_at_once(void **state)
{
	struct engine_request one = alone_make(a, "web", false), two = alone_make(a, "db", false);
	arguments_add(&one.arguments, "turn", "");
	arguments_add(&two.arguments, "turn", "");
	alone_ask(a, &one);
	alone_ask(a, &two);
	struct engine_request cancel = alone_request(a, ASK_CANCEL);
	cancel.number = 2;
	alone_ask(a, &cancel);
	assert_int_equal(alone_audit(a, 2)->state, OPERATION_UNDONE);
	assert_string_equal(alone_audit(a, 2)->text, "cancelled by anna");
	assert_int_equal(a->run_count, 1);
	cancel = alone_request(a, ASK_CANCEL);
	cancel.number = 77;
	assert_int_equal(alone_ask(a, &cancel)->result, ENGINE_NOT_FOUND);
}

static void a_deadline_that_passed_cancels(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	alone_ask(a, &request);
	for (int i = 0; i < 9; i++) {
		alone_pass(a, 11 * SECOND);
		alone_ask(a, &request); /* who waits asks again */
	}
	assert_int_equal(a->killed, 0);
	alone_pass(a, 2 * SECOND);
	assert_int_equal(a->killed, a->run);
	alone_finish(a, COMMAND_KILLED, 0, "");
	alone_finish(a, COMMAND_EXITED, 0, "absent");
	assert_int_equal(last()->result, ENGINE_UNDONE);
	assert_string_equal(last()->text, "its deadline passed");
}

/* ---- nodes and masters ---- */

static void a_target_that_was_removed_leaves_it_unknown(void **state)
{
	struct engine_request request = alone_make(a, "web", true);
	alone_ask(a, &request);
	assert_int_equal(a->sent.kind, ENGINE_MESSAGE_DISPATCH);
	a->other_unreachable = true;
	alone_pass(a, 2 * SECOND);
	assert_non_null(strstr(a->progress.waits, "'n2', where it runs, is unreachable"));
	a->other_gone = true;
	alone_give(a, &(struct engine_input){.kind = ENGINE_MEMBER});
	assert_int_equal(last()->result, ENGINE_UNKNOWN);
	assert_int_equal(alone_count(a, REGISTRY_OPERATION), 0);
}

static void given_up_it_ends_unknown_and_its_locks_are_free(void **state)
{
	struct engine_request request = alone_make(a, "web", true),
			      next = alone_make(a, "web", true);
	alone_ask(a, &request);
	struct engine_request abandon = alone_request(a, ASK_ABANDON);
	abandon.number = 1;
	assert_int_equal(alone_ask(a, &abandon)->result, ENGINE_UNKNOWN);
	assert_string_equal(alone_audit(a, 1)->text,
	                    "given up by anna: what its node did last is not known");
	assert_null(alone_ask(a, &next));
}

static void orders_are_repeated_until_they_are_heard(void **state)
{
	struct engine_request request = alone_make(a, "web", true);
	alone_ask(a, &request);
	assert_int_equal(a->sent_count, 1);
	alone_pass(a, SECOND / 2);
	assert_int_equal(a->sent_count, 1);
	alone_pass(a, SECOND);
	assert_int_equal(a->sent_count, 2);
}

static struct engine_message order(uint64_t epoch)
{
	struct engine_message m = {.kind = ENGINE_MESSAGE_DISPATCH, .epoch = epoch};
	struct operation_row *row = &m.dispatch.operation;
	row->id = (struct request_id){OTHER, 9, 9};
	row->number = 50;
	row->state = OPERATION_RUNNING;
	row->target_count = 1;
	row->targets[0] = SELF;
	memcpy(row->noun, "thing", 6);
	memcpy(row->verb, "make", 5);
	arguments_add(&row->arguments, "name", "web");
	m.dispatch.to = 4;                 /* two steps, and the hooks around them */
	m.dispatch.version = a->index + 1; /* of a row that this ledger does not have yet */
	return m;
}

static void send_order(const struct engine_message *m)
{
	struct engine_input input = {.kind = ENGINE_MESSAGE};
	input.message.from = OTHER;
	input.message.message = m;
	alone_give(a, &input);
}

static void an_older_epoch_is_refused(void **state)
{
	a->epoch = 7;
	give_mastership(false);
	struct engine_message m = order(6);
	send_order(&m);
	assert_int_equal(a->run_count, 0);
	assert_int_equal(a->sent.report.state, LEG_OLD_EPOCH);
	assert_int_equal(a->sent.epoch, 7);
	m = order(8);
	send_order(&m);
	assert_string_equal(word(), "first");
}

static void what_the_own_ledger_shows_as_ended_is_refused(void **state)
{
	give_mastership(false);
	a->index = 20;
	struct engine_message m = order(9);
	m.dispatch.version = 20; /* applied here, and there is no such row */
	send_order(&m);
	assert_int_equal(a->run_count, 0);
	assert_int_equal(a->sent.report.state, LEG_NONE);
}

static void orders_that_are_not_understood_are_refused(void **state)
{
	give_mastership(false);
	struct engine_message m = order(9);
	memcpy(m.dispatch.operation.verb, "melt", 5);
	send_order(&m);
	assert_int_equal(a->sent.report.state, LEG_NONE);
	m = order(9);
	m.dispatch.to = 9;
	send_order(&m);
	assert_int_equal(a->sent.report.state, LEG_NONE);
	m = order(9);
	m.dispatch.operation.targets[0] = OTHER;
	send_order(&m);
	assert_string_equal(a->sent.report.text, "it is another node's");
	m = order(9);
	m.dispatch.operation.step = 77;
	send_order(&m);
	assert_int_equal(a->sent.report.state, LEG_NONE);
	assert_int_equal(a->run_count, 0);
}

static void a_restart_asks_the_probe_and_goes_on(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	alone_ask(a, &request);
	assert_int_equal(a->record.phase, JOURNAL_ABOUT);
	struct journal_record record = a->record;
	alone_again(a, &record);
	assert_string_equal(word(), "probe");
	alone_finish(a, COMMAND_EXITED, 0, "absent");
	assert_string_equal(word(), "first");
	alone_finish(a, COMMAND_EXITED, 0, "");
	alone_finish(a, COMMAND_EXITED, 0, "");
	assert_int_equal(alone_audit(a, 1)->state, OPERATION_DONE);
}

static void a_step_that_ends_its_node_is_not_begun_for_ever(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	alone_ask(a, &request);
	for (int i = 0; i < 3; i++) {
		struct journal_record record = a->record;
		alone_again(a, &record);
		alone_finish(a, COMMAND_EXITED, 0, "absent");
	}
	assert_int_equal(alone_audit(a, 1)->state, OPERATION_UNDONE);
	assert_non_null(strstr(alone_audit(a, 1)->text, "begun three times"));
}

static void nothing_is_begun_while_the_journal_cannot_be_written(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	a->journal_fails = true;
	alone_ask(a, &request);
	alone_pass(a, 3 * SECOND);
	alone_pass(a, 3 * SECOND);
	assert_int_equal(a->run_count, 0);
	assert_non_null(strstr(a->progress.waits, "journal cannot be written"));
	a->journal_fails = false;
	alone_pass(a, 3 * SECOND);
	assert_string_equal(word(), "first");
}

static void what_the_ledger_refuses_is_answered(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	a->refuse_proposals = true;
	const struct engine_answer *answer = alone_ask(a, &request);
	assert_int_equal(answer->result, ENGINE_UNAVAILABLE);
	assert_string_equal(answer->text, "the ledger is full");
	a->refuse_proposals = false;
	assert_null(alone_ask(a, &request)); /* nothing was kept of it */
	assert_string_equal(word(), "first");
}

static void who_waits_is_told_that_the_master_changed(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	alone_ask(a, &request);
	give_mastership(false);
	assert_int_equal(last()->result, ENGINE_NOT_MASTER);
	struct engine_request next = alone_make(a, "db", false);
	assert_int_equal(alone_ask(a, &next)->result, ENGINE_NOT_MASTER);
	alone_finish(a, COMMAND_EXITED, 0, ""); /* the target goes on */
	assert_string_equal(word(), "second");
}

/* ---- hooks ---- */

/* Progress is the sign of it: who is waited for hears each second. */
static void who_does_not_ask_again_is_forgotten_and_who_does_is_not(void **state)
{
	struct engine_request make = alone_make(a, "x", false);
	alone_ask(a, &make);
	for (int i = 0; i < 6; i++) { /* beyond the patience, by its asking */
		alone_pass(a, 5 * SECOND);
		memset(&a->progress, 0, sizeof a->progress);
		alone_ask(a, &make);
		alone_pass(a, 2 * SECOND);
		assert_int_equal(a->progress.state, OPERATION_RUNNING);
	}
	alone_pass(a, 31 * SECOND);
	memset(&a->progress, 0, sizeof a->progress);
	alone_pass(a, 2 * SECOND);
	assert_int_equal(a->progress.state, 0);
	alone_ask(a, &make); /* it was away, and is back */
	alone_pass(a, 2 * SECOND);
	assert_int_equal(a->progress.state, OPERATION_RUNNING);
}

static void hooks_read_the_operation_and_may_refuse(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	a->hooked = true;
	alone_ask(a, &request);
	assert_int_equal(a->command.program, 9);
	assert_string_equal(a->command.words[0], "before");
	assert_string_equal(a->command.words[1], "thing-make");
	a->command.input[a->command.input_size] = '\0';
	assert_string_equal(
	    a->command.input,
	    "{\"operation\":1,\"when\":\"before\",\"noun\":\"thing\",\"verb\":\"make\","
	    "\"subject\":\"web\",\"who\":\"anna\",\"arguments\":{\"name\":\"web\"}}\n");
	alone_finish(a, COMMAND_EXITED, 1, "not on a Friday\n");
	assert_int_equal(last()->result, ENGINE_UNDONE);
	assert_string_equal(last()->text, "hooks before: a hook refused (exit 1): not on a Friday");
}

static void a_hook_that_fails_afterwards_undoes_nothing(void **state)
{
	struct engine_request request = alone_make(a, "web", false);
	a->hooked = true;
	alone_ask(a, &request);
	for (int i = 0; i < 3; i++)
		alone_finish(a, COMMAND_EXITED, 0, "");
	assert_string_equal(a->command.words[0], "after");
	alone_finish(a, COMMAND_EXITED, 3, "mail is down");
	assert_int_equal(last()->result, ENGINE_DONE);
	assert_string_equal(last()->text,
	                    "done, but a hook after it failed (exit 3): mail is down");
}

/* ---- audit ---- */

static void the_oldest_audit_rows_go(void **state)
{
	for (int i = 0; i < 20; i++) {
		struct engine_request request = alone_request(a, ASK_START);
		memcpy(request.verb, "declare", 8);
		arguments_add(&request.arguments, "name", "web");
		assert_int_equal(alone_ask(a, &request)->result, ENGINE_DONE);
		a->answer_count = 0;
	}
	assert_int_equal(alone_count(a, REGISTRY_AUDIT), 8);
	assert_null(alone_audit(a, 12));
	assert_non_null(alone_audit(a, 20));
}

static void what_is_open_keeps_its_audit_row(void **state)
{
	struct engine_request open = alone_make(a, "web", false);
	alone_ask(a, &open);
	for (int i = 0; i < 20; i++) {
		struct engine_request request = alone_request(a, ASK_START);
		memcpy(request.verb, "declare", 8);
		arguments_add(&request.arguments, "name", "db");
		alone_ask(a, &request);
		a->answer_count = 0;
	}
	assert_int_equal(alone_count(a, REGISTRY_AUDIT), 8);
	assert_non_null(alone_audit(a, 1));
	assert_null(alone_audit(a, 2));
}

/* ---- jobs ---- */

static struct engine_request job_add(const char *name, duration every, instant first)
{
	struct engine_request request = alone_make(a, "web", false);
	request.ask = ASK_JOB_ADD;
	memcpy(request.job, name, strlen(name) + 1);
	request.every = every;
	request.first_wall = first;
	return request;
}

static void finish_both(void)
{
	alone_finish(a, COMMAND_EXITED, 0, "");
	alone_finish(a, COMMAND_EXITED, 0, "");
}

static void a_job_runs_once_each_time(void **state)
{
	struct engine_request add = job_add("nightly", 60 * SECOND, 0);
	assert_int_equal(alone_ask(a, &add)->result, ENGINE_DONE);
	alone_pass(a, 59 * SECOND);
	assert_int_equal(a->run_count, 0);
	alone_pass(a, SECOND);
	assert_int_equal(alone_job(a, "nightly")->run, 1);
	alone_pass(a, 70 * SECOND); /* due again, while it runs: after it */
	assert_int_equal(alone_job(a, "nightly")->run, 1);
	finish_both();
	alone_pass(a, SECOND);
	assert_int_equal(alone_job(a, "nightly")->run, 2);
	finish_both();
	alone_pass(a, SECOND);
	assert_int_equal(alone_job(a, "nightly")->run, 2);
}

static void what_was_missed_is_made_up_for_once_by_the_next_master(void **state)
{
	struct engine_request add = job_add("nightly", 60 * SECOND, 0);
	alone_ask(a, &add);
	a->now.boot += 600 * SECOND;
	a->now.wall += 601 * SECOND;
	alone_again(a, NULL);
	assert_int_equal(alone_job(a, "nightly")->run, 1);
	assert_int_equal(alone_job(a, "nightly")->due_wall - a->now.wall, 59 * SECOND);
	alone_again(a, &a->record); /* another master at once: that run is begun already */
	assert_int_equal(alone_job(a, "nightly")->run, 1);
	assert_int_equal(alone_count(a, REGISTRY_OPERATION), 1);
}

static void a_job_at_a_time_runs_once(void **state)
{
	struct engine_request add = job_add("later", 0, a->now.wall + 30 * SECOND);
	assert_int_equal(alone_ask(a, &add)->result, ENGINE_DONE);
	alone_pass(a, 31 * SECOND);
	finish_both();
	alone_pass(a, 100 * SECOND);
	assert_int_equal(alone_job(a, "later")->run, 1);
	assert_int_equal(alone_job(a, "later")->due_wall, 0);
	assert_int_equal(alone_count(a, REGISTRY_OPERATION), 0);
}

static void a_refused_run_is_written_down_and_not_tried_again(void **state)
{
	struct engine_request add = job_add("bad", 60 * SECOND, 0);
	add.arguments.size = 0;
	arguments_add(&add.arguments, "name", "forbidden");
	alone_ask(a, &add);
	alone_pass(a, 61 * SECOND);
	alone_pass(a, 10 * SECOND);
	assert_int_equal(alone_job(a, "bad")->run, 1);
	assert_string_equal(alone_job(a, "bad")->note, "'forbidden' may not be made");
	assert_string_equal(alone_audit(a, 2)->text, "refused: 'forbidden' may not be made");
	assert_int_equal(a->run_count, 0);
}

static void a_job_is_run_by_hand_beside_its_times(void **state)
{
	struct engine_request add = job_add("nightly", 3600 * SECOND, 0);
	alone_ask(a, &add);
	instant due = alone_job(a, "nightly")->due_wall;
	struct engine_request run = alone_request(a, ASK_JOB_RUN),
			      again = alone_request(a, ASK_JOB_RUN);
	memcpy(run.job, "nightly", 8);
	memcpy(again.job, "nightly", 8);
	assert_null(alone_ask(a, &run));
	assert_int_equal(alone_ask(a, &again)->result, ENGINE_LOCKED);
	finish_both();
	assert_int_equal(last()->result, ENGINE_DONE);
	assert_int_equal(last()->request.sequence, run.id.sequence);
	assert_int_equal(alone_job(a, "nightly")->due_wall, due);
}

static void bad_jobs_are_refused(void **state)
{
	struct engine_request add = job_add("x", SECOND, 0);
	assert_int_equal(alone_ask(a, &add)->result, ENGINE_REFUSED); /* too often */
	add = job_add("x", 0, a->now.wall - SECOND);
	assert_int_equal(alone_ask(a, &add)->result, ENGINE_REFUSED); /* over */
	add = job_add("not a name", 60 * SECOND, 0);
	assert_int_equal(alone_ask(a, &add)->result, ENGINE_REFUSED);
	add = job_add("x", 60 * SECOND, 0);
	assert_int_equal(alone_ask(a, &add)->result, ENGINE_DONE);
	add = job_add("x", 60 * SECOND, 0);
	assert_non_null(strstr(alone_ask(a, &add)->text, "there is a job 'x' already"));
	struct engine_request remove = alone_request(a, ASK_JOB_REMOVE);
	memcpy(remove.job, "y", 2);
	assert_int_equal(alone_ask(a, &remove)->result, ENGINE_NOT_FOUND);
	remove = alone_request(a, ASK_JOB_REMOVE);
	memcpy(remove.job, "x", 2);
	assert_int_equal(alone_ask(a, &remove)->result, ENGINE_DONE);
	assert_null(alone_job(a, "x"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_operation_is_answered_when_its_end_is_committed),
	    TEST(a_request_asked_again_is_answered_not_done_again),
	    TEST(detached_it_is_answered_when_it_is_committed),
	    TEST(what_is_wrong_is_refused_before_anything_is_written),
	    TEST(a_dry_run_says_what_would_be_done),
	    TEST(a_taken_lock_names_who_holds_it),
	    TEST(locks_that_are_taken_in_turns_are_waited_for),
	    TEST(a_node_is_given_no_more_than_it_may_have),
	    TEST(what_fails_is_undone),
	    TEST(a_lost_result_is_asked_for),
	    TEST(what_cannot_be_undone_is_told),
	    TEST(cancelling_ends_the_command_and_stops_where_it_may),
	    TEST(a_queued_operation_is_cancelled_at_once),
	    TEST(a_deadline_that_passed_cancels),
	    TEST(a_target_that_was_removed_leaves_it_unknown),
	    TEST(given_up_it_ends_unknown_and_its_locks_are_free),
	    TEST(orders_are_repeated_until_they_are_heard),
	    TEST(an_older_epoch_is_refused),
	    TEST(what_the_own_ledger_shows_as_ended_is_refused),
	    TEST(orders_that_are_not_understood_are_refused),
	    TEST(a_restart_asks_the_probe_and_goes_on),
	    TEST(a_step_that_ends_its_node_is_not_begun_for_ever),
	    TEST(nothing_is_begun_while_the_journal_cannot_be_written),
	    TEST(what_the_ledger_refuses_is_answered),
	    TEST(who_waits_is_told_that_the_master_changed),
	    TEST(who_does_not_ask_again_is_forgotten_and_who_does_is_not),
	    TEST(hooks_read_the_operation_and_may_refuse),
	    TEST(a_hook_that_fails_afterwards_undoes_nothing),
	    TEST(the_oldest_audit_rows_go),
	    TEST(what_is_open_keeps_its_audit_row),
	    TEST(a_job_runs_once_each_time),
	    TEST(what_was_missed_is_made_up_for_once_by_the_next_master),
	    TEST(a_job_at_a_time_runs_once),
	    TEST(a_refused_run_is_written_down_and_not_tried_again),
	    TEST(a_job_is_run_by_hand_beside_its_times),
	    TEST(bad_jobs_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
