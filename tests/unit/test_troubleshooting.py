"""Every message that the operations page explains is one that the code, or Pulumi, writes."""

import ast
import re
from pathlib import Path

import pytest

import nugen_pulumi

ROOT = Path(__file__).parents[2]
# Pulumi's own, and Python's.
OF_OTHERS = (
    "the stack is currently locked",
    "error reading from server",
    "KeyError:",
    "No module named",
    "plugin not",
    "could not find",
    "Could not automatically",
)


def messages():
    """Return the strings of the package, with … for each part that varies."""
    for path in Path(nugen_pulumi.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


WRITTEN = " ".join(messages())


def explained():
    section = (ROOT / "docs" / "operations.md").read_text().split("## Troubleshooting by symptom")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ") and "`" in line.split("|")[1]]
    return [message for row in rows for message in re.findall("`([^`]+)`", row)]


def test_the_page_explains_messages():
    assert 20 <= len(explained())


@pytest.mark.parametrize("message", explained())
def test_a_message_that_is_explained_exists(message):
    if message.startswith(OF_OTHERS):
        return
    parts = [part.strip(" …:,") for part in re.split("…", message)]

    assert [] == [part for part in parts if part not in WRITTEN]
