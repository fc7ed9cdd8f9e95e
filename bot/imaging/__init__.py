"""Pictures: knows Together, knows no Discord and no database."""
