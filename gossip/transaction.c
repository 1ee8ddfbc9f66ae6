/*
 * transaction.c: transactions of the master's engine, and what engines say to each other.
 */
#include "core.h"

/* ---- applying ---- */

static bool get_row(const struct gossip *g, struct bytes name, struct kv_row *out)
{
	uint8_t key[KEY_MAX_SIZE + 1];
	struct bytes value;
	struct arena *arena = (struct arena *)&g->row_arena;
	if (name.size == 0 || name.size > KEY_MAX_SIZE)
		return false;
	return rows_get(&g->rows, row_key(key, 'r', name), &value) &&
	       kv_row_decode(value.data, value.size, arena, out);
}

static enum outcome check_change(const struct gossip *g, const struct row_change *change)
{
	struct kv_row row;
	bool there = get_row(g, change->key, &row);
	if (change->key.size == 0)
		return LEDGER_NOT_FOUND;
	if (change->if_version == NO_VERSION || WEAKENED(g, WEAK_REGISTRY_VERSION))
		return LEDGER_DONE;
	return (there ? row.version : 0) == change->if_version ? LEDGER_DONE : LEDGER_VERSION;
}

static void tell_row(struct gossip *g, const struct row_change *change, uint64_t index)
{
	uint8_t *key = effects_room(&g->out, change->key.size, false);
	struct effect *effect = key == NULL ? NULL : effects_add(&g->out, EFFECT_ROW);
	if (effect == NULL) {
		g->transaction.anew = true;
		return;
	}
	memcpy(key, change->key.data, change->key.size);
	effect->row.key = (struct bytes){key, change->key.size};
	effect->row.version = index;
	effect->row.removed = change->removed;
}

static void make_change(struct gossip *g, uint64_t index, const struct command *c,
                        const struct row_change *change)
{
	uint8_t room[KEY_MAX_SIZE + 1];
	struct bytes key = row_key(room, 'r', change->key);
	if (change->removed)
		rows_delete(&g->rows, key);
	else
		ledger_put_kv(g, key, &(struct kv_row){index, c->judged_wall, change->value});
	tell_row(g, change, index);
}

enum outcome transaction_apply(struct gossip *g, uint64_t index, const struct command *c)
{
	if (c->epoch != g->ledger.epoch && !WEAKENED(g, WEAK_REGISTRY_EPOCH)) {
		core_trace(g, RULE_REGISTRY_EPOCH, 0, 0, (int64_t)c->epoch, (int64_t)g->ledger.epoch,
		           (int64_t)index);
		return LEDGER_EPOCH;
	}
	for (uint32_t i = 0; i < c->change_count; i++) {
		enum outcome outcome = check_change(g, &c->changes[i]);
		if (outcome == LEDGER_DONE)
			continue;
		core_trace(g, RULE_REGISTRY_REFUSED, 0, 0, (int64_t)index, 0, 0);
		return outcome;
	}
	for (uint32_t i = 0; i < c->change_count; i++)
		make_change(g, index, c, &c->changes[i]);
	core_trace(g, RULE_REGISTRY, 0, 0, (int64_t)index, c->change_count, 0);
	return LEDGER_DONE;
}

/* ---- proposing ---- */

static struct effect *tell_proposed(struct gossip *g, uint64_t number, enum answer_code code,
                                    uint64_t index, const char *text)
{
	struct effect *effect = effects_add(&g->out, EFFECT_PROPOSED);
	effect->proposed.number = number;
	effect->proposed.code = code;
	effect->proposed.index = index;
	effect->proposed.text = text;
	return effect;
}

void transaction_applied(struct gossip *g, const struct command *c, const struct result *result)
{
	bool ours = g->lease.phase == PHASE_MASTER && g->lease.claim_epoch == c->epoch;
	if (c->kind != COMMAND_REGISTRY || !ours)
		return;
	bool done = result->outcome == LEDGER_DONE;
	struct effect *effect = tell_proposed(g, c->token, done ? ANSWER_DONE : ANSWER_REFUSED,
	                                      result->index, outcome_text(result->outcome));
	effect->proposed.conflict = result->outcome == LEDGER_VERSION;
}

