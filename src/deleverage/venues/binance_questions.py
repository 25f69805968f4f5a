"""What is asked of Binance over HTTP: standing questions, history, limits, time. Read by `binance_rest`."""

from deleverage.venues.venue import Clock, History, Limits, Poll, at, more_than

USD_M, COIN_M, OPTIONS = "https://fapi.binance.com/fapi/v1", "https://dapi.binance.com/dapi/v1", "https://eapi.binance.com/eapi/v1"
STATISTICS = "https://fapi.binance.com/futures/data"
MONTH = 29 * 86_400.0
FAMILIES = ((USD_M, "linear"), (COIN_M, "inverse"))
RATIOS = ("globalLongShortAccountRatio", "topLongShortAccountRatio", "topLongShortPositionRatio", "takerlongshortRatio")

CLOCK = Clock(url=f"{USD_M}/time", read=at("serverTime"))
LIMITS = Limits(
    opens=300, opens_every=300, sends=5, weight=2400, weight_every=60, weight_header="X-MBX-USED-WEIGHT-1M", ban=120,
    source="general info and websocket connect pages: 2400 weight a minute, 10 messages a second, 300 attempts in 5 minutes (spot)",
)  # fmt: skip
POLLS = (
    *(Poll(name="instruments", url=f"{root}/exchangeInfo", every=900) for root in (USD_M, COIN_M, OPTIONS)),
    *(Poll(name="funding_info", url=f"{root}/fundingInfo", every=900) for root in (USD_M, COIN_M)),
    *(Poll(name="open_interest", url=f"{root}/openInterest?symbol={{symbol}}", every=60, per="symbol", product=p) for root, p in FAMILIES),
    Poll(name="funding_rates", url=f"{USD_M}/fundingRate?limit=1000", every=3600),
    Poll(
        name="funding_rates", url=f"{COIN_M}/fundingRate?symbol={{symbol}}&limit=100", every=3600, per="symbol", product="inverse",
        tracked=True,
    ),
    Poll(name="mark_prices", url=f"{COIN_M}/premiumIndex", every=15, weight=10),
    *(
        Poll(name="positioning_ratios", url=f"{STATISTICS}/{ratio}?symbol={{symbol}}&period=5m&limit=1", every=300, per="symbol",
             product="linear", tracked=True)
        for ratio in RATIOS
    ),
    *(
        Poll(
            name="book_depth", url=f"{root}/depth?symbol={{symbol}}&limit=1000", every=600, weight=20, per="symbol", product=p, tracked=True
        )
        for root, p in FAMILIES
    ),
    Poll(name="option_quotes", url=f"{OPTIONS}/mark", every=60, weight=5),
    Poll(name="insurance_funds", url=f"{USD_M}/insuranceBalance", every=300),
    Poll(name="adl_signals", url=f"{USD_M}/symbolAdlRisk", every=60),
)  # fmt: skip
# startTime and endTime are both inclusive; candles are found by their open, open interest by the end of its period.
HISTORIES = (
    *(
        History(name="candles", url=f"{root}/klines?symbol={{symbol}}&interval={i}&startTime={{start}}&endTime={{end}}&limit=1000",
                longest=999 * seconds, weight=5, product=product, fills_gaps=gap, on_start=not gap)
        for root, product in FAMILIES for i, seconds, gap in (("5m", 300, False), ("1m", 60, True))
    ),
    History(
        name="open_interest", longest=499 * 300, depth=MONTH, product="linear", on_start=True,
        url=f"{STATISTICS}/openInterestHist?symbol={{symbol}}&period=5m&startTime={{start}}&endTime={{end}}&limit=500",
    ),
    *(
        History(name="funding_rates", url=f"{root}/fundingRate?symbol={{symbol}}&startTime={{start}}&endTime={{end}}&limit=1000",
                longest=999 * 3600, product=product, on_start=True)
        for root, product in FAMILIES
    ),
    *(
        History(name="trades", url=f"{root}/aggTrades?symbol={{symbol}}&startTime={{start}}&endTime={{end}}&limit=1000", longest=3599,
                depth=6 * 3600, weight=20, product=product, is_full=more_than(1000))
        for root, product in FAMILIES
    ),
)  # fmt: skip
