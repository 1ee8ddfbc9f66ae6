#include "hand.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUND_MAX (60 * SECOND) /* the longest sleep */
#define STATE_EVERY SECOND      /* how fresh the age of a stuck command is told */

/* CLOCK_BOOTTIME: a deadline is for people too, and a suspend counts for them. */
static instant clock_now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_BOOTTIME, &at);
	return at.tv_sec * SECOND + at.tv_nsec;
}

/* ---- the link ---- */

static void drop_daemon(struct hand *h, instant now);
static void abandon(struct hand *h, instant now);

static bool link_ready(const struct hand *h)
{
	return h->link >= 0 && h->held_size == 0;
}

/* Sends, or holds it if the link is full: only to be called when link_ready. */
static void tell(struct hand *h, const struct hand_message *message)
{
	size_t size = hand_message_write(message, h->held);
	if (send(h->link, h->held, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN)
		h->held_size = size;
}

static void send_held(struct hand *h)
{
	if (h->link < 0 || h->held_size == 0)
		return;
	if (send(h->link, h->held, h->held_size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN)
		h->held_size = 0;
}

static void tell_ended(struct hand *h, const struct hand_ended *ended)
{
	tell(h, &(struct hand_message){.kind = HAND_ENDED, .ended = *ended});
}

static void tell_refused(struct hand *h, uint64_t job, const struct error *why)
{
	tell_ended(h, &(struct hand_ended){.job = job, .outcome = HAND_REFUSED,
	                                   .sentence = {(const uint8_t *)why->text, strlen(why->text)}});
}

/* ---- LVM ---- */

static struct job *lvm_job(struct hand *h, enum job_state state)
{
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		struct job *job = &h->jobs[i];
		if (job->state == state && job->row->lvm_lock)
			return job;
	}
	return NULL;
}

static duration lvm_stuck_for(struct hand *h, instant now)
{
	const struct job *job = lvm_job(h, JOB_STUCK);
	return job != NULL ? now - job->began : 0;
}

static void tell_lvm_stuck(struct hand *h, uint64_t job, duration age)
{
	struct error why;
	error_set(&why, 0, "LVM is stuck: a command that was started %lld s ago does not end, and cannot be killed",
	          (long long)(age / SECOND));
	tell_ended(h, &(struct hand_ended){.job = job, .outcome = HAND_LVM_STUCK, .code = (int32_t)(age / SECOND),
	                                   .sentence = {(const uint8_t *)why.text, strlen(why.text)}});
}

/* ---- state ---- */

static void count_jobs(struct hand *h, instant now, struct hand_state *out)
{
	*out = (struct hand_state){.protocol = HAND_PROTOCOL,
	                           .lvm_stuck_ms = (uint64_t)(lvm_stuck_for(h, now) / MILLISECOND)};
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		out->running += h->jobs[i].state == JOB_RUNNING || h->jobs[i].state == JOB_ENDED;
		out->waiting += h->jobs[i].state == JOB_WAITING;
	}
}

static void tell_state(struct hand *h, instant now)
{
	struct hand_state state;
	count_jobs(h, now, &state);
	bool changed = state.running != h->told.running || state.waiting != h->told.waiting ||
	               (state.lvm_stuck_ms != 0) != (h->told.lvm_stuck_ms != 0) ||
	               state.lvm_stuck_ms >= h->told.lvm_stuck_ms + STATE_EVERY / MILLISECOND;
	if (!link_ready(h) || (!changed && !h->state_due))
		return;
	h->told = state;
	h->state_due = false;
	tell(h, &(struct hand_message){.kind = HAND_STATE, .state = state});
}

/* ---- requests ---- */

static struct job *free_job(struct hand *h)
{
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		if (h->jobs[i].state == JOB_FREE)
			return &h->jobs[i];
	}
	return NULL;
}

static struct job *job_of(struct hand *h, uint64_t id)
{
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		struct job *job = &h->jobs[i];
		if (job->state != JOB_FREE && !job->orphan && job->id == id)
			return job;
	}
	return NULL;
}

/* May it be taken up at all? */
static bool acceptable(struct hand *h, const struct hand_run *run, struct error *error)
{
	if (!program_check(run->program, run->count, run->arguments, error))
		return false;
	if (h->stopping)
		return error_set(error, 0, "the hand is being stopped") != 0;
	if (job_of(h, run->job) != NULL)
		return error_set(error, 0, "job %llu is running already", (unsigned long long)run->job) != 0;
	if (free_job(h) == NULL)
		return error_set(error, 0, "the hand has %d jobs already, and takes no more", HAND_JOBS_MAX) != 0;
	return true;
}

