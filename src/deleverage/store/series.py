"""The questions that aggregates, waves and flows ask of the tables, in SQL."""

MARK_AGE = 60_000_000_000
"""Oldest mark price (ns) that still prices an order."""
INTEREST_MARK_AGE = 900_000_000_000
"""Oldest mark price (ns) that still values open interest."""

PRINTS = """
SELECT ts_event, venue, base, symbol, position_side, method, notional_usd, coverage_rule FROM liquidations
WHERE {counted} AND method IN ('market', 'unknown') AND notional_usd < {most} ORDER BY ts_event, venue, symbol"""

COUNTED_ROWS = """
SELECT ts_event, ts_recv, venue, symbol, base, position_side, method, price, price_kind, quantity, notional_usd, coverage_rule
FROM liquidations WHERE {counted}"""

OPEN_INTEREST = """
WITH held AS (
    SELECT venue, base, symbol, max(ts_event) AS ts_event, arg_max(open_interest_usd, ts_event) AS usd,
        arg_max(open_interest_base, ts_event) AS quantity FROM open_interest
    WHERE ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND (open_interest_usd IS NOT NULL OR open_interest_base IS NOT NULL)
    GROUP BY venue, base, symbol, ts_event // ?),
marks AS (
    SELECT venue, symbol, ts_event, mark_price FROM mark_prices SEMI JOIN (SELECT venue, symbol FROM held WHERE usd IS NULL)
        USING (venue, symbol)
    WHERE ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND mark_price IS NOT NULL)
SELECT * FROM (
    SELECT h.venue, base, h.symbol, h.ts_event,
        coalesce(h.usd, CASE WHEN h.ts_event - m.ts_event <= ? THEN quantity * mark_price END) AS usd, quantity
    FROM held h ASOF LEFT JOIN marks m ON h.venue = m.venue AND h.symbol = m.symbol AND h.ts_event >= m.ts_event)
WHERE usd IS NOT NULL ORDER BY ts_event, venue, symbol"""
"""Where a venue tells coins alone (Binance and OKX do in places), dollars are those at the contract's last mark price."""

TAKER_FLOW = """
WITH traded AS (
    SELECT venue, base, ts_event // ? * ? AS ts_event,
        sum(notional_usd) FILTER (taker_side = 'buy') AS buy_usd, sum(notional_usd) FILTER (taker_side = 'sell') AS sell_usd,
        sum(quantity) FILTER (taker_side = 'buy') AS buy_quantity, sum(quantity) FILTER (taker_side = 'sell') AS sell_quantity
    FROM trades WHERE ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND strpos(symbol, '-') = 0
        AND trade_kind IN ('market', 'aggregate', 'rpi', 'other') GROUP BY ALL),
candled AS (
    SELECT venue, base, ts_open // ? * ? AS ts_event, sum(taker_buy_quantity * close) AS buy_usd,
        sum((quantity - taker_buy_quantity) * close) AS sell_usd, sum(taker_buy_quantity) AS buy_quantity,
        sum(quantity - taker_buy_quantity) AS sell_quantity
    FROM candles WHERE ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND strpos(symbol, '-') = 0 AND price_kind = 'last' AND is_closed
        AND interval_seconds = 60 AND taker_buy_quantity IS NOT NULL GROUP BY ALL)
SELECT venue, base, ts_event, coalesce(buy_usd, 0) AS buy_usd, coalesce(sell_usd, 0) AS sell_usd,
    coalesce(buy_quantity, 0) AS buy_quantity, coalesce(sell_quantity, 0) AS sell_quantity
FROM (SELECT * FROM traded UNION ALL SELECT * FROM candled ANTI JOIN (SELECT DISTINCT venue, base FROM traded) USING (venue, base))
ORDER BY ts_event, venue, base"""
"""Trades, and one-minute candles for a venue and base without any."""

