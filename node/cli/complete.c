#include "complete.h"
#include "commands.h"
#include "setting.h"

#include <stdio.h>
#include <string.h>

static void print_option_words(const struct option *options)
{
	for (const struct option *o = options; o->name != NULL; o++)
		printf(" --%s", o->name);
}

/* The verbs of a noun; with NULL the top-level verbs. */
static void print_verbs(const char *noun)
{
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (noun == NULL ? c->noun == NULL : c->noun != NULL && strcmp(c->noun, noun) == 0)
			printf(" %s", c->verb);
}

static void print_nouns(void)
{
	for (const struct noun *n = nouns; n->word != NULL; n++)
		printf(" %s", n->word);
}

/* "'kv put'|..." -> its options; with the names of members where a row takes one. */
static void print_rows(void)
{
	for (const struct command *c = commands; c->verb != NULL; c++) {
		char name[64];
		if (c->run != NULL)
			continue; /* help: print_help_words */
		command_name(c, name, sizeof name);
		printf("\t'%s')\n\t\twords=\"", name);
		print_option_words(c->options);
		if (c->arguments[0].is_node)
			printf(" $(_essaim_nodes)");
		for (int i = 0; c->arguments[0].is_setting && i < SETTINGS; i++)
			printf(" %s", setting_info((enum setting)i)->name);
		printf("\" ;;\n");
	}
}

static void print_choices(const struct option *options)
{
	for (const struct option *o = options; o->name != NULL; o++) {
		if (o->kind == OPTION_LIST)
			printf("\t--%s) COMPREPLY=($(compgen -W \"$(_essaim_nodes)\" -- \"$current\")); "
			       "return ;;\n", o->name);
		if (o->kind != OPTION_CHOICE)
			continue;
		printf("\t--%s) words=\"", o->name);
		for (const char *p = o->value; *p; p++)
			putchar(*p == '|' ? ' ' : *p);
		printf("\"; COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); return ;;\n");
	}
}

static void print_option_values(void)
{
	printf("\tcase $previous in\n"
	       "\t--socket) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n");
	for (const struct command *c = commands; c->verb != NULL; c++)
		print_choices(c->options);
	printf("\tesac\n");
}

static void print_help_words(void)
{
	printf("\t'help')\n\t\twords=\"");
	print_nouns();
	print_verbs(NULL);
	print_option_words(command_find(NULL, "help")->options);
	printf("\" ;;\n");
	for (const struct noun *n = nouns; n->word != NULL; n++) {
		printf("\t'help %s')\n\t\twords=\"", n->word);
		print_verbs(n->word);
		printf("\" ;;\n");
	}
}

static void print_noun_words(void)
{
	printf("\t'')\n\t\twords=\"");
	print_nouns();
	print_verbs(NULL);
	printf("\" ;;\n");
	for (const struct noun *n = nouns; n->word != NULL; n++) {
		printf("\t'%s')\n\t\twords=\"", n->word);
		print_verbs(n->word);
		printf("\" ;;\n");
	}
}

void complete_bash(void)
{
	printf("# bash completion for essaim %s, printed by: essaim help --complete bash\n\n"
	       "_essaim_nodes()\n{\n"
	       "\tessaim node list --json --timeout 1s 2>/dev/null |\n"
	       "\t\tsed -n 's/^    \"name\": \"\\([a-z0-9.-]*\\)\".*/\\1/p'\n}\n\n"
	       "_essaim()\n{\n"
	       "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tlocal words='' typed='' i\n"
	       "\tCOMPREPLY=()\n",
	       ESSAIM_VERSION);
	print_option_values();
	/* What was typed so far, without options: at most a noun and a verb count. */
	printf("\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t--socket|--timeout) ((i++)) ;;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) typed+=\"${typed:+ }${COMP_WORDS[i]}\" ;;\n"
	       "\t\tesac\n\tdone\n"
	       "\tcase $typed in\n");
	print_noun_words();
	print_help_words();
	print_rows();
	printf("\tesac\n\tif [[ $current == -* ]]; then\n\t\twords+=\"");
	print_option_words(global_options);
	printf("\"\n\tfi\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n\n"
	       "complete -F _essaim essaim\n");
}
