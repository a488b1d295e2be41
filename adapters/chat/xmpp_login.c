/* adapters/chat/xmpp_login.c - logs in: SCRAM where the server has it, PLAIN only where nobody
 * listens. */
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/scram.h"
#include "adapters/chat/stanza.h"
#include "adapters/chat/xmpp.h"
#include "adapters/chat/xmpp_names.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/loop.h"

/* Wrong credentials do not mend by themselves: say so, and knock seldom. */
void xmpp_login_failed(struct xmpp *xmpp, const char *sentence)
{
	xmpp->resting = true;
	xmpp_tell_health(xmpp, CHANNEL_DEAD, sentence);
	xmpp_redial(xmpp, xmpp->rest_ms, sentence);
}

static void write_auth(struct xmpp *xmpp, const char *mechanism, const void *data, size_t len)
{
	char *encoded = base64_encode(data, len);
	struct buf xml;

	buf_init(&xml, 0);
	buf_printf(&xml, "<auth xmlns='" NS_SASL "' mechanism='%s'>%s</auth>", mechanism, encoded);
	xmpp_write(xmpp, &xml);
	buf_free(&xml);
	free(encoded);
}

static void begin_scram(struct xmpp *xmpp, enum scram_hash hash, const char *mechanism)
{
	char *nonce = xmpp_random_text();

	scram_free(&xmpp->scram);
	xmpp->scram = scram_new(hash, xmpp->user, xmpp->password, nonce);
	free(nonce);
	write_auth(xmpp, mechanism, scram_first(xmpp->scram), strlen(scram_first(xmpp->scram)));
}

/* RFC 4616; only where the connection hides it. */
static void begin_plain(struct xmpp *xmpp)
{
	struct buf plain;

	buf_init(&plain, 0);
	buf_char(&plain, '\0');
	buf_add(&plain, xmpp->user, strlen(xmpp->user));
	buf_char(&plain, '\0');
	buf_str(&plain, xmpp->password);
	xmpp->proved = true;
	write_auth(xmpp, "PLAIN", plain.data, plain.len);
	buf_free(&plain);
}

void login_choose(struct xmpp *xmpp, const struct xml_element *features)
{
	const struct xml_element *mechanisms = xml_child(features, NS_SASL, "mechanisms");
	const struct xml_element *m = xml_child(mechanisms, NS_SASL, "mechanism");
	bool sha1 = false, sha256 = false, plain = false;

	for (; m; m = xml_following(m, NS_SASL, "mechanism")) {
		sha1 |= !strcmp(m->text, "SCRAM-SHA-1");
		sha256 |= !strcmp(m->text, "SCRAM-SHA-256");
		plain |= !strcmp(m->text, "PLAIN");
	}
	if (sha256)
		begin_scram(xmpp, SCRAM_SHA_256, "SCRAM-SHA-256");
	else if (sha1)
		begin_scram(xmpp, SCRAM_SHA_1, "SCRAM-SHA-1");
	else if (plain && !strncmp(xmpp->url, "wss://", 6))
		begin_plain(xmpp);
	else
		xmpp_login_failed(xmpp,
				  "the server offers no login that Linli takes: SCRAM-SHA-256, "
				  "SCRAM-SHA-1, or PLAIN over wss://");
}

struct derivation {
	struct xmpp *xmpp;
	struct scram *scram;
	unsigned session;
};

static void derive(void *arg)
{
	struct derivation *derivation = arg;

	scram_derive(derivation->scram);
}

static void on_derived(void *arg)
{
	struct derivation *derivation = arg;
	struct xmpp *xmpp = derivation->xmpp;
	struct scram *scram = derivation->scram;
	bool current = derivation->session == xmpp->session && xmpp->stage == XMPP_LOGIN;
	const char *response;

	free(derivation);
	xmpp->jobs--;
	if (!current || xmpp->closing) {
		scram_free(&scram);
		xmpp_maybe_closed(xmpp);
		return;
	}
	xmpp->scram = scram;
	response = scram_response(scram);
	if (response) {
		char *encoded = base64_encode(response, strlen(response));
		struct buf xml;

		buf_init(&xml, 0);
		buf_printf(&xml, "<response xmlns='" NS_SASL "'>%s</response>", encoded);
		xmpp_write(xmpp, &xml);
		buf_free(&xml);
		free(encoded);
	} else {
		xmpp_login_failed(xmpp, "the crypto library could not compute the login");
	}
}

/* Base64 text of an element; -1 if it is none. NUL-terminated. */
static int decoded_text(const struct xml_element *element, char *out, size_t out_max)
{
	int len = base64_decode(element->text, (unsigned char *)out, out_max - 1);

	out[len < 0 ? 0 : len] = '\0';
	return len;
}

static void on_challenge(struct xmpp *xmpp, const struct xml_element *element)
{
	struct derivation *derivation;
	struct error error;
	char text[4096];

	if (!xmpp->scram || decoded_text(element, text, sizeof text) < 0) {
		xmpp_login_failed(xmpp, "the server's login challenge makes no sense");
		return;
	}
	/* Some servers send their proof as a last challenge (RFC 6120 section 6.4.6). */
	if (!strncmp(text, "v=", 2)) {
		if (scram_success(xmpp->scram, text, &error) == 0) {
			xmpp->proved = true;
			xmpp_literal(xmpp, "<response xmlns='" NS_SASL "'/>");
		} else {
			xmpp_login_failed(xmpp, error.text);
		}
		return;
	}
	if (scram_challenge(xmpp->scram, text, &error) != 0) {
		xmpp_login_failed(xmpp, error.text);
		return;
	}
	derivation = xalloc(sizeof *derivation);
	*derivation = (struct derivation){xmpp, xmpp->scram, xmpp->session};
	xmpp->scram = NULL;
	xmpp->jobs++;
	loop_work(xmpp->channel->host->loop, derive, on_derived, derivation);
}

static void on_success(struct xmpp *xmpp, const struct xml_element *element)
{
	struct error error = {"the server did not prove that it knows the password"};
	char text[4096];

	if (!xmpp->proved && xmpp->scram && decoded_text(element, text, sizeof text) > 0 &&
	    scram_success(xmpp->scram, text, &error) == 0)
		xmpp->proved = true;
	scram_free(&xmpp->scram);
	if (!xmpp->proved) {
		xmpp_login_failed(xmpp, error.text);
		return;
	}
	xmpp->stage = XMPP_LOGGED_IN;
	xmpp_write_open(xmpp);
}

static void on_failure(struct xmpp *xmpp, const struct xml_element *element)
{
	if (xml_child(element, NS_SASL, "temporary-auth-failure"))
		xmpp_redial(xmpp, XMPP_REJOIN_MAX_MS / 10, "the server cannot check logins now");
	else if (xml_child(element, NS_SASL, "account-disabled"))
		xmpp_login_failed(xmpp, "the server refused the login: the account is disabled");
	else if (xml_child(element, NS_SASL, "not-authorized"))
		xmpp_login_failed(xmpp, "the server refused the login: check `jid` and `password`");
	else
		xmpp_login_failed(xmpp, "the server refused the login");
}

void login_element(struct xmpp *xmpp, const struct xml_element *element)
{
	if (!strcmp(element->name, "challenge"))
		on_challenge(xmpp, element);
	else if (!strcmp(element->name, "success"))
		on_success(xmpp, element);
	else if (!strcmp(element->name, "failure"))
		on_failure(xmpp, element);
}
