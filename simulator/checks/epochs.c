#include "epochs.h"

#include <inttypes.h>

bool epochs_report(struct epochs *e, struct violations *v, instant at, uint32_t node, uint32_t life,
                   uint64_t epoch)
{
	if (epoch == e->last && node == e->node && life == e->life && e->masters)
		return false;
	if (epoch <= e->last)
		violation_add(v, at, "epochs",
		              "node %u acts in epoch %" PRIu64 " after node %u acted in epoch %" PRIu64,
		              node, epoch, e->node, e->last);
	e->last = epoch;
	e->node = node;
	e->life = life;
	e->masters++;
	return true;
}
