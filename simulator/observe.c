#include "observe.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"
#include "world.h"

#define LOOK_EVERY (10 * SECOND)
#define LOOK_EVERY_HEALED SECOND

void observe_init(struct observe *o, uint32_t nodes, uint32_t identities)
{
	o->shown = calloc(nodes, sizeof(*o->shown));
	assert(o->shown);
	o->converge.healed_at = o->converge.agreed_at = NEVER;
	o->failover.lost_at = o->failover.judged_since = NEVER;
	o->budgets = calloc(nodes, sizeof(*o->budgets));
	assert(o->budgets);
	removed_init(&o->removed, nodes, identities);
	observe_clocks_init(&o->clocks, nodes);
	sometimes_init(&o->sometimes, nodes);
}

void observe_finish(struct observe *o)
{
	free(o->shown);
	free(o->budgets);
	facts_check_finish(&o->facts);
	observe_clocks_finish(&o->clocks);
	sometimes_finish(&o->sometimes);
	for (int i = 0; i < WRITES_KEYS; i++)
		history_finish(&o->histories[i]);
	prefix_finish(&o->prefix);
	writes_finish(&o->writes);
	removed_finish(&o->removed);
}

void observe_started(struct world *w, struct machine *m)
{
	w->observe.shown[m->index] = 0;
}

/* Two actors at one time break the rules, unless the clocks broke them first. */
static struct violations *of_authority(struct world *w)
{
	struct observe *o = &w->observe;
	return w->settings.beyond ? &o->expected : &o->violations;
}

/* How long it may take with a majority up and no other fault near: the exclusion, then elections. */
static duration failover_bound(const struct world *w)
{
	bool changes = faults_on(&w->faults, FAULT_SETTING); /* of the profile too */
	return w->settings.profile == PROFILE_LAN && !changes ? FAILOVER_BOUND_LAN : FAILOVER_BOUND_DEFAULT;
}

/* Only the fault that takes the master may be near, and others enough must be there. */
static bool undisturbed(const struct world *w)
{
	const struct faults *f = &w->faults;
	/* A disk that went back, or a member that went, may have cost a vote. */
	if (w->copies.rollbacks || w->copies.clones || w->people.gone)
		return false;
	if (f->active > 1 || w->now - f->quiet_since < FAILOVER_QUIET ||
	    w->count < 3)
		return false;
	for (uint32_t i = 0; i < w->count; i++)
		if (w->machines[i].state != MACHINE_UP &&
		    !overlap_has(&w->observe.overlap, i))
			return false;
	return true;
}

static void master_lost(struct world *w, const struct machine *m)
{
	failover_lost(&w->observe.failover, w->now, m->index);
	if (undisturbed(w))
		w->observe.failover.judged_since = w->now;
}

void observe_disturbed(struct world *w)
{
	w->observe.failover.judged_since = NEVER;
}

void observe_ended(struct world *w, struct machine *m)
{
	struct observe *o = &w->observe;
	if (m->foreign)
		return;
	o->sometimes.mute[m->index] = false;
	if (overlap_has(&o->overlap, m->index))
		master_lost(w, m);
	overlap_report(&o->overlap, of_authority(w), w->now, m->index, false, 0);
}

void observe_cut_off(struct world *w, const struct machine *m)
{
	if (overlap_has(&w->observe.overlap, m->index))
		master_lost(w, m);
}

/* Authority ends by time alone: whoever was acting is asked again at this instant. */
static void ask_the_others(struct world *w, const struct machine *m)
{
	struct observe *o = &w->observe;
	for (uint32_t i = o->overlap.count; i-- > 0;) {
		struct machine *other = &w->machines[o->overlap.nodes[i]];
		struct now now = machine_now(w, other);
		uint64_t epoch = 0;
		if (other == m)
			continue;
		if (!gossip_acts(other->core, &now, &epoch))
			overlap_report(&o->overlap, of_authority(w), w->now, other->index, false, 0);
	}
}

