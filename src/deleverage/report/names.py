"""Names of venues and coins in other people's English: canonical ones, former ones, and translations that went wrong.

A former name is read as the venue and not objected to; a mistranslation is read as the venue and reported.
"""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

Treatment = Literal["canonical", "former", "mistranslated"]

VENUES: dict[str, str] = {
    "binance": "Binance",
    "bybit": "Bybit",
    "okx": "OKX",
    "htx": "HTX",
    "hyperliquid": "Hyperliquid",
    "deribit": "Deribit",
    "bitget": "Bitget",
    "gate": "Gate",
    "kucoin": "KuCoin",
    "mexc": "MEXC",
    "kraken": "Kraken",
    "coinbase": "Coinbase",
    "bitmex": "BitMEX",
    "bitfinex": "Bitfinex",
    "dydx": "dYdX",
    "cme": "CME",
    "lighter": "Lighter",
    "aster": "Aster",
    "coinex": "CoinEx",
    "bitstamp": "Bitstamp",
}
"""Venue → its name as printed."""

SPELLINGS: dict[str, str] = {
    r"Binance(?: Futures)?": "binance",
    r"Bybit|ByBit": "bybit",
    r"OKX|OKx": "okx",
    r"HTX": "htx",
    r"Hyper[ -]?[Ll]iquid": "hyperliquid",
    r"Deribit": "deribit",
    r"Bitget|BitGet": "bitget",
    r"Gate(?:\.io)?(?= |,|\b)(?!s)": "gate",
    r"Ku[Cc]oin": "kucoin",
    r"MEXC": "mexc",
    r"Kraken": "kraken",
    r"Coinbase": "coinbase",
    r"Bit[Mm][Ee][Xx]": "bitmex",
    r"Bitfinex": "bitfinex",
    r"d[Yy]d[Xx]": "dydx",
    r"CME": "cme",
    r"Lighter": "lighter",
    r"Aster": "aster",
    r"Coin[Ee]x|CoinEX": "coinex",
    r"Bitstamp": "bitstamp",
}
FORMER: dict[str, str] = {r"Huobi(?:/HTX| Global)?": "htx", r"OK(?:Ex|EX|ex)(?:/OKX)?": "okx"}
"""Huobi was renamed HTX in September 2023, OKEx OKX in January 2022."""

MISTRANSLATED: dict[str, str] = {
    r"super[- ]?fluidit(?:y|ies)": "hyperliquid",
    r"super[- ]?fluid": "hyperliquid",
    r"(?:hyper|super|ultra|excess)[- ]?liquidity": "hyperliquid",
    r"super[- ]?liquid": "hyperliquid",
    r"over[- ]?liquid": "hyperliquid",
    r"co-?operatives?": "htx",
    r"co-?operation": "htx",
    r"fire[- ]?(?:coin|currency)": "htx",
    r"(?:coin|currency) (?:security|an|safety)": "binance",
    r"ou ?yi": "okx",
    r"europe(?:an)?[- ]?(?:easy|yi)": "okx",
    r"sesame(?: (?:open(?:s)?(?: the)? )?(?:door|gate))?": "gate",
    r"matcha": "mexc",
    r"(?:library|warehouse) coin": "kucoin",
}
"""What machine translation makes of the venues' names in other languages."""

PLAIN_WORDS = (
    r"co-?operatives?|co-?operation|matcha|sesame|(?:hyper|super|ultra|excess)[- ]?liquidity|super[- ]?fluid|super[- ]?liquid|"
    r"over[- ]?liquid"
)
"""Those that are English words as well: reported only where a venue would stand."""

COINS: dict[str, str] = {
    r"BTC|[Bb]itcoin|XBT": "BTC",
    r"ETH|[Ee]ther(?:eum)?": "ETH",
    r"SOL|[Ss]olana": "SOL",
    r"XRP": "XRP",
    r"DOGE|[Dd]ogecoin": "DOGE",
    r"BNB": "BNB",
    r"ADA|[Cc]ardano": "ADA",
    r"HYPE": "HYPE",
    r"ZEC|[Zz]cash": "ZEC",
    r"AVAX|Avalanche": "AVAX",
    r"LINK|[Cc]hainlink": "LINK",
    r"LTC|[Ll]itecoin": "LTC",
    r"SUI": "SUI",
    r"ASTER": "ASTER",
}

