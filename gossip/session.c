#include "member.h"
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
#define GREETING_ALL 50
#define GREETING_PASSES 3 /* hellos get lost: who has not answered is greeted again */
#define GREETING_PAUSE SECOND
#define ROUND_GAP (5 * SECOND) /* between two rounds because somebody came back */
#define ROUND_COST (50 * MILLISECOND)
#define ALARM_GAP (60 * SECOND) /* between two clone alarms about one key */

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

void session_close(struct member *m)
{
	/* the key and the incarnation stay: a removed member is told so under them */
	m->session.parted = false;
	m->session.challenge = 0;
}

/* ---- sealing ---- */

static bool emit(struct gossip *g, struct member *m, const struct address *to,
                 enum message_kind kind, const struct incarnation *receiver, const uint8_t *plain,
                 size_t size)
{
	if (to->family == 0 || !key_ready(g, m))
		return false;
	uint8_t *room = effects_room(&g->out, size + PACKET_OVERHEAD, false);
	struct effect *effect = room == NULL ? NULL : effects_add(&g->out, EFFECT_PACKET);
	if (effect == NULL)
		return false;
	struct packet_header header = {.sender = g->self, .unknown_receiver = receiver == NULL};
	memcpy(header.salt, g->settings.salt, SALT_SIZE);
	header.sequence = ++g->membership.sessions->sequence;
	effect->packet.to = *to;
	effect->packet.to_node = m->id;
	effect->packet.message = kind;
	effect->packet.bytes.data = room;
	effect->packet.bytes.size = packet_seal(g->settings.seal, &m->session.key, &header, m->id,
	                                        receiver, plain, size, room);
	return true;
}

/* For the few messages that do not go through core_send: nothing rides along. */
static bool emit_bare(struct gossip *g, struct member *m, const struct address *to,
                      struct envelope *e, const struct incarnation *receiver, size_t limit)
{
	uint8_t plain[PACKET_PLAIN_MAX];
	e->wire = WIRE_VERSION_MAX;
	e->incarnation = g->durable.incarnation.number;
	size_t size = envelope_encode(e, plain, sizeof plain);
	if (size == 0 || size > limit)
		return false;
	return emit(g, m, to, e->kind, receiver, plain, size);
}

bool session_send(struct gossip *g, node_id to, enum message_kind kind, const uint8_t *plain,
                  size_t size)
{
	struct member *m = member_find(g, to);
	if (m == NULL || !member_is_active(m) || to == g->self)
		return false;
	if (!m->session.nonce_known) {
		session_hello(g, m);
		return false;
	}
	return emit(g, m, &m->address, kind, &m->session.incarnation, plain, size);
}

/* ---- hello, welcome ---- */

void session_hello(struct gossip *g, struct member *m)
{
	struct session *s = &m->session;
	if (m->id == g->self || g->durable.incarnation.number == 0)
		return;
	if (s->hello_at != 0 && g->now.boot - s->hello_at < HELLO_GAP)
		return;
	if (s->challenge == 0) /* kept until answered: a slow link's welcome must still match */
		s->challenge = prng_next(&g->prng) | 1;
	s->hello_at = g->now.boot;
	/* The header of a hello is not read: filled up, it keeps the welcome from being larger. */
	struct envelope e = {.kind = MESSAGE_HELLO, .commit = UINT64_MAX, .summary = UINT64_MAX};
	e.refutation = UINT64_MAX;
	e.hello = (struct hello){g->durable.incarnation, s->challenge, WIRE_VERSION_MIN,
	                         WIRE_VERSION_MAX};
	emit_bare(g, m, &m->address, &e, NULL, PACKET_PLAIN_MAX);
}

