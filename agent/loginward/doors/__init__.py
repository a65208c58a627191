"""The doors: they parse, ask the law and translate its answer; they never decide."""
