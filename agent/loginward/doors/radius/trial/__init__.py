"""The built-in client: asks a RADIUS server as a NAS and a person's device would."""
