/* Volumes: what is refused and why, which commands the steps give, what they make of the answers, which rows change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arguments.h"
#include "lvm.h"
#include "programs.h"
#include "verbs.h"
#include "volume_steps.h"

#define ROWS 64

/* ---- a world of three members, 1 to 3, and some rows ---- */

static struct {
	enum registry_kind kind;
	char name[REGISTRY_NAME_MAX + 1];
	uint8_t value[STORAGE_ROW_MAX];
	size_t size;
} rows[ROWS];
static uint32_t row_count;
static struct operation_row open_operation;
static enum reachability states[3];
static struct step_why why;
static struct operation_plan planned;
static struct verb_changes changes;

static void take(uint32_t at, struct registry_row *out)
{
	*out = (struct registry_row){.kind = rows[at].kind,
		.name = {(const uint8_t *)rows[at].name, strlen(rows[at].name)}, .version = 100 + at,
		.bytes = {rows[at].value, rows[at].size}, .operation = &open_operation};
}

static bool row_of(void *context, enum registry_kind kind, struct bytes name, struct registry_row *out)
{
	for (uint32_t i = 0; i < row_count; i++) {
		if (rows[i].kind == kind && strlen(rows[i].name) == name.size &&
		    memcmp(rows[i].name, name.data, name.size) == 0) {
			take(i, out);
			return true;
		}
	}
	return false;
}

static bool next_row(void *context, enum registry_kind kind, uint32_t *cursor, struct registry_row *out)
{
	while (*cursor < row_count) {
		uint32_t at = (*cursor)++;
		if (rows[at].kind != kind)
			continue;
		take(at, out);
		return true;
	}
	return false;
}

static bool member(void *context, uint32_t position, struct engine_member *out)
{
	static const char *const names[] = {"node1", "node2", "backup"};
	if (position >= 3)
		return false;
	*out = (struct engine_member){.id = position + 1, .state = states[position]};
	strcpy(out->name, names[position]);
	return true;
}

static const struct engine_view view = {.row = row_of, .next_row = next_row, .member = member};

static void add_row(enum registry_kind kind, const char *name, const struct storage_row *storage)
{
	rows[row_count].kind = kind;
	strcpy(rows[row_count].name, name);
	rows[row_count].size = storage == NULL ? 0 : storage_row_encode(storage, rows[row_count].value, STORAGE_ROW_MAX);
	row_count++;
}

static int begin(void **state)
{
	row_count = 0;
	for (int i = 0; i < 3; i++)
		states[i] = REACHABLE;
	memset(&open_operation, 0, sizeof open_operation);
	return 0;
}

/* "a=b" words, ended by NULL. */
static struct arguments words(const char *const *list)
{
	struct arguments out = {0};
	char name[64];
	for (; *list != NULL; list++) {
		snprintf(name, sizeof name, "%.*s", (int)strcspn(*list, "="), *list);
		assert_true(arguments_add(&out, name, *list + strlen(name) + 1));
	}
	return out;
}

static int plan(const struct verb *verb, const struct arguments *arguments)
{
	struct plan_context context = {.view = &view, .arguments = arguments, .from = 2};
	memset(&planned, 0, sizeof planned);
	why.text[0] = '\0';
	int r = verb_arguments_check(verb, &view, arguments, &why);
	return r < 0 ? r : verb->plan(&context, &planned, &why);
}

static int plan_of(const struct verb *verb, const char *const *list)
{
	struct arguments arguments = words(list);
	return plan(verb, &arguments);
}

#define PLAN(verb, ...) plan_of(&(verb), (const char *const[]){__VA_ARGS__, NULL})


/* ---- storages and volumes ---- */

static void declare(const char *name, enum storage_type type, uint32_t nodes)
{
	struct storage_row row = {.id = {{7}}, .type = type, .node_count = nodes, .nodes = {1, 2, 3}};
	strcpy(row.name, name);
	if (storage_has_path(type))
		strcpy(row.path, "/srv/vms");
	if (storage_has_group(type))
		strcpy(row.group, "vg0");
	if (storage_has_pool(type))
		strcpy(row.pool, "pool");
	if (storage_has_source(type))
		strcpy(row.source, "nas:/vms");
	row.shared = type == STORAGE_NFS;
	add_row(REGISTRY_STORAGE, name, &row);
}

static struct volume_row a_volume(const char *storage, const char *name, node_id node)
{
	struct volume_row row = {.node = node, .size = 10 << 20, .tag = "essaim-7-0123456789abcdef", .operation = 7};
	strcpy(row.storage, storage);
	strcpy(row.name, name);
	return row;
}

