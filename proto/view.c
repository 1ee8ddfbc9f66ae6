#include "view.h"

#include <assert.h>

const char *drop_reason_name(enum drop_reason reason)
{
	static const char *const names[DROP_REASONS] = {
		"short",     "stranger",  "seal",    "replay",    "old_incarnation",
		"clone",     "malformed", "signature", "budget",  "removed",
		"not_hello", "not_ready", "output",  "version",
		"generation",
	};
	assert(reason >= 0 && reason < DROP_REASONS);
	return names[reason];
}

const char *reachability_name(enum reachability state)
{
	switch (state) {
	case REACHABILITY_UNKNOWN:
		return "unknown";
	case REACHABLE:
		return "reachable";
	case SUSPECT:
		return "suspect";
	case UNREACHABLE:
		return "unreachable";
	case GONE_LEFT:
		return "left";
	case GONE_REMOVED:
		return "removed";
	}
	assert(!"a reachability outside its enum");
	return "?";
}

const char *standing_name(enum standing standing)
{
	switch (standing) {
	case STANDING_BLANK:
		return "uninitialised";
	case STANDING_STARTING:
		return "starting";
	case STANDING_JOINING:
		return "joining";
	case STANDING_MEMBER:
		return "member";
	case STANDING_LEAVING:
		return "leaving";
	case STANDING_LEFT:
		return "left";
	case STANDING_REMOVED:
		return "removed";
	case STANDING_OLD_GENERATION:
		return "old generation";
	case STANDING_STOPPED:
		return "stopped";
	case STANDING_REKEYED:
		return "key changed";
	}
	assert(!"a standing outside its enum");
	return "?";
}

const char *seize_phase_name(enum seize_phase phase)
{
	switch (phase) {
	case SEIZE_IDLE:
		return "idle";
	case SEIZE_SURVEYING:
		return "surveying";
	case SEIZE_WAITING:
		return "waiting";
	case SEIZE_FOUNDING:
		return "founding";
	}
	return "";
}

const char *path_state_name(enum path_state state)
{
	switch (state) {
	case PATH_UNKNOWN:
		return "unknown";
	case PATH_UP:
		return "up";
	case PATH_DOWN:
		return "down";
	}
	return "";
}

const char *role_name(enum role role)
{
	return role == ROLE_WITNESS ? "witness" : "node";
}

const char *profile_name(enum profile profile)
{
	return profile == PROFILE_LAN ? "lan" : "default";
}
