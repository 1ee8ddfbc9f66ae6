#include "generation.h"

#include "core.h"
#include "member.h"
#include "paths.h"
#include "setting.h"
#include "text.h"

#define LEVEL_OF_SEIZED 2 /* whoever speaks less was named dead, and is not admitted again */
#define TELL_EVERY (500 * MILLISECOND)
#define TELL_FOR (60 * SECOND) /* later they are told when they are heard */
#define TELL_GAP SECOND        /* to one member */
#define TELL_PER_SECOND 10     /* because of packets that do not open: anybody can send such */
#define TELL_BURST 20
#define SEEK_EVERY (2 * SECOND)
#define ENTRY_ROOM (16 * 1024) /* rows that one command may change besides its own value */

uint64_t generation_tag(const struct generation *generation)
{
	uint64_t tag = 0;
	for (int i = 0; i < 8; i++)
		tag = tag << 8 | generation->hash.bytes[i];
	return tag;
}

int generation_compare(const struct generation *a, const struct generation *b)
{
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return memcmp(a->hash.bytes, b->hash.bytes, HASH_SIZE);
}

static bool same(const struct generation *a, const struct generation *b)
{
	return generation_compare(a, b) == 0;
}

/* ---- the record ---- */

static void record_hash(struct gossip *g, const struct seized *r, struct hash *out)
{
	size_t size = seized_statement(&g->durable.cluster, r, g->scratch);
	hash_bytes(g->settings.seal, g->scratch, size, out);
}

static void record_sign(struct gossip *g, struct seized *r)
{
	uint8_t statement[STATEMENT_MAX];
	record_hash(g, r, &r->generation.hash);
	size_t size = seized_signed(&g->durable.cluster, &r->generation, statement);
	statement_sign(g->settings.seal, &g->settings.keys, statement, size, r->signature);
}

static bool record_true(struct gossip *g, const struct seized *r)
{
	uint8_t statement[STATEMENT_MAX];
	struct hash hash;
	record_hash(g, r, &hash);
	size_t size = seized_signed(&g->durable.cluster, &r->generation, statement);
	return r->generation.number == r->old.number + 1 &&
	       memcmp(&hash, &r->generation.hash, sizeof hash) == 0 &&
	       statement_verify(g->settings.seal, &r->by, statement, size, r->signature);
}

/* Of row 'g'; points into the row arena. */
bool generation_record(const struct gossip *g, uint64_t number, struct seized *out)
{
	uint8_t key[9];
	struct bytes value;
	return rows_get(&g->rows, row_key_id(key, 'g', number), &value) &&
	       seized_decode(value.data, value.size, (struct arena *)&g->row_arena, out);
}

static bool among(const node_id *list, uint32_t count, node_id id)
{
	for (uint32_t i = 0; i < count; i++) {
		if (list[i] == id)
			return true;
	}
	return false;
}

/* ---- what the founding entry means ---- */

enum outcome generation_apply(struct gossip *g, uint64_t index, const struct command *c)
{
	uint8_t key[9];
	struct seized r;
	if (!seized_decode(c->value.data, c->value.size, &g->row_arena, &r))
		return LEDGER_DONE;
	node_id by = node_key_id(&r.by);
	uint64_t number = r.generation.number;
	uint32_t dead = r.dead_count;
	if (dead > 0)
		memcpy(g->seize.buried, r.dead, dead * sizeof *r.dead);
	bool put = rows_put(&g->rows, row_key_id(key, 'g', number), c->value, true);
	assert(put); /* apply_one saw to the room */
	level_apply(g, &(struct command){.level = LEVEL_OF_SEIZED});
	ledger_bury(g, index, c->judged_wall, g->seize.buried, dead);
	core_trace(g, r.restored ? RULE_RESTORED : RULE_SEIZED, by, 0, (int64_t)number, dead, 0);
	return LEDGER_DONE;
}

/* ---- founding ---- */

