/*
 * hosts_inside.h: the world of hosts.h, for its own files.
 */
#ifndef ESSAIM_HOSTS_INSIDE_H
#define ESSAIM_HOSTS_INSIDE_H

#include "hosts.h"

#define LATENCY MILLISECOND
#define DISK_WRITE MILLISECOND
#define ELECTION (120 * MILLISECOND)
#define ASK_AGAIN (1500 * MILLISECOND)
#define RUN_LIMIT (600 * SECOND)

enum event_kind {
	EVENT_TIMER,
	EVENT_START,  /* a node starts again */
	EVENT_ELECT,  /* somebody who is up becomes master */
	EVENT_EPOCH,  /* a node hears of the epoch by its ledger */
	EVENT_COMMIT, /* a proposal reaches the ledger */
	EVENT_APPLY,  /* a node applies up to `number` */
	EVENT_PROPOSED,
	EVENT_DURABLE, /* a journal record */
	EVENT_MESSAGE,
	EVENT_EFFECT,  /* a tool does what it is for */
	EVENT_RESULT,  /* a tool ended */
	EVENT_ASK,     /* client `number` asks the master */
	EVENT_REQUEST, /* ... and this is its request */
	EVENT_ANSWER,
};

struct event {
	instant at;
	uint64_t order;
	enum event_kind kind;
	uint32_t node;
	uint32_t life;   /* of the node; else it is nobody's */
	uint64_t number; /* proposal, index, journal, run, client */
	uint32_t code;
	bool flag;
	void *memory; /* owned */
};

struct kept_row {
	enum registry_kind kind;
	uint8_t name[REGISTRY_NAME_MAX];
	uint32_t name_size;
	uint64_t version;
	const struct registry_row *value; /* in the log */
};

struct row_store {
	uint32_t count, capacity;
	struct kept_row *list;
};

struct log_entry {
	uint64_t epoch;
	uint32_t count;
	struct registry_change changes[REGISTRY_CHANGES_MAX]; /* what they point to is owned */
};

#define MODEL_WORDS_MAX 16
#define MODEL_VOLUMES_MAX 12

/* What lies on a host's disk: hosts_volumes.c. */
struct model_volume {
	bool used, files;
	char name[32], tag[48];
	uint64_t size, inode;
	uint64_t pending; /* a file under an operation's number; 0: it has its name */
};

struct process {
	bool used, done_effect, ended;
	bool volumes; /* a tool of hosts_volumes.c: */
	uint32_t word_count;
	char words[MODEL_WORDS_MAX][64], out[256];
	int code;
	uint64_t run;
	uint32_t client, step;
	char what; /* a: act, u: undo, p: probe */
	enum tool_behaviour behaviour;
	enum command_end end;
	instant timeout_at;
};

#define JOB_EVERY (10 * SECOND)
#define JOB_RUNS_MAX 32
#define JOB_CLIENT 1000000 /* a job's run is nobody's request: it stands behind them */

#define PROCESSES_MAX 64
#define RECORDS_MAX 128

struct host {
	struct hosts *world;
	uint32_t index, life, points;
	bool up, believes;
	struct engine *engine;
	uint64_t applied;
	instant timer_at;
	struct row_store rows;
	uint64_t epoch_told;
	uint32_t record_count;
	struct journal_record *records[RECORDS_MAX]; /* durable */
	struct process processes[PROCESSES_MAX];
	struct model_volume disk[MODEL_VOLUMES_MAX];
	uint64_t inodes;
};

struct client {
	struct engine_request request;
	bool answered, starts;
	uint32_t asked;
	enum engine_result result;
	char text[200];
	bool present[HOSTS_STEPS_MAX];
	uint32_t times[HOSTS_STEPS_MAX]; /* how often the effect came about */
	bool abandoned;
	bool ordered[HOSTS_MAX]; /* that node had an order for it from who was master, as far as it
	                            knew */
};

struct hosts {
	const struct hosts_plan *plan;
	struct hosts_result *result;
	struct prng dice;
	instant now;
	uint64_t orders, epoch;
	uint32_t master; /* HOSTS_MAX: none */
	uint32_t commands;
	uint32_t event_count, event_capacity;
	struct event *events; /* a heap */
	uint32_t log_count, log_capacity;
	struct log_entry **log; /* [0] is index 1 */
	struct row_store committed;
	struct host hosts[HOSTS_MAX];
	uint32_t client_count;
	struct client *clients;
	struct client runs[JOB_RUNS_MAX]; /* of the job */
	size_t engine_bytes;
	struct engine_settings settings[HOSTS_MAX];
	struct engine_view views[HOSTS_MAX];
	bool mishap_done[MISHAPS_MAX];
};

/* hosts.c */
void hosts_schedule(struct hosts *w, duration in, struct event event);
void host_deliver(struct host *h, const struct engine_input *input);
void host_crash(struct host *h, duration down);
void hosts_elect(struct hosts *w, uint32_t avoid);
void hosts_wrong(struct hosts *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool hosts_chance(struct hosts *w, uint32_t percent);

/* hosts_ledger.c */
void hosts_propose(struct host *h, uint64_t number, const struct registry_transaction *t);
void hosts_commit(struct hosts *w, struct event *event);
void hosts_apply(struct host *h, uint64_t index);
const struct kept_row *hosts_find(const struct row_store *store, enum registry_kind kind,
                                  struct bytes name);
void host_view(struct host *h, struct engine_view *out);
void hosts_forget(struct hosts *w);
/* Committed before anything else. */
void hosts_seed(struct hosts *w, const struct registry_transaction *t);
extern const struct verb_table hosts_verbs;
node_id host_id(uint32_t index);

/* hosts_tools.c */
struct client *hosts_client(struct hosts *w, uint32_t number);
struct client *hosts_client_of(struct hosts *w, const struct request_id *id);
void host_tool_run(struct host *h, const struct engine_effect *effect);
void host_tool_kill(struct host *h, uint64_t run);
void host_tool_effect(struct host *h, uint64_t run);
void host_tool_result(struct host *h, uint64_t run);
uint32_t hosts_steps(const char *verb);

/* hosts_volumes.c */
void hosts_volumes_seed(struct hosts *w);
void hosts_volumes_ask(const struct hosts_plan *plan, struct arguments *out);
void hosts_volumes_check(struct hosts *w, enum operation_state state);
void host_volume_tool(struct process *p, const struct command_line *command);
void host_volume_effect(struct host *h, struct process *p);

/* hosts_check.c */
void hosts_check_commit(struct hosts *w, const struct registry_transaction *t);
void hosts_check_act(struct host *h, const struct process *p);
void hosts_check_end(struct hosts *w);
bool hosts_over(const struct hosts *w);

#endif
