#include "route.h"

#include "core.h"
#include "settings.h"
#include "text.h"

#define RESEND_EVERY (400 * MILLISECOND)
#define RESEND_TAKEN (5 * SECOND) /* of what the engine works on */
#define TRY_AGAIN (20 * MILLISECOND)
#define TURNED_AWAY_MAX 4 /* doublings */
#define PATIENCE_MAX (600 * SECOND)

void route_init(struct gossip *g, struct carve *memory)
{
	for (int i = 0; i < PENDING_MAX; i++)
		g->route.pending[i].command = carve(memory, COMMAND_ROOM);
}

/* ---- answering ---- */

static void answer_user(struct gossip *g, struct pending *p, struct answer *answer)
{
	answer->request = (struct request_id){g->self, g->durable.incarnation.number, p->sequence};
	p->used = false;
	g->route.used--;
	if (p->kind == COMMAND_MEMBER_LEAVE && answer->code == ANSWER_DONE)
		g->life.left = true; /* nobody will send us that entry any more */
	if (p->kind == COMMAND_MEMBER_REKEY && answer->code == ANSWER_DONE)
		g->life.rekeyed = true; /* nor that one */
	if (p->stream != 0) {
		admit_answer(g, p, answer);
		return;
	}
	struct effect *effect = effects_add(&g->out, EFFECT_ANSWER);
	struct bytes copy = effects_copy(&g->out, (struct bytes){(uint8_t *)answer, sizeof *answer});
	struct answer *kept = (struct answer *)(uintptr_t)copy.data;
	kept->text = effects_copy(&g->out, answer->text);
	kept->value = effects_copy(&g->out, answer->value);
	effect->answer.client = p->client;
	effect->answer.answer = kept;
}

static void answer_code(struct gossip *g, struct pending *p, enum answer_code code,
                        const char *text)
{
	struct answer answer = {.code = code, .text = text_bytes(text)};
	answer_user(g, p, &answer);
}

static void from_result(const struct gossip *g, const struct result *result, struct answer *out)
{
	*out = (struct answer){.code = ANSWER_DONE,
		.index = result->index,
		.version = result->version,
		.epoch = g->ledger.epoch,
		.found = true};
	if (result->outcome == LEDGER_DONE)
		return;
	out->code = result->outcome == LEDGER_FORGOTTEN ? ANSWER_UNKNOWN : ANSWER_REFUSED;
	out->text = text_bytes(outcome_text(result->outcome));
}

void route_deliver(struct gossip *g, const struct request_id *id, struct answer *answer)
{
	struct answer copy = *answer;
	copy.request = *id;
	if (id->origin == g->self) {
		route_on_answer(g, g->self, &copy);
		return;
	}
	struct envelope e = {.kind = MESSAGE_ANSWER};
	e.answer = copy;
	core_send(g, id->origin, &e);
}

/* ---- at the master ---- */

static bool same_request(const struct request_id *a, const struct request_id *b)
{
	return a->origin == b->origin && a->incarnation == b->incarnation &&
	       a->sequence == b->sequence;
}

static bool in_flight(const struct gossip *g, const struct request_id *id)
{
	for (uint64_t i = g->log.applied + 1; i <= g->log.last; i++) {
		if (same_request(&g->route.inflight[i % INFLIGHT_MAX], id))
			return true;
	}
	return false;
}

static void read_row(struct gossip *g, const struct command *c)
{
	struct kv_row row;
	struct answer answer = {.code = ANSWER_DONE, .epoch = g->ledger.epoch};
	answer.found = ledger_kv(g, c->key, &row);
	if (answer.found) {
		answer.version = row.version;
		answer.value = row.value;
	}
	if (lease_acts(g, &g->now) || WEAKENED(g, WEAK_P7_AUTHORITY)) /* P7: the state was read first */
		route_deliver(g, &c->request, &answer);
}