static void answer_hello(struct gossip *g, struct member *m, const struct address *from,
                         const struct hello *hello, size_t limit)
{
	struct session *s = &m->session;
	if (s->welcome_at != 0 && g->now.boot - s->welcome_at < WELCOME_GAP)
		return;
	s->welcome_at = g->now.boot;
	struct envelope e = {.kind = MESSAGE_WELCOME, .refutation = g->membership.refutation};
	e.welcome = (struct welcome){g->durable.incarnation, hello->challenge, WIRE_VERSION_MIN,
	                             WIRE_VERSION_MAX};
	emit_bare(g, m, from, &e, &hello->incarnation, limit);
}

static void take_hint(struct session *s, const struct packet_header *header,
                      const struct incarnation *incarnation)
{
	memcpy(s->hint_salt, header->salt, SALT_SIZE);
	s->hint = *incarnation;
	s->hint_known = true;
}

/* The nonce that goes with the present salt, if a hello told it. */
static void use_hint(struct session *s)
{
	if (s->nonce_known || !s->hint_known || !s->salt_known)
		return;
	if (memcmp(s->hint_salt, s->salt, SALT_SIZE) != 0 ||
	    s->hint.number != s->incarnation.number)
		return;
	s->incarnation.nonce = s->hint.nonce;
	s->nonce_known = true;
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
	probe_contact(g, m); /* a hello changed nothing at the peer: this lets it hear us */
}

/* ---- opening ---- */

/* A removed member is told, under the incarnation it is known or says to have. */
static void tell_removed(struct gossip *g, struct member *m, const struct address *from,
                         const struct incarnation *incarnation)
{
	struct session *s = &m->session;
	core_drop(g, DROP_REMOVED);
	if (incarnation->number == 0)
		return; /* (one that left may not have heard that its leave was committed) */
	if (s->farewell_at != 0 && g->now.boot - s->farewell_at < SECOND)
		return;
	s->farewell_at = g->now.boot;
	struct envelope e = {.kind = MESSAGE_FAREWELL};
	e.farewell = (struct farewell){FAREWELL_REMOVED, g->self, 0};
	emit_bare(g, m, from, &e, incarnation, PACKET_PLAIN_MAX);
}

static void open_gone(struct gossip *g, struct member *m, const struct address *from,
                      const struct packet_header *header, const struct envelope *e)
{
	static const struct incarnation unknown;
	if (header->unknown_receiver && e->kind == MESSAGE_HELLO)
		tell_removed(g, m, from, &e->hello.incarnation);
	else
		tell_removed(g, m, from,
		             m->session.nonce_known ? &m->session.incarnation : &unknown);
}

