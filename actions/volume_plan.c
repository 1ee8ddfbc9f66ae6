#include "volume_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lvm.h"
#include "view_names.h"

#define SIZE_MAX_BYTES (UINT64_C(1) << 60)

/* ---- names ---- */

/* "STORAGE/NAME" into both. */
static int split(const char *title, struct volume_row *out, struct step_why *why)
{
	size_t size = strcspn(title, "/");
	if (title[size] == '\0' || size == 0 || size > NAME_MAX_SIZE) {
		verdict_why(why, STEP_FAILED, "'%.170s' is no volume: say STORAGE/NAME", title);
		return -EINVAL;
	}
	memcpy(out->storage, title, size);
	out->storage[size] = '\0';
	if (!volume_name_legal(title + size + 1)) {
		verdict_why(why, STEP_FAILED, "'%.120s' is no name of a volume: at most %d letters, digits and ._+-, not first . or -",
		            title + size + 1, VOLUME_TITLE_MAX);
		return -EINVAL;
	}
	memcpy(out->name, title + size + 1, strlen(title + size + 1) + 1);
	return 0;
}

static int name_fits(const struct storage_row *storage, const char *name, struct step_why *why)
{
	struct error error;
	if (!volume_name_legal(name)) {
		verdict_why(why, STEP_FAILED, "'%.120s' is no name of a volume: at most %d letters, digits and ._+-, not first . or -",
		            name, VOLUME_TITLE_MAX);
		return -EINVAL;
	}
	if (storage_has_group(storage->type) && lvm_name_check(name, &error) < 0) {
		verdict_why(why, STEP_FAILED, "%.400s", error.text);
		return -EINVAL;
	}
	return 0;
}

int volume_name_free(const struct engine_view *view, const struct volume_place *place, const char *name,
                     struct step_why *why)
{
	struct volume_row other;
	int r = name_fits(&place->storage, name, why);
	if (r < 0 || !volume_find(view, place->storage.name, name, place->volume.node, &other, NULL))
		return r;
	verdict_why(why, STEP_FAILED, "there is a volume '%s/%s' already: essaim volume show %s/%s", other.storage, other.name,
	            other.storage, other.name);
	return -EEXIST;
}

/* ---- sizes ---- */

int volume_size(const char *text, uint64_t was, uint64_t *out, struct step_why *why)
{
	uint64_t more, start = was != 0 && text[0] == '+' ? was : 0;
	if (!verb_size(text + (start != 0), &more)) {
		verdict_why(why, STEP_FAILED, "'%.40s' is no size: 20G, 512M or bytes as 1048576B are%s", text,
		            was != 0 ? ", or +5G for that much more" : "");
		return -EINVAL;
	}
	if (more == 0 || more > SIZE_MAX_BYTES || start > SIZE_MAX_BYTES - more || more % VOLUME_UNIT != 0) {
		verdict_why(why, STEP_FAILED, "'%.40s' is no size of a volume: a multiple of %d bytes, at most 1024P", text,
		            VOLUME_UNIT);
		return -EINVAL;
	}
	*out = start + more;
	if (*out > was)
		return 0;
	if (*out == was)
		verdict_why(why, STEP_FAILED, "it has %llu bytes already", (unsigned long long)was);
	else
		verdict_why(why, STEP_FAILED, "it has %llu bytes: nothing is ever shrunk here, as that loses what lies at its end",
		            (unsigned long long)was);
	return -EINVAL;
}

/* ---- nodes ---- */

static bool serves(const struct storage_row *storage, const struct engine_member *member)
{
	return storage_on(storage, member->id) && member->state != UNREACHABLE && member->role != ROLE_WITNESS;
}

static int take_named(const struct engine_view *view, const char *name, struct volume_place *out, struct step_why *why)
{
	if (!view_member_by_name(view, name, &out->node))
		return refuse_unknown_node(view, name, why);
	if (storage_on(&out->storage, out->node.id) && out->node.role != ROLE_WITNESS)
		return 0;
	verdict_why(why, STEP_FAILED, "the storage '%s' is not on '%s': essaim storage show %s", out->storage.name,
	            out->node.name, out->storage.name);
	return -EINVAL;
}

