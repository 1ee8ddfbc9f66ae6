/*
 * http.h: the read-only window for browsers and monitoring: one page, a JSON API, metrics, and a
 * stream of events (server-sent events).
 *
 *     GET /                 the page (node/web/page.html, no outside resources)
 *     GET /metrics          OpenMetrics text (metrics.h)
 *     GET /api/status …     what the reading verbs of the control socket answer, as JSON
 *     GET /api/events       text/event-stream: each event as it comes
 *
 * Invariants
 *   1. Nothing can be changed through it: requests reach the control's verbs as a client that may
 *      only read, over a socket pair, within the control's own limits.
 *   2. It listens on a loopback address, or else every request but that for the bare page must bear
 *      the token.
 *   3. Other methods, long heads and bodies are refused; a client that does not read is dropped.
 *   4. A port that is taken costs the window, never the daemon.
 */
#ifndef ESSAIM_HTTP_H
#define ESSAIM_HTTP_H

#include "body.h"

struct http;

/* NULL: it is switched off or could not listen, and the journal says why. */
struct http *http_open(struct body *body);
void http_close(struct http *http);

#endif
