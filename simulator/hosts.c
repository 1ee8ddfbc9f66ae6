/*
 * hosts.c: virtual time, nodes that live and die, messages, clients who ask until they are
 * answered.
 */
#include "hosts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dice.h"
#include "hosts_inside.h"

bool hosts_chance(struct hosts *w, uint32_t percent)
{
	return percent && prng_below(&w->dice, 100) < percent;
}

/* ---- the queue ---- */

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void hosts_schedule(struct hosts *w, duration in, struct event event)
{
	if (w->event_count == w->event_capacity) {
		w->event_capacity = w->event_capacity ? 2 * w->event_capacity : 256;
		w->events = realloc(w->events, w->event_capacity * sizeof(*w->events));
	}
	event.at = w->now + in;
	event.order = w->orders++;
	uint32_t at = w->event_count++;
	for (; at > 0 && before(&event, &w->events[(at - 1) / 2]); at = (at - 1) / 2)
		w->events[at] = w->events[(at - 1) / 2];
	w->events[at] = event;
}

static struct event take(struct hosts *w)
{
	struct event first = w->events[0], last = w->events[--w->event_count];
	uint32_t at = 0;
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= w->event_count)
			break;
		if (child + 1 < w->event_count && before(&w->events[child + 1], &w->events[child]))
			child++;
		if (!before(&w->events[child], &last))
			break;
		w->events[at] = w->events[child];
		at = child;
	}
	if (w->event_count)
		w->events[at] = last;
	return first;
}

/* ---- effects ---- */

static void tell(struct host *h, const struct engine_trace *t)
{
	struct hosts *w = h->world;
	char node[8] = "-", text[300];
	w->result->adopted += t->rule == ENGINE_RULE_ADOPTED;
	w->result->resumed += t->rule == ENGINE_RULE_RESUMED;
	if (!w->plan->trace)
		return;
	if (t->node)
		say(node, sizeof(node), "n%u", (unsigned)(t->node - host_id(0)));
	engine_trace_sentence(t, node, text, sizeof(text));
	fprintf(w->plan->trace, "%10.6f n%u [%u] %s\n", (double)w->now / 1e9, h->index, h->points,
	        text);
}

static void post(struct host *h, node_id to, const struct engine_message *message)
{
	struct hosts *w = h->world;
	uint32_t copies = hosts_chance(w, w->plan->loss_percent)
	                      ? 0
	                      : 1 + hosts_chance(w, w->plan->double_percent);
	for (uint32_t i = 0; i < copies; i++) {
		struct engine_message *copy = malloc(sizeof(*copy));
		*copy = *message;
		duration in = LATENCY;
		if (hosts_chance(w, w->plan->late_percent))
			in += (duration)prng_below(&w->dice, 4000) * MILLISECOND;
		hosts_schedule(w, in,
		               (struct event){.kind = EVENT_MESSAGE,
		                              .node = (uint32_t)(to - host_id(0)),
		                              .number = h->index,
		                              .memory = copy});
	}
}

struct write {
	bool drop;
	struct request_id id;
	struct journal_record record;
};

static void write_record(struct host *h, const struct engine_effect *effect)
{
	struct write *write = calloc(1, sizeof(*write));
	write->drop = effect->journal.drop;
	write->id = effect->journal.id;
	if (!write->drop)
		write->record = *effect->journal.record;
	hosts_schedule(
	    h->world, DISK_WRITE,
	    (struct event){.kind = EVENT_DURABLE,
	                   .node = h->index,
	                   .life = h->life,
	                   .number = effect->journal.number,
	                   .memory = write,
	                   .flag = hosts_chance(h->world, h->world->plan->journal_fails_percent)});
}

static void answer(struct host *h, const struct engine_answer *answer)
{
	struct engine_answer *copy = malloc(sizeof(*copy));
	*copy = *answer;
	hosts_schedule(h->world, LATENCY, (struct event){.kind = EVENT_ANSWER, .memory = copy});
}

static void carry(struct host *h, const struct engine_effect *effect)
{
	switch (effect->kind) {
	case DO_PROPOSE:
		hosts_propose(h, effect->propose.number, &effect->propose.transaction);
		return;
	case DO_JOURNAL:
		write_record(h, effect);
		return;
	case DO_RUN:
		host_tool_run(h, effect);
		return;
	case DO_KILL:
		host_tool_kill(h, effect->kill.run);
		return;
	case DO_SEND:
		post(h, effect->send.to, effect->send.message);
		return;
	case DO_ANSWER:
		answer(h, effect->answer);
		return;
	case DO_PROGRESS:
		return;
	case DO_TRACE:
		tell(h, &effect->trace);
		return;
	}
}

