#include "config.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "net_address.h"
#include "text.h"

enum key_type {
	TYPE_NAME,
	TYPE_PATH,
	TYPE_ADDRESSES,
	TYPE_WINDOW, /* one address, or "off" */
	TYPE_CHOICE,
	TYPE_COUNT,
	TYPE_SIZE
};

struct key {
	const char *section, *name;
	enum key_type type;
	size_t offset;      /* in struct node_config */
	uint64_t min, max;  /* counts and sizes; max of a path: its buffer */
	const char *choices; /* "a|b|c": the value is the position */
	const char *value;  /* default, as a file would say it; "" leaves it unset */
	const char *help;
};

#define AT(field) offsetof(struct node_config, field)

static const struct key keys[] = {
	{"node", "name", TYPE_NAME, AT(name), 0, 0, NULL, "", "this node's name in the cluster"},
	{"node", "data", TYPE_PATH, AT(data), 0, CONFIG_PATH_SIZE, NULL, "/var/lib/essaim",
	 "folder of the key and the store; one daemon per folder"},
	{"node", "listen", TYPE_ADDRESSES, AT(listen), 0, 0, NULL, "",
	 "ADDRESS:PORT, UDP and TCP; up to 4 with commas, all with one port"},
	{"node", "advertise", TYPE_ADDRESSES, AT(advertise), 0, 0, NULL, "",
	 "ADDRESS:PORT the others reach this node at; up to 4; default: those of listen"},
	{"node", "socket", TYPE_PATH, AT(socket), 0, SOCKET_PATH_SIZE, NULL,
	 "/run/essaim/essaim.sock", "control socket for the essaim command"},
	{"node", "hand", TYPE_PATH, AT(hand), 0, SOCKET_PATH_SIZE, NULL, "",
	 "socket of essaim-hand, which acts as root for this daemon; default: none"},
	{"node", "hooks", TYPE_PATH, AT(hooks), 0, CONFIG_PATH_SIZE, NULL, "/etc/essaim/hooks",
	 "folder of before.d, after.d and run.d: executables around operations, and by themselves"},
	{"http", "listen", TYPE_WINDOW, AT(http), 0, 0, NULL, "127.0.0.1:7801",
	 "ADDRESS:PORT of the web page, the JSON API and the metrics (all read-only), or off"},
	{"http", "token", TYPE_PATH, AT(http_token), 0, CONFIG_PATH_SIZE, NULL, "",
	 "file with the token that its readers must bear; a must unless it listens on loopback"},
	{"storage", "observe", TYPE_CHOICE, AT(observe), 0, 0, "no|yes", "yes",
	 "yes or no: look at LVM and DRBD, and tell the cluster what is there"},
	{"dns", "observe", TYPE_CHOICE, AT(observe_dns), 0, 0, "no|yes", "yes",
	 "yes or no: ask the name servers for the members, and tell the cluster what they answer"},
	{"log", "format", TYPE_CHOICE, AT(format), 0, 0, "text|json", "text", "text or json"},
	{"log", "level", TYPE_CHOICE, AT(level), 0, 0, "debug|info|notice|warning|error", "info",
	 "debug, info, notice, warning or error"},
	/* Memory is reserved by it at start but touched only as members come. */
	{"limits", "members_max", TYPE_COUNT, AT(members_max), 1, MEMBERS_MAX, NULL, "1000",
	 "members this node can remember, removed ones included"},
	/* Less than 1M would not hold the largest values; 1G is far beyond a small ledger. */
	{"limits", "ledger_size", TYPE_SIZE, AT(ledger_size), 1u << 20, 1u << 30, NULL, "16M",
	 "capacity of the ledger's rows, in bytes or with K, M, G"},
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

/* ---- values ---- */

/* What a line of the file could not say again: inih cuts blanks and takes ';' for a comment. */
static bool prints_back(const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f || value[i] == ';')
			return false;
	}
	return value[0] != ' ' && value[length - 1] != ' ';
}