/*
 * A voter goes only after the config let it go; a master hands over first. Alone among the voters it
 * waits until the next member has become one.
 */
static enum voters_going may_go(struct gossip *g, const struct command *c, struct error *why)
{
	if (c->kind != COMMAND_MEMBER_LEAVE && c->kind != COMMAND_MEMBER_REMOVE &&
	    c->kind != COMMAND_MEMBER_REKEY)
		return VOTERS_GONE;
	if (!member_active(g, c->subject) || members_active(g) == 1)
		return VOTERS_GONE; /* the ledger will say what is wrong with it */
	enum voters_going going = voters_let_go(g, c->subject, why);
	if (going == VOTERS_GOING && c->subject == g->self && g->durable.config.voter_count > 1)
		hand_over_offer(g, 0);
	return going;
}

/*
 * Each key that ever was a member's keeps a place in every node's table, and what is proposed may need one
 * more. All nodes are given room for the same number: who has less says MEMBERS_FULL.
 */
static const char *no_room(const struct gossip *g, const struct command *c, struct error *why)
{
	const struct node_key *key = &c->member.key;
	bool adds = c->kind == COMMAND_TOKEN_REDEEM || c->kind == COMMAND_MEMBER_REKEY;
	if (!adds || members_room(g) > g->log.last - g->log.applied || member_key(g, node_key_id(key)) != NULL)
		return NULL;
	error_set(why, 0, "there is no room for one more key: members_max counts those who left, too; "
	          "raise it in [limits] on every node and restart them one by one");
	return why->text;
}

/* What the master refuses before it stands in the log: the sentence, or NULL. */
static const char *refusal(struct gossip *g, const struct command *c, struct error *why)
{
	if (c->kind == COMMAND_SETTING_PUT && settings_check(c, why) < 0)
		return why->text;
	if (c->kind == COMMAND_MEMBER_REKEY && members_active(g) == 1)
		return "the only node cannot change its key, since nobody else could vote for it meanwhile: let another node join first";
	return no_room(g, c, why);
}

static bool ledger_too_full(const struct gossip *g, const struct command *c)
{
	bool grows = c->kind == COMMAND_KV_PUT || c->kind == COMMAND_TOKEN_CREATE ||
	             c->kind == COMMAND_TOKEN_REDEEM;
	return grows && ledger_nearly_full(g, c->value.size);
}

static void refuse(struct gossip *g, const struct request_id *id, const char *text)
{
	struct answer answer = {.code = ANSWER_REFUSED, .text = text_bytes(text)};
	route_deliver(g, id, &answer);
}

static void propose(struct gossip *g, const struct command *asked)
{
	struct command c = *asked;
	struct result result = {LEDGER_FULL, 0, 0};
	struct answer answer = {.code = ANSWER_BUSY};
	struct error why;
	if (ledger_replied(g, &c.request, &result) && !WEAKENED(g, WEAK_APPLY_ONCE)) {
		from_result(g, &result, &answer);
		route_deliver(g, &c.request, &answer);
		return;
	}
	if (in_flight(g, &c.request))
		return;
	if (!level_allows(g, c.kind)) {
		answer = (struct answer){.code = ANSWER_REFUSED, .text = level_refusal(g, c.kind)};
		route_deliver(g, &c.request, &answer);
		return;
	}
	if (ledger_too_full(g, &c)) {
		from_result(g, &(struct result){LEDGER_FULL, 0, 0}, &answer);
		route_deliver(g, &c.request, &answer);
		return;
	}
	const char *refused = refusal(g, &c, &why);
	if (refused != NULL) {
		refuse(g, &c.request, refused);
		return;
	}
	c.judged_wall = g->now.wall;
	uint64_t expected = g->log.last + 1;
	g->route.inflight[expected % INFLIGHT_MAX] = c.request;
	enum voters_going going = may_go(g, &c, &why);
	if (going == VOTERS_STAYS)
		refuse(g, &c.request, why.text);
	else if (going == VOTERS_GOING || master_propose(g, &c) == 0)
		route_deliver(g, &c.request, &answer);
}