/* ---- a node's life ---- */

static void add_client(struct hosts *w, enum engine_ask ask, uint64_t number);

static bool mishap_here(struct host *h)
{
	struct hosts *w = h->world;
	bool died = false;
	h->points++;
	if (h->points > w->result->points[h->index])
		w->result->points[h->index] = h->points;
	for (uint32_t i = 0; i < w->plan->mishap_count; i++) {
		const struct mishap *m = &w->plan->mishaps[i];
		if (w->mishap_done[i] || m->node != h->index || m->point != h->points)
			continue;
		w->mishap_done[i] = true;
		if (m->kind == MISHAP_CRASH) {
			host_crash(h, m->down);
			died = true;
		} else if (m->kind == MISHAP_TRANSFER) {
			hosts_schedule(w, 0,
			               (struct event){.kind = EVENT_ELECT, .number = w->master});
		} else if (m->kind == MISHAP_CANCEL || m->kind == MISHAP_ABANDON) {
			add_client(w, m->kind == MISHAP_CANCEL ? ASK_CANCEL : ASK_ABANDON, 1);
		}
	}
	return died;
}

static struct now now_of(const struct hosts *w)
{
	return (struct now){w->now + SECOND, w->now + SECOND, w->now + 1000 * SECOND};
}

static void arm(struct host *h)
{
	struct now now = now_of(h->world);
	instant due = engine_deadline(h->engine, &now);
	if (due == NEVER)
		return;
	instant at = due - SECOND;
	if (at < h->world->now)
		at = h->world->now;
	if (h->timer_at && h->timer_at <= at)
		return;
	h->timer_at = at;
	hosts_schedule(h->world, at - h->world->now,
	               (struct event){.kind = EVENT_TIMER, .node = h->index, .life = h->life});
}

void host_deliver(struct host *h, const struct engine_input *input)
{
	if (!h->up || mishap_here(h))
		return;
	struct now now = now_of(h->world);
	struct engine_output out;
	uint32_t life = h->life;
	engine_step(h->engine, &now, input, &out);
	for (uint32_t i = 0; i < out.count; i++) {
		if (out.list[i].kind == DO_TRACE) {
			tell(h, &out.list[i].trace);
			continue;
		}
		if (mishap_here(h))
			return;
		carry(h, &out.list[i]);
		if (!h->up || h->life != life || mishap_here(h))
			return;
	}
	arm(h);
}

void host_crash(struct host *h, duration down)
{
	struct hosts *w = h->world;
	w->result->crashes++;
	if (w->plan->trace)
		fprintf(w->plan->trace, "%10.6f n%u [%u] crashes\n", (double)w->now / 1e9, h->index,
		        h->points);
	h->up = false;
	h->life++;
	h->believes = false;
	h->timer_at = 0;
	memset(h->processes, 0, sizeof(h->processes));
	hosts_schedule(w, down,
	               (struct event){.kind = EVENT_START, .node = h->index, .life = h->life});
	if (w->master == h->index) {
		w->master = HOSTS_MAX;
		hosts_schedule(w, ELECTION,
		               (struct event){.kind = EVENT_ELECT, .number = h->index});
	}
}

static void mastership(struct host *h, bool master)
{
	struct engine_input input = {.kind = ENGINE_MASTERSHIP};
	input.mastership.master = master;
	input.mastership.epoch = h->world->epoch;
	h->epoch_told = h->world->epoch;
	host_deliver(h, &input);
}

static void load_rows(struct host *h)
{
	for (uint32_t i = 0; i < h->rows.count; i++) {
		struct engine_input input = {.kind = ENGINE_ROW};
		input.row.row = *h->rows.list[i].value;
		input.row.row.version = h->rows.list[i].version;
		struct now now = now_of(h->world);
		struct engine_output out;
		engine_step(h->engine, &now, &input, &out);
	}
}

