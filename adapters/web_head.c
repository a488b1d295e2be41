/* Judges the head of a request: framed strictly by CRLF, and with one meaning only. */
#include "adapters/web_head.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_token(struct web_slice s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "!#$%&'*+-.^_`|~";

	if (!s.len)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!s.at[i] || !strchr(plain, s.at[i]))
			return false;
	return true;
}

/* Visible characters only; for the target. */
static bool is_visible(struct web_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] <= ' ' || (unsigned char)s.at[i] >= 0x7f)
			return false;
	return s.len > 0;
}

/* RFC 9110, 5.5: no control character but the tab. */
static bool is_value(struct web_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool is_number(struct web_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	return s.len > 0 && s.len <= 18;
}

/* A name or an address, perhaps a port: nothing that would end it in a URL. */
static bool is_host(struct web_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] <= ' ' || strchr(",/?#@\\\"<>", s.at[i]))
			return false;
	return true;
}

static bool is(struct web_slice s, const char *name)
{
	return s.len == strlen(name) && !strncasecmp(s.at, name, s.len);
}

/* The library does not say how a line ended, but it says where the parts lie and how long the whole
 * was. With one space here, a colon there and CRLF after each line every part has exactly one
 * place; a bare LF, a NUL (where the library's strings end early), a folded line or a second space
 * in the first line moves what follows. */
static bool lies_well(const struct web_head *head)
{
	const char *at = head->method.at;

	at += head->method.len + 1;
	if (head->target_at != at)
		return false;
	at += head->target.len + 1;
	if (head->version.at != at)
		return false;
	at += head->version.len + 2;
	for (size_t i = 0; i < head->field_count; i++) {
		const struct web_head_field *field = &head->fields[i];

		if (field->name.at != at)
			return false;
		at += field->name.len + 1;
		if (field->value.at < at || field->value.at > head->method.at + head->size)
			return false;
		for (; at < field->value.at; at++)
			if (*at != ' ' && *at != '\t')
				return false;
		at += field->value.len + 2;
	}
	return at + 2 == head->method.at + head->size;
}

static int refuse(int status, const char **sentence_r, const char *sentence)
{
	*sentence_r = sentence;
	return status;
}

static int check_framing(const struct web_head *head, const char **sentence_r)
{
	bool old = is(head->version, "HTTP/1.0");
	size_t hosts = 0, lengths = 0, codings = 0;
	bool chunked = true;

	for (size_t i = 0; i < head->field_count; i++) {
		const struct web_head_field *field = &head->fields[i];

		if (is(field->name, "Host")) {
			hosts++;
			if (!is_host(field->value))
				return refuse(400, sentence_r, "The Host header is malformed.\n");
		} else if (is(field->name, "Content-Length")) {
			lengths++;
			if (!is_number(field->value))
				return refuse(400, sentence_r,
					      "The Content-Length is malformed.\n");
		} else if (is(field->name, "Transfer-Encoding")) {
			codings++;
			chunked = chunked && is(field->value, "chunked");
		}
	}
	if (hosts > 1 || (!hosts && !old))
		return refuse(400, sentence_r, "There must be one Host header.\n");
	if (lengths > 1)
		return refuse(400, sentence_r, "There is more than one Content-Length.\n");
	if (codings && (lengths || old))
		return refuse(400, sentence_r, "Transfer-Encoding has no place here.\n");
	if (codings > 1 || !chunked)
		return refuse(501, sentence_r, "Only the transfer coding chunked is known.\n");
	return 0;
}

int web_head_check(const struct web_head *head, const char **sentence_r)
{
	if (!is_token(head->method) || !is_visible(head->target))
		return refuse(400, sentence_r, "The request line is malformed.\n");
	if (!is(head->version, "HTTP/1.1") && !is(head->version, "HTTP/1.0"))
		return refuse(400, sentence_r, "The HTTP version is malformed.\n");
	for (size_t i = 0; i < head->field_count; i++)
		if (!is_token(head->fields[i].name) || !is_value(head->fields[i].value))
			return refuse(400, sentence_r, "A header is malformed.\n");
	if (!lies_well(head))
		return refuse(400, sentence_r, "The head of the request is malformed.\n");
	return check_framing(head, sentence_r);
}
