/* Many EAP-TTLS/PAP logins at once, as devices hold them, and how long each takes.
 *
 *   radius_eap PORT AT_ONCE LOGINS NAMES USERS CA_FILE TLS
 *
 * The first line of standard input is the shared secret, the second everybody's password. NAMES has
 * one %d; login n is of number n % USERS. TLS is 1.2 or 1.3. Each login is a whole handshake whose
 * certificate is verified (RFC 5281), at a socket that one login at a time has. A request that is
 * not answered within 5 s ends its login as lost. Prints what report() says.
 */
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "radius_bench.h"

enum {
    USER_NAME = 1,
    STATE = 24,
    CALLING_STATION_ID = 31,
    EAP_MESSAGE = 79,
    MESSAGE_AUTHENTICATOR = 80,
    EAP_REQUEST = 1,
    EAP_RESPONSE = 2,
    EAP_IDENTITY = 1,
    EAP_NAK = 3,
    EAP_TTLS = 21,
    MORE = 0x40,        /* RFC 5281 section 9.1 */
    WITH_LENGTH = 0x80,
    MAX_SAID = 1200,    /* octets of TLS in a packet; what a device says is less */
    MAX_AT_ONCE = 256,
};

struct login {
    int fd;
    size_t number; /* + 1; 0: none */
    int64_t began_us, sent_us;
    uint8_t identifier;
    uint8_t state[253];
    uint8_t state_length;
    SSL *tls;
    BIO *in, *out;
    int has_spoken;
};

static struct {
    const char *names;
    size_t users, logins, next, done;
    char secret[128], password[128];
    SSL_CTX *context;
    struct outcome *outcomes;
    struct login at[MAX_AT_ONCE];
    struct pollfd sockets[MAX_AT_ONCE];
} load;

struct octets {
    uint8_t at[MAX_PACKET];
    size_t length;
};

static void add(struct octets *to, const void *octets, size_t length)
{
    if (to->length + length > sizeof to->at)
        give_up("a packet grew too long");
    memcpy(to->at + to->length, octets, length);
    to->length += length;
}

static void add_attribute(struct octets *to, uint8_t type, const void *value, size_t length)
{
    uint8_t head[2] = {type, (uint8_t)(length + 2)};

    add(to, head, sizeof head);
    add(to, value, length);
}

static size_t name_of(const struct login *login, char *name, size_t room)
{
    return (size_t)snprintf(name, room, load.names, (int)((login->number - 1) % load.users));
}

/* RFC 3579 section 3.2: HMAC-MD5 over the packet with the attribute's own octets zero. */
static void sign(struct octets *packet, size_t at)
{
    unsigned length;

    packet->at[2] = (uint8_t)(packet->length >> 8);
    packet->at[3] = (uint8_t)packet->length;
    HMAC(EVP_md5(), load.secret, (int)strlen(load.secret), packet->at, packet->length,
         packet->at + at, &length);
}

static void send_eap(struct login *login, const struct octets *eap)
{
    static const uint8_t zeros[16];
    struct octets packet = {.at = {ACCESS_REQUEST, ++login->identifier}, .length = HEADER};
    char text[64];
    size_t signature;

    RAND_bytes(packet.at + 4, 16);
    add_attribute(&packet, MESSAGE_AUTHENTICATOR, zeros, sizeof zeros);
    signature = packet.length - sizeof zeros;
    add_attribute(&packet, USER_NAME, "anonymous", 9);
    add_attribute(&packet, CALLING_STATION_ID, text,
                  (size_t)snprintf(text, sizeof text, "02-00-00-00-%02zX-%02zX",
                                   login->number / 256 % 256, login->number % 256));
    if (login->state_length)
        add_attribute(&packet, STATE, login->state, login->state_length);
    for (size_t done = 0, piece; done < eap->length; done += piece) {
        piece = eap->length - done < 253 ? eap->length - done : 253;
        add_attribute(&packet, EAP_MESSAGE, eap->at + done, piece);
    }
    sign(&packet, signature);
    login->sent_us = now_us();
    send(login->fd, packet.at, packet.length, 0);
}

static void respond(struct login *login, uint8_t identifier, uint8_t type, const void *data,
                    size_t length)
{
    size_t whole = length + 5;
    uint8_t head[5] = {EAP_RESPONSE, identifier, (uint8_t)(whole >> 8), (uint8_t)whole, type};
    struct octets eap = {.length = 0};

    add(&eap, head, sizeof head);
    add(&eap, data, length);
    send_eap(login, &eap);
}

static void begin(struct login *login)
{
    login->number = ++load.next;
    login->began_us = now_us();
    login->state_length = 0;
    login->has_spoken = 0;
    login->in = BIO_new(BIO_s_mem());
    login->out = BIO_new(BIO_s_mem());
    login->tls = SSL_new(load.context);
    SSL_set_bio(login->tls, login->in, login->out);
    SSL_set_connect_state(login->tls);
    respond(login, 0, EAP_IDENTITY, "anonymous", 9);
}

static void end(struct login *login, uint8_t code)
{
    load.outcomes[login->number - 1] =
        (struct outcome){.took_us = now_us() - login->began_us, .code = code};
    load.done++;
    login->number = 0;
    SSL_free(login->tls);
}

/* RFC 5281 section 10.1: a Diameter AVP, padded to four octets. */
static void add_avp(struct octets *to, uint8_t type, const void *value, size_t length)
{
    size_t whole = length + 8;
    uint8_t head[8] = {0, 0, 0, type, 0x40, 0, (uint8_t)(whole >> 8), (uint8_t)whole};
    static const uint8_t zeros[4];

    add(to, head, sizeof head);
    add(to, value, length);
    add(to, zeros, (4 - length % 4) % 4);
}

