/*
 * codec_registry.h: the engine's rows, journal, requests and messages to bytes and back; codec.h's rules.
 *
 * What is decoded is plain memory and needs the arena no more, but for what is said to be borrowed.
 */
#ifndef ESSAIM_CODEC_REGISTRY_H
#define ESSAIM_CODEC_REGISTRY_H

#include "codec.h"
#include "engine_words.h"

#define ENGINE_ARENA_SIZE (192 * 1024) /* enough for every legal one of these */

size_t operation_row_encode(const struct operation_row *in, uint8_t *out, size_t capacity);
bool operation_row_decode(struct bytes in, struct arena *arena, struct operation_row *out);
size_t audit_row_encode(const struct audit_row *in, uint8_t *out, size_t capacity);
bool audit_row_decode(struct bytes in, struct arena *arena, struct audit_row *out);
size_t job_row_encode(const struct job_row *in, uint8_t *out, size_t capacity);
bool job_row_decode(struct bytes in, struct arena *arena, struct job_row *out);

/* Without id and `from`: who carries it has them proven. `blob` is borrowed from the arena. */
size_t engine_request_encode(const struct engine_request *in, uint8_t *out, size_t capacity);
bool engine_request_decode(struct bytes in, struct arena *arena, struct engine_request *out);

/* An answer (without its request), or how far the operation is. */
struct engine_told {
	bool is_progress;
	struct engine_answer answer; /* is_progress: operation and number only */
	struct engine_progress progress;
};
size_t engine_told_encode(const struct engine_told *in, uint8_t *out, size_t capacity);
bool engine_told_decode(struct bytes in, struct arena *arena, struct engine_told *out);

size_t engine_message_encode(const struct engine_message *in, uint8_t *out, size_t capacity);
bool engine_message_decode(struct bytes in, struct arena *arena, struct engine_message *out);

size_t journal_record_encode(const struct journal_record *in, uint8_t *out, size_t capacity);
bool journal_record_decode(struct bytes in, struct arena *arena, struct journal_record *out);

/*
 * The value of a registry row by its kind: `row`'s pointers to `room`, or to `value` for kinds whose
 * bytes are others'. False: it is malformed.
 */
struct registry_room {
	union {
		struct operation_row operation;
		struct audit_row audit;
		struct job_row job;
	};
};
bool registry_row_decode(struct bytes key, struct bytes value, struct arena *arena,
                         struct registry_room *room, struct registry_row *out);
/* Its value; 0: does not fit. */
size_t registry_row_encode(const struct registry_row *row, uint8_t *out, size_t capacity);
/* Kind and name. */
struct bytes registry_row_key(enum registry_kind kind, struct bytes name,
                              uint8_t out[REGISTRY_NAME_MAX + 1]);

#endif
