/*
 * registry.h: what the ledger keeps of the hands' work: operations, jobs and the audit, as the
 * values of registry rows (table 'r'); and the small transaction that changes them.
 *
 *     a row's key = kind byte + name          a row's version = the index that last wrote it
 *     'o' + request id (24)   operation_row   exactly the operations that are open
 *     'a' + number (8)        audit_row       every write, open or ended; the oldest are dropped
 *     'j' + name              job_row
 *     'b' + request id (24)   bytes           what an open operation brought that is too big for its row
 *     's' + name              bytes           a storage, as declared (storage.h)
 *     'v' + volume_key        bytes           a volume that an operation made (volume.h)
 *     'm', 'h'                bytes           machines, permits: of others
 *
 * Invariants
 *   1. An operation's row is made with its audit row, and deleted with the change that ends its
 *      audit row: who is not in table 'o' has ended, or never was.
 *   2. Locks are the lock lists of the rows in 'o' and nothing else, so a lock dies with its operation.
 *   3. A transaction is applied whole or not at all, and only under the epoch it was made in.
 *   4. Texts are NUL-ended and hold no other NUL; every struct is plain memory without pointers
 *      (but the borrowed ones of registry_row and registry_change).
 *
 * Wall times are the wall clock of the master that proposed: a decision, never judged again.
 */
#ifndef ESSAIM_REGISTRY_H
#define ESSAIM_REGISTRY_H

#include "message.h"

enum registry_kind {
	REGISTRY_OPERATION = 'o',
	REGISTRY_AUDIT = 'a',
	REGISTRY_JOB = 'j',
	REGISTRY_BLOB = 'b',
	REGISTRY_STORAGE = 's',
	REGISTRY_VOLUME = 'v',
	REGISTRY_MACHINE = 'm',
	REGISTRY_PERMIT = 'h',
};

#define REGISTRY_NAME_MAX 200
#define REGISTRY_CHANGES_MAX 8

#define OPERATION_WORD_MAX 15      /* a noun, a verb */
#define OPERATION_ARGUMENTS_MAX 1536
#define OPERATION_LOCKS_MAX 640
#define OPERATION_MEMO_MAX 512
#define OPERATION_TEXT_MAX 1023    /* why it ended so: may hold commands to paste */
#define OPERATION_SUBJECT_MAX 127
#define OPERATION_WHO_MAX 63
#define OPERATION_TARGETS_MAX 4
#define OPERATION_BLOB_MAX (56 * 1024)
#define OPERATIONS_MAX 1024        /* open at once */
#define AUDIT_ROWS_MAX 4096
#define JOBS_MAX 128

/* NAME=VALUE, each ended by NUL, one after the other; names may repeat. proto/arguments.h reads and writes it. */
struct arguments {
	uint32_t size;
	char text[OPERATION_ARGUMENTS_MAX];
};

/*
 * Names, each ended by NUL; the first byte of each says what becomes of who finds it taken:
 * '!' is refused at once (somebody works on that very thing), '~' waits in the queue (a resource
 * that is taken in turns).
 */
struct lock_list {
	uint32_t size;
	char text[OPERATION_LOCKS_MAX];
};

/* Stored: never renumber. */
enum operation_state {
	OPERATION_QUEUED = 1,     /* no step of it was ever begun anywhere */
	OPERATION_RUNNING = 2,    /* a target may be at it */
	OPERATION_CANCELLING = 3, /* it is to stop where it can, and to be undone; `text` says who wants it */
	/* ended: in audit rows only */
	OPERATION_DONE = 4,
	OPERATION_FAILED = 5,  /* ended, and something of it is left: `text` says what */
	OPERATION_UNDONE = 6,  /* ended, and nothing of it is left: refused, cancelled, or undone; `text` */
	OPERATION_UNKNOWN = 7, /* nobody can say how far it went: `text` says why and what to look at */
};

const char *operation_state_name(enum operation_state state); /* "queued", "running", ... */

static inline bool operation_open(enum operation_state state)
{
	return state >= OPERATION_QUEUED && state <= OPERATION_CANCELLING;
}

