/*
 * engine_body.h: carries the operation engine (actions/engine.h) in the daemon.
 *
 *     rows, mastership, requests, messages, the store, the hand  --queue-->  engine_step
 *     the mind (propose, answer, send, journal), the hand        <--effects--
 *
 * What the engine is told waits in a queue until the step of the mind that brought it is over, since
 * most of what the engine wants is a step of the mind again.
 *
 * Invariants
 *   1. The engine is told of rows before it is told that it is master by them, and of a proposal's
 *      end after the rows that it changed.
 *   2. Every proposal ends once: as the ledger says, or UNKNOWN with the mastership.
 *   3. A journal record is reported durable when the store said so of the transaction that holds it.
 */
#ifndef ESSAIM_ENGINE_BODY_H
#define ESSAIM_ENGINE_BODY_H

#include "body.h"
#include "engine.h"

struct engine_body;
struct runner;

/* Before the store is loaded. NULL: no memory. */
struct engine_body *engine_body_create(struct body *body);
void engine_body_destroy(struct engine_body *e);

/* One record of the store's journal, while it is loaded. False: corrupt, or more than there can be. */
bool engine_body_load(struct engine_body *e, struct bytes value);

/* ---- what came of a step of the mind; engine_body_turn follows ---- */

/* EFFECT_ROW, _ROWS, _PROPOSED, _ENGINE, _ENGINE_MESSAGE */
void engine_body_effect(struct engine_body *e, const struct effect *effect);
/* Somebody became reachable or not, a member or none. */
void engine_body_member(struct engine_body *e);
/* INPUT_PERSISTED was given for that number. */
void engine_body_persisted(struct engine_body *e, uint64_t number, bool failed);
/* The step had this persist effect. */
void engine_body_persists(struct engine_body *e, uint64_t number);

/* Lets the engine work off what it was told. Does nothing from within itself. */
void engine_body_turn(struct engine_body *e);

/* ---- from whoever runs its commands (engine_runner.h) ---- */

void engine_body_ended(struct engine_body *e, uint64_t run, const struct command_result *result);
void engine_body_output(struct engine_body *e, uint64_t run, uint64_t done, uint64_t total);

/* ---- for those who show ---- */

const struct engine *engine_body_engine(const struct engine_body *e);

#endif
