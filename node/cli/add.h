/*
 * add.h: `node add USER@HOST`: another machine becomes a member, from here, over ssh.
 *
 *     here -> connect -> host key -> log in -> look -> install -> daemon -> token -> join -> seen
 *
 * One row of a table a step (add.c); what is asked of our daemon is in add_here.c, what is done on
 * the other machine in add_connect.c, add_look.c, add_install.c and add_join.c, which share
 * add_there.c; ssh itself in remote*.c.
 *
 * Invariants
 *   1. Before `install` nothing is changed anywhere, but for the machine's key in known_hosts.
 *   2. The token is good for one join and ten minutes; it travels on the standard input of a command,
 *      never as a word of one (`ps` shows those). If the join did not happen it is revoked, and if
 *      that cannot be done it is said.
 *   3. A failure says which step, why, what is done already, and the command that helps.
 */
#ifndef ESSAIM_CLI_ADD_H
#define ESSAIM_CLI_ADD_H

#include "commands.h"
#include "fail.h"

int add_perform(struct invocation *in, struct failure *f);
void show_added(const struct invocation *in, const json_t *result);

#endif
