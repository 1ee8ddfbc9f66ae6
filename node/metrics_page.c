#include "metrics_page.h"

#include <string.h>

#include "metrics.h"

/* troff's own characters made plain. */
static void put(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\'')
			fputs("\\(aq", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else
			putc(*text, out);
	}
}

static const char *suffix(const struct metric_info *info)
{
	if (strcmp(info->type, "counter") == 0)
		return "_total";
	return strcmp(info->type, "info") == 0 ? "_info" : "";
}

static void put_metric(FILE *out, const struct metric_info *info)
{
	fprintf(out, ".TP\n.B %s%s\n(%s", info->name, suffix(info), info->type);
	if (info->unit[0] != '\0')
		fprintf(out, ", %s", info->unit);
	fputs(") ", out);
	put(out, info->help);
	putc('\n', out);
}

void metrics_page(FILE *out)
{
	struct metric_info info;
	fprintf(out, ".TH ESSAIM\\-METRICS 7 \"\" \"essaim %s\" \"System administration\"\n", ESSAIM_VERSION);
	fputs(".SH NAME\nessaim\\-metrics \\- numbers that essaimd tells a monitoring system\n"
	      ".SH DESCRIPTION\nEach daemon answers\n.B GET /metrics\n"
	      "where its window listens (\n.B 127.0.0.1:7801\nunless essaimd.conf says otherwise), as OpenMetrics"
	      " 1.0 to whoever accepts that, else as Prometheus text 0.0.4.\n"
	      "Beyond the loopback address it asks for the bearer token of\n.B token\nin\n.B [http]\n.SH METRICS\n",
	      out);
	for (uint32_t i = 0; metric_at(i, &info); i++)
		put_metric(out, &info);
	fputs(".SH SEE ALSO\n.BR essaimd (8),\n.BR essaim (1)\n", out);
}
