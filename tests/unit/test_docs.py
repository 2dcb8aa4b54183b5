"""README and docs say what the code does: names, defaults, numbers, links, and every block of code."""

import argparse
import ast
import dataclasses
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
from nugen_pulumi.http import pace, response
from nugen_pulumi.operations import inputs, outputs
from nugen_pulumi.waiting import polling, request_fate, wait_messages

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]
REFERENCE = ROOT / "docs" / "reference.md"
HOW = ROOT / "docs" / "how-it-works.md"
TESTING = ROOT / "docs" / "testing.md"
QUIRKS = ROOT / "docs" / "api-quirks.md"
README = ROOT / "README.md"

KNOWN_COMMANDS = {"export", "make", "pip", "pulumi", "pytest", "python", "python3", "unset"}
SETTINGS = settings.VARIABLES
MODULES = {
    module.__name__.rpartition(".")[2]: module for module in (inputs, pace, polling, request_fate, response, settings)
}

# Each program runs as it stands, in a fork of one process: what the SDK remembers outlives a program, and importing it
# takes longer than all of them.
RUN = """
import asyncio, os, runpy, sys, traceback
import pulumi, nugen_pulumi

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        print(args.typ)
        return args.resource_id or args.name, {**args.inputs, "models": {"bot-a": {"status": "COMPLETED"}}}

    def call(self, args):
        return {}

def run(path):
    sys.stdout = sys.stderr = open(path + ".said", "w")
    try:
        asyncio.set_event_loop(asyncio.new_event_loop())  # the SDK expects one, and Python 3.14 makes none by itself
        pulumi.runtime.set_mocks(Mocks(), preview=False)
        pulumi.runtime.set_all_config({f"project:{key}": key for key in ("euKey", "usKey", "euModel", "usModel")})
        pulumi.runtime.test(lambda: runpy.run_path(path) and None)()
        print("Well.")
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(0)

for path in sys.argv[1:]:
    os.fork() or run(path)
for _ in sys.argv[1:]:
    os.wait()
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
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
PROGRAMS = [block for block in PYTHON if re.search(r"^import pulumi$", block.text, re.MULTILINE) and not block.file]
COMMANDS = [
    (str(block), line.split(" #")[0].strip().removesuffix(" &"))
    for block in BLOCKS
    if block.language == "sh"
    for line in block.text.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]


def prose(page):
    """Return the text of *page* without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def sections(page):
    """Return the text below each heading by that heading."""
    parts = re.split(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text):
    """Return the rows of the tables in *text*, each a mapping from the table's head to its cells."""
    found, head = [], None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else None
        if cells is None:
            head = None
        elif head is None:
            head = [cell.strip() for cell in line.strip("| ").split("|")]
        elif not set(line) <= set("|- "):
            found.append(dict(zip(head, (cell.strip("| ") for cell in cells), strict=True)))
    return found


def code(cell):
    """Return the names in backticks in *cell*."""
    return re.findall(r"`([^`]+)`", cell)


def column(page, section, head):
    """Return the names in backticks in the column *head* of the tables in *section*."""
    return [name for row in rows(sections(page)[section]) for name in code(row.get(head, ""))]


def value(cell):
    """Return what a cell for a default says: a value in backticks, None, or that there is none."""
    return (
        ast.literal_eval(cell.strip("`")) if cell.startswith("`") else {"required": inspect.Parameter.empty}.get(cell)
    )


def defaults(function, *, without=("self", "resource_name", "opts")):
    """Return the default of each argument of *function*."""
    arguments = inspect.signature(function).parameters
    return {name: argument.default for name, argument in arguments.items() if name not in without}


def anchors(page):
    """Return the anchors that a code forge makes of the headings of *page*."""
    found = []
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return found


def links():
    """Return each relative link with its page."""
    return [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(\s*([^)\s]+)\s*\)", prose(page))
        if not re.match(r"\w+:", target)
    ]


def test_every_page_links_to_what_exists():
    broken = []
    for page, target in links():
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(f"{page.name}: {target}")

    assert [] == broken
    assert len(links()) > 20


