#include "member.h"
#include "paths.h"
#include "text.h"

/*
 * Sessions: what makes a packet believable. A packet counts if it opens under the pair's key for
 * our present incarnation, its sequence is new under its salt, and its sender's incarnation is not
 * below the one we know.
 */

#define HELLO_GAP (200 * MILLISECOND)   /* between two hellos to one peer */
#define WELCOME_GAP (20 * MILLISECOND)  /* a replayed hello costs us no more than 50 answers a second */
#define GREETING_BATCH 20               /* hellos at start: 20 every 50 ms (50 at once in small swarms) */
#define GREETING_GAP (50 * MILLISECOND)
#define GREETING_PASSES 3 /* hellos get lost: who has not answered is greeted again */
#define GREETING_PAUSE SECOND
#define ROUND_GAP (5 * SECOND) /* between two rounds because somebody came back */
#define ROUND_COST (50 * MILLISECOND)
#define ALARM_GAP (60 * SECOND) /* between two alarms about one key */
#define ALIVE_LATELY (3 * SECOND)
#define STRAYED_GAP SECOND      /* between two greetings of one member that strayed */

void sessions_init(struct gossip *g, struct carve *memory)
{
	struct sessions *s = carve(memory, sizeof *s);
	struct replay_pool measured;
	replay_pool_init(s == NULL ? &measured : &s->replays, g->membership.capacity, memory);
	g->membership.sessions = s;
}

/* ---- keys ---- */

static bool key_ready(struct gossip *g, struct member *m)
{
	struct session *s = &m->session;
	if (!s->key_ready && !s->key_bad) {
		s->key_ready =
		    pair_key_compute(g->settings.seal, &g->settings.keys, &m->key,
		                     &g->durable.cluster, &g->durable.generation, &s->key);
		s->key_bad = !s->key_ready;
	}
	return s->key_ready;
}

/* Keys are of one generation; starts, salts and what was seen of them are not. */
void sessions_new_generation(struct gossip *g)
{
	for (uint32_t i = 0; i < g->membership.count; i++) {
		struct session *s = &g->membership.members[i].session;
		s->key_ready = s->key_bad = false;
		s->challenge = 0;
	}
}

void session_close(struct member *m)
{
	/* the key and the incarnation stay: a removed member is told so under them */
	m->session.parted = false;
	m->session.challenge = 0;
}

/* ---- sealing ---- */

static bool emit(struct gossip *g, struct member *m, const struct way *by,
                 enum message_kind kind, const struct incarnation *receiver, const uint8_t *plain,
                 size_t size)
{
	if (by->to.family == 0 || !key_ready(g, m))
		return false;
	uint8_t *room = effects_room(&g->out, size + PACKET_OVERHEAD, false);
	struct effect *effect = room == NULL ? NULL : effects_add(&g->out, EFFECT_PACKET);
	if (effect == NULL)
		return false;
	struct packet_header header = {.sender = g->self, .unknown_receiver = receiver == NULL};
	memcpy(header.salt, g->settings.salt, SALT_SIZE);
	header.sequence = ++g->membership.sessions->sequence;
	effect->packet.to = by->to;
	effect->packet.path = by->path;
	effect->packet.to_node = m->id;
	effect->packet.message = kind;
	effect->packet.bytes.data = room;
	effect->packet.bytes.size = packet_seal(g->settings.seal, &m->session.key, &header, m->id,
	                                        receiver, plain, size, room);
	return true;
}

/* For the few messages that do not go through core_send: nothing rides along. */
static bool emit_bare(struct gossip *g, struct member *m, const struct way *by,
                      struct envelope *e, const struct incarnation *receiver, size_t limit)
{
	uint8_t plain[PACKET_PLAIN_MAX];
	e->wire = g->settings.wire_min; /* whoever reads this may be older */
	e->incarnation = g->durable.incarnation.number;
	size_t size = envelope_encode(e, plain, sizeof plain);
	if (size == 0 || size > limit)
		return false;
	return emit(g, m, by, e->kind, receiver, plain, size);
}

