"""What induces: coils, their windings, and where they stand on a head."""
