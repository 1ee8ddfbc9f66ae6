#include "client.h"
#include "control_frame.h"
#include "human.h"
#include "json.h"
#include "spinner.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define GRACE_MS 1000 /* invariant 2: what the daemon gets for saying that the time is up */
#define FRAME_PATIENCE_MS 5000 /* a local daemon that began a frame ends it at once */

static int cannot_connect(const char *path, int error, struct failure *f)
{
	char what[256];
	snprintf(what, sizeof what, "cannot reach the daemon at '%s'", path);
	switch (error) {
	case ENOENT:
		failure_set(f, CODE_FAILED, what,
			    "no such socket; it is not running, or listens elsewhere");
		failure_hint(f, "systemctl start essaimd, or name its socket with --socket PATH");
		break;
	case ECONNREFUSED:
		failure_set(f, CODE_FAILED, what, "nobody listens there; it has stopped");
		failure_hint(f, "systemctl start essaimd");
		break;
	case EACCES:
	case EPERM:
		failure_set(f, CODE_FAILED, what, "permission denied");
		failure_hint(f, "sudo essaim ..., or join the group essaim");
		break;
	case EAGAIN: /* the backlog was full for all of the time limit */
		failure_set(f, CODE_FAILED, what,
			    "it takes no connections; it is overloaded or paused");
		failure_hint(f, "systemctl status essaimd");
		break;
	default:
		failure_set(f, CODE_FAILED, what, strerror(error));
		break;
	}
	return CODE_FAILED;
}

/* The connected socket, or -1 with *f filled. */
static int client_connect(const struct exchange *x, struct failure *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {x->timeout_ms / 1000, x->timeout_ms % 1000 * 1000};
	if (strlen(x->socket) >= sizeof address.sun_path) {
		cannot_connect(x->socket, ENAMETOOLONG, f);
		return -1;
	}
	memcpy(address.sun_path, x->socket, strlen(x->socket) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		cannot_connect(x->socket, errno, f);
		return -1;
	}
	/* Also bounds connect(2), which waits while the daemon's backlog is full. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	cannot_connect(x->socket, errno, f);
	close(fd);
	return -1;
}

static int send_request(int fd, const struct exchange *x)
{
	json_t *request = json_pack("{s:s, s:O, s:i}", "verb", x->verb, "args", x->args,
				    "timeout_ms", x->timeout_ms);
	assert(request != NULL);
	char *text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (text == NULL)
		return -EINVAL;
	int result = control_frame_write(fd, text, strlen(text));
	free(text);
	size_t size;
	const char *part;
	while (result == 0 && x->next_part != NULL && (part = x->next_part(x->context, &size)) != NULL)
		result = control_frame_write(fd, part, size);
	return result;
}

/* The answer is lost: for a write that left, nobody knows what became of it. */
static int lost(const struct exchange *x, bool sent, const char *why, struct failure *f)
{
	char what[128], whole[512];
	if (!x->writes || !sent) {
		snprintf(what, sizeof what, "no answer to '%s'", x->verb);
		failure_set(f, CODE_FAILED, what, why);
		failure_hint(f, "essaim status");
		return CODE_FAILED;
	}
	snprintf(what, sizeof what, "the outcome of '%s' is unknown", x->verb);
	snprintf(whole, sizeof whole, "%s; it may be done, or may still be", why);
	failure_set(f, CODE_UNKNOWN, what, whole);
	failure_hint(f, "%s", x->verify);
	return CODE_UNKNOWN;
}

static int lost_by(const struct exchange *x, int error, struct failure *f)
{
	char why[128], patience[HUMAN_SIZE];
	switch (-error) {
	case ETIMEDOUT:
		human_duration(x->timeout_ms, patience);
		snprintf(why, sizeof why, "the daemon did not answer within %s", patience);
		break;
	case EPIPE:
	case ECONNRESET:
		snprintf(why, sizeof why, "the daemon closed the connection");
		break;
	case EPROTO:
	case EMSGSIZE:
		snprintf(why, sizeof why, "the daemon's answer is malformed");
		break;
	default:
		snprintf(why, sizeof why, "%s", strerror(-error));
		break;
	}
	return lost(x, true, why, f);
}

/* Waits for a frame, turning the spinner; *out_frame is owned by the caller. 0 or negative errno.
 */
static int next_frame(int fd, int64_t until_ms, struct spinner *spinner, json_t **out_frame)
{
	for (;;) {
		struct pollfd waited = {.fd = fd, .events = POLLIN};
		int ready = poll(&waited, 1, SPINNER_TICK_MS);
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready > 0)
			break;
		if (until_ms >= 0 && monotonic_ms() >= until_ms)
			return -ETIMEDOUT;
		spinner_turn(spinner);
	}
	char *text;
	size_t size;
	int result = control_frame_read(fd, &text, &size, FRAME_PATIENCE_MS);
	if (result != 0)
		return result;
	*out_frame = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
	free(text);
	return json_is_object(*out_frame) ? 0 : -EPROTO;
}

