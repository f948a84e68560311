/* An SMTP server that costs as little as can be, so that a sender is measured against something cheaper than smtp-sink.
 * For tests only: it takes everything from anybody and keeps nothing.
 *
 * cc -O2 -o fastsink fastsink.c
 * fastsink PORT [-w MS] [-D DIR -E EVERY]
 *   -w  answer after so many milliseconds
 *   -D  write each EVERY-th message as it came over the wire to DIR/NUMBER.eml, its recipient in a line before it
 * Listens on 127.0.0.1 only. On SIGTERM it prints "messages bytes user sys" (seconds of CPU).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FD 4096
#define BUFFER (1 << 18)

enum state { COMMANDS, MESSAGE, CLOSING };

struct conn {
    enum state state;
    size_t held;              /* bytes in `in` */
    char *in;
    char out[65536];
    size_t answered;          /* bytes in `out` */
    double due;               /* when they may leave, with -w */
    unsigned char tail[4];    /* the last bytes of the message so far: its end may straddle two reads */
    char recipient[512];
    FILE *copy;
} *conns[MAX_FD];

static volatile sig_atomic_t stopping;
static long messages, begun, bytes, every = 1;
static double delay;
static const char *folder;

static void stop(int number) { (void)number; stopping = 1; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void answer(struct conn *c, const char *text) {
    size_t length = strlen(text);
    if (c->answered + length < sizeof c->out) {
        memcpy(c->out + c->answered, text, length);
        c->answered += length;
    }
}

static void command(struct conn *c, const char *line, size_t length) {
    char text[512];
    if (length > sizeof text - 1) length = sizeof text - 1;
    memcpy(text, line, length);
    text[length] = 0;
    if (!strncasecmp(text, "EHLO", 4)) {
        answer(c, "250-fastsink\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n");
    } else if (!strncasecmp(text, "DATA", 4)) {
        answer(c, "354 go\r\n");
        c->state = MESSAGE;
        memcpy(c->tail, "XX\r\n", 4);
        if (folder && begun++ % every == 0) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%ld.eml", folder, begun);
            c->copy = fopen(path, "w");
            if (c->copy) fprintf(c->copy, "%s\r\n", c->recipient);
        }
    } else if (!strncasecmp(text, "QUIT", 4)) {
        answer(c, "221 bye\r\n");
        c->state = CLOSING;
    } else {
        if (!strncasecmp(text, "RCPT TO:", 8)) {
            memcpy(c->recipient, text + 8, length - 8);
            c->recipient[length - 8] = 0;
            c->recipient[strcspn(c->recipient, "\r\n")] = 0;
        }
        answer(c, "250 2.0.0 ok\r\n");
    }
}

static void take(struct conn *c, const char *from, size_t length) {
    if (c->copy) fwrite(from, 1, length, c->copy);
    bytes += length;
}

static void feed(struct conn *c) {
    char *p = c->in, *end = c->in + c->held;
    while (p < end) {
        size_t have = end - p;
        if (c->state != MESSAGE) {
            char *newline = memchr(p, '\n', have);
            if (!newline) break;
            command(c, p, newline - p);
            p = newline + 1;
            continue;
        }
        char join[8], *after = NULL;
        size_t first = have < 4 ? have : 4;
        memcpy(join, c->tail, 4);
        memcpy(join + 4, p, first);
        char *found = memmem(join, 4 + first, "\r\n.\r\n", 5);
        if (found) {
            after = p + (found - join) + 5 - 4;
        } else {
            found = memmem(p, have, "\r\n.\r\n", 5);
            if (found) after = found + 5;
        }
        if (after) {
            take(c, p, after - p);
            if (c->copy) { fclose(c->copy); c->copy = NULL; }
            p = after;
            c->state = COMMANDS;
            messages++;
            answer(c, "250 2.0.0 ok queued\r\n");
        } else {
            take(c, p, have);
            if (have >= 4) {
                memcpy(c->tail, end - 4, 4);
            } else {
                memmove(c->tail, c->tail + have, 4 - have);
                memcpy(c->tail + 4 - have, p, have);
            }
            p = end;
        }
    }
    c->held = end - p;
    if (c->held && p != c->in) memmove(c->in, p, c->held);
}

static void hang_up(int fd) {
    struct conn *c = conns[fd];
    close(fd);
    if (c->copy) fclose(c->copy);
    free(c->in);
    free(c);
    conns[fd] = NULL;
}

static void send_answers(int fd) {
    struct conn *c = conns[fd];
    if (write(fd, c->out, c->answered) < 0) { /* the next read says why */ }
    c->answered = 0;
    c->due = 0;
    if (c->state == CLOSING) hang_up(fd);
}

int main(int argc, char **argv) {
    int option, one = 1, waiting = 0;
    while ((option = getopt(argc, argv, "w:D:E:")) > 0) {
        if (option == 'w') delay = atof(optarg) / 1e3;
        if (option == 'D') folder = optarg;
        if (option == 'E') every = atol(optarg) > 0 ? atol(optarg) : 1;
    }
    if (optind >= argc) { fprintf(stderr, "usage: fastsink [-w MS] [-D DIR -E EVERY] PORT\n"); return 2; }
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in place = {
        .sin_family = AF_INET, .sin_port = htons(atoi(argv[optind])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (void *)&place, sizeof place) || listen(listener, 1024)) { perror("fastsink"); return 1; }
    struct sigaction on = {.sa_handler = stop};
    sigaction(SIGTERM, &on, NULL);
    sigaction(SIGINT, &on, NULL);
    signal(SIGPIPE, SIG_IGN);
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    while (!stopping) {
        int ready = epoll_wait(poll, events, 256, waiting ? 1 : 1000);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int new = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (new < 0) continue;
                if (new >= MAX_FD) { close(new); continue; }
                setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                conns[new] = calloc(1, sizeof *conns[new]);
                conns[new]->in = malloc(BUFFER);
                event.events = EPOLLIN;
                event.data.fd = new;
                epoll_ctl(poll, EPOLL_CTL_ADD, new, &event);
                if (write(new, "220 fastsink\r\n", 14) < 0) { /* the next read says why */ }
                continue;
            }
            struct conn *c = conns[fd];
            ssize_t got = read(fd, c->in + c->held, BUFFER - c->held);
            if (got <= 0) {
                if (got < 0 && errno == EAGAIN) continue;
                if (c->due) waiting--;
                hang_up(fd);
                continue;
            }
            c->held += got;
            feed(c);
            if (!c->answered) continue;
            if (delay <= 0) {
                send_answers(fd);
            } else if (!c->due) {
                c->due = now() + delay;
                waiting++;
            }
        }
        if (!waiting) continue;
        double at = now();
        for (int fd = 0; fd < MAX_FD; fd++) {
            if (conns[fd] && conns[fd]->due && conns[fd]->due <= at) {
                waiting--;
                send_answers(fd);
            }
        }
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("%ld %ld %.3f %.3f\n", messages, bytes, used.ru_utime.tv_sec + used.ru_utime.tv_usec / 1e6,
           used.ru_stime.tv_sec + used.ru_stime.tv_usec / 1e6);
    return 0;
}