/* Appends, commits and applies the record: we are the only voter, and nothing is said before it is durable. */
static void found(struct gossip *g, struct seized *r)
{
	struct durable *d = &g->durable;
	uint64_t counter = g->lease.highest_seen.counter > d->promised.counter
	                       ? g->lease.highest_seen.counter
	                       : d->promised.counter;
	struct ballot ballot = {counter + 1, d->incarnation.number, g->self, 0};
	r->by = g->settings.keys.public_key;
	r->nonce = prng_next(&g->prng);
	r->wall = g->now.wall;
	r->index = g->log.last + 1;
	r->config = d->config;
	r->config.ballot = ballot;
	r->config.version++;
	memset(r->config.voters, 0, sizeof r->config.voters);
	r->config.voter_count = 1;
	r->config.voters[0] = g->self;
	r->config.witnesses = 0;
	record_sign(g, r);
	uint8_t *record = g->scratch, *encoded = g->scratch + SCRATCH_SIZE / 2;
	struct command c = {.kind = COMMAND_SEIZED, .judged_wall = g->now.wall,
		.if_version = NO_VERSION};
	c.value = (struct bytes){record, seized_encode(r, record, SCRATCH_SIZE / 2)};
	size_t size = command_encode(&c, encoded, SCRATCH_SIZE / 2);
	bool put = size > 0 && log_put(&g->log, r->index, &ballot, (struct bytes){encoded, size});
	assert(put); /* all before it is applied */
	g->log.commit = r->index;
	d->generation = r->generation;
	d->config = r->config;
	d->promised = ballot;
	d->consent_to = 0;
	d->consent_attempt = 0;
	ledger_catch_up(g);
	assert(g->log.applied == r->index);
}

/* What belonged to the old generation's ballots is over. */
static void reset_lease(struct gossip *g)
{
	struct lease *l = &g->lease;
	if (l->phase != PHASE_IDLE)
		master_abandon(g);
	l->grant.live = false;
	l->match_ballot = (struct ballot){0};
	l->match = 0;
	l->waiting_count = 0;
	if (ballot_compare(&g->durable.promised, &l->highest_seen) > 0)
		l->highest_seen = g->durable.promised;
}

static void start_over(struct gossip *g)
{
	reset_lease(g);
	g->generation.entering = true;
	life_write_generation(g);
}

uint64_t generation_write(struct gossip *g)
{
	return voter_rewrite_store(g);
}

static bool takes_us(const struct command *c, node_id self)
{
	return (c->kind == COMMAND_MEMBER_REMOVE || c->kind == COMMAND_MEMBER_LEAVE ||
	        c->kind == COMMAND_MEMBER_REKEY) && c->subject == self;
}

/* May all that our log holds be committed by us? It will be, before the founding entry. */
static const char *log_unfit(struct gossip *g)
{
	struct entry entry;
	struct command c;
	size_t room = SEIZED_STATEMENT_MAX + COMMAND_MAX_SIZE + ENTRY_ROOM;
	for (uint64_t i = g->log.applied + 1; log_get(&g->log, i, &entry); i++) {
		room += entry.command.size + ENTRY_ROOM;
		if (command_decode(entry.command.data, entry.command.size, &g->command_arena, &c) &&
		    takes_us(&c, g->self))
			return "the last entries of the ledger take this node out of the cluster: seize "
			       "on another member";
	}
	if (room > g->rows.capacity - g->rows.live)
		return "the ledger is full";
	return log_fits(&g->log, SEIZED_STATEMENT_MAX) ? NULL : "the log is full";
}

const char *generation_seize(struct gossip *g, uint64_t attempt, const node_id *list,
                             uint32_t dead_count, uint32_t followed_count)
{
	const char *why = log_unfit(g);
	if (why != NULL)
		return why;
	struct seized r = {.old = g->durable.generation, .attempt = attempt};
	r.generation.number = r.old.number + 1;
	r.dead = list;
	r.dead_count = dead_count;
	r.followed = list + dead_count;
	r.followed_count = followed_count;
	g->standing = STANDING_STARTING; /* nothing is sent or answered from here on */
	g->log.commit = g->log.last;
	ledger_catch_up(g);
	found(g, &r);
	g->generation.seized = true;
	g->generation.followed = false;
	start_over(g);
	return NULL;
}

/* ---- following ---- */

static bool may_follow(const struct gossip *g, const struct seized *r)
{
	const struct durable *d = &g->durable;
	bool asked = d->consent_to == node_key_id(&r->by) && d->consent_attempt == r->attempt;
	return (asked || WEAKENED(g, WEAK_SEIZE_ATTEMPT)) && r->index > g->log.last &&
	       among(r->followed, r->followed_count, g->self);
}

static void follow(struct gossip *g, const struct seized *r)
{
	struct durable *d = &g->durable;
	core_trace(g, RULE_FOLLOWS, node_key_id(&r->by), 0, (int64_t)r->generation.number, 0, 0);
	d->generation = r->generation;
	d->config = r->config;
	d->consent_to = 0;
	d->consent_attempt = 0;
	log_cut_above(&g->log, g->log.commit);
	g->generation.seized = false;
	g->generation.followed = true;
	start_over(g);
}

