/*
 * Completion for zsh and fish, from the same table as bash's.
 */
#include "commands.h"
#include "complete.h"

#include <stdio.h>
#include <string.h>

/* Within single quotes of a shell. */
static void print_quoted(const char *text)
{
	putchar('\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			printf("'\\''");
		else
			putchar(*text);
	}
	putchar('\'');
}

/* ---- zsh: 'word:what it means' ---- */

static void print_zsh_word(const char *word, const char *means)
{
	char text[512];
	size_t used = 0;
	for (const char *p = word; *p != '\0' && used + 2 < sizeof text; p++) {
		if (*p == ':')
			text[used++] = '\\';
		text[used++] = *p;
	}
	snprintf(text + used, sizeof text - used, ":%s", means);
	printf("\t\t\t");
	print_quoted(text);
	putchar('\n');
}

static void print_zsh_case(const char *typed)
{
	printf("\t(");
	print_quoted(typed);
	printf(")\n\t\tfound=(\n");
}

static void print_zsh_verbs(const char *noun)
{
	for (const struct command *c = commands; c->verb != NULL; c++) {
		if (noun == NULL ? c->noun == NULL : c->noun != NULL && strcmp(c->noun, noun) == 0)
			print_zsh_word(c->verb, c->summary);
	}
}

static void print_zsh_options(const struct option *options)
{
	for (const struct option *o = options; o->name != NULL; o++) {
		char word[64];
		snprintf(word, sizeof word, "--%s", o->name);
		print_zsh_word(word, o->help);
	}
}

static void print_zsh_row(const struct command *c)
{
	char name[64];
	command_name(c, name, sizeof name);
	print_zsh_case(name);
	print_zsh_options(c->options);
	printf("\t\t)\n");
	if (c->arguments[0].is_node)
		printf("\t\tfound+=(${(f)\"$(_essaim_nodes)\"})\n");
	printf("\t\t;;\n");
}

void complete_zsh(void)
{
	printf("#compdef essaim\n"
	       "# zsh completion for essaim %s, printed by: essaim help --complete zsh\n\n"
	       "_essaim_nodes() {\n\tessaim node list --json --timeout 1s 2>/dev/null |\n"
	       "\t\tsed -n 's/^    \"name\": \"\\([a-z0-9.-]*\\)\".*/\\1/p'\n}\n\n"
	       "_essaim() {\n\tlocal -a found globals\n\tlocal typed='' i skip=0\n"
	       "\tfor ((i = 2; i < CURRENT; i++)); do\n"
	       "\t\tif ((skip)); then skip=0; continue; fi\n"
	       "\t\tcase ${words[i]} in\n"
	       "\t\t(--socket|--timeout) skip=1 ;;\n\t\t(-*) ;;\n"
	       "\t\t(*) typed+=\"${typed:+ }${words[i]}\" ;;\n\t\tesac\n\tdone\n"
	       "\tcase $typed in\n",
	       ESSAIM_VERSION);
	print_zsh_case("");
	for (const struct noun *n = nouns; n->word != NULL; n++)
		print_zsh_word(n->word, n->summary);
	print_zsh_verbs(NULL);
	printf("\t\t) ;;\n");
	for (const struct noun *n = nouns; n->word != NULL; n++) {
		print_zsh_case(n->word);
		print_zsh_verbs(n->word);
		printf("\t\t) ;;\n");
	}
	for (const struct command *c = commands; c->verb != NULL; c++)
		print_zsh_row(c);
	printf("\tesac\n\tglobals=(\n");
	print_zsh_options(global_options);
	printf("\t)\n\t_describe -t words word found\n"
	       "\t[[ $PREFIX == -* ]] && _describe -t options option globals\n}\n\n"
	       "_essaim \"$@\"\n");
}

/* ---- fish ---- */

static void print_fish(const char *typed, const char *word, const char *means)
{
	printf("complete -c essaim -f -n \"__essaim_typed ");
	print_quoted(typed);
	printf("\" %s", word[0] == '-' ? "-l " : "-a ");
	print_quoted(word[0] == '-' ? word + 2 : word);
	printf(" -d ");
	print_quoted(means);
	putchar('\n');
}

static void print_fish_options(const char *typed, const struct option *options)
{
	for (const struct option *o = options; o->name != NULL; o++) {
		char word[64];
		snprintf(word, sizeof word, "--%s", o->name);
		print_fish(typed, word, o->help);
	}
}

static void print_fish_row(const struct command *c)
{
	char name[64];
	command_name(c, name, sizeof name);
	if (c->noun != NULL)
		print_fish(c->noun, c->verb, c->summary);
	else
		print_fish("", c->verb, c->summary);
	print_fish_options(name, c->options);
	if (!c->arguments[0].is_node)
		return;
	printf("complete -c essaim -f -n \"__essaim_typed ");
	print_quoted(name);
	printf("\" -a '(__essaim_nodes)'\n");
}

void complete_fish(void)
{
	printf("# fish completion for essaim %s, printed by: essaim help --complete fish\n\n"
	       "function __essaim_nodes\n\tessaim node list --json --timeout 1s 2>/dev/null |\n"
	       "\t\tsed -n 's/^    \"name\": \"\\([a-z0-9.-]*\\)\".*/\\1/p'\nend\n\n"
	       "# Is what was typed so far, without options, exactly this?\n"
	       "function __essaim_typed\n\tset -l skip 0\n\tset -l out\n"
	       "\tset -l line (commandline -opc)\n"
	       "\tfor word in $line[2..]\n\t\tif test $skip = 1\n\t\t\tset skip 0\n\t\t\tcontinue\n\t\tend\n"
	       "\t\tswitch $word\n\t\t\tcase --socket --timeout\n\t\t\t\tset skip 1\n"
	       "\t\t\tcase '-*'\n\t\t\tcase '*'\n\t\t\t\tset -a out $word\n\t\tend\n\tend\n"
	       "\ttest \"$out\" = \"$argv\"\nend\n\n",
	       ESSAIM_VERSION);
	for (const struct noun *n = nouns; n->word != NULL; n++)
		print_fish("", n->word, n->summary);
	for (const struct command *c = commands; c->verb != NULL; c++)
		print_fish_row(c);
	for (const struct option *o = global_options; o->name != NULL; o++) {
		printf("complete -c essaim -f -l %s -d ", o->name);
		print_quoted(o->help);
		putchar('\n');
	}
}
