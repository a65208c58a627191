"""The login socket: PAM modules, the macOS gate and `loginward login` ask here."""
