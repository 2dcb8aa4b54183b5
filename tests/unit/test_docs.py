"""README and docs say what the code does: names, defaults, numbers, links, and every block of code runs."""

import argparse
import ast
import dataclasses
import importlib
import inspect
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nugen_pulumi
from nugen_pulumi import __main__ as tools
from nugen_pulumi import errors, settings
from nugen_pulumi.emulator import Emulator
from nugen_pulumi.emulator.__main__ import _parser
from nugen_pulumi.emulator.faults import FAULTS
from nugen_pulumi.emulator.stories import STORIES
from nugen_pulumi.engine import host
from nugen_pulumi.operations import inputs, outputs
from nugen_pulumi.waiting.polling import WaitPolicy

ROOT = Path(__file__).parents[2]
README, REFERENCE, HOW = ROOT / "README.md", ROOT / "docs" / "reference.md", ROOT / "docs" / "how-it-works.md"
TESTING = ROOT / "docs" / "testing.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "bench" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# Runs a program as it stands, with mocks in place of the engine.
RUN = """
import asyncio, runpy, sys, pulumi

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        return args.resource_id or args.name, args.inputs

    def call(self, args):
        return {}

asyncio.set_event_loop(asyncio.new_event_loop())  # the SDK expects one, and Python 3.14 makes none by itself
pulumi.runtime.set_mocks(Mocks(), preview=False)
pulumi.runtime.set_all_config({f"project:{key}": key for key in ("euKey", "usKey", "euModel", "usModel")})
pulumi.runtime.test(lambda: runpy.run_path(sys.argv[1]) and None)()
"""


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self):
        return f"{self.page.name}:{self.line}"

    @property
    def file(self):
        """The name that its first line gives it, or None."""
        found = re.match(r"# (\w+\.py)\n", self.text)
        return found and found[1]


