/* tests/unit/scram.c - SCRAM against the exchanges printed in RFC 5802 section 5 and RFC 7677
 * section 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/chat/scram.h"

static const struct vector {
	enum scram_hash hash;
	const char *nonce, *client_first, *server_first, *client_final, *server_final;
} vectors[] = {
	{
		.hash = SCRAM_SHA_1,
		.nonce = "fyko+d2lbbFgONRv9qkxdawL",
		.client_first = "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
		.server_first = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
				"s=QSXCR+Q6sek8bf92,i=4096",
		.client_final = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
				"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		.server_final = "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
	},
	{
		.hash = SCRAM_SHA_256,
		.nonce = "rOprNGfwEbeRWgbNEkqO",
		.client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		.server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
				"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		.client_final = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
				"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		.server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
	},
};

static void test_rfc_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		const struct vector *v = &vectors[i];
		struct scram *scram = scram_new(v->hash, "user", "pencil", v->nonce);
		struct error error = {""};

		assert_string_equal(scram_first(scram), v->client_first);
		assert_int_equal(scram_challenge(scram, v->server_first, &error), 0);
		scram_derive(scram);
		assert_string_equal(scram_response(scram), v->client_final);
		assert_int_equal(scram_success(scram, v->server_final, &error), 0);
		scram_free(&scram);
		assert_null(scram);
	}
}

static void test_wrong_server(void **state)
{
	const struct vector *v = &vectors[0];
	struct scram *scram = scram_new(v->hash, "user", "pencil", v->nonce);
	struct error error = {""};

	(void)state;
	assert_int_equal(scram_success(scram, v->server_final, &error), -1); /* before the proof */
	assert_int_equal(scram_challenge(scram, v->server_first, &error), 0);
	assert_null(scram_response(scram)); /* before the key */
	scram_derive(scram);
	assert_non_null(scram_response(scram));
	assert_int_equal(scram_success(scram, "v=smF9pqV8S7suAoZWja4dJRkFsKQ=", &error), -1);
	assert_int_equal(scram_success(scram, "v=", &error), -1);
	assert_int_equal(scram_success(scram, "e=invalid-proof", &error), -1);
	assert_int_equal(scram_success(scram, "", &error), -1);
	assert_int_equal(scram_success(scram, v->server_final, &error), 0);
	scram_free(&scram);
}

static void test_bad_challenges(void **state)
{
	static const char *const bad[] = {
		"",
		"r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096",  /* nothing of the server's
									  */
		"r=other3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",   /* not our nonce */
		"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=1", /* too few iterations */
		"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=9999999", /* too many */
		"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=99999999999999999999",
		"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=-4096",
		"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=",
		"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=,i=4096",
		"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=****,i=4096",
		"r=fyko+d2lbbFgONRv9qkxdawL3rfc,i=4096",
		"m=ext,r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=4096",
	};
	struct scram *scram = scram_new(SCRAM_SHA_1, "user", "pencil", vectors[0].nonce);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct error error = {""};

		assert_int_equal(scram_challenge(scram, bad[i], &error), -1);
		assert_string_not_equal(error.text, "");
	}
	scram_free(&scram);
}

static void test_names_are_escaped(void **state)
{
	struct scram *scram = scram_new(SCRAM_SHA_1, "a,b=c", "x", "abc");

	(void)state;
	assert_string_equal(scram_first(scram), "n,,n=a=2Cb=3Dc,r=abc");
	scram_free(&scram);
}

static void test_base64(void **state)
{
	unsigned char out[8];
	char *text = base64_encode("foob", 4); /* RFC 4648 section 10 */

	(void)state;
	assert_string_equal(text, "Zm9vYg==");
	free(text);
	assert_int_equal(base64_decode("Zm9vYg==", out, sizeof out), 4);
	assert_memory_equal(out, "foob", 4);
	assert_int_equal(base64_decode("", out, sizeof out), 0);
	assert_int_equal(base64_decode("Zm9", out, sizeof out), -1);
	assert_int_equal(base64_decode("Zm=v", out, sizeof out), -1);
	assert_int_equal(base64_decode("Z===", out, sizeof out), -1);
	assert_int_equal(base64_decode(" Zm9vYg==", out, sizeof out), -1);
	assert_int_equal(base64_decode("Zm9vYmFyYmF6", out, sizeof out), -1); /* no room */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_vectors),    cmocka_unit_test(test_wrong_server),
		cmocka_unit_test(test_bad_challenges), cmocka_unit_test(test_names_are_escaped),
		cmocka_unit_test(test_base64),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
