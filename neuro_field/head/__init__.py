"""The head as a conductor."""