/* What a final frame says. */
static int finish(const struct exchange *x, const json_t *frame, json_t **out_result,
		  struct failure *f)
{
	const json_t *code = json_object_get(frame, "code");
	if (!json_is_integer(code) || json_integer_value(code) < 0 ||
	    json_integer_value(code) > CODE_UNKNOWN)
		return lost_by(x, -EPROTO, f);
	if (json_integer_value(code) != CODE_DONE)
		return failure_from_json(f, (int)json_integer_value(code),
					 json_object_get(frame, "error"));
	*out_result = json_incref(json_object_get(frame, "result"));
	if (*out_result == NULL)
		*out_result = json_object();
	return CODE_DONE;
}

/* False once `frame` was the last one; *out_code is the exit code then. */
static bool take_frame(const struct exchange *x, const json_t *frame, struct spinner *spinner,
		       json_t **out_result, struct failure *f, int *out_code)
{
	const json_t *event = json_object_get(frame, "event");
	const json_t *progress = json_object_get(frame, "progress");
	if (event != NULL) {
		*out_code = CODE_DONE;
		if (x->collects)
			spinner_turn(spinner);
		return x->on_event == NULL || x->on_event(x->context, event);
	}
	if (progress != NULL) {
		if (x->on_text != NULL)
			x->on_text(x->context, json_text(progress, "text"));
		else
			spinner_say(spinner, json_text(progress, "text"));
		return true;
	}
	*out_code = finish(x, frame, out_result, f);
	return false;
}

static int receive(int fd, const struct exchange *x, json_t **out_result, struct failure *f)
{
	struct spinner spinner;
	int code = CODE_DONE;
	int64_t until = x->endless ? -1 : monotonic_ms() + x->timeout_ms + GRACE_MS;
	spinner_begin(&spinner, !x->endless);
	for (bool more = true; more;) {
		json_t *frame = NULL;
		int result = next_frame(fd, until, &spinner, &frame);
		if (result == 0) {
			more = take_frame(x, frame, &spinner, out_result, f, &code);
		} else {
			code = lost_by(x, result, f);
			more = false;
		}
		json_decref(frame);
	}
	spinner_end(&spinner);
	return code;
}

int client_exchange(const struct exchange *x, json_t **out_result, struct failure *f)
{
	*out_result = NULL;
	int fd = client_connect(x, f);
	if (fd < 0)
		return CODE_FAILED;
	int code, sent = send_request(fd, x);
	/* A daemon that is full answers and closes without reading: its answer may be there. */
	if (sent == 0 || sent == -EPIPE || sent == -ECONNRESET)
		code = receive(fd, x, out_result, f);
	else
		code =
		    lost(x, false, sent == -EAGAIN ? "it takes no requests" : strerror(-sent), f);
	/* invariant 1 */
	if (sent != 0 && code == CODE_UNKNOWN)
		code = lost(x, false, "the daemon closed the connection", f);
	close(fd);
	return code;
}
