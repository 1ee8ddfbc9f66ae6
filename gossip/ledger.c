#include "ledger.h"

#include "core.h"

#define CHECKPOINT_EVERY SECOND
#define CHECKPOINT_ROWS 200            /* one command dirties at most TOKENS_MAX rows and a few */
#define CHECKPOINT_BYTES (256u * 1024) /* copied into the effects at a checkpoint */
#define CHECKPOINT_ENTRIES 256         /* a start must find room in the log for what came since */
#define ROW_VALUE_MAX (VALUE_MAX_SIZE + 4096)
#define ROW_OVERHEAD 24 /* of a record in rows.c, padding included */
#define RETAINED_ENTRIES 512 /* applied entries kept in memory for laggards */

const char *outcome_text(enum outcome outcome)
{
	static const char *const texts[LEDGER_OUTCOMES] = {
		"",
		"the row has another version",
		"there is no such row",
		"the token is unknown",
		"the token was used up",
		"the token was revoked",
		"the token has expired",
		"another member has this name",
		"this node's key was removed from the cluster for ever",
		"this node is already a member",
		"another member's key begins with the same 8 bytes",
		"there is no such member",
		"it is the last node of the cluster",
		"the ledger is full",
		"the request is too old to tell whether it was applied",
		"the cluster has as many members as it can have",
		"the joining node's essaim is too old for this cluster: install the version that the members run, then join",
		"the change of key is not signed by the old and by the new key",
		"it was proposed under an epoch that is over",
	};
	assert(outcome >= 0 && outcome < LEDGER_OUTCOMES);
	return texts[outcome];
}

struct bytes row_key(uint8_t *out, char table, struct bytes key)
{
	assert(key.size <= KEY_MAX_SIZE);
	out[0] = (uint8_t)table;
	memcpy(out + 1, key.data, key.size);
	return (struct bytes){out, key.size + 1};
}

struct bytes row_key_id(uint8_t out[9], char table, uint64_t id)
{
	out[0] = (uint8_t)table;
	for (int i = 0; i < 8; i++)
		out[1 + i] = (uint8_t)(id >> (56 - 8 * i));
	return (struct bytes){out, 9};
}

void ledger_init(struct gossip *g, struct carve *memory)
{
	struct ledger *l = &g->ledger;
	l->snapshot_capacity = g->settings.ledger_bytes;
	l->snapshot = carve(memory, l->snapshot_capacity);
	l->value = carve(memory, ROW_VALUE_MAX);
	l->checkpoint_at = NEVER;
}

void ledger_loaded(struct gossip *g)
{
	struct bytes key, value;
	uint32_t cursor = 0;
	g->ledger.members = g->ledger.tokens = 0;
	level_loaded(g);
	transaction_rows_anew(g);
	while (rows_next(&g->rows, &cursor, &key, &value)) {
		struct member_row row;
		g->ledger.tokens += key.data[0] == 't';
		if (key.data[0] != 'm' ||
		    !member_row_decode(value.data, value.size, &g->row_arena, &row))
			continue;
		g->ledger.members++;
		members_put(g, &row);
	}
}

/* ---- applying ---- */

#define HIGH_WATER(g) ((g)->settings.ledger_bytes / 8 * 7)

bool ledger_nearly_full(const struct gossip *g, size_t grows)
{
	return g->rows.live + grows + UINT16_MAX > HIGH_WATER(g);
}

static void stop_for_want_of_room(struct gossip *g)
{
	core_trace(g, RULE_LEDGER_FULL, g->self, 0, 0, 0, 0);
	life_end(g, STANDING_STOPPED);
}

static void apply_one(struct gossip *g, const struct entry *entry)
{
	struct command command;
	struct result result = {0};
	if (!command_decode(entry->command.data, entry->command.size, &g->command_arena, &command))
		command = (struct command){.kind = COMMAND_NOOP}; /* of a later version: same for all */
	if (!rows_fit(&g->rows, KEY_MAX_SIZE, COMMAND_MAX_SIZE)) { /* a transaction's rows, too */
		stop_for_want_of_room(g);
		return;
	}
	result = ledger_apply(g, entry->index, &command);
	g->log.applied = entry->index;
	g->ledger.applied_ballot = entry->ballot;
	g->ledger.unwritten += entry->command.size;
	route_applied(g, &command, &result);
	transaction_applied(g, &command, &result);
	ledger_tell_gone(g);
}

/* Few rows may take many entries: what the store must keep of the log counts as much. */
static bool checkpoint_due(const struct gossip *g)
{
	return g->rows.dirty_count > CHECKPOINT_ROWS || g->rows.dirty_bytes > CHECKPOINT_BYTES ||
	       g->ledger.unwritten > CHECKPOINT_BYTES ||
	       g->log.applied - g->ledger.checkpointed >= CHECKPOINT_ENTRIES;
}

void ledger_catch_up(struct gossip *g)
{
	struct entry entry;
	uint64_t before = g->log.applied;
	while (g->log.applied < g->log.commit && g->standing != STANDING_STOPPED &&
	       log_get(&g->log, g->log.applied + 1, &entry)) {
		if (checkpoint_due(g))
			ledger_checkpoint(g);
		uint64_t applied = g->log.applied;
		apply_one(g, &entry);
		if (g->log.applied == applied)
			break;
	}
	if (g->log.applied == before)
		return;
	if (g->ledger.checkpoint_at == NEVER)
		g->ledger.checkpoint_at = g->now.boot + CHECKPOINT_EVERY;
	if (g->log.applied > RETAINED_ENTRIES)
		log_trim_below(&g->log, g->log.applied - RETAINED_ENTRIES);
	learner_advanced(g);
}

