/* Sealed values open in their place with their key, and in no other case. */
#include "state/seal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

static const unsigned char secret_one[32] = "an old secret of thirty-two byte";
static const unsigned char secret_two[32] = "another secret of thirty-two byt";

struct scene {
	struct arena *arena;
	struct seal *seal;
	struct buf out;
	char folder[32], file[64];
};

static int set_up(void **state)
{
	struct scene *scene = xalloc(sizeof *scene);

	scene->arena = arena_new();
	scene->seal = seal_from_bytes(secret_one);
	buf_init(&scene->out, 0);
	strcpy(scene->folder, "/tmp/linli-seal-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	snprintf(scene->file, sizeof scene->file, "%s/key", scene->folder);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	arena_free(&scene->arena);
	seal_free(&scene->seal);
	buf_free(&scene->out);
	unlink(scene->file);
	assert_int_equal(rmdir(scene->folder), 0);
	free(scene);
	return 0;
}

static void file_write(struct scene *scene, const char *text, mode_t mode)
{
	unlink(scene->file);
	int fd = open(scene->file, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static char *file_text(struct scene *scene)
{
	char *text = arena_alloc(scene->arena, 4096);
	FILE *file = fopen(scene->file, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, 4095, file) > 0);
	fclose(file);
	return text;
}

static void refused(struct scene *scene, const char *because)
{
	struct error error = {0};
	struct seal *seal = seal_open_file(scene->file, &error);

	assert_null(seal);
	if (!strstr(error.text, because))
		fail_msg("\"%s\" does not say \"%s\"", error.text, because);
}

/* ---- values ---- */

static void what_is_shut_opens_again(void **state)
{
	struct scene *scene = *state;
	const size_t lengths[] = {0, 1, 300, 990, 1000, 100000};
	char *plain = arena_alloc(scene->arena, 100000);

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		size_t len = lengths[i], opened_len;
		memset(plain, (int)('a' + i), len);
		buf_clear(&scene->out);
		buf_str(&scene->out, "kept");
		seal_shut(scene->seal, "linli:{1}:d:task/1", plain, len, &scene->out);
		assert_int_equal(scene->out.len, 4 + 1 + 4 + 24 + len + 16);
		assert_int_equal(scene->out.data[4], 1);
		char *opened = seal_open(scene->seal, "linli:{1}:d:task/1", scene->out.data + 4,
					 scene->out.len - 4, scene->arena, &opened_len, NULL);
		assert_non_null(opened);
		assert_int_equal(opened_len, len);
		assert_memory_equal(opened, plain, len);
		assert_int_equal(opened[len], 0);
	}
}

static void every_flipped_byte_is_noticed(void **state)
{
	struct scene *scene = *state;
	size_t len;

	seal_shut(scene->seal, "place", "some words", 10, &scene->out);
	for (size_t i = 0; i < scene->out.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			scene->out.data[i] ^= (char)(1 << bit);
			assert_null(seal_open(scene->seal, "place", scene->out.data, scene->out.len,
					      scene->arena, &len, NULL));
			scene->out.data[i] ^= (char)(1 << bit);
		}
	}
	for (size_t cut = 0; cut < scene->out.len; cut++)
		assert_null(seal_open(scene->seal, "place", scene->out.data, cut, scene->arena,
				      &len, NULL));
	assert_non_null(seal_open(scene->seal, "place", scene->out.data, scene->out.len,
				  scene->arena, &len, NULL));
}

