/*
 * turns.h: how long the loop was held, measured by the daemon itself.
 *
 *     wait (epoll_wait) --> a turn: all that became due --> wait
 *
 * A turn's length bounds that of every callback in it. It is told twice: by the wall, where a turn in
 * which the machine gave the processor to others is long too, and by the processor time it used. What
 * the first has more than the second is the machine's, or a call that waited.
 *
 * Libevent 2.1 has no hook around its wait (evwatch came with 2.2), so its call to epoll_wait is taken
 * by a function of the same name in the daemon, which notes the time and waits (turns.c).
 */
#ifndef ESSAIM_TURNS_H
#define ESSAIM_TURNS_H

#include "words.h"

/* The longest since the daemon's start. */
duration turns_longest(void);
/* The longest of the last minute, or up to two. */
duration turns_longest_lately(void);
/* The most processor time that one turn used, since the second turn: the first holds the start. */
duration turns_most_work(void);
/* How many there were: 0 says that nothing is measured. */
uint64_t turns_count(void);

#endif
