#include "band.h"

#include <sys/mman.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

#define TICK MILLISECOND
#define CLIENT 7

struct band_parcel {
	struct band_parcel *next;
	duration at;
	uint32_t from, to;
	bool frame;
	size_t size;
	uint8_t data[];
};

static const struct cluster_id cluster = {{9, 9, 9}};

node_id band_id(const struct band *b, uint32_t node)
{
	return node_key_id(&b->nodes[node].keys.public_key);
}

struct now band_now(const struct band *b)
{
	return (struct now){3600 * SECOND + b->time, SECOND + b->time,
	                    (instant)1700000000 * SECOND + b->time};
}

static struct address address_of(uint32_t node)
{
	return (struct address){.family = 4, .ip = {127, 0, 3, (uint8_t)(node + 1)}, .port = 7800};
}

static uint32_t node_at(const struct band *b, const struct address *address)
{
	uint32_t node = (uint32_t)(address->ip[3] - 1);
	return node < b->count ? node : BAND_MAX;
}

static uint32_t node_of(const struct band *b, node_id id)
{
	uint32_t i = 0;
	while (i < b->count && band_id(b, i) != id)
		i++;
	return i < b->count ? i : BAND_MAX;
}

/* ---- the store ---- */

static void store_row(struct band_store *s, struct bytes key, struct bytes value)
{
	uint32_t i = 0;
	while (i < s->row_count && (s->rows[i].key_size != key.size ||
	                            memcmp(s->rows[i].key, key.data, key.size) != 0))
		i++;
	if (i == s->row_count) {
		assert(i < BAND_ROWS_MAX);
		memcpy(s->rows[i].key, key.data, key.size);
		s->rows[i].key_size = key.size;
		s->rows[i].value = NULL;
		s->row_count++;
	}
	free(s->rows[i].value);
	s->rows[i].value = NULL;
	s->rows[i].size = value.size;
	if (value.data == NULL)
		return;
	s->rows[i].value = malloc(value.size + 1);
	memcpy(s->rows[i].value, value.data, value.size);
}

static void store_clear(struct band_store *s)
{
	while (s->row_count > 0)
		free(s->rows[--s->row_count].value);
}

static void store_entry(struct band_store *s, const struct store_op *op)
{
	uint8_t **data = &s->entries[op->index % BAND_ENTRIES_MAX].data;
	free(*data);
	*data = malloc(op->value.size + 1);
	memcpy(*data, op->value.data, op->value.size);
	s->entries[op->index % BAND_ENTRIES_MAX].size = op->value.size;
	s->entries[op->index % BAND_ENTRIES_MAX].ballot = op->ballot;
	if (s->last < s->first || op->index < s->first)
		s->first = op->index;
	if (op->index > s->last)
		s->last = op->index;
}

static void store(struct band_store *s, const struct store_op *op)
{
	switch (op->kind) {
	case STORE_DURABLE:
		memcpy(s->durable, op->value.data, op->value.size);
		s->durable_size = op->value.size;
		break;
	case STORE_ENTRY:
		store_entry(s, op);
		break;
	case STORE_CUT_ABOVE:
		s->last = s->last > op->index ? op->index : s->last;
		break;
	case STORE_TRIM_BELOW:
		s->first = s->first <= op->index ? op->index + 1 : s->first;
		break;
	case STORE_ROW:
	case STORE_ROW_DELETE:
		store_row(s, op->key, op->value);
		break;
	case STORE_ROWS_CLEAR:
		store_clear(s);
		break;
	case STORE_JOURNAL:
	case STORE_JOURNAL_DELETE:
		break;
	case STORE_FORMAT:
		break;
	}
}

/* ---- effects ---- */

static void post(struct band *b, uint32_t from, uint32_t to, bool frame, enum message_kind kind,
                 struct bytes bytes)
{
	if (to == BAND_MAX || b->cut[from][to] || (frame && b->cut[to][from]) || !b->nodes[to].up ||
	    (kind == b->lost && kind != MESSAGE_NONE))
		return;
	struct band_parcel *p = malloc(sizeof *p + bytes.size);
	*p = (struct band_parcel){.at = b->time + MILLISECOND, .from = from, .to = to, .frame = frame,
		.size = bytes.size};
	memcpy(p->data, bytes.data, bytes.size);
	*b->last = p;
	b->last = &p->next;
}

