"""Whole texts as they are published, true in all they say: the day of a fall, a wrap in lists, a look back, a tweet, questions."""

A_DAY = """# Bitcoin slides under $81,000 as $2 billion of leverage is flushed

Nov. 21, 2025 — Bitcoin fell as low as $80,600 on Friday, its weakest level since April, before bouncing to around $84,500. The largest cryptocurrency is down about 7% over the past 24 hours and roughly 33% from its record high of $126,200 set in early October.

Crypto derivatives traders bore the brunt. More than 391,000 of them were liquidated over the past 24 hours, CoinGlass data show, with total liquidations of $1.91 billion. Longs accounted for $1.78 billion of that and shorts for $129 million. Bitcoin positions made up $960 million, ether $403 million and solana about $100 million.

The single largest order was a $36.8 million BTC-USD position on Hyperliquid. By exchange, Bybit led with $629 million, followed by Hyperliquid with $597 million and Binance with $282 million. Together, Bybit and Hyperliquid accounted for around 64% of the total.

In the hour between 7:00 and 8:00 UTC alone nearly $1 billion was liquidated, almost all of it long.

Open interest in bitcoin futures has dropped 35% from its October peak of $94 billion to about $61 billion, K33 wrote. Funding rates on perpetuals cooled to 0.003% per eight hours but stayed positive, meaning longs still pay shorts; on OKX they briefly turned negative, and shorts paid longs.

US spot bitcoin ETFs saw $903 million of net outflows on Thursday, the second-largest daily figure since their launch. BlackRock's IBIT lost $355.5 million, Grayscale's GBTC $199.4 million and Fidelity's FBTC $190.4 million. For November, outflows stand at $3.79 billion, which would top February's $3.56 billion record if the month ended today.

The Crypto Fear & Greed Index fell to 11, "extreme fear", from 15 a day earlier and 64 a month ago. Deribit's DVOL rose to 64 from 50, implying a daily move of some 3.4%. The 10-year Treasury yield slipped to 4.06% from 4.10%; with breakeven inflation at 2.24%, the real yield was 1.82%.

"We see support at $80,000 to $82,000 and resistance at $88,000," said one analyst. A liquidation heatmap shows a dense band near $79,000; its intensity is relative and says nothing of dollars.
"""

A_WRAP = """**Daily wrap (12 Jan 2026)**

- BTC $91,200 (−0.8%), ETH $3,110 (−1.2%), SOL $139 (+0.4%)
- Liquidations (24h): $212.4M — longs $143.0M, shorts $69.4M
- Top venues: Binance $71.2M (33.5%), Bybit $58.9M (27.7%), OKX $30.1M (14.2%), others $52.2M (24.6%)
- OI: $58.7B, up 1.2% from $58.0B
- Funding: BTC 0.0051%/8h (5.6% annualised), ETH 0.0043%/8h; longs pay.
- ETF flows (9 Jan): BTC −$250.0M, ETH −$93.8M; fourth straight day of outflows for BTC
- Fear & Greed: 27 (fear), yesterday 29 (fear)

| Coin | Long | Short | Total |
|---|--:|--:|--:|
| BTC | $48.1M | $21.9M | $70.0M |
| ETH | $39.7M | $16.2M | $55.9M |
| Others | $55.2M | $31.3M | $86.5M |
| **Total** | **$143.0M** | **$69.4M** | **$212.4M** |

Two thirds of liquidations were longs (67.3%). BTC and ETH together made up 59%. Liquidations were about 40% lower than the $355M of the day before. Half of them fell within two hours of the US open. Max pain for Friday's $1.9B BTC expiry is $92,000; calls are 58% of open interest and puts 42%. The long/short ratio of Binance accounts is 1.9, i.e. 65.5% are long.
"""

A_FRIDAY = """Crypto liquidations top $1.1 billion as bitcoin drops below $100,000

By our markets desk | November 14, 2025

Leveraged crypto traders had more than $1.1 billion of positions liquidated in 24 hours as bitcoin sank beneath $100,000 for the third time this month. Long positions accounted for $973 million of the total, or about 88%, with shorts making up the remaining $131 million. Bitcoin longs took the largest hit at $510 million, while ether longs lost positions worth $261 million and tron $14 million.

The damage was spread unevenly. HTX saw the largest single order, a $44.29 million BTC-USDT long. Hyperliquid recorded $318 million in liquidations, 28.8% of the total; Bybit had $291 million and Binance $204 million.

Over the past hour, $85 million was liquidated, $70 million of it in longs. Over the past four hours, the figure was $302 million.

Spot ETFs in the US shed $869.9 million on Thursday, their second-worst day since launch in January 2024, after outflows of $277.9 million on Wednesday. Ether funds lost $259.7 million.

Bitcoin traded at $97,100, down 5.4% from $102,600 on Thursday morning, with a 24-hour range of $96,700 to $103,200. Ether fell 8.9% to $3,170. Market sentiment remained in extreme fear, with the Fear & Greed Index at 16, down from 25 last week (fear).

Aggregate open interest slipped from $68.4 billion to $66.1 billion, a 3.4% decline; in bitcoin terms it was little changed at 680,000 BTC. Funding stayed slightly positive at 0.004%: longs pay shorts, but very little.
"""