bool session_send(struct gossip *g, node_id to, const struct way *by, enum message_kind kind,
                  const uint8_t *plain, size_t size)
{
	struct member *m = member_find(g, to);
	if (m == NULL || !member_is_active(m) || to == g->self)
		return false;
	if (!m->session.nonce_known) {
		session_hello(g, m);
		return false;
	}
	struct way way = by == NULL ? paths_way(m) : *by;
	if (!emit(g, m, &way, kind, &m->session.incarnation, plain, size))
		return false;
	paths_sent(g, m, &way, kind);
	return true;
}

/* ---- hello, welcome ---- */

static void greet(struct gossip *g, struct member *m, const struct way *by)
{
	struct session *s = &m->session;
	if (s->challenge == 0) /* kept until answered: a slow link's welcome must still match */
		s->challenge = prng_next(&g->prng) | 1;
	/* The header of a hello is not read: filled up, it keeps the welcome from being larger. */
	struct envelope e = {.kind = MESSAGE_HELLO, .commit = UINT64_MAX, .summary = UINT64_MAX};
	e.refutation = UINT64_MAX;
	e.hello = (struct hello){g->durable.incarnation, s->challenge, g->settings.wire_min,
	                         g->settings.wire_max};
	emit_bare(g, m, by, &e, NULL, PACKET_PLAIN_MAX);
}

void session_hello(struct gossip *g, struct member *m)
{
	struct session *s = &m->session;
	if (m->id == g->self || g->durable.incarnation.number == 0)
		return;
	if (s->hello_at != 0 && g->now.boot - s->hello_at < HELLO_GAP)
		return;
	s->hello_at = g->now.boot;
	/* who is not there is looked for everywhere */
	struct way way;
	for (uint32_t i = 0; paths_at(g, m, i, &way); i++)
		greet(g, m, &way);
}

/* ---- who came up elsewhere ---- */

/* Is it lost to us, and not greeted there a moment ago? */
static bool strayed(const struct gossip *g, struct member *m, const struct address *seen)
{
	if (!member_is_active(m) || m->state != UNREACHABLE || paths_has(g, m, seen))
		return false;
	struct alarms *told = &dispute_of(g, m)->alarms;
	if (told->strayed_at != 0 && g->now.boot - told->strayed_at < STRAYED_GAP)
		return false;
	told->strayed_at = g->now.boot;
	return true;
}

/*
 * What a lost member sends under its own name does not open here: it is sealed for whoever had our
 * address before, or for the key that we had before. It does not know where we are, nor we where it
 * is; so it is greeted where it seems to be. If our key is another by now it cannot open that: so one
 * of the others is asked to greet it as well, each time another one. Whoever forges such packets pays
 * as much for them as we, and more than their victim.
 */
static void greet_strayed(struct gossip *g, struct member *m, const struct way *from)
{
	if (!strayed(g, m, &from->to))
		return;
	core_trace(g, RULE_STRAYED, m->id, 0, 0, 0, 0);
	greet(g, m, from);
	node_id other = member_random(g, m->id);
	struct envelope e = {.kind = MESSAGE_PROBE_REQUEST};
	e.probe_request = (struct probe_request){.target = m->id, .seen = from->to};
	if (other != 0)
		core_send(g, other, &e);
}

void session_strayed_to(struct gossip *g, struct member *m, node_id by, const struct address *seen)
{
	if (!strayed(g, m, seen))
		return;
	core_trace(g, RULE_STRAYED_TOLD, m->id, by, 0, 0, 0);
	struct way way = {.path = paths_socket_for(g, seen), .to = *seen};
	greet(g, m, &way);
}