static int set_path(char *out, size_t capacity, const char *value, struct error *error)
{
	size_t length = strlen(value);
	if (length == 0)
		return error_set(error, -EINVAL, "a path is missing");
	if (length >= capacity)
		return error_set(error, -EINVAL, "'%s' is longer than %zu bytes", value, capacity - 1);
	if (!prints_back(value, length))
		return error_set(error, -EINVAL, "a path may hold no ';', control character or outer blank");
	memset(out, 0, capacity); /* equal configs are equal bytes */
	memcpy(out, value, length);
	return 0;
}

static int set_name(char *out, const char *value, struct error *error)
{
	int status = name_check(value, error);
	if (status < 0)
		return status;
	memset(out, 0, NAME_MAX_SIZE + 1);
	memcpy(out, value, strlen(value));
	return 0;
}

static int set_addresses(struct addresses *out, const char *value, struct error *error)
{
	struct addresses list = {0};
	char copy[LISTEN_MAX * ADDRESS_TEXT_SIZE];
	if (strlen(value) >= sizeof copy)
		return error_set(error, -EINVAL, "too many addresses");
	memcpy(copy, value, strlen(value) + 1);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, ",")) != NULL;) {
		word += strspn(word, " \t");
		word[strcspn(word, " \t")] = '\0';
		if (list.count == LISTEN_MAX)
			return error_set(error, -EINVAL, "more than %d addresses", LISTEN_MAX);
		int status = address_parse(word, &list.list[list.count++], error);
		if (status < 0)
			return status;
	}
	*out = list;
	return 0;
}

static int set_window(struct address *out, const char *value, struct error *error)
{
	if (strcmp(value, "off") != 0)
		return address_parse(value, out, error);
	*out = (struct address){0};
	return 0;
}

static int set_choice(uint32_t *out, const char *choices, const char *value, struct error *error)
{
	size_t length = strlen(value);
	uint32_t position = 0;
	for (const char *at = choices;; position++) {
		size_t here = strcspn(at, "|");
		if (here == length && memcmp(at, value, length) == 0) {
			*out = position;
			return 0;
		}
		if (at[here] == '\0')
			return error_set(error, -EINVAL, "'%s' is none of %s", value, choices);
		at += here + 1;
	}
}

static uint64_t unit_of(char letter)
{
	switch (letter) {
	case 'K':
		return 1u << 10;
	case 'M':
		return 1u << 20;
	case 'G':
		return 1u << 30;
	default: /* a letter, not an enum */
		return 0;
	}
}

static int set_count(uint32_t *out, const struct key *key, const char *value, struct error *error)
{
	char *end;
	errno = 0;
	unsigned long long number = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || errno != 0 || number > UINT32_MAX)
		return error_set(error, -EINVAL, "'%s' is not a number", value);
	if (key->type == TYPE_SIZE && end[0] != '\0' && end[1] == '\0' && unit_of(end[0]) != 0)
		number *= unit_of(*end++);
	if (*end != '\0')
		return error_set(error, -EINVAL, "'%s' is not a number", value);
	if (number < key->min || number > key->max)
		return error_set(error, -EINVAL, "'%s' is not between %llu and %llu", value,
		                 (unsigned long long)key->min, (unsigned long long)key->max);
	*out = (uint32_t)number;
	return 0;
}

static int set_key(struct node_config *config, const struct key *key, const char *value,
                   struct error *error)
{
	void *field = (char *)config + key->offset;
	switch (key->type) {
	case TYPE_NAME:
		return set_name(field, value, error);
	case TYPE_PATH:
		if (value[0] == '\0' && key->value[0] == '\0') {
			memset(field, 0, (size_t)key->max);
			return 0;
		}
		return set_path(field, (size_t)key->max, value, error);
	case TYPE_ADDRESSES:
		return set_addresses(field, value, error);
	case TYPE_WINDOW:
		return set_window(field, value, error);
	case TYPE_CHOICE:
		return set_choice(field, key->choices, value, error);
	case TYPE_COUNT:
	case TYPE_SIZE:
		return set_count(field, key, value, error);
	}
	assert(!"a key type outside its enum");
	return -EINVAL;
}

static const struct key *find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

int node_config_set(struct node_config *config, const char *section, const char *key,
                    const char *value, struct error *error)
{
	const struct key *found = find_key(section, key);
	if (found == NULL)
		return error_set(error, -EINVAL, "unknown key '%s' in section '%s'", key, section);
	return set_key(config, found, value, error);
}

