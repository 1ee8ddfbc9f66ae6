#include "add_package.h"
#include "add_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE "/var/cache/apt/archives"

/* The first line that a command prints; empty if it fails. */
static void first_line(const char *command, char *out, size_t size)
{
	FILE *in = popen(command, "re");
	if (in == NULL || fgets(out, (int)size, in) == NULL)
		*out = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (in != NULL && pclose(in) != 0)
		*out = '\0';
}

static int read_whole(const char *path, struct package *out, struct error *error)
{
	FILE *in = fopen(path, "re");
	if (in == NULL)
		return error_set(error, -errno, "cannot read '%.200s': %s", path, strerror(errno));
	out->data = malloc(PACKAGE_SIZE_MAX + 1);
	if (out->data == NULL)
		abort();
	out->size = fread(out->data, 1, PACKAGE_SIZE_MAX + 1, in);
	int status = ferror(in) ? -EIO : 0;
	fclose(in);
	if (status != 0)
		return error_set(error, status, "cannot read '%.200s'", path);
	if (out->size > PACKAGE_SIZE_MAX)
		return error_set(error, -EFBIG, "'%.200s' is larger than 64 MiB, so it is not essaim", path);
	return 0;
}

/* What the package says of itself. */
static int read_control(const char *path, struct package *out, struct error *error)
{
	char command[4096 + 128], line[256], name[64] = "";
	strcpy(command, "2>/dev/null dpkg-deb -W --showformat='${Package} ${Version} ${Architecture}\\n' --");
	if (!quote_append(command, sizeof command, path))
		return error_set(error, -ENAMETOOLONG, "the name '%.100s...' is too long", path);
	first_line(command, line, sizeof line);
	if (sscanf(line, "%63s %63s %31s", name, out->version, out->architecture) != 3)
		return error_set(error, -EINVAL, "'%.200s' is no Debian package", path);
	if (strcmp(name, "essaim") != 0)
		return error_set(error, -EINVAL, "'%.150s' is the package '%.60s', not 'essaim'", path, name);
	return 0;
}

int package_read(const char *path, struct package *out, struct error *error)
{
	*out = (struct package){0};
	int status = read_whole(path, out, error);
	if (status == 0)
		status = read_control(path, out, error);
	if (status == 0)
		sha256_text(out->data, out->size, out->sum);
	else
		package_free(out);
	return status;
}

/* apt writes the colon of an epoch as %3a. */
static void cached_name(const char *version, const char *architecture, char *out, size_t size)
{
	const char *colon = strchr(version, ':');
	if (colon == NULL)
		snprintf(out, size, CACHE "/essaim_%s_%s.deb", version, architecture);
	else
		snprintf(out, size, CACHE "/essaim_%.*s%%3a%s_%s.deb", (int)(colon - version), version,
			 colon + 1, architecture);
}

int package_find(char *out_path, size_t size, struct error *error)
{
	char line[256], version[64], architecture[32];
	first_line("2>/dev/null dpkg-query -W -f '${Version} ${Architecture}\\n' essaim", line, sizeof line);
	if (sscanf(line, "%63s %31s", version, architecture) != 2)
		return error_set(error, -ENOENT, "this essaim was not installed as a package");
	cached_name(version, architecture, out_path, size);
	if (access(out_path, R_OK) == 0)
		return 0;
	return error_set(error, -ENOENT, "the package that this one was installed from is no longer in '"
			 CACHE "'");
}

void package_free(struct package *package)
{
	free(package->data);
	package->data = NULL;
}
