/*
 * play_parse.h: the language of plays. One step per line; below it the narration it must give.
 *
 *     # a comment
 *     nodes 3                        before anything else: how many, named a, b, c …
 *     others 2                       machines of a second cluster in the same network: A, B …
 *     networks 2                     each machine has an address in each of them
 *     rivals                         somebody will lie: two generations may live side by side
 *     profile lan                    or default
 *     seed 7
 *     init a
 *     token [via A] [uses N]         kept for all joins to come; `token none`: a fresh one each
 *     join b via a                   join w via a witness
 *     hand a b|any                   asked at a: the mastership goes to b; with the gap of authority
 *     set a NAME VALUE               what the cluster agrees on (proto/setting.h)
 *     why a                          tells how many voters, and why, as a sees it
 *     cut a b        cut a>b         both ways, one way
 *     heal           heal a b
 *     unplug a 2     plug a 2        a's link to the second network; `unplug all 2`: everybody's
 *     crash a        kill a          host, process
 *     start a        stop a          leave a        remove a VICTIM     transfer a b
 *     pause a        resume a        swap a A (both ended: each starts under the other's address)
 *     seize a b c                    a seizes the cluster, naming b and c dead
 *     rekey a                        a changes its key; `rekey a unsigned`: asks for it without any signature
 *     old a          upgrade a       its software speaks wire version 1; is exchanged for the present
 *     copy a         rollback a      its disk is copied; goes back to that copy
 *     forge a                        offered the lease, a forges the master's TRANSFER (insiders.h)
 *     drift a boot|raw|wall 5000ppm
 *     step a 2s                      the wall clock jumps; `step a back 2s`
 *     disk a stall|fail|well
 *     run 5s
 *     put a KEY VALUE [if VERSION]   get a KEY        post a KEY VALUE
 *     dismiss a VICTIM               as put and remove, but nobody waits for the answer
 *     row a NAME VALUE VERSION EPOCH what a's engine would write into the registry, where a row of that
 *                                    version stands (0: none), as the master of that epoch
 *     show RULE…     quiet RULE…     narrate more or fewer rules than events; `quiet all`:
 *                                    answers neither
 *     tape a>b [KIND]   hold a>b [KIND [N]]   pass a>b   replay a>b   (tape.h)
 *     seeded LINE…    seeded run     a list of faults, line by line (schedule.h), and its whole run
 *     expect master a | no master | one master | value a KEY VALUE | no value a KEY
 *     expect state a b reachable     as a sees b (suspect, unreachable, left, removed, unknown)
 *     expect standing a member       expect rule NAME a, no rule NAME a (in the last step that took time)
 *     expect answer VALUE            expect no answer (to the last get)
 *       | 0.250 a  P4 master of epoch 1
 */
#ifndef ESSAIM_PLAY_PARSE_H
#define ESSAIM_PLAY_PARSE_H

#include "error.h"
#include "world.h"

#define PLAY_WORDS_MAX 12
#define PLAY_NODES_MAX 26

enum play_line_kind { PLAY_COMMENT, PLAY_NARRATION, PLAY_STEP };

struct play_line {
	enum play_line_kind kind;
	uint32_t number; /* in the file, from 1 */
	char *text;      /* without its newline */
	char *split;     /* the same, cut into words */
	uint32_t count;
	char *words[PLAY_WORDS_MAX];
};

struct play_text {
	char *path;
	struct play_line *lines;
	uint32_t count;
};

/* 0, or -1 with a sentence "file:line: …". */
int play_read(const char *path, struct play_text *out, struct error *error);
void play_text_finish(struct play_text *t);

/* Each returns 0, or -1 with "file:line: expected …". */
int play_fail(const struct play_text *t, const struct play_line *line, struct error *error,
              const char *format, ...) __attribute__((format(printf, 4, 5)));
int play_node(const struct play_text *t, const struct play_line *line, uint32_t word,
              uint32_t nodes, uint32_t *out, struct error *error);
int play_number(const struct play_text *t, const struct play_line *line, uint32_t word,
                uint64_t *out, struct error *error);
int play_duration(const struct play_text *t, const struct play_line *line, uint32_t word,
                  duration *out, struct error *error);
int play_ppm(const struct play_text *t, const struct play_line *line, uint32_t word, int64_t *out,
             struct error *error);
int play_rule(const struct play_text *t, const struct play_line *line, uint32_t word,
              enum rule *out, struct error *error);

/* The word, or "" beyond the last. */
static inline const char *play_word(const struct play_line *line, uint32_t word)
{
	return word < line->count ? line->words[word] : "";
}

#endif