struct operation_row {
	struct request_id id; /* its requester's; of a job's run: {0, job's number, run} */
	uint64_t number;      /* of its audit row: its name among people */
	uint64_t epoch;       /* in which it was taken on */
	char noun[OPERATION_WORD_MAX + 1], verb[OPERATION_WORD_MAX + 1];
	char subject[OPERATION_SUBJECT_MAX + 1]; /* what it is about, for lists */
	char who[OPERATION_WHO_MAX + 1];
	node_id from; /* where they asked */
	char job[NAME_MAX_SIZE + 1]; /* "", or the job that asked */
	struct arguments arguments;
	struct lock_list locks;
	uint32_t target_count;
	node_id targets[OPERATION_TARGETS_MAX]; /* steps name them by position */
	uint32_t blob_size;                     /* 0: no row in 'b' */
	enum operation_state state;
	bool left;     /* something could not be undone: `text` says what */
	bool undoing;  /* the steps below `step` are being undone, from the last to the first */
	uint32_t step; /* committed: those before it are done (undoing: still to be undone) */
	instant asked_wall, started_wall, deadline_wall;
	char memo[OPERATION_MEMO_MAX + 1]; /* what finished steps found out, for those after them: NAME=VALUE\n */
	char text[OPERATION_TEXT_MAX + 1]; /* why it is being cancelled or undone */
};

struct audit_row {
	uint64_t number;
	struct request_id id;
	uint64_t epoch;
	char noun[OPERATION_WORD_MAX + 1], verb[OPERATION_WORD_MAX + 1];
	char subject[OPERATION_SUBJECT_MAX + 1];
	char who[OPERATION_WHO_MAX + 1];
	node_id from;
	struct arguments arguments;
	instant asked_wall, ended_wall; /* ended_wall 0: open */
	enum operation_state state;     /* QUEUED while open: its row in 'o' knows better */
	char text[OPERATION_TEXT_MAX + 1];
};

struct job_row {
	char name[NAME_MAX_SIZE + 1];
	uint64_t number; /* of the audit row that made it: no two jobs have had the same */
	char noun[OPERATION_WORD_MAX + 1], verb[OPERATION_WORD_MAX + 1];
	char who[OPERATION_WHO_MAX + 1];
	node_id from;
	struct arguments arguments;
	duration every;   /* 0: once */
	instant due_wall; /* 0: no more */
	uint64_t run;     /* how often it ran: part of a run's id */
	uint64_t last;    /* number of the last run's audit row; 0: none */
	char note[OPERATION_TEXT_MAX + 1]; /* why the last run was refused; "" */
};

/* A row as it is read, or proposed (borrowed). The one pointer that its kind names is set. */
struct registry_row {
	enum registry_kind kind;
	struct bytes name;
	uint64_t version; /* read: the index that last wrote it */
	const struct operation_row *operation;
	const struct audit_row *audit;
	const struct job_row *job;
	struct bytes bytes; /* of all other kinds */
};

#define REGISTRY_ABSENT 0                /* expected: it must not exist */
#define REGISTRY_ANY UINT64_MAX

struct registry_change {
	struct registry_row row; /* deleted: kind and name only */
	bool deleted;
	uint64_t expected; /* version it must have now; REGISTRY_ABSENT; REGISTRY_ANY */
};

struct registry_transaction {
	uint64_t epoch;
	uint32_t count; /* 1..REGISTRY_CHANGES_MAX */
	struct registry_change changes[REGISTRY_CHANGES_MAX];
};

#define OPERATION_NAME_SIZE 24
#define AUDIT_NAME_SIZE 8

/* Row names; big-endian, so that rows sort by what they name. */
void operation_name(const struct request_id *id, uint8_t out[OPERATION_NAME_SIZE]);
void audit_name(uint64_t number, uint8_t out[AUDIT_NAME_SIZE]);

static inline bool request_id_equal(const struct request_id *a, const struct request_id *b)
{
	return a->origin == b->origin && a->incarnation == b->incarnation && a->sequence == b->sequence;
}

#endif
