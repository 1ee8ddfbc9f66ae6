#include "http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_call.h"
#include "journal.h"
#include "metrics.h"
#include "net_address.h"
#include "text.h"

#define HEAD_MAX 4096
#define IDLE_LIMIT_S 60
#define TOKEN_LEAST 16

struct http {
	struct body *body;
	struct evhttp *server;
	struct http_calls calls;
	char token[128]; /* "": none is asked for */
};

extern const char http_page[], http_page_end[]; /* http_page.S */

/* What may be asked for, and the verb that answers. %s: the rest of the path as this argument. */
struct route {
	const char *path;
	const char *verb;
	const char *argument; /* NULL: the path must be exact */
};

static const struct route routes[] = {
	{"/api/status", "status", NULL},       {"/api/version", "version", NULL},
	{"/api/nodes", "node list", NULL},     {"/api/nodes/", "node show", "name"},
	{"/api/cluster", "cluster show", NULL}, {"/api/findings", "doctor examine", NULL},
	{"/api/clock", "clock show", NULL},    {"/api/dns", "dns show", NULL},
};

/* ---- who may ask ---- */

/* In a time that does not depend on where they differ. */
static bool same_secret(const char *a, const char *b)
{
	size_t size = strlen(b);
	unsigned differ = strlen(a) != size;
	for (size_t i = 0; a[i] != '\0'; i++)
		differ |= (unsigned)(a[i] ^ b[i < size ? i : 0]);
	return differ == 0;
}

static bool admitted(const struct http *h, struct evhttp_request *request)
{
	static const char bearer[] = "Bearer ";
	if (h->token[0] == '\0')
		return true;
	const char *given =
	    evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");
	return given != NULL && strncmp(given, bearer, sizeof bearer - 1) == 0 &&
	       same_secret(given + sizeof bearer - 1, h->token);
}

/*
 * A page of another site may make a browser ask a loopback address, by a name of its own that leads
 * there (DNS rebinding): only names that are addresses or "localhost" are answered.
 */
static bool host_legal(struct evhttp_request *request)
{
	const char *host = evhttp_request_get_host(request);
	struct address address;
	char bracketed[ADDRESS_TEXT_SIZE];
	if (host == NULL || strcmp(host, "localhost") == 0)
		return true;
	snprintf(bracketed, sizeof bracketed, strchr(host, ':') == NULL ? "%s" : "[%s]", host);
	return address_parse(bracketed, &address, NULL) == 0 ||
	       address_parse(host, &address, NULL) == 0;
}

/* ---- answers ---- */

static void add_headers(struct evhttp_request *request, const char *type)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(headers, "Content-Security-Policy",
	                  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
	                  "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
	                  "frame-ancestors 'none'");
}

static void refuse(struct evhttp_request *request, int code, const char *why)
{
	struct evbuffer *out = evbuffer_new();
	add_headers(request, "application/json");
	if (out != NULL)
		evbuffer_add_printf(out, "{\"error\":{\"what\":\"refused\",\"why\":\"%s\"}}\n", why);
	evhttp_send_reply(request, code, why, out);
	if (out != NULL)
		evbuffer_free(out);
}

static void answer_page(struct evhttp_request *request)
{
	struct evbuffer *out = evbuffer_new();
	add_headers(request, "text/html; charset=utf-8");
	if (out != NULL)
		evbuffer_add_reference(out, http_page, (size_t)(http_page_end - http_page), NULL, NULL);
	evhttp_send_reply(request, HTTP_OK, "OK", out);
	if (out != NULL)
		evbuffer_free(out);
}

static void answer_metrics(struct http *h, struct evhttp_request *request)
{
	struct evbuffer *out = evbuffer_new();
	const char *accepts =
	    evhttp_find_header(evhttp_request_get_input_headers(request), "Accept");
	bool open = accepts != NULL && strstr(accepts, "application/openmetrics-text") != NULL;
	add_headers(request, open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
	                          : "text/plain; version=0.0.4; charset=utf-8");
	if (out != NULL)
		metrics_write(h->body, open, out);
	evhttp_send_reply(request, HTTP_OK, "OK", out);
	if (out != NULL)
		evbuffer_free(out);
}

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		const struct route *r = &routes[i];
		size_t size = strlen(r->path);
		if (r->argument == NULL ? strcmp(path, r->path) == 0
		                        : strncmp(path, r->path, size) == 0 && path[size] != '\0')
			return r;
	}
	return NULL;
}