static void record(const char *storage, const char *name, node_id node)
{
	struct volume_row row = a_volume(storage, name, node);
	char key[VOLUME_KEY_MAX + 1];
	volume_key(storage, name, node, key);
	add_row(REGISTRY_VOLUME, key, NULL);
	rows[row_count - 1].size = volume_row_encode(&row, rows[row_count - 1].value, VOLUME_ROW_MAX);
}

static bool said(const char *part)
{
	return strstr(why.text, part) != NULL;
}

/* ---- plans ---- */

static void bad_words_are_refused_with_the_reason(void **state)
{
	declare("fast", STORAGE_LVM, 2);
	assert_int_equal(PLAN(verb_volume_create, "volume=web", "size=1G"), -EINVAL);
	assert_true(said("say STORAGE/NAME"));
	assert_int_equal(PLAN(verb_volume_create, "volume=/web", "size=1G"), -EINVAL);
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/a/b", "size=1G"), -EINVAL);
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/../b", "size=1G"), -EINVAL);
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/x_rimage", "size=1G"), -EINVAL);
	assert_true(said("LVM keeps"));
	assert_int_equal(PLAN(verb_volume_create, "volume=fsat/web", "size=1G"), -ENOENT);
	assert_true(said("did you mean 'fast'"));
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/web", "size=1G", "node=nod2"), -EINVAL);
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/web", "size=1G", "node=backup"), -EINVAL);
	assert_true(said("is not on 'backup'"));
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/web", "size=1G", "sparse="), -EINVAL);
	assert_int_equal(PLAN(verb_volume_remove, "volume=fast/web"), -ENOENT);
	assert_int_equal(PLAN(verb_volume_snapshot, "volume=fast/web", "new=a"), -ENOENT);
}

static void sizes_have_a_unit_and_are_whole_sectors(void **state)
{
	static const char *const bad[] = {"size=", "size=0G", "size=1000B", "size=12", "size=1T5", "size=-1G", "size=+1G",
		"size=9999999P", "size=2048P"};
	declare("fast", STORAGE_LVM, 2);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(PLAN(verb_volume_create, "volume=fast/web", bad[i]), -EINVAL);
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/web", "size=1536B"), 0);
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/web", "size=1024P"), 0);
}

static void nothing_is_shrunk(void **state)
{
	declare("fast", STORAGE_LVM, 2);
	record("fast", "web", 2);
	assert_int_equal(PLAN(verb_volume_extend, "volume=fast/web", "size=9M"), -EINVAL);
	assert_true(said("nothing is ever shrunk"));
	assert_int_equal(PLAN(verb_volume_extend, "volume=fast/web", "size=10M"), -EINVAL);
	assert_int_equal(PLAN(verb_volume_extend, "volume=fast/web", "size=+1048576P"), -EINVAL);
	assert_int_equal(PLAN(verb_volume_extend, "volume=fast/web", "size=+2M"), 0);
	assert_non_null(strstr(planned.memo, "size=12582912\n"));
}

static void it_is_made_where_it_was_asked_or_said_and_found_where_it_is(void **state)
{
	declare("fast", STORAGE_LVM, 3);
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/web", "size=1G"), 0);
	assert_int_equal(planned.targets[0], 2); /* asked there */
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/web", "size=1G", "node=backup"), 0);
	assert_int_equal(planned.targets[0], 3);
	declare("one", STORAGE_LVM, 1);
	assert_int_equal(PLAN(verb_volume_create, "volume=one/web", "size=1G"), 0);
	assert_int_equal(planned.targets[0], 1);
	record("fast", "web", 3);
	assert_int_equal(PLAN(verb_volume_remove, "volume=fast/web"), 0);
	assert_int_equal(planned.targets[0], 3);
	record("fast", "web", 1);
	assert_int_equal(PLAN(verb_volume_remove, "volume=fast/web"), -EINVAL);
	assert_true(said("--node NAME"));
	states[0] = UNREACHABLE;
	assert_int_equal(PLAN(verb_volume_remove, "volume=fast/web", "node=node1"), -EHOSTUNREACH);
	assert_int_equal(PLAN(verb_volume_create, "volume=fast/web", "size=1G", "node=backup"), -EEXIST);
	assert_int_equal(PLAN(verb_volume_rename, "volume=fast/web", "node=backup", "new=web"), -EEXIST);
}

