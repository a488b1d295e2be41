/* adapters/console/simulator_typed.c - takes what people type on the simulator's page.
 *
 * The body of POST send is one JSON object of strings: id (made by the page, the
 * same at every try), as (who speaks), group (absent: to the bot directly), one
 * of text, button (its data) and reaction (the emoji), and about (the message
 * quoted, pressed or reacted to). 202 once it is durable, 503 while the store is
 * away, 4xx with a sentence when repeating would not help.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "adapters/console/simulator.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"

/* A message on its way into the house. */
struct typed {
	struct simulator *simulator;
	struct web_request *request;
	struct talk *talk;
	const struct person *from;
	char *id, *text, *about, *button, *reaction;
	char *label; /* what stood on the button when it was pressed; NULL: not known */
	int64_t seq;
};

struct field {
	const char *name;
	const char *value; /* NULL: absent */
	size_t most;       /* code points */
	bool lines;        /* may hold \n and \t */
};

enum {
	FIELD_ID,
	FIELD_AS,
	FIELD_GROUP,
	FIELD_TEXT,
	FIELD_ABOUT,
	FIELD_BUTTON,
	FIELD_REACTION,
	FIELD_COUNT
};

static bool controls_free(const char *text, bool lines)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < 0x20 && !(lines && (*text == '\n' || *text == '\t'))) ||
		    *text == 0x7f)
			return false;
	return true;
}

static const char *field_take(struct field *fields, const char *key, struct json_object *value,
			      struct arena *arena)
{
	struct field *field = fields;
	while (field < fields + FIELD_COUNT && strcmp(field->name, key) != 0)
		field++;
	if (field == fields + FIELD_COUNT)
		return "A field is not known: id, as, group, text, about, button and reaction are.";
	if (json_object_get_type(value) != json_type_string)
		return arena_printf(arena, "%s must be a string.", field->name);
	const char *text = json_object_get_string(value);
	if (strlen(text) != (size_t)json_object_get_string_len(value) ||
	    !controls_free(text, field->lines))
		return arena_printf(arena, "%s must hold no control characters.", field->name);
	if (text[strspn(text, " \t\n")] == '\0')
		return arena_printf(arena, "%s must not be empty.", field->name);
	if (text_points(text) > field->most)
		return arena_printf(arena, "%s must be at most %zu characters long.", field->name,
				    field->most);
	field->value = text;
	return NULL;
}

/* Strict JSON: one object, UTF-8, nothing after it. NULL with a sentence in *why_r. */
static struct json_object *parse(struct web_request *request, const char **why_r)
{
	size_t len;
	const char *body = web_body(request, &len);
	struct json_object *object = NULL;
	if (len > 0 && len < INT32_MAX) {
		struct json_tokener *tokener = json_tokener_new_ex(3);
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		object = json_tokener_parse_ex(tokener, body, (int)len);
		bool whole = json_tokener_get_error(tokener) == json_tokener_success &&
			     json_tokener_get_parse_end(tokener) == len;
		json_tokener_free(tokener);
		if (!whole) {
			json_object_put(object);
			object = NULL;
		}
	}
	if (!json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		*why_r = "The body must be one JSON object.";
		return NULL;
	}
	return object;
}

