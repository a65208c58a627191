/*
 * Reads frames (u32 length, octets) from standard input as the module would, and prints what it
 * understood of each. A frame lies in a block of exactly its size, so that a sanitizer sees any
 * octet read beyond it.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "lw_frame.h"

static void print_hex(const char *text)
{
	putchar(' ');
	putchar('=');
	for (; *text != '\0'; text++)
		printf("%02x", (unsigned char)*text);
}

int main(void)
{
	uint32_t length;

	while (fread(&length, sizeof length, 1, stdin) == 1) {
		struct lw_message m;
		struct lw_frame *frame;

		length = ntohl(length);
		frame = malloc(offsetof(struct lw_frame, octets) + length);
		frame->length = length;
		if (fread(frame->octets, 1, length, stdin) != length)
			return 2;
		if (lw_read_message(&m, frame)) {
			printf("%u %u %u %u %u %u", m.type, m.purpose, m.shown, m.verdict, m.reason,
			       m.delay_ms);
			print_hex(m.text);
			print_hex(m.reference);
			print_hex(m.transaction);
			putchar('\n');
		} else {
			printf("refused\n");
		}
		free(frame);
	}
	return 0;
}