static void alarm_clone(struct gossip *g, struct member *m)
{
	struct session *s = &m->session;
	core_drop(g, DROP_CLONE);
	if (s->clone_at != 0 && g->now.boot - s->clone_at < ALARM_GAP)
		return;
	s->clone_at = g->now.boot;
	core_trace(g, RULE_CLONE, m->id, 0, (int64_t)s->incarnation.number, 0, 0);
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
static bool old_self(struct gossip *g, struct member *m, const struct address *from,
                     const struct packet_header *header, const struct incarnation *said)
{
	struct session *s = &m->session;
	bool other = s->salt_known && memcmp(s->salt, header->salt, SALT_SIZE) != 0;
	if (said->number > s->incarnation.number || WEAKENED(g, WEAK_INCARNATION_ORDER) ||
	    (said->number == s->incarnation.number && !other))
		return false;
	if (said->number == s->incarnation.number)
		alarm_clone(g, m);
	else
		core_drop(g, DROP_OLD_INCARNATION);
	if (s->farewell_at == 0 || g->now.boot - s->farewell_at >= SECOND) {
		s->farewell_at = g->now.boot;
		struct envelope e = {.kind = MESSAGE_FAREWELL};
		e.farewell = (struct farewell){FAREWELL_OLD_SELF, g->self, s->incarnation.number};
		emit_bare(g, m, from, &e, said, PACKET_PLAIN_MAX);
	}
	return true;
}

static void open_hello(struct gossip *g, struct member *m, const struct address *from,
                       const struct packet_header *header, const struct envelope *e, size_t size)
{
	if (e->kind != MESSAGE_HELLO) {
		core_drop(g, DROP_NOT_HELLO);
		return;
	}
	if (e->hello.wire_min > WIRE_VERSION_MAX || e->hello.wire_max < WIRE_VERSION_MIN) {
		core_drop(g, DROP_VERSION);
		return;
	}
	if (old_self(g, m, from, header, &e->hello.incarnation))
		return;
	take_hint(&m->session, header, &e->hello.incarnation);
	use_hint(&m->session);
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
}

/* A salt not seen before under this key. False: refused. */
static bool take_salt(struct gossip *g, struct member *m, const struct packet_header *header,
                      uint64_t incarnation)
{
	struct session *s = &m->session;
	bool lower = incarnation < s->incarnation.number && !WEAKENED(g, WEAK_INCARNATION_ORDER);
	if (lower || incarnation == 0) {
		core_drop(g, DROP_OLD_INCARNATION);
		return false;
	}
	if (incarnation == s->incarnation.number && s->salt_known) {
		alarm_clone(g, m);
		return false;
	}
	if (incarnation != s->incarnation.number)
		session_restart(g, m, incarnation);
	memcpy(s->salt, header->salt, SALT_SIZE);
	s->salt_known = true;
	replay_reset(&g->membership.sessions->replays, &s->replay);
	use_hint(s);
	remember_start(g, m);
	return true;
}

/* Fresh: not a replay, not an older incarnation, not a clone. */
static bool take_sequence(struct gossip *g, struct member *m, const struct address *from,
                          const struct packet_header *header, uint64_t incarnation)
{
	struct session *s = &m->session;
	bool same = s->salt_known && memcmp(s->salt, header->salt, SALT_SIZE) == 0;
	if (!same && !take_salt(g, m, header, incarnation))
		return false;
	if (incarnation != s->incarnation.number) {
		core_drop(g, DROP_MALFORMED); /* one process start, two incarnations */
		return false;
	}
	if (header->sequence > s->replay.top) {
		s->parted = false;
		if (!address_equal(&m->address, from))
			m->address = *from; /* sealed and newer than anything: it is there now */
	}
	replay_mark(&g->membership.sessions->replays, &s->replay, header->sequence);
	g->membership.sessions->opened = header->sequence;
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
static bool unseal(struct gossip *g, struct member *m, const struct packet_header *header,
                   struct bytes packet, struct envelope *e)
{
	uint8_t *plain = g->membership.sessions->plain;
	size_t size = 0;
	if (!packet_open(g->settings.seal, &m->session.key, header, g->self,
	                 &g->durable.incarnation, packet.data, packet.size, plain, &size)) {
		core_drop(g, DROP_SEAL);
		return false;
	}
	if (!envelope_decode(plain, size, &g->packet_arena, e)) {
		core_drop(g, DROP_MALFORMED);
		return false;
	}
	if (e->wire < WIRE_VERSION_MIN || e->wire > WIRE_VERSION_MAX) {
		core_drop(g, DROP_VERSION);
		return false;
	}
	return true;
}

node_id session_open(struct gossip *g, const struct address *from, struct bytes packet,
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
	if (m == NULL || !unseal(g, m, &header, packet, e))
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
	if (e->kind == MESSAGE_WELCOME && old_self(g, m, from, &header, &e->welcome.incarnation))
		return 0;
	if (!take_sequence(g, m, from, &header, e->incarnation))
		return 0;
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
	if (m == NULL || !member_is_active(m) || from == g->self)
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
	s->hello_cursor = 0;
	s->hello_pass = 0;
	s->hello_next = g->now.boot;
	for (uint32_t i = 0; i < g->membership.count; i++)
		g->membership.members[i].since = g->now.boot;
	sessions_tick(g);
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
		    m->state == SUSPECT)
			continue;
		session_hello(g, m);
		sent++;
	}
	if (s->hello_cursor == g->membership.count)
		greeting_pass_over(g);
	else
		s->hello_next = g->now.boot + GREETING_GAP;
}
