/*
 * inquiry.h: `doctor auth ADDRESS`: looks at the way to a member and asks it at its door what would
 * become of a join. It never joins, and changes nothing on either side.
 *
 *     TCP connection --token's handshake--> INQUIRY --> INQUIRED     (a join stream of its own)
 *     UDP: a packet of 1,232 bytes and a small one, for what the kernel says of them
 *        --both over, or late--> evidence --actions/doctor_auth--> the client's answer
 *
 * Invariants
 *   1. Over within INQUIRY_LIMIT, or the client's patience; at most CLIENTS_MAX at once.
 *   2. The mind is only read: neither the stream nor its frames reach it.
 *   3. Whoever frees it has no stream left that knows it.
 */
#ifndef ESSAIM_INQUIRY_H
#define ESSAIM_INQUIRY_H

#include "control_client.h"

#define INQUIRY_LIMIT (8 * SECOND)

struct inquiry;

/* {address, token?, name?, role?} -> {checks: [{check, state, what, command}], verdict} */
void verb_doctor_auth(struct client *client, const json_t *args);

/* NULL: nothing happens. */
void inquiry_free(struct inquiry *inquiry);

/* ---- for its stream (stream_*.c) ---- */

/* False: it was only to see whether the connection comes about. */
bool inquiry_connected(struct inquiry *inquiry, int fd);
/* The handshake is done: the plain frame to send. */
struct bytes inquiry_question(struct inquiry *inquiry);
void inquiry_frame(struct inquiry *inquiry, struct bytes frame);
/* `code`: errno that ended it; 0: the other side closed. */
void inquiry_ended(struct inquiry *inquiry, int code);

#endif
