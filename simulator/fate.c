#include "fate.h"

#include "world.h"

/* TCP's least retransmission time-out: what a lost segment costs a stream. */
#define RETRANSMIT (200 * MILLISECOND)
#define REORDERED (20 * MILLISECOND)

/* The state of the message's own dice. */
static uint64_t dice_of(const struct world *w, const struct message_name *name)
{
	uint64_t state = w->settings.seed;
	state ^= ((uint64_t)name->from << 40 | (uint64_t)name->to << 16 | name->kind) *
	         0x9fb21c651e98df25u;
	state ^= (uint64_t)name->ordinal * 0xbf58476d1ce4e5b9u;
	return state;
}

/* Rolled alike whatever the weather, so that better weather changes nothing for those it had spared. */
struct rolls {
	duration fair, twice_fair; /* within fair weather */
	uint32_t loss, filter, tail, reorder, duplicate; /* each below a million */
};

/* By multiplication (Lemire): the bias below 2^-10 of 32 bits does not matter here. */
static uint32_t part(uint64_t random, uint32_t below)
{
	return (uint32_t)((random & UINT32_MAX) * below >> 32);
}

static struct rolls roll_all(uint64_t *dice)
{
	uint32_t jitter = (uint32_t)network_fair().jitter;
	uint64_t a = dice_split(dice), b = dice_split(dice), c = dice_split(dice), d = dice_split(dice);
	return (struct rolls){
		.fair = part(a, jitter), .twice_fair = part(a >> 32, jitter),
		.loss = part(b, 1000000), .filter = part(b >> 32, 1000000),
		.tail = part(c, 1000000), .reorder = part(c >> 32, 1000000),
		.duplicate = part(d, 1000000),
	};
}

static bool cut(struct network *n, uint32_t from, uint32_t to, enum fate_way way)
{
	return network_link(n, from, to)->cut ||
	       (way == FATE_STREAM && network_link(n, to, from)->cut);
}

static bool lost(struct network *n, const struct message_name *name, enum fate_way way, size_t size,
                 const struct rolls *r)
{
	const struct link *link = network_link(n, name->from, name->to);
	const struct weather *weather = &n->weather;
	if (cut(n, name->from, name->to, way) ||
	    (weather->filter && name->kind == weather->filter && r->filter < weather->filter_ppm))
		return true;
	return way == FATE_PACKET && ((link->size_limit && size > link->size_limit) ||
	                              r->loss < weather->loss_ppm);
}

static bool worse_than_fair(const struct weather *weather, enum fate_way way)
{
	return weather->jitter > network_fair().jitter || weather->tail_ppm || weather->reorder_ppm ||
	       (way == FATE_STREAM && weather->loss_ppm);
}

static duration late(const struct weather *weather, enum fate_way way, const struct rolls *r,
                     uint64_t *state)
{
	duration worse = weather->jitter - network_fair().jitter, by = 0;
	uint64_t words[4];
	struct prng dice;
	if (!worse_than_fair(weather, way))
		return 0;
	for (int i = 0; i < 4; i++)
		words[i] = dice_split(state);
	prng_seed(&dice, words);
	if (worse > 0)
		by += dice_between(&dice, 0, worse);
	if (r->tail < weather->tail_ppm)
		by += dice_tail(&dice, weather->tail);
	if (way == FATE_PACKET && r->reorder < weather->reorder_ppm)
		by += dice_tail(&dice, REORDERED);
	while (way == FATE_STREAM && dice_chance(&dice, weather->loss_ppm))
		by += RETRANSMIT;
	return by;
}

/* When it leaves: at once, or when the clog ends. */
static duration clogged(const struct world *w, const struct link *link)
{
	return link->clogged_until > w->now ? link->clogged_until - w->now : 0;
}

struct fate fate_of(struct world *w, uint32_t from, uint32_t to, uint32_t kind, enum fate_way way,
                    size_t size)
{
	struct network *n = &w->network;
	struct message_name name = {from, to, kind, network_ordinal(n, from, to, kind)};
	struct choice choice = {.name = name};
	uint64_t dice = dice_of(w, &name);
	struct rolls r = roll_all(&dice);
	duration fair = network_fair().delay + r.fair;
	choice.lost = lost(n, &name, way, size, &r);
	choice.late = clogged(w, network_link(n, from, to)) + late(&n->weather, way, &r, &dice);
	if (way == FATE_PACKET && r.duplicate < n->weather.duplicate_ppm) {
		choice.twice = true;
		choice.twice_late = r.twice_fair + late(&n->weather, way, &r, &dice);
	}
	choices_take(&n->choices, &choice);
	return (struct fate){.lost = choice.lost, .twice = choice.twice,
	                     .takes = fair + choice.late, .twice_takes = fair + choice.twice_late};
}
