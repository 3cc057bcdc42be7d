"""Addresses of tags and their rules."""

from __future__ import annotations

from django.urls import path

from chadan.tagging import pages, rule_pages

app_name = "tagging"
urlpatterns = [
    path("m/tags", pages.tags, name="tags"),
    path("m/tags/<int:tag_id>", pages.change, name="tag"),
    path("m/tags/<int:tag_id>/delete", pages.delete, name="delete"),
    path("m/tags/jobs/<int:job_id>", pages.retry, name="job"),
    path("m/tags/rules/new", rule_pages.new, name="new-rule"),
    path("m/tags/rules/ready", rule_pages.ready, name="ready"),
    path("m/tags/rules/<int:rule_id>", rule_pages.rule, name="rule"),
    path("m/tags/rules/<int:rule_id>/do", rule_pages.do, name="do"),
]
