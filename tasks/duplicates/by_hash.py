"""Duplicates by hash: two hashes differ in few bits, and two further checks agree.

Colours in every part of the picture must agree, because hashes ignore colour; and the other hash, because a
slightly shifted view can fool one of them. On plain grounds most bits of a hash are noise: this rule is for
who sets a radius, and for pictures that cannot be looked at.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from tasks.candidate import Standing
from tasks.duplicates.rule import DEFAULT_RADIUS_BITS
from tasks.duplicates.scope import Scope, duplicate_of, exact_duplicate

COLOUR_TOLERANCE = 14.0
"""How far the colours of duplicates may differ: means of a grid's cells, 8-bit levels of Cb and Cr.

Measured by ``benchmarks/dedup_photographs.py`` on 71 photographs: the most changed duplicate (10 % brighter,
cropped, smaller and JPEG-compressed) differs by 12 to 13, the closest photograph with rotated hues by 16.
"""

CONFIRMING_SLACK_BITS = 2
"""By how many bits more than the radius the other hash may differ.

Measured on the same photographs at a radius of 6: it keeps apart a stereo pair whose pHash differs in only 4
bits. Of the duplicates that the radius alone finds it misses 5 % of those cropped at one corner, and no
others. All near-duplicates of the emulator are found (``benchmarks/dedup_emulator_art.py``).
"""


def settle_by_hash(
    scope: Scope, radius_bits: int | None, near: Mapping[int, list[tuple[int, int]]]
) -> dict[str, Standing]:
    """Take candidates from best to worst; each joins its nearest representative or becomes one.

    Args:
        scope: Pictures compared with one another.
        radius_bits: How many bits duplicates may differ in; ``None`` for equal bytes only.
        near: For each distinct hash the hashes within the radius, with their distances.
    """
    standings: dict[str, Standing] = {}
    by_bytes: dict[str, int] = {}
    by_place: defaultdict[int, list[int]] = defaultdict(list)
    for index, one in enumerate(scope.ranked):
        duplicate = None
        if scope.may_fold(index) and not scope.is_alone(index):
            duplicate = exact_duplicate(scope, index, by_bytes.get(one.sha256))
            if duplicate is None and radius_bits is not None:
                duplicate = _near(scope, index, radius_bits, near, by_place)
        if duplicate is not None:
            standings[one.candidate_id] = duplicate
            continue
        by_bytes.setdefault(one.sha256, index)
        by_place[scope.places[index]].append(index)
        if not scope.is_earlier(index):
            standings[one.candidate_id] = Standing("survivor", cluster=one.candidate_id)
    return standings


def _near(
    scope: Scope,
    index: int,
    radius_bits: int,
    near: Mapping[int, list[tuple[int, int]]],
    leaders: Mapping[int, list[int]],
) -> Standing | None:
    """Find the nearest representative that all checks confirm; of equally near ones the most preferred."""
    nearby = sorted(
        (bits, leader)
        for bits, place in near.get(scope.places[index], ())
        if bits <= radius_bits
        for leader in leaders.get(place, ())
    )
    for bits, leader in nearby:
        if not scope.is_apart(index, leader) and _is_confirmed(scope, index, leader, radius_bits):
            return duplicate_of(scope.ranked[leader], "near", bits, similarity=None)
    return None


def is_near_by_hash(scope: Scope, index: int, leader: int, bits: int | None) -> bool:
    """Whether the hashes of two pictures that cannot be looked at are near, and confirmed.

    Args:
        scope: Pictures compared with one another.
        index: One of them.
        leader: Another one.
        bits: The distance of their hashes; ``None`` when one has none.
    """
    if bits is None or bits > DEFAULT_RADIUS_BITS:
        return False
    return _is_confirmed(scope, index, leader, DEFAULT_RADIUS_BITS)


def _is_confirmed(scope: Scope, index: int, leader: int, radius_bits: int) -> bool:
    """Check two near hashes by colour and the other hash. What was not measured confirms nothing."""
    one, other = scope.others[index], scope.others[leader]
    if one is None or other is None or (one ^ other).bit_count() > radius_bits + CONFIRMING_SLACK_BITS:
        return False
    return bool(np.abs(scope.colours[index] - scope.colours[leader]).max() <= COLOUR_TOLERANCE)