static void answer_hello(struct gossip *g, struct member *m, const struct way *from,
                         const struct hello *hello, size_t limit)
{
	struct session *s = &m->session;
	if (s->welcome_at != 0 && g->now.boot - s->welcome_at < WELCOME_GAP)
		return;
	s->welcome_at = g->now.boot;
	struct envelope e = {.kind = MESSAGE_WELCOME, .refutation = g->membership.refutation};
	e.welcome = (struct welcome){g->durable.incarnation, hello->challenge, g->settings.wire_min,
	                             g->settings.wire_max};
	emit_bare(g, m, from, &e, &hello->incarnation, limit);
}

static void take_hint(struct session *s, const struct packet_header *header,
                      const struct hello *hello)
{
	memcpy(s->hint_salt, header->salt, SALT_SIZE);
	s->hint = hello->incarnation;
	s->hint_wire_min = hello->wire_min;
	s->hint_wire_max = hello->wire_max;
	s->hint_known = true;
}

/* The nonce that goes with the present salt, if a hello told it; with it, what it speaks. */
static void use_hint(struct member *m)
{
	struct session *s = &m->session;
	if (s->nonce_known || !s->hint_known || !s->salt_known)
		return;
	if (memcmp(s->hint_salt, s->salt, SALT_SIZE) != 0 ||
	    s->hint.number != s->incarnation.number)
		return;
	s->incarnation.nonce = s->hint.nonce;
	s->nonce_known = true;
	m->wire_min = s->hint_wire_min;
	m->wire_max = s->hint_wire_max;
}

static void on_welcome(struct gossip *g, struct member *m, const struct welcome *welcome)
{
	struct session *s = &m->session;
	if (welcome->challenge != s->challenge || s->challenge == 0)
		return;
	if (welcome->incarnation.number != s->incarnation.number)
		return;
	s->challenge = 0;
	s->incarnation.nonce = welcome->incarnation.nonce;
	s->nonce_known = true;
	m->wire_min = welcome->wire_min;
	m->wire_max = welcome->wire_max;
	/* a hello changed nothing at the peer: this lets it hear us */
	struct envelope heard = {.kind = MESSAGE_GOSSIP};
	if (g->membership.active <= GREETING_ALL)
		probe_contact(g, m);
	else
		core_send(g, m->id, &heard); /* without an answer that would tell us nothing */
}

/* ---- opening ---- */

/* One word to whoever is no peer, at most once a second, under the incarnation it says to have. */
static void tell(struct gossip *g, struct member *m, const struct way *to,
                 const struct incarnation *incarnation, enum farewell_reason reason, uint64_t known)
{
	struct session *s = &m->session;
	if (s->farewell_at != 0 && g->now.boot - s->farewell_at < SECOND)
		return;
	s->farewell_at = g->now.boot;
	struct envelope e = {.kind = MESSAGE_FAREWELL};
	e.farewell = (struct farewell){reason, g->self, known};
	emit_bare(g, m, to, &e, incarnation, PACKET_PLAIN_MAX);
}

/* A removed member is told, under the incarnation it is known or says to have. */
static void tell_removed(struct gossip *g, struct member *m, const struct way *from,
                         const struct incarnation *incarnation)
{
	core_drop(g, DROP_REMOVED);
	if (incarnation->number != 0) /* (one that left may not have heard that its leave was committed) */
		tell(g, m, from, incarnation, FAREWELL_REMOVED, m->successor);
}

static void open_gone(struct gossip *g, struct member *m, const struct way *from,
                      const struct packet_header *header, const struct envelope *e)
{
	static const struct incarnation unknown;
	if (header->unknown_receiver && e->kind == MESSAGE_HELLO)
		tell_removed(g, m, from, &e->hello.incarnation);
	else
		tell_removed(g, m, from,
		             m->session.nonce_known ? &m->session.incarnation : &unknown);
}

