"""How tests/version2_plan.json was made: by neuro_field at commit 3e3a2a9, the last that wrote version 2 of the schema.

Run there, with this folder's parent as the working directory::

    git worktree add ../version2 3e3a2a9
    PYTHONPATH=../version2:../version2/tests python -P tests/make_version2_plan.py

The study is the tiny one of that commit's tests, on a coarser search so that the file stays small.
"""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from neuro_field.io.coils import load_coil
from neuro_field.io.plans import write_study
from neuro_field.planning.candidates import Grid
from neuro_field.planning.study import study
from tiny_study import tiny_head


def main() -> None:
    coil = replace(load_coil("figure8-70mm"), didt_max=1e8)
    made = study(
        tiny_head(), preset="contralesional-1hz-hand", coil=coil, rmt=50.0, mep_ipsilesional="absent", fma_ue=30.0,
        grid=Grid(radius=15, spacing=15, angle_step=90), tolerance=1e-4, draws=5,
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        write_study(made, Path(folder) / "PLAN")
        record = json.loads((Path(folder) / "PLAN" / "plan.json").read_text(encoding="utf-8"))
    assert record["version"] == 2
    text = json.dumps(record, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    (Path(__file__).parent / "version2_plan.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
