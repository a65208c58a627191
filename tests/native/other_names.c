/* A name service for LD_PRELOAD whose names are spelled in other ways than they were asked for. */
#include <errno.h>
#include <pwd.h>
#include <string.h>

static const struct {
	const char *asked, *name;
	uid_t uid;
} people[] = {
	{ "respelled", "somebody-else", 2001 }, { "cased", "CASED", 2002 }, { "toor", "toor", 0 },
};

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
	       struct passwd **found)
{
	*found = NULL;
	for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
		if (strcmp(people[i].asked, name) != 0)
			continue;
		if (strlen(people[i].name) >= size)
			return ERANGE;
		memset(entry, 0, sizeof *entry);
		entry->pw_name = strcpy(buffer, people[i].name);
		entry->pw_passwd = entry->pw_gecos = entry->pw_dir = entry->pw_shell = entry->pw_name;
		entry->pw_uid = people[i].uid;
		*found = entry;
	}
	return 0;
}