/* Keeps the packet: what was read points into it. */
static bool keep(struct job *job, struct bytes packet)
{
	struct hand_message again;
	job->packet = malloc(packet.size);
	if (job->packet == NULL)
		return false;
	memcpy(job->packet, packet.data, packet.size);
	hand_message_read((struct bytes){job->packet, packet.size}, &again);
	job->run = again.run;
	return true;
}

static void take_run(struct hand *h, const struct hand_run *run, struct bytes packet, instant now)
{
	struct error error;
	if (!acceptable(h, run, &error)) {
		tell_refused(h, run->job, &error);
		return;
	}
	const struct program_row *row = program_row(run->program);
	duration stuck = lvm_stuck_for(h, now);
	if (row->lvm_lock && stuck > 0) {
		tell_lvm_stuck(h, run->job, stuck);
		return;
	}
	struct job *job = free_job(h);
	if (!keep(job, packet)) {
		error_set(&error, 0, "out of memory");
		tell_refused(h, run->job, &error);
		return;
	}
	job->state = JOB_WAITING;
	job->id = run->job;
	job->row = row;
	job->order = h->next_order++;
}

static void take_cancel(struct hand *h, uint64_t id, instant now)
{
	struct job *job = job_of(h, id);
	if (job == NULL)
		return; /* it ended meanwhile */
	if (job->state == JOB_RUNNING)
		job_end(job, &h->places, HAND_CANCELLED, now);
	if (job->state != JOB_WAITING)
		return;
	tell_ended(h, &(struct hand_ended){.job = id, .outcome = HAND_CANCELLED});
	job_free(job);
}

static void take_packet(struct hand *h, struct bytes packet, instant now)
{
	struct hand_message message;
	bool good = hand_message_read(packet, &message);
	if (good && message.kind == HAND_RUN)
		take_run(h, &message.run, packet, now);
	else if (good && message.kind == HAND_CANCEL)
		take_cancel(h, message.cancel, now);
	else if (good && message.kind == HAND_ANEW) {
		abandon(h, now);
		h->state_due = true;
	}
	else {
		fprintf(stderr, "essaim-hand: a garbled packet of %zu bytes came: hanging up\n", packet.size);
		drop_daemon(h, now);
	}
}

/* One at a time: what answers it may fill the link. */
static void read_link(struct hand *h, instant now)
{
	static uint8_t packet[HAND_PACKET_MAX + 1]; /* one too many shows what is too long */
	if (!link_ready(h))
		return;
	ssize_t got = recv(h->link, packet, sizeof packet, MSG_DONTWAIT);
	if (got > 0)
		take_packet(h, (struct bytes){packet, (size_t)got}, now);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		drop_daemon(h, now);
}

/* ---- jobs ---- */

static bool left_over(struct hand *h)
{
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		if (h->jobs[i].orphan && h->jobs[i].state == JOB_RUNNING)
			return true;
	}
	return false;
}

static struct job *next_waiting(struct hand *h)
{
	struct job *next = NULL;
	bool lvm_busy = lvm_job(h, JOB_RUNNING) != NULL || lvm_job(h, JOB_ENDED) != NULL;
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		struct job *job = &h->jobs[i];
		if (job->state != JOB_WAITING || (job->row->lvm_lock && lvm_busy))
			continue;
		if (next == NULL || (int32_t)(job->order - next->order) < 0)
			next = job;
	}
	return next;
}

static void start_waiting(struct hand *h, instant now)
{
	struct job *job;
	struct error error;
	while (link_ready(h) && !left_over(h) && (job = next_waiting(h)) != NULL) {
		duration stuck = lvm_stuck_for(h, now);
		if (job->row->lvm_lock && stuck > 0)
			tell_lvm_stuck(h, job->id, stuck);
		else if (job_start(job, &h->places, now, &error))
			continue;
		else
			tell_refused(h, job->id, &error);
		job_free(job);
	}
}

/* What nobody waits for any more is read too, so that it does not block. */
static void read_job(struct hand *h, struct job *job)
{
	uint8_t piece[HAND_PIECE_MAX];
	uint32_t which = 0;
	if (!job->orphan && !link_ready(h))
		return;
	size_t size = job_read(job, piece, &which);
	if (size > 0 && !job->orphan)
		tell(h, &(struct hand_message){.kind = HAND_OUTPUT, .output = {job->id, which, {piece, size}}});
}

/* Its end is told once, when it is dead and read out, or when it cannot even die. */
static void settle_job(struct hand *h, struct job *job, bool became_stuck)
{
	struct hand_ended ended;
	job_result(job, &ended);
	if (became_stuck)
		fprintf(stderr, "essaim-hand: '%s' (process %d) does not die\n", job->row->name, (int)job->pid);
	if (!job->orphan)
		tell_ended(h, &ended);
	if (became_stuck)
		job->orphan = true; /* what comes of it later is nobody's */
	else
		job_free(job);
}

