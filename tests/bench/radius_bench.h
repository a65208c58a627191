/* What both load drivers of RADIUS do: ask a port of 127.0.0.1, and time the answers. */
#ifndef RADIUS_BENCH_H
#define RADIUS_BENCH_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    PATIENCE_US = 5000000,
    HEADER = 20,        /* RFC 2865 section 3 */
    MAX_PACKET = 4096,
    ACCESS_REQUEST = 1,
    ACCESS_ACCEPT = 2,
    ACCESS_REJECT = 3,
    ACCESS_CHALLENGE = 11,
};

/* How one request, or one login of several, ended; code 0: it was not answered. */
struct outcome {
    int64_t took_us;
    uint8_t code;
};

static inline int64_t now_us(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static inline _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(2);
}

static inline int ask_port(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int room = 4 * 1024 * 1024;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        give_up("no socket");
    return fd;
}

/* Print: total us, accepts, rejects, challenges, lost, then the time of each in us. */
static inline void report(int64_t total_us, const struct outcome *outcomes, size_t count)
{
    size_t by_code[256] = {0};

    for (size_t n = 0; n < count; n++)
        by_code[outcomes[n].code]++;
    printf("%lld %zu %zu %zu %zu", (long long)total_us, by_code[ACCESS_ACCEPT],
           by_code[ACCESS_REJECT], by_code[ACCESS_CHALLENGE], by_code[0]);
    for (size_t n = 0; n < count; n++)
        printf(" %lld", (long long)outcomes[n].took_us);
    printf("\n");
}

#endif
