/*
 * What essaim-files and zpool say of a folder or a pool: any bytes are refused or understood within the limits,
 * and can be told to the others; and what it then means for the storage.
 */
#include "fuzz.h"

#include "dir_probe.h"
#include "storage_seen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(16) uint8_t memory[INVENTORY_SCRATCH], scratch_memory[INVENTORY_SCRATCH];
static uint8_t packed[FACT_VALUE_MAX];

/* It comes back from the fact as it was. */
static void tell(const struct dir_seen *seen)
{
	static struct dirs_seen told, back;
	struct arena arena = {memory, sizeof memory, 0}, scratch = {scratch_memory, sizeof scratch_memory, 0};
	told.count = 1;
	told.list[0] = *seen;
	size_t size = dirs_encode(&told, &scratch, packed, sizeof packed);
	assert(size > 0 && dirs_decode((struct bytes){packed, size}, &arena, &back));
	assert(strcmp(back.list[0].source, seen->source) == 0 && strcmp(back.list[0].marker, seen->marker) == 0);
	assert(back.list[0].size == seen->size && back.list[0].free == seen->free);
}

static void try(const struct storage_row *row, const char *text)
{
	struct dir_seen seen;
	struct storage_evidence evidence = {.dir = &seen};
	struct storage_seen meant;
	dir_probe_begin(row, &seen);
	if (!dir_probe_parse(text, &seen))
		return;
	assert(seen.state == INVENTORY_SEEN);
	tell(&seen);
	storage_see(row, &evidence, NULL, &meant);
	assert(meant.state < STORAGE_STATES && strnlen(meant.why, sizeof meant.why) < sizeof meant.why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct storage_row folder = {.name = "a", .type = STORAGE_DIR, .shared = true, .path = "/srv"},
		nfs = {.name = "b", .type = STORAGE_NFS, .shared = true, .path = "/srv", .source = "nas:/x"},
		pool = {.name = "c", .type = STORAGE_ZFS, .pool = "tank/vm"};
	char *text = malloc(size + 1);
	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	try(&folder, text);
	try(&nfs, text);
	try(&pool, text);
	free(text);
	return 0;
}