def pictures():
    """Return each picture that a page shows, and the scheme that it is shown in."""
    return [
        ((page.parent / file).resolve(), "dark" if kind == "srcset" else "light")
        for page in PAGES
        for kind, file in re.findall(r'\b(srcset|src)="([^"]+)"', prose(page))
    ]


def test_every_picture_is_shown_and_every_picture_that_is_shown_exists():
    assert set((ROOT / "docs" / "pictures").iterdir()) == {file for file, _ in pictures()}


def test_every_picture_is_shown_in_its_own_scheme_and_told_to_who_cannot_see_it():
    told = [alt for page in PAGES for alt in re.findall(r'<img\b[^>]*?\balt="([^"]+)"', prose(page))]

    assert [] == [file.name for file, scheme in pictures() if not file.stem.endswith(f"-{scheme}")]
    assert len(pictures()) == 2 * len(told)


def test_no_page_names_what_is_not_the_readers():
    """Folders of some machine, and what looks like a key."""
    found = [
        f"{page.name}: {name}"
        for page in PAGES
        for name in re.findall(r"(?<![\w.])/(?:work|home|root|tmp|Users)/|nugen-[\w-]{22}", page.read_text())
    ]

    assert [] == found


def test_the_readme_fits_on_a_few_screens():
    """A stranger's first hour: from an empty folder to the tables of inputs, outputs and settings."""
    assert len(README.read_text().splitlines()) < 200


@pytest.mark.parametrize(
    ("section", "function"),
    [
        ("Inputs of UndeployedModel", nugen_pulumi.UndeployedModel.__init__),
        ("Inputs of UndeployedModels", nugen_pulumi.UndeployedModels.__init__),
        ("UndeployedModel.get", nugen_pulumi.UndeployedModel.get),
        ("Inputs of DeployedModel", nugen_pulumi.DeployedModel.__init__),
        ("DeployedModel.get", nugen_pulumi.DeployedModel.get),
        ("Provider", nugen_pulumi.Provider.__init__),
        ("get_undeploy_status", nugen_pulumi.get_undeploy_status),
        ("get_models", nugen_pulumi.get_models),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_the_reference_names_every_input_with_its_default_and_no_other(section, function):
    """None for the timeout is a default that `inputs` knows."""
    really = defaults(function)
    if "timeout_seconds" in really:
        really["timeout_seconds"] = inputs.DEFAULT_TIMEOUT_SECONDS
    told = {code(row["input"])[0]: value(row["default"]) for row in rows(sections(REFERENCE)[section])}

    assert really == told


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("Outputs of UndeployedModel", outputs.OF_MODEL),
        ("Outputs of UndeployedModels", outputs.OF_FLEET),
        ("Outputs of DeployedModel", outputs.OF_DEPLOYED),
        (
            "GetUndeployStatusResult",
            [field.name for field in dataclasses.fields(nugen_pulumi.GetUndeployStatusResult)],
        ),
    ],
    ids=["model", "fleet", "deployed", "poll"],
)
def test_the_reference_names_every_output_in_order_and_no_other(section, names):
    assert list(names) == column(REFERENCE, section, "output")


def test_the_reference_says_what_is_kept_of_each_model_of_a_fleet():
    [models] = [row for row in rows(sections(REFERENCE)["Outputs of UndeployedModels"]) if row["output"] == "`models`"]

    assert list(outputs.OF_MODEL) == code(models["meaning"])


@pytest.mark.parametrize("page", [README, REFERENCE], ids=lambda page: page.name)
def test_every_setting_is_there_with_its_variable_and_no_other(page):
    told = {code(row["stack config"])[0]: code(row["environment"])[0] for row in rows(sections(page)["Settings"])[:4]}

    assert SETTINGS == told
    assert 4 == len(SETTINGS)


def test_the_reference_tells_the_settings_defaults():
    known = {
        "nugen:apiKey": None,
        "nugen:baseUrl": settings.DEFAULT_BASE_URL,
        "nugen:requestTimeoutSeconds": settings.DEFAULT_REQUEST_TIMEOUT,
        "nugen:maxConcurrentRequests": settings.DEFAULT_MAX_CONCURRENT_REQUESTS,
    }
    told = {code(row["stack config"])[0]: value(row["default"]) for row in rows(sections(REFERENCE)["Settings"])}

    assert known == told


