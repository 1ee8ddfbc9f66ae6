/*
 * agent.c: runs scripts inside a machine of the lab, over a virtio-serial port, so that a cut
 * network never keeps a test from looking.
 *
 *     host: "ID SECONDS SCRIPT_BYTES INPUT_BYTES\n" script input
 *     here: "ID STATUS OUTPUT_BYTES\n" output        STATUS: exit code, 128 + signal, or 124: out of time
 *
 * Invariants
 *   1. Requests run side by side: one that hangs (a suspended device) holds up no other.
 *   2. Each is answered exactly once, even if its process cannot be killed.
 *
 * Only the test's own host can talk to the port; what it sends is trusted, and a nonsense ends the agent.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_MAX (64u << 20)
#define OUTPUT_MAX (16u << 20)
#define OUT_OF_TIME 124

struct request {
	unsigned id, seconds, script_size, input_size;
	char *bytes; /* script, then input */
};

static void die(const char *why)
{
	fprintf(stderr, "lab agent: %s\n", why);
	exit(1);
}

static void read_all(int port, char *into, size_t size)
{
	while (size > 0) {
		ssize_t n = read(port, into, size);
		if (n <= 0) { /* nobody has the other end open yet */
			usleep(20000);
			continue;
		}
		into += n;
		size -= (size_t)n;
	}
}

static void write_all(int to, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(to, bytes, size);
		if (n < 0)
			die("cannot write");
		bytes += n;
		size -= (size_t)n;
	}
}

static struct request read_request(int port)
{
	char line[80];
	size_t at = 0;
	do {
		if (at + 1 == sizeof(line))
			die("a request's first line is too long");
		read_all(port, &line[at], 1);
	} while (line[at++] != '\n');
	line[at] = '\0';
	struct request r = {0};
	if (sscanf(line, "%u %u %u %u", &r.id, &r.seconds, &r.script_size, &r.input_size) != 4 ||
	    r.script_size > REQUEST_MAX || r.input_size > REQUEST_MAX)
		die("not a request");
	r.bytes = malloc((size_t)r.script_size + r.input_size + 1);
	if (!r.bytes)
		die("no memory");
	read_all(port, r.bytes, (size_t)r.script_size + r.input_size);
	return r;
}

static int file_of(const char *bytes, size_t size)
{
	int fd = memfd_create("lab", 0);
	if (fd < 0)
		die("no memory file");
	write_all(fd, bytes, size);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static pid_t start(const struct request *r, int output)
{
	int script = file_of(r->bytes, r->script_size);
	int input = file_of(r->bytes + r->script_size, r->input_size);
	pid_t child = fork();
	if (child != 0)
		return child;
	setsid();
	dup2(input, 0);
	dup2(output, 1);
	dup2(output, 2);
	char path[40];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", script);
	execl("/bin/sh", "sh", path, (char *)NULL);
	_exit(127);
}

/* Its status; OUT_OF_TIME after `seconds`, with everything it started asked to end. */
static int wait_for(pid_t child, unsigned seconds)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	if (pidfd < 0 || poll(&ended, 1, (int)seconds * 1000) != 1) {
		kill(-child, SIGKILL);
		return OUT_OF_TIME;
	}
	int status = 0;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void serve(const struct request *r, int port)
{
	int output = file_of("", 0);
	int status = wait_for(start(r, output), r->seconds);
	off_t size = lseek(output, 0, SEEK_END);
	if (size > (off_t)OUTPUT_MAX)
		size = OUTPUT_MAX;
	char *bytes = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, output, 0) : NULL;
	char line[80];
	int length = snprintf(line, sizeof(line), "%u %d %lld\n", r->id, status, (long long)size);
	int lock = open("/run/lab-agent.lock", O_CREAT | O_RDWR, 0600);
	flock(lock, LOCK_EX); /* one answer at a time */
	write_all(port, line, (size_t)length);
	write_all(port, bytes, (size_t)size);
	_exit(0);
}

int main(int argc, char **argv)
{
	int port = argc == 2 ? open(argv[1], O_RDWR) : -1;
	if (port < 0)
		die("usage: lab-agent /dev/vportNpM");
	signal(SIGCHLD, SIG_IGN);
	write_all(port, "READY\n", 6);
	for (;;) {
		struct request r = read_request(port);
		if (fork() == 0) {
			signal(SIGCHLD, SIG_DFL);
			serve(&r, port);
		}
		free(r.bytes);
	}
}
