/*
 * metrics.h: numbers for monitoring, as OpenMetrics text, or as Prometheus' own for who asks for that. One table makes the text, its help and the
 * man page's section.
 *
 * Source: the OpenMetrics specification 1.0 (units in names, counters end in _total, # EOF).
 */
#ifndef ESSAIM_METRICS_H
#define ESSAIM_METRICS_H

#include "body.h"

struct evbuffer;

/* All of them, as they are now; `open`: as OpenMetrics 1.0, else as Prometheus text 0.0.4. */
void metrics_write(const struct body *body, bool open, struct evbuffer *out);

struct metric_info {
	const char *name, *type, *unit, *help;
};
/* False past the last. */
bool metric_at(uint32_t position, struct metric_info *out);

#endif
