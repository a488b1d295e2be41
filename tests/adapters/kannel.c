/* tests/adapters/kannel.c - the Kannel adapter against what Kannel 1.4.5 was recorded saying
 * (fixtures/kannel, by tests/peers/record.mjs) and against a provider that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/sms/sms.h"
#include "tests/adapters/provider.h"

static const char *const watched[] = {
	"X-Kannel-Username",
	"X-Kannel-Password",
	"X-Kannel-From",
	"X-Kannel-To",
	"X-Kannel-Coding",
	"X-Kannel-DLR-Mask",
	"X-Kannel-DLR-Url",
	"X-Kannel-SMSC",
	"X-Kannel-Validity",
	"Content-Type",
	NULL,
};

extern const struct adapter kannel_adapter;

static const char chinese[] = "接单 17 & 50%+1 😀";

struct gateway {
	struct house *house;
	struct provider provider;
	void *own;
};

static void set(struct gateway *gateway, const char *name, const char *value)
{
	own_set(&kannel_adapter, gateway->own, name, value);
}

static void play(struct gateway *gateway, struct provider_answer answer)
{
	provider_script(&gateway->provider, &answer, 1);
}

static int setup(void **state)
{
	struct gateway *gateway = calloc(1, sizeof *gateway);
	struct house *house = gateway->house = house_new();

	provider_mount(&gateway->provider, house, "cgi-bin/sendsms", watched);
	play(gateway, fixture_answer(house, "kannel/answer-accepted.txt"));
	gateway->own = own_new(house, &kannel_adapter);
	set(gateway, "sendsms_url",
	    arena_printf(house_arena(house), "%s/cgi-bin/sendsms", house_url(house)));
	set(gateway, "username", "tester");
	set(gateway, "password", "foo&bar 1");
	set(gateway, "secret", "s3cret");
	set(gateway, "from", "10690001");
	set(gateway, "country_code", "86");
	set(gateway, "max_messages", "3");
	*state = gateway;
	return 0;
}

static int teardown(void **state)
{
	struct gateway *gateway = *state;

	provider_let_go(&gateway->provider);
	house_free(&gateway->house);
	free(gateway);
	return 0;
}

static void go(struct gateway *gateway)
{
	if (house_open(gateway->house, &kannel_adapter, gateway->own))
		fail_msg("%s", house_error(gateway->house));
}

static void send_text(struct gateway *gateway, const char *id, const char *text)
{
	house_send(gateway->house,
		   &(struct message_out){.id = id, .to = "+8613800001111", .text = text});
}

static const struct outcome *outcome_of(struct gateway *gateway, const char *id, const char *text)
{
	size_t before = house_settled_count(gateway->house);

	send_text(gateway, id, text);
	assert_int_equal(house_settled_count(gateway->house), before); /* never from inside */
	assert_true(house_until_settled(gateway->house, before + 1));
	assert_string_equal(house_settled(gateway->house, before)->send_id, id);
	return &house_settled(gateway->house, before)->outcome;
}

static void recorded_messages_are_read(void **state)
{
	struct gateway *gateway = *state;
	static const char *const names[] = {"get-utf8", "post-utf8", "get-utf16", "post-utf16"};

	go(gateway);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *name =
			arena_printf(house_arena(gateway->house), "kannel/mo-%s.http", names[i]);
		struct house_answer answer = fixture_replay(gateway->house, name);
		assert_int_equal(answer.status, 200);
		assert_int_equal(answer.len, 0); /* anything would be texted to the person */
		assert_int_equal(house_accepted_count(gateway->house), i + 1);
		const struct message_in *message = house_accepted(gateway->house, i);
		assert_int_equal(message->kind, MESSAGE_TEXT);
		assert_string_equal(message->sender, "+8613800001111");
		assert_string_equal(message->text, chinese);
		assert_int_equal(strlen(message->id), 36);
		assert_null(message->group);
		assert_true(message->sent_at > INT64_C(1795000000000));
	}
	assert_string_not_equal(house_accepted(gateway->house, 0)->id,
				house_accepted(gateway->house, 1)->id);
}

