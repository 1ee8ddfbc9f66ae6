#include "swarm.h"

#include <sys/mman.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "membership.h"
#include "text.h"

#define LATENCY MILLISECOND
#define BOOT_ORIGIN (3600 * SECOND)
#define WALL_ORIGIN ((instant)1700000000 * SECOND)

enum parcel_kind { PARCEL_PACKET, PARCEL_FRAME, PARCEL_REFUSED, PARCEL_KNOCKED, PARCEL_PERSISTED };

struct parcel {
	enum parcel_kind kind;
	instant at;
	uint64_t serial;
	uint32_t to, from;
	uint32_t to_net, from_net;
	uint64_t starts; /* of the receiver when it was sent: a restart loses what was on its way */
	uint64_t number;
	enum knock_result knock;
	uint8_t *data;
	size_t size;
};

const struct cluster_id swarm_cluster = {{1, 2, 3}};

struct generation swarm_generation(void)
{
	return (struct generation){.number = 1};
}

struct address swarm_address_in(uint32_t node, uint32_t net)
{
	struct address a = {.family = 4, .port = 7800};
	memcpy(a.ip, (uint8_t[]){127, 0, (uint8_t)(net + 1), (uint8_t)(node + 1)}, 4);
	return a;
}

struct address swarm_address(uint32_t node)
{
	return swarm_address_in(node, 0);
}

node_id swarm_id(const struct swarm *s, uint32_t node)
{
	return node_key_id(&s->nodes[node].settings.keys.public_key);
}

struct now swarm_now(const struct swarm *s)
{
	return (struct now){BOOT_ORIGIN + s->time, s->time + SECOND, WALL_ORIGIN + s->time};
}

/* Who listens there; in *net the network. */
static uint32_t node_of(const struct swarm *s, const struct address *address, uint32_t *net)
{
	uint32_t node = address->ip[3] - 1u;
	*net = address->ip[2] - 1u;
	if (node >= s->count || *net - s->nodes[node].first_net >= s->networks)
		return SWARM_MAX;
	struct address a = swarm_address_in(node, *net);
	return address_equal(&a, address) ? node : SWARM_MAX;
}

static uint32_t node_by_id(const struct swarm *s, node_id id)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (swarm_id(s, i) == id)
			return i;
	}
	return SWARM_MAX;
}

/* ---- parcels: a heap by (at, serial) ---- */

static bool earlier(const struct parcel *a, const struct parcel *b)
{
	return a->at != b->at ? a->at < b->at : a->serial < b->serial;
}

static struct parcel *parcel_add(struct swarm *s, struct parcel parcel)
{
	if (s->parcel_count == s->parcel_capacity) {
		s->parcel_capacity = s->parcel_capacity * 2 + 64;
		s->parcels = realloc(s->parcels, s->parcel_capacity * sizeof *s->parcels);
		assert(s->parcels != NULL);
	}
	parcel.serial = ++s->parcel_serial;
	parcel.starts = s->nodes[parcel.to].starts;
	uint32_t i = s->parcel_count++;
	for (; i > 0 && earlier(&parcel, &s->parcels[(i - 1) / 2]); i = (i - 1) / 2)
		s->parcels[i] = s->parcels[(i - 1) / 2];
	s->parcels[i] = parcel;
	return &s->parcels[i];
}

static struct parcel parcel_take(struct swarm *s)
{
	struct parcel first = s->parcels[0];
	struct parcel last = s->parcels[--s->parcel_count];
	uint32_t i = 0;
	for (;;) {
		uint32_t child = 2 * i + 1;
		if (child >= s->parcel_count)
			break;
		if (child + 1 < s->parcel_count &&
		    earlier(&s->parcels[child + 1], &s->parcels[child]))
			child++;
		if (!earlier(&s->parcels[child], &last))
			break;
		s->parcels[i] = s->parcels[child];
		i = child;
	}
	if (s->parcel_count > 0)
		s->parcels[i] = last;
	return first;
}

