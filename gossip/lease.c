/*
 * lease.c: what voter, candidate and master share: their clocks, the config, dispatch, views.
 */
#include "core.h"

#define FOR_EVER ((duration)1 << 60)

#define CANDIDATE_LOOK (50 * MILLISECOND)

duration elapsed_owner(const struct now *now, const struct now *from)
{
	duration boot = now->boot - from->boot, raw = now->raw - from->raw;
	return boot > raw ? boot : raw;
}

duration elapsed_voter(const struct now *now, const struct now *from)
{
	duration boot = now->boot - from->boot, raw = now->raw - from->raw;
	return boot < raw ? boot : raw;
}

struct owner self_owner(const struct gossip *g)
{
	return (struct owner){g->self, g->durable.incarnation};
}

/* ---- config ---- */

int config_position(const struct config *config, node_id node)
{
	for (uint32_t i = 0; i < config->voter_count; i++) {
		if (config->voters[i] == node)
			return (int)i;
	}
	return -1;
}

bool config_witness(const struct config *config, node_id node)
{
	int position = config_position(config, node);
	return position >= 0 && (config->witnesses >> position & 1) != 0;
}

/* D_P (1+rho)/(1-rho) + 10 ms, rounded up. */
static duration exclusion_of(duration lease, uint32_t rate_ppm)
{
	duration million = 1000000;
	return (lease * (million + rate_ppm) + million - rate_ppm - 1) / (million - rate_ppm) +
	       10 * MILLISECOND;
}

void config_times(struct config *config, enum profile profile)
{
	config->profile = profile;
	config->rate_ppm = 10000; /* RAW is within 200 ppm in practice; chrony's slew is on BOOTTIME */
	config->lease = (profile == PROFILE_LAN ? 600 : 1500) * MILLISECOND;
	config->exclusion = exclusion_of(config->lease, config->rate_ppm);
	config->quarantine = config->exclusion;
}

/* ---- life of the part ---- */

void lease_init(struct gossip *g, struct carve *memory)
{
	g->lease.list = carve(memory, ENTRIES_PER_MESSAGE_MAX * sizeof *g->lease.list);
	g->lease.candidate_at = g->lease.disk_check_at = g->lease.disk_asked = NEVER;
	g->lease.renew_at = g->lease.retry_at = g->lease.resend_at = NEVER;
}

void lease_mute_for_ever(struct gossip *g)
{
	if (g->lease.phase != PHASE_IDLE)
		master_abandon(g);
	g->lease.mute = true;
	g->lease.mute_until = deadline_in(&g->now, FOR_EVER);
}

void lease_start(struct gossip *g)
{
	struct lease *l = &g->lease;
	if (g->settings.membership_only)
		return;
	l->disk_check_at = g->now.boot + voter_disk_check_every(g);
	l->candidate_at = g->now.boot;
	l->highest_seen = g->durable.promised;
	if ((g->durable.lease_max == 0 && !g->durable.old_self) || WEAKENED(g, WEAK_V0_QUARANTINE))
		return; /* never granted anything: nothing to forget */
	uint32_t rate = g->durable.config.rate_ppm;
	duration longest = WEAKENED(g, WEAK_V0_LEASE_MAX) ? g->durable.config.lease
	                                                  : g->durable.lease_max;
	duration quarantine = g->durable.old_self ? FOR_EVER : exclusion_of(longest, rate);
	if (g->durable.config.quarantine > quarantine)
		quarantine = g->durable.config.quarantine;
	if (WEAKENED(g, WEAK_QUARANTINE_SHORT))
		quarantine = g->durable.config.lease / 10;
	l->mute = true;
	l->mute_until = deadline_in(&g->now, quarantine);
	core_trace(g, RULE_QUARANTINE, g->self, 0, quarantine, 0, 0);
}

void lease_check(struct gossip *g)
{
	struct lease *l = &g->lease;
	voter_expire(g);
	switch (l->phase) {
	case PHASE_IDLE:
		return;
	case PHASE_PREPARING:
	case PHASE_CLAIMING:
	case PHASE_TAKING:
		if (!deadline_due(&l->attempt, &g->now))
			return;
		core_trace(g, RULE_CANDIDATE_LATE, g->self, 0, (int64_t)l->ballot.counter, 0, 0);
		break;
	case PHASE_MASTER:
		if (lease_acts(g, &g->now) || WEAKENED(g, WEAK_P6_RESUME))
			return;
		core_trace(g, RULE_LAPSED, g->self, 0, (int64_t)l->claim_epoch, 0, 0);
		break;
	}
	master_abandon(g);
}

void lease_tick(struct gossip *g)
{
	if (g->settings.membership_only || !life_member(g))
		return;
	voter_tick(g);
	candidate_tick(g);
	master_tick(g);
}

static instant owner_deadline(const struct gossip *g)
{
	const struct lease *l = &g->lease;
	instant at = NEVER;
	switch (l->phase) {
	case PHASE_IDLE:
		if (config_position(&g->durable.config, g->self) >= 0 && !l->grant.live && !l->mute)
			at = l->candidate_at;
		break;
	case PHASE_PREPARING:
	case PHASE_CLAIMING:
	case PHASE_TAKING:
		at = instant_min(deadline_due_at(&l->attempt, &g->now), l->resend_at);
		break;
	case PHASE_MASTER:
		if (WEAKENED(g, WEAK_P6_RESUME) && !lease_acts(g, &g->now))
			break;
		at = WEAKENED(g, WEAK_CLOCK_OWNER) ? deadline_over_at(&l->authority, &g->now)
		                                   : deadline_due_at(&l->authority, &g->now);
		break;
	}
	if (l->phase == PHASE_CLAIMING || l->phase == PHASE_MASTER) {
		at = instant_min(at, l->renew_at);
		at = instant_min(at, l->retry_at);
		at = instant_min(at, hand_over_deadline(g));
	}
	return at;
}

