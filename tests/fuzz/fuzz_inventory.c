/*
 * Pages of an inventory: any bytes are refused, or say what encodes and reads back to the same.
 */
#include "fuzz.h"

#include "inventory.h"

#include <assert.h>
#include <string.h>

static uint8_t packed[FACT_VALUE_MAX];
static _Alignas(16) uint8_t memory[INVENTORY_SCRATCH], scratch_memory[INVENTORY_SCRATCH];

/* Same bytes again: the structs themselves have padding. */
#define TRY(type, encode, decode)                                                                  \
	static void try_##type(struct bytes in)                                                    \
	{                                                                                          \
		static struct type one, two;                                                       \
		static uint8_t again[FACT_VALUE_MAX];                                              \
		struct arena arena = {memory, sizeof memory, 0};                                   \
		struct arena scratch = {scratch_memory, sizeof scratch_memory, 0};                 \
		if (!decode(in, &arena, &one))                                                     \
			return;                                                                    \
		size_t size = encode(&one, &scratch, packed, sizeof packed);                       \
		bool back = decode((struct bytes){packed, size}, &arena, &two);                    \
		assert(back);                                                                      \
		size_t more = encode(&two, &scratch, again, sizeof again);                         \
		assert(more == size && memcmp(packed, again, size) == 0);                          \
	}

TRY(lvm_head, lvm_head_encode, lvm_head_decode)
TRY(lvm_page, lvm_page_encode, lvm_page_decode)
TRY(drbd_head, drbd_head_encode, drbd_head_decode)
TRY(drbd_page, drbd_page_encode, drbd_page_decode)
TRY(dirs_seen, dirs_encode, dirs_decode)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	if (size > FACT_VALUE_MAX)
		return 0;
	try_lvm_head(in);
	try_lvm_page(in);
	try_drbd_head(in);
	try_drbd_page(in);
	try_dirs_seen(in);
	return 0;
}
