"""What axe-core, the usual checker of accessibility, finds of a page in a browser."""

import pytest

#: Impacts that no page of ours may have.
GRAVE = ("serious", "critical")


def grave_findings(page):
    """As "rule: element" each; skips the test where the package with axe-core is not installed."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is not installed: pip install -e .[dev]"
    )
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]}" for rule in found if rule["impact"] in GRAVE for node in rule["nodes"]
    ]
