"""A tool's arguments as a question about orders: the API's own filter parameters, and a sentence in natural language.

Both are those of `/api/v1/orders`, `filter` its parameters and `question` its `q`, and are read by the same function
(api.questions): what is asked means here what it means there. Where both say something, the sentence wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from chadan.accounts.actors import Actor
from chadan.api import openapi, questions
from chadan.platform.errors import InvalidInput
from chadan.search import url
from chadan.search.order_query import ENUM_FIELDS, OrderQuery

MOST_CHARACTERS = 500
"""Longest sentence that is read."""
Json = dict[str, Any]
PARAMETERS: dict[str, Json] = {each["name"]: each for each in openapi.FILTERS if each["name"] != "q"}
"""What `filter` may hold, as the OpenAPI document describes it; for words, `question` is there."""
_LISTED = {name for name, each in PARAMETERS.items() if each["schema"].get("type") == "array"}
_WORDS = {prefix + name for name in ENUM_FIELDS for prefix in ("", "exclude.")}


def ask(arguments: Mapping[str, Any], actor: Actor, aggregate: Mapping[str, str]) -> questions.Question:
    """The question of a call. `aggregate` holds intent, metric and group_by where the tool has them.

    Raises InvalidInput for an argument of the wrong type, InvalidQuery for one that cannot be understood, NotFound and
    Forbidden as `questions.read` does.
    """
    pairs = [*_pairs(arguments.get("filter")), *aggregate.items()]
    for name in ("sort", "cursor", "limit"):
        if arguments.get(name) not in (None, ""):
            pairs.append((name, _plain(arguments[name], name)))
    sentence = arguments.get("question") or ""
    if not isinstance(sentence, str):
        raise InvalidInput("“question” must be text.", field="question")
    if len(sentence) > MOST_CHARACTERS:
        raise InvalidInput(f"“question” is longer than {MOST_CHARACTERS} characters; ask shorter.", field="question")
    return questions.read(urlencode([*pairs, ("q", sentence)], errors="replace"), actor)


def _pairs(given: Any) -> list[tuple[str, str]]:
    """`filter` as URL parameters."""
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise InvalidInput("“filter” must be an object.", field="filter")
    pairs: list[tuple[str, str]] = []
    for name, value in given.items():
        if name not in PARAMETERS:
            raise InvalidInput(
                f"There is no filter “{name[:60]}”; the tool's schema lists them.", field=f"filter.{name[:60]}"
            )
        if name in _LISTED:
            values = value if isinstance(value, list) else [value]
            pairs.extend((name, _plain(each, name)) for each in values)
        elif value is not None:
            pairs.append((name, _plain(value, name)))
    return pairs


def _plain(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidInput(f"“{name}” must be text or a number.", field=name)
    return str(value)


def as_filter(query: OrderQuery) -> Json:
    """The query in the form `filter` takes, so that a client can send it again, changed or for the next page."""
    given: Json = {}
    for name, value in url.to_pairs(query):
        if name not in PARAMETERS:
            continue
        if name in _LISTED:
            given.setdefault(name, []).extend(value.split(",") if name in _WORDS else [value])
        else:
            given[name] = value
    return given
