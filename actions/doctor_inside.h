/*
 * doctor_inside.h: what the doctor's rules share with each other and with nobody else.
 */
#ifndef ESSAIM_DOCTOR_INSIDE_H
#define ESSAIM_DOCTOR_INSIDE_H

#include "doctor.h"

struct exam {
	const struct patient *patient;
	instant now_wall;
	struct diagnosis *out;
};

/* Adds one; its `since` is taken over from the diagnosis before, if it was there. */
void exam_find(struct exam *exam, enum doctor_code code, enum severity severity, node_id about,
               int64_t n1, int64_t n2, const char *detail);

/* Found already in this examination; NULL. */
const struct finding *exam_found(const struct exam *exam, enum doctor_code code, node_id about);

/* The same finding of the diagnosis before; NULL. */
const struct finding *exam_before(const struct exam *exam, enum doctor_code code, node_id about);

/* Half the threshold for what was found before: what wanders around it is not told again and again. */
int64_t exam_threshold(const struct exam *exam, enum doctor_code code, node_id about, int64_t threshold);

static inline const struct patient_member *exam_self(const struct exam *exam)
{
	return &exam->patient->members[exam->patient->self];
}

static inline bool exam_up(const struct patient_member *m)
{
	return m->view.self || m->view.state == REACHABLE;
}

void doctor_clocks(struct exam *exam);   /* doctor_clock.c */
void doctor_dns(struct exam *exam);      /* doctor_rules.c */
void doctor_network(struct exam *exam);
void doctor_quorum(struct exam *exam);
void doctor_versions(struct exam *exam);
void doctor_hosts(struct exam *exam);
void doctor_storage(struct exam *exam);  /* doctor_storage.c */

#endif
