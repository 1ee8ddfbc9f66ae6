/*
 * gossip.c: the face: memory, loading, one step, the deadline, the views.
 */
#include "core.h"

#define DEFAULT_LEDGER_BYTES (16u * 1024 * 1024)
#define DEFAULT_LOG_BYTES (4u * 1024 * 1024)

/* ---- memory ---- */

static void carve_arena(struct arena *arena, size_t size, struct carve *c)
{
	arena->data = carve(c, size);
	arena->size = size;
}

static void carve_effects(struct gossip *g, struct carve *c)
{
	struct effects_buffer *e = &g->out;
	e->list = carve(c, EFFECTS_MAX * sizeof *e->list);
	e->bytes = carve(c, EFFECT_BYTES_MAX);
	e->ops = carve(c, STORE_OPS_MAX * sizeof *e->ops);
	e->dropped = &g->dropped[DROP_OUTPUT];
}

static void carve_all(struct gossip *g, struct carve *c)
{
	carve_effects(g, c);
	carve_arena(&g->packet_arena, ARENA_PACKET_SIZE, c);
	carve_arena(&g->frame_arena, ARENA_FRAME_SIZE, c);
	carve_arena(&g->command_arena, COMMAND_ARENA_SIZE, c);
	carve_arena(&g->row_arena, COMMAND_ARENA_SIZE, c);
	g->scratch = carve(c, SCRATCH_SIZE);
	log_init(&g->log, g->settings.log_bytes, c);
	rows_init(&g->rows, g->settings.ledger_bytes, c);
	ledger_init(g, c);
	learner_init(g, c);
	lease_init(g, c);
	route_init(g, c);
	membership_init(g, c);
	seize_init(g, c);
	voters_init(g);
}

static void settle(struct gossip *g, const struct gossip_settings *settings)
{
	g->settings = *settings;
	if (g->settings.ledger_bytes == 0)
		g->settings.ledger_bytes = DEFAULT_LEDGER_BYTES;
	if (g->settings.log_bytes == 0)
		g->settings.log_bytes = DEFAULT_LOG_BYTES;
	if (g->settings.wire_min == 0)
		g->settings.wire_min = WIRE_VERSION_MIN;
	if (g->settings.wire_max == 0)
		g->settings.wire_max = WIRE_VERSION_MAX;
	g->self = node_key_id(&settings->keys.public_key);
}

size_t gossip_size(const struct gossip_settings *settings)
{
	struct gossip measured = {0};
	struct carve c = {NULL, 0};
	settle(&measured, settings);
	carve(&c, sizeof measured);
	carve_all(&measured, &c);
	return c.used;
}

struct gossip *gossip_init(void *memory, const struct gossip_settings *settings)
{
	struct carve c = {memory, 0};
	struct gossip *g = carve(&c, sizeof *g);
	settle(g, settings);
	prng_seed(&g->prng, settings->seed);
	g->rekey.next = settings->next;
	carve_all(g, &c);
	return g;
}

/* ---- loading ---- */

bool gossip_load_durable(struct gossip *g, struct bytes record)
{
	if (!durable_decode(record.data, record.size, &g->row_arena, &g->durable))
		return false;
	g->ledger.epoch = g->durable.applied_epoch;
	g->ledger.claimant = g->durable.applied_claimant;
	g->ledger.applied_ballot = g->durable.applied_ballot;
	g->ledger.checkpointed = g->durable.applied;
	log_reset(&g->log, g->durable.applied);
	return true;
}

bool gossip_load_row(struct gossip *g, struct bytes key, struct bytes value)
{
	return key.size >= 2 && key.size <= KEY_MAX_SIZE + 1 && rows_put(&g->rows, key, value, false);
}

bool gossip_load_entry(struct gossip *g, uint64_t index, const struct ballot *ballot,
                       struct bytes command)
{
	if (index <= g->durable.applied)
		return true; /* applied before the last checkpoint */
	return index == g->log.last + 1 && log_put(&g->log, index, ballot, command);
}

/* ---- a step ---- */

