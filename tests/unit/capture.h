/*
 * capture.h: what real tools printed (tests/captures), read into memory for the tests.
 */
#ifndef ESSAIM_TEST_CAPTURE_H
#define ESSAIM_TEST_CAPTURE_H

#include "drbd.h"
#include "lvm.h"

/* The whole file, NUL-ended (size does not count it); freed by the caller. Fails the test if it cannot. */
struct bytes capture_read(const char *folder, const char *name);
/* NULL: there is none. */
struct bytes capture_maybe(const char *folder, const char *name);

/* Each line to `take`. */
void capture_events(const char *folder, const char *name, struct drbd_seen *seen);
void capture_kernel(const char *folder, const char *name, struct drbd_seen *seen);

#endif
