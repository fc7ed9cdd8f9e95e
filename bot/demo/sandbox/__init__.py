"""The image API that the sandbox painter speaks: its rules, its answers, and how it fails."""
