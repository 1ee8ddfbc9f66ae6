#include "help.h"
#include "complete.h"
#include "human.h"
#include "json.h"
#include "man.h"
#include "nearest.h"
#include "setting.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64
#define HELP_WIDTH 80
#define VERB_WIDTH 8    /* the longest: "transfer" */
#define OPTION_WIDTH 20 /* "--expires DURATION" and air */

/* Two columns; the right one wraps. */
static void entry(const char *left, int width, const char *right)
{
	printf("  %-*s  ", width, left);
	human_wrap(stdout, right, width + 4, HELP_WIDTH);
}

static void show_options(const struct option *options)
{
	for (const struct option *o = options; o->name != NULL; o++) {
		char left[64], right[256];
		snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
			 o->value ? o->value : "");
		bool says = o->fallback != NULL && o->kind != OPTION_WORD;
		snprintf(right, sizeof right, "%s%s%s%s", o->help, says ? " (" : "",
			 says ? o->fallback : "", says ? ")" : "");
		entry(left, OPTION_WIDTH, right);
	}
}

static void show_rows(const char *noun)
{
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (noun == NULL ? c->noun == NULL : c->noun != NULL && strcmp(c->noun, noun) == 0)
			entry(c->verb, VERB_WIDTH, c->summary);
}

void help_overview(void)
{
	printf("essaim: a swarm of equal nodes that elect one master by lease\n\n"
	       "usage: essaim [VERB | NOUN [VERB]] [ARGUMENT...] [OPTION...]\n\n");
	show_rows(NULL);
	for (const struct noun *n = nouns; n->word != NULL; n++) {
		printf("\n%s: %s\n", n->word, n->summary);
		show_rows(n->word);
	}
	printf("\nOptions of every command\n");
	show_options(global_options);
	printf("\nA bare 'essaim' is its status; a bare noun is its list or show.\n"
	       "Exit codes: 0 done, 1 refused or failed, 2 usage, 3 no master and nothing done,\n"
	       "4 outcome unknown: it may be done.\n\n"
	       "More: essaim help NOUN, essaim help NOUN VERB, man essaim\n");
}

void help_noun(const struct noun *noun)
{
	const struct command *bare = command_bare(noun->word);
	printf("essaim %s: %s\n\n", noun->word, noun->summary);
	for (const struct command *c = commands; c->verb != NULL; c++) {
		char usage[256];
		if (c->noun == NULL || strcmp(c->noun, noun->word) != 0)
			continue;
		command_usage(c, usage, sizeof usage);
		printf("  essaim %s\n      %s\n", usage, c->summary);
	}
	if (bare != NULL)
		printf("\n'essaim %s' alone is 'essaim %s %s'.\n", noun->word, noun->word,
		       bare->verb);
	printf("\nMore: essaim help %s VERB\n", noun->word);
}

/* Paragraphs stand between empty lines; inside one, a newline is only a blank. */
static void show_paragraphs(const char *text)
{
	char *copy = strdup(text);
	if (copy == NULL)
		abort();
	for (char *rest = copy, *next; rest != NULL; rest = next) {
		next = strstr(rest, "\n\n");
		if (next != NULL) {
			*next = '\0';
			next += 2;
		}
		for (char *p = rest; (p = strchr(p, '\n')) != NULL;)
			*p = ' ';
		human_wrap(stdout, rest, 0, HELP_WIDTH);
		if (next != NULL)
			putchar('\n');
	}
	free(copy);
}

static void show_settings(void)
{
	printf("\nSettings\n");
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting_info *info = setting_info((enum setting)i);
		char right[320];
		snprintf(right, sizeof right, "%s; %s%s%s%s", info->meaning, info->legal,
			 *info->standard ? " (" : "", info->standard, *info->standard ? ")" : "");
		entry(info->name, OPTION_WIDTH, right);
	}
}

void help_command(const struct command *command)
{
	char usage[256];
	command_usage(command, usage, sizeof usage);
	printf("usage: essaim ");
	human_wrap(stdout, usage, 14, HELP_WIDTH);
	printf("\n%s.\n\n", command->summary);
	show_paragraphs(command->help);
	if (command->options[0].name != NULL) {
		printf("\nOptions\n");
		show_options(command->options);
	}
	if (command->arguments[0].is_setting)
		show_settings();
	printf("\nExamples\n");
	for (const struct example *e = command->examples; e->line != NULL; e++) {
		printf("  %s\n", e->line);
		if (e->means != NULL)
			printf("      %s\n", e->means);
	}
	printf("\nOptions of every command: --socket, --timeout, --json, --help (essaim help).\n");
}

/* The first noun that has this verb: `essaim put` means `essaim kv put`. */
static const struct command *row_with_verb(const char *verb)
{
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (c->noun != NULL && strcmp(c->verb, verb) == 0)
			return c;
	return NULL;
}

static const char *nearest_word(const char *noun, const char *word)
{
	const char *known[WORDS_MAX];
	size_t count = 0;
	for (const struct command *c = commands; c->verb != NULL; c++) {
		assert(count < WORDS_MAX);
		if (noun == NULL ? c->noun == NULL : c->noun != NULL && strcmp(c->noun, noun) == 0)
			known[count++] = c->verb;
	}
	for (const struct noun *n = nouns; noun == NULL && n->word != NULL; n++) {
		assert(count < WORDS_MAX);
		known[count++] = n->word;
	}
	return nearest(word, known, count);
}

int unknown_word(const char *noun, const char *word, struct failure *f)
{
	char what[160], why[128];
	const char *near = nearest_word(noun, word);
	const struct command *elsewhere = noun == NULL ? row_with_verb(word) : NULL;
	snprintf(what, sizeof what, "unknown %s '%.60s'", noun ? "verb" : "command", word);
	if (near != NULL)
		snprintf(why, sizeof why, "did you mean 'essaim %s%s%s'?", noun ? noun : "",
			 noun ? " " : "", near);
	else if (elsewhere != NULL)
		snprintf(why, sizeof why, "did you mean 'essaim %s %s'?", elsewhere->noun, word);
	else if (noun != NULL)
		snprintf(why, sizeof why, "'essaim %s' does not have it", noun);
	else
		snprintf(why, sizeof why, "essaim has no such verb or noun");
	failure_set(f, CODE_USAGE, what, why);
	failure_hint(f, "essaim help%s%s", noun ? " " : "", noun ? noun : "");
	return CODE_USAGE;
}

static int help_words(const struct invocation *in, const char *noun, const char *verb)
{
	struct failure f;
	const struct noun *found = noun_find(noun);
	const struct command *command = found ? command_find(noun, verb) : command_find(NULL, noun);
	if (found != NULL && *verb == '\0')
		help_noun(found);
	else if (command != NULL)
		help_command(command);
	else
		return failure_print(
		    (unknown_word(found ? noun : NULL, found ? verb : noun, &f), &f),
		    in->globals->json);
	return CODE_DONE;
}

int help_run(const struct invocation *in)
{
	const char *noun = json_text(in->args, "noun");
	const char *shell = json_text(in->args, "complete");
	if (strcmp(shell, "bash") == 0)
		complete_bash();
	else if (strcmp(shell, "zsh") == 0)
		complete_zsh();
	else if (strcmp(shell, "fish") == 0)
		complete_fish();
	else if (json_truth(in->args, "man"))
		man_page();
	else if (*noun)
		return help_words(in, noun, json_text(in->args, "verb"));
	else
		help_overview();
	return CODE_DONE;
}
