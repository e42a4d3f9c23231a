"""A job array for SLURM, as a file that whoever is in charge of the account submits; nothing is submitted here."""

import math
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from neuro_field.cohort.derivatives import LOGS
from neuro_field.cohort.entities import Who
from neuro_field.cohort.options import Options
from neuro_field.errors import InputError

#: Tasks of an array at most: SLURM's own limit, unless the cluster sets another.
MOST_TASKS = 1000

#: Time limits as SLURM writes them: minutes, hours:minutes:seconds, days-hours...
_TIME = re.compile(r"\d{1,6}|\d{1,4}:\d{2}(:\d{2})?|\d{1,3}-\d{1,2}(:\d{2}){0,2}")


def slurm_file(
    people: Sequence[Who], dataset: Path, out: Path, options: Options, *, more: Sequence[str] = (), memory: float = 8e9,
    time: str = "08:00:00", processors: int = 4,
) -> str:  # fmt: skip
    """The text of a job array: a task a participant, or several one after another where there are too many.

    Parameters
    ----------
    people : sequence of Who
    dataset, out : Path
        That every node sees.
    options : Options
    more : sequence of str
        Further arguments of the command, such as ``--answers FILE``.
    memory : float
        Of a task, bytes.
    time : str
        Limit of a task.
    processors : int
        Of a task; as many threads are computed with.

    Raises
    ------
    InputError
        If there is nobody, the time is none, or a path cannot stand in such a file.
    """
    if not people:
        raise InputError("A job array needs at least one participant; there is none.")
    if not _TIME.fullmatch(time):
        raise InputError(f"Option --time must be a limit as SLURM has it, 08:00:00; instead received {time!r:.40}.")
    for path in (str(dataset), str(out)):
        if any(letter in path for letter in '\n\r"%'):
            raise InputError(f"The path {path!r} cannot stand in a file of SLURM: it has a quote, a % or a line.")
    tasks = min(len(people), MOST_TASKS)
    command = [sys.executable, "-m", "neuro_field.cli", "cohort", str(dataset), str(out), "participant"]
    command += [*option_words(options), *more]
    labels = " ".join(each.label for each in people)
    return f"""#!/bin/bash
#SBATCH --job-name=neuro_field
#SBATCH --array=0-{tasks - 1}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={processors}
#SBATCH --mem={math.ceil(memory / 1e6)}M
#SBATCH --time={time}
#SBATCH --output="{out}/{LOGS}/slurm-%A_%a.out"
# {len(people)} participants in {tasks} tasks. Submit with: sbatch THIS_FILE

people=({labels})
command=({shlex.join(command)})

worst=0
for ((i = SLURM_ARRAY_TASK_ID; i < ${{#people[@]}}; i += {tasks})); do
  who=${{people[$i]}}
  chosen=(--participant-label "${{who%%_*}}")
  [[ $who == *_ses-* ]] && chosen+=(--session-label "${{who##*_}}")
  "${{command[@]}}" "${{chosen[@]}}"
  status=$?
  ((status > worst)) && worst=$status
done
exit $worst
"""


def option_words(options: Options) -> list[str]:
    """Options as the command line takes them."""
    words = []
    for name, given in (("preset", options.presets), ("coil", options.coils)):
        words += [word for each in given for word in (f"--{name}", each)]
    for name in ("edge", "rim", "radius", "spacing", "angle_step", "gap", "draws"):
        words += [f"--{name.replace('_', '-')}", f"{getattr(options, name):g}"]
    words += ["--nonlinear" if options.nonlinear else "--affine", "--segmenter", options.segmenter]
    return [*words, *(["--faceless"] if options.faceless else []), "--language", options.language]
