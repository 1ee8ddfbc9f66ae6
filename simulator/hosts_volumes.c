/*
 * hosts_volumes.c: the volumes' own verbs (actions/verb_volume.h) among hosts that fail: a model of LVM and of
 * essaim-files that does what their words say, and what must hold of the disk and the ledger in the end.
 *
 *     seed: storages 'fast' (lvm) and 'vms' (dir), on each a volume 'old' of ours and one 'foreign' of somebody else
 *     one request of the plan's verb, about n1's disk -> hosts_volumes_check
 *
 * What must hold
 *   1. DONE: its effect is there, once, and the row says so. UNDONE: disk and rows are as before.
 *   2. What is somebody else's is never touched.
 *   3. Nothing is left under an operation's number or tag by one that is DONE or UNDONE.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts_inside.h"
#include "programs.h"
#include "verbs.h"
#include "volume_rows.h"

#define EXTENT (4u << 20)
#define OLD_SIZE (12u << 20)
#define OLD_TAG "essaim-1-00000000000000ff"
#define AT 1 /* the host whose disk it is about */

/* ---- the tools ---- */

static struct model_volume *find(struct host *h, bool files, const char *name, uint64_t pending)
{
	for (uint32_t i = 0; i < MODEL_VOLUMES_MAX; i++) {
		struct model_volume *v = &h->disk[i];
		if (v->used && v->files == files && v->pending == pending && !strcmp(v->name, name))
			return v;
	}
	return NULL;
}

static struct model_volume *by_tag(struct host *h, const char *tag)
{
	for (uint32_t i = 0; i < MODEL_VOLUMES_MAX; i++) {
		if (h->disk[i].used && !h->disk[i].files && !strcmp(h->disk[i].tag, tag))
			return &h->disk[i];
	}
	return NULL;
}

static struct model_volume *add(struct host *h, bool files, const char *name, uint64_t size)
{
	uint32_t i = 0;
	while (h->disk[i].used)
		i++;
	assert(i < MODEL_VOLUMES_MAX);
	h->disk[i] = (struct model_volume){.used = true, .files = files, .size = size, .inode = ++h->inodes};
	say(h->disk[i].name, sizeof(h->disk[i].name), "%s", name);
	return &h->disk[i];
}

static const char *word_after(const struct process *p, const char *option)
{
	for (uint32_t i = 1; i < p->word_count; i++) {
		if (!strcmp(p->words[i - 1], option))
			return p->words[i];
	}
	return "";
}

static const char *behind(const char *text, char c)
{
	const char *at = strchr(text, c);
	return at ? at + 1 : text;
}

static uint64_t extents(const char *bytes)
{
	return (strtoull(bytes, NULL, 10) + EXTENT - 1) / EXTENT * EXTENT;
}

static int lvs(struct host *h, struct process *p)
{
	const char *tag = word_after(p, "-S") + strlen("lv_tags=");
	char wanted[64];
	say(wanted, sizeof(wanted), "%.*s", (int)strcspn(tag, "|"), tag);
	const struct model_volume *v = by_tag(h, wanted);
	say(p->out, sizeof(p->out), "{\"report\":[{\"lv\":[");
	if (v) {
		size_t used = strlen(p->out);
		say(p->out + used, sizeof(p->out) - used, "{\"lv_name\":\"%s\",\"lv_size\":\"%llu\",\"lv_tags\":\"%s\"}",
		    v->name, (unsigned long long)v->size, v->tag);
	}
	size_t used = strlen(p->out);
	say(p->out + used, sizeof(p->out) - used, "]}]}");
	return 0;
}

static int lvcreate(struct host *h, struct process *p)
{
	const char *name = word_after(p, "-n");
	if (find(h, false, name, 0))
		return 5;
	struct model_volume *v = add(h, false, name, extents(word_after(p, "-L")));
	say(v->tag, sizeof(v->tag), "%s", word_after(p, "--addtag"));
	return 0;
}

static int lvextend(struct host *h, struct process *p)
{
	struct model_volume *v = find(h, false, behind(p->words[p->word_count - 1], '/'), 0);
	uint64_t size = extents(word_after(p, "-L"));
	if (!v || size <= v->size)
		return 5;
	v->size = size;
	return 0;
}

static int lvrename(struct host *h, struct process *p)
{
	struct model_volume *v = find(h, false, p->words[p->word_count - 2], 0);
	const char *name = p->words[p->word_count - 1];
	if (!v || find(h, false, name, 0))
		return 5;
	say(v->name, sizeof(v->name), "%s", name);
	return 0;
}

static int lvremove(struct host *h, struct process *p)
{
	struct model_volume *v = by_tag(h, word_after(p, "-S") + strlen("lv_tags="));
	if (v)
		v->used = false;
	return 0;
}

