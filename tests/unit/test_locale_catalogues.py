"""Every text of every room is translated, and the compiled catalogues are the written ones."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import django
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "chadan"
ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())
PO = Path("locale/zh_Hans/LC_MESSAGES/django.po")
DJANGO = Path(django.__file__).parent / "conf" / PO
"""Django's own catalogue, which every page has beside ours."""
CATALOGUES = sorted(PACKAGE.glob("*/locale/*/LC_MESSAGES/django.po"))
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sdif]|\{\w*\}")


def first(text: str | tuple[str, ...] | list[str]) -> str:
    return text if isinstance(text, str) else text[0]


@cache
def used(room: str) -> list[tuple[str, str, str | None]]:
    """(file, msgid, context) of every text in the room."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(str(PACKAGE / room), methods, options, keywords=KEYWORDS)
    return [(file, first(text), context) for file, _, text, _, context in found]


def translations(path: Path) -> dict[tuple[str, str | None], str]:
    if not path.exists():
        return {}
    return {(first(message.id), message.context): first(message.string) for message in read(path) if message.id}


@cache
def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def test_the_rooms_have_texts() -> None:
    assert len(used("web")) > 100


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_is_translated_in_its_room(room: str) -> None:
    known = {**translations(DJANGO), **translations(PACKAGE / room / PO)}
    missing = {(file, text) for file, text, context in used(room) if not known.get((text, context))}
    assert not missing


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_a_translation_keeps_its_placeholders_and_none_is_fuzzy(path: Path) -> None:
    for message in read(path):
        if not message.id:
            continue
        assert not message.fuzzy, message.id
        assert set(PLACEHOLDER.findall(first(message.string))) <= set(
            PLACEHOLDER.findall(" ".join([*message.id] if isinstance(message.id, tuple) else [message.id]))
        )


def text_of(context: str | bytes | None) -> str | None:
    """Babel reads a compiled catalogue's contexts as bytes."""
    return context.decode() if isinstance(context, bytes) else context


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_the_compiled_catalogue_is_the_written_one(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        compiled = {
            (first(message.id), text_of(message.context)): first(message.string)
            for message in read_mo(file)
            if message.id
        }
    assert compiled == {key: text for key, text in translations(path).items() if text}


def test_one_text_has_one_translation_in_every_room() -> None:
    """Django merges the rooms' catalogues: of two translations of one text, the first room's would be shown everywhere."""
    said: dict[tuple[str, str | None], set[str]] = {}
    for path in CATALOGUES:
        for key, text in translations(path).items():
            said.setdefault(key, set()).add(text)
    assert {key: texts for key, texts in said.items() if len(texts) > 1} == {}
