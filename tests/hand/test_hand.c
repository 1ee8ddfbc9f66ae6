/*
 * The hand with real children, and the daemon's side of it: essaim-hand-test (the same hand, with a table of
 * programs that misbehave) listens on a socket of ours, as systemd would give it.
 *
 * usage: test_hand ESSAIM-HAND-TEST
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hand_client.h"

static const char *program; /* essaim-hand-test */
static char folder[64];

struct scene {
	char socket[108], unkillable[128], hooks[128], mark[128];
	pid_t hand;
	struct event_base *base;
	struct hand_client *client;
};

struct heard {
	struct event_base *base;
	uint32_t ends;
	struct hand_result last;
	char out[256], error[512], sentence[ERROR_TEXT_SIZE];
	size_t out_size, pieces_size;
	uint32_t order;
};
static uint32_t orders;

/* ---- the scene ---- */

static int listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	memcpy(at.sun_path, path, strlen(path) + 1);
	unlink(path);
	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 4) == 0);
	return fd;
}

static void start_hand(struct scene *s)
{
	int fd = listen_at(s->socket);
	s->hand = fork();
	assert_true(s->hand >= 0);
	if (s->hand == 0) {
		setenv("LISTEN_FDS", "1", 1);
		setenv("ESSAIM_HAND_UNKILLABLE", s->unkillable, 1);
		if (fd != 3)
			dup2(fd, 3);
		execl(program, program, "--hooks", s->hooks, (char *)NULL);
		_exit(127);
	}
	close(fd);
}

static void stop_hand(struct scene *s)
{
	if (s->hand == 0)
		return;
	kill(s->hand, SIGTERM);
	waitpid(s->hand, NULL, 0);
	s->hand = 0;
}

static void open_client(struct scene *s)
{
	s->client = hand_open(s->base, -1, s->socket);
	assert_non_null(s->client);
}

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	snprintf(s->socket, sizeof s->socket, "%s/socket", folder);
	snprintf(s->unkillable, sizeof s->unkillable, "%s/unkillable", folder);
	snprintf(s->hooks, sizeof s->hooks, "%s/hooks", folder);
	snprintf(s->mark, sizeof s->mark, "%s/mark", folder);
	unlink(s->mark);
	s->base = event_base_new();
	start_hand(s);
	open_client(s);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	unlink(s->unkillable);
	hand_close(s->client);
	stop_hand(s);
	event_base_free(s->base);
	free(s);
	return 0;
}

/* ---- asking ---- */

static void copy_text(char *to, size_t size, struct bytes from)
{
	size_t length = from.size < size - 1 ? from.size : size - 1;
	memcpy(to, from.data, length);
	to[length] = '\0';
}

static void on_done(void *context, const struct hand_result *result)
{
	struct heard *h = context;
	h->ends++;
	h->order = ++orders;
	h->last = *result;
	h->out_size = result->out.size;
	copy_text(h->out, sizeof h->out, result->out);
	copy_text(h->error, sizeof h->error, result->error);
	snprintf(h->sentence, sizeof h->sentence, "%s", result->sentence);
}

static void on_piece(void *context, struct bytes piece)
{
	struct heard *h = context;
	h->pieces_size += piece.size;
}

static uint64_t ask(struct scene *s, struct heard *h, enum program p, const char *script,
                    duration deadline)
{
	const char *arguments[] = {"-c", script, "zero", "one"};
	struct hand_request request = {.program = p, .count = 4, .arguments = arguments, .deadline = deadline};
	h->base = s->base;
	return hand_run(s->client, &request, on_done, h);
}

/* Runs the loop until it ended `times`; gives up after half a minute. */
static void await(struct scene *s, struct heard *h, uint32_t times)
{
	const struct timeval tick = {0, 10000};
	for (int i = 0; i < 3000 && h->ends < times; i++) {
		event_base_loopexit(s->base, &tick);
		event_base_dispatch(s->base);
	}
	assert_int_equal(h->ends, times);
}

static void await_file(struct scene *s, const char *path)
{
	const struct timeval tick = {0, 10000};
	for (int i = 0; i < 3000 && access(path, F_OK) != 0; i++) {
		event_base_loopexit(s->base, &tick);
		event_base_dispatch(s->base);
	}
	assert_int_equal(access(path, F_OK), 0);
}

