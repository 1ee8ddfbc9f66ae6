/*
 * essaim: the command line. Words -> a row of the table -> a request to the daemon -> a page, a
 * table or JSON.
 */
#include "arguments.h"
#include "help.h"
#include "request.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <string.h>

/* Takes the first word away. */
static const char *next_word(struct words *words)
{
	const char *word = words->list[0];
	words->list++;
	words->count--;
	words->literal -= words->literal > 0;
	return word;
}

static bool has_word(const struct words *words)
{
	return words->count > 0 && !word_is_option(words, 0);
}

/* Explains what was named so far, or everything. */
static int explain(struct words *words, struct failure *f)
{
	if (!has_word(words)) {
		help_overview();
		return CODE_DONE;
	}
	const char *word = next_word(words);
	const struct noun *noun = noun_find(word);
	const struct command *command = command_find(NULL, word);
	if (noun != NULL && has_word(words)) {
		word = next_word(words);
		command = command_find(noun->word, word);
	} else if (noun != NULL) {
		help_noun(noun);
		return CODE_DONE;
	}
	if (command == NULL)
		return unknown_word(noun ? noun->word : NULL, word, f);
	help_command(command);
	return CODE_DONE;
}

/* The row that the first words name; they are taken away. NULL with *f filled. */
static const struct command *resolve(struct words *words, struct failure *f)
{
	if (!has_word(words))
		return command_find(NULL, "status");
	const char *word = next_word(words);
	const struct noun *noun = noun_find(word);
	const struct command *command;
	if (noun == NULL) {
		command = command_find(NULL, word);
	} else if (!has_word(words)) {
		command = command_bare(noun->word);
	} else {
		command = command_bare(noun->word);
		bool verb = command_find(noun->word, words->list[0]) != NULL;
		if (verb || command == NULL || !command->bare_takes) {
			word = next_word(words);
			command = command_find(noun->word, word);
		}
	}
	if (command == NULL)
		unknown_word(noun ? noun->word : NULL, word, f);
	return command;
}

static int run(struct words *words, struct globals *globals, struct failure *f)
{
	struct invocation invocation = {.globals = globals};
	if (globals_parse(words, globals, f) != 0)
		return CODE_USAGE;
	if (globals->version) {
		printf("essaim %s\n", ESSAIM_VERSION);
		return CODE_DONE;
	}
	if (globals->help)
		return explain(words, f);
	const struct command *command = resolve(words, f);
	if (command == NULL)
		return CODE_USAGE;
	int code = arguments_parse(command, words, &invocation, f);
	if (code == CODE_DONE && command->run != NULL)
		code = command->run(&invocation);
	else if (code == CODE_DONE)
		code = (command->perform ? command->perform : request_run)(&invocation, f);
	json_decref(invocation.args);
	return code;
}

/* A result that was not written is a failure, except to a reader who has seen enough. */
static int flush(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno == EPIPE)
		return code;
	fprintf(stderr, "essaim: cannot write to standard output: %s\n", strerror(errno));
	return code == CODE_DONE ? CODE_FAILED : code;
}

int main(int argc, char **argv)
{
	struct words words = {.count = argc > 0 ? argc - 1 : 0, .list = argv + 1};
	struct globals globals;
	struct failure f = {0};
	/* How wide characters are; numbers and sorting stay plain. */
	setlocale(LC_CTYPE, "");
	/* A reader or a daemon that goes away is an error to report, not a reason to die. */
	signal(SIGPIPE, SIG_IGN);
	int code = run(&words, &globals, &f);
	if (code != CODE_DONE && *f.what)
		failure_print(&f, globals.json);
	return flush(code);
}
