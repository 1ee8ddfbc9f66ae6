/*
 * codec_internal.h: what the codec's own files share. Nothing else may include it.
 *
 * `put_x` turns a plain struct into a protobuf-c struct (its parts in `scratch`), `take_x` checks
 * one and turns it back. put never fails: what it is given is ours. take returns false for anything
 * outside words.h's limits; those that can take every value return nothing.
 *
 * Zero parts are left out of the bytes and read back as zero, so an absent part is never an error.
 */
#ifndef ESSAIM_CODEC_INTERNAL_H
#define ESSAIM_CODEC_INTERNAL_H

#include "codec.h"
#include "store.pb-c.h"
#include "wire.pb-c.h"

/* Bigger than the largest message's parts: 256 entries (22 KiB) and 16 items (6 KiB). */
#define SCRATCH_SIZE (36 * 1024)

/* Longest term of a config that makes sense; keeps `now + term` far from overflow. */
#define CONFIG_TERM_MAX (24 * 3600 * SECOND)

/* One sentence for a person (error.h keeps less). */
#define ANSWER_TEXT_MAX 1024

/* ---- memory ---- */

/* 16-aligned; NULL if the arena is used up. */
void *arena_take(struct arena *arena, size_t size);
/* Unpacks into the arena, emptied first. NULL if not well-formed or too big. */
void *arena_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *in,
                   size_t size);
/* A fresh protobuf-c struct in the scratch, which is always big enough. */
void *part_new(struct arena *scratch, const ProtobufCMessageDescriptor *type);
void *scratch_take(struct arena *scratch, size_t size);
/* Packs if it fits; returns its size or 0. */
size_t part_pack(const ProtobufCMessage *message, uint8_t *out, size_t capacity);

/* ---- scalars and bytes ---- */

ProtobufCBinaryData put_bytes(const struct bytes *in);
bool take_bytes(const ProtobufCBinaryData *in, size_t max, struct bytes *out);
/* A key, hash or signature: of exactly `size` bytes, or left out if all zero. */
ProtobufCBinaryData put_exact(const uint8_t *in, size_t size);
bool take_exact(const ProtobufCBinaryData *in, uint8_t *out, size_t size);
/*
 * An instant or duration of a peer's, forced into a range of width 2^62: differences of two such,
 * and sums of two differences, never overflow. A wild clock must not cut its node off, so it is not
 * refused.
 */
int64_t take_time(int64_t in);

/* ---- parts ---- */

Essaim__Wire__Ballot *put_ballot(struct arena *scratch, const struct ballot *in);
void take_ballot(const Essaim__Wire__Ballot *in, struct ballot *out);
Essaim__Wire__Owner *put_owner(struct arena *scratch, const struct owner *in);
void take_owner(const Essaim__Wire__Owner *in, struct owner *out);
Essaim__Wire__RequestId *put_request_id(struct arena *scratch, const struct request_id *in);
void take_request_id(const Essaim__Wire__RequestId *in, struct request_id *out);
Essaim__Wire__Generation *put_generation(struct arena *scratch, const struct generation *in);
bool take_generation(const Essaim__Wire__Generation *in, struct generation *out);
Essaim__Wire__Config *put_config(struct arena *scratch, const struct config *in);
bool take_config(const Essaim__Wire__Config *in, struct config *out);
Essaim__Wire__Address *put_address(struct arena *scratch, const struct address *in);
Essaim__Wire__Address **put_addresses(struct arena *scratch, const struct addresses *in,
                                      size_t *out_count);
bool take_addresses(Essaim__Wire__Address *const *in, size_t count, struct addresses *out);
bool take_address(const Essaim__Wire__Address *in, struct address *out);
Essaim__Wire__MemberRecord *put_member_record(struct arena *scratch,
                                              const struct member_record *in);
bool take_member_record(const Essaim__Wire__MemberRecord *in, struct member_record *out);
bool take_role(uint32_t in, enum role *out);

/* ---- gossip items (codec_item.c) ---- */

Essaim__Wire__Item *put_item(struct arena *scratch, const struct item *in);
/* Items of an unknown kind are left out. */
bool take_items(const Essaim__Wire__Envelope *in, struct arena *arena, struct envelope *out);

/* ---- messages: put reads the envelope's union, take writes it ---- */

typedef void *put_message(struct arena *scratch, const struct envelope *in);
typedef bool take_message(const void *in, struct arena *arena, struct envelope *out);

put_message put_hello, put_welcome, put_probe, put_ack, put_probe_request, put_probe_report,
	put_gossip, put_digest, put_fact_pull, put_fact_value,
	put_farewell; /* codec_membership.c */
take_message take_hello, take_welcome, take_probe, take_ack, take_probe_request, take_probe_report,
	take_gossip, take_digest, take_fact_pull, take_fact_value, take_farewell;

put_message put_prepare, put_promise, put_reject, put_accept, put_accepted, put_release, put_offer,
	put_ready, put_transfer, put_fetch, put_entries, put_snapshot; /* codec_lease.c */
take_message take_prepare, take_promise, take_reject, take_accept, take_accepted, take_release,
	take_offer, take_ready, take_transfer, take_fetch, take_entries, take_snapshot;

put_message put_request, put_answer, put_join, put_joined; /* codec_request.c */
take_message take_request, take_answer, take_join, take_joined;

put_message put_survey, put_survey_answer, put_seized; /* codec_seize.c */
take_message take_survey, take_survey_answer, take_seized;

put_message put_engine; /* codec_request.c */
take_message take_engine;

put_message put_inquiry, put_inquired; /* codec_inquiry.c */
take_message take_inquiry, take_inquired;

#endif
