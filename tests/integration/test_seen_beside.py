"""What the judge sees beside a picture: references and mask as they were sent, priced, never replaced."""

import base64
import hashlib
import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flows.evaluation.judge_answers import read_statement_replies
from tasks.attachments.attachments import SentPictures
from tasks.attachments.sent_before import Sent
from tasks.campaign import Campaign
from tasks.campaign.statements import statements_of
from tasks.campaign_file.judging import judging_faults
from tasks.candidate import Candidate
from tasks.catalogue.estimates import Estimates
from tasks.images_api.client import fields_of
from tasks.judging.reply_reading import read_reply
from tasks.order import Reference
from tasks.orders.beside import SHOWN_PX
from tasks.orders.finals_costs import price_question
from tasks.orders.judging_plan import plan_judging
from tasks.orders.questions import Questions
from tests.support.builders import NOON, RUN_ID
from tests.support.judge_builders import RUBRIC, answer_yes, judged, seen
from tests.support.ledgers import open_ledger
from tests.support.planning import CATALOGUE, PROVIDERS, RUN
from tests.support.shop import Opener, Shop, order_of

SAME = "The picture shows the same product as in the reference"
ESTIMATES = Estimates(CATALOGUE, PROVIDERS.provider("openai"))
PER_PATCH = Decimal("2.46")
"""The most tokens that a square of 32 px costs."""


def a_campaign(*sees: str, rubric: tuple[str, ...] = (SAME,), **changes: Any) -> Campaign:
    """Make a campaign whose judge sees this."""
    judge = {"rubric": rubric, "sees": sees}
    return judged(score={"weights": {"judge": 1}, "judge": judge}, **changes)


def buy_picture(shop: Shop, prompt: str, replicate: int) -> Candidate:
    """Buy a picture of a thing."""
    shop.buy(replace(order_of(replicate, output_format="jpeg"), prompt=prompt))
    pictures = shop.ledger.candidates.of_run(RUN_ID, "draft")
    return next(one for one in pictures if one.replicate == replicate)


def reference_to(file: Path) -> Reference:
    """Describe a file."""
    content = file.read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        size, kind = picture.size, str(picture.format).lower()
    return Reference(str(file), hashlib.sha256(content).hexdigest(), *size, f"image/{kind}")


def a_product(file: Path, size: tuple[int, int] = (96, 64)) -> Reference:
    """Draw a plain product picture."""
    Image.new("RGB", size, "#884422").save(file)
    return reference_to(file)