DEPTH = """
WITH listed AS (
    SELECT venue, venue_symbol, arg_max(contract_size, ts_event) AS contract_size, arg_max(contract_type, ts_event) AS contract_type
    FROM instruments WHERE base = ? AND contract_size IS NOT NULL GROUP BY ALL),
books AS (
    SELECT b.venue, symbol, ts_event, bids, asks, CASE size_unit WHEN 'contracts' THEN contract_size ELSE 1 END AS factor,
        size_unit = 'usd' OR (size_unit = 'contracts' AND contract_type = 'inverse') AS is_usd
    FROM book_depth b LEFT JOIN listed l ON b.venue = l.venue AND b.venue_symbol = l.venue_symbol
    WHERE base = ? AND ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND update = 'snapshot' AND strpos(symbol, '-') = 0)
SELECT venue, symbol, max(ts_event) AS ts_event, arg_max(bid_usd, ts_event) AS bid_usd, arg_max(ask_usd, ts_event) AS ask_usd FROM (
    SELECT venue, symbol, ts_event,
        factor * list_sum(list_transform(list_filter(bids, lambda x: x.price >= 0.99 * bids[1].price),
            lambda x: CASE WHEN is_usd THEN x.size ELSE x.size * x.price END)) AS bid_usd,
        factor * list_sum(list_transform(list_filter(asks, lambda x: x.price <= 1.01 * asks[1].price),
            lambda x: CASE WHEN is_usd THEN x.size ELSE x.size * x.price END)) AS ask_usd
    FROM books WHERE factor IS NOT NULL)
GROUP BY venue, symbol, ts_event // ? ORDER BY ts_event, venue, symbol"""
"""Of sizes in contracts only those whose contract is listed; its size does not change, so a later listing serves as well."""

BOOK_ROWS = """
WITH begun AS (
    SELECT venue, venue_symbol, max(ts_event) AS since FROM book_depth
    WHERE base = ? AND ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND update = 'snapshot' GROUP BY ALL)
SELECT b.venue, symbol, b.venue_symbol, ts_event, ts_recv, update, bids, asks, size_unit, sequence, previous_sequence
FROM book_depth b LEFT JOIN begun ON b.venue = begun.venue AND b.venue_symbol = begun.venue_symbol
WHERE base = ? AND ts_event >= ? AND ts_event < ? AND ts_event >= coalesce(since, ?) AND ts_recv <= ?
    AND (? IS NULL OR b.venue = ?) AND NOT regexp_matches(symbol, '-[CP]$') AND (update <> 'top' OR b.venue = 'binance')
ORDER BY ts_recv, b.rowid"""
"""From a contract's last snapshot before the start on, of perpetuals and futures; best quotes only where books are numbered with them."""

TRADED_AT = """
SELECT CASE taker_side WHEN 'sell' THEN 'bid' WHEN 'buy' THEN 'ask' END AS side, price, sum(notional_usd) FROM trades
WHERE venue = ? AND symbol = ? AND ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND side IS NOT NULL AND notional_usd IS NOT NULL
GROUP BY ALL"""

BOOK_LOOKBACK = 24 * 3600 * 1_000_000_000
"""Oldest snapshot (ns before the start) that a book is begun from."""

AT_MARK = """
WITH printed AS (
    SELECT venue, base, symbol, ts_event, price, notional_usd FROM liquidations
    WHERE {counted} AND method IN ('market', 'unknown') AND price_kind = 'bankruptcy' AND price > 0 AND notional_usd < {most}),
marks AS (
    SELECT venue, symbol, ts_event, mark_price FROM mark_prices
    WHERE ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND mark_price IS NOT NULL)
SELECT p.venue, sum(p.notional_usd),
    sum(CASE WHEN strpos(p.symbol, ':' || p.base) > 0 THEN p.notional_usd ELSE p.notional_usd * m.mark_price / p.price END), count(*)
FROM printed p ASOF JOIN marks m ON p.venue = m.venue AND p.symbol = m.symbol AND p.ts_event >= m.ts_event
WHERE p.ts_event - m.ts_event <= {longest} GROUP BY p.venue ORDER BY p.venue"""
"""A contract settled in its own coin has a size in dollars whatever the price."""
