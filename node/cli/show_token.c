#include "human.h"
#include "json.h"
#include "show.h"
#include "table.h"

/* The token alone on standard output: it is meant to be piped and pasted. */
void show_token(const struct invocation *in, const json_t *result)
{
	human_print(stdout, json_text(result, "token"));
	putchar('\n');
	if (human_listens())
		fprintf(stderr,
			"good until %s\non the new machine: essaim join ADDRESS --token TOKEN\n",
			json_text(result, "expires"));
}

static const char *token_state(const json_t *token)
{
	if (json_truth(token, "revoked"))
		return "revoked";
	return json_number(token, "uses_left") > 0 ? "open" : "used up";
}

void show_tokens(const struct invocation *in, const json_t *result)
{
	static const struct column columns[] = {
	    {"ID", COLUMN_WORD},          {"ROLE", COLUMN_WORD},  {"EXPIRES", COLUMN_WORD},
	    {"USES LEFT", COLUMN_NUMBER}, {"STATE", COLUMN_WORD}, {0},
	};
	size_t i;
	json_t *token;
	if (json_array_size(result) == 0) {
		printf("No tokens (essaim token create makes one).\n");
		return;
	}
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(result, i, token)
	{
		char uses[24];
		snprintf(uses, sizeof uses, "%lld", (long long)json_number(token, "uses_left"));
		table_row(table, (const char *const[]){
				     json_text(token, "id"), json_text(token, "role"),
				     json_text(token, "expires"), uses, token_state(token)});
	}
	table_end(table);
}
