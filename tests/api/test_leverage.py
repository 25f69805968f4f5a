"""Funding, open interest, basis, positioning and beta through the API: worked numbers, a real recording, and nothing there."""

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.serving import played

import deleverage
from deleverage.api import leverage
from deleverage.api.app import build
from deleverage.api.server import Server
from deleverage.api.session import PlaybackSession, StoredSession
from deleverage.directory import Directory
from deleverage.events import Candle, Event, FundingRate, MacroObservation, MarkPrice, OpenInterest, PositioningRatio
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder
from deleverage.when import instant

AT = "2025-11-21T12:00:00Z"
NOW = instant(AT, 0)
MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SYMBOLS = {"binance": "BTC/USDT:USDT", "bybit": "BTC/USDT:USDT", "hyperliquid": "BTC/USDC:USDC", "okx": "BTC/USDT:USDT"}
RATES = {"binance": (0.0001, 8, 10, 40), "bybit": (0.00005, 8, 6, 25), "hyperliquid": (0.0000125, 1, 5, 8), "okx": (-0.00002, 8, 4, 15)}
"""The worked example: rate, hours, open interest, volume."""


def head(venue: str, at: int, symbol: str | None = None) -> tuple[str, str, str, str, int, int]:
    name = symbol or SYMBOLS.get(venue, "BTC/USDT:USDT")
    return venue, name, name, name.partition("/")[0], at, at


def predicted(venue: str, rate: float, hours: float | None, at: int = NOW - MINUTE, **more: Any) -> FundingRate:
    return FundingRate(*head(venue, at), rate, hours, NOW + 4 * HOUR, "predicted", **more)


def settled(venue: str, rate: float, at: int, hours: float | None = 8) -> FundingRate:
    return FundingRate(*head(venue, at), rate, hours, at, "settled")


def held(venue: str, at: int, coins: float | None, usd: float | None, symbol: str | None = None) -> OpenInterest:
    return OpenInterest(*head(venue, at, symbol), coins if coins is not None else 0.0, coins, usd)


def example() -> list[Event]:
    """Four venues as in the worked example; a volume is one candle of a coin at one dollar."""
    events: list[Event] = []
    for venue, (rate, hours, interest, volume) in RATES.items():
        events.append(predicted(venue, rate, hours))
        events.append(held(venue, NOW - MINUTE, float(interest), float(interest)))
        opened = NOW - 2 * HOUR
        events.append(Candle(*head(venue, opened + HOUR), 3600, opened, 1.0, 1.0, 1.0, 1.0, float(volume)))
    return events


def served(path: Path, events: Sequence[Event]) -> TestClient:
    folder = Folder(path)
    folder.create()
    store = DuckStore(folder.tables)
    store.append(events)
    store.close()
    server = Server(folder)
    server.open_stored()
    return TestClient(build(server))