static void note_text(struct band_node *n, struct bytes text)
{
	size_t size = text.size < sizeof n->text - 1 ? text.size : sizeof n->text - 1;
	if (size > 0)
		memcpy(n->text, text.data, size);
	n->text[size] = '\0';
}

static void note_trace(struct band *b, uint32_t node, const struct trace *t)
{
	struct band_node *n = &b->nodes[node];
	n->traces[t->rule]++;
	n->trace_subject[t->rule] = t->subject;
	n->trace_other[t->rule] = t->other;
	if (getenv("BAND_TRACE") != NULL && rule_info(t->rule)->event)
		fprintf(stderr, "%8.3f %u %s (%u, %u) %lld %lld %lld\n", (double)b->time / SECOND, node,
		        rule_info(t->rule)->name, node_of(b, t->subject), node_of(b, t->other),
		        (long long)t->numbers[0], (long long)t->numbers[1], (long long)t->numbers[2]);
}

static void carry(struct band *b, uint32_t node, const struct effects *effects)
{
	struct band_node *n = &b->nodes[node];
	for (uint32_t i = 0; i < effects->count; i++) {
		const struct effect *e = &effects->list[i];
		switch (e->kind) {
		case EFFECT_PACKET:
			post(b, node, node_at(b, &e->packet.to), false, e->packet.message, e->packet.bytes);
			break;
		case EFFECT_FRAME:
			post(b, node, node_of(b, e->frame.to), true, e->frame.message, e->frame.bytes);
			break;
		case EFFECT_PERSIST:
			n->asked = e->persist.number;
			for (uint32_t k = 0; k < e->persist.op_count && !n->failing; k++)
				store(&n->store, &e->persist.ops[k]);
			break;
		case EFFECT_ANSWER:
			n->answers++;
			n->code = e->answer.answer->code;
			note_text(n, e->answer.answer->text);
			break;
		case EFFECT_OUTCOME:
			n->outcomes++;
			n->outcome_done = e->outcome.done;
			note_text(n, e->outcome.text);
			break;
		case EFFECT_PROGRESS:
			n->progresses++;
			break;
		case EFFECT_STOP:
			n->stopped = true;
			n->stopped_as = e->stop.standing;
			break;
		case EFFECT_TRACE:
			note_trace(b, node, &e->trace);
			break;
		case EFFECT_KNOCK:
		case EFFECT_DIAL:
		case EFFECT_HANG_UP:
		case EFFECT_PATH_DOWN:
		case EFFECT_CHANGED:
		case EFFECT_ROW:
		case EFFECT_ROWS:
		case EFFECT_PROPOSED:
		case EFFECT_ENGINE:
		case EFFECT_ENGINE_PROGRESS:
		case EFFECT_ENGINE_MESSAGE:
			break;
		}
	}
}

static void step(struct band *b, uint32_t node, const struct input *input)
{
	struct now now = band_now(b);
	struct effects effects = gossip_step(b->nodes[node].core, &now, input);
	carry(b, node, &effects);
}

void band_report(struct band *b, uint32_t node)
{
	struct band_node *n = &b->nodes[node];
	while (n->up && n->reported < n->asked) {
		struct input input = {.kind = INPUT_PERSISTED};
		input.persisted.number = ++n->reported;
		input.persisted.failed = n->failing;
		step(b, node, &input);
	}
}

static bool acts(const struct band *b, uint32_t node)
{
	struct now now = band_now(b);
	uint64_t epoch;
	return b->nodes[node].up && gossip_acts(b->nodes[node].core, &now, &epoch);
}

uint32_t band_master(const struct band *b)
{
	for (uint32_t i = 0; i < b->count; i++) {
		if (acts(b, i))
			return i;
	}
	return BAND_MAX;
}

static void look(struct band *b)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < b->count; i++)
		count += acts(b, i);
	b->overlaps += count > 1;
}

void band_input(struct band *b, uint32_t node, const struct input *input)
{
	struct band_node *n = &b->nodes[node];
	if (!n->up)
		return;
	step(b, node, input);
	if (!n->hold)
		band_report(b, node);
	look(b);
	if (n->stopped)
		n->up = false;
}

