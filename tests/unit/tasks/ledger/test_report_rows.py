"""The ledger as rows of the report."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tasks.candidate import Candidate, Inspection, Score, Standing, candidate_id
from tasks.ledger import OrderRecord, Settlement
from tasks.ledger.report_rows import report_rows
from tasks.order import Usage
from tasks.report import build_frame
from tests.support.builders import RUN_ID, an_order


def a_record(n: int, cost_usd: Decimal | None, replicate: int = 0) -> OrderRecord:
    """Make a received order of ``n`` pictures."""
    order = an_order(
        replicate, parameters={"model": "gpt-image-1-mini", "n": n, "quality": "low", "size": "1024x1024"}
    )
    settlement = Settlement("received", cost_usd, Usage(13, 0, 272), 8.5, "req_1", is_charged=True)
    return OrderRecord(order, "received", 1, None, cost_usd or order.estimate_usd, settlement)


def pictures_of(record: OrderRecord) -> list[Candidate]:
    """Make the pictures of an order."""
    order = record.order
    return [
        Candidate(
            candidate_id=candidate_id(order.order_id, index), order_id=order.order_id, stage="draft", arm="A",
            row=0, replicate=order.replicate + index, attempt=0, prompt=order.prompt,
            file=f"drafts/{order.file_stem(index)}.png", sha256="0" * 64, n_bytes=1000,
        )
        for index in range(order.n)
    ]  # fmt: skip


@given(st.integers(1, 10), st.integers(0, 10**10))
def test_the_shares_of_an_order_add_up_to_what_it_cost(n: int, nanousd: int) -> None:
    """However many pictures share a cost, the column's sum is the bill, exactly."""
    cost_usd = Decimal(nanousd) / 10**9
    record = a_record(n, cost_usd)
    rows = report_rows(RUN_ID, [record], pictures_of(record))
    assert len(rows) == n
    assert sum(row["cost_usd"] for row in rows) == cost_usd
    assert sum(row["estimate_usd"] for row in rows) == record.order.estimate_usd


def test_an_order_without_a_picture_has_a_row_of_its_own() -> None:
    """What is not known of it is null, never zero."""
    order = an_order()
    refused = Settlement("refused", error_code="moderation_blocked", error_message="no")
    (row,) = report_rows(RUN_ID, [OrderRecord(order, "refused", 1, None, Decimal(0), refused)], [])
    assert (row["state"], row["error_code"], row["attempts"]) == ("refused", "moderation_blocked", 1)
    for name in ("candidate_id", "cost_usd", "score", "rank", "bytes", "width", "fidelity", "input_tokens"):
        assert row[name] is None


def test_an_arm_that_was_made_of_factors_has_its_levels_as_text_columns() -> None:
    """Another arm has none; without factors there are no such columns."""
    rows = report_rows(
        RUN_ID, [a_record(1, None)], [], [{"place": "ice"}], {"A": {"light": "soft"}, "B": {"lens": "5"}}
    )
    frame = build_frame(rows)
    assert list(frame.columns[6:9]) == ["factor_light", "factor_lens", "var_place"]
    assert frame["factor_light"].tolist() == ["soft"]
    assert frame["factor_lens"].isna().all()
    assert str(frame["factor_lens"].dtype) == "string"


def test_a_broken_picture_is_said_to_differ_from_the_order() -> None:
    """Its fault stands where downgrades stand, and it has no size."""
    record = a_record(1, Decimal("0.002"))
    (picture,) = pictures_of(record)
    broken = Candidate(
        **{name: getattr(picture, name) for name in Candidate.__slots__}
        | {"inspection": Inspection(fault="the file ends too early"), "standing": Standing("unfit", None)}
    )
    (row,) = report_rows(RUN_ID, [record], [broken])
    assert (row["downgraded"], row["status"], row["width"]) == ("the file ends too early", "unfit", None)


def test_a_scorer_of_ones_own_has_a_column_in_every_row() -> None:
    """Null where it gave no opinion; the frame takes the rows as they are."""
    records = [a_record(1, Decimal("0.002"), replicate) for replicate in range(2)]
    (one,), (other,) = pictures_of(records[0]), pictures_of(records[1])
    scored = Candidate(
        **{name: getattr(one, name) for name in Candidate.__slots__}
        | {"scores": {"technical": Score(0.0, "blank"), "house_style": Score(0.5, "so so")}, "score": 0.0}
    )
    rows = report_rows(RUN_ID, records, [other, scored])
    assert [row["score_house_style"] for row in rows] == [0.5, None]
    assert [row["score_technical"] for row in rows] == [0.0, None]
    assert rows[0]["score_reason"] == "so so; blank" or rows[0]["score_reason"] == "blank; so so"
    assert list(build_frame(rows)["score"].isna()) == [False, True]
