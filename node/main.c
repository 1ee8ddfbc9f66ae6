/*
 * main.c: essaimd. Options over the file over the defaults, then the body runs in the foreground.
 * Exit codes: 0 stopped cleanly (or left, removed, reset), 1 the world refused, 2 usage.
 */
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "body.h"
#include "config.h"
#include "journal.h"
#include "metrics_page.h"
#include "resolve_child.h"
#include "seal.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define ADDRESSES_TEXT_MAX 512

struct options {
	const char *file;
	const char *name, *data, *socket, *hand;
	const char *http, *hooks;
	char listen[ADDRESSES_TEXT_MAX], advertise[ADDRESSES_TEXT_MAX]; /* with commas */
	bool check, help, version, metrics_page;
};

static const char usage[] =
	"usage: essaimd --name NAME --listen ADDRESS:PORT [--data DIR] [--socket PATH]\n"
	"               [--config FILE] [--check-config]\n"
	"\n"
	"The daemon of one node. It runs in the foreground and waits for 'essaim init' or\n"
	"'essaim join'; after a restart it simply resumes.\n"
	"\n"
	"  --name NAME            this node's name in the cluster\n"
	"  --listen ADDRESS:PORT  UDP and TCP; up to 4 times, for several networks\n"
	"                         (default port 7800)\n"
	"  --advertise ADDRESS:PORT  where the others reach this node, if that is not\n"
	"                         where it listens; up to 4 times\n"
	"  --http ADDRESS:PORT    where the read-only web page listens, or off\n"
	"                         (127.0.0.1:7801)\n"
	"  --hooks DIR            executables around operations (/etc/essaim/hooks)\n"
	"  --data DIR             folder of the key and the store (/var/lib/essaim)\n"
	"  --socket PATH          control socket (/run/essaim/essaim.sock)\n"
	"  --hand PATH            socket of essaim-hand (none)\n"
	"  --config FILE          read this file; options override it\n"
	"  --check-config         print the effective config and exit\n"
	"  --metrics-page         print essaim-metrics(7) and exit\n"
	"  --version, --help\n";

/* What is too long is cut, and then one address too many. */
static void add_address(char list[ADDRESSES_TEXT_MAX], const char *value)
{
	size_t used = strlen(list);
	snprintf(list + used, ADDRESSES_TEXT_MAX - used, "%s%s", used > 0 ? "," : "", value);
}

/* False: not understood (getopt has said why). */
static bool parse_options(int argc, char **argv, struct options *out)
{
	static const struct option known[] = {
		{"name", required_argument, NULL, 'n'},   {"data", required_argument, NULL, 'd'},
		{"listen", required_argument, NULL, 'l'}, {"socket", required_argument, NULL, 's'},
		{"advertise", required_argument, NULL, 'a'},
		{"http", required_argument, NULL, 'w'},   {"hand", required_argument, NULL, 'r'},
		{"hooks", required_argument, NULL, 'k'},
		{"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'C'},
		{"version", no_argument, NULL, 'V'},      {"help", no_argument, NULL, 'h'},
		{"metrics-page", no_argument, NULL, 'm'},
		{NULL, 0, NULL, 0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'n': out->name = optarg; break;
		case 'd': out->data = optarg; break;
		case 'l': add_address(out->listen, optarg); break;
		case 'a': add_address(out->advertise, optarg); break;
		case 's': out->socket = optarg; break;
		case 'r': out->hand = optarg; break;
		case 'w': out->http = optarg; break;
		case 'k': out->hooks = optarg; break;
		case 'c': out->file = optarg; break;
		case 'C': out->check = true; break;
		case 'm': out->metrics_page = true; break;
		case 'V': out->version = true; break;
		case 'h': out->help = true; break;
		default: return false; /* characters, not an enum */
		}
	}
	if (optind < argc)
		fprintf(stderr, "essaimd: '%s' is not understood\n", argv[optind]);
	return optind == argc;
}

static int override_in(struct node_config *config, const char *section, const char *key,
                       const char *option, const char *value, struct error *error)
{
	struct error reason;
	int status = value != NULL ? node_config_set(config, section, key, value, &reason) : 0;
	return status < 0 ? error_set(error, status, "--%s: %.300s", option, reason.text) : 0;
}

static int override(struct node_config *config, const char *key, const char *value,
                    struct error *error)
{
	return override_in(config, "node", key, key, value, error);
}

/* NULL: not given. */
static const char *given(const char *list)
{
	return list[0] != '\0' ? list : NULL;
}

static int make_config(const struct options *options, struct node_config *out, struct error *error)
{
	node_config_defaults(out);
	int status = options->file != NULL ? node_config_read(out, options->file, error) : 0;
	if (status == 0)
		status = override(out, "name", options->name, error);
	if (status == 0)
		status = override(out, "data", options->data, error);
	if (status == 0)
		status = override(out, "listen", given(options->listen), error);
	if (status == 0)
		status = override(out, "advertise", given(options->advertise), error);
	if (status == 0)
		status = override(out, "socket", options->socket, error);
	if (status == 0)
		status = override(out, "hand", options->hand, error);
	if (status == 0)
		status = override(out, "hooks", options->hooks, error);
	if (status == 0)
		status = override_in(out, "http", "listen", "http", options->http, error);
	if (status == 0)
		status = node_config_check(out, error);
	return status;
}

/* What is opened next must not become 0, 1 or 2: a log line would go into a peer's stream. */
static void hold_standard_descriptors(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Two streams a member, at worst: a large cluster needs more than the usual soft limit of 1024. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const struct node_config *config)
{
	static struct body body;
	struct error error;
	/* One arena: the store's thread allocates little, and a second would keep its peak for ever. */
	mallopt(M_ARENA_MAX, 1);
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	if (seal_start() < 0) {
		fprintf(stderr, "essaimd: libsodium cannot start\n");
		return EXIT_FAILED;
	}
	journal_start((enum journal_format)config->format, (enum rule_level)config->level);
	int status;
	do { /* more than once if its key is changed */
		status = body_open(&body, config, &error);
		if (status == 0)
			status = body_run(&body, &error);
		if (status < 0)
			journal_say(LEVEL_error, "%s", error.text);
		body_close(&body);
	} while (status == 0 && body.again);
	return status < 0 ? EXIT_FAILED : EXIT_DONE;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--resolve") == 0)
		return resolve_main(argv[2]); /* our own child: resolve_child.h */
	struct options options = {0};
	struct node_config config;
	struct error error;
	hold_standard_descriptors();
	if (!parse_options(argc, argv, &options)) {
		fputs("try 'essaimd --help'\n", stderr);
		return EXIT_USAGE;
	}
	if (options.metrics_page) {
		metrics_page(stdout);
		return EXIT_DONE;
	}
	if (options.help || options.version) {
		fputs(options.help ? usage : "essaimd " ESSAIM_VERSION "\n", stdout);
		return EXIT_DONE;
	}
	if (make_config(&options, &config, &error) < 0) {
		fprintf(stderr, "essaimd: %s\n", error.text);
		return EXIT_USAGE;
	}
	if (options.check) {
		node_config_print(&config, stdout);
		return EXIT_DONE;
	}
	return run(&config);
}
