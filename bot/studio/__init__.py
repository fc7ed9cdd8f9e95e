"""The use cases: knows no Discord."""
