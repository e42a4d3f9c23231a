"""The command-line reference as Markdown, from the commands themselves: docs/made/commands.md."""

import re
from pathlib import Path
from typing import Any

from typer.main import get_command

from neuro_field.cli import app


def write_reference(folder: Path) -> None:
    """Write the reference for a page to include."""
    folder.mkdir(exist_ok=True)
    (folder / "commands.md").write_text(reference(), encoding="utf-8")


def reference() -> str:
    """A section for each command: what it does, its example, its arguments and options with their defaults."""
    group = get_command(app)
    return "\n".join(_section(name, command) for name, command in group.commands.items())


def _section(name: str, command: Any) -> str:
    text = re.sub(r"\s*\n\s*", " ", re.sub(r"\n\s*\n", "\n\n", command.help or "").replace("\n\n", "\0")).replace(
        "\0", "\n\n"
    )
    about, _, example = text.partition("Example: ")
    lines = [f"## `{name}`", "", about.strip(), ""]
    if example:
        lines += ["```bash", example.strip().strip("`"), "```", ""]
    lines += ["| | | default |", "|---|---|---|"]
    lines += [_row(parameter) for parameter in command.params if parameter.name != "help"]
    return "\n".join(lines) + "\n"


def _row(parameter: Any) -> str:
    """Name, what it says, and the default or that it is needed."""
    option = parameter.param_type_name == "option"
    name = (
        ", ".join(f"`{name}`" for name in parameter.opts)
        if option
        else f"`{cell(parameter.metavar or parameter.name.upper())}`"
    )
    return f"| {name} | {cell(parameter.help or '')} | {_default(parameter, option)} |"


def _default(parameter: Any, option: bool) -> str:
    if parameter.required:
        return "needed"
    if parameter.default is None or parameter.default is False or parameter.default in ((), []):
        return "" if option else "may be left out"
    return f"`{parameter.default:g}`" if isinstance(parameter.default, float) else f"`{parameter.default}`"


def cell(text: str) -> str:
    """Text that stays within a cell of a table."""
    return text.replace("|", r"\|").replace("\n", " ")
