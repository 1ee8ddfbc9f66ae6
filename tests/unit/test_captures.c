/*
 * What our parsers understand of each file that real tools printed, word for word: the understanding
 * is committed beside the capture. usage: test_captures FOLDER [--rewrite]
 */
#include "capture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lvm_seen lvm;
static struct drbd_seen drbd;

/* ---- showing ---- */

static void show_lvm(FILE *out)
{
	for (uint32_t i = 0; i < lvm.group_count; i++) {
		const struct lvm_group *g = &lvm.groups[i];
		fprintf(out, "group %s %s size %llu free %llu extent %llu devices %u missing %u%s%s%s tags '%s'\n",
		        g->name, g->uuid.text, (unsigned long long)g->size, (unsigned long long)g->free,
		        (unsigned long long)g->extent, g->device_count, g->missing,
		        g->partial ? " partial" : "", g->exported ? " exported" : "",
		        g->read_only ? " read-only" : "", g->tags);
	}
	for (uint32_t i = 0; i < lvm.device_count; i++) {
		const struct lvm_device *d = &lvm.devices[i];
		fprintf(out, "device %s %s in %s size %llu free %llu%s%s%s\n", d->path, d->uuid.text,
		        d->group == LVM_NO_GROUP ? "-" : lvm.groups[d->group].name,
		        (unsigned long long)d->size, (unsigned long long)d->free,
		        d->missing ? " missing" : "", d->duplicate ? " duplicate of " : "", d->other);
	}
	for (uint32_t i = 0; i < lvm.volume_count; i++) {
		const struct lvm_volume *v = &lvm.volumes[i];
		fprintf(out, "volume %s/%s %s %s size %llu%s%s%s%s%s fill %d %d origin '%s' pool '%s' tags '%s'\n",
		        v->group == LVM_NO_GROUP ? "-" : lvm.groups[v->group].name, v->name, v->uuid.text,
		        lv_kind_name(v->kind), (unsigned long long)v->size, v->active ? " active" : "",
		        v->open ? " open" : "", v->read_only ? " read-only" : "", v->sick ? " sick" : "",
		        v->state_unknown ? " state-unknown" : "", v->data_fill, v->metadata_fill, v->origin,
		        v->pool, v->tags);
	}
	fprintf(out, "more %u\n", lvm.more);
}

static void show_peer(FILE *out, const struct drbd_peer *p)
{
	fprintf(out, "  peer %u '%s' at '%s' from '%s' connection %s role %s said %u options %llx\n", p->node_id,
	        p->name, p->address, p->local, p->connection, p->role, p->said,
	        (unsigned long long)p->options);
	for (uint32_t i = 0; i < p->volume_count; i++) {
		const struct drbd_peer_volume *v = &p->volumes[i];
		fprintf(out, "    volume %u replication %s disk %s out-of-sync %llu done %d%s\n", v->number,
		        v->replication, v->disk, (unsigned long long)v->out_of_sync, v->done,
		        v->suspended ? " suspended" : "");
	}
}

static void show_drbd(FILE *out)
{
	for (uint32_t i = 0; i < drbd.resource_count; i++) {
		const struct drbd_resource *r = &drbd.resources[i];
		fprintf(out, "resource %s role %s%s\n", r->name, r->role, r->suspended ? " suspended" : "");
		for (uint32_t k = 0; k < r->volume_count; k++) {
			const struct drbd_volume *v = &r->volumes[k];
			fprintf(out, "  volume %u minor %u disk %s size %llu%s backing '%s'\n", v->number,
			        v->minor, v->disk, (unsigned long long)v->size, v->open ? " open" : "",
			        v->backing);
		}
		for (uint32_t k = 0; k < r->peer_count; k++)
			show_peer(out, &r->peers[k]);
	}
}

/* ---- reading ---- */

static void read_lvm(const char *folder, const char *name, FILE *out)
{
	char warnings[256];
	struct error error;
	struct bytes json = capture_read(folder, name), none = {(const uint8_t *)"", 0};
	snprintf(warnings, sizeof warnings, "%.*s.err", (int)(strlen(name) - strlen(".json")), name);
	struct bytes err = capture_maybe(folder, warnings);
	if (lvm_report_parse(json, err.data == NULL ? none : err, &lvm, &error) < 0)
		fprintf(out, "refused: %s\n", error.text);
	else
		show_lvm(out);
	free((void *)(uintptr_t)json.data);
	free((void *)(uintptr_t)err.data);
}

static void read_proc(const char *folder, const char *name, FILE *out)
{
	char version[DRBD_WORD_MAX + 1];
	struct bytes text = capture_read(folder, name);
	if (!drbd_proc_parse((const char *)text.data, &drbd, version))
		fprintf(out, "refused\n");
	else
		fprintf(out, "version %s\n", version);
	show_drbd(out);
	free((void *)(uintptr_t)text.data);
}