static void of_a_shared_storage_any_node_that_answers_does_it(void **state)
{
	declare("vms", STORAGE_NFS, 3);
	record("vms", "web", 0);
	assert_int_equal(PLAN(verb_volume_remove, "volume=vms/web"), 0);
	assert_int_equal(planned.targets[0], 2);
	states[1] = UNREACHABLE;
	assert_int_equal(PLAN(verb_volume_remove, "volume=vms/web"), 0);
	assert_int_equal(planned.targets[0], 1);
	states[0] = states[2] = UNREACHABLE;
	assert_int_equal(PLAN(verb_volume_remove, "volume=vms/web"), -EHOSTUNREACH);
}

static void one_works_at_a_volume_and_changes_of_a_group_take_turns(void **state)
{
	bool waits;
	const char *name;
	uint32_t cursor = 0;
	declare("fast", STORAGE_LVM, 2);
	record("fast", "web", 2);
	assert_int_equal(PLAN(verb_volume_rename, "volume=fast/web", "new=shop"), 0);
	assert_true(locks_next(&planned.locks, &cursor, &waits, &name) && !waits);
	assert_string_equal(name, "volume fast/web on node2");
	assert_true(locks_next(&planned.locks, &cursor, &waits, &name) && !waits);
	assert_string_equal(name, "volume fast/shop on node2");
	assert_true(locks_next(&planned.locks, &cursor, &waits, &name) && waits);
	assert_string_equal(name, "volume group vg0 on node2");
	assert_false(locks_next(&planned.locks, &cursor, &waits, &name));
}

/* ---- steps ---- */

static struct operation_row operation;
static struct step_context context;
static struct command_line command;

static void plan_steps(const struct verb *verb, const char *const *list)
{
	operation = (struct operation_row){.id = {1, 2, 3}, .number = 9, .arguments = words(list)};
	assert_int_equal(plan(verb, &operation.arguments), 0);
	operation.target_count = 1;
	operation.targets[0] = planned.targets[0];
	memcpy(operation.memo, planned.memo, sizeof operation.memo);
	context = (struct step_context){&view, &operation, planned.targets[0], 0, operation.memo, 0};
}

#define STEPS(verb, ...) plan_steps(&(verb), (const char *const[]){__VA_ARGS__, NULL})

static const struct verb_step *step(const struct verb *verb, const char *name)
{
	for (uint32_t i = 0; i < verb->step_count; i++) {
		if (strcmp(verb->steps[i].name, name) == 0)
			return &verb->steps[i];
	}
	fail_msg("no step '%s'", name);
	return NULL;
}

/* The command of an act, checked as the hand checks it: "WORD WORD …". */
static const char *built(const struct step_act *act)
{
	static char text[1024];
	struct error error = {""};
	size_t used = 0;
	memset(&command, 0, sizeof command);
	assert_true(act->build(&context, &command, &why));
	assert_false(command.overflow);
	if (!program_check(command.program, command.word_count, command.words, &error))
		fail_msg("the hand refuses it: %s", error.text);
	for (uint32_t i = 0; i < command.word_count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : " ", command.words[i]);
	return text;
}

static enum step_verdict judged(const struct step_act *act, int code, const char *out, const char *err)
{
	struct command_result result = {.end = COMMAND_EXITED, .code = code,
		.out = {(const uint8_t *)out, strlen(out)}, .err = {(const uint8_t *)err, strlen(err)}};
	why.text[0] = '\0';
	return act->judge(&context, &result, &why);
}

#define LV(name, tags, size, open) "{\"lv_name\":\"" name "\",\"lv_tags\":\"" tags "\",\"lv_size\":\"" size \
	"\",\"origin\":\"\",\"lv_device_open\":\"" open "\"}"
#define REPORT(rows) "{\"report\":[{\"lv\":[" rows "]}]}"
#define TAG "essaim-7-0123456789abcdef"