/* create FOLDER NAME SIZE OPERATION; copy FOLDER NAME NEW OPERATION */
static int file_make(struct host *h, struct process *p)
{
	bool copies = !strcmp(p->words[0], "copy");
	const char *name = copies ? p->words[3] : p->words[2];
	uint64_t operation = strtoull(p->words[4], NULL, 10);
	struct model_volume *from = find(h, true, p->words[2], 0), *left = find(h, true, name, operation);
	if (find(h, true, name, 0))
		return FILE_EXISTS;
	if (copies && !from)
		return FILE_MISSING;
	if (left)
		left->used = false;
	add(h, true, name, copies ? from->size : strtoull(p->words[3], NULL, 10))->pending = operation;
	return FILE_DONE;
}

/* place, withdraw FOLDER NAME OPERATION */
static int file_move(struct host *h, struct process *p)
{
	uint64_t operation = strtoull(p->words[3], NULL, 10);
	bool places = !strcmp(p->words[0], "place");
	struct model_volume *v = find(h, true, p->words[2], places ? operation : 0);
	if (find(h, true, p->words[2], places ? 0 : operation))
		return FILE_EXISTS;
	if (!v)
		return FILE_MISSING;
	v->pending = places ? 0 : operation;
	return FILE_DONE;
}

static int file_drop(struct host *h, struct process *p)
{
	struct model_volume *v = find(h, true, p->words[2], strtoull(p->words[3], NULL, 10));
	if (v)
		v->used = false;
	return FILE_DONE;
}

static int file_extend(struct host *h, struct process *p)
{
	struct model_volume *v = find(h, true, p->words[2], 0);
	uint64_t size = strtoull(p->words[3], NULL, 10);
	if (!v)
		return FILE_MISSING;
	if (size < v->size)
		return FILE_FAILED;
	v->size = size;
	return FILE_DONE;
}

static int file_rename(struct host *h, struct process *p)
{
	struct model_volume *v = find(h, true, p->words[2], 0);
	if (!v)
		return FILE_MISSING;
	if (find(h, true, p->words[3], 0))
		return FILE_EXISTS;
	say(v->name, sizeof(v->name), "%s", p->words[3]);
	return FILE_DONE;
}

static int file_state(struct host *h, struct process *p)
{
	uint64_t operation = p->word_count > 3 ? strtoull(p->words[3], NULL, 10) : 0;
	const struct model_volume *v = find(h, true, p->words[2], 0);
	const struct model_volume *pending = operation ? find(h, true, p->words[2], operation) : NULL;
	if (v)
		say(p->out, sizeof(p->out), "volume %llu 0 0 %llu\n", (unsigned long long)v->size, (unsigned long long)v->inode);
	size_t used = strlen(p->out);
	if (pending)
		say(p->out + used, sizeof(p->out) - used, "pending %llu 0 0 %llu\n", (unsigned long long)pending->size,
		    (unsigned long long)pending->inode);
	return FILE_DONE;
}

static const struct {
	const char *word;
	int (*run)(struct host *h, struct process *p);
	bool changes; /* forward, and never in an undo */
} tools[] = {
	{"lvs", lvs, false}, {"lvcreate", lvcreate, true}, {"lvextend", lvextend, true}, {"lvrename", lvrename, false},
	{"lvremove", lvremove, false}, {"create", file_make, true}, {"copy", file_make, true}, {"place", file_move, false},
	{"withdraw", file_move, false}, {"drop", file_drop, false}, {"extend", file_extend, true}, {"rename", file_rename, false},
	{"state", file_state, false},
};

void host_volume_tool(struct process *p, const struct command_line *command)
{
	p->volumes = true;
	assert(command->word_count <= MODEL_WORDS_MAX);
	p->word_count = command->word_count;
	for (uint32_t i = 0; i < command->word_count; i++)
		say(p->words[i], sizeof(p->words[i]), "%s", command->words[i]);
	p->what = 'x';
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		if (!strcmp(tools[i].word, p->words[0]) && tools[i].changes)
			p->what = 'a';
	}
}

void host_volume_effect(struct host *h, struct process *p)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		if (!strcmp(tools[i].word, p->words[0])) {
			p->code = tools[i].run(h, p);
			return;
		}
	}
	hosts_wrong(h->world, "no tool knows the word '%s'", p->words[0]);
}

/* ---- the world before ---- */

static void seed_row(struct hosts *w, enum registry_kind kind, const char *name, const uint8_t *value, size_t size)
{
	struct registry_transaction t = {.count = 1};
	t.changes[0].expected = REGISTRY_ABSENT;
	t.changes[0].row.kind = kind;
	t.changes[0].row.name = (struct bytes){(const uint8_t *)name, strlen(name)};
	t.changes[0].row.bytes = (struct bytes){value, size};
	assert(size);
	hosts_seed(w, &t);
}

