/*
 * The helper for folders, the real program on real files: what it makes, and above all what it leaves alone.
 *
 * usage: test_files ESSAIM-FILES (as root: a mount namespace of its own has the small file systems)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"

#define ID "0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffff0123456789abcdef"
#define MEGABYTE "1048576"

static const char *program;
static char base[64], folder[80], out[1 << 20], err[4096];

/* ---- running it ---- */

static void slurp(int fd, char *into, size_t size)
{
	ssize_t got = pread(fd, into, size - 1, 0);
	assert_true(got >= 0);
	into[got] = '\0';
	close(fd);
}

static pid_t start(char *const *words, int fds[2])
{
	for (int i = 0; i < 2; i++)
		assert_true((fds[i] = open(base, O_TMPFILE | O_RDWR, 0600)) >= 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(fds[0], 1);
		dup2(fds[1], 2);
		execv(program, words);
		_exit(127);
	}
	return child;
}

static int finish(pid_t child, const int fds[2])
{
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	slurp(fds[0], out, sizeof out);
	slurp(fds[1], err, sizeof err);
	assert_true(WIFEXITED(status));
	assert_int_equal(err[0] != '\0', WEXITSTATUS(status) != FILE_DONE); /* a refusal is explained */
	return WEXITSTATUS(status);
}

