#include "remote_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_SIZE 256
#define PASSWORDS 3 /* as ssh asks */

/* ---- the machine's key ---- */

static int fingerprint(ssh_key key, char out[FINGERPRINT_SIZE])
{
	unsigned char *hash;
	size_t size;
	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != 0)
		return -EPROTO;
	char *text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
	ssh_clean_pubkey_hash(&hash);
	if (text == NULL)
		return -EPROTO;
	snprintf(out, FINGERPRINT_SIZE, "%s", text);
	ssh_string_free_char(text);
	return 0;
}

/* The first key that a file has for this machine, as "SHA256:... (in FILE)". */
static bool find_recorded(const struct remote *r, const char *path, char *out, size_t size)
{
	char place[TARGET_HOST_SIZE + 16], line[8192];
	bool found = false;
	FILE *in = fopen(path, "re");
	if (in == NULL)
		return false;
	snprintf(place, sizeof place, r->target.port == SSH_PORT ? "%s" : "[%s]:%u", r->target.host,
		 r->target.port);
	while (!found && fgets(line, sizeof line, in) != NULL) {
		struct ssh_knownhosts_entry *entry = NULL;
		char print[FINGERPRINT_SIZE];
		line[strcspn(line, "\n")] = '\0';
		found = ssh_known_hosts_parse_line(place, line, &entry) == SSH_OK && entry != NULL &&
			fingerprint(entry->publickey, print) == 0;
		if (found)
			snprintf(out, size, "%.63s (in %.50s)", print, path);
		ssh_knownhosts_entry_free(entry);
	}
	fclose(in);
	return found;
}

static void tell_other(const struct remote *r, char *out, size_t size)
{
	char path[sizeof r->folder + 16];
	snprintf(path, sizeof path, "%s/known_hosts", r->folder);
	if (!find_recorded(r, path, out, size) &&
	    !find_recorded(r, "/etc/ssh/ssh_known_hosts", out, size))
		snprintf(out, size, "another (in known_hosts)");
}

int remote_key(struct remote *r, struct remote_key *out, struct error *error)
{
	ssh_key key;
	*out = (struct remote_key){.recorded = RECORDED_NOTHING};
	if (ssh_get_server_publickey(r->session, &key) != SSH_OK)
		return error_set(error, -EPROTO, "it shows no key: %.200s", ssh_get_error(r->session));
	int status = fingerprint(key, out->fingerprint);
	snprintf(out->kind, sizeof out->kind, "%s", ssh_key_type_to_char(ssh_key_type(key)));
	ssh_key_free(key);
	if (status != 0)
		return error_set(error, status, "its key cannot be read");
	switch (ssh_session_is_known_server(r->session)) {
	case SSH_KNOWN_HOSTS_OK:
		out->recorded = RECORDED_SAME;
		return 0;
	case SSH_KNOWN_HOSTS_CHANGED:
	case SSH_KNOWN_HOSTS_OTHER: /* of another kind: a machine we know would have shown that one */
		out->recorded = RECORDED_OTHER;
		tell_other(r, out->other, sizeof out->other);
		return 0;
	case SSH_KNOWN_HOSTS_NOT_FOUND:
	case SSH_KNOWN_HOSTS_UNKNOWN:
		return 0;
	case SSH_KNOWN_HOSTS_ERROR:
		break;
	}
	return error_set(error, -EIO, "cannot look it up in known_hosts: %.200s", ssh_get_error(r->session));
}

int remote_key_keep(struct remote *r, struct error *error)
{
	if (ssh_session_update_known_hosts(r->session) == SSH_OK)
		return 0;
	return error_set(error, -EIO, "cannot write '%.150s/known_hosts': %.100s", r->folder,
			 ssh_get_error(r->session));
}

/* ---- the user ---- */

bool remote_ask_secret(const char *prompt, char *out, size_t size)
{
	struct termios before, silent;
	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return false;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	fprintf(stderr, "%s", prompt);
	fflush(stderr);
	bool typed = fgets(out, (int)size, stdin) != NULL;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	if (typed)
		out[strcspn(out, "\n")] = '\0';
	return typed && *out != '\0';
}

struct login {
	struct remote *remote;
	bool somebody_there;
	char tried[160]; /* ", " between them */
	char how[64];
};

static void note_tried(struct login *l, const char *what)
{
	size_t used = strlen(l->tried);
	snprintf(l->tried + used, sizeof l->tried - used, "%s%s", used ? ", " : "", what);
}

/* libssh asks for the passphrase of a key file. */
static int ask_passphrase(const char *prompt, char *out, size_t size, int echo, int verify, void *context)
{
	const struct login *l = context;
	if (!l->somebody_there || echo || verify)
		return -1;
	return remote_ask_secret("Passphrase of your key: ", out, size) ? 0 : -1;
}

