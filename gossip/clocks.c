#include "member.h"

/*
 * Clock samples: every probe and its ack carry four wall-clock stamps (t1..t4, as NTP does). Of the
 * last 8 samples of a peer the one with the smallest error now counts: half its delay, and what two
 * clocks may have drifted apart since. A sample is kept against our boot clock, so that a step of our
 * own wall clock shows at once; one that contradicts the best of the earlier ones shows a step
 * of theirs, and those are forgotten.
 * Shown to people and told to others as the fact "clock"; nothing is decided by it.
 */

#define SAMPLES 8
#define STAMP_MAX ((instant)1 << 62) /* beyond that a difference could overflow */
#define PUBLISH_GAP (60 * SECOND)
#define PUBLISH_FIRST (10 * SECOND)
#define PUBLISH_STEP (50 * MILLISECOND)
#define PUBLISH_PEERS 3

#define DRIFT_PPM 1000 /* two clocks, each slewed by NTP's 500 ppm at most */

struct sample {
	duration base; /* their wall clock less our boot clock */
	duration delay;
	instant taken; /* boot clock */
};

/* A peer's offset as it is known now. */
struct reading {
	duration offset, error, delay;
};

struct track {
	uint32_t count; /* samples ever taken */
	struct sample samples[SAMPLES];
};

struct clocks {
	struct track *tracks; /* by slot */
	instant publish_next;
	/* what was published last: the peers of lowest delay */
	uint32_t told_count;
	node_id told[PUBLISH_PEERS];
	duration told_offset[PUBLISH_PEERS];
};

void clocks_init(struct gossip *g, struct carve *memory)
{
	struct clocks *c = carve(memory, sizeof *c);
	struct track *tracks = carve(memory, sizeof *tracks * g->membership.capacity);
	if (c != NULL)
		c->tracks = tracks;
	g->membership.clocks = c;
}

void clocks_start(struct gossip *g)
{
	/* not all of a swarm that starts together at once: one of them a second */
	duration spread = (duration)g->membership.active * SECOND;
	if (spread < 3 * PUBLISH_FIRST)
		spread = 3 * PUBLISH_FIRST;
	duration later = PUBLISH_FIRST + (duration)prng_below(&g->prng, (uint64_t)spread);
	g->membership.clocks->publish_next = g->now.boot + later;
}

static bool plausible(instant stamp)
{
	return stamp >= 0 && stamp < STAMP_MAX;
}

static struct reading read_sample(const struct gossip *g, const struct sample *s, const struct now *now)
{
	duration age = now->boot - s->taken, travelled = WEAKENED(g, WEAK_CLOCK_BOUND) ? 0 : s->delay / 2;
	return (struct reading){s->base - (now->wall - now->boot),
		travelled + age / 1000000 * DRIFT_PPM + 1, s->delay};
}

static bool best_of(const struct gossip *g, const struct track *track, const struct now *now, struct reading *out)
{
	bool any = false;
	for (uint32_t i = 0; i < SAMPLES && i < track->count; i++) {
		struct reading r = read_sample(g, &track->samples[i], now);
		if (any && r.error >= out->error)
			continue;
		*out = r;
		any = true;
	}
	return any;
}

static bool contradicts(const struct gossip *g, const struct track *track, const struct sample *fresh)
{
	struct reading best, now = read_sample(g, fresh, &g->now);
	if (!best_of(g, track, &g->now, &best))
		return false;
	duration apart = now.offset - best.offset;
	return apart > now.error + best.error || -apart > now.error + best.error;
}

void clocks_sample(struct gossip *g, struct member *m, instant t1, instant t2, instant t3,
                   instant t4)
{
	if (!plausible(t1) || !plausible(t2) || !plausible(t3) || !plausible(t4))
		return;
	duration delay = (t4 - t1) - (t3 - t2);
	if (delay < 0 || t3 < t2)
		return; /* a clock was stepped in between */
	struct track *track = &g->membership.clocks->tracks[member_slot(g, m)];
	struct sample sample = {(t2 - t1) / 2 + (t3 - t4) / 2 + (g->now.wall - g->now.boot), delay,
		g->now.boot};
	if (contradicts(g, track, &sample))
		track->count = 0;
	track->samples[track->count++ % SAMPLES] = sample;
}