static uint8_t *copy(struct bytes bytes)
{
	uint8_t *data = malloc(bytes.size + 1);
	assert(data != NULL);
	memcpy(data, bytes.data, bytes.size);
	return data;
}

/* ---- effects ---- */

static void refuse(struct swarm *s, uint32_t to, uint32_t from, uint32_t net)
{
	parcel_add(s, (struct parcel){PARCEL_REFUSED, s->time + LATENCY, .to = to, .from = from,
	                              .from_net = net});
}

static void carry_packet(struct swarm *s, uint32_t from, const struct effect *effect)
{
	uint32_t net, to = node_of(s, &effect->packet.to, &net);
	s->packets++;
	s->sent[effect->packet.message]++;
	if (to == SWARM_MAX || s->cut[from][to] || s->mute[from][net] || s->deaf[to][net])
		return;
	if (s->narrow != 0 && effect->packet.bytes.size > s->narrow)
		return;
	if (from == s->tap_from && to == s->tap_to) {
		s->tapped_size[effect->packet.message] = effect->packet.bytes.size;
		memcpy(s->tapped[effect->packet.message], effect->packet.bytes.data,
		       effect->packet.bytes.size);
	}
	if (!s->nodes[to].running) {
		if (!s->cut[to][from])
			refuse(s, from, to, net);
		return;
	}
	parcel_add(s, (struct parcel){PARCEL_PACKET, s->time + LATENCY, .to = to, .from = from,
	                              .to_net = net,
	                              .from_net = s->nodes[from].first_net + effect->packet.path,
	                              .data = copy(effect->packet.bytes),
	                              .size = effect->packet.bytes.size});
}

static void carry_frame(struct swarm *s, uint32_t from, const struct effect *effect)
{
	uint32_t to = node_by_id(s, effect->frame.to);
	if (to == SWARM_MAX || s->cut[from][to] || s->cut[to][from] || !s->nodes[to].running)
		return;
	parcel_add(s, (struct parcel){PARCEL_FRAME, s->time + LATENCY, .to = to, .from = from,
	                              .data = copy(effect->frame.bytes),
	                              .size = effect->frame.bytes.size});
}

static void carry_knock(struct swarm *s, uint32_t from, const struct effect *effect)
{
	uint32_t net, to = node_of(s, &effect->knock.address, &net);
	struct parcel p = {PARCEL_KNOCKED, s->time + LATENCY, .to = from, .from = to};
	if (to == SWARM_MAX || s->cut[from][to] || s->cut[to][from] || s->mute[from][net] ||
	    s->deaf[to][net]) {
		p.knock = KNOCK_SILENT;
		p.at = s->time + effect->knock.patience;
	} else {
		p.knock = s->nodes[to].running ? KNOCK_OPEN : KNOCK_REFUSED;
	}
	parcel_add(s, p);
}

static void keep_trace(struct swarm *s, uint32_t node, const struct trace *trace)
{
	if (s->trace_count == s->trace_capacity) {
		s->trace_capacity = s->trace_capacity * 2 + 256;
		s->traces = realloc(s->traces, s->trace_capacity * sizeof *s->traces);
		assert(s->traces != NULL);
	}
	s->traces[s->trace_count++] = (struct swarm_trace){s->time, node, *trace};
}

static void carry(struct swarm *s, uint32_t node, const struct effects *effects)
{
	for (uint32_t i = 0; i < effects->count; i++) {
		const struct effect *effect = &effects->list[i];
		if (effect->kind == EFFECT_PACKET)
			carry_packet(s, node, effect);
		else if (effect->kind == EFFECT_FRAME)
			carry_frame(s, node, effect);
		else if (effect->kind == EFFECT_KNOCK)
			carry_knock(s, node, effect);
		else if (effect->kind == EFFECT_TRACE)
			keep_trace(s, node, &effect->trace);
		else if (effect->kind == EFFECT_PERSIST)
			parcel_add(s, (struct parcel){PARCEL_PERSISTED, s->time, .to = node,
			                              .number = effect->persist.number});
	}
}

