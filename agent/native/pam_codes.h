/*
 * From what the daemon said to what the application hears: a total table by LW_REASON_*.
 * loginward/doors/login/pam_codes.py holds the same and is tested against this.
 */
#ifndef LW_PAM_CODES_H
#define LW_PAM_CODES_H

#include <security/pam_modules.h>

#include "lw_protocol.h"

struct lw_reason {
	const char *name;
	int authn, acct, prelim, update; /* codes of a refusal */
};

#define LW_WRONG PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_AUTH_ERR, PAM_AUTH_ERR
#define LW_DENIED PAM_PERM_DENIED, PAM_PERM_DENIED, PAM_PERM_DENIED, PAM_PERM_DENIED
#define LW_ENDED PAM_PERM_DENIED, PAM_ACCT_EXPIRED, PAM_PERM_DENIED, PAM_PERM_DENIED
#define LW_UNAVAILABLE PAM_AUTHINFO_UNAVAIL, PAM_PERM_DENIED, PAM_TRY_AGAIN, PAM_AUTHTOK_ERR
#define LW_NOT_OURS PAM_USER_UNKNOWN, PAM_USER_UNKNOWN, PAM_IGNORE, PAM_IGNORE
#define LW_NO_CHANGE PAM_PERM_DENIED, PAM_PERM_DENIED, PAM_PERM_DENIED, PAM_AUTHTOK_ERR

static const struct lw_reason lw_reasons[LW_REASON_LAST + 1] = {
	[0] = { "unknown-reason", LW_WRONG },
	[LW_REASON_OK] = { "ok", LW_WRONG }, /* a refusal that is none: not in */
	[LW_REASON_WRONG_CREDENTIALS] = { "wrong-credentials", LW_WRONG },
	[LW_REASON_USER_UNKNOWN] = { "user-unknown", LW_NOT_OURS },
	[LW_REASON_USER_STAGED] = { "user-staged", LW_ENDED },
	[LW_REASON_USER_SUSPENDED] = { "user-suspended", LW_ENDED },
	[LW_REASON_PASSWORD_PENDING] = { "password-pending", LW_DENIED },
	[LW_REASON_ACCOUNT_LOCKED] = { "account-locked", LW_DENIED },
	[LW_REASON_PASSWORD_EXPIRED] = { "password-expired", LW_ENDED },
	[LW_REASON_CHANGE_REQUIRED] = { "change-required", LW_DENIED },
	[LW_REASON_CODE_REQUIRED] = { "code-required", LW_WRONG },
	[LW_REASON_CODE_WRONG] = { "code-wrong", LW_WRONG },
	[LW_REASON_ENROLMENT_OVERDUE] = { "enrolment-overdue", LW_DENIED },
	[LW_REASON_NOT_PERMITTED] = { "not-permitted", LW_NO_CHANGE },
	[LW_REASON_SOURCE_THROTTLED] = { "source-throttled", LW_DENIED },
	[LW_REASON_OFFLINE_TOO_LONG] = { "offline-too-long", LW_UNAVAILABLE },
	[LW_REASON_OFFLINE_NEVER_SEEN] = { "offline-never-seen", LW_UNAVAILABLE },
	[LW_REASON_DIRECTORY_UNAVAILABLE] = { "directory-unavailable", LW_UNAVAILABLE },
	[LW_REASON_MALFORMED] = { "malformed", LW_WRONG },
};

static inline const struct lw_reason *lw_reason(unsigned int reason)
{
	return &lw_reasons[reason <= LW_REASON_LAST ? reason : 0];
}

/* Returns the PAM code; whatever makes no sense together lets nobody in. */
static inline int lw_pam_code(unsigned int phase, unsigned int verdict, unsigned int reason)
{
	int allowed = verdict == LW_VERDICT_ALLOW && reason == LW_REASON_OK;
	int change = verdict == LW_VERDICT_CHANGE && (reason == LW_REASON_PASSWORD_EXPIRED ||
						      reason == LW_REASON_CHANGE_REQUIRED);

	if (allowed || (change && (phase == LW_PHASE_AUTHN || phase == LW_PHASE_CHAUTHTOK_PRELIM)))
		return PAM_SUCCESS;
	switch (phase) {
	case LW_PHASE_AUTHN:
		return lw_reason(reason)->authn;
	case LW_PHASE_ACCT:
		return change ? PAM_NEW_AUTHTOK_REQD : lw_reason(reason)->acct;
	case LW_PHASE_CHAUTHTOK_PRELIM:
		return lw_reason(reason)->prelim;
	case LW_PHASE_CHAUTHTOK_UPDATE:
		return lw_reason(reason)->update;
	default: /* a session never fails a login */
		return PAM_IGNORE;
	}
}

#endif
