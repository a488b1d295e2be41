/* bot/run/rehearse/watch.c - what must hold always, whatever a talk says.
 *
 * No number of a person is seen by anybody else, no secret and none of a
 * resident's own words in a group; every text is whole; a task never has more
 * helpers than places, tasks and people agree on who holds what, and no open task is
 * left without a next step in time.
 */
#include <json-c/json.h>
#include <string.h>

#include "adapters/adapter.h"
#include "base/arena.h"
#include "base/text.h"
#include "bot/run/rehearse/play.h"

enum {
	NUMBER_TAIL = 8, /* digits by which a telephone number is known */
	BUTTON_DATA_MAX = 64,
	WORDS_WEIGHT = 14, /* so much in a row is somebody's own words … */
	HAN_WEIGHT = 2,    /* … seven Chinese characters … */
	WORD_WEIGHT = 4,   /* … or four words */
	LOOK_BACK = 400,   /* entries in which they are looked for */
};

static char *without_gaps(struct arena *arena, const char *text)
{
	char *out = arena_str(arena, text), *to = out;
	for (const char *p = text; *p; p++)
		if (!strchr(" -()", *p))
			*to++ = *p;
	*to = 0;
	return out;
}

/* Somebody else's number in the text; NULL if there is none. */
static const char *number_in(const struct play *play, const char *text, int reader)
{
	char *dense = without_gaps(play->scratch, text);
	for (size_t i = 0; i < play->talk->person_count; i++) {
		const struct talk_person *person = &play->talk->people[i];
		for (size_t a = 0; a < person->address_count && (int)i != reader; a++) {
			const char *address = person->addresses[a].address;
			size_t len = strlen(address);
			if (*address == '+' && len > NUMBER_TAIL &&
			    strstr(dense, address + len - NUMBER_TAIL))
				return person->name;
		}
	}
	return NULL;
}

/* How much the token at *p weighs; moves past it and the blank behind it. */
static int token_weight(const char **p)
{
	int32_t point;
	size_t len = text_next(*p, &point);
	*p += len;
	if (!text_is_han(point))
		while (**p && **p != ' ') {
			len = text_next(*p, &point);
			if (text_is_han(point))
				break;
			*p += len;
		}
	else
		return HAN_WEIGHT;
	return WORD_WEIGHT;
}

/* A long enough run of the (folded) words stands in the (folded) text. */
static bool repeats(struct arena *arena, const char *words, const char *text)
{
	for (const char *start = words; *start;) {
		const char *end = start;
		int weight = 0;
		while (*end && weight < WORDS_WEIGHT) {
			weight += token_weight(&end);
			if (*end == ' ' && weight < WORDS_WEIGHT)
				end++;
		}
		if (weight < WORDS_WEIGHT)
			return false;
		if (strstr(text, arena_bytes(arena, start, (size_t)(end - start))))
			return true;
		token_weight(&start);
		while (*start == ' ')
			start++;
	}
	return false;
}

static void watch_group(struct play *play, const struct entry *entry)
{
	for (size_t i = 0; i < play->talk->secret_count; i++)
		if (strstr(entry->text, play->talk->secrets[i]))
			play_fail(play, "a group was shown \"%s\"\n  bot → %s: %s",
				  play->talk->secrets[i], entry->group->id, entry->text);
	if (play->talk->words_shown)
		return;
	char *text = text_fold(play->scratch, entry->text);
	size_t from = play->entry_count > LOOK_BACK ? play->entry_count - LOOK_BACK : 0;
	for (size_t i = from; i < play->entry_count && !play->failed; i++) {
		const struct entry *said = &play->entries[i];
		if (said->type != ENTRY_SAID || said->group || !said->text)
			continue;
		if (repeats(play->scratch, text_fold(play->scratch, said->text), text))
			play_fail(play, "a group was shown somebody's own words\n  bot → %s: %s",
				  entry->group->id, entry->text);
	}
}

static bool has_open_blank(const char *text)
{
	const char *open = strchr(text, '{');
	return open && strchr(open, '}');
}

