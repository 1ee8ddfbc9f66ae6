/*
 * Pages of an inventory as protobuf, checked in both directions.
 */
#include "inventory.h"

#include <assert.h>
#include <string.h>

#include "codec_internal.h"
#include "inventory.pb-c.h"

#define FLAG(bit, is) ((is) ? 1u << (bit) : 0)
#define HAS(flags, bit) (((flags) & 1u << (bit)) != 0)

/* ---- texts and small numbers ---- */

/* They come from tools and are printed on terminals: no control characters. */
static bool take_text(const char *in, char *out, size_t room)
{
	size_t size = in == NULL ? 0 : strlen(in);
	if (size >= room)
		return false;
	memset(out, 0, room);
	memcpy(out, in == NULL ? "" : in, size);
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)out[i] < ' ' || out[i] == 127)
			return false;
	}
	return true;
}

/* protobuf-c's strings are not const, and are only read. */
static char *put_text(const char *in)
{
	return (char *)(uintptr_t)in;
}

static bool take_uuid(const char *in, struct lvm_uuid *out)
{
	return take_text(in, out->text, sizeof out->text);
}

static uint32_t put_fill(int32_t fill)
{
	return fill < 0 ? 0 : (uint32_t)fill + 1;
}

static bool take_fill(uint32_t in, int32_t *out)
{
	*out = (int32_t)(in > 10001 ? 0 : in) - 1;
	return in <= 10001;
}

static bool take_position(uint32_t in, uint32_t count, uint32_t *out)
{
	*out = in == 0 ? LVM_NO_GROUP : in - 1;
	return in <= count;
}

static uint32_t put_position(uint32_t group)
{
	return group == LVM_NO_GROUP ? 0 : group + 1;
}

/* A list of so many parts, to be filled; the scratch is always big enough. */
static void *list_new(struct arena *scratch, uint32_t count)
{
	return scratch_take(scratch, (count + 1) * sizeof(void *));
}

/* ---- LVM ---- */

static Essaim__Inventory__Group *put_group(struct arena *scratch, const struct lvm_group *in)
{
	Essaim__Inventory__Group *w = part_new(scratch, &essaim__inventory__group__descriptor);
	w->name = put_text(in->name);
	w->uuid = put_text(in->uuid.text);
	w->size = in->size;
	w->free = in->free;
	w->extent = in->extent;
	w->devices = in->device_count;
	w->missing = in->missing;
	w->flags = FLAG(0, in->partial) | FLAG(1, in->exported) | FLAG(2, in->read_only);
	w->tags = put_text(in->tags);
	return w;
}

static bool take_group(const Essaim__Inventory__Group *in, struct lvm_group *out)
{
	*out = (struct lvm_group){.size = in->size,
		.free = in->free,
		.extent = in->extent,
		.device_count = in->devices,
		.missing = in->missing,
		.partial = HAS(in->flags, 0),
		.exported = HAS(in->flags, 1),
		.read_only = HAS(in->flags, 2)};
	return take_text(in->name, out->name, sizeof out->name) && take_uuid(in->uuid, &out->uuid) &&
	       take_text(in->tags, out->tags, sizeof out->tags);
}

static Essaim__Inventory__Device *put_device(struct arena *scratch, const struct lvm_device *in)
{
	Essaim__Inventory__Device *w = part_new(scratch, &essaim__inventory__device__descriptor);
	w->path = put_text(in->path);
	w->uuid = put_text(in->uuid.text);
	w->group = put_position(in->group);
	w->size = in->size;
	w->free = in->free;
	w->flags = FLAG(0, in->missing) | FLAG(1, in->duplicate);
	w->other = put_text(in->other);
	return w;
}

static bool take_device(const Essaim__Inventory__Device *in, uint32_t groups,
                        struct lvm_device *out)
{
	*out = (struct lvm_device){.size = in->size,
		.free = in->free,
		.missing = HAS(in->flags, 0),
		.duplicate = HAS(in->flags, 1)};
	return take_text(in->path, out->path, sizeof out->path) && take_uuid(in->uuid, &out->uuid) &&
	       take_position(in->group, groups, &out->group) &&
	       take_text(in->other, out->other, sizeof out->other);
}