static void master_found(struct world *w, const struct machine *m)
{
	struct failover *f = &w->observe.failover;
	if (f->judged_since != NEVER)
		sometimes_met(&w->observe.sometimes, SOMETIMES_FAILOVER_JUDGED);
	failover_judge(f, &w->observe.violations, w->now, failover_bound(w));
	f->judged_since = NEVER;
	failover_acts(f, w->now, m->index);
}

static void see_authority(struct world *w, struct machine *m, const struct now *now)
{
	struct observe *o = &w->observe;
	uint64_t epoch = 0;
	bool acts = gossip_acts(m->core, now, &epoch);
	if (acts && operators_role(w, m->index) == ROLE_WITNESS)
		world_violation(w, "witness", "node %u, a witness, acts", m->index);
	if (acts) {
		ask_the_others(w, m);
		if (epochs_report(&o->epochs, of_authority(w), w->now, m->index, m->life, epoch))
			master_found(w, m);
	}
	if (acts || overlap_has(&o->overlap, m->index))
		overlap_report(&o->overlap, of_authority(w), w->now, m->index, acts, epoch);
}

static uint64_t hash_command(struct bytes command)
{
	struct hash hash;
	hash_bytes(SEAL_QUICK, command.data, command.size, &hash);
	uint64_t out = 0;
	for (int i = 0; i < 8; i++)
		out = out << 8 | hash.bytes[i];
	return out;
}

static void see_commit(struct world *w, struct machine *m)
{
	struct observe *o = &w->observe;
	uint64_t commit = gossip_commit(m->core);
	uint64_t *shown = &o->shown[m->index];
	if (commit == *shown)
		return;
	if (commit < *shown) {
		world_violation(w, "prefix", "node %u went back from commit %" PRIu64 " to %" PRIu64,
		                m->index, *shown, commit);
		return;
	}
	for (uint64_t index = *shown + 1; index <= commit; index++) {
		struct bytes command;
		if (gossip_committed(m->core, index, &command))
			prefix_report(&o->prefix, &o->violations, w->now, m->index, index,
			              hash_command(command));
	}
	*shown = commit;
}

/*
 * What only those named dead had committed, or had told a client, may be lost now, and was paid for by
 * whoever seized. From here on everything must hold again; but no client's history is whole.
 */
static bool is_latest(const struct observe *o, const struct generation *generation)
{
	return generation->number == o->generation.number &&
	       !memcmp(&generation->hash, &o->generation.hash, sizeof(generation->hash));
}

/*
 * A founder may be lost before anybody hears of what it founded. Then another founds a generation of the
 * same number, and that one counts; not so if somebody still follows into the first one later.
 */
static void new_generation(struct world *w, const struct machine *m,
                           const struct generation *generation)
{
	struct observe *o = &w->observe;
	bool founds = m->index == w->operators.seizing.seizer;
	if (generation->number < o->generation.number || is_latest(o, generation) ||
	    (generation->number == o->generation.number && !founds))
		return;
	o->generation = *generation;
	o->epochs.last = 0;
	o->quorums.count = 0;
	prefix_cut(&o->prefix, o->shown[m->index]);
	writes_forget(&o->writes);
	clients_forget(w);
}

/*
 * Its founder is a member of it before it tells anybody: so before anything else is looked at. False:
 * what it founds is not durable yet, and may still be as if it had not been.
 */
static bool look_for_generation(struct world *w, const struct machine *m, const struct now *now)
{
	struct status_view status;
	gossip_status(m->core, now, &status);
	if (status.standing == STANDING_STARTING)
		return false;
	if (status.generation.number > 1)
		new_generation(w, m, &status.generation);
	return true;
}

/* What a founder had committed that was lost with it says nothing of the ledger that goes on. */
static bool of_latest(const struct world *w, const struct machine *m, const struct now *now)
{
	struct status_view status;
	if (!w->observe.generation.number)
		return true;
	gossip_status(m->core, now, &status);
	return is_latest(&w->observe, &status.generation);
}

