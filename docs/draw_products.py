"""Draw the product pictures of ``configs/campaigns/product-pictures.yaml``: ``python -m docs.draw_products``.

Plain shapes on a studio background, so that the example contains no picture owned by somebody else.
"""

from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

from tasks.catalogue import configs_folder

EDGE_PX = 1024
DRAWN_LARGER = 2
GROUND, FLOOR, SHADOW = "#f3f1ec", "#e7e3da", "#b9b2a5"

Pen = ImageDraw.ImageDraw


def main() -> None:
    """Write every picture into the example's folder, replacing existing ones."""
    folder = configs_folder() / "campaigns" / "products"
    folder.mkdir(exist_ok=True)
    for name, draw in PRODUCTS.items():
        draw_product(draw).save(folder / f"{name}.png", optimize=True)


def draw_product(draw: Callable[[Pen], None]) -> Image.Image:
    """Draw one product on its background, anti-aliased, with few colours so that the file is small."""
    edge = EDGE_PX * DRAWN_LARGER
    picture = Image.new("RGB", (edge, edge), GROUND)
    pen = ImageDraw.Draw(picture)
    pen.rectangle(_large((0, 760, 1024, 1024)), fill=FLOOR)
    shade = Image.new("L", picture.size, 0)
    ImageDraw.Draw(shade).ellipse(_large((300, 800, 724, 872)), fill=150)
    picture.paste(SHADOW, (0, 0), shade.filter(ImageFilter.GaussianBlur(28)))
    draw(ImageDraw.Draw(picture))
    small = picture.resize((EDGE_PX, EDGE_PX), Image.Resampling.LANCZOS)
    return small.quantize(48, dither=Image.Dither.NONE).convert("RGB")


def _large(box: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(DRAWN_LARGER * edge for edge in box)


def _mug(pen: Pen) -> None:
    pen.ellipse(_large((610, 500, 760, 720)), outline="#c8553d", width=2 * 40)
    pen.rounded_rectangle(_large((340, 440, 650, 840)), 2 * 40, fill="#c8553d")
    pen.rectangle(_large((340, 440, 650, 520)), fill="#d96a50")
    pen.ellipse(_large((340, 400, 650, 480)), fill="#f0e6dc")
    pen.ellipse(_large((360, 412, 630, 470)), fill="#5b3a29")


def _lamp(pen: Pen) -> None:
    pen.rounded_rectangle(_large((390, 800, 634, 840)), 2 * 18, fill="#2f3e46")
    pen.rectangle(_large((500, 520, 524, 810)), fill="#2f3e46")
    pen.polygon(_large((420, 300, 604, 300, 700, 560, 324, 560)), fill="#e9b949")
    pen.ellipse(_large((324, 536, 700, 584)), fill="#f6d98a")
    pen.ellipse(_large((420, 284, 604, 316)), fill="#c99a2e")


def _bottle(pen: Pen) -> None:
    pen.rounded_rectangle(_large((410, 430, 614, 850)), 2 * 36, fill="#3f7d58")
    pen.polygon(_large((410, 470, 614, 470, 556, 350, 468, 350)), fill="#3f7d58")
    pen.rectangle(_large((468, 260, 556, 360)), fill="#3f7d58")
    pen.rounded_rectangle(_large((462, 220, 562, 276)), 2 * 10, fill="#a9825a")
    pen.rectangle(_large((410, 560, 614, 740)), fill="#f4efe1")
    pen.ellipse(_large((464, 602, 560, 698)), fill="#8fae5d")


PRODUCTS: dict[str, Callable[[Pen], None]] = {"bottle": _bottle, "lamp": _lamp, "mug": _mug}


if __name__ == "__main__":
    main()
