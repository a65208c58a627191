"""The embedded directory: accounts in one SQLite file that only the daemon opens."""
