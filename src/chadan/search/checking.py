"""The strict way into an `OrderQuery`: what the schema allows, within sizes a server can bear, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from chadan.orders.number import SHANGHAI
from chadan.orders.states import Coded
from chadan.platform.errors import InvalidQuery
from chadan.search import order_query as oq
from chadan.search.wording import say

MAX_STRING = 500
MAX_VALUES = 200
MAX_BYTES = 64 * 1024
MAX_INTEGER = 2**63 - 1
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_Word = TypeVar("_Word", bound=Coded)


def invalid(field: str, msgid: str, **values: object) -> InvalidQuery:
    """The error for one field."""
    return InvalidQuery(say(msgid, field=field, **values), field=field)


def too_large() -> InvalidQuery:
    """The error for a query that is refused for its size."""
    return InvalidQuery(say("The filter is larger than 64 KB; use fewer or shorter values."))


def check_size(texts: Iterable[str]) -> None:
    """Raises InvalidQuery when the texts together pass 64 KB; long input is not walked to its end."""
    total = 0
    for text in texts:
        total += len(text)
        if total > MAX_BYTES:
            raise too_large()


def read_json(raw: str | bytes) -> Mapping[str, Any]:
    """The JSON object in `raw`. Raises InvalidQuery when it is too large, malformed or no object."""
    if len(raw) > MAX_BYTES:
        raise too_large()
    try:
        data = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidQuery(say("The filter is not valid JSON.")) from error
    if not isinstance(data, dict):
        raise InvalidQuery(say("The filter must be a JSON object."))
    return data


def check_string(value: Any, field: str, *, empty: bool = False) -> str:
    """A text of 1 to 500 characters (0 with `empty`) that a database can hold."""
    if not isinstance(value, str):
        raise invalid(field, "“{field}” must be text.")
    if len(value) > MAX_STRING:
        raise invalid(field, "A value of “{field}” is longer than {max} characters.", max=MAX_STRING)
    if not value and not empty:
        raise invalid(field, "“{field}” must not be empty.")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise invalid(field, "“{field}” contains characters that no order can contain.")
    return value


def _items(value: Any, field: str) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise invalid(field, "“{field}” must be a list.")
    if not value:
        raise invalid(field, "“{field}” must not be an empty list.")
    if len(value) > MAX_VALUES:
        raise invalid(field, "“{field}” has more than {max} values.", max=MAX_VALUES)
    return value


def check_names(value: Any, field: str) -> tuple[str, ...]:
    """One to 200 different texts."""
    names = tuple(check_string(item, field) for item in _items(value, field))
    if len(set(names)) != len(names):
        raise invalid(field, "“{field}” names a value twice.")
    return names


def check_words(value: Any, field: str, words: type[_Word]) -> tuple[_Word, ...]:
    """Words of a closed list, each once."""
    found: dict[_Word, None] = {}
    for item in _items(value, field):
        found[words(check_choice(item, field, [str(word) for word in words]))] = None
    return tuple(found)


def check_choice(value: Any, field: str, choices: Sequence[str]) -> str:
    """One of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise invalid(field, "“{field}” must be one of: {choices}.", choices=", ".join(choices))
    return value


def check_integer(value: Any, field: str, low: int = 0) -> int:
    """A whole number from `low` to 2^63 − 1; 5.0 is one, true is not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(field, "“{field}” must be a whole number.")
    if value < low:
        raise invalid(field, "“{field}” must be at least {low}.", low=low)
    if value > MAX_INTEGER:
        raise invalid(field, "“{field}” is too large a number.")
    return value


def _object(value: Any, field: str, allowed: Iterable[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise invalid(field, "“{field}” must be an object.")
    if not value:
        raise invalid(field, "“{field}” must not be empty.")
    known = tuple(allowed)
    for name in value:
        if name not in known:
            shown = str(name)[:60]
            raise invalid(f"{field}.{shown}", "Unknown field “{field}”; known are: {known}.", known=", ".join(known))
    return value


def check_range(value: Any, field: str) -> oq.Range:
    """`{min, max}`, at least one of them, not crossed."""
    data = _object(value, field, ("min", "max"))
    bounds = {name: check_integer(bound, f"{field}.{name}") for name, bound in data.items()}
    return ordered_range(oq.Range(**bounds), field)


def ordered_range(value: oq.Range, field: str) -> oq.Range:
    """`value`, its bounds in order. Raises InvalidQuery when min is above max."""
    if value.min is not None and value.max is not None and value.min > value.max:
        raise invalid(field, "The lower bound of “{field}” is above the upper bound.")
    return value


def check_id(value: Any, field: str) -> oq.IdMatch | None:
    """`{equals, prefix, suffix, contains}`; None when all that is given is empty text."""
    data = _object(value, field, ("equals", "prefix", "suffix", "contains"))
    parts: dict[str, Any] = {
        name: check_string(data[name], f"{field}.{name}", empty=True) for name in data if name != "equals"
    }
    if "equals" in data:
        parts["equals"] = check_names(data["equals"], f"{field}.equals")
    match = oq.IdMatch(**parts)
    return None if match == oq.IdMatch() else match


def check_moment(value: Any, field: str) -> datetime:
    """A local moment `YYYY-MM-DDTHH:MM:SS` that exists."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return datetime.fromisoformat(value).replace(tzinfo=SHANGHAI)
        except ValueError:
            pass
    raise invalid(field, "“{field}” must be a time such as 2026-01-31T18:30:00.")