void observe_stepped(struct world *w, struct machine *m, const struct now *now)
{
	if (w->settings.membership_only || w->settings.rivals || m->foreign)
		return;
	const struct seizing_state *seizing = &w->operators.seizing;
	if ((seizing->phase == SEIZING_ASKS || seizing->phase == SEIZING_LOST) &&
	    m->index == seizing->seizer && !look_for_generation(w, m, now))
		return;
	see_authority(w, m, now);
	if (of_latest(w, m, now))
		see_commit(w, m);
}

void observe_rolled_back(struct world *w, const struct machine *m)
{
	removed_forget(&w->observe.removed, m->index);
}

/* ---- traces and packets ---- */

static uint32_t index_of(struct world *w, node_id id)
{
	const struct machine *m = id ? world_find(w, id) : NULL;
	return m ? m->index : UINT32_MAX;
}

static bool unfinished(const struct machine *m)
{
	return m->core && gossip_last(m->core) > gossip_commit(m->core);
}

static void see_config(struct world *w, const struct machine *m)
{
	struct status_view status;
	struct now now = machine_now(w, m);
	gossip_status(m->core, &now, &status);
	if (w->settings.rivals || status.generation.number < w->observe.generation.number)
		return;
	quorums_report(&w->observe.quorums, &w->observe.violations, w->now, m->index,
	               &status.config);
}

static void see_generation(struct world *w, const struct machine *m)
{
	struct status_view status;
	struct now now = machine_now(w, m);
	gossip_status(m->core, &now, &status);
	new_generation(w, m, &status.generation);
}

void observe_traced(struct world *w, const struct machine *m, const struct trace *trace)
{
	struct observe *o = &w->observe;
	enum rule_level level = rule_info(trace->rule)->level;
	if (m->foreign || (level == LEVEL_debug && trace->rule != RULE_ROUND_OLD))
		return;
	struct moment moment = {
		.at = w->now,
		.lease = w->settings.profile == PROFILE_LAN ? 600 * MILLISECOND :
		                                              1500 * MILLISECOND,
		.node = m->index,
		.subject = index_of(w, trace->subject),
		.id = m->id,
		.subject_id = trace->subject,
		.rule = trace->rule,
		.acts = overlap_has(&o->overlap, m->index) || trace->rule == RULE_LAPSED,
		.unfinished = trace->rule == RULE_LAPSED && unfinished(m),
		.cut = w->network.cuts > 0,
		.lost = o->failover.lost_at != NEVER,
		.settled = o->settled,
	};
	sometimes_traced(&o->sometimes, &moment);
	if (trace->rule == RULE_GENERATION && m->core)
		see_generation(w, m);
	if (trace->rule == RULE_CONFIG && m->core)
		see_config(w, m);
}

void observe_hears(struct world *w, const struct machine *m, const struct event *event)
{
	if (w->machines[event->from].foreign != m->foreign)
		sometimes_met(&w->observe.sometimes, SOMETIMES_FOREIGN_HEARD);
	if (event->message == MESSAGE_PREPARE && w->observe.sometimes.mute[m->index])
		sometimes_met(&w->observe.sometimes, SOMETIMES_QUARANTINE_ASKED);
}

void observe_founded(struct world *w)
{
	w->observe.settled = true;
}

/* ---- at the end ---- */

static void count_situations(struct world *w)
{
	uint64_t *met = w->observe.sometimes.met;
	met[SOMETIMES_TOKEN_REUSED] += w->people.refused_tokens;
	met[SOMETIMES_JOINED] += w->people.joined;
	met[SOMETIMES_LIED] += w->insiders.said;
	met[SOMETIMES_UPGRADED] += w->operators.upgrades;
	met[SOMETIMES_REKEYED] += w->operators.rekeyed;
	met[SOMETIMES_SEIZED] += w->operators.seizing.done;
	met[SOMETIMES_SEIZER_LOST] += w->operators.seizing.lost_seizers;
	met[SOMETIMES_SEIZED_AGAIN] += w->operators.seizing.again;
	met[SOMETIMES_UNTRUE_WORD] += w->operators.seizing.untrue_words;
}

