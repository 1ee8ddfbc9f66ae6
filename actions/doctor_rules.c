/*
 * The doctor's other rules, by area. Each reads the patient only.
 */
#include <stdio.h>
#include <string.h>

#include "doctor_inside.h"
#include "text.h"

#define CLONE_SHOWN (600 * SECOND)

/* ---- quorum ---- */

static void judge_voter(struct exam *exam, const struct patient_member *m)
{
	const struct status_view *s = exam->patient->status;
	if (!m->view.voter || m->view.self || m->view.state != UNREACHABLE)
		return;
	int64_t spare = (int64_t)s->voters_reachable - s->voters_needed;
	exam_find(exam, DOCTOR_VOTER_LOST, SEVERITY_WARNING, m->view.id, spare < 0 ? 0 : spare, 0, NULL);
}

void doctor_quorum(struct exam *exam)
{
	const struct patient *p = exam->patient;
	const struct status_view *s = p->status;
	if (s->voters_reachable < s->voters_needed) {
		exam_find(exam, DOCTOR_NO_QUORUM, SEVERITY_ERROR, 0, s->voters_reachable,
		          s->voters_total, NULL);
		exam->out->list[exam->out->count - 1].numbers[2] = s->voters_needed;
	} else if (!s->master_known) {
		exam_find(exam, DOCTOR_NO_MASTER, SEVERITY_ERROR, 0, 0, 0, NULL);
	}
	if (s->voters_total == 2)
		exam_find(exam, DOCTOR_VOTERS_TWO, SEVERITY_INFO, 0, 0, 0, NULL);
	for (uint32_t i = 0; i < p->member_count; i++)
		judge_voter(exam, &p->members[i]);
}

/* ---- dns ---- */

static void judge_server(struct exam *exam, const struct dns_server *server)
{
	node_id self = exam_self(exam)->view.id;
	switch (server->verdict) {
	case DNS_WELL:
	case DNS_NOT_FOUND:
	case DNS_DIFFERS:
	case DNS_VERDICTS:
		return;
	case DNS_SLOW:
		exam_find(exam, DOCTOR_DNS_SLOW, SEVERITY_WARNING, self,
		          (int64_t)server->worst_ms * MILLISECOND, 0, server->address);
		return;
	case DNS_DEAD:
		exam_find(exam, DOCTOR_DNS_SERVER_DEAD, SEVERITY_ERROR, self, 0, 0, server->address);
		return;
	case DNS_REFUSES:
		exam_find(exam, DOCTOR_DNS_REFUSES, SEVERITY_WARNING, self, server->rcode, 0,
		          server->address);
		return;
	}
}

/* As `ping`, `dig -x` and `getent` take it: no port, no brackets. */
static void address_ip(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
	char text[ADDRESS_TEXT_SIZE];
	address_format(a, text);
	char *port = strrchr(text, ':'), *end = strchr(text, ']');
	if (a->family != 0 && port != NULL)
		*port = '\0';
	if (end != NULL)
		*end = '\0';
	snprintf(out, ADDRESS_TEXT_SIZE, "%s", text[0] == '[' ? text + 1 : text);
}

static void found_text(const struct dns_name *name, char out[ADDRESS_TEXT_SIZE])
{
	struct address a = {.family = name->found_size == 16 ? 6 : name->found_size == 4 ? 4 : 0};
	memcpy(a.ip, name->found, name->found_size);
	address_ip(&a, out);
}

static void judge_reverse(struct exam *exam, const struct dns_name *name)
{
	char ip[ADDRESS_TEXT_SIZE] = "";
	for (uint32_t i = 0; i < exam->patient->member_count; i++) {
		const struct member_view *v = &exam->patient->members[i].view;
		if (v->id == name->node)
			address_ip(&v->address, ip);
	}
	exam_find(exam, DOCTOR_DNS_SLOW_PTR, SEVERITY_WARNING, name->node,
	          (int64_t)name->worst_ms * MILLISECOND, 0, ip);
}

static void judge_name(struct exam *exam, const struct dns_name *name)
{
	char found[ADDRESS_TEXT_SIZE];
	found_text(name, found);
	if (name->verdict == DNS_SLOW && name->kind == DNS_REVERSE)
		judge_reverse(exam, name);
	if (name->verdict == DNS_DIFFERS && name->kind != DNS_REVERSE)
		exam_find(exam, DOCTOR_NAME_MISMATCH, SEVERITY_ERROR, name->node, 0, 0, found);
	if (name->verdict == DNS_NOT_FOUND && name->kind == DNS_SYSTEM)
		exam_find(exam, DOCTOR_NAME_UNKNOWN, SEVERITY_INFO, name->node, 0, 0, NULL);
}

