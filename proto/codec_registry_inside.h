/*
 * codec_registry_inside.h: what codec_registry.c and codec_engine.c share.
 */
#ifndef ESSAIM_CODEC_REGISTRY_INSIDE_H
#define ESSAIM_CODEC_REGISTRY_INSIDE_H

#include "codec_internal.h"
#include "codec_registry.h"
#include "registry.pb-c.h"

ProtobufCBinaryData put_line(const char *in, size_t max);
bool take_line(const ProtobufCBinaryData *in, size_t max, char *out);
ProtobufCBinaryData put_list(const char *text, uint32_t size);
bool take_arguments(const ProtobufCBinaryData *in, struct arguments *out);
Essaim__Registry__Operation *put_operation(struct arena *scratch, const struct operation_row *in);
bool take_operation(const Essaim__Registry__Operation *in, struct operation_row *out);

#endif