static void master_takes(struct gossip *g, const struct command *c)
{
	bool acts = lease_acts(g, &g->now) ||
	            (c->kind == COMMAND_KV_GET && WEAKENED(g, WEAK_P7_AUTHORITY));
	if (!acts && hand_over_answers(g, &c->request))
		return; /* it is handed over, and the answer comes with the CLAIM */
	if (!acts) {
		struct answer answer = {.code = ANSWER_NOT_MASTER,
			.master = lease_master(g, &g->now)};
		route_deliver(g, &c->request, &answer);
	} else if (c->kind == COMMAND_KV_GET) {
		read_row(g, c);
	} else if (c->kind == COMMAND_MASTER_TRANSFER) {
		hand_over_ask(g, c);
	} else if (c->kind == COMMAND_ENGINE) {
		transaction_asked(g, c);
	} else {
		propose(g, c);
	}
}

/* Nobody asks in another's name, nor for what only a master writes, nor for a row without a name. */
static bool request_legal(node_id from, const struct command *c)
{
	bool kv = c->kind == COMMAND_KV_PUT || c->kind == COMMAND_KV_DELETE ||
	          c->kind == COMMAND_KV_GET;
	if (c->kind == COMMAND_MEMBER_REKEY && c->subject != from)
		return false;
	return c->request.origin == from && c->kind != COMMAND_CLAIM && c->kind != COMMAND_NOOP &&
	       c->kind != COMMAND_LEVEL && c->kind != COMMAND_SEIZED &&
	       c->kind != COMMAND_REGISTRY && /* of the master's own engine */
	       c->kind != COMMAND_MEMBER_ADDRESSES && /* its owner says it by a fact */
	       (!kv || c->key.size > 0);
}

void route_on_request(struct gossip *g, node_id from, const struct request *m)
{
	if (!request_legal(from, &m->command)) {
		core_drop(g, DROP_MALFORMED);
		return;
	}
	master_takes(g, &m->command);
}

void route_applied(struct gossip *g, const struct command *command, const struct result *result)
{
	struct answer answer;
	const struct request_id *id = &command->request;
	if (!life_member(g))
		return; /* a generation being founded: not durable yet, so it is asked again */
	if (id->origin == 0 || (id->origin != g->self && g->lease.phase != PHASE_MASTER))
		return;
	from_result(g, result, &answer);
	route_deliver(g, id, &answer);
}

/* ---- where the user asked ---- */

static struct pending *pending_of(struct gossip *g, uint64_t sequence)
{
	for (int i = 0; i < PENDING_MAX; i++) {
		if (g->route.pending[i].used && g->route.pending[i].sequence == sequence)
			return &g->route.pending[i];
	}
	return NULL;
}

static node_id whom_to_ask(const struct gossip *g)
{
	node_id master = lease_master(g, &g->now);
	if (master != 0)
		return master;
	return member_reachable(g, g->route.hint, true) ? g->route.hint : 0;
}

static void send_pending(struct gossip *g, struct pending *p)
{
	struct command c;
	node_id to = whom_to_ask(g);
	p->resend_at = g->now.boot + (to == 0 ? TRY_AGAIN : RESEND_EVERY);
	if (to == 0 || !command_decode(p->command, p->size, &g->command_arena, &c))
		return;
	p->moved |= p->may_commit && p->sent_to != to;
	p->sent_to = to;
	if (c.kind != COMMAND_KV_GET)
		p->may_commit = true;
	if (to == g->self) {
		master_takes(g, &c);
		return;
	}
	struct envelope e = {.kind = MESSAGE_REQUEST};
	e.request = (struct request){c, p->deadline - g->now.boot};
	core_send(g, to, &e);
}

