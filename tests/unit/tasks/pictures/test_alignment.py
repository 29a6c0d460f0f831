"""A final with its drift undone covers its draft."""

import numpy as np
from PIL import Image
from skimage import data

from benchmarks.fidelity_changes import redrawn, toned, zoomed
from tasks.compare import Framing
from tasks.pictures.alignment import align


def apart(one: Image.Image, other: Image.Image) -> float:
    """Measure the mean difference of two pictures, 0-255 levels."""
    reduced = other.resize(one.size, Image.Resampling.LANCZOS)
    return float(np.abs(np.asarray(one, float) - np.asarray(reduced, float)).mean())


def test_an_aligned_final_lies_on_its_draft_in_the_drafts_light() -> None:
    """To the rim, which the zoomed final no longer shows; in the final's own size, and the final stays."""
    draft = Image.fromarray(data.coffee()).resize((480, 320))
    drifted = toned(zoomed(draft, 1.05, (0.02, -0.01)), 0.94, 1.0, 0.05)
    final = redrawn(drifted, 0.003, np.random.default_rng(2)).resize((960, 640))
    before = final.tobytes()
    aligned = align(draft, final, Framing(draft, final, None).compare())
    assert aligned.size == final.size
    assert final.tobytes() == before
    assert apart(draft, aligned) < 0.35 * apart(draft, final)
    rim = np.asarray(aligned.resize(draft.size), float)[:, :6] - np.asarray(draft, float)[:, :6]
    assert np.abs(rim).mean() < 12
