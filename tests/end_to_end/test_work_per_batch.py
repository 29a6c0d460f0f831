"""How much a batch asks of Prefect's server, counted where seconds would depend on the machine's load.

Each number is what it takes today, with what it is for. Whoever needs more of them writes down why. What the
server did not accept does not count: where another test has locked its database it answers 503, and Prefect's
client asks again.
"""

from collections import Counter

import httpx
import pytest

from flows.session import head_start
from flows.stages import buy
from tests.support.provider import OpenProvider
from tests.support.shell import Shell

REQUESTS_PER_BATCH = 1
"""The bar of the stage is moved, once for batches that end together.

Task runs are sent in bulk, by a connection of their own.
"""
ORDERS_PER_TASK = 2
QUIET = {"finalists": {"count": 0}}


def test_a_batch_takes_one_request_at_most_to_prefects_server(
    shell: Shell, open_provider: OpenProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a run takes once does not count: a run of six batches is held against one of two."""
    open_provider()
    for module in (head_start, buy):
        monkeypatch.setattr(module, "ORDERS_PER_TASK", ORDERS_PER_TASK)
    monkeypatch.setattr(buy, "FOLLOW_EVERY_S", 3600.0)  # the bar moves within a batch by the clock
    asked: Counter[str] = Counter()
    send = httpx.AsyncClient.send

    async def counted(self: httpx.AsyncClient, request: httpx.Request, **options: object) -> httpx.Response:
        answer = await send(self, request, **options)  # type: ignore[arg-type]
        _, _, what, *_ = request.url.path.split("/")
        is_told = request.method != "GET" and what != "logs"  # looks and logs go by the clock
        is_prefects = str(request.url).startswith(shell.environ["PREFECT_API_URL"])
        if is_told and is_prefects and answer.is_success:
            asked[f"{request.method} {what}"] += 1
        return answer

    monkeypatch.setattr(httpx.AsyncClient, "send", counted)

    def requests_of(per_prompt: int) -> Counter[str]:
        asked.clear()
        drafts = {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x640"}
        made = shell.json("run", shell.campaign(QUIET | {"drafts": drafts | {"per_prompt": per_prompt}}))
        assert made["pictures"] == 4 * per_prompt
        return Counter(asked)

    few, many = requests_of(1), requests_of(3)
    assert set(many - few) <= {"PATCH artifacts"}
    assert few["PATCH artifacts"] in range(1, 2 * REQUESTS_PER_BATCH + 1)
    assert many["PATCH artifacts"] in range(1, 6 * REQUESTS_PER_BATCH + 1)
