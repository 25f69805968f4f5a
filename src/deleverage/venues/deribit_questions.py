"""What is asked of Deribit over HTTP: standing questions, history, limits, time. Read by `deribit_rest`."""

import msgspec

from deleverage.venues.venue import Clock, History, Limits, Poll, at

REST = "https://www.deribit.com/api/v2/public"
YEAR = 365 * 86_400.0


def has_more(payload: bytes) -> bool:
    """Tell whether an answer about trades left some out.

    >>> has_more(b'{"result":{"trades":[],"has_more":true}}')
    True
    """
    return bool(msgspec.json.decode(payload)["result"]["has_more"])


CLOCK = Clock(url=f"{REST}/get_time", read=at("result"))
LIMITS = Limits(
    opens=10, opens_every=10, sockets=32, sends=3, weight=50_000, weight_every=10, ban=30,
    source="rate limits page: 500 credits a question, 3000 a subscription, pool of 50,000 refilled at 10,000 a second; 32 connections",
)  # fmt: skip
POLLS = (
    *(
        Poll(name="instruments", url=f"{REST}/get_instruments?currency=any&kind={kind}&expired=false", every=900, weight=10_000)
        for kind in ("future", "option")
    ),
    *(
        Poll(name="option_quotes", url=f"{REST}/get_book_summary_by_currency?currency={coin}&kind=option", every=60, weight=500)
        for coin in ("BTC", "ETH", "USDC")
    ),
    Poll(name="venue_statuses", url=f"{REST}/status", every=300, weight=500),
)
TRADES = f"{REST}/get_last_trades_by_instrument_and_time?instrument_name={{symbol}}"
TRADES += "&start_timestamp={start}&end_timestamp={end}&count=1000&sorting=asc"
# Both timestamps are inclusive. Trades carry the liquidation flag.
HISTORIES = (
    History(name="liquidations", url=TRADES, longest=6 * 3600, weight=500, is_full=has_more),
    History(
        name="trades", url=TRADES, longest=YEAR, weight=500, product="option", is_full=has_more, fills_gaps=True, on_start=True, back=YEAR
    ),
    *(
        History(
            name="candles", longest=999 * 60 * i, weight=500, fills_gaps=gap, on_start=not gap,
            url=f"{REST}/get_tradingview_chart_data?instrument_name={{symbol}}&start_timestamp={{start}}&end_timestamp={{end}}&resolution={i}",
        )
        for i, gap in ((5, False), (1, True))
    ),
    History(
        name="funding_rates", longest=499 * 3600, weight=500, product="perpetual", on_start=True,
        url=f"{REST}/get_funding_rate_history?instrument_name={{symbol}}&start_timestamp={{start}}&end_timestamp={{end}}",
    ),
    *(
        History(
            name="volatility_indices", longest=999 * 3600, weight=500, per="venue", on_start=True,
            url=f"{REST}/get_volatility_index_data?currency={coin}&start_timestamp={{start}}&end_timestamp={{end}}&resolution=3600",
        )
        for coin in ("BTC", "ETH")
    ),
)  # fmt: skip