static void start(struct host *h)
{
	struct hosts *w = h->world;
	memset(h->engine, 0, w->engine_bytes);
	engine_init(h->engine, &w->settings[h->index]);
	for (uint32_t i = 0; i < h->record_count; i++)
		engine_load_journal(h->engine, h->records[i]);
	load_rows(h);
	h->up = true;
	struct engine_input input = {.kind = ENGINE_START};
	host_deliver(h, &input);
	input = (struct engine_input){.kind = ENGINE_MASTERSHIP};
	input.mastership.epoch = h->epoch_told; /* its ledger knows */
	host_deliver(h, &input);
	hosts_schedule(
	    w, LATENCY,
	    (struct event){
		.kind = EVENT_APPLY, .node = h->index, .life = h->life, .number = w->log_count});
	hosts_schedule(w, 2 * LATENCY,
	               (struct event){.kind = EVENT_EPOCH, .node = h->index, .life = h->life});
}

void hosts_elect(struct hosts *w, uint32_t avoid)
{
	if (w->master < HOSTS_MAX && w->master != avoid)
		return; /* somebody was quicker */
	for (uint32_t i = 1; i <= HOSTS_MAX; i++) {
		struct host *h = &w->hosts[(avoid + i) % HOSTS_MAX];
		if (!h->up)
			continue;
		struct host *old = w->master < HOSTS_MAX ? &w->hosts[w->master] : NULL;
		w->master = h->index;
		w->epoch++;
		w->result->transfers++;
		if (w->plan->trace)
			fprintf(w->plan->trace, "%10.6f n%u is master, epoch %llu\n",
			        (double)w->now / 1e9, h->index, (unsigned long long)w->epoch);
		if (old && old != h)
			mastership(old, false);
		hosts_apply(h, w->log_count);
		if (h->up && w->master == h->index)
			mastership(h, true);
		for (uint32_t n = 0; n < HOSTS_MAX; n++)
			hosts_schedule(
			    w, LATENCY + (duration)prng_below(&w->dice, 10) * MILLISECOND,
			    (struct event){
				.kind = EVENT_EPOCH, .node = n, .life = w->hosts[n].life});
		return;
	}
	hosts_schedule(w, ELECTION, (struct event){.kind = EVENT_ELECT, .number = avoid});
}

/* ---- clients ---- */

static void add_client(struct hosts *w, enum engine_ask ask, uint64_t number)
{
	struct client *c = &w->clients[w->client_count];
	memset(c, 0, sizeof(*c));
	c->starts = ask == ASK_START;
	c->request.id = (struct request_id){host_id(0), 7, w->client_count};
	c->request.ask = ask;
	c->request.number = number;
	c->request.from = host_id(0);
	say(c->request.who, sizeof(c->request.who), "root");
	say(c->request.noun, sizeof(c->request.noun), w->plan->volumes ? "volume" : "thing");
	say(c->request.verb, sizeof(c->request.verb), "%s", w->plan->verb);
	hosts_schedule(w, 0, (struct event){.kind = EVENT_ASK, .number = w->client_count++});
}

static void add_starter(struct hosts *w, uint32_t index)
{
	char text[32];
	struct arguments *arguments = &w->clients[w->client_count].request.arguments;
	add_client(w, ASK_START, 0);
	if (w->plan->volumes) {
		hosts_volumes_ask(w->plan, arguments);
		return;
	}
	say(text, sizeof(text), "%u", (index + 1) % HOSTS_MAX);
	arguments_add(arguments, "at", text);
	say(text, sizeof(text), "thing:%u", w->plan->same_lock ? 0 : index);
	arguments_add(arguments, "thing", text);
	if (w->plan->one_vg)
		arguments_add(arguments, "vg", "vg:data");
}

static void add_job(struct hosts *w)
{
	struct engine_request *r = &w->clients[w->client_count].request;
	add_client(w, ASK_JOB_ADD, 0);
	say(r->job, sizeof(r->job), "tick");
	r->every = JOB_EVERY;
	arguments_add(&r->arguments, "at", "1");
	arguments_add(&r->arguments, "thing", "thing:job");
	for (uint32_t i = 0; i < JOB_RUNS_MAX; i++)
		say(w->runs[i].request.verb, sizeof(r->verb), "%s", w->plan->verb);
}

static void ask(struct hosts *w, uint32_t index)
{
	struct client *c = &w->clients[index];
	if (c->answered)
		return;
	duration again = w->plan->impatient ? ASK_AGAIN / 15 : ASK_AGAIN;
	hosts_schedule(w, c->asked++ ? again : again,
	               (struct event){.kind = EVENT_ASK, .number = index});
	if (w->master >= HOSTS_MAX || hosts_chance(w, w->plan->loss_percent))
		return;
	struct event request = {.kind = EVENT_REQUEST, .node = w->master, .number = index};
	hosts_schedule(w, LATENCY, request);
	if (hosts_chance(w, w->plan->double_percent))
		hosts_schedule(w, 2 * LATENCY, request);
}

