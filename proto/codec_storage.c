/*
 * Declared storages, and volumes that were made on them.
 */
#include "codec_registry_inside.h"

#include <string.h>

#include "volume.h"

size_t storage_row_encode(const struct storage_row *in, uint8_t *out, size_t capacity)
{
	Essaim__Registry__Storage wire = ESSAIM__REGISTRY__STORAGE__INIT;

	wire.id = (ProtobufCBinaryData){STORAGE_ID_SIZE, (uint8_t *)in->id.bytes};
	wire.name = put_line(in->name, NAME_MAX_SIZE);
	wire.type = in->type;
	wire.shared = in->shared;
	wire.path = put_line(in->path, DEVICE_PATH_MAX);
	wire.source = put_line(in->source, DEVICE_PATH_MAX);
	wire.group = put_line(in->group, VOLUME_NAME_MAX);
	wire.pool = put_line(in->pool, VOLUME_NAME_MAX);
	wire.n_nodes = in->node_count;
	wire.nodes = (uint64_t *)in->nodes;
	return part_pack(&wire.base, out, capacity);
}

bool storage_row_decode(struct bytes in, struct arena *arena, struct storage_row *out)
{
	const Essaim__Registry__Storage *wire =
		arena_unpack(arena, &essaim__registry__storage__descriptor, in.data, in.size);

	memset(out, 0, sizeof *out);
	if (wire == NULL || wire->id.len != STORAGE_ID_SIZE || wire->n_nodes > STORAGE_NODES_MAX)
		return false;
	memcpy(out->id.bytes, wire->id.data, STORAGE_ID_SIZE);
	out->type = (enum storage_type)wire->type;
	out->shared = wire->shared != 0;
	out->node_count = (uint32_t)wire->n_nodes;
	for (uint32_t i = 0; i < out->node_count; i++)
		out->nodes[i] = wire->nodes[i];
	return take_line(&wire->name, NAME_MAX_SIZE, out->name) &&
	       take_line(&wire->path, DEVICE_PATH_MAX, out->path) &&
	       take_line(&wire->source, DEVICE_PATH_MAX, out->source) &&
	       take_line(&wire->group, VOLUME_NAME_MAX, out->group) &&
	       take_line(&wire->pool, VOLUME_NAME_MAX, out->pool) && storage_row_legal(out);
}

size_t volume_row_encode(const struct volume_row *in, uint8_t *out, size_t capacity)
{
	Essaim__Registry__Volume wire = ESSAIM__REGISTRY__VOLUME__INIT;

	wire.storage = put_line(in->storage, NAME_MAX_SIZE);
	wire.name = put_line(in->name, VOLUME_TITLE_MAX);
	wire.node = in->node;
	wire.size = in->size;
	wire.tag = put_line(in->tag, VOLUME_TAG_MAX);
	wire.origin = put_line(in->origin, VOLUME_TITLE_MAX);
	wire.sparse = in->sparse;
	wire.operation = in->operation;
	return part_pack(&wire.base, out, capacity);
}

bool volume_row_decode(struct bytes in, struct arena *arena, struct volume_row *out)
{
	const Essaim__Registry__Volume *wire =
		arena_unpack(arena, &essaim__registry__volume__descriptor, in.data, in.size);

	memset(out, 0, sizeof *out);
	if (wire == NULL)
		return false;
	out->node = wire->node;
	out->size = wire->size;
	out->sparse = wire->sparse != 0;
	out->operation = wire->operation;
	return take_line(&wire->storage, NAME_MAX_SIZE, out->storage) &&
	       take_line(&wire->name, VOLUME_TITLE_MAX, out->name) &&
	       take_line(&wire->tag, VOLUME_TAG_MAX, out->tag) &&
	       take_line(&wire->origin, VOLUME_TITLE_MAX, out->origin) && volume_row_legal(out);
}