static void a_moved_value_does_not_open(void **state)
{
	struct scene *scene = *state;
	struct error error = {0};
	size_t len;
	char *long_place = arena_alloc(scene->arena, 2001);

	seal_shut(scene->seal, "linli:{1}:d:task/1", "words", 5, &scene->out);
	assert_null(seal_open(scene->seal, "linli:{1}:d:task/2", scene->out.data, scene->out.len,
			      scene->arena, &len, &error));
	assert_non_null(strstr(error.text, "moved"));
	/* Places longer than any key are bound whole, too. */
	memset(long_place, 'x', 2000);
	buf_clear(&scene->out);
	seal_shut(scene->seal, long_place, "words", 5, &scene->out);
	assert_non_null(seal_open(scene->seal, long_place, scene->out.data, scene->out.len,
				  scene->arena, &len, NULL));
	long_place[1999] = 'y';
	assert_null(seal_open(scene->seal, long_place, scene->out.data, scene->out.len,
			      scene->arena, &len, NULL));
}

static void another_key_does_not_open(void **state)
{
	struct scene *scene = *state;
	struct seal *other = seal_from_bytes(secret_two);
	struct error error = {0};
	size_t len;

	seal_shut(scene->seal, "place", "words", 5, &scene->out);
	assert_null(seal_open(other, "place", scene->out.data, scene->out.len, scene->arena, &len,
			      &error));
	assert_non_null(strstr(error.text, "which the key file lacks"));
	seal_free(&other);
}

static void the_same_words_never_look_the_same(void **state)
{
	struct scene *scene = *state;
	struct buf again;

	buf_init(&again, 0);
	seal_shut(scene->seal, "place", "words", 5, &scene->out);
	seal_shut(scene->seal, "place", "words", 5, &again);
	assert_memory_equal(scene->out.data, again.data, 5);
	assert_memory_not_equal(scene->out.data + 5, again.data + 5, again.len - 5);
	buf_free(&again);
}

/* ---- hashes ---- */

static void hashes_are_keyed_and_stable(void **state)
{
	struct scene *scene = *state;
	struct seal *same = seal_from_bytes(secret_one), *other = seal_from_bytes(secret_two);
	char one[SEAL_HASH_LEN + 1], two[SEAL_HASH_LEN + 1];

	seal_hash(scene->seal, "address", "+8613800138000", one);
	assert_int_equal(strlen(one), SEAL_HASH_LEN);
	assert_int_equal(strspn(one, "abcdefghijklmnopqrstuvwxyz234567"), SEAL_HASH_LEN);
	seal_hash(same, "address", "+8613800138000", two);
	assert_string_equal(one, two);
	seal_hash(other, "address", "+8613800138000", two);
	assert_string_not_equal(one, two);
	seal_hash(scene->seal, "dedup", "+8613800138000", two);
	assert_string_not_equal(one, two);
	seal_hash(scene->seal, "address", "+8613800138001", two);
	assert_string_not_equal(one, two);
	seal_hash(scene->seal, "a", "bc", one);
	seal_hash(scene->seal, "ab", "c", two);
	assert_string_not_equal(one, two);
	seal_free(&same);
	seal_free(&other);
}

/* ---- key files ---- */

