/* Reads the marker file; see lw_known.h. */
#include "lw_known.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER "loginward-known 1"
#define MAX_LINE 1200 /* 256 characters of 4 octets, and a uid */

/* Reads one whole line without its newline; false: no line, or too long, or with NUL. */
static bool read_line(FILE *file, char *line)
{
	char *newline;

	if (fgets(line, MAX_LINE, file) == NULL)
		return false;
	newline = strchr(line, '\n');
	if (newline == NULL)
		return false;
	*newline = '\0';
	return true;
}

static bool is_number(const char *text, unsigned long long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*number = strtoull(text, &end, 10);
	return *end == '\0';
}

/* Whether the names do not name the account and the file is whole. */
static bool lets_pass(FILE *file, const char *name, uid_t uid)
{
	char line[MAX_LINE], previous[MAX_LINE] = "", extra[2];
	unsigned long long number, names = 0;

	if (!read_line(file, line) || strcmp(line, HEADER) != 0)
		return false;
	while (read_line(file, line)) {
		char *tab = strchr(line, '\t');

		if (tab == NULL)
			return strncmp(line, "end ", 4) == 0 && is_number(line + 4, &number) &&
			       number == names && fgets(extra, sizeof extra, file) == NULL;
		*tab = '\0';
		if (strcmp(previous, line) > 0 || strcasecmp(line, name) == 0)
			return false;
		if (is_number(tab + 1, &number) ? uid != (uid_t)-1 && number == uid :
						  strcmp(tab + 1, "-") != 0)
			return false;
		strcpy(previous, line);
		names++;
	}
	return false;
}

bool lw_is_known(const char *path, const char *name, uid_t uid)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *file = NULL;
	struct stat at;
	bool pass;

	if (fd >= 0 && fstat(fd, &at) == 0 && S_ISREG(at.st_mode) &&
	    (at.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		file = fdopen(fd, "r");
	pass = file != NULL && lets_pass(file, name, uid);
	if (file != NULL)
		fclose(file);
	else if (fd >= 0)
		close(fd);
	return !pass;
}
