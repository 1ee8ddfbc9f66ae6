/* Storages are declared: what is refused and why, what the marker's steps make of what they read, which rows change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arguments.h"
#include "programs.h"
#include "storage_rows.h"
#include "verbs.h"

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

/* As if it were done: the storage's row as it will be. */
static bool committed(const struct verb *verb, const char *const *list, struct storage_row *out)
{
	static uint8_t memory[4096];
	struct arena arena = {memory, sizeof memory, 0};
	struct operation_row operation = {.id = {1, 2, 3}, .arguments = words(list)};
	memcpy(operation.memo, planned.memo, sizeof operation.memo);
	struct step_context context = {&view, &operation, 2, 0, operation.memo, 0};
	memset(&changes, 0, sizeof changes);
	if (!verb->rows(&context, OPERATION_DONE, &changes, &why))
		return false;
	assert_int_equal(changes.count, 1);
	return changes.list[0].deleted || storage_row_decode(changes.list[0].row.bytes, &arena, out);
}

#define COMMITTED(verb, out, ...) committed(&(verb), (const char *const[]){__VA_ARGS__, NULL}, out)

static struct storage_row a_dir(const char *name, const char *path)
{
	struct storage_row row = {.id = {{7}}, .type = STORAGE_DIR};
	strcpy(row.name, name);
	strcpy(row.path, path);
	return row;
}

static void declare(const char *name, const char *path)
{
	struct storage_row row = a_dir(name, path);
	add_row(REGISTRY_STORAGE, name, &row);
}

/* ---- add ---- */

static void each_type_is_taken_with_what_it_needs(void **state)
{
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=dir", "path=/srv/a"), 0);
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=nfs", "path=/srv/a", "source=nas:/a"), 0);
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=zfs", "pool=tank/vm"), 0);
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=lvm", "vg=vg0", "shared="), 0);
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=lvm-thin", "vg=vg0", "pool=thin"), 0);
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=drbd-lvm", "vg=vg0", "resource=r0"), 0);
	assert_string_equal(planned.subject, "a");
	assert_int_equal(planned.target_count, 1);
}

static void what_is_missing_or_too_much_is_said(void **state)
{
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=nfs", "path=/srv/a"), -EINVAL);
	assert_string_equal(why.text, "a storage of type 'nfs' needs what is mounted there, as --source SERVER:/EXPORT");
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=lvm", "vg=vg0", "path=/srv/a"), -EINVAL);
	assert_string_equal(why.text, "a storage of type 'lvm' has no --path");
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=raid"), -EINVAL);
	assert_non_null(strstr(why.text, "lvm-thin and drbd-lvm are"));
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=dir", "path=/srv/../a"), -EINVAL);
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=dir", "path="), -EINVAL);
	assert_int_equal(PLAN(verb_storage_add, "name=-a", "type=dir", "path=/srv/a"), -EINVAL);
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=lvm-thin", "vg=v", "pool=t", "shared="), -EINVAL);
	assert_non_null(strstr(why.text, "cannot be shared"));
}

static void an_unknown_node_or_storage_is_answered_with_the_nearest_names(void **state)
{
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=lvm", "vg=v", "nodes=node1,nod2"), -ENOENT);
	assert_string_equal(why.text, "no member is called 'nod2' (did you mean 'node2' or 'node1'?): essaim node list shows them");
	assert_int_equal(PLAN(verb_storage_remove, "name=iso"), -ENOENT);
	assert_string_equal(why.text, "no storage is called 'iso', as none is declared: essaim storage add");
	declare("isos", "/srv/iso");
	declare("fast", "/srv/fast");
	assert_int_equal(PLAN(verb_storage_set, "name=iso", "nodes=all"), -ENOENT);
	assert_string_equal(why.text, "no storage is called 'iso' (did you mean 'isos'?): essaim storage list shows them");
	assert_int_equal(PLAN(verb_storage_remove, "name=quite-another"), -ENOENT);
	assert_string_equal(why.text, "no storage is called 'quite-another': essaim storage list shows them");
}

