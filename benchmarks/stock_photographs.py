"""Photographs from npm packages of web page templates: people, places, products, mist and neon light.

Most were sharpened, toned and compressed for the web, like many pictures. There are two sets from different
packages: curves are fitted to the first and measured on the second.

    mkdir fitted held-out
    for name in $(python -m benchmarks.stock_photographs fitted); do (cd fitted && npm pack $name); done
    for name in $(python -m benchmarks.stock_photographs held-out); do (cd held-out && npm pack $name); done
    for file in */*.tgz; do mkdir -p "${file%.tgz}" && tar xzf $file -C "${file%.tgz}"; done
"""

import sys
from pathlib import Path

import imagehash
from PIL import Image

from benchmarks.dedup_photographs import EDGE_PX
from tasks.pictures.decoding import decode, flatten, shrink

PACKAGES = {
    "fitted": (
        "now-ui-kit@1.3.0", "paper-kit-2@2.1.0", "startbootstrap-agency@7.0.12",
        "startbootstrap-business-casual@7.0.9", "startbootstrap-clean-blog@6.0.9",
        "startbootstrap-creative@7.0.7", "startbootstrap-grayscale@7.0.6",
        "startbootstrap-one-page-wonder@6.0.6", "startbootstrap-stylish-portfolio@6.0.6",
    ),
    "held-out": (
        "argon-design-system-free@1.2.0", "blk-design-system@1.0.2", "material-dashboard@3.1.0",
        "material-kit@2.0.4", "soft-ui-design-system@1.0.4", "startbootstrap-landing-page@6.0.6",
        "admin-lte@3.2.0", "tabler-ui@0.0.34",
    ),
}  # fmt: skip
NO_PHOTOGRAPHS = set(
    """
    curved-images illustrations landing.jpg profile.jpg logo-square.jpg blurred-image-1.jpg
    """.split()  # noqa: SIM905 - a column of quoted names says no more
)
"""Folders and files of drawings, screenshots, and one that is blurred on purpose."""

LEAST_PX = 250
COPY_BITS = 8


def find_stock_photographs(folder: Path) -> dict[str, Image.Image]:
    """Load every photograph by package and name, reduced to the size of a draft; of copies the first."""
    found: dict[str, Image.Image] = {}
    hashes: list[imagehash.ImageHash] = []
    for path in sorted(folder.rglob("*.jp*g")):
        if NO_PHOTOGRAPHS & set(path.parts):
            continue
        picture = flatten(decode(path))
        if min(picture.size) < LEAST_PX:
            continue
        fingerprint = imagehash.phash(picture)
        if all(fingerprint - known > COPY_BITS for known in hashes):
            hashes.append(fingerprint)
            found["/".join((path.relative_to(folder).parts[0], path.name))] = shrink(picture, EDGE_PX)
    return found


if __name__ == "__main__":
    print(*PACKAGES[sys.argv[1]], sep="\n")
