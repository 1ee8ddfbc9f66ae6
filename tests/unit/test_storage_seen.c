/* What a node's own words make of a declared storage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage_seen.h"

static struct lvm_head lvm;
static struct drbd_resource resource;
static struct lvm_volume pool;
static struct storage_row row;
static struct storage_evidence evidence;
static struct storage_seen seen;

/* A node with a group "vg0" of one device, of which half is free. */
static int begin(void **state)
{
	memset(&lvm, 0, sizeof lvm);
	memset(&resource, 0, sizeof resource);
	memset(&pool, 0, sizeof pool);
	lvm.state = INVENTORY_SEEN;
	lvm.group_count = lvm.device_count = 1;
	strcpy(lvm.groups[0].name, "vg0");
	strcpy(lvm.groups[0].uuid.text, "uuid-a");
	lvm.groups[0].size = 100;
	lvm.groups[0].free = 50;
	strcpy(lvm.devices[0].path, "/dev/drbd7");
	strcpy(resource.role, "Primary");
	resource.volume_count = 1;
	resource.volumes[0].minor = 7;
	row = (struct storage_row){.name = "s", .type = STORAGE_LVM, .group = "vg0"};
	evidence = (struct storage_evidence){.lvm = &lvm};
	return 0;
}

static enum storage_state see(const char *reference)
{
	struct lvm_uuid uuid = {""};
	if (reference != NULL)
		strcpy(uuid.text, reference);
	storage_see(&row, &evidence, reference == NULL ? NULL : &uuid, &seen);
	assert_int_equal(seen.why[0] == '\0', seen.state == STORAGE_FINE);
	return seen.state;
}

static void a_group_that_is_there_is_fine(void **state)
{
	assert_int_equal(see(NULL), STORAGE_FINE);
	assert_int_equal(seen.size, 100);
	assert_int_equal(seen.free, 50);
	assert_string_equal(seen.uuid.text, "uuid-a");
	assert_string_equal(storage_uuid(&row, &lvm)->text, "uuid-a");
}

static void what_was_not_looked_at_is_not_missing(void **state)
{
	strcpy(row.group, "vg1");
	assert_int_equal(see(NULL), STORAGE_MISSING);
	assert_string_equal(seen.why, "there is no volume group 'vg1'");
	lvm.state = INVENTORY_STUCK;
	assert_int_equal(see(NULL), STORAGE_UNSEEN);
	lvm.state = INVENTORY_UNKNOWN;
	assert_int_equal(see(NULL), STORAGE_UNSEEN);
	lvm.state = INVENTORY_BLIND;
	assert_int_equal(see(NULL), STORAGE_UNSEEN);
	assert_string_equal(seen.why, "nobody looks there: its daemon has no hand");
	lvm.state = INVENTORY_NONE; /* there is no LVM at all */
	assert_int_equal(see(NULL), STORAGE_MISSING);
	evidence.lvm = NULL;
	assert_int_equal(see(NULL), STORAGE_UNSEEN);
	row = (struct storage_row){.type = STORAGE_DIR, .path = "/srv"};
	assert_int_equal(see(NULL), STORAGE_UNSEEN);
	assert_null(storage_uuid(&row, &lvm));
}

static struct dir_seen folder;

/* /srv, mounted and marked with the row's id. */
static void begin_folder(enum storage_type type, bool shared)
{
	row = (struct storage_row){.id = {{1}}, .type = type, .shared = shared, .path = "/srv", .source = "nas:/x"};
	folder = (struct dir_seen){.path = "/srv", .state = INVENTORY_SEEN, .mounted = true, .writable = true,
		.source = "nas:/x", .size = 1000, .free = 400};
	storage_id_text(&row.id, folder.marker);
	evidence = (struct storage_evidence){.dir = &folder};
}

static void a_shared_folder_is_what_its_marker_says(void **state)
{
	begin_folder(STORAGE_DIR, true);
	assert_int_equal(see(NULL), STORAGE_FINE);
	assert_int_equal(seen.size, 1000);
	assert_int_equal(seen.free, 400);
	folder.mounted = false; /* the marker is there: it lies on the system's disk by intention */
	assert_int_equal(see(NULL), STORAGE_FINE);
	folder.marker[0] = '\0';
	assert_int_equal(see(NULL), STORAGE_UNMOUNTED);
	folder.mounted = true;
	assert_int_equal(see(NULL), STORAGE_OTHER);
	strcpy(folder.marker, "ffff");
	assert_int_equal(see(NULL), STORAGE_OTHER);
	row.shared = false;
	folder.mounted = false;
	assert_int_equal(see(NULL), STORAGE_FINE);
	folder.writable = false;
	storage_see(&row, &evidence, NULL, &seen);
	assert_int_equal(seen.state, STORAGE_FINE);
	assert_string_equal(seen.why, "it cannot be written to");
}