static void deliver(struct band *b, const struct band_parcel *p)
{
	struct input input = {.kind = p->frame ? INPUT_FRAME : INPUT_PACKET};
	if (p->frame) {
		input.frame.stream = 1 + p->from;
		input.frame.from = band_id(b, p->from);
		input.frame.bytes = (struct bytes){p->data, p->size};
		if (gossip_stream_key(b->nodes[p->to].core, input.frame.from) == NULL)
			return; /* the handshake would fail */
	} else {
		input.packet.from = address_of(p->from);
		input.packet.bytes = (struct bytes){p->data, p->size};
	}
	band_input(b, p->to, &input);
}

void band_run(struct band *b, duration d)
{
	duration until = b->time + d;
	while (b->time < until) {
		b->time += TICK;
		while (b->first != NULL && b->first->at <= b->time) {
			struct band_parcel *p = b->first;
			b->first = p->next;
			if (b->first == NULL)
				b->last = &b->first;
			deliver(b, p);
			free(p);
		}
		for (uint32_t i = 0; i < b->count; i++) {
			struct now now = band_now(b);
			if (b->nodes[i].up && gossip_deadline(b->nodes[i].core) <= now.boot)
				band_input(b, i, &(struct input){.kind = INPUT_TICK});
		}
	}
}

bool band_wait(struct band *b, uint32_t node, duration limit)
{
	const struct band_node *n = &b->nodes[node];
	uint32_t before = n->answers + n->outcomes;
	duration until = b->time + limit;
	while (b->time < until && n->answers + n->outcomes == before)
		band_run(b, 10 * MILLISECOND);
	return n->answers + n->outcomes != before;
}

/* ---- life ---- */

void band_cut(struct band *b, uint32_t one, uint32_t other)
{
	b->cut[one][other] = b->cut[other][one] = true;
}

void band_heal(struct band *b)
{
	memset(b->cut, 0, sizeof b->cut);
}

void band_kill(struct band *b, uint32_t node)
{
	struct band_node *n = &b->nodes[node];
	n->up = false;
	if (n->core != NULL)
		munmap(n->core, n->memory_size);
	n->core = NULL;
}

static bool load(struct band_node *n)
{
	const struct band_store *s = &n->store;
	bool loaded = s->durable_size == 0 ||
	              gossip_load_durable(n->core, (struct bytes){s->durable, s->durable_size});
	for (uint32_t i = 0; loaded && i < s->row_count; i++)
		loaded = s->rows[i].value == NULL ||
		         gossip_load_row(n->core, (struct bytes){s->rows[i].key, s->rows[i].key_size},
		                         (struct bytes){s->rows[i].value, s->rows[i].size});
	for (uint64_t i = s->first; loaded && i <= s->last; i++)
		loaded = gossip_load_entry(n->core, i, &s->entries[i % BAND_ENTRIES_MAX].ballot,
		                           (struct bytes){s->entries[i % BAND_ENTRIES_MAX].data,
		                                          s->entries[i % BAND_ENTRIES_MAX].size});
	return loaded;
}

