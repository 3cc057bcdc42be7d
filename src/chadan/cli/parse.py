"""`chadan parse`: questions in natural language become order queries, one JSON object a line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TextIO

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.reading import Reading, read
from chadan.platform.errors import InvalidInput


def configure(parser: argparse.ArgumentParser) -> None:
    """Whose words to know, and how much to say."""
    parser.add_argument("--as", dest="user", metavar="USER", help="know the words of this user's shop, too")
    parser.add_argument("--explain", action="store_true", help="add spans, unknown words and notes to each line")
    parser.epilog = (
        'Reads lines {"id", "q", "now", "role"} from standard input; prints {"id", "got"}. Without --as no database.'
    )


def run(args: argparse.Namespace) -> int:
    """Reads every line of standard input. A line that is no such object ends the run with its number."""
    lexicon = shop_of(args.user) if args.user else Lexicon.seed()
    for answer in answers(sys.stdin, lexicon, explain=args.explain):
        print(json.dumps(answer, ensure_ascii=False))
    return 0


def answers(lines: TextIO, lexicon: Lexicon, *, explain: bool = False) -> Iterator[dict[str, Any]]:
    """The answer to each line, as it comes. Raises InvalidInput naming the line that is wrong."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked = json.loads(line)
            question, moment = asked["q"], datetime.fromisoformat(asked["now"]) if asked.get("now") else _now()
            if not isinstance(question, str):
                raise TypeError
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"Line {number} is no question.",
                hint='A line is {"id": …, "q": "昨天的订单", "now": "2026-01-31T18:30:00"}.',
            ) from error
        reading = read(question, now=moment, lexicon=lexicon)
        yield {"id": asked.get("id"), "got": reading.got, **(_why(reading) if explain else {})}


def _why(reading: Reading) -> dict[str, Any]:
    spans = [span._asdict() for span in reading.spans]
    return {"spans": spans, "unknown": reading.unknown, "notes": reading.notes}


def _now() -> datetime:
    from chadan.orders import number

    return number.now()


def shop_of(user: str) -> Lexicon:
    """The lexicon with the words of the user's shop. Needs the database; raises NotFound for an unknown user."""
    from chadan.cli import set_django_up
    from chadan.platform.config import get_config
    from chadan.platform.postgres import database_running, show_progress

    with database_running(get_config(), show_progress):
        set_django_up()
        from chadan.accounts.actors import find_actor
        from chadan.asking.shop_words import lexicon_of

        return lexicon_of(find_actor(user).scope)