static void a_name_or_a_place_is_declared_once(void **state)
{
	struct storage_row other = a_dir("iso", "/srv/iso"), row;
	other.node_count = 1;
	other.nodes[0] = 1;
	add_row(REGISTRY_STORAGE, "iso", &other);
	assert_int_equal(PLAN(verb_storage_add, "name=iso", "type=dir", "path=/srv/b"), -EEXIST);
	assert_int_equal(PLAN(verb_storage_add, "name=b", "type=dir", "path=/srv/iso"), -EEXIST);
	assert_int_equal(PLAN(verb_storage_add, "name=b", "type=dir", "path=/srv/iso", "nodes=node2"), 0);
	assert_true(COMMITTED(verb_storage_add, &row, "name=b", "type=dir", "path=/srv/iso", "nodes=node2"));
	assert_int_equal(changes.list[0].expected, REGISTRY_ABSENT);
	/* Two at once: the second finds the row at its end and changes nothing. */
	assert_false(COMMITTED(verb_storage_add, &row, "name=iso", "type=dir", "path=/srv/b"));
	other = a_dir("c", "/srv/iso");
	other.node_count = 1;
	other.nodes[0] = 2;
	add_row(REGISTRY_STORAGE, "c", &other);
	assert_int_equal(PLAN(verb_storage_set, "name=c", "nodes=all"), -EEXIST);
}

static void no_more_are_declared_than_a_node_can_tell_of(void **state)
{
	for (int i = 0; i < STORAGES_MAX; i++) {
		char name[16], path[32];
		snprintf(name, sizeof name, "s%d", i);
		snprintf(path, sizeof path, "/srv/%d", i);
		declare(name, path);
	}
	assert_int_equal(PLAN(verb_storage_add, "name=more", "type=dir", "path=/srv/more"), -ENOSPC);
}

static void the_row_says_what_was_declared(void **state)
{
	struct storage_row row;
	assert_int_equal(PLAN(verb_storage_add, "name=r", "type=drbd-lvm", "vg=vg_r", "resource=r0", "nodes=node2,backup,node2"), 0);
	assert_true(COMMITTED(verb_storage_add, &row, "name=r", "type=drbd-lvm", "vg=vg_r", "resource=r0", "nodes=node2,backup,node2"));
	assert_true(row.shared);
	assert_string_equal(row.source, "r0");
	assert_string_equal(row.group, "vg_r");
	assert_int_equal(row.node_count, 2);
	assert_int_equal(row.nodes[1], 3);
}

static void a_shared_folder_is_marked_by_one_of_its_nodes_that_answers(void **state)
{
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=dir", "path=/srv/a", "shared="), 0);
	assert_int_equal(planned.targets[0], 2); /* where it was asked */
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=dir", "path=/srv/a", "shared=", "nodes=node1,backup"), 0);
	assert_int_equal(planned.targets[0], 1);
	states[0] = UNREACHABLE;
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=dir", "path=/srv/a", "shared=", "nodes=node1,backup"), 0);
	assert_int_equal(planned.targets[0], 3);
	states[2] = UNREACHABLE;
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=dir", "path=/srv/a", "shared=", "nodes=node1,backup"), -EHOSTUNREACH);
	/* What needs no marker may be declared for nodes that are away. */
	assert_int_equal(PLAN(verb_storage_add, "name=a", "type=dir", "path=/srv/a", "nodes=node1,backup"), 0);
	assert_int_equal(planned.targets[0], 2);
}

/* ---- the marker ---- */

static struct operation_row marking;
static struct step_context context;

static void begin_marking(bool adopt)
{
	struct storage_row row = a_dir("a", "/srv/a");
	row.shared = true;
	row.id = (struct storage_id){0};
	marking = (struct operation_row){.id = {1, 2, 3}};
	assert_true(storage_mark_memo(marking.memo, &row, adopt));
	context = (struct step_context){&view, &marking, 2, 0, marking.memo, 0};
}

static enum step_verdict judge(int step, bool probe, int code, const char *out, const char *err)
{
	struct command_result result = {.end = COMMAND_EXITED, .code = code,
		.out = {(const uint8_t *)out, strlen(out)}, .err = {(const uint8_t *)err, strlen(err)}};
	const struct verb_step *s = &storage_mark_steps[step];
	return (probe ? s->probe.judge : s->act.judge)(&context, &result, &why);
}

static void own_id(char out[STORAGE_ID_TEXT])
{
	struct storage_id id;
	storage_marked_id(&context, &id);
	storage_id_text(&id, out);
}

static void nothing_is_marked_that_need_not_be(void **state)
{
	begin_marking(false);
	assert_int_equal(storage_mark_steps[0].check(&context, &why), STEP_OK);
	marking.memo[0] = '\0';
	assert_int_equal(storage_mark_steps[0].check(&context, &why), STEP_SKIP);
	assert_int_equal(storage_mark_steps[1].check(&context, &why), STEP_SKIP);
}