/* Once a minute: where we know it, and where somebody else speaks under its key. */
static void alarm_clone(struct gossip *g, struct member *m, const struct way *from)
{
	struct alarms *told = &dispute_of(g, m)->alarms;
	core_drop(g, DROP_CLONE);
	if (told->clone_at != 0 && g->now.boot - told->clone_at < ALARM_GAP)
		return;
	told->clone_at = g->now.boot;
	told->clone_address = from->to;
	struct way known = paths_way(m);
	core_trace_ends(g, RULE_CLONE, m->id, &known.to, &from->to);
}

/* An older start that speaks from elsewhere, while the later one is here: two processes. */
static bool alive_elsewhere(const struct gossip *g, const struct member *m, const struct way *from)
{
	return m->state == REACHABLE && g->now.boot - m->heard < ALIVE_LATELY &&
	       !paths_has(g, m, &from->to);
}

/* ---- the last start of every voter ---- */

void sessions_recall(struct gossip *g)
{
	for (int i = 0; i < VOTERS_MAX; i++) {
		const struct known_peer *known = &g->durable.peers[i];
		struct member *m = known->node == 0 ? NULL : member_find(g, known->node);
		if (m == NULL || m->session.incarnation.number != 0)
			continue;
		m->session.incarnation.number = known->incarnation;
		memcpy(m->session.salt, known->salt, SALT_SIZE);
		m->session.salt_known = true;
	}
}

/* A place for `node`: its own, a free one, or one of a node that is no voter any more. */
static struct known_peer *known_place(struct gossip *g, node_id node)
{
	struct known_peer *free = NULL;
	for (int i = 0; i < VOTERS_MAX; i++) {
		struct known_peer *known = &g->durable.peers[i];
		if (known->node == node)
			return known;
		if (known->node == 0 || config_position(&g->durable.config, known->node) < 0)
			free = known;
	}
	return free;
}

/* Written with whatever is written next: a voter that is new here has said nothing yet. */
static void remember_start(struct gossip *g, const struct member *m)
{
	struct known_peer *known = known_place(g, m->id);
	if (config_position(&g->durable.config, m->id) < 0 || known == NULL)
		return;
	*known = (struct known_peer){.node = m->id, .incarnation = m->session.incarnation.number};
	memcpy(known->salt, m->session.salt, SALT_SIZE);
	persist_durable(g);
}

/*
 * A start whose number is not above the last one known, by another process: an old disk, a clone, or
 * only a hello that was very long on its way. It is told under the very incarnation it named: if that
 * process is gone, nobody can open it.
 */
static bool old_self(struct gossip *g, struct member *m, const struct way *from,
                     const struct packet_header *header, const struct incarnation *said)
{
	struct session *s = &m->session;
	bool other = s->salt_known && memcmp(s->salt, header->salt, SALT_SIZE) != 0;
	if (said->number > s->incarnation.number || WEAKENED(g, WEAK_INCARNATION_ORDER) ||
	    (said->number == s->incarnation.number && !other))
		return false;
	if (said->number == s->incarnation.number || alive_elsewhere(g, m, from))
		alarm_clone(g, m, from);
	else
		core_drop(g, DROP_OLD_INCARNATION);
	tell(g, m, from, said, FAREWELL_OLD_SELF, s->incarnation.number);
	return true;
}

/* Do our ranges of wire versions meet, at the cluster's level? If not it is no peer until upgraded. */
static bool versions_meet(struct gossip *g, struct member *m, const struct way *from,
                          const struct incarnation *said, uint32_t wire_min, uint32_t wire_max)
{
	if (wire_min <= g->settings.wire_max && wire_max >= level_of(g) && wire_min <= wire_max)
		return true;
	core_drop(g, DROP_VERSION);
	m->wire_min = wire_min;
	m->wire_max = wire_max;
	bool old = wire_max < level_of(g);
	struct alarms *told = &dispute_of(g, m)->alarms;
	if (old && (told->old_at == 0 || g->now.boot - told->old_at >= ALARM_GAP)) {
		told->old_at = g->now.boot;
		core_trace(g, RULE_WIRE_OLD, m->id, 0, wire_max, level_of(g), 0);
	}
	if (old) /* else it is we who are too old for it: the doctor tells (VERSION_RANGE) */
		tell(g, m, from, said, FAREWELL_WIRE_OLD, level_of(g));
	return false;
}

