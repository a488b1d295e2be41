/* tests/adapters/twilio.c - the Twilio adapter against traffic recorded from npm emulate 0.12.2
 * (fixtures/twilio, by tests/peers/record.mjs), against Twilio's documented errors, and against a
 * provider that does not answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "adapters/sms/twilio_sign.h"
#include "tests/adapters/provider.h"

#define ACCOUNT "AC00000000000000000000000000000000"

extern const struct adapter twilio_adapter;

static const char *const watched[] = {"Authorization", "Content-Type", NULL};

struct account {
	struct house *house;
	struct provider provider;
	void *own;
};

/* The id in a recorded answer. */
static const char *recorded_sid(struct account *account)
{
	struct provider_answer answer = fixture_answer(account->house, "twilio/answer-created.txt");
	const char *sid = strstr(answer.body, "\"sid\":\"") + 7;
	return arena_bytes(house_arena(account->house), sid, strcspn(sid, "\""));
}

static void set(struct account *account, const char *name, const char *value)
{
	own_set(&twilio_adapter, account->own, name, value);
}

static void play(struct account *account, struct provider_answer answer)
{
	provider_script(&account->provider, &answer, 1);
}

static int setup(void **state)
{
	struct account *account = calloc(1, sizeof *account);
	struct house *house = account->house = house_new();

	provider_mount(&account->provider, house, "2010-04-01/Accounts/" ACCOUNT "/Messages.json",
		       watched);
	play(account, fixture_answer(house, "twilio/answer-created.txt"));
	account->own = own_new(house, &twilio_adapter);
	set(account, "base_url", house_url(house));
	set(account, "account_sid", ACCOUNT);
	set(account, "auth_token", "tok");
	set(account, "from", "+15551234567");
	/* what the recorded webhooks were signed over */
	set(account, "webhook_url", "http://127.0.0.1:18099/hook/test");
	*state = account;
	return 0;
}

static int teardown(void **state)
{
	struct account *account = *state;

	provider_let_go(&account->provider);
	house_free(&account->house);
	free(account);
	return 0;
}

static void go(struct account *account)
{
	if (house_open(account->house, &twilio_adapter, account->own))
		fail_msg("%s", house_error(account->house));
}

static const struct outcome *outcome_of(struct account *account, const char *id, const char *text)
{
	size_t before = house_settled_count(account->house);

	house_send(account->house,
		   &(struct message_out){.id = id, .to = "+8613800001111", .text = text});
	assert_int_equal(house_settled_count(account->house), before);
	assert_true(house_until_settled(account->house, before + 1));
	assert_string_equal(house_settled(account->house, before)->send_id, id);
	return &house_settled(account->house, before)->outcome;
}