void swarm_input(struct swarm *s, uint32_t node, const struct input *input)
{
	struct now now = swarm_now(s);
	struct effects effects = gossip_step(s->nodes[node].core, &now, input);
	carry(s, node, &effects);
}

void swarm_packet(struct swarm *s, uint32_t to, uint32_t from, const uint8_t *data, size_t size)
{
	struct input input = {.kind = INPUT_PACKET};
	input.packet.from = swarm_address(from);
	input.packet.bytes = (struct bytes){data, size};
	swarm_input(s, to, &input);
}

/* ---- life ---- */

static void load_row(struct swarm *s, uint32_t at, uint32_t of)
{
	uint8_t value[1024], key[9] = {'m'};
	char name[16];
	struct member_row row = {.state = MEMBER_ACTIVE, .changed_index = 1};
	row.record.key = s->nodes[of].settings.keys.public_key;
	row.record.name = (struct bytes){(const uint8_t *)name, 0};
	row.record.name.size = (size_t)snprintf(name, sizeof name, "n%u", of + 1);
	row.record.address = swarm_address(of);
	for (uint32_t net = 1; net < s->networks; net++)
		row.record.more.list[row.record.more.count++] = swarm_address_in(of, net);
	row.record.wire_min = WIRE_VERSION_MIN;
	row.record.wire_max = WIRE_VERSION_MAX;
	row.record.incarnation = 1;
	for (int i = 0; i < 8; i++)
		key[1 + i] = row.record.key.bytes[i];
	size_t size = member_row_encode(&row, value, sizeof value);
	assert(size > 0);
	bool loaded = gossip_load_row(s->nodes[at].core, (struct bytes){key, sizeof key},
	                              (struct bytes){value, size});
	assert(loaded);
}

void swarm_row(struct swarm *s, uint32_t at, uint32_t of, enum member_state state)
{
	struct member_row row = {.state = state, .changed_index = 2};
	row.record.key = s->nodes[of].settings.keys.public_key;
	row.record.address = swarm_address(of);
	members_put(s->nodes[at].core, &row);
}

static void load_durable(struct swarm *s, uint32_t node)
{
	uint8_t record[4096];
	struct durable d = {.cluster = swarm_cluster, .generation = swarm_generation()};
	d.incarnation = (struct incarnation){s->nodes[node].starts, 0};
	d.standing = STANDING_MEMBER;
	d.applied = 1;
	snprintf(d.name, sizeof d.name, "n%u", node + 1);
	size_t size = durable_encode(&d, record, sizeof record);
	assert(size > 0);
	bool loaded =
	    gossip_load_durable(s->nodes[node].core, (struct bytes){record, size});
	assert(loaded);
}

static void core_drop_memory(struct swarm_node *n)
{
	if (n->core != NULL)
		munmap(n->core, n->memory_size);
	n->core = NULL;
}

static void settle_addresses(struct swarm *s, uint32_t node)
{
	struct swarm_node *n = &s->nodes[node];
	struct gossip_settings *settings = &n->settings;
	struct addresses all = {0};
	for (uint32_t i = 0; i < s->networks; i++)
		all.list[all.count++] = swarm_address_in(node, n->first_net + i);
	settings->address = all.list[0];
	settings->more = addresses_rest(&all);
	settings->local = all;
}

