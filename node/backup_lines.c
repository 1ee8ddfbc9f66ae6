#include "backup_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "seal.h"
#include "text.h"

static const char *const tables[BACKUP_TABLES] = {
	[BACKUP_SETTING] = "setting", [BACKUP_MEMBER] = "member", [BACKUP_KV] = "kv",
	[BACKUP_REGISTRY] = "registry"};

/* ---- the checksum ---- */

/* Of hashes, so that a line of any size needs no copy. */
void backup_sum_add(struct backup_sum *sum, const char *line, size_t size)
{
	struct hash both[2] = {sum->chain};
	hash_bytes(SEAL_REAL, (const uint8_t *)line, size, &both[1]);
	hash_bytes(SEAL_REAL, both[0].bytes, sizeof both, &sum->chain);
	sum->lines++;
}

void backup_sum_format(const struct backup_sum *sum, char out[CHECKSUM_TEXT_SIZE])
{
	hex_format(sum->chain.bytes, HASH_SIZE, out);
}

/* ---- writing ---- */

json_t *backup_head_json(const struct backup_head *head)
{
	char cluster[2 * CLUSTER_ID_SIZE + 1], hash[2 * HASH_SIZE + 1];
	hex_format(head->cluster.bytes, CLUSTER_ID_SIZE, cluster);
	hex_format(head->generation.hash.bytes, HASH_SIZE, hash);
	return json_pack("{s:i, s:s, s:I, s:s, s:I, s:s, s:s}", "essaim_backup", BACKUP_FORMAT,
	                 "cluster", cluster, "generation", (json_int_t)head->generation.number, "hash",
	                 hash, "index", (json_int_t)head->index, "made", head->made, "node",
	                 head->node);
}

json_t *backup_setting_json(const char *key, const char *value)
{
	return json_pack("{s:s, s:s, s:s}", "table", tables[BACKUP_SETTING], "key", key, "value",
	                 value);
}

/* As text only if JSON writes it about as long as it is: a control character takes six bytes. */
static json_t *text_or_null(const struct bytes *value)
{
	for (size_t i = 0; i < value->size; i++) {
		uint8_t c = value->data[i];
		if (c < ' ' && c != '\n' && c != '\t' && c != '\r')
			return NULL;
	}
	return json_stringn(value->size > 0 ? (const char *)value->data : "", value->size);
}

/* Names of the engine's rows are bytes: as hexadecimal digits, which sort alike. */
static json_t *key_json(enum backup_table table, const struct bytes *key)
{
	char hex[2 * KEY_MAX_SIZE + 1];
	if (table != BACKUP_REGISTRY)
		return json_stringn((const char *)key->data, key->size);
	hex_format(key->data, key->size, hex);
	return json_string(hex);
}

json_t *backup_kv_json(enum backup_table table, const struct bytes *key, const struct bytes *value,
                       uint64_t version, instant changed)
{
	json_t *row = json_pack("{s:s, s:o, s:I, s:I}", "table", tables[table], "key",
	                        key_json(table, key), "version", (json_int_t)version, "changed_ns",
	                        (json_int_t)changed);
	json_t *text = text_or_null(value);
	if (row == NULL || text != NULL) {
		json_object_set_new(row, "value", text);
		return row;
	}
	char *encoded = malloc(BASE64_SIZE(value->size));
	if (encoded != NULL) {
		base64_encode(value->data, value->size, encoded);
		json_object_set_new(row, "value_base64", json_string(encoded));
	}
	free(encoded);
	return row;
}

char *backup_line(const json_t *object)
{
	return json_dumps(object, JSON_COMPACT);
}

/* ---- reading ---- */

static int complain(const struct backup_check *check, struct error *error, const char *why)
{
	return error_set(error, -EINVAL, "line %llu: %s", (unsigned long long)check->sum.lines + 1,
	                 why);
}

static int take_head(struct backup_check *check, const json_t *object, struct error *error)
{
	const json_t *format = json_object_get(object, "essaim_backup");
	const char *cluster = json_string_value(json_object_get(object, "cluster"));
	const char *hash = json_string_value(json_object_get(object, "hash"));
	const char *made = json_string_value(json_object_get(object, "made"));
	const char *node = json_string_value(json_object_get(object, "node"));
	json_int_t generation = json_integer_value(json_object_get(object, "generation"));
	struct backup_head *head = &check->head;
	if (!json_is_integer(format))
		return complain(check, error, "this is no backup of essaim");
	if (json_integer_value(format) != BACKUP_FORMAT)
		return complain(check, error,
		                "it is of another format than this essaim reads (1): a newer one wrote it");
	if (cluster == NULL || !hex_parse(cluster, head->cluster.bytes, CLUSTER_ID_SIZE))
		return complain(check, error, "it names no cluster");
	if (generation < 1 || hash == NULL ||
	    !hex_parse(hash, head->generation.hash.bytes, HASH_SIZE))
		return complain(check, error, "it names no generation");
	head->generation.number = (uint64_t)generation;
	head->index = (uint64_t)json_integer_value(json_object_get(object, "index"));
	snprintf(head->made, sizeof head->made, "%s", made != NULL ? made : "");
	snprintf(head->node, sizeof head->node, "%s", node != NULL ? node : "");
	check->state = BACKUP_WANTS_ROWS;
	return 0;
}

