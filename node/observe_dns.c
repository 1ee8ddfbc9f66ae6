#include "observe_dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "body_clock.h"
#include "journal.h"
#include "observer.h"
#include "resolv.h"
#include "resolve_child.h"
#include "text.h"

#define RESOLV_FILE "/etc/resolv.conf"
#define ASK_LIMIT "2.0" /* s, for one question to one server */
#define SLOW (1000 * MILLISECOND)
#define DEAD_AFTER 2
#define BROKEN_AFTER 2
#define SYSTEM_EVERY 5 /* s */
#define RESOLV_EVERY 5
#define PUBLISH_EVERY 10
#define QUICK_S 60 /* so long a question each second, then each CALM_S: a thousand nodes share a server */
#define CALM_S 5
#define PROBLEMS_MAX 64
#define TOOK_KEPT 8 /* a server is as slow as the slowest of its last answers */
#define WELL_AGAIN 3 /* slow once is slow until that many were fast */

struct dns_watch;

struct name_server {
	struct evdns_base *base;
	struct dns_server told;
	uint32_t silent; /* questions in a row */
	uint32_t answers;
	duration took[TOOK_KEPT]; /* by the last answers */
};

/* A question on its way: what it is about, and since when. */
struct question {
	LIST_ENTRY(question) link; /* on its way to a server */
	struct dns_watch *watch;
	uint32_t server, round; /* round: of resolv.conf; an answer of an earlier one counts for nothing */
	enum dns_kind kind;
	struct member_view about;
	instant asked;
};

struct dns_watch {
	struct body *body;
	struct event *timer;
	struct resolver *resolver;
	uint32_t round, seconds, since; /* since: when resolv.conf was read */
	struct stat resolv_stat;
	bool resolv_known;
	uint32_t server_count;
	struct name_server servers[FACT_SERVERS_MAX];
	uint32_t server_next, member_next, system_next; /* whose turn it is */
	LIST_HEAD(, question) asking;
	struct question system; /* of the child that runs */
	uint32_t problem_count;
	struct problem {
		struct dns_name name;
		uint32_t well; /* answers in a row since */
	} problems[PROBLEMS_MAX];
	uint32_t asked;
	uint32_t broken; /* look-ups by the system in a row that said nothing */
	struct dns_fact fact;
	uint8_t told[FACT_VALUE_ROOM];
	size_t told_size;
};

/* ---- verdicts ---- */

static struct problem *problem_of(struct dns_watch *w, const struct dns_name *name)
{
	for (uint32_t i = 0; i < w->problem_count; i++) {
		const struct dns_name *p = &w->problems[i].name;
		if (p->node == name->node && p->kind == name->kind && p->server == name->server)
			return &w->problems[i];
	}
	return NULL;
}

static void judge_well(struct dns_watch *w, struct problem *p)
{
	if (p != NULL && (p->name.verdict != DNS_SLOW || ++p->well >= WELL_AGAIN))
		*p = w->problems[--w->problem_count];
}

/* Keeps what is not well, and forgets it once it is. */
static void judge(struct dns_watch *w, const struct dns_name *verdict)
{
	struct problem *p = problem_of(w, verdict);
	if (verdict->verdict == DNS_WELL)
		judge_well(w, p);
	else if (p != NULL)
		*p = (struct problem){*verdict, 0};
	else if (w->problem_count < PROBLEMS_MAX)
		w->problems[w->problem_count++] = (struct problem){*verdict, 0};
}

static bool same_ip(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

/* Is one of the found addresses one that the member is reached at? */
static bool is_of(const struct member_view *m, const struct address *found, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (same_ip(&found[i], &m->address))
			return true;
		for (uint32_t k = 0; k < m->path_count; k++) {
			if (same_ip(&found[i], &m->paths[k].remote))
				return true;
		}
	}
	return false;
}

static void set_found(struct dns_name *out, const struct address *found)
{
	out->found_size = found->family == 4 ? 4 : 16;
	memcpy(out->found, found->ip, out->found_size);
}

static void judge_addresses(struct dns_watch *w, const struct question *q, duration took,
                            const struct address *found, uint32_t count)
{
	struct dns_name out = {.node = q->about.id, .kind = q->kind, .server = q->server,
		.worst_ms = fact_step((uint64_t)(took / MILLISECOND), 100)};
	if (count == 0)
		out.verdict = DNS_NOT_FOUND;
	else if (!is_of(&q->about, found, count))
		out.verdict = DNS_DIFFERS, set_found(&out, &found[0]);
	else if (took >= SLOW)
		out.verdict = DNS_SLOW;
	judge(w, &out);
}

