"""Where the database is: reading the URL a person gave, and writing it the way each library wants it.

A URL may hold a password, so nothing here lets one out: a message that quotes it goes through `without_password`.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from historical_sync.errors import ConfigurationError

SCHEMES = {"postgresql", "postgres", "postgresql+psycopg2"}
SHAPE = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
DAGSTER_SCHEMA = "dagster"


def libpq_url(url: str) -> str:
    """`url` as libpq and psycopg2 take it. Raises ConfigurationError, which never repeats the URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in SCHEMES:
        raise ConfigurationError(
            "HISTORICAL_SYNC_DATABASE_URL cannot be read as the URL of a PostgreSQL database.",
            remedy=f"Write it as {SHAPE}; write @ : / # ? and % in a password as %40 %3A %2F %23 %3F and %25.",
        )
    return urlunsplit(parts._replace(scheme="postgresql"))


def sqlalchemy_url(url: str) -> str:
    """`url` with its driver named, as SQLAlchemy and Alembic take it."""
    return libpq_url(url).replace("postgresql://", "postgresql+psycopg2://", 1)


def dagster_url(url: str) -> str:
    """`url` as Dagster's storage takes it: its tables live in a schema of their own in the same database."""
    parts = urlsplit(sqlalchemy_url(url))
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -csearch_path={DAGSTER_SCHEMA}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/")))


def without_password(text: str, url: str) -> str:
    """`text` with the password of `url` blotted out, however it is spelled in there."""
    for secret in _passwords(url):
        text = text.replace(secret, "***")
    return text.strip()


def _passwords(url: str) -> set[str]:
    before_host = url.split("://", 1)[-1].rpartition("@")[0]
    spelled = {before_host.partition(":")[2]}
    spelled |= {value for name, value in parse_qsl(url.partition("?")[2]) if name == "password"}
    return {form for secret in spelled if secret for form in (secret, unquote(secret), quote(secret, safe=""))}