static const char *fields_check(const struct field *fields)
{
	const char *id = fields[FIELD_ID].value;
	size_t ways = (fields[FIELD_TEXT].value != NULL) + (fields[FIELD_BUTTON].value != NULL) +
		      (fields[FIELD_REACTION].value != NULL);
	if (id == NULL || fields[FIELD_AS].value == NULL)
		return "id and as are needed.";
	if (strlen(id) < 8 ||
	    strspn(id, "-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
		    strlen(id))
		return "id must be 8 to 64 letters, digits and hyphens.";
	if (ways != 1)
		return "Exactly one of text, button and reaction is needed.";
	if (fields[FIELD_TEXT].value != NULL)
		return NULL;
	if (fields[FIELD_ABOUT].value == NULL)
		return "A button or reaction needs about: the message it belongs to.";
	if (fields[FIELD_GROUP].value == NULL)
		return "Phones have neither buttons nor reactions: use them in a group.";
	if (fields[FIELD_BUTTON].value != NULL && strlen(fields[FIELD_BUTTON].value) > 64)
		return "button must be at most 64 bytes.";
	return NULL;
}

/* Finds the two sides; NULL or a sentence with its status. */
static const char *sides(struct typed *typed, const struct field *fields, int *status_r)
{
	const char *group = fields[FIELD_GROUP].value;
	*status_r = 404;
	typed->from = simulator_person(typed->simulator, fields[FIELD_AS].value);
	if (typed->from == NULL)
		return "There is no such person on this page.";
	typed->talk = simulator_talk(typed->simulator, group != NULL ? group : typed->from->address,
				     group != NULL);
	if (typed->talk == NULL)
		return "There is no such group on this page.";
	*status_r = 403;
	if (group != NULL && typed->from->role == ROLE_RESIDENT)
		return "Residents are not in the groups.";
	const struct note *known = talk_note(typed->talk, fields[FIELD_ID].value);
	*status_r = 409;
	if (known != NULL && known->from != typed->from)
		return "This id belongs to another message.";
	return NULL;
}

static char *copy(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static void typed_free(struct typed *typed)
{
	free(typed->id);
	free(typed->text);
	free(typed->about);
	free(typed->button);
	free(typed->reaction);
	free(typed->label);
	free(typed);
}

static void typed_show(struct typed *typed)
{
	struct simulator *simulator = typed->simulator;
	struct note *about = typed->about != NULL ? talk_note(typed->talk, typed->about) : NULL;
	struct note *note;
	if (typed->reaction != NULL) {
		if (about == NULL || !note_react(about, typed->from, typed->reaction))
			return;
		note = about;
	} else {
		if (talk_note(typed->talk, typed->id) != NULL)
			return;
		note = xalloc(sizeof *note);
		note->id = xstrdup(typed->id);
		note->from = typed->from;
		note->press = typed->button != NULL;
		note->text = xstrdup(note->press ? typed->label != NULL ? typed->label : ""
						 : typed->text);
		note->about = copy(typed->about);
		note->at = clock_wall_ms();
		note->seq = typed->seq;
		note = talk_add(typed->talk, note);
		if (note == NULL)
			return;
	}
	note->rev = simulator_stamp(simulator);
	pages_tell(simulator, typed->talk, note);
}

static void typed_accepted(void *arg, enum accept_result result)
{
	struct typed *typed = arg;
	struct simulator *simulator = typed->simulator;
	if (result == ACCEPTED) {
		typed_show(typed);
		struct json_object *answer = json_object_new_object();
		json_object_object_add(answer, "id", json_object_new_string(typed->id));
		pages_reply_json(typed->request, 202, answer);
	} else {
		web_later(typed->request, 1);
	}
	typed_free(typed);
	simulator->waiting--;
	simulator_rest(simulator);
}

/* Read at once: when the press is durable, the card may have changed already. */
static char *label_of(const struct typed *typed)
{
	const struct note *about =
		typed->button != NULL ? talk_note(typed->talk, typed->about) : NULL;
	for (size_t i = 0; about != NULL && i < about->button_count; i++)
		if (strcmp(about->buttons[i].data, typed->button) == 0)
			return xstrdup(about->buttons[i].label);
	return NULL;
}

static void typed_hand_over(struct typed *typed)
{
	struct simulator *simulator = typed->simulator;
	struct channel *channel = simulator->channel;
	const struct room *room = typed->talk->room;
	/* A telephone tells nobody its owner's language; a chat program does. */
	bool chat = typed->from->role != ROLE_RESIDENT;
	struct message_in message = {
		.kind = typed->reaction != NULL ? MESSAGE_REACTION
			: typed->button != NULL ? MESSAGE_BUTTON
						: MESSAGE_TEXT,
		.id = typed->id,
		.sender = typed->from->address,
		.group = room != NULL ? room->id : NULL,
		.name = room != NULL ? typed->from->name : NULL,
		.text = typed->reaction != NULL ? typed->reaction : typed->text,
		.about = typed->about,
		.button = typed->button,
		.language = chat ? typed->from->language : NULL,
		.sent_at = clock_wall_ms(),
	};
	typed->label = label_of(typed);
	typed->seq = simulator_stamp(simulator);
	simulator->waiting++;
	channel->host->accept(channel->host->self, channel, &message, 1, typed_accepted, typed);
}

static void take(struct simulator *simulator, struct web_request *request,
		 struct json_object *object)
{
	struct field fields[FIELD_COUNT] = {
		[FIELD_ID] = {.name = "id", .most = SIMULATOR_ID_MAX},
		[FIELD_AS] = {.name = "as", .most = SIMULATOR_ID_MAX},
		[FIELD_GROUP] = {.name = "group", .most = SIMULATOR_ID_MAX},
		[FIELD_TEXT] = {.name = "text", .most = SIMULATOR_POINTS_MAX, .lines = true},
		[FIELD_ABOUT] = {.name = "about", .most = SIMULATOR_ID_MAX},
		[FIELD_BUTTON] = {.name = "button", .most = SIMULATOR_ID_MAX},
		[FIELD_REACTION] = {.name = "reaction", .most = 8},
	};
	const char *why = NULL;
	json_object_object_foreach(object, key, value) if (why == NULL) why =
		field_take(fields, key, value, web_arena(request));
	if (why == NULL)
		why = fields_check(fields);
	if (why != NULL) {
		web_refuse(request, 400, why);
		return;
	}
	struct typed *typed = xalloc(sizeof *typed);
	typed->simulator = simulator;
	typed->request = request;
	int status;
	why = sides(typed, fields, &status);
	if (why != NULL) {
		web_refuse(request, status, why);
		typed_free(typed);
		return;
	}
	typed->id = copy(fields[FIELD_ID].value);
	typed->text = copy(fields[FIELD_TEXT].value);
	typed->about = copy(fields[FIELD_ABOUT].value);
	typed->button = copy(fields[FIELD_BUTTON].value);
	typed->reaction = copy(fields[FIELD_REACTION].value);
	typed_hand_over(typed);
}

void simulator_take(void *arg, struct web_request *request)
{
	const struct channel *channel = arg;
	struct simulator *simulator = channel->own;
	if (pages_refused(simulator, request))
		return;
	const char *type = web_header(request, "Content-Type");
	if (type == NULL || strncasecmp(type, "application/json", 16) != 0 ||
	    (type[16] != '\0' && type[16] != ';')) {
		web_refuse(request, 415, "The body must be application/json.");
		return;
	}
	if (simulator->held || simulator->closing) {
		web_later(request, 1);
		return;
	}
	const char *why;
	struct json_object *object = parse(request, &why);
	if (object == NULL) {
		web_refuse(request, 400, why);
		return;
	}
	take(simulator, request, object);
	json_object_put(object);
}
