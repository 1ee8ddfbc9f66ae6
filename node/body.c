#include "body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "body_clock.h"
#include "control.h"
#include "data_folder.h"
#include "engine_body.h"
#include "engine_runner.h"
#include "journal.h"
#include "knock.h"
#include "loop.h"
#include "checkup.h"
#include "hand_client.h"
#include "http.h"
#include "observe_dns.h"
#include "observe_links.h"
#include "observe_storage.h"
#include "observer.h"
#include "random_bytes.h"
#include "store.h"
#include "stream.h"
#include "text.h"
#include "udp.h"
#include "watch.h"

#define DRAIN_PATIENCE (500 * MILLISECOND)
#define STORE_PATIENCE SECOND

/* ---- key and store ---- */

static int open_folder(struct body *b, struct error *error)
{
	const char *folder = b->config.data;
	b->lock = data_folder_lock(folder, error);
	if (b->lock < 0)
		return b->lock;
	bool had_store = data_folder_has(folder, "store.db");
	int status = 0;
	if (!had_store) /* before the store is made: a key alone must not get a fresh one */
		status = data_folder_check(folder, had_store, false, error);
	if (status == 0)
		status = store_open(folder, &b->store, error);
	if (status == 0)
		status = data_folder_check(folder, true, store_initialised(b->store), error);
	return status;
}

/* Of a change of key that is not known to be over: its id is enough to know it by. */
static int load_next_key(struct body *b, struct error *error)
{
	uint8_t seed[NODE_SEED_SIZE];
	struct node_keys next;
	int status = node_seed_next(b->config.data, false, seed, error);
	if (status <= 0)
		return status;
	node_keys_from_seed(SEAL_REAL, seed, &next);
	b->next_key = node_key_id(&next.public_key);
	bytes_wipe(&next, sizeof next);
	bytes_wipe(seed, sizeof seed);
	return 0;
}

static int load_keys(struct body *b, struct error *error)
{
	uint8_t seed[NODE_SEED_SIZE];
	int status = node_seed_load(b->config.data, seed, error);
	if (status == 0)
		node_keys_from_seed(SEAL_REAL, seed, &b->keys);
	if (status == 0)
		status = load_next_key(b, error);
	bytes_wipe(seed, sizeof seed);
	return status;
}

/* ---- the mind ---- */

static void fill_settings(const struct body *b, struct gossip_settings *out)
{
	*out = (struct gossip_settings){.seal = SEAL_REAL, .keys = b->keys,
	                                .address = b->config.advertise.list[0],
	                                .more = addresses_rest(&b->config.advertise),
	                                .local = b->config.listen,
	                                .next = b->next_key,
	                                .members_max = b->config.members_max,
	                                .ledger_bytes = b->config.ledger_size};
	random_bytes(out->seed, sizeof out->seed);
	random_bytes(out->salt, sizeof out->salt);
	out->nonce = random_number();
}

static bool load_durable(void *context, struct bytes record)
{
	struct body *b = context;
	return gossip_load_durable(b->gossip, record);
}

static bool load_row(void *context, struct bytes key, struct bytes value)
{
	struct body *b = context;
	return gossip_load_row(b->gossip, key, value);
}

static bool load_entry(void *context, uint64_t index, const struct ballot *ballot,
                       struct bytes command)
{
	struct body *b = context;
	return gossip_load_entry(b->gossip, index, ballot, command);
}

static bool load_journal(void *context, struct bytes key, struct bytes value)
{
	struct body *b = context;
	return engine_body_load(b->engine, value);
}