def ordered_time(value: oq.TimeRange) -> oq.TimeRange:
    """`value`, its bounds in order. Raises InvalidQuery when it ends before it starts."""
    if value.start is not None and value.end is not None and value.start >= value.end:
        raise invalid("time", "The start of the time range is not before its end.")
    return value


def check_time(value: Any, field: str = "time") -> oq.TimeRange:
    """`{field, from, to}` with at least one bound."""
    data = _object(value, field, ("field", "from", "to"))
    if "field" not in data or len(data) < 2:
        raise invalid(field, "“{field}” needs a field and a from or to.")
    kind = check_choice(data["field"], "time.field", oq.TIME_FIELDS)
    start = check_moment(data["from"], "time.from") if "from" in data else None
    end = check_moment(data["to"], "time.to") if "to" in data else None
    return ordered_time(oq.TimeRange(field=kind, start=start, end=end))


def _exclude(value: Any, field: str) -> oq.Exclude | None:
    data = _object(value, field, oq.EXCLUDABLE)
    members = {name: _CHECKS[name](item, f"exclude.{name}") for name, item in data.items()}
    exclude = oq.Exclude(**members)
    return None if exclude == oq.Exclude() else exclude


def _sort(value: Any, field: str) -> oq.Sort:
    data = _object(value, field, ("by", "dir"))
    if len(data) != 2:
        raise invalid(field, "“{field}” needs by and dir.")
    by = check_choice(data["by"], "sort.by", oq.SORTS)
    return oq.Sort(by=by, dir=check_choice(data["dir"], "sort.dir", ("asc", "desc")))


def _flag(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(field, "“{field}” must be true or false.")
    return value


def _choice(choices: Sequence[str]) -> Callable[[Any, str], str]:
    return lambda value, field: check_choice(value, field, choices)


def _words(words: type[_Word]) -> Callable[[Any, str], tuple[_Word, ...]]:
    return lambda value, field: check_words(value, field, words)


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "intent": _choice(oq.INTENTS[1:]),
    "metric": _choice(oq.METRICS[1:]),
    "group_by": _choice(oq.GROUPS),
    **dict.fromkeys(oq.ID_FIELDS, check_id),
    "time": check_time,
    **{name: _words(words) for name, words in oq.ENUM_FIELDS.items()},
    "has_after_sale": _flag,
    **dict.fromkeys(oq.NAME_FIELDS, check_names),
    **dict.fromkeys(oq.RANGE_FIELDS, check_range),
    "role_view": _choice(oq.ROLE_VIEWS),
    "exclude": _exclude,
    "sort": _sort,
    "limit": lambda value, field: check_integer(value, field, 1),
    "text": check_string,
}


def check_query(data: Any) -> oq.OrderQuery:
    """The query `data` describes. Raises InvalidQuery naming the first field that is wrong."""
    if not isinstance(data, Mapping):
        raise InvalidQuery(say("The filter must be a JSON object."))
    fields: dict[str, Any] = {}
    for name, value in data.items():
        check = _CHECKS.get(name)
        if check is None:
            shown = str(name)[:60]
            raise invalid(shown, "Unknown field “{field}”; known are: {known}.", known=", ".join(_CHECKS))
        fields[name] = check(value, name)
    query = oq.OrderQuery(**fields)
    check_size(_texts(query))
    return query


def _texts(query: oq.OrderQuery) -> Iterable[str]:
    yield query.text
    for holder in (query, query.exclude):
        if holder is None:
            continue
        for name in oq.NAME_FIELDS:
            yield from getattr(holder, name)
        for name in oq.ID_FIELDS:
            match = getattr(holder, name, None)
            if match is not None:
                yield from match.equals
