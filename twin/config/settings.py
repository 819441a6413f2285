"""Django settings; the environment decides, `docs/settings.md` explains each variable."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from environs import Env

from twin.config.secrets import given_key
from twin.engine import settings as engine
from twin.kernel import logs
from twin.kernel.slow_queries import TimedCursor

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
ROLES = engine.resolve()
DATA_DIR = ROLES.data_dir

# Process --------------------------------------------------------------------
PORT = env.int("TWIN_PORT", 8000)
HOST = env.str("TWIN_HOST", "127.0.0.1")
URL = env.str("TWIN_URL", f"http://localhost:{PORT}").rstrip("/")
DEBUG = False
SECRET_KEY = given_key(env.str("TWIN_SECRET_KEY", "")) or engine.secret_key(DATA_DIR)
SECURE = URL.startswith("https://")
ALLOWED_HOSTS = sorted({"localhost", "127.0.0.1", "[::1]", URL.split("://", 1)[-1].split("/")[0].rsplit(":", 1)[0]})
CSRF_TRUSTED_ORIGINS = [URL]
# How many proxies of our own stand before us; each adds one address to X-Forwarded-For.
TRUSTED_PROXIES = ALLAUTH_TRUSTED_PROXY_COUNT = max(0, env.int("TWIN_TRUSTED_PROXIES", 0))

# Passwords over plain HTTP are refused, except where the operator says that the network is his own.
ALLOW_HTTP = env.bool("TWIN_ALLOW_HTTP", False)
# Where `/metrics` is answered, by a process of its own; 0 is nowhere. Nothing of it is at the public address.
METRICS_PORT = env.int("TWIN_METRICS_PORT", 0)
METRICS_HOST = env.str("TWIN_METRICS_HOST", "127.0.0.1")

# Apps -----------------------------------------------------------------------
INSTALLED_APPS = [
    "twin.kernel",
    "twin.accounts",
    "twin.companies",
    "twin.pricing",
    "twin.metering",
    "twin.billing",
    "twin.reports",
    "twin.portal",
    "twin.api",
    "twin.demo",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_cotton.apps.SimpleAppConfig",
    "procrastinate.contrib.django",
]
MIDDLEWARE = [
    "twin.kernel.requests.request_context",
    "django.middleware.security.SecurityMiddleware",
    "twin.portal.guards.safe_headers",
    "twin.config.machines.machines_aside",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "twin.portal.middleware.compressed_pages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "twin.accounts.session_limits.session_limits",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "twin.portal.guards.note_refusals",
    "twin.portal.guards.TooManyTries",
    "twin.portal.middleware.account_language",
    "allauth.account.middleware.AccountMiddleware",
    "twin.accounts.sessions.list_sessions",
    "twin.portal.acting_gate.ActingGate",
    "twin.portal.signing_in.dismissal_gate",
    "twin.portal.second_factor.second_factor_gate",
    "twin.portal.gate.company_gate",
]
if METRICS_PORT:
    MIDDLEWARE = [
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        "django_prometheus.middleware.PrometheusAfterMiddleware",
        *MIDDLEWARE,
    ]
ROOT_URLCONF = "twin.config.urls"
WSGI_APPLICATION = "twin.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "twin.portal.frame.frame",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": ["django_cotton.templatetags.cotton"],
        },
    }
]

# Database -------------------------------------------------------------------
# `default` is the app role, `owner` runs migrations, `writer` takes usage in.
DATABASES = ROLES.django()
for _database in DATABASES.values():
    _database["OPTIONS"] |= {"cursor_factory": TimedCursor}
# From how many milliseconds on a statement is noted in the log; 0 is never.
SLOW_QUERY_MS = env.int("TWIN_SLOW_QUERY_MS", 250)
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PROCRASTINATE_IMPORT_PATHS = [
    "twin.kernel.jobs",
    "twin.accounts.jobs",
    "twin.metering.jobs",
    "twin.billing.jobs",
    "twin.portal.jobs",
]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "twin_cache"}}

# People ---------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "twin.accounts.validators.StrongPassword"},
]
# A list of breached passwords' SHA-1 in hexadecimal, sorted, one a line; none by default.
BREACHED_PASSWORDS = env.str("TWIN_BREACHED_PASSWORDS", "")
# SMS cost money: the countries codes are sent to, and how many may go out in a day before the fuse blows.
# By default Europe, its eastern neighbours, the United States and Canada.
SMS_COUNTRIES = (
    env.str(
        "TWIN_SMS_COUNTRIES",
        "AD AL AM AT AZ BA BE BG BY CA CH CY CZ DE DK EE ES FI FR GB GE GI GR HR HU IE IS IT KG KZ LI LT LU LV MC MD "
        "ME MK MT NL NO PL PT RO RS RU SE SI SK SM TJ TM TR UA US UZ VA XK",
    )
    .replace(",", " ")
    .upper()
    .split()
)
SMS_DAILY = env.int("TWIN_SMS_DAILY", 1000)
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/personal-account"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_ADAPTER = "twin.accounts.adapter.AccountAdapter"
ACCOUNT_LOGOUT_REDIRECT_URL = "/login"
# What the floors above know against letting somebody in who proved who they are.
SIGN_IN_REFUSAL = "twin.portal.signing_in.refusal"
# How long the link of a recovery mail lives.
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())
# Second factors: passkeys are made so that they can sign in alone, which needs the device to ask its owner.
MFA_ADAPTER = "twin.accounts.mfa.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODES_SHOW_ONCE = True
# For how many days administrators of the platform and of resellers may put a second factor off.
SECOND_FACTOR_GRACE_DAYS = env.int("TWIN_SECOND_FACTOR_GRACE_DAYS", 7)
# Without "Remember me" a sign-in ends with the browser; `accounts.session_limits` ends it on the server.
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
ACCOUNT_SESSION_COOKIE_AGE = int(timedelta(days=30).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
if SECURE:
    # Browsers take a cookie of this name only from this very host, over TLS, for all paths.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "twin.portal.views.errors.form_expired"
# Where the sign-in page gets the demonstration sign-ins from; pages know nothing of that floor.
DEMONSTRATION_SIGN_INS = "twin.demo.queries.sign_ins"
# Who knows whether that world is here: then mails and SMS are read on the page of the outbox.
DEMONSTRATION_LOADED = "twin.demo.queries.is_loaded"

# Mails and SMS ---------------------------------------------------------------
SMTP_URL = env.str("TWIN_SMTP_URL", "")
SMS_URL = env.str("TWIN_SMS_URL", "")
EMAIL_BACKEND = "twin.kernel.mail_backend.QueuedMail"

# Pages ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]
LOCALE_PATHS = [BASE_DIR / "twin" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_FINDERS = [
    "twin.portal.assets.FrontendFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STATIC_ROOT = BASE_DIR / "static-build"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "object-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "report-uri": ["/csp-report"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Proxies of our own say how they were called; the header of others is not believed.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 17 * 1024 * 1024
APPEND_SLASH = False

LOGGING = logs.logging_settings()
logs.set_up_structlog()
