#include "storage_seen.h"

#include <stdio.h>
#include <string.h>

#include "verb.h"

const char *storage_state_name(enum storage_state state)
{
	switch (state) {
	case STORAGE_FINE:
		return "fine";
	case STORAGE_STANDBY:
		return "standby";
	case STORAGE_MISSING:
		return "missing";
	case STORAGE_OTHER:
		return "not the same";
	case STORAGE_UNMOUNTED:
		return "not mounted";
	case STORAGE_STALE:
		return "hangs";
	case STORAGE_UNSEEN:
	case STORAGE_STATES:
		break;
	}
	return "unseen";
}

#define BLIND "nobody looks there: its daemon has no hand"

#define TELL(out, verdict, ...) ((out)->state = (verdict), say((out)->why, sizeof((out)->why), __VA_ARGS__))

static uint32_t group_at(const struct storage_row *row, const struct lvm_head *lvm)
{
	for (uint32_t i = 0; lvm != NULL && lvm->state == INVENTORY_SEEN && i < lvm->group_count; i++) {
		if (strcmp(lvm->groups[i].name, row->group) == 0)
			return i;
	}
	return LVM_NO_GROUP;
}

const struct lvm_uuid *storage_uuid(const struct storage_row *row, const struct lvm_head *lvm)
{
	uint32_t at = storage_has_group(row->type) ? group_at(row, lvm) : LVM_NO_GROUP;
	return at == LVM_NO_GROUP ? NULL : &lvm->groups[at].uuid;
}

/* Is each device of the group one of the resource's? */
static bool lies_on(const struct lvm_head *lvm, uint32_t group, const struct drbd_resource *resource)
{
	char path[32];
	for (uint32_t i = 0; i < lvm->device_count; i++) {
		bool among = lvm->devices[i].group != group;
		for (uint32_t k = 0; !among && k < resource->volume_count; k++) {
			snprintf(path, sizeof path, "/dev/drbd%u", resource->volumes[k].minor);
			among = strcmp(lvm->devices[i].path, path) == 0;
		}
		if (!among)
			return false;
	}
	return true;
}

/* False: it is decided by the resource alone. */
static bool see_resource(const struct storage_row *row, const struct storage_evidence *e, struct storage_seen *out)
{
	if (!e->drbd_known)
		TELL(out, STORAGE_UNSEEN, "its DRBD was not seen");
	else if (e->resource == NULL)
		TELL(out, STORAGE_MISSING, "there is no DRBD resource '%s'", row->source);
	else if (strcmp(e->resource->role, "Primary") != 0)
		TELL(out, STORAGE_STANDBY, "'%s' is %s here", row->source, e->resource->role);
	else
		return true;
	return false;
}

static void see_pool(const struct storage_row *row, const struct storage_evidence *e, struct storage_seen *out)
{
	if (e->pool != NULL && e->pool->kind == LV_POOL) {
		out->size = e->pool->size;
		out->free = e->pool->data_fill < 0 ? 0 : out->size / 10000 * (uint64_t)(10000 - e->pool->data_fill);
	} else if (e->pools_known) {
		TELL(out, STORAGE_MISSING, "'%s' has no thin pool '%s'", row->group, row->pool);
	} else {
		TELL(out, STORAGE_UNSEEN, "its volumes were not seen");
	}
}

static void see_group(const struct storage_row *row, const struct storage_evidence *e,
                      const struct lvm_uuid *reference, uint32_t at, struct storage_seen *out)
{
	const struct lvm_group *g = &e->lvm->groups[at];
	out->state = STORAGE_FINE;
	out->size = g->size;
	out->free = g->free;
	out->uuid = g->uuid;
	if (row->type == STORAGE_DRBD_LVM && !lies_on(e->lvm, at, e->resource))
		TELL(out, STORAGE_OTHER, "'%s' does not lie on the DRBD resource '%s'", row->group, row->source);
	else if (row->shared && reference != NULL && strcmp(reference->text, g->uuid.text) != 0)
		TELL(out, STORAGE_OTHER, "'%s' has another UUID than on the other nodes", row->group);
	else if (row->type == STORAGE_LVM_THIN)
		see_pool(row, e, out);
}

