"""Slash commands, one file a feature: a command parses, calls the studio, renders."""