static void keygen_writes_a_private_file_once(void **state)
{
	struct scene *scene = *state;
	struct error error = {0};
	struct stat st;

	mode_t mask = umask(0);
	assert_int_equal(seal_keygen(scene->file, &error), 0);
	umask(mask);
	assert_int_equal(stat(scene->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	char *text = file_text(scene);
	assert_int_equal(strlen(text), strlen("linli-key-1 ") + 8 + 1 + 64 + 1);
	assert_int_equal(seal_keygen(scene->file, &error), -1);
	assert_non_null(strstr(error.text, "File exists"));
	assert_string_equal(file_text(scene), text);
	struct seal *seal = seal_open_file(scene->file, &error);
	assert_non_null(seal);
	seal_free(&seal);
}

static void loose_key_files_are_refused(void **state)
{
	struct scene *scene = *state;
	const mode_t modes[] = {0640, 0604, 0620, 0700, 0644};
	char *text;

	refused(scene, "No such file");
	assert_int_equal(seal_keygen(scene->file, NULL), 0);
	text = file_text(scene);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		file_write(scene, text, modes[i]);
		refused(scene, "must be 0600 or stricter");
	}
	file_write(scene, text, 0400);
	struct seal *seal = seal_open_file(scene->file, NULL);
	assert_non_null(seal);
	seal_free(&seal);
	unlink(scene->file);
	assert_int_equal(mkdir(scene->file, 0700), 0);
	refused(scene, "not a regular file");
	rmdir(scene->file);
	assert_int_equal(mkfifo(scene->file, 0600), 0);
	refused(scene, "not a regular file");
}

static void credentials_may_be_looser(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(seal_keygen(scene->file, NULL), 0);
	file_write(scene, file_text(scene), 0440);
	refused(scene, "mode is 0440");
	setenv("CREDENTIALS_DIRECTORY", scene->folder, 1);
	struct seal *seal = seal_open_file(scene->file, NULL);
	assert_non_null(seal);
	seal_free(&seal);
	setenv("CREDENTIALS_DIRECTORY", "/tmp/linli-sea", 1); /* a prefix, not a folder above */
	refused(scene, "mode is 0440");
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void broken_key_files_are_refused(void **state)
{
	struct scene *scene = *state;
	static const char *const bad[] = {
		"linli-key-2 00000001 ",
		"linli-key-1 00000001 1234\n",
		"linli-key-1 0000000g ",
		"linli-key-1  00000001",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		file_write(scene, bad[i], 0600);
		refused(scene, "line 1");
	}
	file_write(scene, "", 0600);
	refused(scene, "holds no key");
	file_write(scene, "# a remark\n\n", 0600);
	refused(scene, "holds no key");
	assert_int_equal(unlink(scene->file), 0);
	assert_int_equal(seal_keygen(scene->file, NULL), 0);
	char *text = file_text(scene);
	file_write(scene, arena_printf(scene->arena, "%s%s", text, text), 0600);
	refused(scene, "line 2: the same key identifier twice");
}

static void rotation_opens_old_values_and_keeps_hashes(void **state)
{
	struct scene *scene = *state;
	char before[SEAL_HASH_LEN + 1], after[SEAL_HASH_LEN + 1];
	size_t len;
	struct buf fresh;

	buf_init(&fresh, 0);
	assert_int_equal(seal_keygen(scene->file, NULL), 0);
	char *old_line = file_text(scene);
	struct seal *old = seal_open_file(scene->file, NULL);
	seal_shut(old, "place", "words", 5, &scene->out);
	seal_hash(old, "address", "someone", before);

	unlink(scene->file);
	assert_int_equal(seal_keygen(scene->file, NULL), 0);
	file_write(scene, arena_printf(scene->arena, "%s%s", file_text(scene), old_line), 0600);
	struct seal *both = seal_open_file(scene->file, NULL);
	assert_non_null(both);
	assert_non_null(seal_open(both, "place", scene->out.data, scene->out.len, scene->arena,
				  &len, NULL));
	seal_hash(both, "address", "someone", after);
	assert_string_equal(before, after);
	/* New values are sealed with the new key, which the old file lacks. */
	seal_shut(both, "place", "words", 5, &fresh);
	assert_non_null(seal_open(both, "place", fresh.data, fresh.len, scene->arena, &len, NULL));
	assert_null(seal_open(old, "place", fresh.data, fresh.len, scene->arena, &len, NULL));
	seal_free(&old);
	seal_free(&both);
	buf_free(&fresh);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_shut_opens_again),
		TEST(every_flipped_byte_is_noticed),
		TEST(a_moved_value_does_not_open),
		TEST(another_key_does_not_open),
		TEST(the_same_words_never_look_the_same),
		TEST(hashes_are_keyed_and_stable),
		TEST(keygen_writes_a_private_file_once),
		TEST(loose_key_files_are_refused),
		TEST(credentials_may_be_looser),
		TEST(broken_key_files_are_refused),
		TEST(rotation_opens_old_values_and_keeps_hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
