"""Reading a prompt: which subject, where, at what hour, in which colours and style."""

import hashlib
import re
from dataclasses import dataclass

SUBJECTS = {
    "otter": "otter", "otters": "otter", "fox": "fox", "foxes": "fox", "cat": "cat", "kitten": "cat",
    "cats": "cat",
    "dog": "dog", "puppy": "dog", "wolf": "wolf", "rabbit": "rabbit", "bunny": "rabbit", "hare": "rabbit",
    "bear": "bear", "panda": "panda", "lion": "lion", "tiger": "tiger", "mouse": "mouse", "squirrel": "fox",
    "bird": "bird", "birds": "bird", "robin": "bird", "sparrow": "bird", "owl": "owl", "penguin": "owl",
    "whale": "whale", "fish": "fish", "dolphin": "whale",
    "bottle": "bottle", "perfume": "bottle", "flask": "bottle", "wine": "bottle", "lotion": "bottle",
    "shoe": "shoe", "shoes": "shoe", "sneaker": "shoe", "sneakers": "shoe", "trainer": "shoe", "boot": "shoe",
    "mug": "mug", "cup": "mug", "coffee": "mug", "tea": "mug", "teacup": "mug",
    "chair": "chair", "armchair": "chair", "stool": "chair", "watch": "watch", "wristwatch": "watch",
    "clock": "watch", "lamp": "lamp", "lantern": "lamp", "vase": "vase", "plant": "vase", "flower": "vase",
    "flowers": "vase", "bouquet": "vase", "lighthouse": "lighthouse", "house": "house", "cabin": "house",
    "cottage": "house", "home": "house", "hut": "house", "barn": "house", "boat": "boat", "sailboat": "boat",
    "ship": "boat", "tree": "tree", "castle": "castle", "tower": "castle",
}  # fmt: skip
ANIMALS = frozenset(
    ["otter", "fox", "cat", "dog", "wolf", "rabbit", "bear", "panda", "lion", "tiger", "mouse", "bird", "owl"]
)
PRODUCTS = frozenset(["bottle", "shoe", "mug", "chair", "watch", "lamp", "vase"])
PLACES = {
    "sea": "sea", "ocean": "sea", "beach": "beach", "coast": "beach", "shore": "beach", "harbour": "sea",
    "harbor": "sea", "lake": "lake", "river": "lake", "water": "lake", "kelp": "sea", "swimming": "sea",
    "floating": "sea", "mountain": "mountain", "mountains": "mountain", "alps": "mountain",
    "peak": "mountain",
    "snow": "snow", "snowy": "snow", "winter": "snow", "city": "city", "street": "city", "skyline": "city",
    "town": "city", "rooftop": "city", "forest": "forest", "woods": "forest", "jungle": "forest",
    "woodland": "forest", "desert": "desert", "dunes": "desert", "meadow": "meadow", "field": "meadow",
    "garden": "meadow", "hill": "meadow", "hills": "meadow", "studio": "studio", "table": "studio",
    "desk": "studio", "shelf": "studio", "kitchen": "studio", "indoors": "studio", "marble": "studio",
}  # fmt: skip
HOURS = {
    "dawn": "dawn", "sunrise": "dawn", "morning": "dawn", "noon": "noon", "midday": "noon",
    "daylight": "noon",
    "sunny": "noon", "golden": "golden", "afternoon": "golden", "dusk": "dusk", "sunset": "dusk",
    "evening": "dusk", "twilight": "dusk", "night": "night", "midnight": "night", "moonlit": "night",
    "moonlight": "night", "stars": "night", "starry": "night",
}  # fmt: skip
STYLES = {
    "watercolour": "watercolour", "watercolor": "watercolour", "aquarelle": "watercolour",
    "photograph": "photograph", "photo": "photograph", "photorealistic": "photograph",
    "photography": "photograph",
    "cinematic": "photograph", "realistic": "photograph", "ink": "ink", "line": "ink", "sketch": "ink",
    "pencil": "ink", "engraving": "ink", "flat": "flat", "poster": "flat", "vector": "flat",
    "minimalist": "flat",
    "screenprint": "flat", "isometric": "diorama", "3d": "diorama", "clay": "diorama", "render": "diorama",
    "oil": "oil", "impressionist": "oil", "gouache": "oil", "painting": "oil",
}  # fmt: skip
COLOURS = {
    "red": "c8372d", "crimson": "b01e35", "scarlet": "d63324", "orange": "e8813a", "amber": "e9a23b",
    "yellow": "f0c63f", "gold": "d4a437", "golden": "", "green": "4f9a57", "emerald": "1f8a63",
    "olive": "7d8a3e",
    "mint": "9fd8bd", "teal": "1f8f8b", "turquoise": "38b6b0", "cyan": "3fbcd4", "blue": "3a74c4",
    "navy": "22396e",
    "indigo": "44459c", "purple": "7a4fa3", "violet": "8a63c8", "lavender": "b7a5dd", "pink": "ec9db4",
    "magenta": "c73f8e", "coral": "f0806a", "brown": "8a5a3a", "beige": "d9c3a0", "cream": "f1e4c8",
    "black": "26262b", "white": "f4f1ea", "grey": "8d9096", "gray": "8d9096", "silver": "b9bec6",
}  # fmt: skip
MOODS = {
    "pastel": "pastel",
    "muted": "muted",
    "vibrant": "vibrant",
    "monochrome": "monochrome",
    "neon": "vibrant",
}


