/* Keeps server-sent event streams (HTML, 9.2) to open pages, each with a bounded buffer. */
#include <stdlib.h>
#include <string.h>

#include "adapters/web_own.h"

enum { STREAM_MAX = 256 * 1024, BLOCK = 4096 };

struct web_stream {
	struct web_request *request;
	struct web_stream *next, **link;
	struct buf out;
	bool parked; /* the library waits until there is something to send */
	bool ending; /* everything in `out` is still sent */
	bool broken; /* nothing more is sent */
	void (*gone)(void *arg);
	void *arg;
};

/* The library asks for bytes. Saying "none yet" without suspending would make it ask for ever. */
static ssize_t on_more(void *arg, uint64_t position, char *to, size_t max)
{
	struct web_stream *stream = arg;
	struct web_request *request = stream->request;

	(void)position;
	if (stream->broken || request->web->closing)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!stream->out.len && stream->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!stream->out.len) {
		stream->parked = true;
		MHD_suspend_connection(request->library);
		return 0;
	}
	size_t len = stream->out.len < max ? stream->out.len : max;

	memcpy(to, stream->out.data, len);
	buf_drop(&stream->out, len);
	return (ssize_t)len;
}

static void wake(struct web_stream *stream)
{
	if (!stream->parked || !stream->request->library)
		return;
	stream->parked = false;
	web_resume(stream->request->web, stream->request->library);
}

struct web_stream *web_stream(struct web_request *request, void (*gone)(void *arg), void *arg)
{
	struct web_stream *stream = xalloc(sizeof *stream);
	struct web *web = request->web;

	stream->request = request;
	stream->gone = gone;
	stream->arg = arg;
	buf_init(&stream->out, STREAM_MAX);
	buf_str(&stream->out, ":\n\n"); /* the page's onopen comes with the first byte */
	request->stream = stream;
	if (!web) {
		stream->broken = true; /* the server has gone; close() is all that can follow */
		return stream;
	}
	stream->next = web->streams;
	stream->link = &web->streams;
	if (stream->next)
		stream->next->link = &stream->next;
	web->streams = stream;
	if (!request->library) {
		stream->broken = true; /* the page has gone; its owner is told in time */
		return stream;
	}
	web_reply_header(request, "Cache-Control", "no-store");
	web_reply_header(request, "X-Accel-Buffering", "no"); /* nginx would collect the events */
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_more, stream, NULL);

	MHD_add_response_header(response, "Content-Type", "text/event-stream");
	web_answer(request, 200, response);
	return stream;
}

static void overflowed(struct web_stream *stream)
{
	if (stream->broken)
		return;
	stream->broken = true;
	if (stream->request->library)
		web_hang_up(stream->request->connection);
	wake(stream);
}

void web_stream_send(struct web_stream *stream, const char *event, const char *data)
{
	if (stream->broken || stream->ending)
		return;
	if (event)
		buf_printf(&stream->out, "event: %s\n", event);
	for (const char *line = data;;) {
		size_t len = strcspn(line, "\r\n");

		buf_str(&stream->out, "data: ");
		buf_add(&stream->out, line, len);
		buf_char(&stream->out, '\n');
		if (!line[len])
			break;
		line += len + (line[len] == '\r' && line[len + 1] == '\n' ? 2 : 1);
	}
	buf_char(&stream->out, '\n');
	if (stream->out.full)
		overflowed(stream);
	else
		wake(stream);
}

void web_stream_pulse(struct web *web)
{
	for (struct web_stream *stream = web->streams; stream; stream = stream->next) {
		if (stream->broken || stream->ending)
			continue;
		buf_str(&stream->out, ":\n\n");
		if (stream->out.full)
			overflowed(stream);
		else
			wake(stream);
	}
}

void web_stream_bury(struct web *web)
{
	struct web_stream *stream = web->streams;

	while (stream) {
		if (stream->request->library) {
			stream = stream->next;
			continue;
		}
		web_release(stream->request);
		stream = web->streams; /* who was told may have closed others */
	}
}

void web_stream_close(struct web_stream *stream)
{
	stream->gone = NULL;
	if (!stream->request->library) {
		web_release(stream->request);
		return;
	}
	stream->ending = true;
	wake(stream);
}

void web_stream_gone(struct web_stream *stream)
{
	if (stream->link) {
		*stream->link = stream->next;
		if (stream->next)
			stream->next->link = stream->link;
	}
	if (stream->gone)
		stream->gone(stream->arg);
	buf_free(&stream->out);
	free(stream);
}