def asked(client: TestClient, route: str, **parameters: str | int) -> dict[str, Any]:
    answer = client.get(f"/v1/{route}", params={"at": AT, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]  # type: ignore[no-any-return]


def figures(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {figure["name"]: figure for figure in found["figures"]}


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("four"), example()) as client:
        yield client


def test_the_worked_example_of_funding(four: TestClient) -> None:
    found = asked(four, "funding")
    by_interest, by_volume = (found["aggregates"]["predicted"][name] for name in ("open_interest", "volume"))
    assert by_interest["rate_8h"] == pytest.approx(0.0000688, rel=1e-9)  # 0.00688 %
    assert by_interest["apr"] == pytest.approx(0.075336, rel=1e-9) and by_interest["apy"] == pytest.approx(0.07824359, rel=1e-6)
    assert by_volume["rate_8h"] == pytest.approx(0.00006534091, rel=1e-6) and by_volume["apr"] == pytest.approx(0.0715483, rel=1e-6)
    assert (by_interest["share_negative"], by_interest["coverage"], by_interest["pays"]) == (0.25, 1.0, "longs pay shorts")
    wrong = sum(rate * interest for rate, _, interest, _ in RATES.values()) / sum(interest for _, _, interest, _ in RATES.values())
    assert wrong == pytest.approx(0.0000513) and abs(by_interest["rate_8h"] - wrong) > 1e-5  # without conversion: the classic mistake
    figure = figures(found)["funding.predicted.open_interest.rate_8h"]
    assert figure["value"] == by_interest["rate_8h"] and figure["status"] == "measured" and len(figure["inputs_hash"]) == 16
    assert figure["sources"] == [f"funding_rates/{venue}" for venue in sorted(RATES)]
    one_sided = {row["venue"]: row["predicted"] for row in found["venues"]}
    assert one_sided["okx"]["pays"] == "shorts pay longs" and one_sided["okx"]["rate_8h"] == pytest.approx(-0.00002)
    assert one_sided["hyperliquid"]["funding_interval_hours"] == 1.0 and not one_sided["hyperliquid"]["is_interval_inferred"]
    widest = found["spreads"][0]
    assert (widest["long_venue"], widest["short_venue"]) == ("okx", "binance") and len(found["spreads"]) == 6
    assert widest["spread_8h"] == pytest.approx(0.00012)
    assert found["regime"] is None and found["regime_reason"].startswith("no rate was settled")
    assert "above 0 longs pay shorts" in found["sign_rule"]


def test_stale_rates_caps_and_missing_weights_are_named(tmp_path: Path) -> None:
    events = [
        *example(), predicted("deribit", 0.01, 8, NOW - 20 * HOUR), held("deribit", NOW - MINUTE, 25.0, 25.0),
        predicted("htx", 0.005, 8, rate_cap=0.005, rate_floor=-0.005),
    ]  # fmt: skip
    with served(tmp_path, events) as client:
        found = asked(client, "funding")
        whole = found["aggregates"]["predicted"]["open_interest"]
        assert whole["rate_8h"] == pytest.approx(0.0000688, rel=1e-9)
        assert whole["coverage"] == 0.5 and whole["stale"] == ["deribit BTC/USDT:USDT"] and whole["unweighted"] == ["htx BTC/USDT:USDT"]
        rates = {row["venue"]: row["predicted"] for row in found["venues"]}
        assert rates["deribit"]["is_stale"] and rates["deribit"]["why_not"] == "stale" and rates["htx"]["hit"] == "cap"
        assert found["spreads"][0]["short_venue"] == "htx" and found["spreads"][0]["is_censored"]
        assert figures(found)["funding.predicted.open_interest.rate_8h"]["coverage"] == 0.5


def test_history_cumulative_and_a_regime_against_its_own_past(tmp_path: Path) -> None:
    """Resting for 91 days, then 0.005 % for six settlements of 8 h: low, and in the lowest quarter of its past."""
    eights = [NOW // (8 * HOUR) * 8 * HOUR - k * 8 * HOUR for k in range(280)]
    rates = [0.00005 if k < 6 else 0.0001 for k in range(280)]
    events = [settled("binance", rate, at, None) for rate, at in zip(rates, eights, strict=True)]
    events += [settled("okx", -0.0001, NOW - k * HOUR, 1) for k in range(3)]
    with served(tmp_path, events) as client:
        found = asked(client, "funding", window="2d")
        paid = {row["venue"]: row for row in found["cumulative"]}
        assert paid["binance"]["paid"] == pytest.approx(6 * 0.00005) and paid["binance"]["settlements"] == 6
        assert paid["okx"]["paid"] == pytest.approx(-0.0003) and paid["okx"]["longest_negative_hours"] == 3
        series = next(one for one in found["history"]["settled"] if one["venue"] == "binance")
        assert series["hours"] == [8.0] * 6 and series["rate_8h"] == [0.00005] * 6  # the interval is inferred
        assert found["kind"] == "settled" and found["regime"]["ts_end_ms"] <= NOW // 10**6
        short = asked(client, "funding", at="2025-08-25T12:00:00Z", as_of="now")["regime"]
        assert short["word"] == "resting" and short["percentile"] is None
        low = asked(client, "funding", at="2025-11-21T08:00:00Z", as_of="now")["regime"]
        assert low["word"] == "compressed" and low["percentile"] < 0.25 and low["weighting"] == "equal"
        longer = asked(client, "funding", window="90d")["history"]
        assert longer["bucket_hours"] == 24.0 and all(len(one["ts_end_ms"]) <= 200 for one in longer["settled"])


def peaks() -> list[Event]:
    """78, 94, 88, 68 bn USD at 112, 126, 110, 85 thousand, each held for a month, read every hour."""
    months = [instant(f"2025-{month:02d}-21T12:00:00Z", 0) for month in (8, 9, 10, 11)]
    usd, price = [78e9, 94e9, 88e9, 68e9], [112e3, 126e3, 110e3, 85e3]
    events: list[Event] = []
    at = months[0] - HOUR
    while at <= NOW:
        k = max(i for i, month in enumerate(months) if month - HOUR <= at)
        events.append(held("binance", at, usd[k] / price[k], usd[k]))
        at += HOUR
    return events


def test_dollars_fall_from_their_peak_while_coins_stand_on_theirs(tmp_path: Path) -> None:
    with served(tmp_path, peaks()) as client:
        found = asked(client, "open-interest", months=3)
        fall = found["drawdown"]
        assert fall["usd"] == pytest.approx(-0.276596, rel=1e-5) and fall["coins"] == 0.0 and fall["reason"] == ""
        assert fall["coverage"] > 0.99 and fall["left_out"] == []
        assert figures(found)["open_interest.drawdown.3mo.coins"]["value"] == 0.0
        longer = asked(client, "open-interest", months=7)["drawdown"]
        assert (longer["usd"], longer["coins"], longer["usd_peak"]) == (None, None, None)
        assert longer["reason"] == "a peak of 7 months needs as long a history; there are 92.0 days of it"
        assert figures(asked(client, "open-interest"))["open_interest.drawdown.7mo.coins"]["status"] == "missing"
        change = {row["window"]: row for row in found["changes"]}
        assert change["30d"]["usd_share"] == pytest.approx(68 / 88 - 1) and change["30d"]["coins_share"] == pytest.approx(0, abs=1e-12)


def test_open_interest_by_venue_and_margin_with_what_was_not_read(tmp_path: Path) -> None:
    inverse = "BTC/USD:BTC"
    events: list[Event] = [MarkPrice(*head("okx", NOW - 2 * MINUTE), 100_000.0, 100_100.0)]
    for k, at in enumerate(range(NOW - DAY, NOW + 1, 5 * MINUTE)):
        events += [
            held("binance", at, 1000.0 - k / 10, (1000.0 - k / 10) * 1e5), held("deribit", at, 500.0, 5e7, inverse),
            held("okx", at, 250.0, None), MarkPrice(*head("okx", at), 100_000.0, 100_100.0),
        ]  # fmt: skip
    events.append(held("bybit", NOW - 2 * HOUR, 7.0, 7e5))
    with served(tmp_path, events) as client:
        found = asked(client, "open-interest")
        coins = 1000 - 288 / 10 + 500 + 250
        assert found["totals"]["coins"] == pytest.approx(coins) and found["totals"]["usd"] == pytest.approx(coins * 1e5)
        assert found["totals"]["missing"] == ["bybit", "htx", "hyperliquid"] and found["totals"]["stale"] == ["bybit BTC/USDT:USDT"]
        margins = {row["margin_type"]: row["coins"] for row in found["margin_types"]}
        assert margins == {"linear": pytest.approx(coins - 500), "inverse": 500.0}
        assert {row["venue"]: row["is_converted"] for row in found["contracts"]} == {
            "binance": False, "bybit": False, "deribit": False, "okx": True,
        }  # fmt: skip
        series = found["series"]
        assert len(series["ts_ms"]) <= 300 and series["ts_ms"][-1] == NOW // 10**6 and series["step_ms"] == 300_000
        assert {row["venue"] for row in found["by_venue"]} == {"binance", "bybit", "deribit", "okx"}
        assert all(len(row["coins"]) == len(series["ts_ms"]) for row in found["by_venue"])
        assert figures(found)["open_interest.coins"]["missing"] == ["bybit", "htx", "hyperliquid", "bybit BTC/USDT:USDT"]


def test_basis_of_dated_futures_and_perpetuals(tmp_path: Path) -> None:
    """86,500 over 85,500 at 33 days: 12.936381 % simple, 12.861315 % logarithmic."""
    at = "2025-11-23T08:00:00Z"
    now = instant(at, 0)
    events = [
        MarkPrice(*head("deribit", now - MINUTE, "BTC/USD:BTC-251226"), 86_500.0, 85_500.0),
        MarkPrice(*head("deribit", now - MINUTE, "BTC/USD:BTC"), 85_585.5, 85_500.0),
        MarkPrice(*head("okx", now - MINUTE), 85_500.0, None),
    ]  # fmt: skip
    with served(tmp_path, events) as client:
        found = asked(client, "basis", at=at)
        (future,) = found["term"]
        assert future["days"] == 33.0 and future["simple_apr"] == pytest.approx(0.12936381, rel=1e-7)
        assert future["log_apr"] == pytest.approx(0.12861315, rel=1e-7)
        premium = {row["venue"]: row["premium"] for row in found["premiums"]}
        assert premium == {"deribit": pytest.approx(0.001), "okx": None} and found["premium_reason"] == "without an index price: okx"
        assert found["constant_maturity_reason"] and all(row["log_apr"] is None for row in found["constant_maturity"])
        assert figures(found)["basis.premium.okx.BTC/USDT:USDT"]["status"] == "missing"


def test_ratios_come_with_what_they_cannot_say(tmp_path: Path) -> None:
    events: list[Event] = [
        PositioningRatio(*head("binance", NOW - DAY - k * 300 * 10**9), "accounts", 0.5, 0.5, 300) for k in range(3)
    ]  # fmt: skip
    events.append(PositioningRatio(*head("binance", NOW - MINUTE), "accounts", 0.6, 0.4, 300))
    with served(tmp_path, events) as client:
        found = asked(client, "positioning")
        (row,) = found["rows"]
        assert row["long_share"] == 0.6 and row["ratio"] == pytest.approx(1.5) and not row["is_stale"]
        assert row["change_24h"] == pytest.approx(0.1)
        measures = {measure["ratio_kind"]: measure for measure in found["measures"]}
        assert len(measures) == 4 and all(measure["says"] and measure["cannot_say"] for measure in measures.values())
        assert found["series"][0]["long_share"] == [0.5, 0.6] and found["taker_flow"] == []


def test_beta_is_that_of_the_planted_moves(tmp_path: Path) -> None:
    """BTC moves twice as much as ETH, and half as much as a macro series, to the digit."""
    events: list[Event] = []
    for k in range(289):
        moved, at = math.sin(k * k) / 100, NOW - DAY + k * 5 * MINUTE - 1
        events.append(MarkPrice(*head("binance", at), 100_000 * math.exp(2 * moved), None))
        events.append(MarkPrice(*head("binance", at, "ETH/USDT:USDT"), 3_000 * math.exp(moved), None))
    with served(tmp_path, events) as client:
        found = asked(client, "beta")
        (row,) = found["within"]
        assert row["series"] == "ETH" and row["beta"] == pytest.approx(2.0, rel=1e-6) and row["correlation"] == pytest.approx(1.0)
        assert row["verdict"] == "moves with" and row["n"] >= 280
        assert found["daily"] == [] and found["daily_reason"] == "no economic series were known by this moment"
        assert asked(client, "beta", base="ETH")["within"][0]["beta"] == pytest.approx(0.5, rel=1e-6)


def test_daily_series_are_taken_at_their_instant(tmp_path: Path) -> None:
    """An index held at 16:00 New York (21:00 UTC in winter) and a price that follows its logs exactly at those instants."""
    events: list[Event] = []
    for k in range(40):
        close = instant("2025-12-01T21:00:00Z", 0) + k * DAY
        level = math.exp(math.sin(k * k) / 50)
        date = deleverage.when.iso(close)[:10]
        events.append(MacroObservation("fred", "", "", "", close, close, "SP500", date, 5_000 * level))
        events.append(MarkPrice(*head("binance", close - 1), 100_000 * level**3, None))
    with served(tmp_path, events) as client:
        found = asked(client, "beta", at="2026-01-10T12:00:00Z")
        rows = {row["n"]: row for row in found["daily"]}
        assert rows[30]["series"] == "SP500" and rows[30]["beta"] == pytest.approx(3.0, rel=1e-6)
        assert {(row["of_days"], row["n"]) for row in found["daily"]} == {(30, 30), (90, 39)}
        assert set(figures(found)) == {"beta.SP500.30d", "beta.SP500.90d"}


ROUTES = ("funding", "open-interest", "basis", "positioning", "beta")


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_there_is_said_and_bad_questions_are_one_line(four: TestClient, route: str) -> None:
    found = asked(four, route, base="NOPE")
    reasons = [value for name, value in found.items() if name.endswith("reason") and value]
    assert reasons and all("NOPE" in reason or "series" in reason or "settled" in reason or "expiries" in reason or "market cap" in reason
                           for reason in reasons)  # fmt: skip
    assert all(figure["status"] == "missing" for figure in found["figures"])
    unknown = four.get(f"/v1/{route}", params={"venue": "binance"})
    assert unknown.status_code == 400 and "venue" in unknown.json()["error"]["message"]
    assert four.get(f"/v1/{route}", params={"window": "soon"}).status_code == 400
    assert four.get(f"/v1/{route}", params={"base": "x" * 41}).status_code == 422
    assert four.get("/v1/open-interest", params={"months": 0}).status_code == 422


def test_a_digest_tells_one_weight_from_another_of_the_same_sum(tmp_path: Path) -> None:
    """Two venues change places in their open interest: the sum stays, the weighted rate and its digest do not."""

    def told(path: Path, first: float, second: float) -> dict[str, Any]:
        events = [predicted("binance", 0.0001, 8), predicted("bybit", 0.00005, 8)]
        with served(path, [*events, held("binance", NOW - MINUTE, first, first), held("bybit", NOW - MINUTE, second, second)]) as client:
            return figures(asked(client, "funding", as_of=AT))["funding.predicted.open_interest.rate_8h"]

    one, other, again = told(tmp_path / "a", 10, 6), told(tmp_path / "b", 6, 10), told(tmp_path / "c", 10, 6)
    assert (one["value"], other["value"]) == (pytest.approx(1.3e-3 / 16), pytest.approx(1.1e-3 / 16))
    assert one["inputs_hash"] == again["inputs_hash"] != other["inputs_hash"]


def test_what_was_not_known_yet_is_not_told(four: TestClient) -> None:
    before = asked(four, "funding", at=AT, as_of="2025-11-21T11:00:00Z")
    assert before["venues"] == [] and before["aggregates"]["predicted"]["open_interest"]["rate_8h"] is None
    assert asked(four, "open-interest", as_of="2025-11-21T11:00:00Z")["totals"]["coins"] is None


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, PlaybackSession]]:
    """Bybit's tickers of 9 August 2026, played to the end."""
    with played(tmp_path_factory.mktemp("recorded"), "bybit-2026-08-09") as found:
        yield found


