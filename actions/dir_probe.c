#include "dir_probe.h"

#include <stdio.h>
#include <string.h>

#include "programs.h"

static size_t pool_size(const struct storage_row *row)
{
	return strcspn(row->pool, "/");
}

bool dir_probe_call(const struct storage_row *row, struct command_line *out)
{
	memset(out, 0, sizeof *out);
	if (storage_has_path(row->type)) {
		out->program = PROGRAM_FILE;
		command_word(out, "probe");
		command_word(out, "%s", row->path);
		return !out->overflow;
	}
	if (row->type != STORAGE_ZFS)
		return false;
	out->program = PROGRAM_ZPOOL;
	command_word(out, "list");
	command_word(out, "-H");
	command_word(out, "-p");
	command_word(out, "-o");
	command_word(out, "name,size,free,health,guid");
	command_word(out, "%.*s", (int)pool_size(row), row->pool);
	return !out->overflow;
}

void dir_probe_begin(const struct storage_row *row, struct dir_seen *out)
{
	*out = (struct dir_seen){.kind = row->type == STORAGE_ZFS ? DIR_ZFS : row->type == STORAGE_NFS ? DIR_NFS : DIR_FOLDER,
	                         .state = INVENTORY_UNKNOWN};
	memcpy(out->storage, row->name, sizeof out->storage);
	if (row->type == STORAGE_ZFS)
		memcpy(out->path, row->pool, pool_size(row));
	else
		memcpy(out->path, row->path, sizeof out->path);
}

/* ---- one value ---- */

static void take_text(const char *in, size_t size, char *out, size_t room)
{
	size_t at = 0;
	for (; at < size && at < room - 1; at++)
		out[at] = in[at] > ' ' && in[at] < 127 ? in[at] : '?';
	memset(out + at, 0, room - at);
}

static uint64_t number(const char *in, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size && in[i] >= '0' && in[i] <= '9'; i++)
		value = value > (UINT64_MAX - 9) / 10 ? UINT64_MAX / 10 : value * 10 + (uint64_t)(in[i] - '0');
	return value;
}

static bool is(const char *in, size_t size, const char *word)
{
	return strlen(word) == size && memcmp(in, word, size) == 0;
}

static void round_free(struct dir_seen *d)
{
	uint64_t step = d->size / 100;
	if (step > 0)
		d->free -= d->free % step;
}

/* ---- a folder: lines "KEY VALUE" ---- */

static bool take_line(const char *line, size_t size, struct dir_seen *d)
{
	const char *blank = memchr(line, ' ', size);
	if (blank == NULL)
		return false;
	size_t key = (size_t)(blank - line), length = size - key - 1;
	const char *value = blank + 1;
	if (is(line, key, "mounted"))
		d->mounted = is(value, length, "yes");
	else if (is(line, key, "writable"))
		d->writable = is(value, length, "yes");
	else if (is(line, key, "source"))
		take_text(value, length, d->source, sizeof d->source);
	else if (is(line, key, "size"))
		d->size = number(value, length);
	else if (is(line, key, "free"))
		d->free = number(value, length);
	else if (is(line, key, "marker"))
		take_text(value, length, d->marker, sizeof d->marker);
	else
		return false;
	return true;
}

static bool parse_folder(const char *text, struct dir_seen *d)
{
	bool any = false;
	while (*text != '\0') {
		size_t size = strcspn(text, "\n");
		any |= take_line(text, size, d);
		text += size + (text[size] == '\n');
	}
	return any;
}

/* ---- a pool: one line, name size free health guid, with tabs between ---- */

static bool parse_pool(const char *text, struct dir_seen *d)
{
	const char *fields[5];
	size_t sizes[5];
	for (int i = 0; i < 5; i++) {
		fields[i] = text;
		sizes[i] = strcspn(text, "\t\n");
		text += sizes[i];
		if (*text != (i < 4 ? '\t' : '\n') || sizes[i] == 0)
			return false;
		text++;
	}
	if (!is(fields[0], sizes[0], d->path))
		return false;
	d->size = number(fields[1], sizes[1]);
	d->free = number(fields[2], sizes[2]);
	take_text(fields[3], sizes[3], d->health, sizeof d->health);
	take_text(fields[4], sizes[4], d->marker, sizeof d->marker);
	d->mounted = d->writable = is(fields[3], sizes[3], "ONLINE") || is(fields[3], sizes[3], "DEGRADED");
	return true;
}

bool dir_probe_parse(const char *text, struct dir_seen *d)
{
	if (!(d->kind == DIR_ZFS ? parse_pool(text, d) : parse_folder(text, d)))
		return false;
	d->state = INVENTORY_SEEN;
	d->since_wall = 0;
	round_free(d);
	return true;
}
