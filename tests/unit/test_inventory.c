/*
 * Pages of an inventory: what was encoded is read back, a change changes one page, and a thousand
 * volumes fit.
 */
#include "inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t value[FACT_VALUE_MAX], other[FACT_VALUE_MAX];
static _Alignas(16) uint8_t memory[INVENTORY_SCRATCH];
static struct arena arena = {memory, sizeof memory, 0};
static struct lvm_seen lvm;
static struct lvm_page page, page_back;
static struct lvm_head head, head_back;
static struct drbd_seen drbd;
static struct drbd_page resources, resources_back;

static void fill(char *out, size_t size, char letter)
{
	memset(out, letter, size);
	out[size] = '\0';
}

static void add_volume(uint32_t number, size_t name_size)
{
	struct lvm_volume *v = &lvm.volumes[lvm.volume_count++];
	memset(v, 0, sizeof *v);
	fill(v->name, name_size, 'n');
	v->name[snprintf(v->name, sizeof v->name, "vm-%u-disk", number)] = name_size > 20 ? 'n' : '\0';
	snprintf(v->uuid.text, sizeof v->uuid.text, "%08xQwErTyUiOpAsDfGhJkLzXcVb", number * 2654435761u);
	v->group = number % 2;
	v->kind = LV_THIN;
	v->size = (uint64_t)number << 22;
	v->active = number % 3 == 0;
	v->data_fill = 1234;
	v->metadata_fill = -1;
	strcpy(v->pool, "pool");
}

static void volumes(uint32_t count)
{
	memset(&lvm, 0, sizeof lvm);
	lvm.group_count = 2;
	strcpy(lvm.groups[0].name, "vg0");
	strcpy(lvm.groups[0].uuid.text, "AAAA");
	strcpy(lvm.groups[1].name, "vg1");
	for (uint32_t i = 0; i < count; i++)
		add_volume(i, 10);
}

static void a_thousand_volumes_fit_their_pages_and_read_back(void **state)
{
	uint32_t pages = lvm_pages_for(1000, 0), total = 0;
	volumes(1000);
	assert_int_equal(pages, LVM_PAGES_MAX);
	for (uint32_t i = 0; i < pages; i++) {
		lvm_page_take(&lvm, pages, i, &page);
		size_t size = lvm_page_encode(&page, &arena, value, sizeof value);
		assert_true(size > 0 && size <= 16 * 1024);
		memset(&page_back, 0, sizeof page_back);
		assert_true(lvm_page_decode((struct bytes){value, size}, &arena, &page_back));
		assert_memory_equal(&page, &page_back, sizeof page);
		assert_int_equal(page.more, 0);
		total += page.volume_count;
	}
	assert_int_equal(total, 1000);
}

static void a_change_of_one_volume_changes_one_page(void **state)
{
	uint32_t pages = lvm_pages_for(1000, 0), changed = 0;
	volumes(1000);
	for (uint32_t i = 0; i < pages; i++) {
		lvm.volumes[500].size = 1 << 22;
		lvm_page_take(&lvm, pages, i, &page);
		size_t before = lvm_page_encode(&page, &arena, value, sizeof value);
		lvm.volumes[500].size = 1 << 30;
		lvm_page_take(&lvm, pages, i, &page);
		size_t after = lvm_page_encode(&page, &arena, other, sizeof other);
		changed += before != after || memcmp(value, other, after) != 0;
	}
	assert_int_equal(changed, 1);
}

static void pages_do_not_come_and_go_with_single_volumes(void **state)
{
	uint32_t pages = 0, moves = 0, last = 0;
	for (int i = 0; i < 200; i++) {
		pages = lvm_pages_for(i % 2 == 0 ? 128 : 129, pages);
		moves += pages != last;
		last = pages;
	}
	assert_int_equal(moves, 2); /* to one, and to two for good */
	assert_int_equal(lvm_pages_for(0, 0), 1);
	assert_int_equal(lvm_pages_for(10, 8), 1);
	assert_int_equal(lvm_pages_for(100000, 0), LVM_PAGES_MAX);
	assert_int_equal(drbd_pages_for(100000, 0), DRBD_PAGES_MAX);
}