void swarm_start(struct swarm *s, uint32_t node)
{
	struct swarm_node *n = &s->nodes[node];
	settle_addresses(s, node);
	core_drop_memory(n);
	n->starts++;
	n->settings.nonce = n->starts * 1000 + node;
	memset(n->settings.salt, 0, SALT_SIZE);
	memcpy(n->settings.salt, &n->settings.nonce, sizeof n->settings.nonce);
	n->settings.seed[0] = n->settings.nonce;
	/* Touched lazily, as in the daemon: a core reserves much and uses little. */
	n->memory_size = gossip_size(&n->settings);
	void *memory = mmap(NULL, n->memory_size, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(memory != MAP_FAILED);
	n->core = gossip_init(memory, &n->settings);
	load_durable(s, node);
	for (uint32_t i = 0; i < s->count; i++)
		load_row(s, node, i);
	n->running = true;
	n->paused = false;
	swarm_input(s, node, &(struct input){.kind = INPUT_START});
}

struct swarm *swarm_new(uint32_t count, enum seal_mode seal)
{
	return swarm_new_on(count, seal, 1);
}

struct swarm *swarm_new_on(uint32_t count, enum seal_mode seal, uint32_t networks)
{
	struct swarm *s = calloc(1, sizeof *s);
	assert(s != NULL && count <= SWARM_MAX);
	int started = seal_start();
	assert(started == 0);
	s->count = count;
	s->seal = seal;
	s->networks = networks;
	s->tap_from = s->tap_to = SWARM_MAX;
	for (uint32_t i = 0; i < count; i++) {
		struct gossip_settings *settings = &s->nodes[i].settings;
		uint8_t seed[32] = {(uint8_t)(i + 1), 77};
		settings->seal = seal;
		node_keys_from_seed(seal, seed, &settings->keys);
		settings->members_max = SWARM_MAX;
		settings->ledger_bytes = 1024 * 1024;
		settings->membership_only = true;
		settings->seed[1] = i + 1;
	}
	for (uint32_t i = 0; i < count; i++)
		swarm_start(s, i);
	return s;
}

void swarm_free(struct swarm *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		core_drop_memory(&s->nodes[i]);
	for (uint32_t i = 0; i < s->parcel_count; i++)
		free(s->parcels[i].data);
	free(s->parcels);
	free(s->traces);
	free(s);
}

void swarm_kill(struct swarm *s, uint32_t node)
{
	s->nodes[node].running = false;
}

void swarm_pause(struct swarm *s, uint32_t node)
{
	s->nodes[node].paused = true;
}

void swarm_resume(struct swarm *s, uint32_t node)
{
	s->nodes[node].paused = false;
}

void swarm_cut(struct swarm *s, uint32_t node, bool in, bool out)
{
	for (uint32_t i = 0; i < s->count; i++) {
		s->cut[i][node] |= in && i != node;
		s->cut[node][i] |= out && i != node;
	}
}

void swarm_heal(struct swarm *s)
{
	memset(s->cut, 0, sizeof s->cut);
	memset(s->mute, 0, sizeof s->mute);
	memset(s->deaf, 0, sizeof s->deaf);
}

void swarm_unplug(struct swarm *s, uint32_t node, uint32_t net)
{
	s->mute[node][net] = s->deaf[node][net] = true;
}

/* ---- time ---- */

static void deliver(struct swarm *s, const struct parcel *p)
{
	const struct swarm_node *n = &s->nodes[p->to];
	if (!n->running || n->starts != p->starts)
		return;
	struct input input = {0};
	switch (p->kind) {
	case PARCEL_PACKET:
		input.kind = INPUT_PACKET;
		input.packet.from = swarm_address_in(p->from, p->from_net);
		input.packet.path = p->to_net - n->first_net;
		input.packet.bytes = (struct bytes){p->data, p->size};
		s->bytes_in += p->size;
		break;
	case PARCEL_FRAME:
		input.kind = INPUT_FRAME;
		input.frame.stream = 1;
		input.frame.from = swarm_id(s, p->from);
		input.frame.bytes = (struct bytes){p->data, p->size};
		break;
	case PARCEL_REFUSED:
		input.kind = INPUT_REFUSED;
		input.refused.from = swarm_address_in(p->from, p->from_net);
		break;
	case PARCEL_KNOCKED:
		input.kind = INPUT_KNOCKED;
		input.knocked.node = swarm_id(s, p->from);
		input.knocked.result = p->knock;
		break;
	case PARCEL_PERSISTED:
		input.kind = INPUT_PERSISTED;
		input.persisted.number = p->number;
		break;
	}
	swarm_input(s, p->to, &input);
}

/* The node whose timer is due first, SWARM_MAX if none before `until`. */
static uint32_t next_timer(const struct swarm *s, instant until, instant *at)
{
	uint32_t next = SWARM_MAX;
	*at = until;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct swarm_node *n = &s->nodes[i];
		if (!n->running || n->paused)
			continue;
		instant due = gossip_deadline(n->core);
		if (due == NEVER)
			continue;
		due = due - BOOT_ORIGIN < s->time ? s->time : due - BOOT_ORIGIN;
		if (due < *at) {
			*at = due;
			next = i;
		}
	}
	return next;
}

