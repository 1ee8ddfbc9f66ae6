#include "observe_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base64.h"
#include "body_clock.h"

#define SSH_KEY_FILE "/etc/ssh/ssh_host_ed25519_key.pub"
#define LINE_MAX_SIZE 1024

/* ---- small files ---- */

static bool first_line(const char *path, char *out, size_t size)
{
	FILE *in = fopen(path, "re");
	if (in == NULL)
		return false;
	bool read = fgets(out, (int)size, in) != NULL;
	fclose(in);
	if (read)
		out[strcspn(out, "\n")] = '\0';
	return read;
}

/* The rest of the line that begins with `prefix`. */
static bool line_after(const char *path, const char *prefix, char *out, size_t size)
{
	char line[LINE_MAX_SIZE];
	size_t length = strlen(prefix);
	bool found = false;
	FILE *in = fopen(path, "re");
	if (in == NULL)
		return false;
	while (!found && fgets(line, sizeof line, in) != NULL) {
		if (strncmp(line, prefix, length) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(out, size, "%s", line + length);
		found = true;
	}
	fclose(in);
	return found;
}

/* Printable ASCII only: it travels to other people's terminals. */
static void put_clean(char *out, size_t room, const char *in)
{
	size_t used = 0;
	memset(out, 0, room);
	for (; *in != '\0' && used + 1 < room; in++) {
		if (*in >= ' ' && *in < 127 && *in != '"')
			out[used++] = *in;
	}
}

/* ---- what it is ---- */

static void observe_virtualisation(struct host_fact *out)
{
	char text[LINE_MAX_SIZE], flags[LINE_MAX_SIZE * 4];
	if (first_line("/run/systemd/container", text, sizeof text)) {
		put_clean(out->virtualisation, sizeof out->virtualisation, text);
		return;
	}
	if (!line_after("/proc/cpuinfo", "flags", flags, sizeof flags) ||
	    strstr(flags, " hypervisor") == NULL)
		return;
	if (!first_line("/sys/class/dmi/id/sys_vendor", text, sizeof text) || text[0] == '\0')
		snprintf(text, sizeof text, "vm");
	put_clean(out->virtualisation, sizeof out->virtualisation, text);
}

bool ssh_key_parse(const char *line, uint8_t out[32])
{
	static const char kind[] = "ssh-ed25519 ";
	static const uint8_t head[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";
	uint8_t blob[64];
	char text[128];
	size_t size = 0;
	if (strncmp(line, kind, sizeof kind - 1) != 0)
		return false;
	snprintf(text, sizeof text, "%s", line + sizeof kind - 1);
	text[strcspn(text, " \t\r\n")] = '\0';
	if (!base64_decode(text, strlen(text), blob, sizeof blob, &size) ||
	    size != sizeof head - 1 + 32 ||
	    memcmp(blob, head, sizeof head - 1) != 0)
		return false;
	memcpy(out, blob + sizeof head - 1, 32);
	return true;
}

static instant booted_wall(void)
{
	struct now now;
	body_clock_read(&now);
	return (now.wall - now.boot) / SECOND * SECOND;
}

void host_observe(struct host_fact *out)
{
	struct utsname names;
	char text[LINE_MAX_SIZE];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES);
	*out = (struct host_fact){.cpus = cpus > 0 ? (uint32_t)cpus : 0,
		.memory_mib = pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) >> 20 : 0,
		.booted_wall = booted_wall()};
	if (uname(&names) == 0) {
		put_clean(out->uname, sizeof out->uname, names.nodename);
		put_clean(out->kernel, sizeof out->kernel, names.release);
	}
	put_clean(out->version, sizeof out->version, ESSAIM_VERSION);
	if (line_after("/etc/os-release", "PRETTY_NAME=", text, sizeof text))
		put_clean(out->distribution, sizeof out->distribution, text);
	observe_virtualisation(out);
	out->has_ssh_key =
	    first_line(SSH_KEY_FILE, text, sizeof text) && ssh_key_parse(text, out->ssh_key);
}

/* ---- how full, how busy ---- */

static uint32_t in_fives(double percent)
{
	if (percent < 0)
		return 0;
	return percent > 1000 ? 1000 : (uint32_t)(percent / 5 + 0.5) * 5;
}

static bool filled(const char *path, uint32_t *out)
{
	struct statvfs s;
	if (statvfs(path, &s) < 0)
		return false;
	double used = (double)(s.f_blocks - s.f_bfree), open = (double)s.f_bavail;
	*out = used + open > 0 ? in_fives(100 * used / (used + open)) : 0;
	return true;
}

static bool memory_used(uint32_t *out)
{
	char total[64], available[64];
	if (!line_after("/proc/meminfo", "MemTotal:", total, sizeof total) ||
	    !line_after("/proc/meminfo", "MemAvailable:", available, sizeof available))
		return false;
	double all = strtod(total, NULL), open = strtod(available, NULL);
	*out = all > 0 ? in_fives(100 * (all - open) / all) : 0;
	return true;
}

/* In quarters of all CPUs: a load that wanders around a number must not be news each time. */
static bool load(uint32_t *out)
{
	char text[LINE_MAX_SIZE];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus < 1 || !first_line("/proc/loadavg", text, sizeof text))
		return false;
	double percent = 100 * strtod(text, NULL) / (double)cpus;
	*out = percent > 100000 ? 100000 : (uint32_t)(percent / 25 + 0.5) * 25;
	return true;
}

bool usage_observe(const char *data_folder, struct usage_fact *out)
{
	bool known = load(&out->load_percent) && memory_used(&out->memory_percent) &&
	             filled("/", &out->root_percent) && filled(data_folder, &out->data_percent);
	if (!known)
		out->load_percent = out->memory_percent = out->root_percent = out->data_percent = 0;
	out->unknown = !known;
	return known;
}