static void binary_messages_are_left_aside(void **state)
{
	struct gateway *gateway = *state;

	go(gateway);
	assert_int_equal(fixture_replay(gateway->house, "kannel/mo-get-binary.http").status, 200);
	assert_int_equal(fixture_replay(gateway->house, "kannel/mo-post-binary.http").status, 200);
	assert_int_equal(house_accepted_count(gateway->house), 0);
}

static void recorded_receipts_are_read(void **state)
{
	struct gateway *gateway = *state;
	struct house *house = gateway->house;

	go(gateway);
	assert_int_equal(fixture_replay(house, "kannel/dlr-progress.http").status, 200);
	assert_int_equal(house_accepted_count(house), 0);
	assert_int_equal(fixture_replay(house, "kannel/dlr-delivered.http").status, 200);
	assert_int_equal(fixture_replay(house, "kannel/dlr-failed.http").status, 200);
	assert_int_equal(fixture_replay(house, "kannel/dlr-rejected.http").status, 200);
	assert_int_equal(house_accepted_count(house), 3);
	static const enum receipt want[] = {RECEIPT_DELIVERED, RECEIPT_FAILED, RECEIPT_FAILED};
	for (size_t i = 0; i < 3; i++) {
		const struct message_in *message = house_accepted(house, i);
		assert_int_equal(message->kind, MESSAGE_RECEIPT);
		assert_string_equal(message->about, "s-1");
		assert_int_equal(message->receipt, want[i]);
	}
	assert_string_equal(house_accepted(house, 0)->id, "s-1/1/1");
	assert_string_equal(house_accepted(house, 2)->id, "s-1/1/16");
	/* of a text in several sends the last one's delivery counts, and any one's failure */
	assert_int_equal(
		house_get(house, "/hook/test/dlr?secret=s3cret&id=s-2&piece=1&more=1&type=1")
			.status,
		200);
	assert_int_equal(house_accepted_count(house), 3);
	assert_int_equal(
		house_get(house, "/hook/test/dlr?secret=s3cret&id=s-2&piece=1&more=1&type=2")
			.status,
		200);
	assert_int_equal(house_accepted_count(house), 4);
}

static void hooks_without_the_secret_are_refused(void **state)
{
	struct gateway *gateway = *state;
	static const char *const paths[] = {
		"/hook/test/mo?from=%2B8613800001111&text=x&id=1",
		"/hook/test/mo?secret=&from=%2B8613800001111&text=x&id=1",
		"/hook/test/mo?secret=S3cret&from=%2B8613800001111&text=x&id=1",
		"/hook/test/mo?secret=s3cret1&from=%2B8613800001111&text=x&id=1",
		"/hook/test/dlr?secret=s3cre&id=s-1&type=1",
	};

	go(gateway);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_int_equal(house_get(gateway->house, paths[i]).status, 403);
	assert_int_equal(house_accepted_count(gateway->house), 0);
}

static void half_configured_hooks_are_told(void **state)
{
	struct gateway *gateway = *state;
	static const char *const paths[] = {
		"/hook/test/mo?secret=s3cret&from=%2B8613800001111&text=x",
		"/hook/test/mo?secret=s3cret&text=x&id=1",
		"/hook/test/mo?secret=s3cret&from=%2B8613800001111&id=1",
		"/hook/test/dlr?secret=s3cret&type=1",
		"/hook/test/dlr?secret=s3cret&id=s-1",
		"/hook/test/dlr?secret=s3cret&id=s-1&type=x",
	};

	go(gateway);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_int_equal(house_get(gateway->house, paths[i]).status, 400);
	/* a sender nobody could answer is no reason for Kannel to try again */
	assert_int_equal(
		house_get(gateway->house, "/hook/test/mo?secret=s3cret&from=%2B12&text=x&id=1")
			.status,
		200);
	assert_int_equal(house_accepted_count(gateway->house), 0);
	/* but an empty SMS is a message */
	assert_int_equal(
		house_get(gateway->house, "/hook/test/mo?secret=s3cret&from=10086&text=&id=2")
			.status,
		200);
	assert_string_equal(house_accepted(gateway->house, 0)->text, "");
	assert_string_equal(house_accepted(gateway->house, 0)->sender, "10086");
}

