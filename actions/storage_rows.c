#include "storage_rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "view_names.h"

#define ARENA_SIZE 4096 /* a row's parts while it is read */

static bool decode(struct bytes value, struct storage_row *out)
{
	_Alignas(16) uint8_t memory[ARENA_SIZE];
	struct arena arena = {memory, sizeof memory, 0};
	return storage_row_decode(value, &arena, out);
}

bool storage_find(const struct engine_view *view, const char *name, struct storage_row *out, uint64_t *version)
{
	struct registry_row row;
	struct bytes key = {(const uint8_t *)name, strlen(name)};
	if (key.size > NAME_MAX_SIZE || !view->row(view->context, REGISTRY_STORAGE, key, &row))
		return false;
	if (version != NULL)
		*version = row.version;
	return decode(row.bytes, out);
}

bool storage_next(const struct engine_view *view, uint32_t *cursor, struct storage_row *out)
{
	struct registry_row row;
	while (view->next_row(view->context, REGISTRY_STORAGE, cursor, &row)) {
		if (decode(row.bytes, out))
			return true;
	}
	return false;
}

/* ---- nodes ---- */

static int add_node(const struct engine_view *view, const char *name, struct storage_row *out,
                    struct step_why *why)
{
	struct engine_member member;
	if (!view_member_by_name(view, name, &member))
		return refuse_unknown_node(view, name, why);
	for (uint32_t i = 0; i < out->node_count; i++) {
		if (out->nodes[i] == member.id)
			return 0;
	}
	if (out->node_count == STORAGE_NODES_MAX) {
		verdict_why(why, STEP_FAILED, "at most %d nodes can be named; 'all' means every one", STORAGE_NODES_MAX);
		return -E2BIG;
	}
	out->nodes[out->node_count++] = member.id;
	return 0;
}

int storage_take_nodes(const struct engine_view *view, const char *list, struct storage_row *out,
                       struct step_why *why)
{
	char name[OPERATION_SUBJECT_MAX + 1];
	int r = 0;
	out->node_count = 0;
	if (strcmp(list, "all") == 0)
		return 0;
	while (r == 0) {
		size_t size = strcspn(list, ",");
		snprintf(name, sizeof name, "%.*s", (int)(size < sizeof name ? size : sizeof name), list);
		r = add_node(view, name, out, why);
		if (list[size] == '\0')
			break;
		list += size + 1;
	}
	return r;
}

/* ---- from words ---- */

static const struct place {
	const char *option, *what;
	bool (*has)(enum storage_type type);
	enum storage_type only; /* 0: each type that `has` says */
	size_t at, size;
} places[] = {
#define PLACE(field) offsetof(struct storage_row, field), sizeof(((struct storage_row *)0)->field)
	{"path", "the folder, as --path /srv/vm", storage_has_path, 0, PLACE(path)},
	{"source", "what is mounted there, as --source SERVER:/EXPORT", storage_has_source, STORAGE_NFS, PLACE(source)},
	{"resource", "DRBD's resource below it, as --resource r0", storage_has_source, STORAGE_DRBD_LVM, PLACE(source)},
	{"vg", "its volume group, as --vg vg0", storage_has_group, 0, PLACE(group)},
	{"pool", "its pool, as --pool thin (zfs: --pool tank/vm)", storage_has_pool, 0, PLACE(pool)},
#undef PLACE
};

static bool belongs(const struct place *place, enum storage_type type)
{
	return place->has(type) && (place->only == 0 || place->only == type);
}

static int take_place(const struct place *place, const struct arguments *arguments, struct storage_row *out,
                      struct step_why *why)
{
	const char *value = arguments_get(arguments, place->option);
	const char *type = storage_type_name(out->type);
	if (value == NULL && !belongs(place, out->type))
		return 0;
	if (value == NULL)
		verdict_why(why, STEP_FAILED, "a storage of type '%s' needs %s", type, place->what);
	else if (!belongs(place, out->type))
		verdict_why(why, STEP_FAILED, "a storage of type '%s' has no --%s", type, place->option);
	else if (value[0] == '\0' || strlen(value) >= place->size)
		verdict_why(why, STEP_FAILED, "--%s is empty or longer than %zu characters", place->option,
		            place->size - 1);
	else {
		memcpy((char *)out + place->at, value, strlen(value) + 1);
		return 0;
	}
	return -EINVAL;
}

