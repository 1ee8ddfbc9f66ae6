#include "store.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "body_clock.h"
#include "journal.h"
#include "store_file.h"

/* A disk stalled for 30 s at a thousand small writes a second still fits. */
#define QUEUE_JOBS_MAX 65536
#define QUEUE_BYTES_MAX (64 * 1024 * 1024)
#define LAZY_WAIT SECOND      /* a lazy persist waits this long for company */
#define RETRY_WAIT (2 * SECOND) /* after a failure the backlog is tried this often */
#define RUNS_MAX 16
#define THREAD_STACK (256 * 1024) /* SQLite with our few statements uses under 64 KiB */

/* One persist, its ops and their bytes in one piece of memory. */
struct job {
	struct job *next;
	uint64_t number;
	bool lazy, reported;
	instant queued;
	size_t size;
	uint32_t op_count;
	struct store_op ops[];
};

struct job_list {
	struct job *head, **tail;
};

/* Persists up to `last` (from where the run before ended) ended like this. */
struct run {
	uint64_t last;
	bool failed;
};

struct store {
	struct store_file file;
	/* the main thread's */
	struct event *wake;
	int wake_fd;
	store_report *report;
	void *context;
	uint64_t given, reported;
	uint64_t fail_upto; /* everything up to here is reported as failed, whatever becomes of it */
	bool gapped;
	bool started;
	/* shared, under `lock` */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job_list queue;
	uint32_t jobs; /* in the queue and in the thread's backlog */
	size_t bytes;
	struct run runs[RUNS_MAX];
	uint32_t run_count;
	duration latency;
	bool stop, stopped;
	/* the thread's own */
	struct job_list backlog;
	bool failed;
	instant retry_at;
};

static void list_init(struct job_list *list)
{
	list->head = NULL;
	list->tail = &list->head;
}

static void list_append(struct job_list *list, struct job *job)
{
	job->next = NULL;
	*list->tail = job;
	list->tail = &job->next;
}

/* Moves all of `from` behind `to`. */
static void list_move(struct job_list *to, struct job_list *from)
{
	if (from->head == NULL)
		return;
	*to->tail = from->head;
	to->tail = from->tail;
	list_init(from);
}

static void list_free(struct job_list *list)
{
	while (list->head != NULL) {
		struct job *next = list->head->next;
		free(list->head);
		list->head = next;
	}
	list_init(list);
}

/* ---- the thread ---- */

static void note_run(struct store *s, uint64_t last, bool failed)
{
	if (s->run_count > 0 && (s->runs[s->run_count - 1].failed == failed || s->run_count == RUNS_MAX)) {
		/* Out of room (the loop is stuck): the honest merge is "not known to be written". */
		s->runs[s->run_count - 1].failed |= failed;
		s->runs[s->run_count - 1].last = last;
		return;
	}
	s->runs[s->run_count++] = (struct run){last, failed};
}

static void wake_loop(struct store *s)
{
	uint64_t one = 1;
	ssize_t written = write(s->wake_fd, &one, sizeof one);
	(void)written; /* full means that it is awake already */
}

static bool write_jobs(struct store_file *file, const struct job *job)
{
	for (; job != NULL; job = job->next) {
		for (uint32_t i = 0; i < job->op_count; i++) {
			if (!store_file_apply(file, &job->ops[i]))
				return false;
		}
	}
	return true;
}

static bool write_backlog(struct store *s)
{
	bool well = store_file_begin(&s->file) && write_jobs(&s->file, s->backlog.head) &&
		    store_file_commit(&s->file);
	if (!well)
		store_file_rollback(&s->file);
	return well;
}

/* Called with the lock: what was not reported yet ends as `failed` says. */
static void report_backlog(struct store *s, bool failed)
{
	bool any = false;
	for (struct job *job = s->backlog.head; job != NULL; job = job->next) {
		if (job->reported)
			continue;
		job->reported = any = true;
		note_run(s, job->number, failed);
	}
	if (any)
		wake_loop(s);
}

static void drop_first(struct store *s)
{
	struct job *job = s->backlog.head;
	s->backlog.head = job->next;
	if (job->next == NULL)
		s->backlog.tail = &s->backlog.head;
	s->jobs--;
	s->bytes -= job->size;
	free(job);
}

