/*
 * metrics_page.h: essaim-metrics(7), made of the table of metrics.h: `essaimd --metrics-page`.
 */
#ifndef ESSAIM_METRICS_PAGE_H
#define ESSAIM_METRICS_PAGE_H

#include <stdio.h>

void metrics_page(FILE *out);

#endif