static struct pending *pending_new(struct gossip *g)
{
	for (int i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &g->route.pending[i];
		if (p->used)
			continue;
		uint8_t *command = p->command;
		*p = (struct pending){.used = true, .command = command};
		p->sequence = ++g->route.sequence;
		g->route.used++;
		return p;
	}
	return NULL;
}

static void refuse_user(struct gossip *g, uint64_t client)
{
	struct pending nobody = {.client = client};
	g->route.used++;
	if (g->standing == STANDING_STARTING || g->standing == STANDING_JOINING)
		answer_code(g, &nobody, ANSWER_NO_MASTER, "this node is still starting");
	else if (life_member(g))
		answer_code(g, &nobody, ANSWER_REFUSED, "this node has too many requests waiting");
	else
		answer_code(g, &nobody, ANSWER_REFUSED, "this node is not a member of a cluster");
}

void route_request(struct gossip *g, uint64_t client, uint64_t stream, const struct command *command,
                   duration patience, uint64_t retry_of)
{
	struct pending *p = life_member(g) ? pending_new(g) : NULL;
	if (p == NULL) {
		if (stream == 0)
			refuse_user(g, client);
		return;
	}
	struct command c = *command;
	if (retry_of != 0 && retry_of < p->sequence && pending_of(g, retry_of) == NULL)
		p->sequence = retry_of; /* the ledger knows whether it was done the first time */
	c.request = (struct request_id){g->self, g->durable.incarnation.number, p->sequence};
	p->client = client;
	p->stream = stream;
	p->joined_wall = g->now.wall;
	if (c.kind == COMMAND_MASTER_TRANSFER)
		c.epoch = g->ledger.epoch; /* of the master that is to hand over */
	p->kind = c.kind;
	p->deadline = g->now.boot + (patience < PATIENCE_MAX ? patience : PATIENCE_MAX);
	p->size = (uint32_t)command_encode(&c, p->command, COMMAND_ROOM);
	if (p->size == 0) {
		answer_code(g, p, ANSWER_REFUSED, "the request is too large");
		return;
	}
	if (!level_allows(g, c.kind)) { /* nor would an older master understand it */
		struct answer answer = {.code = ANSWER_REFUSED, .text = level_refusal(g, c.kind)};
		answer_user(g, p, &answer);
		return;
	}
	send_pending(g, p);
}

void route_abandon(struct gossip *g, uint64_t client)
{
	for (int i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &g->route.pending[i];
		if (p->used && p->stream == 0 && p->client == client) {
			p->used = false;
			g->route.used--;
		}
	}
}

/* Loudly, if it is for want of a quorum: then waiting will not help. */
static void say_no_master(struct gossip *g, struct pending *p)
{
	struct error why;
	const struct config *c = &g->durable.config;
	uint32_t seen = 0, needed = c->voter_count == 0 ? 0 : quorum_needed(c->voter_count);
	for (uint32_t i = 0; i < c->voter_count; i++)
		seen += c->voters[i] == g->self || member_reachable(g, c->voters[i], true);
	if (seen >= needed)
		error_set(&why, 0, "no master was found in time");
	else
		error_set(&why, 0, "there is no master: of %u voters %u can be reached from here and %u "
		                   "are needed; bring others back, or if they are lost for good see "
		                   "'essaim help master seize'", c->voter_count, seen, needed);
	answer_code(g, p, ANSWER_NO_MASTER, why.text);
}

/* A voter that goes waits until the config let it go, and its heir is ready. */
static bool waits_for_voters(const struct pending *p)
{
	return p->busy && (p->kind == COMMAND_MEMBER_LEAVE || p->kind == COMMAND_MEMBER_REMOVE ||
	                   p->kind == COMMAND_MEMBER_REKEY);
}

static void say_waits(struct gossip *g, struct pending *p)
{
	struct voters_view voters;
	struct error why;
	gossip_voters(g, &g->now, &voters);
	error_set(&why, 0, "in this time the master did not let it go as a voter (%s); it may still be done: "
	          "see 'essaim node list', and ask again", voters.why);
	answer_code(g, p, ANSWER_UNKNOWN, why.text);
}

