/* random.c - see random.h.
 *
 * Log-probabilities in Loader's saddle-point form (Loader 2000): with log x! = x log x - x + c(x),
 *
 *     log P[k] = c(n) - c(k) - c(n-k) - n p phi(d/np) - n q phi(-d/nq),
 *     d = k - np,  phi(t) = (1+t) log(1+t) - t,
 *
 * in which nothing large cancels: c grows like log(x)/2 and phi(t) ~ t^2/2 is computed from d, not from k.
 * A difference of lgamma would lose 1e15 * log(1e15) * 2^-53 ~ 4 of the exponent at n = 2^53.
 */
#include "engine/base/random.h"

#include <math.h>
#include <string.h>

#define INVERSION_BELOW 10.0 /* n p: BTRS is proved for 10 and above */
#define INVERSION_MOST  150  /* P[X > 150 | n p < 10] < 1e-110 */

/* c(x) = log x! - (x log x - x); x a whole number, c(0) = 0. */
static double stirling_rest(double x)
{
    static const double small[16] = {0.0,
                                     1.0,
                                     1.3068528194400546906,
                                     1.4959226032237259266,
                                     1.6328763858683831443,
                                     1.7403021806115441212,
                                     1.8286943966417709902,
                                     1.9037903176782211644,
                                     1.9690705693065628024,
                                     2.0268062840554951661,
                                     2.078561643135058455,
                                     2.1254598450918098546,
                                     2.1683346982058824268,
                                     2.2078222061234453169,
                                     2.2444185681250608968,
                                     2.2785183673077405761};
    if (x < 16)
        return small[(int)x];
    double xx = x * x; /* next term: 1/1188 x^-9, 1e-14 at x = 16 */
    return 0.5 * log(6.283185307179586476925 * x) +
           (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - 1.0 / 1680 / xx) / xx) / xx) / x;
}

/* mean * phi(delta / mean), to a relative 1e-14 also where it is tiny; delta >= -mean. Loader's bd0. */
static double deviance(double mean, double delta)
{
    double t = delta / mean;
    if (t <= -1)
        return mean;
    if (fabs(t) > 0.1)
        return mean * ((1 + t) * log1p(t) - t);
    /* log(x/mean) = 2 artanh(v), v = (x - mean)/(x + mean) */
    double v = delta / (2 * mean + delta), vv = v * v;
    double sum = delta * v, power = 2 * (mean + delta) * v;
    for (int j = 3;; j += 2) {
        power *= vv;
        double next = sum + power / j;
        if (next == sum)
            return sum;
        sum = next;
    }
}

/* n * p as an unevaluated sum of two doubles. */
static double exact_mean(double n, double p, double *low)
{
    double high = n * p;
    *low = fma(n, p, -high);
    return high;
}

double rhm_random_binomial_log_pmf(uint64_t n, double p, uint64_t k)
{
    if (k > n || !(p >= 0) || p > 1)
        return -INFINITY;
    if (p == 0 || p == 1)
        return k == (p == 0 ? 0 : n) ? 0 : -INFINITY;
    double size = (double)n, low, mean = exact_mean(size, p, &low), other = size * (1 - p);
    double delta = ((double)k - mean) - low;
    if (n == 0)
        return 0;
    /* the ends exactly: there delta / mean would have to round to -1 */
    if (k == 0)
        return size * log1p(-p);
    if (k == n)
        return size * log(p);
    return stirling_rest(size) - stirling_rest((double)k) - stirling_rest((double)(n - k)) -
           deviance(mean, delta) - deviance(other, -delta);
}

/* Inversion by the recurrence of the probabilities; 0 < p <= 1/2, n p < 10, so P[0] > e^-14. */
static uint64_t binomial_inversion(struct rhm_rng *rng, uint64_t n, double p)
{
    double odds = p / (1 - p), first = exp((double)n * log1p(-p));
    uint64_t most = n < INVERSION_MOST ? n : INVERSION_MOST;
    for (;;) {
        double u = rhm_rng_uniform(rng), pk = first;
        for (uint64_t k = 0; k <= most; k++) {
            if (u <= pk)
                return k;
            u -= pk;
            pk *= (double)(n - k) / (double)(k + 1) * odds;
        }
        /* u fell into the rounding of the sum, about 1e-16: draw again */
    }
}

/* BTRS; 0 < p <= 1/2, n p >= 10. Positions are whole offsets from the mode, so that 2^53 costs no digits. */
static uint64_t binomial_rejection(struct rhm_rng *rng, uint64_t n, double p)
{
    double size = (double)n, low, high = exact_mean(size, p, &low);
    double spq = sqrt(high * (1 - p));
    double b = 1.15 + 2.53 * spq, a = -0.0873 + 0.0248 * b + 0.01 * p;
    double alpha = (2.83 + 5.1 / b) * spq, v_r = 0.92 - 4.2 / b;

    /* mode = floor(n p + p); excess = n p - mode, in (-1, 1) */
    double whole = floor(high), part = (high - whole) + low, step = floor(part + p);
    double mode = whole + step, excess = part - step;
    double other = size - high;
    double at_mode =
        stirling_rest(mode) + stirling_rest(size - mode) + deviance(high, -excess) + deviance(other, excess);
    for (;;) {
        double v = rhm_rng_uniform(rng), u = rhm_rng_uniform(rng) - 0.5, us = 0.5 - fabs(u);
        double offset = floor((2 * a / us + b) * u + (excess + 0.5));
        /* also false for the infinity of us = 0 */
        if (!(offset >= -mode && offset <= size - mode))
            continue;
        double k = mode + offset;
        if (us >= 0.07 && v <= v_r)
            return (uint64_t)k;
        double delta = offset - excess;
        double log_ratio = at_mode - stirling_rest(k) - stirling_rest(size - k) - deviance(high, delta) -
                           deviance(other, -delta);
        if (log(v * alpha / (a / (us * us) + b)) <= log_ratio)
            return (uint64_t)k;
    }
}

uint64_t rhm_random_binomial(struct rhm_rng *rng, uint64_t n, double p)
{
    if (n == 0 || !(p > 0))
        return 0;
    if (p >= 1)
        return n;
    if (p > 0.5)
        return n - rhm_random_binomial(rng, n, 1 - p); /* 1 - p is exact here */
    return (double)n * p < INVERSION_BELOW ? binomial_inversion(rng, n, p) : binomial_rejection(rng, n, p);
}

/* Until cell i is drawn, count[i] holds the bits of p[i] + ... + p[k-1]: no scratch memory, no failure. */
static double tail_get(const uint64_t *count, size_t i)
{
    double tail;
    memcpy(&tail, count + i, sizeof tail);
    return tail;
}

void rhm_random_multinomial(struct rhm_rng *rng, uint64_t n, size_t k, const double *p, uint64_t *count)
{
    _Static_assert(sizeof(double) == sizeof(uint64_t), "a tail must fit into its count");
    double tail = 0;
    for (size_t i = k; i-- > 0;) {
        tail += p[i] > 0 ? p[i] : 0;
        memcpy(count + i, &tail, sizeof tail);
    }
    uint64_t left = n;
    for (size_t i = 0; i < k; i++) {
        double here = p[i], all = tail_get(count, i), after = i + 1 < k ? tail_get(count, i + 1) : 0;
        uint64_t drawn;
        if (!(here > 0) || left == 0)
            drawn = 0;
        else if (here < after)
            drawn = rhm_random_binomial(rng, left, here / all);
        else /* the small side keeps its digits: after = 0 takes all that is left */
            drawn = left - rhm_random_binomial(rng, left, after / all);
        count[i] = drawn;
        left -= drawn;
    }
}
