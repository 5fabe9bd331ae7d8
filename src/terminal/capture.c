/* capture.c - see capture.h. */
#define _GNU_SOURCE /* pipe2, F_SETPIPE_SZ */
#include "terminal/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct rhm_scrollback *scrollback;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;
static int ends[2] = {-1, -1}; /* of the pipe: read, write */
static int event = -1, quit = -1;
static bool announced; /* the event is set; under the lock */
static int output = -1, error_output = -1;

/* Under the lock: the order of what is read is the order in the scrollback, whoever reads. */
static bool take(void)
{
    static char bytes[65536];
    bool any = false;
    for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR);) {
        if (n > 0) {
            rhm_scrollback_write(scrollback, bytes, (size_t)n);
            any = true;
        }
        if (n < (ssize_t)sizeof bytes && n >= 0)
            break; /* a writer that never stops must not keep the lock */
    }
    return any;
}

static void *empty(void *argument)
{
    (void)argument;
    for (;;) {
        struct pollfd fds[] = {{.fd = ends[0], .events = POLLIN}, {.fd = quit, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents)
            break;
        if (!fds[0].revents)
            continue;
        pthread_mutex_lock(&lock);
        if (take() && !announced) {
            announced = true;
            eventfd_write(event, 1);
        }
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static bool start_thread(void)
{
    sigset_t all, before; /* signals are the other threads' */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, NULL, empty, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void close_all(void)
{
    int *all[] = {&ends[0], &ends[1], &event, &quit, &output, &error_output};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

bool rhm_capture_open(struct rhm_scrollback *to)
{
    scrollback = to;
    fflush(stdout);
    bool ok = pipe2(ends, O_CLOEXEC) == 0 && (event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) >= 0 &&
              (quit = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) >= 0 &&
              (output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) >= 0;
    if (ok && isatty(STDERR_FILENO))
        ok = (error_output = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) >= 0;
    if (!ok || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0 || !start_thread()) {
        close_all();
        return false;
    }
    dup2(ends[1], STDOUT_FILENO);
    if (error_output >= 0)
        dup2(ends[1], STDERR_FILENO);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    return true;
}

void rhm_capture_close(void)
{
    if (event < 0)
        return;
    rhm_capture_drain();
    dup2(output, STDOUT_FILENO);
    if (error_output >= 0)
        dup2(error_output, STDERR_FILENO);
    eventfd_write(quit, 1);
    pthread_join(thread, NULL);
    close_all();
}

int rhm_capture_descriptor(void)
{
    return event;
}

int rhm_capture_output(void)
{
    return output;
}

int rhm_capture_error(void)
{
    return error_output;
}

bool rhm_capture_drain(void)
{
    fflush(stdout);
    pthread_mutex_lock(&lock);
    bool news = take() || announced;
    if (announced) {
        eventfd_t count;
        eventfd_read(event, &count);
        announced = false;
    }
    pthread_mutex_unlock(&lock);
    return news;
}

void rhm_capture_lock(void)
{
    pthread_mutex_lock(&lock);
}

void rhm_capture_unlock(void)
{
    pthread_mutex_unlock(&lock);
}
