#include "turns.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "body_clock.h"

#define PERIOD (60 * SECOND)

/* One loop in one thread: the only file-wide state of the daemon that is not the journal's. */
static struct turns {
	instant woke; /* monotonic; 0: not yet */
	uint64_t count;
	duration longest;
	duration used, most; /* processor time of this thread: up to the turn's end; the most in one turn */
	instant period; /* began */
	duration this_period, last_period;
} turns;

/* One call a turn: what the wait itself uses (microseconds) counts for the turn after it. */
static void note_work(struct turns *t)
{
	struct timespec cpu;
	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) < 0)
		return;
	duration used = (duration)cpu.tv_sec * SECOND + cpu.tv_nsec;
	if (t->count > 0 && used - t->used > t->most)
		t->most = used - t->used;
	t->used = used;
}

static void turn_over(struct turns *t, instant now)
{
	duration held = now - t->woke;
	note_work(t);
	t->count++;
	if (now - t->period >= PERIOD) {
		t->last_period = now - t->period >= 2 * PERIOD ? 0 : t->this_period;
		t->this_period = 0;
		t->period = now;
	}
	if (held > t->this_period)
		t->this_period = held;
	if (held > t->longest)
		t->longest = held;
}

/* Instead of libc's, for the libraries of this process too. */
__attribute__((visibility("default"))) int epoll_wait(int fd, struct epoll_event *events, int most,
                                                      int timeout_ms)
{
	if (turns.woke != 0)
		turn_over(&turns, body_clock_monotonic());
	int count = (int)syscall(SYS_epoll_pwait, fd, events, most, timeout_ms, NULL, _NSIG / 8);
	turns.woke = body_clock_monotonic();
	return count;
}

duration turns_longest(void)
{
	return turns.longest;
}

duration turns_longest_lately(void)
{
	return turns.this_period > turns.last_period ? turns.this_period : turns.last_period;
}

duration turns_most_work(void)
{
	return turns.most;
}

uint64_t turns_count(void)
{
	return turns.count;
}