static void watch_form(struct play *play, const struct entry *entry)
{
	const struct channel_config *channel = config_channel(play->config, entry->channel);
	const struct adapter *adapter = channel ? adapter_find(channel->adapter) : NULL;
	const char *where = play_where(play, entry);
	if (!*entry->text)
		play_fail(play, "an empty text to %s", where);
	if (!text_valid(entry->text, strlen(entry->text)))
		play_fail(play, "a text to %s that is not UTF-8", where);
	if (has_open_blank(entry->text))
		play_fail(play, "a blank was left open\n  bot → %s: %s", where, entry->text);
	if (adapter && adapter->text_max && text_points(entry->text) > adapter->text_max)
		play_fail(play, "a text longer than %s takes, to %s", entry->channel, where);
	for (size_t i = 0; i < entry->button_count; i++) {
		const struct message_button *button = &entry->buttons[i];
		if (!*button->label || !*button->data || strlen(button->data) > BUTTON_DATA_MAX)
			play_fail(play, "a button without label or data, or with too much of it");
		if (number_in(play, button->data, TALK_NOBODY))
			play_fail(play, "a button carries somebody's number");
	}
}

void watch_entry(struct play *play, const struct entry *entry)
{
	const char *whose = number_in(play, entry->text, entry->person);
	if (whose)
		play_fail(play, "the number of %s was shown\n  bot → %s: %s", whose,
			  play_where(play, entry), entry->text);
	watch_form(play, entry);
	if (entry->group)
		watch_group(play, entry);
	arena_clear(play->scratch);
}

static struct pending_due *find_due(struct play *play, const char *name)
{
	for (size_t i = 0; i < play->due_count; i++)
		if (!strcmp(play->dues[i].name, name))
			return &play->dues[i];
	return NULL;
}

static void set_due(struct play *play, const char *name, int64_t at)
{
	struct pending_due *due = find_due(play, name);
	if (!due) {
		play->dues =
			arena_grow(play->arena, play->dues, play->due_count, sizeof(*play->dues));
		due = &play->dues[play->due_count++];
		due->name = arena_str(play->arena, name);
	}
	due->at = at;
}

/* Keys, members and due names are not sealed: they must not say who or what. */
static void watch_key(struct play *play, const char *key)
{
	if (number_in(play, key, TALK_NOBODY))
		play_fail(play, "a key of the store holds somebody's number: %s", key);
	for (size_t i = 0; i < play->talk->secret_count; i++)
		if (strlen(play->talk->secrets[i]) > 3 && strstr(key, play->talk->secrets[i]))
			play_fail(play, "a key of the store holds \"%s\"", play->talk->secrets[i]);
}

void watch_log(struct play *play, const char *line)
{
	if (number_in(play, line, TALK_NOBODY))
		play_fail(play, "a log line holds somebody's number");
	for (size_t i = 0; i < play->talk->secret_count; i++)
		if (strlen(play->talk->secrets[i]) > 3 && strstr(line, play->talk->secrets[i]))
			play_fail(play, "a log line holds \"%s\"", play->talk->secrets[i]);
}

void watch_stepped(void *arg, const struct event *event, const struct commit *commit)
{
	struct play *play = arg;
	play->events++;
	if (event->type == EVENT_DUE) {
		struct pending_due *due = find_due(play, event->due);
		if (due && due->at == event->due_at)
			due->at = 0;
	}
	for (size_t i = 0; i < commit->due_count; i++) {
		set_due(play, commit->dues[i].name, commit->dues[i].at);
		watch_key(play, commit->dues[i].name);
	}
	for (size_t i = 0; i < commit->write_count; i++)
		watch_key(play, commit->writes[i].key);
	for (size_t i = 0; i < commit->index_count; i++) {
		watch_key(play, commit->indexes[i].index);
		watch_key(play, commit->indexes[i].member);
	}
}

static bool has_next_step(struct play *play, const char *code)
{
	for (size_t i = 0; i < play->due_count; i++)
		if (play->dues[i].at && strstr(play->dues[i].name, code))
			return true;
	return false;
}

static const char *text_member(struct json_object *object, const char *name)
{
	struct json_object *member;
	return json_object_object_get_ex(object, name, &member) ? json_object_get_string(member)
								: "";
}