bool band_start(struct band *b, uint32_t node)
{
	struct band_node *n = &b->nodes[node];
	band_kill(b, node);
	n->settings.nonce += BAND_MAX;
	memcpy(n->settings.salt, &n->settings.nonce, sizeof n->settings.nonce);
	n->memory_size = gossip_size(&n->settings);
	void *memory = mmap(NULL, n->memory_size, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(memory != MAP_FAILED);
	n->core = gossip_init(memory, &n->settings);
	n->asked = n->reported = 0;
	n->stopped = false;
	n->up = true;
	if (!load(n))
		return false;
	band_input(b, node, &(struct input){.kind = INPUT_START});
	return true;
}

static void make_rows(struct band *b, struct band_store *s)
{
	uint8_t key[KEY_MAX_SIZE + 1], level = WIRE_VERSION_MAX, value[1024];
	store_row(s, row_key(key, 's', text_bytes("level")), (struct bytes){&level, 1});
	for (uint32_t i = 0; i < b->count; i++) {
		char name[2] = {(char)('a' + i), '\0'};
		struct member_row row = {.state = MEMBER_ACTIVE, .changed_index = 1};
		row.record = (struct member_record){.key = b->nodes[i].keys.public_key,
			.name = text_bytes(name),
			.address = address_of(i),
			.wire_min = WIRE_VERSION_MIN,
			.wire_max = WIRE_VERSION_MAX,
			.incarnation = 1};
		size_t size = member_row_encode(&row, value, sizeof value);
		store_row(s, row_key_id(key, 'm', band_id(b, i)), (struct bytes){value, size});
	}
}

static void make_store(struct band *b, uint32_t node, uint32_t voters)
{
	struct band_store *s = &b->nodes[node].store;
	struct durable d = {.cluster = cluster, .generation = {.number = 1}, .applied = 1, .commit = 1};
	d.incarnation = (struct incarnation){1, node};
	d.name[0] = (char)('a' + node);
	config_times(&d.config, PROFILE_DEFAULT);
	d.config.version = 1;
	d.config.voter_count = voters;
	for (uint32_t i = 0; i < voters; i++)
		d.config.voters[i] = band_id(b, i);
	s->durable_size = durable_encode(&d, s->durable, sizeof s->durable);
	make_rows(b, s);
}

/* Keys are drawn so that node ids ascend: the config lists voters in that order. */
static void make_keys(struct band *b)
{
	uint8_t seed[32] = {0};
	for (uint32_t made = 0; made < b->count;) {
		seed[0]++;
		seed[1] = (uint8_t)(seed[1] + (seed[0] == 0));
		node_keys_from_seed(SEAL_QUICK, seed, &b->nodes[made].keys);
		if (made == 0 ? band_id(b, 0) >> 60 == 0 : band_id(b, made) > band_id(b, made - 1))
			made++;
	}
}

struct band *band_new_blank(uint32_t count)
{
	struct band *b = calloc(1, sizeof *b);
	b->count = count;
	b->last = &b->first;
	make_keys(b);
	for (uint32_t i = 0; i < count; i++) {
		struct band_node *n = &b->nodes[i];
		n->settings = (struct gossip_settings){.seal = SEAL_QUICK, .keys = n->keys,
			.address = address_of(i), .members_max = 16, .ledger_bytes = 1024 * 1024,
			.seed = {1, i, 3, 4}, .nonce = 100 + i};
		n->store.first = 2;
		n->store.last = 1;
	}
	return b;
}

struct band *band_new(uint32_t count, uint32_t voters)
{
	struct band *b = band_new_blank(count);
	for (uint32_t i = 0; i < count; i++)
		make_store(b, i, voters);
	for (uint32_t i = 0; i < count; i++) {
		bool started = band_start(b, i);
		assert(started);
	}
	return b;
}

void band_free(struct band *b)
{
	for (uint32_t i = 0; i < b->count; i++) {
		band_kill(b, i);
		store_clear(&b->nodes[i].store);
		for (uint32_t k = 0; k < BAND_ENTRIES_MAX; k++)
			free(b->nodes[i].store.entries[k].data);
	}
	while (b->first != NULL) {
		struct band_parcel *p = b->first;
		b->first = p->next;
		free(p);
	}
	free(b);
}

/* ---- asking ---- */

void band_status(const struct band *b, uint32_t node, struct status_view *out)
{
	struct now now = band_now(b);
	gossip_status(b->nodes[node].core, &now, out);
}

enum answer_code band_put(struct band *b, uint32_t node, const char *key, const char *value)
{
	struct command c = {.kind = COMMAND_KV_PUT, .if_version = NO_VERSION};
	struct input input = {.kind = INPUT_REQUEST};
	c.key = text_bytes(key);
	c.value = text_bytes(value);
	input.request.client = CLIENT;
	input.request.command = &c;
	input.request.patience = 8 * SECOND;
	uint32_t before = b->nodes[node].answers;
	band_input(b, node, &input);
	if (b->nodes[node].answers == before && !band_wait(b, node, 10 * SECOND))
		return ANSWER_UNKNOWN;
	return b->nodes[node].code;
}

const char *band_get(const struct band *b, uint32_t node, const char *key)
{
	static char text[256];
	struct kv_view row;
	if (!gossip_kv(b->nodes[node].core, text_bytes(key), &row))
		return "";
	snprintf(text, sizeof text, "%.*s", (int)row.value.size, (const char *)row.value.data);
	return text;
}