static Essaim__Inventory__Volume *put_volume(struct arena *scratch, const struct lvm_volume *in)
{
	Essaim__Inventory__Volume *w = part_new(scratch, &essaim__inventory__volume__descriptor);
	w->name = put_text(in->name);
	w->uuid = put_text(in->uuid.text);
	w->group = put_position(in->group);
	w->kind = in->kind;
	w->size = in->size;
	w->flags = FLAG(0, in->active) | FLAG(1, in->open) | FLAG(2, in->read_only) |
	           FLAG(3, in->sick) | FLAG(4, in->state_unknown);
	w->data_fill = put_fill(in->data_fill);
	w->metadata_fill = put_fill(in->metadata_fill);
	w->origin = put_text(in->origin);
	w->pool = put_text(in->pool);
	w->tags = put_text(in->tags);
	return w;
}

static bool take_volume(const Essaim__Inventory__Volume *in, uint32_t groups,
                        struct lvm_volume *out)
{
	*out = (struct lvm_volume){.kind = (enum lv_kind)in->kind,
		.size = in->size,
		.active = HAS(in->flags, 0),
		.open = HAS(in->flags, 1),
		.read_only = HAS(in->flags, 2),
		.sick = HAS(in->flags, 3),
		.state_unknown = HAS(in->flags, 4)};
	return in->kind < LV_KINDS && take_text(in->name, out->name, sizeof out->name) &&
	       take_uuid(in->uuid, &out->uuid) && take_position(in->group, groups, &out->group) &&
	       take_fill(in->data_fill, &out->data_fill) &&
	       take_fill(in->metadata_fill, &out->metadata_fill) &&
	       take_text(in->origin, out->origin, sizeof out->origin) &&
	       take_text(in->pool, out->pool, sizeof out->pool) &&
	       take_text(in->tags, out->tags, sizeof out->tags);
}

size_t lvm_head_encode(const struct lvm_head *in, struct arena *scratch, uint8_t *out, size_t room)
{
	Essaim__Inventory__LvmHead w = ESSAIM__INVENTORY__LVM_HEAD__INIT;
	assert(in->group_count <= LVM_GROUPS_MAX && in->device_count <= LVM_DEVICES_MAX);
	scratch->used = 0;
	w.state = in->state;
	w.since_wall = in->since_wall;
	w.pages = in->page_count;
	w.volumes = in->volume_count;
	w.more = in->more;
	w.groups = list_new(scratch, in->group_count);
	w.devices = list_new(scratch, in->device_count);
	for (uint32_t i = 0; i < in->group_count; i++)
		w.groups[w.n_groups++] = put_group(scratch, &in->groups[i]);
	for (uint32_t i = 0; i < in->device_count; i++)
		w.devices[w.n_devices++] = put_device(scratch, &in->devices[i]);
	return part_pack(&w.base, out, room);
}

bool lvm_head_decode(struct bytes in, struct arena *arena, struct lvm_head *out)
{
	const Essaim__Inventory__LvmHead *w =
		arena_unpack(arena, &essaim__inventory__lvm_head__descriptor, in.data, in.size);
	if (w == NULL || w->n_groups > LVM_GROUPS_MAX || w->n_devices > LVM_DEVICES_MAX ||
	    w->state >= INVENTORY_STATES || w->pages > LVM_PAGES_MAX)
		return false;
	memset(out, 0, sizeof *out);
	out->state = (enum inventory_state)w->state;
	out->since_wall = take_time(w->since_wall);
	out->page_count = w->pages;
	out->volume_count = w->volumes;
	out->more = w->more;
	out->group_count = (uint32_t)w->n_groups;
	out->device_count = (uint32_t)w->n_devices;
	for (uint32_t i = 0; i < out->group_count; i++) {
		if (!take_group(w->groups[i], &out->groups[i]))
			return false;
	}
	for (uint32_t i = 0; i < out->device_count; i++) {
		if (!take_device(w->devices[i], out->group_count, &out->devices[i]))
			return false;
	}
	return true;
}

