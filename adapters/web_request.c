/* What a handler may ask of its request, and how it answers. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "adapters/web_form.h"
#include "adapters/web_own.h"

void web_release(struct web_request *request)
{
	if (request->counted && request->web)
		request->web->busy--;
	if (request->link) {
		*request->link = request->next;
		if (request->next)
			request->next->link = request->link;
	}
	if (request->response)
		MHD_destroy_response(request->response);
	if (request->stream)
		web_stream_gone(request->stream);
	buf_free(&request->body);
	arena_free(&request->arena);
	free(request);
}

void web_answer(struct web_request *request, int status, struct MHD_Response *response)
{
	request->status = status;
	request->response = response;
	request->phase = WEB_ANSWERED;
	if (request->inside)
		return;
	if (!request->web || !request->library) {
		web_release(request); /* the peer, or the server, has gone first */
		return;
	}
	web_resume(request->web, request->library);
}

void web_reply(struct web_request *request, int status, const char *type, const void *body,
	       size_t len)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, (void *)body, MHD_RESPMEM_MUST_COPY);

	if (!response)
		abort();
	if (type)
		MHD_add_response_header(response, "Content-Type", type);
	web_answer(request, status, response);
}

void web_reply_header(struct web_request *request, const char *name, const char *value)
{
	size_t n = request->reply_header_count++;

	request->reply_headers = arena_grow(request->arena, request->reply_headers, n,
					    sizeof *request->reply_headers);
	request->reply_headers[n] = (struct web_reply_header){
		.name = arena_str(request->arena, name),
		.value = arena_str(request->arena, value),
	};
}

void web_refuse(struct web_request *request, int status, const char *sentence)
{
	web_reply(request, status, "text/plain; charset=utf-8", sentence, strlen(sentence));
}

void web_later(struct web_request *request, int retry_after_s)
{
	web_reply_header(request, "Retry-After", arena_printf(request->arena, "%d", retry_after_s));
	web_refuse(request, 503, "Please come again later.\n");
}

struct arena *web_arena(struct web_request *request)
{
	return request->arena;
}

const char *web_method(const struct web_request *request)
{
	return request->method;
}

const char *web_path(const struct web_request *request)
{
	return request->path;
}

const char *web_target(const struct web_request *request)
{
	return request->target;
}

bool web_local(const struct web_request *request)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
	socklen_t len = sizeof peer;

	if (!request->connection || getpeername(request->connection->fd, &peer.any, &len))
		return false;
	if (peer.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&peer.v6.sin6_addr);
	return peer.any.sa_family == AF_INET && ntohl(peer.v4.sin_addr.s_addr) >> 24 == 127;
}

const char *web_header(const struct web_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (request->headers && !strcasecmp(request->headers[i].name, name))
			return request->headers[i].value;
	return NULL;
}

const char *web_query(const struct web_request *request, const char *name)
{
	return web_field(request->query, request->query_count, name);
}

const char *web_body(const struct web_request *request, size_t *len_r)
{
	if (len_r)
		*len_r = request->body.len;
	return request->body.data ? request->body.data : "";
}

int web_form(struct web_request *request, struct web_field **fields_r, size_t *count_r)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *type = web_header(request, "Content-Type");

	if (type &&
	    (strncasecmp(type, form, sizeof form - 1) || !strchr("; \t", type[sizeof form - 1])))
		return -1;
	return web_decode_form(request->arena, web_body(request, NULL), request->body.len, fields_r,
			       count_r);
}
