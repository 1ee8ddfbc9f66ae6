#include "checkup.h"

#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "drbd_holders.h"
#include "hand_client.h"
#include "observe_dns.h"
#include "observe_links.h"
#include "observe_storage.h"
#include "observer.h"
#include "setting.h"
#include "storages.h"
#include "text.h"
#include "watch.h"

#define EVERY_S 5
#define EVERY_LARGE_S 15 /* with many members: the examination costs their number */
#define LARGE 100
#define PAIRS_MAX 512

struct checkup {
	struct body *body;
	struct event *timer;
	struct diagnosis now, before;
	uint8_t told[FACT_VALUE_ROOM]; /* the fact as last published */
	size_t told_size;
	bool news;        /* not told yet */
	instant told_at;  /* 0: never */
	uint64_t judged[PAIRS_MAX]; /* of the round before: marks of pair and verdict */
	uint32_t judged_count;
};

/* ---- the patient ---- */

static uint32_t position_of(const struct patient_member *members, uint32_t count, node_id id)
{
	for (uint32_t i = 0; i < count; i++) {
		if (members[i].view.id == id)
			return i;
	}
	return count;
}

static void add_fact(struct patient_member *m, const struct fact_view *fact, struct arena *arena)
{
	struct host_fact host;
	struct clock_fact clock;
	if (fact->value.data == NULL || fact->tombstone)
		return;
	if (bytes_are(fact->key, FACT_KEY_HOST) && host_fact_decode(fact->value, arena, &host)) {
		m->has_host = true;
		memcpy(m->uname, host.uname, sizeof m->uname);
		memcpy(m->version, host.version, sizeof m->version);
	}
	if (bytes_are(fact->key, FACT_KEY_CLOCK) && clock_fact_decode(fact->value, arena, &clock))
		m->synchronised = !clock.unknown && clock.synchronised;
}

/* Facts of one owner lie mostly side by side: the last position is tried first. */
static void add_facts(const struct gossip *g, const struct now *now, struct patient_member *members,
                      uint32_t count, struct arena *arena)
{
	struct fact_view fact;
	uint32_t at = 0;
	for (uint32_t i = 0; gossip_fact_at(g, now, i, &fact); i++) {
		if (at >= count || members[at].view.id != fact.owner)
			at = position_of(members, count, fact.owner);
		if (at < count)
			add_fact(&members[at], &fact, arena);
	}
}

static uint32_t gather(const struct body *body, const struct now *now, struct patient_member **out,
                       uint32_t *self)
{
	struct member_view view;
	uint32_t count = 0, capacity = 0;
	*out = NULL;
	for (uint32_t i = 0; gossip_member_at(body->gossip, now, i, &view); i++) {
		if (view.state == GONE_LEFT || view.state == GONE_REMOVED)
			continue;
		if (count == capacity) {
			capacity = capacity == 0 ? 16 : capacity * 2;
			void *more = realloc(*out, capacity * sizeof **out);
			if (more == NULL)
				break;
			*out = more;
		}
		(*out)[count] =
		    (struct patient_member){.view = view, .shut = link_watch_shut(body->links, view.id)};
		if (view.self)
			*self = count;
		count++;
	}
	return count;
}

static duration setting_of(const struct gossip *g, enum setting setting)
{
	struct setting_view view;
	return gossip_setting_at(g, setting, &view) ? setting_value(setting, view.value) : 0;
}

/* As the cluster agreed (essaim cluster set clock-…). */
static struct thresholds thresholds_of(const struct gossip *g)
{
	struct thresholds t = thresholds_default;
	t.clock_info = setting_of(g, SETTING_CLOCK_INFO);
	t.clock_warning = setting_of(g, SETTING_CLOCK_WARNING);
	t.clock_error = setting_of(g, SETTING_CLOCK_ERROR);
	return t;
}

/* ---- storage ---- */

struct own_storages {
	uint32_t count;
	struct patient_storage list[STORAGES_MAX];
	const struct storage_row *row;
};