VENUE = re.compile("|".join(f"(?P<v{i}>\\b(?:{p})(?![A-Za-z]))" for i, p in enumerate({**SPELLINGS, **FORMER})))
COIN = re.compile("|".join(f"(?P<c{i}>\\b(?:{p})(?![A-Za-z]))" for i, p in enumerate(COINS)))
WRONG = re.compile("|".join(f"(?P<w{i}>\\b(?:{p})\\b)" for i, p in enumerate(MISTRANSLATED)), re.I)
PLAIN = re.compile(PLAIN_WORDS, re.I)
_VENUE_OF = [*SPELLINGS.values(), *FORMER.values()]
_WRONG_OF = list(MISTRANSLATED.values())


class Name(NamedTuple):
    """A name found in a text: which venue (or coin), where, as written, and how it is treated."""

    key: str
    start: int
    end: int
    text: str
    treatment: Treatment


def venues_in(text: str, *, is_cell: bool = False, is_piece: bool = False) -> list[Name]:
    """Find venues in their order. An English word counts as a mistranslated name only where a venue would stand: alone in a cell of a
    table (`is_cell`), or beside an amount or another venue as in "Bybit and cooperative", "cooperative 152.11 M", "on cooperative";
    a piece of a sentence that is cut before a number (`is_piece`) may end in one.

    >>> [(n.key, n.treatment) for n in venues_in("Bybit, superfluidity and Huobi")]
    [('bybit', 'canonical'), ('hyperliquid', 'mistranslated'), ('htx', 'former')]
    >>> venues_in("a cooperative effort of regulators")
    []
    """
    return list(_venues_in(text, is_cell, is_piece))


@lru_cache(maxsize=2048)  # every check reads the same texts
def _venues_in(text: str, is_cell: bool, is_piece: bool) -> tuple[Name, ...]:
    found = []
    for match in VENUE.finditer(text):
        i = int((match.lastgroup or "v0")[1:])
        found.append(Name(_VENUE_OF[i], match.start(), match.end(), match[0], "canonical" if i < len(SPELLINGS) else "former"))
    for match in WRONG.finditer(text):
        if any(n.start <= match.start() < n.end for n in found):
            continue
        alone = (is_piece and not text[match.end() :].strip()) or (is_cell and len(text.strip(" *_`")) <= len(match[0]) + 1)
        if alone or not PLAIN.fullmatch(match[0]) or _stands_for_venue(text, match.start(), match.end()):
            found.append(Name(_WRONG_OF[int((match.lastgroup or "w0")[1:])], match.start(), match.end(), match[0], "mistranslated"))
    return tuple(sorted(found, key=lambda name: name.start))


_ANY_VENUE = f"(?:{'|'.join([*SPELLINGS, *FORMER])}|superfluidity|cooperative)"
_BEFORE = re.compile(
    rf"(?:{_ANY_VENUE}(?:\s*\([^)]*\))?(?:,? (?:and|or|plus|followed by|then)|\s*[,+&/])\s*|\b(?:at|on|via|from|exchange"
    rf"|venue)\s+(?:the )?|followed by |then )$"
)
_AFTER = re.compile(
    r"^['’s]*\s*(?::|\(|[-–—]|was|with|at|saw|had|recorded|accounted for|contributed|reported|liquidated|posted)?\s*(?:about "
    r"|nearly |over |around )?"
    rf"(?:[$]?\d[\d.,]*\s*(?:M|mn|m\b|million|B|bn|billion|%|\$)|[$]\d|(?:,|and|\+|&|/)\s*{_ANY_VENUE})"
)


def _stands_for_venue(text: str, start: int, end: int) -> bool:
    before, after = text[:start], text[end:]
    if re.match(r"\s+(?:effort|bank|agreement|approach|members?|movement|societ|regulat|stance|of |framework|with regul)", after):
        return False
    return (bool(_BEFORE.search(before)) and not re.search(r"\b(?:a|an|the more|more|the)\s$", before)) or bool(_AFTER.match(after))


def coins_in(text: str) -> list[Name]:
    """Find coins in their order.

    >>> [n.key for n in coins_in("bitcoin, ETH and Solana")]
    ['BTC', 'ETH', 'SOL']
    """
    keys = list(COINS.values())
    return [Name(keys[int((m.lastgroup or "c0")[1:])], m.start(), m.end(), m[0], "canonical") for m in COIN.finditer(text)]
