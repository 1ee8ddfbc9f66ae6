#include "settings.h"

#include "core.h"
#include "text.h"

static bool get_row(const struct gossip *g, struct bytes name, struct kv_row *out)
{
	uint8_t key[KEY_MAX_SIZE + 1];
	struct bytes value;
	struct arena *arena = (struct arena *)&g->row_arena;
	return rows_get(&g->rows, row_key(key, 's', name), &value) &&
	       kv_row_decode(value.data, value.size, arena, out);
}

/* The committed text, if there is one and this build can read it. */
static bool committed(const struct gossip *g, enum setting setting, struct kv_row *out)
{
	return get_row(g, text_bytes(setting_info(setting)->name), out) &&
	       setting_check(setting, out->value, NULL) == 0;
}

static struct bytes standard(const struct gossip *g, enum setting setting)
{
	if (setting == SETTING_PROFILE)
		return text_bytes(profile_name((enum profile)g->durable.config.profile));
	return text_bytes(setting_info(setting)->standard);
}

int64_t settings_number(const struct gossip *g, enum setting setting)
{
	struct kv_row row;
	struct bytes text = committed(g, setting, &row) ? row.value : standard(g, setting);
	return setting_value(setting, text);
}

int settings_check(const struct command *command, struct error *error)
{
	enum setting setting;
	int code = setting_find(command->key, &setting, error);
	return code < 0 ? code : setting_check(setting, command->value, error);
}

enum outcome settings_apply(struct gossip *g, uint64_t index, const struct command *c)
{
	uint8_t key[KEY_MAX_SIZE + 1];
	struct kv_row row = {index, c->judged_wall, c->value};
	if (c->key.size == 0 || c->value.size > SETTING_VALUE_ROOM)
		return LEDGER_NOT_FOUND; /* of no build's master */
	size_t size = kv_row_encode(&row, g->ledger.value, VALUE_MAX_SIZE);
	assert(size > 0);
	bool put = rows_put(&g->rows, row_key(key, 's', c->key),
	                    (struct bytes){g->ledger.value, size}, true);
	assert(put); /* apply_one saw to the room */
	core_trace(g, RULE_SETTING, 0, 0, (int64_t)index, 0, 0);
	g->voters.look_at = g->now.boot;
	return LEDGER_DONE;
}

bool gossip_setting_at(const struct gossip *g, uint32_t position, struct setting_view *out)
{
	struct kv_row row;
	if (position >= SETTINGS)
		return false;
	const struct setting_info *info = setting_info((enum setting)position);
	bool set = committed(g, (enum setting)position, &row);
	*out = (struct setting_view){.name = info->name,
	                             .legal = info->legal,
	                             .meaning = info->meaning,
	                             .value = set ? row.value : standard(g, (enum setting)position),
	                             .set = set,
	                             .changed_wall = set ? row.changed_wall : 0};
	return true;
}