static void answered(struct hosts *w, const struct engine_answer *a)
{
	struct client *c = &w->clients[a->request.sequence];
	bool again = a->result == ENGINE_NOT_MASTER || a->result == ENGINE_UNAVAILABLE;
	if (c->answered || again)
		return; /* it is asked again all the same */
	c->answered = true;
	c->result = a->result;
	say(c->text, sizeof(c->text), "%s", a->text);
	if (w->plan->trace)
		fprintf(w->plan->trace, "%10.6f client %u is answered: %d %s\n",
		        (double)w->now / 1e9, (unsigned)a->request.sequence, (int)a->result,
		        a->text);
}

static void request(struct hosts *w, struct host *h, uint32_t index)
{
	struct client *c = &w->clients[index];
	if (c->request.ask == ASK_ABANDON) {
		for (uint32_t i = 0; i < w->client_count; i++)
			w->clients[i].abandoned = true;
	}
	struct engine_input input = {.kind = ENGINE_REQUEST, .request = &c->request};
	host_deliver(h, &input);
}

/* ---- events ---- */

static void durable(struct host *h, const struct event *event)
{
	const struct write *write = event->memory;
	uint32_t at = 0;
	while (at < h->record_count && !request_id_equal(&h->records[at]->id, &write->id))
		at++;
	if (event->flag) {
		/* the disk refused */
	} else if (write->drop) {
		if (at < h->record_count) {
			free(h->records[at]);
			h->records[at] = h->records[--h->record_count];
		}
	} else {
		assert(at < RECORDS_MAX);
		if (at == h->record_count)
			h->records[h->record_count++] = malloc(sizeof(write->record));
		*h->records[at] = write->record;
	}
	struct engine_input input = {.kind = ENGINE_JOURNALED};
	input.journaled.number = event->number;
	input.journaled.failed = event->flag;
	host_deliver(h, &input);
}

static void message(struct host *h, const struct event *event)
{
	const struct engine_message *m = event->memory;
	struct engine_input input = {.kind = ENGINE_MESSAGE};
	input.message.from = host_id((uint32_t)event->number);
	input.message.message = m;
	if (h->up && m->epoch > h->epoch_told)
		h->epoch_told = m->epoch;
	if (h->up && m->kind == ENGINE_MESSAGE_DISPATCH && m->epoch == h->epoch_told)
		hosts_client_of(h->world, &m->dispatch.operation.id)->ordered[h->index] = true;
	host_deliver(h, &input);
}

static void proposed(struct host *h, const struct event *event)
{
	struct engine_input input = {.kind = ENGINE_PROPOSED};
	hosts_apply(h, h->world->log_count); /* its rows first */
	input.proposed.number = event->number;
	input.proposed.result = (enum proposal_result)event->code;
	host_deliver(h, &input);
}

static void timer(struct host *h)
{
	struct engine_input input = {.kind = ENGINE_TICK};
	h->timer_at = 0;
	host_deliver(h, &input);
}

/* What is about an earlier life of its node is nobody's. */
static bool of_this_life(const struct hosts *w, const struct event *event)
{
	switch (event->kind) {
	case EVENT_TIMER:
	case EVENT_START:
	case EVENT_EPOCH:
	case EVENT_APPLY:
	case EVENT_PROPOSED:
	case EVENT_DURABLE:
	case EVENT_EFFECT:
	case EVENT_RESULT:
		return w->hosts[event->node].life == event->life;
	case EVENT_ELECT:
	case EVENT_COMMIT:
	case EVENT_MESSAGE:
	case EVENT_ASK:
	case EVENT_REQUEST:
	case EVENT_ANSWER:
		return true;
	}
	return false;
}

