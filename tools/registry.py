"""
Write the two pages of the Pulumi registry from README, docs and schema, so that nothing is written twice.

The registry takes ``docs/_index.md`` and ``docs/installation-configuration.md`` from the repository. Run this after a
change of what they are made of: ``.venv/bin/python tools/registry.py``. A test fails until then.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MADE = "<!-- Made by tools/registry.py from README.md, docs/other-languages.md and schema.json: change those. -->"


def _section(page: str, heading: str) -> str:
    """Return what stands below *heading*, up to the next heading of its level or above."""
    text = (ROOT / page).read_text()
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"{page} has no section {heading!r}")
    return found[2].strip()


def _block(text: str, language: str) -> str:
    """Return the first block in *language* that declares a resource of this package."""
    blocks = re.findall(rf"^```{language}\n.*?^```$", text, re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if "UndeployedModel" in block)


def _plain(text: str) -> str:
    """Leave out links into the repository, which the registry does not have; keep their words."""
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", text)


def _head(title: str, description: str) -> str:
    return f"---\ntitle: {title}\nmeta_desc: {description}\nlayout: package\n---\n\n{_MADE}\n"


def pages() -> dict[str, str]:
    """Return the pages by path."""
    schema = json.loads((ROOT / "nugen_pulumi" / "plugin" / "schema.json").read_text())
    name, description = schema["displayName"], schema["description"]
    readme = (ROOT / "README.md").read_text()
    about = readme.split("\n## ")[0].split("\n", 2)[2].strip()
    python = _block(readme, "python")
    other = _section("docs/other-languages.md", "Undeploy models with YAML")
    install = _section("docs/other-languages.md", "Install the plugin")
    index = f"""{_head(name, description)}
{about}

## Example

{{{{< chooser language "python,yaml" >}}}}

{{{{% choosable language python %}}}}

{python}

{{{{% /choosable %}}}}

{{{{% choosable language yaml %}}}}

{_block(other, "yaml")}

{{{{% /choosable %}}}}

{{{{< /chooser >}}}}
"""
    title, purpose = f"{name} Installation & Configuration", f"How to install and configure {name} for Pulumi."
    installation = f"""{_head(title, purpose)}
## Installation

Python programs need only the package:

```sh
pip install nugen-pulumi
```

Programs in other languages also need the plugin.

{install}

## Configuration

{_section("README.md", "Settings")}
"""
    return {"docs/_index.md": _plain(index), "docs/installation-configuration.md": _plain(installation)}


if __name__ == "__main__":
    for path, text in pages().items():
        (ROOT / path).write_text(text)
