#include "commands.h"
#include "help.h"
#include "prepare.h"
#include "show.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
#define NODE_NAME {.word = "NAME", .key = "name", .is_node = true}
#define KEY {.word = "KEY", .key = "key"}
#define PREFIX {.word = "PREFIX", .key = "prefix", .count = ARGUMENT_OPTIONAL}
#define LOCAL {"local", NULL, "local", OPTION_FLAG, NULL, \
	       "read this node's own copy, which may be older, without asking the master"}
#define IF_VERSION {"if-version", "N", "if_version", OPTION_NUMBER, NULL, \
		    "only if the key is at version N now; 0: only if it does not exist"}
#define YES {"yes", NULL, NULL, OPTION_FLAG, NULL, "do not ask on a terminal"}

/* clang-format on */

const struct option global_options[] = {
    {"socket", "PATH", NULL, OPTION_TEXT, "/run/essaim/essaim.sock",
     "the daemon's socket; the variable ESSAIM_SOCKET says the same"},
    {"timeout", "DURATION", NULL, OPTION_DURATION, "10s", "how long to wait for an answer"},
    {"json", NULL, NULL, OPTION_FLAG, NULL, "print the result, or the error, as JSON"},
    {"help", NULL, NULL, OPTION_FLAG, NULL, "explain the command and do nothing"},
    {"version", NULL, NULL, OPTION_FLAG, NULL, "print the version of this program"},
    {0},
};

const struct noun nouns[] = {
    {"node", "the members of the cluster and what they think of each other"},
    {"master", "the one member that may decide, elected by lease"},
    {"token", "one-time secrets with which new nodes join"},
    {"kv", "a small replicated key-value store for your own use"},
    {0},
};