static int find_table(const json_t *object, enum backup_table *out)
{
	const char *name = json_string_value(json_object_get(object, "table"));
	for (int i = 0; name != NULL && i < BACKUP_TABLES; i++) {
		if (strcmp(name, tables[i]) == 0) {
			*out = (enum backup_table)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int decode_value(const struct backup_check *check, const json_t *object,
                        struct backup_row *row, struct error *error)
{
	const json_t *text = json_object_get(object, "value");
	const char *encoded = json_string_value(json_object_get(object, "value_base64"));
	if (json_is_string(text)) {
		row->value = (struct bytes){(const uint8_t *)json_string_value(text),
		                            json_string_length(text)};
	} else if (encoded != NULL && (row->room = malloc(VALUE_MAX_SIZE)) != NULL &&
	           base64_decode(encoded, strlen(encoded), row->room, VALUE_MAX_SIZE,
	                         &row->value.size)) {
		row->value.data = row->room;
	} else {
		return complain(check, error, "the row has no value");
	}
	return row->value.size <= VALUE_MAX_SIZE ? 0
	                                         : complain(check, error, "its value is too large");
}

static int parse_row(const struct backup_check *check, const json_t *object, struct backup_row *row,
                     struct error *error)
{
	struct error why;
	const json_t *key = json_object_get(object, "key");
	const json_t *version = json_object_get(object, "version");
	if (find_table(object, &row->table) < 0)
		return complain(check, error, "it belongs to no table that this essaim knows");
	row->key = json_string_value(key);
	if (row->key == NULL)
		return complain(check, error, "the row has no key");
	size_t size = json_string_length(key);
	bool engine = row->table == BACKUP_REGISTRY;
	if (engine && (size == 0 || size % 2 != 0 || size / 2 > KEY_MAX_SIZE ||
	               !hex_parse(row->key, row->name, size / 2)))
		return complain(check, error, "its key is not legal");
	row->name_size = engine ? size / 2 : 0;
	if (!engine && key_check((const uint8_t *)row->key, size, &why) < 0)
		return complain(check, error, why.text);
	if (row->table == BACKUP_MEMBER)
		return 0;
	row->version = (uint64_t)json_integer_value(version);
	row->changed = json_integer_value(json_object_get(object, "changed_ns"));
	bool versioned = row->table == BACKUP_KV || row->table == BACKUP_REGISTRY;
	if (versioned && (!json_is_integer(version) || json_integer_value(version) < 1))
		return complain(check, error, "the row has no version");
	return decode_value(check, object, row, error);
}

/* Strictly ascending, table by table (invariant 2). */
static int check_order(struct backup_check *check, const struct backup_row *row, struct error *error)
{
	bool first = check->rows == 0 || row->table > check->table;
	if (!first && (row->table < check->table || strcmp(row->key, check->last) <= 0))
		return complain(check, error, "the row is out of order, or there twice");
	check->table = row->table;
	snprintf(check->last, sizeof check->last, "%s", row->key);
	return 0;
}

static int take_row(struct backup_check *check, const json_t *object, backup_take *take,
                    void *context, struct error *error)
{
	struct backup_row row = {0};
	int status = parse_row(check, object, &row, error);
	if (status == 0)
		status = check_order(check, &row, error);
	if (status == 0 && take != NULL)
		take(context, &row);
	check->rows += status == 0;
	free(row.room);
	return status;
}

static int take_foot(struct backup_check *check, const json_t *object, struct error *error)
{
	char sum[CHECKSUM_TEXT_SIZE];
	const char *said = json_string_value(json_object_get(object, "checksum"));
	json_int_t rows = json_integer_value(json_object_get(object, "rows"));
	backup_sum_format(&check->sum, sum);
	if (said == NULL || strcmp(said, sum) != 0 || rows < 0 || (uint64_t)rows != check->rows)
		return error_set(error, -EINVAL,
		                 "the checksum does not match: a line was changed, lost or added");
	check->state = BACKUP_WHOLE;
	return 0;
}

static int take_object(struct backup_check *check, const json_t *object, backup_take *take,
                       void *context, struct error *error)
{
	switch (check->state) {
	case BACKUP_WANTS_HEAD:
		return take_head(check, object, error);
	case BACKUP_WANTS_ROWS:
		if (json_object_get(object, "checksum") != NULL)
			return take_foot(check, object, error);
		return take_row(check, object, take, context, error);
	case BACKUP_WHOLE:
		break;
	}
	return complain(check, error, "something follows the last line");
}

int backup_check_line(struct backup_check *check, const char *line, size_t size, backup_take *take,
                      void *context, struct error *error)
{
	if (size > BACKUP_LINE_MAX)
		return complain(check, error, "it is longer than any row");
	json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	int status = json_is_object(object) ? take_object(check, object, take, context, error)
	                                    : complain(check, error, "it is no JSON object");
	json_decref(object);
	if (status == 0 && check->state != BACKUP_WHOLE)
		backup_sum_add(&check->sum, line, size);
	return status;
}

int backup_check_end(const struct backup_check *check, struct error *error)
{
	if (check->state == BACKUP_WHOLE)
		return 0;
	if (check->state == BACKUP_WANTS_HEAD)
		return error_set(error, -EINVAL, "the file is empty");
	return error_set(error, -EINVAL, "it ends without its checksum: it was cut off");
}
