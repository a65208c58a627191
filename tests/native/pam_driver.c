/*
 * Drives a PAM stack through the real libpam and prints what an application sees.
 *
 *	pam_driver CONFDIR SERVICE USER ACTION...
 *
 * ACTION: auth, acct, setcred, open, close, chauthtok, expired (chauthtok of an expired password),
 * silent (PAM_SILENT from here on), nonull (PAM_DISALLOW_NULL_AUTHTOK), rhost=TEXT, tty=TEXT,
 * repeat=N (the next action N times, open descriptors printed before and after),
 * fill (open descriptors until none is left), low (close the descriptors 0 to 2 of the next action's caller), scan=FILE (end PAM, then look
 * for the octets of FILE, each xored with 0x55, in the whole memory of this process).
 * Prompts are answered by the texts on standard input, each ended by a NUL, read one octet at a
 * time so that no buffer keeps them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <security/pam_appl.h>

#define CHUNK (1 << 20)

static int answers = STDIN_FILENO;

static char *next_answer(void)
{
	char *line = calloc(1, 9000);
	size_t length = 0;

	while (length < 8999 && read(answers, line + length, 1) == 1)
		if (line[length++] == '\0')
			return line;
	free(line);
	return NULL;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **replies,
		    void *context)
{
	static const char *const styles[] = { "", "hidden", "shown", "error", "info" };

	(void)context;
	*replies = calloc((size_t)count, sizeof **replies);
	for (int i = 0; i < count; i++) {
		printf("%s: %s\n", styles[messages[i]->msg_style], messages[i]->msg);
		if (messages[i]->msg_style > PAM_PROMPT_ECHO_ON)
			continue;
		(*replies)[i].resp = next_answer();
		if ((*replies)[i].resp == NULL) {
			free(*replies);
			*replies = NULL;
			return PAM_CONV_ERR;
		}
	}
	return PAM_SUCCESS;
}

static void on_delay(int code, unsigned int usec, void *context)
{
	(void)context;
	if (code != PAM_SUCCESS && usec > 0)
		printf("delay: %u us\n", usec);
}

static int open_descriptors(void)
{
	DIR *all = opendir("/proc/self/fd");
	int count = -3; /* ".", ".." and the directory itself */

	while (all != NULL && readdir(all) != NULL)
		count++;
	if (all != NULL)
		closedir(all);
	return count;
}

static int run(pam_handle_t *pamh, const char *action, int flags)
{
	if (strcmp(action, "auth") == 0)
		return pam_authenticate(pamh, flags);
	if (strcmp(action, "acct") == 0)
		return pam_acct_mgmt(pamh, flags);
	if (strcmp(action, "setcred") == 0)
		return pam_setcred(pamh, PAM_ESTABLISH_CRED | flags);
	if (strcmp(action, "open") == 0)
		return pam_open_session(pamh, flags);
	if (strcmp(action, "close") == 0)
		return pam_close_session(pamh, flags);
	if (strcmp(action, "chauthtok") == 0)
		return pam_chauthtok(pamh, flags);
	if (strcmp(action, "expired") == 0)
		return pam_chauthtok(pamh, PAM_CHANGE_EXPIRED_AUTHTOK | flags);
	printf("no such action: %s\n", action);
	exit(2);
}

/* Counts the places of this process's memory that hold the secret. */
static int scan(const char *file)
{
	unsigned char secret[256];
	int fd = open(file, O_RDONLY), memory = open("/proc/self/mem", O_RDONLY), found = 0;
	ssize_t length = read(fd, secret, sizeof secret);
	unsigned char *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned long from, to;

	while (fgets(line, sizeof line, maps) != NULL) {
		if (sscanf(line, "%lx-%lx r", &from, &to) != 2)
			continue;
		for (; from < to; from += CHUNK - 256) {
			size_t want = to - from < CHUNK ? to - from : CHUNK;
			ssize_t got = from == (unsigned long)chunk ?
					      0 : pread(memory, chunk, want, (off_t)from);

			for (ssize_t at = 0; at + length <= got; at++) {
				ssize_t same = 0;

				while (same < length && (chunk[at + same] ^ 0x55) == secret[same])
					same++;
				if (same == length)
					printf("found in %s", (found++, line));
			}
		}
	}
	return found;
}

int main(int argc, char **argv)
{
	struct pam_conv conv = { .conv = converse };
	pam_handle_t *pamh = NULL;
	int flags = 0, repeat = 1, rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 5 || pam_start_confdir(argv[2], argv[3], &conv, argv[1], &pamh) != PAM_SUCCESS)
		return 2;
	pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)on_delay);
	for (int i = 4; i < argc; i++) {
		const char *action = argv[i], *value = strchr(action, '=') ? strchr(action, '=') + 1 : "";

		if (strcmp(action, "silent") == 0) {
			flags |= (int)PAM_SILENT;
		} else if (strcmp(action, "nonull") == 0) {
			flags |= PAM_DISALLOW_NULL_AUTHTOK;
		} else if (strncmp(action, "rhost=", 6) == 0) {
			pam_set_item(pamh, PAM_RHOST, value);
		} else if (strncmp(action, "tty=", 4) == 0) {
			pam_set_item(pamh, PAM_TTY, value);
		} else if (strncmp(action, "repeat=", 7) == 0) {
			repeat = atoi(value);
		} else if (strcmp(action, "fill") == 0) {
			while (dup(STDERR_FILENO) >= 0)
				;
		} else if (strcmp(action, "low") == 0) {
			fflush(stdout);
			answers = fcntl(STDIN_FILENO, F_DUPFD, 10);
			dup2(STDOUT_FILENO, 11);
			close(STDIN_FILENO);
			close(STDOUT_FILENO);
			rc = run(pamh, argv[++i], flags);
			printf("%s", ""); /* nothing may reach the closed descriptors */
			dup2(11, STDOUT_FILENO);
			printf("%s: %d\n", argv[i], rc);
		} else if (strncmp(action, "scan=", 5) == 0) {
			pam_end(pamh, PAM_SUCCESS);
			pamh = NULL;
			printf("found: %d\n", scan(value));
		} else {
			int before = open_descriptors();

			for (rc = PAM_SUCCESS; repeat > 0; repeat--)
				rc = run(pamh, action, flags);
			repeat = 1;
			printf("%s: %d\n", action, rc);
			if (open_descriptors() != before)
				printf("descriptors: %d, before %d\n", open_descriptors(), before);
		}
	}
	if (pamh != NULL)
		pam_end(pamh, PAM_SUCCESS);
	return 0;
}
