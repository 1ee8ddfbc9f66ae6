#include "member.h"

/*
 * Spreading: items are verified once, taken once, and passed on by whoever took them as new: at
 * once to 4 random peers, then as passengers of packets that go anyway, a limited number of times.
 * What was seen is remembered by hash, so that nothing is judged, or goes round, twice.
 */

#define RUMOURS_MAX 128
#define RUMOUR_AGE (30 * SECOND)
#define PUSH_AGAIN (5 * MILLISECOND) /* when more waits than fits into one packet */
#define PUSH_AGAIN_MEMBER (250 * MICROSECOND)
#define PUSH_TRIES 10                 /* then it waits for passing packets */
/* Where much pours in, each push should carry several: the longer apart, the larger the swarm. */
#define RUMOURS_GAP (5 * MILLISECOND)
#define RUMOURS_GAP_MEMBER (50 * MICROSECOND)
#define FACTS_GAP (20 * MILLISECOND)
#define FACTS_GAP_MEMBER (2 * MILLISECOND)
#define COMING_MEMBER (200 * MILLISECOND) /* for each member: how long a newcomer may be silent of itself */
#define SEEN_SIZE 1024                /* power of two */
#define VERIFY_PER_SECOND 200
#define VERIFY_BURST 400

struct rumour {
	bool used, pushed;
	uint32_t left; /* how often it may still travel */
	instant since; /* not before that; not long after */
	uint32_t fact; /* NO_SLOT: `item` is an accusation, refutation or verdict */
	uint64_t fact_version;
	struct item item;
};

struct spreading {
	instant push_at;
	instant pushed_at;
	uint32_t push_tries; /* since the last new rumour */
	uint32_t count; /* used ones lie below `count`, perhaps with gaps */
	struct rumour rumours[RUMOURS_MAX];
	struct hash seen[SEEN_SIZE]; /* by their own low bits */
	struct item fill[ITEMS_PER_PACKET_MAX];
	/* items meant for one peer: what a digest asked for */
	node_id directed_to;
	const struct item *directed;
	uint32_t directed_count;
};

void spreading_init(struct gossip *g, struct carve *memory)
{
	struct spreading *s = carve(memory, sizeof *s);
	if (s != NULL)
		s->push_at = NEVER;
	g->membership.spreading = s;
}

instant spreading_deadline(const struct gossip *g)
{
	return g->membership.spreading->push_at;
}

void item_sign(struct gossip *g, struct item *item)
{
	uint8_t statement[STATEMENT_MAX];
	item->author = g->self;
	item->incarnation = g->durable.incarnation.number;
	size_t size = item_statement(&g->durable.cluster, &g->durable.generation, item, statement);
	statement_sign(g->settings.seal, &g->settings.keys, statement, size, item->signature);
}

/* ---- the rumours ---- */

static node_id rumour_subject(const struct rumour *r)
{
	if (r->fact != NO_SLOT)
		return 0;
	switch (r->item.kind) {
	case ITEM_ACCUSATION:
		return r->item.accusation.subject;
	case ITEM_VERDICT:
		return r->item.verdict.subject;
	case ITEM_REFUTATION:
	case ITEM_FACT:
		return 0;
	}
	return 0;
}

/* A new item makes an older one of the same author about the same matter pointless. */
static bool supersedes(const struct item *item, const struct rumour *r)
{
	if (r->fact != NO_SLOT || r->item.kind != item->kind || r->item.author != item->author)
		return false;
	if (item->kind == ITEM_ACCUSATION)
		return r->item.accusation.subject == item->accusation.subject;
	if (item->kind == ITEM_VERDICT)
		return r->item.verdict.subject == item->verdict.subject;
	return item->kind == ITEM_REFUTATION;
}

static struct rumour *rumour_place(struct spreading *s)
{
	struct rumour *least = NULL;
	for (uint32_t i = 0; i < RUMOURS_MAX; i++) {
		struct rumour *r = &s->rumours[i];
		if (i >= s->count)
			s->count = i + 1;
		if (!r->used)
			return r;
		if (least == NULL || r->left < least->left)
			least = r;
	}
	return least; /* what has travelled most makes room */
}

static struct rumour *rumour_add(struct gossip *g, uint32_t budget, instant from, duration gap)
{
	struct spreading *s = g->membership.spreading;
	struct rumour *r = rumour_place(s);
	r->used = true;
	r->pushed = false;
	r->left = budget;
	r->since = from;
	r->fact = NO_SLOT;
	s->push_at = instant_min(s->push_at, from > s->pushed_at + gap ? from : s->pushed_at + gap);
	s->push_tries = 0;
	return r;
}

void spread_rumour(struct gossip *g, const struct item *item)
{
	struct spreading *s = g->membership.spreading;
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->rumours[i].used && supersedes(item, &s->rumours[i]))
			s->rumours[i].used = false;
	}
	uint32_t budget = PUSH_FANOUT + bits_of(g->membership.active);
	duration gap = swarm_gap(g, RUMOURS_GAP, RUMOURS_GAP_MEMBER);
	rumour_add(g, budget, g->now.boot, gap)->item = *item;
}