void doctor_dns(struct exam *exam)
{
	const struct patient_member *us = exam_self(exam);
	const struct dns_fact *d = exam->patient->dns;
	if (d == NULL)
		return;
	for (uint32_t i = 0; i < d->server_count; i++)
		judge_server(exam, &d->servers[i]); /* each is known by itself */
	if (d->unknown)
		return;
	for (uint32_t i = 0; i < d->name_count; i++)
		judge_name(exam, &d->names[i]);
	if (d->system_verdict == DNS_DEAD || d->system_verdict == DNS_SLOW)
		exam_find(exam, DOCTOR_RESOLVER_STUCK, SEVERITY_ERROR, us->view.id,
		          (int64_t)d->system_ms * MILLISECOND, 0, NULL);
}

/* ---- network ---- */

/* It accuses us of silence, and yet we hear it. */
static void judge_accuser(struct exam *exam, node_id accuser)
{
	const struct patient *p = exam->patient;
	for (uint32_t i = 0; i < p->member_count; i++) {
		const struct member_view *v = &p->members[i].view;
		if (v->id == accuser && v->state == REACHABLE && v->heard_ago >= 0 &&
		    v->heard_ago < 5 * SECOND)
			exam_find(exam, DOCTOR_ONE_WAY_LINK, SEVERITY_ERROR, accuser, 0, 0, NULL);
	}
}

/* Of what single packets do not prove: three times in a row is no mere loss. */
#define IN_A_ROW 3

static void judge_link(struct exam *exam, const struct patient_member *m)
{
	const struct member_view *v = &m->view;
	char ip[ADDRESS_TEXT_SIZE];
	if (v->self || v->state != REACHABLE)
		return;
	address_ip(&v->address, ip);
	if (v->unheard >= IN_A_ROW && exam_found(exam, DOCTOR_ONE_WAY_LINK, v->id) == NULL)
		exam_find(exam, DOCTOR_ONE_WAY_LINK, SEVERITY_ERROR, v->id, 0, 0, ip);
	if (v->large_lost >= IN_A_ROW)
		exam_find(exam, DOCTOR_MTU_SMALL, SEVERITY_WARNING, v->id,
		          PACKET_MAX + (v->address.family == 6 ? 48 : 28), 0, ip);
	if (m->shut >= IN_A_ROW)
		exam_find(exam, DOCTOR_TCP_BLOCKED, SEVERITY_ERROR, v->id, 0, 0, ip);
}

static void judge_paths(struct exam *exam, const struct member_view *v)
{
	char ours[ADDRESS_TEXT_SIZE], theirs[ADDRESS_TEXT_SIZE], detail[FACT_DETAIL_MAX + 1];
	for (uint32_t i = 0; v->state == REACHABLE && i < v->path_count; i++) {
		if (v->paths[i].state != PATH_DOWN)
			continue;
		address_format(&v->paths[i].local, ours);
		address_format(&v->paths[i].remote, theirs);
		snprintf(detail, sizeof detail, "%.34s to %.34s", ours, theirs);
		exam_find(exam, DOCTOR_PATH_DOWN, SEVERITY_WARNING, v->id, 0, 0, detail);
	}
}

static void judge_clone(struct exam *exam, const struct member_view *v)
{
	char here[ADDRESS_TEXT_SIZE], there[ADDRESS_TEXT_SIZE], detail[FACT_DETAIL_MAX + 1];
	if (!v->cloned || v->clone_ago > CLONE_SHOWN)
		return;
	address_format(&v->address, here);
	address_format(&v->clone_address, there);
	snprintf(detail, sizeof detail, "%.34s and %.34s", here, there);
	exam_find(exam, DOCTOR_KEY_CLONE, SEVERITY_ERROR, v->id, 0, 0, detail);
}

void doctor_network(struct exam *exam)
{
	const struct patient *p = exam->patient;
	const struct member_view *self = &exam_self(exam)->view;
	for (uint32_t i = 0; i < p->member_count; i++) {
		const struct member_view *v = &p->members[i].view;
		if (!v->self && v->state == UNREACHABLE)
			exam_find(exam, DOCTOR_UNREACHABLE, SEVERITY_ERROR, v->id, v->since, 0, NULL);
		judge_paths(exam, v);
		judge_clone(exam, v);
	}
	for (uint32_t i = 0; i < self->accuser_count; i++)
		judge_accuser(exam, self->accusers[i].node);
	for (uint32_t i = 0; i < p->member_count; i++)
		judge_link(exam, &p->members[i]);
}

