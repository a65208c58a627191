/* A client of the login socket: one conversation a call, nothing kept between calls. */
#ifndef LW_CLIENT_H
#define LW_CLIENT_H

#include "lw_frame.h"

/* What shows texts to the person and gets what is typed; the caller's side of a conversation. */
struct lw_dialog {
	void *context;
	/*
	 * Returns what answers an ASK: NUL-terminated, from malloc; the client wipes and frees it.
	 * NULL gives up. `*typed` is set where a person typed it just now.
	 */
	char *(*answer)(void *context, const struct lw_message *ask, bool *typed);
	void (*show)(void *context, const char *text, bool is_error);
};

/* How a conversation ended. Only ABSENT tells that no daemon runs; the rest is trouble. */
enum lw_end {
	LW_END_RESULT,
	LW_END_ABSENT, /* no socket, or nobody listens, for LW_RETRY_MS */
	LW_END_SILENT, /* no answer in time */
	LW_END_FOREIGN, /* the socket or who serves it is not ours: nothing was sent */
	LW_END_BROKEN, /* cut, or not our protocol, or no descriptor was left */
	LW_END_UNSENDABLE, /* the request is no text that may travel */
	LW_END_GAVE_UP, /* the person did */
};

#ifndef LW_RETRY_MS
#define LW_RETRY_MS 1000 /* a daemon being restarted is back by then */
#endif

/*
 * Asks the daemon at `socket_path` (absolute). `timeout_ms` is for the whole conversation; its
 * clock (CLOCK_MONOTONIC) stands still while the person types, and starts anew after they typed.
 * The last message is the RESULT if that is how it ended.
 */
enum lw_end lw_converse(const char *socket_path, int timeout_ms, const struct lw_request *request,
			const struct lw_dialog *dialog, struct lw_message *message);

#endif
