"""Damaged files for every reader: each is refused in one line, or read as something that holds and comes back the same.

``python tests/fuzz.py --seconds 600`` (`make fuzz`) runs them in processes of their own, watched for time and memory;
`tests/test_fuzz.py` runs a few.  A file is made from its seed and number alone: what failed is made again by
``--seed S --only N``, and is kept in ``build/fuzz``.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from fuzz_damage import damage
from fuzz_kinds import KINDS, Kind

from neuro_field.errors import InputError

#: No file takes longer, s of a processor, nor more memory than this above what Python and the libraries have, bytes.
MOST_SECONDS, MOST_MEMORY = 20.0, 1_000_000_000

#: A process that is silent for longer, s, hangs: other work may slow it down some.
SILENT = 4 * MOST_SECONDS

#: Memory that a process may ask for at all above what it has: what asks for more gets none, and the machine lives on.
MOST_ASKED = 4_000_000_000

#: A message is one line of at most so many characters.
LONGEST = 1000


@dataclass(frozen=True)
class Outcome:
    """What became of one file: "refused", "held", or what is wrong with it."""

    number: int
    kind: str
    verdict: str
    wrong: str = ""
    seconds: float = 0.0
    memory: int = 0


class Seeds:
    """Good files, made once by kind."""

    def __init__(self, folder: Path, kinds: tuple[Kind, ...] = KINDS) -> None:
        self.kinds, self._folder = kinds, folder

    def folder(self, kind: Kind) -> Path:
        """Of one kind, made when it is first asked for."""
        out = self._folder / kind.name
        if not out.exists():
            beside = Path(tempfile.mkdtemp(dir=self._folder))
            kind.make(beside)
            large = {path.name: path.stat().st_size for path in kind.harmed(beside) if path.stat().st_size > 200_000}
            assert not large, f"seeds of {kind.name} must be under 200 kB: {large}"
            beside.rename(out)
        return out


def attempt(seeds: Seeds, seed: int, number: int, folder: Path) -> Outcome:
    """Damage one file, read it, and judge what came of it."""
    import numpy as np

    rng = np.random.default_rng([seed, number])
    kind = seeds.kinds[number % len(seeds.kinds)]
    place = folder / kind.folder
    shutil.copytree(seeds.folder(kind), place)
    harmed = sorted(kind.harmed(place))
    path = harmed[rng.integers(len(harmed))]
    path.write_bytes(damage(path, rng))
    started, before = time.process_time(), _peak()
    verdict, wrong = judged(kind, place, folder / "again")
    seconds, memory = time.process_time() - started, _peak() - before
    if seconds > MOST_SECONDS:
        verdict, wrong = "slow", f"it took {seconds:.0f} s of a processor"
    return Outcome(number, kind.name, verdict, wrong, seconds, memory)


def judged(kind: Kind, place: Path, again: Path) -> tuple[str, str]:
    """The verdict on one folder, and what is wrong."""
    again.mkdir(exist_ok=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read = kind.read(place)
    except (InputError, FileNotFoundError) as error:
        said = str(error)
        if "\n" in said or not said.isprintable():
            return "not one plain line", repr(said)[:300]
        return ("refused", "") if len(said) <= LONGEST else ("too long a message", said[:200])
    except BaseException as error:
        return "traceback", _told(error)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            kind.hold(read, again)
    except BaseException as error:
        return "does not hold", _told(error)
    return "held", ""


def _told(error: BaseException) -> str:
    """The error, where it was raised, and where in our code."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "neuro_field" in frame.filename or "fuzz_kinds" in frame.filename]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in ours[-3:]]
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]} ({' > '.join(places)})"