/* ---- versions ---- */

void doctor_versions(struct exam *exam)
{
	const struct patient *p = exam->patient;
	const struct patient_member *us = exam_self(exam);
	for (uint32_t i = 0; i < p->member_count; i++) {
		const struct patient_member *m = &p->members[i];
		const struct member_view *v = &m->view;
		if (v->self || v->state == GONE_LEFT || v->state == GONE_REMOVED)
			continue;
		if (v->wire_max != 0 &&
		    (v->wire_min > WIRE_VERSION_MAX || v->wire_max < WIRE_VERSION_MIN))
			exam_find(exam, DOCTOR_VERSION_RANGE, SEVERITY_ERROR, v->id, 0, 0, NULL);
		else if (us->has_host && m->has_host && v->state == REACHABLE &&
		         strcmp(us->version, m->version) != 0)
			exam_find(exam, DOCTOR_VERSION_MIXED, SEVERITY_INFO, v->id, 0, 0,
			          m->version);
	}
}

/* ---- hosts and disks ---- */

/* One of them is enough: where a whole cluster was cloned, all pairs would be as many findings as members, squared. */
static void judge_same_name(struct exam *exam)
{
	const struct patient *p = exam->patient;
	const struct patient_member *us = exam_self(exam), *twin = NULL;
	for (uint32_t i = 0; us->has_host && i < p->member_count; i++) {
		const struct patient_member *m = &p->members[i];
		if (!m->view.self && exam_up(m) && m->has_host && us->uname[0] != '\0' &&
		    strcmp(m->uname, us->uname) == 0 && (twin == NULL || m->view.id < twin->view.id))
			twin = m;
	}
	if (twin != NULL)
		exam_find(exam, DOCTOR_NAME_TWICE, SEVERITY_ERROR, twin->view.id, 0, 0, us->uname);
}

static void judge_usage(struct exam *exam, node_id self, const struct usage_fact *u)
{
	const struct thresholds *t = &exam->patient->thresholds;
	if (u->data_percent >= t->disk_full_percent)
		exam_find(exam, DOCTOR_DISK_FULL, SEVERITY_ERROR, self, u->data_percent, 0, NULL);
	if (u->root_percent >= t->root_full_percent)
		exam_find(exam, DOCTOR_ROOT_FULL, SEVERITY_WARNING, self, u->root_percent, 0, NULL);
	if (u->store_ms >= exam_threshold(exam, DOCTOR_DISK_SLOW, self, t->disk_slow_ms))
		exam_find(exam, DOCTOR_DISK_SLOW, SEVERITY_WARNING, self,
		          (int64_t)u->store_ms * MILLISECOND, 0, NULL);
	if (u->lag_ms >= exam_threshold(exam, DOCTOR_HOST_LOADED, self, t->late_ms))
		exam_find(exam, DOCTOR_HOST_LOADED, SEVERITY_WARNING, self,
		          (int64_t)u->lag_ms * MILLISECOND, 0, NULL);
}

static void judge_unknown(struct exam *exam, bool unknown, instant since, const char *what)
{
	duration for_so_long = since != 0 && exam->now_wall > since ? exam->now_wall - since : 0;
	if (unknown)
		exam_find(exam, DOCTOR_FACTS_OLD, SEVERITY_INFO, exam_self(exam)->view.id, for_so_long, 0,
		          what);
}

void doctor_hosts(struct exam *exam)
{
	const struct patient *p = exam->patient;
	node_id self = exam_self(exam)->view.id;
	if (p->status->disk_failed)
		exam_find(exam, DOCTOR_STORE_FAILED, SEVERITY_ERROR, self, 0, 0, NULL);
	if (p->usage != NULL && !p->usage->unknown)
		judge_usage(exam, self, p->usage);
	judge_unknown(exam, p->usage != NULL && p->usage->unknown,
	              p->usage == NULL ? 0 : p->usage->since_wall, FACT_KEY_USAGE);
	judge_unknown(exam, p->clock != NULL && p->clock->unknown,
	              p->clock == NULL ? 0 : p->clock->since_wall, FACT_KEY_CLOCK);
	judge_unknown(exam, p->dns != NULL && p->dns->unknown,
	              p->dns == NULL ? 0 : p->dns->since_wall, FACT_KEY_DNS);
	judge_same_name(exam);
}