void observe_end(struct world *w)
{
	struct observe *o = &w->observe;
	uint32_t stuck;
	count_situations(w);
	for (uint32_t key = 0; key < WRITES_KEYS && world_sound(w) && !o->generation.number; key++) {
		enum linear_verdict verdict = linear_check(&o->histories[key], &stuck);
		o->undecided += verdict == LINEAR_UNDECIDED;
		if (verdict != LINEAR_NO)
			continue;
		const struct operation *op = &o->histories[key].list[stuck];
		world_violation(w, "linear",
		                "row %u: no order explains its %u operations; the %s of version "
		                "%" PRIu64 ", value %" PRIu64 " fits nowhere",
		                key, o->histories[key].count, op->kind == LINEAR_GET ? "get" : "put",
		                op->version, op->value);
	}
}

/* ---- now and then ---- */

static void shows(struct world *w, const struct machine *m, const char *what, node_id id)
{
	const struct machine *of = id ? world_find(w, id) : NULL;
	if (of)
		strangers_report(&w->observe.violations, w->now,
		                 &(struct shown){what, m->index, of->index, m->foreign, of->foreign});
}

static void look_for_strangers(struct world *w, const struct machine *m)
{
	static const struct bytes row = {(const uint8_t *)FOREIGN_ROW, sizeof(FOREIGN_ROW) - 1};
	struct now now = machine_now(w, m);
	struct member_view member;
	struct fact_view fact;
	struct kv_view kv;
	struct status_view status;
	for (uint32_t i = 0; gossip_member_at(m->core, &now, i, &member); i++)
		shows(w, m, "a member", member.id);
	for (uint32_t i = 0; gossip_fact_at(m->core, &now, i, &fact); i++)
		shows(w, m, "a fact", fact.owner);
	gossip_status(m->core, &now, &status);
	shows(w, m, "a master", status.master_known ? status.master : 0);
	if (!m->foreign && gossip_kv(m->core, row, &kv))
		shows(w, m, "a row", foreign_machine(w, 0)->id);
}

static void look_at_strangers(struct world *w)
{
	for (uint32_t i = 0; i < w->total; i++)
		if (machine_runs(&w->machines[i]))
			look_for_strangers(w, &w->machines[i]);
}

static void look_at_members(struct world *w, struct machine *m)
{
	struct now now = machine_now(w, m);
	struct member_view view;
	for (uint32_t i = 0; gossip_member_at(m->core, &now, i, &view); i++) {
		const struct machine *member = world_find(w, view.id);
		if (!member)
			world_violation(w, "members", "node %u lists a member nobody made",
			                m->index);
		else
			removed_report(&w->observe.removed, &w->observe.violations, w->now, m->index,
			               gossip_applied(m->core), world_identity(w, view.id),
			               view.state == GONE_REMOVED);
	}
}

static uint64_t hash_words(const uint64_t *words, size_t size)
{
	return hash_command((struct bytes){(const uint8_t *)words, size});
}

/* What a member says of itself differs by who asks if that member lies: it may. */
static void look_at_facts(struct world *w, struct machine *m)
{
	struct now now = machine_now(w, m);
	struct fact_view view;
	for (uint32_t i = 0; gossip_fact_at(m->core, &now, i, &view); i++) {
		const struct machine *owner = world_find(w, view.owner);
		if (view.pending || (owner && owner->equivocated))
			continue;
		uint64_t name[] = {view.owner, view.incarnation, view.version,
		                   hash_command(view.key)};
		uint64_t content = view.tombstone ? 1 : hash_command(view.value) | 2;
		facts_report(&w->observe.facts, &w->observe.violations, w->now, m->index,
		             hash_words(name, sizeof(name)), content);
	}
}

static uint64_t hash_settings(const struct machine *m)
{
	struct setting_view view;
	uint64_t hash = 0;
	for (uint32_t i = 0; gossip_setting_at(m->core, i, &view); i++)
		hash = hash * 31 + hash_command(view.value);
	return hash;
}

static uint64_t rows_of(const struct machine *m)
{
	struct kv_view kv;
	uint64_t sum = 0;
	for (uint32_t cursor = 0; gossip_kv_at(m->core, &cursor, &kv);)
		sum += hash_command(kv.key) * 31 + hash_command(kv.value) * 7 + kv.version; /* in any order */
	return sum;
}

