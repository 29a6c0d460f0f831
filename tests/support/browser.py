"""A real browser for tests: the Chromium that is there, driven by Playwright and cut off from every network.

A module that uses it says ``pytestmark = needs_browser`` and opens one browser for all of its tests. It must
close it before the module ends: while Playwright's own loop runs, no other test of that worker can run one.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to open pages with")

_LOOPBACK_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
_QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Open a browser without a window that reaches files and this machine only; close it in the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *_QUIET, _LOOPBACK_ONLY]
        )
        try:
            yield browser
        finally:
            browser.close()


def find_unsupported(page: Page, *impacts: str) -> list[str]:
    """Ask axe-core what makes an open page hard to use, by eye, ear or keyboard.

    Args:
        page: An open page; axe runs beside the page's own scripts, whatever its policy forbids.
        impacts: Of ``minor``, ``moderate``, ``serious`` and ``critical``; all when none is named.

    Returns:
        Each fault as ``rule (impact): the element's HTML``.
    """
    page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']} ({fault['impact']}): {node['html'][:200]}"
        for fault in found["violations"]
        if not impacts or fault["impact"] in impacts
        for node in fault["nodes"]
    ]
