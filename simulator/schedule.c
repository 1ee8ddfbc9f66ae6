#include "schedule.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "play_parse.h"
#include "run.h"
#include "text.h"

void schedule_finish(struct schedule *s)
{
	free(s->list);
	choice_list_finish(&s->choices);
	*s = (struct schedule){0};
}

void schedule_add(struct schedule *s, const struct fault *fault)
{
	if (s->count % 64 == 0) {
		s->list = realloc(s->list, (s->count + 64) * sizeof(*s->list));
		assert(s->list);
	}
	s->list[s->count++] = *fault;
}

void schedule_empty(const struct schedule *from, struct schedule *out)
{
	*out = *from;
	out->list = NULL;
	out->count = 0;
	out->choices = (struct choice_list){0};
}

void schedule_copy(const struct schedule *from, struct schedule *out)
{
	schedule_empty(from, out);
	for (uint32_t i = 0; i < from->count; i++)
		schedule_add(out, &from->list[i]);
	choice_list_copy(&from->choices, &out->choices);
}

/* ---- writing ---- */

static void write_instant(instant t, FILE *out)
{
	fprintf(out, "%" PRId64 ".%09" PRId64 " ", t / SECOND, t % SECOND);
}

static void write_kinds(uint64_t kinds, FILE *out)
{
	const char *before = "kinds ";
	for (int kind = 0; kind < FAULT_COUNT; kind++) {
		if (!(kinds >> kind & 1))
			continue;
		fprintf(out, "%s%s", before, fault_name((enum fault_kind)kind));
		before = ",";
	}
	if (kinds)
		fputc('\n', out);
}

void schedule_write(const struct schedule *s, FILE *out)
{
	fprintf(out, "nodes %u\nduration %" PRId64 "ms\nseed %" PRIu64 "\n", s->nodes,
	        s->length / MILLISECOND, s->seed);
	write_kinds(s->kinds, out);
	for (uint32_t i = 0; i < s->count; i++) {
		const struct fault *f = &s->list[i];
		write_instant(f->begin, out);
		write_instant(f->end, out);
		fprintf(out, "%s node %u group 0x%" PRIx64 " strength %" PRId64 "\n",
		        fault_name(f->kind), f->node, f->group, f->strength);
	}
	for (uint32_t i = 0; i < s->choices.count; i++)
		choice_write(&s->choices.list[i], out);
}

/* ---- to and from a world ---- */

void schedule_use(const struct schedule *s, struct world *w, instant until)
{
	choices_follow(&w->network.choices, &s->choices);
	free(w->faults.list);
	w->faults.list = calloc(s->count + 1, sizeof(*s->list));
	assert(w->faults.list);
	w->faults.count = s->count;
	for (uint32_t i = 0; i < s->count; i++) {
		struct fault *f = &w->faults.list[i];
		*f = s->list[i];
		f->node %= w->count;
		if (f->begin <= w->now) /* the founding took longer than when the list was written */
			f->begin = w->now + 1;
		if (f->end < f->begin)
			f->end = f->begin;
	}
	faults_schedule(w, until);
}

void schedule_keep(const struct world *w, const struct run_settings *settings, FILE *out)
{
	const struct schedule s = {.nodes = settings->nodes,
	                           .length = settings->length,
	                           .seed = settings->seed,
	                           .kinds = w->faults.swarm,
	                           .list = w->faults.list,
	                           .count = w->faults.count};
	schedule_write(&s, out);
	fflush(out);
}

/* ---- reading: lines and words as in a play ---- */

struct reader {
	const struct play_text *text;
	const struct play_line *line;
	struct error *error;
};

static int wrong(struct reader *r, const char *expected, uint32_t word)
{
	return play_fail(r->text, r->line, r->error, "expected %s, not '%s'", expected,
	                 play_word(r->line, word));
}

/* SECONDS.NANOSECONDS, all nine digits. */
static int read_instant(struct reader *r, uint32_t word, instant *out)
{
	const char *text = play_word(r->line, word);
	const char *dot = strchr(text, '.');
	char *rest;
	errno = 0;
	int64_t seconds = strtoll(text, &rest, 10);
	if (errno || *text < '0' || *text > '9' || rest != dot || strlen(rest) != 10 ||
	    strspn(rest + 1, "0123456789") != 9 || seconds > 1000000000)
		return wrong(r, "a time such as 12.345678901", word);
	*out = seconds * SECOND + strtoll(dot + 1, NULL, 10);
	return 0;
}

static int read_whole(struct reader *r, uint32_t word, int base, uint64_t *out)
{
	const char *text = play_word(r->line, word);
	char *rest;
	errno = 0;
	*out = strtoull(text, &rest, base);
	if (errno || *text < '0' || *text > '9' || *rest)
		return wrong(r, base == 16 ? "a number such as 0x2c" : "a number", word);
	return 0;
}

static int read_signed(struct reader *r, uint32_t word, int64_t *out)
{
	const char *text = play_word(r->line, word);
	char *rest;
	errno = 0;
	*out = strtoll(text, &rest, 10);
	return errno || rest == text || *rest ? wrong(r, "a number", word) : 0;
}

static int read_kind(struct reader *r, uint32_t word, enum fault_kind *out)
{
	for (int kind = 0; kind < FAULT_COUNT; kind++) {
		if (strcmp(fault_name((enum fault_kind)kind), play_word(r->line, word)) != 0)
			continue;
		*out = (enum fault_kind)kind;
		return 0;
	}
	return wrong(r, "a kind of fault such as partition", word);
}

