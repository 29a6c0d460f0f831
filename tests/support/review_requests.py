"""What a browser asks of a served review page, and what people say on it, over real HTTP."""

import json
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from flows.review.access import CSRF_HEADER
from tasks.candidate import Fidelity, Inspection
from tests.support.builders import RUN_ID, an_order
from tests.support.review_home import Open, receive


def ask(
    opened: Open, path: str, method: str = "GET", body: Any = None, **headers: str
) -> tuple[HTTPResponse, bytes]:
    """Ask for a path as it stands, with headers as given (``_`` for ``-``)."""
    connection = HTTPConnection("127.0.0.1", opened.access.port, timeout=20)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, {"content-type": "application/json"} | given)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def change(opened: Open, path: str, body: Any, **headers: str) -> tuple[int, str]:
    """Send a change as a page of ours does."""
    sent = {CSRF_HEADER.replace("-", "_"): opened.access.csrf} | headers
    answer, content = ask(opened, path, "POST", body, **sent)
    return answer.status, content.decode()


def read(page: Open, path: str) -> Any:
    """Ask for a run's data."""
    answer, content = ask(page, f"/runs/{RUN_ID}{path}")
    assert answer.status == 200, content
    return json.loads(content)


def say(page: Open, path: str, by: str = "mara", **word: Any) -> tuple[int, Any]:
    """Say something about the run."""
    status, text = change(page, f"/runs/{RUN_ID}{path}", {"by": by, **word})
    return status, json.loads(text)


def survivors(page: Open) -> list[str]:
    """List the ids of pictures that are no copies."""
    drafts = page.ledger.candidates.of_run(RUN_ID, "draft")
    return [d.candidate_id for d in drafts if d.standing and d.standing.status == "survivor"]


def buy_tries(page: Open, draft_id: str, values: tuple[float, ...]) -> list[str]:
    """Write finals of a draft as bought, each as true to it as said."""
    tries = [
        replace(an_order(attempt=k, prompt="final"), stage="final", draft_id=draft_id)
        for k in range(len(values))
    ]
    (page.folder / "finals").mkdir(exist_ok=True)
    for file in page.folder.glob("drafts/p*.png"):
        (page.folder / "finals" / file.name).write_bytes(file.read_bytes())
    ids = receive(page.ledger, tries, "finals")
    page.ledger.candidates.record_inspections(dict.fromkeys(ids, Inspection(64, 40, "png")))
    for name, value in zip(ids, values, strict=True):
        page.ledger.candidates.record_fidelity(name, Fidelity(value, value, 2, value))
    page.ledger.candidates.record_acceptance(
        {name: (value == max(values), "rule") for name, value in zip(ids, values, strict=True)}
    )
    return ids
