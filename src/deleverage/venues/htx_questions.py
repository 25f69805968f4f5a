"""What is asked of HTX over HTTP: standing questions, history, limits, time. Read by `htx_rest`."""

from deleverage.venues.venue import Clock, History, Limits, Poll, at, more_than

REST = "https://api.hbdm.com"
SWAP, COIN, FUTURES = f"{REST}/linear-swap-api/v1", f"{REST}/swap-api/v1", f"{REST}/api/v1"

CLOCK = Clock(url=f"{FUTURES}/timestamp", read=at("ts"))
LIMITS = Limits(
    opens=30, opens_every=60, sends=20, weight=240, weight_every=3, ban=60,
    source="third-party summary of September 2026: 240 public questions in 3 s, 40 subscriptions a second and socket",
)  # fmt: skip
POLLS = (
    Poll(name="instruments", url=f"{SWAP}/swap_contract_info?business_type=all", every=900),
    Poll(name="instruments", url=f"{COIN}/swap_contract_info", every=900),
    Poll(name="instruments", url=f"{FUTURES}/contract_contract_info", every=900),
    Poll(name="mark_prices", url=f"{SWAP}/swap_index", every=15),
    Poll(name="mark_prices", url=f"{COIN}/swap_index", every=15),
    Poll(name="funding_rates", url=f"{SWAP}/swap_batch_funding_rate", every=60),
    Poll(name="funding_rates", url=f"{COIN}/swap_batch_funding_rate", every=60),
    Poll(name="open_interest", url=f"{SWAP}/swap_open_interest?business_type=all", every=60),
    Poll(name="open_interest", url=f"{COIN}/swap_open_interest", every=60),
    Poll(name="open_interest", url=f"{FUTURES}/contract_open_interest", every=60),
    *(
        Poll(name="positioning_ratios", url=f"{SWAP}/{ratio}?contract_code={{symbol}}&period=5min", every=300, per="symbol",
             product="linear", tracked=True)
        for ratio in ("swap_elite_account_ratio", "swap_elite_position_ratio")
    ),
    Poll(name="insurance_funds", url=f"{SWAP}/swap_risk_info?business_type=all", every=300),
    Poll(name="insurance_funds", url=f"{COIN}/swap_risk_info", every=300),
    Poll(name="margin_tiers", url=f"{SWAP}/swap_cross_adjustfactor?business_type=all", every=21_600),
    Poll(name="margin_tiers", url=f"{SWAP}/swap_adjustfactor", every=21_600),
    Poll(name="margin_tiers", url=f"{COIN}/swap_adjustfactor", every=21_600),
)  # fmt: skip
# from and to are inclusive. The two without times answer with the newest rows only.
HISTORIES = (
    History(
        name="liquidations", longest=7_200, depth=90 * 86_400, product="linear", is_full=more_than(100, "data"),
        url=f"{REST}/v5/market/liquidation_orders?contract_code={{symbol}}&start_time={{start}}&end_time={{end}}&direct=prev&limit=100",
    ),
    *(
        History(name="candles", url=f"{root}/market/history/kline?contract_code={{symbol}}&period={i}&from={{start}}&to={{end}}", unit="s",
                longest=1999 * seconds, product=product, fills_gaps=gap, on_start=not gap)
        for root, product in ((f"{REST}/linear-swap-ex", "linear"), (f"{REST}/swap-ex", "inverse"))
        for i, seconds, gap in (("5min", 300, False), ("1min", 60, True))
    ),
    History(
        name="open_interest", url=f"{SWAP}/swap_his_open_interest?contract_code={{symbol}}&period=60min&size=200&amount_type=1",
        longest=200 * 3600, depth=200 * 3600, product="linear", on_start=True,
    ),
    History(
        name="funding_rates", url=f"{SWAP}/swap_historical_funding_rate?contract_code={{symbol}}&page_index=1&page_size=50",
        longest=50 * 28_800, depth=50 * 28_800, product="linear", on_start=True,
    ),
)  # fmt: skip
