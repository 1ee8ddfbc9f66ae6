#include "setting.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define HOUR (3600 * SECOND)

/* A legal value is one of `words`, each of which means its number, or a duration within bounds. */
struct word {
	const char *text;
	int64_t value;
};

struct row {
	struct setting_info info;
	const struct word *words; /* NULL: a duration */
	duration least, most;
};

static const struct word voters_words[] = {{"auto", 0}, {"3", 3}, {"5", 5}, {"7", 7}, {NULL, 0}};
static const struct word profile_words[] = {
	{"default", PROFILE_DEFAULT}, {"lan", PROFILE_LAN}, {NULL, 0}};

static const struct row rows[SETTINGS] = {
	[SETTING_VOTERS] = {{"voters", "auto", "auto, 3, 5 or 7",
		"how many members vote: auto is 1, 2, 3 or 5 by their number"}, voters_words, 0, 0},
	[SETTING_VOTER_PATIENCE] = {{"voter-patience", "5m", "a duration from 1s to 7d",
		"how long a voter may be silent before another member takes its place"},
		NULL, SECOND, 7 * 24 * HOUR},
	[SETTING_PROFILE] = {{"profile", "", "default or lan",
		"times of the lease: default rides out 1.5 s, lan fails over in well under 1 s"},
		profile_words, 0, 0},
	[SETTING_CLOCK_INFO] = {{"clock-info", "250ms", "a duration from 1ms to 1h",
		"a clock that is off by more is mentioned"}, NULL, MILLISECOND, HOUR},
	[SETTING_CLOCK_WARNING] = {{"clock-warning", "2s", "a duration from 1ms to 1h",
		"a clock that is off by more is warned of"}, NULL, MILLISECOND, HOUR},
	[SETTING_CLOCK_ERROR] = {{"clock-error", "5s", "a duration from 1ms to 1h",
		"a clock that is off by more is an error"}, NULL, MILLISECOND, HOUR},
};

const struct setting_info *setting_info(enum setting setting)
{
	assert(setting >= 0 && setting < SETTINGS);
	return &rows[setting].info;
}

static bool same(struct bytes text, const char *word)
{
	return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static void list_names(char *out, size_t capacity)
{
	size_t used = 0;
	for (int i = 0; i < SETTINGS; i++)
		used += (size_t)snprintf(out + used, capacity - used, "%s%s", i > 0 ? ", " : "",
		                         rows[i].info.name);
	assert(used < capacity);
}

int setting_find(struct bytes name, enum setting *out, struct error *error)
{
	char names[SETTINGS * (SETTING_NAME_MAX + 2)];
	for (int i = 0; i < SETTINGS; i++) {
		if (!same(name, rows[i].info.name))
			continue;
		*out = (enum setting)i;
		return 0;
	}
	list_names(names, sizeof names);
	return error_set(error, -ENOENT, "there is no setting '%.*s': there are %s",
	                 (int)(name.size < SETTING_NAME_MAX ? name.size : SETTING_NAME_MAX),
	                 (const char *)name.data, names);
}

static bool parse_word(const struct word *words, struct bytes value, int64_t *out)
{
	for (; words->text != NULL; words++) {
		if (!same(value, words->text))
			continue;
		*out = words->value;
		return true;
	}
	return false;
}

static bool parse_duration(const struct row *row, struct bytes value, int64_t *out)
{
	char text[SETTING_VALUE_MAX + 1] = {0};
	if (value.size == 0 || value.size > SETTING_VALUE_MAX)
		return false;
	memcpy(text, value.data, value.size);
	return strlen(text) == value.size && duration_parse(text, out, NULL) == 0 &&
	       *out >= row->least && *out <= row->most;
}

static bool parse(enum setting setting, struct bytes value, int64_t *out)
{
	const struct row *row = &rows[setting];
	return row->words != NULL ? parse_word(row->words, value, out)
	                          : parse_duration(row, value, out);
}

int setting_check(enum setting setting, struct bytes value, struct error *error)
{
	int64_t number;
	if (parse(setting, value, &number))
		return 0;
	return error_set(error, -EINVAL, "'%.*s' is no legal value of '%s': it is %s",
	                 (int)(value.size < SETTING_VALUE_MAX ? value.size : SETTING_VALUE_MAX),
	                 (const char *)value.data, rows[setting].info.name,
	                 rows[setting].info.legal);
}

int64_t setting_value(enum setting setting, struct bytes value)
{
	int64_t number = 0;
	bool legal = parse(setting, value, &number);
	assert(legal);
	return number;
}
