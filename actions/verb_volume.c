/*
 * verb_volume.c: `volume create | extend | rename | snapshot | remove`, on LVM and in folders.
 *
 *     plan: which volume, on which node -> the steps of its kind, there -> the row, with the outcome
 *
 * Two at once on one volume: the second is refused. Changes of a volume group's metadata take turns.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "verbs.h"
#include "volume_steps.h"

static const char *given(const struct plan_context *context, const char *name)
{
	return arguments_get(context->arguments, name);
}

#define SEE_STORAGE {.name = "see that its storage is declared", .check = volume_declared, .harmless = true}
#define LVM_CONFIG {.name = "read LVM's configuration", .check = lvm_asks_config, .act = {lvm_config, lvm_configured}, \
		    .repeatable = true, .harmless = true, .cancellable = true}
#define LVM_LOOK {.name = "look for it", .check = lvm_only, .act = {lvm_look, lvm_looked}, .repeatable = true, \
		  .harmless = true, .cancellable = true}
#define LVM_UNUSED {.name = "see who uses it", .check = lvm_unused, .act = {lvm_mounts, lvm_mounted}, .repeatable = true, \
		    .harmless = true, .cancellable = true}
#define LVM_ROOM(title, when, how, means) {.name = title, .check = when, .act = {how, means}, .repeatable = true, \
					   .harmless = true, .cancellable = true}
#define LVM_ROOMS LVM_ROOM("look for room", room_doubtful, room_ask, room_told), \
		  LVM_ROOM("see what could give it", room_missing, room_signature, room_looked), \
		  LVM_ROOM("see how small that could be", room_missing, room_minimum, room_computed)
#define FILES_LOOK {.name = "look for its file", .check = files_only, .act = {files_look, files_looked}, .repeatable = true, \
		    .harmless = true, .cancellable = true}
#define FILES_PLACE {.name = "give the file its name", .check = files_only, .act = {files_place, files_done}, \
		     .probe = {files_state, files_is_placed}, .undo = {files_withdraw, files_done}}
#define FILES_MAKE(what, how, limit) {.name = what, .check = files_only, .act = {how, files_done}, \
				      .probe = {files_state, files_is_pending}, .undo = {files_drop, files_done}, \
				      .timeout = limit, .cancellable = true}
#define LVM_TIMEOUT (5 * 60 * SECOND)
#define WRITING (4 * 3600 * SECOND) /* a file's room, or a whole copy */

/* ---- create ---- */

static int plan_create(const struct plan_context *context, struct operation_plan *out, struct step_why *why)
{
	struct volume_place place;
	uint64_t size = 0;
	int r = volume_size(given(context, "size"), 0, &size, why);
	if (r == 0)
		r = volume_place_new(context, &place, why);
	if (r < 0)
		return r;
	bool files = storage_has_path(place.storage.type);
	place.volume.sparse = given(context, "sparse") != NULL;
	if ((place.volume.sparse && !files) || (given(context, "inactive") != NULL && files)) {
		verdict_why(why, STEP_FAILED, "%s", files ? "--inactive is for volumes of LVM: a file is never active"
		                                          : "--sparse is for files: a volume in a thin pool takes only what is written, too");
		return -EINVAL;
	}
	say(out->told, sizeof out->told, "make the volume '%s/%s' of %llu bytes on %s", place.storage.name, place.volume.name,
	    (unsigned long long)size, place.node.name);
	return volume_plan(&place, NULL, size, out, why);
}

/* The row of what was made: under the operation's own tag. */
static void made_row(const struct step_context *context, struct volume_row *row)
{
	row->operation = context->operation->number;
	volume_tag(context->operation, row->tag);
}

static bool rows_create(const struct step_context *context, enum operation_state state, struct verb_changes *out,
                        struct step_why *why)
{
	struct volume_row row = {.size = volume_memo_number(context, "size"), .sparse = volume_memo_is(context, "sparse", "yes")};
	struct storage_row storage;
	if (state != OPERATION_DONE)
		return true;
	memo_get(context->memo, "name", row.name, sizeof row.name);
	memo_get(context->memo, "storage", row.storage, sizeof row.storage);
	if (!storage_find(context->view, row.storage, &storage, NULL)) {
		verdict_why(why, STEP_FAILED, "it was made, and its storage is not declared any more");
		return false;
	}
	row.node = storage.shared ? 0 : context->operation->targets[0];
	made_row(context, &row);
	return volume_change(out, &row, false, REGISTRY_ABSENT);
}

static const struct verb_step create_steps[] = {
	SEE_STORAGE,
	LVM_CONFIG,
	LVM_ROOMS,
	{.name = "create the volume", .check = lvm_only, .act = {lvm_make, lvm_made}, .probe = {lvm_find, lvm_found},
	 .undo = {lvm_unmake, NULL}, .timeout = LVM_TIMEOUT},
	FILES_MAKE("make its file", files_make, WRITING),
	FILES_PLACE,
};

/* ---- extend ---- */