static void what_does_not_fit_a_page_is_counted(void **state)
{
	memset(&lvm, 0, sizeof lvm);
	for (uint32_t i = 0; i < LVM_PAGE_VOLUMES_MAX + 7; i++) {
		add_volume(i, VOLUME_NAME_MAX);
		lvm.volumes[i].group = LVM_NO_GROUP;
		fill(lvm.volumes[i].tags, LVM_TAGS_MAX, 't');
	}
	lvm_page_take(&lvm, 1, 0, &page);
	assert_int_equal(page.more, 7);
	size_t size = lvm_page_encode(&page, &arena, value, sizeof value);
	assert_true(size > 0);
	assert_true(lvm_page_decode((struct bytes){value, size}, &arena, &page_back));
	assert_true(page_back.volume_count > 100);
	assert_int_equal(page_back.volume_count + page_back.more, LVM_PAGE_VOLUMES_MAX + 7);
}

static void a_full_head_fits_and_reads_back(void **state)
{
	memset(&head, 0, sizeof head);
	head.state = INVENTORY_STUCK;
	head.since_wall = 17 * SECOND;
	head.page_count = 8;
	head.volume_count = 1000;
	head.group_count = LVM_GROUPS_MAX;
	head.device_count = LVM_DEVICES_MAX;
	for (uint32_t i = 0; i < LVM_GROUPS_MAX; i++) {
		fill(head.groups[i].name, VOLUME_NAME_MAX, 'g');
		fill(head.groups[i].uuid.text, LVM_UUID_SIZE, 'u');
		head.groups[i].size = UINT64_MAX;
		head.groups[i].partial = i % 2 == 0;
	}
	for (uint32_t i = 0; i < LVM_DEVICES_MAX; i++) {
		fill(head.devices[i].path, DEVICE_PATH_MAX, 'd');
		head.devices[i].group = i % 3 == 0 ? LVM_NO_GROUP : i % LVM_GROUPS_MAX;
		head.devices[i].duplicate = true;
		fill(head.devices[i].other, DEVICE_PATH_MAX, 'o');
	}
	size_t size = lvm_head_encode(&head, &arena, value, sizeof value);
	assert_true(size > 0);
	memset(&head_back, 0xff, sizeof head_back);
	assert_true(lvm_head_decode((struct bytes){value, size}, &arena, &head_back));
	assert_memory_equal(&head, &head_back, sizeof head);
}

static void a_resource(struct drbd_resource *r, uint32_t number)
{
	memset(r, 0, sizeof *r);
	snprintf(r->name, sizeof r->name, "r%u", number);
	strcpy(r->role, "Primary");
	r->volume_count = DRBD_VOLUMES_MAX;
	r->peer_count = DRBD_PEERS_MAX;
	for (uint32_t i = 0; i < DRBD_VOLUMES_MAX; i++) {
		r->volumes[i].number = i;
		strcpy(r->volumes[i].disk, "UpToDate");
		fill(r->volumes[i].backing, DEVICE_PATH_MAX, 'b');
		r->volumes[i].generation = (struct drbd_generation){true, UINT64_MAX, 1, {2, 3}};
	}
	for (uint32_t i = 0; i < DRBD_PEERS_MAX; i++) {
		r->peers[i].node_id = i;
		r->peers[i].said = DRBD_SAID_SPLIT_BRAIN;
		r->peers[i].options = 77;
		strcpy(r->peers[i].connection, "StandAlone");
		r->peers[i].volume_count = DRBD_VOLUMES_MAX;
		for (uint32_t k = 0; k < DRBD_VOLUMES_MAX; k++)
			r->peers[i].volumes[k].done = k % 2 == 0 ? -1 : 10000;
	}
}

static void resources_read_back_in_order_of_their_names(void **state)
{
	struct drbd_head in = {.state = INVENTORY_SEEN, .version = "8.4.11", .page_count = 2}, out;
	memset(&drbd, 0, sizeof drbd);
	for (uint32_t i = 0; i < 60; i++)
		a_resource(&drbd.resources[drbd.resource_count++], (i * 7) % 60);
	for (uint32_t p = 0; p < 2; p++) {
		drbd_page_take(&drbd, 2, p, &resources);
		size_t size = drbd_page_encode(&resources, &arena, value, sizeof value);
		assert_true(size > 0);
		memset(&resources_back, 0, sizeof resources_back);
		assert_true(drbd_page_decode((struct bytes){value, size}, &arena, &resources_back));
		for (uint32_t i = 0; i < resources_back.resource_count; i++) {
			assert_memory_equal(&resources.resources[i], &resources_back.resources[i],
			                    sizeof resources.resources[i]);
			assert_true(i == 0 || strcmp(resources.resources[i - 1].name,
			                             resources.resources[i].name) < 0);
		}
	}
	size_t size = drbd_head_encode(&in, &arena, value, sizeof value);
	assert_true(drbd_head_decode((struct bytes){value, size}, &arena, &out));
	assert_string_equal(out.version, "8.4.11");
	assert_int_equal(out.page_count, 2);
}