static void charsets_are_read(void **state)
{
	struct gateway *gateway = *state;
	static const struct {
		const char *type, *body;
		size_t len;
		const char *want;
	} cases[] = {
		{"text/plain; charset=\"ISO-8859-1\"", "caf\xE9", 4, "café"},
		{"text/plain; charset=GBK", "\xBD\xD3\xB5\xA5 17", 7, "接单 17"},
		{"text/plain; charset=utf-8", "接", 3, "接"},
		{"text/plain", "接", 3, "接"},
		{"text/plain; charset=\"UTF-16BE\"", "\0a\xD8=c\xA5", 6, "a\xEF\xBF\xBD接"},
		{"text/plain; charset=\"UTF-16BE\"", "\0a\0\0\0b\0", 7, "ab\xEF\xBF\xBD"},
		{"text/plain; charset=no-such-thing", "abc\xFF", 4, "abc\xEF\xBF\xBD"},
		{"text/plain", "a\0b", 3, "ab"},
	};
	static const struct {
		const char *query, *want;
	} queries[] = {
		{"charset=ISO-8859-1&text=caf%E9", "café"},
		{"charset=GBK&text=%BD%D3%B5%A5+17", "接单 17"},
		{"charset=utf-8&text=%E6%8E%A5", "接"},
		{"text=%E6%8E%A5", "接"},
		{"charset=&text=plain", "plain"},
		{"text=caf%E9", "caf\xEF\xBF\xBD"},
		{"charset=UTF-16BE&text=%00a%D8%3Dc%A5", "a\xEF\xBF\xBD接"},
		{"charset=UTF-16BE&text=%7A%0D", "稍"}, /* bytes that are UTF-8 as well */
	};

	go(gateway);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *arena = house_arena(gateway->house);
		const char *path = arena_printf(
			arena, "/hook/test/mo?secret=s3cret&from=13800001111&id=%zu", i);
		const char *const headers[] = {
			arena_printf(arena, "Content-Type: %s", cases[i].type), NULL};
		assert_int_equal(
			house_post(gateway->house, path, headers, cases[i].body, cases[i].len)
				.status,
			200);
		assert_string_equal(house_accepted(gateway->house, i)->text, cases[i].want);
		assert_string_equal(house_accepted(gateway->house, i)->sender, "+8613800001111");
	}
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		const char *path =
			arena_printf(house_arena(gateway->house),
				     "/hook/test/mo?secret=s3cret&from=13800001111&id=q%zu&%s", i,
				     queries[i].query);
		size_t at = house_accepted_count(gateway->house);
		assert_int_equal(house_get(gateway->house, path).status, 200);
		assert_string_equal(house_accepted(gateway->house, at)->text, queries[i].want);
	}
}

static void a_store_that_is_away_makes_kannel_try_again(void **state)
{
	struct gateway *gateway = *state;

	house_accept_as(gateway->house, ACCEPT_LATER);
	go(gateway);
	assert_int_equal(fixture_replay(gateway->house, "kannel/mo-get-utf8.http").status, 503);
	assert_int_equal(fixture_replay(gateway->house, "kannel/dlr-delivered.http").status, 503);
	house_accept_as(gateway->house, ACCEPTED);
	assert_int_equal(fixture_replay(gateway->house, "kannel/mo-get-utf8.http").status, 200);
}

static void a_send_says_everything(void **state)
{
	struct gateway *gateway = *state;
	const struct provider *provider = &gateway->provider;

	set(gateway, "smsc", "A");
	set(gateway, "validity", "90s");
	go(gateway);
	const struct outcome *outcome = outcome_of(gateway, "s-17", chinese);
	assert_int_equal(outcome->kind, OUTCOME_SENT);
	assert_string_equal(outcome->message_id, "s-17");
	assert_int_equal(provider->count, 1);
	assert_string_equal(provider->requests[0].method, "POST");
	assert_string_equal(provider->requests[0].body, chinese);
	assert_string_equal(provider->requests[0].target, "/cgi-bin/sendsms");
	assert_string_equal(provider_header(provider, 0, "Content-Type"),
			    "text/plain; charset=UTF-8");
	assert_string_equal(provider_header(provider, 0, "X-Kannel-Username"), "tester");
	assert_string_equal(provider_header(provider, 0, "X-Kannel-Password"), "foo&bar 1");
	assert_string_equal(provider_header(provider, 0, "X-Kannel-From"), "10690001");
	assert_string_equal(provider_header(provider, 0, "X-Kannel-To"), "+8613800001111");
	assert_string_equal(provider_header(provider, 0, "X-Kannel-Coding"), "2");
	assert_string_equal(provider_header(provider, 0, "X-Kannel-SMSC"), "A");
	assert_string_equal(provider_header(provider, 0, "X-Kannel-Validity"), "2");
	assert_string_equal(provider_header(provider, 0, "X-Kannel-DLR-Mask"), "19");
	assert_string_equal(provider_header(provider, 0, "X-Kannel-DLR-Url"),
			    arena_printf(house_arena(gateway->house),
					 "%s/hook/test/dlr?secret=s3cret&id=s-17&piece=1&type=%%d",
					 house_url(gateway->house)));

	outcome_of(gateway, "s-18", "Hello [€]");
	assert_string_equal(provider_header(provider, 1, "X-Kannel-Coding"), "0");
}

