"""A provider that states its limit: the pace goes there at the first answer, and nothing is refused."""

from tasks.images_api.rate_limiter.limiter import MemoryWindow, RateLimiter
from tests.support.shop import Opener, order_of


def test_the_pace_goes_to_the_limit_that_the_first_answer_states(open_shop: Opener) -> None:
    """Thirty pictures of an account with thirty a minute are bought in one burst, with no refusal."""
    shop = open_shop(images_per_minute=30, states_limit=True)
    window = MemoryWindow()
    shop.buy(*(order_of(replicate=k) for k in range(30)), rate_limiter=RateLimiter("auto", window))
    assert {record.state for record in shop.records()} == {"received"}
    assert shop.bill()["total"]["requests"] == 30
    assert window.window.found is not None
    assert (window.window.found.stated, window.window.found.limit) == (30, None)


def test_without_the_header_the_limit_is_found_as_before(open_shop: Opener) -> None:
    """By answers, from the lowest tier up."""
    shop = open_shop(images_per_minute=30)
    window = MemoryWindow()
    shop.buy(*(order_of(replicate=k) for k in range(10)), rate_limiter=RateLimiter("auto", window))
    assert window.window.found is not None
    assert window.window.found.stated is None
    assert window.window.found.proven >= 5
