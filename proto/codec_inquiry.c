/*
 * INQUIRY and INQUIRED: what would become of a join.
 */
#include "codec_internal.h"

void *put_inquiry(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Inquiry *out = part_new(scratch, &essaim__wire__inquiry__descriptor);
	const struct inquire *m = &in->inquiry;

	out->key = put_exact(m->key.bytes, NODE_KEY_SIZE);
	out->name = put_bytes(&m->name);
	out->wire_min = m->wire_min;
	out->wire_max = m->wire_max;
	out->sent_wall = m->sent_wall;
	return out;
}

bool take_inquiry(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Inquiry *in = message;
	struct inquire *m = &out->inquiry;

	m->wire_min = in->wire_min;
	m->wire_max = in->wire_max;
	m->sent_wall = take_time(in->sent_wall);
	return take_exact(&in->key, m->key.bytes, NODE_KEY_SIZE) &&
	       take_bytes(&in->name, NAME_MAX_SIZE, &m->name);
}

void *put_inquired(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Inquired *out = part_new(scratch, &essaim__wire__inquired__descriptor);
	const struct inquired *m = &in->inquired;

	out->name = put_bytes(&m->name);
	out->cluster = put_exact(m->cluster.bytes, CLUSTER_ID_SIZE);
	out->generation = put_generation(scratch, &m->generation);
	out->wire_min = m->wire_min;
	out->wire_max = m->wire_max;
	out->level = m->level;
	out->token = m->token;
	out->role = m->role;
	out->expires_wall = m->expires_wall;
	out->uses_left = m->uses_left;
	out->key = m->key;
	out->master = put_bytes(&m->master);
	out->quarantine_left = m->quarantine_left;
	out->voters_total = m->voters_total;
	out->voters_reachable = m->voters_reachable;
	out->voters_needed = m->voters_needed;
	out->received_wall = m->received_wall;
	out->sent_wall = m->sent_wall;
	out->clock = put_bytes(&m->clock);
	out->dns = put_bytes(&m->dns);
	return out;
}

static void take_numbers(const Essaim__Wire__Inquired *in, struct inquired *m)
{
	m->wire_min = in->wire_min;
	m->wire_max = in->wire_max;
	m->level = in->level;
	m->token = (enum inquired_token)in->token;
	m->expires_wall = take_time(in->expires_wall);
	m->uses_left = in->uses_left;
	m->key = (enum inquired_key)in->key;
	m->quarantine_left = take_time(in->quarantine_left);
	m->voters_total = in->voters_total;
	m->voters_reachable = in->voters_reachable;
	m->voters_needed = in->voters_needed;
	m->received_wall = take_time(in->received_wall);
	m->sent_wall = take_time(in->sent_wall);
}

bool take_inquired(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Inquired *in = message;
	struct inquired *m = &out->inquired;

	if (in->token == 0 || in->token >= INQUIRED_TOKEN_KINDS || in->key == 0 ||
	    in->key >= INQUIRED_KEY_KINDS)
		return false;
	take_numbers(in, m);
	return take_role(in->role, &m->role) && take_bytes(&in->name, NAME_MAX_SIZE, &m->name) &&
	       take_exact(&in->cluster, m->cluster.bytes, CLUSTER_ID_SIZE) &&
	       take_generation(in->generation, &m->generation) &&
	       take_bytes(&in->master, NAME_MAX_SIZE, &m->master) &&
	       take_bytes(&in->clock, INQUIRED_FACT_MAX, &m->clock) &&
	       take_bytes(&in->dns, INQUIRED_FACT_MAX, &m->dns);
}
