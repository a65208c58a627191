"""Sealing, password hashing, keys and tags; small leaves without policy."""
