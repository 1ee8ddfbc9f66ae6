#include "narrate.h"

#include <inttypes.h>
#include <stdio.h>

#include "sentence.h"

void narrate_text(const struct world *w, const struct machine *m, instant since, const char *text,
                  char out[NARRATION_MAX])
{
	int64_t ms = (w->now - since) / MILLISECOND;
	snprintf(out, NARRATION_MAX, "  | %" PRId64 ".%03" PRId64 " %s  %s", ms / 1000, ms % 1000,
	         m->name, text);
}

static const char *name_of(const struct world *w, node_id id)
{
	const struct machine *m = id ? world_find(w, id) : NULL;
	return m ? m->name : NULL;
}

void narrate_trace(const struct world *w, const struct machine *m, const struct trace *trace,
                   instant since, char out[NARRATION_MAX])
{
	char sentence[SENTENCE_MAX];
	sentence_format(sentence, sizeof(sentence), rule_info(trace->rule)->sentence,
	                name_of(w, trace->subject), name_of(w, trace->other), trace->numbers,
	                trace->ends);
	narrate_text(w, m, since, sentence, out);
}