static void supersede(struct gossip *g, node_id by, bool rival)
{
	struct durable *d = &g->durable;
	if (g->life.stop_persist != 0)
		return;
	core_trace(g, rival ? RULE_RIVAL_LOST : RULE_SUPERSEDED, g->self, by,
	           (int64_t)d->generation.number, 0, 0);
	d->superseded_by = by;
	d->superseded_by_rival = rival;
	d->consent_to = 0;
	if (g->lease.phase == PHASE_MASTER)
		master_release(g); /* P8: stops acting first */
	else if (g->lease.phase != PHASE_IDLE)
		master_abandon(g);
	life_end(g, STANDING_OLD_GENERATION);
}

/* ---- entering ---- */

void generation_entered(struct gossip *g)
{
	struct generation_change *c = &g->generation;
	c->entering = false;
	c->founded_at = g->now.boot;
	sessions_new_generation(g);
	facts_new_generation(g);
	learner_forget(g);
	g->lease.candidate_at = g->now.boot;
	core_trace(g, RULE_GENERATION, g->self, 0, (int64_t)g->durable.generation.number, 0, 0);
	if (!c->seized)
		return;
	c->tell_at = g->now.boot;
	c->tell_until = g->now.boot + TELL_FOR;
	seize_done(g);
}

/* ---- telling the others ---- */

/* The record that goes next to theirs; ours if they are ours' rivals or further behind than we know. */
static void show_record(struct gossip *g, node_id to, uint64_t stream, uint64_t theirs)
{
	struct envelope e = {.kind = MESSAGE_SEIZED};
	uint64_t ours = g->durable.generation.number;
	if (!generation_record(g, theirs < ours ? theirs + 1 : ours, &e.seized) &&
	    !generation_record(g, ours, &e.seized)) {
		e.kind = MESSAGE_FAREWELL;
		e.farewell = (struct farewell){FAREWELL_OLD_GENERATION, g->self, 0};
	}
	core_tell_back(g, to, stream, &e);
}

/* Our header is all it takes: whoever is further shows its record. */
static void show_header(struct gossip *g, node_id to, uint64_t stream)
{
	struct envelope e = {.kind = MESSAGE_GOSSIP};
	core_tell_back(g, to, stream, &e);
}

/* Where we know it to be; and where it may have moved to, unless it was another that used its name. */
static void seek(struct gossip *g, struct member *m, const struct way *from)
{
	struct envelope e = {.kind = MESSAGE_GOSSIP};
	core_tell(g, m->id, &e);
	if (!paths_has(g, m, &from->to))
		core_tell_at(g, m->id, from, &e);
}

/* `at`: when it was last done for this member. */
static bool again(const struct gossip *g, instant *at)
{
	if (*at != 0 && g->now.boot - *at < TELL_GAP)
		return false;
	*at = g->now.boot;
	return true;
}

/* The first generation has no record and needs none: whoever is further sees our packets, too. */
void generation_unopened(struct gossip *g, node_id sender, const struct way *from)
{
	struct member *m = member_find(g, sender);
	struct budget budget = {g->generation.telling};
	if (g->durable.generation.number < 2 || m == NULL || m->id == g->self)
		return;
	instant *at = &dispute_of(g, m)->alarms.header_at;
	bool quiet = *at == 0 || g->now.boot - *at >= TELL_GAP;
	if (!quiet || !budget_spend(&budget, g->now.boot, TELL_PER_SECOND, TELL_BURST))
		return;
	g->generation.telling = budget.used_up;
	*at = g->now.boot;
	seek(g, m, from);
}

/* ---- being told ---- */

/* Was it a member in the generation that both of us come from? */
static bool credible(const struct gossip *g, const struct seized *r)
{
	node_id by = node_key_id(&r->by);
	const struct member *m = member_find(g, by);
	struct seized ours;
	if (m == NULL || memcmp(&m->key, &r->by, sizeof m->key) != 0)
		return false;
	return member_is_active(m) || (generation_record(g, g->durable.generation.number, &ours) &&
	                               among(ours.dead, ours.dead_count, by));
}

static node_id founder(const struct gossip *g)
{
	struct seized ours;
	return generation_record(g, g->durable.generation.number, &ours) ? node_key_id(&ours.by) : 0;
}

