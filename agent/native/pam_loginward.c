/*
 * The PAM module: it carries a question to the daemon and the answer back, and decides nothing.
 * Without a daemon the account phase stands on the marker file (lw_known.h).
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

#include "lw_client.h"
#include "lw_known.h"
#include "pam_codes.h"

#define MAX_DELAY_MS 10000
#define NO_ANSWER "This machine's login service does not answer. Please call your administrator."

/* What is kept in the handle: the transaction of what was proven last, and that a change is due. */
#define TRANSACTION "loginward_transaction"
#define CHANGE_DUE "loginward_change_due"

struct options {
	const char *socket, *known, *exempt;
	long timeout_s, min_uid;
	bool use_first_pass, try_first_pass, ignore_unknown_user, ignore_unavailable;
	bool nodelay, debug;
};

/* One pam_sm_* call. */
struct phase {
	pam_handle_t *pamh;
	struct options opt;
	uint8_t number; /* LW_PHASE_* */
	unsigned int flags; /* of pam_sm_* */
	const char *user, *service;
	uid_t uid; /* (uid_t)-1: the host does not know the name */
	char *new_password; /* typed, not yet changed to */
	struct lw_message result;
};

static bool read_number(const char *text, long least, long most, long *number)
{
	char *end;

	*number = strtol(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && *number >= least && *number <= most;
}

/* Reads one argument. Returns 1: understood, 0: unknown, -1: it cannot have this value. */
static int read_option(struct options *opt, const char *arg)
{
	const struct {
		const char *name;
		bool *flag;
		const char **path;
	} rows[] = {
		{ "use_first_pass", &opt->use_first_pass, NULL },
		{ "try_first_pass", &opt->try_first_pass, NULL },
		{ "ignore_unknown_user", &opt->ignore_unknown_user, NULL },
		{ "ignore_unavailable", &opt->ignore_unavailable, NULL },
		{ "nodelay", &opt->nodelay, NULL },
		{ "debug", &opt->debug, NULL },
		{ "socket=", NULL, &opt->socket },
		{ "known=", NULL, &opt->known },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t length = strlen(rows[i].name);

		if (rows[i].flag != NULL && strcmp(arg, rows[i].name) == 0)
			return *rows[i].flag = true;
		if (rows[i].path != NULL && strncmp(arg, rows[i].name, length) == 0)
			return *(*rows[i].path = arg + length) == '/' ? 1 : -1;
	}
	if (strncmp(arg, "exempt=", 7) == 0)
		return *(opt->exempt = arg + 7) != '\0' ? 1 : -1;
	if (strncmp(arg, "timeout_s=", 10) == 0)
		return read_number(arg + 10, 1, 60, &opt->timeout_s) ? 1 : -1;
	if (strncmp(arg, "min_uid=", 8) == 0)
		return read_number(arg + 8, 0, 0x7FFFFFFF, &opt->min_uid) ? 1 : -1;
	return 0;
}

static bool is_listed(const char *list, const char *name)
{
	for (const char *at = list; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == strlen(name) && strncmp(at, name, strlen(name)) == 0)
			return true;
	return false;
}

static const char *item(const struct phase *p, int type)
{
	const void *text = NULL;

	return pam_get_item(p->pamh, type, &text) == PAM_SUCCESS ? text : NULL;
}

/*
 * Begins a call, before any socket is touched. Returns PAM_SUCCESS: ask the daemon; PAM_IGNORE:
 * root, exempt users and low uids are none of our business; else why it cannot go on.
 */
static int open_phase(struct phase *p, int argc, const char **argv)
{
	const struct passwd *entry;
	int rc;

	p->opt = (struct options){ .socket = "/run/loginward/login.sock",
				   .known = "/var/lib/loginward/known",
				   .exempt = "",
				   .timeout_s = 4,
				   .min_uid = 1000 };
	for (int i = 0; i < argc; i++) {
		rc = read_option(&p->opt, argv[i]);
		if (rc <= 0)
			pam_syslog(p->pamh, LOG_ERR, "option %s: %s",
				   rc < 0 ? "refused" : "unknown, ignored", argv[i]);
		if (rc < 0)
			return PAM_SERVICE_ERR;
	}
	rc = pam_get_user(p->pamh, &p->user, NULL);
	if (rc != PAM_SUCCESS)
		return rc == PAM_CONV_AGAIN ? PAM_INCOMPLETE : rc;
	p->service = item(p, PAM_SERVICE);
	if (strcmp(p->user, "root") == 0 || is_listed(p->opt.exempt, p->user))
		return PAM_IGNORE;
	entry = pam_modutil_getpwnam(p->pamh, p->user);
	p->uid = entry != NULL ? entry->pw_uid : (uid_t)-1;
	if (entry != NULL && (entry->pw_uid == 0 || entry->pw_uid < (uid_t)p->opt.min_uid))
		return PAM_IGNORE;
	if (entry != NULL && strcasecmp(entry->pw_name, p->user) != 0) {
		pam_syslog(p->pamh, LOG_NOTICE, "refused: the host spells this name another way");
		return lw_pam_code(p->number, LW_VERDICT_REFUSE, LW_REASON_MALFORMED);
	}
	return PAM_SUCCESS;
}

static void show(void *context, const char *text, bool is_error)
{
	const struct phase *p = context;
	char clean[LW_MAX_TEXT + 1] = "";

	if ((p->flags & PAM_SILENT) != 0)
		return;
	for (size_t i = 0; text[i] != '\0'; i++) /* no text may steer a terminal */
		clean[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7F ? ' ' : text[i];
	pam_prompt(p->pamh, is_error ? PAM_ERROR_MSG : PAM_TEXT_INFO, NULL, "%s", clean);
}

/* sshd sends this, cut to length, for what was typed where it will refuse whatever we say. */
static bool is_sshd_junk(const char *password)
{
	static const char junk[] = "\b\n\r\177INCORRECT";
	size_t i = 0;

	while (password[i] != '\0' && password[i] == junk[i % (sizeof junk - 1)])
		i++;
	return i > 0 && password[i] == '\0';
}

static void forget(char **secret)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

static char *answer(void *context, const struct lw_message *ask, bool *typed)
{
	struct phase *p = context;
	int proven = p->number == LW_PHASE_AUTHN ? PAM_AUTHTOK : PAM_OLDAUTHTOK;
	const char *password = NULL;
	char *line = NULL;

	if (ask->purpose == LW_PURPOSE_PASSWORD) { /* sshd answers every hidden prompt with it */
		*typed = item(p, proven) == NULL;
		pam_get_authtok(p->pamh, proven, &password, NULL);
		return password == NULL ? NULL : strdup(is_sshd_junk(password) ? "" : password);
	}
	*typed = true;
	pam_prompt(p->pamh, ask->shown ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, &line, "%s",
		   ask->text);
	if (line != NULL && ask->purpose == LW_PURPOSE_NEW) {
		forget(&p->new_password);
		p->new_password = strdup(line);
	}
	return line;
}

static void free_kept(pam_handle_t *pamh, void *kept, int why)
{
	(void)pamh, (void)why;
	free(kept);
}

static void keep(pam_handle_t *pamh, const char *name, const char *text)
{
	char *copy = strdup(text);

	if (copy != NULL && pam_set_data(pamh, name, copy, free_kept) != PAM_SUCCESS)
		free(copy);
}

static int on_result(struct phase *p)
{
	const struct lw_message *r = &p->result;
	int rc = lw_pam_code(p->number, r->verdict, r->reason);

	if (rc == PAM_NEW_AUTHTOK_REQD && strcmp(p->service, "systemd-user") == 0)
		rc = PAM_SUCCESS; /* its login was judged already */
	if (rc == PAM_NEW_AUTHTOK_REQD && is_listed("cron,crond,atd", p->service))
		rc = PAM_PERM_DENIED; /* nobody is there to type */
	if (rc == PAM_USER_UNKNOWN && p->opt.ignore_unknown_user)
		rc = PAM_IGNORE;
	if (rc == PAM_NEW_AUTHTOK_REQD)
		keep(p->pamh, CHANGE_DUE, "");
	if (rc == PAM_SUCCESS &&
	    (p->number == LW_PHASE_AUTHN || p->number == LW_PHASE_CHAUTHTOK_PRELIM))
		keep(p->pamh, TRANSACTION, r->transaction);
	if (rc != PAM_SUCCESS && r->delay_ms > 0 && !p->opt.nodelay)
		pam_fail_delay(p->pamh, (r->delay_ms < MAX_DELAY_MS ? r->delay_ms : MAX_DELAY_MS) * 1000);
	if (rc != PAM_SUCCESS || p->opt.debug)
		pam_syslog(p->pamh, rc == PAM_SUCCESS ? LOG_DEBUG : LOG_NOTICE,
			   "%s: user=%s reason=%s reference=%s", rc == PAM_SUCCESS ? "ok" : "refused",
			   p->uid != (uid_t)-1 ? p->user : "(not of this host)",
			   lw_reason(r->reason)->name, r->reference);
	return rc;
}

/* The daemon gave no verdict. Only where none runs may those pass whom it never knew. */
static int on_trouble(struct phase *p, enum lw_end end)
{
	static const char *const said[] = { [LW_END_ABSENT] = "does not run",
					    [LW_END_SILENT] = "did not answer in time (timeout_s)",
					    [LW_END_FOREIGN] = "is not ours, nothing was sent to it",
					    [LW_END_BROKEN] = "cannot be understood or reached" };
	int rc = lw_pam_code(p->number, LW_VERDICT_REFUSE, LW_REASON_DIRECTORY_UNAVAILABLE);

	if (end == LW_END_GAVE_UP)
		return PAM_CONV_ERR;
	if (end == LW_END_UNSENDABLE)
		return lw_pam_code(p->number, LW_VERDICT_REFUSE, LW_REASON_MALFORMED);
	pam_syslog(p->pamh, LOG_ERR, "the daemon at %s %s", p->opt.socket, said[end]);
	if (p->number != LW_PHASE_AUTHN || p->opt.ignore_unavailable)
		if (end == LW_END_ABSENT && !lw_is_known(p->opt.known, p->user, p->uid))
			return PAM_IGNORE;
	if (rc != PAM_IGNORE)
		show(p, NO_ANSWER, true);
	return rc;
}

static int ask_daemon(struct phase *p)
{
	const void *transaction = NULL;
	struct lw_dialog dialog = { .context = p, .answer = answer, .show = show };
	struct lw_request request = { .phase = p->number,
				      .flags = (p->flags & PAM_SILENT) != 0 ? LW_FLAG_SILENT : 0,
				      .user = p->user,
				      .service = p->service,
				      .tty = item(p, PAM_TTY),
				      .rhost = item(p, PAM_RHOST),
				      .ruser = item(p, PAM_RUSER) };
	enum lw_end end;

	if (p->number == LW_PHASE_AUTHN && (p->flags & PAM_DISALLOW_NULL_AUTHTOK) != 0)
		request.flags |= LW_FLAG_DISALLOW_NULL;
	if (p->number != LW_PHASE_AUTHN &&
	    pam_get_data(p->pamh, TRANSACTION, &transaction) == PAM_SUCCESS)
		request.transaction = transaction;
	end = lw_converse(p->opt.socket, (int)p->opt.timeout_s * 1000, &request, &dialog, &p->result);
	return end == LW_END_RESULT ? on_result(p) : on_trouble(p, end);
}

/* Gets the password, so that nobody waits for a typing person, and asks the daemon. */
static int prove(struct phase *p, bool use_item)
{
	const char *password = NULL;

	if (!use_item)
		pam_set_item(p->pamh, PAM_AUTHTOK, NULL);
	if (pam_get_authtok(p->pamh, PAM_AUTHTOK, &password, NULL) != PAM_SUCCESS)
		return PAM_CONV_ERR;
	return ask_daemon(p);
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct phase p = { .pamh = pamh, .number = LW_PHASE_AUTHN, .flags = (unsigned int)flags };
	bool preset;
	int rc = open_phase(&p, argc, argv);

	if (rc != PAM_SUCCESS)
		return rc;
	preset = item(&p, PAM_AUTHTOK) != NULL;
	if (p.opt.use_first_pass && !preset)
		return PAM_AUTH_ERR;
	rc = prove(&p, p.opt.use_first_pass || p.opt.try_first_pass);
	if (rc == PAM_AUTH_ERR && preset && p.opt.try_first_pass && !p.opt.use_first_pass)
		rc = prove(&p, false);
	return rc;
}

/* Also without an authenticate before it: keys, cron, sudo that asks nothing. */
int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct phase p = { .pamh = pamh, .number = LW_PHASE_ACCT, .flags = (unsigned int)flags };
	int rc = open_phase(&p, argc, argv);

	return rc == PAM_SUCCESS ? ask_daemon(&p) : rc;
}

int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct phase p = { .pamh = pamh, .flags = (unsigned int)flags };
	const void *due = NULL;
	int rc;

	p.number = (p.flags & PAM_PRELIM_CHECK) != 0 ? LW_PHASE_CHAUTHTOK_PRELIM :
						     LW_PHASE_CHAUTHTOK_UPDATE;
	rc = open_phase(&p, argc, argv);
	if (rc != PAM_SUCCESS)
		return rc;
	if ((p.flags & PAM_CHANGE_EXPIRED_AUTHTOK) != 0 &&
	    pam_get_data(pamh, CHANGE_DUE, &due) != PAM_SUCCESS)
		return PAM_IGNORE; /* it was not us who said expired */
	rc = ask_daemon(&p);
	if (p.number == LW_PHASE_CHAUTHTOK_UPDATE && rc != PAM_IGNORE)
		pam_set_item(pamh, PAM_AUTHTOK, rc == PAM_SUCCESS ? p.new_password : NULL);
	if (rc != PAM_SUCCESS && rc != PAM_IGNORE)
		pam_set_item(pamh, PAM_OLDAUTHTOK, NULL);
	forget(&p.new_password);
	return rc;
}

/* We give no credentials; success only where we let the person in. */
int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const void *transaction = NULL;

	(void)flags, (void)argc, (void)argv;
	return pam_get_data(pamh, TRANSACTION, &transaction) == PAM_SUCCESS ? PAM_SUCCESS :
									      PAM_IGNORE;
}

/* The daemon only hears of it; whatever it says, no login fails by it. */
static int tell(pam_handle_t *pamh, uint8_t number, int argc, const char **argv)
{
	struct phase p = { .pamh = pamh, .number = number, .flags = PAM_SILENT };

	return open_phase(&p, argc, argv) == PAM_SUCCESS ? ask_daemon(&p) : PAM_IGNORE;
}

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return tell(pamh, LW_PHASE_OPEN, argc, argv);
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return tell(pamh, LW_PHASE_CLOSE, argc, argv);
}
