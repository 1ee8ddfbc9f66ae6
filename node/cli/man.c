#include "man.h"
#include "commands.h"
#include "setting.h"

#include <stdio.h>
#include <string.h>

/* troff's own characters made plain; a line of text may not begin with a dot or a quote. */
static void put(const char *text)
{
	bool start = true;
	for (const char *p = text; *p; p++) {
		if (start && (*p == '.' || *p == '\''))
			printf("\\&");
		start = *p == '\n';
		if (*p == '\\')
			printf("\\e");
		else if (*p == '-')
			printf("\\-");
		else if (*p == '\'')
			printf("\\(aq");
		else if (p[0] == '\n' && p[1] == '\n')
			printf("\n.PP"); /* an empty line ends a paragraph */
		else
			putchar(*p);
	}
}

static void put_options(const struct option *options)
{
	for (const struct option *o = options; o->name != NULL; o++) {
		printf(".TP\n.B \\-\\-");
		put(o->name);
		if (o->value != NULL) {
			printf(" \\fR\\fI");
			put(o->value);
			printf("\\fR");
		}
		putchar('\n');
		put(o->help);
		if (o->fallback != NULL && o->kind != OPTION_WORD) {
			printf(" (");
			put(o->fallback);
			printf(")");
		}
		putchar('\n');
	}
}

static void put_settings(void)
{
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting_info *info = setting_info((enum setting)i);
		printf(".TP\n.B ");
		put(info->name);
		printf(" \\fR(");
		put(info->legal);
		printf(")\\fR\n");
		put(info->meaning);
		if (*info->standard) {
			printf(" (");
			put(info->standard);
			printf(")");
		}
		putchar('\n');
	}
}

static void put_examples(const struct example *examples)
{
	for (const struct example *e = examples; e->line != NULL; e++) {
		printf(".RS\n.nf\n\\fB");
		put(e->line);
		printf("\\fR\n.fi\n");
		if (e->means != NULL) {
			put(e->means);
			putchar('\n');
		}
		printf(".RE\n");
	}
}

static void put_command(const struct command *command)
{
	char usage[256];
	command_usage(command, usage, sizeof usage);
	printf(".SS essaim ");
	put(usage);
	putchar('\n');
	put(command->summary);
	printf(".\n.PP\n");
	put(command->help);
	putchar('\n');
	put_options(command->options);
	if (command->arguments[0].is_setting)
		put_settings();
	printf(".PP\nExamples:\n");
	put_examples(command->examples);
}

static void put_commands(const char *noun)
{
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (noun == NULL ? c->noun == NULL : c->noun != NULL && strcmp(c->noun, noun) == 0)
			put_command(c);
}

static void put_ending(void)
{
	printf(
	    ".SH EXIT STATUS\n"
	    ".TP\n.B 0\ndone\n"
	    ".TP\n.B 1\nrefused or failed\n"
	    ".TP\n.B 2\nthe command line was wrong; nothing was done\n"
	    ".TP\n.B 3\nthere is no master, and nothing was sent that may still be committed\n"
	    ".TP\n.B 4\nthe outcome is unknown: the write may be done, or may still be\n"
	    ".SH ENVIRONMENT\n"
	    ".TP\n.B ESSAIM_SOCKET\nthe daemon\\(aqs socket, if \\-\\-socket is not given\n"
	    ".SH FILES\n"
	    ".TP\n.I /run/essaim/essaim.sock\nthe daemon\\(aqs socket. Root, the daemon\\(aqs own "
	    "user and the group\nessaim may write; others may read.\n"
	    ".SH SEE ALSO\n.BR essaimd (8),\n.BR essaim\\-sim (1)\n");
}

void man_page(void)
{
	printf(
	    ".\\\" Printed by: essaim help --man. Change node/cli/commands.c, not this file.\n"
	    ".TH ESSAIM 1 \"\" \"essaim %s\" \"User commands\"\n"
	    ".SH NAME\nessaim \\- talk to the cluster through the daemon on this machine\n"
	    ".SH SYNOPSIS\n.B essaim\n[\\fIVERB\\fR | \\fINOUN\\fR [\\fIVERB\\fR]] "
	    "[\\fIARGUMENT\\fR...] [\\fIOPTION\\fR...]\n"
	    ".SH DESCRIPTION\nEvery command works on any node; what only the master can decide is "
	    "sent on to it.\nA bare essaim is its status; a bare noun is its list or show.\n.PP\n"
	    "Standard output is data, standard error is talk. With \\-\\-json the result is "
	    "printed\n"
	    "as JSON; an error then comes on standard output as\n"
	    "{\"error\": {\"what\", \"why\", \"hint\"}, \"code\"}. What follows changes (events, "
	    "kv watch)\n"
	    "prints one compact object per line.\n"
	    ".SH OPTIONS\nThey may stand anywhere; after \\-\\- nothing is an option.\n",
	    ESSAIM_VERSION);
	put_options(global_options);
	printf(".SH COMMANDS\n");
	put_commands(NULL);
	for (const struct noun *n = nouns; n->word != NULL; n++) {
		printf(".SH ESSAIM %s\n%s\n", n->word, n->summary);
		put_commands(n->word);
	}
	put_ending();
}
