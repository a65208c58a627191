"""SQLite as we use it: one connection policy, schema versions, many commits in one."""
