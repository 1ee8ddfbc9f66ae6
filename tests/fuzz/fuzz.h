/*
 * fuzz.h: what every fuzz target offers, to libFuzzer and to replay.c alike.
 *
 * A target takes any bytes, keeps nothing between calls that could change the next, and aborts (an
 * assert or a sanitizer) if a rule is broken.
 */
#ifndef ESSAIM_FUZZ_H
#define ESSAIM_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
