"""RADIUS packets, without any I/O."""
