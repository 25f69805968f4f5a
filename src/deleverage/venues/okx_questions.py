"""What is asked of OKX over HTTP: standing questions, history, limits, time. Read by `okx_rest`."""

from deleverage.venues.venue import Clock, History, Limits, Poll, at, more_than

REST = "https://www.okx.com/api/v5"
FUTURES, OPTIONS = ("SWAP", "FUTURES"), ("BTC-USD", "ETH-USD")

CLOCK = Clock(url=f"{REST}/public/time", read=at("data.0.ts"))
LIMITS = Limits(
    opens=3, opens_every=1, sends=2, weight=10, weight_every=2, ban=60,
    source="overview page: 3 connections a second; rates are by address, the tightest asked here 10 in 2 s; 480 subscriptions an hour",
)  # fmt: skip
POLLS = (
    *(Poll(name="instruments", url=f"{REST}/public/instruments?instType={p}", every=900) for p in FUTURES),
    *(Poll(name="instruments", url=f"{REST}/public/instruments?instType=OPTION&instFamily={f}", every=900) for f in OPTIONS),
    *(Poll(name="open_interest", url=f"{REST}/public/open-interest?instType={p}", every=60) for p in FUTURES),
    *(Poll(name="open_interest", url=f"{REST}/public/open-interest?instType=OPTION&instFamily={f}", every=300) for f in OPTIONS),
    *(Poll(name="option_quotes", url=f"{REST}/market/tickers?instType=OPTION&instFamily={f}", every=60) for f in OPTIONS),
    Poll(
        name="funding_rates", url=f"{REST}/public/funding-rate-history?instId={{symbol}}&limit=10", every=3600, per="symbol",
        product="perpetual", tracked=True,
    ),
    Poll(
        name="positioning_ratios", url=f"{REST}/rubik/stat/contracts/long-short-account-ratio-contract?instId={{symbol}}&period=5m&limit=1",
        every=300, per="symbol", product="perpetual", tracked=True,
    ),
    Poll(
        name="liquidations", url=f"{REST}/public/liquidation-orders?instType=SWAP&state=filled&instFamily={{family}}&limit=100",
        every=900, per="family", product="perpetual",
    ),
    Poll(
        name="insurance_funds", url=f"{REST}/public/insurance-fund?instType=SWAP&instFamily={{family}}", every=3600, per="family",
        product="perpetual",
    ),
    Poll(
        name="margin_tiers", url=f"{REST}/public/position-tiers?instType=SWAP&tdMode=cross&instFamily={{family}}", every=86_400,
        per="family", product="perpetual",
    ),
    Poll(name="venue_statuses", url=f"{REST}/system/status", every=300),
)  # fmt: skip
# `after` asks for rows older, `before` for rows newer than the instant given, both without it; begin and end include it.
HISTORIES = (
    *(
        History(name="candles", url=f"{REST}/market/history-candles?instId={{symbol}}&bar={bar}&before={{before}}&after={{end}}&limit=100",
                longest=100 * seconds, product="perpetual", fills_gaps=gap, on_start=not gap)
        for bar, seconds, gap in (("5m", 300, False), ("1m", 60, True))
    ),
    History(
        name="open_interest", longest=99 * 300, product="perpetual", on_start=True,
        url=f"{REST}/rubik/stat/contracts/open-interest-history?instId={{symbol}}&period=5m&begin={{start}}&end={{end}}&limit=100",
    ),
    History(
        name="funding_rates", url=f"{REST}/public/funding-rate-history?instId={{symbol}}&before={{before}}&after={{end}}&limit=100",
        longest=100 * 3600, product="perpetual", on_start=True,
    ),
    History(
        name="liquidations", longest=86_400, depth=86_400, per="family", product="perpetual", is_full=more_than(100, "data.0.details"),
        url=f"{REST}/public/liquidation-orders?instType=SWAP&state=filled&instFamily={{family}}&before={{before}}&after={{end}}&limit=100",
    ),
)  # fmt: skip
