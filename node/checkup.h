/*
 * checkup.h: the doctor at work: every few seconds this node's own view goes through actions/doctor;
 * what is found is a fact, so that every node knows it, and an event when it comes and goes.
 *
 *     views, facts --> struct patient --doctor_examine--> diagnosis --changed--> fact "findings", events
 *     verb `doctor examine`: our diagnosis and the others' facts, one row for each thing that is wrong
 *
 * Invariant: a healthy machine publishes nothing and prints nothing.
 */
#ifndef ESSAIM_CHECKUP_H
#define ESSAIM_CHECKUP_H

#include <jansson.h>

#include "body.h"
#include "doctor.h"

struct checkup;
struct client;

struct checkup *checkup_create(struct body *body);
void checkup_destroy(struct checkup *checkup);

/* What this node found last. Never NULL. */
const struct diagnosis *checkup_diagnosis(const struct checkup *checkup);

/* All that is known in the cluster: [{code, severity, area, about, where:[..], what, why, command, since}]. */
json_t *checkup_findings(const struct body *body);

/* {area?, node?, ignore?: [CODE..]} -> {findings, asked, silent: [names]} */
void verb_doctor(struct client *client, const json_t *args);

#endif
