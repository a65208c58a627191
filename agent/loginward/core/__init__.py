"""The law: statuses, reasons, decisions and the login machine, all pure."""
