/*
 * band.h: a few whole cores with their stores, in virtual time on a perfect network that can be
 * cut. For rules that need several nodes and their ledger; the simulator proper has faults.
 *
 *     packets and frames take 1 ms; a frame finds its way while neither direction is cut
 *     a node that is down drops what comes; its store survives band_start
 *     persists are reported at once, unless `hold` or `failing` says otherwise
 */
#ifndef ESSAIM_BAND_H
#define ESSAIM_BAND_H

#include "core.h"

#define BAND_MAX 6
#define BAND_ROWS_MAX 256
#define BAND_ENTRIES_MAX 4096

struct band_store {
	uint8_t durable[4096];
	size_t durable_size;
	struct {
		uint8_t key[KEY_MAX_SIZE + 1];
		size_t key_size, size;
		uint8_t *value; /* NULL: deleted */
	} rows[BAND_ROWS_MAX];
	uint32_t row_count;
	uint64_t first, last;
	struct {
		struct ballot ballot;
		size_t size;
		uint8_t *data;
	} entries[BAND_ENTRIES_MAX];
};

struct band_node {
	struct node_keys keys;
	struct gossip_settings settings;
	struct gossip *core;
	size_t memory_size;
	bool up, hold, failing;
	uint64_t asked, reported;
	struct band_store store;
	/* what came out */
	uint32_t traces[RULE_COUNT];
	node_id trace_subject[RULE_COUNT], trace_other[RULE_COUNT]; /* of the last of each */
	uint32_t answers, progresses, outcomes;
	enum answer_code code;
	char text[1024]; /* of the last answer or outcome */
	bool outcome_done, stopped;
	enum standing stopped_as;
};

struct band_parcel;

struct band {
	uint32_t count;
	struct band_node nodes[BAND_MAX];
	bool cut[BAND_MAX][BAND_MAX]; /* from, to */
	enum message_kind lost; /* frames and packets of this kind vanish; NONE: none do */
	duration time;
	uint32_t overlaps; /* steps after which two nodes believed that they may act */
	struct band_parcel *first, **last;
};

/* All are members of one cluster, the first `voters` of them vote; they run. */
struct band *band_new(uint32_t count, uint32_t voters);
/* Blank nodes only. */
struct band *band_new_blank(uint32_t count);
void band_free(struct band *b);
void band_run(struct band *b, duration d);
/* Until `node` has answered or given an outcome once more; false after `limit`. */
bool band_wait(struct band *b, uint32_t node, duration limit);
void band_input(struct band *b, uint32_t node, const struct input *input);
void band_cut(struct band *b, uint32_t one, uint32_t other); /* both ways */
void band_heal(struct band *b);
void band_kill(struct band *b, uint32_t node);
bool band_start(struct band *b, uint32_t node); /* false: the core could not read its store */
void band_report(struct band *b, uint32_t node); /* what was held */

node_id band_id(const struct band *b, uint32_t node);
struct now band_now(const struct band *b);
void band_status(const struct band *b, uint32_t node, struct status_view *out);
/* The node that acts; BAND_MAX: nobody. */
uint32_t band_master(const struct band *b);
/* Puts a row through `node` and waits for its answer. */
enum answer_code band_put(struct band *b, uint32_t node, const char *key, const char *value);
/* The row as `node` has it; "" if not there. Valid until the next call. */
const char *band_get(const struct band *b, uint32_t node, const char *key);

#endif
