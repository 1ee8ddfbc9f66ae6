/*
 * replay: runs a fuzz target over every file of the folders given, then over 20,000 deterministic
 * mutations of them. No fuzzer needed, so every build does it.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUTATIONS 20000
#define FILES_MAX 1024
#define INPUT_MAX (256 * 1024)

struct input {
	uint8_t *data;
	size_t size;
};

static struct input inputs[FILES_MAX];
static size_t input_count;

static uint64_t random_state = UINT64_C(0x2545f4914f6cdd1d);

static uint64_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct input input = {malloc(INPUT_MAX), 0};

	if (file == NULL || input.data == NULL || input_count == FILES_MAX) {
		fprintf(stderr, "cannot take '%s'\n", path);
		exit(1);
	}
	input.size = fread(input.data, 1, INPUT_MAX, file);
	fclose(file);
	inputs[input_count++] = input;
}

/* In the order of their names, so that every machine draws the same mutations. */
static void read_folder(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);

	if (count < 0) {
		fprintf(stderr, "cannot read the folder '%s'\n", folder);
		exit(1);
	}
	for (int i = 0; i < count; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			read_file(path);
		free(entries[i]);
	}
	free(entries);
}

/* One change: a bit, a byte, an interesting number, a cut, a removed or a doubled stretch. */
static size_t mutate(uint8_t *data, size_t size)
{
	static const uint8_t interesting[] = {0, 1, 0x7f, 0x80, 0xff};
	size_t at = size > 0 ? draw() % size : 0, rest = size - at;
	size_t length = rest > 0 ? 1 + draw() % (rest < 32 ? rest : 32) : 0;

	if (size == 0) {
		data[0] = (uint8_t)draw();
		return 1;
	}
	switch (draw() % 6) {
	case 0:
		data[at] ^= (uint8_t)(1 << draw() % 8);
		return size;
	case 1:
		data[at] = (uint8_t)draw();
		return size;
	case 2:
		data[at] = interesting[draw() % sizeof interesting];
		return size;
	case 3:
		return at;
	case 4:
		memmove(data + at, data + at + length, rest - length);
		return size - length;
	default:
		if (size + length > INPUT_MAX)
			return size;
		memmove(data + at + length, data + at, rest);
		return size + length;
	}
}

/* In a block of its very size, so that the sanitizer sees a read beyond it. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		exit(1);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_mutations(void)
{
	static uint8_t data[INPUT_MAX + 64];

	for (int i = 0; i < MUTATIONS; i++) {
		const struct input *input = &inputs[draw() % input_count];
		size_t size = input->size;
		memcpy(data, input->data, size);
		for (uint64_t changes = 1 + draw() % 4; changes > 0; changes--)
			size = mutate(data, size);
		run(data, size);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		read_folder(argv[i]);
	if (input_count == 0) {
		fprintf(stderr, "usage: %s FOLDER...  (no input found)\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < input_count; i++)
		run(inputs[i].data, inputs[i].size);
	run_mutations();
	printf("%zu files and %d mutations replayed\n", input_count, MUTATIONS);
	for (size_t i = 0; i < input_count; i++)
		free(inputs[i].data);
	return 0;
}
