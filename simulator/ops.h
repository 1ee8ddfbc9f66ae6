/*
 * ops.h: `essaim-sim ops`: the operation engine among hosts that fail (hosts.h).
 */
#ifndef ESSAIM_OPS_H
#define ESSAIM_OPS_H

extern const char ops_usage[];

/* argv[1] is "ops". Prints a line of JSON for each part; 0, 1 if something was violated, 2 misused. */
int verb_ops(int argc, char **argv);

#endif
