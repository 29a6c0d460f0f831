"""Draws docs/images/night-in-prefect.png: a night of `runoff serve`, seen in Prefect's pages in the morning.

``python -m docs.night_in_prefect`` serves eight campaigns with the emulator, waits until each has its state,
declines one, and photographs the list of runs. It takes some minutes, needs Chromium and spends nothing.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import expect

from docs.screenshots import narrowed, save, shot
from tests.support.browser import open_browser
from tests.support.child_process import wait_until
from tests.support.night import BROKEN, NIGHT_LIMIT_S, Night, night, states_of

AWAY = "seller-away"
"""Its provider is waited for, and its flow run is still running then."""
SIZE_PX = (1320, 1560)
LIST_FROM_PX = 640


def main() -> None:
    """Make the night, decline a run in the morning, and draw the picture."""
    with tempfile.TemporaryDirectory() as folder, night(Path(folder)) as tonight:
        tonight.break_file()
        wait_until(lambda: is_over(tonight), NIGHT_LIMIT_S, every_s=2, told=lambda: tonight.said)
        (awaiting,) = [run for run in tonight.runs() if run["campaign"] == "nightly"]
        tonight.runoff("decline", awaiting["run_id"], "--reason", "too dark to print")
        wait_until(lambda: states_of(tonight)["nightly"] == "Declined", 90, every_s=1)
        with open_browser() as browser:
            page = browser.new_context(viewport={"width": SIZE_PX[0], "height": SIZE_PX[1]}).new_page()
            page.goto(f"{tonight.api_url.removesuffix('/api')}/runs")
            expect(page.get_by_text("Declined", exact=True)).to_be_visible()
            picture = shot(page)
        save(narrowed(picture.crop((230, LIST_FROM_PX, *picture.size))), "night-in-prefect")


def is_over(tonight: Night) -> bool:
    """Whether every run but that of the absent provider has ended."""
    states = states_of(tonight)
    is_ended = all(state != "Running" or name == AWAY for name, state in states.items())
    return is_ended and {BROKEN, "nightly", "big-catalogue"} <= states.keys() and len(states) == 8


if __name__ == "__main__":
    main()