/* clang-format off */
const struct command commands[] = {
	{
		.verb = "init", .writes = true, .verify = "essaim status",
		.arguments = {{.word = "NAME", .key = "name"}},
		.options = {{"profile", "default|lan", "profile", OPTION_CHOICE, "default",
			     "how fast a dead master is replaced; equal on all nodes"}},
		.summary = "found a new cluster with this node as its first member",
		.help = "NAME becomes this node's name in the cluster: at most 63 of a-z, 0-9,\n"
			"'.' and '-'. The daemon must not belong to a cluster yet.\n"
			"\n"
			"The profile is committed once and holds for every node. 'default'\n"
			"suits machines that are sometimes slow; 'lan' replaces a dead master\n"
			"faster and wants a quiet, quick network.",
		.examples = {{"essaim init n1", "found a cluster; this node is n1"},
			     {"essaim init n1 --profile lan", "the same, with the short lease"}},
		.show = show_founded,
	},
	{
		.verb = "join", .writes = true, .verify = "essaim status",
		.arguments = {{.word = "ADDRESS", .key = "addresses", .count = ARGUMENT_MANY}},
		.options = {{"token", "TOKEN", "token", OPTION_REQUIRED, NULL,
			     "made by 'essaim token create' on any member"},
			    {"name", "NAME", "name", OPTION_TEXT, NULL,
			     "this node's name; otherwise the daemon's own --name"}},
		.summary = "make this node a member of an existing cluster",
		.help = "ADDRESS is any member's, as IP or IP:PORT ([IPv6]:PORT); the port is\n"
			"7800 unless said otherwise. Several addresses are tried in turn. Any\n"
			"member will do: it need not be the master.\n"
			"\n"
			"Both sides prove that they know the token before either says anything\n"
			"else.",
		.examples = {{"essaim join 192.0.2.1 --token essaim1-...",
			      "join through one member"},
			     {"essaim join 192.0.2.1 192.0.2.2:7801 --token essaim1-... --name n3",
			      "two members to try, and a name of its own"}},
		.show = show_founded,
	},
	{
		.verb = "leave", .writes = true, .verify = "essaim node list (on another member)",
		.options = {YES},
		.summary = "take this node out of the cluster and stop its daemon",
		.help = "The departure is committed first, so nobody will wait for this node;\n"
			"then its daemon stops. To come back it must be reset ('essaim node\n"
			"reset') and join anew.\n"
			"\n"
			"For a machine that is gone for good, use 'essaim node remove' on\n"
			"another member.",
		.examples = {{"essaim leave", "on the machine that leaves"}},
		.prepare = prepare_confirmed, .show = show_done,
	},
	{
		.verb = "status",
		.summary = "this node, its cluster, the master, and what needs attention",
		.help = "The first thing to look at. It answers on every node, with or without\n"
			"a master, and exits with 0 as long as the daemon answers. When there\n"
			"is no master it says how many voters are needed and which are\n"
			"unreachable.",
		.examples = {{"essaim", "the same: status is the default"},
			     {"essaim status --json", "for programs"}},
		.show = show_status,
	},
	{
		.verb = "events", .follows = true,
		.options = {{"follow", NULL, "follow", OPTION_FLAG, NULL,
			     "go on printing new events as they happen"},
			    {"lines", "N", "lines", OPTION_NUMBER, "50",
			     "begin with the last N events"}},
		.summary = "what this node noticed: elections, suspicions, joins, departures",
		.help = "Each line ends with the name of the rule that made the decision, in\n"
			"brackets: the daemon's log shows the same sentence. With --json each\n"
			"event is one line.",
		.examples = {{"essaim events --lines 200", "the last two hundred"},
			     {"essaim events --follow", "watch; end with Ctrl-C"}},
		.show = show_event,
	},
	{
		.verb = "version",
		.summary = "the version of the daemon and of the wire format it speaks",
		.help = "Nodes of different versions work together as long as their wire ranges\n"
			"meet. The version of this program alone: 'essaim --version'.",
		.examples = {{"essaim version", NULL}},
		.show = show_version,
	},
	{
		.verb = "help",
		.arguments = {{.word = "NOUN", .key = "noun", .count = ARGUMENT_OPTIONAL},
			      {.word = "VERB", .key = "verb", .count = ARGUMENT_OPTIONAL}},
		.options = {{"complete", "bash", "complete", OPTION_CHOICE, NULL,
			     "print a completion script for that shell"},
			    {"man", NULL, "man", OPTION_FLAG, NULL,
			     "print the manual page essaim(1)"}},
		.summary = "explain a command, a noun, or everything",
		.help = "Every command also explains itself with --help.",
		.examples = {{"essaim help kv", "the verbs of a noun"},
			     {"essaim help kv put", "one command, with examples"},
			     {"source <(essaim help --complete bash)", "complete words with Tab"}},
		.run = help_run,
	},
	{
		.noun = "node", .verb = "list", .bare = true,
		.summary = "all members: state, duty, address, since when, accused by whom",
		.help = "STATE is this node's opinion: reachable, suspect, unreachable, unknown\n"
			"(never heard since the daemon started), left or removed. DUTY is\n"
			"master, voter or nothing. INC is the incarnation: how often that\n"
			"daemon was started. Below the table stands why a node is not\n"
			"reachable, and who says so.",
		.examples = {{"essaim node", "the same: list is the default"}},
		.show = show_nodes,
	},
	{
		.noun = "node", .verb = "show",
		.arguments = {NODE_NAME},
		.summary = "everything known of one member: key, clock, versions, facts",
		.help = "The clock line compares its wall clock with ours. Facts are what that\n"
			"node says of itself, each with the time since it reached this node.",
		.examples = {{"essaim node show n2", NULL}},
		.show = show_node,
	},
	{
		.noun = "node", .verb = "remove", .writes = true, .verify = "essaim node list",
		.arguments = {NODE_NAME},
		.options = {YES},
		.summary = "remove a member for ever; its key can never come back",
		.help = "For machines that are lost, or must be shut out. The decision is\n"
			"committed; the removed daemon is told and stops, and all open tokens\n"
			"are revoked, since it may know them. The machine itself may join again\n"
			"after 'essaim node reset', as a new node with a new key.",
		.examples = {{"essaim node remove n3", "asks for the name on a terminal"},
			     {"essaim node remove n3 --yes", "does not ask"}},
		.prepare = prepare_confirmed, .show = show_done,
	},
	{
		.noun = "node", .verb = "reset", .writes = true, .verify = "essaim status",
		.options = {YES},
		.summary = "make a removed node blank again, so that it can join anew",
		.help = "Wipes what essaim keeps on this machine (keys, ledger, peers) and\n"
			"nothing else. It is refused while the node is a member in good\n"
			"standing: leave first, or be removed.",
		.examples = {{"essaim node reset", "on the machine that was removed"}},
		.prepare = prepare_confirmed, .show = show_done,
	},
	{
		.noun = "master", .verb = "show", .bare = true,
		.summary = "who is master, in which epoch, and for how long",
		.help = "Exits with 3 if this node knows of no master. The epoch grows with\n"
			"every change of master; the lease is renewed long before it ends.",
		.examples = {{"essaim master", "the same: show is the default"}},
		.show = show_master,
	},
	{
		.noun = "master", .verb = "transfer", .writes = true,
		.verify = "essaim master show",
		.arguments = {{.word = "NAME", .key = "to", .count = ARGUMENT_OPTIONAL,
			       .is_node = true}},
		.summary = "hand the lease to another voter, without a gap",
		.help = "Without NAME the master picks whoever is fit. Nothing is lost: it\n"
			"waits until the new master has everything that was committed.",
		.examples = {{"essaim master transfer n2", NULL}},
		.show = show_done,
	},
	{
		.noun = "token", .verb = "create", .writes = true, .verify = "essaim token list",
		.options = {{"role", "node", "role", OPTION_CHOICE, "node", "what it admits"},
			    {"expires", "DURATION", "expires_ms", OPTION_DURATION, "3h",
			     "how long it is good for: 90s, 3h, 7d"},
			    {"uses", "N", "uses", OPTION_NUMBER, "1", "how many nodes it admits"}},
		.summary = "make a token with which a new node can join",
		.help = "The token goes to standard output and nowhere else: the cluster keeps\n"
			"only a hash, so it cannot be shown again. Whoever has it can join, so\n"
			"hand it over with care.",
		.examples = {{"essaim token create", "for one node, within three hours"},
			     {"essaim token create --uses 4 --expires 30m", "for four"}},
		.show = show_token,
	},
	{
		.noun = "token", .verb = "list", .bare = true,
		.summary = "tokens that were made: role, expiry, uses left",
		.help = "The secret part is not shown; it is not kept anywhere.",
		.examples = {{"essaim token", "the same: list is the default"}},
		.show = show_tokens,
	},
	{
		.noun = "token", .verb = "revoke", .writes = true, .verify = "essaim token list",
		.arguments = {{.word = "ID", .key = "id"}},
		.summary = "make a token useless from now on",
		.help = "ID is the one in 'essaim token list'. Nodes that already joined stay.",
		.examples = {{"essaim token revoke 5f3a9c0b11d2e477", NULL}},
		.show = show_done,
	},
	{
		.noun = "kv", .verb = "get",
		.arguments = {KEY},
		.options = {LOCAL},
		.summary = "print the value of a key",
		.help = "Asks the master, so the value is the latest that was committed. With\n"
			"--local it comes from this node at once, even without a master. Only\n"
			"the value is printed, byte for byte; --json adds the version. Exits\n"
			"with 1 if there is no such key.",
		.examples = {{"essaim kv get motd", NULL},
			     {"essaim kv get motd --local --json", "with version and age"}},
		.show = show_value,
	},
	{
		.noun = "kv", .verb = "put", .writes = true, .verify = "essaim kv get --json",
		.arguments = {KEY, {.word = "VALUE", .key = "value"}},
		.options = {IF_VERSION},
		.summary = "set a key, on any node",
		.help = "VALUE is at most 64 KiB; '-' reads it from standard input, byte for\n"
			"byte. If it begins with '--', put '--' before it. With --if-version\n"
			"the write is refused if somebody else was faster: read, change, write\n"
			"back, try again.",
		.examples = {{"essaim kv put motd 'back at noon'", NULL},
			     {"essaim kv put motd - < /etc/motd", "from a file"},
			     {"essaim kv put lock mine --if-version 0", "only if nobody has it"}},
		.prepare = prepare_put, .show = show_put,
	},
	{
		.noun = "kv", .verb = "delete", .writes = true, .verify = "essaim kv get",
		.arguments = {KEY},
		.options = {IF_VERSION},
		.summary = "delete a key",
		.help = "With --if-version it is refused if the key has changed meanwhile.",
		.examples = {{"essaim kv delete motd", NULL}},
		.show = show_done,
	},
	{
		.noun = "kv", .verb = "list", .bare = true,
		.arguments = {PREFIX},
		.options = {LOCAL},
		.summary = "the keys, their versions and sizes",
		.help = "With PREFIX only keys that begin with it.",
		.examples = {{"essaim kv", "all of them: list is the default"},
			     {"essaim kv list web/", "those below web/"}},
		.show = show_keys,
	},
	{
		.noun = "kv", .verb = "watch", .follows = true,
		.arguments = {PREFIX},
		.summary = "print each change of a key as this node learns of it",
		.help = "Goes on until Ctrl-C. With --json each change is one line; the value\n"
			"is null when the key was deleted.",
		.examples = {{"essaim kv watch web/", NULL}},
		.prepare = prepare_watch, .show = show_change,
	},
	{0},
};