static void the_fullest_page_of_resources_is_cut_and_counted(void **state)
{
	memset(&drbd, 0, sizeof drbd);
	for (uint32_t i = 0; i < DRBD_RESOURCES_MAX; i++)
		a_resource(&drbd.resources[drbd.resource_count++], i);
	drbd_page_take(&drbd, 1, 0, &resources);
	size_t size = drbd_page_encode(&resources, &arena, value, sizeof value);
	assert_true(size > 0);
	assert_true(drbd_page_decode((struct bytes){value, size}, &arena, &resources_back));
	assert_int_equal(resources_back.resource_count + resources_back.more, DRBD_RESOURCES_MAX);
}

static void folders_read_back(void **state)
{
	static struct dirs_seen in, out;
	memset(&in, 0, sizeof in);
	in.count = DIRS_MAX;
	for (uint32_t i = 0; i < DIRS_MAX; i++) {
		struct dir_seen *d = &in.list[i];
		d->kind = DIR_NFS;
		fill(d->path, DEVICE_PATH_MAX, 'p');
		strcpy(d->source, "server:/export");
		strcpy(d->storage, "iso");
		d->state = INVENTORY_STUCK;
		d->mounted = true;
		d->size = UINT64_MAX;
		fill(d->marker, MARKER_ID_MAX, 'm');
	}
	size_t size = dirs_encode(&in, &arena, value, sizeof value);
	assert_true(size > 0);
	assert_true(dirs_decode((struct bytes){value, size}, &arena, &out));
	assert_memory_equal(&in, &out, sizeof in);
}

static void what_would_spoil_a_terminal_is_refused(void **state)
{
	volumes(1);
	lvm_page_take(&lvm, 1, 0, &page);
	strcpy(page.volumes[0].name, "a\033[2J");
	size_t size = lvm_page_encode(&page, &arena, value, sizeof value);
	assert_false(lvm_page_decode((struct bytes){value, size}, &arena, &page_back));
}

static void a_volume_of_no_group_on_the_page_is_refused(void **state)
{
	volumes(1);
	lvm_page_take(&lvm, 1, 0, &page);
	page.volumes[0].group = 1; /* there is only 0 */
	size_t size = lvm_page_encode(&page, &arena, value, sizeof value);
	assert_false(lvm_page_decode((struct bytes){value, size}, &arena, &page_back));
}

static void every_cut_of_a_page_is_refused_or_read_without_harm(void **state)
{
	volumes(20);
	lvm_page_take(&lvm, 1, 0, &page);
	size_t size = lvm_page_encode(&page, &arena, value, sizeof value);
	for (size_t i = 0; i < size; i++)
		(void)lvm_page_decode((struct bytes){value, i}, &arena, &page_back);
}

static void keys_of_pages_are_known_again(void **state)
{
	char key[FACT_KEY_MAX + 1];
	uint32_t at = 99;
	page_key(FACT_KEY_LVM, 7, key);
	assert_string_equal(key, "lvm/7");
	assert_true(page_key_parse((struct bytes){(const uint8_t *)key, 5}, FACT_KEY_LVM, &at));
	assert_int_equal(at, 7);
	assert_false(page_key_parse((struct bytes){(const uint8_t *)key, 5}, FACT_KEY_DRBD, &at));
	assert_false(page_key_parse((struct bytes){(const uint8_t *)"lvm", 3}, FACT_KEY_LVM, &at));
	assert_false(page_key_parse((struct bytes){(const uint8_t *)"lvm/x", 5}, FACT_KEY_LVM, &at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousand_volumes_fit_their_pages_and_read_back),
		cmocka_unit_test(a_change_of_one_volume_changes_one_page),
		cmocka_unit_test(pages_do_not_come_and_go_with_single_volumes),
		cmocka_unit_test(what_does_not_fit_a_page_is_counted),
		cmocka_unit_test(a_full_head_fits_and_reads_back),
		cmocka_unit_test(resources_read_back_in_order_of_their_names),
		cmocka_unit_test(the_fullest_page_of_resources_is_cut_and_counted),
		cmocka_unit_test(folders_read_back),
		cmocka_unit_test(what_would_spoil_a_terminal_is_refused),
		cmocka_unit_test(a_volume_of_no_group_on_the_page_is_refused),
		cmocka_unit_test(every_cut_of_a_page_is_refused_or_read_without_harm),
		cmocka_unit_test(keys_of_pages_are_known_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
