/* The test hand's table: the same numbers, with programs that misbehave. See programs_table.c. */
#include "programs.h"

#define SHELL .paths = {"/bin/sh"}, .output_max = 1 << 20, .deadline = 20 * SECOND

const struct program_row program_table[PROGRAM_COUNT] = {
	[PROGRAM_LVM_REPORT] = {.name = "sh", SHELL, .lvm_lock = true},
	[PROGRAM_LVM_CHANGE] = {.name = "sh", SHELL, .lvm_lock = true, .finish = true},
	[PROGRAM_DRBD_STATUS] = {.name = "missing", .paths = {"/nonexistent/missing"}, .deadline = SECOND},
	[PROGRAM_DRBD_CHANGE] = {.name = "sh", SHELL, .finish = true},
	[PROGRAM_DRBD_EVENTS] = {.name = "sh", .paths = {"/bin/sh"}, .stream = true},
	[PROGRAM_MOUNTS] = {.name = "sh", SHELL, .input = true},
	[PROGRAM_SIGNATURES] = {.name = "sh", SHELL, .options = "-c"},
	[PROGRAM_HOOK] = {.name = "hook", .input = true, .output_max = 4096, .deadline = 10 * SECOND},
};
