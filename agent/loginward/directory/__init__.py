"""Where accounts live: the port, and the directories behind it."""
