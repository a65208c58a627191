"""RADIUS over TLS (RFC 6614)."""
