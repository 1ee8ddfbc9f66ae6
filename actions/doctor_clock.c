/*
 * The doctor's rules about clocks: who is off, by Marzullo's intervals; who is not kept by a time
 * service; whose clock jumped or runs at a wrong rate.
 */
#include "doctor_inside.h"
#include "marzullo.h"

#define STEP_SHOWN ((duration)3600 * SECOND) /* a step is told for an hour */
#define STEP_LEAST (500 * MILLISECOND)
#define RATE_LEAST 5000000 /* ppb: half of rho's default */
#define COMPARED_MAX 1024

/* Our view: their wall clock less ours, and our own as exactly 0. */
static uint32_t compare(const struct exam *exam, struct interval *intervals, uint32_t *whose)
{
	const struct patient *p = exam->patient;
	uint32_t count = 0;
	for (uint32_t i = 0; i < p->member_count && count < COMPARED_MAX; i++) {
		const struct member_view *v = &p->members[i].view;
		if (!v->self && (v->state != REACHABLE || !v->clock_known))
			continue;
		duration offset = v->self ? 0 : v->clock_offset, error = v->self ? 0 : v->clock_error;
		intervals[count] = (struct interval){offset - error, offset + error};
		whose[count++] = i;
	}
	return count;
}

static duration magnitude(duration d)
{
	return d < 0 ? -d : d;
}

static enum severity degree(const struct exam *exam, duration off)
{
	const struct thresholds *t = &exam->patient->thresholds;
	if (off >= t->clock_error)
		return SEVERITY_ERROR;
	return off >= t->clock_warning ? SEVERITY_WARNING : SEVERITY_INFO;
}

/* `sure`: what is left of the offset when the measurement's error is taken away. */
static void judge(struct exam *exam, enum doctor_code code, node_id about, duration sure,
                  duration offset, duration error)
{
	duration least =
	    exam_threshold(exam, code, about, exam->patient->thresholds.clock_info);
	if (magnitude(sure) >= least)
		exam_find(exam, code, degree(exam, magnitude(sure)), about, offset, error, NULL);
}

/* With two clocks the one that a time service keeps is believed; otherwise it is one of the two. */
static void judge_two(struct exam *exam, const struct interval *intervals, const uint32_t *whose)
{
	const struct patient *p = exam->patient;
	uint32_t other = p->members[whose[0]].view.self ? 1 : 0;
	const struct patient_member *them = &p->members[whose[other]], *us = exam_self(exam);
	const struct interval *i = &intervals[other];
	duration sure = i->from > 0 ? i->from : i->to < 0 ? i->to : 0;
	duration offset = i->from / 2 + i->to / 2, error = (i->to - i->from) / 2;
	if (us->synchronised == them->synchronised)
		judge(exam, DOCTOR_CLOCK_DISAGREE, them->view.id, sure, offset, error);
	else if (us->synchronised)
		judge(exam, DOCTOR_CLOCK_OFFSET, them->view.id, sure, offset, error);
	else
		judge(exam, DOCTOR_CLOCK_OFFSET, us->view.id, -sure, -offset, error);
}

static void judge_many(struct exam *exam, const struct interval *intervals, const uint32_t *whose,
                       uint32_t count)
{
	static const struct interval nowhere;
	struct edge edges[2 * COMPARED_MAX];
	struct meeting meeting = marzullo(intervals, count, edges);
	struct interval w = meeting.majority ? meeting.where : nowhere;
	duration middle = w.from / 2 + w.to / 2;
	for (uint32_t i = 0; meeting.majority && i < count; i++) {
		const struct interval *v = &intervals[i];
		judge(exam, DOCTOR_CLOCK_OFFSET, exam->patient->members[whose[i]].view.id,
		      interval_misses(v, &meeting), v->from / 2 + v->to / 2 - middle,
		      (v->to - v->from) / 2 + (w.to - w.from) / 2);
	}
}

static void judge_own(struct exam *exam)
{
	const struct patient_member *us = exam_self(exam);
	const struct clock_fact *c = exam->patient->clock;
	if (c == NULL || c->unknown)
		return;
	if (!c->synchronised)
		exam_find(exam, DOCTOR_NTP_UNSYNCED, SEVERITY_WARNING, us->view.id, 0, 0, c->service);
	if (c->stepped_wall != 0 && exam->now_wall - c->stepped_wall < STEP_SHOWN &&
	    magnitude(c->stepped) >= STEP_LEAST)
		exam_find(exam, DOCTOR_CLOCK_STEPPED, SEVERITY_WARNING, us->view.id, c->stepped, 0, NULL);
	if (c->rate_ppb > RATE_LEAST || c->rate_ppb < -RATE_LEAST)
		exam_find(exam, DOCTOR_LEASE_RATE, SEVERITY_ERROR, us->view.id, c->rate_ppb / 1000, 0,
		          NULL);
}

void doctor_clocks(struct exam *exam)
{
	struct interval intervals[COMPARED_MAX];
	uint32_t whose[COMPARED_MAX];
	uint32_t count = compare(exam, intervals, whose);
	if (count == 2)
		judge_two(exam, intervals, whose);
	else if (count > 2)
		judge_many(exam, intervals, whose, count);
	judge_own(exam);
}
