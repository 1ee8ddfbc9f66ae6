/*
 * The doctor's rules of storage: LVM as self sees it, and DRBD pairs by both sides' words.
 */
#include <stdio.h>
#include <string.h>

#include "doctor_inside.h"

/* Hundredths of a per cent. A pool has to be extended before it is full, and that takes somebody's time. */
#define POOL_WARNING 8500
#define POOL_ERROR 9500

/* ---- LVM ---- */

static void judge_group(struct exam *exam, const struct lvm_group *g)
{
	if (g->missing > 0)
		exam_find(exam, DOCTOR_VG_MISSING_PV, SEVERITY_ERROR, exam_self(exam)->view.id, g->missing, 0,
		          g->name);
}

static void judge_device(struct exam *exam, const struct lvm_device *d)
{
	char detail[FACT_DETAIL_MAX + 1];
	if (!d->duplicate)
		return;
	snprintf(detail, sizeof detail, "%.30s, %.30s", d->path, d->other[0] == '\0' ? "?" : d->other);
	exam_find(exam, DOCTOR_VG_DUPLICATE_PV, SEVERITY_ERROR, exam_self(exam)->view.id, 0, 0, detail);
}

/* What fills up by being written to: pools and classic snapshots. A full thin volume is only full. */
static void judge_fill(struct exam *exam, const struct lvm_seen *seen, const struct lvm_volume *v)
{
	char detail[FACT_DETAIL_MAX + 1];
	int32_t most = v->data_fill > v->metadata_fill ? v->data_fill : v->metadata_fill;
	if ((v->kind != LV_POOL && v->kind != LV_SNAPSHOT) || most < POOL_WARNING)
		return;
	snprintf(detail, sizeof detail, "%.38s/%.38s",
	         v->group < seen->group_count ? seen->groups[v->group].name : "", v->name);
	exam_find(exam, DOCTOR_THIN_FULL, most >= POOL_ERROR ? SEVERITY_ERROR : SEVERITY_WARNING,
	          exam_self(exam)->view.id, v->data_fill / 100,
	          v->metadata_fill < 0 ? 0 : v->metadata_fill / 100, detail);
}

static void judge_lvm(struct exam *exam, const struct lvm_head *h, const struct lvm_seen *seen)
{
	bool by_hand = h->state == INVENTORY_UNKNOWN && exam->patient->hand_gone; /* told as such */
	if ((h->state == INVENTORY_STUCK || h->state == INVENTORY_UNKNOWN) && !by_hand)
		exam_find(exam, DOCTOR_LVM_STUCK, SEVERITY_ERROR, exam_self(exam)->view.id,
		          exam->now_wall - h->since_wall, 0, NULL);
	if (h->state != INVENTORY_SEEN)
		return;
	for (uint32_t i = 0; i < h->group_count; i++)
		judge_group(exam, &h->groups[i]);
	for (uint32_t i = 0; i < h->device_count; i++)
		judge_device(exam, &h->devices[i]);
	for (uint32_t i = 0; i < seen->volume_count; i++)
		judge_fill(exam, seen, &seen->volumes[i]);
}

/* ---- what is declared ---- */

static void judge_storage(struct exam *exam, const struct patient_storage *s)
{
	node_id self = exam_self(exam)->view.id;
	switch (s->state) {
	case STORAGE_MISSING:
		exam_find(exam, DOCTOR_STORAGE_MISSING, SEVERITY_ERROR, self, 0, 0, s->name);
		break;
	case STORAGE_OTHER:
		exam_find(exam, DOCTOR_STORAGE_NOT_SAME, SEVERITY_ERROR, self, 0, 0, s->name);
		break;
	case STORAGE_UNMOUNTED:
		exam_find(exam, DOCTOR_STORAGE_NOT_MOUNTED, SEVERITY_ERROR, self, 0, 0, s->name);
		break;
	case STORAGE_STALE:
		exam_find(exam, DOCTOR_STORAGE_STALE, SEVERITY_ERROR, self, 0, 0, s->name);
		break;
	case STORAGE_UNSEEN:
	case STORAGE_FINE:
	case STORAGE_STANDBY:
	case STORAGE_STATES:
		break;
	}
}

