/*
 * machine.h: one simulated host: clocks, disk, and the process that carries one core.
 *
 *     OFF --start--> UP <--pause/resume--> PAUSED
 *                    |  \--kill---> DEAD    (process gone, host up: its kernel refuses)
 *                    |  \--crash--> DOWN    (host gone: silence)
 *                    |  \--suspend-> PAUSED and asleep (silence; boot counts on, raw stands still)
 *                    +---core's own stop--> DEAD
 *
 * Invariants
 *   1. `life` grows by one at each start; whatever belonged to an older life is dropped.
 *   2. Each clock runs at its own rate from its own origin; only the world knows true time.
 *   3. A paused process takes no input; its kernel goes on (disk, socket buffers up to a limit).
 */
#ifndef ESSAIM_MACHINE_H
#define ESSAIM_MACHINE_H

#include "disk.h"
#include "queue.h"

struct world;

enum machine_state { MACHINE_OFF, MACHINE_UP, MACHINE_PAUSED, MACHINE_DEAD, MACHINE_DOWN };

/* reads local + (t - base) * (1 + ppm / 10^6) at true time t */
struct clock {
	instant local, base;
	int64_t ppm;
};

enum clock_name { CLOCK_OF_BOOT, CLOCK_OF_RAW, CLOCK_OF_WALL, CLOCK_NAMES };

instant clock_read(const struct clock *c, instant t);
/* The first true instant at which the clock shows at least `local`. */
instant clock_when(const struct clock *c, instant local);
void clock_set_rate(struct clock *c, instant t, int64_t ppm);

/* What befalls the process in the middle of carrying the effects of its next step. */
enum fuse { FUSE_NONE, FUSE_CRASH, FUSE_KILL, FUSE_PAUSE };

#define SOCKET_BUFFER_PACKETS 256 /* net.core.rmem_default over a full packet's true size */

#define REKEYS_MAX 2 /* of one machine, asked for */

struct machine {
	uint32_t index;
	node_id id;
	char name[8];   /* in narration */
	char called[8]; /* as a member: two clusters may use the same names */
	struct node_keys keys;
	struct address address; /* in the first network */
	struct prng dice; /* its own: what befalls others rolls nothing anew here */
	struct clock clocks[CLOCK_NAMES];
	struct disk disk;

	enum machine_state state;
	bool asleep;     /* PAUSED with its host */
	int64_t awake_ppm[CLOCK_NAMES]; /* the clocks' rates when it wakes */
	uint32_t life;
	uint64_t nonce; /* of this life's incarnation */
	struct gossip *core; /* NULL unless UP or PAUSED */
	void *memory;
	size_t memory_size;
	instant timer_at; /* true time of the timer event in the queue; NEVER: none */
	instant resumed_at;
	uint32_t ticks;      /* timers fired since ticks_since */
	instant ticks_since;

	struct event *waiting_head, *waiting_tail; /* inputs of a paused process */
	uint32_t waiting_packets;
	enum fuse fuse;
	uint32_t fuse_after;          /* effects carried before it blows */
	struct effects held;          /* what a pause in mid-step kept back */

	struct node_keys next; /* waits beside `keys`: operators.h */
	bool next_waits;
	uint32_t id_count;     /* keys made for it beside the first */
	uint32_t wire_max;     /* its software speaks no higher version; 0: the present one */
	bool scrapped;         /* never runs again */
	bool foreign; /* of the second cluster: foreign.h */
	bool lies; /* an insider: its packets go through insiders.c */
	bool equivocated;
	uint64_t sent_packets, sent_bytes;

	bool outcome_known, outcome_done; /* of init or join */
	char outcome[160];
	enum standing ended; /* why the core stopped; BLANK if it did not */
};

/* Its index says whether it is ours or of the second cluster. */
void machine_init(struct world *w, struct machine *m, uint32_t index);
/* `m` becomes a second host with the key and the clocks of `of`; its disk is not copied. */
void machine_copy(struct world *w, struct machine *m, const struct machine *of);
void machine_finish(struct world *w, struct machine *m);

/* Its address in that network: they differ in one byte. */
struct address machine_address(const struct machine *m, uint32_t net);

struct now machine_now(const struct world *w, const struct machine *m);

static inline bool machine_runs(const struct machine *m)
{
	return m->state == MACHINE_UP || m->state == MACHINE_PAUSED;
}

/* Neither its process nor its kernel says a word. */
static inline bool machine_silent(const struct machine *m)
{
	return m->state == MACHINE_DOWN || m->asleep;
}

/* Each does nothing if the machine is not in a state for it. */
void machine_start(struct world *w, struct machine *m);
void machine_crash(struct world *w, struct machine *m);
void machine_kill(struct world *w, struct machine *m);
void machine_pause(struct world *w, struct machine *m);
void machine_resume(struct world *w, struct machine *m);
void machine_suspend(struct world *w, struct machine *m);
/* Whatever it suffered is over: it wakes, resumes, starts if it ever ran. */
void machine_recover(struct world *w, struct machine *m);
/* The host wakes; its process still needs machine_resume. */
void machine_wake(struct world *w, struct machine *m);
void machine_disk(struct world *w, struct machine *m, enum disk_mood mood);

/* Gives the core one input and carries what comes of it. Only while UP. */
void machine_input(struct world *w, struct machine *m, const struct input *input);

/* An event for this machine is due. Takes over the event. */
void machine_event(struct world *w, struct machine *m, struct event *event);


/* The core asked to end, having said goodbye: everything it wrote is on disk. */
void machine_stopped(struct world *w, struct machine *m, enum standing standing);

/* The disk was handed something: starts a sync if one is due. */
void machine_disk_pump(struct world *w, struct machine *m);

#endif
