"""Easel: a Discord bot with which a community makes pictures together."""