/* ---- folders and pools ---- */

static void see_mark(const struct storage_row *row, const struct dir_seen *d, struct storage_seen *out)
{
	char id[STORAGE_ID_TEXT];
	storage_id_text(&row->id, id);
	if (strcmp(d->marker, id) == 0)
		return;
	if (d->marker[0] != '\0')
		TELL(out, STORAGE_OTHER, "'%.80s' holds the marker of another storage", row->path);
	else if (!d->mounted)
		TELL(out, STORAGE_UNMOUNTED, "nothing is mounted on '%.80s', and its marker is not there", row->path);
	else
		TELL(out, STORAGE_OTHER, "what is mounted on '%.80s' has no marker", row->path);
}

static void see_looked(const struct storage_row *row, const struct dir_seen *d, struct storage_seen *out)
{
	out->state = STORAGE_FINE;
	out->size = d->size;
	out->free = d->free;
	if (row->type == STORAGE_ZFS) {
		if (!d->mounted)
			TELL(out, STORAGE_MISSING, "the ZFS pool '%.60s' is %s", d->path, d->health);
		return;
	}
	if (row->type == STORAGE_NFS && !d->mounted)
		TELL(out, STORAGE_UNMOUNTED, "nothing is mounted on '%.80s'", row->path);
	else if (row->type == STORAGE_NFS && strcmp(d->source, row->source) != 0)
		TELL(out, STORAGE_OTHER, "'%.50s' is mounted there, not '%.50s'", d->source, row->source);
	else if (storage_marked(row))
		see_mark(row, d, out);
	if (out->state == STORAGE_FINE && !d->writable)
		say(out->why, sizeof out->why, "it cannot be written to");
}

static void see_dir(const struct storage_row *row, const struct dir_seen *d, struct storage_seen *out)
{
	bool pool = row->type == STORAGE_ZFS;
	if (d == NULL) {
		TELL(out, STORAGE_UNSEEN, "it was not looked at yet");
		return;
	}
	switch (d->state) {
	case INVENTORY_SEEN:
		see_looked(row, d, out);
		return;
	case INVENTORY_NONE:
		TELL(out, STORAGE_MISSING, "there is no %s '%.80s'", pool ? "ZFS pool" : "folder", d->path);
		return;
	case INVENTORY_STUCK:
		TELL(out, STORAGE_STALE, "'%.80s' does not answer", d->path);
		return;
	case INVENTORY_BLIND:
		TELL(out, STORAGE_UNSEEN, BLIND);
		return;
	case INVENTORY_UNKNOWN:
	case INVENTORY_STATES:
		TELL(out, STORAGE_UNSEEN, "it could not be looked at");
	}
}

/* ---- all ---- */

void storage_see(const struct storage_row *row, const struct storage_evidence *e, const struct lvm_uuid *reference,
                 struct storage_seen *out)
{
	*out = (struct storage_seen){0};
	uint32_t at = group_at(row, e->lvm);
	if (!storage_has_group(row->type))
		see_dir(row, e->dir, out);
	else if (row->type == STORAGE_DRBD_LVM && !see_resource(row, e, out))
		return;
	else if (e->lvm != NULL && e->lvm->state == INVENTORY_BLIND)
		TELL(out, STORAGE_UNSEEN, BLIND);
	else if (e->lvm == NULL || e->lvm->state == INVENTORY_UNKNOWN || e->lvm->state == INVENTORY_STUCK)
		TELL(out, STORAGE_UNSEEN, "its LVM was not seen");
	else if (at == LVM_NO_GROUP)
		TELL(out, STORAGE_MISSING, "there is no volume group '%s'", row->group);
	else
		see_group(row, e, reference, at, out);
}
