"""Signing up and in: buyers, second factors, recovery, password reset, limits."""

from __future__ import annotations

import re
import secrets

import pytest
from django.test import Client
from tests.support.names import PASSWORD, unique

pytestmark = pytest.mark.integration


@pytest.fixture
def client(database):
    from django.core.cache import cache

    cache.clear()
    return Client()


@pytest.fixture
def outbox(client):
    from django.core import mail

    mail.outbox.clear()
    return mail.outbox


def make_user():
    from tests.support import people

    return people.make_user()


def sign_in(client, user, password=PASSWORD):
    return client.post("/accounts/login/", {"login": user.username, "password": password})


def totp(secret, step=0):
    import time

    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step))


def test_sign_up_makes_a_buyer(client):
    from chadan.accounts.actors import actors_of
    from chadan.accounts.models import User

    name, word = unique("new"), secrets.token_urlsafe(12)
    response = client.post(
        "/accounts/signup/",
        {"username": name, "email": f"{name}@example.com", "password1": word, "password2": word},
    )
    assert response.status_code == 302, response.content.decode()
    assert [actor.kind for actor in actors_of(User.objects.get(username=name))] == ["buyer"]
    assert client.get("/").headers["Location"] == "/orders"


@pytest.mark.parametrize(("username", "password"), [("xy", "long enough 1"), ("fine-name", "123")])
def test_sign_up_refuses_weak_input(client, username, password):
    response = client.post("/accounts/signup/", {"username": username, "password1": password, "password2": password})
    assert response.status_code == 200 and b"errorlist" in response.content


def test_sign_in_by_name_and_by_mail(client):
    user = make_user()
    assert sign_in(client, user).status_code == 302
    assert client.get("/account").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/account").status_code == 302
    assert client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code == 302


def test_wrong_password_does_not_say_which_part_was_wrong(client):
    user = make_user()
    wrong = client.post("/accounts/login/", {"login": user.username, "password": "no"})
    unknown = client.post("/accounts/login/", {"login": unique("nobody"), "password": "no"})
    errors = [
        re.findall(r'class="alert tone-red".*?</div>', page.content.decode(), re.DOTALL) for page in (wrong, unknown)
    ]
    assert errors[0] == errors[1] != []


def test_failed_sign_ins_are_limited(client):
    user = make_user()
    for _ in range(5):
        sign_in(client, user, "wrong")
    page = sign_in(client, user)
    assert page.status_code == 200 and not client.session.get("_auth_user_id")


def test_the_limit_is_shared_by_processes(client):
    from django.conf import settings

    assert settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache")


def test_totp_and_recovery_codes(client):
    user = make_user()
    sign_in(client, user)
    path = "/accounts/2fa/totp/activate/"
    assert client.get(path).headers["Location"].startswith("/accounts/reauthenticate/"), "asked for the password again"
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": path}).headers["Location"] == path
    page = client.get(path).content.decode()
    secret = re.search(r'value="([A-Z2-7]{16,})"', page)[1]
    assert 'src="data:image/svg+xml' in page and "<script>" not in page
    response = client.post("/accounts/2fa/totp/activate/", {"code": totp(secret)})
    assert response.status_code == 302, response.content.decode()
    codes = re.findall(r"\b\d{8}\b", client.get("/accounts/2fa/recovery-codes/").content.decode())
    assert len(codes) == 10
    assert len(client.get("/accounts/2fa/recovery-codes/download/").content.decode().split()) >= 10

    client.post("/accounts/logout/")
    assert sign_in(client, user).headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/account").status_code == 302
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.status_code == 200 and client.get("/account").status_code == 302
    # The next interval's code: the present one was used to enrol.
    assert client.post("/accounts/2fa/authenticate/", {"code": totp(secret, 1)}).status_code in (200, 302)

    fresh = Client()
    sign_in(fresh, user)
    assert fresh.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    assert fresh.get("/account").status_code == 200
    again = Client()
    sign_in(again, user)
    again.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert again.get("/account").status_code == 302, "a recovery code works once"


