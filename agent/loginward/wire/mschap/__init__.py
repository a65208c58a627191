"""MS-CHAPv2: its arithmetic, what it says in words, and the keys that follow from it."""
