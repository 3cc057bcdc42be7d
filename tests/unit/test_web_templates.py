"""Templates, styles and scripts held to the house rules: nothing inline, every component shown, readable colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chadan.web.icons import icon

WEB = Path(__file__).parents[2] / "src" / "chadan" / "web"
STATIC = WEB / "static" / "web"
TEMPLATES = sorted((WEB.parent).glob("*/templates/**/*.html"))
SHEETS = sorted((STATIC / "css").glob("*.css"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
COMPONENTS = sorted((WEB / "templates" / "components").glob("*.html"))
PARTS_OF_THE_FRAME = {"layout_parts"}
LUMINANCE = (0.2126, 0.7152, 0.0722)


def names(paths: list[Path]) -> list[str]:
    return [f"{path.parent.name}/{path.name}" for path in paths]


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_a_template_has_nothing_inline(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\sstyle\s*=", source)
    assert not re.search(r"\son[a-z]+\s*=", source)
    assert "hx-on" not in source
    assert "<style" not in source
    assert all(re.search(r"src=|type=\"application/json\"", tag) for tag in re.findall(r"<script[^>]*>", source))


@pytest.mark.parametrize("path", COMPONENTS, ids=names(COMPONENTS))
def test_a_component_is_documented_and_shown_in_the_gallery(path: Path) -> None:
    assert path.read_text().startswith("{#-")
    if path.stem not in PARTS_OF_THE_FRAME:
        gallery = "".join(page.read_text() for page in (WEB / "templates" / "kit").glob("*.html"))
        assert f'"components/{path.name}"' in gallery


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_what_is_stored_is_never_taken_for_markup_or_a_format(path: Path) -> None:
    """`_(value)` would do both: stored sentences go through the filter `said`."""
    assert not re.search(r"""(?<![\w.])_\((?!["'])""", path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_every_icon_exists(path: Path) -> None:
    for name in re.findall(r"""icon(?:_name=|\()["']([a-z0-9-]+)["']""", path.read_text()):
        assert icon(name)


def test_every_navigation_icon_exists() -> None:
    for name in re.findall(r'"/[^"]*", "([a-z0-9-]+)"', (WEB / "nav.py").read_text()):
        assert icon(name)


@pytest.mark.parametrize("path", SHEETS, ids=names(SHEETS))
def test_every_token_used_is_defined(path: Path) -> None:
    defined = set(re.findall(r"(--[a-z0-9-]+)\s*:", "".join(sheet.read_text() for sheet in SHEETS)))
    used = set(re.findall(r"var\((--[a-z0-9-]+)", path.read_text()))
    assert used <= defined


@pytest.mark.parametrize("path", SCRIPTS, ids=names(SCRIPTS))
def test_a_script_imports_only_its_neighbours_and_names_no_htmx_event(path: Path) -> None:
    source = path.read_text()
    for target in re.findall(r'from "([^"]+)"', source):
        assert (path.parent / target).is_file()
    assert path.name == "events.js" or '"htmx:' not in source
    assert "eval(" not in source
    assert "innerHTML" not in source


def channel(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    values = [int(digits[place : place + 2], 16) for place in (0, 2, 4)]
    return sum(weight * channel(value) for weight, value in zip(LUMINANCE, values, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([a-z0-9-]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)", (STATIC / "css" / "tokens.css").read_text()
    )
}
TONES = ["green", "amber", "red", "blue", "grey", "orange", "teal", "indigo", "pink"]
TEXT_ON = [
    *[(tone, ground) for tone in TONES for ground in (f"{tone}-soft", "surface")],
    *[(text, ground) for text in ("text", "muted") for ground in ("canvas", "surface", "surface-2", "surface-3")],
    *[("accent", ground) for ground in ("canvas", "surface", "surface-2")],
    ("text", "accent-soft"),
    ("muted", "accent-soft"),
    ("accent-strong", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-red", "red-strong"),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_is_readable(text: str, ground: str, theme: int) -> None:
    assert contrast(TOKENS[text][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), [("line-strong", "surface"), ("accent", "surface"), ("accent", "canvas")])
def test_fields_and_focus_rings_stand_out(line: str, ground: str, theme: int) -> None:
    assert contrast(TOKENS[line][theme], TOKENS[ground][theme]) >= 3