def test_sign_in_with_totp(client):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    user, secret = make_user(), generate_totp_secret()
    TOTP.activate(user, secret)
    sign_in(client, user)
    assert client.get("/account").status_code == 302
    response = client.post("/accounts/2fa/authenticate/", {"code": totp(secret)})
    assert response.status_code == 302 and client.get("/account").status_code == 200


def test_a_security_key_is_offered_only_where_it_can_be_used(client):
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    passkey, key = "使用通行密钥登录", "使用安全密钥"
    offered = {
        host: passkey in client.get("/accounts/login/", headers={"host": host}).content.decode()
        for host in ("127.0.0.1:8000", "localhost:8000")
    }
    assert offered == {"127.0.0.1:8000": False, "localhost:8000": True}, "browsers bind a passkey to a name"

    user = make_user()
    TOTP.activate(user, generate_totp_secret())
    local = Client(headers={"host": "localhost"})
    sign_in(local, user)
    page = local.get("/accounts/2fa/authenticate/").content.decode()
    assert "两步验证" in page and "输入验证码" in page and key not in page
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "mine", "credential": {}})
    assert {"totp", "webauthn"} == set(_second_steps(user, "localhost")) and _second_steps(user, "127.0.0.1") == [
        "totp"
    ]


def _second_steps(user, host):
    from django.template import Context
    from django.test import RequestFactory

    from chadan.accounts.templatetags.chadan_passkeys import second_steps

    return second_steps(Context({"request": RequestFactory(headers={"host": host}).get("/")}), user)


def test_the_words_of_signing_in_are_one_vocabulary(client):
    user = make_user()
    pages = [client.get(path) for path in ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")]
    pages.append(client.get("/accounts/password/reset/key/zz-forged/"))
    pages.append(client.post("/accounts/signup/", {"username": unique("weak"), "password1": "abc", "password2": "abc"}))
    pages.append(client.post("/accounts/login/", {"login": user.username, "password": PASSWORD}, follow=True))
    for path in ("/accounts/email/", "/accounts/2fa/", "/accounts/password/change/", "/accounts/logout/"):
        pages.append(client.get(path))
    for page in pages:
        main = page.content.decode().partition("<main")[2].partition("</main>")[0]
        words = re.sub(r"<[^>]*>", " ", main)
        strange = re.findall(r"[Ee]mail|电子邮件|双因素|帐|账户|token|[Pp]asskey|你的|成功登录|登出|too short", words)
        assert not strange, (page.request["PATH_INFO"], strange)


def test_password_reset(client, outbox):
    user = make_user()
    client.post("/accounts/password/reset/", {"email": user.email})
    (mail,) = outbox
    assert mail.subject == "[查单] 密码重置邮件" and mail.from_email == "Chadan <noreply@localhost>"
    assert "您好，这是来自 查单 的邮件" in mail.body and "Hello" not in mail.body
    link = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", mail.body)[1]
    form = client.get(link, follow=True)
    path = form.redirect_chain[-1][0]
    done = client.post(path, {"password1": "quite another 8", "password2": "quite another 8"})
    assert done.status_code == 302
    assert sign_in(Client(), user).status_code == 200
    assert sign_in(Client(), user, "quite another 8").status_code == 302


def test_password_reset_never_tells_whether_an_account_exists(client, outbox):
    user = make_user()
    known, unknown = (
        client.post("/accounts/password/reset/", {"email": email}, follow=True)
        for email in (user.email, f"{unique('no')}@example.com")
    )
    strip = lambda page: re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page.content.decode())  # noqa: E731
    assert known.redirect_chain == unknown.redirect_chain
    assert strip(known).replace(user.email, "") == strip(unknown).replace(user.email, "")
    assert len(outbox) == 2, "a mail goes out either way"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_screens_in_both_languages(client, language):
    client.cookies["django_language"] = language
    client.cookies["chadan_language"] = language
    page = client.get("/accounts/login/", headers={"Accept-Language": language}).content.decode()
    assert ("Sign In" in page) == (language == "en")
    assert ("登录" in page) == (language == "zh-hans")