/* Where nobody said which: of a shared storage any that answers; else the only one, or where it was asked. */
static int take_any(const struct plan_context *context, struct volume_place *out, struct step_why *why)
{
	const struct storage_row *storage = &out->storage;
	struct engine_member member;
	uint32_t count = 0;
	bool here = false;
	for (uint32_t i = 0; context->view->member(context->view->context, i, &member); i++) {
		if (!storage_on(storage, member.id) || member.role == ROLE_WITNESS || (storage->shared && !serves(storage, &member)))
			continue;
		if (count++ == 0 || member.id == context->from)
			out->node = member;
		here = here || member.id == context->from;
	}
	if (here || count == 1 || (storage->shared && count > 0))
		return 0;
	if (count == 0) {
		verdict_why(why, STEP_FAILED, "none of the nodes of '%s' answers: essaim storage show %s", storage->name,
		            storage->name);
		return -EHOSTUNREACH;
	}
	verdict_why(why, STEP_FAILED, "'%s' is on %u nodes, each has its own: say which with --node NAME", storage->name, count);
	return -EINVAL;
}

static int answers(const struct volume_place *place, struct step_why *why)
{
	if (place->node.state != UNREACHABLE)
		return 0;
	verdict_why(why, STEP_FAILED, "'%s' does not answer, and only it can do that: essaim node show %s", place->node.name,
	            place->node.name);
	return -EHOSTUNREACH;
}

/* ---- which volume ---- */

static int take_storage(const struct plan_context *context, struct volume_place *out, struct step_why *why)
{
	memset(out, 0, sizeof *out);
	int r = split(arguments_get(context->arguments, "volume"), &out->volume, why);
	if (r < 0)
		return r;
	if (!storage_find(context->view, out->volume.storage, &out->storage, NULL))
		return refuse_unknown_storage(context->view, out->volume.storage, why);
	if (out->storage.type != STORAGE_ZFS && out->storage.type != STORAGE_DRBD_LVM)
		return 0;
	verdict_why(why, STEP_FAILED, "on a storage of type '%s' no volumes are made by this command: on dir, nfs, lvm and lvm-thin",
	            storage_type_name(out->storage.type));
	return -EOPNOTSUPP;
}

static int take_node(const struct plan_context *context, struct volume_place *out, struct step_why *why)
{
	const char *node = arguments_get(context->arguments, "node");
	int r = node == NULL ? take_any(context, out, why) : take_named(context->view, node, out, why);
	if (r == 0)
		r = answers(out, why);
	out->volume.node = out->storage.shared ? 0 : out->node.id;
	return r;
}

int volume_place_new(const struct plan_context *context, struct volume_place *out, struct step_why *why)
{
	int r = take_storage(context, out, why);
	if (r == 0)
		r = take_node(context, out, why);
	return r < 0 ? r : volume_name_free(context->view, out, out->volume.name, why);
}

/* How many nodes have one of that name; *node is one of them. */
static uint32_t holders(const struct engine_view *view, const struct volume_row *wanted, node_id *node)
{
	struct volume_row row;
	uint32_t count = 0;
	for (uint32_t cursor = 0; volume_next(view, &cursor, &row);) {
		if (strcmp(row.storage, wanted->storage) == 0 && strcmp(row.name, wanted->name) == 0) {
			*node = row.node;
			count++;
		}
	}
	return count;
}

/* The one node that has it, if nobody said which. */
static int take_holder(const struct plan_context *context, struct volume_place *out, struct step_why *why)
{
	const char *title = arguments_get(context->arguments, "volume");
	node_id node = 0;
	uint32_t count = holders(context->view, &out->volume, &node);
	if (count == 0)
		return refuse_unknown_volume(context->view, title, why);
	if (count > 1) {
		verdict_why(why, STEP_FAILED, "%u nodes have a '%.170s': say which with --node NAME", count, title);
		return -EINVAL;
	}
	if (!view_member_by_id(context->view, node, &out->node)) {
		verdict_why(why, STEP_FAILED, "the node that had it is no member any more");
		return -EHOSTUNREACH;
	}
	out->volume.node = node;
	return answers(out, why);
}