@dataclass(frozen=True, slots=True)
class Brief:
    """What a prompt asks for.

    Args:
        subject: A name the painter knows, or ``still_life``.
        place: Where it is, or ``studio``.
        hour: ``dawn``, ``noon``, ``golden``, ``dusk`` or ``night``; ``None`` when the prompt leaves it open.
        style: How it is rendered; ``illustration`` when the prompt leaves it open.
        colours: ``rrggbb`` of the colour words, in order.
        mood: ``pastel``, ``muted``, ``vibrant``, ``monochrome`` or ``None``.
        words_seed: Follows from the words alone: what a prompt leaves open is the same in all its pictures.
        floats: Whether an animal lies in water.
        sleeps: Whether its eyes are shut.
        has_kelp: Whether kelp is wrapped around it.
    """

    subject: str
    place: str
    hour: str | None
    style: str
    colours: tuple[str, ...]
    mood: str | None
    words_seed: int
    floats: bool
    sleeps: bool
    has_kelp: bool


def read_prompt(prompt: str) -> Brief:
    """Find in a prompt what the painter can follow; the first word of each kind counts."""
    words = re.findall(r"[a-z0-9]+", prompt.lower())
    place = _first(words, PLACES)
    subject = _first(words, SUBJECTS)
    style = _first(words, STYLES) or "illustration"
    if subject is None:
        subject = "view" if place not in (None, "studio") else "still_life"
    swims = bool({"swimming", "floating", "back", "kelp", "swims", "floats"} & set(words))
    return Brief(
        subject=subject,
        place=place or _usual_place(subject, swims, style),
        hour=_first(words, HOURS),
        style=style,
        colours=tuple(COLOURS[word] for word in words if COLOURS.get(word)),
        mood=_first(words, MOODS),
        words_seed=int.from_bytes(hashlib.sha256(" ".join(sorted(set(words))).encode()).digest()[:8], "big"),
        floats=subject == "otter" and (swims or place in ("sea", "lake")),
        sleeps=bool({"asleep", "sleeping", "sleepy", "dreaming", "nap", "sleeps"} & set(words)),
        has_kelp=bool({"kelp", "seaweed"} & set(words)),
    )


def _first(words: list[str], meanings: dict[str, str]) -> str | None:
    return next((meanings[word] for word in words if word in meanings), None)


def _usual_place(subject: str, swims: bool, style: str) -> str:
    if subject in ("whale", "fish", "boat", "lighthouse") or swims:
        return "sea"
    if subject in PRODUCTS or subject == "still_life":
        return "studio"
    if subject in ANIMALS:
        return "studio" if style == "photograph" else "meadow"
    return "meadow"
