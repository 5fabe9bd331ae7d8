/* prompt.h - Readline's prompt and line as rows of a window. Readline edits, this draws. */
#ifndef RHM_PROMPT_H
#define RHM_PROMPT_H

#include <stdbool.h>

struct rhm_prompt_size {
    int rows;       /* that prompt and line take at this width, the cursor's row included */
    int cursor_row; /* of these, from 0 */
    int cursor_column;
};
struct rhm_prompt_size rhm_prompt_measure(int width);

/* Draws rows first .. first + rows - 1 of them from screen row `top` on; the rest of each row is blank. dim:
 * the line waits for the command in work. */
void rhm_prompt_draw(int top, int first, int rows, int width, bool dim);

#endif
