"""What is asked of Hyperliquid over HTTP: standing questions, history, limits, time. Read by `hyperliquid_rest`."""

from deleverage.venues.venue import Clock, History, Limits, Poll, at, more_than

INFO = "https://api.hyperliquid.xyz/info"
WATCHED = (
    "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303", "0x010461c14e146ac35fe42271bdc1134ee31c703a",
    "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14", "0x2ed5c4484ea3ff8b57d5f2fb152a40d9f2b68308",
    "0x31ca8395cf837de08b24da3f660e77761dfb974b", "0x469f690213c467c39a23efacfd2816896009d7d8",
    "0x5e177e5e39c0f4e421f5865a6d8beed8d921cb70", "0xb0a55f13d22f66e6d495ac98113841b2326e9540",
)  # fmt: skip


def _ask(name: str, kind: str, every: float, weight: float) -> Poll:
    return Poll(name=name, url=f"{INFO}?type={kind}", every=every, weight=weight, method="POST", body=f'{{"type":"{kind}"}}')


CLOCK = Clock(url=f"{INFO}?type=exchangeStatus", read=at("time"), method="POST", body='{"type":"exchangeStatus"}')
LIMITS = Limits(
    opens=30, opens_every=60, sockets=10, sends=15, weight=1200, weight_every=60, ban=60,
    source="rate limits page: 1200 weight, 30 new sockets and 2000 messages a minute, 10 sockets, 1000 subscriptions, 10 users",
)  # fmt: skip
POLLS = (
    _ask("instruments", "allPerpMetas", every=900, weight=20),
    _ask("open_interest", "metaAndAssetCtxs", every=60, weight=20),
    _ask("funding_rates", "predictedFundings", every=300, weight=20),
    _ask("venue_statuses", "exchangeStatus", every=60, weight=2),
)
# startTime and endTime are both inclusive.
HISTORIES = (
    *(
        History(
            name="candles", url=f"{INFO}?type=candleSnapshot", method="POST", longest=999 * seconds, depth=4_900 * seconds, weight=37,
            body=f'{{"type":"candleSnapshot","req":{{"coin":"{{symbol}}","interval":"{i}","startTime":{{start}},"endTime":{{end}}}}}}',
            fills_gaps=gap, on_start=not gap,
        )
        for i, seconds, gap in (("5m", 300, False), ("1m", 60, True))
    ),
    History(
        name="funding_rates", url=f"{INFO}?type=fundingHistory", method="POST", longest=499 * 3600, weight=45, on_start=True,
        body='{"type":"fundingHistory","coin":"{symbol}","startTime":{start},"endTime":{end}}',
    ),
    *(
        History(
            name="liquidations", url=f"{INFO}?type=userFillsByTime&user={user}", method="POST", longest=86_400, weight=120, per="venue",
            body=f'{{"type":"userFillsByTime","user":"{user}","startTime":{{start}},"endTime":{{end}}}}', is_full=more_than(2000),
        )
        for user in WATCHED
    ),
)  # fmt: skip
