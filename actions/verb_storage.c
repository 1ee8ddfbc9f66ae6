/*
 * verb_storage.c: `storage add | set | remove`: what is declared, and the marker of shared folders.
 *
 *     add, set:  plan -> [a shared folder: its marker, by one of its nodes] -> the row
 *     remove:    plan -> the row goes; neither volumes nor the marker are touched
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "storage_rows.h"
#include "verbs.h"
#include "view_names.h"

static const char *given(const struct plan_context *context, const char *name)
{
	return arguments_get(context->arguments, name);
}

static int plan_common(const char *storage, struct operation_plan *out)
{
	char lock[STORAGE_LOCK_MAX];
	storage_lock(storage, lock);
	snprintf(out->subject, sizeof out->subject, "%.63s", storage);
	return locks_add(&out->locks, false, lock) ? 0 : -ENOSPC;
}

/* Where the steps run, and what they are told. */
static int plan_marking(const struct plan_context *context, const struct storage_row *row,
                        bool mark, struct operation_plan *out, struct step_why *why)
{
	mark = mark && storage_marked(row);
	out->target_count = 1;
	out->targets[0] = mark ? storage_marker_node(context->view, row, context->from) : context->from;
	if (out->targets[0] == 0) {
		verdict_why(why, STEP_FAILED, "none of the nodes of '%s' answers, so nobody could mark its folder: essaim node list",
		            row->name);
		return -EHOSTUNREACH;
	}
	if (mark && !storage_mark_memo(out->memo, row, given(context, "adopt") != NULL)) {
		verdict_why(why, STEP_FAILED, "its path is too long");
		return -E2BIG;
	}
	return plan_common(row->name, out);
}

/* ---- add ---- */

static int others_allow(const struct engine_view *view, const struct storage_row *row, struct step_why *why)
{
	struct storage_row other;
	uint32_t count = 0;
	for (uint32_t cursor = 0; storage_next(view, &cursor, &other); count++) {
		if (strcmp(other.name, row->name) == 0) {
			verdict_why(why, STEP_FAILED, "there is a storage '%s' already: essaim storage show %s", row->name,
			            row->name);
			return -EEXIST;
		}
		if (storage_same_place(&other, row)) {
			verdict_why(why, STEP_FAILED, "that place is declared already, as the storage '%s'", other.name);
			return -EEXIST;
		}
	}
	if (count < STORAGES_MAX)
		return 0;
	verdict_why(why, STEP_FAILED, "%u storages are declared, no more are taken: essaim storage remove", count);
	return -ENOSPC;
}

static int plan_add(const struct plan_context *context, struct operation_plan *out, struct step_why *why)
{
	struct storage_row row = {0};
	int r = storage_row_from(context->view, context->arguments, &row, why);
	if (r == 0)
		r = others_allow(context->view, &row, why);
	if (r == 0)
		r = plan_marking(context, &row, true, out, why);
	if (r == 0)
		snprintf(out->told, sizeof out->told, "declare the storage '%s' of type %s%s", row.name,
		         storage_type_name(row.type), storage_marked(&row) ? ", and mark its folder" : "");
	return r;
}

static bool rows_add(const struct step_context *context, enum operation_state state, struct verb_changes *out,
                     struct step_why *why)
{
	struct storage_row row = {0};
	if (state != OPERATION_DONE)
		return true;
	if (storage_row_from(context->view, &context->operation->arguments, &row, why) < 0 ||
	    others_allow(context->view, &row, why) < 0)
		return false;
	storage_marked_id(context, &row.id);
	return storage_change(out, row.name, &row, REGISTRY_ABSENT);
}

/* ---- set ---- */