def a_mask(file: Path, size: tuple[int, int] = (96, 64)) -> Reference:
    """Draw a mask whose left half is to be changed."""
    mask = Image.new("RGBA", size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, size[0] // 2, size[1]))
    mask.save(file)
    return reference_to(file)


def test_the_judge_tells_the_product_of_the_reference_from_another(open_shop: Opener) -> None:
    """Bought over HTTP: one request with both pictures, at no more than was reserved."""
    shop = open_shop(judge_noise=0.0)
    product = buy_picture(shop, "One red mug on a table", 0)
    drafts = [
        buy_picture(shop, f"One {colour} mug in a kitchen", 1 + n) for n, colour in enumerate(("red", "blue"))
    ]
    sent = {one.candidate_id: Sent((reference_to(shop.folder / product.file),), None) for one in drafts}
    campaign = a_campaign("references", provider="shop")
    estimates = Estimates(CATALOGUE, shop.terms.provider)
    questions = Questions(campaign, RUN_ID, str(shop.folder), estimates, sent)
    orders = [questions.about(draft) for draft in drafts]
    shop.buy(*orders)
    replies = read_statement_replies(shop.ledger, questions, drafts)
    asked = statements_of(campaign, 0, "A")
    read = [read_reply(replies[draft.candidate_id], asked) for draft in drafts]
    assert [one.verdicts for one in read if one] == [(True,), (False,)]
    settled = {record.order.order_id: record for record in shop.records()}
    for order in orders:
        record = settled[order.order_id]
        assert record.cost_usd is not None
        assert 0 < record.cost_usd <= order.estimate_usd
    assert shop.ledger.verify() == []


def pictures_of(fields: dict[str, Any]) -> list[Image.Image]:
    """Decode the pictures of a request."""
    parts = fields["messages"][0]["content"][1:]
    data = [base64.b64decode(part["image_url"]["url"].partition(",")[2]) for part in parts]
    return [Image.open(io.BytesIO(one)) for one in data]


def test_references_are_shown_no_larger_than_a_draft_and_a_mask_in_black_and_white(tmp_path: Path) -> None:
    """The picture that is judged comes first, byte by byte; the words say what each of the others is."""
    product, mask = a_product(tmp_path / "big.png", (3000, 2000)), a_mask(tmp_path / "mask.png", (3000, 2000))
    draft = replace(seen("c-1"), file="draft.png", sha256=a_product(tmp_path / "draft.png").sha256)
    both = a_campaign("references", "mask")
    order = Questions(both, RUN, str(tmp_path), ESTIMATES, {"c-1": Sent((product,), mask)}).about(draft)
    first, reference, shown_mask = pictures_of(fields_of(order))
    assert first.size == (96, 64)
    assert reference.size == shown_mask.size == (SHOWN_PX, SHOWN_PX * 2 // 3)
    levels = np.asarray(shown_mask.convert("L"))
    assert (levels[:, :700].min(), levels[:, -700:].max()) == (255, 0)
    assert "Judge the first picture only." in order.prompt
    assert "its reference, then a mask, white where" in order.prompt
    only = Questions(a_campaign("mask"), RUN, str(tmp_path), None, {"c-1": Sent((product,), mask)}).about(
        draft
    )
    assert len(pictures_of(fields_of(only))) == 2
    assert len({order.question, only.question}) == 2


def test_questions_that_show_nothing_more_are_as_they_were(tmp_path: Path) -> None:
    """Without the key, and for an arm without references: the same digest, so that old answers count."""
    product = a_product(tmp_path / "product.png")
    plain = a_campaign(rubric=RUBRIC)
    seeing = a_campaign("references", "mask", rubric=RUBRIC)
    sent = {"c-1": Sent((product,), None)}
    known = Questions(plain, RUN, "/runs").about(seen("c-1"), "first_yes_no").question
    assert known == "q-d54fb875023f9f5a6876"
    assert Questions(plain, RUN, "/runs", None, sent).about(seen("c-1"), "first_yes_no").question == known
    assert (
        Questions(seeing, RUN, "/runs", None, sent).about(seen("c-2", sha256="c-1"), "first_yes_no").question
        == known
    )
    assert Questions(seeing, RUN, "/runs", None, sent).about(seen("c-1"), "first_yes_no").question != known


def test_a_final_is_shown_beside_what_its_draft_was_made_with(tmp_path: Path) -> None:
    """So that the same statement is asked of both."""
    product = a_product(tmp_path / "product.png")
    questions = Questions(a_campaign("references"), RUN, "/runs", None, {"c-1": Sent((product,), None)})
    final = replace(seen("c-9"), stage="final", draft_id="c-1")
    assert questions.about(final).references[1].sha256 == product.sha256


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_reference_that_is_no_longer_what_was_sent_is_not_asked_about(
    tmp_path: Path, is_gone: bool
) -> None:
    """The answer is null with that reason; one that came before still counts."""
    file = tmp_path / "product.png"
    sent = {name: Sent((a_product(file),), None) for name in ("c-1", "c-2")}
    questions = Questions(a_campaign("references"), RUN, "/runs", None, sent)
    drafts = [seen("c-1"), seen("c-2", sha256="2")]
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN, campaign="otter", provider="openai", now=NOON)
        assert [questions.fault_beside(draft) for draft in drafts] == ["", ""]
        answer_yes(ledger, questions.about(drafts[0]))
        if is_gone:
            file.unlink()
        else:
            a_product(file, (97, 64))
        found = read_statement_replies(ledger, questions, drafts)
    end = "is gone" if is_gone else "was changed since"
    assert found["c-1"].content is not None
    assert (found["c-2"].content, found["c-2"].fault) == (
        None,
        f"a reference that it was made with {end}: product.png",
    )


def test_plan_and_promotion_price_what_is_shown(tmp_path: Path) -> None:
    """Each reference and the mask at their squares, for drafts and for finals."""
    product, other = (a_product(tmp_path / f"{name}.png", (1024, 640)) for name in ("one", "two"))
    mask = a_mask(tmp_path / "mask.png", (1024, 640))
    made_with: dict[str, Any] = {"references": [product.file, other.file], "mask": mask.file}
    plain, seeing = a_campaign(**made_with), a_campaign("references", "mask", **made_with)
    less, more = plan_judging(plain, ESTIMATES), plan_judging(seeing, ESTIMATES)
    assert less is not None
    assert more is not None
    tokens = 24 * 3 * (32 * 20) * PER_PATCH
    assert more.high_usd - less.high_usd > tokens * Decimal("1e-7")
    assert more.low_usd > less.low_usd
    edition = seeing.editions[0]
    costs = [price_question(one, edition, 0, "A", ESTIMATES).high_usd for one in (plain, seeing)]
    assert costs[1] - costs[0] > 3 * (32 * 20) * PER_PATCH * Decimal("1e-7")
    sent = {"c-1": SentPictures(seeing, tmp_path).of("A", 0)}
    reserve = Questions(seeing, RUN, "/runs", ESTIMATES, sent).about(seen("c-1")).estimate_usd
    assert more.high_usd == 24 * reserve
    Path(product.file).unlink()
    assert price_question(seeing, edition, 0, "A", ESTIMATES).high_usd >= costs[1]


def test_a_judge_that_shall_see_what_nobody_sends_is_told(tmp_path: Path) -> None:
    """At its key, with what is accepted."""
    made_with: dict[str, Any] = {"references": [a_product(tmp_path / "one.png").file]}
    campaign = a_campaign("references", "mask", **made_with)
    (fault,) = judging_faults(campaign, CATALOGUE, PROVIDERS, ["judge"])
    assert fault.path == ("score", "judge", "sees")
    assert fault.what == "no arm is sent a mask, so there is nothing to see"
