#include "core.h"

void *carve(struct carve *c, size_t size)
{
	void *piece = c->data == NULL ? NULL : c->data + c->used;
	c->used += (size + 15) & ~(size_t)15;
	return piece;
}

/* ---- tracing ---- */

void core_trace(struct gossip *g, enum rule rule, node_id subject, node_id other, int64_t n1,
                int64_t n2, int64_t n3)
{
	struct effect *effect = effects_add(&g->out, EFFECT_TRACE);
	if (effect != NULL)
		effect->trace = (struct trace){rule, subject, other, {n1, n2, n3}, {{0}}};
}

void core_trace_path(struct gossip *g, enum rule rule, node_id subject, const struct address *from,
                     const struct address *to)
{
	struct effect *effect = effects_add(&g->out, EFFECT_TRACE);
	if (effect != NULL)
		effect->trace = (struct trace){rule, subject, 0, {0}, {*from, *to}};
}

void core_trace_ends(struct gossip *g, enum rule rule, node_id subject, const struct address *from,
                     const struct address *to)
{
	struct effect *effect = effects_add(&g->out, EFFECT_TRACE);
	if (effect != NULL)
		effect->trace = (struct trace){.rule = rule, .subject = subject, .ends = {*from, *to}};
}

/* ---- sending ---- */

static void fill_header(struct gossip *g, uint32_t wire, struct envelope *e)
{
	e->wire = wire;
	e->incarnation = g->durable.incarnation.number;
	e->commit = g->log.commit;
	e->summary = facts_summary(g);
	e->refutation = g->membership.refutation;
	e->generation = e->generation_tag = 0;
	e->items = NULL;
	e->item_count = 0;
}

/* Where a frame goes: on that stream, or to a member by that way. */
struct track {
	uint64_t stream;
	struct way way;
};

static void send_frame(struct gossip *g, node_id to, const struct track *track,
                       enum message_kind kind, const uint8_t *plain, size_t size,
                       bool close_after)
{
	uint8_t *room = effects_room(&g->out, size, false);
	struct effect *effect = room == NULL ? NULL : effects_add(&g->out, EFFECT_FRAME);
	if (effect == NULL)
		return;
	memcpy(room, plain, size);
	effect->frame.stream = track->stream;
	effect->frame.to = to;
	effect->frame.address = track->way.to;
	effect->frame.path = track->way.path;
	effect->frame.message = kind;
	effect->frame.close_after = close_after;
	effect->frame.bytes = (struct bytes){room, size};
}

/* A frame says which generation it is of: streams are not bound to one (handshake.h). */
static void send_whole(struct gossip *g, node_id to, const struct track *track, struct envelope *e)
{
	e->generation = g->durable.generation.number;
	e->generation_tag = generation_tag(&g->durable.generation);
	size_t size = envelope_encode(e, g->scratch, SCRATCH_SIZE);
	assert(size > 0);
	send_frame(g, to, track, e->kind, g->scratch, size, false);
}

static void tell(struct gossip *g, node_id to, const struct track *track, struct envelope *e)
{
	if (to == g->self || !life_member(g))
		return;
	fill_header(g, level_spoken(g, to), e);
	send_whole(g, to, track, e);
}

void core_tell(struct gossip *g, node_id to, struct envelope *e)
{
	struct track track = {0};
	if (member_way(g, to, &track.way))
		tell(g, to, &track, e);
}

void core_tell_back(struct gossip *g, node_id to, uint64_t stream, struct envelope *e)
{
	assert(stream != 0);
	tell(g, to, &(struct track){.stream = stream}, e);
}

void core_tell_at(struct gossip *g, node_id to, const struct way *way, struct envelope *e)
{
	tell(g, to, &(struct track){.way = *way}, e);
}

/* What leaves little room for gossip anyway is not asked to carry any. */
#define ITEMS_ROOM_MIN 128

