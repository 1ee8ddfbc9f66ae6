/* Declared storages: what is legal, where volumes lie, and that rows read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage.h"

static uint8_t memory[16384], out[STORAGE_ROW_MAX];

static struct storage_row a_dir(void)
{
	return (struct storage_row){.id = {{1, 2, 0xab}}, .name = "iso", .type = STORAGE_DIR, .path = "/srv/iso"};
}

static bool back(const struct storage_row *in, struct storage_row *row)
{
	struct arena arena = {memory, sizeof memory, 0};
	size_t size = storage_row_encode(in, out, sizeof out);
	return size > 0 && storage_row_decode((struct bytes){out, size}, &arena, row);
}

static struct storage_row of_type(enum storage_type type)
{
	struct storage_row row = {.id = {{9}}, .name = "s", .type = type};
	if (storage_has_path(type))
		strcpy(row.path, "/mnt/s");
	if (storage_has_source(type))
		strcpy(row.source, type == STORAGE_NFS ? "nas:/export/vm" : "r0");
	if (storage_has_group(type))
		strcpy(row.group, "vg0");
	if (storage_has_pool(type))
		strcpy(row.pool, type == STORAGE_ZFS ? "tank/vm" : "pool");
	return row;
}

static void each_type_reads_back(void **state)
{
	struct storage_row in, row;
	enum storage_type type;
	for (int t = STORAGE_DIR; t < STORAGE_TYPES; t++) {
		in = of_type((enum storage_type)t);
		in.shared = true;
		assert_true(back(&in, &row));
		assert_memory_equal(&in, &row, sizeof in);
		assert_true(storage_type_parse(storage_type_name(in.type), &type) && type == in.type);
	}
	assert_false(storage_type_parse("raid", &type));
	assert_string_equal(storage_type_name((enum storage_type)99), "?");
}

static void the_longest_row_fits_and_every_cut_of_it_is_harmless(void **state)
{
	struct storage_row in = of_type(STORAGE_NFS), row;
	memset(in.name, 'n', NAME_MAX_SIZE);
	memset(in.path + 1, 'p', DEVICE_PATH_MAX - 1);
	memset(in.source, 's', DEVICE_PATH_MAX);
	in.source[2] = ':';
	in.node_count = STORAGE_NODES_MAX;
	for (uint32_t i = 0; i < STORAGE_NODES_MAX; i++)
		in.nodes[i] = UINT64_MAX - i;
	assert_true(back(&in, &row));
	assert_memory_equal(&in, &row, sizeof in);
	size_t size = storage_row_encode(&in, out, sizeof out);
	for (size_t cut = 0; cut < size; cut++) {
		struct arena arena = {memory, sizeof memory, 0};
		if (storage_row_decode((struct bytes){out, cut}, &arena, &row))
			assert_memory_not_equal(&in, &row, sizeof in);
	}
}

static void a_row_with_texts_of_another_type_is_refused(void **state)
{
	struct storage_row in, row;
	for (int t = STORAGE_DIR; t < STORAGE_TYPES; t++) {
		in = of_type((enum storage_type)t);
		in.type = in.type == STORAGE_LVM ? STORAGE_DIR : STORAGE_LVM;
		assert_false(back(&in, &row));
	}
	in = a_dir();
	in.type = STORAGE_TYPES;
	assert_false(back(&in, &row));
}

static void a_path_leads_straight_to_a_folder(void **state)
{
	static const char *const wrong[] = {"", "/", "srv", "/srv/", "/srv//iso", "/srv/../etc", "/srv/./a",
		"/srv/..", "/srv/.", "/srv/a\nb", "/srv/\033[2J"};
	struct storage_row in = a_dir();
	assert_true(storage_row_legal(&in));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		strcpy(in.path, wrong[i]);
		assert_false(storage_row_legal(&in));
	}
	strcpy(in.path, "/srv/..a/my disks");
	assert_true(storage_row_legal(&in));
}

static void a_server_and_its_export_are_both_named(void **state)
{
	struct storage_row row = of_type(STORAGE_NFS);
	strcpy(row.source, "[fe80::1%eth0]:/vm");
	assert_true(storage_row_legal(&row));
	strcpy(row.source, "[\033:/vm");
	assert_false(storage_row_legal(&row));
	strcpy(row.source, "/vm");
	assert_false(storage_row_legal(&row));
}

static void a_name_is_one_plain_word(void **state)
{
	char longest[NAME_MAX_SIZE + 2];
	memset(longest, 'a', sizeof longest);
	longest[NAME_MAX_SIZE + 1] = '\0';
	assert_false(storage_name_legal(longest));
	longest[NAME_MAX_SIZE] = '\0';
	assert_true(storage_name_legal(longest));
	assert_true(storage_name_legal("vg0.fast_+-"));
	assert_false(storage_name_legal("a/b"));
	assert_false(storage_name_legal(".a"));
	assert_false(storage_name_legal("-a"));
	assert_false(storage_name_legal("a b"));
	assert_false(storage_name_legal(""));
}

static void no_nodes_named_means_all(void **state)
{
	struct storage_row row = a_dir();
	assert_true(storage_on(&row, 5));
	row.node_count = 2;
	row.nodes[0] = 7;
	row.nodes[1] = 8;
	assert_true(storage_on(&row, 8));
	assert_false(storage_on(&row, 5));
	row.nodes[1] = 0;
	assert_false(storage_row_legal(&row));
}

static void only_a_shared_folder_is_marked(void **state)
{
	for (int t = STORAGE_DIR; t < STORAGE_TYPES; t++) {
		struct storage_row row = of_type((enum storage_type)t);
		assert_false(storage_marked(&row));
		row.shared = true;
		assert_int_equal(storage_marked(&row), t == STORAGE_DIR || t == STORAGE_NFS);
	}
}

static void an_id_belongs_to_one_operation(void **state)
{
	static struct operation_row one, two;
	struct storage_id a, b;
	char text[STORAGE_ID_TEXT];
	one = (struct operation_row){.id = {1, 2, 3}, .number = 4, .asked_wall = 5};
	two = one;
	storage_id_make(&one, &a);
	storage_id_make(&two, &b);
	assert_memory_equal(&a, &b, sizeof a);
	two.id.sequence++;
	storage_id_make(&two, &b);
	assert_memory_not_equal(&a, &b, sizeof a);
	storage_id_text(&(struct storage_id){{0x01, 0xaf}}, text);
	assert_string_equal(text, "01af0000000000000000000000000000");
}

static void volumes_lie_where_their_type_says(void **state)
{
	struct storage_row row = a_dir();
	char path[64], prefix[NAME_MAX_SIZE + 2], lock[STORAGE_LOCK_MAX];
	assert_true(storage_volume_path(&row, "web", path, sizeof path));
	assert_string_equal(path, "/srv/iso/web.raw");
	assert_false(storage_volume_path(&row, "web", path, 16));
	row = of_type(STORAGE_LVM_THIN);
	assert_true(storage_volume_path(&row, "web", path, sizeof path));
	assert_string_equal(path, "/dev/vg0/web");
	assert_int_equal(storage_volume_prefix("iso", prefix), 4);
	assert_string_equal(prefix, "iso/");
	storage_lock("iso", lock);
	assert_string_equal(lock, "storage iso");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_type_reads_back),
	    cmocka_unit_test(the_longest_row_fits_and_every_cut_of_it_is_harmless),
	    cmocka_unit_test(a_row_with_texts_of_another_type_is_refused),
	    cmocka_unit_test(a_path_leads_straight_to_a_folder),
	    cmocka_unit_test(a_server_and_its_export_are_both_named),
	    cmocka_unit_test(a_name_is_one_plain_word),
	    cmocka_unit_test(no_nodes_named_means_all),
	    cmocka_unit_test(only_a_shared_folder_is_marked),
	    cmocka_unit_test(an_id_belongs_to_one_operation),
	    cmocka_unit_test(volumes_lie_where_their_type_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