/*
 * At level 2 only greetings and last words are still written in version 1. A hello of a later version than
 * ours is read too: it says which versions its sender speaks, and versions_meet refuses it.
 */
static bool wire_legal(struct gossip *g, const struct envelope *e)
{
	bool any = e->kind == MESSAGE_HELLO || e->kind == MESSAGE_WELCOME || e->kind == MESSAGE_FAREWELL;
	uint32_t lowest = any ? WIRE_VERSION_MIN : level_of(g);
	uint32_t highest = e->kind == MESSAGE_HELLO ? UINT32_MAX : g->settings.wire_max;
	if (e->wire >= lowest && e->wire <= highest)
		return true;
	core_drop(g, DROP_VERSION);
	return false;
}

static void open_hello(struct gossip *g, struct member *m, const struct way *from,
                       const struct packet_header *header, const struct envelope *e, size_t size)
{
	if (e->kind != MESSAGE_HELLO) {
		core_drop(g, DROP_NOT_HELLO);
		return;
	}
	if (old_self(g, m, from, header, &e->hello.incarnation) ||
	    !versions_meet(g, m, from, &e->hello.incarnation, e->hello.wire_min, e->hello.wire_max))
		return;
	take_hint(&m->session, header, &e->hello);
	use_hint(m);
	answer_hello(g, m, from, &e->hello, size);
}

/* A higher incarnation: whatever belonged to the older one is over. */
static void session_restart(struct gossip *g, struct member *m, uint64_t incarnation)
{
	struct session *s = &m->session;
	if (s->incarnation.number != 0)
		core_trace(g, RULE_RESTARTED, m->id, 0, (int64_t)incarnation, 0, 0);
	s->incarnation = (struct incarnation){incarnation, 0};
	s->nonce_known = false;
	s->salt_known = false;
	s->parted = false;
	paths_forget(g, m); /* it may have come back elsewhere */
}

/* A salt not seen before under this key. False: refused. */
static bool take_salt(struct gossip *g, struct member *m, const struct way *from,
                      const struct packet_header *header, uint64_t incarnation)
{
	struct session *s = &m->session;
	bool lower = incarnation < s->incarnation.number && !WEAKENED(g, WEAK_INCARNATION_ORDER);
	if (lower || incarnation == 0) {
		core_drop(g, DROP_OLD_INCARNATION);
		return false;
	}
	if (incarnation == s->incarnation.number && s->salt_known) {
		alarm_clone(g, m, from);
		return false;
	}
	if (incarnation != s->incarnation.number)
		session_restart(g, m, incarnation);
	memcpy(s->salt, header->salt, SALT_SIZE);
	s->salt_known = true;
	replay_reset(&g->membership.sessions->replays, &s->replay);
	use_hint(m);
	remember_start(g, m);
	return true;
}

/* Fresh: not a replay, not an older incarnation, not a clone. */
static bool take_sequence(struct gossip *g, struct member *m, const struct way *from,
                          const struct packet_header *header, uint64_t incarnation)
{
	struct session *s = &m->session;
	bool same = s->salt_known && memcmp(s->salt, header->salt, SALT_SIZE) == 0;
	if (!same && !take_salt(g, m, from, header, incarnation))
		return false;
	if (incarnation != s->incarnation.number) {
		core_drop(g, DROP_MALFORMED); /* one process start, two incarnations */
		return false;
	}
	struct sessions *sessions = g->membership.sessions;
	sessions->newest = header->sequence > s->replay.top;
	if (sessions->newest)
		s->parted = false;
	replay_mark(&g->membership.sessions->replays, &s->replay, header->sequence);
	sessions->opened = header->sequence;
	sessions->arrived = *from;
	return true;
}