def test_a_real_recording_tells_what_its_rows_say(recorded: tuple[TestClient, PlaybackSession]) -> None:
    client, playing = recorded
    playing.flush()
    store, now = playing.store, playing.clock().now
    rows = store.latest("funding_rates", ("venue", "symbol"), 0, now + 1, now).to_pylist()
    assert rows
    newest = max(rows, key=lambda row: row["ts_event"])
    found = client.get("/v1/funding", params={"base": newest["base"], "window": "1h"}).json()["data"]
    told = next(row for row in found["venues"] if row["symbol"] == newest["symbol"])["predicted"]
    assert told["funding_rate"] == newest["funding_rate"] and told["pays"] in ("longs pay shorts", "shorts pay longs", "nobody pays")
    assert told["rate_8h"] == pytest.approx(newest["funding_rate"] * 8 / told["funding_interval_hours"])
    interest = store.latest("open_interest", ("venue", "symbol"), 0, now + 1, now, base=newest["base"]).to_pylist()[0]
    held_now = client.get("/v1/open-interest", params={"base": newest["base"], "window": "1h"}).json()["data"]
    assert held_now["totals"]["coins"] == interest["open_interest_base"]
    assert held_now["drawdown"]["coins"] is None and "needs as long a history" in held_now["drawdown"]["reason"]
    premium = client.get("/v1/basis", params={"base": newest["base"], "window": "1h"}).json()["data"]["premiums"]
    assert premium and abs(premium[0]["premium"]) < 0.01


