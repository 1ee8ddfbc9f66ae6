/*
 * observe_host.h: what this machine is (once) and how full and busy it is (now and then).
 *
 * Reads /proc, /sys and a few files of /etc: none of them waits for a disk that hangs or a network.
 * What cannot be read is left empty, never guessed.
 */
#ifndef ESSAIM_OBSERVE_HOST_H
#define ESSAIM_OBSERVE_HOST_H

#include "facts.h"

void host_observe(struct host_fact *out);

/* False, and `out` says that nothing is known: the file systems or /proc do not answer.
 * In steps of five per cent (load: of a quarter of all CPUs), so that idling changes nothing. */
bool usage_observe(const char *data_folder, struct usage_fact *out);

/* The 32 bytes of an "ssh-ed25519 BASE64 comment" line; false if it is none. */
bool ssh_key_parse(const char *line, uint8_t out[32]);

#endif
