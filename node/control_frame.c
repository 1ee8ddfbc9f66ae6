#include "control_frame.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void control_length_write(uint32_t size, uint8_t out[CONTROL_LENGTH_SIZE])
{
	for (int i = 0; i < CONTROL_LENGTH_SIZE; i++)
		out[i] = (uint8_t)(size >> (24 - 8 * i));
}

bool control_length_read(const uint8_t in[CONTROL_LENGTH_SIZE], uint32_t max, uint32_t *out_size)
{
	uint32_t size = 0;
	for (int i = 0; i < CONTROL_LENGTH_SIZE; i++)
		size = size << 8 | in[i];
	*out_size = size;
	return size > 0 && size <= max;
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	while (size > 0) {
		ssize_t written = send(fd, at, size, MSG_NOSIGNAL);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		size -= (size_t)written;
	}
	return 0;
}

int control_frame_write(int fd, const char *json, size_t size)
{
	if (size == 0 || size > CONTROL_FRAME_MAX)
		return -EMSGSIZE;
	uint8_t length[CONTROL_LENGTH_SIZE];
	control_length_write((uint32_t)size, length);
	int status = write_all(fd, length, sizeof length);
	return status < 0 ? status : write_all(fd, json, size);
}

static int wait_readable(int fd, int patience_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int ready;
	do
		ready = poll(&p, 1, patience_ms);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -errno;
	return ready == 0 ? -ETIMEDOUT : 0;
}

static int read_all(int fd, void *out, size_t size, int patience_ms)
{
	for (size_t used = 0; used < size;) {
		int status = wait_readable(fd, patience_ms);
		if (status < 0)
			return status;
		ssize_t got = read(fd, (char *)out + used, size - used);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return -EPIPE;
		if (got > 0)
			used += (size_t)got;
	}
	return 0;
}

int control_frame_read(int fd, char **out, size_t *out_size, int patience_ms)
{
	uint8_t length[CONTROL_LENGTH_SIZE];
	uint32_t size;
	int status = read_all(fd, length, sizeof length, patience_ms);
	if (status < 0)
		return status;
	if (!control_length_read(length, CONTROL_REPLY_MAX, &size))
		return -EMSGSIZE;
	char *json = malloc((size_t)size + 1);
	if (json == NULL)
		return -ENOMEM;
	status = read_all(fd, json, size, patience_ms);
	if (status < 0) {
		free(json);
		return status;
	}
	json[size] = '\0';
	*out = json;
	*out_size = size;
	return 0;
}
