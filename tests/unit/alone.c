#include "alone.h"

#include <sys/mman.h>
#include <stdio.h>
#include <stdlib.h>

#include "member.h"
#include "text.h"

static const struct cluster_id cluster = {{7, 7}};

node_id alone_id(const struct alone *a, uint32_t node)
{
	return node_key_id(&a->keys[node].public_key);
}

/* Peers are in their first incarnation; node 0 in whichever its store says. */
struct owner alone_owner(const struct alone *a, uint32_t node)
{
	if (node == 0)
		return self_owner(a->core);
	return (struct owner){alone_id(a, node), {1, 100 + node}};
}

struct ballot alone_ballot(const struct alone *a, uint64_t counter, uint32_t node)
{
	return (struct ballot){counter, 1, alone_id(a, node), 0};
}

static struct address address_of(uint32_t node)
{
	return (struct address){.family = 4, .ip = {127, 0, 2, (uint8_t)(node + 1)}, .port = 7800};
}

/* ---- the store ---- */

static void store_row(struct alone *a, struct bytes key, struct bytes value)
{
	uint32_t i = 0;
	while (i < a->row_count && (a->rows[i].key_size != key.size ||
	                            memcmp(a->rows[i].key, key.data, key.size) != 0))
		i++;
	if (i == a->row_count) {
		assert(i < 64);
		memset(&a->rows[i], 0, sizeof a->rows[i]);
		memcpy(a->rows[i].key, key.data, key.size);
		a->rows[i].key_size = key.size;
		a->row_count++;
	}
	free(a->rows[i].value);
	a->rows[i].value = NULL;
	a->rows[i].value_size = value.size;
	if (value.data == NULL)
		return; /* deleted: not loaded again */
	a->rows[i].value = malloc(value.size + 1);
	memcpy(a->rows[i].value, value.data, value.size);
}

static void store_entry(struct alone *a, const struct store_op *op)
{
	struct stored *s = &a->entries[op->index % STORED_MAX];
	free(s->data);
	*s = (struct stored){op->ballot, op->value.size, malloc(op->value.size + 1)};
	memcpy(s->data, op->value.data, op->value.size);
	if (a->last < a->first || op->index < a->first)
		a->first = op->index;
	if (op->index > a->last)
		a->last = op->index;
}

static void store(struct alone *a, const struct store_op *op)
{
	switch (op->kind) {
	case STORE_DURABLE:
		memcpy(a->durable, op->value.data, op->value.size);
		a->durable_size = op->value.size;
		break;
	case STORE_ENTRY:
		store_entry(a, op);
		break;
	case STORE_CUT_ABOVE:
		a->last = a->last > op->index ? op->index : a->last;
		break;
	case STORE_TRIM_BELOW:
		a->first = a->first <= op->index ? op->index + 1 : a->first;
		break;
	case STORE_ROW:
	case STORE_ROW_DELETE:
		store_row(a, op->key, op->value);
		break;
	case STORE_ROWS_CLEAR:
		while (a->row_count > 0) {
			free(a->rows[--a->row_count].value);
			a->rows[a->row_count].value = NULL;
		}
		break;
	case STORE_JOURNAL:
	case STORE_JOURNAL_DELETE:
		break;
	case STORE_FORMAT:
		a->format = (uint32_t)op->index;
		break;
	}
}

/* ---- effects ---- */

static void keep_message(struct alone *a, node_id to, const uint8_t *plain, size_t size)
{
	assert(a->sent_count < SENT_MAX);
	struct sent *s = &a->sent[a->sent_count];
	*s = (struct sent){.at = a->now.boot, .to = to};
	/* what is decoded points into the arena and into these bytes: both are kept */
	uint8_t *memory = aligned_alloc(16, ARENA_FRAME_SIZE + FRAME_MAX);
	s->arena = (struct arena){memory, ARENA_FRAME_SIZE, 0};
	memcpy(memory + ARENA_FRAME_SIZE, plain, size);
	bool decoded = envelope_decode(memory + ARENA_FRAME_SIZE, size, &s->arena, &s->e);
	assert(decoded);
	bool kept = (s->e.kind >= MESSAGE_PREPARE && s->e.kind <= MESSAGE_ANSWER) ||
	            s->e.kind == MESSAGE_ENGINE;
	if (kept)
		a->sent_count++;
	else
		free(s->arena.data);
}

static void open_packet(struct alone *a, const struct effect *effect)
{
	uint8_t plain[PACKET_MAX];
	size_t size;
	struct packet_header header;
	struct pair_key key;
	for (uint32_t i = 1; i < a->nodes; i++) {
		struct incarnation receiver = alone_owner(a, i).incarnation;
		if (effect->packet.to_node != alone_id(a, i) ||
		    !packet_header_read(effect->packet.bytes.data, effect->packet.bytes.size, &header) ||
		    !pair_key_compute(a->settings.seal, &a->keys[i], &a->keys[0].public_key, &cluster,
		                      &(struct generation){.number = 1}, &key))
			continue;
		if (packet_open(a->settings.seal, &key, &header, alone_id(a, i), &receiver,
		                effect->packet.bytes.data, effect->packet.bytes.size, plain, &size))
			keep_message(a, alone_id(a, i), plain, size);
	}
}

