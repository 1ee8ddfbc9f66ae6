/*
 * kernel_log.h: what the kernel says of DRBD, line by line.
 *
 * DRBD says only there that a connection ended in split brain. Reading that log takes privileges, and the
 * rest of it is nobody's business: so a helper of the hand reads it (essaim-kernel-log), and lets
 * through what DRBD itself said.
 *
 * Source: Documentation/ABI/testing/dev-kmsg of Linux.
 */
#ifndef ESSAIM_KERNEL_LOG_H
#define ESSAIM_KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>

#define KERNEL_LOG_RECORD_MAX 8192 /* the kernel's own bound */

/*
 * One record of /dev/kmsg, "PRIORITY,NUMBER,MICROSECONDS,FLAGS…;TEXT\n" and lines of its own behind it. Makes of
 * `record` (a string) the line "PRIORITY,NUMBER,MICROSECONDS,-;TEXT" in `out`, of printable ASCII only; false:
 * it is not DRBD's ("drbd …", "block drbdN: …"), garbled, or does not fit.
 */
bool kernel_log_line(const char *record, char *out, size_t size);

#endif