static void add_own(void *context, const struct storages_node *node, const struct storage_seen *seen)
{
	struct own_storages *own = context;
	if (own->count == STORAGES_MAX)
		return;
	struct patient_storage *s = &own->list[own->count++];
	memcpy(s->name, own->row->name, sizeof s->name);
	s->state = seen->state;
}

/* What is declared for this node, by its own facts and, where it is shared, by the others'. */
static void own_storages(const struct gossip *g, const struct now *now, node_id self, struct own_storages *own)
{
	struct storage_row row;
	struct storages s;
	uint32_t cursor = 0;
	own->count = 0;
	own->row = &row;
	if (!storages_next(g, &cursor, &row))
		return;
	bool open = storages_open(&s, g, now);
	for (cursor = 0; open && storages_next(g, &cursor, &row);)
		storages_see(&s, &row, self, add_own, own);
	storages_free(&s);
}

static uint64_t pair_mark(const struct drbd_holder *holders, const struct drbd_pair *pair)
{
	uint64_t mark = 0xcbf29ce484222325u ^ pair->judgement.verdict;
	for (const char *p = holders[pair->holders[0]].resource->name; *p != '\0'; p++)
		mark = (mark ^ (uint8_t)*p) * 0x100000001b3u;
	for (int i = 0; i < 2; i++) {
		node_id node = pair->holders[i] == NO_HOLDER ? 0 : holders[pair->holders[i]].node;
		mark = (mark ^ node) * 0x100000001b3u;
	}
	return mark;
}

static bool judged_before(const struct checkup *c, uint64_t mark)
{
	for (uint32_t i = 0; i < c->judged_count; i++) {
		if (c->judged[i] == mark)
			return true;
	}
	return false;
}

/*
 * The pairs that a resource of ours is part of. Both sides' facts do not come at one moment, so only what
 * is judged alike twice in a row is shown to the doctor.
 */
static uint32_t own_pairs(struct checkup *c, const struct drbd_holders *h, node_id self,
                          struct drbd_pair *out)
{
	uint64_t marks[PAIRS_MAX];
	uint32_t found = drbd_pairs(h->list, h->count, h->nodes, h->node_count, out, PAIRS_MAX), marked = 0, kept = 0;
	for (uint32_t i = 0; i < found && i < PAIRS_MAX; i++) {
		const struct drbd_pair pair = out[i];
		bool ours = h->list[pair.holders[0]].node == self ||
		            (pair.holders[1] != NO_HOLDER && h->list[pair.holders[1]].node == self);
		if (!ours)
			continue;
		marks[marked] = pair_mark(h->list, &pair);
		if (judged_before(c, marks[marked++]))
			out[kept++] = pair;
	}
	memcpy(c->judged, marks, marked * sizeof marks[0]);
	c->judged_count = marked;
	return kept;
}

static void examine(struct checkup *c, const struct now *now)
{
	const struct gossip *g = c->body->gossip;
	struct status_view status;
	struct patient_member *members;
	struct patient patient = {.status = &status, .thresholds = thresholds_of(g)};
	uint8_t *memory = malloc(ARENA_PACKET_SIZE);
	struct arena arena = {memory, ARENA_PACKET_SIZE, 0};
	gossip_status(g, now, &status);
	struct drbd_holders holders = {.count = 0};
	struct own_storages own;
	struct hand_view hand;
	const struct drbd_head *drbd = storage_watch_drbd(c->body->storage);
	struct drbd_pair *pairs = malloc(PAIRS_MAX * sizeof *pairs);
	if (drbd != NULL && drbd->state == INVENTORY_SEEN)
		drbd_holders_gather(&holders, g, now, NULL);
	patient.member_count = gather(c->body, now, &members, &patient.self);
	if (memory != NULL && patient.member_count > 0) {
		add_facts(g, now, members, patient.member_count, &arena);
		patient.members = members;
		patient.usage = observer_usage(c->body->observer);
		patient.clock = observer_clock(c->body->observer);
		patient.dns = dns_watch_fact(c->body->dns);
		hand_look(c->body->hand, &hand);
		patient.hand_gone = hand.standing == HAND_STANDING_GONE;
		patient.hand_gone_for = hand.gone_for;
		patient.lvm = storage_watch_lvm(c->body->storage);
		patient.volumes = storage_watch_volumes(c->body->storage);
		own_storages(g, now, members[patient.self].view.id, &own);
		patient.storage_count = own.count;
		patient.storages = own.list;
		patient.holders = holders.list;
		patient.pairs = pairs;
		if (pairs != NULL)
			patient.pair_count = own_pairs(c, &holders, members[patient.self].view.id, pairs);
		patient.before = &c->before;
		c->before = c->now;
		doctor_examine(&patient, now->wall, &c->now);
	}
	drbd_holders_free(&holders);
	free(pairs);
	free(members);
	free(memory);
}