static void the_hand_takes_the_words_that_mark(void **state)
{
	struct command_line command = {0};
	struct error error;
	char id[STORAGE_ID_TEXT];
	begin_marking(false);
	own_id(id);
	assert_true(storage_mark_steps[1].act.build(&context, &command, &why));
	assert_int_equal(command.word_count, 3);
	assert_string_equal(command.words[0], "mark");
	assert_string_equal(command.words[1], "/srv/a");
	assert_string_equal(command.words[2], id);
	assert_true(program_check(command.program, command.word_count, command.words, &error));
}

static void a_marker_of_somebody_else_is_not_taken_over_unasked(void **state)
{
	char own[STORAGE_ID_TEXT], text[128];
	const char *other = "type ext4\nmarker 000102030405060708090a0b0c0d0e0f\n";
	begin_marking(false);
	own_id(own);
	assert_int_equal(judge(0, false, 0, "type ext4\nwritable yes\n", ""), STEP_OK);
	snprintf(text, sizeof text, "type ext4\nmarker %s\n", own);
	assert_int_equal(judge(0, false, 0, text, ""), STEP_OK);
	assert_int_equal(judge(0, false, 0, other, ""), STEP_FAILED);
	assert_non_null(strstr(why.text, "--adopt"));
	assert_int_equal(judge(0, false, 0, "marker hello\n", ""), STEP_FAILED);
	begin_marking(true);
	assert_int_equal(judge(0, false, 0, other, ""), STEP_OK);
	own_id(own);
	assert_string_equal(own, "000102030405060708090a0b0c0d0e0f");
}

static void a_marker_of_another_declared_storage_is_never_taken_over(void **state)
{
	begin_marking(true);
	declare("iso", "/srv/iso"); /* its id is 07, 00, … */
	assert_int_equal(judge(0, false, 0, "marker 07000000000000000000000000000000\n", ""), STEP_FAILED);
	assert_non_null(strstr(why.text, "'iso'"));
}

static void a_failed_marking_takes_away_its_own_marker_and_no_other(void **state)
{
	struct command_line command = {0};
	struct command_result result = {.end = COMMAND_EXITED, .code = FILE_DONE};
	const struct verb_step *step = &storage_mark_steps[1];
	struct error error;
	char id[STORAGE_ID_TEXT], text[64];
	begin_marking(false);
	own_id(id);
	assert_int_equal(judge(0, false, 0, "type ext4\n", ""), STEP_OK);
	assert_int_equal(step->check(&context, &why), STEP_OK);
	assert_true(step->undo.build(&context, &command, &why));
	assert_string_equal(command.words[0], "unmark");
	assert_string_equal(command.words[2], id);
	assert_true(program_check(command.program, command.word_count, command.words, &error));
	assert_int_equal(step->undo.judge(&context, &result, &why), STEP_OK);
	result.code = FILE_EXISTS; /* another's: not ours to touch, and ours is not there */
	assert_int_equal(step->undo.judge(&context, &result, &why), STEP_OK);
	result.code = FILE_STALE;
	assert_int_equal(step->undo.judge(&context, &result, &why), STEP_UNCERTAIN);
	snprintf(text, sizeof text, "marker %s\n", id); /* it was there before: nothing to do, nothing to undo */
	assert_int_equal(judge(0, false, 0, text, ""), STEP_OK);
	assert_int_equal(step->check(&context, &why), STEP_SKIP);
	begin_marking(true);
	assert_int_equal(judge(0, false, 0, "marker 000102030405060708090a0b0c0d0e0f\n", ""), STEP_OK);
	assert_int_equal(step->check(&context, &why), STEP_SKIP);
}

static void marking_is_judged_by_the_marker_alone(void **state)
{
	char own[STORAGE_ID_TEXT], text[64];
	begin_marking(false);
	own_id(own);
	assert_int_equal(judge(1, false, FILE_DONE, "", ""), STEP_OK);
	assert_int_equal(judge(1, false, FILE_MISSING, "", "there is no '/srv/a'\n"), STEP_FAILED);
	assert_string_equal(why.text, "there is no '/srv/a'");
	assert_int_equal(judge(1, false, FILE_FAILED, "", "no space"), STEP_UNCERTAIN);
	snprintf(text, sizeof text, "x marker no\nmarker %s\n", own);
	assert_int_equal(judge(1, true, FILE_DONE, text, ""), STEP_THERE);
	assert_int_equal(judge(1, true, FILE_DONE, "type ext4\n", ""), STEP_ABSENT);
	assert_int_equal(judge(1, true, FILE_DONE, "marker 07000000000000000000000000000000\n", ""), STEP_ABSENT);
	assert_int_equal(judge(1, true, FILE_FAILED, "", "stale"), STEP_UNCERTAIN);
}