size_t lvm_page_encode(const struct lvm_page *in, struct arena *scratch, uint8_t *out, size_t room)
{
	Essaim__Inventory__LvmPage w = ESSAIM__INVENTORY__LVM_PAGE__INIT;
	assert(in->group_count <= LVM_GROUPS_MAX && in->volume_count <= LVM_PAGE_VOLUMES_MAX);
	scratch->used = 0;
	w.more = in->more;
	w.groups = list_new(scratch, in->group_count);
	w.volumes = list_new(scratch, in->volume_count);
	for (uint32_t i = 0; i < in->group_count; i++) {
		w.groups[i] = part_new(scratch, &essaim__inventory__page_group__descriptor);
		w.groups[i]->name = put_text(in->groups[i].name);
		w.groups[i]->uuid = put_text(in->groups[i].uuid.text);
		w.n_groups++;
	}
	for (uint32_t i = 0; i < in->volume_count; i++)
		w.volumes[w.n_volumes++] = put_volume(scratch, &in->volumes[i]);
	while (w.n_volumes > 0 && protobuf_c_message_get_packed_size(&w.base) > room) {
		size_t fewer = w.n_volumes - w.n_volumes / 8 - 1;
		w.more += (uint32_t)(w.n_volumes - fewer);
		w.n_volumes = fewer;
	}
	return part_pack(&w.base, out, room);
}

bool lvm_page_decode(struct bytes in, struct arena *arena, struct lvm_page *out)
{
	const Essaim__Inventory__LvmPage *w =
		arena_unpack(arena, &essaim__inventory__lvm_page__descriptor, in.data, in.size);
	if (w == NULL || w->n_groups > LVM_GROUPS_MAX || w->n_volumes > LVM_PAGE_VOLUMES_MAX)
		return false;
	out->more = w->more;
	out->group_count = (uint32_t)w->n_groups;
	out->volume_count = (uint32_t)w->n_volumes;
	for (uint32_t i = 0; i < out->group_count; i++) {
		if (!take_text(w->groups[i]->name, out->groups[i].name, sizeof out->groups[i].name) ||
		    !take_uuid(w->groups[i]->uuid, &out->groups[i].uuid))
			return false;
	}
	for (uint32_t i = 0; i < out->volume_count; i++) {
		if (!take_volume(w->volumes[i], out->group_count, &out->volumes[i]))
			return false;
	}
	return true;
}

/* ---- DRBD ---- */

static Essaim__Inventory__DrbdVolume *put_drbd_volume(struct arena *scratch,
                                                      const struct drbd_volume *in)
{
	Essaim__Inventory__DrbdVolume *w =
		part_new(scratch, &essaim__inventory__drbd_volume__descriptor);
	w->number = in->number;
	w->minor = in->minor;
	w->disk = put_text(in->disk);
	w->size = in->size;
	w->open = in->open;
	w->backing = put_text(in->backing);
	if (!in->generation.known)
		return w;
	w->generation = scratch_take(scratch, 4 * sizeof(uint64_t));
	w->n_generation = 4;
	w->generation[0] = in->generation.current;
	w->generation[1] = in->generation.bitmap;
	w->generation[2] = in->generation.older[0];
	w->generation[3] = in->generation.older[1];
	return w;
}

static bool take_drbd_volume(const Essaim__Inventory__DrbdVolume *in, struct drbd_volume *out)
{
	*out = (struct drbd_volume){
		.number = in->number, .minor = in->minor, .size = in->size, .open = in->open};
	if (in->n_generation != 0 && in->n_generation != 4)
		return false;
	if (in->n_generation == 4)
		out->generation = (struct drbd_generation){true, in->generation[0], in->generation[1],
			{in->generation[2], in->generation[3]}};
	return take_text(in->disk, out->disk, sizeof out->disk) &&
	       take_text(in->backing, out->backing, sizeof out->backing);
}

static Essaim__Inventory__DrbdPeer *put_drbd_peer(struct arena *scratch, const struct drbd_peer *in)
{
	Essaim__Inventory__DrbdPeer *w = part_new(scratch, &essaim__inventory__drbd_peer__descriptor);
	assert(in->volume_count <= DRBD_VOLUMES_MAX);
	w->node_id = in->node_id;
	w->name = put_text(in->name);
	w->address = put_text(in->address);
	w->connection = put_text(in->connection);
	w->role = put_text(in->role);
	w->said = in->said;
	w->options = in->options;
	w->local = put_text(in->local);
	w->volumes = list_new(scratch, in->volume_count);
	for (uint32_t i = 0; i < in->volume_count; i++) {
		const struct drbd_peer_volume *v = &in->volumes[i];
		Essaim__Inventory__DrbdPeerVolume *part =
			part_new(scratch, &essaim__inventory__drbd_peer_volume__descriptor);
		part->number = v->number;
		part->replication = put_text(v->replication);
		part->disk = put_text(v->disk);
		part->out_of_sync = v->out_of_sync;
		part->done = put_fill(v->done);
		part->suspended = v->suspended;
		w->volumes[w->n_volumes++] = part;
	}
	return w;
}