/* ---- what came of it ---- */

static void publish(struct checkup *c)
{
	struct findings_fact fact = {0};
	uint8_t value[FACT_VALUE_ROOM];
	struct input input = {.kind = INPUT_PUBLISH};
	for (uint32_t i = 0; i < c->now.count; i++) {
		if (fact.count < FACT_FINDINGS_MAX)
			fact.list[fact.count++] = c->now.list[i];
		else
			fact.more++;
	}
	/* Numbers that wander (for how long, how much) are not news: the first ones stay. */
	size_t size = findings_fact_encode(&fact, value, sizeof value);
	c->told_size = size;
	memcpy(c->told, value, size);
	input.publish.key = text_bytes(FACT_KEY_FINDINGS);
	input.publish.value = (struct bytes){size == 0 ? NULL : value, size};
	body_step(c->body, &input);
}

static bool same_thing(const struct finding *a, const struct finding *b)
{
	return a->code == b->code && a->about == b->about && a->severity == b->severity &&
	       strcmp(a->detail, b->detail) == 0;
}

static bool among(const struct finding *f, const struct diagnosis *d)
{
	for (uint32_t i = 0; i < d->count; i++) {
		if (same_thing(f, &d->list[i]))
			return true;
	}
	return false;
}

/* Tells what `a` has and `b` has not; returns how many. */
static uint32_t tell(struct checkup *c, instant wall, const struct diagnosis *a,
                     const struct diagnosis *b, bool over)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < a->count; i++) {
		if (among(&a->list[i], b))
			continue;
		watch_finding(c->body->watch, wall, &a->list[i], over);
		count++;
	}
	return count;
}

/* The first change at once; in a large swarm further ones together, as everybody verifies each. */
static bool may_tell(struct checkup *c, const struct now *now, uint32_t members)
{
	duration gap = (observer_pace(members) - 1) * EVERY_LARGE_S * SECOND;
	if (c->told_at != 0 && now->boot - c->told_at < gap)
		return false;
	c->told_at = now->boot;
	c->news = false;
	return true;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct checkup *c = context;
	struct status_view status;
	struct now now;
	body_clock_read(&now);
	gossip_status(c->body->gossip, &now, &status);
	struct timeval next = {status.members_total > LARGE ? EVERY_LARGE_S : EVERY_S, 0};
	event_add(c->timer, &next);
	if (status.standing != STANDING_MEMBER)
		return;
	examine(c, &now);
	uint32_t changes = tell(c, now.wall, &c->now, &c->before, false);
	changes += tell(c, now.wall, &c->before, &c->now, true);
	c->news |= changes > 0;
	if (c->news && may_tell(c, &now, status.members_total))
		publish(c);
}

struct checkup *checkup_create(struct body *body)
{
	struct checkup *c = calloc(1, sizeof *c);
	struct timeval first = {EVERY_S, 0};
	if (c == NULL)
		return NULL;
	c->body = body;
	c->timer = event_new(body->base, -1, 0, on_timer, c);
	if (c->timer == NULL || event_add(c->timer, &first) < 0) {
		checkup_destroy(c);
		return NULL;
	}
	return c;
}

void checkup_destroy(struct checkup *c)
{
	if (c == NULL)
		return;
	if (c->timer != NULL)
		event_free(c->timer);
	free(c);
}

const struct diagnosis *checkup_diagnosis(const struct checkup *c)
{
	return &c->now;
}
