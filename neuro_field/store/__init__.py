"""Our own folders: heads, fields, coils, plans, ledgers."""
