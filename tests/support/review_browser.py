"""A review page in a browser; when a test fails, what was seen and what the server said is shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

DESKTOP, PHONE = (1440, 900), (390, 844)
PATIENCE_MS = 30_000


@contextmanager
def watched(
    browser: Browser,
    folder: Path,
    *,
    log: Path | None = None,
    size: tuple[int, int] = DESKTOP,
    scheme: str = "light",
) -> Iterator[tuple[Page, list[str]]]:
    """Open a window; yields its page and the list that its complaints go to.

    On a failure inside, a screenshot is left in ``folder`` and named, and the server's log is printed.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=size == PHONE,
    )
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    try:
        yield page, complaints
    except BaseException:
        shot = folder / "failed.png"
        page.screenshot(path=shot, full_page=True)
        told = log.read_text(errors="replace") if log and log.exists() else "(served by the test itself)"
        print(f"seen: {shot}\nat: {page.url}\ncomplaints: {complaints}\nthe server's log:\n{told}")  # noqa: T201
        raise
    finally:
        context.close()
