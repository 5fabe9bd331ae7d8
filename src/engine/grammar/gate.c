/* gate.c - gates as truth tables: names, random ones, polynomials. See formula.h. */
#include "engine/grammar/formula.h"

#include <string.h>

#include "engine/base/rng.h"

const char *const rhm_gate_names[] = {"and", "or", "xor", "nand", "nor", "xnor", "first", NULL};

enum { AND, OR, XOR, NAND, NOR, XNOR, FIRST };

static uint64_t table_of(int name, unsigned s)
{
    uint64_t table = 0;
    unsigned rows = 1u << s;
    for (unsigned t = 0; t < rows; t++) {
        unsigned value = 0;
        switch (name) {
        case AND:
        case NAND:
            value = t == rows - 1;
            break;
        case OR:
        case NOR:
            value = t != 0;
            break;
        case XOR:
        case XNOR:
            value = (unsigned)__builtin_popcount(t) & 1;
            break;
        default:
            value = t >> (s - 1) & 1;
            break;
        }
        if (name == NAND || name == NOR || name == XNOR)
            value ^= 1;
        table |= (uint64_t)value << t;
    }
    return table;
}

int rhm_gate_parse(const char *name, unsigned s, uint64_t *table)
{
    for (int i = 0; rhm_gate_names[i]; i++)
        if (strcmp(rhm_gate_names[i], name) == 0) {
            *table = table_of(i, s);
            return 1;
        }
    if (strlen(name) != (size_t)1 << s || strspn(name, "01") != (size_t)1 << s)
        return 0;
    *table = 0;
    for (unsigned t = 0; t < 1u << s; t++)
        *table |= (uint64_t)(name[t] == '1') << t;
    return 1;
}

char *rhm_gate_write(uint64_t table, unsigned s, char *text)
{
    for (int i = 0; rhm_gate_names[i]; i++)
        if (table_of(i, s) == table)
            return strcpy(text, rhm_gate_names[i]);
    for (unsigned t = 0; t < 1u << s; t++)
        text[t] = table >> t & 1 ? '1' : '0';
    text[1u << s] = 0;
    return text;
}

int rhm_gate_depends(uint64_t table, unsigned s, unsigned j)
{
    unsigned bit = 1u << (s - 1 - j);
    for (unsigned t = 0; t < 1u << s; t++)
        if ((table >> t & 1) != (table >> (t ^ bit) & 1))
            return 1;
    return 0;
}

/* A literal of input j is 1 where the input is `wanted` bit j; an AND of them is a table with one row. */
static uint64_t random_literals(unsigned s, struct rhm_rng *rng)
{
    uint64_t row = UINT64_C(1) << rhm_rng_below(rng, UINT64_C(1) << s);
    return rhm_rng_below(rng, 2) ? ~row & rhm_gate_mask(s) : row;
}

uint64_t rhm_gate_random(enum rhm_gate_kind kind, unsigned s, uint64_t seed, uint64_t node)
{
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_GATES, node);
    if (kind == RHM_GATE_LITERALS)
        return random_literals(s, &rng);
    for (;;) { /* 10 of the 16 tables of two inputs pass, more with more inputs */
        uint64_t table = rhm_rng_u64(&rng) & rhm_gate_mask(s);
        unsigned depends = 0;
        for (unsigned j = 0; j < s; j++)
            depends += (unsigned)rhm_gate_depends(table, s, j);
        if (depends == s)
            return table;
    }
}

void rhm_gate_polynomial(uint64_t table, unsigned s, double *coefficient)
{
    unsigned rows = 1u << s;
    for (unsigned set = 0; set < rows; set++) {
        int sum = 0;
        for (unsigned t = 0; t < rows; t++) {
            int sign = table >> t & 1 ? 1 : -1;
            for (unsigned j = 0; j < s; j++)
                if (set >> j & 1 && !(t >> (s - 1 - j) & 1))
                    sign = -sign;
            sum += sign;
        }
        coefficient[set] = (double)sum / (double)rows;
    }
}
