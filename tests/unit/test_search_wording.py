"""Every sentence and chip word of the search room has its Chinese."""

from __future__ import annotations

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from chadan.search import chips, permitted, problems, wording

ROOM = Path(wording.__file__).parent
KEYWORDS = {"say": None, "invalid": (2,)}


def test_every_text_is_translated() -> None:
    with (ROOM / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        known = {message.id: message.string for message in read_po(file)}
    used = {text for _, _, text, _, _ in extract_from_dir(str(ROOM), keywords=KEYWORDS) if isinstance(text, str)}
    for words in (chips._WORDS, chips._LABELS, chips._TIME_LABELS, chips._CHOICES, chips._SORTS, chips._PARTS):
        used |= set(words.values())
    used |= {*chips._WINDOWS.values(), *permitted._SENTENCES.values(), *problems._WRONG_LENGTH.values()}
    assert {text for text in used if not known.get(text)} == set()
