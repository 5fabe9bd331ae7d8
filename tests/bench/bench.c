/* bench.c - `make bench`: speed and memory against the limits, a row each.
 *
 * Each measurement runs in a process of its own, so that the peak of its resident memory is its own. Exit
 * code: 0 all limits hold, 1 one is missed, 2 a measurement failed. `bench NAME...` takes those rows alone.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/monitor.h"
#include "engine/base/threads.h"
#include "measure.h"

#define MEMORY_LIMIT 150.0 /* MB, 10^6 bytes, resident */

#ifdef HAVE_OPENBLAS_SET_NUM_THREADS
char *openblas_get_config(void);
char *openblas_get_corename(void);
int openblas_get_num_threads(void);
#endif

/* What the figures depend on. */
static void print_machine(void)
{
    char line[256], *model = NULL;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !model && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0 && (model = strchr(line, ':')) != NULL)
            model[strcspn(model, "\n")] = '\0';
    if (file)
        fclose(file);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    printf("%ld cores%s%s, %d threads; BLAS: ", cores, model ? "," : "", model ? model + 1 : "",
           rhm_threads_get());
#ifdef HAVE_OPENBLAS_SET_NUM_THREADS
    char version[64];
    snprintf(version, sizeof version, "%s", openblas_get_config());
    char *space = strchr(version, ' ');
    if (space && (space = strchr(space + 1, ' ')) != NULL) /* "OpenBLAS 0.3.21 ..." */
        *space = '\0';
    printf("%s for %s, %d threads", version, openblas_get_corename(), openblas_get_num_threads());
#else
    printf("not OpenBLAS");
#endif
    static const char *const names[] = {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]))
            printf(", %s=%s", names[i], getenv(names[i]));
    double load;
    if (getloadavg(&load, 1) == 1 && load > 0.5)
        printf("\nload average %.1f: other programs run, the figures are worse than the machine's", load);
    printf("\n\n");
}

/* Runs a program to its end. Its output goes to `text`, or nowhere where that is NULL. */
static int run(char *const argv[], char *text, size_t size, double *seconds, double *megabytes)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    fflush(NULL);
    double start = rhm_clock();
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(text ? ends[1] : null, STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(argv[0], argv);
        fprintf(stderr, "bench: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t some;
    while (text && length + 1 < size && (some = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)some;
    if (text)
        text[length] = '\0';
    close(ends[0]);
    int status = -1;
    struct rusage usage = {0};
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return -1;
    *seconds = rhm_clock() - start;
    *megabytes = (double)usage.ru_maxrss * 1024e-6;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* The measurement of a row, made by this program in a child. */
static int measure_child(char *self, const struct measure *m, struct measurement *out, double *megabytes)
{
    char name[32], text[256];
    double seconds;
    snprintf(name, sizeof name, "%s", m->name);
    char *argv[] = {self, "--measure", name, NULL};
    if (run(argv, text, sizeof text, &seconds, megabytes) != 0)
        return -1;
    return sscanf(text, "%lf %lf", &out->value, &out->bare) == 2 ? 0 : -1;
}

/* `rhm quickstart`, as a user waits for it; rhm stands in the folder from which make is run. */
static int measure_quickstart(struct measurement *out, double *megabytes)
{
    enum { PASSES = 5 };
    char *argv[] = {"./rhm", "-E", "quickstart", NULL};
    double seconds[PASSES], peak;
    for (int pass = -1; pass < PASSES; pass++) {
        if (run(argv, NULL, 0, &seconds[pass < 0 ? 0 : pass], &peak) != 0)
            return -1;
        *megabytes = peak > *megabytes ? peak : *megabytes;
    }
    out->value = median(seconds, PASSES);
    return 0;
}

/* 0 where both limits hold, 1 where one is missed, 2 where there is nothing to compare. */
static int print_row(char *self, const struct measure *m)
{
    struct measurement got = {0};
    double megabytes = 0;
    printf("%-42s", m->what);
    fflush(stdout);
    if (m->there && !m->there()) {
        printf("  left out: there is no %s\n", m->relative);
        return 0;
    }
    if ((m->run ? measure_child(self, m, &got, &megabytes) : measure_quickstart(&got, &megabytes)) != 0) {
        printf("  FAILED\n");
        return 2;
    }
    double limit = m->relative ? m->limit * got.bare : m->limit;
    int holds = m->least ? got.value >= limit : got.value < limit,
        fits = megabytes < MEMORY_LIMIT || m->there;
    printf("%8.3g %-9s %s %-6.3g %5.0f %% %6.0f %5.0f %%  %s", got.value, m->unit, m->least ? ">=" : "< ",
           limit, 100 * got.value / limit, megabytes, 100 * megabytes / MEMORY_LIMIT,
           holds && fits ? "holds"
           : holds       ? "MISSED (memory)"
                         : "MISSED");
    if (m->relative)
        printf(" (%.0f %% of %s's %.3g)", 100 * got.value / got.bare, m->relative, got.bare);
    printf("\n");
    return !(holds && fits);
}

static const struct measure *find(const char *name)
{
    for (size_t i = 0; i < measure_count; i++)
        if (strcmp(measures[i].name, name) == 0)
            return &measures[i];
    fprintf(stderr, "bench: no measurement %s; there are:", name);
    for (size_t i = 0; i < measure_count; i++)
        fprintf(stderr, " %s", measures[i].name);
    fprintf(stderr, "\n");
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--measure") == 0) {
        const struct measure *m = find(argv[2]);
        struct measurement got = {0};
        struct rhm_error err = {0};
        if (m->run == NULL || m->run(&got, &err) != RHM_OK) {
            fprintf(stderr, "bench: %s: %s\n", m->what, err.text);
            return 2;
        }
        printf("%.17g %.17g\n", got.value, got.bare);
        return 0;
    }
    for (int i = 1; i < argc; i++)
        find(argv[i]);
    print_machine();
    printf("%-42s%18s    %-6s %7s %6s %7s  %s\n", "", "measured ", "limit", "share", "MB", "of 150",
           "verdict");
    int worst = 0;
    for (size_t i = 0; i < measure_count; i++) {
        int wanted = argc == 1;
        for (int k = 1; k < argc; k++)
            wanted |= strcmp(argv[k], measures[i].name) == 0;
        int verdict = wanted ? print_row(argv[0], &measures[i]) : 0;
        worst = verdict > worst ? verdict : worst;
    }
    printf("\nshare: measured over limit; MB: the peak of resident memory, at most %.0f\n%s\n", MEMORY_LIMIT,
           worst ? "a limit is MISSED" : "all limits hold");
    return worst;
}
