#include "member.h"

/*
 * Clock samples: every probe and its ack carry four wall-clock stamps (t1..t4, as NTP does). Of the
 * last 8 samples of a peer the one with the lowest delay counts: its error is half its delay.
 * Shown to people and told to others as the fact "clock"; nothing is decided by it.
 */

#define SAMPLES 8
#define STAMP_MAX ((instant)1 << 62) /* beyond that a difference could overflow */
#define PUBLISH_GAP (60 * SECOND)
#define PUBLISH_FIRST (10 * SECOND)
#define PUBLISH_STEP (50 * MILLISECOND)
#define PUBLISH_PEERS 3

struct sample {
	duration offset, delay;
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

void clocks_sample(struct gossip *g, struct member *m, instant t1, instant t2, instant t3,
                   instant t4)
{
	if (!plausible(t1) || !plausible(t2) || !plausible(t3) || !plausible(t4))
		return;
	duration delay = (t4 - t1) - (t3 - t2);
	if (delay < 0 || t3 < t2)
		return; /* a clock was stepped in between */
	struct track *track = &g->membership.clocks->tracks[member_slot(g, m)];
	track->samples[track->count++ % SAMPLES] =
	    (struct sample){(t2 - t1) / 2 + (t3 - t4) / 2, delay};
}

static const struct sample *best_sample(const struct gossip *g, uint32_t slot)
{
	const struct track *track = &g->membership.clocks->tracks[slot];
	const struct sample *best = NULL;
	for (uint32_t i = 0; i < SAMPLES && i < track->count; i++) {
		if (best == NULL || track->samples[i].delay < best->delay)
			best = &track->samples[i];
	}
	return best;
}

void clocks_view(const struct gossip *g, const struct member *m, struct member_view *out)
{
	const struct sample *best = best_sample(g, member_slot(g, m));
	if (best == NULL || m->id == g->self)
		return;
	out->clock_known = true;
	out->clock_offset = best->offset;
	out->clock_error = best->delay / 2;
	out->round_trip = best->delay;
}

/* ---- the fact ---- */

struct nearest {
	uint32_t count;
	uint32_t slots[PUBLISH_PEERS];
	struct sample samples[PUBLISH_PEERS];
};

static void nearest_find(const struct gossip *g, struct nearest *out)
{
	out->count = 0;
	for (uint32_t slot = 0; slot < g->membership.count; slot++) {
		const struct sample *s = best_sample(g, slot);
		if (s == NULL || !member_is_peer(g, &g->membership.members[slot]))
			continue;
		uint32_t at = out->count;
		while (at > 0 && out->samples[at - 1].delay > s->delay)
			at--;
		if (at == PUBLISH_PEERS)
			continue;
		out->count += out->count < PUBLISH_PEERS;
		for (uint32_t i = out->count - 1; i > at; i--) {
			out->samples[i] = out->samples[i - 1];
			out->slots[i] = out->slots[i - 1];
		}
		out->samples[at] = *s;
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
		const struct sample *s = best_sample(g, member_slot(g, m));
		duration change = s->offset - c->told_offset[i];
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