static int take_type(const char *text, struct storage_row *out, struct step_why *why)
{
	if (storage_type_parse(text, &out->type))
		return 0;
	verdict_why(why, STEP_FAILED, "'%.40s' is no type: dir, nfs, zfs, lvm, lvm-thin and drbd-lvm are", text);
	return -EINVAL;
}

static int take_shared(const struct arguments *arguments, struct storage_row *out, struct step_why *why)
{
	bool always = out->type == STORAGE_NFS || out->type == STORAGE_DRBD_LVM;
	out->shared = always || arguments_get(arguments, "shared") != NULL;
	if (!out->shared || (out->type != STORAGE_LVM_THIN && out->type != STORAGE_ZFS))
		return 0;
	verdict_why(why, STEP_FAILED, "a storage of type '%s' cannot be shared: two nodes that use one pool at once "
	            "destroy it", storage_type_name(out->type));
	return -EINVAL;
}

int storage_row_from(const struct engine_view *view, const struct arguments *arguments, struct storage_row *out,
                     struct step_why *why)
{
	const char *name = arguments_get(arguments, "name"), *nodes = arguments_get(arguments, "nodes");
	int r = take_type(arguments_get(arguments, "type"), out, why);
	if (r == 0 && !storage_name_legal(name)) {
		verdict_why(why, STEP_FAILED, "'%.80s' is no name of a storage: at most %d letters, digits and ._+- are",
		            name, NAME_MAX_SIZE);
		r = -EINVAL;
	}
	if (r == 0)
		memcpy(out->name, name, strlen(name) + 1);
	for (size_t i = 0; r == 0 && i < sizeof places / sizeof places[0]; i++)
		r = take_place(&places[i], arguments, out, why);
	if (r == 0)
		r = take_shared(arguments, out, why);
	if (r == 0 && nodes != NULL)
		r = storage_take_nodes(view, nodes, out, why);
	if (r == 0 && !storage_row_legal(out)) {
		verdict_why(why, STEP_FAILED, "its place is not well-formed: a path is absolute, without '..' and a '/' at "
		            "its end; SERVER:/EXPORT; groups, pools and resources are plain names");
		r = -EINVAL;
	}
	return r;
}

/* ---- places ---- */

static bool nodes_meet(const struct storage_row *a, const struct storage_row *b)
{
	if (a->node_count == 0 || b->node_count == 0)
		return true;
	for (uint32_t i = 0; i < a->node_count; i++) {
		if (storage_on(b, a->nodes[i]))
			return true;
	}
	return false;
}

bool storage_same_place(const struct storage_row *a, const struct storage_row *b)
{
	return nodes_meet(a, b) && strcmp(a->path, b->path) == 0 && strcmp(a->group, b->group) == 0 &&
	       strcmp(a->pool, b->pool) == 0;
}

/* ---- changes ---- */

bool storage_change(struct verb_changes *changes, const char *name, const struct storage_row *row,
                    uint64_t expected)
{
	uint8_t value[STORAGE_ROW_MAX];
	struct bytes key = changes_keep(changes, (struct bytes){(const uint8_t *)name, strlen(name)});
	struct bytes bytes = {NULL, 0};
	if (row != NULL)
		bytes = changes_keep(changes, (struct bytes){value, storage_row_encode(row, value, sizeof value)});
	if (key.data == NULL || (row != NULL && bytes.size == 0) || changes->count == VERB_CHANGES_MAX)
		return false;
	changes->list[changes->count++] = (struct registry_change){
		.row = {.kind = REGISTRY_STORAGE, .name = key, .bytes = bytes},
		.deleted = row == NULL, .expected = expected};
	return true;
}