static void seed_storage(struct hosts *w, bool files)
{
	uint8_t value[STORAGE_ROW_MAX], row_value[VOLUME_ROW_MAX];
	char key[VOLUME_KEY_MAX + 1];
	struct storage_row storage = {.type = files ? STORAGE_DIR : STORAGE_LVM};
	struct volume_row row = {.node = host_id(AT), .size = OLD_SIZE - 2 * VOLUME_UNIT, .tag = OLD_TAG, .operation = 1};
	say(storage.name, sizeof(storage.name), "%s", files ? "vms" : "fast");
	say(files ? storage.path : storage.group, DEVICE_PATH_MAX, "%s", files ? "/srv/vms" : "vg0");
	seed_row(w, REGISTRY_STORAGE, storage.name, value, storage_row_encode(&storage, value, sizeof(value)));
	say(row.storage, sizeof(row.storage), "%s", storage.name);
	say(row.name, sizeof(row.name), "old");
	volume_key(row.storage, row.name, row.node, key);
	seed_row(w, REGISTRY_VOLUME, key, row_value, volume_row_encode(&row, row_value, sizeof(row_value)));
}

void hosts_volumes_seed(struct hosts *w)
{
	for (int files = 0; files < 2; files++) {
		seed_storage(w, files);
		struct model_volume *old = add(&w->hosts[AT], files, "old", files ? OLD_SIZE - 2 * VOLUME_UNIT : OLD_SIZE);
		say(old->tag, sizeof(old->tag), OLD_TAG);
		add(&w->hosts[AT], files, "foreign", OLD_SIZE);
	}
}

void hosts_volumes_ask(const struct hosts_plan *plan, struct arguments *out)
{
	bool creates = !strcmp(plan->verb, "create"), extends = !strcmp(plan->verb, "extend");
	char title[64];
	say(title, sizeof(title), "%s/%s", plan->files ? "vms" : "fast", creates ? "new" : "old");
	arguments_add(out, "volume", title);
	arguments_add(out, "node", "n1");
	if (creates || extends)
		arguments_add(out, "size", "20M");
	else if (strcmp(plan->verb, "remove"))
		arguments_add(out, "new", "new");
}

/* ---- the world after ---- */

static bool row_of(struct hosts *w, const char *name, struct volume_row *out)
{
	_Alignas(16) uint8_t memory[2048];
	struct arena arena = {memory, sizeof(memory), 0};
	char key[VOLUME_KEY_MAX + 1];
	size_t size = volume_key(w->plan->files ? "vms" : "fast", name, host_id(AT), key);
	const struct kept_row *row = hosts_find(&w->committed, REGISTRY_VOLUME, (struct bytes){(const uint8_t *)key, size});
	return row && volume_row_decode(row->value->bytes, &arena, out);
}

/* Is it on the disk and in the ledger just if it has to be? */
static void expect(struct hosts *w, enum operation_state state, const char *name, bool wanted, uint64_t size)
{
	struct volume_row row;
	const struct model_volume *v = find(&w->hosts[AT], w->plan->files, name, 0);
	bool listed = row_of(w, name, &row);
	if ((v != NULL) != wanted || listed != wanted)
		hosts_wrong(w, "%s is %s: '%s' is %s and %s", w->plan->verb, operation_state_name(state), name,
		            v ? "there" : "not there", listed ? "recorded" : "not recorded");
	else if (wanted && (row.size != size || v->size < size || v->size >= size + EXTENT))
		hosts_wrong(w, "%s is %s: '%s' has %llu bytes, and %llu are recorded", w->plan->verb, operation_state_name(state),
		            name, (unsigned long long)v->size, (unsigned long long)row.size);
	else if (wanted && !w->plan->files && strcmp(row.tag, v->tag))
		hosts_wrong(w, "'%s' has the tag %s, and %s is recorded", name, v->tag, row.tag);
}

static void expect_the_rest(struct hosts *w)
{
	uint32_t foreign = 0;
	for (uint32_t i = 0; i < MODEL_VOLUMES_MAX; i++) {
		const struct model_volume *v = &w->hosts[AT].disk[i];
		foreign += v->used && !v->pending && !strcmp(v->name, "foreign") && v->size == OLD_SIZE;
		if (v->used && v->pending)
			hosts_wrong(w, "'%s' is left under the number %llu", v->name, (unsigned long long)v->pending);
	}
	if (foreign != 2)
		hosts_wrong(w, "what was somebody else's was touched");
}

void hosts_volumes_check(struct hosts *w, enum operation_state state)
{
	const char *verb = w->plan->verb;
	bool done = state == OPERATION_DONE, makes = !strcmp(verb, "create"), copies = !strcmp(verb, "snapshot");
	bool moves = !strcmp(verb, "rename"), takes = !strcmp(verb, "remove");
	uint64_t old = OLD_SIZE - 2 * VOLUME_UNIT, large = 20u << 20;
	if (!done && state != OPERATION_UNDONE)
		return; /* it is explained: hosts_check.c */
	expect(w, state, "old", !(done && (moves || takes)), done && !strcmp(verb, "extend") ? large : old);
	expect(w, state, "new", done && (makes || copies || moves), makes ? large : old);
	expect_the_rest(w);
}
