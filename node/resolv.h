/*
 * resolv.h: the name servers and search domains that this machine's resolver uses.
 *
 * Only what glibc itself honours: the first three `nameserver` lines, the last `search` or `domain`.
 */
#ifndef ESSAIM_RESOLV_H
#define ESSAIM_RESOLV_H

#include <stdio.h>

#include "facts.h"

#define SEARCH_MAX 6
#define DOMAIN_SIZE 256

struct resolv {
	uint32_t server_count;
	char servers[FACT_SERVERS_MAX][FACT_TEXT_MAX + 1]; /* numeric addresses */
	uint32_t search_count;
	char search[SEARCH_MAX][DOMAIN_SIZE];
};

void resolv_read(FILE *in, struct resolv *out);

#endif
