/*
 * add_package.h: the Debian package of essaim that is copied to another machine.
 *
 * dpkg keeps no package after it was installed; apt does, in its cache, unless it was told to clean
 * up. So the one we run from is found there, or has to be named.
 */
#ifndef ESSAIM_CLI_ADD_PACKAGE_H
#define ESSAIM_CLI_ADD_PACKAGE_H

#include <stddef.h>

#include "checksum.h"
#include "error.h"

#define PACKAGE_SIZE_MAX (64u * 1024 * 1024) /* some hundred times ours: another file was named */

struct package {
	char *data; /* owned; NULL: none */
	size_t size;
	char version[64], architecture[32];
	char sum[SHA256_TEXT_SIZE];
};

/* Reads a .deb, which must be of essaim. 0, or negative errno with a sentence. */
int package_read(const char *path, struct package *out, struct error *error);

/* Where apt keeps the package that is installed here. -ENOENT: the sentence says where it looked. */
int package_find(char *out_path, size_t size, struct error *error);

void package_free(struct package *package);

#endif