static bool take_drbd_peer(const Essaim__Inventory__DrbdPeer *in, struct drbd_peer *out)
{
	*out = (struct drbd_peer){.node_id = in->node_id,
		.said = (enum drbd_word)in->said,
		.options = in->options,
		.volume_count = (uint32_t)in->n_volumes};
	if (in->n_volumes > DRBD_VOLUMES_MAX || in->said >= DRBD_SAID_WORDS)
		return false;
	for (uint32_t i = 0; i < out->volume_count; i++) {
		const Essaim__Inventory__DrbdPeerVolume *part = in->volumes[i];
		struct drbd_peer_volume *v = &out->volumes[i];
		v->number = part->number;
		v->out_of_sync = part->out_of_sync;
		v->suspended = part->suspended;
		if (!take_text(part->replication, v->replication, sizeof v->replication) ||
		    !take_text(part->disk, v->disk, sizeof v->disk) || !take_fill(part->done, &v->done))
			return false;
	}
	return take_text(in->name, out->name, sizeof out->name) &&
	       take_text(in->address, out->address, sizeof out->address) &&
	       take_text(in->local, out->local, sizeof out->local) &&
	       take_text(in->connection, out->connection, sizeof out->connection) &&
	       take_text(in->role, out->role, sizeof out->role);
}

static Essaim__Inventory__DrbdResource *put_resource(struct arena *scratch,
                                                     const struct drbd_resource *in)
{
	Essaim__Inventory__DrbdResource *w =
		part_new(scratch, &essaim__inventory__drbd_resource__descriptor);
	assert(in->volume_count <= DRBD_VOLUMES_MAX && in->peer_count <= DRBD_PEERS_MAX);
	w->name = put_text(in->name);
	w->role = put_text(in->role);
	w->suspended = in->suspended;
	w->volumes = list_new(scratch, in->volume_count);
	w->peers = list_new(scratch, in->peer_count);
	for (uint32_t i = 0; i < in->volume_count; i++)
		w->volumes[w->n_volumes++] = put_drbd_volume(scratch, &in->volumes[i]);
	for (uint32_t i = 0; i < in->peer_count; i++)
		w->peers[w->n_peers++] = put_drbd_peer(scratch, &in->peers[i]);
	return w;
}

static bool take_resource(const Essaim__Inventory__DrbdResource *in, struct drbd_resource *out)
{
	if (in->n_volumes > DRBD_VOLUMES_MAX || in->n_peers > DRBD_PEERS_MAX)
		return false;
	memset(out, 0, sizeof *out);
	out->suspended = in->suspended;
	out->volume_count = (uint32_t)in->n_volumes;
	out->peer_count = (uint32_t)in->n_peers;
	for (uint32_t i = 0; i < out->volume_count; i++) {
		if (!take_drbd_volume(in->volumes[i], &out->volumes[i]))
			return false;
	}
	for (uint32_t i = 0; i < out->peer_count; i++) {
		if (!take_drbd_peer(in->peers[i], &out->peers[i]))
			return false;
	}
	return take_text(in->name, out->name, sizeof out->name) &&
	       take_text(in->role, out->role, sizeof out->role);
}

size_t drbd_head_encode(const struct drbd_head *in, struct arena *scratch, uint8_t *out, size_t room)
{
	Essaim__Inventory__DrbdHead w = ESSAIM__INVENTORY__DRBD_HEAD__INIT;
	scratch->used = 0;
	w.state = in->state;
	w.since_wall = in->since_wall;
	w.version = put_text(in->version);
	w.pages = in->page_count;
	w.resources = in->resource_count;
	w.more = in->more;
	return part_pack(&w.base, out, room);
}