static void say_password(struct login *login)
{
    struct octets said = {.length = 0};
    uint8_t padded[sizeof load.password + 16] = {0};
    char name[64];
    size_t length = strlen(load.password);

    memcpy(padded, load.password, length);
    add_avp(&said, USER_NAME, name, name_of(login, name, sizeof name));
    add_avp(&said, 2, padded, (length + 15) / 16 * 16); /* section 11.2.5 */
    SSL_write(login->tls, said.at, (int)said.length);
    login->has_spoken = 1;
}

/* Take the device's next step: the handshake, then, when the server had its say, the password. */
static void step(struct login *login, uint8_t identifier)
{
    uint8_t said[1 + MAX_SAID] = {0}, ignored[MAX_PACKET];
    int was_open = SSL_is_init_finished(login->tls), length;

    if (!was_open && SSL_do_handshake(login->tls) != 1 &&
        SSL_get_error(login->tls, -1) != SSL_ERROR_WANT_READ) {
        ERR_print_errors_fp(stderr);
        give_up("the handshake failed");
    }
    if (was_open)
        while (SSL_read(login->tls, ignored, sizeof ignored) > 0)
            ;
    if (SSL_is_init_finished(login->tls) && !login->has_spoken &&
        (was_open || SSL_version(login->tls) < TLS1_3_VERSION))
        say_password(login);
    length = BIO_read(login->out, said + 1, MAX_SAID);
    if (BIO_pending(login->out))
        give_up("a device said more than one packet holds");
    respond(login, identifier, EAP_TTLS, said, 1 + (size_t)(length > 0 ? length : 0));
}

static void on_eap(struct login *login, const struct octets *eap)
{
    static const uint8_t wants[] = {EAP_TTLS}, acknowledged[] = {0};
    size_t head;

    if (eap->length < 6 || eap->at[0] != EAP_REQUEST)
        give_up("no request of EAP in a challenge");
    if (eap->at[4] != EAP_TTLS) {
        respond(login, eap->at[1], EAP_NAK, wants, sizeof wants);
        return;
    }
    head = eap->at[5] & WITH_LENGTH ? 10 : 6;
    if (eap->length > head)
        BIO_write(login->in, eap->at + head, (int)(eap->length - head));
    if (eap->at[5] & MORE)
        respond(login, eap->at[1], EAP_TTLS, acknowledged, sizeof acknowledged);
    else
        step(login, eap->at[1]);
}

static void on_reply(struct login *login, const uint8_t *reply, size_t length)
{
    struct octets eap = {.length = 0};

    if (length < HEADER || reply[1] != login->identifier || !login->number)
        return;
    if (reply[0] != ACCESS_CHALLENGE) {
        end(login, reply[0]);
        return;
    }
    for (size_t at = HEADER; at + 2 <= length && reply[at + 1] >= 2; at += reply[at + 1]) {
        const uint8_t *value = reply + at + 2;
        size_t octets = reply[at + 1] - 2u;

        if (reply[at] == EAP_MESSAGE)
            add(&eap, value, octets);
        if (reply[at] == STATE) {
            memcpy(login->state, value, octets);
            login->state_length = (uint8_t)octets;
        }
    }
    on_eap(login, &eap);
}

static void go_on(size_t at)
{
    struct login *login = &load.at[at];
    uint8_t reply[MAX_PACKET];
    ssize_t length;

    if (load.sockets[at].revents & POLLIN) {
        length = recv(login->fd, reply, sizeof reply, MSG_DONTWAIT);
        if (length > 0)
            on_reply(login, reply, (size_t)length);
    }
    if (login->number && now_us() - login->sent_us > PATIENCE_US)
        end(login, 0);
    if (!login->number && load.next < load.logins)
        begin(login);
}

static void read_line(char *line, int room)
{
    if (fgets(line, room, stdin) == NULL)
        give_up("two lines of input are missing");
    line[strcspn(line, "\n")] = 0;
}

static void prepare(char **argv)
{
    int version = strcmp(argv[7], "1.3") == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;

    load.logins = (size_t)atoi(argv[3]);
    load.names = argv[4];
    load.users = (size_t)atoi(argv[5]);
    load.outcomes = calloc(load.logins + 1, sizeof *load.outcomes);
    load.context = SSL_CTX_new(TLS_client_method());
    if (load.outcomes == NULL || load.context == NULL)
        give_up("no memory");
    SSL_CTX_set_min_proto_version(load.context, version);
    SSL_CTX_set_max_proto_version(load.context, version);
    SSL_CTX_set_verify(load.context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_file(load.context, argv[6]) != 1)
        give_up("the authority's certificate cannot be read");
    read_line(load.secret, sizeof load.secret);
    read_line(load.password, sizeof load.password);
}

int main(int argc, char **argv)
{
    size_t at_once;
    int64_t began;

    if (argc != 8)
        give_up("radius_eap PORT AT_ONCE LOGINS NAMES USERS CA_FILE TLS");
    at_once = (size_t)atoi(argv[2]);
    if (at_once < 1 || at_once > MAX_AT_ONCE)
        give_up("AT_ONCE is out of bounds");
    prepare(argv);
    for (size_t at = 0; at < at_once; at++) {
        load.at[at].fd = ask_port(argv[1]);
        load.sockets[at] = (struct pollfd){.fd = load.at[at].fd, .events = POLLIN};
    }
    began = now_us();
    while (load.done < load.logins) {
        for (size_t at = 0; at < at_once; at++)
            go_on(at);
        poll(load.sockets, at_once, 100);
    }
    report(now_us() - began, load.outcomes, load.logins);
    return 0;
}