static int plan_extend(const struct plan_context *context, struct operation_plan *out, struct step_why *why)
{
	struct volume_place place;
	uint64_t size = 0;
	int r = volume_place_of(context, &place, why);
	if (r == 0 && place.storage.type == STORAGE_LVM && place.volume.origin[0] != '\0') {
		verdict_why(why, STEP_FAILED, "it is a snapshot of '%s': it stays as large as that was", place.volume.origin);
		r = -EINVAL;
	}
	if (r == 0)
		r = volume_size(given(context, "size"), place.volume.size, &size, why);
	if (r < 0)
		return r;
	say(out->told, sizeof out->told, "extend '%s/%s' on %s from %llu to %llu bytes", place.storage.name, place.volume.name,
	    place.node.name, (unsigned long long)place.volume.size, (unsigned long long)size);
	return volume_plan(&place, NULL, size, out, why);
}

/* The row as it is; refused if somebody took it away meanwhile. */
static bool row_now(const struct step_context *context, struct volume_row *row, uint64_t *version, struct step_why *why)
{
	if (volume_of(context, row, version))
		return true;
	verdict_why(why, STEP_FAILED, "the volume is not recorded any more");
	return false;
}

static bool rows_extend(const struct step_context *context, enum operation_state state, struct verb_changes *out,
                        struct step_why *why)
{
	struct volume_row row;
	uint64_t version;
	if (state != OPERATION_DONE)
		return true;
	if (!row_now(context, &row, &version, why))
		return false;
	row.size = volume_memo_number(context, "size");
	return volume_change(out, &row, false, version);
}

static const struct verb_step extend_steps[] = {
	SEE_STORAGE,
	LVM_CONFIG,
	LVM_LOOK,
	LVM_ROOMS,
	{.name = "extend the volume", .check = lvm_too_small, .act = {lvm_grow, lvm_made}, .probe = {lvm_find_old, lvm_has_size},
	 .timeout = LVM_TIMEOUT},
	{.name = "extend the file", .check = files_only, .act = {files_grow, files_done}, .probe = {files_state_old, files_has_size},
	 .timeout = WRITING},
};

/* ---- rename ---- */

static int plan_rename(const struct plan_context *context, struct operation_plan *out, struct step_why *why)
{
	struct volume_place place;
	const char *name = given(context, "new");
	int r = volume_place_of(context, &place, why);
	if (r == 0)
		r = volume_name_free(context->view, &place, name, why);
	if (r < 0)
		return r;
	say(out->told, sizeof out->told, "rename '%s/%s' on %s to '%s'", place.storage.name, place.volume.name, place.node.name, name);
	return volume_plan(&place, name, place.volume.size, out, why);
}

static bool rows_rename(const struct step_context *context, enum operation_state state, struct verb_changes *out,
                        struct step_why *why)
{
	struct volume_row row;
	uint64_t version;
	if (state != OPERATION_DONE)
		return true;
	if (!row_now(context, &row, &version, why) || !volume_change(out, &row, true, version))
		return false;
	memo_get(context->memo, "new", row.name, sizeof row.name);
	return volume_change(out, &row, false, REGISTRY_ABSENT);
}

static const struct verb_step rename_steps[] = {
	SEE_STORAGE,
	LVM_CONFIG,
	LVM_LOOK,
	LVM_UNUSED,
	{.name = "rename the volume", .check = lvm_only, .act = {lvm_rename, lvm_made}, .probe = {lvm_find_old, lvm_is_renamed},
	 .undo = {lvm_rename_back, NULL}, .timeout = LVM_TIMEOUT},
	FILES_LOOK,
	{.name = "rename the file", .check = files_only, .act = {files_rename, files_done}, .probe = {files_state, files_is_renamed},
	 .undo = {files_rename_back, files_done}},
};

/* ---- snapshot ---- */

/* How much may be written before a snapshot of plain LVM is lost: all of it, if nothing is said. */
static int take_room(const struct plan_context *context, const struct volume_place *place, struct operation_plan *out,
                     struct step_why *why)
{
	const char *room = given(context, "room");
	uint64_t bytes = place->volume.size;
	char text[24];
	if (room != NULL && place->storage.type != STORAGE_LVM) {
		verdict_why(why, STEP_FAILED, "--room is for storages of type lvm: elsewhere a snapshot takes what it needs");
		return -EINVAL;
	}
	int r = room == NULL ? 0 : volume_size(room, 0, &bytes, why);
	snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
	if (r == 0 && place->storage.type == STORAGE_LVM && !memo_set(out->memo, "room", text))
		r = -ENAMETOOLONG;
	return r;
}

static int plan_snapshot(const struct plan_context *context, struct operation_plan *out, struct step_why *why)
{
	struct volume_place place;
	const char *name = given(context, "new");
	int r = volume_place_of(context, &place, why);
	if (r == 0)
		r = volume_name_free(context->view, &place, name, why);
	if (r == 0)
		r = take_room(context, &place, out, why);
	if (r < 0)
		return r;
	say(out->told, sizeof out->told, "make a snapshot of '%s/%s' on %s, called '%s'", place.storage.name, place.volume.name,
	    place.node.name, name);
	return volume_plan(&place, name, place.volume.size, out, why);
}