def _peak() -> int:
    """Most memory this process ever held, bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# ---- processes


def _work(link: Connection, seeds_folder: Path, seed: int, scratch: Path) -> None:
    """A process that is sent numbers and sends outcomes."""
    quiet()
    for kind in KINDS:  # what readers import and compile is no file's memory
        judged(kind, Seeds(seeds_folder).folder(kind), Path(tempfile.mkdtemp(dir=scratch)))
    base = _peak()
    held = 1024 * int(Path("/proc/self/statm").read_text().split()[0]) * (os.sysconf("SC_PAGE_SIZE") // 1024)
    resource.setrlimit(resource.RLIMIT_AS, (held + MOST_ASKED, resource.RLIM_INFINITY))
    link.send(None)
    while (number := link.recv()) is not None:
        folder = Path(tempfile.mkdtemp(dir=scratch))
        outcome = attempt(Seeds(seeds_folder), seed, number, folder)
        above = _peak() - base
        if above > MOST_MEMORY and not outcome.wrong:
            outcome = Outcome(number, outcome.kind, "memory", f"{above / 1e9:.1f} GB above the base", memory=above)
        shutil.rmtree(folder, ignore_errors=True)
        link.send(outcome)


def quiet() -> None:
    """Keep nibabel from telling stderr what it mends."""
    import nibabel

    nibabel.imageglobals.logger.disabled = True


class Worker:
    """A process, the number it is busy with, and since when."""

    def __init__(self, seeds_folder: Path, seed: int, scratch: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.link, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, seeds_folder, seed, scratch), daemon=True)
        self.process.start()
        theirs.close()
        self.number: int | None = None
        self.since = time.monotonic()

    def give(self, number: int | None) -> None:
        self.number, self.since = number, time.monotonic()
        self.link.send(number)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()


def run(
    seed: int, numbers: "list[int] | None", seconds: float, workers: int, most: int, kept: Path
) -> tuple[Counter[tuple[str, str]], list[Outcome]]:
    """Verdicts by kind, and what failed."""
    counts: Counter[tuple[str, str]] = Counter()
    failed: list[Outcome] = []
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as name:
        scratch, seeds_folder = Path(name) / "scratch", Path(name) / "seeds"
        scratch.mkdir()
        seeds_folder.mkdir()
        seeds = Seeds(seeds_folder)
        for kind in KINDS:
            seeds.folder(kind)
        todo = iter(numbers if numbers is not None else range(most))
        crew = [Worker(seeds_folder, seed, scratch) for _ in range(workers)]

        def done(outcome: Outcome) -> None:
            counts[outcome.kind, outcome.verdict] += 1
            if outcome.verdict not in ("refused", "held"):
                failed.append(outcome)
                print(f"{outcome.kind}: {outcome.verdict}: {outcome.wrong}  [--seed {seed} --only {outcome.number}]")
                sys.stdout.flush()
                _keep(seeds, seed, outcome, kept)

        def replaced(worker: Worker, verdict: str, wrong: str) -> None:
            assert worker.number is not None, "a worker died before its first file"
            worker.stop()
            done(Outcome(worker.number, KINDS[worker.number % len(KINDS)].name, verdict, wrong))
            crew[crew.index(worker)] = Worker(seeds_folder, seed, scratch)

        while crew:
            for link in wait([worker.link for worker in crew], timeout=1.0):
                worker = next(worker for worker in crew if worker.link is link)
                try:
                    outcome = worker.link.recv()
                except EOFError:
                    worker.process.join()
                    replaced(worker, "died", f"the process ended with {worker.process.exitcode}")
                    continue
                if outcome is not None:
                    done(outcome)
                    if outcome.verdict == "memory":  # its peak would be counted again
                        worker.stop()
                        crew[crew.index(worker)] = Worker(seeds_folder, seed, scratch)
                        continue
                number = next(todo, None) if time.monotonic() < end else None
                worker.give(number)
                if number is None:
                    worker.process.join()
                    crew.remove(worker)
            for worker in list(crew):
                if worker.number is not None and time.monotonic() - worker.since > SILENT:
                    replaced(worker, "slow", f"nothing for {SILENT:.0f} s")
    return counts, failed


def _keep(seeds: Seeds, seed: int, outcome: Outcome, kept: Path) -> None:
    """Make the damaged folder once more, to look at."""
    import numpy as np

    rng = np.random.default_rng([seed, outcome.number])
    kind = seeds.kinds[outcome.number % len(seeds.kinds)]
    place = kept / f"{seed}-{outcome.number}" / kind.folder
    shutil.rmtree(place.parent, ignore_errors=True)
    shutil.copytree(seeds.folder(kind), place)
    harmed = sorted(kind.harmed(place))
    path = harmed[rng.integers(len(harmed))]
    path.write_bytes(damage(path, rng))


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--seconds", type=float, default=600.0, help="time for all")
    asked.add_argument("--files", type=int, default=10_000, help="at most")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--only", type=int, nargs="+", help="these numbers alone")
    asked.add_argument("--workers", type=int, default=max(1, min(4, os.cpu_count() or 1)))
    asked.add_argument("--kept", type=Path, default=Path("build/fuzz"), help="where files that failed are kept")
    given = asked.parse_args()
    started = time.monotonic()
    counts, failed = run(given.seed, given.only, given.seconds, given.workers, given.files, given.kept)
    for kind in KINDS:
        told = {verdict: n for (name, verdict), n in sorted(counts.items()) if name == kind.name}
        print(f"{kind.name:>24}  {', '.join(f'{verdict} {n}' for verdict, n in told.items())}")
    took = time.monotonic() - started
    print(f"{sum(counts.values())} files in {took:.0f} s, seed {given.seed}: {len(failed)} failed")
    return min(len(failed), 1)


if __name__ == "__main__":
    sys.exit(main())
