/* command.c - see command.h. */
#include "terminal/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/completion.h"
#include "terminal/history.h"

const char *rhm_command_prompt(const struct rhm_command *command)
{
    return command->pending ? "...> " : "rhm> ";
}

/* "pending\nline", or a copy of line; frees pending. NULL where memory is short. */
static char *append(char *pending, const char *line, size_t n)
{
    size_t old = pending ? strlen(pending) + 1 : 0;
    char *text = realloc(pending, old + n + 1);
    if (!text) {
        free(pending);
        fputs("error: not enough memory for this input\n", stderr);
        return NULL;
    }
    if (old)
        text[old - 1] = '\n';
    memcpy(text + old, line, n);
    text[old + n] = '\0';
    return text;
}

void rhm_command_drop(struct rhm_command *command)
{
    rhm_completion_context(NULL); /* it holds this text */
    free(command->pending);
    command->pending = NULL;
}

/* One line as typed: runs the command it completes, or keeps it. */
static enum rhm_input feed(struct rhm_command *command, const char *line, size_t n)
{
    rhm_completion_context(NULL);
    command->pending = append(command->pending, line, n);
    if (!command->pending)
        return RHM_INPUT_FAILED;
    enum rhm_input result = rhm_evaluate(command->L, command->pending);
    if (result != RHM_INPUT_INCOMPLETE)
        rhm_command_drop(command);
    return result;
}

/* The history gets the command whole, and before it runs: the session may not live to see its end. */
enum rhm_input rhm_command_enter(struct rhm_command *command, const char *text)
{
    char *entry = append(command->pending ? strdup(command->pending) : NULL, text, strlen(text));
    if (entry && !rhm_evaluate_incomplete(command->L, entry))
        rhm_history_add(entry);
    free(entry);
    enum rhm_input result = RHM_INPUT_DONE;
    for (const char *line = text;; line++) {
        size_t n = strcspn(line, "\n");
        if (n > 0 || command->pending)
            result = feed(command, line, n);
        line += n;
        if (!*line || result == RHM_INPUT_INTERRUPTED || result == RHM_INPUT_LEAVE)
            return result;
    }
}
