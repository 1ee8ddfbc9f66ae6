#include "member.h"

/*
 * Soundings: do our largest packets get to a member? The body asks (INPUT_SOUND), and two probes leave
 * by one way, a small one and one padded to PACKET_MAX; both acks are small.
 *
 *     sound --two probes--> small acked, large not, by the next one --> lost + 1
 *                           large acked                             --> lost = 0
 *                           neither, and yet it is heard            --> unheard + 1
 *                           neither, nor is it heard                --> says nothing: no link
 *
 * So a black hole (small packets pass, large ones vanish) is told from a link of one direction and from
 * a dead one. An older release
 * skips the padding and answers all the same. Shown to people; nothing is decided by it, and nothing
 * is sent that the body did not ask for.
 */

#define MARK ((uint64_t)1 << 63) /* never a sequence of probe.c: its serials are not that high */
#define LARGE 1u
#define HEADROOM 4 /* tag and length of the padding, and one byte more for the length of what holds it */

struct sounding {
	uint64_t serial;   /* of the last one; 0: none yet */
	instant sent;
	bool small, large; /* acked */
	uint32_t lost, unheard; /* in a row */
};

void soundings_init(struct gossip *g, struct carve *memory)
{
	g->membership.soundings = carve(memory, sizeof(struct sounding) * g->membership.capacity);
}

static struct sounding *sounding_of(const struct gossip *g, const struct member *m)
{
	return &g->membership.soundings[member_slot(g, m)];
}

static void send_sounding(struct gossip *g, const struct member *m, uint64_t sequence, bool large)
{
	struct envelope e = {.kind = MESSAGE_PROBE};
	e.probe = (struct probe){.sequence = sequence, .sent_wall = g->now.wall};
	if (large)
		e.probe.padding = (uint32_t)core_room(g, m->id, &e) - HEADROOM;
	core_send(g, m->id, &e);
}

/* What the one before has shown, now that there was time enough for its answers. */
static void close_last(struct sounding *s, const struct member *m)
{
	if (s->serial == 0 || s->large)
		return;
	if (s->small)
		s->lost++;
	else if (m->ever_heard && m->heard > s->sent)
		s->unheard++;
}

void sounding_start(struct gossip *g, node_id to)
{
	struct member *m = member_find(g, to);
	if (m == NULL || !member_is_peer(g, m))
		return;
	struct sounding *s = sounding_of(g, m);
	close_last(s, m);
	s->serial++;
	s->sent = g->now.boot;
	s->small = s->large = false;
	send_sounding(g, m, MARK | s->serial << 1, false);
	send_sounding(g, m, MARK | s->serial << 1 | LARGE, true);
}

bool sounding_on_ack(struct gossip *g, const struct member *m, const struct ack *ack)
{
	if ((ack->sequence & MARK) == 0)
		return false;
	struct sounding *s = sounding_of(g, m);
	if ((ack->sequence & ~MARK) >> 1 != s->serial)
		return true; /* of an earlier one: it came too late to count */
	s->unheard = 0;
	if ((ack->sequence & LARGE) == 0) {
		s->small = true;
		return true;
	}
	s->large = true;
	s->lost = 0;
	return true;
}

void sounding_forget(struct gossip *g, const struct member *m)
{
	memset(sounding_of(g, m), 0, sizeof(struct sounding));
}

void sounding_view(const struct gossip *g, const struct member *m, struct member_view *out)
{
	out->large_lost = sounding_of(g, m)->lost;
	out->unheard = sounding_of(g, m)->unheard;
}