static void take_message(struct gossip *g, node_id from, const struct envelope *e, bool by_frame,
                         uint64_t stream)
{
	learner_hint(g, from, e->commit);
	switch (e->kind) {
	case MESSAGE_NONE:
	case MESSAGE_HELLO:
	case MESSAGE_WELCOME:
	case MESSAGE_JOIN:
	case MESSAGE_JOINED:
	case MESSAGE_INQUIRY:
	case MESSAGE_INQUIRED:
	case MESSAGE_SEIZED: /* in frames only: generation_frame */
	case MESSAGE_KINDS:
		return;
	case MESSAGE_PROBE:
	case MESSAGE_ACK:
	case MESSAGE_PROBE_REQUEST:
	case MESSAGE_PROBE_REPORT:
	case MESSAGE_GOSSIP:
	case MESSAGE_DIGEST:
	case MESSAGE_FACT_PULL:
	case MESSAGE_FACT_VALUE:
	case MESSAGE_FAREWELL:
		membership_message(g, from, e, by_frame, stream);
		return;
	case MESSAGE_PREPARE:
	case MESSAGE_PROMISE:
	case MESSAGE_REJECT:
	case MESSAGE_ACCEPT:
	case MESSAGE_ACCEPTED:
	case MESSAGE_RELEASE:
	case MESSAGE_OFFER:
	case MESSAGE_READY:
	case MESSAGE_TRANSFER:
		if (!g->settings.membership_only)
			lease_message(g, from, e);
		return;
	case MESSAGE_FETCH:
		learner_on_fetch(g, from, &e->fetch);
		return;
	case MESSAGE_ENTRIES:
		learner_on_entries(g, from, &e->entries);
		return;
	case MESSAGE_SNAPSHOT:
		learner_on_snapshot(g, from, &e->snapshot);
		return;
	case MESSAGE_SURVEY:
		consent_on_survey(g, from, &e->survey);
		return;
	case MESSAGE_SURVEY_ANSWER:
		seize_on_answer(g, from, &e->survey_answer);
		return;
	case MESSAGE_REQUEST:
		route_on_request(g, from, &e->request);
		return;
	case MESSAGE_ANSWER:
		route_on_answer(g, from, &e->answer);
		return;
	case MESSAGE_ENGINE:
		transaction_on_message(g, from, &e->engine);
		return;
	}
}

static void take_packet(struct gossip *g, const struct input *input)
{
	struct envelope e;
	if (!life_member(g)) {
		core_drop(g, DROP_NOT_READY);
		return;
	}
	struct way way = {input->packet.path, input->packet.from};
	node_id from = session_open(g, &way, input->packet.bytes, &e);
	if (from != 0)
		take_message(g, from, &e, false, 0);
}

/* A stream of a stranger: nothing but JOIN and INQUIRY (to a member) and JOINED (to a joiner). */
static void take_strange_frame(struct gossip *g, const struct input *input,
                               const struct envelope *e)
{
	if (e->kind == MESSAGE_JOINED)
		life_on_joined(g, input->frame.stream, &e->joined);
	else if (e->kind == MESSAGE_JOIN && life_member(g))
		admit_join(g, input->frame.stream, input->frame.token, &e->join);
	else if (e->kind == MESSAGE_INQUIRY && life_member(g))
		inquiry_answer(g, input->frame.stream, input->frame.token, &e->inquiry);
	else
		core_drop(g, DROP_STRANGER);
}

static void take_frame(struct gossip *g, const struct input *input)
{
	struct envelope e;
	struct bytes bytes = input->frame.bytes;
	if (!envelope_decode(bytes.data, bytes.size, &g->frame_arena, &e)) {
		core_drop(g, DROP_MALFORMED);
		return;
	}
	node_id from = input->frame.from;
	if (from == 0) {
		take_strange_frame(g, input, &e);
		return;
	}
	if (life_member(g) && generation_frame(g, from, input->frame.stream, &e))
		return;
	if (!life_member(g) || !member_active(g, from)) {
		core_drop(g, life_member(g) ? DROP_REMOVED : DROP_NOT_READY);
		return;
	}
	if (!session_heard_frame(g, from, &e))
		return; /* of an older incarnation: it counts no more than such a packet */
	membership_items(g, from, &e);
	take_message(g, from, &e, true, input->frame.stream);
}

