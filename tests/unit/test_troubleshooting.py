"""Every message that the operations page explains is one that the code, or Pulumi, writes."""

import ast
import re
from pathlib import Path

import pytest

import nugen_pulumi

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
# Pulumi's own, and Python's.
OF_OTHERS = re.compile(
    "the stack is currently locked|error reading from server|Key(board|Error)|No module named|plugin not|"
    "[Cc]ould not (find|automatically)"
)


def messages():
    """Return the strings of the package, with … for each part that varies."""
    for path in Path(nugen_pulumi.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                message = "".join(part.value if isinstance(part, ast.Constant) else _name(part) for part in node.values)
                yield from (message.replace("direction.flag", flag) for flag in ("undeployed", "deployed"))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _name(part):
    return name if (name := ast.unparse(part.value)) == "direction.flag" else "…"


WRITTEN = " ".join(messages())
TABLE = PAGE.read_text(encoding="utf-8").split("\n## Troubleshooting by symptom")[1].split("\n## ")[0]
EXPLAINED = [
    message
    for line in TABLE.splitlines()
    if line.startswith("| ")
    for message in re.findall("`([^`]+)`", line.split("|")[1])
]


@pytest.mark.parametrize("message", [message for message in EXPLAINED if not OF_OTHERS.match(message)])
def test_a_message_that_is_explained_exists(message):
    parts = [part.strip(" …:,") for part in message.split("…")]

    assert [] == [part for part in parts if part not in WRITTEN]