/* ---- set, remove ---- */

static void a_change_keeps_the_rest_and_names_the_version_it_saw(void **state)
{
	struct storage_row row;
	declare("iso", "/srv/iso");
	assert_int_equal(PLAN(verb_storage_set, "name=iso", "nodes=node1"), 0);
	assert_int_equal(planned.memo[0], '\0');
	assert_true(COMMITTED(verb_storage_set, &row, "name=iso", "nodes=node1"));
	assert_int_equal(changes.list[0].expected, 100);
	assert_string_equal(row.path, "/srv/iso");
	assert_int_equal(row.id.bytes[0], 7);
	assert_int_equal(row.node_count, 1);
	assert_int_equal(PLAN(verb_storage_set, "name=iso"), -EINVAL);
	assert_int_equal(PLAN(verb_storage_set, "name=iso", "shared=perhaps"), -EINVAL);
}

static void what_becomes_shared_is_marked_with_the_id_it_has(void **state)
{
	char id[STORAGE_ID_TEXT];
	declare("iso", "/srv/iso");
	assert_int_equal(PLAN(verb_storage_set, "name=iso", "shared=yes"), 0);
	assert_true(memo_get(planned.memo, "id", id, sizeof id));
	assert_string_equal(id, "07000000000000000000000000000000");
}

static void a_storage_with_volumes_is_not_forgotten(void **state)
{
	declare("iso", "/srv/iso");
	add_row(REGISTRY_VOLUME, "isos/web", NULL);
	assert_int_equal(PLAN(verb_storage_remove, "name=iso"), 0);
	assert_true(COMMITTED(verb_storage_remove, NULL, "name=iso"));
	assert_true(changes.list[0].deleted);
	add_row(REGISTRY_VOLUME, "iso/web", NULL);
	assert_int_equal(PLAN(verb_storage_remove, "name=iso"), -EBUSY);
	assert_string_equal(why.text, "the volume 'iso/web' is recorded on it: essaim volume list --storage iso");
	add_row(REGISTRY_VOLUME, "iso/db", NULL);
	assert_int_equal(PLAN(verb_storage_remove, "name=iso"), -EBUSY);
	assert_non_null(strstr(why.text, "2 volumes"));
}

static void a_storage_at_which_somebody_works_is_not_forgotten(void **state)
{
	declare("iso", "/srv/iso");
	add_row(REGISTRY_OPERATION, "o", NULL);
	strcpy(open_operation.noun, "volume");
	open_operation.number = 9;
	arguments_add(&open_operation.arguments, "volume", "isos/web");
	assert_int_equal(PLAN(verb_storage_remove, "name=iso"), 0);
	arguments_add(&open_operation.arguments, "storage", "iso");
	assert_int_equal(PLAN(verb_storage_remove, "name=iso"), -EBUSY);
	assert_string_equal(why.text, "operation 9 is at work on it: essaim op show 9");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
	    TEST(each_type_is_taken_with_what_it_needs),
	    TEST(what_is_missing_or_too_much_is_said),
	    TEST(an_unknown_node_or_storage_is_answered_with_the_nearest_names),
	    TEST(a_name_or_a_place_is_declared_once),
	    TEST(no_more_are_declared_than_a_node_can_tell_of),
	    TEST(the_row_says_what_was_declared),
	    TEST(a_shared_folder_is_marked_by_one_of_its_nodes_that_answers),
	    TEST(nothing_is_marked_that_need_not_be),
	    TEST(the_hand_takes_the_words_that_mark),
	    TEST(a_marker_of_somebody_else_is_not_taken_over_unasked),
	    TEST(a_marker_of_another_declared_storage_is_never_taken_over),
	    TEST(a_failed_marking_takes_away_its_own_marker_and_no_other),
	    TEST(marking_is_judged_by_the_marker_alone),
	    TEST(a_change_keeps_the_rest_and_names_the_version_it_saw),
	    TEST(what_becomes_shared_is_marked_with_the_id_it_has),
	    TEST(a_storage_with_volumes_is_not_forgotten),
	    TEST(a_storage_at_which_somebody_works_is_not_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
