/*
 * The client of the login socket; see lw_client.h. A password leaves only after the kernel has
 * said who serves the socket: root (also a socket handed over by systemd), or LW_DAEMON_UID.
 */
#include "lw_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef LW_DAEMON_UID
#define LW_DAEMON_UID 0
#endif
#ifndef MSG_NOSIGNAL /* macOS has SO_NOSIGPIPE instead */
#define MSG_NOSIGNAL 0
#endif

#define RETRY_PAUSE_MS 20
#define MAX_NOTICES 16

struct call {
	int fd, timeout_ms;
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	struct lw_frame frame;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_trusted(uid_t uid)
{
	return uid == 0 || uid == (uid_t)LW_DAEMON_UID;
}

/* Whether only root or the daemon can have put this socket where it lies. */
static enum lw_end check_path(const struct sockaddr_un *to)
{
	struct sockaddr_un folder = *to;
	char *slash = strrchr(folder.sun_path, '/');
	struct stat above, at;

	if (slash == NULL || slash == folder.sun_path)
		return LW_END_FOREIGN;
	*slash = '\0';
	if (lstat(folder.sun_path, &above) != 0 || lstat(to->sun_path, &at) != 0)
		return errno == ENOENT ? LW_END_ABSENT : LW_END_BROKEN;
	if (S_ISDIR(above.st_mode) && is_trusted(above.st_uid) &&
	    (above.st_mode & (S_IWGRP | S_IWOTH)) == 0 && S_ISSOCK(at.st_mode) &&
	    is_trusted(at.st_uid))
		return LW_END_RESULT;
	return LW_END_FOREIGN;
}

static bool is_served_by_us(int fd)
{
#ifdef __linux__
	struct ucred server;
	socklen_t length = sizeof server;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &server, &length) == 0 &&
	       length == sizeof server && is_trusted(server.uid);
#else
	uid_t uid;
	gid_t gid;

	return getpeereid(fd, &uid, &gid) == 0 && is_trusted(uid);
#endif
}

/* A descriptor of 3 or more, not inherited, not blocking; -1: none left. */
static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0 && fd <= STDERR_FILENO) { /* the caller closed its own: keep out of there */
		int low = fd;

		fd = fcntl(low, F_DUPFD, STDERR_FILENO + 1);
		close(low);
	}
	if (fd < 0)
		return -1;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, O_NONBLOCK);
#ifdef SO_NOSIGPIPE
	setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int));
#endif
	return fd;
}

/* One try. SILENT: the daemon's queue is full. */
static enum lw_end try_connect(struct call *call, const struct sockaddr_un *to)
{
	enum lw_end end = check_path(to);

	if (end != LW_END_RESULT)
		return end;
	call->fd = new_socket();
	if (call->fd < 0)
		return LW_END_BROKEN;
	if (connect(call->fd, (const struct sockaddr *)to, sizeof *to) == 0)
		return is_served_by_us(call->fd) ? LW_END_RESULT : LW_END_FOREIGN;
	if (errno == ECONNREFUSED || errno == ENOENT)
		end = LW_END_ABSENT;
	else
		end = errno == EAGAIN ? LW_END_SILENT : LW_END_BROKEN;
	close(call->fd);
	call->fd = -1;
	return end;
}

static enum lw_end reach(struct call *call, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int64_t retry_until = now_ms() + LW_RETRY_MS;

	if (strlen(path) >= sizeof to.sun_path)
		return LW_END_FOREIGN;
	strcpy(to.sun_path, path);
	for (;;) {
		enum lw_end end = try_connect(call, &to);
		int64_t now = now_ms();

		if ((end != LW_END_SILENT && end != LW_END_ABSENT) || now >= call->deadline_ms ||
		    (end == LW_END_ABSENT && now >= retry_until))
			return end;
		poll(NULL, 0, RETRY_PAUSE_MS);
	}
}

/* Sends or receives until the frame is as long as wanted. */
static enum lw_end move(struct call *call, short direction, size_t at, size_t wanted)
{
	while (at < wanted) {
		struct pollfd ready = { .fd = call->fd, .events = direction };
		int64_t left_ms = call->deadline_ms - now_ms();
		int events = left_ms > 0 ? poll(&ready, 1, (int)left_ms) : 0;
		ssize_t n;

		if (events == 0)
			return LW_END_SILENT;
		n = -1;
		if (events > 0)
			n = direction == POLLOUT ?
				    send(call->fd, call->frame.octets + at, wanted - at, MSG_NOSIGNAL) :
				    recv(call->fd, call->frame.octets + at, wanted - at, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return LW_END_BROKEN;
		at += n > 0 ? (size_t)n : 0;
	}
	return LW_END_RESULT;
}

static enum lw_end receive(struct call *call, struct lw_message *message)
{
	enum lw_end end = move(call, POLLIN, 0, LW_HEADER_OCTETS);
	int payload;

	if (end != LW_END_RESULT)
		return end;
	payload = lw_payload_octets(call->frame.octets);
	if (payload < 0)
		return LW_END_BROKEN;
	call->frame.length = LW_HEADER_OCTETS + (size_t)payload;
	end = move(call, POLLIN, LW_HEADER_OCTETS, call->frame.length);
	if (end == LW_END_RESULT && !lw_read_message(message, &call->frame))
		return LW_END_BROKEN;
	return end;
}

static enum lw_end answer(struct call *call, const struct lw_dialog *dialog,
			  const struct lw_message *ask)
{
	bool person_typed = false, fits;
	char *typed = dialog->answer(dialog->context, ask, &person_typed);
	enum lw_end end;

	if (typed == NULL)
		return LW_END_GAVE_UP;
	if (person_typed)
		call->deadline_ms = now_ms() + call->timeout_ms;
	fits = lw_put_answer(&call->frame, typed);
	explicit_bzero(typed, strlen(typed));
	free(typed);
	end = fits ? move(call, POLLOUT, 0, call->frame.length) : LW_END_UNSENDABLE;
	explicit_bzero(&call->frame, sizeof call->frame);
	return end;
}

static enum lw_end talk(struct call *call, const struct lw_dialog *dialog,
			struct lw_message *message)
{
	enum lw_end end = move(call, POLLOUT, 0, call->frame.length);
	int notices = 0;

	while (end == LW_END_RESULT) {
		end = receive(call, message);
		if (end != LW_END_RESULT || message->type == LW_TYPE_RESULT)
			return end;
		if (message->type == LW_TYPE_ASK) {
			end = answer(call, dialog, message);
		} else {
			int64_t shown_at = now_ms();

			if (++notices > MAX_NOTICES)
				return LW_END_BROKEN;
			dialog->show(dialog->context, message->text, message->type == LW_TYPE_ERROR);
			call->deadline_ms += now_ms() - shown_at; /* we made it wait */
		}
	}
	return end;
}

enum lw_end lw_converse(const char *socket_path, int timeout_ms, const struct lw_request *request,
			const struct lw_dialog *dialog, struct lw_message *message)
{
	struct call call = { .fd = -1, .timeout_ms = timeout_ms };
	enum lw_end end;

	call.deadline_ms = now_ms() + timeout_ms;
	memset(message, 0, sizeof *message);
	if (!lw_put_begin(&call.frame, request))
		return LW_END_UNSENDABLE;
	end = reach(&call, socket_path);
	if (end == LW_END_RESULT)
		end = talk(&call, dialog, message);
	if (call.fd >= 0)
		close(call.fd);
	return end;
}
