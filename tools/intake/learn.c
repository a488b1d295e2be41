/* tools/intake/learn.c - finds the weights of a linear model from examples.
 *
 * L2-regularised logistic regression in the dual, a coordinate at a time: Yu,
 * Huang and Lin, "Dual coordinate descent methods for logistic regression and
 * maximum entropy models", Machine Learning 85 (2011). Features are scaled
 * before by how much more often requests have them (Wang and Manning,
 * "Baselines and bigrams", ACL 2012). The order is drawn from a fixed seed:
 * the same examples give the same weights.
 */
#include "tools/intake/learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { NEWTON_STEPS = 8 };

static uint64_t draw(uint64_t *seed)
{
	/* splitmix64, public domain, Sebastiano Vigna */
	uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

double judge(const struct example *example, const double *weights, double bias)
{
	double sum = bias;
	for (size_t i = 0; i < example->count; i++)
		sum += weights[example->at[i]] * (double)example->value[i];
	return sum;
}

/* How much more each place weighs among requests than among the others, as a logarithm. */
static double *ratios(const struct example *examples, size_t count, int without, int bits,
		      double smoothing)
{
	size_t places = (size_t)1 << bits;
	double *seen[2] = {xalloc(places * sizeof(double)), xalloc(places * sizeof(double))};
	double total[2] = {0, 0};
	for (size_t i = 0; i < count; i++) {
		if (examples[i].fold == without)
			continue;
		total[examples[i].request] += 1;
		for (size_t k = 0; k < examples[i].count; k++)
			seen[examples[i].request][examples[i].at[k]] += 1;
	}
	for (size_t p = 0; p < places && smoothing > 0; p++)
		seen[1][p] = log((seen[1][p] + smoothing) / (total[1] + 2 * smoothing)) -
			     log((seen[0][p] + smoothing) / (total[0] + 2 * smoothing));
	for (size_t p = 0; p < places && !(smoothing > 0); p++)
		seen[1][p] = 1;
	free(seen[0]);
	return seen[1];
}

/* One example's share `a` of `cost`, so that the slope of its dual is zero. */
static double settle(double a, double cost, double margin, double norm)
{
	double start = a;
	for (int i = 0; i < NEWTON_STEPS; i++) {
		double slope = log(a / (cost - a)) + margin + norm * (a - start);
		double next = a - slope / (norm + cost / (a * (cost - a)));
		if (next <= 0)
			next = a / 10;
		if (next >= cost)
			next = cost - (cost - a) / 10;
		if (fabs(next - a) < 1e-9 * cost)
			return next;
		a = next;
	}
	return a;
}

static void shuffle(size_t *order, size_t count, uint64_t *seed)
{
	for (size_t i = count; i > 1; i--) {
		size_t k = draw(seed) % i, kept = order[i - 1];
		order[i - 1] = order[k];
		order[k] = kept;
	}
}

void learn(const struct example *examples, size_t count, int without, int bits,
	   const struct learning *learning, double *weights, double *bias)
{
	double *ratio = ratios(examples, count, without, bits, learning->likelihood);
	size_t *order = xalloc((count + 1) * sizeof(*order)), used = 0;
	double *share = xalloc((count + 1) * sizeof(*share)),
	       *norm = xalloc((count + 1) * sizeof(*norm));
	uint64_t seed = 1;
	memset(weights, 0, ((size_t)1 << bits) * sizeof(*weights));
	*bias = 0;
	for (size_t i = 0; i < count; i++)
		if (examples[i].fold != without)
			order[used++] = i;
	for (int round = -1; round < learning->rounds; round++) {
		shuffle(order, used, &seed);
		for (size_t u = 0; u < used; u++) {
			size_t i = order[u];
			const struct example *e = &examples[i];
			double sign = e->request ? 1 : -1, sum = *bias, next, step;
			double cost = learning->cost * (e->request ? learning->request_cost : 1);
			for (size_t k = 0; k < e->count; k++)
				sum += weights[e->at[k]] * ratio[e->at[k]] * (double)e->value[k];
			if (round < 0) {
				norm[i] = 1;
				for (size_t k = 0; k < e->count; k++) {
					double x = ratio[e->at[k]] * (double)e->value[k];
					norm[i] += x * x;
				}
				next = cost * 0.001;
			} else {
				next = settle(share[i], cost, sign * sum, norm[i]);
			}
			step = (next - share[i]) * sign;
			share[i] = next;
			*bias += step;
			for (size_t k = 0; k < e->count; k++)
				weights[e->at[k]] += step * ratio[e->at[k]] * (double)e->value[k];
		}
	}
	for (size_t p = 0; p < (size_t)1 << bits; p++)
		weights[p] *= ratio[p];
	free(ratio);
	free(order);
	free(share);
	free(norm);
}
