/*
 * The values of facts as protobuf, checked in both directions.
 */
#include "facts.h"

#include <assert.h>
#include <string.h>

#include "codec_internal.h"
#include "facts.pb-c.h"

#define PARTS_ROOM 8192

/* ---- texts ---- */

static bool take_text(const char *in, char *out, size_t room)
{
	size_t size = in == NULL ? 0 : strlen(in);
	if (size >= room)
		return false;
	memset(out, 0, room);
	memcpy(out, in == NULL ? "" : in, size);
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)out[i] < ' ' || out[i] == 127)
			return false; /* it is printed on terminals */
	}
	return true;
}

/* protobuf-c's strings are not const, and are only read. */
static char *put_text(const char *in)
{
	return (char *)(uintptr_t)in;
}

/* ---- host ---- */

size_t host_fact_encode(const struct host_fact *in, uint8_t *out, size_t capacity)
{
	Essaim__Facts__Host wire = ESSAIM__FACTS__HOST__INIT;
	wire.uname = put_text(in->uname);
	wire.kernel = put_text(in->kernel);
	wire.version = put_text(in->version);
	wire.virtualisation = put_text(in->virtualisation);
	wire.distribution = put_text(in->distribution);
	wire.cpus = in->cpus;
	wire.memory_mib = in->memory_mib;
	wire.booted_wall = in->booted_wall;
	if (in->has_ssh_key)
		wire.ssh_key = (ProtobufCBinaryData){sizeof in->ssh_key,
			(uint8_t *)(uintptr_t)in->ssh_key};
	return part_pack(&wire.base, out, capacity);
}

bool host_fact_decode(struct bytes in, struct arena *arena, struct host_fact *out)
{
	const Essaim__Facts__Host *w =
		arena_unpack(arena, &essaim__facts__host__descriptor, in.data, in.size);
	if (w == NULL || (w->ssh_key.len != 0 && w->ssh_key.len != sizeof out->ssh_key))
		return false;
	*out = (struct host_fact){.cpus = w->cpus,
		.memory_mib = w->memory_mib,
		.booted_wall = take_time(w->booted_wall),
		.has_ssh_key = w->ssh_key.len != 0};
	if (out->has_ssh_key)
		memcpy(out->ssh_key, w->ssh_key.data, sizeof out->ssh_key);
	return take_text(w->uname, out->uname, sizeof out->uname) &&
	       take_text(w->kernel, out->kernel, sizeof out->kernel) &&
	       take_text(w->version, out->version, sizeof out->version) &&
	       take_text(w->virtualisation, out->virtualisation, sizeof out->virtualisation) &&
	       take_text(w->distribution, out->distribution, sizeof out->distribution);
}

/* ---- usage ---- */

size_t usage_fact_encode(const struct usage_fact *in, uint8_t *out, size_t capacity)
{
	Essaim__Facts__Usage wire = ESSAIM__FACTS__USAGE__INIT;
	wire.unknown = in->unknown;
	wire.since_wall = in->since_wall;
	wire.load_percent = in->load_percent;
	wire.memory_percent = in->memory_percent;
	wire.root_percent = in->root_percent;
	wire.data_percent = in->data_percent;
	wire.lag_ms = in->lag_ms;
	wire.store_ms = in->store_ms;
	wire.rss_mib = in->rss_mib;
	return part_pack(&wire.base, out, capacity);
}

bool usage_fact_decode(struct bytes in, struct arena *arena, struct usage_fact *out)
{
	const Essaim__Facts__Usage *w =
		arena_unpack(arena, &essaim__facts__usage__descriptor, in.data, in.size);
	if (w == NULL)
		return false;
	*out = (struct usage_fact){.unknown = w->unknown,
		.since_wall = take_time(w->since_wall),
		.load_percent = w->load_percent,
		.memory_percent = w->memory_percent,
		.root_percent = w->root_percent,
		.data_percent = w->data_percent,
		.lag_ms = w->lag_ms,
		.store_ms = w->store_ms,
		.rss_mib = w->rss_mib};
	return true;
}

/* ---- clock ---- */

static void put_clock_peers(struct arena *scratch, const struct clock_fact *in,
                            Essaim__Facts__Clock *out)
{
	assert(in->peer_count <= FACT_PEERS_MAX);
	out->peers = scratch_take(scratch, FACT_PEERS_MAX * sizeof *out->peers);
	for (uint32_t i = 0; i < in->peer_count; i++) {
		Essaim__Facts__ClockPeer *peer =
			part_new(scratch, &essaim__facts__clock_peer__descriptor);
		peer->node = in->peers[i].node;
		peer->offset_us = in->peers[i].offset / MICROSECOND;
		peer->error_us = (uint64_t)(in->peers[i].error / MICROSECOND);
		out->peers[out->n_peers++] = peer;
	}
}