void core_send_by(struct gossip *g, node_id to, const struct way *by, struct envelope *e)
{
	if (to == g->self || !life_member(g))
		return;
	fill_header(g, level_spoken(g, to), e);
	size_t size = envelope_encode(e, g->scratch, SCRATCH_SIZE);
	assert(size > 0);
	if (size > PACKET_PLAIN_MAX) {
		struct track track = {0};
		if (member_way(g, to, &track.way))
			send_whole(g, to, &track, e);
		return;
	}
	if (size + ITEMS_ROOM_MIN <= PACKET_PLAIN_MAX) {
		spread_fill(g, to, e, PACKET_PLAIN_MAX - size);
		if (e->item_count > 0)
			size = envelope_encode(e, g->scratch, SCRATCH_SIZE);
		assert(size > 0 && size <= PACKET_PLAIN_MAX);
	}
	session_send(g, to, by, e->kind, g->scratch, size);
}

size_t core_room(struct gossip *g, node_id to, struct envelope *e)
{
	fill_header(g, level_spoken(g, to), e);
	size_t size = envelope_encode(e, g->scratch, SCRATCH_SIZE);
	assert(size > 0 && size <= PACKET_PLAIN_MAX);
	return PACKET_PLAIN_MAX - size;
}

void core_send(struct gossip *g, node_id to, struct envelope *e)
{
	core_send_by(g, to, NULL, e);
}

void core_send_stream(struct gossip *g, uint64_t stream, struct envelope *e, bool close_after)
{
	fill_header(g, level_of(g), e); /* (a joiner, and who answers it, is at the lowest) */
	size_t size = envelope_encode(e, g->scratch, SCRATCH_SIZE);
	assert(size > 0);
	send_frame(g, 0, &(struct track){.stream = stream}, e->kind, g->scratch, size, close_after);
}

/* ---- the store: one persist effect a step ---- */

static struct store_op *persist_op(struct gossip *g, enum store_kind kind)
{
	if (!g->persist_open) {
		g->persist_open = true;
		g->persist_lazy = true;
		g->persist_first = g->out.op_count;
		g->persist_number++;
	}
	assert(g->out.op_count < STORE_OPS_MAX);
	struct store_op *op = &g->out.ops[g->out.op_count++];
	memset(op, 0, sizeof *op);
	op->kind = kind;
	return op;
}

void persist_entry(struct gossip *g, uint64_t index, const struct ballot *ballot,
                   struct bytes command)
{
	struct store_op *op = persist_op(g, STORE_ENTRY);
	g->entry_number = g->persist_number;
	/* The commit index goes along: what a start cannot call committed always fits one PROMISE. */
	if (g->log.commit > g->durable.commit)
		persist_durable(g);
	op->index = index;
	op->ballot = *ballot;
	op->value = command;
	uint32_t level = command_level(command);
	if (level > WIRE_VERSION_MIN)
		persist_op(g, STORE_FORMAT)->index = level;
}

void persist_cut_above(struct gossip *g, uint64_t index)
{
	persist_op(g, STORE_CUT_ABOVE)->index = index;
}

void persist_trim_below(struct gossip *g, uint64_t index)
{
	persist_op(g, STORE_TRIM_BELOW)->index = index;
}

void persist_row(struct gossip *g, struct bytes key, struct bytes value)
{
	struct store_op *op =
	    persist_op(g, value.data == NULL ? STORE_ROW_DELETE : STORE_ROW);
	op->key = key;
	op->value = value;
	if (value.size == 1 && level_row(key))
		persist_op(g, STORE_FORMAT)->index = value.data[0];
}

void persist_rows_clear(struct gossip *g)
{
	persist_op(g, STORE_ROWS_CLEAR);
	g->entry_number = g->persist_number;
}

void persist_durable(struct gossip *g)
{
	if (!g->persist_open || !g->persist_durable_wanted)
		persist_op(g, STORE_DURABLE);
	g->persist_durable_wanted = true;
}

/* Somebody waits for it: the engine begins nothing before it is durable. */
void persist_journal(struct gossip *g, struct bytes key, struct bytes value)
{
	struct store_op *op =
		persist_op(g, value.data == NULL ? STORE_JOURNAL_DELETE : STORE_JOURNAL);
	op->key = key;
	op->value = value;
	persist_sync(g);
}

uint64_t persist_sync(struct gossip *g)
{
	if (!g->persist_open)
		persist_durable(g);
	g->persist_lazy = false;
	g->sync_number = g->persist_number;
	if (g->lease.disk_asked == NEVER) {
		g->lease.disk_asked = g->now.boot;
		g->lease.disk_asked_number = g->persist_number;
	}
	return g->persist_number;
}