static void on_record(struct gossip *g, struct member *m, uint64_t stream, const struct seized *r)
{
	const struct generation *ours = &g->durable.generation;
	node_id by = node_key_id(&r->by);
	if (same(&r->generation, ours))
		return;
	bool next = same(&r->old, ours), rival = !next && r->generation.number <= ours->number + 1;
	if (!credible(g, r) || !record_true(g, r)) {
		core_drop(g, DROP_SIGNATURE);
		return;
	}
	if (next && may_follow(g, r)) {
		follow(g, r);
		return;
	}
	if (r->generation.number == ours->number)
		core_trace(g, RULE_RIVAL, by, founder(g), (int64_t)ours->number, 0, 0);
	bool lower = generation_compare(&r->generation, ours) < 0;
	if (WEAKENED(g, WEAK_GENERATION_ORDER))
		lower = r->generation.number <= ours->number;
	if (!lower && r->generation.number == ours->number)
		show_record(g, m->id, stream, ours->number); /* so that the other side is alarmed, too */
	if (!lower)
		supersede(g, by, rival);
	else if (again(g, &dispute_of(g, m)->alarms.record_at))
		show_record(g, m->id, stream, r->generation.number);
}

static bool of_ours(const struct gossip *g, const struct envelope *e)
{
	const struct generation *ours = &g->durable.generation;
	if (e->generation == 0)
		return ours->number == 1; /* wire version 1 does not say; there it can only be the first */
	return e->generation == ours->number && e->generation_tag == generation_tag(ours);
}

bool generation_frame(struct gossip *g, node_id from, uint64_t stream, const struct envelope *e)
{
	struct member *m = member_find(g, from);
	if (m == NULL || from == g->self)
		return false;
	if (e->kind == MESSAGE_SEIZED) {
		on_record(g, m, stream, &e->seized);
		return true;
	}
	if (of_ours(g, e) || WEAKENED(g, WEAK_GENERATION_FRAMES))
		return false;
	core_drop(g, DROP_GENERATION);
	bool told = e->kind == MESSAGE_FAREWELL && e->farewell.reason == FAREWELL_OLD_GENERATION;
	told &= g->durable.consent_to == 0; /* else the record decides: it may be the one we follow */
	if (told && e->generation > g->durable.generation.number && member_is_active(m))
		supersede(g, from, false);
	else if (e->generation > g->durable.generation.number && again(g, &dispute_of(g, m)->alarms.header_at))
		show_header(g, from, stream);
	else if (e->generation <= g->durable.generation.number && again(g, &dispute_of(g, m)->alarms.record_at))
		show_record(g, from, stream, e->generation);
	return true;
}

/* ---- those who consented, and those named dead ---- */

/*
 * Two rivals have removed each other, so that neither would ever speak again: the master of each knocks
 * at one of those it named dead now and then. What does not open there is answered (see above).
 */
static void seek_rival(struct gossip *g)
{
	struct generation_change *c = &g->generation;
	struct seized r;
	c->seek_at = g->now.boot + SEEK_EVERY;
	if (!lease_acts(g, &g->now) || !generation_record(g, g->durable.generation.number, &r) ||
	    r.dead_count == 0)
		return;
	struct member *m = member_find(g, r.dead[c->seek_next++ % r.dead_count]);
	if (m != NULL && !member_is_active(m))
		session_hello(g, m);
}

static void tell_followers(struct gossip *g)
{
	struct generation_change *c = &g->generation;
	struct envelope e = {.kind = MESSAGE_SEIZED};
	if (c->tell_until == 0 || g->now.boot < c->tell_at || !life_member(g))
		return;
	c->tell_at = g->now.boot + TELL_EVERY;
	bool waits = false;
	if (!generation_record(g, g->durable.generation.number, &e.seized))
		return;
	for (uint32_t i = 0; i < e.seized.followed_count; i++) {
		node_id id = e.seized.followed[i];
		if (!member_active(g, id) || member_heard(g, id, g->now.boot - c->founded_at))
			continue;
		core_tell(g, id, &e);
		waits = true;
	}
	if (!waits || g->now.boot >= c->tell_until)
		c->tell_until = 0;
}

void generation_tick(struct gossip *g)
{
	tell_followers(g);
	if (g->durable.generation.number > 1 && g->now.boot >= g->generation.seek_at)
		seek_rival(g);
}

instant generation_deadline(const struct gossip *g)
{
	const struct generation_change *c = &g->generation;
	instant at = c->tell_until != 0 ? c->tell_at : NEVER;
	bool seeks = g->durable.generation.number > 1 && g->lease.phase == PHASE_MASTER;
	return seeks ? instant_min(at, c->seek_at) : at;
}

/* ---- restore ---- */

static void restore_failed(struct gossip *g, const char *why)
{
	struct generation_change *c = &g->generation;
	c->restoring = false;
	rows_clear(&g->rows);
	g->level.now = 0;
	memset(&g->durable, 0, sizeof g->durable);
	life_outcome(g, why);
}

