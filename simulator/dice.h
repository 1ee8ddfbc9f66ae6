/*
 * dice.h: every random choice of a simulated run, from one seed.
 *
 * Integer arithmetic only, so that a seed means the same on every machine. Streams keep the
 * choices of the fault schedule apart from those of the network: taking one fault away does not
 * reroll the others.
 */
#ifndef ESSAIM_DICE_H
#define ESSAIM_DICE_H

#include "prng.h"
#include "words.h"

enum dice_stream { DICE_WORLD = 1, DICE_FAULTS = 2, DICE_CLIENTS = 3, DICE_PEOPLE = 4,
                   DICE_INSIDERS = 5, DICE_MACHINE = 6 };

/* splitmix64 (Vigna), the seeding that xoshiro's authors recommend. */
static inline uint64_t dice_split(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline void dice_seed(struct prng *dice, uint64_t seed, enum dice_stream stream)
{
	uint64_t state = (seed * 4 + (stream & 3)) ^ (uint64_t)(stream >> 2) << 60;
	uint64_t words[4];
	for (int i = 0; i < 4; i++)
		words[i] = dice_split(&state);
	prng_seed(dice, words);
}

/* Uniform in [low, high). */
static inline int64_t dice_between(struct prng *dice, int64_t low, int64_t high)
{
	return low + (int64_t)prng_below(dice, (uint64_t)(high - low));
}

/* True with a probability of `ppm` in a million. */
static inline bool dice_chance(struct prng *dice, uint32_t ppm)
{
	return ppm > 0 && prng_below(dice, 1000000) < ppm;
}

/* A long tail: P(x > k * mean) is about 2^-k. */
static inline duration dice_tail(struct prng *dice, duration mean)
{
	uint64_t draw = prng_next(dice) | 1;
	int64_t doublings = __builtin_clzll(draw);
	int64_t fraction = (int64_t)(prng_next(dice) % 1024);
	return (mean * (doublings * 1024 + fraction)) / 1536;
}

/* Every order of magnitude between low and high equally likely. */
static inline duration dice_magnitude(struct prng *dice, duration low, duration high)
{
	int steps = 0;
	for (duration d = low; d * 2 <= high; d *= 2)
		steps++;
	duration floor = low << prng_below(dice, (uint64_t)steps + 1);
	duration value = floor + dice_between(dice, 0, floor);
	return value < high ? value : high;
}

#endif