static void without_receipts_nothing_is_asked_for(void **state)
{
	struct gateway *gateway = *state;

	set(gateway, "receipts", "false");
	set(gateway, "from", "");
	go(gateway);
	outcome_of(gateway, "s-1", "x");
	assert_null(provider_header(&gateway->provider, 0, "X-Kannel-DLR-Mask"));
	assert_null(provider_header(&gateway->provider, 0, "X-Kannel-DLR-Url"));
	assert_null(provider_header(&gateway->provider, 0, "X-Kannel-From"));
	assert_null(provider_header(&gateway->provider, 0, "X-Kannel-Validity"));
}

static char *long_text(struct gateway *gateway, size_t characters)
{
	char *text = arena_alloc(house_arena(gateway->house), 3 * characters + 1);
	for (size_t i = 0; i < characters; i++)
		memcpy(text + 3 * i, "接", 3);
	return text;
}

static void long_texts_go_in_pieces_in_order(void **state)
{
	struct gateway *gateway = *state;
	const struct provider *provider = &gateway->provider;
	const char *text = long_text(gateway, 500);
	char *all = arena_alloc(house_arena(gateway->house), strlen(text) + 1);

	go(gateway);
	const struct outcome *outcome = outcome_of(gateway, "s-1", text);
	assert_int_equal(outcome->kind, OUTCOME_SENT);
	assert_string_equal(outcome->message_id, "s-1");
	assert_int_equal(provider->count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(sms_measure(provider->requests[i].body).parts <= 3);
		memcpy(all + strlen(all), provider->requests[i].body, provider->requests[i].len);
		const char *url = provider_header(provider, i, "X-Kannel-DLR-Url");
		assert_non_null(strstr(url, arena_printf(house_arena(gateway->house),
							 "&piece=%zu%s&type=%%d", i + 1,
							 i < 2 ? "&more=1" : "")));
	}
	assert_string_equal(all, text);
	assert_int_equal(house_settled_count(gateway->house), 1);
}

static void refusals_are_told_apart(void **state)
{
	struct gateway *gateway = *state;
	static const struct {
		const char *fixture;
		enum refusal refusal;
	} cases[] = {
		{"kannel/answer-authorization.txt", REFUSAL_CHANNEL},
		{"kannel/answer-no-sender.txt", REFUSAL_CHANNEL},
		{"kannel/answer-denied.txt", REFUSAL_UNREACHABLE},
		{"kannel/answer-charset.txt", REFUSAL_TEXT},
		{"kannel/answer-nothing-here.txt", REFUSAL_CHANNEL},
	};

	go(gateway);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		play(gateway, fixture_answer(gateway->house, cases[i].fixture));
		const struct outcome *outcome = outcome_of(gateway, "s-1", "x");
		assert_int_equal(outcome->kind, OUTCOME_REFUSED);
		assert_int_equal(outcome->refusal, cases[i].refusal);
		assert_non_null(outcome->reason);
		assert_null(strstr(outcome->reason, "13800001111"));
	}
	assert_int_equal(house_health(gateway->house), CHANNEL_DEAD);
	play(gateway, fixture_answer(gateway->house, "kannel/answer-accepted.txt"));
	assert_int_equal(outcome_of(gateway, "s-2", "x")->kind, OUTCOME_SENT);
	assert_int_equal(house_health(gateway->house), CHANNEL_UP);
}

