"""Figures, each a ratio or a count, side by side in one run: `make bench`."""