static void one_parcel(struct swarm *s)
{
	struct parcel p = parcel_take(s);
	s->time = p.at > s->time ? p.at : s->time;
	if (s->nodes[p.to].paused && s->nodes[p.to].running) {
		p.at = s->time + 10 * MILLISECOND; /* waits in the socket */
		uint64_t starts = p.starts;
		parcel_add(s, p)->starts = starts;
		return;
	}
	deliver(s, &p);
	free(p.data);
}

void swarm_run(struct swarm *s, duration d)
{
	instant until = s->time + d;
	for (;;) {
		instant at;
		uint32_t node = next_timer(s, until, &at);
		if (s->parcel_count > 0 && s->parcels[0].at <= at) {
			one_parcel(s);
		} else if (node != SWARM_MAX) {
			s->time = at;
			swarm_input(s, node, &(struct input){.kind = INPUT_TICK});
		} else {
			break;
		}
	}
	s->time = until;
}

/* ---- questions ---- */

struct member_view swarm_view(const struct swarm *s, uint32_t at, uint32_t of)
{
	struct member_view view = {0};
	struct now now = swarm_now(s);
	gossip_member(s->nodes[at].core, &now, swarm_id(s, of), &view);
	return view;
}

enum reachability swarm_state(const struct swarm *s, uint32_t at, uint32_t of)
{
	struct member_view view;
	struct now now = swarm_now(s);
	if (!gossip_member(s->nodes[at].core, &now, swarm_id(s, of), &view))
		return REACHABILITY_UNKNOWN;
	return view.state;
}

uint64_t swarm_dropped(const struct swarm *s, uint32_t node, enum drop_reason reason)
{
	struct status_view status;
	struct now now = swarm_now(s);
	gossip_status(s->nodes[node].core, &now, &status);
	return status.dropped[reason];
}

static bool matches(const struct swarm *s, const struct swarm_trace *t, uint32_t node,
                    enum rule rule, uint32_t subject)
{
	return t->trace.rule == rule && (node == SWARM_MAX || t->node == node) &&
	       (subject == SWARM_MAX || t->trace.subject == swarm_id(s, subject));
}

uint32_t swarm_traces(const struct swarm *s, uint32_t node, enum rule rule, uint32_t subject)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < s->trace_count; i++)
		count += matches(s, &s->traces[i], node, rule, subject);
	return count;
}

static instant first_traced(const struct swarm *s, uint32_t node, enum rule rule,
                            uint32_t subject, instant since)
{
	for (uint32_t i = 0; i < s->trace_count; i++) {
		if (s->traces[i].at >= since && matches(s, &s->traces[i], node, rule, subject))
			return s->traces[i].at;
	}
	return NEVER;
}

instant swarm_all_traced(const struct swarm *s, enum rule rule, uint32_t subject, instant since)
{
	instant last = since;
	for (uint32_t i = 0; i < s->count; i++) {
		if (i == subject || !s->nodes[i].running)
			continue;
		instant at = first_traced(s, i, rule, subject, since);
		last = at > last ? at : last;
	}
	return last;
}