/* The words are smsbox 1.4.5's own (strings of the binary; user guide, "sendsms"). */
static void other_answers_are_told_apart(void **state)
{
	struct gateway *gateway = *state;
	static const struct {
		struct provider_answer answer;
		enum outcome_kind kind;
		enum refusal refusal;
	} cases[] = {
		{{202, "3: Queued for later delivery", NULL}, OUTCOME_SENT, 0},
		{{200, "0: Accepted for delivery", NULL}, OUTCOME_SENT, 0},
		{{200, "<html>It works!</html>", NULL}, OUTCOME_REFUSED, REFUSAL_CHANNEL},
		{{403, "Not routable. Do not try again.", NULL},
		 OUTCOME_REFUSED,
		 REFUSAL_UNREACHABLE},
		{{503, "Temporal failure, try again later.", NULL}, OUTCOME_RETRY, 0},
		{{429, "", "7"}, OUTCOME_RETRY, 0},
		{{401, "", NULL}, OUTCOME_REFUSED, REFUSAL_CHANNEL},
		{{500, "", NULL}, OUTCOME_UNCERTAIN, 0},
		{{502, "", NULL}, OUTCOME_UNCERTAIN, 0},
	};

	go(gateway);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		play(gateway, cases[i].answer);
		const struct outcome *outcome = outcome_of(gateway, "s-1", "x");
		if (outcome->kind != cases[i].kind)
			fail_msg("case %zu: %d", i, (int)outcome->kind);
		if (outcome->kind == OUTCOME_REFUSED)
			assert_int_equal(outcome->refusal, cases[i].refusal);
	}
	play(gateway, (struct provider_answer){503, "Temporal failure", "9"});
	assert_int_equal(outcome_of(gateway, "s-1", "x")->retry_ms, 9000);
}

static void a_gateway_that_is_not_there_is_tried_again(void **state)
{
	struct gateway *gateway = *state;
	struct error error;
	/* a port that was ours a moment ago */
	struct web *web = web_new(house_loop(gateway->house), "127.0.0.1:0", &error);
	int port = web_port(web);

	web_free(&web);
	set(gateway, "sendsms_url",
	    arena_printf(house_arena(gateway->house), "http://127.0.0.1:%d/cgi-bin/sendsms", port));
	go(gateway);
	const struct outcome *outcome = outcome_of(gateway, "s-1", "x");
	assert_int_equal(outcome->kind, OUTCOME_RETRY);
	assert_int_equal(house_health(gateway->house), CHANNEL_RETRYING);
}

static void no_answer_is_uncertain(void **state)
{
	struct gateway *gateway = *state;

	set(gateway, "timeout", "150ms");
	play(gateway, (struct provider_answer){.status = 0});
	go(gateway);
	assert_int_equal(outcome_of(gateway, "s-1", "x")->kind, OUTCOME_UNCERTAIN);
	assert_int_equal(gateway->provider.count, 1);
}

static void a_later_piece_is_tried_again_here(void **state)
{
	struct gateway *gateway = *state;
	const struct provider_answer script[] = {
		{202, "0: Accepted for delivery", NULL},
		{503, "Temporal failure, try again later.", NULL},
		{202, "0: Accepted for delivery", NULL},
	};

	go(gateway);
	provider_script(&gateway->provider, script, 3);
	assert_int_equal(outcome_of(gateway, "s-1", long_text(gateway, 300))->kind, OUTCOME_SENT);
	assert_int_equal(gateway->provider.count, 3);
	assert_string_equal(gateway->provider.requests[1].body, gateway->provider.requests[2].body);
	assert_string_not_equal(gateway->provider.requests[0].body,
				gateway->provider.requests[1].body);
}

static void a_refused_later_piece_ends_it(void **state)
{
	struct gateway *gateway = *state;
	const struct provider_answer script[] = {
		{202, "0: Accepted for delivery", NULL},
		{403, "Not routable. Do not try again.", NULL},
	};

	go(gateway);
	provider_script(&gateway->provider, script, 2);
	assert_int_equal(outcome_of(gateway, "s-1", long_text(gateway, 500))->kind,
			 OUTCOME_REFUSED);
	assert_int_equal(gateway->provider.count, 2);
}