/* One transaction for all that waits. Called with the lock; lets it go while the disk works. */
static void commit_backlog(struct store *s)
{
	pthread_mutex_unlock(&s->lock);
	instant begun = body_clock_monotonic();
	bool well = write_backlog(s);
	instant ended = body_clock_monotonic();
	pthread_mutex_lock(&s->lock);
	if (ended - begun > s->latency)
		s->latency = ended - begun;
	s->failed = !well;
	s->retry_at = ended + RETRY_WAIT;
	report_backlog(s, !well);
	while (well && s->backlog.head != NULL)
		drop_first(s);
}

/* Does it give the whole state anew, so that nothing before it matters? */
static bool is_whole(uint32_t op_count, const struct store_op *ops)
{
	bool cleared = false, cut = false, record = false;
	for (uint32_t i = 0; i < op_count; i++) {
		cleared |= ops[i].kind == STORE_ROWS_CLEAR;
		cut |= ops[i].kind == STORE_CUT_ABOVE;
		record |= ops[i].kind == STORE_DURABLE;
	}
	return cleared && cut && record;
}

/* A failed store keeps what it could not write; a whole state given since makes that needless. */
static void drop_replaced(struct store *s)
{
	const struct job *whole = NULL;
	for (const struct job *job = s->backlog.head; job != NULL; job = job->next) {
		if (is_whole(job->op_count, job->ops))
			whole = job;
	}
	while (whole != NULL && s->backlog.head != whole)
		drop_first(s);
}

/* When the thread has to do something without being woken; NEVER if nothing. */
static instant next_work(const struct store *s)
{
	if (s->failed)
		return s->retry_at;
	instant oldest = NEVER;
	for (const struct job *job = s->queue.head; job != NULL; job = job->next) {
		if (!job->lazy)
			return 0;
		if (oldest == NEVER)
			oldest = job->queued + LAZY_WAIT;
	}
	return oldest;
}

static void wait_until(struct store *s, instant until)
{
	if (until == NEVER) {
		pthread_cond_wait(&s->changed, &s->lock);
		return;
	}
	struct timespec t = {(time_t)(until / SECOND), (long)(until % SECOND)};
	pthread_cond_timedwait(&s->changed, &s->lock, &t);
}

static void work_or_wait(struct store *s)
{
	if (s->failed && s->queue.head != NULL) {
		list_move(&s->backlog, &s->queue);
		report_backlog(s, true);
		drop_replaced(s);
	}
	instant at = next_work(s);
	if (at > body_clock_monotonic()) {
		wait_until(s, at);
		return;
	}
	list_move(&s->backlog, &s->queue);
	commit_backlog(s);
}