static int read_fault(struct reader *r, struct schedule *out)
{
	struct fault f = {0};
	uint64_t node;
	static const char *const words[] = {"node", "group", "strength"};
	if (r->line->count != 9)
		return play_fail(r->text, r->line, r->error,
		                 "expected BEGIN END KIND node N group 0xN strength N");
	for (uint32_t i = 0; i < 3; i++)
		if (strcmp(play_word(r->line, 3 + 2 * i), words[i]) != 0)
			return wrong(r, words[i], 3 + 2 * i);
	if (read_instant(r, 0, &f.begin) || read_instant(r, 1, &f.end) ||
	    read_kind(r, 2, &f.kind) || read_whole(r, 4, 10, &node) ||
	    read_whole(r, 6, 16, &f.group) || read_signed(r, 8, &f.strength))
		return -1;
	if (f.end < f.begin)
		return wrong(r, "an end that is not before the begin", 1);
	if (node >= out->nodes)
		return wrong(r, "a node below the number of 'nodes'", 4);
	f.node = (uint32_t)node;
	schedule_add(out, &f);
	return 0;
}

/* FROM>TO */
static int read_way(struct reader *r, uint32_t word, struct message_name *out)
{
	const char *text = play_word(r->line, word);
	char *middle, *rest = NULL;
	unsigned long from = strtoul(text, &middle, 10);
	unsigned long to = *middle == '>' ? strtoul(middle + 1, &rest, 10) : 0;
	if (*text < '0' || *text > '9' || !rest || rest == middle + 1 || *rest || from == to ||
	    from > 2 * MEMBERS_MAX || to > 2 * MEMBERS_MAX)
		return wrong(r, "two machines such as 0>1", word);
	out->from = (uint32_t)from;
	out->to = (uint32_t)to;
	return 0;
}

/* MILLISECONDS.NANOSECONDSms, six digits behind the dot. */
static int read_late(struct reader *r, uint32_t word, duration *out)
{
	const char *text = play_word(r->line, word), *dot = strchr(text, '.');
	char *rest;
	int64_t ms = strtoll(text, &rest, 10);
	if (*text < '0' || *text > '9' || rest != dot || strspn(rest + 1, "0123456789") != 6 ||
	    strcmp(rest + 7, "ms") != 0 || ms > 1000000000)
		return wrong(r, "a time such as 31.250000ms", word);
	*out = ms * MILLISECOND + strtoll(dot + 1, NULL, 10);
	return 0;
}

static int read_choice(struct reader *r, struct schedule *out)
{
	struct choice c = {.lost = !strcmp(play_word(r->line, 0), "lost"),
	                   .twice = !strcmp(play_word(r->line, 0), "twice")};
	uint64_t ordinal;
	if (r->line->count != (c.lost ? 4 : 5))
		return play_fail(r->text, r->line, r->error, "expected %s A>B KIND N%s",
		                 play_word(r->line, 0), c.lost ? "" : " TIME");
	if (read_way(r, 1, &c.name))
		return -1;
	if (!choice_kind_parse(play_word(r->line, 2), &c.name.kind))
		return wrong(r, "a message such as accept", 2);
	if (read_whole(r, 3, 10, &ordinal) ||
	    (!c.lost && read_late(r, 4, c.twice ? &c.twice_late : &c.late)))
		return -1;
	c.name.ordinal = (uint32_t)ordinal;
	choice_list_add(&out->choices, &c);
	return 0;
}

static int read_line(struct reader *r, struct schedule *out)
{
	const char *word = play_word(r->line, 0);
	uint64_t number;
	if (!strcmp(word, "nodes")) {
		if (read_whole(r, 1, 10, &number))
			return -1;
		if (number < 1 || number > MEMBERS_MAX)
			return wrong(r, "1 to 4096 nodes", 1);
		out->nodes = (uint32_t)number;
		return 0;
	}
	if (!strcmp(word, "duration"))
		return play_duration(r->text, r->line, 1, &out->length, r->error);
	if (!strcmp(word, "seed"))
		return read_whole(r, 1, 10, &out->seed);
	if (!strcmp(word, "kinds"))
		return fault_kinds_parse(play_word(r->line, 1), &out->kinds) ? 0 :
		       wrong(r, "kinds of faults such as loss,partition", 1);
	if (!out->nodes || !out->length)
		return wrong(r, "'nodes N', 'duration D' and 'seed S' first", 0);
	if (!strcmp(word, "lost") || !strcmp(word, "late") || !strcmp(word, "twice"))
		return read_choice(r, out);
	return read_fault(r, out);
}

int schedule_line(const struct play_text *text, const struct play_line *line, uint32_t first,
                  struct schedule *out, struct error *error)
{
	struct play_line rest = *line;
	rest.count = 0;
	while (first < line->count)
		rest.words[rest.count++] = line->words[first++];
	struct reader reader = {text, &rest, error};
	return read_line(&reader, out);
}

int schedule_read(const char *path, struct schedule *out, struct error *error)
{
	struct play_text text;
	int result = play_read(path, &text, error);
	*out = (struct schedule){0};
	for (uint32_t i = 0; i < text.count && !result; i++) {
		struct reader r = {&text, &text.lines[i], error};
		if (text.lines[i].kind != PLAY_COMMENT)
			result = read_line(&r, out);
	}
	if (!result && (!out->nodes || !out->length))
		result = error_set(error, -1, "%s:%u: expected 'nodes N', 'duration D' and 'seed S'",
		                   path, text.count);
	play_text_finish(&text);
	if (result)
		schedule_finish(out);
	return result;
}
