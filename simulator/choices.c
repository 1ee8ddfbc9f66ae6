#include "choices.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fate.h"

/* ---- words ---- */

static const char *const words[FATE_KINDS] = {
	[MESSAGE_NONE] = "other",
	[MESSAGE_HELLO] = "hello",
	[MESSAGE_WELCOME] = "welcome",
	[MESSAGE_PROBE] = "probe",
	[MESSAGE_ACK] = "ack",
	[MESSAGE_PROBE_REQUEST] = "probe-request",
	[MESSAGE_PROBE_REPORT] = "probe-report",
	[MESSAGE_GOSSIP] = "gossip",
	[MESSAGE_DIGEST] = "digest",
	[MESSAGE_FACT_PULL] = "fact-pull",
	[MESSAGE_FACT_VALUE] = "fact-value",
	[MESSAGE_FAREWELL] = "farewell",
	[MESSAGE_PREPARE] = "prepare",
	[MESSAGE_PROMISE] = "promise",
	[MESSAGE_REJECT] = "reject",
	[MESSAGE_ACCEPT] = "accept",
	[MESSAGE_ACCEPTED] = "accepted",
	[MESSAGE_RELEASE] = "release",
	[MESSAGE_OFFER] = "offer",
	[MESSAGE_READY] = "ready",
	[MESSAGE_TRANSFER] = "transfer",
	[MESSAGE_FETCH] = "fetch",
	[MESSAGE_ENTRIES] = "entries",
	[MESSAGE_SNAPSHOT] = "snapshot",
	[MESSAGE_REQUEST] = "request",
	[MESSAGE_ANSWER] = "answer",
	[MESSAGE_JOIN] = "join",
	[MESSAGE_JOINED] = "joined",
	[MESSAGE_SURVEY] = "survey",
	[MESSAGE_SURVEY_ANSWER] = "survey-answer",
	[MESSAGE_SEIZED] = "seized",
	[MESSAGE_INQUIRY] = "inquiry",
	[MESSAGE_INQUIRED] = "inquired",
	[FATE_KNOCK] = "knock",
	[FATE_DIAL] = "dial",
	[FATE_DIALED] = "dialed",
	[FATE_REFUSAL] = "refusal",
};

const char *choice_kind_word(uint32_t kind)
{
	assert(kind < FATE_KINDS && words[kind]); /* a new message wants a word above */
	return words[kind];
}

bool choice_kind_parse(const char *word, uint32_t *out)
{
	for (*out = 0; *out < FATE_KINDS; ++*out)
		if (words[*out] && !strcmp(words[*out], word))
			return true;
	return false;
}

/* ---- lists ---- */

void choice_list_add(struct choice_list *l, const struct choice *choice)
{
	if (l->count % 256 == 0) {
		l->list = realloc(l->list, (l->count + 256) * sizeof(*l->list));
		assert(l->list);
	}
	l->list[l->count++] = *choice;
}

void choice_list_copy(const struct choice_list *from, struct choice_list *out)
{
	*out = (struct choice_list){0};
	for (uint32_t i = 0; i < from->count; i++)
		choice_list_add(out, &from->list[i]);
}

void choice_list_finish(struct choice_list *l)
{
	free(l->list);
	*l = (struct choice_list){0};
}

static int compare_kinds(const void *first, const void *second)
{
	const struct message_name *a = &((const struct choice *)first)->name;
	const struct message_name *b = &((const struct choice *)second)->name;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

void choice_list_by_kind(struct choice_list *l)
{
	if (l->count)
		qsort(l->list, l->count, sizeof(*l->list), compare_kinds);
}

static void write_one(const struct choice *c, const char *what, duration by, FILE *out)
{
	fprintf(out, "%s %u>%u %s %u", what, c->name.from, c->name.to, choice_kind_word(c->name.kind),
	        c->name.ordinal);
	if (strcmp(what, "lost") != 0)
		fprintf(out, " %" PRId64 ".%06" PRId64 "ms", by / MILLISECOND, by % MILLISECOND);
	fputc('\n', out);
}

/* What is lost is neither late nor twice. */
void choice_write(const struct choice *c, FILE *out)
{
	if (c->lost)
		write_one(c, "lost", 0, out);
	else if (c->late)
		write_one(c, "late", c->late, out);
	if (!c->lost && c->twice)
		write_one(c, "twice", c->twice_late, out);
}

/* ---- following and noting ---- */

static int compare(const void *first, const void *second)
{
	return memcmp(&((const struct choice *)first)->name, &((const struct choice *)second)->name,
	              sizeof(struct message_name));
}

void choices_follow(struct choices *c, const struct choice_list *list)
{
	choice_list_copy(list, &c->followed);
	if (c->followed.count)
		qsort(c->followed.list, c->followed.count, sizeof(*c->followed.list), compare);
}

void choices_finish(struct choices *c)
{
	choice_list_finish(&c->followed);
}

static void follow(const struct choice_list *l, struct choice *choice)
{
	const struct choice *c = bsearch(choice, l->list, l->count, sizeof(*l->list), compare);
	if (!c)
		return;
	while (c > l->list && !compare(c - 1, choice))
		c--;
	for (; c < l->list + l->count && !compare(c, choice); c++) {
		choice->lost |= c->lost;
		choice->late += c->late;
		if (c->twice) {
			choice->twice = true;
			choice->twice_late = c->twice_late;
		}
	}
}

void choices_take(struct choices *c, struct choice *choice)
{
	if (c->followed.count)
		follow(&c->followed, choice);
	if (c->noted && (choice->lost || choice->late || choice->twice))
		choice_write(choice, c->noted);
}
