"""Draws the picture of the approval form in Prefect's pages, docs/images/approval-in-prefect.png.

``python -m docs.prefect_form`` serves a campaign with ``approval: prefect`` on the emulator, waits until its
run awaits review, and photographs the form in a real browser. It takes a minute and spends nothing.
"""

import re
import signal
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.support.browser import open_browser
from tests.support.child_process import wait_until
from tests.support.serving import client_of, serving_campaign

FILE = Path(__file__).parent / "images" / "approval-in-prefect.png"
SETTLE_MS = 1500
"""Pictures in the form fade in."""
CAMPAIGN = {
    "name": "sea-otter",
    "schedule": {"cron": "0 6 1 1 *"},
    "variables": {"scene": ["a baby sea otter asleep in kelp", "a lighthouse at dusk"]},
    "arms": {
        "A": {"prompt": "{{ scene }}, watercolour"},
        "B": {"prompt": "{{ scene }}, studio photograph"},
    },
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x1024", "per_prompt": 2},
    "finalists": {"count": 2, "approval": "prefect"},
    "finals": {"model": "gpt-image-2.6-sunburst", "quality": "high", "size": "1024x1024"},
}


def draw(folder: Path, file: Path) -> None:
    """Serve, wait for the form, and photograph it.

    Args:
        folder: An empty folder for the home.
        file: The picture.
    """
    with serving_campaign(folder, **CAMPAIGN) as served:
        said = served.wait_for("stop with Ctrl-C")
        (address,) = re.findall(r"Prefect's UI: (\S+)", said)
        with client_of(served.home) as client:
            deployment = client.read_deployment_by_name("prototype/sea-otter")
            flow_run = client.create_flow_run_from_deployment(deployment.id).id

            def awaits() -> bool:
                state = client.read_flow_run(flow_run).state
                return state is not None and state.name == "Awaiting review"

            wait_until(awaits, every_s=0.5)
            with open_browser() as browser:
                page = browser.new_page(viewport={"width": 1280, "height": 1500}, device_scale_factor=1.5)
                page.emulate_media(color_scheme="light")
                photograph(page, f"{address}/runs/flow-run/{flow_run}", file)
        served.stop(signal.SIGTERM)


def photograph(page: Page, address: str, file: Path) -> None:
    """Open a flow run's page and its form, and photograph the form."""
    page.goto(address)
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("awaits review.").first.wait_for()
    page.wait_for_timeout(SETTLE_MS)
    page.locator(".p-modal__card").screenshot(path=file)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        draw(Path(made), FILE)