static void an_nfs_folder_is_mounted_from_where_it_was_declared(void **state)
{
	begin_folder(STORAGE_NFS, true);
	assert_int_equal(see(NULL), STORAGE_FINE);
	strcpy(folder.source, "nas:/y");
	assert_int_equal(see(NULL), STORAGE_OTHER);
	folder.mounted = false;
	assert_int_equal(see(NULL), STORAGE_UNMOUNTED);
}

static void a_folder_that_hangs_or_was_not_looked_at_is_not_missing(void **state)
{
	static const enum storage_state meant[INVENTORY_STATES] = {
		[INVENTORY_NONE] = STORAGE_MISSING, [INVENTORY_SEEN] = STORAGE_FINE, [INVENTORY_UNKNOWN] = STORAGE_UNSEEN,
		[INVENTORY_STUCK] = STORAGE_STALE, [INVENTORY_BLIND] = STORAGE_UNSEEN};
	begin_folder(STORAGE_DIR, true);
	for (int s = 0; s < INVENTORY_STATES; s++) {
		folder.state = (enum inventory_state)s;
		assert_int_equal(see(NULL), meant[s]);
	}
	evidence.dir = NULL;
	assert_int_equal(see(NULL), STORAGE_UNSEEN);
}

static void a_pool_that_cannot_be_used_is_missing(void **state)
{
	begin_folder(STORAGE_ZFS, false);
	strcpy(row.pool, "tank/vm");
	strcpy(folder.path, "tank");
	strcpy(folder.health, "ONLINE");
	assert_int_equal(see(NULL), STORAGE_FINE);
	strcpy(folder.health, "UNAVAIL");
	folder.mounted = false;
	assert_int_equal(see(NULL), STORAGE_MISSING);
	assert_string_equal(seen.why, "the ZFS pool 'tank' is UNAVAIL");
}

static void another_uuid_matters_only_where_it_is_shared(void **state)
{
	assert_int_equal(see("uuid-b"), STORAGE_FINE);
	row.shared = true;
	assert_int_equal(see("uuid-b"), STORAGE_OTHER);
	assert_int_equal(see("uuid-a"), STORAGE_FINE);
	assert_int_equal(see(NULL), STORAGE_FINE);
}

static void a_thin_pool_must_be_there_and_tells_its_own_room(void **state)
{
	row.type = STORAGE_LVM_THIN;
	strcpy(row.pool, "thin");
	assert_int_equal(see(NULL), STORAGE_UNSEEN);
	evidence.pools_known = true;
	assert_int_equal(see(NULL), STORAGE_MISSING);
	assert_string_equal(seen.why, "'vg0' has no thin pool 'thin'");
	evidence.pool = &pool;
	assert_int_equal(see(NULL), STORAGE_MISSING); /* a plain volume of that name */
	pool = (struct lvm_volume){.kind = LV_POOL, .size = 1000000, .data_fill = 2500};
	assert_int_equal(see(NULL), STORAGE_FINE);
	assert_int_equal(seen.size, 1000000);
	assert_int_equal(seen.free, 750000);
}

static void a_group_on_drbd_is_judged_by_its_resource_first(void **state)
{
	row.type = STORAGE_DRBD_LVM;
	row.shared = true;
	strcpy(row.source, "r0");
	assert_int_equal(see(NULL), STORAGE_UNSEEN);
	evidence.drbd_known = true;
	assert_int_equal(see(NULL), STORAGE_MISSING);
	evidence.resource = &resource;
	assert_int_equal(see(NULL), STORAGE_FINE);
	resource.volumes[0].minor = 8; /* the group lies beside the resource */
	assert_int_equal(see(NULL), STORAGE_OTHER);
	strcpy(resource.role, "Secondary");
	assert_int_equal(see(NULL), STORAGE_STANDBY);
	assert_string_equal(seen.why, "'r0' is Secondary here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_group_that_is_there_is_fine, begin),
	    cmocka_unit_test_setup(what_was_not_looked_at_is_not_missing, begin),
	    cmocka_unit_test_setup(another_uuid_matters_only_where_it_is_shared, begin),
	    cmocka_unit_test_setup(a_thin_pool_must_be_there_and_tells_its_own_room, begin),
	    cmocka_unit_test_setup(a_group_on_drbd_is_judged_by_its_resource_first, begin),
		cmocka_unit_test_setup(a_shared_folder_is_what_its_marker_says, begin),
		cmocka_unit_test_setup(an_nfs_folder_is_mounted_from_where_it_was_declared, begin),
		cmocka_unit_test_setup(a_folder_that_hangs_or_was_not_looked_at_is_not_missing, begin),
		cmocka_unit_test_setup(a_pool_that_cannot_be_used_is_missing, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