def test_the_same_from_python(tmp_path: Path) -> None:
    with served(tmp_path / "d", example()) as client:
        over_http = asked(client, "funding")
    with deleverage.open(tmp_path / "d") as directory:
        assert isinstance(directory, Directory)
        assert msgspec.json.decode(msgspec.json.encode(directory.funding(at=AT))) == over_http
        assert directory.open_interest_summary(at=AT)["totals"]["coins"] == 25.0
        assert (
            directory.basis(at=AT)["premiums"] == [] and directory.positioning(at=AT)["rows"] == [] and directory.beta(at=AT)["daily"] == []
        )
        assert len(directory.open_interest()) == 4  # the table


def test_the_kept_past_knows_nothing_too_early_and_learns_what_comes_late() -> None:
    session = StoredSession(DuckStore(None), "")
    old = NOW - 20 * DAY
    session.store.append([held("binance", old, 10.0, 1e6), held("binance", NOW - MINUTE, 12.0, 1.2e6)])

    def coins(as_of: int) -> list[float]:
        rows = leverage.hourly(lambda: nullcontext(session), leverage.Scope(NOW - DAY, NOW, as_of, "BTC"), NOW - 30 * DAY)
        return rows["open_interest_base"].to_list()

    assert coins(NOW) == coins(NOW) == [10.0, 12.0]
    late = msgspec.structs.replace(held("binance", old + HOUR, 11.0, 1.1e6), ts_recv=NOW + MINUTE)
    session.store.append([late])
    assert coins(NOW) == [10.0, 12.0] and coins(NOW + 2 * HOUR) == [10.0, 11.0, 12.0]
    assert coins(NOW) == [10.0, 12.0] and coins(old - 1) == []
    session.close()