/* Who may be asking, what keys it has; NULL: counted and dropped. Costs one look-up. */
static struct member *find_sender(struct gossip *g, const struct packet_header *header)
{
	struct member *m = member_find(g, header->sender);
	if (m == NULL || m->id == g->self || !key_ready(g, m)) {
		core_drop(g, DROP_STRANGER);
		return NULL;
	}
	struct session *s = &m->session;
	if (s->salt_known && !header->unknown_receiver &&
	    memcmp(s->salt, header->salt, SALT_SIZE) == 0 &&
	    replay_seen(&g->membership.sessions->replays, &s->replay, header->sequence) &&
	    !WEAKENED(g, WEAK_REPLAY)) {
		core_drop(g, DROP_REPLAY);
		return NULL;
	}
	return m;
}

/* Opens and decodes. False: counted. */
static bool unseal(struct gossip *g, struct member *m, const struct way *from,
                   const struct packet_header *header, struct bytes packet, struct envelope *e)
{
	uint8_t *plain = g->membership.sessions->plain;
	size_t size = 0;
	if (!packet_open(g->settings.seal, &m->session.key, header, g->self,
	                 &g->durable.incarnation, packet.data, packet.size, plain, &size)) {
		core_drop(g, DROP_SEAL);
		generation_unopened(g, m->id, from);
		greet_strayed(g, m, from);
		return false;
	}
	if (!envelope_decode(plain, size, &g->packet_arena, e)) {
		core_drop(g, DROP_MALFORMED);
		return false;
	}
	return wire_legal(g, e);
}

node_id session_open(struct gossip *g, const struct way *from, struct bytes packet,
                     struct envelope *e)
{
	struct packet_header header;
	if (!packet_header_read(packet.data, packet.size, &header)) {
		core_drop(g, DROP_SHORT);
		return 0;
	}
	if (g->durable.incarnation.number == 0 || !g->membership.sessions->started) {
		core_drop(g, DROP_NOT_READY);
		return 0;
	}
	struct member *m = find_sender(g, &header);
	if (m == NULL || !unseal(g, m, from, &header, packet, e))
		return 0;
	if (!member_is_active(m) && WEAKENED(g, WEAK_TOMBSTONE))
		member_return(g, m);
	if (!member_is_active(m)) {
		open_gone(g, m, from, &header, e);
		return 0;
	}
	if (header.unknown_receiver) {
		open_hello(g, m, from, &header, e, packet.size - PACKET_OVERHEAD);
		return 0;
	}
	/* Its own hellos may go astray; its answer to ours names its incarnation as well. */
	if (e->kind == MESSAGE_WELCOME &&
	    (old_self(g, m, from, &header, &e->welcome.incarnation) ||
	     !versions_meet(g, m, from, &e->welcome.incarnation, e->welcome.wire_min,
	                    e->welcome.wire_max)))
		return 0;
	if (e->kind == MESSAGE_FAREWELL && e->farewell.reason == FAREWELL_WIRE_OLD) {
		level_told(g, m->id, e->farewell.known); /* no peer: not heard, or it would come and go */
		return 0;
	}
	if (!take_sequence(g, m, from, &header, e->incarnation))
		return 0;
	paths_heard(g, m, from, g->membership.sessions->newest, e);
	if (!m->session.nonce_known && e->kind != MESSAGE_WELCOME)
		session_hello(g, m);
	member_note_heard(g, m, e);
	membership_items(g, m->id, e);
	if (e->kind == MESSAGE_WELCOME)
		on_welcome(g, m, &e->welcome);
	else if (e->kind != MESSAGE_HELLO)
		return m->id;
	return 0;
}

