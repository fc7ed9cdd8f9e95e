"""A first try without keys: a simulated Discord in a browser, and a sandbox painter."""
