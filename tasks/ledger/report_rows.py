"""Builds the report's rows: one for each order or picture, refused and failed orders included.

The cost and estimate of an order with several pictures are split among them, so that columns add up to what
was paid. Unmeasured values are ``None``.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tasks.candidate import Candidate, Fidelity, Inspection, Standing
from tasks.ledger.order_rows import OrderRecord, Settlement
from tasks.money import from_nanousd, share_nanousd, to_nanousd

SCORERS = ("technical", "judge", "duel", "legibility", "palette", "votes")


def report_rows(
    run_id: str,
    records: Sequence[OrderRecord],
    candidates: Sequence[Candidate],
    variables: Sequence[Mapping[str, Any]] = (),
    levels: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Build a run's rows with the columns of the report.

    Args:
        run_id: The run.
        records: Its orders, in the order of the rows.
        candidates: Its pictures.
        variables: The campaign's rows; each gets a column ``var_<name>`` for its variables.
        levels: The levels of each arm that was made of factors; each factor gets a column ``factor_<name>``.

    Returns:
        One mapping for each picture, and for each order without one.
    """
    of_order: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        of_order.setdefault(candidate.order_id, []).append(candidate)
    scorers = sorted({*SCORERS, *(name for candidate in candidates for name in candidate.scores)})
    names = list(dict.fromkeys(name for row in variables for name in row))
    factors = list(dict.fromkeys(name for of_arm in levels.values() for name in of_arm))
    rows = []
    for record in records:
        place = record.order.row
        values = variables[place] if place < len(variables) else {}
        pictures: Sequence[Candidate | None] = of_order.get(record.order.order_id) or [None]
        for share, picture in enumerate(pictures):
            money = _money_columns(record, share, len(pictures))
            rows.append(
                {"run_id": run_id}
                | _order_columns(record)
                | {f"factor_{name}": levels.get(record.order.arm, {}).get(name) for name in factors}
                | {f"var_{name}": values.get(name) for name in names}
                | money
                | _picture_columns(record, picture)
                | _decision_columns(picture, scorers)
            )
    return rows


def _order_columns(record: OrderRecord) -> dict[str, Any]:
    order, settled = record.order, record.settlement or Settlement(record.state)
    parameters = order.parameters
    return {
        "campaign": order.campaign,
        "stage": order.stage,
        "arm": order.arm,
        "row": order.row,
        "prompt": order.prompt,
        "order_id": order.order_id,
        "draft_id": order.draft_id,
        "edition": order.edition,
        "further_round": order.further_round,
        "provider": order.provider,
        "endpoint": order.endpoint,
        "model": parameters.get("model"),
        "quality": parameters.get("quality"),
        "size": parameters.get("size"),
        "requested_format": None if order.endpoint == "chat" else parameters.get("output_format", "png"),
        "state": record.state,
        "error_code": settled.error_code,
        "error_message": settled.error_message,
        "vendor_request_id": settled.vendor_request_id,
        "attempts": record.n_sends,
        "sent_at": record.sent_at,
        "latency_s": settled.latency_s,
        "input_tokens": settled.usage.input_tokens,
        "output_tokens": settled.usage.output_tokens,
    }


def _money_columns(record: OrderRecord, share: int, n_shares: int) -> dict[str, Any]:
    amounts = {"estimate_usd": record.order.estimate_usd, "cost_usd": record.cost_usd}
    return {
        name: None if usd is None else from_nanousd(share_nanousd(to_nanousd(usd), n_shares)[share])
        for name, usd in amounts.items()
    }


def _picture_columns(record: OrderRecord, picture: Candidate | None) -> dict[str, Any]:
    seen = (picture and picture.inspection) or Inspection()
    return {
        "candidate_id": picture and picture.candidate_id,
        "replicate": record.order.replicate if picture is None else picture.replicate,
        "file": picture and (None if picture.is_pruned else picture.file),
        "named_file": None,
        "meets_conditions": None,
        "labels": None,
        "stars": None,
        "comments": None,
        "sha256": picture and picture.sha256,
        "bytes": picture and picture.n_bytes,
        "width": seen.width,
        "height": seen.height,
        "format": seen.format,
        "c2pa": seen.has_c2pa,
        "c2pa_issuer": seen.c2pa_issuer,
        "c2pa_state": seen.c2pa_state,
        "alpha_share": seen.measurements.get("alpha_share"),
        "downgraded": picture and (picture.downgraded or seen.fault),
        "phash": seen.phash,
        "dhash": seen.dhash,
        "colorhash": seen.colorhash,
        "thumbnail": None if picture and picture.is_pruned else seen.thumbnail,
    }


def _decision_columns(picture: Candidate | None, scorers: Sequence[str]) -> dict[str, Any]:
    standing = (picture and picture.standing) or None
    choice = (picture and picture.choice) or None
    fidelity = (picture and picture.fidelity) or None
    scores: Mapping[str, Any] = picture.scores if picture else {}
    return (
        _standing_columns(standing)
        | {f"score_{name}": scores[name].value if name in scores else None for name in scorers}
        | {
            "score": picture and picture.score,
            "panel_score": None,
            "panel_disagreement": None,
            "score_reason": "; ".join(score.reason for score in scores.values() if score.reason) or None,
            "rank": choice and choice.rank,
            "finalist": choice and choice.is_finalist,
            "selection_reason": choice and choice.reason,
            "chosen_by": choice and choice.chosen_by,
        }
        | _fidelity_columns(fidelity)
        | {"accepted": picture and picture.is_accepted}
    )


def _standing_columns(standing: Standing | None) -> dict[str, Any]:
    return {
        "status": standing and standing.status,
        "duplicate_of": standing and standing.duplicate_of,
        "duplicate_kind": standing and standing.duplicate_kind,
        "cluster": standing and standing.cluster,
        "hash_distance": standing and standing.hash_distance_bits,
        "similarity": standing and standing.similarity,
        "similar_cluster": standing and standing.similar_cluster,
    }


def _fidelity_columns(fidelity: Fidelity | None) -> dict[str, Any]:
    return {
        "fidelity": fidelity and fidelity.value,
        "fidelity_ssim": fidelity and fidelity.ssim,
        "fidelity_hash_bits": fidelity and fidelity.hash_distance_bits,
        "fidelity_palette": fidelity and fidelity.palette,
        "fidelity_zoom": fidelity and fidelity.zoom,
        "fidelity_shift": fidelity and fidelity.shift,
        "fidelity_tone": fidelity and fidelity.tone,
        "fidelity_mirrored": fidelity and fidelity.is_mirrored,
    }