/*
 * When to speak of it: at once; but who has just come to a large swarm is not alone in that. What it is can
 * wait, a thousand signatures to be verified by a thousand nodes; that it is there cannot.
 */
static instant tell_from(struct gossip *g, uint32_t fact)
{
	duration crowd = swarm_gap(g, 0, COMING_MEMBER);
	instant until = g->membership.sessions->started_at + crowd;
	if (g->membership.active <= GREETING_ALL || !facts_own(g, fact) || g->now.boot >= until)
		return g->now.boot;
	return g->now.boot + (duration)prng_below(&g->prng, (uint64_t)crowd);
}

void spread_fact(struct gossip *g, uint32_t fact)
{
	struct spreading *s = g->membership.spreading;
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->rumours[i].used && s->rumours[i].fact == fact)
			s->rumours[i].used = false;
	}
	/* no passengers beyond the push: digests find who was missed, for fewer bytes */
	duration gap = swarm_gap(g, FACTS_GAP, FACTS_GAP_MEMBER);
	struct rumour *r = rumour_add(g, PUSH_FANOUT, tell_from(g, fact), gap);
	r->fact = fact;
	r->fact_version = facts_version(g, fact);
}

void spread_forget(struct gossip *g, const struct member *m)
{
	struct spreading *s = g->membership.spreading;
	for (uint32_t i = 0; i < s->count; i++) {
		struct rumour *r = &s->rumours[i];
		if (!r->used || rumour_subject(r) != m->id)
			continue;
		struct claim claim = {r->item.accusation.subject_incarnation,
		                      r->item.accusation.subject_refutation};
		if (r->item.kind == ITEM_VERDICT)
			claim = (struct claim){r->item.verdict.subject_incarnation,
			                       r->item.verdict.subject_refutation};
		if (r->item.author == g->self || claim_less(claim, m->claim))
			r->used = false;
	}
}

void spread_clear(struct gossip *g)
{
	struct spreading *s = g->membership.spreading;
	for (uint32_t i = 0; i < s->count; i++)
		s->rumours[i].used = false;
	s->count = 0;
	s->push_at = NEVER;
}

static bool rumour_alive(struct gossip *g, struct rumour *r)
{
	if (!r->used)
		return false;
	if (r->left == 0 || g->now.boot - r->since > RUMOUR_AGE ||
	    (r->fact != NO_SLOT && facts_version(g, r->fact) != r->fact_version))
		r->used = false;
	return r->used;
}

static void trim(struct spreading *s)
{
	while (s->count > 0 && !s->rumours[s->count - 1].used)
		s->count--;
}

/* ---- filling a packet ---- */

/* The rumours that have travelled least, best first. */
static uint32_t choose(struct gossip *g, struct rumour *best[ITEMS_PER_PACKET_MAX])
{
	struct spreading *s = g->membership.spreading;
	uint32_t count = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		struct rumour *r = &s->rumours[i];
		if (!rumour_alive(g, r) || g->now.boot < r->since)
			continue;
		uint32_t at = count;
		while (at > 0 && best[at - 1]->left < r->left)
			at--;
		if (at == ITEMS_PER_PACKET_MAX)
			continue;
		count += count < ITEMS_PER_PACKET_MAX;
		memmove(&best[at + 1], &best[at], (count - at - 1) * sizeof best[0]);
		best[at] = r;
	}
	trim(s);
	return count;
}

static bool fill_one(struct spreading *s, struct envelope *e, const struct item *item, size_t *room)
{
	size_t size = item_size(item);
	if (size > *room || e->item_count == ITEMS_PER_PACKET_MAX)
		return false;
	*room -= size;
	s->fill[e->item_count++] = *item;
	e->items = s->fill;
	return true;
}

static void fill_directed(struct spreading *s, node_id to, struct envelope *e, size_t *room)
{
	if (s->directed_to != to)
		return;
	uint32_t sent = 0;
	while (sent < s->directed_count && fill_one(s, e, &s->directed[sent], room))
		sent++;
	s->directed += sent;
	s->directed_count -= sent;
}

void spread_fill(struct gossip *g, node_id to, struct envelope *e, size_t room)
{
	struct spreading *s = g->membership.spreading;
	const struct member *m = member_find(g, to);
	e->item_count = 0;
	if (m == NULL || !m->session.nonce_known)
		return; /* this packet will not leave: spend nothing on it */
	if (s->directed_count > 0)
		fill_directed(s, to, e, &room);
	struct rumour *best[ITEMS_PER_PACKET_MAX];
	uint32_t count = s->count == 0 ? 0 : choose(g, best);
	for (uint32_t i = 0; i < count; i++) {
		struct item item = best[i]->item;
		if (best[i]->fact != NO_SLOT &&
		    !facts_item(g, best[i]->fact, best[i]->fact_version, &item))
			continue;
		if (!fill_one(s, e, &item, &room))
			continue;
		best[i]->left--;
		best[i]->pushed = true;
	}
}

