/*
 * make_corpus FOLDER: writes the small real inputs that fuzzing starts from: every kind of message,
 * every stored record, handshakes and frames, tokens. Run by hand when the wire changes; its
 * output is committed.
 */
#include "handshake.h"
#include "arguments.h"
#include "codec_registry.h"
#include "inventory.h"
#include "storage.h"
#include "samples.h"
#include "text.h"
#include "token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint8_t packed[FRAME_MAX], memory[FRAME_MAX];

static void write_file(const char *folder, const char *kind, const char *name, const void *data,
                       size_t size)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", folder, kind);
	mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
	FILE *file = fopen(path, "wb");
	if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
		fprintf(stderr, "cannot write '%s'\n", path);
		exit(1);
	}
}

static struct walk filler(uint64_t seed)
{
	memset(memory, 0, sizeof memory);
	return (struct walk){.mode = WALK_FILL,
	                     .small = true,
	                     .random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1,
	                     .memory = memory,
	                     .size = sizeof memory};
}

/* ---- inventories ---- */

static _Alignas(16) uint8_t parts[INVENTORY_SCRATCH];
static struct arena scratch = {parts, sizeof parts, 0};

static void write_lvm_pages(const char *folder)
{
	static struct lvm_head head = {.state = INVENTORY_SEEN, .page_count = 1, .volume_count = 2,
		.group_count = 1, .device_count = 1,
		.groups = {{.name = "vg0", .uuid = {"jTdXmIP3GLa5W2CRBbfDf79Ku5C79mf2"}, .size = 125829120,
			.free = 117440512, .extent = 4194304, .device_count = 1, .tags = "a,b"}},
		.devices = {{.path = "/dev/sda", .size = 1 << 30, .duplicate = true, .other = "/dev/sdb"}}};
	static struct lvm_page page = {.group_count = 1, .volume_count = 2,
		.groups = {{.name = "vg0", .uuid = {"jTdXmIP3GLa5W2CRBbfDf79Ku5C79mf2"}}},
		.volumes = {{.name = "pool", .kind = LV_POOL, .size = 1 << 26, .active = true,
				.data_fill = 8753, .metadata_fill = 12},
			{.name = "snap", .kind = LV_THIN, .origin = "disk", .pool = "pool", .tags = "essaim",
				.data_fill = -1, .metadata_fill = -1}}};
	write_file(folder, "inventory", "lvm_head", packed,
	           lvm_head_encode(&head, &scratch, packed, sizeof packed));
	write_file(folder, "inventory", "lvm_page", packed,
	           lvm_page_encode(&page, &scratch, packed, sizeof packed));
}

static void write_drbd_pages(const char *folder)
{
	static struct drbd_head head = {.state = INVENTORY_STUCK, .since_wall = SECOND,
		.version = "8.4.11", .page_count = 1, .resource_count = 1};
	static struct drbd_page page = {.resource_count = 1,
		.resources = {{.name = "r0", .role = "Primary", .volume_count = 1, .peer_count = 1,
			.volumes = {{.disk = "UpToDate", .size = 1 << 25, .open = true, .backing = "/dev/vg0/r0",
				.generation = {true, 1, 2, {3, 4}}}},
			.peers = {{.connection = "StandAlone", .role = "Unknown", .said = DRBD_SAID_SPLIT_BRAIN,
				.options = 77, .address = "10.0.0.2:7788", .local = "10.0.0.1:7788", .volume_count = 1,
				.volumes = {{.replication = "Off", .disk = "DUnknown", .out_of_sync = 4096,
					.done = -1}}}}}}};
	static struct dirs_seen dirs = {.count = 1,
		.list = {{.kind = DIR_NFS, .storage = "iso", .path = "/mnt/iso", .source = "server:/iso",
			.state = INVENTORY_SEEN, .mounted = true, .size = 1 << 30, .free = 1 << 20, .marker = "x1"}}};
	write_file(folder, "inventory", "drbd_head", packed,
	           drbd_head_encode(&head, &scratch, packed, sizeof packed));
	write_file(folder, "inventory", "drbd_page", packed,
	           drbd_page_encode(&page, &scratch, packed, sizeof packed));
	write_file(folder, "inventory", "dirs", packed,
	           dirs_encode(&dirs, &scratch, packed, sizeof packed));
}

/* ---- the engine's ---- */

