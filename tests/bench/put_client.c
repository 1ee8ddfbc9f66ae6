/*
 * put_client.c: puts through a daemon's control socket, without the cost of starting a program for
 * each. usage: put_client SOCKET COUNT CLIENTS
 *
 * CLIENTS children put COUNT values each, one after the other; every put's latency in nanoseconds
 * is one line of the output, and the last line is the wall time of all of it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void read_all(int fd, void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, (char *)to + done, size - done);

		if (n <= 0)
			exit(3);
		done += (size_t)n;
	}
}

/* One request on a connection of its own, as the protocol wants it; exits unless the code is 0. */
static void put(const char *path, int client, int number)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char request[256], answer[4096];
	int size = snprintf(request + 4, sizeof request - 4,
	                    "{\"verb\":\"kv put\",\"args\":{\"key\":\"bench/%d/%d\",\"value\":\"0123456789abcdef0123456789abcdef"
	                    "0123456789abcdef0123456789abcdef\"},\"timeout_ms\":10000}",
	                    client, number % 100);
	uint32_t length = htonl((uint32_t)size);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(request, &length, 4);
	strncpy(to.sun_path, path, sizeof to.sun_path - 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
	    write(fd, request, (size_t)size + 4) != size + 4)
		exit(2);
	read_all(fd, &length, 4);
	length = ntohl(length);
	if (length >= sizeof answer)
		exit(4);
	read_all(fd, answer, length);
	answer[length] = '\0';
	close(fd);
	if (!strstr(answer, "\"code\":0") && !strstr(answer, "\"code\": 0")) {
		fprintf(stderr, "%s\n", answer);
		exit(5);
	}
}

static void run(const char *path, int client, int count)
{
	int64_t *took = calloc((size_t)count, sizeof *took);

	if (!took)
		exit(6);
	for (int i = 0; i < count; i++) {
		int64_t began = now_ns();

		put(path, client, i);
		took[i] = now_ns() - began;
	}
	for (int i = 0; i < count; i++)
		printf("%lld\n", (long long)took[i]);
	free(took);
	exit(fflush(stdout) ? 7 : 0);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: put_client SOCKET COUNT CLIENTS\n");
		return 2;
	}
	int count = atoi(argv[2]), clients = atoi(argv[3]), failed = 0;
	int64_t began = now_ns();

	for (int c = 0; c < clients; c++)
		if (fork() == 0)
			run(argv[1], c, count);
	for (int c = 0; c < clients; c++) {
		int status;

		if (wait(&status) < 0 || status != 0)
			failed = 1;
	}
	printf("%lld\n", (long long)(now_ns() - began));
	return failed;
}