static duration slowest(const struct name_server *s)
{
	duration most = 0;
	for (uint32_t i = 0; i < TOOK_KEPT && i < s->answers; i++)
		most = s->took[i] > most ? s->took[i] : most;
	return most;
}

static void judge_server(struct name_server *s, int result, duration took)
{
	bool silent = result == DNS_ERR_TIMEOUT || result == DNS_ERR_UNKNOWN;
	s->silent = silent ? s->silent + 1 : 0;
	if (silent) {
		if (s->silent >= DEAD_AFTER)
			s->told.verdict = DNS_DEAD;
		return;
	}
	s->took[s->answers++ % TOOK_KEPT] = took;
	bool refuses = result == DNS_ERR_SERVERFAILED || result == DNS_ERR_REFUSED ||
	               result == DNS_ERR_FORMAT || result == DNS_ERR_NOTIMPL;
	s->told.rcode = refuses ? (uint32_t)result : 0;
	s->told.verdict = refuses ? DNS_REFUSES : slowest(s) >= SLOW ? DNS_SLOW : DNS_WELL;
}

/* ---- one question to one server ---- */

static uint32_t take_addresses(char type, int count, const void *answers, struct address out[RESOLVED_MAX])
{
	uint32_t taken = 0;
	size_t size = type == DNS_IPv6_AAAA ? 16 : 4;
	if (type != DNS_IPv4_A && type != DNS_IPv6_AAAA)
		return 0;
	for (int i = 0; i < count && taken < RESOLVED_MAX; i++) {
		out[taken] = (struct address){.family = size == 16 ? 6 : 4};
		memcpy(out[taken++].ip, (const uint8_t *)answers + (size_t)i * size, size);
	}
	return taken;
}

static void question_free(struct question *q)
{
	LIST_REMOVE(q, link);
	free(q);
}

static void on_answer(int result, char type, int count, int ttl, void *answers, void *context)
{
	struct question *q = context;
	struct dns_watch *w = q->watch;
	duration took = body_clock_monotonic() - q->asked;
	if (result == DNS_ERR_SHUTDOWN || result == DNS_ERR_CANCEL || q->round != w->round) {
		question_free(q);
		return;
	}
	struct address found[RESOLVED_MAX];
	struct dns_name reverse = {.node = q->about.id, .kind = DNS_REVERSE, .server = q->server,
		.worst_ms = fact_step((uint64_t)(took / MILLISECOND), 100),
		.verdict = took >= SLOW ? DNS_SLOW : DNS_WELL};
	judge_server(&w->servers[q->server], result, took);
	if (q->kind == DNS_REVERSE && (result == DNS_ERR_NONE || result == DNS_ERR_NOTEXIST))
		judge(w, &reverse);
	else if (q->kind == DNS_REVERSE && result == DNS_ERR_TIMEOUT)
		reverse.verdict = DNS_SLOW, judge(w, &reverse);
	else if (result == DNS_ERR_NONE || result == DNS_ERR_NOTEXIST)
		judge_addresses(w, q, took, found, take_addresses(type, count, answers, found));
	question_free(q);
}

static void ask_reverse(struct evdns_base *base, struct question *q)
{
	const struct address *a = &q->about.address;
	struct in_addr four;
	struct in6_addr six;
	struct evdns_request *asked;
	memcpy(&four, a->ip, sizeof four);
	memcpy(&six, a->ip, sizeof six);
	asked = a->family == 6 ? evdns_base_resolve_reverse_ipv6(base, &six, DNS_QUERY_NO_SEARCH, on_answer, q)
	                       : evdns_base_resolve_reverse(base, &four, DNS_QUERY_NO_SEARCH, on_answer, q);
	if (asked == NULL)
		question_free(q);
}

static void ask_forward(struct evdns_base *base, struct question *q)
{
	struct evdns_request *asked =
	    q->about.address.family == 6 ? evdns_base_resolve_ipv6(base, q->about.name, 0, on_answer, q)
	                                 : evdns_base_resolve_ipv4(base, q->about.name, 0, on_answer, q);
	if (asked == NULL)
		question_free(q);
}

static void ask(struct dns_watch *w, uint32_t server, enum dns_kind kind, const struct member_view *about)
{
	struct question *q = malloc(sizeof *q);
	if (q == NULL)
		return;
	*q = (struct question){.watch = w, .server = server, .round = w->round, .kind = kind,
		.about = *about, .asked = body_clock_monotonic()};
	LIST_INSERT_HEAD(&w->asking, q, link);
	w->asked++;
	if (kind == DNS_REVERSE)
		ask_reverse(w->servers[server].base, q);
	else
		ask_forward(w->servers[server].base, q);
}

/* ---- the system's resolver ---- */