#define WRITE_ENGINE(folder, type, name) \
	write_file(folder, "registry", #name, packed, type##_encode(&name, packed, sizeof packed))

static void write_registry(const char *folder)
{
	static struct operation_row operation = {.id = {1, 2, 3}, .number = 77, .epoch = 5, .noun = "volume",
		.verb = "create", .subject = "disk1", .who = "root", .from = 9, .target_count = 2, .targets = {11, 12},
		.state = OPERATION_CANCELLING, .step = 3, .asked_wall = 100, .memo = "a=b\n", .text = "because"};
	static struct audit_row audit = {.number = 8, .id = {1, 2, 3}, .noun = "job", .verb = "add", .who = "anna",
		.ended_wall = 7, .state = OPERATION_UNKNOWN, .text = "nobody knows"};
	static struct job_row job = {.name = "nightly", .number = 8, .noun = "volume", .verb = "snapshot",
		.every = SECOND, .due_wall = 99, .run = 3, .note = "was locked"};
	static struct engine_request request = {.ask = ASK_JOB_ADD, .who = "root", .noun = "volume",
		.verb = "create", .number = 5, .job = "nightly", .every = 7};
	static struct engine_told told = {.is_progress = true, .progress = {.state = OPERATION_RUNNING,
		.step_count = 3, .phase = "copy", .done_bytes = 5, .total_bytes = 10, .waits = "n2 is away"}};
	static struct engine_message dispatch = {.kind = ENGINE_MESSAGE_DISPATCH, .epoch = 6};
	static struct engine_message report = {.kind = ENGINE_MESSAGE_REPORT, .epoch = 6};
	static struct journal_record record = {.id = {1, 2, 3}, .number = 77, .epoch = 5, .to = 4,
		.phase = JOURNAL_ENDED, .outcome = LEG_FAILED, .text = "left"};
	static struct storage_row storage = {.id = {{1}}, .name = "vms", .type = STORAGE_NFS, .shared = true,
		.path = "/srv/vms", .source = "nas:/vms", .node_count = 1, .nodes = {5}};
	arguments_add(&operation.arguments, "size", "20G");
	locks_add(&operation.locks, true, "vg0");
	dispatch.dispatch.operation = record.operation = operation;
	report.report.id = operation.id;
	report.report.state = LEG_DONE;
	WRITE_ENGINE(folder, operation_row, operation);
	WRITE_ENGINE(folder, audit_row, audit);
	WRITE_ENGINE(folder, job_row, job);
	WRITE_ENGINE(folder, engine_request, request);
	WRITE_ENGINE(folder, engine_told, told);
	WRITE_ENGINE(folder, engine_message, dispatch);
	WRITE_ENGINE(folder, engine_message, report);
	WRITE_ENGINE(folder, journal_record, record);
	WRITE_ENGINE(folder, storage_row, storage);
}

/* ---- messages ---- */

static void write_envelopes(const char *folder)
{
	static struct envelope e;

	for (unsigned kind = MESSAGE_NONE; kind < MESSAGE_KINDS; kind++) {
		struct walk w = filler(kind + 1);
		char name[32];
		memset(&e, 0, sizeof e);
		e.kind = (enum message_kind)kind;
		walk_envelope(&w, &e);
		snprintf(name, sizeof name, "message_%02u", kind);
		size_t size = envelope_encode(&e, packed, sizeof packed);
		write_file(folder, "frame", name, packed, size);
		if (size <= PACKET_PLAIN_MAX)
			write_file(folder, "packet", name, packed, size);
	}
}

/* The largest value of a kv row would only slow the mutations down. */
#define WRITE_STORED(folder, type, seed) \
	do { \
		static struct type stored_; \
		struct walk fill_ = filler(seed); \
		walk_##type(&fill_, &stored_); \
		size_t size_ = type##_encode(&stored_, packed, sizeof packed); \
		write_file(folder, "frame", #type, packed, size_ < 4096 ? size_ : 0); \
	} while (0)

static void write_stored(const char *folder)
{
	struct kv_row row = {7, 8, {(const uint8_t *)"value", 5}};

	WRITE_STORED(folder, command, 101);
	WRITE_STORED(folder, durable, 102);
	WRITE_STORED(folder, member_row, 103);
	WRITE_STORED(folder, token_row, 104);
	WRITE_STORED(folder, origin_row, 105);
	WRITE_STORED(folder, seized, 106);
	write_file(folder, "frame", "kv_row", packed, kv_row_encode(&row, packed, sizeof packed));
}

/* With the keys that fuzz_stream.c knows. */
static void write_streams(const char *folder)
{
	static const struct cluster_id cluster = {{1}};
	static const struct hash token_hash = {{2}};
	static const uint8_t random_bytes[56] = {3}, seed_a[32] = {4}, seed_b[32] = {5};
	struct node_keys a, b;
	struct handshake h;
	struct stream_keys keys;
	uint8_t first[HANDSHAKE_FIRST_SIZE], second[HANDSHAKE_SECOND_SIZE];

	handshake_first_join(&h, &cluster, 4, &token_hash, random_bytes, first);
	write_file(folder, "stream", "first_join", first, sizeof first);
	handshake_second_join(&cluster, &token_hash, first, random_bytes, second, &keys);
	write_file(folder, "stream", "second_join", second, sizeof second);
	write_file(folder, "stream", "frame", packed,
	           frame_seal(&keys, (const uint8_t *)"a frame", 7, packed));
	/* and one that opens under the keys of fuzz_stream.c's try_frame: pull {2} is push here */
	keys = (struct stream_keys){{2}, {1}, {{3}}};
	write_file(folder, "stream", "frame_open", packed,
	           frame_seal(&keys, (const uint8_t *)"another", 7, packed));
	node_keys_from_seed(SEAL_REAL, seed_a, &a);
	node_keys_from_seed(SEAL_REAL, seed_b, &b);
	handshake_first_member(&h, &cluster, &a, &b.public_key, random_bytes, first);
	write_file(folder, "stream", "first_member", first, sizeof first);
}

static void write_texts(const char *folder)
{
	static const char *const texts[] = {"192.0.2.1:7800", "[2001:db8::1]:7800", "2001:db8::1",
	                                    "250ms", "7d", "node-1.site", "00000000000000ff",
	                                    "essaim1-", "k\xc3\xa9y"};
	struct token token = {{{1, 2, 3}}, 4, {5, 6, 7}};
	char text[TOKEN_TEXT_MAX], name[32];

	token_format(&token, text);
	write_file(folder, "token", "token", text, strlen(text));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		snprintf(name, sizeof name, "text_%zu", i);
		write_file(folder, "token", name, texts[i], strlen(texts[i]));
	}
}

int main(int argc, char **argv)
{
	if (argc != 2 || seal_start() != 0) {
		fprintf(stderr, "usage: make_corpus FOLDER\n");
		return 2;
	}
	write_lvm_pages(argv[1]);
	write_drbd_pages(argv[1]);
	write_registry(argv[1]);
	write_envelopes(argv[1]);
	write_stored(argv[1]);
	write_streams(argv[1]);
	write_texts(argv[1]);
	return 0;
}
