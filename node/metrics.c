#include "metrics.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "body_clock.h"
#include "checkup.h"
#include "store.h"
#include "turns.h"
#include "udp.h"

struct sample {
	const struct body *body;
	struct now now;
	struct status_view status;
	struct rusage usage;
	uint32_t findings[SEVERITY_ERROR + 1];
};

typedef double metric_read(const struct sample *s);
/* Writes the lines of a metric that has labels. */
typedef void metric_lines(const struct sample *s, const char *name, struct evbuffer *out);

struct metric {
	struct metric_info info;
	metric_read *read;
	metric_lines *lines;
};

static double seconds(duration d)
{
	return (double)d / (double)SECOND;
}

static double read_up(const struct sample *s)
{
	return s->status.standing == STANDING_MEMBER;
}

static double read_master(const struct sample *s)
{
	return s->status.self_master;
}

static double read_master_known(const struct sample *s)
{
	return s->status.master_known;
}

static double read_epoch(const struct sample *s)
{
	return (double)s->status.epoch;
}

static double read_lease(const struct sample *s)
{
	return s->status.master_known ? seconds(s->status.lease_left) : 0;
}

static double read_members(const struct sample *s)
{
	return s->status.members_total;
}

static double read_members_reachable(const struct sample *s)
{
	return s->status.members_reachable;
}

static double read_voters(const struct sample *s)
{
	return s->status.voters_total;
}

static double read_voters_reachable(const struct sample *s)
{
	return s->status.voters_reachable;
}

static double read_voters_needed(const struct sample *s)
{
	return s->status.voters_needed;
}

static double read_votes(const struct sample *s)
{
	return s->status.votes;
}

static double read_commit(const struct sample *s)
{
	return (double)s->status.commit;
}

static double read_applied(const struct sample *s)
{
	return (double)s->status.applied;
}

static double read_health(const struct sample *s)
{
	return s->status.health;
}

static double read_store(const struct sample *s)
{
	return seconds(store_latency(s->body->store, false));
}

static double read_late(const struct sample *s)
{
	return seconds(s->body->late_max);
}

static double read_held(const struct sample *s)
{
	return seconds(turns_longest());
}

static double read_held_lately(const struct sample *s)
{
	return seconds(turns_longest_lately());
}

static double read_worked(const struct sample *s)
{
	return seconds(turns_most_work());
}

static double read_turns(const struct sample *s)
{
	return (double)turns_count();
}

static double read_cpu(const struct sample *s)
{
	const struct timeval *user = &s->usage.ru_utime, *kernel = &s->usage.ru_stime;
	return (double)(user->tv_sec + kernel->tv_sec) +
	       (double)(user->tv_usec + kernel->tv_usec) / 1e6;
}

static double read_resident(const struct sample *s)
{
	return (double)s->usage.ru_maxrss * 1024;
}

static double read_uptime(const struct sample *s)
{
	return seconds(s->now.boot - s->body->started);
}

static void lines_dropped(const struct sample *s, const char *name, struct evbuffer *out)
{
	for (int i = 0; i < DROP_REASONS; i++) {
		uint64_t count = s->status.dropped[i];
		if (i == DROP_OUTPUT)
			count += udp_lost(s->body->udp);
		evbuffer_add_printf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", name,
		                    drop_reason_name((enum drop_reason)i), count);
	}
}

static void lines_findings(const struct sample *s, const char *name, struct evbuffer *out)
{
	for (int i = SEVERITY_INFO; i <= SEVERITY_ERROR; i++)
		evbuffer_add_printf(out, "%s{severity=\"%s\"} %u\n", name,
		                    severity_name((enum severity)i), s->findings[i]);
}

static void lines_offsets(const struct sample *s, const char *name, struct evbuffer *out)
{
	struct member_view m;
	for (uint32_t i = 0; gossip_member_at(s->body->gossip, &s->now, i, &m); i++) {
		if (m.clock_known && m.state == REACHABLE)
			evbuffer_add_printf(out, "%s{node=\"%s\"} %.6f\n", name, m.name,
			                    seconds(m.clock_offset));
	}
}

/* A version is a label's value: what it says cannot be counted. */
static void lines_build(const struct sample *s, const char *name, struct evbuffer *out)
{
	evbuffer_add_printf(out, "%s_info{version=\"%s\"} 1\n", name, ESSAIM_VERSION);
}