static void view_of(struct world *w, const struct machine *m, struct converge_view *out)
{
	*out = (struct converge_view){.node = m->index, .self = m->id};
	out->runs = m->state == MACHINE_UP;
	if (!out->runs)
		return;
	struct now now = machine_now(w, m);
	struct status_view status;
	gossip_status(m->core, &now, &status);
	out->runs = status.standing == STANDING_MEMBER;
	out->master = status.master_known ? status.master : 0;
	out->self_master = status.self_master;
	out->epoch = status.epoch;
	out->commit = status.commit;
	out->members = status.members_total;
	out->reachable = status.members_reachable;
	out->generation = status.generation.number;
	out->level = status.level;
	out->settings = hash_settings(m);
	out->rows = rows_of(m);
}

static bool knows(struct world *w, uint32_t i, node_id id)
{
	const struct machine *m = &w->machines[i];
	struct now now = machine_now(w, m);
	struct member_view member;
	return gossip_member(m->core, &now, id, &member) && member.state != GONE_LEFT &&
	       member.state != GONE_REMOVED;
}

/*
 * It was away while all whom it knew were replaced, or named dead with it: those who went on are strangers to it,
 * and nobody whom it would believe is left to tell it. It has no quorum and says so; `node reset` and a join
 * bring it back.
 */
static bool left_behind(struct world *w, const struct converge_view *views, uint32_t i)
{
	bool somebody_acts = false;
	if (!views[i].runs || views[i].self_master)
		return false;
	for (uint32_t k = 0; k < w->count; k++) {
		if (k == i || !views[k].runs)
			continue;
		if (knows(w, i, views[k].self))
			return false;
		somebody_acts |= views[k].self_master;
	}
	return somebody_acts;
}

/* Nothing is expected of them, nor that the others reach them. */
static void forget_left_behind(struct world *w, struct converge_view *views)
{
	for (uint32_t i = 0; i < w->count; i++)
		views[i].left_behind = left_behind(w, views, i);
	for (uint32_t i = 0; i < w->count; i++) {
		for (uint32_t k = 0; views[i].runs && k < w->count; k++)
			views[i].members -= views[k].left_behind && k != i && knows(w, i, views[k].self);
	}
	for (uint32_t i = 0; i < w->count; i++)
		views[i].runs = views[i].runs && !views[i].left_behind;
}

static void look_at_agreement(struct world *w)
{
	struct observe *o = &w->observe;
	if (o->converge.healed_at == NEVER)
		return;
	struct converge_view *views = calloc(w->count, sizeof(*views));
	assert(views);
	uint64_t floor = o->converge.commit;
	for (uint32_t i = 0; i < w->count; i++) {
		view_of(w, &w->machines[i], &views[i]);
		views[i].floor = floor;
		if (views[i].commit > o->converge.commit)
			o->converge.commit = views[i].commit;
	}
	forget_left_behind(w, views);
	converge_report(&o->converge, &o->violations, w->now, views, w->count);
	free(views);
}

void observe_look(struct world *w)
{
	bool healed = w->observe.converge.healed_at != NEVER;
	for (uint32_t i = 0; i < w->count; i++) {
		struct machine *m = &w->machines[i];
		if (machine_runs(m)) {
			look_at_members(w, m);
			look_at_facts(w, m);
		}
		budget_report(&w->observe.budgets[i], &w->observe.violations, w->now, i, w->count,
		              m->sent_packets, m->sent_bytes);
	}
	observe_clocks(w);
	if (w->settings.foreigners)
		look_at_strangers(w);
	failover_judge(&w->observe.failover, &w->observe.violations, w->now, failover_bound(w));
	look_at_agreement(w);
	queue_push(&w->queue, w->now + (healed ? LOOK_EVERY_HEALED : LOOK_EVERY),
	           queue_event(&w->queue, EVENT_LOOK, 0, 0));
}

void observe_healed(struct world *w)
{
	w->observe.converge.healed_at = w->now;
}