static struct heard run(struct scene *s, enum program p, const char *script, duration deadline)
{
	struct heard h = {0};
	ask(s, &h, p, script, deadline);
	await(s, &h, 1);
	return h;
}

static pid_t pid_in(const char *path)
{
	int pid = 0;
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	assert_int_equal(fscanf(in, "%d", &pid), 1);
	fclose(in);
	return pid;
}

/* Nobody has that pid, or only as a dead one that init has not buried yet. */
static bool is_dead(pid_t pid)
{
	char path[64], state = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *in = fopen(path, "r");
	if (in == NULL)
		return true;
	if (fscanf(in, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	fclose(in);
	return state == 'Z' || state == 'X';
}

static void await_death(struct scene *s, pid_t pid)
{
	for (int i = 0; i < 3000 && !is_dead(pid); i++)
		usleep(10000);
	assert_true(is_dead(pid));
}

/* ---- children ---- */

static void a_child_gets_its_arguments_a_clean_environment_and_no_descriptor(void **state)
{
	struct scene *s = *state;
	setenv("ESSAIM_SECRET", "x", 1);
	struct heard h = run(s, PROGRAM_MOUNTS, "echo \"$0-$1-$#\"; env | sort; ls /proc/self/fd | wc -l; pwd; ulimit -c",
	                     0);
	assert_int_equal(h.last.outcome, HAND_EXITED);
	assert_int_equal(h.last.code, 0);
	assert_string_equal(h.out, "zero-one-1\nHOME=/root\nLC_ALL=C\nLVM_SUPPRESS_FD_WARNINGS=1\n"
	                           "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\n4\n/\n0\n");
}

static void arguments_with_odd_bytes_arrive_as_they_are_and_no_shell_reads_them(void **state)
{
	struct scene *s = *state;
	const char *odd = "$(touch /tmp/x) `id`; \"'\\\n\t\xff\xfe *";
	const char *arguments[] = {"-c", "printf %s \"$1\"", "zero", odd};
	struct hand_request request = {.program = PROGRAM_MOUNTS, .count = 4, .arguments = arguments};
	struct heard h = {0};
	hand_run(s->client, &request, on_done, &h);
	await(s, &h, 1);
	assert_string_equal(h.out, odd);
}

static void stdout_and_stderr_are_kept_apart_and_the_exit_code_is_told(void **state)
{
	struct heard h = run(*state, PROGRAM_MOUNTS, "echo good; echo bad >&2; exit 7", 0);
	assert_int_equal(h.last.outcome, HAND_EXITED);
	assert_int_equal(h.last.code, 7);
	assert_string_equal(h.out, "good\n");
	assert_string_equal(h.error, "bad\n");
	assert_false(h.last.out_cut || h.last.error_cut);
}

static void what_is_given_is_read_on_stdin_to_its_end(void **state)
{
	struct scene *s = *state;
	static uint8_t input[PROGRAM_INPUT_MAX];
	memset(input, 'a', sizeof input);
	const char *arguments[] = {"-c", "wc -c"};
	struct hand_request request = {.program = PROGRAM_MOUNTS, .count = 2, .arguments = arguments,
	                               .input = {input, sizeof input}};
	struct heard h = {0};
	hand_run(s->client, &request, on_done, &h);
	await(s, &h, 1);
	assert_int_equal(atoi(h.out), PROGRAM_INPUT_MAX);
}

static void a_crash_is_told_by_its_signal(void **state)
{
	struct heard h = run(*state, PROGRAM_MOUNTS, "kill -SEGV $$", 0);
	assert_int_equal(h.last.outcome, HAND_SIGNALLED);
	assert_int_equal(h.last.code, SIGSEGV);
}

static void fifty_megabytes_are_cut_at_the_limit_and_the_child_ends_by_itself(void **state)
{
	struct heard h = run(*state, PROGRAM_MOUNTS, "head -c 50000000 /dev/zero; head -c 5000000 /dev/zero >&2; exit 3",
	                     60 * SECOND);
	assert_int_equal(h.last.outcome, HAND_EXITED);
	assert_int_equal(h.last.code, 3);
	assert_int_equal(h.out_size, 1 << 20);
	assert_true(h.last.out_cut && h.last.error_cut);
	assert_int_equal(h.last.error.size, PROGRAM_ERROR_MAX);
}

static void a_stream_is_handed_over_as_it_comes_until_it_is_cancelled(void **state)
{
	struct scene *s = *state;
	const char *arguments[] = {"-c", "while :; do echo line; done"};
	struct hand_request request = {.program = PROGRAM_DRBD_EVENTS, .count = 2, .arguments = arguments};
	struct heard h = {0};
	const struct timeval tick = {0, 10000};
	uint64_t job = hand_follow(s->client, &request, on_piece, on_done, &h);
	while (h.pieces_size < 4 << 20) {
		event_base_loopexit(s->base, &tick);
		event_base_dispatch(s->base);
	}
	struct heard other = run(s, PROGRAM_MOUNTS, "echo calm", 0);
	assert_string_equal(other.out, "calm\n");
	hand_cancel(s->client, job);
	await(s, &h, 1);
	assert_int_equal(h.last.outcome, HAND_CANCELLED);
}

/* ---- what is refused ---- */

static void a_missing_program_is_refused_with_a_sentence(void **state)
{
	struct heard h = run(*state, PROGRAM_DRBD_STATUS, "", 0);
	assert_int_equal(h.last.outcome, HAND_REFUSED);
	assert_string_equal(h.sentence, "'missing' is not installed on this node");
}

/* The client refuses by itself, so the hand is asked past it. */
static void the_hand_itself_refuses_what_its_table_does_not_allow(void **state)
{
	struct scene *s = *state;
	hand_close(s->client); /* the link is one */
	s->client = NULL;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	memcpy(at.sun_path, s->socket, sizeof at.sun_path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	static uint8_t packet[HAND_PACKET_MAX];
	const uint32_t programs[] = {PROGRAM_NONE, PROGRAM_COUNT, 1000000, PROGRAM_SIGNATURES};
	for (uint64_t i = 0; i < 4; i++) {
		struct hand_message m = {.kind = HAND_RUN}, answer;
		m.run = (struct hand_run){.job = i + 1, .program = programs[i], .count = 1, .arguments = {"-x"}};
		assert_true(send(fd, packet, hand_message_write(&m, packet), 0) > 0);
		do {
			ssize_t got = recv(fd, packet, sizeof packet, 0);
			assert_true(got > 0 && hand_message_read((struct bytes){packet, (size_t)got}, &answer));
		} while (answer.kind != HAND_ENDED);
		assert_int_equal(answer.ended.outcome, HAND_REFUSED);
		assert_int_equal(answer.ended.job, i + 1);
	}
	assert_true(send(fd, "garbage", 7, 0) > 0);
	ssize_t got;
	while ((got = recv(fd, packet, sizeof packet, 0)) > 0)
		;
	assert_int_equal(got, 0); /* hung up, and it lives: */
	close(fd);
	open_client(s);
	struct heard h = run(s, PROGRAM_MOUNTS, "echo alive", 0);
	assert_string_equal(h.out, "alive\n");
}

static void write_hook(struct scene *s, const char *name, mode_t mode)
{
	char path[300];
	mkdir(s->hooks, 0755);
	chmod(s->hooks, 0755);
	snprintf(path, sizeof path, "%s/before.d", s->hooks);
	mkdir(path, 0755);
	chmod(path, 0755);
	snprintf(path, sizeof path, "%s/before.d/%s", s->hooks, name);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fputs("#!/bin/sh\necho \"hook $1\"; cat\n", out);
	fclose(out);
	chmod(path, mode);
}

static struct heard run_hook(struct scene *s, const char *name)
{
	char path[100];
	snprintf(path, sizeof path, "before.d/%s", name);
	const char *arguments[] = {path, "before"};
	struct hand_request request = {.program = PROGRAM_HOOK, .count = 2, .arguments = arguments,
	                               .input = {(const uint8_t *)"{}", 2}};
	struct heard h = {0};
	hand_run(s->client, &request, on_done, &h);
	await(s, &h, 1);
	return h;
}

static void a_hook_is_run_only_if_nobody_but_root_can_have_written_it(void **state)
{
	struct scene *s = *state;
	write_hook(s, "10-good", 0755);
	write_hook(s, "20-open", 0777);
	write_hook(s, "30-plain", 0644);
	if (getuid() != 0) {
		assert_int_equal(run_hook(s, "10-good").last.outcome, HAND_REFUSED);
		return;
	}
	assert_string_equal(run_hook(s, "10-good").out, "hook before\n{}");
	assert_int_equal(run_hook(s, "20-open").last.outcome, HAND_REFUSED);
	assert_int_equal(run_hook(s, "30-plain").last.outcome, HAND_REFUSED);
	assert_int_equal(run_hook(s, "40-missing").last.outcome, HAND_REFUSED);
	assert_int_equal(run_hook(s, "../x").last.outcome, HAND_REFUSED);
	assert_int_equal(run_hook(s, "../before.d/10-good").last.outcome, HAND_REFUSED);
	char before[300];
	snprintf(before, sizeof before, "%s/before.d", s->hooks);
	chmod(before, 0777);
	assert_int_equal(run_hook(s, "10-good").last.outcome, HAND_REFUSED);
	chmod(before, 0755);
	assert_string_equal(run_hook(s, "10-good").out, "hook before\n{}");
	chmod(s->hooks, 0777);
	assert_int_equal(run_hook(s, "10-good").last.outcome, HAND_REFUSED);
}

static void ask_again(void *context, const struct hand_result *result)
{
	struct heard *h = context;
	on_done(h, result);
	if (h->ends == 1) {
		/* allowed within `done` */
		assert_int_equal(result->outcome, HAND_REFUSED);
	}
}

static void without_a_hand_everything_is_refused_with_a_sentence_and_never_at_once(void **state)
{
	struct scene *s = *state;
	struct hand_client *alone = hand_open(s->base, -1, "");
	const char *arguments[] = {"--json"};
	struct hand_request request = {.program = PROGRAM_MOUNTS, .count = 1, .arguments = arguments};
	struct heard h = {0};
	assert_int_not_equal(hand_run(alone, &request, ask_again, &h), 0);
	assert_int_equal(h.ends, 0);
	await(s, &h, 1);
	assert_non_null(strstr(h.sentence, "without a hand"));
	hand_close(alone);
}

/* ---- deadlines ---- */

static void at_its_deadline_a_child_and_its_grandchildren_are_ended(void **state)
{
	struct scene *s = *state;
	char script[700];
	snprintf(script, sizeof script, "trap '' TERM; (trap '' TERM; sleep 600) & echo $! >%s; echo begun; wait; wait",
	         s->mark);
	struct heard h = run(s, PROGRAM_MOUNTS, script, 300 * MILLISECOND);
	assert_int_equal(h.last.outcome, HAND_TIMED_OUT);
	assert_string_equal(h.out, "begun\n");
	await_death(s, pid_in(s->mark));
}

static void what_a_child_leaves_behind_dies_with_it(void **state)
{
	struct scene *s = *state;
	char script[700];
	snprintf(script, sizeof script, "sleep 600 & echo $! >%s; exit 0", s->mark);
	struct heard h = run(s, PROGRAM_MOUNTS, script, 20 * SECOND);
	assert_int_equal(h.last.outcome, HAND_EXITED);
	await_death(s, pid_in(s->mark));
}

/* ---- LVM ---- */

static void lvm_commands_run_one_after_the_other_in_order_and_others_beside_them(void **state)
{
	struct scene *s = *state;
	struct heard lvm[5] = {0}, other = {0};
	char script[700];
	/* Each fails if another is within. */
	snprintf(script, sizeof script, "mkdir %s.lock && sleep 0.1 && rmdir %s.lock", s->mark, s->mark);
	for (int i = 0; i < 5; i++)
		ask(s, &lvm[i], i % 2 == 0 ? PROGRAM_LVM_REPORT : PROGRAM_LVM_CHANGE, script, 0);
	ask(s, &other, PROGRAM_MOUNTS, "echo beside", 0);
	for (int i = 0; i < 5; i++) {
		await(s, &lvm[i], 1);
		assert_int_equal(lvm[i].last.outcome, HAND_EXITED);
		assert_int_equal(lvm[i].last.code, 0);
		assert_true(i == 0 || lvm[i - 1].order < lvm[i].order);
	}
	await(s, &other, 1);
	assert_true(other.order < lvm[4].order);
}

static void a_stuck_lvm_command_is_a_state_and_all_else_goes_on(void **state)
{
	struct scene *s = *state;
	struct heard stuck = {0}, waiting = {0};
	struct hand_view view;
	close(open(s->unkillable, O_CREAT | O_WRONLY, 0600));
	ask(s, &stuck, PROGRAM_LVM_REPORT, "exec sleep 600", 200 * MILLISECOND);
	ask(s, &waiting, PROGRAM_LVM_REPORT, "echo never", 0);
	await(s, &stuck, 1);
	assert_int_equal(stuck.last.outcome, HAND_STUCK);
	await(s, &waiting, 1);
	assert_int_equal(waiting.last.outcome, HAND_LVM_STUCK);
	assert_non_null(strstr(waiting.sentence, "LVM is stuck"));
	struct heard at_once = run(s, PROGRAM_LVM_REPORT, "echo never", 0);
	assert_int_equal(at_once.last.outcome, HAND_LVM_STUCK);
	assert_true(at_once.last.code >= 5);
	struct heard other = run(s, PROGRAM_MOUNTS, "echo goes on", 0);
	assert_string_equal(other.out, "goes on\n");
	hand_look(s->client, &view);
	assert_true(view.lvm_stuck >= 5 * SECOND);
}

/* ---- who dies ---- */

static void readers_die_with_their_daemon_and_what_changes_something_ends_first(void **state)
{
	struct scene *s = *state;
	struct heard reader = {0}, writer = {0};
	char script[700], path[160];
	snprintf(path, sizeof path, "%s.reader", s->mark);
	snprintf(script, sizeof script, "echo $$ >%s.tmp; mv %s.tmp %s; exec sleep 600", path, path, path);
	ask(s, &reader, PROGRAM_MOUNTS, script, 0);
	snprintf(script, sizeof script, "echo $$ >%s.begun; sleep 1; echo done >%s", s->mark, s->mark);
	ask(s, &writer, PROGRAM_DRBD_CHANGE, script, 0);
	await_file(s, path);
	snprintf(script, sizeof script, "%s.begun", s->mark);
	await_file(s, script);
	hand_close(s->client);
	open_client(s); /* the next daemon */
	snprintf(script, sizeof script, "cat %s", s->mark);
	struct heard next = run(s, PROGRAM_SIGNATURES, script, 0);
	assert_string_equal(next.out, "done\n");
	await_death(s, pid_in(path));
	assert_int_equal(reader.ends + writer.ends, 0);
	unlink(path);
}

/* After a change of its key the daemon opens a second client over the link that it inherited. */
static void a_client_that_begins_anew_over_the_same_link_has_nothing_of_the_one_before(void **state)
{
	struct scene *s = *state;
	struct heard reader = {0}, writer = {0};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char script[700], begun[160];
	hand_close(s->client);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	memcpy(at.sun_path, s->socket, strlen(s->socket) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	s->client = hand_open(s->base, dup(fd), "");
	snprintf(begun, sizeof begun, "%s.begun", s->mark);
	unlink(begun);
	ask(s, &reader, PROGRAM_LVM_REPORT, "exec sleep 600", 0);
	snprintf(script, sizeof script, "touch %s; sleep 1; echo done >%s", begun, s->mark);
	ask(s, &writer, PROGRAM_DRBD_CHANGE, script, 0);
	await_file(s, begun);
	hand_close(s->client);
	s->client = hand_open(s->base, fd, "");
	snprintf(script, sizeof script, "cat %s", s->mark);
	struct heard next = run(s, PROGRAM_LVM_REPORT, script, 0); /* LVM: the sleeper is gone */
	assert_string_equal(next.out, "done\n");
	assert_int_equal(reader.ends + writer.ends, 0);
}

static void when_the_hand_dies_what_was_under_way_is_unknown_and_a_new_hand_is_found(void **state)
{
	struct scene *s = *state;
	struct heard lost = {0}, refused = {0};
	struct hand_view view;
	char script[700];
	snprintf(script, sizeof script, "echo $$ >%s.tmp; mv %s.tmp %s; exec sleep 600", s->mark, s->mark, s->mark);
	ask(s, &lost, PROGRAM_MOUNTS, script, 0);
	await_file(s, s->mark);
	kill(s->hand, SIGKILL);
	waitpid(s->hand, NULL, 0);
	await(s, &lost, 1);
	assert_int_equal(lost.last.outcome, HAND_GONE);
	await_death(s, pid_in(s->mark));
	hand_look(s->client, &view);
	assert_int_equal(view.standing, HAND_STANDING_GONE);
	ask(s, &refused, PROGRAM_MOUNTS, "echo never", 0);
	await(s, &refused, 1);
	assert_int_equal(refused.last.outcome, HAND_REFUSED);
	start_hand(s);
	struct heard again = {0};
	for (int i = 0; i < 30 && again.last.outcome != HAND_EXITED; i++) {
		usleep(100000);
		again = run(s, PROGRAM_MOUNTS, "echo back", 0);
	}
	assert_string_equal(again.out, "back\n");
}

static void a_full_house_refuses_and_takes_the_next_when_there_is_room(void **state)
{
	struct scene *s = *state;
	struct heard list[HAND_JOBS_MAX + 1] = {0};
	uint64_t jobs[HAND_JOBS_MAX + 1];
	for (int i = 0; i <= HAND_JOBS_MAX; i++)
		jobs[i] = ask(s, &list[i], PROGRAM_MOUNTS, "exec sleep 600", 0);
	await(s, &list[HAND_JOBS_MAX], 1);
	assert_int_equal(list[HAND_JOBS_MAX].last.outcome, HAND_REFUSED);
	for (int i = 0; i < HAND_JOBS_MAX; i++)
		hand_cancel(s->client, jobs[i]);
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		await(s, &list[i], 1);
		assert_int_equal(list[i].last.outcome, HAND_CANCELLED);
	}
	assert_string_equal(run(s, PROGRAM_MOUNTS, "echo room", 0).out, "room\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_child_gets_its_arguments_a_clean_environment_and_no_descriptor),
		CASE(arguments_with_odd_bytes_arrive_as_they_are_and_no_shell_reads_them),
		CASE(stdout_and_stderr_are_kept_apart_and_the_exit_code_is_told),
		CASE(what_is_given_is_read_on_stdin_to_its_end),
		CASE(a_crash_is_told_by_its_signal),
		CASE(fifty_megabytes_are_cut_at_the_limit_and_the_child_ends_by_itself),
		CASE(a_stream_is_handed_over_as_it_comes_until_it_is_cancelled),
		CASE(a_missing_program_is_refused_with_a_sentence),
		CASE(the_hand_itself_refuses_what_its_table_does_not_allow),
		CASE(a_hook_is_run_only_if_nobody_but_root_can_have_written_it),
		CASE(without_a_hand_everything_is_refused_with_a_sentence_and_never_at_once),
		CASE(at_its_deadline_a_child_and_its_grandchildren_are_ended),
		CASE(what_a_child_leaves_behind_dies_with_it),
		CASE(lvm_commands_run_one_after_the_other_in_order_and_others_beside_them),
		CASE(a_stuck_lvm_command_is_a_state_and_all_else_goes_on),
		CASE(readers_die_with_their_daemon_and_what_changes_something_ends_first),
		CASE(a_client_that_begins_anew_over_the_same_link_has_nothing_of_the_one_before),
		CASE(when_the_hand_dies_what_was_under_way_is_unknown_and_a_new_hand_is_found),
		CASE(a_full_house_refuses_and_takes_the_next_when_there_is_room),
	};
	if (argc != 2)
		return 2;
	program = argv[1];
	signal(SIGPIPE, SIG_IGN);
	snprintf(folder, sizeof folder, "/tmp/essaim-hand-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	char command[96];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command) != 0 || failed > 0;
}