/* ---- checkpoints ---- */

static void note_applied(struct gossip *g)
{
	struct durable *d = &g->durable;
	d->applied = g->log.applied;
	d->applied_ballot = g->ledger.applied_ballot;
	d->applied_epoch = g->ledger.epoch;
	d->applied_claimant = g->ledger.claimant;
	g->ledger.checkpointed = g->log.applied;
	g->ledger.unwritten = 0;
	g->ledger.checkpoint_at = NEVER;
}

void ledger_checkpoint(struct gossip *g)
{
	for (uint32_t i = 0; i < g->rows.dirty_count; i++) {
		struct bytes key, value;
		rows_dirty_at(&g->rows, i, &key, &value);
		persist_row(g, effects_copy(&g->out, key), effects_copy(&g->out, value));
	}
	rows_clean(&g->rows);
	note_applied(g);
	persist_durable(g);
	persist_trim_below(g, g->log.applied);
}

void ledger_tick(struct gossip *g)
{
	if (g->now.boot >= g->ledger.checkpoint_at && g->log.applied > g->ledger.checkpointed)
		ledger_checkpoint(g);
}

instant ledger_deadline(const struct gossip *g)
{
	return g->ledger.checkpoint_at;
}

/* ---- snapshots: key size 2, value size 4, key, value; again and again ---- */

#define SNAPSHOT_ROW_HEAD 6

static void put_be(uint8_t *out, uint64_t value, int size)
{
	for (int i = 0; i < size; i++)
		out[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

static uint32_t get_be(const uint8_t *in, int size)
{
	uint32_t value = 0;
	for (int i = 0; i < size; i++)
		value = value << 8 | in[i];
	return value;
}

void ledger_pin_snapshot(struct gossip *g)
{
	struct ledger *l = &g->ledger;
	if (l->snapshot_size > 0 && l->snapshot_index == g->log.applied)
		return;
	struct bytes key, value;
	uint32_t cursor = 0, used = 0;
	while (rows_next(&g->rows, &cursor, &key, &value)) {
		assert(used + SNAPSHOT_ROW_HEAD + key.size + value.size <= l->snapshot_capacity);
		put_be(l->snapshot + used, key.size, 2);
		put_be(l->snapshot + used + 2, value.size, 4);
		memcpy(l->snapshot + used + SNAPSHOT_ROW_HEAD, key.data, key.size);
		memcpy(l->snapshot + used + SNAPSHOT_ROW_HEAD + key.size, value.data, value.size);
		used += SNAPSHOT_ROW_HEAD + (uint32_t)(key.size + value.size);
	}
	l->snapshot_size = used;
	l->snapshot_index = g->log.applied;
	l->snapshot_epoch = l->epoch;
	l->snapshot_claimant = l->claimant;
	l->snapshot_ballot = l->applied_ballot;
}

/* The next row of a serialised state; false at the end or if malformed (*at < size then). */
static bool snapshot_row(struct bytes state, size_t *at, struct bytes *key, struct bytes *value)
{
	if (state.size - *at < SNAPSHOT_ROW_HEAD)
		return false;
	size_t key_size = get_be(state.data + *at, 2), value_size = get_be(state.data + *at + 2, 4);
	if (key_size < 1 || key_size > KEY_MAX_SIZE + 1 || value_size > ROW_VALUE_MAX ||
	    state.size - *at - SNAPSHOT_ROW_HEAD < key_size + value_size)
		return false;
	*key = (struct bytes){state.data + *at + SNAPSHOT_ROW_HEAD, key_size};
	*value = (struct bytes){key->data + key_size, value_size};
	*at += SNAPSHOT_ROW_HEAD + key_size + value_size;
	return true;
}

/* Whole, not empty, and small enough for our rows: looked at before anything is thrown away. */
static bool snapshot_legal(const struct gossip *g, struct bytes state)
{
	struct bytes key, value;
	size_t at = 0, room = 0;
	while (snapshot_row(state, &at, &key, &value))
		room += key.size + value.size + ROW_OVERHEAD;
	return at == state.size && at > 0 && room <= g->rows.capacity;
}

static void install_log(struct gossip *g, const struct snapshot *head)
{
	if (head->index >= g->log.last) {
		log_reset(&g->log, head->index);
		return;
	}
	/* What was accepted above the snapshot stays: a promise may have to report it. */
	g->log.applied = head->index;
	if (g->log.commit < head->index)
		g->log.commit = head->index;
	log_trim_below(&g->log, head->index);
	g->log.first = head->index + 1;
}

bool ledger_install(struct gossip *g, const struct snapshot *head, struct bytes state)
{
	struct bytes key, value;
	size_t at = 0;
	if (head->index <= g->log.applied || !snapshot_legal(g, state))
		return false;
	rows_clear(&g->rows);
	while (snapshot_row(state, &at, &key, &value)) {
		if (!rows_put(&g->rows, key, value, false)) {
			stop_for_want_of_room(g);
			return true;
		}
	}
	install_log(g, head);
	g->ledger.epoch = head->epoch;
	g->ledger.claimant = head->claimant;
	g->ledger.applied_ballot = head->ballot;
	persist_rows_clear(g);
	for (uint32_t cursor = 0; rows_next(&g->rows, &cursor, &key, &value);)
		persist_row(g, key, value);
	note_applied(g);
	persist_durable(g);
	persist_trim_below(g, head->index);
	ledger_loaded(g);
	return true;
}