bool session_heard_frame(struct gossip *g, node_id from, const struct envelope *e)
{
	struct member *m = member_find(g, from);
	if (m == NULL || !member_is_active(m) || from == g->self || !wire_legal(g, e))
		return false;
	if (e->incarnation < m->session.incarnation.number || e->incarnation == 0) {
		core_drop(g, DROP_OLD_INCARNATION);
		return false;
	}
	if (e->incarnation > m->session.incarnation.number)
		session_restart(g, m, e->incarnation);
	if (!m->session.nonce_known)
		session_hello(g, m);
	g->membership.sessions->opened = 0;
	member_note_heard(g, m, e);
	return true;
}

/* ---- the greeting round: at start, and when a cut seems to have healed ---- */

void sessions_start(struct gossip *g)
{
	struct sessions *s = g->membership.sessions;
	s->started = true;
	s->started_at = g->now.boot;
	s->hello_cursor = 0;
	s->hello_pass = 0;
	s->hello_next = g->now.boot;
	for (uint32_t i = 0; i < g->membership.count; i++)
		g->membership.members[i].since = g->now.boot;
	sessions_tick(g);
}

/*
 * Of two who are both there the later one comes first, or they would greet each other across; and a
 * thousand hellos at once would be answered into a full socket.
 */
void sessions_newcomer(struct gossip *g, struct member *m)
{
	struct sessions *s = g->membership.sessions;
	const struct member *self = member_find(g, g->self);
	if (g->membership.active <= GREETING_ALL) {
		session_hello(g, m);
		return;
	}
	m->greets_us = self != NULL && self->admitted != 0 && m->admitted > self->admitted;
	if (m->greets_us)
		return;
	if (s->hello_next == NEVER) {
		s->hello_next = g->now.boot;
		s->hello_cursor = member_slot(g, m);
	}
	if (member_slot(g, m) < s->hello_cursor)
		s->hello_cursor = member_slot(g, m);
	s->hello_pass = 0;
}

void sessions_came_back(struct gossip *g)
{
	struct sessions *s = g->membership.sessions;
	duration lost = (duration)(g->membership.active - g->membership.reachable);
	if (lost == 0 || s->hello_next != NEVER || g->now.boot < s->round_next)
		return;
	/* dead ones do not answer: on average no more than one hello in 50 ms goes to them */
	duration gap = lost * ROUND_COST;
	s->round_next = g->now.boot + (gap > ROUND_GAP ? gap : ROUND_GAP);
	s->hello_cursor = 0;
	s->hello_pass = GREETING_PASSES - 1;
	s->hello_next = g->now.boot + (duration)prng_below(&g->prng, (uint64_t)GREETING_GAP);
}

bool sessions_greeted(const struct gossip *g)
{
	return g->membership.sessions->hello_next == NEVER;
}

static void greeting_pass_over(struct gossip *g)
{
	struct sessions *s = g->membership.sessions;
	s->hello_cursor = 0;
	s->hello_pass++;
	s->hello_next = s->hello_pass < GREETING_PASSES ? g->now.boot + GREETING_PAUSE : NEVER;
}

void sessions_tick(struct gossip *g)
{
	struct sessions *s = g->membership.sessions;
	if (g->now.boot < s->hello_next)
		return;
	uint32_t sent = 0;
	uint32_t batch = g->membership.count <= GREETING_ALL ? GREETING_ALL : GREETING_BATCH;
	while (s->hello_cursor < g->membership.count && sent < batch) {
		struct member *m = &g->membership.members[s->hello_cursor++];
		if (!member_is_active(m) || m->id == g->self || m->state == REACHABLE ||
		    m->state == SUSPECT || (m->greets_us && s->hello_pass == 0))
			continue;
		session_hello(g, m);
		sent++;
	}
	if (s->hello_cursor == g->membership.count)
		greeting_pass_over(g);
	else
		s->hello_next = g->now.boot + GREETING_GAP;
}
