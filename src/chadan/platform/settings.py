"""Django's settings, derived from Chadan's configuration (chadan.platform.config)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from chadan.platform.config import get_config
from chadan.platform.database import django_databases
from chadan.platform.logs import logging_config

config = get_config()
ROOT = Path(__file__).resolve().parents[1]

SECRET_KEY = config.secret_key
DEBUG = config.debug
ALLOWED_HOSTS = list(config.hosts)
CSRF_TRUSTED_ORIGINS = [config.origin] if config.origin else []
ROOT_URLCONF = "chadan.platform.urls"
WSGI_APPLICATION = "chadan.platform.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

INSTALLED_APPS = [
    # First, because the first app's words win: Django and allauth mix theirs.
    "chadan.web",
    "chadan.accounts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # allauth's passkey list says "two days ago"
    "django_htmx",
    "csp",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "chadan.catalog",
    "chadan.orders",
    "chadan.eventlog",
    "chadan.payments",
    "chadan.delivery",
    "chadan.money",
    "chadan.storefront",
    "chadan.notify",
    "chadan.search",
    "chadan.saved_views",
    "chadan.recall",
    "chadan.asking",
    "chadan.tagging",
    "chadan.exports",
    "chadan.batches",
    "chadan.integrations",
    "chadan.api",
    "chadan.ops",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "chadan.web.middleware.request_log",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "chadan.web.live.connect_source",
    "django_htmx.middleware.HtmxMiddleware",
    "chadan.web.middleware.errors",
    "chadan.accounts.middleware.actor",
]

# The API answers with keys, not cookies: it needs no session, no CSRF, no pages' middleware (chadan.platform.wsgi).
API_MIDDLEWARE = ["chadan.web.middleware.request_log", "chadan.api.middleware.problems"]

DATABASES = django_databases(config)
DATABASE_ROUTERS: list[str] = []
# Login attempts are counted here, over all web processes (docs/decisions/011-count-logins-in-the-database.md).
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [
            ROOT / "web" / "templates",
            ROOT / "saved_views" / "templates",
            ROOT / "recall" / "templates",
            ROOT / "tagging" / "templates",
            ROOT / "accounts" / "templates",
            ROOT / "exports" / "templates",
            ROOT / "batches" / "templates",
            ROOT / "integrations" / "templates",
            ROOT / "api" / "templates",
            ROOT / "payments" / "templates",
            ROOT / "delivery" / "templates",
            ROOT / "money" / "templates",
            ROOT / "storefront" / "templates",
            ROOT / "ops" / "templates",
        ],
        "OPTIONS": {
            "environment": "chadan.web.jinja.environment",
            "context_processors": ["chadan.web.context.layout"],
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "accounts" / "django_templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]

LANGUAGE_CODE = config.language
LOCALE_PATHS = [ROOT / "platform" / "locale"]  # the one room with texts that is no Django application
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = None
# Served from the packages themselves: nothing to collect before the first start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

AUTHENTICATION_BACKENDS = ["chadan.accounts.backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["chadan.accounts.hashers.Argon2Hasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "chadan.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_USER_DISPLAY = "chadan.accounts.adapter.display_name"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TOTP_ISSUER = "Chadan"
# An installation without a mail server cannot verify addresses; its people want a second factor all the same.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers allow passkeys on http://localhost; everywhere else they need https.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not config.origin.startswith("https:")

SECURE = config.origin.startswith("https:")
# A public origin means a proxy in front: X-Forwarded-For from loopback is its word (accounts.client_ip).
BEHIND_PROXY = bool(config.origin)
SESSION_ENGINE = "chadan.accounts.sessions"
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "chadan_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "chadan_csrf"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "chadan.web.error_pages.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    },
}

_sender = "noreply@" + (urlsplit(config.origin).hostname or "localhost")
if config.email_url:
    _mail = urlsplit(config.email_url)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or "127.0.0.1"
    EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 25)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    if "@" in EMAIL_HOST_USER:  # most servers relay only what their own user sends
        _sender = EMAIL_HOST_USER
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(config.data / "mail")
DEFAULT_FROM_EMAIL = f"Chadan <{_sender}>"

# Filters come in GET; a body holds a form or an import, never more (bad input gets a sentence, not a crash).
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

LOGGING_CONFIG = None
logging_config(config.log_level)
