"""The admin socket in values and lines: requests, rows, and the codec between."""
