/*
 * control_access.h: who is at the other end of a Unix socket, and may it write?
 */
#ifndef ESSAIM_CONTROL_ACCESS_H
#define ESSAIM_CONTROL_ACCESS_H

#include <stdbool.h>

/* The gid of group `essaim`, or -1. Asks the name service: only at start. */
int access_group(void);

/* uid 0, our own uid, or a process that has `group` (primary or supplementary). */
bool access_may_write(int fd, int group);

#endif
