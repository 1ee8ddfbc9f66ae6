#include "machine.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "carry.h"
#include "world.h"

/* The daemon's timers are not exact either; it also keeps two deadlines from chasing each other. */
#define TIMER_GRAIN (20 * MICROSECOND)
#define TICKS_PER_SECOND_MAX 2000
#define LAZY_WRITE_MAX SECOND
#define FAILED_WRITE_RETRY (100 * MILLISECOND)

static void name_machine(struct machine *m, uint32_t foreign_first)
{
	uint32_t number = m->foreign ? m->index - foreign_first : m->index;
	if (number < 26)
		snprintf(m->called, sizeof(m->called), "%c", 'a' + (int)number);
	else
		snprintf(m->called, sizeof(m->called), "n%u", number % 100000);
	memcpy(m->name, m->called, sizeof(m->name));
	if (m->foreign)
		m->name[0] = (char)('A' + number % 26);
}

struct address machine_address(const struct machine *m, uint32_t net)
{
	struct address address = m->address;
	address.ip[1] = (uint8_t)net;
	return address;
}

static void settings_of(struct world *w, const struct machine *m, struct gossip_settings *out)
{
	*out = (struct gossip_settings){
		.seal = SEAL_QUICK,
		.keys = m->keys,
		.next = m->next_waits ? node_key_id(&m->next.public_key) : 0,
		.wire_max = m->wire_max,
		.address = m->address,
		.members_max = w->count * (REKEYS_MAX + 1) + 11, /* who was buried keeps a place */
		.ledger_bytes = 1024 * 1024,
		.log_bytes = 2 * ENTRIES_BYTES_MAX,
		.membership_only = w->settings.membership_only,
		.weakened = w->settings.weakened,
	};
	for (uint32_t net = 0; w->settings.networks > 1 && net < w->settings.networks; net++)
		out->local.list[out->local.count++] = machine_address(m, net);
	out->more = addresses_rest(&out->local);
}

/* Where a boot clock stands when our story begins: some time within 11 days of uptime. */
static void set_clocks(struct world *w, struct machine *m)
{
	instant uptime = dice_between(&w->dice, SECOND, 1000000 * SECOND);
	int64_t ppm = w->settings.exact_clocks ? 0 : 100;
	for (int i = 0; i < CLOCK_NAMES; i++) {
		m->clocks[i].local = uptime + dice_between(&w->dice, 0, SECOND);
		m->clocks[i].ppm = ppm ? dice_between(&w->dice, -ppm, ppm + 1) : 0;
	}
	m->clocks[CLOCK_OF_WALL].local = 1800000000 * SECOND + dice_between(&w->dice, 0, SECOND);
}

static void get_memory(struct world *w, struct machine *m)
{
	struct gossip_settings settings;
	settings_of(w, m, &settings);
	m->memory_size = gossip_size(&settings);
	m->memory = mmap(NULL, m->memory_size, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(m->memory != MAP_FAILED);
}

void machine_init(struct world *w, struct machine *m, uint32_t index)
{
	uint8_t seed[32];
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)prng_next(&w->dice);
	m->index = index;
	m->timer_at = NEVER;
	m->foreign = index > w->count;
	name_machine(m, w->count + 1);
	node_keys_from_seed(SEAL_QUICK, seed, &m->keys);
	m->id = node_key_id(&m->keys.public_key);
	m->address = (struct address){.family = 4, .port = DEFAULT_PORT};
	m->address.ip[0] = 10;
	m->address.ip[2] = (uint8_t)(index >> 8);
	m->address.ip[3] = (uint8_t)index;
	set_clocks(w, m);
	get_memory(w, m);
	dice_seed(&m->dice, prng_next(&w->dice), DICE_MACHINE);
}

void machine_copy(struct world *w, struct machine *m, const struct machine *of)
{
	m->keys = of->keys;
	m->id = of->id;
	m->ended = STANDING_BLANK;
	m->timer_at = NEVER;
	snprintf(m->name, sizeof(m->name), "%.5s2", of->name);
	memcpy(m->clocks, of->clocks, sizeof(m->clocks));
	dice_seed(&m->dice, w->settings.seed, DICE_MACHINE);
	if (!m->memory) {
		m->address = of->address;
		m->address.ip[2] = (uint8_t)(m->index >> 8);
		m->address.ip[3] = (uint8_t)m->index;
		get_memory(w, m);
	}
}

