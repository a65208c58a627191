/* Frames of the login socket, octets and values; no I/O. Source: lw_protocol.h. */
#include "lw_frame.h"

#include <string.h>

static void start(struct lw_frame *frame, uint8_t type)
{
	frame->octets[0] = LW_VERSION;
	frame->octets[1] = type;
	frame->length = LW_HEADER_OCTETS;
}

static bool put(struct lw_frame *frame, uint8_t tag, const void *value, size_t length)
{
	uint8_t *at = frame->octets + frame->length;
	size_t payload = frame->length - LW_HEADER_OCTETS + LW_FIELD_OCTETS + length;

	if (length > LW_MAX_TYPED || payload > LW_MAX_PAYLOAD)
		return false;
	at[0] = tag;
	at[1] = (uint8_t)(length >> 8);
	at[2] = (uint8_t)length;
	memcpy(at + LW_FIELD_OCTETS, value, length);
	frame->length += LW_FIELD_OCTETS + length;
	frame->octets[2] = (uint8_t)(payload >> 8);
	frame->octets[3] = (uint8_t)payload;
	return true;
}

static bool put_text(struct lw_frame *frame, uint8_t tag, const char *text, bool must)
{
	size_t length = text != NULL ? strlen(text) : 0;

	if (length == 0)
		return !must;
	return length <= LW_MAX_TEXT && put(frame, tag, text, length);
}

bool lw_put_begin(struct lw_frame *frame, const struct lw_request *request)
{
	start(frame, LW_TYPE_BEGIN);
	return put(frame, LW_TAG_PHASE, &request->phase, 1) &&
	       put_text(frame, LW_TAG_USER, request->user, true) &&
	       put_text(frame, LW_TAG_SERVICE, request->service, true) &&
	       put_text(frame, LW_TAG_TTY, request->tty, false) &&
	       put_text(frame, LW_TAG_RHOST, request->rhost, false) &&
	       put_text(frame, LW_TAG_RUSER, request->ruser, false) &&
	       (request->flags == 0 || put(frame, LW_TAG_FLAGS, &request->flags, 1)) &&
	       put_text(frame, LW_TAG_TRANSACTION, request->transaction, false);
}

bool lw_put_answer(struct lw_frame *frame, const char *typed)
{
	start(frame, LW_TYPE_ANSWER);
	return put(frame, LW_TAG_TYPED, typed, strlen(typed));
}

int lw_payload_octets(const uint8_t *header)
{
	int length = header[2] << 8 | header[3];

	if (header[0] != LW_VERSION || header[1] < LW_TYPE_ASK || header[1] > LW_TYPE_RESULT)
		return -1;
	return length <= LW_MAX_PAYLOAD ? length : -1;
}

static bool read_text(char *text, size_t limit, const uint8_t *value, size_t length)
{
	if (length == 0 || length > limit || memchr(value, 0, length) != NULL)
		return false;
	memcpy(text, value, length);
	return true; /* the message was zeroed: the text is terminated */
}

static bool read_u8(uint8_t *number, uint8_t last, const uint8_t *value, size_t length)
{
	*number = length == 1 ? value[0] : 0;
	return *number > 0 && *number <= last;
}

static bool read_u32(uint32_t *number, const uint8_t *value, size_t length)
{
	for (size_t i = 0; i < length && length == sizeof *number; i++)
		*number = *number << 8 | value[i];
	return *number > 0;
}

/* The same tag means nothing in another type of frame. */
#define FIELD(type, tag) ((type) << 8 | (tag))

static bool read_field(struct lw_message *m, uint8_t tag, const uint8_t *value, size_t length)
{
	switch (FIELD(m->type, tag)) {
	case FIELD(LW_TYPE_ASK, LW_TAG_PURPOSE):
		return read_u8(&m->purpose, LW_PURPOSE_CODE, value, length);
	case FIELD(LW_TYPE_ASK, LW_TAG_SHOWN):
		return read_u8(&m->shown, 1, value, length);
	case FIELD(LW_TYPE_ASK, LW_TAG_PROMPT):
	case FIELD(LW_TYPE_INFO, LW_TAG_TEXT):
	case FIELD(LW_TYPE_ERROR, LW_TAG_TEXT):
		return read_text(m->text, LW_MAX_TEXT, value, length);
	case FIELD(LW_TYPE_RESULT, LW_TAG_TRANSACTION):
		return read_text(m->transaction, LW_MAX_TRANSACTION, value, length);
	case FIELD(LW_TYPE_RESULT, LW_TAG_VERDICT):
		return read_u8(&m->verdict, LW_VERDICT_CODE, value, length);
	case FIELD(LW_TYPE_RESULT, LW_TAG_REASON):
		return read_u8(&m->reason, LW_REASON_LAST, value, length);
	case FIELD(LW_TYPE_RESULT, LW_TAG_REFERENCE):
		return read_text(m->reference, LW_MAX_REFERENCE, value, length);
	case FIELD(LW_TYPE_RESULT, LW_TAG_DELAY_MS):
		return read_u32(&m->delay_ms, value, length);
	default:
		return false;
	}
}

bool lw_read_message(struct lw_message *message, const struct lw_frame *frame)
{
	const uint8_t *octets = frame->octets;
	size_t at = LW_HEADER_OCTETS, length;
	int payload = frame->length < at ? -1 : lw_payload_octets(octets);

	memset(message, 0, sizeof *message);
	if (payload < 0 || frame->length != at + (size_t)payload)
		return false;
	message->type = octets[1];
	for (uint8_t last = 0; at < frame->length; at += length) {
		const uint8_t *field = octets + at;
		size_t left = frame->length - at;

		if (left < LW_FIELD_OCTETS || field[0] <= last)
			return false;
		last = field[0];
		length = (size_t)field[1] << 8 | field[2];
		at += LW_FIELD_OCTETS;
		if (length > left - LW_FIELD_OCTETS || !read_field(message, last, octets + at, length))
			return false;
	}
	if (message->type == LW_TYPE_ASK)
		return message->purpose != 0;
	if (message->type == LW_TYPE_RESULT)
		return message->verdict != 0 && message->reason != 0;
	return message->text[0] != '\0';
}
