"""The pictures of README and docs: each needs nothing but itself, and the dark one shows what the light one shows."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

PICTURES = sorted((Path(__file__).parents[2] / "docs" / "pictures").iterdir())


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_it_needs_nothing_but_itself_and_names_no_folder_of_some_machine(picture):
    """No script runs in an ``<img>``, and nothing is loaded into it."""
    svg = picture.read_text(encoding="utf-8")

    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert [] == re.findall(r"<script|<image|<foreignObject|@import|@font-face|url\((?!#)|href=\"(?!#)", svg)
    assert [] == re.findall(r"(?<![\w.])/(?:work|home|root|tmp|Users)\b", svg)
    assert "@media (prefers-reduced-motion:reduce){*{animation:none!important}}" in svg


@pytest.mark.parametrize("light", [p for p in PICTURES if p.stem.endswith("-light")], ids=lambda picture: picture.name)
def test_the_dark_one_differs_in_its_colours_only(light):
    """One was not forgotten when the other was made anew."""
    dark = light.with_name(light.name.replace("-light", "-dark"))
    plain = [re.sub(r"#[0-9a-f]{6}\b", "", picture.read_text(encoding="utf-8")) for picture in (light, dark)]

    assert plain[0] == plain[1]
