#include "remote_inside.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spinner.h"

#define PUMP_MS 50        /* a signal is noticed at the latest after this */
#define PART_SIZE 32768u  /* of an input; what ssh takes in one packet */

/* ---- opening ---- */

/* HOME as for everything else the user starts; libssh would ask the password file. */
static void find_folder(char *out, size_t size)
{
	const char *home = getenv("HOME");
	const struct passwd *self = home != NULL && *home == '/' ? NULL : getpwuid(getuid());
	snprintf(out, size, "%s/.ssh", self != NULL ? self->pw_dir : home != NULL ? home : "");
}

static int set_options(struct remote *r, int fd)
{
	const bool no = false;
	const long seconds = (r->limit_ms + 999) / 1000;
	ssh_session s = r->session;
	return ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &no) == 0 &&
	       ssh_options_set(s, SSH_OPTIONS_SSH_DIR, r->folder) == 0 &&
	       ssh_options_set(s, SSH_OPTIONS_HOST, r->target.host) == 0 &&
	       ssh_options_set(s, SSH_OPTIONS_PORT, &r->target.port) == 0 &&
	       ssh_options_set(s, SSH_OPTIONS_USER, r->target.user) == 0 &&
	       ssh_options_set(s, SSH_OPTIONS_TIMEOUT, &seconds) == 0 &&
	       ssh_options_set(s, SSH_OPTIONS_FD, &fd) == 0 ? 0 : -EINVAL;
}

static int greet(struct remote *r, int fd, struct error *error)
{
	int64_t begun = monotonic_ms();
	if (set_options(r, fd) != 0) {
		close(fd);
		return error_set(error, -EINVAL, "libssh does not take the target: %.150s",
				 ssh_get_error(r->session));
	}
	if (ssh_connect(r->session) == SSH_OK)
		return 0;
	if (monotonic_ms() - begun >= r->limit_ms)
		return error_set(error, -ETIMEDOUT, "port %u of '%.150s' takes the connection and says "
				 "nothing for %d s: no ssh server, or one that hangs", r->target.port,
				 r->target.host, r->limit_ms / 1000);
	return error_set(error, -EPROTO, "no ssh with port %u of '%.100s': %.150s", r->target.port,
			 r->target.host, ssh_get_error(r->session));
}

int remote_open(const struct target *target, int limit_ms, struct remote **out, struct error *error)
{
	int fd = remote_dial(target, limit_ms, error);
	if (fd < 0)
		return fd;
	struct remote *r = calloc(1, sizeof *r);
	if (r == NULL || (r->session = ssh_new()) == NULL)
		abort();
	ssh_set_log_level(SSH_LOG_NOLOG);
	r->target = *target;
	r->limit_ms = limit_ms < 1000 ? 1000 : limit_ms; /* libssh counts seconds */
	find_folder(r->folder, sizeof r->folder);
	int status = greet(r, fd, error);
	if (status == 0)
		*out = r;
	else
		remote_close(r);
	return status;
}

void remote_close(struct remote *remote)
{
	if (remote == NULL)
		return;
	if (ssh_is_connected(remote->session))
		ssh_disconnect(remote->session);
	ssh_free(remote->session);
	free(remote);
}

/* ---- running ---- */

struct running {
	struct remote *remote;
	const struct remote_task *task;
	struct remote_output *out;
	ssh_channel channel;
	ssh_event event;
	int64_t until_ms;
	size_t sent, text_size, complaints_size;
	bool eof_sent;
};

/* Lets libssh read and write for a moment. 0, or why it is enough. */
static int pump(struct running *run)
{
	if (run->task->stop != NULL && *run->task->stop)
		return -EINTR;
	if (monotonic_ms() >= run->until_ms)
		return -ETIMEDOUT;
	if (!ssh_is_connected(run->remote->session))
		return -EIO;
	int status = ssh_event_dopoll(run->event, PUMP_MS);
	return status == SSH_ERROR && errno != EINTR && !ssh_is_connected(run->remote->session) ? -EIO : 0;
}

