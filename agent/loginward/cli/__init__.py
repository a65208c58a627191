"""The command line, over the daemon's two sockets."""