static const struct metric metrics[] = {
	{{"essaim_build", "info", "", "the version of this daemon"}, NULL, lines_build},
	{{"essaim_member", "gauge", "", "1 while this node is a member of a cluster"}, read_up, NULL},
	{{"essaim_master", "gauge", "", "1 while this node is the master"}, read_master, NULL},
	{{"essaim_master_known", "gauge", "", "1 while this node knows a master whose lease runs"},
	 read_master_known, NULL},
	{{"essaim_epoch", "gauge", "", "the epoch of the last master known"}, read_epoch, NULL},
	{{"essaim_lease_left_seconds", "gauge", "seconds",
	  "how long the master's lease still runs, as this node sees it"},
	 read_lease, NULL},
	{{"essaim_members", "gauge", "", "members of the cluster"}, read_members, NULL},
	{{"essaim_members_reachable", "gauge", "", "members that are reachable from here"},
	 read_members_reachable, NULL},
	{{"essaim_voters", "gauge", "", "voters"}, read_voters, NULL},
	{{"essaim_voters_reachable", "gauge", "", "voters that are reachable from here"},
	 read_voters_reachable, NULL},
	{{"essaim_voters_needed", "gauge", "", "voters that a master needs"}, read_voters_needed, NULL},
	{{"essaim_votes", "gauge", "", "1 while this node gives its vote"}, read_votes, NULL},
	{{"essaim_commit_index", "gauge", "", "the last entry of the ledger known to be committed"},
	 read_commit, NULL},
	{{"essaim_applied_index", "gauge", "", "the last entry of the ledger applied here"},
	 read_applied, NULL},
	{{"essaim_local_health", "gauge", "", "0 is well, 8 is sick (Lifeguard's local health)"},
	 read_health, NULL},
	{{"essaim_clock_offset_seconds", "gauge", "seconds", "a member's wall clock less ours"}, NULL,
	 lines_offsets},
	{{"essaim_findings", "gauge", "", "what the doctor found on this node, by severity"}, NULL,
	 lines_findings},
	{{"essaim_dropped_inputs", "counter", "", "inputs that were dropped, by reason"}, NULL,
	 lines_dropped},
	{{"essaim_store_write_seconds", "gauge", "seconds", "the slowest of the last synced writes"},
	 read_store, NULL},
	{{"essaim_loop_late_seconds", "gauge", "seconds",
	  "how late the loop was at worst since the start of the daemon"},
	 read_late, NULL},
	{{"essaim_loop_held_seconds", "gauge", "seconds",
	  "the longest turn of the loop in the last minute or two: what became due meanwhile waited for it"},
	 read_held_lately, NULL},
	{{"essaim_loop_held_max_seconds", "gauge", "seconds",
	  "the longest turn of the loop since the start of the daemon"},
	 read_held, NULL},
	{{"essaim_loop_worked_max_seconds", "gauge", "seconds",
	  "the most processor time that one turn of the loop used: what the longest turn had more, others had"},
	 read_worked, NULL},
	{{"essaim_loop_turns", "counter", "", "turns of the loop"}, read_turns, NULL},
	{{"essaim_cpu_seconds", "counter", "seconds", "processor time used by this daemon"}, read_cpu,
	 NULL},
	{{"essaim_resident_max_bytes", "gauge", "bytes", "most memory this daemon had resident"},
	 read_resident, NULL},
	{{"essaim_uptime_seconds", "gauge", "seconds", "since the daemon was started"}, read_uptime, NULL},
};
#define METRIC_COUNT (sizeof metrics / sizeof metrics[0])

bool metric_at(uint32_t position, struct metric_info *out)
{
	if (position >= METRIC_COUNT)
		return false;
	*out = metrics[position].info;
	return true;
}

static void take_sample(const struct body *body, struct sample *out)
{
	const struct diagnosis *d = checkup_diagnosis(body->checkup);
	*out = (struct sample){.body = body};
	body_clock_read(&out->now);
	gossip_status(body->gossip, &out->now, &out->status);
	getrusage(RUSAGE_SELF, &out->usage);
	for (uint32_t i = 0; i < d->count; i++)
		out->findings[d->list[i].severity]++;
}

/*
 * Where the two differ: OpenMetrics names a counter's family without _total, knows units and "info",
 * and ends with # EOF.
 */
static void write_head(const struct metric_info *info, const char *name, bool open,
                       struct evbuffer *out)
{
	bool fact = strcmp(info->type, "info") == 0;
	const char *family = open ? info->name : name;
	evbuffer_add_printf(out, "# TYPE %s%s %s\n", family, fact && !open ? "_info" : "",
	                    fact && !open ? "gauge" : info->type);
	if (open && info->unit[0] != '\0')
		evbuffer_add_printf(out, "# UNIT %s %s\n", family, info->unit);
	evbuffer_add_printf(out, "# HELP %s%s %s\n", family, fact && !open ? "_info" : "", info->help);
}

static void write_metric(const struct metric *m, const struct sample *s, bool open,
                         struct evbuffer *out)
{
	char name[80];
	bool counter = strcmp(m->info.type, "counter") == 0;
	snprintf(name, sizeof name, "%s%s", m->info.name, counter ? "_total" : "");
	write_head(&m->info, name, open, out);
	if (m->lines != NULL)
		m->lines(s, name, out);
	else
		evbuffer_add_printf(out, "%s %.9g\n", name, m->read(s));
}

void metrics_write(const struct body *body, bool open, struct evbuffer *out)
{
	struct sample sample;
	take_sample(body, &sample);
	for (size_t i = 0; i < METRIC_COUNT; i++)
		write_metric(&metrics[i], &sample, open, out);
	if (open)
		evbuffer_add_printf(out, "# EOF\n");
}