static bool best_reading(const struct gossip *g, const struct now *now, uint32_t slot,
                         struct reading *out)
{
	return best_of(g, &g->membership.clocks->tracks[slot], now, out);
}

void clocks_view(const struct gossip *g, const struct now *now, const struct member *m,
                 struct member_view *out)
{
	struct reading best;
	if (m->id == g->self || !best_reading(g, now, member_slot(g, m), &best))
		return;
	out->clock_known = true;
	out->clock_offset = best.offset;
	out->clock_error = best.error;
	out->round_trip = best.delay;
}

/* ---- the fact ---- */

struct nearest {
	uint32_t count;
	uint32_t slots[PUBLISH_PEERS];
	struct reading samples[PUBLISH_PEERS];
};

static void nearest_find(const struct gossip *g, struct nearest *out)
{
	out->count = 0;
	for (uint32_t slot = 0; slot < g->membership.count; slot++) {
		struct reading r;
		if (!member_is_peer(g, &g->membership.members[slot]) ||
		    !best_reading(g, &g->now, slot, &r))
			continue;
		uint32_t at = out->count;
		while (at > 0 && out->samples[at - 1].delay > r.delay)
			at--;
		if (at == PUBLISH_PEERS)
			continue;
		out->count += out->count < PUBLISH_PEERS;
		for (uint32_t i = out->count - 1; i > at; i--) {
			out->samples[i] = out->samples[i - 1];
			out->slots[i] = out->slots[i - 1];
		}
		out->samples[at] = r;
		out->slots[at] = slot;
	}
}

static size_t put_text(char *out, size_t at, const char *text)
{
	while (*text != '\0')
		out[at++] = *text++;
	return at;
}

static size_t put_number(char *out, size_t at, int64_t n)
{
	char digits[24];
	size_t count = 0;
	out[at++] = n < 0 ? '-' : '+';
	uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	do {
		digits[count++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	while (count > 0)
		out[at++] = digits[--count];
	return at;
}

/* "n2 +12 ms, n3 -4 ms": their clocks less ours. */
static size_t describe(const struct gossip *g, const struct nearest *near,
                       char out[PUBLISH_PEERS * (NAME_MAX_SIZE + 32)])
{
	size_t at = 0;
	for (uint32_t i = 0; i < near->count; i++) {
		at = put_text(out, at, i == 0 ? "" : ", ");
		at = put_text(out, at, member_name(g, g->membership.members[near->slots[i]].id));
		at = put_text(out, at, " ");
		at = put_number(out, at, near->samples[i].offset / MILLISECOND);
		at = put_text(out, at, " ms");
	}
	return at;
}

/* Does a told peer's offset differ by more than a step from what was told? */
static bool moved(const struct gossip *g)
{
	const struct clocks *c = g->membership.clocks;
	if (c->told_count == 0)
		return true;
	for (uint32_t i = 0; i < c->told_count; i++) {
		const struct member *m = member_find(g, c->told[i]);
		struct reading r;
		if (m == NULL || !best_reading(g, &g->now, member_slot(g, m), &r))
			return true;
		duration change = r.offset - c->told_offset[i];
		if (change > PUBLISH_STEP || change < -PUBLISH_STEP)
			return true;
	}
	return false;
}

void clocks_tick(struct gossip *g)
{
	struct clocks *c = g->membership.clocks;
	if (g->now.boot < c->publish_next || g->settings.facts_off)
		return;
	c->publish_next = g->now.boot + PUBLISH_GAP;
	struct nearest near;
	nearest_find(g, &near);
	if (near.count == 0 || !moved(g))
		return;
	c->told_count = near.count;
	for (uint32_t i = 0; i < near.count; i++) {
		c->told[i] = g->membership.members[near.slots[i]].id;
		c->told_offset[i] = near.samples[i].offset;
	}
	char text[PUBLISH_PEERS * (NAME_MAX_SIZE + 32)];
	size_t size = describe(g, &near, text);
	static const char key[] = "clock";
	facts_publish(g, (struct bytes){(const uint8_t *)key, sizeof key - 1},
	              (struct bytes){(const uint8_t *)text, size});
}