static void on_resolved(void *context, const struct resolved *r)
{
	struct dns_watch *w = context;
	w->broken = r->broken ? w->broken + 1 : 0;
	if (r->broken || w->system.round != w->round)
		return;
	struct dns_name out = {.node = w->system.about.id, .kind = DNS_SYSTEM, .server = w->server_count,
		.worst_ms = fact_step((uint64_t)(r->took / MILLISECOND), 100)};
	if (r->timed_out)
		out.verdict = DNS_DEAD;
	else if (r->mute)
		out.verdict = DNS_REFUSES;
	else if (!r->found)
		out.verdict = DNS_NOT_FOUND;
	else if (!is_of(&w->system.about, r->list, r->count))
		out.verdict = DNS_DIFFERS, set_found(&out, &r->list[0]);
	else if (r->took >= SLOW)
		out.verdict = DNS_SLOW;
	if (w->system.about.self) {
		w->fact.system_ms = out.worst_ms;
		w->fact.system_verdict = r->timed_out        ? DNS_DEAD
		                         : r->took >= SLOW ? DNS_SLOW
		                         : r->mute         ? DNS_REFUSES
		                                           : DNS_WELL;
	}
	judge(w, &out);
}

/* The member whose turn it is, ourselves included; false: there is none. */
static bool next_member(const struct dns_watch *w, uint32_t *cursor, struct member_view *out)
{
	struct now now;
	body_clock_read(&now);
	for (int pass = 0; pass < 2; pass++) {
		for (; gossip_member_at(w->body->gossip, &now, *cursor, out); (*cursor)++) {
			if (out->state == REACHABLE || out->self) {
				(*cursor)++;
				return true;
			}
		}
		*cursor = 0;
	}
	return false;
}

static void ask_system(struct dns_watch *w)
{
	struct member_view about;
	if (resolver_busy(w->resolver) || !next_member(w, &w->system_next, &about))
		return;
	w->system = (struct question){.watch = w, .round = w->round, .about = about};
	if (!resolver_start(w->resolver, about.name, on_resolved, w))
		w->broken++;
}

/* ---- resolv.conf ---- */

/* `tell`: questions under way are called back, later; at the end of the daemon there is no later. */
static void forget_servers(struct dns_watch *w, bool tell)
{
	for (uint32_t i = 0; i < w->server_count; i++)
		evdns_base_free(w->servers[i].base, tell);
	while (!tell && !LIST_EMPTY(&w->asking))
		question_free(LIST_FIRST(&w->asking));
	memset(w->servers, 0, sizeof w->servers);
	w->server_count = w->problem_count = w->asked = 0;
	w->round++;
	w->since = w->seconds;
}