static void step_job(struct hand *h, struct job *job, instant now)
{
	if (job->state == JOB_FREE || job->state == JOB_WAITING)
		return;
	job_reap(job, &h->places);
	read_job(h, job);
	if (!job->orphan && !link_ready(h))
		return; /* its end would have to be told */
	if (job_over(job))
		settle_job(h, job, false);
	else if (job_tick(job, &h->places, now))
		settle_job(h, job, true);
}

/* ---- daemons come and go ---- */

/* Those who only wait are forgotten, readers are ended, who changes something goes on. */
static void abandon(struct hand *h, instant now)
{
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		struct job *job = &h->jobs[i];
		job->orphan = job->state != JOB_FREE;
		if (job->state == JOB_WAITING)
			job_free(job);
		else if (job->state == JOB_RUNNING && !job->row->finish)
			job_end(job, &h->places, HAND_CANCELLED, now);
	}
}

static void drop_daemon(struct hand *h, instant now)
{
	if (h->link < 0)
		return;
	close(h->link);
	h->link = -1;
	h->held_size = 0;
	abandon(h, now);
}

static void accept_daemon(struct hand *h)
{
	struct ucred who = {0};
	socklen_t size = sizeof who;
	int fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == h->peer) {
		h->link = fd;
		h->state_due = true;
		return;
	}
	fprintf(stderr, "essaim-hand: process %d of user %u knocked, and may not\n", (int)who.pid, who.uid);
	close(fd);
}

/* ---- signals ---- */

static void stop(struct hand *h, instant now)
{
	h->stopping = true;
	if (h->daemon != 0)
		kill(h->daemon, SIGTERM);
	else
		drop_daemon(h, now);
}

static void bury_daemon(struct hand *h, instant now)
{
	if (h->daemon == 0 || waitpid(h->daemon, &h->daemon_status, WNOHANG) != h->daemon)
		return;
	h->daemon = 0;
	h->stopping = true;
	drop_daemon(h, now);
	abandon(h, now);
}

static void take_signals(struct hand *h, instant now)
{
	struct signalfd_siginfo info;
	while (read(h->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo != SIGCHLD)
			stop(h, now);
	}
	bury_daemon(h, now);
}

/* ---- the round ---- */

static bool finished(const struct hand *h)
{
	if (!h->stopping || h->daemon != 0)
		return false;
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		if (h->jobs[i].state == JOB_RUNNING || h->jobs[i].state == JOB_ENDED)
			return false;
	}
	return true;
}

static int sleep_ms(struct hand *h, instant now)
{
	instant due = now + ROUND_MAX;
	if (lvm_job(h, JOB_STUCK) != NULL)
		due = now + STATE_EVERY;
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		const struct job *job = &h->jobs[i];
		if (job_due(job) < due)
			due = job_due(job);
		if (job->state == JOB_ENDED && (job->orphan || link_ready(h)))
			return 0; /* more of it can be read at once */
	}
	return due <= now ? 0 : (int)((due - now + MILLISECOND - 1) / MILLISECOND);
}

static void wait_for_something(struct hand *h)
{
	struct pollfd fds[3 + 2 * HAND_JOBS_MAX];
	nfds_t count = 0;
	fds[count++] = (struct pollfd){.fd = h->signals, .events = POLLIN};
	if (h->link >= 0)
		fds[count++] = (struct pollfd){.fd = h->link, .events = h->held_size > 0 ? POLLOUT : POLLIN};
	else if (h->listener >= 0 && !h->stopping)
		fds[count++] = (struct pollfd){.fd = h->listener, .events = POLLIN};
	for (int i = 0; i < HAND_JOBS_MAX; i++) {
		const struct job *job = &h->jobs[i];
		if (job->state != JOB_RUNNING || (!job->orphan && !link_ready(h)))
			continue;
		for (int which = 0; which < 2; which++)
			fds[count++] = (struct pollfd){.fd = job->pipes[which], .events = POLLIN};
	}
	poll(fds, count, sleep_ms(h, clock_now()));
}

void hand_loop(struct hand *h)
{
	while (!finished(h)) {
		wait_for_something(h);
		instant now = clock_now();
		take_signals(h, now);
		send_held(h);
		if (h->link < 0 && h->listener >= 0 && !h->stopping)
			accept_daemon(h);
		read_link(h, now);
		for (int i = 0; i < HAND_JOBS_MAX; i++)
			step_job(h, &h->jobs[i], now);
		start_waiting(h, now);
		tell_state(h, now);
	}
}