A_LOOK_BACK = """## What happened on October 10

On 10 October 2025, a Friday, more than $19 billion of leveraged positions were liquidated within 24 hours: $16.7 billion long and $2.46 billion short. Over 1.6 million traders were affected. Hyperliquid accounted for $10.3 billion (54%), Bybit for $4.65 billion, Binance for $2.39 billion and OKX for $1.21 billion; the rest came from smaller venues.

Bitcoin fell from $122,000 to about $104,800, a drop of 14%, before recovering to $113,000. Altcoins fell much more; some lost 70% within minutes. $6.93 billion was wiped out in less than an hour. By comparison, the FTX collapse saw $1.6 billion and the Covid crash $1.2 billion of liquidations in a day, so October's event was more than ten times larger than either.

Binance later compensated users with $283 million for losses from depegged collateral. Funding rates, which had been positive at 0.01% per eight hours (about 11% a year), plunged to the lowest level since 2022: shorts were paying longs. Open interest collapsed from $220 billion to $140 billion, a fall of roughly 36%.

* Largest single liquidation: $203.4 million, ETH-USDT on Hyperliquid
* Total: $19.13 billion
* Long/short: $16.67 billion / $2.46 billion
"""

A_TWEET = """🚨 $640M liquidated in the past 4 hours 🚨
Longs: $598M
Shorts: $42M
24h: $1.01B (longs $870M / shorts $140M)
Biggest loser: ETH with $212M, then BTC with $195M and SOL $58M.
Binance: 35% of 4h liqs ($224M). Bybit 28% ($179M).
BTC: $88,300 ➡️ $84,900 (-3.9%)
F&G: 20 (extreme fear)
"""

QUESTIONS = """Q: What does a negative funding rate mean?
A: When funding is negative, shorts pay longs. When it is positive, longs pay shorts. At +0.01% per 8 hours, a trader long $100,000 pays $10 every eight hours, $30 a day, or about 10.95% annualized. Many people think that longs are paid when funding is positive; that is wrong.

Q: How large were liquidations last week?
A: $4.2 billion over seven days, of which $3.3 billion were longs and $0.9 billion shorts. The worst day was Friday with $1.9 billion, 45% of the week's total. Most of that day's liquidations, 93%, were longs. Half of the week's total came from Bybit and Hyperliquid, which had $1.1 billion and $1.0 billion, respectively.
"""

A_RECAP = """Derivatives recap – week of 17 November 2025

Deribit's DVOL spiked above 60 for the first time since April. 25-delta skew is around -12%, so puts are dearer than calls. Open interest in BTC options is $41.6 billion, of which 61% are calls. At Friday's expiry, $13.5 billion of BTC options and $1.8 billion of ETH options will settle; max pain sits at $102,000 and $3,400, respectively.

Perps: funding averaged 0.0045% (8h), i.e. 4.9% annualized, against 0.0110% (12%) in October. Longs are still the payers. OI in coins rose to 742,000 BTC from 714,000 BTC.

CME basis: 4.2% annualised for the December contract, versus 5.9% a month ago.

Weekly ETF flow: -$1.22 billion (Mon -$254.6M, Tue -$372.8M, Wed +$75.4M, Thu -$903.2M, Fri +$238.4M).

Liquidations: $6.1 billion in total for the week; Friday was the largest day with $2.0 billion (93% long), followed by Monday's $1.0 billion (66% long).
"""

A_TUESDAY = """Bitcoin (BTC) plunged below the $90,000 mark on Tuesday for the first time in seven months, wiping out its gains for the year, as $1.02 billion in leveraged positions were liquidated, the majority of which were longs ($726 million). Bitcoin accounted for half of that figure, with $510 million in liquidations, and Ether traders saw $252 million of liquidations.

"The market is deleveraging," analysts at the exchange wrote. They noted that over 183,000 traders had been liquidated in the day.

The move extended a slide that began on Oct. 10, when more than $19 billion in positions were closed. Since then bitcoin has lost 28% and around $1.2 trillion has been erased from the crypto market's value.

Still, funding rates remain positive — 0.0062% per eight hours on Binance, 0.0048% on Bybit — indicating longs are willing to pay to keep positions open. "If funding flips negative, shorts would be paying longs, and that is often when a bottom forms," the note said.

The fear and greed index sits at 11 out of 100, compared with 70 in early October, when it signalled greed.
"""