static void add_server(struct dns_watch *w, const struct resolv *conf, const char *address)
{
	struct name_server *s = &w->servers[w->server_count];
	s->base = evdns_base_new(w->body->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (s->base == NULL || evdns_base_nameserver_ip_add(s->base, address) != 0) {
		if (s->base != NULL)
			evdns_base_free(s->base, 0);
		s->base = NULL;
		return;
	}
	evdns_base_set_option(s->base, "timeout:", ASK_LIMIT);
	evdns_base_set_option(s->base, "attempts:", "1");
	evdns_base_set_option(s->base, "randomize-case:", "0");
	evdns_base_set_option(s->base, "initial-probe-timeout:", "5");
	for (uint32_t i = 0; i < conf->search_count; i++)
		evdns_base_search_add(s->base, conf->search[i]);
	snprintf(s->told.address, sizeof s->told.address, "%s", address);
	w->server_count++;
}

static bool resolv_changed(struct dns_watch *w)
{
	struct stat now = {0};
	bool there = stat(RESOLV_FILE, &now) == 0;
	bool same = w->resolv_known && now.st_ino == w->resolv_stat.st_ino &&
	            now.st_size == w->resolv_stat.st_size &&
	            now.st_mtim.tv_sec == w->resolv_stat.st_mtim.tv_sec &&
	            now.st_mtim.tv_nsec == w->resolv_stat.st_mtim.tv_nsec;
	bool gone = w->resolv_known && !there;
	w->resolv_stat = now;
	w->resolv_known = there;
	return gone || (there && !same);
}

/* A file that was removed names no server: the old ones are not judged any more. */
static void read_resolv(struct dns_watch *w)
{
	struct resolv conf = {0};
	FILE *in = fopen(RESOLV_FILE, "re");
	if (in == NULL && errno != ENOENT)
		return;
	if (in != NULL) {
		resolv_read(in, &conf);
		fclose(in);
	}
	forget_servers(w, true);
	for (uint32_t i = 0; i < conf.server_count; i++)
		add_server(w, &conf, conf.servers[i]);
}

/* ---- the fact ---- */

/* Worst first: an address that is another's, then silence, then slowness. */
static int worst_first(const void *a, const void *b)
{
	static const int weight[DNS_VERDICTS] = {0, 2, 3, 1, 1, 4};
	const struct dns_name *x = &((const struct problem *)a)->name;
	const struct dns_name *y = &((const struct problem *)b)->name;
	if (weight[x->verdict] != weight[y->verdict])
		return weight[y->verdict] - weight[x->verdict];
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->server < y->server ? -1 : x->server > y->server;
}

/* The system's resolver says nothing that makes sense: what it once said is not told as if it were new. */
static void note_unknown(struct dns_watch *w)
{
	struct dns_fact *f = &w->fact;
	bool unknown = w->broken >= BROKEN_AFTER;
	if (unknown && !f->unknown)
		f->since_wall = body_clock_wall();
	if (!unknown)
		f->since_wall = 0;
	f->unknown = unknown;
}

static void make_fact(struct dns_watch *w)
{
	struct dns_fact *f = &w->fact;
	note_unknown(w);
	f->server_count = w->server_count;
	for (uint32_t i = 0; i < w->server_count; i++) {
		struct name_server *s = &w->servers[i];
		s->told.worst_ms = fact_step((uint64_t)(slowest(s) / MILLISECOND), 100);
		f->servers[i] = s->told;
	}
	qsort(w->problems, w->problem_count, sizeof w->problems[0], worst_first);
	f->name_count = w->problem_count < FACT_NAMES_MAX ? w->problem_count : FACT_NAMES_MAX;
	for (uint32_t i = 0; i < f->name_count; i++)
		f->names[i] = w->problems[i].name;
	f->names_asked = w->asked > 0;
}

static void publish(struct dns_watch *w)
{
	uint8_t value[FACT_VALUE_ROOM];
	make_fact(w);
	size_t size = dns_fact_encode(&w->fact, value, sizeof value);
	if (size == 0 || (size == w->told_size && memcmp(value, w->told, size) == 0))
		return;
	memcpy(w->told, value, size);
	w->told_size = size;
	struct input input = {.kind = INPUT_PUBLISH};
	input.publish.key = text_bytes(FACT_KEY_DNS);
	input.publish.value = (struct bytes){value, size};
	body_step(w->body, &input);
}

/* ---- the second's round ---- */

static void look(struct dns_watch *w, uint32_t pace)
{
	struct member_view about;
	if (w->seconds % RESOLV_EVERY == 0 && resolv_changed(w))
		read_resolv(w);
	bool turn = w->seconds - w->since < QUICK_S || w->seconds % CALM_S == 0;
	if (turn && w->server_count > 0 && next_member(w, &w->member_next, &about)) {
		uint32_t server = w->server_next++ % w->server_count;
		ask(w, server, DNS_FORWARD, &about);
		ask(w, server, DNS_REVERSE, &about);
	}
	if (w->seconds % SYSTEM_EVERY == 0)
		ask_system(w);
	if (w->seconds % (PUBLISH_EVERY * pace) == PUBLISH_EVERY - 1)
		publish(w);
	w->seconds++;
}

static void on_timer(evutil_socket_t none, short what, void *context)
{
	struct dns_watch *w = context;
	struct timeval next = {1, 0};
	struct status_view status;
	struct now now;
	body_clock_read(&now);
	event_add(w->timer, &next);
	gossip_status(w->body->gossip, &now, &status);
	if (status.standing == STANDING_MEMBER)
		look(w, observer_pace(status.members_total));
}

/* What it would print of dead servers is what the fact says. */
static void say_nothing(int is_warning, const char *message)
{
}

struct dns_watch *dns_watch_create(struct body *body)
{
	struct dns_watch *w = calloc(1, sizeof *w);
	struct timeval first = {1, 0};
	if (w == NULL)
		return NULL;
	evdns_set_log_fn(say_nothing);
	w->body = body;
	w->resolver = resolver_create(body->base);
	w->timer = event_new(body->base, -1, 0, on_timer, w);
	bool wanted = body->config.observe_dns == OBSERVE_YES;
	if (w->resolver == NULL || w->timer == NULL || (wanted && event_add(w->timer, &first) < 0)) {
		dns_watch_destroy(w);
		return NULL;
	}
	return w;
}

void dns_watch_destroy(struct dns_watch *w)
{
	if (w == NULL)
		return;
	forget_servers(w, false);
	resolver_destroy(w->resolver);
	if (w->timer != NULL)
		event_free(w->timer);
	free(w);
}

const struct dns_fact *dns_watch_fact(const struct dns_watch *w)
{
	return w->told_size > 0 ? &w->fact : NULL;
}
