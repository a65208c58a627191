/* Prints the PAM code of every phase, verdict and reason, one row a line, for test_pam_codes.py. */
#include <stdio.h>

#include "pam_codes.h"

int main(void)
{
	for (unsigned int phase = LW_PHASE_AUTHN; phase <= LW_PHASE_CLOSE; phase++)
		for (unsigned int verdict = LW_VERDICT_ALLOW; verdict <= LW_VERDICT_CODE; verdict++)
			for (unsigned int reason = 0; reason <= LW_REASON_LAST + 1; reason++)
				printf("%u %u %u %d %s\n", phase, verdict, reason,
				       lw_pam_code(phase, verdict, reason),
				       lw_reason(reason)->name);
	return 0;
}