void spread_directed(struct gossip *g, node_id to, const struct item *items, uint32_t count)
{
	struct spreading *s = g->membership.spreading;
	s->directed_to = to;
	s->directed = items;
	s->directed_count = count;
	while (s->directed_count > 0) {
		uint32_t before = s->directed_count;
		struct envelope e = {.kind = MESSAGE_GOSSIP};
		core_send(g, to, &e);
		if (s->directed_count == before)
			break; /* nothing can be sent to it now */
	}
	s->directed_count = 0;
}

/* ---- pushing ---- */

/* When the next rumour that nobody was told wants to be; NEVER: all were told. */
static instant unpushed(const struct spreading *s)
{
	instant at = NEVER;
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->rumours[i].used && !s->rumours[i].pushed)
			at = instant_min(at, s->rumours[i].since);
	}
	return at;
}

void spreading_tick(struct gossip *g)
{
	struct spreading *s = g->membership.spreading;
	if (g->now.boot < s->push_at)
		return;
	s->push_at = NEVER;
	s->pushed_at = g->now.boot;
	node_id peers[PUSH_FANOUT];
	uint32_t count = members_pick(g, PUSH_FANOUT, 0, peers);
	for (uint32_t i = 0; i < count && s->count > 0; i++) {
		struct envelope e = {.kind = MESSAGE_GOSSIP};
		core_send(g, peers[i], &e);
	}
	instant next = unpushed(s);
	if (next > g->now.boot)
		s->push_at = next;
	else if (count > 0 && ++s->push_tries < PUSH_TRIES)
		s->push_at = g->now.boot + swarm_gap(g, PUSH_AGAIN, PUSH_AGAIN_MEMBER);
}

/* ---- taking items ---- */

static uint32_t seen_place(const struct hash *hash)
{
	uint32_t low;
	memcpy(&low, hash->bytes, sizeof low);
	return low % SEEN_SIZE;
}

/* The content is the author's: its budget allows the check, and the signature is its own. */
static bool verified(struct gossip *g, struct member *author, const struct item *item)
{
	struct spreading *s = g->membership.spreading;
	uint8_t statement[STATEMENT_MAX + SIGNATURE_SIZE];
	size_t size = item_statement(&g->durable.cluster, &g->durable.generation, item, statement);
	memcpy(statement + size, item->signature, SIGNATURE_SIZE);
	struct hash hash;
	hash_bytes(g->settings.seal, statement, size + SIGNATURE_SIZE, &hash);
	struct hash *seen = &s->seen[seen_place(&hash)];
	if (memcmp(seen, &hash, sizeof hash) == 0)
		return item->kind == ITEM_FACT; /* a rumour is judged once, whatever came of it */
	if (!budget_spend(&dispute_of(g, author)->verifying, g->now.boot, VERIFY_PER_SECOND, VERIFY_BURST)) {
		core_drop(g, DROP_BUDGET);
		return false;
	}
	if (!statement_verify(g->settings.seal, &author->key, statement, size, item->signature)) {
		core_drop(g, DROP_SIGNATURE);
		return false;
	}
	*seen = hash;
	return true;
}

static void take_fact(struct gossip *g, struct member *author, node_id from, struct item *item)
{
	struct fact_item *fact = &item->fact;
	if (!facts_want(g, author, item))
		return;
	if (fact->tombstone)
		memset(&fact->hash, 0, sizeof fact->hash);
	else if (!fact->big) /* the signature covers the hash, so the hash must be the value's */
		hash_bytes(g->settings.seal, fact->value.data, fact->value.size, &fact->hash);
	if (!fact->big)
		fact->size = (uint32_t)fact->value.size;
	if (!verified(g, author, item))
		return;
	uint32_t place = facts_take(g, author, from, item);
	if (place != NO_SLOT)
		spread_fact(g, place);
}

static void take_item(struct gossip *g, node_id from, struct item *item)
{
	struct member *author = member_find(g, item->author);
	if (item->author == g->self)
		return; /* our own words coming back */
	if (author == NULL) {
		core_drop(g, DROP_STRANGER);
		return;
	}
	if (!member_is_active(author)) {
		core_drop(g, DROP_REMOVED);
		return;
	}
	if (item->incarnation > author->session.incarnation.number)
		session_hello(g, author); /* it restarted, and may look for us where we are no more */
	if (item->kind == ITEM_FACT) {
		take_fact(g, author, from, item);
		return;
	}
	if (suspicion_wants(g, item) && verified(g, author, item) && suspicion_take(g, item))
		spread_rumour(g, item);
}

void membership_items(struct gossip *g, node_id from, const struct envelope *e)
{
	for (uint32_t i = 0; i < e->item_count; i++) {
		struct item item = e->items[i];
		take_item(g, from, &item);
	}
}
