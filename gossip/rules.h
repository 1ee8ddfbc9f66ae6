/*
 * rules.h: one name and one sentence for every decision that can be traced.
 *
 * The daemon's log, the plays' narration and `essaim events` show these very sentences, so a line
 * in a log leads to its rule and its test. Placeholders: {subject} {other} node names; {1} {2} {3}
 * the numbers; {1ms} {2ms} {3ms} a number of nanoseconds shown in milliseconds; {from} {to} addresses.
 *
 * RULE(name, level, event, sentence): level is debug, info, notice, warning or error; `event` is 1
 * if `essaim events` keeps it.
 */
#ifndef ESSAIM_RULES_H
#define ESSAIM_RULES_H

#include "words.h"

#define RULES(RULE)                                                                                \
	/* life */                                                                                 \
	RULE(STARTED, info, 1, "started as incarnation {1}")                                       \
	RULE(FOUNDED, notice, 1, "founded a new cluster")                                          \
	RULE(JOINED, notice, 1, "joined the cluster")                                              \
	RULE(JOIN_FAILED, warning, 1, "could not join")                                            \
	RULE(JOIN_LOST, info, 1, "the member that was asked went away before it answered: asking again")  \
	RULE(JOIN_WAITS, info, 1, "the member has too much to do: asking it again in {2ms} ms")         \
	RULE(STOPPING, info, 1, "stopping cleanly")                                                \
	RULE(STOPPED, info, 1, "stopped")                                                          \
	RULE(TOLD_REMOVED, error, 1, "this node was removed from the cluster and stops")           \
	/* membership */                                                                           \
	RULE(MEMBERS_FULL, error, 1, "no room for member {subject}: raise members_max and restart") \
	RULE(MEMBER_ADDED, notice, 1, "{subject} is a member")                                     \
	RULE(MEMBER_LEFT, notice, 1, "{subject} left")                                             \
	RULE(MEMBER_REMOVED, notice, 1, "{subject} was removed for ever")                          \
	RULE(SAID_FAREWELL, info, 1, "{subject} stopped cleanly")                                  \
	RULE(REACHABLE, notice, 1, "{subject} is reachable, incarnation {1}")                      \
	RULE(PROBE_FAILED, debug, 0, "{subject} did not answer probe {1} within {2ms} ms")         \
	RULE(REFUSED, info, 1, "{subject} refused a packet: one accuser, not a verdict")           \
	RULE(SUSPECT, warning, 1, "{subject} is suspect: {other} got no answer")                   \
	RULE(SUSPECT_MORE, info, 1, "{subject} is suspect: {other} confirms, {1} accusers")        \
	RULE(PATH_DOWN, warning, 1, "the path {from} > {to} to {subject} is down: it answers by another") \
	RULE(PATH_UP, notice, 1, "the path {from} > {to} to {subject} is up again")               \
	RULE(CROSS_DOWN, debug, 0, "the path {from} > {to} to {subject}, across networks, is down")  \
	RULE(CROSS_UP, debug, 0, "the path {from} > {to} to {subject}, across networks, is up again") \
	RULE(PATH_MOVED, info, 0, "what is sent to {subject} goes {from} > {to} now")              \
	RULE(ADDRESSES, info, 1, "the ledger keeps the addresses that {subject} says it has now") \
	RULE(REFUTED, info, 1, "{subject} is alive after all, refutation {1}")                     \
	RULE(SELF_ACCUSED, warning, 1, "{other} accuses this node: refuting with {1}")             \
	RULE(UNREACHABLE, warning, 1, "{subject} is unreachable: {1} accusers, silent for {2ms} ms") \
	RULE(HEALTH, info, 1, "own health score is now {1}")                                       \
	RULE(CLONE, error, 1, "the key of {subject} is alive in two places: {from} and {to}")       \
	RULE(RESTARTED, info, 1, "{subject} restarted, incarnation {1}")                           \
	RULE(REKEYED, notice, 1, "{subject} changed its key: the one before is refused for ever") \
	RULE(TOLD_REKEYED, error, 1, "this node's key was changed for another: this is an old copy, which stops") \
	RULE(LEVEL, notice, 1, "every member speaks wire version {1}: the cluster does from now on") \
	RULE(WIRE_OLD, warning, 1, "{subject} speaks wire version {1}, the cluster {2}: refused until it is upgraded") \
	RULE(TOLD_WIRE_OLD, error, 1,                                                              \
	     "the cluster speaks wire version {1}, this essaim {2} at most: upgrade it, it is refused") \
	RULE(FACT_CHANGED, debug, 0, "{subject} published a fact, version {1}")                    \
	/* the voter */                                                                            \
	RULE(QUARANTINE, info, 1, "V0 mute for {1ms} ms after the start")                          \
	RULE(QUARANTINE_OVER, info, 1, "V0 votes again")                                           \
	RULE(CONFIG, info, 1, "V1 config version {1} with {2} voters")                             \
	RULE(CONFIG_OLD, info, 0, "V1 refused {subject}: its config is older")                     \
	RULE(PROMISED, debug, 0, "V2 promised ballot {1} to {subject}")                             \
	RULE(PREPARE_LIVE, info, 0, "V2 refused {subject}: the grant of {other} is live for {1ms} ms") \
	RULE(PREPARE_LOW, info, 0, "V2 refused {subject}: ballot {1} is below the promised {2}")   \
	RULE(GRANTED, info, 0, "V3 granted the lease to {subject}, ballot {1}")                    \
	RULE(ACCEPT_LIVE, warning, 0, "V3 refused {subject}: the grant of {other} is live for {1ms} ms") \
	RULE(ACCEPT_LOW, info, 0, "V3 refused {subject}: ballot {1} is below the promised {2}")    \
	RULE(ROUND_OLD, debug, 0, "V3 took an older round {1} of {subject}: it extends nothing")   \
	RULE(GRANT_EXPIRED, info, 0, "the grant of {subject} has run out")                         \
	RULE(RELEASED, info, 0, "V4 cleared the grant of {subject}")                               \
	RULE(RELEASE_INEXACT, info, 0, "V4 ignored a release by {subject} that is not exact")      \
	RULE(TRANSFERRED, info, 0, "V5 took the hand-over from {other} to {subject}")              \
	RULE(TRANSFER_REFUSED, info, 0, "V5 refused the hand-over to {subject}")                   \
	RULE(DISK_FAILED, error, 1, "the store failed: this voter stops voting")                   \
	RULE(DISK_OVERDUE, warning, 1, "the disk check is overdue by {1ms} ms: no more grants")    \
	RULE(DISK_WELL, notice, 1, "the store works again")                                        \
	RULE(OWNER_SLOW, error, 1, "the clock of {subject} runs slow by {1} ppm: refused")         \
	RULE(STRAYED, info, 1, "{subject} looks for another at this node's address: greeting it")  \
	RULE(STRAYED_TOLD, info, 1, "{subject} was heard by {other}, whom it may not know: greeting it") \
	RULE(OLD_SELF, error, 1, "{subject} came back with an incarnation not above {1}: no vote") \
	/* the candidate and master */                                                             \
	RULE(CANDIDATE, info, 1, "P1 candidate with ballot {1}")                                   \
	RULE(CANDIDATE_LATE, info, 0, "P1 ballot {1} did not get a majority in time")              \
	RULE(CANDIDATE_LAGGING, info, 0, "P1 lagging behind {subject}: catching up first")         \
	RULE(CONFIG_HIGHER, info, 0, "P2 met a higher config: ballot {1} abandoned")               \
	RULE(CLAIMING, info, 0, "P3 majority open: claiming epoch {1} at index {2}")               \
	RULE(MASTER, notice, 1, "P4 master of epoch {1}")                                          \
	RULE(LAPSED, warning, 1, "P6 authority of epoch {1} lapsed: ballot abandoned")             \
	RULE(OUTBID, notice, 1, "{subject} promised ballot {1}, above ours: taking a higher one")       \
	RULE(RELEASING, info, 1, "P8 stopped acting and released epoch {1}")                       \
	RULE(OFFERING, info, 0, "P9 offers the lease to {subject}")                                \
	RULE(READY, info, 0, "P9 ready to take over from {subject}")                               \
	RULE(TRANSFERRING, info, 1, "P9 stopped acting: hands epoch {1} to {subject}")             \
	RULE(MASTER_SEEN, notice, 1, "{subject} is the master of epoch {1}")                       \
	RULE(MASTER_LOST, warning, 1, "no master: the lease of {subject} has run out")             \
	/* voters */                                                                               \
	RULE(CONFIG_REWRITTEN, info, 0, "R1 rewrote the config under ballot {1}")                  \
	RULE(VOTER_LEARNS, info, 1, "{subject} learns the ledger before it may vote")              \
	RULE(VOTER_ADDED, notice, 1, "R4 {subject} becomes a voter: {1} voters")                   \
	RULE(VOTER_DROPPED, notice, 1, "R4 {subject} is no voter any more: {1} voters")            \
	RULE(VOTER_SWAPPED, notice, 1, "{subject} loses its vote: silent for {1ms} ms")            \
	RULE(VOTER_STAYS, warning, 1,                                                              \
	     "{subject} may not go: of the voters that would remain {1} answer, {2} are needed")   \
	RULE(NODE_STAYS, warning, 1,                                                               \
	     "{subject} may not go: no member that can be master would remain")                    \
	RULE(TERMS, notice, 1, "the lease lasts {1ms} ms, others are excluded for {2ms} ms")       \
	RULE(TERMS_WAIT, info, 0, "waits {1ms} ms until every longer lease is over")               \
	RULE(HEALTH_HANDS_OVER, notice, 1,                                                         \
	     "own health has been {1} for {2ms} ms: hands the lease to a healthier voter")         \
	RULE(UNFIT, info, 0, "P9 not fit to take over from {subject}")                             \
	RULE(HAND_OVER_FAILED, warning, 1, "the lease was not handed to {subject}: this node goes on") \
	RULE(HANDED_OVER, notice, 1, "{subject} took over: nobody acted for at most {1} us")     \
	RULE(SETTING, notice, 1, "a setting was changed at index {1}")                             \
	/* generations */                                                                          \
	RULE(SURVEYING, notice, 1, "seizing: asks all members; {1} were named dead")               \
	RULE(CONSENTED, warning, 1, "consented to the seizure of {subject}: does not vote until it is over") \
	RULE(CONSENT_TAKEN, info, 1, "{subject} consents to the seizure")                          \
	RULE(CONSENT_OVER, notice, 1, "the seizure of {subject} is over: votes again")             \
	RULE(SEIZE_WAITS, notice, 1, "all {2} others consent: waits {1ms} ms until every old lease is over") \
	RULE(SEIZE_REFUSED, warning, 1, "the seizure was refused: nothing changed")                \
	RULE(SEIZED, warning, 1, "{subject} seized the cluster: generation {1}, {2} named dead")   \
	RULE(RESTORED, warning, 1, "{subject} restored the cluster from a backup: generation {1}") \
	RULE(FOLLOWS, warning, 1, "follows {subject} into generation {1}")                         \
	RULE(GENERATION, notice, 1, "is a member of generation {1} now")                           \
	RULE(SUPERSEDED, error, 1,                                                                 \
	     "{other} founded the generation after {1}, without this node: it stops (node reset, then join)") \
	RULE(RIVAL, error, 1, "{subject} and {other} both founded a generation {1}: one of them stops") \
	RULE(RIVAL_LOST, error, 1,                                                                 \
	     "{other} founded a rival of generation {1} that goes first: this node stops (node reset, then join)") \
	/* ledger */                                                                               \
	RULE(CAUGHT_UP, debug, 0, "caught up to index {1} from {other}")                          \
	RULE(SNAPSHOT_TAKEN, info, 1, "took a snapshot of index {1} from {other}")               \
	RULE(TOKEN_CREATED, info, 1, "a token was created")                                        \
	RULE(TOKEN_REDEEMED, info, 1, "{subject} redeemed a token")                                \
	RULE(TOKEN_REVOKED, info, 1, "a token was revoked")                                        \
	RULE(INQUIRED, debug, 0, "a stranger with a token asked what would become of its join")    \
	RULE(REGISTRY, debug, 0, "the engine changed {2} rows at index {1}")                       \
	RULE(REGISTRY_REFUSED, info, 0, "the engine's transaction at index {1} found another version: nothing changed") \
	RULE(REGISTRY_EPOCH, notice, 1, "a transaction of epoch {1} came after epoch {2} began: nothing changed") \
	RULE(KV_CHANGED, debug, 0, "a kv row changed at index {1}")                                \
	RULE(LEDGER_FULL, error, 1, "the ledger is full: a write was refused")

enum rule {
#define RULE(name, level, event, sentence) RULE_##name,
	RULES(RULE)
#undef RULE
	RULE_COUNT
};

enum rule_level { LEVEL_debug, LEVEL_info, LEVEL_notice, LEVEL_warning, LEVEL_error };

/* One decision as it was taken. */
struct trace {
	enum rule rule;
	node_id subject, other; /* 0: none */
	int64_t numbers[3];
	struct address ends[2]; /* {from} and {to}; family 0: none */
};

struct rule_info {
	const char *name; /* "UNREACHABLE" */
	enum rule_level level;
	bool event;
	const char *sentence;
};

const struct rule_info *rule_info(enum rule rule);

#endif
