"""The electric field: discrete equations, solver, recovery, closed forms."""