/* Vectors: twilio.com/docs/usage/security, and npm twilio 6.2.0. */
static void signatures_are_twilios(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const struct web_field published[] = {
		{"To", "+18005551212"},     {"CallSid", "CA1234567890ABCDE"},
		{"Caller", "+14158675309"}, {"Digits", "1234"},
		{"From", "+14158675309"},
	};
	const struct web_field chinese[] = {
		{"Body", "接单 17"}, {"From", "+8613800001111"}, {"To", "+15551234567"}};
	const struct web_field twice[] = {{"b", "2"}, {"a", "1"}, {"b", "2"}, {"b", "1"}};
	const struct web_field once[] = {{"a", "1"}, {"b", "1"}, {"b", "2"}};
	const char *url = "https://mycompany.com/myapp.php?foo=1&bar=2";

	assert_string_equal(twilio_signature(arena, "12345", url, published, 5),
			    "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
	assert_string_equal(twilio_signature(arena, "tok", "https://bot.example/sms", chinese, 3),
			    "wOovPfIdgNvSRtAsAVX3M7vhBlY=");
	assert_string_equal(twilio_signature(arena, "tok", url, twice, 4),
			    twilio_signature(arena, "tok", url, once, 3));
	assert_true(
		twilio_signed(arena, "12345", url, published, 5, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
	/* the port may be said or not */
	const char *with_port = "https://mycompany.com:443/myapp.php?foo=1&bar=2";
	assert_true(twilio_signed(arena, "12345", with_port, published, 5,
				  "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
	assert_true(twilio_signed(arena, "12345", url, published, 5,
				  twilio_signature(arena, "12345", with_port, published, 5)));
	assert_true(twilio_signed(arena, "k", "http://[::1]/x", NULL, 0,
				  twilio_signature(arena, "k", "http://[::1]:80/x", NULL, 0)));
	assert_true(twilio_signed(arena, "k", "http://[::1]:8080", NULL, 0,
				  twilio_signature(arena, "k", "http://[::1]", NULL, 0)));
	assert_false(
		twilio_signed(arena, "12346", url, published, 5, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
	assert_false(
		twilio_signed(arena, "12345", url, published, 4, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
	assert_false(twilio_signed(arena, "12345", url, published, 5, NULL));
	assert_false(twilio_signed(arena, "12345", url, published, 5, ""));
	assert_false(twilio_signed(arena, "12345", "nonsense", published, 5, "x"));
	/* SHA-256 of "abc", FIPS 180-2 */
	assert_true(twilio_body_signed(
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015AD", "abc", 3));
	assert_false(twilio_body_signed(
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015AE", "abc", 3));
	assert_false(twilio_body_signed(NULL, "abc", 3));
	arena_free(&arena);
}

static void a_recorded_message_is_read(void **state)
{
	struct account *account = *state;

	go(account);
	struct house_answer answer = fixture_replay(account->house, "twilio/sms.http");
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.body, "<Response/>");
	assert_true(!strncmp(answer.type, "text/xml", 8));
	assert_int_equal(house_accepted_count(account->house), 1);
	const struct message_in *message = house_accepted(account->house, 0);
	assert_int_equal(message->kind, MESSAGE_TEXT);
	assert_string_equal(message->sender, "+8613800001111");
	assert_string_equal(message->text, "接单 17 & 50%+1 😀");
	assert_true(!strncmp(message->id, "SM", 2) && strlen(message->id) == 34);
	assert_null(message->media);
	/* a replay has the same id: the house knows it by that */
	fixture_replay(account->house, "twilio/sms.http");
	assert_string_equal(house_accepted(account->house, 1)->id, message->id);
}

static void recorded_statuses_are_read(void **state)
{
	struct account *account = *state;
	struct house *house = account->house;

	go(account);
	assert_int_equal(fixture_replay(house, "twilio/status-sent.http").status, 200);
	assert_int_equal(house_accepted_count(house), 0);
	assert_int_equal(fixture_replay(house, "twilio/status-delivered.http").status, 200);
	assert_int_equal(fixture_replay(house, "twilio/status-undelivered.http").status, 200);
	assert_int_equal(house_accepted_count(house), 2);
	const struct message_in *first = house_accepted(house, 0);
	const struct message_in *second = house_accepted(house, 1);
	assert_int_equal(first->kind, MESSAGE_RECEIPT);
	assert_string_equal(first->about, "s-1");
	assert_int_equal(first->receipt, RECEIPT_DELIVERED);
	assert_int_equal(second->receipt, RECEIPT_FAILED);
	/* the first final status counts: another one is a duplicate */
	assert_string_equal(first->id, second->id);
}

/* A webhook signed as Twilio would; `wrong`: with another token. */
static struct house_answer hook(struct account *account, const char *path, const char *type,
				const char *body, const struct web_field *fields, size_t count,
				bool wrong)
{
	struct arena *arena = house_arena(account->house);
	const char *url = arena_printf(arena, "http://127.0.0.1:18099/hook/test/%s", path);
	const char *signature =
		twilio_signature(arena, wrong ? "other" : "tok", url, fields, count);
	const char *const headers[] = {
		arena_printf(arena, "Content-Type: %s", type),
		arena_printf(arena, "X-Twilio-Signature: %s", signature),
		NULL,
	};
	return house_post(account->house, arena_printf(arena, "/hook/test/%s", path), headers, body,
			  strlen(body));
}

static const char form[] = "application/x-www-form-urlencoded";

static void forged_hooks_are_refused(void **state)
{
	struct account *account = *state;
	static const char *const unsigned_headers[] = {
		"Content-Type: application/x-www-form-urlencoded", NULL};
	const char *body = "MessageSid=SM1&From=%2B8613800001111&Body=x";
	const struct web_field fields[] = {
		{"MessageSid", "SM1"}, {"From", "+8613800001111"}, {"Body", "x"}};

	go(account);
	assert_int_equal(
		house_post(account->house, "/hook/test/sms", unsigned_headers, body, strlen(body))
			.status,
		403);
	assert_int_equal(hook(account, "sms", form, body, fields, 3, true).status, 403);
	/* signed, but for other fields */
	assert_int_equal(hook(account, "sms", form, body, fields, 2, false).status, 403);
	assert_int_equal(hook(account, "sms", form, "MessageSid=SM1&From=%2B8613800001112&Body=x",
			      fields, 3, false)
				 .status,
			 403);
	assert_int_equal(house_accepted_count(account->house), 0);
	/* signed right */
	assert_int_equal(hook(account, "sms", form, body, fields, 3, false).status, 200);
	assert_int_equal(house_accepted_count(account->house), 1);
}

static void json_hooks_are_believed_by_their_hash(void **state)
{
	struct account *account = *state;
	const char *body = "{\"MessageSid\":\"SM2\",\"From\":\"+8613800001111\",\"Body\":\"接单\"}";
	/* sha256sum of the body */
	const char *path = "sms?bodySHA256="
			   "0cadd0233f8614a0b09e8571ddcc4186630aa586377f0d9448dbac1aaab47aab";
	const char *other =
		"sms?bodySHA256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

	go(account);
	assert_int_equal(
		hook(account, path, "application/json; charset=utf-8", body, NULL, 0, false).status,
		200);
	assert_string_equal(house_accepted(account->house, 0)->text, "接单");
	assert_int_equal(hook(account, other, "application/json", body, NULL, 0, false).status,
			 403);
	assert_int_equal(hook(account, "sms", "application/json", body, NULL, 0, false).status,
			 403);
	assert_int_equal(hook(account, path, "application/json", body, NULL, 0, true).status, 403);
	assert_int_equal(house_accepted_count(account->house), 1);
}

static void other_fields_are_read(void **state)
{
	struct account *account = *state;
	const struct web_field media[] = {{"SmsMessageSid", "SM3"},
					  {"From", "+8613800001111"},
					  {"Body", ""},
					  {"MediaUrl0", "https://api.twilio.com/m/1"},
					  {"Latitude", "31.25"},
					  {"Longitude", "121.5"}};
	const struct web_field blocked[] = {
		{"MessageSid", "SM4"}, {"MessageStatus", "failed"}, {"ErrorCode", "21610"}};
	const struct web_field odd[] = {{"MessageSid", "SM5"}, {"From", "whatsapp:+8613800001111"}};
	const struct web_field delivered[] = {{"MessageSid", "SM6"}, {"MessageStatus", "read"}};

	go(account);
	assert_int_equal(hook(account, "sms", form,
			      "SmsMessageSid=SM3&From=%2B8613800001111&Body=&MediaUrl0=https%3A%2F%"
			      "2Fapi.twilio.com%2Fm%2F1&Latitude=31.25&Longitude=121.5",
			      media, 6, false)
				 .status,
			 200);
	const struct message_in *message = house_accepted(account->house, 0);
	assert_string_equal(message->media, "https://api.twilio.com/m/1");
	assert_string_equal(message->text, "");
	assert_true(message->latitude == 31.25 && message->longitude == 121.5);
	assert_int_equal(hook(account, "status?id=s-9&piece=1", form,
			      "MessageSid=SM4&MessageStatus=failed&ErrorCode=21610", blocked, 3,
			      false)
				 .status,
			 200);
	assert_int_equal(house_accepted(account->house, 1)->receipt, RECEIPT_BLOCKED);
	assert_string_equal(house_accepted(account->house, 1)->about, "s-9");
	assert_int_equal(hook(account, "sms", form,
			      "MessageSid=SM5&From=whatsapp%3A%2B8613800001111", odd, 2, false)
				 .status,
			 400);
	assert_int_equal(hook(account, "status?id=s-9&piece=1&more=1", form,
			      "MessageSid=SM6&MessageStatus=read", delivered, 2, false)
				 .status,
			 200);
	assert_int_equal(house_accepted_count(account->house), 2);
}

static void a_store_that_is_away_makes_twilio_try_again(void **state)
{
	struct account *account = *state;

	house_accept_as(account->house, ACCEPT_LATER);
	go(account);
	assert_int_equal(fixture_replay(account->house, "twilio/sms.http").status, 503);
	assert_int_equal(fixture_replay(account->house, "twilio/status-delivered.http").status,
			 503);
}

static void a_send_says_everything(void **state)
{
	struct account *account = *state;
	const struct provider *provider = &account->provider;

	go(account);
	const struct outcome *outcome = outcome_of(account, "s-17", "接单 17 & 50%+1 😀");
	assert_int_equal(outcome->kind, OUTCOME_SENT);
	assert_string_equal(outcome->message_id, recorded_sid(account));
	assert_string_equal(provider->requests[0].method, "POST");
	assert_string_equal(provider_field(provider, 0, "To"), "+8613800001111");
	assert_string_equal(provider_field(provider, 0, "From"), "+15551234567");
	assert_null(provider_field(provider, 0, "MessagingServiceSid"));
	assert_string_equal(provider_field(provider, 0, "Body"), "接单 17 & 50%+1 😀");
	assert_string_equal(provider_field(provider, 0, "StatusCallback"),
			    "http://127.0.0.1:18099/hook/test/status?id=s-17&piece=1");
	/* base64 of ACCOUNT:tok */
	assert_string_equal(provider_header(provider, 0, "Authorization"),
			    "Basic "
			    "QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDp0b2s=");
}

static void keys_and_services_are_used(void **state)
{
	struct account *account = *state;

	set(account, "api_key", "SK1");
	set(account, "api_secret", "shh");
	set(account, "from", NULL);
	set(account, "webhook_url", NULL);
	set(account, "messaging_service_sid", "MG1");
	go(account);
	outcome_of(account, "s-1", "x");
	assert_string_equal(provider_header(&account->provider, 0, "Authorization"),
			    "Basic U0sxOnNoaA==");
	assert_string_equal(provider_field(&account->provider, 0, "MessagingServiceSid"), "MG1");
	assert_null(provider_field(&account->provider, 0, "From"));
	assert_string_equal(provider_field(&account->provider, 0, "StatusCallback"),
			    arena_printf(house_arena(account->house),
					 "%s/hook/test/status?id=s-1&piece=1",
					 house_url(account->house)));
}

static void long_texts_go_in_pieces(void **state)
{
	struct account *account = *state;
	char *text = arena_alloc(house_arena(account->house), 3 * 1700 + 1);

	for (size_t i = 0; i < 1700; i++)
		memcpy(text + 3 * i, "接", 3);
	go(account);
	const struct outcome *outcome = outcome_of(account, "s-1", text);
	assert_int_equal(outcome->kind, OUTCOME_SENT);
	assert_string_equal(outcome->message_id, recorded_sid(account));
	assert_int_equal(account->provider.count, 3);
	assert_string_equal(provider_field(&account->provider, 0, "StatusCallback"),
			    "http://127.0.0.1:18099/hook/test/status?id=s-1&piece=1&more=1");
	for (size_t i = 0; i < 3; i++)
		assert_true(strlen(provider_field(&account->provider, i, "Body")) <= 3 * 1600);
}

static struct provider_answer error_answer(struct account *account, int status, int code)
{
	return (struct provider_answer){
		.status = status,
		.body = arena_printf(house_arena(account->house),
				     "{\"code\":%d,\"message\":\"The number +8613800001111 …\","
				     "\"more_info\":\"https://www.twilio.com/docs/errors/%d\","
				     "\"status\":%d}",
				     code, code, status),
	};
}

static void errors_are_told_apart(void **state)
{
	struct account *account = *state;
	static const struct {
		int status, code;
		enum outcome_kind kind;
		enum refusal refusal;
	} cases[] = {
		{400, 21610, OUTCOME_REFUSED, REFUSAL_BLOCKED},
		{400, 21211, OUTCOME_REFUSED, REFUSAL_UNREACHABLE},
		{400, 21614, OUTCOME_REFUSED, REFUSAL_UNREACHABLE},
		{400, 30003, OUTCOME_REFUSED, REFUSAL_UNREACHABLE},
		{400, 30005, OUTCOME_REFUSED, REFUSAL_UNREACHABLE},
		{400, 30006, OUTCOME_REFUSED, REFUSAL_UNREACHABLE},
		{400, 21617, OUTCOME_REFUSED, REFUSAL_TEXT},
		{400, 21658, OUTCOME_REFUSED, REFUSAL_TEXT},
		{401, 20003, OUTCOME_REFUSED, REFUSAL_CHANNEL},
		{400, 21606, OUTCOME_REFUSED, REFUSAL_CHANNEL},
		{404, 20404, OUTCOME_REFUSED, REFUSAL_CHANNEL},
		{400, 99999, OUTCOME_REFUSED, REFUSAL_OTHER},
		{429, 20429, OUTCOME_RETRY, 0},
		{429, 0, OUTCOME_RETRY, 0},
	};

	go(account);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		play(account, error_answer(account, cases[i].status, cases[i].code));
		const struct outcome *outcome = outcome_of(account, "s-1", "x");
		if (outcome->kind != cases[i].kind ||
		    (outcome->kind == OUTCOME_REFUSED && outcome->refusal != cases[i].refusal))
			fail_msg("case %zu: %d, %d", i, (int)outcome->kind, (int)outcome->refusal);
		assert_null(strstr(outcome->reason, "138"));
	}
	struct provider_answer busy = error_answer(account, 429, 20429);
	busy.retry_after = "5";
	play(account, busy);
	assert_int_equal(outcome_of(account, "s-1", "x")->retry_ms, 5000);
	play(account, fixture_answer(account->house, "twilio/answer-20003.txt"));
	assert_int_equal(outcome_of(account, "s-1", "x")->refusal, REFUSAL_CHANNEL);
	assert_int_equal(house_health(account->house), CHANNEL_DEAD);
	play(account, fixture_answer(account->house, "twilio/answer-no-to.txt"));
	assert_int_equal(outcome_of(account, "s-1", "x")->refusal, REFUSAL_UNREACHABLE);
}

/* An entry of the list, of the shape that answer-list.txt has, made `ago` seconds ago. */
static const char *entry(struct account *account, const char *sid, const char *body,
			 const char *direction, int ago)
{
	time_t when = time(NULL) - ago;
	struct tm tm;
	char date[64];

	gmtime_r(&when, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	return arena_printf(house_arena(account->house),
			    "{\"sid\":\"%s\",\"date_created\":\"%s\",\"date_sent\":null,"
			    "\"to\":\"+8613800001111\",\"body\":\"%s\",\"direction\":\"%s\","
			    "\"status\":\"queued\"}",
			    sid, date, body, direction);
}

static struct provider_answer list(struct account *account, const char *a, const char *b)
{
	return (struct provider_answer){.status = 200,
					.body = arena_printf(house_arena(account->house),
							     "{\"messages\":[%s%s%s]}", a ? a : "",
							     a && b ? "," : "", b ? b : "")};
}

static void an_unanswered_send_is_looked_up(void **state)
{
	struct account *account = *state;
	const struct provider_answer script[] = {
		{.status = 500, .body = "oops"},
		list(account, entry(account, "SMin", "接单", "inbound", 1),
		     entry(account, "SMold", "接单", "outbound-api", 600)),
		list(account, entry(account, "SMother", "别的", "outbound-api", 1),
		     entry(account, "SMit", "接单", "outbound-api", 1)),
	};

	set(account, "look_after", "10ms");
	go(account);
	provider_script(&account->provider, script, 3);
	const struct outcome *outcome = outcome_of(account, "s-1", "接单");
	assert_int_equal(outcome->kind, OUTCOME_SENT);
	assert_string_equal(outcome->message_id, "SMit");
	assert_int_equal(account->provider.count, 3);
	assert_string_equal(account->provider.requests[1].method, "GET");
	assert_non_null(
		strstr(account->provider.requests[1].target, "?To=%2B8613800001111&PageSize=50"));
	/* The same text again: the one already told of does not count for it. */
	provider_script(&account->provider,
			(struct provider_answer[]){
				{.status = 502},
				list(account, entry(account, "SMit", "接单", "outbound-api", 1),
				     entry(account, "SMnew", "接单", "outbound-api", 0))},
			2);
	assert_string_equal(outcome_of(account, "s-2", "接单")->message_id, "SMnew");
}

static void a_send_that_is_nowhere_may_be_repeated(void **state)
{
	struct account *account = *state;
	const struct provider_answer script[] = {{.status = 500}, list(account, NULL, NULL)};

	set(account, "look_after", "10ms");
	go(account);
	provider_script(&account->provider, script, 2);
	assert_int_equal(outcome_of(account, "s-1", "x")->kind, OUTCOME_RETRY);
	assert_int_equal(account->provider.count, 1 + 3);
}

static void a_send_that_cannot_be_looked_up_is_uncertain(void **state)
{
	struct account *account = *state;
	const struct provider_answer scripts[][2] = {
		{{.status = 500}, {.status = 500}},
		{{.status = 201, .body = "{}"}, {.status = 200, .body = "{\"messages\":7}"}},
		{{.status = 201, .body = "not JSON"}, {.status = 200, .body = "[]"}},
		{{.status = 503}, {.status = 200, .body = ""}},
	};

	set(account, "look_after", "10ms");
	go(account);
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		provider_script(&account->provider, scripts[i], 2);
		assert_int_equal(outcome_of(account, "s-1", "x")->kind, OUTCOME_UNCERTAIN);
		assert_int_equal(account->provider.count, 1 + 3);
	}
}

static void closing_ends_the_looking(void **state)
{
	struct account *account = *state;
	const struct provider_answer script[] = {{.status = 500}, {.status = 0}};

	go(account);
	provider_script(&account->provider, script, 2);
	house_send(account->house,
		   &(struct message_out){.id = "s-1", .to = "+8613800001111", .text = "x"});
	assert_true(provider_until(&account->provider, 2));
	assert_true(house_close(account->house));
	assert_int_equal(house_settled_count(account->house), 1);
	assert_int_equal(house_settled(account->house, 0)->outcome.kind, OUTCOME_UNCERTAIN);
}

static void settings_that_cannot_work_are_told(void **state)
{
	struct account *account = *state;

	set(account, "from", NULL);
	assert_int_equal(house_open(account->house, &twilio_adapter, account->own), -1);
	assert_non_null(strstr(house_error(account->house), "messaging_service_sid"));
	struct house *house = house_new();
	set(account, "from", "+15551234567");
	set(account, "api_key", "SK1");
	assert_int_equal(house_open(house, &twilio_adapter, account->own), -1);
	assert_non_null(strstr(house_error(house), "api_secret"));
	house_free(&house);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_twilios),
		TEST(a_recorded_message_is_read),
		TEST(recorded_statuses_are_read),
		TEST(forged_hooks_are_refused),
		TEST(json_hooks_are_believed_by_their_hash),
		TEST(other_fields_are_read),
		TEST(a_store_that_is_away_makes_twilio_try_again),
		TEST(a_send_says_everything),
		TEST(keys_and_services_are_used),
		TEST(long_texts_go_in_pieces),
		TEST(errors_are_told_apart),
		TEST(an_unanswered_send_is_looked_up),
		TEST(a_send_that_is_nowhere_may_be_repeated),
		TEST(a_send_that_cannot_be_looked_up_is_uncertain),
		TEST(closing_ends_the_looking),
		TEST(settings_that_cannot_work_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
