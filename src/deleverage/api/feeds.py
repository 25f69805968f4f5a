"""The feeds as the API tells them: what was recorded of each venue, what is believed of each channel now, gaps and history."""

from typing import Any

from deleverage.api.session import Session
from deleverage.api.view import MS, Moment, believed_now
from deleverage.collect.status import ChannelStatus, ConnectionStatus, PollStatus, ReferenceStatus, VenueStatus
from deleverage.references import REFERENCES
from deleverage.references.reference import Reference, believed, days_of


def feed_rows(moment: Moment) -> list[dict[str, Any]]:
    """Return one row a venue; what only a running collection knows is null or empty without one, or when the moment is not now."""
    gaps, history = moment.gaps(), moment.state_history()
    live = believed_now(moment) or {}
    rows = []
    for row in moment.feeds():
        venue = row["venue"]
        row |= _of_collection(live.get(venue))
        if venue in live and live[venue].note:
            row["coverage_note"] += f"; {live[venue].note}"
        row["gaps"] = [{k: v for k, v in gap.items() if k != "venue"} for gap in gaps if gap["venue"] == venue]
        row["history"] = [{k: v for k, v in part.items() if k != "venue"} for part in history if part["venue"] == venue]
        rows.append(row)
    return rows


def reference_rows(moment: Moment) -> list[dict[str, Any]]:
    """Return one row a reference: `live` or `stale` with the evidence, the newest day of each series, attribution and terms.

    `off`: the settings say not to ask; `not_recorded`: nothing of it is in the data; `unknown`: not answered yet.
    """
    live = believed_now(moment)
    status = moment.session.collection() if live is not None else None
    asked = {} if status is None else {r.name: r for r in status.references}
    rows = []
    for name, reference in REFERENCES.items():
        row: dict[str, Any] = {"reference": name, "title": reference.title, "table": reference.polls[0].name}
        row |= _answered(asked[name]) if name in asked else _stored(moment, reference, is_off=status is not None)
        rows.append(row | {"attribution": reference.attribution, "terms": reference.terms, "schedule": reference.schedule})
    return rows


def _answered(found: ReferenceStatus) -> dict[str, Any]:
    return {
        "state": found.state, "evidence": found.evidence, "since_ms": found.since // MS or None, "newest": found.newest,
        "last_error": found.ban_reason or max((p.last_error for p in found.polls), default=""), "polls": _polls(found.polls),
    }  # fmt: skip


def _stored(moment: Moment, reference: Reference, is_off: bool) -> dict[str, Any]:
    """Judge a reference by what is in the tables, as known at the moment."""
    moment.session.flush()
    rows = moment.session.store.read(reference.polls[0].name, venue=reference.name, end=moment.at, as_of=moment.as_of).to_pylist()
    newest = days_of(reference.polls[0].name, rows)
    belief = believed(reference, newest, min(moment.at, moment.as_of))
    state, evidence = (belief.state, belief.evidence) if newest else ("not_recorded", "nothing of it is in the data")
    if is_off:
        state, evidence = "off", f"the settings say not to ask; {evidence}"
    return {"state": state, "evidence": evidence, "since_ms": None, "newest": newest, "last_error": "", "polls": []}


def intake(session: Session) -> dict[str, Any]:
    """Return how the way from sockets to parsers stands."""
    status = session.collection()
    if status is None:
        return {"mode": session.mode, "failure": session.failure}
    flow = status.intake
    seconds = max((status.now - status.started_at) / 1e9, 1e-9)
    return {
        "mode": session.mode, "failure": status.failure or session.failure, "started_ms": status.started_at // MS,
        "queued_frames": flow.queued_frames, "capacity": flow.capacity, "lag_seconds": round(flow.lag_seconds, 3),
        "is_paused": flow.is_paused, "journal_frames": flow.durable, "journal_bytes": flow.bytes, "frames": flow.frames,
        "frames_per_second": round(flow.frames / seconds, 1), "expected_gb_a_day": status.expected_gb_a_day, "free_gb": status.free_gb,
    }  # fmt: skip


def _of_collection(found: VenueStatus | None) -> dict[str, Any]:
    if found is None:
        return {
            "since_ms": None, "contracts": None, "clock_offset_ms": None, "clock_error_ms": None, "bytes": None, "reconnects": None,
            "last_error": "", "banned_seconds": None, "weight_used": None, "weight_limit": None, "backfill": None, "channels": [],
            "connections": [], "polls": [],
        }  # fmt: skip
    offset, error = found.clock_offset_ns, found.clock_error_ns
    return {
        "since_ms": found.since // MS or None, "contracts": found.contracts,
        "clock_offset_ms": None if offset is None else round(offset / MS, 1),
        "clock_error_ms": None if error is None else round(error / MS, 1),
        "bytes": sum(c.bytes for c in found.connections), "reconnects": sum(c.reconnects for c in found.connections),
        "last_error": found.ban_reason or next((c.last_error for c in found.connections if c.last_error), found.last_error),
        "banned_seconds": round(found.banned_seconds), "weight_used": found.weight_used, "weight_limit": found.weight_limit,
        "backfill": {"waiting": found.backfill_waiting, "asked": found.backfill_asked, "failed": found.backfill_failed},
        "channels": [_channel(c) for c in found.channels], "connections": [_connection(c) for c in found.connections],
        "polls": _polls(found.polls),
    }  # fmt: skip


def _polls(found: list[PollStatus]) -> list[dict[str, Any]]:
    return [{"name": p.name, "questions": p.questions, "asked": p.asked, "failed": p.failed, "last_error": p.last_error} for p in found]


def _channel(c: ChannelStatus) -> dict[str, Any]:
    return {
        "channel": c.channel, "state": c.state, "since_ms": c.since // MS, "evidence": c.evidence, "rate_per_minute": c.rate_per_minute,
        "expected_per_minute": c.expected_per_minute, "last_recv_ms": c.last_recv // MS or None,
        "lag_seconds": None if c.lag_seconds is None else round(c.lag_seconds, 1), "frames": c.frames, "events": c.events,
        "errors": c.errors,
    }  # fmt: skip


def _connection(c: ConnectionStatus) -> dict[str, Any]:
    return {
        "connection": c.connection, "route": c.route, "opened_ms": c.opened_at // MS or None, "frames": c.frames, "bytes": c.bytes,
        "last_recv_ms": c.last_recv // MS or None, "reconnects": c.reconnects, "last_error": c.last_error,
    }  # fmt: skip
