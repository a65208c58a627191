"""EAP over RADIUS: tunnels are held by a process beside the daemon, the law stays in the daemon."""
