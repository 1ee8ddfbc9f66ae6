#include "random_bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t size)
{
	uint8_t *at = out;
	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			fputs("essaimd: the kernel gives no random bytes\n", stderr);
			abort();
		}
		at += got;
		size -= (size_t)got;
	}
}

uint64_t random_number(void)
{
	uint64_t number;
	random_bytes(&number, sizeof number);
	return number;
}
