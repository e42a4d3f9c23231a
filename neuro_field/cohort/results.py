"""What a study gives to the group: |E| of each side's best placement in MNI152 and on fsaverage5, and the lesion."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from neuro_field.clinic.study import Study
from neuro_field.cohort.derivatives import beside_table, field_name, keep_text, lesion_name, table_name, write_map
from neuro_field.cohort.entities import Who, as_label
from neuro_field.cohort.fsaverage import NAME, registered_points
from neuro_field.cohort.standard import TEMPLATE, Standard
from neuro_field.cohort.table import COLUMNS, rows_of, table_text
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.store.plans import read_kept

#: The side to which affected hemispheres are turned.
AFFECTED = "left"


def write_lesion(head: HeadModel, out: Path, who: Who) -> list[str]:
    """Write the lesion of a head in MNI152; nothing of a head without one, or without a map."""
    if head.mapping is None or not head.region("lesion").any():
        return []
    mask = Standard(head).lesion
    about = {"Type": "Lesion", "Sources": [f"bids::sourcedata/neuro_field/{who.label}/head/head.msh"]}
    return write_map(out, lesion_name(who), mask, "The lesion as it was meshed: 1 inside.", **about)


def write_rows(folder: Path, out: Path, who: Who, name: str) -> list[str]:
    """Write the table of a plan that was written to a folder, with its sidecar; the names of both."""
    kept = read_kept(folder)
    rows = rows_of(kept.study, kept.facts, participant=who.participant, session=who.session)
    path = table_name(who, as_label(name))
    sidecar = path.removesuffix(".tsv") + ".json"
    keep_text(out / path, table_text(rows))
    keep_text(out / sidecar, beside_table(COLUMNS))
    return [path, sidecar]


@noun
class StudyMaps:
    """The standard places of one head, as it lies and turned over; None of a head without a map to MNI152."""

    as_it_lies: Standard | None
    turned: Standard | None

    @classmethod
    def of(cls, head: HeadModel, surfaces: Path | None) -> "StudyMaps":
        """Of a head, with the surfaces of FreeSurfer where there are any."""
        if head.mapping is None:
            return cls(None, None)
        registered = None if surfaces is None else registered_points(surfaces)
        return cls(Standard(head, registered=registered), Standard(head, flipped=True))

    def write(self, study: Study, out: Path, who: Who, name: str) -> list[str]:
        """Write the maps of a study; the names of all files.

        Of a head whose right hemisphere is the affected one every map is written a second time, turned over.
        """
        files: list[str] = []
        for role, plan in study.plans.items():
            turns = {"": self.as_it_lies}
            if study.affected is not None and study.affected != AFFECTED:
                turns["Flipped"] = self.turned
            for word, standard in turns.items():
                if standard is None or plan.field is None:
                    continue
                about: dict[str, Any] = {
                    "Units": "V/m", "DIDT_A_per_s": plan.field.didt, "Coil": plan.field.coil.name,
                    "Preset": study.preset.name, "Role": role, "Side": study.side_of(role), "Flipped": bool(word),
                    "Affected": study.affected,
                }  # fmt: skip
                words = "Magnitude of the induced electric field of the best placement at 1 A/us"
                described = f"{role}E{word}"
                mni = field_name(who, TEMPLATE, as_label(name), described)
                files += write_map(out, mni, standard.in_mni(plan.field), f"{words}; 0 outside the brain.", **about)
                surface = field_name(who, NAME, as_label(name), described)
                values = standard.on_fsaverage(plan.field)
                fit = {"FsaverageFit": asdict(standard.fit)}
                files += write_map(out, surface, values, f"{words}; NaN where no cortex is near.", **about, **fit)
        return files