def test_the_readmes_defaults_are_those_of_the_code():
    table = rows(sections(README)["Inputs"])
    told = {code(row["input"])[0]: row["type, default"] for row in table if "input" in row}
    known = {**inputs.DEFAULTS, "timeout_seconds": inputs.DEFAULT_TIMEOUT_SECONDS}
    numbers = {name: float(re.findall(r"[\d.]+", cell)[-1]) for name, cell in told.items() if cell.startswith("float")}
    flags = {name: "`True`" in cell for name, cell in told.items() if cell.startswith("bool")}

    assert {name: given for name, given in known.items() if isinstance(given, float)} == numbers
    assert {name: given for name, given in known.items() if isinstance(given, bool)} == flags
    assert told["on_failure"].endswith('`"error"`')
    assert known["on_failure"] == "error"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_setting_that_does_not_exist(page):
    words = set(re.findall(r"\bnugen:(?!index:|get)[a-z]\w+|\bNUGEN_\w+", page.read_text()))

    assert words <= {*SETTINGS, *SETTINGS.values()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_an_input_that_does_not_exist(page):
    """Where it is written as an argument: `undeploy=True`."""
    known = {"import_", "opts", "preview", "models", *inputs.NAMES, *defaults(nugen_pulumi.Provider.__init__)}
    written = {name for span in code(prose(page)) for name in re.findall(r"(?<![\w-])([a-z_]+)=", span)}

    assert written <= known


def test_the_reference_names_all_that_is_public():
    headings = set(sections(REFERENCE))

    assert set(nugen_pulumi.__all__) <= headings


def test_the_reference_tells_of_every_error_when_what_is_kept_and_what_to_do():
    # The package tells these apart from UnavailableError; no program meets them.
    internal = (errors.OverloadedError, errors.MisdirectedError, errors.OutageError)
    internal += (errors.BadKeyError, errors.NoRouteError)
    kinds = {name: found for name, found in vars(errors).items() if isinstance(found, type)}
    known = [name for name, found in kinds.items() if issubclass(found, Exception) and not issubclass(found, internal)]
    told = {
        name: re.findall(r"^- \*\*(\w+):\*\*", text, re.MULTILINE)
        for name, text in sections(REFERENCE).items()
        if name.endswith("Error")
    }

    assert known == column(REFERENCE, "Errors", "error")[: len(known)]
    assert {name: ["When", "Kept", "Do"] for name in known} == told


def test_the_numbers_of_a_wait_are_those_of_the_code():
    """All of them: each field of the policy and each public constant of the pace and the outage."""
    told = {code(row["name in the code"])[0]: float(row["number"]) for row in rows(sections(HOW)["The numbers"])}
    really = {}
    for name in told:
        module, attribute = name.split(".")
        holder = polling.WaitPolicy() if module == "WaitPolicy" else MODULES[module]
        really[name] = float(getattr(holder, attribute))

    assert really == told
    assert {f"WaitPolicy.{field.name}" for field in dataclasses.fields(polling.WaitPolicy)} <= set(told)
    public = {
        f"pace.{name}"
        for name, found in vars(pace).items()
        if isinstance(found, (int, float)) and not name.startswith("_")
    }
    assert public <= set(told)


@pytest.mark.parametrize("page", [README, HOW, REFERENCE, ROOT / "docs" / "operations.md"], ids=lambda page: page.name)
def test_seconds_in_prose_are_numbers_of_the_code(page):
    """Those of the table, and the example of how many polls a wait takes."""
    policy = dataclasses.astuple(polling.WaitPolicy())
    known = {
        *policy,
        settings.DEFAULT_REQUEST_TIMEOUT,
        150.0,
        wait_messages.FIRST_SIGN_OF_LIFE,
        wait_messages.SIGN_OF_LIFE,
    }
    told = {float(number) for number in re.findall(r"\b(\d+(?:\.\d+)?) seconds\b", prose(page))}

    assert told <= known


def test_a_long_wait_takes_as_many_polls_as_is_said():
    [[seconds, polls]] = re.findall(r"(\d+)\s+seconds\s+costs\s+some\s+(\d+)\s+polls", prose(HOW))
    policy, waited, polled = polling.WaitPolicy(), 0.0, 1
    while waited < float(seconds):
        waited += policy.pause(waited, 0.5)
        polled += 1

    assert polled == pytest.approx(int(polls), abs=3)


def test_each_workaround_for_the_host_is_explained():
    public = {name for name, found in vars(host).items() if getattr(found, "__module__", "") == host.__name__}
    methods = {f"HostCall.{name}" for name in vars(host.HostCall) if not name.startswith("_")}

    assert {name for name in public if name.islower() and name[0] != "_"} | methods == set(
        column(HOW, "What host.py is for", "piece")
    )
    assert inspect.signature(host.widen_pool).parameters["workers"].default == 512
    assert "Up to 512 waits" in (ROOT / "docs" / "operations.md").read_text()


def test_every_quirk_says_how_sure_we_are():
    marks = {row["how sure"] for text in sections(QUIRKS).values() for row in rows(text)}

    assert {"certain", "seen once", "guess"} == marks


def test_every_fault_of_the_emulator_is_explained():
    assert sorted(FAULTS) == sorted(column(TESTING, "Faults", "fault"))


def test_every_story_of_the_emulator_is_told():
    told = column(TESTING, "With real stacks", "id")

    assert [f"{story.prefix}…" for story in STORIES if story.prefix] == told


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_every_block_of_python_compiles(block):
    assert compile(block.text, str(block), "exec")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each program said, those that poll having an emulator to ask."""
    folder = tmp_path_factory.mktemp("programs")
    paths = {str(block): folder / f"{number}.py" for number, block in enumerate(PROGRAMS)}
    for block in PROGRAMS:
        paths[str(block)].write_text(block.text)
    with Emulator(models="any", undeploy_seconds=0) as emulator:
        emulator.add("exp-1")  # for who lists the models
        env = {**os.environ, "NUGEN_BASE_URL": emulator.url, "NUGEN_API_KEY": "emulator-key"}
        command = [sys.executable, "-c", RUN, *map(str, paths.values())]
        subprocess.run(command, check=True, env=env, cwd=folder, timeout=60)
    return {name: Path(f"{path}.said").read_text() for name, path in paths.items()}


@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_every_program_runs_and_registers_something_of_ours(block, said):
    assert said[str(block)].endswith("Well.\n"), said[str(block)]
    assert re.search("pulumi-python:dynamic/nugen:(Und|D)eployedModel", said[str(block)])


def test_the_recipes_for_tests_are_tests_that_pass(tmp_path):
    """Typed from the page into an empty folder, as a reader would."""
    files = {block.file: block.text for block in PYTHON if block.file}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(command, check=False, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    claims = sum(text.count("\ndef test_") for text in files.values())

    assert {"retire.py", "test_retire.py", "test_lookup.py"} == set(files)
    assert f"{claims} passed" in run.stdout, run.stdout


def words(command):
    """Return the words of *command* without the variables that it is given."""
    given = shlex.split(command)
    while given and re.match(r"\w+=", given[0]):
        given.pop(0)
    return given


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=[f"{where} {command}" for where, command in COMMANDS])
def test_every_command_is_known(where, command):
    """And what it names of ours exists: targets of `make`, options of the emulator."""
    program, *arguments = words(command)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert program in KNOWN_COMMANDS
    if program == "make":
        assert set(arguments) <= targets
    if arguments[:2] == ["-m", "nugen_pulumi.emulator"]:
        assert isinstance(_parser().parse_args(arguments[2:]), argparse.Namespace)
    if arguments[:2] == ["-m", "nugen_pulumi"]:
        assert isinstance(tools._parser().parse_args(arguments[2:]), argparse.Namespace)


def test_the_readme_of_a_package_index_links_to_nothing_that_is_not_there():
    """An index shows the README apart from the repository, which has no public address yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    shown = README.read_text()
    for substitution in hook["substitutions"]:
        shown = re.sub(substitution["pattern"], substitution["replacement"], shown)

    links = re.findall(r"\]\(([^)]+)\)", shown)
    assert [] == [link for link in links if not link.startswith(("https://", "#"))]
    assert "docs/pictures" not in shown
    assert "urls" not in project["project"], "the links can be links again"
