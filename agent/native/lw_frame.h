/* Frames of the login socket as the client sees them: BEGIN and ANSWER out, the others in. */
#ifndef LW_FRAME_H
#define LW_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lw_protocol.h"

/* One frame; wipe it after an ANSWER. */
struct lw_frame {
	size_t length;
	uint8_t octets[LW_HEADER_OCTETS + LW_MAX_PAYLOAD];
};

/* A question. A text that is NULL or empty is not sent; user and service must be there. */
struct lw_request {
	uint8_t phase; /* LW_PHASE_* */
	uint8_t flags; /* LW_FLAG_* */
	const char *user, *service, *tty, *rhost, *ruser, *transaction;
};

/* What came in; `type` says which fields mean something. */
struct lw_message {
	uint8_t type; /* LW_TYPE_ASK, INFO, ERROR or RESULT */
	uint8_t purpose, shown; /* ASK */
	uint8_t verdict, reason; /* RESULT */
	uint32_t delay_ms; /* RESULT */
	char text[LW_MAX_TEXT + 1]; /* prompt of ASK; INFO, ERROR; empty: absent */
	char reference[LW_MAX_REFERENCE + 1]; /* RESULT */
	char transaction[LW_MAX_TRANSACTION + 1]; /* RESULT */
};

/* Each returns false if the message cannot be sent: a text is missing or too long. */
bool lw_put_begin(struct lw_frame *frame, const struct lw_request *request);
bool lw_put_answer(struct lw_frame *frame, const char *typed);

/* The payload length that a header of 4 octets from the daemon announces; -1: no such frame. */
int lw_payload_octets(const uint8_t *header);

/* Reads a whole frame from the daemon; false: it is not what lw_protocol.h describes. */
bool lw_read_message(struct lw_message *message, const struct lw_frame *frame);

#endif