static void what_is_made_has_the_operations_tag_and_is_known_by_it(void **state)
{
	char tag[VOLUME_TAG_MAX + 1], text[400];
	declare("fast", STORAGE_LVM, 2);
	STEPS(verb_volume_create, "volume=fast/web", "size=10M");
	const struct verb_step *s = step(&verb_volume_create, "create the volume");
	volume_tag(&operation, tag);
	snprintf(text, sizeof text, "lvcreate --yes --addtag %s -n web -L 10485760b vg0", tag);
	assert_string_equal(built(&s->act), text);
	snprintf(text, sizeof text, "lvremove --yes -S lv_tags=%s vg0", tag);
	assert_string_equal(built(&s->undo), text);
	assert_non_null(strstr(built(&s->probe), "lvs --reportformat json"));
	snprintf(text, sizeof text, "{\"report\":[{\"lv\":[{\"lv_name\":\"web\",\"lv_tags\":\"a,%s\",\"lv_size\":\"12582912\"}]}]}", tag);
	assert_int_equal(judged(&s->probe, 0, text, ""), STEP_THERE);
	assert_int_equal(judged(&s->probe, 0, REPORT(""), ""), STEP_ABSENT);
	assert_int_equal(judged(&s->probe, 0, REPORT(LV("web", TAG, "12582912", "")), ""), STEP_ABSENT); /* another's */
	assert_int_equal(judged(&s->probe, 5, REPORT(""), "  vg0 not found\n"), STEP_UNCERTAIN);
	assert_int_equal(judged(&s->probe, 0, "{", ""), STEP_UNCERTAIN);
	assert_int_equal(judged(&s->probe, 0, "", ""), STEP_UNCERTAIN);
	assert_int_equal(judged(&s->act, 5, "", "  Logical Volume \"web\" already exists in volume group \"vg0\"\n"), STEP_UNCERTAIN);
	assert_string_equal(why.text, "Logical Volume \"web\" already exists in volume group \"vg0\"");
}

static void missing_room_is_certain_and_said_in_numbers(void **state)
{
	declare("fast", STORAGE_LVM, 2);
	STEPS(verb_volume_create, "volume=fast/web", "size=10M");
	const struct step_act *act = &step(&verb_volume_create, "create the volume")->act;
	const char *text = "  WARNING: x\n  Volume group \"vg0\" has insufficient free space (9 extents): 25 required.\n";
	assert_int_equal(judged(act, 5, "", text), STEP_FAILED);
	assert_true(said("25 extents are needed, 9 are free, 16 are missing"));
	assert_int_equal(judged(act, 5, "", "  Insufficient free space: 396 extents needed, but only 8 available\n"), STEP_FAILED);
	assert_true(said("388 are missing"));
	assert_int_equal(judged(act, 5, "", "  insufficient free space (\n"), STEP_UNCERTAIN);
}

/* What node2 says of itself: 8 MiB are free in vg0, and 'srv' of 40 MiB lies there, and 'ours' of 50. */
static bool fact_of(void *given, node_id owner, struct bytes key, struct fact_view *out)
{
	static uint8_t memory[INVENTORY_SCRATCH], value[FACT_VALUE_MAX];
	static struct lvm_head seen;
	static struct lvm_page volumes;
	struct arena arena = {memory, sizeof memory, 0};
	seen = (struct lvm_head){.state = INVENTORY_SEEN, .page_count = 1, .group_count = 1, .groups = {{.name = "vg0",
		.uuid = {"jTdXmIP3GLa5W2CRBbfDf79Ku5C79mf2"}, .size = 100 << 20, .free = 8 << 20, .extent = 4 << 20}}};
	volumes = (struct lvm_page){.group_count = 1, .groups = {{.name = "vg0"}}, .volume_count = 2, .volumes = {
		{.name = "srv", .uuid = {"UbkBQNzsteaFMwU5ssSwTsqlZrxNKR0f"}, .size = 40 << 20, .data_fill = -1, .metadata_fill = -1},
		{.name = "ours", .uuid = {"UbkBQNzsteaFMwU5ssSwTsqlZrxNKR0g"}, .size = 50 << 20, .data_fill = -1, .metadata_fill = -1,
		 .tags = TAG}}};
	volumes.groups[0].uuid = seen.groups[0].uuid;
	size_t size = 0;
	if (owner == 2 && key.size == 3 && memcmp(key.data, "lvm", 3) == 0)
		size = lvm_head_encode(&seen, &arena, value, sizeof value);
	else if (owner == 2 && key.size == 5 && memcmp(key.data, "lvm/0", 5) == 0)
		size = lvm_page_encode(&volumes, &arena, value, sizeof value);
	*out = (struct fact_view){.owner = owner, .value = {value, size}};
	return size > 0;
}

#define VGS(free) "{\"report\":[{\"vg\":[{\"vg_free\":\"" free "\",\"vg_extent_size\":\"4194304\"}]}]}"

