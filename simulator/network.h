/*
 * network.h: what becomes of packets, frames, knocks and dials between machines.
 *
 * A packet may be lost, doubled, delayed with a long tail, reordered. A frame between two members
 * is delivered in order, or never if the pair is cut either way or the receiving process ended.
 * A packet to a host whose process is dead is answered by a refusal (ICMP) if that way is open.
 *
 * Invariants
 *   0. A clogged link keeps what is sent until the clog ends; it loses nothing.
 *   1. cut(from, to) stops whatever is *sent* while it holds; what is under way still arrives.
 *   2. A frame reaches only the process it was sent to, and only if both know each other's key (that
 *      is what a real handshake would prove).
 */
#ifndef ESSAIM_NETWORK_H
#define ESSAIM_NETWORK_H

#include "gossip.h"
#include "fate.h"
#include "queue.h"
#include "tape.h"

struct world;
struct machine;

/* What the weather does to each packet; equal for all pairs at one time. */
struct weather {
	duration delay;  /* one way, least */
	duration jitter; /* uniform, on top */
	duration tail;   /* mean of the long tail */
	uint32_t tail_ppm, loss_ppm, duplicate_ppm, reorder_ppm;
	enum message_kind filter; /* of this kind ... */
	uint32_t filter_ppm;      /* ... so many are lost besides */
};

struct link {
	instant frames_until; /* frames under way arrive up to here: later ones come after */
	uint32_t hangups;     /* frames of an older count were on a stream that was closed */
	uint32_t size_limit;  /* larger packets vanish; 0: none do */
	instant clogged_until; /* what is sent before arrives after it */
	bool cut;
	uint8_t cut_nets; /* bit k: what is sent to an address in network k is lost */
};

/* A stream by which a newcomer joins. */
struct join_stream {
	uint64_t id; /* 0: free */
	uint32_t ends[2]; /* who dialled, who was dialled */
	uint32_t lives[2];
	uint64_t dial, token;
	struct hash binding;
};

#define JOIN_STREAMS_MAX 64
#define JOIN_STREAM_FIRST ((uint64_t)1 << 32) /* below: streams to the member of that index + 1 */

struct network {
	uint32_t count;
	uint32_t *holders; /* address number -> the machine that has it now */
	uint32_t cuts;       /* links that are cut */
	uint32_t swaps;      /* of addresses, so far */
	struct link *links; /* [from * count + to] */
	struct weather weather;
	struct join_stream joins[JOIN_STREAMS_MAX];
	uint32_t *ordinals; /* [(from * count + to) * FATE_KINDS + kind]: how many there were */
	struct choices choices;
	struct tapes tapes;
	uint64_t streams; /* join streams opened so far */
	uint64_t packets, bytes, frames;
};

void network_init(struct network *n, uint32_t count);
void network_finish(struct network *n);

static inline struct link *network_link(struct network *n, uint32_t from, uint32_t to)
{
	return &n->links[(size_t)from * n->count + to];
}

/* The number of the next message of that kind and way: from 0. */
static inline uint32_t network_ordinal(struct network *n, uint32_t from, uint32_t to, uint32_t kind)
{
	return n->ordinals[((size_t)from * n->count + to) * FATE_KINDS + kind]++;
}

void network_cut(struct network *n, uint32_t from, uint32_t to, bool cut);
/* Only what goes to addresses in that network of several (world_settings.networks). */
void network_cut_net(struct network *n, uint32_t from, uint32_t to, uint32_t net, bool cut);
/* That machine's link to network `net` dies, or works again: nothing comes or goes there. */
void network_unplug(struct network *n, uint32_t machine, uint32_t net, bool unplugged);
/* Cuts, clogs and black holes end; addresses stay where they are. */
void network_heal(struct network *n);
/* Each gets the other's address. */
void network_swap(struct network *n, struct machine *a, struct machine *b);

/* The calm weather a run begins and ends with. */
struct weather network_fair(void);

/* Effects of `m`'s core. */
void network_packet(struct world *w, struct machine *m, const struct effect *effect);
void network_frame(struct world *w, struct machine *m, const struct effect *effect);
void network_knock(struct world *w, struct machine *m, const struct effect *effect);
void network_dial(struct world *w, struct machine *m, const struct effect *effect);
void network_hang_up(struct world *w, struct machine *m, const struct effect *effect);

/* One packet on its way for so long, whatever it is; cuts and losses were looked at before. */
struct event *network_fly(struct world *w, uint32_t from, uint32_t to, enum message_kind message,
                          struct bytes bytes, duration takes);

/* Events that reach a machine whose process is not there, or that answer a dial. */
void network_refuse(struct world *w, struct machine *m, const struct event *event);
void network_dialled(struct world *w, struct machine *m, const struct event *event);
/* Its process is gone, its host is not: whoever waits on a join stream for its answer hears so. */
void network_ended(struct world *w, const struct machine *m);

/* May this frame still be delivered? */
bool network_frame_alive(struct world *w, const struct machine *m, const struct event *event);

#endif