static void forget_waiting(struct world *w, struct machine *m);

void machine_finish(struct world *w, struct machine *m)
{
	forget_waiting(w, m); /* it may be paused */
	disk_finish(&m->disk);
	if (m->memory)
		munmap(m->memory, m->memory_size);
}

struct now machine_now(const struct world *w, const struct machine *m)
{
	return (struct now){
		.boot = clock_read(&m->clocks[CLOCK_OF_BOOT], w->now),
		.raw = clock_read(&m->clocks[CLOCK_OF_RAW], w->now),
		.wall = clock_read(&m->clocks[CLOCK_OF_WALL], w->now),
	};
}

/* ---- the timer ---- */

/* Only an earlier deadline needs a new event: a timer that comes too early finds nothing due. */
static void arm(struct world *w, struct machine *m)
{
	instant deadline = gossip_deadline(m->core);
	if (deadline == NEVER)
		return;
	instant at = clock_when(&m->clocks[CLOCK_OF_BOOT], deadline);
	if (at < w->now + TIMER_GRAIN)
		at = w->now + TIMER_GRAIN;
	if (m->timer_at <= at)
		return;
	struct event *timer = queue_event(&w->queue, EVENT_TIMER, m->index, 0);
	timer->life = m->life;
	timer->number = (uint64_t)at;
	m->timer_at = at;
	queue_push(&w->queue, at, timer);
}

/* A core that wants to be woken more often than this spins: a daemon would burn a whole CPU. */
static void notice_spin(struct world *w, struct machine *m)
{
	if (w->now - m->ticks_since > SECOND) {
		m->ticks_since = w->now;
		m->ticks = 0;
	}
	if (++m->ticks == TICKS_PER_SECOND_MAX)
		world_violation(w, "spin", "node %u was woken %u times within a second", m->index,
		                m->ticks);
}

/* A timer that a newer one overtook, or that came before its time, does not bother the core. */
static void timer_fires(struct world *w, struct machine *m, const struct event *event)
{
	if ((instant)event->number != m->timer_at)
		return;
	m->timer_at = NEVER;
	if (gossip_deadline(m->core) > machine_now(w, m).boot) {
		arm(w, m);
		return;
	}
	notice_spin(w, m);
	machine_input(w, m, &(struct input){.kind = INPUT_TICK});
}

/* ---- the process ---- */

static void fuse_blows(struct world *w, struct machine *m, struct effects rest)
{
	enum fuse fuse = m->fuse;
	m->fuse = FUSE_NONE;
	switch (fuse) {
	case FUSE_CRASH:
		machine_crash(w, m);
		return;
	case FUSE_KILL:
		machine_kill(w, m);
		return;
	case FUSE_PAUSE:
		machine_pause(w, m);
		m->held = rest;
		return;
	case FUSE_NONE:
		break;
	}
	assert(!"a fuse that is none blew");
}

static void carry(struct world *w, struct machine *m, struct effects effects)
{
	uint32_t life = m->life;
	for (uint32_t i = 0; i < effects.count; i++) {
		if (m->fuse && i == m->fuse_after % effects.count) {
			struct effects rest = {effects.count - i, effects.list + i};
			fuse_blows(w, m, rest);
			return;
		}
		carry_effect(w, m, &effects.list[i]);
		if (m->life != life || !m->core)
			return;
	}
}

void machine_input(struct world *w, struct machine *m, const struct input *input)
{
	assert(m->state == MACHINE_UP);
	struct now now = machine_now(w, m);
	struct effects effects = gossip_step(m->core, &now, input);
	/* The mind has decided, even if the body dies before anyone hears of it. */
	world_stepped(w, m, &now);
	carry(w, m, effects);
	if (m->state == MACHINE_UP)
		arm(w, m);
}

static void forget_waiting(struct world *w, struct machine *m)
{
	while (m->waiting_head) {
		struct event *event = m->waiting_head;
		m->waiting_head = event->next;
		queue_free(&w->queue, event);
	}
	m->waiting_tail = NULL;
	m->waiting_packets = 0;
}

/* The clocks of a host that crashed begin anew; those of one whose process died go on. */
static void boot_host(struct world *w, struct machine *m)
{
	for (int i = 0; i < CLOCK_NAMES; i++) {
		if (i == CLOCK_OF_WALL)
			continue;
		m->clocks[i].local = dice_between(&m->dice, SECOND, 60 * SECOND);
		m->clocks[i].base = w->now;
	}
}

