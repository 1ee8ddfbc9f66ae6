/*
 * kernel_log_main.c: essaim-kernel-log, a helper of the hand: kernel_log.h on /dev/kmsg, from what it still
 * holds, without end. Takes no arguments: it reads this one file, whoever asks. Ends with 1 and a sentence when
 * nothing more can be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel_log.h"

#define LOG "/dev/kmsg"
#define REFUSED_MAX 1000 /* in a row; each refusal skips a record, so this is no log */

static int fail(const char *what)
{
	fprintf(stderr, "'" LOG "' %s\n", what);
	return 1;
}

/* Records were overwritten before we read them, or one is larger than the kernel says it can be. */
static bool is_skipped(int error)
{
	return error == EPIPE || error == EINTR || error == EINVAL;
}

int main(void)
{
	char record[KERNEL_LOG_RECORD_MAX + 1], line[KERNEL_LOG_RECORD_MAX + 1];
	int refused = 0, fd = open(LOG, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(strerror(errno));
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		ssize_t got = read(fd, record, KERNEL_LOG_RECORD_MAX);
		if (got == 0)
			return fail("ends: it is not the kernel's log");
		if (got < 0 && (!is_skipped(errno) || ++refused > REFUSED_MAX))
			return fail(strerror(errno));
		if (got < 0)
			continue;
		refused = 0;
		record[got] = '\0';
		if (kernel_log_line(record, line, sizeof line) && puts(line) < 0)
			return fail("is read, and nobody listens");
	}
}