/* The row as it is to be. */
static int changed(const struct engine_view *view, const struct arguments *arguments, struct storage_row *row,
                   uint64_t *version, struct step_why *why)
{
	const char *name = arguments_get(arguments, "name"), *nodes = arguments_get(arguments, "nodes");
	const char *shared = arguments_get(arguments, "shared");
	if (!storage_find(view, name, row, version))
		return refuse_unknown_storage(view, name, why);
	if (nodes == NULL && shared == NULL) {
		verdict_why(why, STEP_FAILED, "nothing is to be changed: --nodes and --shared can be");
		return -EINVAL;
	}
	if (shared != NULL && strcmp(shared, "yes") != 0 && strcmp(shared, "no") != 0) {
		verdict_why(why, STEP_FAILED, "--shared is yes or no, not '%.40s'", shared);
		return -EINVAL;
	}
	if (shared != NULL && row->type != STORAGE_DIR && row->type != STORAGE_LVM) {
		verdict_why(why, STEP_FAILED, "whether it is shared follows from its type, '%s'", storage_type_name(row->type));
		return -EINVAL;
	}
	if (shared != NULL)
		row->shared = strcmp(shared, "yes") == 0;
	return nodes == NULL ? 0 : storage_take_nodes(view, nodes, row, why);
}

/* Another storage may be where this one would now come to. */
static int places_allow(const struct engine_view *view, const struct storage_row *row, struct step_why *why)
{
	struct storage_row other;
	for (uint32_t cursor = 0; storage_next(view, &cursor, &other);) {
		if (strcmp(other.name, row->name) == 0 || !storage_same_place(&other, row))
			continue;
		verdict_why(why, STEP_FAILED, "on one of these nodes that place is the storage '%s'", other.name);
		return -EEXIST;
	}
	return 0;
}

static int plan_set(const struct plan_context *context, struct operation_plan *out, struct step_why *why)
{
	struct storage_row row = {0}, before;
	uint64_t version;
	int r = changed(context->view, context->arguments, &row, &version, why);
	if (r == 0)
		r = places_allow(context->view, &row, why);
	bool mark = r == 0 && storage_find(context->view, row.name, &before, NULL) && !storage_marked(&before);
	if (r == 0)
		r = plan_marking(context, &row, mark, out, why);
	if (r == 0)
		snprintf(out->told, sizeof out->told, "change the declaration of the storage '%s'", row.name);
	return r;
}

static bool rows_set(const struct step_context *context, enum operation_state state, struct verb_changes *out,
                     struct step_why *why)
{
	struct storage_row row = {0};
	uint64_t version;
	if (state != OPERATION_DONE)
		return true;
	if (changed(context->view, &context->operation->arguments, &row, &version, why) < 0 ||
	    places_allow(context->view, &row, why) < 0)
		return false;
	return storage_change(out, row.name, &row, version);
}

/* ---- remove ---- */

static bool volume_on(const struct registry_row *row, const char *prefix, size_t size)
{
	return row->name.size > size && memcmp(row->name.data, prefix, size) == 0;
}

/* Does an operation that is open speak of that storage or of a volume on it? */
static bool speaks_of(const struct operation_row *o, const char *storage)
{
	char name[NAME_MAX_SIZE + 1];
	const char *value;
	size_t size = strlen(storage);
	if (strcmp(o->noun, "volume") != 0)
		return false;
	for (uint32_t cursor = 0; arguments_next(&o->arguments, &cursor, name, &value);) {
		if (strncmp(value, storage, size) == 0 && (value[size] == '\0' || value[size] == '/'))
			return true;
	}
	return false;
}

static int unused(const struct engine_view *view, const char *storage, struct step_why *why)
{
	char prefix[NAME_MAX_SIZE + 2], first[REGISTRY_NAME_MAX + 1] = "";
	size_t size = storage_volume_prefix(storage, prefix);
	struct registry_row row;
	uint32_t count = 0;
	for (uint32_t cursor = 0; view->next_row(view->context, REGISTRY_VOLUME, &cursor, &row);) {
		if (!volume_on(&row, prefix, size))
			continue;
		if (count++ == 0)
			snprintf(first, sizeof first, "%.*s", (int)row.name.size, (const char *)row.name.data);
		first[strcspn(first, "@")] = '\0'; /* the node's number says nothing to people */
	}
	if (count > 0) {
		verdict_why(why, STEP_FAILED, "%u volumes are recorded on it, '%.120s' and others: essaim volume list --storage %s",
		            count, first, storage);
		if (count == 1)
			verdict_why(why, STEP_FAILED, "the volume '%.120s' is recorded on it: essaim volume list --storage %s",
			            first, storage);
		return -EBUSY;
	}
	for (uint32_t cursor = 0; view->next_row(view->context, REGISTRY_OPERATION, &cursor, &row);) {
		if (!speaks_of(row.operation, storage))
			continue;
		verdict_why(why, STEP_FAILED, "operation %llu is at work on it: essaim op show %llu",
		            (unsigned long long)row.operation->number, (unsigned long long)row.operation->number);
		return -EBUSY;
	}
	return 0;
}

