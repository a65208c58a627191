"""Texts for people, by id and language; the data lies inside the package."""

from loginward.messages.texts import MAX_LINES, MAX_OCTETS, Texts, clean, load_texts

__all__ = ["MAX_LINES", "MAX_OCTETS", "Texts", "clean", "load_texts"]