/* clang-format on */

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

const struct noun *noun_find(const char *word)
{
	for (const struct noun *n = nouns; n->word != NULL; n++)
		if (same(n->word, word))
			return n;
	return NULL;
}

const struct command *command_find(const char *noun, const char *verb)
{
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (same(c->noun, noun) && same(c->verb, verb))
			return c;
	return NULL;
}

const struct command *command_bare(const char *noun)
{
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (c->bare && same(c->noun, noun))
			return c;
	return NULL;
}

void command_name(const struct command *command, char *out, size_t size)
{
	if (command->noun == NULL)
		snprintf(out, size, "%s", command->verb);
	else
		snprintf(out, size, "%s %s", command->noun, command->verb);
}

/* snprintf at the end of what `out` holds. */
static void append(char *out, size_t size, const char *before, const char *text, const char *after)
{
	size_t used = strlen(out);
	snprintf(out + used, size - used, "%s%s%s", before, text, after);
}

void command_usage(const struct command *command, char *out, size_t size)
{
	command_name(command, out, size);
	for (const struct argument *a = command->arguments; a->word != NULL; a++) {
		bool optional = a->count == ARGUMENT_OPTIONAL;
		append(out, size, optional ? " [" : " ", a->word,
		       optional                    ? "]"
		       : a->count == ARGUMENT_MANY ? "..."
						   : "");
	}
	for (const struct option *o = command->options; o->name != NULL; o++) {
		bool required = o->kind == OPTION_REQUIRED;
		append(out, size, required ? " --" : " [--", o->name, o->value ? " " : "");
		append(out, size, o->value ? o->value : "", required ? "" : "]", "");
	}
}
