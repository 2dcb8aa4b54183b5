"""The pictures of README and docs: each can be read in its scheme, and needs nothing but itself."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import nugen_pulumi

ROOT = Path(__file__).parents[2]
PICTURES = sorted((ROOT / "docs" / "pictures").iterdir())
# What text stands on, by the end of the picture's name.
PAPERS = {"light": {"#ffffff", "#f6f8fa"}, "dark": {"#0d1117", "#161b22"}}
FAINTEST = 4.5  # WCAG 2, AA

each = pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)


def inks(svg):
    """Return the colours of all text in *svg*."""
    rules = "".join(re.findall(r"<style[^>]*>.*?</style>|<text[^>]*>", svg, re.DOTALL))
    return set(re.findall(r"fill:\s*(#[0-9a-f]{6})\b", rules))


def contrast(one, other):
    """Return the contrast ratio of two colours, as WCAG 2 defines it."""

    def luminance(colour):
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_a_contrast_is_computed_as_the_standard_says():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@each
def test_its_text_can_be_read(picture):
    """In each of its colours, on whatever it stands."""
    svg = picture.read_text()
    papers = PAPERS[picture.stem.rpartition("-")[2]]

    assert set(re.findall(r'<(?:rect|g)\b[^>]*\bfill="(#\w+)"', svg)) <= papers
    assert len(inks(svg)) >= 2
    assert {} == {
        (ink, paper): ratio for ink in inks(svg) for paper in papers if (ratio := contrast(ink, paper)) < FAINTEST
    }


@each
def test_it_needs_nothing_but_itself(picture):
    """No script runs in an ``<img>``, and nothing is loaded into it."""
    svg = picture.read_text()

    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert [] == re.findall(r"<script|<image|<foreignObject|@import|@font-face|url\((?!#)|href=\"(?!#)", svg)
    assert len(svg) < 40_000


@each
def test_it_names_no_folder_of_some_machine(picture):
    assert [] == re.findall(r"(?<![\w.])/(?:work|home|root|tmp|Users)\b", picture.read_text())


@each
def test_it_keeps_still_for_who_wants_that(picture):
    svg = picture.read_text()

    assert ("@keyframes" in svg) == ("@media (prefers-reduced-motion:reduce){*{animation:none!important}}" in svg)


@pytest.mark.parametrize("light", [p for p in PICTURES if p.stem.endswith("-light")], ids=lambda picture: picture.name)
def test_the_dark_one_differs_in_its_colours_only(light):
    """One was not forgotten when the other was made anew."""
    dark = light.with_name(light.name.replace("-light", "-dark"))
    # matplotlib numbers things by what they look like.
    plain = [re.sub(r"#[0-9a-f]{6}\b|\bm[0-9a-f]{10}\b", "", picture.read_text()) for picture in (light, dark)]

    assert plain[0] == plain[1]


def test_the_architecture_names_modules_that_exist():
    svg = (ROOT / "docs" / "pictures" / "architecture-light.svg").read_text()
    named = set(re.findall(r"\b\w+\.py\b", "".join(re.findall(r"<text.*", svg))))

    assert len(named) > 10
    assert named <= {path.name for path in Path(nugen_pulumi.__file__).parent.rglob("*.py")}
