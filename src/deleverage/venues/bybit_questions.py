"""What is asked of Bybit over HTTP: standing questions, history, limits, time. Read by `bybit_rest`."""

from deleverage.venues.venue import Clock, History, Limits, Poll, at

REST = "https://api.bybit.com/v5"
OPTION_COINS = ("BTC", "ETH", "SOL")
PRODUCTS = ("linear", "inverse")

CLOCK = Clock(url=f"{REST}/market/time", read=at("time"))
LIMITS = Limits(
    opens=500, opens_every=300, sockets=1000, sends=10, weight=600, weight_every=5, ban=600,
    source="rate limit page: 600 requests in 5 s, then 403 for 10 minutes; websocket connect page: 500 connections in 5 minutes",
)  # fmt: skip
POLLS = (
    *(Poll(name="instruments", url=f"{REST}/market/instruments-info?category={p}&limit=1000", every=900) for p in PRODUCTS),
    *(
        Poll(name="instruments", url=f"{REST}/market/instruments-info?category=option&baseCoin={coin}&limit=1000", every=900)
        for coin in OPTION_COINS
    ),
    *(Poll(name="open_interest", url=f"{REST}/market/tickers?category={p}", every=60) for p in PRODUCTS),
    *(Poll(name="option_quotes", url=f"{REST}/market/tickers?category=option&baseCoin={coin}", every=60) for coin in OPTION_COINS),
    *(
        Poll(name="funding_rates", url=f"{REST}/market/funding/history?category={p}&symbol={{symbol}}&limit=10", every=3600, per="symbol",
             product=p)
        for p in PRODUCTS
    ),
    *(
        Poll(name="positioning_ratios", url=f"{REST}/market/account-ratio?category={p}&symbol={{symbol}}&period=5min&limit=1", every=300,
             per="symbol", product=p, tracked=True)
        for p in PRODUCTS
    ),
    *(
        Poll(name="margin_tiers", url=f"{REST}/market/risk-limit?category={p}&symbol={{symbol}}", every=86_400, per="symbol", product=p)
        for p in PRODUCTS
    ),
    Poll(name="insurance_funds", url=f"{REST}/market/insurance", every=300),
    Poll(name="adl_signals", url=f"{REST}/market/adlAlert", every=60),
    Poll(name="venue_statuses", url=f"{REST}/system/status", every=300),
)  # fmt: skip
# start and end are inclusive and both are needed; rows come newest first.
HISTORIES = (
    *(
        History(
            name="candles", longest=999 * 60 * i, product=p, fills_gaps=gap, on_start=not gap,
            url=f"{REST}/market/kline?category={p}&symbol={{symbol}}&interval={i}&start={{start}}&end={{end}}&limit=1000",
        )
        for p in PRODUCTS for i, gap in ((5, False), (1, True))
    ),
    *(
        History(
            name="open_interest", longest=199 * 300, product=p, on_start=True,
            url=f"{REST}/market/open-interest?category={p}&symbol={{symbol}}&intervalTime=5min&startTime={{start}}&endTime={{end}}&limit=200",
        )
        for p in PRODUCTS
    ),
    *(
        History(name="funding_rates", longest=199 * 3600, product=p, on_start=True,
                url=f"{REST}/market/funding/history?category={p}&symbol={{symbol}}&startTime={{start}}&endTime={{end}}&limit=200")
        for p in PRODUCTS
    ),
)  # fmt: skip
