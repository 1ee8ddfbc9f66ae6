/*
 * LVM's report and warnings: any bytes are refused with a sentence or understood within the limits.
 * What follows the first NUL is taken as the warnings.
 */
#include "fuzz.h"

#include "lvm.h"

#include <assert.h>
#include <string.h>

static struct lvm_seen seen;
static struct lvm_page page;

static void check_text(const char *text, size_t room)
{
	size_t size = strnlen(text, room);
	assert(size < room);
	for (size_t i = 0; i < size; i++)
		assert(text[i] > ' ' && text[i] < 127);
}

static void check_seen(void)
{
	assert(seen.group_count <= LVM_GROUPS_MAX && seen.device_count <= LVM_DEVICES_MAX);
	assert(seen.volume_count <= LVM_VOLUMES_MAX);
	for (uint32_t i = 0; i < seen.device_count; i++) {
		check_text(seen.devices[i].path, sizeof seen.devices[i].path);
		check_text(seen.devices[i].other, sizeof seen.devices[i].other);
		assert(seen.devices[i].group == LVM_NO_GROUP || seen.devices[i].group < seen.group_count);
	}
	for (uint32_t i = 0; i < seen.volume_count; i++) {
		const struct lvm_volume *v = &seen.volumes[i];
		check_text(v->name, sizeof v->name);
		check_text(v->uuid.text, sizeof v->uuid.text);
		assert(v->group == LVM_NO_GROUP || v->group < seen.group_count);
		assert(v->data_fill >= -1 && v->data_fill <= 10000);
	}
	lvm_page_take(&seen, 1, 0, &page);
	assert(page.volume_count + page.more >= seen.volume_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = {""};
	const uint8_t *end = size == 0 ? NULL : memchr(data, 0, size);
	size_t report = end == NULL ? size : (size_t)(end - data);
	struct bytes out = {data, report}, err = {data + report, size - report};
	if (size == 0)
		return 0;
	if (lvm_report_parse(out, err, &seen, &error) == 0)
		check_seen();
	else
		assert(error.text[0] != '\0');
	return 0;
}