void machine_start(struct world *w, struct machine *m)
{
	if (machine_runs(m) || m->scrapped || m->ended == STANDING_LEFT || m->ended == STANDING_REMOVED)
		return;
	struct gossip_settings settings;
	if (m->state == MACHINE_DOWN && w->settings.faults)
		boot_host(w, m);
	settings_of(w, m, &settings);
	for (int i = 0; i < 4; i++)
		settings.seed[i] = prng_next(&m->dice);
	for (int i = 0; i < SALT_SIZE; i++)
		settings.salt[i] = (uint8_t)prng_next(&m->dice);
	settings.nonce = m->nonce = prng_next(&m->dice);
	/* Gives zeroed pages again without giving the address range back. */
	int failed = madvise(m->memory, m->memory_size, MADV_DONTNEED);
	assert(!failed);
	(void)failed;
	m->core = gossip_init(m->memory, &settings);
	bool loaded = disk_load(&m->disk, m->core);
	if (!loaded)
		world_violation(w, "store", "'%s' cannot read what it wrote to its own disk",
		                m->name);
	m->state = MACHINE_UP;
	m->life++;
	m->timer_at = NEVER;
	m->ended = STANDING_BLANK;
	world_started(w, m);
	machine_input(w, m, &(struct input){.kind = INPUT_START});
}

/* The process is gone; `after` says what became of its host. */
static void end(struct world *w, struct machine *m, enum machine_state after)
{
	forget_waiting(w, m);
	machine_wake(w, m);
	m->core = NULL;
	m->held = (struct effects){0};
	m->fuse = FUSE_NONE;
	m->timer_at = NEVER;
	m->state = after;
	if (after == MACHINE_DEAD) /* its kernel closes what it had open */
		network_ended(w, m);
	world_ended(w, m);
}

void machine_crash(struct world *w, struct machine *m)
{
	if (!machine_runs(m))
		return;
	disk_crash(&m->disk, &m->dice);
	end(w, m, MACHINE_DOWN);
}

void machine_kill(struct world *w, struct machine *m)
{
	if (!machine_runs(m))
		return;
	disk_crash(&m->disk, &m->dice);
	end(w, m, MACHINE_DEAD);
}

void machine_stopped(struct world *w, struct machine *m, enum standing standing)
{
	disk_flush(&m->disk);
	m->ended = standing;
	end(w, m, MACHINE_DEAD);
	if (standing == STANDING_REKEYED)
		operators_rekeyed(w, m);
}

void machine_pause(struct world *w, struct machine *m)
{
	if (m->state == MACHINE_UP)
		m->state = MACHINE_PAUSED;
}

/*
 * CLOCK_MONOTONIC_RAW stands still while the host sleeps. What boot and wall gain by it comes from the
 * real-time clock, which nobody slews.
 */
void machine_suspend(struct world *w, struct machine *m)
{
	if (m->state != MACHINE_UP)
		return;
	m->state = MACHINE_PAUSED;
	m->asleep = true;
	int64_t oscillator = m->clocks[CLOCK_OF_RAW].ppm;
	for (int i = 0; i < CLOCK_NAMES; i++) {
		m->awake_ppm[i] = m->clocks[i].ppm;
		clock_set_rate(&m->clocks[i], w->now, i == CLOCK_OF_RAW ? -1000000 : oscillator);
	}
}

void machine_wake(struct world *w, struct machine *m)
{
	if (!m->asleep)
		return;
	m->asleep = false;
	for (int i = 0; i < CLOCK_NAMES; i++)
		clock_set_rate(&m->clocks[i], w->now, m->awake_ppm[i]);
}

/* After SIGCONT the loop may see its timer or its sockets first: both happen. */
void machine_resume(struct world *w, struct machine *m)
{
	if (m->state != MACHINE_PAUSED)
		return;
	m->state = MACHINE_UP;
	m->resumed_at = w->now;
	uint32_t life = m->life;
	struct effects held = m->held;
	m->held = (struct effects){0};
	carry(w, m, held);
	if (m->state == MACHINE_UP && prng_below(&m->dice, 2))
		machine_input(w, m, &(struct input){.kind = INPUT_TICK});
	while (m->life == life && m->state == MACHINE_UP && m->waiting_head) {
		struct event *event = m->waiting_head;
		m->waiting_head = event->next;
		if (!m->waiting_head)
			m->waiting_tail = NULL;
		m->waiting_packets -= event->kind == EVENT_PACKET;
		machine_event(w, m, event);
	}
	if (m->life == life && m->state == MACHINE_UP) {
		m->timer_at = NEVER;
		arm(w, m);
	}
}

