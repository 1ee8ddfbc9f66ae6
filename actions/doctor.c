#include "doctor.h"

#include <assert.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "doctor_inside.h"
#include "text.h"

const struct thresholds thresholds_default = {
	.clock_info = 250 * MILLISECOND,
	.clock_warning = 2 * SECOND,
	.clock_error = 5 * SECOND,
	.disk_slow_ms = 200,
	.disk_full_percent = 95,
	.root_full_percent = 95,
	.dns_slow_ms = 1000,
	.late_ms = 500,
};

/* ---- the table ---- */

static const struct code_info codes[] = {
#define CODE(number, name, area, severity, sentence, why, command)                                 \
	{number, #name, AREA_##area, SEVERITY_##severity, sentence, why, command},
	DOCTOR_CODES(CODE)
#undef CODE
};
#define CODE_COUNT (sizeof codes / sizeof codes[0])

const struct code_info *code_info(uint32_t number)
{
	for (size_t i = 0; i < CODE_COUNT; i++) {
		if (codes[i].number == number)
			return &codes[i];
	}
	return NULL;
}

const struct code_info *code_named(const char *name)
{
	for (size_t i = 0; i < CODE_COUNT; i++) {
		if (strcmp(codes[i].name, name) == 0)
			return &codes[i];
	}
	return NULL;
}

const struct code_info *code_at(uint32_t position)
{
	return position < CODE_COUNT ? &codes[position] : NULL;
}

static const char *const area_names[AREA_COUNT] = {
	"clock", "dns", "network", "quorum", "version", "disk", "host", "storage"};

const char *area_name(enum doctor_area area)
{
	assert(area >= 0 && area < AREA_COUNT);
	return area_names[area];
}

bool area_parse(const char *text, enum doctor_area *out)
{
	for (int i = 0; i < AREA_COUNT; i++) {
		if (strcmp(area_names[i], text) == 0) {
			*out = (enum doctor_area)i;
			return true;
		}
	}
	return false;
}

/* ---- finding ---- */

static const struct finding *find_in(const struct diagnosis *d, enum doctor_code code, node_id about)
{
	for (uint32_t i = 0; d != NULL && i < d->count; i++) {
		if (d->list[i].code == code && d->list[i].about == about)
			return &d->list[i];
	}
	return NULL;
}

const struct finding *exam_before(const struct exam *exam, enum doctor_code code, node_id about)
{
	return find_in(exam->patient->before, code, about);
}

const struct finding *exam_found(const struct exam *exam, enum doctor_code code, node_id about)
{
	return find_in(exam->out, code, about);
}

int64_t exam_threshold(const struct exam *exam, enum doctor_code code, node_id about, int64_t threshold)
{
	return exam_before(exam, code, about) != NULL ? threshold / 2 : threshold;
}

void exam_find(struct exam *exam, enum doctor_code code, enum severity severity, node_id about,
               int64_t n1, int64_t n2, const char *detail)
{
	struct diagnosis *out = exam->out;
	const struct finding *before = exam_before(exam, code, about);
	if (out->count == DIAGNOSIS_MAX) {
		out->dropped++;
		return;
	}
	struct finding *f = &out->list[out->count++];
	*f = (struct finding){.code = code,
		.severity = severity,
		.about = about,
		.numbers = {n1, n2, 0},
		.since_wall = before != NULL ? before->since_wall : exam->now_wall};
	snprintf(f->detail, sizeof f->detail, "%s", detail == NULL ? "" : detail);
}

static int worst_first(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	if (x->severity != y->severity)
		return y->severity > x->severity ? 1 : -1;
	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	if (x->about != y->about)
		return x->about < y->about ? -1 : 1;
	return strcmp(x->detail, y->detail);
}

void doctor_examine(const struct patient *patient, instant now_wall, struct diagnosis *out)
{
	struct exam exam = {patient, now_wall, out};
	out->count = out->dropped = 0;
	assert(patient->member_count == 0 || patient->self < patient->member_count);
	if (patient->member_count == 0)
		return;
	doctor_quorum(&exam);
	doctor_clocks(&exam);
	doctor_dns(&exam);
	doctor_network(&exam);
	doctor_versions(&exam);
	doctor_hosts(&exam);
	doctor_storage(&exam);
	qsort(out->list, out->count, sizeof out->list[0], worst_first);
}

/* ---- sentences ---- */

struct blanks {
	const struct finding *finding;
	const char *where, *about;
};

/* What stands for {word}; NULL if it is none of ours. `room` keeps a number's text. */
static const char *blank_text(const struct blanks *b, const char *word, size_t length, char room[32])
{
	static const char *const names[] = {"where", "about", "detail"};
	const char *const texts[] = {b->where, b->about, b->finding->detail};
	for (int i = 0; i < 3; i++) {
		if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0)
			return texts[i] == NULL || texts[i][0] == '\0' ? "?" : texts[i];
	}
	if (length == 0 || word[0] < '1' || word[0] > '3')
		return NULL;
	int64_t number = b->finding->numbers[word[0] - '1'];
	if (length == 3 && memcmp(word + 1, "ms", 2) == 0)
		duration_format(number, room);
	else
		snprintf(room, 32, "%lld", (long long)number);
	return room;
}

static void fill(const char *pattern, const struct blanks *blanks, char *out, size_t size)
{
	size_t used = 0;
	while (*pattern != '\0' && used + 1 < size) {
		const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
		char room[32];
		const char *text = end == NULL ? NULL
		                               : blank_text(blanks, pattern + 1,
		                                            (size_t)(end - pattern - 1), room);
		if (text == NULL) {
			out[used++] = *pattern++;
			continue;
		}
		used += (size_t)snprintf(out + used, size - used, "%s", text);
		if (used >= size)
			used = size - 1;
		pattern = end + 1;
	}
	out[used] = '\0';
}

void finding_sentence(const struct finding *finding, const char *where, const char *about, char *out,
                      size_t size)
{
	const struct code_info *info = code_info(finding->code);
	struct blanks blanks = {finding, where, about};
	fill(info == NULL ? "a finding of a later version (about {about}: {detail})" : info->sentence,
	     &blanks, out, size);
}

void finding_command(const struct finding *finding, const char *where, const char *about, char *out,
                     size_t size)
{
	const struct code_info *info = code_info(finding->code);
	struct blanks blanks = {finding, where, about};
	fill(info == NULL ? "essaim version" : info->command, &blanks, out, size);
}
