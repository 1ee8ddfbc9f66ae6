#include "shrink_steps.h"

#include <unistd.h>

#include "apart.h"

#define CHOICES_MAX 20000
#define CHOICES_TOLD 100 /* more of them say less than the faults that made them */

/* The same run, noting what befalls messages up to the violation, behind the faults of other kinds. */
static int note_choices(struct shrinking *s, struct schedule *out)
{
	struct run_result result;
	struct error error;
	char path[] = "/tmp/essaim-sim-XXXXXX";
	FILE *file = shrink_temporary(path);
	if (!file)
		return -1;
	schedule_empty(&s->best, out);
	for (uint32_t i = 0; i < s->best.count; i++)
		if (!fault_of_network(s->best.list[i].kind))
			schedule_add(out, &s->best.list[i]);
	schedule_write(out, file);
	schedule_finish(out);
	shrink_use(s, &s->best);
	s->run.noted = file;
	run_apart(&s->run, &result);
	s->run.noted = NULL;
	fclose(file);
	int code = schedule_read(path, out, &error);
	unlink(path);
	return code;
}

/*
 * If only what the network did counts, the run without its faults but with their effects on each
 * message is the very same, and most of these effects can be left out.
 */
void shrink_to_choices(struct shrinking *s)
{
	struct schedule candidate, before;
	struct violation seen = s->seen;
	uint32_t others = 0;
	for (uint32_t i = 0; i < s->best.count; i++)
		others += !fault_of_network(s->best.list[i].kind);
	if (others == s->best.count || note_choices(s, &candidate))
		return;
	s->noted = candidate.choices.count;
	if (s->noted > CHOICES_MAX) {
		schedule_finish(&candidate);
		return;
	}
	choice_list_by_kind(&candidate.choices); /* so that chunks are of messages that belong together */
	schedule_copy(&s->best, &before);
	if (shrink_try_few(s, &candidate))
		shrink_list_of_choices(s);
	if (s->best.choices.count > CHOICES_TOLD) {
		schedule_finish(&s->best);
		s->best = before;
		s->seen = seen;
		return;
	}
	schedule_finish(&before);
	shrink_faults(s);
}