size_t clock_fact_encode(const struct clock_fact *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[PARTS_ROOM];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Facts__Clock wire = ESSAIM__FACTS__CLOCK__INIT;
	wire.unknown = in->unknown;
	wire.since_wall = in->since_wall;
	wire.synchronised = in->synchronised;
	wire.max_error_us = (uint64_t)(in->max_error / MICROSECOND);
	wire.rate_ppb = in->rate_ppb;
	wire.service = put_text(in->service);
	wire.stepped_wall = in->stepped_wall;
	wire.stepped_us = in->stepped / MICROSECOND;
	put_clock_peers(&scratch, in, &wire);
	return part_pack(&wire.base, out, capacity);
}

/* Microseconds of a peer's, as a duration that no sum overflows. */
static duration take_us(int64_t us)
{
	const int64_t most = ((int64_t)1 << 52) / 1000 * 1000;
	if (us > most)
		us = most;
	if (us < -most)
		us = -most;
	return us * MICROSECOND;
}

static duration take_unsigned_us(uint64_t us)
{
	return take_us(us > INT64_MAX ? INT64_MAX : (int64_t)us);
}

bool clock_fact_decode(struct bytes in, struct arena *arena, struct clock_fact *out)
{
	const Essaim__Facts__Clock *w =
		arena_unpack(arena, &essaim__facts__clock__descriptor, in.data, in.size);
	if (w == NULL || w->n_peers > FACT_PEERS_MAX)
		return false;
	*out = (struct clock_fact){.unknown = w->unknown,
		.since_wall = take_time(w->since_wall),
		.synchronised = w->synchronised,
		.max_error = take_unsigned_us(w->max_error_us),
		.rate_ppb = w->rate_ppb,
		.stepped_wall = take_time(w->stepped_wall),
		.stepped = take_us(w->stepped_us),
		.peer_count = (uint32_t)w->n_peers};
	for (size_t i = 0; i < w->n_peers; i++)
		out->peers[i] = (struct clock_peer){w->peers[i]->node, take_us(w->peers[i]->offset_us),
			take_unsigned_us(w->peers[i]->error_us)};
	return take_text(w->service, out->service, sizeof out->service);
}

/* ---- dns ---- */

static void put_dns_servers(struct arena *scratch, const struct dns_fact *in,
                            Essaim__Facts__Dns *out)
{
	assert(in->server_count <= FACT_SERVERS_MAX);
	out->servers = scratch_take(scratch, FACT_SERVERS_MAX * sizeof *out->servers);
	for (uint32_t i = 0; i < in->server_count; i++) {
		Essaim__Facts__DnsServer *server =
			part_new(scratch, &essaim__facts__dns_server__descriptor);
		server->address = put_text(in->servers[i].address);
		server->verdict = in->servers[i].verdict;
		server->rcode = in->servers[i].rcode;
		server->worst_ms = in->servers[i].worst_ms;
		out->servers[out->n_servers++] = server;
	}
}

static void put_dns_names(struct arena *scratch, const struct dns_fact *in, Essaim__Facts__Dns *out)
{
	assert(in->name_count <= FACT_NAMES_MAX);
	out->names = scratch_take(scratch, FACT_NAMES_MAX * sizeof *out->names);
	for (uint32_t i = 0; i < in->name_count; i++) {
		const struct dns_name *name = &in->names[i];
		Essaim__Facts__DnsName *w = part_new(scratch, &essaim__facts__dns_name__descriptor);
		w->node = name->node;
		w->kind = name->kind;
		w->verdict = name->verdict;
		w->server = name->server;
		w->worst_ms = name->worst_ms;
		w->found = (ProtobufCBinaryData){name->found_size, (uint8_t *)(uintptr_t)name->found};
		out->names[out->n_names++] = w;
	}
}

size_t dns_fact_encode(const struct dns_fact *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[PARTS_ROOM];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Facts__Dns wire = ESSAIM__FACTS__DNS__INIT;
	wire.unknown = in->unknown;
	wire.since_wall = in->since_wall;
	wire.names_asked = in->names_asked;
	wire.system_ms = in->system_ms;
	wire.system_verdict = in->system_verdict;
	put_dns_servers(&scratch, in, &wire);
	put_dns_names(&scratch, in, &wire);
	return part_pack(&wire.base, out, capacity);
}

static bool take_dns_server(const Essaim__Facts__DnsServer *in, struct dns_server *out)
{
	*out = (struct dns_server){.verdict = (enum dns_verdict)in->verdict,
		.rcode = in->rcode,
		.worst_ms = in->worst_ms};
	return in->verdict < DNS_VERDICTS &&
	       take_text(in->address, out->address, sizeof out->address);
}

