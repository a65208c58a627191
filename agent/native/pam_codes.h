/*
 * From what the daemon said to what the application hears: a total table, in the order of
 * LW_REASON_*. loginward/doors/login/pam_codes.py holds the same and is tested against this.
 */
#ifndef LW_PAM_CODES_H
#define LW_PAM_CODES_H

#include <security/pam_modules.h>

#include "lw_protocol.h"

struct lw_codes {
	int authn, acct, prelim, update;
};

#define LW_WRONG { PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_AUTH_ERR, PAM_AUTH_ERR }
#define LW_DENIED { PAM_PERM_DENIED, PAM_PERM_DENIED, PAM_PERM_DENIED, PAM_PERM_DENIED }
#define LW_ENDED { PAM_PERM_DENIED, PAM_ACCT_EXPIRED, PAM_PERM_DENIED, PAM_PERM_DENIED }
#define LW_UNAVAILABLE { PAM_AUTHINFO_UNAVAIL, PAM_PERM_DENIED, PAM_TRY_AGAIN, PAM_AUTHTOK_ERR }

static const struct lw_codes lw_refused[LW_REASON_LAST + 1] = {
	[0] = LW_WRONG, /* no reason: not in */
	[LW_REASON_OK] = LW_WRONG, /* a refusal that is none: not in */
	[LW_REASON_WRONG_CREDENTIALS] = LW_WRONG,
	[LW_REASON_USER_UNKNOWN] = { PAM_USER_UNKNOWN, PAM_USER_UNKNOWN, PAM_IGNORE, PAM_IGNORE },
	[LW_REASON_USER_STAGED] = LW_ENDED,
	[LW_REASON_USER_SUSPENDED] = LW_ENDED,
	[LW_REASON_PASSWORD_PENDING] = LW_DENIED,
	[LW_REASON_ACCOUNT_LOCKED] = LW_DENIED,
	[LW_REASON_PASSWORD_EXPIRED] = LW_ENDED,
	[LW_REASON_CHANGE_REQUIRED] = LW_DENIED,
	[LW_REASON_CODE_REQUIRED] = LW_WRONG,
	[LW_REASON_CODE_WRONG] = LW_WRONG,
	[LW_REASON_ENROLMENT_OVERDUE] = LW_DENIED,
	[LW_REASON_NOT_PERMITTED] = { PAM_PERM_DENIED, PAM_PERM_DENIED, PAM_PERM_DENIED,
				      PAM_AUTHTOK_ERR },
	[LW_REASON_SOURCE_THROTTLED] = LW_DENIED,
	[LW_REASON_OFFLINE_TOO_LONG] = LW_UNAVAILABLE,
	[LW_REASON_OFFLINE_NEVER_SEEN] = LW_UNAVAILABLE,
	[LW_REASON_DIRECTORY_UNAVAILABLE] = LW_UNAVAILABLE,
	[LW_REASON_MALFORMED] = LW_WRONG,
};

/* Returns the PAM code; whatever makes no sense together lets nobody in. */
static inline int lw_pam_code(unsigned int phase, unsigned int verdict, unsigned int reason)
{
	const struct lw_codes *codes = &lw_refused[reason <= LW_REASON_LAST ? reason : 0];
	int allowed = verdict == LW_VERDICT_ALLOW && reason == LW_REASON_OK;
	int change = verdict == LW_VERDICT_CHANGE && (reason == LW_REASON_PASSWORD_EXPIRED ||
						      reason == LW_REASON_CHANGE_REQUIRED);

	switch (phase) {
	case LW_PHASE_AUTHN:
		return allowed || change ? PAM_SUCCESS : codes->authn;
	case LW_PHASE_ACCT:
		if (change)
			return PAM_NEW_AUTHTOK_REQD;
		return allowed ? PAM_SUCCESS : codes->acct;
	case LW_PHASE_CHAUTHTOK_PRELIM:
		return allowed || change ? PAM_SUCCESS : codes->prelim;
	case LW_PHASE_CHAUTHTOK_UPDATE:
		return allowed ? PAM_SUCCESS : codes->update;
	default:
		return allowed ? PAM_SUCCESS : PAM_IGNORE;
	}
}

#endif