instant lease_deadline(const struct gossip *g)
{
	const struct lease *l = &g->lease;
	if (g->settings.membership_only || !life_member(g))
		return NEVER;
	instant at = owner_deadline(g);
	at = instant_min(at, l->disk_check_at);
	if (l->mute)
		at = instant_min(at, deadline_over_at(&l->mute_until, &g->now));
	if (l->grant.live)
		at = instant_min(at, deadline_over_at(&l->grant.excluded_until, &g->now));
	if (l->disk_asked != NEVER && !l->disk_overdue)
		at = instant_min(at, l->disk_asked + g->durable.config.lease + 1);
	return at;
}

/* ---- messages ---- */

static void note_ballot(struct gossip *g, const struct ballot *ballot)
{
	if (ballot_compare(ballot, &g->lease.highest_seen) > 0)
		g->lease.highest_seen = *ballot;
}

static void on_reject(struct gossip *g, node_id from, const struct reject *m)
{
	note_ballot(g, &m->promised);
	candidate_on_reject(g, from, m);
	master_on_reject(g, from, m);
}

void lease_message(struct gossip *g, node_id from, const struct envelope *e)
{
	if (seize_frozen(g))
		return; /* it left the votes of this generation */
	switch (e->kind) {
	case MESSAGE_PREPARE:
		note_ballot(g, &e->prepare.ballot);
		voter_on_prepare(g, from, &e->prepare);
		break;
	case MESSAGE_PROMISE:
		candidate_on_promise(g, from, &e->promise);
		break;
	case MESSAGE_REJECT:
		on_reject(g, from, &e->reject);
		break;
	case MESSAGE_ACCEPT:
		note_ballot(g, &e->accept.ballot);
		voter_on_accept(g, from, &e->accept);
		break;
	case MESSAGE_ACCEPTED:
		master_on_accepted(g, from, &e->accepted);
		break;
	case MESSAGE_RELEASE:
		voter_on_release(g, from, &e->release);
		break;
	case MESSAGE_OFFER:
		candidate_on_offer(g, from, &e->offer);
		break;
	case MESSAGE_READY:
		hand_over_on_ready(g, from, &e->ready);
		break;
	case MESSAGE_TRANSFER:
		voter_on_transfer(g, from, &e->transfer);
		break;
	default: /* the others are not the lease's: gossip.c hands over only these */
		assert(!"not a message of the lease");
	}
}

void lease_send(struct gossip *g, node_id to, struct envelope *e)
{
	if (to == g->self)
		lease_message(g, g->self, e);
	else
		core_send(g, to, e);
}

/* ---- the store's answers ---- */

static void disk_answered(struct gossip *g, uint64_t number)
{
	struct lease *l = &g->lease;
	if (!g->store_failed) /* else the next attempt to write it anew is near, and stays so */
		l->disk_check_at = g->now.boot + voter_disk_check_every(g);
	if (number < l->disk_asked_number)
		return;
	l->disk_asked = NEVER;
	if (l->disk_overdue)
		core_trace(g, RULE_DISK_WELL, g->self, 0, 0, 0, 0);
	l->disk_overdue = false;
}

void lease_persisted(struct gossip *g, uint64_t number, bool failed)
{
	voter_persisted(g, number, failed);
	if (!failed)
		disk_answered(g, number);
}

/* ---- views ---- */

bool lease_acts(const struct gossip *g, const struct now *now)
{
	const struct lease *l = &g->lease;
	bool due = WEAKENED(g, WEAK_CLOCK_OWNER) ? deadline_over(&l->authority, now)
	                                         : deadline_due(&l->authority, now);
	return l->phase == PHASE_MASTER && l->authority_set && !due;
}

node_id lease_master(const struct gossip *g, const struct now *now)
{
	const struct lease *l = &g->lease;
	node_id claimant = g->ledger.claimant.node;
	if (lease_acts(g, now))
		return g->self;
	if (claimant == 0 || claimant == g->self)
		return 0;
	bool votes = config_position(&g->durable.config, g->self) >= 0 && !l->mute && !seize_frozen(g);
	if (votes)
		return l->grant.live && owner_equal(&l->grant.owner, &g->ledger.claimant) &&
		               !deadline_over(&l->grant.excluded_until, now)
		           ? claimant
		           : 0;
	return member_active(g, claimant) && member_reachable(g, claimant, true) ? claimant : 0;
}

duration lease_left(const struct gossip *g, const struct now *now)
{
	const struct lease *l = &g->lease;
	duration left = 0;
	if (lease_acts(g, now))
		left = deadline_due_at(&l->authority, now) - now->boot;
	else if (l->grant.live)
		left = deadline_over_at(&l->grant.excluded_until, now) - now->boot;
	return left > 0 ? left : 0;
}

bool lease_votes(const struct gossip *g, const struct now *now)
{
	return config_position(&g->durable.config, g->self) >= 0 && !g->lease.mute && !seize_frozen(g) &&
	       !g->store_failed && voter_disk_well(g);
}
