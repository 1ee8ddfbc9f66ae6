/*
 * control.h: the Unix socket where the command line asks. Framing in control_frame.h, verbs in
 * control_verbs.c.
 *
 *     READING --request--> RUNNING --answer--> FINISHING --flushed--> closed
 *                             \--events, kv watch--> FOLLOWING --gone or too slow--> closed
 *                             \--cluster restore--> UPLOADING --last frame--> RUNNING
 *
 * Invariants
 *   1. One request per connection (its verb may want further frames); at most CLIENTS_MAX
 *      connections, READERS_MAX of them of those who may only read; each frame must arrive within
 *      REQUEST_LIMIT; what waits to be read by a client is bounded.
 *   2. Everybody may read. Only uid 0, our own uid and members of group `essaim` may write; the
 *      kernel says who they are (SO_PEERCRED, SO_PEERGROUPS).
 *   3. A client that goes away is reported to the mind (INPUT_ABANDON).
 */
#ifndef ESSAIM_CONTROL_H
#define ESSAIM_CONTROL_H

#include "body.h"

struct control;

int control_open(struct body *body, struct control **out, struct error *error);

/*
 * A connection of our own making (the web window's), which may only read. Takes `fd` over. False: too
 * many readers.
 */
bool control_attach(struct control *control, int fd);

/* EFFECT_ANSWER, EFFECT_PROGRESS, EFFECT_OUTCOME */
void control_answer(struct control *control, uint64_t client, const struct answer *answer);
void control_progress(struct control *control, const struct effect *effect);
/* EFFECT_ENGINE_PROGRESS */
void control_engine_progress(struct control *control, uint64_t client, struct bytes bytes);
void control_outcome(struct control *control, bool done, struct bytes text);

/* At the end of the daemon: gives clients what is still queued for them, for at most `patience`. */
void control_drain(struct control *control, duration patience);
void control_close(struct control *control);

#endif
