"""A real Chromium for the page's tests: how it is started, a tab that listens to its console, what Plotly drew, axe."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESKTOP, WALL = (390, 844), (1280, 900), (2200, 1200)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LIVE_MILLISECONDS = 60_000
"""Patience, not a promise: the machine may be busy."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium (or the one CHROMIUM names), headless; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        expect.set_options(timeout=LIVE_MILLISECONDS)
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


class Tab:
    """A tab that remembers what its console complained about."""

    def __init__(self, browser: Browser, size: tuple[int, int] = DESKTOP) -> None:
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="light", reduced_motion="reduce"
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(LIVE_MILLISECONDS)
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def themes(self) -> Iterator[str]:
        """Both themes one after the other, as when the system changes; what is drawn has changed its colours."""
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)
            self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            yield theme

    def picture(self, name: str, *, is_full: bool = True) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=is_full)


def drawn(page: Page, key: str) -> list[dict[str, Any]]:
    """The traces that Plotly holds for a chart: what is on the screen."""
    plot = f'[data-chart="{key}"].is-drawn'
    page.wait_for_selector(plot, timeout=LIVE_MILLISECONDS)
    traces: list[dict[str, Any]] = page.eval_on_selector(
        plot,
        """plot => plot.data.filter(t => t.meta.metric).map(t => ({
            metric: t.meta.metric, segment: t.meta.segment, role: t.meta.role, x: [...t.x], y: [...t.y]}))""",
    )
    return traces


def require_no_finding(page: Page, what: str) -> None:
    """axe finds nothing serious, and the page does not scroll sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{what} is {wide} px too wide"
    serious = [
        f"{found['id']}: {found['nodes'][0]['target']} {found['nodes'][0]['failureSummary']}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
    assert serious == [], what


def look_everywhere(browser: Browser, url: str, name: str, *, draws: str | None = None) -> None:
    """The same address at a phone's and a desktop's width in both themes: no finding, and a picture of each."""
    for size in (PHONE, DESKTOP):
        tab = Tab(browser, size)
        tab.page.goto(url)
        if draws:
            drawn(tab.page, draws)
        for theme in tab.themes():
            require_no_finding(tab.page, f"{name} at {size[0]} px, {theme}")
            tab.picture(f"{name}-{size[0]}-{theme}")
        assert tab.complaints == []
        tab.context.close()
