/* Logs in through libpam, over and over, and prints how long each login took.
 *
 * Usage: pam_load CONFDIR SERVICE USERFORMAT USERS LOGINS PROCESSES EXPECT < password
 * USERFORMAT holds one %d, counted from 1. A login is pam_authenticate and pam_acct_mgmt on a
 * handle of its own. EXPECT is the pam_authenticate code that counts as right. Prints one line a
 * login: its time in microseconds; ends with 1 if any login ended otherwise.
 */
#define _GNU_SOURCE
#include <security/pam_appl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int pam_start_confdir(const char *, const char *, const struct pam_conv *, const char *,
		      pam_handle_t **);

static char password[256];

static int answer(int count, const struct pam_message **messages, struct pam_response **out,
		  void *unused)
{
	struct pam_response *responses = calloc((size_t)count, sizeof(*responses));

	(void)unused;
	if (responses == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++)
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			responses[i].resp = strdup(password);
	*out = responses;
	return PAM_SUCCESS;
}

static void no_delay(int status, unsigned delay, void *unused)
{
	(void)status, (void)delay, (void)unused;
}

static int one_login(const char *confdir, const char *service, const char *user, int expect)
{
	static const struct pam_conv conv = {.conv = answer};
	pam_handle_t *handle = NULL;
	int code = pam_start_confdir(service, user, &conv, confdir, &handle);

	if (code != PAM_SUCCESS)
		return code;
	union {
		void (*function)(int, unsigned, void *);
		const void *item;
	} delay = {.function = no_delay};
	(void)pam_set_item(handle, PAM_FAIL_DELAY, delay.item);
	code = pam_authenticate(handle, 0);
	int right = code == expect;
	if (right && code == PAM_SUCCESS)
		right = pam_acct_mgmt(handle, 0) == PAM_SUCCESS;
	(void)pam_end(handle, code);
	return right ? 0 : 1;
}

static uint32_t elapsed_us(const struct timespec *from)
{
	struct timespec to;

	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	return (uint32_t)((to.tv_sec - from->tv_sec) * 1000000 + (to.tv_nsec - from->tv_nsec) / 1000);
}

static int work(char **argv, int first, int step, int logins, uint32_t *times)
{
	int users = atoi(argv[4]), wrong = 0;

	for (int i = first; i < logins; i += step) {
		char user[128];
		struct timespec from;

		(void)snprintf(user, sizeof(user), argv[3], 1 + i % users);
		(void)clock_gettime(CLOCK_MONOTONIC, &from);
		wrong += one_login(argv[1], argv[2], user, atoi(argv[7]));
		times[i] = elapsed_us(&from);
	}
	return wrong;
}

int main(int argc, char **argv)
{
	if (argc != 8 || fgets(password, sizeof(password), stdin) == NULL)
		return 2;
	password[strcspn(password, "\n")] = '\0';
	int logins = atoi(argv[5]), processes = atoi(argv[6]), wrong = 0, status = 0;
	uint32_t *times = mmap(NULL, (size_t)logins * sizeof(*times), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec from;

	if (times == MAP_FAILED)
		return 2;
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	for (int p = 0; p < processes; p++)
		if (fork() == 0)
			_exit(work(argv, p, processes, logins, times) > 0);
	while (wait(&status) > 0)
		wrong |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	printf("total %u\n", elapsed_us(&from));
	for (int i = 0; i < logins; i++)
		printf("%u\n", times[i]);
	return wrong;
}