def blocks_of(page):
    """Return the fenced blocks of *page*."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
PROGRAMS = [block for block in PYTHON if not block.file]
COMMANDS = [
    (str(block), line.split(" #")[0].strip().removesuffix(" &"))
    for block in BLOCKS
    if block.language == "sh"
    for line in block.text.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]


def prose(page):
    """Return the text of *page* without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def section(page, heading):
    """Return what stands below *heading*, up to the next heading."""
    parts = re.split(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[heading]


def rows(page, heading, first):
    """Return the rows of the table in a section whose first column is *first*, each a dict from head to cell."""
    found, head = [], None
    for line in section(page, heading).splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")] if line.startswith("|") else None
        if cells is None or head is None:
            head = cells
        elif not set(line) <= set("|- ") and head[0] == first:
            found.append(dict(zip(head, cells, strict=True)))
    return found


def code(cell):
    """Return the names in backticks in *cell*."""
    return re.findall(r"`([^`]+)`", cell)


def column(page, heading, first):
    """Return the names in backticks in the first column of a table."""
    return [name for row in rows(page, heading, first) for name in code(row[first])]


def value(cell):
    """Return what a cell for a default says: a value in backticks, None, or that there is none."""
    return (
        ast.literal_eval(cell.strip("`")) if cell.startswith("`") else {"required": inspect.Parameter.empty}.get(cell)
    )


def defaults(function):
    """Return the default of each argument of *function*."""
    arguments = inspect.signature(function).parameters
    return {name: given.default for name, given in arguments.items() if name not in ("self", "resource_name", "opts")}


def taken_by(cell, everybody):
    """Return whom of *everybody* the column `of` of a table names."""
    names = {one for name in code(cell) for one in everybody if one.endswith(name)}
    return everybody - names if cell.startswith("all") else names


def anchors(page):
    """Return the anchors that a code forge makes of the headings of *page*."""
    return [
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    ]


def test_every_link_leads_somewhere():
    broken, count = [], 0
    for page in PAGES:
        for target in re.findall(r"\]\(\s*([^)\s]+)\s*\)", prose(page)):
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            count += 1
            if not re.match(r"\w+:", target) and not (file.exists() and (not anchor or anchor in anchors(file))):
                broken.append(f"{page.name}: {target}")

    assert [] == broken
    assert count > 40


def test_every_picture_is_shown_in_its_own_scheme_and_every_picture_that_is_shown_exists():
    shown = {
        ((page.parent / file).resolve(), "dark" if kind == "srcset" else "light")
        for page in PAGES
        for kind, file in re.findall(r'\b(srcset|src)="([^"]+)"', prose(page))
    }

    assert {(file, file.stem.rpartition("-")[2]) for file in (ROOT / "docs" / "pictures").iterdir()} == shown


def test_no_page_names_what_is_not_the_readers():
    """Folders of some machine, and what looks like a key."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert [] == re.findall(r"(?<![\w.])/(?:work|home|root|tmp|Users)/|nugen-[\w-]{22}", text)


RESOURCES = {
    "UndeployedModel": nugen_pulumi.UndeployedModel.__init__,
    "UndeployedModels": nugen_pulumi.UndeployedModels.__init__,
    "DeployedModel": nugen_pulumi.DeployedModel.__init__,
    "UndeployedModel.get()": nugen_pulumi.UndeployedModel.get,
    "DeployedModel.get()": nugen_pulumi.DeployedModel.get,
}
FUNCTIONS = {name: getattr(nugen_pulumi, name) for name in ("get_undeploy_status", "get_models")}


@pytest.mark.parametrize(
    ("heading", "name", "function", "everybody"),
    [
        *(("Inputs", name, function, set(RESOURCES)) for name, function in RESOURCES.items()),
        *(("Functions", name, function, set(FUNCTIONS)) for name, function in FUNCTIONS.items()),
    ],
    ids=[*RESOURCES, *FUNCTIONS],
)
def test_the_reference_names_every_input_with_its_default_and_no_other(heading, name, function, everybody):
    """None for the timeout is a default that `inputs` knows."""
    really = defaults(function)
    if "timeout_seconds" in really:
        really["timeout_seconds"] = inputs.DEFAULT_TIMEOUT_SECONDS
    table = [row for row in rows(REFERENCE, heading, "input") if name in taken_by(row["of"], everybody)]

    assert really == {code(row["input"])[0]: value(row["default"]) for row in table}


def test_the_reference_names_every_input_of_a_provider():
    table = rows(REFERENCE, "Provider", "input")

    assert defaults(nugen_pulumi.Provider.__init__) == {code(row["input"])[0]: value(row["default"]) for row in table}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("UndeployedModel", outputs.OF_MODEL),
        ("UndeployedModels", outputs.OF_FLEET),
        ("DeployedModel", outputs.OF_DEPLOYED),
    ],
)
def test_the_reference_names_every_output_and_no_other(name, known):
    table = rows(REFERENCE, "Outputs", "output")

    assert set(known) == {code(row["output"])[0] for row in table if name in taken_by(row["of"], {*RESOURCES})}


@pytest.mark.parametrize("page", [README, REFERENCE], ids=lambda page: page.name)
def test_every_setting_is_there_with_its_variable_and_no_other(page):
    table = rows(page, "Settings", "stack config")

    assert settings.VARIABLES == {code(row["stack config"])[0]: code(row["environment"])[0] for row in table}


def test_the_reference_tells_the_settings_defaults():
    known = {
        "nugen:apiKey": None,
        "nugen:baseUrl": settings.DEFAULT_BASE_URL,
        "nugen:requestTimeoutSeconds": settings.DEFAULT_REQUEST_TIMEOUT,
        "nugen:maxConcurrentRequests": settings.DEFAULT_MAX_CONCURRENT_REQUESTS,
    }
    table = rows(REFERENCE, "Settings", "stack config")

    assert known == {code(row["stack config"])[0]: value(row["default"]) for row in table}


def test_the_readmes_defaults_are_those_of_the_code():
    known = {**inputs.DEFAULTS, "timeout_seconds": inputs.DEFAULT_TIMEOUT_SECONDS, "triggers": None}
    cells = {code(row["input"])[0]: row["type, default"].split(", ", 1)[1] for row in rows(README, "Inputs", "input")}
    told = {name: ast.literal_eval(cell.strip("`")) for name, cell in cells.items() if cell != "required"}

    assert known == told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.name}")
def test_no_page_names_a_setting_or_an_input_that_does_not_exist(page):
    text = page.read_text(encoding="utf-8")
    written = {name for span in code(prose(page)) for name in re.findall(r"(?<![\w-])([a-z_]+)=", span)}
    known = {"opts", "preview", "models", *inputs.NAMES, *defaults(nugen_pulumi.Provider.__init__)}

    assert set(re.findall(r"\bnugen:(?!index:|get)[a-z]\w+|\bNUGEN_\w+", text)) <= {
        *settings.VARIABLES,
        *settings.VARIABLES.values(),
    }
    assert written <= known


def test_the_reference_names_all_that_is_public():
    assert set(nugen_pulumi.__all__) <= {name.split("(")[0] for name in code(prose(REFERENCE))}


def test_the_reference_tells_of_every_error_that_a_program_can_catch_and_of_none_that_is_not_there():
    told = {code(row["error"])[0] for row in rows(REFERENCE, "Errors", "error")}

    assert {name for name in nugen_pulumi.__all__ if name.endswith("Error")} <= told <= {*vars(errors)}


def number_in_the_code(name):
    """Return the number that *name* stands for: a field of the policy, or `module.NAME`."""
    module, attribute = name.split(".")
    if module == "WaitPolicy":
        return getattr(WaitPolicy(), attribute)
    [path] = Path(nugen_pulumi.__file__).parent.rglob(f"{module}.py")
    folder = f"{path.parent.name}." * (path.parent.name != "nugen_pulumi")
    return getattr(importlib.import_module(f"nugen_pulumi.{folder}{module}"), attribute)


def test_the_numbers_of_a_wait_are_those_of_the_code():
    """Each field of the policy among them."""
    table = rows(HOW, "The numbers", "number")
    told = {code(row["name in the code"])[0]: float(row["number"]) for row in table}

    assert {name: number_in_the_code(name) for name in told} == told
    assert {f"WaitPolicy.{field.name}" for field in dataclasses.fields(WaitPolicy)} <= set(told)


def test_each_workaround_for_the_host_is_explained():
    public = {name for name, found in vars(host).items() if getattr(found, "__module__", "") == host.__name__}
    methods = {f"HostCall.{name}" for name in vars(host.HostCall) if not name.startswith("_")}
    known = {name for name in public if name.islower() and name[0] != "_"} | methods

    assert known == set(column(HOW, "What host.py is for", "piece"))


def test_every_module_that_a_page_names_exists():
    named = {name for page in PAGES for span in code(prose(page)) for name in re.findall(r"\b\w+\.py$", span)}
    there = {path.name for folder in ("nugen_pulumi", "tests", "bench") for path in (ROOT / folder).rglob("*.py")}

    assert named <= {*there, "__main__.py"}


def test_every_fault_and_every_story_of_the_emulator_is_explained():
    assert sorted(FAULTS) == sorted(column(TESTING, "Faults", "fault"))
    assert [f"{story.prefix}…" for story in STORIES if story.prefix] == column(TESTING, "With real stacks", "id")


@pytest.fixture(scope="module")
def emulated():
    """Return the environment of a program that polls."""
    with Emulator(models="any", undeploy_seconds=0) as emulator:
        emulator.add("exp-1")  # for who lists the models
        yield {**os.environ, "NUGEN_BASE_URL": emulator.url, "NUGEN_API_KEY": "emulator-key"}


@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_every_program_runs(block, emulated, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(block.text, encoding="utf-8")
    run = subprocess.run([sys.executable, "-c", RUN, str(program)], env=emulated, cwd=tmp_path, timeout=60, check=False)

    assert 0 == run.returncode


def test_the_recipes_for_tests_are_tests_that_pass(tmp_path):
    """Typed from the page into an empty folder, as a reader would."""
    files = {block.file: block.text for block in PYTHON if block.file}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(command, check=False, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    claims = sum(text.count("\ndef test_") for text in files.values())

    assert {"retire.py", "test_retire.py", "test_lookup.py"} == set(files)
    assert f"{claims} passed" in run.stdout, run.stdout


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=[f"{where} {command}" for where, command in COMMANDS])
def test_every_command_is_known(where, command):
    """And what it names of ours exists: targets of `make`, options of our commands."""
    words = shlex.split(command)
    while re.match(r"\w+=", words[0]):
        words.pop(0)
    program, *arguments = words
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert program in {"export", "make", "pip", "pulumi", "pytest", "python", "python3", "unset"}
    if program == "make":
        assert set(arguments) <= targets
    for module, parser in (("nugen_pulumi.emulator", _parser), ("nugen_pulumi", tools._parser)):
        if arguments[:2] == ["-m", module]:
            assert isinstance(parser().parse_args(arguments[2:]), argparse.Namespace)


def test_the_readme_of_a_package_index_links_to_nothing_that_is_not_there():
    """An index shows the README apart from the repository, which has no public address yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shown = README.read_text(encoding="utf-8")
    for substitution in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        shown = re.sub(substitution["pattern"], substitution["replacement"], shown)

    assert [] == [link for link in re.findall(r"\]\(([^)]+)\)", shown) if not link.startswith(("https://", "#"))]
    assert "docs/pictures" not in shown
    assert "urls" not in project["project"], "the links can be links again"
