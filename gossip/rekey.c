#include "rekey.h"

#include "core.h"
#include "text.h"

static size_t statement_of(const struct gossip *g, const struct member_record *m,
                           uint8_t out[STATEMENT_MAX])
{
	return rekey_statement(&g->durable.cluster, &m->old_key, &m->key, out);
}

bool rekey_signed(const struct gossip *g, const struct command *c)
{
	uint8_t statement[STATEMENT_MAX];
	const struct member_record *m = &c->member;
	size_t size = statement_of(g, m, statement);
	if (WEAKENED(g, WEAK_REKEY_SIGNED))
		return true;
	return node_key_id(&m->old_key) == c->subject &&
	       statement_verify(g->settings.seal, &m->old_key, statement, size, m->old_signature) &&
	       statement_verify(g->settings.seal, &m->key, statement, size, m->signature);
}

void rekey_request(struct gossip *g, const struct input *input)
{
	uint8_t statement[STATEMENT_MAX];
	const struct node_keys *next = input->rekey.next;
	struct command c = {.kind = COMMAND_MEMBER_REKEY, .if_version = NO_VERSION, .subject = g->self};
	c.member.key = next->public_key;
	c.member.old_key = g->settings.keys.public_key;
	size_t size = statement_of(g, &c.member, statement);
	statement_sign(g->settings.seal, next, statement, size, c.member.signature);
	statement_sign(g->settings.seal, &g->settings.keys, statement, size, c.member.old_signature);
	g->rekey.next = node_key_id(&next->public_key);
	route_request(g, input->rekey.client, 0, &c, input->rekey.patience, 0);
}

bool rekey_is_ours(const struct gossip *g, node_id successor)
{
	return successor != 0 && successor == g->rekey.next;
}
