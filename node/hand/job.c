#include "job.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "group.h"
#include "spawn.h"

/* After its end: what a pipe can hold (64 KiB each), and some; who still writes has escaped. */
#define DRAIN_READS_MAX 64

/* ---- the start ---- */

/* What it reads on stdin, as a file in memory: nobody has to feed it. -1: nothing. */
static int input_file(const struct job *job)
{
	if (!job->row->input || job->run.input.size == 0)
		return -1;
	int fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	if (write(fd, job->run.input.data, job->run.input.size) != (ssize_t)job->run.input.size) {
		close(fd);
		return -1;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static duration time_allowed(const struct job *job)
{
	if (job->run.deadline_ms > 0)
		return job->run.deadline_ms * MILLISECOND;
	return job->row->deadline > 0 ? job->row->deadline : NEVER;
}

static void set_limits(struct job *job, instant now)
{
	uint32_t asked = job->run.output_max > 0 ? job->run.output_max : job->row->output_max;
	duration allowed = time_allowed(job);
	job->limits[0] = job->row->stream ? UINT32_MAX : asked;
	job->limits[1] = job->row->stream ? UINT32_MAX : PROGRAM_ERROR_MAX;
	job->began = now;
	job->deadline = allowed == NEVER ? NEVER : now + allowed;
	job->next_blow = NEVER;
}

bool job_start(struct job *job, const struct job_places *places, instant now, struct error *error)
{
	struct spawn_order order = {.row = job->row, .run = &job->run, .id = job->id};
	assert(job->state == JOB_WAITING);
	if (!spawn_find(places, &order, error))
		return false;
	order.input = input_file(job);
	group_make(places->cgroup, job->id);
	bool started = spawn(places, &order, error);
	if (order.input >= 0)
		close(order.input);
	if (!started) {
		group_remove(places->cgroup, job->id);
		return false;
	}
	job->pid = order.pid;
	memcpy(job->pipes, order.pipes, sizeof job->pipes);
	job->state = JOB_RUNNING;
	set_limits(job, now);
	return true;
}

/* ---- the end ---- */

void job_end(struct job *job, const struct job_places *places, enum hand_outcome why, instant now)
{
	assert(job->state == JOB_RUNNING);
	if (job->blow != BLOW_NONE)
		return;
	job->ending = why;
	job->blow = BLOW_TERM;
	job->next_blow = now + JOB_TERM_PATIENCE;
	group_signal(places->cgroup, job->id, job->pid, SIGTERM);
}

bool job_tick(struct job *job, const struct job_places *places, instant now)
{
	if (job->state != JOB_RUNNING)
		return false;
	if (job->blow == BLOW_NONE && now >= job->deadline)
		job_end(job, places, HAND_TIMED_OUT, now);
	if (now < job->next_blow)
		return false;
	if (job->blow == BLOW_TERM) {
		group_signal(places->cgroup, job->id, job->pid, SIGKILL);
		job->blow = BLOW_KILL;
		job->next_blow = now + JOB_KILL_PATIENCE;
		return false;
	}
	job->next_blow = NEVER;
	job->state = JOB_STUCK;
	return true;
}

bool job_reap(struct job *job, const struct job_places *places)
{
	siginfo_t info = {0};
	if (job->state != JOB_RUNNING && job->state != JOB_STUCK)
		return false;
	if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
		return false;
	group_signal(places->cgroup, job->id, job->pid, SIGKILL);
	waitpid(job->pid, &job->status, 0); /* it is dead: does not wait */
	group_remove(places->cgroup, job->id);
	job->state = JOB_ENDED;
	job->next_blow = NEVER;
	return true;
}

/* ---- what it says ---- */

static void end_pipe(struct job *job, int which)
{
	close(job->pipes[which]);
	job->pipes[which] = -1;
}

/* How much of `got` is within the limit. */
static size_t within(struct job *job, int which, size_t got)
{
	if (job->limits[which] == UINT32_MAX)
		return got;
	size_t room = job->limits[which] - job->sent[which];
	if (got > room) {
		job->cut[which] = true;
		got = room;
	}
	job->sent[which] += (uint32_t)got;
	return got;
}

size_t job_read(struct job *job, uint8_t piece[HAND_PIECE_MAX], uint32_t *out_which)
{
	if (job->state != JOB_RUNNING && job->state != JOB_ENDED)
		return 0;
	for (int which = 0; which < 2; which++) {
		if (job->pipes[which] < 0)
			continue;
		ssize_t got = read(job->pipes[which], piece, HAND_PIECE_MAX);
		bool ended = job->state == JOB_ENDED;
		if (got == 0 || (got < 0 && (ended || (errno != EAGAIN && errno != EINTR))) ||
		    (ended && ++job->drained > DRAIN_READS_MAX))
			end_pipe(job, which);
		*out_which = (uint32_t)which + 1;
		size_t size = got > 0 ? within(job, which, (size_t)got) : 0;
		if (size > 0)
			return size;
	}
	return 0;
}

bool job_over(const struct job *job)
{
	return job->state == JOB_ENDED && job->pipes[0] < 0 && job->pipes[1] < 0;
}

void job_result(const struct job *job, struct hand_ended *out)
{
	*out = (struct hand_ended){.job = job->id, .out_cut = job->cut[0], .error_cut = job->cut[1]};
	bool exited = WIFEXITED(job->status);
	out->outcome = exited ? HAND_EXITED : HAND_SIGNALLED;
	out->code = exited ? WEXITSTATUS(job->status) : WTERMSIG(job->status);
	if (job->state == JOB_STUCK) {
		out->outcome = HAND_STUCK;
		out->code = (int32_t)job->pid;
	} else if (job->ending != 0)
		out->outcome = job->ending;
}

void job_free(struct job *job)
{
	for (int which = 0; which < 2; which++) {
		if (job->pipes[which] >= 0)
			close(job->pipes[which]);
	}
	free(job->packet);
	*job = (struct job){.pipes = {-1, -1}, .deadline = NEVER, .next_blow = NEVER};
}

instant job_due(const struct job *job)
{
	if (job->state != JOB_RUNNING)
		return NEVER;
	return job->blow == BLOW_NONE ? job->deadline : job->next_blow;
}