static void missing_room_is_looked_for_before(void **state)
{
	static struct engine_view with_facts;
	with_facts = view;
	with_facts.fact = fact_of;
	declare("fast", STORAGE_LVM, 2);
	STEPS(verb_volume_create, "volume=fast/web", "size=8M");
	context.view = &with_facts;
	const struct verb_step *room = step(&verb_volume_create, "look for room"), *what = step(&verb_volume_create, "see what could give it");
	const struct verb_step *least = step(&verb_volume_create, "see how small that could be");
	assert_int_equal(room->check(&context, &why), STEP_SKIP); /* it fits */
	STEPS(verb_volume_create, "volume=fast/web", "size=9M");
	context.view = &with_facts;
	assert_int_equal(room->check(&context, &why), STEP_OK);
	assert_non_null(strstr(built(&room->act), "vgs --reportformat json"));
	assert_int_equal(judged(&room->act, 0, VGS("12582912"), ""), STEP_OK); /* the facts were old */
	assert_int_equal(what->check(&context, &why), STEP_SKIP);
	assert_int_equal(judged(&room->act, 5, "", "no"), STEP_OK); /* LVM itself will say it */
	assert_int_equal(judged(&room->act, 0, VGS("8388608"), ""), STEP_OK);
	assert_int_equal(what->check(&context, &why), STEP_OK);
	assert_string_equal(built(&what->act), "-p -o export /dev/vg0/srv"); /* not ours, though larger */
	assert_int_equal(judged(&what->act, 0, "TYPE=xfs\nBLOCK_SIZE=512\n", ""), STEP_FAILED);
	assert_true(said("12582912 bytes are needed, 8388608 are free, 4194304 are missing. The largest volume there, /dev/vg0/srv, "
	                 "holds xfs, which cannot be made smaller. With another disk"));
	assert_int_equal(judged(&what->act, 2, "", ""), STEP_FAILED);
	assert_true(said("(unknown)"));
	assert_int_equal(judged(&what->act, 0, "BLOCK_SIZE=4096\nTYPE=ext4\n", ""), STEP_OK);
	assert_string_equal(built(&least->act), "-P /dev/vg0/srv");
	assert_int_equal(judged(&least->act, 0, "Estimated minimum size of the filesystem: 9216\n", ""), STEP_FAILED);
	assert_true(said("umount /dev/vg0/srv; e2fsck -f /dev/vg0/srv; resize2fs /dev/vg0/srv 36864K; lvreduce -L 37748736b /dev/vg0/srv. With"));
	assert_int_equal(judged(&least->act, 0, "Estimated minimum size of the filesystem: 9217\n", ""), STEP_FAILED);
	assert_true(said("needs at least 37752832 of its 41943040 bytes"));
	assert_int_equal(judged(&least->act, 1, "", "no"), STEP_FAILED);
	assert_true(said("was not to be learnt"));
	STEPS(verb_volume_create, "volume=fast/web", "size=90M");
	context.view = &with_facts;
	assert_int_equal(judged(&room->act, 0, VGS("8388608"), ""), STEP_FAILED); /* nobody has so much */
	assert_true(said("88080384 are missing. With another disk of more than 88080384 bytes: pvcreate /dev/DISK; vgextend vg0"));
}

static void only_what_was_made_here_is_changed(void **state)
{
	declare("fast", STORAGE_LVM, 2);
	record("fast", "web", 2);
	STEPS(verb_volume_remove, "volume=fast/web");
	const struct verb_step *look = step(&verb_volume_remove, "look for it");
	assert_non_null(strstr(built(&look->act), "-S lv_tags=" TAG "||origin=\"web\" vg0"));
	assert_int_equal(judged(&look->act, 0, REPORT(""), ""), STEP_FAILED);
	assert_true(said("removed by hand"));
	assert_int_equal(judged(&look->act, 0, REPORT(LV("shop", TAG, "12582912", "")), ""), STEP_FAILED);
	assert_true(said("lvrename vg0 shop web"));
	assert_int_equal(judged(&look->act, 0, REPORT(LV("web", "x" TAG, "12582912", "")), ""), STEP_FAILED);
	assert_int_equal(judged(&look->act, 0, REPORT(LV("web", TAG, "12582912", "")), ""), STEP_OK);
	assert_string_equal(built(&step(&verb_volume_remove, "remove the volume")->act), "lvremove --yes -S lv_tags=" TAG " vg0");
}

