"""Account pages over HTTP: home, switching, profile, staff, and allauth's screens in our layout."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.integration


@pytest.fixture
def client(database):
    return Client()


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


SIGNED_OUT = (
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
)
SIGNED_IN = (
    "/account",
    "/accounts/logout/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/keys",
)


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_signed_out_pages(client, path):
    response = client.get(path)
    assert response.status_code == 200
    page = response.content.decode()
    assert "<title>" in page and 'lang="zh-Hans"' in page and page.count("<h1>") == 1
    assert " style=" not in page and "javascript:" not in page


@pytest.mark.parametrize("path", SIGNED_IN)
def test_signed_in_pages(database, path):
    from tests.support.people import make_user

    response = signed_in(make_user()).get(path)
    assert response.status_code == 200
    page = response.content.decode()
    assert page.count("<h1>") == 1 and 'class="tabs"' in page


@pytest.mark.parametrize("path", [*SIGNED_OUT, *SIGNED_IN])
def test_no_markup_is_shown_as_text(database, path):
    from tests.support.people import make_user

    page = (Client() if path in SIGNED_OUT else signed_in(make_user())).get(path).content.decode()
    assert "&lt;" not in page