static void take_persisted(struct gossip *g, uint64_t number, bool failed)
{
	struct lease *l = &g->lease;
	if (failed && !g->store_failed)
		core_trace(g, RULE_DISK_FAILED, g->self, 0, 0, 0, 0);
	if (failed) {
		g->store_failed = true;
		l->rewrite_number = 0;
		l->disk_asked = NEVER;
		l->disk_check_at = instant_min(l->disk_check_at, g->now.boot + 2 * SECOND);
	} else if (g->store_failed && number == l->rewrite_number) {
		g->store_failed = false;
		core_trace(g, RULE_DISK_WELL, g->self, 0, 0, 0, 0);
	}
	if (!failed)
		g->persisted_number = number;
	life_persisted(g, number, failed);
	lease_persisted(g, number, failed);
	consent_persisted(g, number, failed);
}

/*
 * What was known committed is applied before anything else: a config that counts voters is never in
 * the store without the commit index of the entries that made them members.
 */
static void apply_loaded(struct gossip *g)
{
	if (g->durable.incarnation.number == 0 || g->durable.commit <= g->log.commit)
		return;
	g->log.commit = g->durable.commit < g->log.last ? g->durable.commit : g->log.last;
	ledger_catch_up(g);
}

static void take_input(struct gossip *g, const struct input *input)
{
	switch (input->kind) {
	case INPUT_TICK:
	case INPUT_KINDS:
		break;
	case INPUT_START:
		ledger_loaded(g);
		apply_loaded(g);
		life_start(g);
		break;
	case INPUT_PACKET:
		take_packet(g, input);
		break;
	case INPUT_FRAME:
		take_frame(g, input);
		break;
	case INPUT_PERSISTED:
		take_persisted(g, input->persisted.number, input->persisted.failed);
		break;
	case INPUT_REFUSED:
		if (life_member(g))
			membership_refused(g, &input->refused.from);
		break;
	case INPUT_KNOCKED:
		if (life_member(g))
			membership_knocked(g, input->knocked.node, input->knocked.result);
		break;
	case INPUT_REQUEST:
		route_request(g, input->request.client, 0, input->request.command,
		              input->request.patience, input->request.retry_of);
		break;
	case INPUT_ABANDON:
		route_abandon(g, input->abandon.client);
		seize_abandon(g, input->abandon.client);
		break;
	case INPUT_INIT:
		life_init(g, input);
		break;
	case INPUT_JOIN:
		life_join(g, input);
		break;
	case INPUT_DIALED:
		life_dialed(g, input);
		break;
	case INPUT_PUBLISH:
		facts_publish(g, input->publish.key, input->publish.value);
		break;
	case INPUT_SOUND:
		if (life_member(g))
			sounding_start(g, input->sound.to);
		break;
	case INPUT_TRANSFER:
		hand_over_start(g, input->transfer.to);
		break;
	case INPUT_REKEY:
		rekey_request(g, input);
		break;
	case INPUT_PROPOSE:
		transaction_propose(g, input);
		break;
	case INPUT_ENGINE_ANSWER:
		route_engine_answer(g, input);
		break;
	case INPUT_ENGINE_SEND:
		transaction_send(g, input->engine_send.to, input->engine_send.bytes);
		break;
	case INPUT_JOURNAL:
		persist_journal(g, input->journal.key, input->journal.value);
		break;
	case INPUT_STOP:
		life_stop(g);
		break;
	case INPUT_SEIZE:
		seize_input(g, input);
		break;
	case INPUT_RESTORE:
		generation_restore(g, input);
		break;
	}
}

static void tick_all(struct gossip *g)
{
	if (life_member(g)) {
		membership_tick(g);
		lease_tick(g);
		learner_tick(g);
		ledger_tick(g);
		route_tick(g);
		level_tick(g);
		seize_tick(g);
		generation_tick(g);
	}
	life_tick(g);
}

/* The durable record is written once, as it stands at the end of the step. */
static void finish_persist(struct gossip *g)
{
	if (!g->persist_open)
		return;
	uint32_t count = g->out.op_count - g->persist_first;
	struct store_op *ops = g->out.ops + g->persist_first;
	for (uint32_t i = 0; i < count; i++) {
		if (ops[i].kind != STORE_DURABLE)
			continue;
		uint8_t *room = effects_room(&g->out, 4096, true);
		g->durable.commit = g->log.commit;
		size_t size = durable_encode(&g->durable, room, 4096);
		assert(size > 0);
		ops[i].value = (struct bytes){room, size};
	}
	struct effect *effect = effects_add(&g->out, EFFECT_PERSIST);
	effect->persist.number = g->persist_number;
	effect->persist.lazy = g->persist_lazy;
	effect->persist.op_count = count;
	effect->persist.ops = ops;
	g->persist_open = g->persist_durable_wanted = false;
}

