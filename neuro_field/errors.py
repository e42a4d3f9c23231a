"""What can go wrong, as types; every message says the number, the limit and the remedy."""

#: Longer messages lose their middle: a file may have put a name of any length into one.
LONGEST = 900


def printable(text: str) -> str:
    """A message as one line that a terminal only shows: blanks for white space, escapes for what cannot be printed.

    Names come from files, and may hold line feeds, control sequences or letters that turn the direction of writing.

    Examples
    --------
    >>> printable("The coil 'a\\x1b[2J' \\n is no coil.")
    "The coil 'a\\\\x1b[2J' is no coil."
    """
    out = visible(" ".join(text.split()))
    return out if len(out) <= LONGEST else f"{out[: LONGEST // 2]} ... {out[-LONGEST // 2 :]}"


def visible(text: str) -> str:
    """A text with escapes for what cannot be printed, such as ``\\x1b``; line feeds stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text)


class InputError(ValueError):
    """Something a person passed in cannot be used; the message is one line and names the remedy.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.sphere_head(radii=(90, 80))
    Traceback (most recent call last):
    neuro_field.errors.InputError: Input radii of sphere_head must be positive and increase outwards; not (90, 80).
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class UnknownNameError(InputError, LookupError):
    """A name that is on no shelf and in no table.

    Attributes
    ----------
    kind : str
        What it would be the name of.
    name : object
        As given.
    known : list of str
        The names there are.
    nearest : str, optional
        The one of them that may have been meant.
    """

    def __init__(self, kind: str, name: object, known: list[str], nearest: str | None = None) -> None:
        self.kind, self.name, self.known, self.nearest = kind, name, known, nearest
        super().__init__(kind, name, known, nearest)

    def __str__(self) -> str:
        meant = f"; did you mean {self.nearest}?" if self.nearest else "."
        return printable(
            f"Input {self.kind} must be one of {', '.join(self.known)}; instead received {self.name!r:.80}{meant}"
        )


class FileFormatError(InputError):
    """A file that is not what its name says, or is damaged; the message names the file and the place."""


class ConvergenceError(RuntimeError):
    """The solver stopped before its tolerance.

    Attributes
    ----------
    iterations : int
        Iterations made.
    residuals : tuple of float
        Relative residual of each right-hand side when it stopped.

    Examples
    --------
    >>> import neuro_field as nf
    >>> error = nf.ConvergenceError(iterations=200, residuals=(3.2e-4,), tolerance=1e-5)
    >>> error.iterations, error.residuals
    (200, (0.00032,))
    """

    def __init__(self, iterations: int, residuals: tuple[float, ...], tolerance: float) -> None:
        self.iterations = iterations
        self.residuals = residuals
        super().__init__(
            f"The solver stopped after {iterations} iterations at a relative residual of {max(residuals):.1e}, "
            f"above its tolerance {tolerance:.1e}; check the mesh for slivers and conductivities for extremes."
        )