static void happen(struct hosts *w, struct event *event)
{
	struct host *h = &w->hosts[event->node];
	switch (event->kind) {
	case EVENT_TIMER:
		timer(h);
		return;
	case EVENT_START:
		start(h);
		return;
	case EVENT_ELECT:
		hosts_elect(w, (uint32_t)event->number);
		return;
	case EVENT_EPOCH:
		if (w->master != h->index && h->up && h->epoch_told < w->epoch)
			mastership(h, false);
		return;
	case EVENT_COMMIT:
		hosts_commit(w, event);
		return;
	case EVENT_APPLY:
		hosts_apply(h, event->number);
		return;
	case EVENT_PROPOSED:
		proposed(h, event);
		return;
	case EVENT_DURABLE:
		durable(h, event);
		return;
	case EVENT_MESSAGE:
		message(h, event);
		return;
	case EVENT_EFFECT:
		host_tool_effect(h, event->number);
		return;
	case EVENT_RESULT:
		host_tool_result(h, event->number);
		return;
	case EVENT_ASK:
		ask(w, (uint32_t)event->number);
		return;
	case EVENT_REQUEST:
		request(w, h, (uint32_t)event->number);
		return;
	case EVENT_ANSWER:
		answered(w, event->memory);
		return;
	}
}

/* ---- a run ---- */

static void draw_mishaps(struct hosts *w)
{
	for (uint32_t i = 0; i < w->plan->transfers; i++) {
		duration at = (duration)prng_below(&w->dice, (uint64_t)w->plan->spread);
		hosts_schedule(
		    w, at,
		    (struct event){.kind = EVENT_ELECT, .number = prng_below(&w->dice, HOSTS_MAX)});
	}
}

/* A drawn crash is at a drawn point, so that it falls between any two effects. */
static void draw_crashes(struct hosts *w, struct hosts_plan *plan)
{
	for (uint32_t i = 0; i < plan->crashes && plan->mishap_count < MISHAPS_MAX; i++) {
		struct mishap *m = &plan->mishaps[plan->mishap_count++];
		*m = (struct mishap){MISHAP_CRASH, (uint32_t)prng_below(&w->dice, HOSTS_MAX),
		                     1 + (uint32_t)prng_below(&w->dice, 40 + 40 * plan->operations),
		                     (duration)prng_below(&w->dice, 3000) * MILLISECOND};
	}
}

static void begin(struct hosts *w)
{
	if (w->plan->volumes)
		hosts_volumes_seed(w);
	for (uint32_t i = 0; i < HOSTS_MAX; i++) {
		struct host *h = &w->hosts[i];
		h->world = w;
		h->index = i;
		host_view(h, &w->views[i]);
		uint32_t operations = w->plan->operations < 8 ? 8 : w->plan->operations;
		w->settings[i] = (struct engine_settings){
		    .self = host_id(i),
		    .verbs = &hosts_verbs,
		    .view = &w->views[i],
		    .operations_max = operations,
		    .executing_max = operations < 32 ? operations : 32,
		    .watchers_max = operations + 8,
		    .audit_max = operations < 64 ? 64 : 2 * operations,
		    .jobs_max = 4,
		    .weakened = w->plan->weakened,
		};
		w->engine_bytes = engine_size(&w->settings[i]);
		h->engine = calloc(1, w->engine_bytes);
		start(h);
	}
	hosts_elect(w, HOSTS_MAX - 1);
	for (uint32_t i = 0; i < w->plan->operations; i++)
		add_starter(w, i);
	if (w->plan->job)
		add_job(w);
	draw_mishaps(w);
}

static void end(struct hosts *w)
{
	hosts_check_end(w);
	w->result->took = w->now;
	for (uint32_t i = 0; i < HOSTS_MAX; i++) {
		free(w->hosts[i].engine);
		for (uint32_t r = 0; r < w->hosts[i].record_count; r++)
			free(w->hosts[i].records[r]);
	}
	hosts_forget(w);
	free(w->events);
	free(w->clients);
	free(w);
}

void hosts_run(const struct hosts_plan *given, struct hosts_result *out)
{
	struct hosts *w = calloc(1, sizeof(*w));
	struct hosts_plan plan = *given;
	memset(out, 0, sizeof(*out));
	w->plan = &plan;
	w->result = out;
	w->master = HOSTS_MAX;
	w->clients = calloc(plan.operations + MISHAPS_MAX + 1, sizeof(*w->clients));
	dice_seed(&w->dice, plan.seed, DICE_WORLD);
	draw_crashes(w, &plan);
	begin(w);
	instant look = 0;
	while (w->event_count && w->now < RUN_LIMIT && !out->violations) {
		struct event event = take(w);
		w->now = event.at;
		if (of_this_life(w, &event))
			happen(w, &event);
		free(event.memory);
		if (w->now >= look && (look = w->now + 100 * MILLISECOND) && w->now > plan.spread &&
		    hosts_over(w))
			break;
	}
	end(w);
}