static bool too_full(const struct gossip *g, const struct command *c)
{
	size_t grows = 0;
	for (uint32_t i = 0; i < c->change_count; i++)
		grows += c->changes[i].key.size + c->changes[i].value.size;
	return grows > 0 && ledger_nearly_full(g, grows);
}

void transaction_propose(struct gossip *g, const struct input *input)
{
	struct command c = *input->propose.command;
	uint64_t epoch = 0;
	c.kind = COMMAND_REGISTRY;
	c.request = (struct request_id){0};
	c.token = input->propose.number;
	c.judged_wall = g->now.wall;
	bool acts = gossip_acts(g, &g->now, &epoch);
	if (!acts || (epoch != c.epoch && !WEAKENED(g, WEAK_REGISTRY_EPOCH)))
		tell_proposed(g, c.token, ANSWER_NOT_MASTER, 0, "this node is not the master of that epoch");
	else if (!level_allows(g, c.kind))
		tell_proposed(g, c.token, ANSWER_REFUSED, 0,
		              (const char *)level_refusal(g, c.kind).data);
	else if (too_full(g, &c))
		tell_proposed(g, c.token, ANSWER_REFUSED, 0, outcome_text(LEDGER_FULL));
	else if (master_propose(g, &c) == 0)
		tell_proposed(g, c.token, ANSWER_BUSY, 0, "the ledger has too much to do");
}

/* ---- what the body is told ---- */

void transaction_rows_anew(struct gossip *g)
{
	g->transaction.anew = true;
}

void transaction_finish(struct gossip *g)
{
	if (g->transaction.anew && effects_add(&g->out, EFFECT_ROWS) != NULL)
		g->transaction.anew = false;
}

/* ---- the engine's talk ---- */

static struct bytes copy_if_room(struct gossip *g, struct bytes in)
{
	uint8_t *room = effects_room(&g->out, in.size, false);
	if (room != NULL && in.size > 0)
		memcpy(room, in.data, in.size);
	return (struct bytes){room, in.size};
}

void transaction_asked(struct gossip *g, const struct command *c)
{
	struct bytes bytes = copy_if_room(g, c->value);
	struct effect *effect = bytes.data == NULL ? NULL : effects_add(&g->out, EFFECT_ENGINE);
	if (effect == NULL)
		return; /* it is asked again */
	effect->engine.request = c->request;
	effect->engine.bytes = bytes;
}

void transaction_on_message(struct gossip *g, node_id from, const struct engine_bytes *m)
{
	struct bytes bytes = copy_if_room(g, m->bytes);
	struct effect *effect =
		bytes.data == NULL ? NULL : effects_add(&g->out, EFFECT_ENGINE_MESSAGE);
	if (effect == NULL)
		return;
	effect->engine_message.from = from;
	effect->engine_message.bytes = bytes;
}

/* By a stream, even if it is short: its kind is rare, and its loss costs a second. */
void transaction_send(struct gossip *g, node_id to, struct bytes bytes)
{
	struct envelope e = {.kind = MESSAGE_ENGINE};
	assert(bytes.size <= ENGINE_BYTES_MAX);
	e.engine.bytes = bytes;
	if (member_active(g, to))
		core_tell(g, to, &e);
}

/* ---- views ---- */

bool gossip_registry(const struct gossip *g, struct bytes key, struct kv_view *out)
{
	struct kv_row row;
	if (!get_row(g, key, &row))
		return false;
	*out = (struct kv_view){key, row.value, row.version, row.changed_wall};
	return true;
}

bool gossip_registry_at(const struct gossip *g, uint32_t *cursor, struct kv_view *out)
{
	struct bytes key, value;
	while (rows_next(&g->rows, cursor, &key, &value)) {
		struct kv_row row;
		if (key.data[0] != 'r' ||
		    !kv_row_decode(value.data, value.size, (struct arena *)&g->row_arena, &row))
			continue;
		*out = (struct kv_view){{key.data + 1, key.size - 1}, row.value, row.version,
			row.changed_wall};
		return true;
	}
	return false;
}