void node_config_defaults(struct node_config *out)
{
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (keys[i].value[0] == '\0')
			continue;
		int status = set_key(out, &keys[i], keys[i].value, NULL);
		assert(status == 0); /* the table's own defaults are legal */
	}
}

/* ---- reading ---- */

/* inih calls the reader once per line and the handler while that line is the last one read. */
struct reading {
	struct node_config *config;
	FILE *in;
	int line;
	int error_line; /* first error of ours; 0: none */
	struct error error;
};

static void reading_fail(struct reading *r, const char *text)
{
	if (r->error_line != 0)
		return;
	r->error_line = r->line;
	error_set(&r->error, 0, "%s", text);
}

static char *read_line(char *out, int size, void *stream)
{
	struct reading *r = stream;
	if (r->error_line != 0 || fgets(out, size, r->in) == NULL)
		return NULL;
	r->line++;
	size_t length = strlen(out);
	if (length + 1 == (size_t)size && out[length - 1] != '\n') {
		reading_fail(r, "the line is too long");
		return NULL;
	}
	return out;
}

static int take_key(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	struct error error;
	if (node_config_set(r->config, section, name, value, &error) == 0)
		return 1;
	struct error whole;
	error_set(&whole, 0, "%s: %.250s", name, error.text);
	reading_fail(r, find_key(section, name) == NULL ? error.text : whole.text);
	return 0;
}

int node_config_read_stream(struct node_config *config, FILE *in, const char *name,
                            struct error *error)
{
	struct reading r = {.config = config, .in = in};
	int bad = ini_parse_stream(read_line, &r, take_key, &r);
	if (r.error_line != 0 && (bad <= 0 || bad >= r.error_line))
		return error_set(error, -EINVAL, "%s:%d: %s", name, r.error_line, r.error.text);
	if (bad > 0)
		return error_set(error, -EINVAL, "%s:%d: neither '[section]' nor 'key = value'", name,
		                 bad);
	if (bad < 0 || ferror(in))
		return error_set(error, -EIO, "cannot read '%s'", name);
	return 0;
}

int node_config_read(struct node_config *config, const char *path, struct error *error)
{
	FILE *in = fopen(path, "re");
	if (in == NULL)
		return error_set(error, -errno, "cannot open '%s': %s", path, strerror(errno));
	int status = node_config_read_stream(config, in, path, error);
	fclose(in);
	return status;
}

/* ---- checking ---- */

static int check_no_twins(const char *key, const struct addresses *in, struct error *error)
{
	char text[ADDRESS_TEXT_SIZE];
	for (uint32_t i = 0; i < in->count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (!address_equal(&in->list[i], &in->list[k]))
				continue;
			address_format(&in->list[i], text);
			return error_set(error, -EINVAL, "%s: '%s' is given twice", key, text);
		}
	}
	return 0;
}

static bool has_family(const struct addresses *in, uint8_t family)
{
	for (uint32_t i = 0; i < in->count; i++) {
		if (in->list[i].family == family)
			return true;
	}
	return false;
}

/* One that means every address leaves nothing of its family for another. */
static int check_wildcard(const struct addresses *in, const struct address *one,
                          struct error *error)
{
	char all[ADDRESS_TEXT_SIZE], text[ADDRESS_TEXT_SIZE];
	for (uint32_t i = 0; address_is_wildcard(one) && i < in->count; i++) {
		if (&in->list[i] == one || in->list[i].family != one->family)
			continue;
		address_format(one, all);
		address_format(&in->list[i], text);
		return error_set(error, -EINVAL,
		                 "listen: '%s' means every address, '%s' too: give one of the two", all,
		                 text);
	}
	return 0;
}

static int check_listen(const struct addresses *listen, struct error *error)
{
	if (listen->count == 0)
		return error_set(error, -EINVAL,
		                 "no address to listen on: give --listen ADDRESS:PORT, or 'listen' in [node]");
	int status = check_no_twins("listen", listen, error);
	for (uint32_t i = 0; status == 0 && i < listen->count; i++) {
		if (listen->list[i].port == 0)
			return error_set(error, -EINVAL, "listen: port 0 cannot be told to others");
		if (listen->list[i].port != listen->list[0].port)
			return error_set(error, -EINVAL,
			                 "listen: all addresses need the same port, not %u and %u",
			                 (unsigned)listen->list[0].port,
			                 (unsigned)listen->list[i].port);
		status = check_wildcard(listen, &listen->list[i], error);
	}
	return status;
}

