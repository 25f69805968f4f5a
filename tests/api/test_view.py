"""The sentence of the first page: its numbers are rounded as the page rounds them."""

import pytest

from deleverage.api.view import _amount, _percent


@pytest.mark.parametrize(
    ("usd", "words"),
    [(1_830_970_000, "1.83 bn"), (999_960_000, "1.00 bn"), (629_114_233.12, "629.1 M"), (999_960, "1.0 M"), (5_400, "5.4 k")],
)
def test_amounts_are_rounded_as_on_the_tiles(usd: float, words: str) -> None:
    assert _amount(usd) == words


@pytest.mark.parametrize(
    ("share", "words"), [(1.0, "100 %"), (0.99996, "> 99.9 %"), (0.996, "99.6 %"), (0.931, "93 %"), (0.0412, "4.1 %"), (0.0, "0 %")]
)
def test_only_all_of_it_is_a_hundred_per_cent(share: float, words: str) -> None:
    assert _percent(share) == words
