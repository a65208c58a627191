/* Sends RADIUS requests from a file and times their replies.
 *
 *   radius_load PORT OUTSTANDING FILE
 *
 * FILE holds packets, each behind two octets of length (big endian). Packet n leaves by socket
 * n % SOCKETS and has the Identifier n / SOCKETS % 256, so that no two in flight share both. What
 * is not answered within 5 s is lost. Replies are matched by socket and Identifier; nobody checks
 * how they are signed, which costs the same whoever is asked. Prints what report() says.
 */
#include "radius_bench.h"

enum { SOCKETS = 16 };

struct packet {
    uint8_t octets[MAX_PACKET];
    uint16_t length;
    int64_t sent_us;
};

struct load {
    struct packet *packets;
    struct outcome *outcomes;
    size_t count, next, done, oldest;
    struct pollfd sockets[SOCKETS];
    size_t waiting[SOCKETS][256]; /* packet number + 1, or 0 */
};

static void read_packets(struct load *load, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t head[2];
    size_t room = 0;

    if (file == NULL)
        give_up("no file of packets");
    while (fread(head, 1, 2, file) == 2) {
        struct packet *p;

        if (load->count == room) {
            room = room ? room * 2 : 1024;
            load->packets = realloc(load->packets, room * sizeof *load->packets);
            if (load->packets == NULL)
                give_up("no memory");
        }
        p = &load->packets[load->count++];
        p->length = (uint16_t)(head[0] << 8 | head[1]);
        if (p->length > MAX_PACKET || fread(p->octets, 1, p->length, file) != p->length)
            give_up("the file of packets is torn");
    }
    fclose(file);
    load->outcomes = calloc(load->count + 1, sizeof *load->outcomes);
    if (load->outcomes == NULL)
        give_up("no memory");
}

static void send_next(struct load *load)
{
    size_t at = load->next % SOCKETS;
    struct packet *p = &load->packets[load->next];

    load->waiting[at][p->octets[1]] = ++load->next;
    p->sent_us = now_us();
    send(load->sockets[at].fd, p->octets, p->length, 0);
}

static void end(struct load *load, size_t number, uint8_t code)
{
    struct packet *p = &load->packets[number];

    load->waiting[number % SOCKETS][p->octets[1]] = 0;
    load->outcomes[number] = (struct outcome){.took_us = now_us() - p->sent_us, .code = code};
    load->done++;
}

static void receive(struct load *load, size_t at)
{
    uint8_t reply[MAX_PACKET];

    while (recv(load->sockets[at].fd, reply, sizeof reply, MSG_DONTWAIT) >= HEADER) {
        size_t number = load->waiting[at][reply[1]];

        if (number != 0)
            end(load, number - 1, reply[0]);
    }
}

static void give_up_waiting(struct load *load)
{
    for (; load->oldest < load->next; load->oldest++) {
        if (load->outcomes[load->oldest].took_us != 0)
            continue;
        if (now_us() - load->packets[load->oldest].sent_us < PATIENCE_US)
            return;
        end(load, load->oldest, 0);
    }
}

int main(int argc, char **argv)
{
    static struct load load;
    size_t outstanding;
    int64_t began;

    if (argc != 4)
        give_up("radius_load PORT OUTSTANDING FILE");
    outstanding = (size_t)atoi(argv[2]);
    read_packets(&load, argv[3]);
    for (size_t at = 0; at < SOCKETS; at++)
        load.sockets[at] = (struct pollfd){.fd = ask_port(argv[1]), .events = POLLIN};
    began = now_us();
    while (load.done < load.count) {
        while (load.next - load.done < outstanding && load.next < load.count)
            send_next(&load);
        poll(load.sockets, SOCKETS, 100);
        for (size_t at = 0; at < SOCKETS; at++)
            if (load.sockets[at].revents & POLLIN)
                receive(&load, at);
        give_up_waiting(&load);
    }
    report(now_us() - began, load.outcomes, load.count);
    return 0;
}