static int ask_channel(struct running *run, const char *command)
{
	int status, said;
	while ((said = ssh_channel_open_session(run->channel)) == SSH_AGAIN)
		if ((status = pump(run)) != 0)
			return status;
	if (said != SSH_OK)
		return -EIO;
	while ((said = ssh_channel_request_exec(run->channel, command)) == SSH_AGAIN)
		if ((status = pump(run)) != 0)
			return status;
	return said == SSH_OK ? 0 : -EIO;
}

/* As much of the input as the other side has room for. */
static int feed(struct running *run)
{
	const struct remote_task *task = run->task;
	while (run->sent < task->input_size) {
		size_t left = task->input_size - run->sent;
		uint32_t room = ssh_channel_window_size(run->channel);
		uint32_t part = left < PART_SIZE ? (uint32_t)left : PART_SIZE;
		if (room == 0)
			return 0;
		int took = ssh_channel_write(run->channel, (const char *)task->input + run->sent,
					     part < room ? part : room);
		if (took < 0)
			return -EIO;
		if (took == 0)
			return 0;
		run->sent += (size_t)took;
		if (task->progress != NULL)
			task->progress(task->context, run->sent);
	}
	if (!run->eof_sent && ssh_channel_send_eof(run->channel) != SSH_ERROR)
		run->eof_sent = true;
	return 0;
}

/* Takes what came; what is too much is read and forgotten. */
static int drain(struct running *run, bool complaints)
{
	char part[4096];
	char *to = complaints ? run->out->complaints : run->out->text;
	size_t *used = complaints ? &run->complaints_size : &run->text_size;
	for (;;) {
		int n = ssh_channel_read_nonblocking(run->channel, part, sizeof part, complaints);
		if (n == SSH_ERROR)
			return -EIO;
		if (n <= 0)
			return 0;
		size_t room = REMOTE_OUTPUT_MAX - *used, size = (size_t)n < room ? (size_t)n : room;
		memcpy(to + *used, part, size);
		*used += size;
		to[*used] = '\0';
	}
}

static int carry(struct running *run)
{
	int status = 0;
	/* One that ended early takes no more input: what it said matters more than what is unsent. */
	while (status == 0 && !ssh_channel_is_eof(run->channel) && !ssh_channel_is_closed(run->channel)) {
		status = feed(run);
		if (status == 0)
			status = drain(run, false);
		if (status == 0)
			status = drain(run, true);
		if (status == 0)
			status = pump(run);
	}
	if (status == 0 || status == -EIO) {
		drain(run, false);
		drain(run, true);
	}
	while (status == 0 && (run->out->code = ssh_channel_get_exit_status(run->channel)) == -1 &&
	       !ssh_channel_is_closed(run->channel))
		status = pump(run);
	return status;
}

static int say_why(const struct running *run, int status, struct error *error)
{
	switch (-status) {
	case 0:
		return 0;
	case EINTR:
		return error_set(error, status, "interrupted");
	case ETIMEDOUT:
		return error_set(error, status, "it did not end within %d s", run->task->limit_ms / 1000);
	case E2BIG:
		return error_set(error, status, "the command is too long");
	}
	return error_set(error, status, "the ssh connection broke: %.200s",
			 ssh_get_error(run->remote->session));
}

int remote_run(struct remote *remote, const struct remote_task *task, struct remote_output *out,
	       struct error *error)
{
	char command[8192] = "";
	struct running run = {.remote = remote, .task = task, .out = out,
			      .until_ms = monotonic_ms() + task->limit_ms};
	*out->text = *out->complaints = '\0';
	out->code = -1;
	if (!quote_append(command, sizeof command, "/bin/sh") ||
	    !quote_append(command, sizeof command, "-c") ||
	    !quote_append(command, sizeof command, task->script))
		return say_why(&run, -E2BIG, error);
	run.channel = ssh_channel_new(remote->session);
	run.event = ssh_event_new();
	if (run.channel == NULL || run.event == NULL ||
	    ssh_event_add_session(run.event, remote->session) != SSH_OK)
		abort();
	ssh_set_blocking(remote->session, 0);
	int status = ask_channel(&run, command);
	if (status == 0)
		status = carry(&run);
	ssh_event_remove_session(run.event, remote->session);
	ssh_event_free(run.event);
	ssh_channel_free(run.channel);
	return say_why(&run, status, error);
}
