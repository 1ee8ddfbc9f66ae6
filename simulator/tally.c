#include "tally.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

void tally_init(struct tally *t, uint64_t first)
{
	*t = (struct tally){.first = first, .next = first};
	t->failovers = calloc(FAILOVERS_SUMMED, sizeof(*t->failovers));
	assert(t->failovers);
}

void tally_finish(struct tally *t)
{
	free(t->failovers);
}

static void add_failovers(struct tally *t, int64_t ms, uint64_t times)
{
	while (times-- > 0 && t->failover_count < FAILOVERS_SUMMED)
		t->failovers[t->failover_count++] = ms;
}

void tally_add(struct tally *t, const struct run_result *r, bool twice)
{
	t->cpu += r->cpu_seconds;
	t->simulated += (double)r->simulated / 1e9;
	t->events += r->events;
	t->packets += r->packets;
	t->masters += r->masters;
	t->faults += r->faults;
	t->acknowledged += r->acknowledged;
	t->unknown += r->unknown;
	t->expected += r->expected;
	t->undecided += r->undecided;
	for (int i = 0; i < SOMETIMES_COUNT; i++)
		t->met[i] += r->met[i];
	for (int i = 0; i < FAULT_COUNT; i++)
		t->befell[i] += r->befell[i];
	t->twice += twice;
	for (uint32_t i = 0; i < r->failover.count; i++)
		add_failovers(t, r->failover.list[i] / MILLISECOND, 1);
}

static int compare_ms(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

int64_t tally_failover(struct tally *t, uint32_t percent)
{
	if (!t->failover_count)
		return -1;
	qsort(t->failovers, t->failover_count, sizeof(*t->failovers), compare_ms);
	return t->failovers[(uint64_t)(t->failover_count - 1) * percent / 100];
}

/* ---- as text ---- */

struct number {
	const char *name;
	size_t offset;
	bool seconds; /* a double, kept in microseconds */
};

#define COUNT(field) {#field, offsetof(struct tally, field), false}
#define SECONDS(field) {#field, offsetof(struct tally, field), true}

static const struct number numbers[] = {
	COUNT(first),   COUNT(next),     COUNT(done),   COUNT(found),        COUNT(failed),
	COUNT(twice),   SECONDS(cpu),    SECONDS(simulated), COUNT(events),  COUNT(packets),
	COUNT(masters), COUNT(faults),   COUNT(acknowledged), COUNT(unknown), COUNT(expected),
	COUNT(undecided),
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static void *field(struct tally *t, const struct number *n)
{
	return (uint8_t *)t + n->offset;
}

static void print_failovers(struct tally *t, FILE *out)
{
	tally_failover(t, 0); /* sorts them */
	for (uint32_t i = 0, same; i < t->failover_count; i += same) {
		for (same = 1; i + same < t->failover_count &&
		               t->failovers[i + same] == t->failovers[i];)
			same++;
		fprintf(out, "failover %" PRId64 " %" PRIu32 "\n", t->failovers[i], same);
	}
}

static void print(struct tally *t, const char *shape, FILE *out)
{
	fprintf(out, "%s\n", shape);
	for (size_t i = 0; i < NUMBERS; i++) {
		uint64_t value;
		if (numbers[i].seconds)
			value = (uint64_t)(*(double *)field(t, &numbers[i]) * 1e6 + 0.5);
		else
			value = *(uint64_t *)field(t, &numbers[i]);
		fprintf(out, "%s %" PRIu64 "\n", numbers[i].name, value);
	}
	for (uint32_t i = 0; i < t->open_count; i++)
		fprintf(out, "open %" PRIu64 "\n", t->open[i]);
	for (int i = 0; i < SOMETIMES_COUNT; i++)
		fprintf(out, "met %d %" PRIu64 "\n", i, t->met[i]);
	for (int i = 0; i < FAULT_COUNT; i++)
		fprintf(out, "befell %d %" PRIu64 "\n", i, t->befell[i]);
	print_failovers(t, out);
	fprintf(out, "end 0\n");
}

int tally_write(struct tally *t, const char *path, const char *shape, struct error *error)
{
	char fresh[4096];
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	FILE *out = fopen(fresh, "w");
	if (!out)
		return error_set(error, -1, "cannot write '%s': %s", fresh, strerror(errno));
	print(t, shape, out);
	if (fclose(out) || rename(fresh, path))
		return error_set(error, -1, "cannot write '%s': %s", path, strerror(errno));
	return 0;
}

static bool take_number(struct tally *t, const char *name, uint64_t value)
{
	for (size_t i = 0; i < NUMBERS; i++) {
		if (strcmp(numbers[i].name, name) != 0)
			continue;
		if (numbers[i].seconds)
			*(double *)field(t, &numbers[i]) = (double)value / 1e6;
		else
			*(uint64_t *)field(t, &numbers[i]) = value;
		return true;
	}
	return false;
}

/* One line after the first; false if it is none of ours. */
static bool take_line(struct tally *t, const char *line, bool *end)
{
	char name[16], rest;
	uint64_t value, second;
	int words = sscanf(line, "%15s %" SCNu64 " %" SCNu64 " %c", name, &value, &second, &rest);
	if (words == 3 && !strcmp(name, "met") && value < SOMETIMES_COUNT)
		t->met[value] = second;
	else if (words == 3 && !strcmp(name, "befell") && value < FAULT_COUNT)
		t->befell[value] = second;
	else if (words == 3 && !strcmp(name, "failover") && value <= INT64_MAX)
		add_failovers(t, (int64_t)value, second);
	else if (words == 2 && !strcmp(name, "open") && t->open_count < JOBS_MAX)
		t->open[t->open_count++] = value;
	else if (words == 2 && !strcmp(name, "end"))
		*end = true;
	else
		return words == 2 && take_number(t, name, value);
	return true;
}

static int read_lines(struct tally *t, FILE *in, const char *path, const char *shape,
                      struct error *error)
{
	char line[8192];
	uint32_t number = 1;
	uint64_t first = t->first;
	bool end = false;
	if (!fgets(line, sizeof(line), in) || (line[strcspn(line, "\n")] = '\0', strcmp(line, shape)))
		return error_set(error, -1, "%s:1: expected a tally of '%s': remove the file to begin anew",
		                 path, shape);
	while (!end && fgets(line, sizeof(line), in)) {
		number++;
		if (!take_line(t, line, &end))
			return error_set(error, -1, "%s:%u: expected a number's name and its value, not '%.*s'",
			                 path, number, (int)strcspn(line, "\n"), line);
	}
	if (!end)
		return error_set(error, -1, "%s:%u: expected 'end 0': the file is cut short", path,
		                 number);
	if (t->first != first)
		return error_set(error, -1, "%s: it is of seeds from %" PRIu64 ", not from %" PRIu64, path,
		                 t->first, first);
	return 0;
}

int tally_read(struct tally *t, const char *path, const char *shape, struct error *error)
{
	FILE *in = fopen(path, "r");
	if (!in && errno == ENOENT)
		return 0;
	if (!in)
		return error_set(error, -1, "cannot read '%s': %s", path, strerror(errno));
	int result = read_lines(t, in, path, shape, error);
	fclose(in);
	return result;
}
