"""EAP packets, TLS in pieces and what is said inside the tunnel, without any I/O."""
