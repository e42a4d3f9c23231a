"""The built-in heads and coils, and the cache."""
