"""The search box: pasted numbers, `key:value` filters and free text become an `OrderQuery`, and back (`render`).

    2511221234500112345      status:已发货|paid      amount:>50      date:7d..today      -tag:测试      "exact words"

`docs/reference/search.md` lists the keys. What is not understood as a number or a filter is searched as text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from chadan.orders import number
from chadan.platform.errors import InvalidQuery
from chadan.search import checking, grammar_values
from chadan.search import order_query as oq
from chadan.search.grammar_numbers import Reading, read_bare, starts_with_number
from chadan.search.grammar_values import Chars, plain
from chadan.search.grammar_words import FIELDS, KEY_OF, KEYS
from chadan.search.problems import Problem, doubts
from chadan.search.wording import say

_KEY = re.compile(r"(-?)([A-Za-z_]+|[A-Za-z]*[\u4e00-\u9fff]{2,8})[:：]")
_CLOSING = {'"': '"', "“": "”", "「": "」"}
_TIMES = {"date": "placed", "paid": "paid", "completed": "completed", "refunded": "refunded"}


class Parsed(msgspec.Struct, frozen=True):
    """What the search box's text means."""

    jump: int | None
    """Our order number when the text names exactly one: the page can go straight to the order."""
    query: oq.OrderQuery
    problems: tuple[Problem, ...] = ()
    otherwise: tuple[oq.OrderQuery, ...] = ()
    """Other readings to try, in this order, when `query` finds nothing: a pasted number may be a payment's."""


@dataclass(slots=True)
class _Token:
    chars: Chars
    key: str = ""
    typed: str = ""
    negative: bool = False
    quoted: bool = False


@dataclass(slots=True)
class _Draft:
    now: datetime
    data: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    guesses: dict[str, tuple[str, ...]] = field(default_factory=dict)


def parse(text: str, now: datetime) -> Parsed:
    """Reads the search box. `now` (aware) anchors `7d` and the like. Raises InvalidQuery for text over 64 KB."""
    checking.check_size([text])
    draft = _Draft(now)
    run: list[_Token] = []
    tokens = _tokens(text)
    for place, token in enumerate(tokens):
        if token.key == "no" and not token.negative and _opens_number(tokens[place:]):
            token.key = token.typed = ""
        if not token.key and not token.quoted and not token.typed:
            run.append(token)
            continue
        _bare(draft, run)
        run = []
        if token.quoted:
            draft.texts.append(plain(token.chars))
        else:
            _filter(draft, token)
    _bare(draft, run)
    if draft.texts:
        typed = draft.data.get("text")
        draft.data["text"] = " ".join([typed, *draft.texts] if typed else draft.texts)
    query = _finished(draft)
    return Parsed(_jump(query), query, (*doubts(query), *draft.problems), _otherwise(draft, query))


def has_filters(text: str) -> bool:
    """Whether the text names filters (`key:value`) or quotes exact words: then it is no sentence."""
    return any(token.key or token.typed or token.quoted for token in _tokens(text))


def _opens_number(tokens: Sequence[_Token]) -> bool:
    """Whether a 19-digit number, perhaps in spaced groups, starts with the value of the first token."""
    words: list[str] = []
    for token in tokens[:19]:
        if token.quoted or any(quoted for _, quoted in token.chars) or (words and (token.key or token.typed)):
            break
        words.append(plain(token.chars))
    return starts_with_number(" ".join(words))