static int plan_remove(const struct plan_context *context, struct operation_plan *out, struct step_why *why)
{
	const char *name = given(context, "name");
	struct storage_row row;
	if (!storage_find(context->view, name, &row, NULL))
		return refuse_unknown_storage(context->view, name, why);
	int r = unused(context->view, name, why);
	snprintf(out->told, sizeof out->told, "forget the storage '%s'; what lies there stays", row.name);
	return r < 0 ? r : plan_common(name, out);
}

static bool rows_remove(const struct step_context *context, enum operation_state state, struct verb_changes *out,
                        struct step_why *why)
{
	struct storage_row row;
	uint64_t version;
	if (state != OPERATION_DONE)
		return true;
	if (!storage_find(context->view, step_argument(context, "name"), &row, &version)) {
		verdict_why(why, STEP_FAILED, "it is not declared any more");
		return false;
	}
	return storage_change(out, row.name, NULL, version);
}

/* ---- the verbs ---- */

static const struct verb_argument add_arguments[] = {
	{"name", ARGUMENT_NAME, true, "its name for all nodes"},
	{"type", ARGUMENT_TEXT, true, "dir, nfs, zfs, lvm, lvm-thin or drbd-lvm"},
	{"path", ARGUMENT_TEXT, false, "dir, nfs: the folder"},
	{"source", ARGUMENT_TEXT, false, "nfs: SERVER:/EXPORT"},
	{"resource", ARGUMENT_TEXT, false, "drbd-lvm: DRBD's resource"},
	{"vg", ARGUMENT_TEXT, false, "lvm, lvm-thin, drbd-lvm: the volume group"},
	{"pool", ARGUMENT_TEXT, false, "lvm-thin: the thin pool; zfs: the dataset"},
	{"nodes", ARGUMENT_TEXT, false, "names with commas; else all"},
	{"shared", ARGUMENT_FLAG, false, "one thing that all its nodes reach"},
	{"adopt", ARGUMENT_FLAG, false, "take over a marker that is there"},
};

static const struct verb_argument set_arguments[] = {
	{"name", ARGUMENT_NAME, true, "its name"},
	{"nodes", ARGUMENT_TEXT, false, "names with commas, or all"},
	{"shared", ARGUMENT_TEXT, false, "yes or no"},
};

static const struct verb_argument remove_arguments[] = {{"name", ARGUMENT_NAME, true, "its name"}};

#define ARGUMENTS(list) .arguments = list, .argument_count = sizeof list / sizeof list[0]
#define DEADLINE (120 * SECOND)

const struct verb verb_storage_add = {
	.noun = "storage", .verb = "add", .help = "declare a storage, once for all nodes",
	ARGUMENTS(add_arguments), .steps = storage_mark_steps, .step_count = STORAGE_MARK_STEPS,
	.plan = plan_add, .rows = rows_add, .deadline = DEADLINE,
};

const struct verb verb_storage_set = {
	.noun = "storage", .verb = "set", .help = "change on which nodes a storage is, or whether it is shared",
	ARGUMENTS(set_arguments), .steps = storage_mark_steps, .step_count = STORAGE_MARK_STEPS,
	.plan = plan_set, .rows = rows_set, .deadline = DEADLINE,
};

const struct verb verb_storage_remove = {
	.noun = "storage", .verb = "remove", .help = "forget a storage; what lies there stays",
	ARGUMENTS(remove_arguments), .plan = plan_remove, .rows = rows_remove, .deadline = DEADLINE,
};