void machine_recover(struct world *w, struct machine *m)
{
	m->fuse = FUSE_NONE;
	machine_wake(w, m);
	machine_resume(w, m);
	if (m->life > 0)
		machine_start(w, m);
}

/* ---- the disk's time ---- */

static duration sync_takes(const struct world *w, struct machine *m)
{
	duration usual = dice_between(&m->dice, 200 * MICROSECOND, 2 * MILLISECOND);
	bool slow = w->settings.faults && dice_chance(&m->dice, 20000);
	return slow ? usual + dice_tail(&m->dice, 2 * MILLISECOND) : usual;
}

static void disk_go(struct world *w, struct machine *m)
{
	struct event *event = queue_event(&w->queue, EVENT_SYNCED, m->index, 0);
	event->number = disk_begin(&m->disk);
	queue_push(&w->queue, w->now + sync_takes(w, m), event);
}

void machine_disk_pump(struct world *w, struct machine *m)
{
	if (m->disk.batch || !m->disk.queued)
		return;
	if (disk_urgent(&m->disk)) {
		disk_go(w, m);
		return;
	}
	struct event *event = queue_event(&w->queue, EVENT_SYNC_DUE, m->index, 0);
	event->number = m->disk.batches;
	queue_push(&w->queue, w->now + (m->disk.head->reported ? FAILED_WRITE_RETRY : LAZY_WRITE_MAX),
	           event);
}

struct reporter {
	struct world *world;
	struct machine *machine;
};

static void report_persisted(void *context, uint64_t number, bool failed)
{
	struct reporter *r = context;
	struct event *event = queue_event(&r->world->queue, EVENT_PERSISTED, r->machine->index, 0);
	event->life = r->machine->life;
	event->persisted.number = number;
	event->persisted.failed = failed;
	queue_push(&r->world->queue, r->world->now, event);
}

static void disk_done(struct world *w, struct machine *m)
{
	struct reporter reporter = {w, m};
	disk_end(&m->disk, report_persisted, &reporter);
	machine_disk_pump(w, m);
}

/* True if the event was the disk's: the kernel handles it even while the process is paused. */
static bool disk_event(struct world *w, struct machine *m, const struct event *event)
{
	if (event->kind == EVENT_SYNC_DUE) {
		if (event->number == m->disk.batches && !m->disk.batch && m->disk.queued)
			disk_go(w, m);
		return true;
	}
	if (event->kind != EVENT_SYNCED)
		return false;
	if (event->number != m->disk.batches || !m->disk.batch)
		return true;
	if (m->disk.mood == DISK_STALLED)
		m->disk.overdue = true;
	else
		disk_done(w, m);
	return true;
}

void machine_disk(struct world *w, struct machine *m, enum disk_mood mood)
{
	m->disk.mood = mood;
	if (mood != DISK_STALLED && m->disk.overdue && m->disk.batch)
		disk_done(w, m);
}

/* ---- events ---- */

static void wait_for_resume(struct world *w, struct machine *m, struct event *event)
{
	bool packet = event->kind == EVENT_PACKET;
	if (event->kind == EVENT_TIMER || (packet && m->asleep) ||
	    (packet && m->waiting_packets >= SOCKET_BUFFER_PACKETS)) {
		queue_free(&w->queue, event);
		return;
	}
	m->waiting_packets += packet;
	event->next = NULL;
	if (m->waiting_tail)
		m->waiting_tail->next = event;
	else
		m->waiting_head = event;
	m->waiting_tail = event;
}

void machine_event(struct world *w, struct machine *m, struct event *event)
{
	if (disk_event(w, m, event)) {
		queue_free(&w->queue, event);
		return;
	}
	if (m->state == MACHINE_PAUSED) {
		wait_for_resume(w, m, event);
		return;
	}
	if (event->kind == EVENT_TIMER) {
		if (m->state == MACHINE_UP && event->life == m->life)
			timer_fires(w, m, event);
	} else {
		deliver_event(w, m, event);
	}
	queue_free(&w->queue, event);
}
