"""Puts allauth's Django templates into our Jinja2 layout."""

from __future__ import annotations

import re

from django import template
from django.template.base import NodeList, Parser, Token
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from chadan.accounts.menu import account_menu

register = template.Library()
_HEADING = re.compile(r"<h1>(.*?)</h1>\s*", re.DOTALL)
"""Our h1 element (templates/allauth/elements): the frame has its own place for it."""


@register.tag
def in_layout(parser: Parser, token: Token) -> LayoutNode:
    """`{% in_layout "frame.html" %} title {% page_content %} … {% page_scripts %} … {% end_in_layout %}`."""
    frame = token.split_contents()[1].strip('"')
    title = parser.parse(("page_content",))
    parser.delete_first_token()
    content = parser.parse(("page_scripts",))
    parser.delete_first_token()
    scripts = parser.parse(("end_in_layout",))
    parser.delete_first_token()
    return LayoutNode(frame, title, content, scripts)


class LayoutNode(template.Node):
    """Renders its three parts with Django, then the Jinja2 frame around them."""

    child_nodelists = ("title", "content", "scripts")

    def __init__(self, frame: str, title: NodeList, content: NodeList, scripts: NodeList) -> None:
        self.frame = frame
        self.title = title
        self.content = content
        self.scripts = scripts

    def render(self, context: template.Context) -> str:
        """The whole page."""
        request = context["request"]
        title = self.title.render(context).strip()
        content = self.content.render(context)
        heading = _HEADING.search(content)
        parts = {
            "title": mark_safe(title),  # noqa: S308 - rendered by Django, autoescaped
            "heading": mark_safe(heading[1] if heading else title),  # noqa: S308
            "content": mark_safe(_HEADING.sub("", content, count=1)),  # noqa: S308
            "scripts": mark_safe(self.scripts.render(context)),  # noqa: S308
            "menu": account_menu(request),
        }
        return render_to_string(self.frame, parts, request)