static bool try_identity(struct login *l, const char *file, struct error *error, int *out_status)
{
	ssh_key key = NULL;
	if (access(file, R_OK) != 0) {
		*out_status = error_set(error, -errno, "cannot read '%.200s': %s", file, strerror(errno));
		return false;
	}
	if (ssh_pki_import_privkey_file(file, NULL, ask_passphrase, l, &key) != SSH_OK) {
		*out_status = error_set(error, -EINVAL, "'%.200s' is no private key, or its passphrase is "
					"missing or wrong", file);
		return false;
	}
	bool in = ssh_userauth_publickey(l->remote->session, NULL, key) == SSH_AUTH_SUCCESS;
	ssh_key_free(key);
	snprintf(l->how, sizeof l->how, "the key of --identity");
	note_tried(l, "the key of --identity");
	return in;
}

static bool try_keys(struct login *l)
{
	const char *agent = getenv("SSH_AUTH_SOCK");
	struct remote *r = l->remote;
	r->callbacks = (struct ssh_callbacks_struct){.userdata = l, .auth_function = ask_passphrase};
	ssh_callbacks_init(&r->callbacks);
	ssh_set_callbacks(r->session, &r->callbacks);
	bool in = ssh_userauth_publickey_auto(r->session, NULL, NULL) == SSH_AUTH_SUCCESS;
	r->callbacks.auth_function = NULL; /* it stays set, and `l` ends */
	snprintf(l->how, sizeof l->how, agent != NULL ? "a key of the agent or of ~/.ssh" : "a key of ~/.ssh");
	note_tried(l, agent != NULL ? "the agent's keys" : "no agent (SSH_AUTH_SOCK is not set)");
	note_tried(l, "the keys in ~/.ssh");
	return in;
}

static bool try_passwords(struct login *l)
{
	char prompt[TARGET_USER_SIZE + TARGET_HOST_SIZE + 32], password[PASSWORD_SIZE];
	bool in = false;
	if (!l->somebody_there) {
		note_tried(l, "no password, as nobody is there to type it");
		return false;
	}
	snprintf(prompt, sizeof prompt, "Password of %s@%s: ", l->remote->target.user, l->remote->target.host);
	for (int i = 0; i < PASSWORDS && !in; i++) {
		if (!remote_ask_secret(prompt, password, sizeof password))
			break;
		in = ssh_userauth_password(l->remote->session, NULL, password) == SSH_AUTH_SUCCESS;
	}
	explicit_bzero(password, sizeof password);
	snprintf(l->how, sizeof l->how, "a password");
	note_tried(l, "a password");
	return in;
}

static void offered(unsigned methods, char out[96])
{
	snprintf(out, 96, "%s%s%s%s", methods & SSH_AUTH_METHOD_PUBLICKEY ? " keys" : "",
		 methods & SSH_AUTH_METHOD_PASSWORD ? " passwords" : "",
		 methods & SSH_AUTH_METHOD_INTERACTIVE ? " questions" : "",
		 methods & SSH_AUTH_METHOD_GSSAPI_MIC ? " Kerberos" : "");
	if (*out == '\0')
		snprintf(out, 96, " nothing");
}

static bool try_all(struct login *l, const char *identity, unsigned *out_methods, struct error *error,
		    int *out_status)
{
	ssh_session s = l->remote->session;
	snprintf(l->how, sizeof l->how, "nothing: the machine asks for no proof");
	if (ssh_userauth_none(s, NULL) == SSH_AUTH_SUCCESS)
		return true;
	*out_methods = (unsigned)ssh_userauth_list(s, NULL);
	if (identity != NULL)
		return try_identity(l, identity, error, out_status);
	if ((*out_methods & SSH_AUTH_METHOD_PUBLICKEY) && try_keys(l))
		return true;
	return (*out_methods & SSH_AUTH_METHOD_PASSWORD) && try_passwords(l);
}

int remote_login(struct remote *remote, const char *identity, bool somebody_there, char out_how[64],
		 struct error *error)
{
	struct login l = {.remote = remote, .somebody_there = somebody_there};
	char takes[96];
	unsigned methods = 0;
	int status = 0;
	if (try_all(&l, identity, &methods, error, &status)) {
		snprintf(out_how, 64, "%s", l.how);
		return 0;
	}
	if (status != 0)
		return status;
	if (!ssh_is_connected(remote->session))
		return error_set(error, -EIO, "it closed the connection: %.200s", ssh_get_error(remote->session));
	offered(methods, takes);
	return error_set(error, -EACCES, "'%s' was not let in; it takes:%s; tried: %s",
			 remote->target.user, takes, *l.tried ? l.tried : "nothing that it takes");
}