static void what_is_in_use_is_refused_with_by_what(void **state)
{
	declare("fast", STORAGE_LVM, 2);
	record("fast", "web", 2);
	STEPS(verb_volume_remove, "volume=fast/web");
	const struct verb_step *look = step(&verb_volume_remove, "look for it"), *who = step(&verb_volume_remove, "see who uses it");
	assert_int_equal(judged(&look->act, 0, REPORT(LV("web", TAG, "12582912", "")), ""), STEP_OK);
	assert_int_equal(who->check(&context, &why), STEP_SKIP);
	assert_int_equal(judged(&look->act, 0, REPORT(LV("web", TAG, "12582912", "open")), ""), STEP_OK);
	assert_int_equal(who->check(&context, &why), STEP_OK);
	assert_string_equal(built(&who->act), "--noheadings --output TARGET --source /dev/vg0/web");
	assert_int_equal(judged(&who->act, 0, "/srv/web\n", ""), STEP_FAILED);
	assert_string_equal(why.text, "it is in use: mounted at /srv/web");
	assert_int_equal(judged(&who->act, 1, "", ""), STEP_FAILED);
	assert_true(said("fuser -v /dev/vg0/web"));
	assert_int_equal(judged(&look->act, 0, REPORT(LV("web", TAG, "12582912", "") "," LV("s1", "", "4", "") "," LV("s2", "", "4", "")), ""), STEP_OK);
	assert_int_equal(who->check(&context, &why), STEP_FAILED);
	assert_true(said("its snapshots would go with it (s1, s2)"));
}

static void lvm_has_rounded_up_far_enough_sometimes(void **state)
{
	declare("fast", STORAGE_LVM, 2);
	record("fast", "web", 2);
	STEPS(verb_volume_extend, "volume=fast/web", "size=12M");
	const struct verb_step *look = step(&verb_volume_extend, "look for it"), *grow = step(&verb_volume_extend, "extend the volume");
	assert_int_equal(judged(&look->act, 0, REPORT(LV("web", TAG, "12582912", "open")), ""), STEP_OK);
	assert_int_equal(grow->check(&context, &why), STEP_SKIP);
	STEPS(verb_volume_extend, "volume=fast/web", "size=13M");
	assert_int_equal(judged(&look->act, 0, REPORT(LV("web", TAG, "12582912", "open")), ""), STEP_OK);
	assert_int_equal(grow->check(&context, &why), STEP_OK);
	assert_string_equal(built(&grow->act), "lvextend -L 13631488b vg0/web");
	assert_int_equal(judged(&grow->probe, 0, REPORT(LV("web", TAG, "12582912", "")), ""), STEP_ABSENT);
	assert_int_equal(judged(&grow->probe, 0, REPORT(LV("web", TAG, "16777216", "")), ""), STEP_THERE);
}

static void snapshots_and_thin_volumes(void **state)
{
	char tag[VOLUME_TAG_MAX + 1], text[400];
	declare("fast", STORAGE_LVM, 2);
	record("fast", "web", 2);
	STEPS(verb_volume_snapshot, "volume=fast/web", "new=monday", "room=2M");
	volume_tag(&operation, tag);
	snprintf(text, sizeof text, "lvcreate --yes --addtag %s -n monday -s -L 2097152b vg0/web", tag);
	assert_string_equal(built(&step(&verb_volume_snapshot, "make the snapshot")->act), text);
	STEPS(verb_volume_snapshot, "volume=fast/web", "new=monday");
	assert_non_null(strstr(built(&step(&verb_volume_snapshot, "make the snapshot")->act), "-L 10485760b"));
	declare("pooled", STORAGE_LVM_THIN, 2);
	record("pooled", "web", 2);
	STEPS(verb_volume_snapshot, "volume=pooled/web", "new=monday");
	assert_non_null(strstr(built(&step(&verb_volume_snapshot, "make the snapshot")->act), "-n monday -s -kn vg0/web"));
	assert_int_equal(PLAN(verb_volume_snapshot, "volume=pooled/web", "new=monday", "room=2M"), -EINVAL);
	STEPS(verb_volume_create, "volume=pooled/new", "size=1G");
	assert_non_null(strstr(built(&step(&verb_volume_create, "create the volume")->act), "-n new -V 1073741824b -T vg0/pool"));
}

static void a_rename_is_known_by_the_tag_and_taken_back(void **state)
{
	declare("fast", STORAGE_LVM, 2);
	record("fast", "web", 2);
	STEPS(verb_volume_rename, "volume=fast/web", "new=shop");
	const struct verb_step *s = step(&verb_volume_rename, "rename the volume");
	assert_string_equal(built(&s->act), "lvrename vg0 web shop");
	assert_string_equal(built(&s->undo), "lvrename vg0 shop web");
	assert_int_equal(judged(&s->probe, 0, REPORT(LV("shop", TAG, "4", "")), ""), STEP_THERE);
	assert_int_equal(judged(&s->probe, 0, REPORT(LV("web", TAG, "4", "")), ""), STEP_ABSENT);
}

