"""Pictures that are compared without a run, as `tasks.duplicates.comparison` takes them."""

from functools import cached_property

from PIL import Image

from tasks.pictures.glances import Glance, glance_at
from tasks.pictures.looks import look_at


class Seen:
    """A picture that is compared, at a glance and closely."""

    def __init__(self, picture: Image.Image) -> None:
        self.look = look_at(picture)

    @cached_property
    def glance(self) -> Glance:
        """What is kept of it."""
        return glance_at(self.look)