static void restore_begin(struct gossip *g, const struct input *input)
{
	struct generation_change *c = &g->generation;
	if (g->standing != STANDING_BLANK || c->restoring) {
		life_outcome(g, "this node belongs to a cluster already, or is joining one");
		return;
	}
	g->durable = (struct durable){.cluster = input->restore.cluster, .role = ROLE_NODE};
	life_name(g, input->restore.name);
	c->restoring = true;
	c->restored_from = input->restore.generation;
	c->restored_index = input->restore.index;
	c->restored_profile = PROFILE_DEFAULT;
	if (c->restored_from.number == 0 || c->restored_index == 0 ||
	    c->restored_index > UINT64_MAX / 2 || c->restored_from.number > UINT64_MAX / 2)
		restore_failed(g, "the head of the backup is not legal");
}

static const char *restore_kv(struct gossip *g, char table, const struct input *input)
{
	uint8_t key[KEY_MAX_SIZE + 1];
	struct bytes name = input->restore.key, old;
	struct kv_row row = {input->restore.version, input->restore.changed_wall,
		input->restore.value};
	if (name.size == 0 || name.size > KEY_MAX_SIZE || row.value.size > VALUE_MAX_SIZE)
		return "a row of the backup is too large";
	if (row.version == 0 || row.version > g->generation.restored_index)
		return "a row of the backup is newer than the backup";
	struct bytes full = row_key(key, table, name);
	if (rows_get(&g->rows, full, &old))
		return "a row of the backup is there twice";
	size_t size = kv_row_encode(&row, g->scratch, SCRATCH_SIZE);
	if (size == 0 || !rows_fit(&g->rows, KEY_MAX_SIZE, VALUE_MAX_SIZE) ||
	    !rows_put(&g->rows, full, (struct bytes){g->scratch, size}, false))
		return "the backup does not fit into the ledger";
	return NULL;
}

static const char *restore_setting(struct gossip *g, const struct input *input)
{
	uint8_t key[KEY_MAX_SIZE + 1];
	enum setting setting;
	struct bytes name = input->restore.key, value = input->restore.value, old;
	struct kv_row row = {g->generation.restored_index, input->restore.changed_wall, value};
	if (setting_find(name, &setting, NULL) < 0 || setting_check(setting, value, NULL) < 0)
		return "the backup has a setting, or a value of one, that this version does not know";
	struct bytes full = row_key(key, 's', name);
	if (rows_get(&g->rows, full, &old))
		return "a setting of the backup is there twice";
	if (setting == SETTING_PROFILE)
		g->generation.restored_profile = (enum profile)setting_value(setting, value);
	size_t size = kv_row_encode(&row, g->scratch, SCRATCH_SIZE);
	return rows_put(&g->rows, full, (struct bytes){g->scratch, size}, false)
	           ? NULL
	           : "the backup does not fit into the ledger";
}

static void restore_row(struct gossip *g, const struct input *input)
{
	const char *why = NULL;
	if (!g->generation.restoring)
		return;
	switch (input->restore.table) {
	case RESTORE_KV:
		why = restore_kv(g, 'k', input);
		break;
	case RESTORE_REGISTRY:
		why = restore_kv(g, 'r', input);
		break;
	case RESTORE_SETTING:
		why = restore_setting(g, input);
		break;
	}
	if (why != NULL)
		restore_failed(g, why);
}

static void restore_end(struct gossip *g)
{
	struct generation_change *c = &g->generation;
	struct durable *d = &g->durable;
	if (!c->restoring)
		return;
	if (log_unfit(g) != NULL) { /* what is left must hold our own rows, and be worked with */
		restore_failed(g, "the backup does not fit into the ledger");
		return;
	}
	c->restoring = false;
	transaction_rows_anew(g);
	struct seized r = {.old = c->restored_from, .restored = true};
	r.generation.number = r.old.number + 1;
	d->incarnation = (struct incarnation){1, g->settings.nonce};
	config_times(&d->config, c->restored_profile);
	log_reset(&g->log, c->restored_index);
	life_found_rows(g);
	found(g, &r);
	life_founded(g);
}

void generation_restore(struct gossip *g, const struct input *input)
{
	switch (input->restore.step) {
	case RESTORE_BEGIN:
		restore_begin(g, input);
		return;
	case RESTORE_ROW:
		restore_row(g, input);
		return;
	case RESTORE_END:
		restore_end(g);
		return;
	case RESTORE_ABANDON:
		if (g->generation.restoring)
			restore_failed(g, "the restore was given up");
		return;
	}
}
