/*
 * The login socket: every number that travels over it. This is the one place where they are fixed;
 * the Python side (loginward/wire/login.py) is tested against this file.
 *
 * A frame is: u8 version, u8 type, u16 payload length, payload. A payload is a row of fields:
 * u8 tag, u16 length, value. Numbers are big endian. Tags ascend strictly, so none comes twice and
 * equal messages are equal octets. A text is UTF-8 without NUL and never empty; an absent text is
 * not sent. Anything else closes the connection.
 *
 * Client: BEGIN, then one ANSWER after each ASK. Daemon: any number of INFO and ERROR before an
 * ASK or the RESULT. The RESULT ends the conversation.
 */
#ifndef LW_PROTOCOL_H
#define LW_PROTOCOL_H

#define LW_VERSION 1
#define LW_HEADER_OCTETS 4
#define LW_FIELD_OCTETS 3
#define LW_MAX_PAYLOAD 8192
#define LW_MAX_TEXT 1024
#define LW_MAX_REFERENCE 16
#define LW_MAX_TRANSACTION 64
#define LW_MAX_TYPED 8189

#define LW_TYPE_BEGIN 1
#define LW_TYPE_ANSWER 2
#define LW_TYPE_ASK 17
#define LW_TYPE_INFO 18
#define LW_TYPE_ERROR 19
#define LW_TYPE_RESULT 20

/* BEGIN: phase, user, service; the others only where they say something. */
#define LW_TAG_PHASE 1 /* u8 */
#define LW_TAG_USER 2
#define LW_TAG_SERVICE 3
#define LW_TAG_TTY 4
#define LW_TAG_RHOST 5
#define LW_TAG_RUSER 6
#define LW_TAG_FLAGS 7 /* u8, never 0 */
#define LW_TAG_TRANSACTION 8 /* also in RESULT */
/* ANSWER */
#define LW_TAG_TYPED 16 /* any octets, may be empty */
/* ASK */
#define LW_TAG_PURPOSE 32 /* u8 */
#define LW_TAG_PROMPT 33
#define LW_TAG_SHOWN 34 /* u8: 1, what is typed may be seen; absent, it is hidden */
/* INFO, ERROR */
#define LW_TAG_TEXT 48
/* RESULT: transaction (8), verdict, reason, reference, delay */
#define LW_TAG_VERDICT 64 /* u8 */
#define LW_TAG_REASON 65 /* u8 */
#define LW_TAG_REFERENCE 66
#define LW_TAG_DELAY_MS 67 /* u32, never 0 */

#define LW_PHASE_AUTHN 1
#define LW_PHASE_ACCT 2
#define LW_PHASE_CHAUTHTOK_PRELIM 3
#define LW_PHASE_CHAUTHTOK_UPDATE 4
#define LW_PHASE_OPEN 5
#define LW_PHASE_CLOSE 6

#define LW_FLAG_SILENT 1
#define LW_FLAG_DISALLOW_NULL 2
#define LW_FLAG_FORWARDED 4

#define LW_PURPOSE_PASSWORD 1
#define LW_PURPOSE_NEW 2
#define LW_PURPOSE_NEW_AGAIN 3
#define LW_PURPOSE_CODE 4

#define LW_VERDICT_ALLOW 1
#define LW_VERDICT_REFUSE 2
#define LW_VERDICT_CHANGE 3
#define LW_VERDICT_CODE 4

#define LW_REASON_OK 1
#define LW_REASON_WRONG_CREDENTIALS 2
#define LW_REASON_USER_UNKNOWN 3
#define LW_REASON_USER_STAGED 4
#define LW_REASON_USER_SUSPENDED 5
#define LW_REASON_PASSWORD_PENDING 6
#define LW_REASON_ACCOUNT_LOCKED 7
#define LW_REASON_PASSWORD_EXPIRED 8
#define LW_REASON_CHANGE_REQUIRED 9
#define LW_REASON_CODE_REQUIRED 10
#define LW_REASON_CODE_WRONG 11
#define LW_REASON_ENROLMENT_OVERDUE 12
#define LW_REASON_NOT_PERMITTED 13
#define LW_REASON_SOURCE_THROTTLED 14
#define LW_REASON_OFFLINE_TOO_LONG 15
#define LW_REASON_OFFLINE_NEVER_SEEN 16
#define LW_REASON_DIRECTORY_UNAVAILABLE 17
#define LW_REASON_MALFORMED 18
#define LW_REASON_LAST 18

#endif
