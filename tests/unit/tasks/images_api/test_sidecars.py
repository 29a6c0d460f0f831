"""Sidecars: what is written is read back, and what is damaged has a name."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.candidate import Receipt
from tasks.errors import LedgerError
from tasks.images_api.answers import Answer
from tasks.images_api.sidecars import read_sidecar, sidecar_of_answer, sidecar_of_end
from tasks.ledger import Settlement
from tasks.order import Order, Reference, Usage
from tests.support.builders import an_order
from tests.support.fuzzing import bounded, fuzz

SHA = "ab" * 32
REFERENCE = Reference("/pictures/lögo.png", SHA, 640, 480, "image/png")
USAGE = Usage(12, None, 272)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


def receipts_of(order: Order, count: int = 1) -> list[Receipt]:
    """Make the receipts of an order's pictures."""
    return [
        Receipt(order.order_id, k, order.replicate + k, f"drafts/A-000-00{k}.png", SHA, 9, None)
        for k in range(count)
    ]


def written(folder: Path, order: Order, content: bytes) -> Path:
    """Write a sidecar's bytes under the order's name."""
    file = folder / f"{order.order_id}.json"
    file.write_bytes(content)
    return file


@given(
    prompt=TEXTS,
    parameters=st.dictionaries(
        TEXTS, st.integers(-(2**53), 2**53) | TEXTS | st.floats(-1, 1) | st.booleans()
    ),
    estimate_usd=st.decimals(0, 100, places=9),
    content=st.none() | TEXTS,
    stage=st.sampled_from(["draft", "final", "judge"]),
)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, **facts: Any) -> None:
    """The order with its id, its pictures and its answer, whatever they hold."""
    content = facts.pop("content")
    order = an_order(references=(REFERENCE,), mask=REFERENCE, **facts)
    answer = Answer((), USAGE, "req_1", content)
    receipts = receipts_of(order, 2)
    folder = tmp_path_factory.getbasetemp()
    found = read_sidecar(written(folder, order, sidecar_of_answer(order, answer, receipts, 2.5)))
    assert found.order == order
    assert found.order is not None
    assert found.order.order_id == order.order_id
    assert (found.state, found.usage, found.content) == ("received", USAGE, content)
    assert (found.vendor_request_id, found.latency_s) == ("req_1", 2.5)
    assert list(found.receipts) == receipts
    assert found.answered_at is not None


def test_the_end_of_an_order_without_a_picture_is_read_back(tmp_path: Path) -> None:
    """Its state, its usage and why."""
    order = an_order()
    end = Settlement("refused", Decimal(1), USAGE, 0.5, "req_1", "moderation_blocked", "no otters")
    found = read_sidecar(written(tmp_path, order, sidecar_of_end(order, end)))
    assert (found.state, found.usage, found.receipts) == ("refused", USAGE, ())
    assert (found.error_code, found.error_message) == ("moderation_blocked", "no otters")


def test_a_sidecar_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """It says what came, and not of which order."""
    order = an_order()
    receipt = receipts_of(order)[0]
    old = {
        "order_id": order.order_id,
        "parameters": {"model": "gpt-image-1-mini"},
        "vendor_request_id": None,
        "latency_s": None,
        "usage": {"text_input_tokens": 12, "image_input_tokens": None, "output_tokens": 272},
        "pictures": [
            {name: getattr(receipt, name) for name in Receipt.__dataclass_fields__},
        ],
        "content": None,
    }
    found = read_sidecar(written(tmp_path, order, json.dumps(old).encode()))
    assert (found.state, found.order, found.answered_at) == ("received", None, None)
    assert list(found.receipts) == [receipt]


CHANGES: list[tuple[str, Any, str]] = [
    ("order_id", "o-other", "describes another order"),
    ("state", "planned", "state"),
    ("latency_s", -1, "latency_s"),
    ("usage", {"text_input_tokens": 2**70}, "usage"),
    ("pictures", [{"index": 0}], "pictures.0"),
    ("pictures", [], "neither a picture nor an answer"),
    ("order", {"run_id": "x"}, "order.campaign"),
]


@pytest.mark.parametrize(("key", "value", "what"), CHANGES)
def test_other_contents_are_refused(tmp_path: Path, key: str, value: Any, what: str) -> None:
    """The error names the file and the key."""
    order = an_order()
    answer = Answer((), USAGE, None)
    facts = json.loads(sidecar_of_answer(order, answer, receipts_of(order), None)) | {key: value}
    file = written(tmp_path, order, json.dumps(facts).encode())
    with pytest.raises(LedgerError, match=f"sidecar {file}: is damaged: .*{what}"):
        read_sidecar(file)


@pytest.mark.parametrize(
    "file", ["../../secret.png", "/etc/passwd", "answers/o-1.json", "drafts/a\0b.png", ""]
)
def test_a_picture_outside_the_run_is_refused(tmp_path: Path, file: str) -> None:
    """A forged sidecar makes nobody read, or show, another file."""
    order = an_order()
    facts = json.loads(sidecar_of_answer(order, Answer((), USAGE, None), receipts_of(order), None))
    facts["pictures"][0]["file"] = file
    with pytest.raises(LedgerError, match="is no picture of a run"):
        read_sidecar(written(tmp_path, order, json.dumps(facts).encode()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=20,
)
SOUND = json.loads(sidecar_of_answer(an_order(), Answer((), USAGE, "req_1"), receipts_of(an_order()), 1.0))


@fuzz(examples=20)
@given(data=st.data())
def test_any_sidecar_is_read_or_named(tmp_path: Path, data: Any) -> None:
    """Any bytes, a sound one cut off or with another value somewhere: read, or one error with the path."""
    changed = dict(SOUND)
    place = data.draw(st.sampled_from(["order", "usage", None]))
    inner = dict(changed[place]) if place else changed
    inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(JSON)
    changed |= {place: inner} if place else {}
    whole = json.dumps(changed).encode()
    content = data.draw(
        st.binary(max_size=200)
        | st.just(whole)
        | st.integers(0, len(whole)).map(lambda end: whole[:end])
        | st.just(b"[" * 200_000)
    )
    file = written(tmp_path, an_order(), content)
    with bounded():
        try:
            said = read_sidecar(file).order_id
        except LedgerError as error:
            said = str(error)
    assert file.stem in said
