#include "resolv.h"

#include <string.h>

#include "text.h"

#define LINE_SIZE 1024

static void take_server(struct resolv *out, const char *word)
{
	struct address address;
	if (out->server_count == FACT_SERVERS_MAX || strlen(word) > FACT_TEXT_MAX ||
	    address_parse(word, &address, NULL) < 0)
		return;
	snprintf(out->servers[out->server_count++], FACT_TEXT_MAX + 1, "%s", word);
}

static void take_search(struct resolv *out, char **rest)
{
	char *word;
	out->search_count = 0; /* the last line counts */
	while ((word = strtok_r(NULL, " \t\n", rest)) != NULL && out->search_count < SEARCH_MAX) {
		if (strlen(word) < DOMAIN_SIZE)
			snprintf(out->search[out->search_count++], DOMAIN_SIZE, "%s", word);
	}
}

void resolv_read(FILE *in, struct resolv *out)
{
	char line[LINE_SIZE];
	memset(out, 0, sizeof *out);
	while (fgets(line, sizeof line, in) != NULL) {
		char *rest, *key = strtok_r(line, " \t\n", &rest);
		if (key == NULL || key[0] == '#' || key[0] == ';')
			continue;
		if (strcmp(key, "nameserver") == 0) {
			char *word = strtok_r(NULL, " \t\n", &rest);
			if (word != NULL)
				take_server(out, word);
		} else if (strcmp(key, "search") == 0 || strcmp(key, "domain") == 0) {
			take_search(out, &rest);
		}
	}
}