/* A resource of the name that the capture speaks of, so that its words find somebody. */
static void stand_in(const char *name, uint32_t minor)
{
	char line[128];
	snprintf(line, sizeof line, "exists device name:%s volume:0 minor:%u", name, minor);
	drbd_events_line(&drbd, line);
	snprintf(line, sizeof line, "exists connection name:%s peer-node-id:0", name);
	drbd_events_line(&drbd, line);
}

static void read_show(const char *folder, const char *name, FILE *out)
{
	struct bytes text = capture_read(folder, name);
	stand_in("r0", 0);
	stand_in("web", 1000);
	drbd_events_line(&drbd, "exists device name:web volume:1 minor:1001");
	drbd_events_line(&drbd, "exists connection name:web peer-node-id:1");
	if (!drbd_show_parse((const char *)text.data, &drbd))
		fprintf(out, "nobody found\n");
	show_drbd(out);
	free((void *)(uintptr_t)text.data);
}

static void read_generation(const char *folder, const char *name, FILE *out)
{
	struct drbd_generation g = {.known = false};
	struct bytes text = capture_read(folder, name);
	drbd_generation_parse((const char *)text.data, &g);
	fprintf(out, "known %d %016llx %016llx %016llx %016llx\n", g.known, (unsigned long long)g.current,
	        (unsigned long long)g.bitmap, (unsigned long long)g.older[0],
	        (unsigned long long)g.older[1]);
	free((void *)(uintptr_t)text.data);
}

static bool read_file(const char *folder, const char *name, FILE *out)
{
	size_t size = strlen(name);
	memset(&drbd, 0, sizeof drbd);
	if (size > 5 && strcmp(name + size - 5, ".json") == 0) {
		read_lvm(folder, name, out);
	} else if (strncmp(name, "events-", 7) == 0 || strncmp(name, "hand-nine", 9) == 0) {
		capture_events(folder, name, &drbd);
		show_drbd(out);
	} else if (strncmp(name, "kernel-", 7) == 0) {
		stand_in("r0", 0);
		capture_kernel(folder, name, &drbd);
		show_drbd(out);
	} else if (strncmp(name, "proc-", 5) == 0) {
		read_proc(folder, name, out);
	} else if (strncmp(name, "hand-show", 9) == 0) {
		read_show(folder, name, out);
	} else if (strncmp(name, "hand-gi", 7) == 0) {
		read_generation(folder, name, out);
	} else {
		return false;
	}
	return true;
}

/* ---- all files ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* All that is understood of a folder, in one text. */
static int read_folder(const char *folder, FILE *out)
{
	struct dirent **list;
	int count = scandir(folder, &list, NULL, by_name), read = 0;
	for (int i = 0; i < count; i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *one = open_memstream(&text, &size);
		bool known = read_file(folder, list[i]->d_name, one);
		fclose(one);
		if (known)
			fprintf(out, "== %s\n%s", list[i]->d_name, text);
		read += known;
		free(text);
		free(list[i]);
	}
	free(list);
	return read;
}

static bool same(const char *root, const char *name, const char *text, size_t size, bool rewrite)
{
	char path[4096];
	snprintf(path, sizeof path, "%s.understood", name);
	if (rewrite) {
		char whole[4096 + 64];
		snprintf(whole, sizeof whole, "%s/%s", root, path);
		FILE *file = fopen(whole, "wb");
		bool written = file != NULL && fwrite(text, 1, size, file) == size;
		return file != NULL && fclose(file) == 0 && written;
	}
	struct bytes want = capture_read(root, path);
	size_t at = 0, line = 1;
	while (at < size && at < want.size && (uint8_t)text[at] == want.data[at])
		line += text[at++] == '\n';
	bool equal = at == size && at == want.size;
	if (!equal)
		fprintf(stderr, "%s: line %zu is understood differently now: '%.200s'\n", path, line,
		        text + (at > 60 ? at - 60 : 0));
	free((void *)(uintptr_t)want.data);
	return equal;
}

int main(int argc, char **argv)
{
	static const char *const folders[] = {"lvm", "drbd"};
	bool rewrite = argc == 3 && strcmp(argv[2], "--rewrite") == 0, good = true;
	if (argc < 2)
		return 2;
	for (size_t i = 0; i < 2; i++) {
		char folder[4096], *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);
		snprintf(folder, sizeof folder, "%s/%s", argv[1], folders[i]);
		int read = read_folder(folder, out);
		fclose(out);
		good &= read >= 10 && same(argv[1], folders[i], text, size, rewrite);
		printf("%s: %d files read\n", folders[i], read);
		free(text);
	}
	return good ? 0 : 1;
}
