#include "level.h"

#include "core.h"
#include "text.h"

#define LOOK_EVERY SECOND
#define TOLD_GAP (60 * SECOND)

static const uint8_t row_name[] = {'s', 'l', 'e', 'v', 'e', 'l'};

bool level_row(struct bytes key)
{
	return key.size == sizeof row_name && memcmp(key.data, row_name, sizeof row_name) == 0;
}

uint32_t level_of(const struct gossip *g)
{
	return g->level.now == 0 ? WIRE_VERSION_MIN : g->level.now;
}

uint32_t level_spoken(const struct gossip *g, node_id to)
{
	uint32_t known = member_wire_known(g, to) ? member_wire_max(g, to) : 0;
	if (known > g->settings.wire_max)
		known = g->settings.wire_max;
	return known > level_of(g) ? known : level_of(g);
}

/* ---- what may be done below it ---- */

static uint32_t level_needed(enum command_kind kind)
{
	if (kind < COMMAND_SETTING_PUT || kind == COMMAND_LEVEL)
		return 1;
	return kind < COMMAND_REGISTRY ? 2 : 3;
}

bool level_allows(const struct gossip *g, enum command_kind kind)
{
	return level_of(g) >= level_needed(kind);
}

/* An active member that speaks less than `wire`; 0: nobody is known to. */
static node_id older(const struct gossip *g, uint32_t wire)
{
	for (uint32_t i = 0; i < g->membership.count; i++) {
		node_id id = member_id_at(g, i);
		if (id != 0 && member_wire_max(g, id) < wire)
			return id;
	}
	return 0;
}

static size_t put_text(char *out, size_t used, size_t size, const char *text)
{
	for (; *text != '\0' && used + 1 < size; text++)
		out[used++] = *text;
	out[used] = '\0';
	return used;
}

struct bytes level_refusal(struct gossip *g, enum command_kind kind)
{
	static const char waits[] = "not before every member runs this version of essaim: ";
	char *out = g->level.why;
	size_t size = sizeof g->level.why, used = put_text(out, 0, size, waits);
	node_id old = older(g, level_needed(kind));
	if (old == 0) {
		put_text(out, used, size, "the master has not seen that yet, try again in a moment");
		return text_bytes(out);
	}
	used = put_text(out, used, size, "upgrade '");
	used = put_text(out, used, size, gossip_name(g, old));
	put_text(out, used, size, "' first");
	return text_bytes(out);
}

/* ---- the row ---- */

static void put_level(struct gossip *g, uint32_t level)
{
	uint8_t value = (uint8_t)level;
	bool put = rows_put(&g->rows, (struct bytes){row_name, sizeof row_name},
	                    (struct bytes){&value, 1}, true);
	assert(put); /* apply_one saw to the room; a founder's ledger is empty */
	g->level.now = level;
}

void level_found(struct gossip *g)
{
	if (g->settings.wire_max > WIRE_VERSION_MIN)
		put_level(g, g->settings.wire_max);
}

void level_loaded(struct gossip *g)
{
	struct bytes value;
	bool there = rows_get(&g->rows, (struct bytes){row_name, sizeof row_name}, &value);
	g->level.now = there && value.size == 1 ? value.data[0] : WIRE_VERSION_MIN;
}

void level_apply(struct gossip *g, const struct command *c)
{
	if (c->level <= level_of(g) || c->level > UINT8_MAX)
		return;
	put_level(g, c->level);
	core_trace(g, RULE_LEVEL, 0, 0, c->level, 0, 0);
}

void level_told(struct gossip *g, node_id by, uint64_t level)
{
	struct level *l = &g->level;
	bool lately = l->told_at != 0 && g->now.boot - l->told_at < TOLD_GAP;
	if (level <= g->settings.wire_max || level > UINT8_MAX || lately)
		return;
	l->told_at = g->now.boot;
	core_trace(g, RULE_TOLD_WIRE_OLD, g->self, by, (int64_t)level, g->settings.wire_max, 0);
}

/* ---- raising it ---- */

/* Nothing may be under way: an older node whose admission is in the log would be let in behind. */
static bool ripe(const struct gossip *g)
{
	bool all = older(g, level_of(g) + 1) == 0 || WEAKENED(g, WEAK_LEVEL_EARLY);
	return g->log.applied == g->log.last && all;
}

void level_tick(struct gossip *g)
{
	struct command c = {.kind = COMMAND_LEVEL, .judged_wall = g->now.wall, .if_version = NO_VERSION};
	if (level_of(g) >= g->settings.wire_max || g->now.boot < g->level.look_at)
		return;
	g->level.look_at = g->now.boot + LOOK_EVERY;
	if (!lease_acts(g, &g->now) || g->hand_over.offered_to != 0 || !ripe(g))
		return;
	c.level = level_of(g) + 1;
	master_propose(g, &c);
}

instant level_deadline(const struct gossip *g)
{
	bool looks = g->lease.phase == PHASE_MASTER && level_of(g) < g->settings.wire_max;
	return looks ? g->level.look_at : NEVER;
}