static void files_are_pending_under_the_operations_number_before_they_have_a_name(void **state)
{
	declare("vms", STORAGE_DIR, 2);
	STEPS(verb_volume_create, "volume=vms/web", "size=3M", "sparse=");
	const struct verb_step *make = step(&verb_volume_create, "make its file"), *place = step(&verb_volume_create, "give the file its name");
	assert_int_equal(step(&verb_volume_create, "create the volume")->check(&context, &why), STEP_SKIP);
	assert_string_equal(built(&make->act), "create /srv/vms web 3145728 9 sparse");
	assert_string_equal(built(&make->undo), "drop /srv/vms web 9");
	assert_string_equal(built(&place->act), "place /srv/vms web 9");
	assert_string_equal(built(&place->probe), "state /srv/vms web 9");
	assert_string_equal(built(&place->undo), "withdraw /srv/vms web 9");
	assert_int_equal(judged(&make->act, FILE_NO_ROOM, "", "12 bytes are missing\n"), STEP_FAILED);
	assert_string_equal(why.text, "12 bytes are missing");
	assert_int_equal(judged(&make->act, FILE_STALE, "", "stale"), STEP_UNCERTAIN);
	assert_int_equal(judged(&make->probe, 0, "pending 3145728 0 1 5\n", ""), STEP_THERE);
	assert_int_equal(judged(&make->probe, 0, "volume 3145728 0 1 5\n", ""), STEP_ABSENT);
	assert_int_equal(judged(&place->probe, 0, "volume 3145728 0 1 5\n", ""), STEP_THERE);
	assert_int_equal(judged(&place->probe, 0, "volume 3145728 0 1 5\npending 3145728 0 1 6\n", ""), STEP_ABSENT);
}

static void the_other_files_words(void **state)
{
	declare("vms", STORAGE_DIR, 2);
	record("vms", "web", 2);
	STEPS(verb_volume_snapshot, "volume=vms/web", "new=monday");
	assert_string_equal(built(&step(&verb_volume_snapshot, "copy its file")->act), "copy /srv/vms web monday 9");
	assert_string_equal(built(&step(&verb_volume_snapshot, "give the file its name")->act), "place /srv/vms monday 9");
	STEPS(verb_volume_extend, "volume=vms/web", "size=11M");
	assert_string_equal(built(&step(&verb_volume_extend, "extend the file")->act), "extend /srv/vms web 11534336");
	STEPS(verb_volume_rename, "volume=vms/web", "new=shop");
	const struct verb_step *s = step(&verb_volume_rename, "rename the file");
	assert_int_equal(judged(&step(&verb_volume_rename, "look for its file")->act, 0, "volume 10485760 0 1 5\n", ""), STEP_OK);
	assert_string_equal(built(&s->act), "rename /srv/vms web shop");
	assert_string_equal(built(&s->undo), "rename /srv/vms shop web");
	assert_int_equal(judged(&s->probe, 0, "volume 10485760 0 1 5\n", ""), STEP_THERE);
	assert_int_equal(judged(&s->probe, 0, "volume 10485760 0 1 6\n", ""), STEP_ABSENT); /* another's, of that name */
	STEPS(verb_volume_remove, "volume=vms/web");
	assert_string_equal(built(&step(&verb_volume_remove, "take the file's name")->act), "withdraw /srv/vms web 9");
	assert_string_equal(built(&step(&verb_volume_remove, "take the file's name")->undo), "place /srv/vms web 9");
	assert_string_equal(built(&step(&verb_volume_remove, "remove the file")->act), "drop /srv/vms web 9");
	assert_int_equal(judged(&step(&verb_volume_remove, "remove the file")->probe, 0, "pending 1 0 1 5\n", ""), STEP_ABSENT);
}

/* ---- rows ---- */

static bool committed(const struct verb *verb)
{
	memset(&changes, 0, sizeof changes);
	return verb->rows(&context, OPERATION_DONE, &changes, &why);
}

static struct volume_row changed(uint32_t at)
{
	static uint8_t memory[2048];
	struct arena arena = {memory, sizeof memory, 0};
	struct volume_row row;
	assert_true(volume_row_decode(changes.list[at].row.bytes, &arena, &row));
	return row;
}

