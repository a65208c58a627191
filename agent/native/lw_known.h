/* The marker file: whose account phase must not pass while the daemon cannot be asked. */
#ifndef LW_KNOWN_H
#define LW_KNOWN_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The file, written by the daemon (0644, replaced by rename), is
 *
 *	loginward-known 1           or "loginward-known 1 all": everybody is refused
 *	INDEXFORM<TAB>UID           UID "-" where the host does not know the name; names in octet order
 *	end N                       N names
 *
 * An installation writes an empty one, so an absent file is as bad as a malformed one.
 *
 * Returns true if the account is named by its uid or by its exact name (letter case of ASCII
 * aside), or if the file says all, is absent or is malformed. `uid` may be (uid_t)-1: none.
 */
bool lw_is_known(const char *path, const char *name, uid_t uid);

#endif
