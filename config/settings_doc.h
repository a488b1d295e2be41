/* config/settings_doc.h - docs/settings.md, made from the tables. */
#ifndef CONFIG_SETTINGS_DOC_H
#define CONFIG_SETTINGS_DOC_H

#include <stdio.h>

#include "config/config.h"

/* Writes the whole page; `adapters` ends with a row whose name is NULL. Look at ferror(out). */
void config_settings_markdown(FILE *out, const struct adapter_settings *adapters);

#endif