static void what_sms_cannot_do_is_refused(void **state)
{
	struct gateway *gateway = *state;

	go(gateway);
	const struct outcome *outcome = outcome_of(gateway, "s-1", "");
	assert_int_equal(outcome->kind, OUTCOME_REFUSED);
	assert_int_equal(outcome->refusal, REFUSAL_TEXT);
	house_send(gateway->house,
		   &(struct message_out){.id = "s-2", .to = "g", .group = true, .text = "x"});
	assert_int_equal(house_settled_count(gateway->house), 1);
	assert_true(house_until_settled(gateway->house, 2));
	assert_int_equal(house_settled(gateway->house, 1)->outcome.refusal, REFUSAL_UNREACHABLE);
	static const char *const addresses[] = {"", "+86 138", "接单", "1\r\nX-Kannel-From: 110",
						"+86138000011118613800001111861380000"};
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		house_send(gateway->house,
			   &(struct message_out){.id = "s-3", .to = addresses[i], .text = "x"});
		assert_true(house_until_settled(gateway->house, 3 + i));
		assert_int_equal(house_settled(gateway->house, 2 + i)->outcome.refusal,
				 REFUSAL_UNREACHABLE);
	}
	assert_int_equal(gateway->provider.count, 0);
}

static void closing_settles_everything(void **state)
{
	struct gateway *gateway = *state;
	struct house *house = gateway->house;
	const struct provider_answer script[] = {
		{202, "0: Accepted for delivery", NULL},
		{503, "Temporal failure", "30"},
		{.status = 0},
	};

	go(gateway);
	provider_script(&gateway->provider, script, 3);
	send_text(gateway, "pausing", long_text(gateway, 300));
	assert_true(provider_until(&gateway->provider, 2));
	send_text(gateway, "waiting-1", "x");
	send_text(gateway, "waiting-2", "x");
	assert_true(provider_until(&gateway->provider, 4));
	house_send(house,
		   &(struct message_out){.id = "refused", .to = "g", .group = true, .text = "x"});
	assert_int_equal(house_settled_count(house), 0);
	assert_true(house_close(house));
	assert_int_equal(house_settled_count(house), 4);
	for (size_t i = 0; i < 4; i++) {
		const struct house_settled *settled = house_settled(house, i);
		assert_int_equal(settled->outcome.kind, !strcmp(settled->send_id, "refused")
								? OUTCOME_REFUSED
								: OUTCOME_UNCERTAIN);
	}
	/* and nothing is taken in any more */
	assert_int_equal(fixture_replay(house, "kannel/mo-get-utf8.http").status, 503);
}

static void settings_that_cannot_work_are_told(void **state)
{
	struct gateway *gateway = *state;
	static const struct {
		const char *name, *value, *right;
	} cases[] = {
		{"secret", "with space", "s3cret"}, {"secret", "50%d", "s3cret"},
		{"secret", "", "s3cret"},           {"password", "line\nbreak", "foo"},
		{"password", " foo", "foo"},        {"from", "1069\r\n", "1069"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		set(gateway, cases[i].name, cases[i].value);
		struct house *house = house_new();
		assert_int_equal(house_open(house, &kannel_adapter, gateway->own), -1);
		assert_non_null(strstr(house_error(house), cases[i].name));
		house_free(&house);
		set(gateway, cases[i].name, cases[i].right);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recorded_messages_are_read),
		TEST(binary_messages_are_left_aside),
		TEST(recorded_receipts_are_read),
		TEST(hooks_without_the_secret_are_refused),
		TEST(half_configured_hooks_are_told),
		TEST(charsets_are_read),
		TEST(a_store_that_is_away_makes_kannel_try_again),
		TEST(a_send_says_everything),
		TEST(without_receipts_nothing_is_asked_for),
		TEST(long_texts_go_in_pieces_in_order),
		TEST(refusals_are_told_apart),
		TEST(other_answers_are_told_apart),
		TEST(a_gateway_that_is_not_there_is_tried_again),
		TEST(no_answer_is_uncertain),
		TEST(a_later_piece_is_tried_again_here),
		TEST(a_refused_later_piece_ends_it),
		TEST(what_sms_cannot_do_is_refused),
		TEST(closing_settles_everything),
		TEST(settings_that_cannot_work_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