def _tokens(text: str) -> list[_Token]:
    """Cut at white space outside quotes. A key followed by a space takes the next word for its value."""
    tokens: list[_Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token, place = _token(text, place)
        before = tokens[-1] if tokens else None
        if before and (before.key or before.typed) and not before.chars and not (token.key or token.typed):
            before.chars = token.chars
        else:
            tokens.append(token)
    return tokens


def _token(text: str, place: int) -> tuple[_Token, int]:
    match = _KEY.match(text, place)
    key = KEY_OF.get(match[2].casefold(), "") if match else ""
    if match and not key and (text.startswith("//", match.end()) or not match[2].isascii()):
        match = None  # an address, or a Chinese sentence with a colon: plain text
    if match:
        token = _Token([], key, match[2], negative=bool(match[1]))
        place = match.end()
        opens = True
    else:
        token = _Token([], quoted=text[place] in _CLOSING)
        opens = token.quoted
    while place < len(text) and not text[place].isspace():
        character = text[place]
        if opens and character in _CLOSING:
            place = _quoted(text, place, token.chars)
            opens = False
            if token.quoted:
                break
            continue
        token.chars.append((character, False))
        opens = bool(match) and character in "*,|，、"
        place += 1
    return token, place


def _quoted(text: str, place: int, chars: Chars) -> int:
    """Reads the quoted stretch that opens at `place`; a missing closing quote ends with the text."""
    closing = _CLOSING[text[place]]
    place += 1
    while place < len(text) and text[place] != closing:
        if text[place] == "\\" and place + 1 < len(text) and text[place + 1] in f"\\{closing}":
            place += 1
        chars.append((text[place], True))
        place += 1
    return place + 1


def _bare(draft: _Draft, tokens: Sequence[_Token]) -> None:
    if not tokens:
        return
    reading: Reading = read_bare([plain(token.chars) for token in tokens], draft.now)
    for name, match in reading.matches.items():
        _merge_id(draft.data, name, match)
    if reading.time and "time" not in draft.data:
        draft.data["time"] = reading.time
    draft.guesses.update(reading.guesses)
    if reading.text:
        draft.texts.append(reading.text)


def _filter(draft: _Draft, token: _Token) -> None:
    if not token.key:
        close = difflib.get_close_matches(token.typed.casefold(), KEY_OF, 1)
        message = say("Unknown filter “{key}:”.", key=token.typed[:40])
        if close:
            message += " " + say("Did you mean “{key}:”?", key=close[0])
        hint = say("Filters: {keys}.", keys=" ".join(f"{key}:" for key in KEYS))
        draft.problems.append(Problem("unknown_key", message, token.typed, hint))
        return
    name = FIELDS.get(token.key, token.key)
    if not token.chars:
        draft.problems.append(Problem("empty_value", say("“{key}:” needs a value.", key=token.typed), token.key))
        return
    target = draft.data
    if token.negative:
        if ("account" if token.key == "tail" else name) not in oq.EXCLUDABLE:
            message = say("“{key}:” cannot be excluded.", key=token.typed)
            draft.problems.append(Problem("not_excludable", message, token.key))
            return
        target = draft.data.setdefault("exclude", {})
    try:
        _put(target, token, name, draft.now)
    except InvalidQuery as error:
        draft.problems.append(Problem("bad_value", error.message, token.key))


def _put(target: dict[str, Any], token: _Token, name: str, now: datetime) -> None:
    chars, text = token.chars, plain(token.chars)
    if token.key == "tail":
        _merge_id(target, "account", {"suffix": text})
    elif name in oq.ID_FIELDS:
        _merge_id(target, name, grammar_values.id_match(name, chars))
    elif name in oq.ENUM_FIELDS:
        target[name] = list(dict.fromkeys([*target.get(name, []), *grammar_values.words(name, chars)]))
    elif name in oq.NAME_FIELDS:
        target[name] = list(dict.fromkeys([*target.get(name, []), *grammar_values.names(chars)]))
    elif name in oq.RANGE_FIELDS:
        bounds = checking.check_range(grammar_values.number_range(name, text), name)
        target[name] = {key: bound for key, bound in (("min", bounds.min), ("max", bounds.max)) if bound is not None}
    elif token.key in _TIMES:
        target["time"] = grammar_values.time_range(_TIMES[token.key], text, now)
    elif name == "has_after_sale":
        target[name] = grammar_values.flag(token.typed, text)
    elif name == "sort":
        target[name] = grammar_values.sort(text)
    elif name == "role_view":
        target[name] = grammar_values.view(text)
    elif name == "limit":
        target[name] = checking.check_integer(int(text) if text.isascii() and text.isdigit() else text, name, 1)
    elif name == "text":
        target[name] = text
    else:
        _choose(target, name, text)


def _choose(target: dict[str, Any], name: str, text: str) -> None:
    choices = {"intent": oq.INTENTS, "metric": oq.METRICS, "group_by": oq.GROUPS}[name]
    value = checking.check_choice(text.casefold(), name, choices)
    if name == "group_by" or value != choices[0]:
        target[name] = value


def _merge_id(target: dict[str, Any], name: str, match: dict[str, Any]) -> None:
    known = target.setdefault(name, {})
    equals = [*known.get("equals", []), *match.get("equals", [])]
    known.update(match)
    if equals:
        known["equals"] = list(dict.fromkeys(equals))


def _finished(draft: _Draft) -> oq.OrderQuery:
    """The draft as a query; a field that breaks a limit becomes a problem and is left out."""
    while True:
        draft.data = {name: value for name, value in draft.data.items() if value not in ({}, [], "")}
        try:
            return oq.OrderQuery.from_dict(draft.data)
        except InvalidQuery as error:
            name = error.field.split(".")[0]
            if name not in draft.data:
                raise
            draft.problems.append(Problem("bad_value", error.message, error.field))
            del draft.data[name]


def _jump(query: oq.OrderQuery) -> int | None:
    match = query.order_no
    if match is None or match.prefix or match.suffix or match.contains or len(match.equals) != 1:
        return None
    return number.parse(match.equals[0]) if query == oq.OrderQuery(order_no=match) else None


def _otherwise(draft: _Draft, query: oq.OrderQuery) -> tuple[oq.OrderQuery, ...]:
    """The guessed numbers as other kinds of numbers; nothing is guessed for what a key or cue named."""
    others: list[oq.OrderQuery] = []
    for guessed, kinds in draft.guesses.items():
        match: oq.IdMatch | None = getattr(query, guessed)
        for kind in kinds:
            if match is None or (kind == "text" and query.text):
                continue
            moved = match if kind != "text" else (match.equals[0] if match.equals else match.suffix)
            if kind != "text" and getattr(query, kind) is not None:
                continue
            others.append(query.replace(**{guessed: None, kind: moved}))
    return tuple(others)
