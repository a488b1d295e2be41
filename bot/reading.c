/* bot/reading.c - lets the parts of the intake look at a text, one after the other. */
#include "bot/reading.h"

#include "base/civil.h"
#include "bot/core.h"
#include "bot/model.h"

static const char *time_of(struct core *core)
{
	static const char *const parts[] = {
		[PART_MORNING] = " morning",
		[PART_NOON] = " noon",
		[PART_AFTERNOON] = " afternoon",
		[PART_EVENING] = " evening",
	};
	struct moment moment = {.part = PART_NONE};
	if (!moment_find(core, core->text, &moment, NULL) || moment.part == PART_NONE)
		return NULL;
	if (moment.part == PART_NOW || moment.part == PART_ANY)
		return moment.part == PART_NOW ? "now" : "any";
	struct civil at = civil_from_ms(moment.at, core->event->utc_offset);
	const char *day = arena_printf(core->arena, "%04d-%02d-%02d", at.year, at.month, at.day);
	if (moment.part == PART_CLOCK)
		return arena_printf(core->arena, "%sT%02d:%02d", day, at.hour, at.minute);
	return moment.part == PART_DAY ? day
				       : arena_printf(core->arena, "%s%s", day, parts[moment.part]);
}

struct reading reading_of(const struct bot *bot, const struct community *community,
			  const char *text, int64_t now, int utc_offset, struct arena *arena)
{
	struct event event = {.now = now, .utc_offset = utc_offset};
	struct person person = {.number = 0};
	struct core core = {
		.bot = bot,
		.event = &event,
		.community = community,
		.arena = arena,
		.me = &person,
		.text = text,
		.folded = text_fold(arena, text),
	};
	core.danger = danger_in(bot, core.folded);
	language_guess(&core);
	const struct kind *kind = kind_guess(&core, core.folded);
	const struct area *area = area_guess(&core, core.folded);
	struct reading reading = {
		.kind = kind ? kind->id : NULL,
		.area = area ? area->id : NULL,
		.time = time_of(&core),
		.language = person.language,
		.urgent = core.danger || words_in(bot, LIST_URGENT, core.folded),
	};
	const struct model *model = community->intake_model;
	if (model) {
		reading.score = model_score(model, arena, core.text, core.folded);
		reading.request = model_says(model, reading.score, community->intake_threshold);
	} else {
		reading.request = intake_wants(&core);
		reading.score = reading.request;
	}
	return reading;
}
