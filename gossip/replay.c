#include "replay.h"

#include "core.h"

void replay_pool_init(struct replay_pool *pool, uint32_t capacity, struct carve *memory)
{
	struct replay_bitmap *bitmaps = carve(memory, sizeof *bitmaps * capacity);
	if (bitmaps == NULL)
		return;
	pool->bitmaps = bitmaps;
	pool->capacity = capacity;
}

/* ---- the bitmap: a ring, bit `sequence % REPLAY_WINDOW` ---- */

static uint64_t *word_of(const struct replay_pool *pool, const struct replay *r, uint64_t sequence)
{
	return &pool->bitmaps[r->bitmap - 1].words[sequence % REPLAY_WINDOW / 64];
}

static uint64_t bit_of(uint64_t sequence)
{
	return (uint64_t)1 << (sequence % 64);
}

static void bitmap_clear(struct replay_pool *pool, struct replay *r)
{
	memset(&pool->bitmaps[r->bitmap - 1], 0, sizeof pool->bitmaps[0]);
}

static void bitmap_mark(struct replay_pool *pool, struct replay *r, uint64_t sequence)
{
	if (sequence > r->top && sequence - r->top >= REPLAY_WINDOW)
		bitmap_clear(pool, r);
	else
		for (uint64_t q = r->top + 1; q <= sequence; q++)
			*word_of(pool, r, q) &= ~bit_of(q);
	*word_of(pool, r, sequence) |= bit_of(sequence);
	if (sequence > r->top)
		r->top = sequence;
}

/* What the distances say, as a bitmap. */
static void bitmap_take(struct replay_pool *pool, struct replay *r)
{
	assert(pool->used < pool->capacity);
	r->bitmap = ++pool->used;
	*word_of(pool, r, r->top) |= bit_of(r->top);
	for (int i = 0; i < REPLAY_FEW; i++) {
		uint64_t sequence = r->top - r->below[i];
		*word_of(pool, r, sequence) |= bit_of(sequence);
	}
}

/* ---- the few ---- */

static bool few_seen(const struct replay *r, uint64_t distance)
{
	for (int i = 0; i < REPLAY_FEW; i++) {
		if (r->below[i] == distance)
			return true;
	}
	return distance == 0;
}

/* Those that fall out of the window count as seen without being remembered. */
static void few_rise(struct replay *r, uint64_t by)
{
	r->top += by;
	for (int i = 0; i < REPLAY_FEW; i++) {
		if (r->below[i] != 0)
			r->below[i] = by + r->below[i] < REPLAY_WINDOW
			                  ? (uint16_t)(by + r->below[i])
			                  : 0;
	}
}

static bool few_add(struct replay *r, uint64_t distance)
{
	if (distance >= REPLAY_WINDOW)
		return true;
	for (int i = 0; i < REPLAY_FEW; i++) {
		if (r->below[i] == 0) {
			r->below[i] = (uint16_t)distance;
			return true;
		}
	}
	return false;
}

/* False: they have become too many. */
static bool few_mark(struct replay *r, uint64_t sequence)
{
	if (r->top == 0) {
		r->top = sequence;
		return true;
	}
	if (sequence <= r->top)
		return few_add(r, r->top - sequence);
	struct replay before = *r;
	uint64_t by = sequence - r->top;
	few_rise(r, by);
	if (few_add(r, by))
		return true;
	*r = before;
	return false;
}

/* ---- either ---- */

bool replay_seen(const struct replay_pool *pool, const struct replay *r, uint64_t sequence)
{
	if (sequence > r->top)
		return false;
	if (r->top - sequence >= REPLAY_WINDOW)
		return true;
	if (r->bitmap == 0)
		return few_seen(r, r->top - sequence);
	return (*word_of(pool, r, sequence) & bit_of(sequence)) != 0;
}

void replay_mark(struct replay_pool *pool, struct replay *r, uint64_t sequence)
{
	if (replay_seen(pool, r, sequence))
		return; /* only where replays are let in */
	if (r->bitmap == 0 && few_mark(r, sequence))
		return;
	if (r->bitmap == 0)
		bitmap_take(pool, r);
	bitmap_mark(pool, r, sequence);
}

void replay_reset(struct replay_pool *pool, struct replay *r)
{
	r->top = 0;
	memset(r->below, 0, sizeof r->below);
	if (r->bitmap != 0)
		bitmap_clear(pool, r);
}