A_TABLE = """| Exchange | Liq. 24h | Long % | Short % | Share of total |
|---|---|---|---|---|
| Bybit | $214.2M | 91.2% | 8.8% | 36.9% |
| Hyperliquid | $168.0M | 95.0% | 5.0% | 29.0% |
| Binance | $112.5M | 83.1% | 16.9% | 19.4% |
| Gate | $46.3M | 88.0% | 12.0% | 8.0% |
| Others | $39.0M | 86.4% | 13.6% | 6.7% |
| **Total** | **$580.0M** | **90.2%** | **9.8%** | **100%** |

Most liquidations took place on Bybit and Hyperliquid, which make up 65.9% of the total. Over 90% of all positions closed were longs ($523 million of $580 million). In the last hour, only $4.1 million was liquidated. A day before, the total was $320 million, so the sum rose 81%.
"""

A_TICKER = """Ethereum price today: ETH dips 4%
ETH price: $2,940
24h range: $2,870 - $3,080
24h volume: $31.2B (+22%)
Market cap: $355B (11.7% of the market)
24h ETH liquidations: $171M ($140M longs, $31M shorts)
Long/short ratio: 1.04
Open interest: $36.4B (-3.1%)
Funding: 0.0037%
Spot ETF flow: -$74.2M, the 6th straight day of outflows
"""

A_WHY = """Why did crypto crash today?

Crypto markets turned red on Thursday, with total market capitalization down 4.1% to $3.05 trillion. Around $556 million in futures positions were liquidated within 24 hours, according to Coinglass; $420 million were longs and $136 million shorts. Binance traders lost the most positions, worth $172 million (31%), ahead of Bybit ($149 million, 27%) and OKX ($61 million, 11%).

Bitcoin slipped 3.2% to $89,400. Among large caps, ETH shed 5.5% to $2,960, while BNB lost 2.8%, XRP 4.9% and SOL 5.1%. Zcash was an exception, gaining 6% to $402 from $379.

Options traders are hedging: the put-call ratio rose to 0.72 from 0.58. Implied volatility climbed to 52%, which corresponds to daily moves of about 2.7%.

The drop followed the Federal Reserve's decision to cut rates by 25 basis points to 3.50%-3.75%. The 10-year yield is at 4.15%, the 10-year breakeven at 2.27%, the real yield thus 1.88%.
"""

A_DAILY_LIST = """### Liquidation report, 24 h to 08:00 UTC

Total liquidations came to 344 million USD, down from 512 million USD the day before (−33%). 58% of them were shorts (199.5 million USD), 42% longs (144.5 million USD). The hour with the most liquidations was 14:00 UTC, with 61 million USD.

1. Binance: 121 million USD (35.2%)
2. Bybit: 96 million USD (27.9%)
3. Hyperliquid: 62 million USD (18.0%)
4. Others: 65 million USD (18.9%)

The biggest one was an ETH short worth 12.7 million USD on Hyperliquid. Bitcoin rose from 90,200 to 93,600 USD, a gain of 3.8%, squeezing shorts: forced buying closed 199.5 million USD of them. Funding rose from -0.002% to 0.006%, so that shorts no longer pay longs; it is longs who pay now.
"""

AN_EXPIRY = """Mark your calendars: on Friday, 26 December 2025, $23.6 billion of BTC options expire on Deribit. Calls outnumber puts with a put/call ratio of 0.38, max pain is $96,000. More than half of Deribit's open interest, $23.6 billion of $42 billion, rolls off.

In perps, $1.0B of liquidations over the week split into $610M long and $390M short. That compares with $2.4B ($1.9B long, $500M short) the week before. ETF outflows were $497 million over the week: IBIT -$240M, FBTC -$33M, BITB -$115M, others -$109M.

The sentiment gauge (Fear & Greed) reads 20, still extreme fear; it was at 17 last week, extreme fear as well.
"""

TEXTS = (A_DAY, A_WRAP, A_FRIDAY, A_LOOK_BACK, A_TWEET, QUESTIONS, A_RECAP, A_TUESDAY, A_TABLE, A_TICKER, A_WHY, A_DAILY_LIST, AN_EXPIRY)
