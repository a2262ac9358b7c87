"""The templates, with what each of them may call: addresses of files, and numbers as people read them."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from historical_sync.dashboard import formatting
from historical_sync.dashboard.assets import address
from historical_sync.dashboard.chart_tables import legend, table
from historical_sync.dashboard.trends_state import point_prefix

CODE = re.compile(r"`([^`]+)`")


def code(text: str) -> Markup:
    """A sentence with its `commands` set as code; everything else is escaped."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just here


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("historical_sync.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # the templates do not change under a running server, and looking costs each page a stat
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = code
    environment.globals.update(static=address, fmt=formatting, point_prefix=point_prefix, legend=legend, table=table)
    return environment


TEMPLATES = _environment()


def render(name: str, **values: Any) -> str:
    """The text of a template. Every name that it uses must be given."""
    return TEMPLATES.get_template(name).render(**values)


def page(name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, never kept by a cache: it shows one team's data."""
    return HTMLResponse(render(name, **values), status_code=status, headers={"Cache-Control": "no-store"})
