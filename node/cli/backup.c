#include "backup.h"
#include "backup_lines.h"
#include "client.h"
#include "human.h"
#include "json.h"
#include "prepare.h"
#include "request.h"
#include "seal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int file_failed(struct failure *f, const char *verb, const char *path, int error)
{
	char what[256];
	snprintf(what, sizeof what, "cannot %s '%.200s'", verb, path);
	return failure_set(f, CODE_FAILED, what, strerror(error));
}

/* ---- backup ---- */

struct writing {
	FILE *out;
	char path[PATH_MAX]; /* FILE with a suffix, until it is whole */
	struct backup_sum sum;
	int error;
};

static int write_line(struct writing *w, const char *line)
{
	if (fputs(line, w->out) < 0 || putc('\n', w->out) == EOF)
		return errno;
	return 0;
}

/* {"row": …}: the first is the head. */
static bool take_line(void *context, const json_t *event)
{
	struct writing *w = context;
	char *line = backup_line(json_member(event, "row"));
	if (line == NULL) {
		w->error = EPROTO;
		return false;
	}
	backup_sum_add(&w->sum, line, strlen(line));
	w->error = write_line(w, line);
	free(line);
	return w->error == 0;
}

static int open_beside(struct writing *w, const char *file)
{
	if (snprintf(w->path, sizeof w->path, "%s.XXXXXX", file) >= (int)sizeof w->path)
		return ENAMETOOLONG;
	int fd = mkstemp(w->path); /* 0600: values may be anybody's secrets */
	if (fd < 0)
		return errno;
	w->out = fdopen(fd, "w");
	if (w->out != NULL)
		return 0;
	int error = errno;
	close(fd);
	unlink(w->path);
	return error;
}

/* The last line, then everything to the disk, then its name. */
static int complete(struct writing *w, const json_t *result, const char *file)
{
	char *foot = backup_line(result);
	int error = foot == NULL ? EPROTO : write_line(w, foot);
	free(foot);
	if (error == 0 && (fflush(w->out) != 0 || fsync(fileno(w->out)) != 0))
		error = errno;
	if (error == 0 && rename(w->path, file) != 0)
		error = errno;
	return error;
}

static int received(struct writing *w, json_t *result, const char *file, struct failure *f)
{
	char sum[CHECKSUM_TEXT_SIZE];
	backup_sum_format(&w->sum, sum);
	if (w->error == EPROTO || (w->error == 0 && strcmp(sum, json_text(result, "checksum")) != 0))
		return failure_set(f, CODE_FAILED, "no backup was written",
				   "what arrived is not what the daemon summed");
	int error = w->error == 0 ? complete(w, result, file) : w->error;
	if (error != 0)
		return file_failed(f, "write", file, error);
	json_object_set_new(result, "file", json_string(file));
	return CODE_DONE;
}

int backup_perform(struct invocation *in, struct failure *f)
{
	struct writing w = {0};
	const char *file = json_text(in->args, "file");
	json_t *args = json_object(), *result = NULL;
	struct exchange x = {.verb = "cluster backup", .args = args, .on_event = take_line,
			     .collects = true, .context = &w};
	int code = CODE_FAILED, error = seal_start() < 0 ? EIO : open_beside(&w, file);
	if (error != 0)
		file_failed(f, "write", file, error);
	else if ((code = request_exchange(in, &x, &result, f)) == CODE_DONE)
		code = received(&w, result, file, f);
	if (error == 0)
		fclose(w.out);
	if (error == 0 && code != CODE_DONE)
		unlink(w.path);
	if (code == CODE_DONE)
		request_show(in, result);
	json_decref(result);
	json_decref(args);
	return code;
}

/* ---- restore ---- */

struct reading {
	FILE *in;
	char *line; /* BACKUP_LINE_MAX + 1 */
	uint64_t settings, keys, members, engine;
};

/* A line without its end; false at the end. One that is too long comes with one byte too much. */
static bool read_line(struct reading *r, size_t *out_size)
{
	size_t size = 0;
	int c;
	while ((c = getc_unlocked(r->in)) != EOF && c != '\n' && size <= BACKUP_LINE_MAX)
		r->line[size++] = (char)c;
	*out_size = size;
	return size > 0 || c != EOF;
}

static const char *next_line(void *context, size_t *out_size)
{
	struct reading *r = context;
	return read_line(r, out_size) ? r->line : NULL;
}

static void count_row(void *context, const struct backup_row *row)
{
	struct reading *r = context;
	switch (row->table) {
	case BACKUP_SETTING:
		r->settings++;
		break;
	case BACKUP_MEMBER:
		r->members++;
		break;
	case BACKUP_KV:
		r->keys++;
		break;
	case BACKUP_REGISTRY:
		r->engine++;
		break;
	case BACKUP_TABLES:
		break;
	}
}

static int check_file(struct reading *r, struct backup_check *check, const char *file,
		      struct failure *f)
{
	struct error error;
	size_t size;
	int status = 0;
	while (status == 0 && read_line(r, &size))
		status = backup_check_line(check, r->line, size, count_row, r, &error);
	if (status == 0 && ferror(r->in))
		return file_failed(f, "read", file, EIO);
	if (status == 0)
		status = backup_check_end(check, &error);
	rewind(r->in);
	if (status == 0)
		return CODE_DONE;
	char what[256];
	snprintf(what, sizeof what, "'%.200s' is no whole backup; nothing was changed", file);
	failure_set(f, CODE_FAILED, what, error.text);
	failure_hint(f, "another backup; or start a node that still has its data");
	return CODE_FAILED;
}

/* Said before the question, on standard error. */
static void tell(const struct reading *r, const struct backup_head *head, const char *file)
{
	fprintf(stderr, "%s: generation %llu, entry %llu, made %s on ", file,
		(unsigned long long)head->generation.number, (unsigned long long)head->index, head->made);
	human_print(stderr, head->node);
	fprintf(stderr, ": %llu key%s, %llu setting%s",
		(unsigned long long)r->keys, plural((int64_t)r->keys),
		(unsigned long long)r->settings, plural((int64_t)r->settings));
	if (r->engine > 0)
		fprintf(stderr, ", %llu row%s of operations and what they made",
			(unsigned long long)r->engine, plural((int64_t)r->engine));
	fprintf(stderr, "; %llu member%s, who must join anew.\n", (unsigned long long)r->members,
		plural((int64_t)r->members));
}

static int send_file(struct invocation *in, struct reading *r, struct failure *f)
{
	json_t *result = NULL, *args = json_copy(in->args);
	json_object_del(args, "file");
	struct exchange x = {.verb = "cluster restore", .args = args, .writes = true,
			     .next_part = next_line, .context = r};
	int code = request_exchange(in, &x, &result, f);
	if (code == CODE_DONE)
		request_show(in, result);
	json_decref(result);
	json_decref(args);
	return code;
}

int restore_perform(struct invocation *in, struct failure *f)
{
	struct backup_check check = {0};
	const char *file = json_text(in->args, "file");
	struct reading r = {.in = fopen(file, "re")};
	if (r.in == NULL)
		return file_failed(f, "read", file, errno);
	r.line = malloc(BACKUP_LINE_MAX + 1);
	int code = r.line == NULL || seal_start() < 0 ? file_failed(f, "read", file, ENOMEM)
						       : check_file(&r, &check, file, f);
	if (code == CODE_DONE && human_listens())
		tell(&r, &check.head, file);
	if (code == CODE_DONE)
		code = prepare_confirmed(in, f);
	if (code == CODE_DONE)
		code = send_file(in, &r, f);
	free(r.line);
	fclose(r.in);
	return code;
}