/* Words up to NULL behind the program's name. */
static int run(const char *word, ...)
{
	char *words[10] = {(char *)(uintptr_t)program, (char *)(uintptr_t)word};
	int count = 2, fds[2];
	va_list more;
	va_start(more, word);
	while ((words[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	return finish(start(words, fds), fds);
}

#define DO(...) assert_int_equal(run(__VA_ARGS__, NULL), FILE_DONE)
#define REFUSED(code, ...) assert_int_equal(run(__VA_ARGS__, NULL), code)

/* ---- the folder ---- */

static const char *in(const char *name)
{
	static char paths[4][400];
	static int turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static bool holds(const char *name, const char *text)
{
	char found[256] = "";
	int fd = open(in(name), O_RDONLY);
	assert_true(fd >= 0);
	slurp(fd, found, sizeof found);
	return strcmp(found, text) == 0;
}

static bool is_there(const char *name)
{
	struct stat at;
	return lstat(in(name), &at) == 0;
}

static struct stat look(const char *name)
{
	struct stat at;
	assert_int_equal(lstat(in(name), &at), 0);
	return at;
}

static int set_up(void **state)
{
	static int number;
	snprintf(folder, sizeof folder, "%s/%d", base, number++);
	return mkdir(folder, 0700);
}

/* A file system of a megabyte or so at the folder, in the mount namespace of this test. */
static void small_file_system(const char *options)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("no mount namespace: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(mount("tmpfs", folder, "tmpfs", 0, options), 0);
}

/* ---- making ---- */

static void a_volume_is_pending_until_it_is_placed_and_then_allocated(void **state)
{
	DO("create", folder, "disk", MEGABYTE, "7");
	DO("state", folder, "disk", "7");
	assert_int_equal(strncmp(out, "pending 1048576 1048576 ", 24), 0);
	assert_false(is_there("disk.raw"));
	DO("place", folder, "disk", "7");
	DO("state", folder, "disk", "7");
	assert_int_equal(strncmp(out, "volume 1048576 1048576 ", 23), 0);
	assert_null(strstr(out, "pending"));
	assert_int_equal(look("disk.raw").st_mode & 0777, 0600);
	REFUSED(FILE_MISSING, "place", folder, "disk", "7");
	DO("create", folder, "thin", MEGABYTE, "8", "sparse");
	DO("place", folder, "thin", "8");
	assert_int_equal(look("thin.raw").st_size, 1048576);
	assert_int_equal(look("thin.raw").st_blocks, 0);
}

static void two_operations_make_one_name_and_one_of_them_gets_it(void **state)
{
	DO("create", folder, "disk", MEGABYTE, "7");
	DO("create", folder, "disk", "2097152", "8");
	DO("place", folder, "disk", "8");
	REFUSED(FILE_EXISTS, "place", folder, "disk", "7");
	DO("state", folder, "disk", "7");
	assert_non_null(strstr(out, "volume 2097152"));
	assert_non_null(strstr(out, "pending 1048576"));
	DO("drop", folder, "disk", "7");
	DO("drop", folder, "disk", "7");
	REFUSED(FILE_EXISTS, "create", folder, "disk", MEGABYTE, "9");
	assert_int_equal(look("disk.raw").st_size, 2097152);
}

static void an_attempt_that_was_cut_off_is_begun_anew(void **state)
{
	put(".essaim-7-disk.raw", "half of it");
	DO("create", folder, "disk", "512", "7");
	DO("state", folder, "disk", "7");
	assert_int_equal(strncmp(out, "pending 512 ", 12), 0);
	/* Where a name is given by a link, it may be cut off between link and unlink. */
	assert_int_equal(link(in(".essaim-7-disk.raw"), in("disk.raw")), 0);
	DO("place", folder, "disk", "7");
	assert_true(is_there("disk.raw") && !is_there(".essaim-7-disk.raw"));
}

static void what_is_withdrawn_is_pending_again_and_can_be_dropped(void **state)
{
	DO("create", folder, "disk", "512", "7");
	DO("place", folder, "disk", "7");
	DO("withdraw", folder, "disk", "9");
	DO("state", folder, "disk", "9");
	assert_int_equal(strncmp(out, "pending ", 8), 0);
	DO("drop", folder, "disk", "9");
	DO("list", folder);
	assert_string_equal(out, "");
}

static void a_copy_has_the_same_bytes_and_holes(void **state)
{
	int fd = open(in("a.raw"), O_RDWR | O_CREAT, 0600);
	assert_true(ftruncate(fd, 8 << 20) == 0 && pwrite(fd, "here", 4, 4 << 20) == 4 && close(fd) == 0);
	DO("copy", folder, "a", "b", "7");
	DO("place", folder, "b", "7");
	char bytes[5] = "";
	fd = open(in("b.raw"), O_RDONLY);
	assert_true(pread(fd, bytes, 4, 4 << 20) == 4 && close(fd) == 0);
	assert_string_equal(bytes, "here");
	assert_int_equal(look("b.raw").st_size, 8 << 20);
	assert_true(look("b.raw").st_blocks * 512 < 1 << 20);
	REFUSED(FILE_EXISTS, "copy", folder, "a", "b", "8");
	REFUSED(FILE_MISSING, "copy", folder, "none", "c", "8");
	assert_false(is_there(".essaim-8-c.raw"));
}

/* ---- changing ---- */

static void a_volume_grows_and_never_shrinks(void **state)
{
	put("disk.raw", "bytes");
	assert_int_equal(truncate(in("disk.raw"), 1024), 0);
	DO("extend", folder, "disk", "2048");
	DO("extend", folder, "disk", "2048");
	REFUSED(FILE_FAILED, "extend", folder, "disk", "1024");
	assert_non_null(strstr(err, "never shrunk"));
	DO("extend", folder, "disk", MEGABYTE, "sparse");
	assert_int_equal(look("disk.raw").st_size, 1048576);
	assert_true(look("disk.raw").st_blocks * 512 < 1048576);
	char bytes[6] = "";
	int fd = open(in("disk.raw"), O_RDONLY);
	assert_true(read(fd, bytes, 5) == 5 && close(fd) == 0);
	assert_string_equal(bytes, "bytes");
}

static void a_name_is_never_taken_from_another(void **state)
{
	put("a.raw", "a");
	put("b.raw", "b");
	REFUSED(FILE_EXISTS, "rename", folder, "a", "b");
	assert_true(holds("a.raw", "a") && holds("b.raw", "b"));
	DO("rename", folder, "a", "c");
	assert_true(holds("c.raw", "a") && !is_there("a.raw"));
	REFUSED(FILE_MISSING, "rename", folder, "a", "d");
}

static void what_somebody_has_open_is_in_use_but_may_grow(void **state)
{
	put("disk.raw", "bytes");
	int fd = open(in("disk.raw"), O_RDONLY);
	REFUSED(FILE_IN_USE, "remove", folder, "disk");
	REFUSED(FILE_IN_USE, "withdraw", folder, "disk", "7");
	REFUSED(FILE_IN_USE, "rename", folder, "disk", "other");
	assert_true(holds("disk.raw", "bytes"));
	DO("extend", folder, "disk", "512");
	close(fd);
	DO("remove", folder, "disk");
	REFUSED(FILE_MISSING, "remove", folder, "disk");
}

static void without_room_it_says_how_much_is_missing_and_leaves_nothing(void **state)
{
	small_file_system("size=1m");
	REFUSED(FILE_NO_ROOM, "create", folder, "disk", "2097152", "7");
	assert_non_null(strstr(err, "1048576 bytes are missing: 2097152 are needed, 1048576 are free"));
	DO("list", folder);
	assert_string_equal(out, "");
	DO("create", folder, "disk", "524288", "7");
	DO("place", folder, "disk", "7");
	REFUSED(FILE_NO_ROOM, "extend", folder, "disk", "2097152");
	assert_int_equal(look("disk.raw").st_size, 524288);
	DO("create", folder, "sparse", "2097152", "8", "sparse");
	DO("extend", folder, "disk", "1048576");
	DO("probe", folder);
	assert_non_null(strstr(out, "\nfree 0\n"));
	assert_non_null(strstr(out, "mounted yes\ntype tmpfs\n"));
	REFUSED(FILE_NO_ROOM, "mark", folder, ID);
	assert_false(is_there(".essaim-storage-" ID));
}

/* ---- what it leaves alone ---- */

static void links_pipes_folders_and_devices_are_no_volumes(void **state)
{
	put("target", "secret");
	assert_int_equal(symlink("target", in("link.raw")), 0);
	assert_int_equal(symlink("/etc/hostname", in("far.raw")), 0);
	assert_int_equal(mkfifo(in("pipe.raw"), 0600), 0);
	assert_int_equal(mkdir(in("folder.raw"), 0700), 0);
	static const char *const names[] = {"link", "far", "pipe", "folder"};
	for (int i = 0; i < 4; i++) {
		REFUSED(FILE_FAILED, "extend", folder, names[i], MEGABYTE);
		REFUSED(FILE_FAILED, "remove", folder, names[i]);
		REFUSED(FILE_FAILED, "withdraw", folder, names[i], "7");
		REFUSED(FILE_FAILED, "rename", folder, names[i], "other");
		REFUSED(FILE_FAILED, "copy", folder, names[i], "other", "7");
		REFUSED(FILE_EXISTS, "create", folder, names[i], "512", "7");
	}
	DO("list", folder);
	assert_string_equal(out, "");
	assert_true(holds("target", "secret") && is_there("link.raw") && is_there("pipe.raw"));
}

static void a_link_in_the_place_of_what_is_pending_is_not_written_through(void **state)
{
	put("target", "secret");
	assert_int_equal(symlink("target", in(".essaim-7-disk.raw")), 0);
	DO("create", folder, "disk", "512", "7");
	assert_true(holds("target", "secret"));
	assert_true(S_ISREG(look(".essaim-7-disk.raw").st_mode));
}

static void a_file_with_another_name_elsewhere_is_left_alone(void **state)
{
	put("target", "secret");
	assert_int_equal(link(in("target"), in("disk.raw")), 0);
	REFUSED(FILE_FAILED, "extend", folder, "disk", MEGABYTE);
	REFUSED(FILE_FAILED, "remove", folder, "disk");
	assert_true(holds("target", "secret"));
}

static void a_folder_behind_a_link_is_refused(void **state)
{
	char path[400];
	assert_int_equal(mkdir(in("real"), 0700), 0);
	assert_int_equal(mkdir(in("real/sub"), 0700), 0);
	assert_int_equal(symlink("real", in("link")), 0);
	snprintf(path, sizeof path, "%s/link/sub", folder);
	REFUSED(FILE_FAILED, "probe", in("link"));
	assert_non_null(strstr(err, "symbolic link"));
	REFUSED(FILE_FAILED, "create", path, "disk", "512", "7");
	REFUSED(FILE_MISSING, "probe", in("nothing"));
	REFUSED(FILE_FAILED, "probe", "/etc/hostname");
	REFUSED(FILE_USAGE, "probe", "tmp");
	DO("probe", in("real/sub"));
}

static void names_and_numbers_are_checked_to_their_limits(void **state)
{
	char name[160];
	memset(name, 'a', sizeof name);
	name[127] = '\0';
	DO("create", folder, name, "512", "18446744073709551615");
	DO("place", folder, name, "18446744073709551615");
	DO("list", folder);
	assert_true(strncmp(out, "volume aaa", 10) == 0 && strstr(out, " 512 ") != NULL);
	name[127] = 'a';
	name[128] = '\0';
	static const char *const bad[] = {"", ".", "..", "a/b", "../a", "-a", ".a", "a b", "a\n", "a\x80"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		REFUSED(FILE_USAGE, "create", folder, bad[i], "512", "7");
	REFUSED(FILE_USAGE, "create", folder, name, "512", "7");
	static const char *const sizes[] = {"", "0", "-512", "+512", "513", "512b", "1e3", "99999999999999999999", " 512"};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		REFUSED(FILE_USAGE, "create", folder, "a", sizes[i], "7");
	static const char *const numbers[] = {"", "x", "7/", "-7", "123456789012345678901"};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		REFUSED(FILE_USAGE, "create", folder, "a", "512", numbers[i]);
}

static void too_few_or_too_many_words_are_refused(void **state)
{
	REFUSED(FILE_USAGE, "nothing", folder);
	REFUSED(FILE_USAGE, "probe");
	REFUSED(FILE_USAGE, "probe", folder, "more");
	REFUSED(FILE_USAGE, "create", folder, "disk", "512");
	REFUSED(FILE_USAGE, "create", folder, "disk", "512", "7", "dense");
	REFUSED(FILE_USAGE, "create", folder, "disk", "512", "7", "sparse", "more");
	REFUSED(FILE_USAGE, "place", folder, "disk");
	REFUSED(FILE_USAGE, "mark", folder, "0123");
	REFUSED(FILE_USAGE, "mark", folder, ID "0");
	DO("list", folder);
	assert_string_equal(out, "");
}

static void thousands_of_volumes_are_listed_by_name_and_the_rest_counted(void **state)
{
	char name[32], last[32] = "", first[32];
	for (int i = 0; i < 4100; i++) {
		snprintf(name, sizeof name, "v%04d.raw", (i * 37) % 4100);
		int fd = open(in(name), O_WRONLY | O_CREAT, 0600);
		assert_true(fd >= 0 && close(fd) == 0);
	}
	DO("list", folder);
	uint32_t lines = 0;
	for (char *line = strtok(out, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
		if (sscanf(line, "volume %31s", first) == 1) {
			assert_true(strcmp(last, first) < 0);
			memcpy(last, first, sizeof last);
		} else {
			assert_string_equal(line, "more 4");
		}
	}
	assert_int_equal(lines, 4097);
}

/* ---- the marker ---- */

static void a_folder_is_marked_once(void **state)
{
	DO("probe", folder);
	assert_null(strstr(out, "marker"));
	assert_non_null(strstr(out, "mounted no\n"));
	assert_non_null(strstr(out, "writable yes\n"));
	DO("mark", folder, ID);
	DO("mark", folder, ID);
	DO("probe", folder);
	assert_non_null(strstr(out, "\nmarker " ID "\n"));
	REFUSED(FILE_EXISTS, "mark", folder, OTHER);
	REFUSED(FILE_EXISTS, "unmark", folder, OTHER);
	assert_true(holds(FILE_MARKER, ID "\n"));
	DO("unmark", folder, ID);
	DO("unmark", folder, ID);
	assert_false(is_there(FILE_MARKER));
}

static void what_is_no_id_is_told_as_such_and_never_replaced(void **state)
{
	static const char *const texts[] = {"", "two words\n", ID "\nmore\n", "\n", "\x1b[2J", "a\nmarker " ID "\n"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		put(FILE_MARKER, texts[i]);
		DO("probe", folder);
		assert_non_null(strstr(out, "\nmarker ?\n"));
		REFUSED(FILE_EXISTS, "mark", folder, ID);
		REFUSED(FILE_EXISTS, "unmark", folder, ID);
		assert_true(holds(FILE_MARKER, texts[i]));
	}
	unlink(in(FILE_MARKER));
	put("target", ID "\n");
	assert_int_equal(symlink("target", in(FILE_MARKER)), 0);
	DO("probe", folder);
	assert_non_null(strstr(out, "\nmarker ?\n"));
	REFUSED(FILE_EXISTS, "mark", folder, ID);
	unlink(in(FILE_MARKER));
	assert_int_equal(mkfifo(in(FILE_MARKER), 0600), 0);
	DO("probe", folder);
	assert_non_null(strstr(out, "\nmarker ?\n"));
}

static void of_two_that_mark_at_once_one_does(void **state)
{
	for (int round = 0; round < 20; round++) {
		char *one[] = {(char *)(uintptr_t)program, (char[]){"mark"}, folder, (char[]){ID}, NULL};
		char *two[] = {(char *)(uintptr_t)program, (char[]){"mark"}, folder, (char[]){OTHER}, NULL};
		int fds[2][2];
		pid_t first = start(one, fds[0]), second = start(two, fds[1]);
		int a = finish(first, fds[0]), b = finish(second, fds[1]);
		assert_true((a == FILE_DONE && b == FILE_EXISTS) || (a == FILE_EXISTS && b == FILE_DONE));
		assert_true(holds(FILE_MARKER, a == FILE_DONE ? ID "\n" : OTHER "\n"));
		assert_false(is_there(FILE_MARKER "-" ID) || is_there(FILE_MARKER "-" OTHER));
		unlink(in(FILE_MARKER));
	}
}

static void a_read_only_file_system_is_told_as_not_writable(void **state)
{
	small_file_system("size=1m,ro");
	DO("probe", folder);
	assert_non_null(strstr(out, "\nwritable no Read-only file system\n"));
	REFUSED(FILE_FAILED, "create", folder, "disk", "512", "7");
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_volume_is_pending_until_it_is_placed_and_then_allocated),
		CASE(two_operations_make_one_name_and_one_of_them_gets_it),
		CASE(an_attempt_that_was_cut_off_is_begun_anew),
		CASE(what_is_withdrawn_is_pending_again_and_can_be_dropped),
		CASE(a_copy_has_the_same_bytes_and_holes),
		CASE(a_volume_grows_and_never_shrinks),
		CASE(a_name_is_never_taken_from_another),
		CASE(what_somebody_has_open_is_in_use_but_may_grow),
		CASE(links_pipes_folders_and_devices_are_no_volumes),
		CASE(a_link_in_the_place_of_what_is_pending_is_not_written_through),
		CASE(a_file_with_another_name_elsewhere_is_left_alone),
		CASE(a_folder_behind_a_link_is_refused),
		CASE(names_and_numbers_are_checked_to_their_limits),
		CASE(too_few_or_too_many_words_are_refused),
		CASE(thousands_of_volumes_are_listed_by_name_and_the_rest_counted),
		CASE(a_folder_is_marked_once),
		CASE(what_is_no_id_is_told_as_such_and_never_replaced),
		CASE(of_two_that_mark_at_once_one_does),
		CASE(without_room_it_says_how_much_is_missing_and_leaves_nothing),
		CASE(a_read_only_file_system_is_told_as_not_writable),
	};
	if (argc != 2)
		return 2;
	program = argv[1];
	snprintf(base, sizeof base, "/tmp/essaim-files-XXXXXX");
	if (mkdtemp(base) == NULL)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	char command[256];
	snprintf(command, sizeof command, "umount %s/* 2>/dev/null; rm -rf %s", base, base);
	return system(command) != 0 || failed > 0;
}
