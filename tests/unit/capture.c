#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes capture_maybe(const char *folder, const char *name)
{
	char path[4096];
	static const size_t room = 1 << 20;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *in = fopen(path, "rb");
	uint8_t *data = in == NULL ? NULL : malloc(room + 1);
	if (data == NULL)
		return (struct bytes){NULL, 0};
	size_t size = fread(data, 1, room, in);
	fclose(in);
	data[size] = '\0';
	return (struct bytes){data, size};
}

struct bytes capture_read(const char *folder, const char *name)
{
	struct bytes bytes = capture_maybe(folder, name);
	if (bytes.data == NULL) {
		fprintf(stderr, "cannot read '%s/%s'\n", folder, name);
		exit(1);
	}
	return bytes;
}

static void each_line(const char *folder, const char *name, struct drbd_seen *seen, bool kernel)
{
	struct bytes bytes = capture_read(folder, name);
	char *rest = (char *)(uintptr_t)bytes.data, *line;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (kernel)
			drbd_kernel_line(seen, line);
		else
			drbd_events_line(seen, line);
	}
	free((void *)(uintptr_t)bytes.data);
}

void capture_events(const char *folder, const char *name, struct drbd_seen *seen)
{
	each_line(folder, name, seen, false);
}

void capture_kernel(const char *folder, const char *name, struct drbd_seen *seen)
{
	each_line(folder, name, seen, true);
}
