/* tools/intake/learn.h - logistic regression by dual coordinate descent, on sparse texts. */
#ifndef TOOLS_INTAKE_LEARN_H
#define TOOLS_INTAKE_LEARN_H

#include <stddef.h>
#include <stdint.h>

#include "bot/model.h"

/* A text taken apart: place and value of each feature, repeated places added up. */
struct example {
	uint32_t *at;
	float *value;
	size_t count;
	int request; /* 1 or 0 */
	int fold;
	double score; /* by a model that has not seen it */
};

struct learning {
	double cost;         /* of one mistake; more follows the examples more closely */
	double request_cost; /* as many times that for a request taken for none */
	double likelihood;   /* smoothing of the counts that scale features; 0: no scaling */
	int rounds;
};

/* Fills weights[2^bits] and *bias from all examples but those of fold `without` (-1: none). */
void learn(const struct example *examples, size_t count, int without, int bits,
	   const struct learning *learning, double *weights, double *bias);
double judge(const struct example *example, const double *weights, double bias);

#endif
