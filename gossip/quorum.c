#include "quorum.h"

#include <assert.h>

uint32_t quorum_needed(uint32_t voters)
{
	return voters / 2 + 1;
}

uint32_t quorum_count(uint32_t mask)
{
	uint32_t count = 0;
	for (; mask != 0; mask &= mask - 1)
		count++;
	return count;
}

bool quorum_reached(uint32_t mask, uint32_t voters)
{
	return voters > 0 && quorum_count(mask) >= quorum_needed(voters);
}

uint64_t quorum_index(const uint64_t *match, uint32_t count)
{
	assert(count <= VOTERS_MAX);
	uint64_t best = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t covered = 0;
		for (uint32_t j = 0; j < count; j++)
			covered += match[j] >= match[i];
		if (covered >= quorum_needed(count) && match[i] > best)
			best = match[i];
	}
	return best;
}
