#include "commands.h"
#include "add.h"
#include "auth.h"
#include "examine.h"
#include "backup.h"
#include "help.h"
#include "operation.h"
#include "prepare.h"
#include "seize.h"
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
#define WITNESS(help) {"witness", NULL, "role", OPTION_WORD, "node", help}
#define OPERATION {.word = "OP", .key = "operation"}
#define JOB_NAME {.word = "NAME", .key = "name"}
#define DETACH {"detach", NULL, "detach", OPTION_FLAG, NULL, \
		"print the operation's number and do not wait for its end"}
#define DRY_RUN {"dry-run", NULL, "dry_run", OPTION_FLAG, NULL, \
		 "only say what would be done, or why not"}
#define STORAGE_NAME {.word = "NAME", .key = "name"}
#define VOLUME_NAME {.word = "STORAGE/NAME", .key = "volume"}
#define VOLUME_NODE {"node", "NAME", "node", OPTION_TEXT, NULL, "on this node; needed if several have one of that name"}
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
    {"cluster", "what all members agreed on: voters, settings, generation; its backup"},
    {"token", "one-time secrets with which new nodes join"},
    {"clock", "the clocks of all nodes, compared"},
    {"dns", "the name service of all nodes, judged"},
    {"storage", "where volumes can lie, as each node sees it"},
    {"volume", "the volumes of all nodes"},
    {"drbd", "resources that two nodes share, seen from both sides"},
    {"doctor", "what is wrong in the cluster, and the command that mends it"},
    {"op", "operations: what the cluster does for somebody, until it ends"},
    {"job", "operations that begin by themselves, at a time or again and again"},
    {"hook", "executables of your own, run on a node or around every operation"},
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
			     "made by 'essaim token create' on any member; '-' reads it from standard input"},
			    {"name", "NAME", "name", OPTION_TEXT, NULL,
			     "this node's name; otherwise the daemon's own --name"},
			    WITNESS("join as a witness: it votes and keeps the ledger, no more")},
		.summary = "make this node a member of an existing cluster",
		.help = "ADDRESS is any member's, as IP or IP:PORT ([IPv6]:PORT); the port is\n"
			"7800 unless said otherwise. Several addresses are tried in turn. Any\n"
			"member will do: it need not be the master.\n"
			"\n"
			"Both sides prove that they know the token before either says anything\n"
			"else.\n"
			"\n"
			"A witness is never master and runs nothing. It is the third vote of two\n"
			"machines, at home on a small board. Its token is made with 'essaim\n"
			"token create --witness'.\n"
			"\n"
			"If it fails it looks for the cause by itself, as 'essaim doctor auth'.",
		.examples = {{"essaim join 192.0.2.1 --token essaim1-...",
			      "join through one member"},
			     {"essaim join 192.0.2.1 192.0.2.2:7801 --token essaim1-... --name n3",
			      "two members to try, and a name of its own"},
			     {"essaim join 192.0.2.1 --token essaim1-... --witness",
			      "only to vote"}},
		.perform = join_perform, .show = show_founded,
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
		.verb = "audit",
		.options = {{"lines", "N", "lines", OPTION_NUMBER, "50", "the last N"}},
		.summary = "every operation and job that anybody asked for, and what became of it",
		.help = "The number of an operation is its name: 'essaim op show' tells all of one.\n"
			"The last few thousand are kept. Who is what the kernel of the node says\n"
			"on which it was asked.",
		.examples = {{"essaim audit --lines 5", "the last five"}},
		.show = show_audit,
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
		.options = {{"complete", "bash|zsh|fish", "complete", OPTION_CHOICE, NULL,
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
		.options = {{"wide", NULL, "wide", OPTION_FLAG, NULL,
			     "also the versions, and what each machine is and how full and busy"}},
		.summary = "all members: state, duty, address, since when, accused by whom",
		.help = "STATE is this node's opinion: reachable, suspect, unreachable, unknown\n"
			"(never heard since the daemon started), left or removed. DUTY is\n"
			"master, voter or nothing. INC is the incarnation: how often that\n"
			"daemon was started. Below the table stands why a node is not\n"
			"reachable, and who says so.",
		.examples = {{"essaim node", "the same: list is the default"},
			     {"essaim node list --wide", "before and after an upgrade"}},
		.show = show_nodes,
	},
	{
		.noun = "node", .verb = "show",
		.arguments = {NODE_NAME},
		.summary = "everything known of one member: key, clock, machine, paths, facts",
		.help = "The clock line compares its wall clock with ours. A path is a pair of\n"
			"addresses, ours and its; the node is reachable as long as one of them\n"
			"works. Facts are what that node says of itself, each with the time\n"
			"since it reached this node.\n"
			"\n"
			"If two processes use this node's key, or its disk went back in time,\n"
			"it says so with both addresses.",
		.examples = {{"essaim node show n2", NULL}},
		.show = show_node,
	},
	{
		.noun = "node", .verb = "add", .writes = true, .verify = "essaim node list",
		.arguments = {{.word = "USER@HOST[:PORT]", .key = "target"}},
		.options = {{"host-key", "SHA256:...", "host_key", OPTION_TEXT, NULL,
			     "the key that machine must show, as ssh-keygen -l prints it there"},
			    {"identity", "FILE", "identity", OPTION_TEXT, NULL,
			     "log in with this key file and nothing else"},
			    {"package", "FILE", "package", OPTION_TEXT, NULL,
			     "the essaim .deb to install there, also over another version"},
			    {"no-install", NULL, "no_install", OPTION_FLAG, NULL,
			     "install nothing: refuse if essaim is not there"},
			    {"name", "NAME", "name", OPTION_TEXT, NULL,
			     "the new member's name; otherwise its daemon's own"},
			    WITNESS("as a witness: it votes and keeps the ledger, no more"),
			    {"through", "ADDRESS", "through", OPTION_TEXT, NULL,
			     "where it is to join; otherwise this node, then other members"},
			    {"dry-run", NULL, "dry_run", OPTION_FLAG, NULL,
			     "print the steps and do nothing"}},
		.summary = "make another machine a member, from here, over ssh",
		.help = "Logs in there as root, looks, installs essaim if it is missing, starts it,\n"
			"and lets it join with a token made for this one join. The token goes\n"
			"over the connection, on no command line, and is revoked if the join\n"
			"fails. One line a step; an error names the step, why, what is done\n"
			"already, and the command that helps. A second try begins anew and\n"
			"leaves alone what is right.\n"
			"\n"
			"The machine must show a key that known_hosts has, or --host-key names;\n"
			"else it is shown to you, once, and remembered when you type yes. Keys of\n"
			"the agent and of ~/.ssh are tried, then a password is asked for.\n"
			"~/.ssh/config is not read.\n"
			"\n"
			"Without --package the one that apt-get fetched to install essaim here,\n"
			"and kept, is taken if that machine has none; one that was installed\n"
			"from a file has to be named. Its address is the one that its\n"
			"/etc/essaim/essaim.conf says; the first is made from its route outside.",
		.examples = {{"essaim node add root@192.0.2.7", "essaim is there, or apt-get kept it here"},
			     {"essaim node add root@192.0.2.7 --package essaim_0.1.0_amd64.deb",
			      "install this one first"},
			     {"essaim node add root@pi:2222 --witness --host-key SHA256:...",
			      "from a script"}},
		.perform = add_perform, .show = show_added,
	},
	{
		.noun = "node", .verb = "remove", .writes = true, .verify = "essaim node list",
		.arguments = {NODE_NAME},
		.options = {YES},
		.summary = "remove a member for ever; its key can never come back",
		.help = "For machines that are lost, or must be shut out. The decision is\n"
			"committed; the removed daemon is told and stops, and all open tokens\n"
			"are revoked, since it may know them. The machine itself may join again\n"
			"after 'essaim node reset', as a new node with a new key.\n"
			"\n"
			"A voter is let go first, and another member takes its place if there\n"
			"is one; a master hands over first. It is refused, with the reason, if\n"
			"what is left could not decide anything any more.",
		.examples = {{"essaim node remove n3", "asks for the name on a terminal"},
			     {"essaim node remove n3 --yes", "does not ask"}},
		.prepare = prepare_confirmed, .show = show_done,
	},
	{
		.noun = "node", .verb = "rekey", .writes = true, .verify = "essaim node list",
		.options = {YES},
		.summary = "give this node a new key; its name and its state stay",
		.help = "For a key that somebody may have copied: a backup that was lost, a\n"
			"disk that was sold. The old key signs for the new one, the cluster\n"
			"commits it, and from then on the old key opens nothing. If this node\n"
			"is master it hands over first; if it votes, it is let go first.\n"
			"\n"
			"Run it on the machine itself. The old key must still be there: if it\n"
			"is lost, 'essaim node remove' elsewhere and join anew.",
		.examples = {{"essaim node rekey", "on the machine whose key is to change"}},
		.prepare = prepare_confirmed, .show = show_rekeyed,
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
		.summary = "hand the lease to another voter at once",
		.help = "Without NAME the master picks whoever is fit. Asked on any node. Nothing\n"
			"is lost: the new master has everything that was committed before it\n"
			"begins, and writes wait for the few milliseconds between. It is refused,\n"
			"with the reason, if NAME does not vote, is a witness, is unreachable or\n"
			"lags behind.\n"
			"\n"
			"A daemon that is stopped cleanly hands over by itself.",
		.examples = {{"essaim master transfer", "to whoever is fit"},
			     {"essaim master transfer n2", "to n2, or not at all"}},
		.show = show_transfer,
	},
	{
		.noun = "master", .verb = "seize", .writes = true, .verify = "essaim cluster show",
		.options = {{"dead", "A,B", "dead", OPTION_LIST, NULL,
			     "nodes that are dead and stay dead; otherwise all unreachable ones"},
			    {"confirm", "A,B", "confirm", OPTION_LIST, NULL,
			     "for scripts: the same names again, instead of typing them"}},
		.summary = "found the cluster anew when its majority is lost for good",
		.help = "The last resort. Without a majority of the voters nobody can be master.\n"
			"If the missing ones will come back, bring them back instead: nothing\n"
			"is lost then. If they are gone for good, this node founds a new\n"
			"generation of the cluster with itself as its voter; the members it\n"
			"reaches follow, the ones you name are removed for ever.\n"
			"\n"
			"YOU promise that the named nodes are dead, or powered off and reset\n"
			"before they are switched on again. essaim cannot see that: a node that\n"
			"is only cut off may still be master on its side, and what it took\n"
			"since is lost. It is refused while a majority is reachable, while a\n"
			"named node answers, and on a node that has less than another one.\n"
			"\n"
			"On a terminal it shows what will happen and what is lost, and asks you\n"
			"to type each name and the first eight digits of the cluster's id. A\n"
			"script gives the names twice; there is no --yes.",
		.examples = {{"essaim master seize", "look at it; nothing happens before you typed all"},
			     {"essaim master seize --dead n2,n3", "only these two are dead"},
			     {"essaim master seize --dead n2,n3 --confirm n2,n3", "from a script"}},
		.perform = seize_perform, .show = show_seized,
	},
	{
		.noun = "cluster", .verb = "show", .bare = true,
		.summary = "identity, generations, voters and why these, settings",
		.help = "The voters line says how many there are, how many there should be, and\n"
			"why. Each generation but the first was founded by a seizure or a\n"
			"restore: when, by whom, and without whom.",
		.examples = {{"essaim cluster", "the same: show is the default"}},
		.show = show_cluster,
	},
	{
		.noun = "cluster", .verb = "set", .writes = true, .verify = "essaim cluster show",
		.arguments = {{.word = "NAME", .key = "name", .is_setting = true},
			      {.word = "VALUE", .key = "value"}},
		.summary = "change a setting for the whole cluster",
		.help = "Settings are committed, so they are equal on all nodes. What cannot be\n"
			"changed at once safely, as the times of the lease or the voters, is\n"
			"carried out step by step; 'essaim cluster show' says how far it is.",
		.examples = {{"essaim cluster set voters 5", "five voters, if there are members for it"},
			     {"essaim cluster set profile lan", "replace a dead master faster"}},
		.show = show_setting,
	},
	{
		.noun = "cluster", .verb = "backup",
		.arguments = {{.word = "FILE", .key = "file"}},
		.summary = "write what the cluster agreed on into a file",
		.help = "Keys and values, settings, and (to look at) the members, as this node\n"
			"has them at one moment; with or without a master. On the master nothing\n"
			"that was acknowledged before is missing; another node may be some\n"
			"milliseconds behind.\n"
			"\n"
			"One JSON object a line, a checksum at the end. Neither keys of nodes\n"
			"nor tokens are in it. FILE appears when it is whole; an older one is\n"
			"replaced.",
		.examples = {{"essaim cluster backup /var/backups/essaim.jsonl", NULL}},
		.perform = backup_perform, .show = show_backup,
	},
	{
		.noun = "cluster", .verb = "restore", .writes = true, .verify = "essaim cluster show",
		.arguments = {{.word = "FILE", .key = "file"}},
		.options = {{"name", "NAME", "name", OPTION_TEXT, NULL,
			     "this node's name; otherwise the daemon's own --name"},
			    YES},
		.summary = "found the cluster anew from a backup, on a blank node",
		.help = "For a cluster of which nothing is left. The node must be blank. It\n"
			"becomes the only member of the same cluster in the next generation,\n"
			"with the keys, values and settings of FILE; the others join anew.\n"
			"What was written after the backup is lost. FILE is checked as a whole\n"
			"before anything is changed.\n"
			"\n"
			"If any node of the old cluster still has its data, start that one\n"
			"instead: it knows more than the file.",
		.examples = {{"essaim cluster restore essaim.jsonl --name n1", NULL}},
		.perform = restore_perform, .show = show_restored,
	},
	{
		.noun = "token", .verb = "create", .writes = true, .verify = "essaim token list",
		.options = {WITNESS("admit a witness: a node that votes and does nothing else"),
			    {"expires", "DURATION", "expires_ms", OPTION_DURATION, "3h",
			     "how long it is good for: 90s, 3h, 7d"},
			    {"uses", "N", "uses", OPTION_NUMBER, "1", "how many nodes it admits"}},
		.summary = "make a token with which a new node can join",
		.help = "The token goes to standard output and nowhere else: the cluster keeps\n"
			"only a hash, so it cannot be shown again. Whoever has it can join, so\n"
			"hand it over with care.",
		.examples = {{"essaim token create", "for one node, within three hours"},
			     {"essaim token create --uses 4 --expires 30m", "for four"},
			     {"essaim token create --witness", "for the third vote"}},
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
		.noun = "op", .verb = "list", .bare = true,
		.summary = "operations that are open, with their locks",
		.help = "A lock belongs to its operation and ends with it: who waits for one finds\n"
			"here whose it is. What ended is in 'essaim audit'.",
		.examples = {{"essaim op", "the same: list is the default"}},
		.show = show_operations,
	},
	{
		.noun = "op", .verb = "show", .arguments = {OPERATION},
		.summary = "one operation: who asked, how far it is, how it ended",
		.help = "Also of those that have ended, as long as they are remembered.",
		.examples = {{"essaim op show 12", NULL}},
		.prepare = operation_prepare, .show = show_operation,
	},
	{
		.noun = "op", .verb = "wait", .arguments = {OPERATION},
		.summary = "watch an operation until it ends",
		.help = "Shows how far it is, and ends as the command that began it would have. If the\n"
			"master or this node's daemon goes away meanwhile, it waits until it is back.\n"
			"Ctrl-C ends the watching, not the operation.",
		.examples = {{"essaim op wait 12", NULL}},
		.perform = operation_wait_perform,
	},
	{
		.noun = "op", .verb = "cancel", .arguments = {OPERATION}, .writes = true,
		.options = {{"abandon", NULL, "abandon", OPTION_FLAG, NULL,
			     "give it up: its node will not answer any more. Its locks are free then"}},
		.verify = "essaim op list",
		.summary = "stop an operation where that can be done, and undo it",
		.help = "A step that cannot be stopped is finished first. What was done is undone from\n"
			"the last step to the first.\n"
			"\n"
			"--abandon is for a node that is gone for good: nobody can say how far it got,\n"
			"and nothing is undone there.",
		.examples = {{"essaim op cancel 12", NULL}},
		.perform = operation_cancel_perform, .show = show_done,
	},
	{
		.noun = "job", .verb = "list", .bare = true,
		.summary = "all jobs, and when they run next",
		.help = "LAST is the number of the last run's operation.",
		.examples = {{"essaim job", "the same: list is the default"}},
		.show = show_jobs,
	},
	{
		.noun = "job", .verb = "show", .arguments = {JOB_NAME},
		.summary = "one job: what it does, when, and how the last run was",
		.help = "Why a run was refused is said here.",
		.examples = {{"essaim job show nightly", NULL}},
		.show = show_job,
	},
	{
		.noun = "job", .verb = "add", .writes = true, .verify = "essaim job list",
		.arguments = {JOB_NAME, {.word = "WORDS", .key = "command", .count = ARGUMENT_MANY}},
		.options = {{"every", "DURATION", "every_ms", OPTION_DURATION, NULL, "again and again"},
			    {"at", "TIME", "at", OPTION_TEXT, NULL,
			     "the first time: 14:30, 2026-03-01T14:30, or with a Z for UTC"}},
		.summary = "run an operation at a time, or again and again",
		.help = "After '--' stand the words of an operation, as they would be typed. The master\n"
			"decides by its clock that a run is due, and writes that down first: each run\n"
			"happens once, whoever is master. What was missed while there was none is run\n"
			"once, late.",
		.examples = {{"essaim job add nightly --every 24h --at 02:30 -- hook run n1 backup",
			      "every night on n1"}},
		.perform = job_add_perform, .show = show_done,
	},
	{
		.noun = "job", .verb = "run", .arguments = {JOB_NAME}, .writes = true,
		.verify = "essaim job show",
		.summary = "run a job now, beside its times",
		.help = "Prints the number of the operation; 'essaim op wait' watches it.",
		.examples = {{"essaim job run nightly", NULL}},
		.show = show_job_started,
	},
	{
		.noun = "job", .verb = "remove", .arguments = {JOB_NAME}, .writes = true,
		.verify = "essaim job list",
		.summary = "forget a job; what it has begun goes on",
		.help = "An operation that it began is ended by 'essaim op cancel'.",
		.examples = {{"essaim job remove nightly", NULL}},
		.show = show_done,
	},
	{
		.noun = "hook", .verb = "run", .writes = true, .verify = "essaim op list",
		.arguments = {{.word = "NODE", .key = "node", .is_node = true}, {.word = "NAME", .key = "name"}},
		.options = {{"queue", NULL, "queue", OPTION_FLAG, NULL,
			     "wait while it runs there already, instead of being refused"},
			    DETACH, DRY_RUN},
		.summary = "run an executable of your own on a node, as an operation",
		.help = "NAME is a file in the folder run.d of the hooks of NODE (/etc/essaim/hooks). An\n"
			"exit code of 0 is success; else the first words on its standard error are the\n"
			"reason. It is taken to have changed nothing then. After a crash of that\n"
			"node's daemon it is run again, so it must bear that.\n"
			"\n"
			"Executables in before.d and after.d run around every operation on that node;\n"
			"one in before.d refuses it by an exit code above 0. They read the operation\n"
			"as JSON.",
		.examples = {{"essaim hook run n2 rotate-logs", "and wait for its end"},
			     {"essaim hook run n2 backup --detach", "go on at once"}},
		.perform = operation_perform, .show = show_done,
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
	{
		.noun = "clock", .verb = "show", .bare = true,
		.summary = "by how much they differ, who keeps them, who is off",
		.help = "Every probe compares two clocks; each offset comes with a bound of its error,\n"
			"and nothing is said to be off within it. Rows see columns: +5 ms means the\n"
			"column's clock is ahead. Who is off is found by where most clocks meet.\n"
			"The thresholds are settings: essaim cluster set clock-info 250ms.\n"
			"\n"
			"The lease does not need right clocks, only steady ones. People, logs,\n"
			"tickets and certificates need them right.",
		.examples = {{"essaim clock", "the same: show is the default"}},
		.show = show_clock,
	},
	{
		.noun = "dns", .verb = "show", .bare = true,
		.summary = "each node's name servers, and names that lead elsewhere",
		.help = "Every node asks each of its name servers by itself, for its own name, for each\n"
			"member's name and for the name of each member's address; and it asks the\n"
			"system's resolver (server 'system'), which is what ssh and migrations wait for.",
		.examples = {{"essaim dns", "the same: show is the default"}},
		.show = show_dns,
	},
	{
		.noun = "storage", .verb = "list", .bare = true,
		.options = {{"node", "NAME", "node", OPTION_TEXT, NULL, "only of this node"}},
		.summary = "what is declared and what is there, on every node",
		.help = "First what is declared, with its state on each of its nodes ('storage show' says\n"
			"why), then the volume groups that are there, declared or not.\n"
			"\n"
			"Each node looks by itself and says what changed; what hangs or cannot be seen\n"
			"is said to be old, with the time since when. Below the table: devices that are\n"
			"missing, and PVs that are there twice.",
		.examples = {{"essaim storage", "the same: list is the default"},
			     {"essaim storage list --node b", "of one node"}},
		.show = show_storages,
	},
	{
		.noun = "storage", .verb = "show",
		.arguments = {STORAGE_NAME},
		.summary = "one storage: what is declared, and what each node has of it",
		.help = "The states: fine; missing; not the same (another group of that name, or not on the\n"
			"declared DRBD resource); standby (drbd-lvm: used at its other side); unseen (the\n"
			"node could not look, not mounted: the folder is there and nothing is on it). Below the\n"
			"table: why.",
		.examples = {{"essaim storage show fast", NULL}},
		.show = show_storage,
	},
	{
		.noun = "storage", .verb = "add", .writes = true, .verify = "essaim storage list",
		.arguments = {STORAGE_NAME},
		.options = {{"type", "dir|nfs|zfs|lvm|lvm-thin|drbd-lvm", "type", OPTION_CHOICE, NULL, "what it is; must be given"},
			    {"path", "PATH", "path", OPTION_TEXT, NULL, "dir, nfs: the folder"},
			    {"source", "SERVER:/EXPORT", "source", OPTION_TEXT, NULL, "nfs: what is mounted there"},
			    {"vg", "VG", "vg", OPTION_TEXT, NULL, "lvm, lvm-thin, drbd-lvm: the volume group"},
			    {"pool", "POOL", "pool", OPTION_TEXT, NULL, "lvm-thin: its thin pool; zfs: POOL/DATASET"},
			    {"resource", "RESOURCE", "resource", OPTION_TEXT, NULL, "drbd-lvm: DRBD's resource below the group"},
			    {"nodes", "A,B", "nodes", OPTION_TEXT, NULL, "where it is; else on all nodes, those to come too"},
			    {"shared", NULL, "shared", OPTION_FLAG, NULL, "dir, lvm: its nodes reach one and the same"},
			    {"adopt", NULL, "adopt", OPTION_FLAG, NULL, "take over a marker that no storage here has"},
			    DETACH, DRY_RUN},
		.summary = "declare a storage, once for all nodes",
		.help = "It is declared, not made: folder, mount, group or pool are the administrator's.\n"
			"Each node then says what it has of it. 'storage list' shows both side by side.\n"
			"\n"
			"A shared folder (nfs always is) gets a file .essaim-storage with its id, by one\n"
			"of its nodes; a node that does not see that id there has another folder or an\n"
			"empty mount point. A shared group is proven by its UUID, drbd-lvm by the\n"
			"resource below it. A node that is away learns of it when it is back.",
		.examples = {{"essaim storage add fast --type lvm --vg vg0", "each node's own vg0"},
			     {"essaim storage add vms --type nfs --path /srv/vms --source nas:/vms", NULL},
			     {"essaim storage add r0 --type drbd-lvm --resource r0 --vg vg_r0 --nodes a,b", NULL}},
		.perform = operation_perform, .show = show_done,
	},
	{
		.noun = "storage", .verb = "set", .writes = true, .verify = "essaim storage list",
		.arguments = {STORAGE_NAME},
		.options = {{"nodes", "A,B|all", "nodes", OPTION_TEXT, NULL, "where it is from now on"},
			    {"shared", "yes|no", "shared", OPTION_CHOICE, NULL, "dir, lvm: do its nodes reach one and the same"},
			    DETACH, DRY_RUN},
		.summary = "change on which nodes a storage is, or whether it is shared",
		.help = "Nothing that lies there is touched. Its type and place stay: remove it and add it\n"
			"anew for another.",
		.examples = {{"essaim storage set fast --nodes a,b,c", NULL},
			     {"essaim storage set iso --shared yes", "its folder is marked"}},
		.perform = operation_perform, .show = show_done,
	},
	{
		.noun = "storage", .verb = "remove", .writes = true, .verify = "essaim storage list",
		.arguments = {STORAGE_NAME},
		.options = {DRY_RUN},
		.summary = "forget a storage; what lies there stays",
		.help = "Refused while volumes are recorded on it, or an operation is at work there. The\n"
			"marker of a shared folder stays: 'storage add --adopt' takes it over again.",
		.examples = {{"essaim storage remove iso", NULL}},
		.perform = operation_perform, .show = show_done,
	},
	{
		.noun = "volume", .verb = "list", .bare = true,
		.options = {{"node", "NAME", "node", OPTION_TEXT, NULL, "only of this node"},
			    {"storage", "NAME", "storage", OPTION_TEXT, NULL, "only of this storage, or volume group"}},
		.summary = "volumes that were made here, and all logical volumes of all nodes",
		.help = "First the volumes that 'volume create' made, with their exact sizes; THERE is whether\n"
			"their node sees them (files are not looked at yet). Then what LVM has on each\n"
			"node, whoever made it.\n"
			"\n"
			"FULL is how much of a thin pool, thin volume or snapshot is taken. STATE is off,\n"
			"active, in use (somebody has it open), sick, or unknown where the kernel has no\n"
			"device-mapper to ask.",
		.examples = {{"essaim volume", "the same: list is the default"},
			     {"essaim volume list --storage vg0", "of one volume group, wherever it is"}},
		.show = show_volumes,
	},
	{
		.noun = "volume", .verb = "show",
		.arguments = {VOLUME_NAME}, .options = {VOLUME_NODE},
		.summary = "one volume that was made here: where it is, how large, whose snapshot",
		.help = "Its size is what was asked for, to the byte; LVM rounds up to whole extents.",
		.examples = {{"essaim volume show fast/web", NULL}},
		.show = show_volume,
	},
	{
		.noun = "volume", .verb = "create", .writes = true, .verify = "essaim volume list",
		.arguments = {VOLUME_NAME, {.word = "SIZE", .key = "size"}},
		.options = {VOLUME_NODE,
			    {"inactive", NULL, "inactive", OPTION_FLAG, NULL, "LVM: do not activate it; what lay there before stays readable"},
			    {"sparse", NULL, "sparse", OPTION_FLAG, NULL, "files: room is taken only when it is written to"},
			    DETACH, DRY_RUN},
		.summary = "make a volume on a storage of type dir, nfs, lvm or lvm-thin",
		.help = "SIZE is 20G, 512M, or bytes as 1048576B, of 1024, a multiple of 512 bytes. Where each\n"
			"node has a storage of its own it is made on --node, else where the command is\n"
			"given, if the storage is there.",
		.examples = {{"essaim volume create fast/web 20G --node b", NULL},
			     {"essaim volume create vms/test 100G --sparse", "a file that grows as it is written to"}},
		.perform = operation_perform, .show = show_done,
	},
	{
		.noun = "volume", .verb = "extend", .writes = true, .verify = "essaim volume list",
		.arguments = {VOLUME_NAME, {.word = "SIZE", .key = "size"}},
		.options = {VOLUME_NODE, DETACH, DRY_RUN},
		.summary = "make a volume larger, also while it is used",
		.help = "SIZE is the new size, or +SIZE for that much more. Nothing is ever shrunk. What is on\n"
			"the volume learns of its size by itself: resize2fs, xfs_growfs or the machine.",
		.examples = {{"essaim volume extend fast/web 40G", NULL}, {"essaim volume extend fast/web +5G", NULL}},
		.perform = operation_perform, .show = show_done,
	},
	{
		.noun = "volume", .verb = "rename", .writes = true, .verify = "essaim volume list",
		.arguments = {VOLUME_NAME, {.word = "NEW", .key = "new"}},
		.options = {VOLUME_NODE, DETACH, DRY_RUN},
		.summary = "give a volume another name on its storage",
		.help = "Refused while it is used: whoever uses it would look for its old path.",
		.examples = {{"essaim volume rename fast/web web-old", NULL}},
		.perform = operation_perform, .show = show_done,
	},
	{
		.noun = "volume", .verb = "snapshot", .writes = true, .verify = "essaim volume list",
		.arguments = {VOLUME_NAME, {.word = "NEW", .key = "new"}},
		.options = {{"room", "SIZE", "room", OPTION_TEXT, NULL, "lvm: how much may change before the snapshot is lost; else all"},
			    VOLUME_NODE, DETACH, DRY_RUN},
		.summary = "keep a volume as it is now, as a volume of its own",
		.help = "On lvm-thin it shares what is unchanged and can be written to. On lvm it takes room\n"
			"of its own, and keeps its origin from being removed. A file is copied: at once\n"
			"where the file system shares blocks, else whole, and then it must not be in use.",
		.examples = {{"essaim volume snapshot fast/web web-monday --room 2G", NULL}},
		.perform = operation_perform, .show = show_done,
	},
	{
		.noun = "volume", .verb = "remove", .writes = true, .verify = "essaim volume list",
		.arguments = {VOLUME_NAME},
		.options = {VOLUME_NODE, DETACH, DRY_RUN},
		.summary = "remove a volume and all that is on it",
		.help = "Refused while it is in use, with the word by what: mounted, below DRBD, open, the\n"
			"origin of snapshots. Only what 'volume create' made is removed, whatever has\n"
			"the same name.",
		.examples = {{"essaim volume remove fast/web --node b", NULL}},
		.perform = operation_perform, .show = show_done,
	},

	{
		.noun = "drbd", .verb = "list", .bare = true,
		.summary = "each resource with a verdict from both sides' own words",
		.help = "Two nodes' views are put side by side. The verdicts: fine, resyncing, verifying;\n"
			"differs (a verify found blocks), connecting, diverged (a split brain when they\n"
			"meet), disconnected (by hand), authentication, options, unrelated, split-brain,\n"
			"stale (believed up to date, and is not), degraded, empty, down, unknown.",
		.examples = {{"essaim drbd", "the same: list is the default"}},
		.show = show_drbds,
	},
	{
		.noun = "drbd", .verb = "show",
		.arguments = {{.word = "RESOURCE", .key = "name"}},
		.summary = "one resource as each of its nodes sees it",
		.help = "What each side says of itself and of the other, and what both together mean.",
		.examples = {{"essaim drbd show r0", NULL}},
		.show = show_drbd,
	},
	{
		.noun = "doctor", .verb = "examine", .bare = true, .bare_takes = true,
		.arguments = {{.word = "AREA", .key = "area", .count = ARGUMENT_OPTIONAL}},
		.options = {{"node", "NAME", "node", OPTION_TEXT, NULL,
			     "only what concerns this node"},
			    {"ignore", "CODE,CODE", "ignore", OPTION_LIST, NULL,
			     "leave these out"}},
		.summary = "everything that is wrong on the nodes that answer",
		.help = "AREA is one of clock, dns, network, quorum, version, disk, host.\n"
			"Each finding has a code that stays the same, what it is, why it matters and a\n"
			"command to paste. Exits with 0 while nothing that was found is an error, so\n"
			"that it can be used as a check. Nodes examine themselves all the time: this\n"
			"only asks what they found.",
		.examples = {{"essaim doctor", "examine is the default"},
			     {"essaim doctor clock", "only clocks"},
			     {"essaim doctor --node n2 --ignore VOTERS_TWO", "of n2, without that"}},
		.perform = doctor_perform, .show = show_findings,
	},
	{
		.noun = "doctor", .verb = "auth",
		.arguments = {{.word = "ADDRESS", .key = "address"}},
		.options = {{"token", "TOKEN", "token", OPTION_TEXT, NULL,
			     "the token that did not work ('-': standard input); without it the member "
			     "tells nothing"},
			    {"name", "NAME", "name", OPTION_TEXT, NULL,
			     "the name to join under; otherwise the daemon's own --name"}},
		.summary = "why this node cannot join, or reach, the member at an address",
		.help = "Looks at the way there (TCP, UDP, the largest packet) and, once the token\n"
			"has proven itself, asks the member what would become of a join: token,\n"
			"key, name, versions, master, both clocks, both name services. It never\n"
			"joins, and does not use the token up. On a node that belongs to no\n"
			"cluster yet, and on a member.\n"
			"\n"
			"One line a point: ok, wrong or unknown, and below what is wrong the\n"
			"command that mends it. Mend the first one first. Exits with 0 while\n"
			"nothing is wrong.",
		.examples = {{"essaim doctor auth 192.0.2.1 --token essaim1-...",
			      "on the node that is to join"}},
		.perform = auth_perform, .show = show_auth,
	},
	{
		.noun = "doctor", .verb = "explain",
		.arguments = {{.word = "CODE", .key = "code", .count = ARGUMENT_OPTIONAL}},
		.summary = "what a code means; without one, all of them",
		.help = "Works without a daemon.",
		.examples = {{"essaim doctor explain NAME_MISMATCH", NULL}},
		.perform = doctor_explain,
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
