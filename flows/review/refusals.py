"""Pages of the review page that say why there is nothing else to see, and where to go.

A browser gets a page, a program a line of text. Whoever has no access gets a page that needs none: nothing of
a run, a person or the home is on it.
"""

from html import escape

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response

PUBLIC = ("/static/base.css", "/static/pages.css", "/static/theme.js")
"""What every page looks like, so that whoever has no access sees a page too."""
TITLES = {
    400: "This address is not complete",
    401: "Who are you?",
    403: "You may not do this",
    404: "Not found",
    405: "Not found",
    410: "This link has expired",
    421: "Another address",
    503: "The ledger does not answer",
}
"""What each status says first; others: ``This did not work``."""
NOTHING_HERE = (
    "There is no page at this address. Perhaps a letter is wrong, or its run is gone or in another home."
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Runoff</title>
<link rel="stylesheet" href="/static/base.css">
<link rel="stylesheet" href="/static/pages.css">
<script src="/static/theme.js"></script>
</head>
<body>
<header class="top"><span class="wordmark"><span aria-hidden="true" class="mark"></span>Runoff</span></header>
<main id="main"><div class="head"><div><h1>{title}</h1><p class="lede">{message}</p></div></div></main>
</body>
</html>
"""


def title_of(status: int) -> str:
    """Return what a page with a status says first."""
    return TITLES.get(status, "This did not work")


def wants_page(headers: Headers, method: str) -> bool:
    """Whether a request is a browser's for a page."""
    return method == "GET" and "text/html" in headers.get("accept", "")


def refusal(headers: Headers, method: str, message: str, status: int) -> Response:
    """Answer somebody who has no access.

    Args:
        headers: The request's headers.
        method: Its method.
        message: Why, and what to do.
        status: The status.
    """
    if not wants_page(headers, method):
        return PlainTextResponse(message, status)
    return HTMLResponse(_PAGE.format(title=title_of(status), message=escape(message)), status)