static int make_base(struct body *b, struct error *error)
{
	struct event_config *config = event_config_new();
	if (config != NULL) {
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* one thread */
		b->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	return b->base != NULL ? 0 : error_set(error, -ENOMEM, "cannot make the event loop");
}

/* Reserved, not touched: a small cluster costs a small part of it. */
static int make_mind(struct body *b, struct error *error)
{
	struct gossip_settings settings;
	fill_settings(b, &settings);
	b->memory_size = gossip_size(&settings);
	b->memory = mmap(NULL, b->memory_size, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b->memory == MAP_FAILED) {
		b->memory = NULL;
		return error_set(error, -ENOMEM, "out of memory: %zu bytes for members_max and ledger_size",
		                 b->memory_size);
	}
	b->gossip = gossip_init(b->memory, &settings);
	bytes_wipe(&settings, sizeof settings);
	b->engine = engine_body_create(b);
	if (b->engine == NULL)
		return error_set(error, -ENOMEM, "out of memory");
	struct store_reader reader = {b, load_durable, load_row, load_entry, load_journal};
	return store_load(b->store, &reader, error);
}

/* ---- the rest of the body ---- */

static void on_persisted(void *context, uint64_t number, bool failed)
{
	struct body *b = context;
	struct input input = {.kind = INPUT_PERSISTED,
	                      .persisted = {.number = number, .failed = failed}};
	engine_body_persisted(b->engine, number, failed);
	body_step(b, &input);
}

static int open_parts(struct body *b, struct error *error)
{
	int status = loop_open(b, error);
	if (status == 0)
		status = udp_open(b, &b->udp, error);
	if (status == 0)
		status = streams_open(b, &b->streams, error);
	if (status == 0)
		status = store_start(b->store, b->base, on_persisted, b, error);
	if (status == 0)
		status = control_open(b, &b->control, error);
	if (status < 0)
		return status;
	b->hand = hand_open(b->base, hand_inherited(), b->config.hand);
	b->watch = watch_create(b);
	b->observer = observer_create(b);
	b->dns = dns_watch_create(b);
	b->links = link_watch_create(b);
	b->storage = storage_watch_create(b);
	b->checkup = checkup_create(b);
	if (b->watch == NULL || b->observer == NULL || b->dns == NULL || b->links == NULL ||
	    b->storage == NULL || b->checkup == NULL || b->hand == NULL)
		return error_set(error, -ENOMEM, "out of memory");
	b->http = http_open(b);
	return 0;
}

int body_open(struct body *b, const struct node_config *config, struct error *error)
{
	struct now now;
	memset(b, 0, sizeof *b);
	b->config = *config;
	b->lock = b->timer_fd = -1;
	body_clock_read(&now);
	b->started = now.boot;
	int status = open_folder(b, error);
	if (status == 0)
		status = load_keys(b, error);
	if (status == 0)
		status = make_base(b, error);
	if (status == 0)
		status = make_mind(b, error);
	if (status == 0)
		status = open_parts(b, error);
	return status;
}

/* ---- running ---- */

static void say_ready(const struct body *b)
{
	char address[ADDRESS_TEXT_SIZE], id[17];
	address_format(&b->config.advertise.list[0], address);
	node_id_format(node_key_id(&b->keys.public_key), id);
	journal_say(LEVEL_info, "essaimd %s: node '%s' with key %s on %s, socket '%s'", ESSAIM_VERSION,
	            b->config.name, id, address, b->config.socket);
	sd_notify(0, "READY=1");
}

static void say_end(const struct body *b)
{
	if (b->idle)
		return; /* said at the start */
	const char *what = b->stop_seen ? loop_gone(b->stop_standing) : NULL;
	if (what != NULL && !b->wipe)
		journal_say(LEVEL_notice,
		            "this node %s and stops: start essaimd again and run 'essaim node reset' before it joins anew",
		            what);
}

/* The change of key is committed: what follows is said under the new one. */
static int take_next_key(struct body *b, struct error *error)
{
	journal_say(LEVEL_notice, "this node's key was changed: going on with the new one");
	return node_seed_switch(b->config.data, error);
}

int body_run(struct body *b, struct error *error)
{
	say_ready(b);
	loop_run(b);
	if (!loop_rekeyed(b))
		sd_notify(0, "STOPPING=1");
	say_end(b);
	control_drain(b->control, DRAIN_PATIENCE);
	if (!store_stop(b->store, STORE_PATIENCE))
		return error_set(error, -EIO, "the disk did not take the last writes");
	bool rekeyed = loop_rekeyed(b) && !b->wipe;
	if (!b->wipe && !rekeyed)
		return 0;
	b->again = rekeyed && !b->stop_asked;
	store_close(b->store);
	b->store = NULL;
	return rekeyed ? take_next_key(b, error) : data_folder_wipe(b->config.data, error);
}

void body_close(struct body *b)
{
	http_close(b->http);
	hand_close(b->hand);
	checkup_destroy(b->checkup);
	dns_watch_destroy(b->dns);
	link_watch_destroy(b->links);
	storage_watch_destroy(b->storage);
	if (b->observer != NULL)
		observer_destroy(b->observer);
	if (b->control != NULL)
		control_close(b->control);
	if (b->watch != NULL)
		watch_destroy(b->watch);
	if (b->streams != NULL)
		streams_close(b->streams);
	knocks_close(b);
	if (b->udp != NULL)
		udp_close(b->udp);
	if (b->store != NULL && store_stop(b->store, 0))
		store_close(b->store);
	runner_close(b);
	engine_body_destroy(b->engine);
	loop_close(b);
	if (b->base != NULL)
		event_base_free(b->base);
	if (b->memory != NULL)
		munmap(b->memory, b->memory_size);
	bytes_wipe(&b->keys, sizeof b->keys);
	if (b->lock >= 0)
		close(b->lock);
}