static void give_up(struct gossip *g, struct pending *p)
{
	if (waits_for_voters(p))
		say_waits(g, p);
	else if (p->may_commit)
		answer_code(g, p, ANSWER_UNKNOWN,
		            "no answer from a master in time: the write may still be done");
	else
		say_no_master(g, p);
}

/* The engine works on it: asking again can wait, unless the master changes. */
static void progressed(struct gossip *g, struct pending *p, const struct answer *m)
{
	p->resend_at = g->now.boot + RESEND_TAKEN;
	uint8_t *room = effects_room(&g->out, m->value.size, false);
	struct effect *effect =
		room == NULL || p->stream != 0 ? NULL : effects_add(&g->out, EFFECT_ENGINE_PROGRESS);
	if (effect == NULL)
		return;
	if (m->value.size > 0)
		memcpy(room, m->value.data, m->value.size);
	effect->engine_progress.client = p->client;
	effect->engine_progress.bytes = (struct bytes){room, m->value.size};
}

void route_engine_answer(struct gossip *g, const struct input *input)
{
	struct answer answer = {.code = input->engine_answer.code, .epoch = g->ledger.epoch,
		.found = true, .value = input->engine_answer.value, .text = input->engine_answer.text};
	route_deliver(g, &input->engine_answer.request, &answer);
}

void route_on_answer(struct gossip *g, node_id from, const struct answer *m)
{
	struct pending *p = pending_of(g, m->request.sequence);
	if (p == NULL || m->request.origin != g->self ||
	    m->request.incarnation != g->durable.incarnation.number)
		return;
	if (m->code == ANSWER_NOT_MASTER) {
		g->route.hint = m->master == from || m->master == g->self ? 0 : m->master;
		/* Slower each time: whoever learns of a master by itself sends at once. */
		p->resend_at = g->now.boot + (TRY_AGAIN << p->turned_away);
		p->turned_away += p->turned_away < TURNED_AWAY_MAX;
		return;
	}
	p->busy = m->code == ANSWER_BUSY;
	if (p->busy) {
		p->resend_at = g->now.boot + TRY_AGAIN;
		return;
	}
	if (m->code == ANSWER_PROGRESS) {
		progressed(g, p, m);
		return;
	}
	struct answer answer = *m;
	bool judged = p->kind == COMMAND_ENGINE; /* by the rows, which hold all that an earlier one did */
	if (answer.code == ANSWER_REFUSED && answer.index == 0 && p->moved && !judged) {
		give_up(g, p); /* this master refused it unread: it may stand in an earlier one's log */
		return;
	}
	answer_user(g, p, &answer);
}

void route_rekeyed(struct gossip *g)
{
	for (int i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &g->route.pending[i];
		if (p->used && p->kind == COMMAND_MEMBER_REKEY)
			answer_code(g, p, ANSWER_DONE, "");
	}
}

void route_tick(struct gossip *g)
{
	struct route *r = &g->route;
	if (r->used == 0)
		return;
	node_id master = lease_master(g, &g->now);
	for (int i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &r->pending[i];
		if (!p->used)
			continue;
		bool moved = master != 0 && master != p->sent_to &&
		             p->kind != COMMAND_MASTER_TRANSFER; /* the old one is about to answer */
		if (g->now.boot >= p->deadline)
			give_up(g, p);
		else if (g->now.boot >= p->resend_at || moved)
			send_pending(g, p);
	}
}

instant route_deadline(const struct gossip *g)
{
	instant at = NEVER;
	if (g->route.used == 0)
		return NEVER;
	for (int i = 0; i < PENDING_MAX; i++) {
		const struct pending *p = &g->route.pending[i];
		if (p->used)
			at = instant_min(at, instant_min(p->deadline, p->resend_at));
	}
	return at;
}
