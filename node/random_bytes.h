/*
 * random_bytes.h: the kernel's dice. The mind and proto/ get randomness as an input, from here.
 */
#ifndef ESSAIM_RANDOM_BYTES_H
#define ESSAIM_RANDOM_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Fills `out` from getrandom(2). Ends the process if the kernel has none: nothing is safe then. */
void random_bytes(void *out, size_t size);
uint64_t random_number(void);

#endif