bool drbd_head_decode(struct bytes in, struct arena *arena, struct drbd_head *out)
{
	const Essaim__Inventory__DrbdHead *w =
		arena_unpack(arena, &essaim__inventory__drbd_head__descriptor, in.data, in.size);
	if (w == NULL || w->state >= INVENTORY_STATES || w->pages > DRBD_PAGES_MAX)
		return false;
	*out = (struct drbd_head){.state = (enum inventory_state)w->state,
		.since_wall = take_time(w->since_wall),
		.page_count = w->pages,
		.resource_count = w->resources,
		.more = w->more};
	return take_text(w->version, out->version, sizeof out->version);
}

size_t drbd_page_encode(const struct drbd_page *in, struct arena *scratch, uint8_t *out, size_t room)
{
	Essaim__Inventory__DrbdPage w = ESSAIM__INVENTORY__DRBD_PAGE__INIT;
	assert(in->resource_count <= DRBD_PAGE_RESOURCES_MAX);
	scratch->used = 0;
	w.more = in->more;
	w.resources = list_new(scratch, in->resource_count);
	for (uint32_t i = 0; i < in->resource_count; i++)
		w.resources[w.n_resources++] = put_resource(scratch, &in->resources[i]);
	while (w.n_resources > 0 && protobuf_c_message_get_packed_size(&w.base) > room) {
		size_t fewer = w.n_resources - w.n_resources / 8 - 1;
		w.more += (uint32_t)(w.n_resources - fewer);
		w.n_resources = fewer;
	}
	return part_pack(&w.base, out, room);
}

bool drbd_page_decode(struct bytes in, struct arena *arena, struct drbd_page *out)
{
	const Essaim__Inventory__DrbdPage *w =
		arena_unpack(arena, &essaim__inventory__drbd_page__descriptor, in.data, in.size);
	if (w == NULL || w->n_resources > DRBD_PAGE_RESOURCES_MAX)
		return false;
	out->more = w->more;
	out->resource_count = (uint32_t)w->n_resources;
	for (uint32_t i = 0; i < out->resource_count; i++) {
		if (!take_resource(w->resources[i], &out->resources[i]))
			return false;
	}
	return true;
}

/* ---- folders and pools ---- */

size_t dirs_encode(const struct dirs_seen *in, struct arena *scratch, uint8_t *out, size_t room)
{
	Essaim__Inventory__Dirs w = ESSAIM__INVENTORY__DIRS__INIT;
	assert(in->count <= DIRS_MAX);
	scratch->used = 0;
	w.list = list_new(scratch, in->count);
	for (uint32_t i = 0; i < in->count; i++) {
		const struct dir_seen *d = &in->list[i];
		Essaim__Inventory__Dir *part = part_new(scratch, &essaim__inventory__dir__descriptor);
		part->kind = d->kind;
		part->storage = put_text(d->storage);
		part->path = put_text(d->path);
		part->source = put_text(d->source);
		part->state = d->state;
		part->since_wall = d->since_wall;
		part->mounted = d->mounted;
		part->writable = d->writable;
		part->size = d->size;
		part->free = d->free;
		part->marker = put_text(d->marker);
		part->health = put_text(d->health);
		w.list[w.n_list++] = part;
	}
	return part_pack(&w.base, out, room);
}

static bool take_dir(const Essaim__Inventory__Dir *in, struct dir_seen *out)
{
	*out = (struct dir_seen){.kind = (enum dir_kind)in->kind,
		.state = (enum inventory_state)in->state,
		.since_wall = take_time(in->since_wall),
		.mounted = in->mounted,
		.writable = in->writable,
		.size = in->size,
		.free = in->free};
	return in->kind < DIR_KINDS && in->state < INVENTORY_STATES &&
	       take_text(in->storage, out->storage, sizeof out->storage) &&
	       take_text(in->path, out->path, sizeof out->path) &&
	       take_text(in->source, out->source, sizeof out->source) &&
	       take_text(in->marker, out->marker, sizeof out->marker) &&
	       take_text(in->health, out->health, sizeof out->health);
}

bool dirs_decode(struct bytes in, struct arena *arena, struct dirs_seen *out)
{
	const Essaim__Inventory__Dirs *w =
		arena_unpack(arena, &essaim__inventory__dirs__descriptor, in.data, in.size);
	if (w == NULL || w->n_list > DIRS_MAX)
		return false;
	out->count = (uint32_t)w->n_list;
	for (uint32_t i = 0; i < out->count; i++) {
		if (!take_dir(w->list[i], &out->list[i]))
			return false;
	}
	return true;
}