static void the_ledger_keeps_the_exact_size_and_the_tag(void **state)
{
	char tag[VOLUME_TAG_MAX + 1];
	declare("fast", STORAGE_LVM, 2);
	STEPS(verb_volume_create, "volume=fast/web", "size=10M");
	assert_true(committed(&verb_volume_create));
	struct volume_row row = changed(0);
	volume_tag(&operation, tag);
	assert_int_equal(row.size, 10 << 20);
	assert_int_equal(row.node, 2);
	assert_string_equal(row.tag, tag);
	assert_int_equal(changes.list[0].expected, REGISTRY_ABSENT);
	assert_true(verb_volume_create.rows(&context, OPERATION_UNDONE, &changes, &why));
	assert_int_equal(changes.count, 1); /* nothing more */
}

static void rows_follow_what_was_done(void **state)
{
	declare("fast", STORAGE_LVM, 2);
	record("fast", "web", 2);
	STEPS(verb_volume_extend, "volume=fast/web", "size=20M");
	assert_true(committed(&verb_volume_extend));
	assert_int_equal(changed(0).size, 20 << 20);
	assert_int_equal(changes.list[0].expected, 101);
	STEPS(verb_volume_rename, "volume=fast/web", "new=shop");
	assert_true(committed(&verb_volume_rename));
	assert_true(changes.count == 2 && changes.list[0].deleted);
	assert_string_equal(changed(1).name, "shop");
	assert_string_equal(changed(1).tag, TAG);
	STEPS(verb_volume_snapshot, "volume=fast/web", "new=monday");
	assert_true(committed(&verb_volume_snapshot));
	assert_string_equal(changed(0).origin, "web");
	assert_string_not_equal(changed(0).tag, TAG);
	STEPS(verb_volume_remove, "volume=fast/web");
	assert_true(committed(&verb_volume_remove));
	assert_true(changes.list[0].deleted);
	row_count--;
	assert_false(committed(&verb_volume_remove));
}

static void a_row_reads_back_and_the_longest_fits(void **state)
{
	static uint8_t memory[2048], value[VOLUME_ROW_MAX];
	struct arena arena = {memory, sizeof memory, 0};
	struct volume_row in = a_volume("s", "v", UINT64_MAX), out;
	memset(in.storage, 's', NAME_MAX_SIZE);
	memset(in.name, 'v', VOLUME_TITLE_MAX);
	memset(in.origin, 'o', VOLUME_TITLE_MAX);
	memset(in.tag, 't', VOLUME_TAG_MAX);
	in.sparse = true;
	in.size = UINT64_C(1) << 60;
	char key[VOLUME_KEY_MAX + 1];
	assert_true(volume_key(in.storage, in.name, in.node, key) <= REGISTRY_NAME_MAX);
	size_t size = volume_row_encode(&in, value, sizeof value);
	assert_true(size > 0 && volume_row_decode((struct bytes){value, size}, &arena, &out));
	assert_memory_equal(&in, &out, sizeof in);
	for (size_t cut = 0; cut < size; cut++) {
		arena.used = 0;
		volume_row_decode((struct bytes){value, cut}, &arena, &out);
	}
	in.size = 513;
	size = volume_row_encode(&in, value, sizeof value);
	arena.used = 0;
	assert_false(volume_row_decode((struct bytes){value, size}, &arena, &out));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
	    TEST(bad_words_are_refused_with_the_reason),
	    TEST(sizes_have_a_unit_and_are_whole_sectors),
	    TEST(nothing_is_shrunk),
	    TEST(it_is_made_where_it_was_asked_or_said_and_found_where_it_is),
	    TEST(of_a_shared_storage_any_node_that_answers_does_it),
	    TEST(one_works_at_a_volume_and_changes_of_a_group_take_turns),
	    TEST(what_is_made_has_the_operations_tag_and_is_known_by_it),
	    TEST(missing_room_is_certain_and_said_in_numbers),
	    TEST(missing_room_is_looked_for_before),
	    TEST(only_what_was_made_here_is_changed),
	    TEST(what_is_in_use_is_refused_with_by_what),
	    TEST(lvm_has_rounded_up_far_enough_sometimes),
	    TEST(snapshots_and_thin_volumes),
	    TEST(a_rename_is_known_by_the_tag_and_taken_back),
	    TEST(files_are_pending_under_the_operations_number_before_they_have_a_name),
	    TEST(the_other_files_words),
	    TEST(the_ledger_keeps_the_exact_size_and_the_tag),
	    TEST(rows_follow_what_was_done),
	    TEST(a_row_reads_back_and_the_longest_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