static void *store_thread(void *context)
{
	struct store *s = context;
	pthread_mutex_lock(&s->lock);
	while (!s->stop)
		work_or_wait(s);
	list_move(&s->backlog, &s->queue);
	if (s->backlog.head != NULL)
		commit_backlog(s);
	s->stopped = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- the main thread ---- */

static void report_upto(struct store *s, uint64_t last, bool failed)
{
	while (s->reported < last) {
		s->reported++;
		s->report(s->context, s->reported, failed || s->reported <= s->fail_upto);
	}
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
	struct store *s = context;
	uint64_t count;
	ssize_t got = read(s->wake_fd, &count, sizeof count);
	(void)got;
	struct run runs[RUNS_MAX];
	pthread_mutex_lock(&s->lock);
	uint32_t run_count = s->run_count;
	memcpy(runs, s->runs, run_count * sizeof runs[0]);
	s->run_count = 0;
	pthread_mutex_unlock(&s->lock);
	for (uint32_t i = 0; i < run_count; i++)
		report_upto(s, runs[i].last, runs[i].failed);
	report_upto(s, s->fail_upto, true);
}

static size_t job_size(uint32_t op_count, const struct store_op *ops)
{
	size_t size = sizeof(struct job) + op_count * sizeof ops[0];
	for (uint32_t i = 0; i < op_count; i++)
		size += ops[i].key.size + ops[i].value.size;
	return size;
}

static struct bytes copy_bytes(uint8_t **at, struct bytes in)
{
	struct bytes out = {*at, in.size};
	if (in.size > 0)
		memcpy(*at, in.data, in.size);
	*at += in.size;
	return out;
}

static struct job *job_create(uint64_t number, bool lazy, uint32_t op_count,
                              const struct store_op *ops)
{
	size_t size = job_size(op_count, ops);
	struct job *job = malloc(size);
	if (job == NULL)
		return NULL;
	*job = (struct job){.number = number, .lazy = lazy, .size = size, .op_count = op_count};
	job->queued = body_clock_monotonic();
	uint8_t *at = (uint8_t *)&job->ops[op_count];
	for (uint32_t i = 0; i < op_count; i++) {
		job->ops[i] = ops[i];
		job->ops[i].key = copy_bytes(&at, ops[i].key);
		job->ops[i].value = copy_bytes(&at, ops[i].value);
	}
	return job;
}

static bool enqueue(struct store *s, struct job *job)
{
	pthread_mutex_lock(&s->lock);
	bool room = s->jobs < QUEUE_JOBS_MAX && s->bytes + job->size <= QUEUE_BYTES_MAX;
	if (room) {
		list_append(&s->queue, job);
		s->jobs++;
		s->bytes += job->size;
		pthread_cond_signal(&s->changed);
	}
	pthread_mutex_unlock(&s->lock);
	return room;
}

/* It did not fit: from here on there is a hole, until the whole state is given anew. */
static void reject(struct store *s, uint64_t number)
{
	if (!s->gapped)
		journal_say(LEVEL_error, "the disk is too far behind: writes are given up");
	s->gapped = true;
	s->fail_upto = number;
	event_active(s->wake, EV_READ, 0);
}

void store_persist(struct store *s, uint64_t number, bool lazy, uint32_t op_count,
                   const struct store_op *ops)
{
	assert(s->given == 0 || number == s->given + 1);
	if (s->given == 0)
		s->reported = number - 1;
	s->given = number;
	bool taken = !s->gapped || is_whole(op_count, ops);
	struct job *job = taken ? job_create(number, lazy, op_count, ops) : NULL;
	if (job == NULL || !enqueue(s, job)) {
		free(job);
		reject(s, number);
		return;
	}
	s->gapped = false;
}

duration store_latency(struct store *s, bool begin_anew)
{
	pthread_mutex_lock(&s->lock);
	duration latency = s->latency;
	if (begin_anew)
		s->latency = 0;
	pthread_mutex_unlock(&s->lock);
	return latency;
}

/* ---- life ---- */

int store_open(const char *folder, struct store **out, struct error *error)
{
	struct store *s = calloc(1, sizeof *s);
	if (s == NULL)
		return error_set(error, -ENOMEM, "out of memory");
	s->wake_fd = -1;
	list_init(&s->queue);
	list_init(&s->backlog);
	int status = store_file_open(folder, &s->file, error);
	if (status < 0) {
		free(s);
		return status;
	}
	*out = s;
	return 0;
}

bool store_initialised(struct store *s)
{
	return store_file_initialised(&s->file);
}

int store_load(struct store *s, const struct store_reader *reader, struct error *error)
{
	return store_file_load(&s->file, reader, error);
}

static int start_thread(struct store *s)
{
	pthread_condattr_t condition;
	pthread_condattr_init(&condition);
	pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &condition);
	pthread_condattr_destroy(&condition);
	pthread_mutex_init(&s->lock, NULL);

	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK);
	sigset_t all, before; /* signals belong to the loop */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&s->thread, &attributes, store_thread, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -code;
}

int store_start(struct store *s, struct event_base *base, store_report *report, void *context,
                struct error *error)
{
	s->report = report;
	s->context = context;
	s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->wake_fd < 0)
		return error_set(error, -errno, "cannot start the store: %s", strerror(errno));
	s->wake = event_new(base, s->wake_fd, EV_READ | EV_PERSIST, on_wake, s);
	if (s->wake == NULL || event_add(s->wake, NULL) < 0)
		return error_set(error, -ENOMEM, "cannot start the store: out of memory");
	int status = start_thread(s);
	if (status < 0)
		return error_set(error, status, "cannot start the store's thread: %s",
		                 strerror(-status));
	s->started = true;
	return 0;
}

bool store_stop(struct store *s, duration patience)
{
	if (!s->started)
		return true;
	instant until = body_clock_monotonic() + patience;
	struct timespec t = {(time_t)(until / SECOND), (long)(until % SECOND)};
	int code = 0;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->changed);
	while (!s->stopped && code != ETIMEDOUT)
		code = pthread_cond_timedwait(&s->changed, &s->lock, &t);
	bool stopped = s->stopped, failed = s->failed;
	pthread_mutex_unlock(&s->lock);
	if (!stopped)
		return false;
	pthread_join(s->thread, NULL);
	s->started = false;
	return !failed;
}

void store_close(struct store *s)
{
	assert(!s->started);
	if (s->wake != NULL)
		event_free(s->wake);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	list_free(&s->backlog);
	list_free(&s->queue);
	store_file_close(&s->file);
	free(s);
}