struct effects gossip_step(struct gossip *g, const struct now *now, const struct input *input)
{
	if (!WEAKENED(g, WEAK_P7_NOW) || g->now.boot == 0)
		g->now = *now;
	effects_begin(&g->out);
	if (life_member(g))
		lease_check(g); /* authority and grants first: an input must not see what has run out */
	take_input(g, input);
	g->now = *now;
	tick_all(g);
	transaction_finish(g);
	finish_persist(g);
	return (struct effects){g->out.count, g->out.list};
}

instant gossip_deadline(const struct gossip *g)
{
	instant at = life_deadline(g);
	if (!life_member(g))
		return at;
	at = instant_min(at, membership_deadline(g));
	at = instant_min(at, lease_deadline(g));
	at = instant_min(at, voters_deadline(g));
	at = instant_min(at, learner_deadline(g));
	at = instant_min(at, seize_deadline(g));
	at = instant_min(at, generation_deadline(g));
	at = instant_min(at, ledger_deadline(g));
	at = instant_min(at, level_deadline(g));
	return instant_min(at, route_deadline(g));
}

/* ---- views ---- */

static void copy_name(char out[NAME_MAX_SIZE + 1], const char *name)
{
	size_t i = 0;
	for (; i < NAME_MAX_SIZE && name[i] != '\0'; i++)
		out[i] = name[i];
	out[i] = '\0';
}

static void voters_status(const struct gossip *g, struct status_view *out)
{
	const struct config *c = &g->durable.config;
	out->voters_total = c->voter_count;
	out->voters_needed = c->voter_count == 0 ? 0 : quorum_needed(c->voter_count);
	for (uint32_t i = 0; i < c->voter_count; i++)
		out->voters_reachable +=
		    c->voters[i] == g->self || member_reachable(g, c->voters[i], true);
}

static void lease_status(const struct gossip *g, const struct now *now, struct status_view *out)
{
	const struct lease *l = &g->lease;
	out->master = lease_master(g, now);
	out->master_known = out->master != 0;
	out->epoch = out->master_known ? g->ledger.epoch : 0;
	copy_name(out->master_name, out->master_known ? gossip_name(g, out->master) : "");
	out->self_master = lease_acts(g, now);
	out->lease_left = out->master_known ? lease_left(g, now) : 0;
	out->votes = lease_votes(g, now);
	out->disk_failed = g->store_failed || l->disk_overdue;
	out->quarantine_left = l->mute ? deadline_over_at(&l->mute_until, now) - now->boot : 0;
}

void gossip_status(const struct gossip *g, const struct now *now, struct status_view *out)
{
	memset(out, 0, sizeof *out);
	out->standing = g->standing;
	out->self = g->self;
	out->cluster = g->durable.cluster;
	out->generation = g->durable.generation;
	out->config = g->durable.config;
	copy_name(out->name, g->durable.name);
	out->commit = g->log.commit;
	out->applied = g->log.applied;
	out->health = g->membership.health;
	out->level = level_of(g);
	memcpy(out->dropped, g->dropped, sizeof out->dropped);
	out->seizing = g->seize.phase;
	out->consented_to = g->durable.consent_to;
	out->superseded_by = g->durable.superseded_by;
	out->superseded_by_rival = g->durable.superseded_by_rival;
	out->members_total = members_active(g);
	out->members_reachable = g->membership.reachable;
	if (!life_member(g))
		return;
	voters_status(g, out);
	lease_status(g, now, out);
}

/* What membership does not know of a member: its duties. */
static void add_duties(const struct gossip *g, const struct now *now, struct member_view *out)
{
	out->voter = config_position(&g->durable.config, out->id) >= 0;
	out->master = lease_master(g, now) == out->id;
}

bool gossip_member_at(const struct gossip *g, const struct now *now, uint32_t position,
                      struct member_view *out)
{
	if (!membership_view_at(g, now, position, out))
		return false;
	add_duties(g, now, out);
	return true;
}

bool gossip_member(const struct gossip *g, const struct now *now, node_id id,
                   struct member_view *out)
{
	if (!membership_view(g, now, id, out))
		return false;
	add_duties(g, now, out);
	return true;
}