/* ---- DRBD ---- */

static const struct {
	enum doctor_code code; /* 0: nothing is wrong, or nobody can know */
	enum severity severity;
	bool one_sided; /* about the side that is meant; else about the other one, whoever looks */
} by_verdict[DRBD_VERDICTS] = {
	[DRBD_DIFFERS] = {DOCTOR_DRBD_DIFFERS, SEVERITY_WARNING},
	[DRBD_CONNECTING] = {DOCTOR_DRBD_CONNECTING, SEVERITY_WARNING},
	[DRBD_DIVERGED] = {DOCTOR_DRBD_DIVERGED, SEVERITY_ERROR},
	[DRBD_ADMIN] = {DOCTOR_DRBD_STANDALONE, SEVERITY_WARNING, true},
	[DRBD_AUTHENTICATION] = {DOCTOR_DRBD_AUTHENTICATION, SEVERITY_ERROR},
	[DRBD_OPTIONS] = {DOCTOR_DRBD_OPTIONS, SEVERITY_ERROR},
	[DRBD_UNRELATED] = {DOCTOR_DRBD_UNRELATED, SEVERITY_ERROR},
	[DRBD_SPLIT_BRAIN] = {DOCTOR_DRBD_SPLIT_BRAIN, SEVERITY_ERROR},
	[DRBD_STALE] = {DOCTOR_DRBD_STALE, SEVERITY_ERROR, true},
	[DRBD_DEGRADED] = {DOCTOR_DRBD_DEGRADED, SEVERITY_ERROR, true},
	[DRBD_DOWN] = {DOCTOR_DRBD_DOWN, SEVERITY_WARNING, true},
};

static node_id node_of(const struct patient *p, uint32_t holder)
{
	return holder == NO_HOLDER ? 0 : p->holders[holder].node;
}

static node_id side_node(const struct patient *p, const struct drbd_pair *pair, uint32_t side)
{
	return pair->holders[side] == NO_HOLDER ? pair->absent : node_of(p, pair->holders[side]);
}

static node_id about(const struct exam *exam, const struct drbd_pair *pair)
{
	const struct patient *p = exam->patient;
	node_id self = exam_self(exam)->view.id, first = node_of(p, pair->holders[0]);
	if (by_verdict[pair->judgement.verdict].one_sided && pair->judgement.side <= 1)
		return side_node(p, pair, pair->judgement.side);
	return first == self ? side_node(p, pair, 1) : first;
}

static void judge_pair(struct exam *exam, const struct drbd_pair *pair)
{
	const struct drbd_judgement *j = &pair->judgement;
	const char *name = exam->patient->holders[pair->holders[0]].resource->name;
	if (by_verdict[j->verdict].code != 0)
		exam_find(exam, by_verdict[j->verdict].code, by_verdict[j->verdict].severity,
		          about(exam, pair), (int64_t)(j->out_of_sync / 1024), 0, name);
	else if (j->options_differ)
		exam_find(exam, DOCTOR_DRBD_OPTIONS, SEVERITY_WARNING, about(exam, pair), 0, 0, name);
}

void doctor_storage(struct exam *exam)
{
	const struct patient *p = exam->patient;
	if (p->hand_gone)
		exam_find(exam, DOCTOR_HAND_GONE, SEVERITY_ERROR, exam_self(exam)->view.id, p->hand_gone_for, 0, NULL);
	if (p->lvm != NULL)
		judge_lvm(exam, p->lvm, p->volumes);
	for (uint32_t i = 0; i < p->storage_count; i++)
		judge_storage(exam, &p->storages[i]);
	for (uint32_t i = 0; i < p->pair_count; i++)
		judge_pair(exam, &p->pairs[i]);
}
