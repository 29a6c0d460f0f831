"""Five people behind nginx, under a path, named by a header: all vote, two buy at once, one may not."""

import base64
import json
import re
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.child_process import read_line, started, wait_until
from tests.support.nginx_server import nginx, nginx_program
from tests.support.provider import OpenProvider
from tests.support.shell import COMMAND, Shell

ROOT = Path(__file__).parents[2]
PEOPLE = ("ann", "bob", "cleo", "dan", "eve")


@dataclass(frozen=True)
class Person:
    """Somebody with a browser."""

    name: str
    address: str

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        """Ask for a page, or change something on it as its scripts do."""
        password = base64.b64encode(f"{self.name}:pass".encode()).decode()
        headers = {"authorization": f"Basic {password}", "x-forwarded-user": "ann"}  # the second is a lie
        data = None
        if body is not None:
            csrf = re.findall(r'name="csrf" content="([^"]+)"', self.ask("/")[1])[0]
            headers |= {"content-type": "application/json", "x-runoff-csrf": csrf}
            data = json.dumps(body | {"by": "nobody"}).encode()
        request = urllib.request.Request(self.address + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def vote(self, run_id: str) -> int:
        """Vote in the first duel."""
        duel = json.loads(self.ask(f"/runs/{run_id}/duel.json?voter={self.name}")[1])["duel"]
        return self.ask(f"/runs/{run_id}/votes", {"duel_id": duel["id"], "outcome": "left"})[0]

    def buy(self, run_id: str) -> tuple[int, str]:
        """Confirm the finalists."""
        shown = json.loads(self.ask(f"/runs/{run_id}/shortlist.json")[1])
        told = {"revision": shown["revision"], "most_usd": shown["price"]["most_usd"]}
        return self.ask(f"/runs/{run_id}/confirm", told)


@pytest.mark.long  # every day: people by header and by invitation, in integration/test_review_people.py
def test_five_people_behind_nginx_vote_and_two_of_them_buy(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """By the recipe of the page: both purchases are made, each by its name; a lie is overwritten."""
    program = nginx_program()
    if program is None:
        pytest.skip("nginx is not installed here (Debian: apt-get install nginx-light)")
    provider = open_provider()
    campaign = shell.campaign({"finalists": {"count": 2, "approval": "review"}})
    first, second = [shell.json("run", campaign, "--yes")["run_id"] for _ in range(2)]
    for name in ("ann", "bob"):
        assert shell.runoff("review", "--invite", name, "--may", "buy", "--up-to", "5").returncode == 0
    (recipe,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL)
    words = [COMMAND, "review", "--port", "0", "--no-browser", "--root-path", "/runoff",
             "--trusted-proxy", "127.0.0.1", "--user-header", "X-Forwarded-User"]  # fmt: skip
    settings = {"cwd": shell.home.parent, "env": shell.environ, "stdout": subprocess.PIPE}
    with started(words, **settings) as page:
        (port,) = re.findall(r":(\d+)/runoff/\?token=", read_line(page))
        with nginx(program, tmp_path, recipe, {"127.0.0.1:8321": f"127.0.0.1:{port}"}, PEOPLE) as public:
            people = [Person(name, f"http://127.0.0.1:{public}/runoff") for name in PEOPLE]
            ann, bob, cleo, *_ = people
            assert [person.vote(first) for person in people] == [200] * 5
            assert "cleo may vote here, and this needs the right to buy." in cleo.buy(first)[1]
            with ThreadPoolExecutor() as pool:
                bought = list(pool.map(lambda one: one[0].buy(one[1]), [(ann, first), (bob, second)]))
            assert [status for status, _ in bought] == [200, 200], bought
            assert json.loads(bought[0][1])["finals"] == f"/runoff/runs/{first}/finals"
            wait_until(lambda: {run["state"] for run in shell.json("runs")} == {"done"})
        page.terminate()
        page.wait(60)
    with shell.ledger() as ledger:
        assert {vote.voter for vote in ledger.votes.of_run(first)} == set(PEOPLE)
        confirmed = [ledger.shortlists.last(run_id) for run_id in (first, second)]
        assert [last and last.confirmed_by for last in confirmed] == ["ann", "bob"]
        finals = [ledger.candidates.of_run(run_id, "final") for run_id in (first, second)]
    assert all(len(bought) == 2 for bought in finals)
    assert provider.n_requests == 2 * (12 + 2)