/* Who holds what, as tasks and as people remember it: "4710/<key of the person>". */
struct holding {
	struct play *play;
	const char **by_task, **by_person;
	size_t task_count, person_count;
};

static void add_holding(struct play *play, const char ***list, size_t *count, const char *code,
			const char *key)
{
	*list = arena_grow(play->scratch, (void *)*list, *count, sizeof(**list));
	(*list)[(*count)++] = arena_printf(play->scratch, "%s/%s", code, key);
}

static bool holds(const char **list, size_t count, const char *item)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i], item))
			return true;
	return false;
}

/* A lost update shows here: a helper who was told "yours" and whom the task does not know. */
static void watch_holdings(struct play *play, const struct holding *holding)
{
	for (size_t i = 0; i < holding->task_count; i++)
		if (!holds(holding->by_person, holding->person_count, holding->by_task[i]))
			play_fail(play, "a task has a helper who does not know of it");
	for (size_t i = 0; i < holding->person_count; i++)
		if (!holds(holding->by_task, holding->task_count, holding->by_person[i]))
			play_fail(play, "somebody holds a task that does not know of it");
}

static void hold_by_person(struct holding *holding, const char *key, struct json_object *person)
{
	struct json_object *codes;
	if (!json_object_object_get_ex(person, "claims", &codes))
		return;
	for (size_t i = 0; i < json_object_array_length(codes); i++)
		add_holding(holding->play, &holding->by_person, &holding->person_count,
			    json_object_get_string(json_object_array_get_idx(codes, i)), key);
}

static void hold_by_task(struct holding *holding, const char *code, struct json_object *task)
{
	struct json_object *claims, *key;
	if (!json_object_object_get_ex(task, "claims", &claims))
		return;
	for (size_t i = 0; i < json_object_array_length(claims); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(claims, i), "person", &key))
			add_holding(holding->play, &holding->by_task, &holding->task_count, code,
				    json_object_get_string(key));
}

static void watch_task(struct play *play, const char *code, struct json_object *task)
{
	struct json_object *member;
	const char *state = text_member(task, "state");
	if (!strcmp(state, "closed"))
		return;
	int64_t places = 0;
	size_t claims = 0;
	if (json_object_object_get_ex(task, "helpers", &member))
		places = json_object_get_int64(member);
	if (json_object_object_get_ex(task, "claims", &member))
		claims = json_object_array_length(member);
	if (places < 1)
		play_fail(play, "a task without places");
	if ((int64_t)claims > places)
		play_fail(play, "a task with %zu helpers and %d places", claims, (int)places);
	if (!strcmp(state, "open") && (int64_t)claims == places)
		play_fail(play, "a task with all places taken says that it is open");
	if (strcmp(state, "disputed") != 0 && !has_next_step(play, code))
		play_fail(play, "a task (%s) that nothing will ever happen to again", state);
}

/* What stands behind "<community>/<type>/" in a key; NULL if it is of another type. */
static const char *name_of(const char *key, const char *type)
{
	const char *slash = strchr(key, '/');
	size_t len = strlen(type);
	return slash && !strncmp(slash + 1, type, len) && slash[1 + len] == '/' ? slash + len + 2
										: NULL;
}

static void watch_document(void *arg, int shard, const struct document *document)
{
	struct holding *holding = arg;
	struct play *play = holding->play;
	const char *code = name_of(document->key, "task");
	const char *key = name_of(document->key, "person");
	(void)shard;
	if ((!code && !key) || !document->body)
		return;
	char *body = arena_bytes(play->scratch, document->body, document->len);
	struct json_object *object = json_tokener_parse(body);
	if (!json_object_is_type(object, json_type_object)) {
		play_fail(play, "a document that is not JSON");
	} else if (key) {
		hold_by_person(holding, arena_str(play->scratch, key), object);
	} else {
		code = arena_str(play->scratch, code);
		watch_task(play, code, object);
		hold_by_task(holding, code, object);
	}
	json_object_put(object);
}

void watch_rest(struct play *play)
{
	struct holding holding = {.play = play};
	memory_each(stage_memory(play->stage), watch_document, &holding);
	watch_holdings(play, &holding);
	arena_clear(play->scratch);
}
