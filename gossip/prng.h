/*
 * prng.h: the core's own dice, seeded by the body. xoshiro256** (Blackman and Vigna, 2018).
 * Not for secrets: those come in from the body.
 */
#ifndef ESSAIM_PRNG_H
#define ESSAIM_PRNG_H

#include <stdint.h>

struct prng {
	uint64_t state[4];
};

static inline uint64_t prng_rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static inline uint64_t prng_next(struct prng *p)
{
	uint64_t *s = p->state;
	uint64_t result = prng_rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = prng_rotate(s[3], 45);
	return result;
}

/* Uniform in [0, limit); limit > 0. The bias is below 2^-32 for limits below 2^32. */
static inline uint64_t prng_below(struct prng *p, uint64_t limit)
{
	return prng_next(p) % limit;
}

/* An all-zero seed would stay zero for ever: one bit is forced. */
static inline void prng_seed(struct prng *p, const uint64_t seed[4])
{
	for (int i = 0; i < 4; i++)
		p->state[i] = seed[i];
	p->state[0] |= 1;
	for (int i = 0; i < 8; i++)
		prng_next(p);
}

#endif
