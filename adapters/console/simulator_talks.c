/* adapters/console/simulator_talks.c - what was said on the simulator's page, kept in memory. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "adapters/console/simulator.h"
#include "base/arena.h"

const struct person *simulator_person(const struct simulator *simulator, const char *address)
{
	for (size_t i = 0; i < simulator->people_count; i++)
		if (strcmp(simulator->people[i].address, address) == 0)
			return &simulator->people[i];
	return NULL;
}

struct talk *simulator_talk(struct simulator *simulator, const char *to, bool group)
{
	for (size_t i = 0; i < simulator->talk_count; i++) {
		struct talk *talk = &simulator->talks[i];
		if (group ? talk->room != NULL && strcmp(talk->room->id, to) == 0
			  : talk->phone != NULL && strcmp(talk->phone->address, to) == 0)
			return talk;
	}
	return NULL;
}

int64_t simulator_stamp(struct simulator *simulator)
{
	return ++simulator->stamp;
}

struct note *talk_note(const struct talk *talk, const char *id)
{
	for (size_t i = talk->count; i > 0; i--)
		if (strcmp(talk->notes[i - 1]->id, id) == 0)
			return talk->notes[i - 1];
	return NULL;
}

struct note *talk_add(struct talk *talk, struct note *note)
{
	size_t place = talk->count;
	while (place > 0 && talk->notes[place - 1]->seq > note->seq)
		place--;
	if (talk->count == SIMULATOR_NOTES_MAX) {
		if (place == 0) {
			note_free(note);
			return NULL;
		}
		note_free(talk->notes[0]);
		talk->count--;
		place--;
		memmove(talk->notes, talk->notes + 1, talk->count * sizeof talk->notes[0]);
	}
	memmove(talk->notes + place + 1, talk->notes + place,
		(talk->count - place) * sizeof talk->notes[0]);
	talk->notes[place] = note;
	talk->count++;
	return note;
}

bool note_react(struct note *note, const struct person *by, const char *emoji)
{
	for (size_t i = 0; i < note->reaction_count; i++)
		if (note->reactions[i].by == by && strcmp(note->reactions[i].emoji, emoji) == 0)
			return false;
	note->reactions =
		xrealloc(note->reactions, (note->reaction_count + 1) * sizeof *note->reactions);
	note->reactions[note->reaction_count++] =
		(struct note_reaction){.emoji = xstrdup(emoji), .by = by};
	return true;
}

void note_buttons(struct note *note, const struct message_button *buttons, size_t count)
{
	for (size_t i = 0; i < note->button_count; i++) {
		free(note->buttons[i].label);
		free(note->buttons[i].data);
	}
	note->button_count = count;
	for (size_t i = 0; i < count; i++) {
		note->buttons[i].label = xstrdup(buttons[i].label);
		note->buttons[i].data = xstrdup(buttons[i].data);
	}
}

void note_free(struct note *note)
{
	note_buttons(note, NULL, 0);
	for (size_t i = 0; i < note->reaction_count; i++)
		free(note->reactions[i].emoji);
	free(note->reactions);
	free(note->id);
	free(note->text);
	free(note->about);
	free(note);
}

void simulator_forget(struct simulator *simulator)
{
	for (size_t i = 0; i < simulator->talk_count; i++)
		for (size_t j = 0; j < simulator->talks[i].count; j++)
			note_free(simulator->talks[i].notes[j]);
	free(simulator->talks);
	simulator->talks = NULL;
	simulator->talk_count = simulator->people_count = simulator->room_count = 0;
	arena_free(&simulator->arena);
}

static void put_text(struct json_object *object, const char *key, const char *text)
{
	if (text != NULL)
		json_object_object_add(object, key, json_object_new_string(text));
}

struct json_object *note_json(const struct talk *talk, const struct note *note)
{
	struct json_object *object = json_object_new_object();
	if (talk->room != NULL)
		put_text(object, "group", talk->room->id);
	else
		put_text(object, "phone", talk->phone->address);
	put_text(object, "id", note->id);
	put_text(object, "from", note->from != NULL ? note->from->address : NULL);
	put_text(object, "text", note->text);
	put_text(object, "about", note->about);
	if (note->press)
		json_object_object_add(object, "press", json_object_new_boolean(true));
	if (note->edited)
		json_object_object_add(object, "edited", json_object_new_boolean(true));
	json_object_object_add(object, "at", json_object_new_int64(note->at));
	json_object_object_add(object, "seq", json_object_new_int64(note->seq));
	json_object_object_add(object, "rev", json_object_new_int64(note->rev));
	struct json_object *buttons = json_object_new_array();
	for (size_t i = 0; i < note->button_count; i++) {
		struct json_object *button = json_object_new_object();
		put_text(button, "label", note->buttons[i].label);
		put_text(button, "data", note->buttons[i].data);
		json_object_array_add(buttons, button);
	}
	json_object_object_add(object, "buttons", buttons);
	struct json_object *reactions = json_object_new_array();
	for (size_t i = 0; i < note->reaction_count; i++) {
		struct json_object *reaction = json_object_new_object();
		put_text(reaction, "emoji", note->reactions[i].emoji);
		put_text(reaction, "by", note->reactions[i].by->address);
		json_object_array_add(reactions, reaction);
	}
	json_object_object_add(object, "reactions", reactions);
	return object;
}

struct json_object *simulator_json(const struct simulator *simulator)
{
	static const char *const roles[] = {"resident", "volunteer", "organiser"};
	struct json_object *people = json_object_new_array();
	for (size_t i = 0; i < simulator->people_count; i++) {
		struct json_object *person = json_object_new_object();
		put_text(person, "address", simulator->people[i].address);
		put_text(person, "name", simulator->people[i].name);
		put_text(person, "language", simulator->people[i].language);
		put_text(person, "role", roles[simulator->people[i].role]);
		json_object_array_add(people, person);
	}
	struct json_object *groups = json_object_new_array();
	for (size_t i = 0; i < simulator->room_count; i++) {
		struct json_object *group = json_object_new_object();
		put_text(group, "id", simulator->rooms[i].id);
		put_text(group, "title", simulator->rooms[i].title);
		put_text(group, "language", simulator->rooms[i].language);
		json_object_array_add(groups, group);
	}
	struct json_object *notes = json_object_new_array();
	for (size_t i = 0; i < simulator->talk_count; i++) {
		const struct talk *talk = &simulator->talks[i];
		for (size_t j = 0; j < talk->count; j++)
			json_object_array_add(notes, note_json(talk, talk->notes[j]));
	}
	struct json_object *object = json_object_new_object();
	json_object_object_add(object, "session", json_object_new_int64(simulator->session));
	json_object_object_add(object, "people", people);
	json_object_object_add(object, "groups", groups);
	json_object_object_add(object, "notes", notes);
	return object;
}
