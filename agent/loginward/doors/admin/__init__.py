"""The admin door: operators over a Unix socket, newline-delimited JSON."""