static void note_engine(struct alone *a, const struct effect *effect)
{
	a->row_effects += effect->kind == EFFECT_ROW;
	a->rows_effects += effect->kind == EFFECT_ROWS;
	a->engine_progresses += effect->kind == EFFECT_ENGINE_PROGRESS;
	a->engine_messages += effect->kind == EFFECT_ENGINE_MESSAGE;
	if (effect->kind == EFFECT_ENGINE) {
		a->engine_requests++;
		a->engine_request = effect->engine.request;
	} else if (effect->kind == EFFECT_PROPOSED) {
		a->proposals++;
		a->proposed_number = effect->proposed.number;
		a->proposed_code = effect->proposed.code;
		a->proposed_index = effect->proposed.index;
	}
}

static void carry(struct alone *a, const struct effects *effects)
{
	uint32_t before = a->sent_count;
	for (uint32_t i = 0; i < effects->count; i++) {
		const struct effect *effect = &effects->list[i];
		note_engine(a, effect);
		if (effect->kind == EFFECT_PACKET)
			open_packet(a, effect);
		else if (effect->kind == EFFECT_FRAME)
			keep_message(a, effect->frame.to, effect->frame.bytes.data,
			             effect->frame.bytes.size);
		else if (effect->kind == EFFECT_ANSWER) {
			a->answers++;
			a->answer = *effect->answer.answer;
			snprintf(a->text, sizeof a->text, "%.*s", (int)a->answer.text.size, (const char *)a->answer.text.data);
		} else if (effect->kind == EFFECT_PERSIST) {
			a->asked = effect->persist.number;
			for (uint32_t k = 0; k < effect->persist.op_count && !a->failing; k++)
				store(a, &effect->persist.ops[k]);
		}
	}
	for (uint32_t i = before; i < a->sent_count; i++)
		a->sent[i].acted = alone_acts(a);
}

void alone_report_next(struct alone *a)
{
	struct input input = {.kind = INPUT_PERSISTED};
	input.persisted.number = ++a->reported;
	input.persisted.failed = a->failing;
	struct effects effects = gossip_step(a->core, &a->now, &input);
	carry(a, &effects);
}

void alone_report(struct alone *a)
{
	while (a->reported < a->asked)
		alone_report_next(a);
}

void alone_step(struct alone *a, const struct input *input)
{
	struct effects effects = gossip_step(a->core, &a->now, input);
	carry(a, &effects);
	if (!a->hold)
		alone_report(a);
}

void alone_hear(struct alone *a, uint32_t from, struct envelope *e)
{
	static uint8_t bytes[FRAME_MAX];
	struct input input = {.kind = INPUT_FRAME};
	e->wire = WIRE_VERSION_MAX;
	e->incarnation = 1;
	size_t size = envelope_encode(e, bytes, sizeof bytes);
	assert(size > 0);
	input.frame.stream = from;
	input.frame.from = alone_id(a, from);
	input.frame.bytes = (struct bytes){bytes, size};
	alone_step(a, &input);
}

void alone_pass(struct alone *a, duration d)
{
	instant until = a->now.boot + d;
	while (a->now.boot < until) {
		duration left = until - a->now.boot;
		duration step = left < 5 * MILLISECOND ? left : 5 * MILLISECOND;
		a->now.boot += step;
		a->now.raw += step;
		a->now.wall += step;
		alone_step(a, &(struct input){.kind = INPUT_TICK});
	}
}

uint32_t alone_sent(const struct alone *a, uint32_t to, enum message_kind kind)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < a->sent_count; i++)
		count += a->sent[i].e.kind == kind &&
		         (to == ALONE_MAX || a->sent[i].to == alone_id(a, to));
	return count;
}

const struct sent *alone_last(const struct alone *a, uint32_t to, enum message_kind kind)
{
	for (uint32_t i = a->sent_count; i > 0; i--) {
		const struct sent *s = &a->sent[i - 1];
		if (s->e.kind == kind && (to == ALONE_MAX || s->to == alone_id(a, to)))
			return s;
	}
	return NULL;
}

void alone_forget(struct alone *a)
{
	while (a->sent_count > 0)
		free(a->sent[--a->sent_count].arena.data);
}

bool alone_acts(const struct alone *a)
{
	uint64_t epoch;
	return gossip_acts(a->core, &a->now, &epoch);
}

/* ---- life ---- */

/* As if a welcome had told the peers' nonces, so that packets go out sealed. */
static void know_peers(struct alone *a)
{
	for (uint32_t i = 1; i < a->nodes; i++) {
		struct envelope hello = {.kind = MESSAGE_GOSSIP};
		alone_hear(a, i, &hello);
		struct session *s = &member_find(a->core, alone_id(a, i))->session;
		s->incarnation = alone_owner(a, i).incarnation;
		s->nonce_known = true;
	}
}