static void answer_api(struct http *h, struct evhttp_request *request, const char *path)
{
	const struct route *r = find_route(path);
	add_headers(request, r == NULL && strcmp(path, "/api/events") == 0 ? "text/event-stream"
	                                                                   : "application/json");
	if (strcmp(path, "/api/events") == 0)
		http_call_follow(&h->calls, request);
	else if (r == NULL)
		refuse(request, HTTP_NOTFOUND, "no such thing: see / and man essaimd");
	else
		http_call(&h->calls, request, r->verb, r->argument,
		          r->argument == NULL ? NULL : path + strlen(r->path));
}

static void on_request(struct evhttp_request *request, void *context)
{
	struct http *h = context;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
	if (evhttp_request_get_command(request) != EVHTTP_REQ_GET)
		refuse(request, HTTP_BADMETHOD, "only GET: nothing can be changed here");
	else if (!host_legal(request))
		refuse(request, 403, "ask by address or as localhost");
	else if (path == NULL || path[0] == '\0' || strcmp(path, "/") == 0)
		answer_page(request); /* it holds nothing: it asks for the token, and then for the rest */
	else if (!admitted(h, request))
		refuse(request, 401, "the token is missing or wrong: Authorization: Bearer TOKEN");
	else if (strcmp(path, "/metrics") == 0)
		answer_metrics(h, request);
	else
		answer_api(h, request, path);
}

/* ---- life ---- */

/* Away from loopback a token is a must: without one nothing is opened. */
static bool read_token(struct http *h, const struct node_config *config)
{
	FILE *in = config->http_token[0] == '\0' ? NULL : fopen(config->http_token, "re");
	if (in != NULL) {
		if (fgets(h->token, sizeof h->token, in) == NULL)
			h->token[0] = '\0';
		fclose(in);
		h->token[strcspn(h->token, "\r\n")] = '\0';
	}
	if (strlen(h->token) >= TOKEN_LEAST ||
	    (config->http_token[0] == '\0' && address_is_loopback(&config->http)))
		return true;
	journal_say(LEVEL_warning, "no web page: '%s' holds no token of %d characters or more",
	            config->http_token, TOKEN_LEAST);
	return false;
}

static bool listen_on(struct http *h, const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE], *end;
	address_format(address, text);
	end = strrchr(text, ':');
	*end = '\0';
	if (text[0] == '[') {
		memmove(text, text + 1, strlen(text));
		text[strlen(text) - 1] = '\0';
	}
	if (evhttp_bind_socket(h->server, text, address->port) == 0)
		return true;
	journal_say(LEVEL_warning, "no web page: cannot listen on %s port %u: %s", text, address->port,
	            strerror(errno));
	return false;
}

struct http *http_open(struct body *body)
{
	struct http *h = calloc(1, sizeof *h);
	if (h == NULL || body->config.http.family == 0) {
		free(h);
		return NULL;
	}
	h->body = body;
	h->server = evhttp_new(body->base);
	http_calls_open(&h->calls, body);
	if (h->server == NULL || !read_token(h, &body->config) ||
	    !listen_on(h, &body->config.http)) {
		http_close(h);
		return NULL;
	}
	evhttp_set_max_headers_size(h->server, HEAD_MAX);
	evhttp_set_max_body_size(h->server, 0);
	evhttp_set_timeout(h->server, IDLE_LIMIT_S);
	evhttp_set_allowed_methods(h->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
	                                          EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE);
	evhttp_set_gencb(h->server, on_request, h);
	return h;
}

void http_close(struct http *h)
{
	if (h == NULL)
		return;
	http_calls_close(&h->calls);
	if (h->server != NULL)
		evhttp_free(h->server);
	free(h);
}
