/*
 * admit.c: a stranger whose stream proved a token becomes a member by a committed entry.
 */
#include "core.h"
#include "text.h"

#define ADMIT_PATIENCE (8 * SECOND)
/* Of the requests that wait here: who holds an old token must not leave this node's users without. */
#define JOINS_WAITING_MAX (PENDING_MAX / 4)

static void say_joined(struct gossip *g, uint64_t stream, struct joined *m)
{
	struct envelope e = {.kind = MESSAGE_JOINED};
	m->wire_min = WIRE_VERSION_MIN;
	m->wire_max = g->settings.wire_max;
	m->sent_wall = g->now.wall;
	e.joined = *m;
	core_send_stream(g, stream, &e, true);
}

static void turn_away(struct gossip *g, uint64_t stream, enum answer_code code, const char *text)
{
	struct joined m = {.code = code, .received_wall = g->now.wall};
	m.text = text_bytes(text);
	say_joined(g, stream, &m);
}

static void refuse(struct gossip *g, uint64_t stream, const char *text)
{
	turn_away(g, stream, ANSWER_REFUSED, text);
}

static bool record_signed(const struct gossip *g, const struct join *m)
{
	uint8_t statement[STATEMENT_MAX];
	size_t size = member_statement(&g->durable.cluster, m->token, &m->member, statement);
	return statement_verify(g->settings.seal, &m->member.key, statement, size,
	                        m->member.signature);
}

/* The codec checks only a name's size: what a name may hold is decided at the door. */
static bool name_legal(const struct bytes *name)
{
	char text[NAME_MAX_SIZE + 1] = {0};
	if (name->size == 0 || name->size > NAME_MAX_SIZE)
		return false;
	memcpy(text, name->data, name->size);
	return text_size(text) == name->size && name_check(text, NULL) == 0;
}

/*
 * What the bearer believes to become is what the token makes it. At the door only, as far as this
 * member knows the token: who applies the entry takes the token's word, as older versions do.
 */
static const char *role_refusal(const struct gossip *g, uint64_t token, enum role wanted)
{
	struct token_row row;
	if (!ledger_token(g, token, &row) || row.role == wanted)
		return NULL;
	return row.role == ROLE_WITNESS
	           ? "this token admits a witness: join with --witness, or take another token"
	           : "this token admits no witness: make one with 'essaim token create --witness'";
}

/* Joins that wait for their answer: this stream's, or all (0). */
static uint32_t joins_waiting(const struct gossip *g, uint64_t stream)
{
	uint32_t count = 0;
	for (int i = 0; i < PENDING_MAX; i++) {
		const struct pending *p = &g->route.pending[i];
		count += p->used && p->stream != 0 && (stream == 0 || p->stream == stream);
	}
	return count;
}

void admit_join(struct gossip *g, uint64_t stream, uint64_t token, const struct join *m)
{
	struct command c = {.kind = COMMAND_TOKEN_REDEEM,
		.if_version = NO_VERSION,
		.token = token,
		.member = m->member};
	if (joins_waiting(g, stream) > 0)
		return; /* one answer ends the stream; a second question costs nothing */
	if (m->token != token || !record_signed(g, m)) {
		core_drop(g, DROP_SIGNATURE);
		refuse(g, stream, "the joining node did not prove that it holds its key");
		return;
	}
	if (!name_legal(&m->member.name)) {
		refuse(g, stream, "the joining node's name is not a legal name");
		return;
	}
	if (m->member.wire_min > g->settings.wire_max || m->member.wire_max < WIRE_VERSION_MIN) {
		core_drop(g, DROP_VERSION);
		refuse(g, stream, "this member speaks no wire version that the joining node speaks");
		return;
	}
	if (m->member.wire_max < level_of(g)) {
		core_drop(g, DROP_VERSION);
		refuse(g, stream, outcome_text(LEDGER_WIRE_OLD));
		return;
	}
	const char *unfit = role_refusal(g, token, m->member.role);
	if (unfit != NULL) {
		refuse(g, stream, unfit);
		return;
	}
	if (joins_waiting(g, 0) >= JOINS_WAITING_MAX) {
		turn_away(g, stream, ANSWER_BUSY, "this member has too many joins waiting: try again in a moment");
		return;
	}
	if (!level_allows(g, COMMAND_MEMBER_ADDRESSES))
		c.member.more.count = 0; /* older members would keep another row than we */
	route_request(g, 0, stream, &c, ADMIT_PATIENCE, 0);
}

static uint32_t name_peers(const struct gossip *g, struct peer_hint peers[PEERS_IN_WELCOME_MAX])
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < g->membership.count && count < PEERS_IN_WELCOME_MAX; i++) {
		node_id id = member_id_at(g, i);
		struct peer_hint *p = &peers[count];
		struct addresses all;
		if (id == 0 || (id != g->self && !member_reachable(g, id, true)) ||
		    !member_addresses(g, id, &all))
			continue;
		p->address = all.list[0];
		p->more = addresses_rest(&all);
		p->key = *member_key(g, id);
		p->name = text_bytes(gossip_name(g, id));
		p->incarnation = member_incarnation(g, id);
		count++;
	}
	return count;
}

void admit_answer(struct gossip *g, const struct pending *p, const struct answer *answer)
{
	struct peer_hint peers[PEERS_IN_WELCOME_MAX];
	struct joined m = {.code = answer->code,
		.text = answer->text,
		.received_wall = p->joined_wall,
		.cluster = g->durable.cluster,
		.generation = g->durable.generation,
		.config = g->durable.config};
	if (answer->code == ANSWER_DONE) {
		m.peer_count = name_peers(g, peers);
		m.peers = peers;
	}
	say_joined(g, p->stream, &m);
}
