/* installed.c - a C program that uses the installed engine alone; `make installcheck` builds it with the
 * flags of rhm.pc. */
#include <stdio.h>

#include <rhm/rhm.h>

int main(void)
{
    struct rhm_error err;
    struct rhm_grammar g;
    if (rhm_grammar_draw(&g, &(struct rhm_grammar_shape){.V = 8, .m = 4, .s = 2, .L = 3}, 1, &err) !=
        RHM_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int wrong = g.d != 8 || rhm_power(2, 3) != 8;
    rhm_grammar_clear(&g);
    /* Too many rules for V^s tuples: an error with a text, not a grammar. */
    if (rhm_grammar_draw(&g, &(struct rhm_grammar_shape){.V = 8, .m = 9, .s = 2, .L = 3}, 1, &err) !=
        RHM_EARG)
        wrong = 1;
    return wrong;
}
