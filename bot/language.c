/* bot/language.c - which language each person and group is spoken to in. */
#include <string.h>

#include "bot/core.h"

/* Han decides for Chinese, three Latin letters for English; anything else leaves it open: TD, ok and
 * hi are typed by people of either. */
static const char *language_of(const char *text)
{
	int latin = 0;
	int32_t point;
	for (size_t n; (n = text_next(text, &point)); text += n) {
		if (text_is_han(point))
			return "zh-CN";
		latin += (point >= 'A' && point <= 'Z') || (point >= 'a' && point <= 'z');
	}
	return latin >= 3 ? "en" : NULL;
}

void language_guess(struct core *core)
{
	if (core->me->language)
		return;
	const struct locales *locales = core->bot->locales;
	/* Their own words first, then what their platform tells of them, then the group's.
	 * "/start" and "/help" are an application's words, not the person's.
	 */
	const char *tag = *core->text == '/' ? NULL : language_of(core->text);
	if (!tag)
		tag = core->event->message.language;
	int found = tag ? locales_find(locales, tag) : -1;
	if (found < 0 && core->group)
		found = core->group->language;
	if (found >= 0)
		core->me->language = locales_tag(locales, found);
}

bool language_command(struct core *core)
{
	const struct locales *locales = core->bot->locales;
	for (int i = 0; i < (int)locales_count(locales); i++) {
		struct word_list list = locale_words(locales, i, "language");
		for (size_t w = 0; w < list.count; w++) {
			if (strcmp(list.words[w], core->folded))
				continue;
			core->me->language = locales_tag(locales, i);
			say(core, TEXT_LANGUAGE_SET, NULL, 0);
			question_again(core);
			return true;
		}
	}
	return false;
}

int person_language(const struct core *core, const struct person *person)
{
	int found = person->language ? locales_find(core->bot->locales, person->language) : -1;
	return found >= 0 ? found : core->community->language;
}

int reply_language(const struct core *core)
{
	return core->group ? core->group->language : person_language(core, core->me);
}

const char *name_in(const struct core *core, const struct names *names, int language,
		    const char *otherwise)
{
	if (language >= 0 && language < LANGUAGES_MAX && names->in[language])
		return names->in[language];
	if (names->in[core->community->language])
		return names->in[core->community->language];
	for (int i = 0; i < LANGUAGES_MAX; i++)
		if (names->in[i])
			return names->in[i];
	return otherwise;
}

const char *neighbour(struct core *core, const struct person *person, int language)
{
	return core_say(core, language, TEXT_NEIGHBOUR,
			BLANKS({.name = "number", .number = (long)person->number}));
}