static bool same_text(const char *a, const char *b)
{
	size_t i = 0;
	while (a[i] != '\0' && a[i] == b[i])
		i++;
	return a[i] == b[i];
}

bool gossip_member_named(const struct gossip *g, const struct now *now, const char *name,
                         struct member_view *out)
{
	struct member_view view;
	bool found = false;
	for (uint32_t i = 0; gossip_member_at(g, now, i, &view); i++) {
		bool gone = view.state == GONE_LEFT || view.state == GONE_REMOVED;
		if (!same_text(view.name, name) || (found && gone))
			continue; /* a living bearer of the name comes before a gone one */
		*out = view;
		found = true;
	}
	return found;
}

const char *gossip_name(const struct gossip *g, node_id id)
{
	return id == g->self ? g->durable.name : member_name(g, id);
}

const struct node_key *gossip_key(const struct gossip *g, node_id id)
{
	return member_active(g, id) ? member_key(g, id) : NULL;
}

const struct node_key *gossip_stream_key(const struct gossip *g, node_id id)
{
	return id == g->self ? NULL : member_key(g, id);
}

bool gossip_generation_at(const struct gossip *g, uint32_t position, struct generation_view *out)
{
	struct seized r;
	if (position >= g->durable.generation.number ||
	    !generation_record(g, g->durable.generation.number - position, &r))
		return false;
	*out = (struct generation_view){.number = r.generation.number,
		.hash = r.generation.hash,
		.old = r.old.hash,
		.restored = r.restored,
		.by = node_key_id(&r.by),
		.wall = r.wall,
		.index = r.index,
		.dead_count = r.dead_count,
		.followed_count = r.followed_count,
		.dead = r.dead,
		.followed = r.followed};
	return true;
}

bool gossip_fact_at(const struct gossip *g, const struct now *now, uint32_t position,
                    struct fact_view *out)
{
	return facts_view_at(g, now, position, out);
}

bool gossip_token_at(const struct gossip *g, uint32_t position, struct token_view *out)
{
	struct bytes key, value;
	uint32_t cursor = 0;
	while (rows_next(&g->rows, &cursor, &key, &value)) {
		struct token_row row;
		if (key.data[0] != 't' ||
		    !token_row_decode(value.data, value.size, (struct arena *)&g->row_arena, &row))
			continue;
		if (position-- > 0)
			continue;
		*out = (struct token_view){row.token, row.role, row.expires_wall, row.uses_left,
			row.revoked};
		return true;
	}
	return false;
}

bool gossip_token_hash(const struct gossip *g, const struct now *now, uint64_t token,
                       struct hash *out)
{
	struct token_row row;
	if (!life_member(g) || !ledger_token(g, token, &row))
		return false;
	*out = row.hash;
	return true;
}

bool gossip_kv_at(const struct gossip *g, uint32_t *cursor, struct kv_view *out)
{
	struct bytes key, value;
	while (rows_next(&g->rows, cursor, &key, &value)) {
		struct kv_row row;
		if (key.data[0] != 'k' ||
		    !kv_row_decode(value.data, value.size, (struct arena *)&g->row_arena, &row))
			continue;
		*out = (struct kv_view){{key.data + 1, key.size - 1}, row.value, row.version,
			row.changed_wall};
		return true;
	}
	return false;
}

bool gossip_kv(const struct gossip *g, struct bytes key, struct kv_view *out)
{
	struct kv_row row;
	if (!ledger_kv(g, key, &row))
		return false;
	*out = (struct kv_view){key, row.value, row.version, row.changed_wall};
	return true;
}

bool gossip_acts(const struct gossip *g, const struct now *now, uint64_t *epoch)
{
	if (!life_member(g) || !lease_acts(g, now))
		return false;
	*epoch = g->lease.claim_epoch;
	return true;
}

uint64_t gossip_epoch(const struct gossip *g)
{
	return g->ledger.epoch;
}

bool gossip_committed(const struct gossip *g, uint64_t index, struct bytes *command)
{
	struct entry e;
	if (index > g->log.commit || !log_get(&g->log, index, &e))
		return false;
	*command = e.command;
	return true;
}

uint64_t gossip_commit(const struct gossip *g)
{
	return g->log.commit;
}

uint64_t gossip_applied(const struct gossip *g)
{
	return g->log.applied;
}

uint64_t gossip_last(const struct gossip *g)
{
	return g->log.last;
}
