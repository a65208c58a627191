"""What this host remembers of its accounts, sealed: copies, counters, verifiers, time."""
