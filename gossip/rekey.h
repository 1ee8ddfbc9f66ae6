/*
 * rekey.h: a member changes its key and stays who it is: name, role, addresses, ledger.
 *
 *     body: a new key beside the old one, durable --INPUT_REKEY--> signed by both, to the master
 *     master: hands over if it is the one, lets it go as a voter --> COMMAND_MEMBER_REKEY
 *     committed: the old id is a tombstone that names its successor, the new id is a member
 *     the node itself: applied here, answered, or told by anybody --> ends as REKEYED
 *     body: the new key takes the old one's place, and the process goes on as the new member
 *
 * Invariants
 *   1. Who holds the old key alone cannot change it for another without the new one's consent, nor
 *      the other way round: both sign {cluster, old key, new key}, and everybody who applies the
 *      entry looks at both signatures.
 *   2. At every moment exactly one of the two keys is a member's, by the ledger.
 *   3. A node that holds both switches as soon as it knows of the entry, be it at its next start;
 *      whoever holds only the old one is told that it is an old copy, and stops.
 *   4. The old key stays refused for ever, as that of a removed member; open tokens are revoked.
 */
#ifndef ESSAIM_REKEY_H
#define ESSAIM_REKEY_H

#include "ledger.h"

struct rekey {
	node_id next; /* the key that waits beside ours; 0: none */
};

/* A user asks this node to take that key. */
void rekey_request(struct gossip *g, const struct input *input);
/* Is this command one that both keys signed? */
bool rekey_signed(const struct gossip *g, const struct command *c);
/* Our own key was changed to `successor`, they say, or the ledger does. False: not to one we have. */
bool rekey_is_ours(const struct gossip *g, node_id successor);

#endif