static bool take_dns_name(const Essaim__Facts__DnsName *in, struct dns_name *out)
{
	if (in->kind >= DNS_KINDS || in->verdict >= DNS_VERDICTS || in->server > FACT_SERVERS_MAX ||
	    (in->found.len != 0 && in->found.len != 4 && in->found.len != 16))
		return false;
	*out = (struct dns_name){.node = in->node,
		.kind = (enum dns_kind)in->kind,
		.verdict = (enum dns_verdict)in->verdict,
		.server = in->server,
		.worst_ms = in->worst_ms,
		.found_size = (uint8_t)in->found.len};
	if (in->found.len > 0)
		memcpy(out->found, in->found.data, in->found.len);
	return true;
}

bool dns_fact_decode(struct bytes in, struct arena *arena, struct dns_fact *out)
{
	const Essaim__Facts__Dns *w =
		arena_unpack(arena, &essaim__facts__dns__descriptor, in.data, in.size);
	if (w == NULL || w->n_servers > FACT_SERVERS_MAX || w->n_names > FACT_NAMES_MAX ||
	    w->system_verdict >= DNS_VERDICTS)
		return false;
	*out = (struct dns_fact){.unknown = w->unknown,
		.since_wall = take_time(w->since_wall),
		.server_count = (uint32_t)w->n_servers,
		.name_count = (uint32_t)w->n_names,
		.names_asked = w->names_asked,
		.system_ms = w->system_ms,
		.system_verdict = (enum dns_verdict)w->system_verdict};
	for (size_t i = 0; i < w->n_servers; i++) {
		if (!take_dns_server(w->servers[i], &out->servers[i]))
			return false;
	}
	for (size_t i = 0; i < w->n_names; i++) {
		if (!take_dns_name(w->names[i], &out->names[i]))
			return false;
	}
	return true;
}

/* ---- findings ---- */

size_t findings_fact_encode(const struct findings_fact *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[PARTS_ROOM];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Facts__Findings wire = ESSAIM__FACTS__FINDINGS__INIT;
	assert(in->count <= FACT_FINDINGS_MAX);
	wire.more = in->more;
	wire.findings = scratch_take(&scratch, FACT_FINDINGS_MAX * sizeof *wire.findings);
	for (uint32_t i = 0; i < in->count; i++) {
		const struct finding *f = &in->list[i];
		Essaim__Facts__Finding *w = part_new(&scratch, &essaim__facts__finding__descriptor);
		w->code = f->code;
		w->severity = f->severity;
		w->about = f->about;
		w->since_wall = f->since_wall;
		w->detail = put_text(f->detail);
		w->n_numbers = 3;
		w->numbers = (int64_t *)(uintptr_t)f->numbers;
		wire.findings[wire.n_findings++] = w;
	}
	return part_pack(&wire.base, out, capacity);
}

static bool take_finding(const Essaim__Facts__Finding *in, struct finding *out)
{
	if (in->severity < SEVERITY_INFO || in->severity > SEVERITY_ERROR || in->n_numbers > 3)
		return false;
	*out = (struct finding){.code = in->code,
		.severity = (enum severity)in->severity,
		.about = in->about,
		.since_wall = take_time(in->since_wall)};
	for (size_t i = 0; i < in->n_numbers; i++)
		out->numbers[i] = in->numbers[i];
	return take_text(in->detail, out->detail, sizeof out->detail);
}

bool findings_fact_decode(struct bytes in, struct arena *arena, struct findings_fact *out)
{
	const Essaim__Facts__Findings *w =
		arena_unpack(arena, &essaim__facts__findings__descriptor, in.data, in.size);
	if (w == NULL || w->n_findings > FACT_FINDINGS_MAX)
		return false;
	*out = (struct findings_fact){.count = (uint32_t)w->n_findings, .more = w->more};
	for (size_t i = 0; i < w->n_findings; i++) {
		if (!take_finding(w->findings[i], &out->list[i]))
			return false;
	}
	return true;
}

/* ---- words ---- */

uint32_t fact_step(uint64_t value, uint32_t least)
{
	static const uint32_t factors[] = {2, 5, 10};
	if (value <= least)
		return 0;
	for (uint64_t ten = least; ten < UINT32_MAX / 10; ten *= 10) {
		for (int i = 0; i < 3; i++) {
			if (value <= factors[i] * ten)
				return (uint32_t)(factors[i] * ten);
		}
	}
	return UINT32_MAX;
}

const char *dns_verdict_name(enum dns_verdict verdict)
{
	static const char *const names[DNS_VERDICTS] = {
		"ok", "slow", "dead", "refuses", "not found", "differs"};
	return verdict < DNS_VERDICTS ? names[verdict] : "?";
}

const char *severity_name(enum severity severity)
{
	switch (severity) {
	case SEVERITY_INFO:
		return "info";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_ERROR:
		return "error";
	}
	return "?";
}
