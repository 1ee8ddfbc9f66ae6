/*
 * main.c: essaim-hand, the only part of essaim with privileges.
 *
 *     essaim-hand --user essaim                 a listening socket is descriptor 3 (systemd's essaim-hand.socket)
 *     essaim-hand [--user NAME] -- essaimd …    it starts the daemon itself, joined by a socket pair
 *
 * Under systemd the two are units of their own: one unit would give the daemon, which parses the
 * network, the loose sandbox that LVM and DRBD need. Elsewhere the hand starts the daemon, and then
 * there is no name in the file system at all. Either way it gets one descriptor and no network.
 *
 * Exit: that of the daemon it started; 0 after a stop; 1 the world refused, 2 usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "group.h"
#include "hand.h"

#define LISTENER 3 /* where systemd puts the first socket */

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct options {
	const char *user, *hooks, *cgroup;
	bool help, version;
	char **daemon; /* NULL: listen */
};

static const char usage[] =
	"usage: essaim-hand [--user NAME] [--hooks DIR] [--cgroup own|DIR] [-- essaimd ARGUMENTS]\n"
	"\n"
	"Runs, as root, the few programs of a fixed table for essaimd, which has no\n"
	"privileges. With a command after '--' it starts that as the daemon; without, it\n"
	"expects a listening socket from systemd.\n"
	"\n"
	"  --user NAME     who the daemon is; nobody else is served\n"
	"  --hooks DIR     folder of the hooks (/etc/essaim/hooks)\n"
	"  --cgroup DIR    where each job gets a cgroup; own: below the hand's\n"
	"  --version, --help\n";

static int fail(const char *what, const char *subject)
{
	fprintf(stderr, "essaim-hand: %s '%s': %s\n", what, subject, strerror(errno));
	return EXIT_FAILED;
}

static bool parse_options(int argc, char **argv, struct options *out)
{
	static const struct option known[] = {
		{"user", required_argument, NULL, 'u'},   {"hooks", required_argument, NULL, 'k'},
		{"cgroup", required_argument, NULL, 'g'}, {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (option) {
		case 'u': out->user = optarg; break;
		case 'k': out->hooks = optarg; break;
		case 'g': out->cgroup = optarg; break;
		case 'V': out->version = true; break;
		case 'h': out->help = true; break;
		default: return false; /* characters, not an enum */
		}
	}
	out->daemon = optind < argc ? argv + optind : NULL;
	return true;
}

/* Descriptors 0 to 2 are open: what comes next is none of them. */
static void hold_standard_descriptors(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void find_places(const struct options *options, struct job_places *out)
{
	ssize_t size = readlink("/proc/self/exe", out->helpers, sizeof out->helpers - 1);
	char *slash = size > 0 ? memrchr(out->helpers, '/', (size_t)size) : NULL;
	if (slash != NULL)
		*slash = '\0';
	out->hooks = options->hooks;
	if (options->cgroup != NULL && strcmp(options->cgroup, "own") == 0)
		group_own(out->cgroup, sizeof out->cgroup);
	else if (options->cgroup != NULL)
		snprintf(out->cgroup, sizeof out->cgroup, "%s", options->cgroup);
}

static bool catch_signals(struct hand *h)
{
	sigset_t ours;
	sigemptyset(&ours);
	for (int i = 0; i < 4; i++)
		sigaddset(&ours, (int[]){SIGCHLD, SIGTERM, SIGINT, SIGHUP}[i]);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	h->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return h->signals >= 0;
}

/* ---- the daemon as our child ---- */

static bool drop_privileges(const struct passwd *user)
{
	return initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 &&
	       setuid(user->pw_uid) == 0 && (user->pw_uid == 0 || setuid(0) < 0);
}

static void become_daemon(const struct options *options, const struct passwd *user, int link)
{
	sigset_t none;
	char number[16];
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(number, sizeof number, "%d", link);
	setenv("ESSAIM_HAND_FD", number, 1);
	fcntl(link, F_SETFD, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (user != NULL && !drop_privileges(user))
		_exit(fail("cannot become", user->pw_name));
	execvp(options->daemon[0], options->daemon);
	_exit(fail("cannot run", options->daemon[0]));
}

static bool start_daemon(struct hand *h, const struct options *options, const struct passwd *user)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	h->daemon = fork();
	if (h->daemon == 0)
		become_daemon(options, user, pair[1]);
	close(pair[1]);
	h->link = pair[0];
	h->listener = -1;
	h->state_due = true;
	return h->daemon > 0;
}

static bool take_listener(struct hand *h)
{
	int type = 0;
	socklen_t size = sizeof type;
	const char *count = getenv("LISTEN_FDS");
	h->listener = LISTENER;
	fcntl(LISTENER, F_SETFD, FD_CLOEXEC);
	fcntl(LISTENER, F_SETFL, O_NONBLOCK);
	return count != NULL && strcmp(count, "1") == 0 &&
	       getsockopt(LISTENER, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

static int exit_code(const struct hand *h)
{
	if (WIFSIGNALED(h->daemon_status))
		return 128 + WTERMSIG(h->daemon_status);
	return WEXITSTATUS(h->daemon_status);
}

static int run(const struct options *options)
{
	static struct hand h;
	const struct passwd *user = options->user != NULL ? getpwnam(options->user) : NULL;
	if (options->user != NULL && user == NULL) {
		fprintf(stderr, "essaim-hand: there is no user '%s'\n", options->user);
		return EXIT_FAILED;
	}
	h.link = -1;
	h.peer = user != NULL ? user->pw_uid : geteuid();
	for (int i = 0; i < HAND_JOBS_MAX; i++)
		job_free(&h.jobs[i]);
	find_places(options, &h.places);
	if (!catch_signals(&h))
		return fail("cannot catch", "signals");
	if (options->daemon != NULL && !start_daemon(&h, options, user))
		return fail("cannot start", options->daemon[0]);
	if (options->daemon == NULL && !take_listener(&h)) {
		fprintf(stderr, "essaim-hand: no listening socket came from systemd, and no daemon is named after '--'\n");
		return EXIT_USAGE;
	}
	hand_loop(&h);
	return exit_code(&h);
}

int main(int argc, char **argv)
{
	struct options options = {.hooks = "/etc/essaim/hooks"};
	if (!parse_options(argc, argv, &options)) {
		fputs("try 'essaim-hand --help'\n", stderr);
		return EXIT_USAGE;
	}
	if (options.help || options.version) {
		fputs(options.help ? usage : "essaim-hand " ESSAIM_VERSION "\n", stdout);
		return EXIT_DONE;
	}
	hold_standard_descriptors();
	return run(&options);
}
