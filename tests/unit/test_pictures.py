"""The pictures of README and docs: each needs nothing but itself."""

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