static void drop_memory(struct alone *a)
{
	if (a->memory != NULL)
		munmap(a->memory, a->memory_size);
	a->memory = NULL;
}

static bool start(struct alone *a)
{
	a->settings.nonce++;
	a->settings.salt[0] = (uint8_t)a->settings.nonce;
	drop_memory(a);
	a->memory_size = gossip_size(&a->settings);
	/* Zeroed and touched lazily, as in the daemon: a core reserves much and uses little. */
	a->memory = mmap(NULL, a->memory_size, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(a->memory != MAP_FAILED);
	a->core = gossip_init(a->memory, &a->settings);
	a->asked = a->reported = 0;
	bool loaded = gossip_load_durable(a->core, (struct bytes){a->durable, a->durable_size});
	for (uint32_t i = 0; loaded && i < a->row_count; i++)
		loaded = a->rows[i].value == NULL ||
		         gossip_load_row(a->core, (struct bytes){a->rows[i].key, a->rows[i].key_size},
		                         (struct bytes){a->rows[i].value, a->rows[i].value_size});
	for (uint64_t i = a->first; loaded && i <= a->last; i++) {
		const struct stored *s = &a->entries[i % STORED_MAX];
		loaded = gossip_load_entry(a->core, i, &s->ballot, (struct bytes){s->data, s->size});
	}
	if (!loaded)
		return false;
	alone_step(a, &(struct input){.kind = INPUT_START});
	know_peers(a);
	return true;
}

bool alone_restart(struct alone *a)
{
	alone_forget(a);
	return start(a);
}

/* Its founder spoke the newest version. */
static void make_level(struct alone *a)
{
	uint8_t key[KEY_MAX_SIZE + 1], level = WIRE_VERSION_MAX;
	store_row(a, row_key(key, 's', text_bytes("level")), (struct bytes){&level, 1});
}

static void make_rows(struct alone *a)
{
	make_level(a);
	for (uint32_t i = 0; i < a->nodes; i++) {
		uint8_t key[9], value[1024];
		char name[2] = {(char)('a' + i), '\0'};
		struct member_row row = {.state = MEMBER_ACTIVE, .changed_index = 1};
		row.record = (struct member_record){.key = a->keys[i].public_key,
			.name = {(const uint8_t *)name, 1},
			.address = address_of(i),
			.wire_min = WIRE_VERSION_MIN,
			.wire_max = WIRE_VERSION_MAX,
			.incarnation = 1};
		size_t size = member_row_encode(&row, value, sizeof value);
		store_row(a, row_key_id(key, 'm', alone_id(a, i)), (struct bytes){value, size});
	}
}

/* The keys are drawn so that node ids ascend: node 0 is the first of the voters. */
static void make_keys(struct alone *a)
{
	uint8_t seed[32] = {0};
	for (uint32_t made = 0; made < a->nodes;) {
		seed[0]++;
		seed[1] = (uint8_t)(seed[1] + (seed[0] == 0));
		node_keys_from_seed(a->settings.seal, seed, &a->keys[made]);
		if (made == 0 ? alone_id(a, 0) >> 60 == 0 : alone_id(a, made) > alone_id(a, made - 1))
			made++;
	}
}

struct alone *alone_new(uint32_t nodes, uint32_t voters, void (*change)(struct durable *d))
{
	struct alone *a = calloc(1, sizeof *a);
	a->nodes = nodes;
	a->settings = (struct gossip_settings){.seal = SEAL_QUICK, .members_max = 16,
		.address = address_of(0), .seed = {1, 2, 3, 4}, .nonce = 99};
	make_keys(a);
	a->settings.keys = a->keys[0];
	a->now = (struct now){3600 * SECOND, 60 * SECOND, (instant)1700000000 * SECOND};
	a->first = 2;
	a->last = 1;
	struct durable d = {.cluster = cluster, .generation = {.number = 1}, .incarnation = {1, 99},
		.name = "a", .applied = 1, .commit = 1};
	config_times(&d.config, PROFILE_DEFAULT);
	d.config.version = 1;
	d.config.voter_count = voters;
	for (uint32_t i = 0; i < voters; i++)
		d.config.voters[i] = alone_id(a, i);
	if (change != NULL)
		change(&d);
	a->durable_size = durable_encode(&d, a->durable, sizeof a->durable);
	make_rows(a);
	bool started = start(a);
	assert(started);
	return a;
}

void alone_free(struct alone *a)
{
	alone_forget(a);
	for (uint32_t i = 0; i < STORED_MAX; i++)
		free(a->entries[i].data);
	for (uint32_t i = 0; i < a->row_count; i++)
		free(a->rows[i].value);
	drop_memory(a);
	free(a);
}