int volume_place_of(const struct plan_context *context, struct volume_place *out, struct step_why *why)
{
	bool named = arguments_get(context->arguments, "node") != NULL;
	int r = take_storage(context, out, why);
	if (r == 0)
		r = named || out->storage.shared ? take_node(context, out, why) : take_holder(context, out, why);
	struct volume_row wanted = out->volume;
	if (r == 0 && !volume_find(context->view, wanted.storage, wanted.name, wanted.node, &out->volume, &out->version))
		r = refuse_unknown_volume(context->view, arguments_get(context->arguments, "volume"), why);
	return r;
}

/* ---- the plan ---- */

static bool lock_volume(const struct volume_place *place, const char *name, struct operation_plan *out)
{
	char lock[OPERATION_SUBJECT_MAX + NAME_MAX_SIZE + VOLUME_TITLE_MAX];
	snprintf(lock, sizeof lock, "volume %s/%s%s%s", place->storage.name, name, place->storage.shared ? "" : " on ",
	         place->storage.shared ? "" : place->node.name);
	return locks_add(&out->locks, false, lock);
}

/* One at a time changes a group's metadata: on its node, or anywhere if all reach the same. */
static bool lock_group(const struct volume_place *place, struct operation_plan *out)
{
	char lock[NAME_MAX_SIZE + VOLUME_NAME_MAX + 32];
	if (!storage_has_group(place->storage.type))
		return true;
	if (place->storage.shared)
		snprintf(lock, sizeof lock, "volume group %s of %s", place->storage.group, place->storage.name);
	else
		snprintf(lock, sizeof lock, "volume group %s on %s", place->storage.group, place->node.name);
	return locks_add(&out->locks, true, lock);
}

static bool tell_steps(const struct volume_place *place, const char *also, uint64_t size, char memo[OPERATION_MEMO_MAX + 1])
{
	const struct storage_row *s = &place->storage;
	bool thin = s->type == STORAGE_LVM_THIN, group = storage_has_group(s->type);
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)size);
	return memo_set(memo, "kind", thin ? "thin" : group ? "lvm" : "files") && memo_set(memo, "storage", s->name) &&
	       memo_set(memo, group ? "group" : "path", group ? s->group : s->path) &&
	       (!thin || memo_set(memo, "pool", s->pool)) && memo_set(memo, "name", place->volume.name) &&
	       (place->volume.tag[0] == '\0' || memo_set(memo, "tag", place->volume.tag)) &&
	       (!place->volume.sparse || memo_set(memo, "sparse", "yes")) && memo_set(memo, "size", text) &&
	       (also == NULL || memo_set(memo, "new", also));
}

int volume_plan(const struct volume_place *place, const char *also, uint64_t size, struct operation_plan *out,
                struct step_why *why)
{
	out->target_count = 1;
	out->targets[0] = place->node.id;
	say(out->subject, sizeof out->subject, "%s/%s on %s", place->storage.name, place->volume.name, place->node.name);
	if (lock_volume(place, place->volume.name, out) && (also == NULL || lock_volume(place, also, out)) &&
	    lock_group(place, out) && tell_steps(place, also, size, out->memo))
		return 0;
	verdict_why(why, STEP_FAILED, "the names of its storage, group or folder and of the volume are too long together");
	return -ENAMETOOLONG;
}

bool volume_of(const struct step_context *context, struct volume_row *out, uint64_t *version)
{
	char storage[NAME_MAX_SIZE + 1], name[VOLUME_TITLE_MAX + 1];
	struct storage_row row;
	if (!memo_get(context->memo, "storage", storage, sizeof storage) || !memo_get(context->memo, "name", name, sizeof name) ||
	    !storage_find(context->view, storage, &row, NULL))
		return false;
	return volume_find(context->view, storage, name, row.shared ? 0 : context->operation->targets[0], out, version);
}