static int check_advertise(const struct node_config *config, struct error *error)
{
	const struct addresses *out = &config->advertise;
	for (uint32_t i = 0; i < out->count; i++) {
		char text[ADDRESS_TEXT_SIZE];
		const struct address *one = &out->list[i];
		address_format(one, text);
		if (address_is_wildcard(one))
			return error_set(error, -EINVAL,
			                 "'%s' means every address, so --advertise, or 'advertise' in [node], must say which ones the others use",
			                 text);
		if (one->port == 0)
			return error_set(error, -EINVAL, "advertise: port 0 cannot be reached");
		if (!has_family(&config->listen, one->family))
			return error_set(error, -EINVAL,
			                 "advertise: '%s' is IPv%u, but no address of 'listen' is", text,
			                 (unsigned)one->family);
	}
	return check_no_twins("advertise", out, error);
}

static int check_window(const struct node_config *config, struct error *error)
{
	char text[ADDRESS_TEXT_SIZE];
	const struct address *at = &config->http;
	if (at->family == 0 || address_is_loopback(at) || config->http_token[0] != '\0')
		return 0;
	address_format(at, text);
	return error_set(error, -EINVAL,
	                 "http: '%s' is not a loopback address, so 'token' in [http] must name a file with one",
	                 text);
}

int node_config_check(struct node_config *config, struct error *error)
{
	if (config->name[0] == '\0')
		return error_set(error, -EINVAL, "the node has no name: give --name, or 'name' in [node]");
	int status = check_listen(&config->listen, error);
	if (status < 0)
		return status;
	if (config->advertise.count == 0)
		config->advertise = config->listen;
	status = check_advertise(config, error);
	return status < 0 ? status : check_window(config, error);
}

/* ---- printing ---- */

static void print_addresses(const struct addresses *addresses, FILE *out)
{
	for (uint32_t i = 0; i < addresses->count; i++) {
		char text[ADDRESS_TEXT_SIZE];
		address_format(&addresses->list[i], text);
		fprintf(out, "%s%s", i == 0 ? "" : ", ", text);
	}
}

static void print_window(const struct address *address, FILE *out)
{
	char text[ADDRESS_TEXT_SIZE];
	address_format(address, text);
	fputs(address->family == 0 ? "off" : text, out);
}

static void print_choice(const char *choices, uint32_t position, FILE *out)
{
	while (position-- > 0)
		choices += strcspn(choices, "|") + 1;
	fprintf(out, "%.*s", (int)strcspn(choices, "|"), choices);
}

static void print_size(uint32_t size, FILE *out)
{
	if (size % (1u << 20) == 0)
		fprintf(out, "%uM", size >> 20);
	else if (size % (1u << 10) == 0)
		fprintf(out, "%uK", size >> 10);
	else
		fprintf(out, "%u", size);
}

static void print_value(const struct node_config *config, const struct key *key, FILE *out)
{
	const void *field = (const char *)config + key->offset;
	switch (key->type) {
	case TYPE_NAME:
	case TYPE_PATH:
		fputs(field, out);
		break;
	case TYPE_ADDRESSES:
		print_addresses(field, out);
		break;
	case TYPE_WINDOW:
		print_window(field, out);
		break;
	case TYPE_CHOICE:
		print_choice(key->choices, *(const uint32_t *)field, out);
		break;
	case TYPE_COUNT:
		fprintf(out, "%u", *(const uint32_t *)field);
		break;
	case TYPE_SIZE:
		print_size(*(const uint32_t *)field, out);
		break;
	}
}

void node_config_print(const struct node_config *config, FILE *out)
{
	const char *section = "";
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(section, keys[i].section) != 0) {
			fprintf(out, "%s[%s]\n", i == 0 ? "" : "\n", keys[i].section);
			section = keys[i].section;
		}
		fprintf(out, "# %s\n%s = ", keys[i].help, keys[i].name);
		print_value(config, &keys[i], out);
		fputc('\n', out);
	}
}
