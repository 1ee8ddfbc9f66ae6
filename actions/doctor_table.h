/*
 * doctor_table.h: the rows of doctor_codes.h, for whoever shows or checks them.
 */
#ifndef ESSAIM_DOCTOR_TABLE_H
#define ESSAIM_DOCTOR_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "doctor_codes.h"
#include "severity.h"

enum doctor_area {
	AREA_CLOCK,
	AREA_DNS,
	AREA_NETWORK,
	AREA_QUORUM,
	AREA_VERSION,
	AREA_DISK,
	AREA_HOST,
	AREA_STORAGE,
	AREA_COUNT
};

struct code_info {
	uint32_t number;
	const char *name; /* "CLOCK_OFFSET" */
	enum doctor_area area;
	enum severity severity;
	const char *sentence, *why, *command;
};

const struct code_info *code_info(uint32_t number);       /* NULL if unknown (a later version's) */
const struct code_info *code_named(const char *name);     /* NULL if unknown */
const struct code_info *code_at(uint32_t position);       /* NULL past the last */
const char *area_name(enum doctor_area area);
bool area_parse(const char *text, enum doctor_area *out);

#endif