static bool rows_snapshot(const struct step_context *context, enum operation_state state, struct verb_changes *out,
                          struct step_why *why)
{
	struct volume_row row;
	if (state != OPERATION_DONE)
		return true;
	if (!row_now(context, &row, NULL, why))
		return false;
	memcpy(row.origin, row.name, sizeof row.origin);
	memo_get(context->memo, "new", row.name, sizeof row.name);
	made_row(context, &row);
	return volume_change(out, &row, false, REGISTRY_ABSENT);
}

static const struct verb_step snapshot_steps[] = {
	SEE_STORAGE,
	LVM_CONFIG,
	LVM_LOOK,
	{.name = "make the snapshot", .check = lvm_only, .act = {lvm_snapshot, lvm_made}, .probe = {lvm_find, lvm_found},
	 .undo = {lvm_unmake, NULL}, .timeout = LVM_TIMEOUT},
	FILES_MAKE("copy its file", files_copy, WRITING),
	FILES_PLACE,
};

/* ---- remove ---- */

static int plan_remove(const struct plan_context *context, struct operation_plan *out, struct step_why *why)
{
	struct volume_place place;
	int r = volume_place_of(context, &place, why);
	if (r < 0)
		return r;
	say(out->told, sizeof out->told, "remove '%s/%s' on %s, with all that is on it", place.storage.name, place.volume.name,
	    place.node.name);
	return volume_plan(&place, NULL, place.volume.size, out, why);
}

static bool rows_remove(const struct step_context *context, enum operation_state state, struct verb_changes *out,
                        struct step_why *why)
{
	struct volume_row row;
	uint64_t version;
	if (state != OPERATION_DONE)
		return true;
	return row_now(context, &row, &version, why) && volume_change(out, &row, true, version);
}

static const struct verb_step remove_steps[] = {
	SEE_STORAGE,
	LVM_CONFIG,
	LVM_LOOK,
	LVM_UNUSED,
	{.name = "remove the volume", .check = lvm_only, .act = {lvm_remove, NULL}, .probe = {lvm_find_old, lvm_is_gone},
	 .timeout = LVM_TIMEOUT},
	{.name = "take the file's name", .check = files_only, .act = {files_take, files_done},
	 .probe = {files_state_old, files_is_taken}, .undo = {files_give_back, files_done}},
	{.name = "remove the file", .check = files_only, .act = {files_forget, files_done}, .probe = {files_state_old, files_is_gone},
	 .timeout = WRITING},
};

/* ---- the verbs ---- */

#define VOLUME {"volume", ARGUMENT_TEXT, true, "STORAGE/NAME"}
#define NODE {"node", ARGUMENT_NODE, false, "whose; else the only one that has it"}

static const struct verb_argument create_arguments[] = {
	VOLUME, {"size", ARGUMENT_SIZE, true, "20G, 512M, or bytes as 1048576B"}, NODE,
	{"inactive", ARGUMENT_FLAG, false, "LVM: do not activate it; its old contents stay"},
	{"sparse", ARGUMENT_FLAG, false, "files: take room only when it is written to"},
};

static const struct verb_argument extend_arguments[] = {
	VOLUME, {"size", ARGUMENT_TEXT, true, "the new size, or +5G for that much more"}, NODE,
};

static const struct verb_argument rename_arguments[] = {
	VOLUME, {"new", ARGUMENT_TEXT, true, "its new name, without the storage's"}, NODE,
};

static const struct verb_argument snapshot_arguments[] = {
	VOLUME, {"new", ARGUMENT_TEXT, true, "the snapshot's name"}, NODE,
	{"room", ARGUMENT_SIZE, false, "lvm: how much may change before it is lost"},
};

static const struct verb_argument remove_arguments[] = {VOLUME, NODE};

#define LIST(field, list) .field##s = list, .field##_count = sizeof list / sizeof list[0]
#define PARTS(name) LIST(argument, name##_arguments), LIST(step, name##_steps), .plan = plan_##name, .rows = rows_##name
#define DEADLINE (8 * 3600 * SECOND)

const struct verb verb_volume_create = {
	.noun = "volume", .verb = "create", .help = "make a volume", PARTS(create), .deadline = DEADLINE,
};

const struct verb verb_volume_extend = {
	.noun = "volume", .verb = "extend", .help = "make a volume larger", PARTS(extend), .deadline = DEADLINE,
};

const struct verb verb_volume_rename = {
	.noun = "volume", .verb = "rename", .help = "give a volume another name", PARTS(rename), .deadline = DEADLINE,
};

const struct verb verb_volume_snapshot = {
	.noun = "volume", .verb = "snapshot", .help = "keep a volume as it is now", PARTS(snapshot), .deadline = DEADLINE,
};

const struct verb verb_volume_remove = {
	.noun = "volume", .verb = "remove", .help = "remove a volume and all that is on it", PARTS(remove), .deadline = DEADLINE,
};
