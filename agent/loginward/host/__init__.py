"""What the operating system is asked: sessions, and what has to happen after an unlock."""
