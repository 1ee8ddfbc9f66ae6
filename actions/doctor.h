/*
 * doctor.h: what is wrong, and how it is mended: pure functions of ledger and facts.
 *
 *     views, facts, settings --struct patient--> rules (one function a code) --> struct diagnosis
 *
 * Every node judges what it sees itself (its own links, its own name servers) and what all see
 * (voters, clocks); a finding names the node it was seen from and the node it is about. Several
 * nodes that see the same give one row with a count.
 *
 * Invariants
 *   1. A rule reads only the patient; the same patient gives the same diagnosis.
 *   2. What is unknown is not a finding about the thing itself (a clock that could not be compared
 *      is not off).
 *   3. Nothing is found inside a measurement's own error; what was found stays until it is below half
 *      of its threshold (the diagnosis before is part of the patient).
 *
 * Sources: gnt-cluster verify's codes, linstor advise's commands to paste, XenServer's clock alert
 * with its re-arming below half.
 */
#ifndef ESSAIM_DOCTOR_H
#define ESSAIM_DOCTOR_H

#include "doctor_table.h"
#include "drbd_pairs.h"
#include "facts.h"
#include "storage_seen.h"
#include "view.h"

/* One member as the patient's part: what its facts say, as far as rules compare members by it. */
struct patient_member {
	struct member_view view;
	bool has_host;
	char uname[NAME_MAX_SIZE + 1];
	char version[FACT_TEXT_MAX + 1];
	bool synchronised; /* its clock is kept, by its own word */
	uint32_t shut;     /* attempts in a row to open a connection to it that came to nothing */
};

/* A declared storage on the node that judges. */
struct patient_storage {
	char name[NAME_MAX_SIZE + 1];
	enum storage_state state;
};

struct thresholds {
	duration clock_info, clock_warning, clock_error;
	uint32_t disk_slow_ms, disk_full_percent, root_full_percent, dns_slow_ms, late_ms;
};
extern const struct thresholds thresholds_default;

struct diagnosis;

struct patient {
	const struct status_view *status; /* of the node that judges */
	uint32_t member_count, self;      /* self: position in members */
	const struct patient_member *members;
	/* what self observed; NULL: nothing yet */
	const struct usage_fact *usage;
	const struct clock_fact *clock;
	const struct dns_fact *dns;
	bool hand_gone;
	duration hand_gone_for;
	const struct lvm_head *lvm;
	const struct lvm_seen *volumes; /* not NULL if lvm is not */
	uint32_t storage_count;
	const struct patient_storage *storages;
	/* DRBD pairs that one of self's resources is part of, judged alike twice in a row */
	uint32_t pair_count;
	const struct drbd_pair *pairs;
	const struct drbd_holder *holders;
	struct thresholds thresholds;
	const struct diagnosis *before; /* NULL: the first */
};

#define DIAGNOSIS_MAX 128

struct diagnosis {
	uint32_t count, dropped; /* dropped: did not fit */
	struct finding list[DIAGNOSIS_MAX];
};

/* What the patient's self can say; sorted: worst first, then code, then about. `now_wall` dates new ones. */
void doctor_examine(const struct patient *patient, instant now_wall, struct diagnosis *out);

/* A finding's sentence or command with its names filled in; NUL-ended, cut at size. */
void finding_sentence(const struct finding *finding, const char *where, const char *about,
                      char *out, size_t size);
void finding_command(const struct finding *finding, const char *where, const char *about, char *out,
                     size_t size);

#endif
