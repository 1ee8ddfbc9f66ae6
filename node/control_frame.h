/*
 * control_frame.h: one frame on the control socket: length 4 (big-endian) | UTF-8 JSON.
 * Shared by the daemon and the command line; the blocking calls are for the command line.
 */
#ifndef ESSAIM_CONTROL_FRAME_H
#define ESSAIM_CONTROL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_FRAME_MAX (256 * 1024)      /* a request: a 64 KiB value in base64, and its wrapping */
#define CONTROL_REPLY_MAX (8 * 1024 * 1024) /* an answer: thousands of members or rows */
#define CONTROL_LENGTH_SIZE 4

void control_length_write(uint32_t size, uint8_t out[CONTROL_LENGTH_SIZE]);
/* False if 0 or above `max`. */
bool control_length_read(const uint8_t in[CONTROL_LENGTH_SIZE], uint32_t max, uint32_t *out_size);

/* Writes one request to a blocking socket. 0, or -errno (-EMSGSIZE: too long). */
int control_frame_write(int fd, const char *json, size_t size);

/*
 * Reads one answer from a blocking socket into malloc'ed, NUL-ended *out (caller frees), waiting at
 * most `patience_ms` for each piece of it. 0, or -errno: -EMSGSIZE too long, -EPIPE the other side
 * closed, -ETIMEDOUT.
 */
int control_frame_read(int fd, char **out, size_t *out_size, int patience_ms);

#endif
