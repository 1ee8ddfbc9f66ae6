/*
 * checksum.h: SHA-256 as text, the sum that tools of every machine can check (`sha256sum`). For
 * files that people or other programs compare; what essaim itself signs and binds uses other sums.
 */
#ifndef ESSAIM_CHECKSUM_H
#define ESSAIM_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_TEXT_SIZE 65

void sha256_text(const void *data, size_t size, char out[SHA256_TEXT_SIZE]);

#endif
