import type { ComponentChildren } from "preact";
import { ago, outages, rate, size } from "../feeds";
import { count, dateTime, zone } from "../format";
import { useApp } from "../state";
import type { FeedRow } from "../types";
import { Lamp } from "./Lamp";

const OUTAGES_SHOWN = 30;

/** A small table; columns named with a leading ">" stand to the right. */
function Rows({ title, of, head, children }: { title: string; of: string; head: string[]; children: ComponentChildren }) {
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label={`${title} of ${of}, scrolls sideways`}>
      <table class="venues feed-table">
        <thead>
          <tr>
            {head.map((h) => (
              <th key={h} scope="col" class={h.startsWith(">") ? "right" : ""}>
                {h.replace(">", "")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function Channels({ row, nowMs }: { row: FeedRow; nowMs: number }) {
  return (
    <Rows title="Channels" of={row.title} head={["Channel", "State", ">Rate", ">Usual", ">Last heard", ">Frames", ">Events", ">Errors", "Evidence"]}>
      {row.channels.map((c) => (
        <tr key={c.channel} data-testid={`channel-${row.venue}-${c.channel}`} data-state={c.state}>
          <th scope="row">{c.channel}</th>
          <td>
            <Lamp state={c.state} evidence={c.evidence} />
          </td>
          <td class="right">{rate(c.rate_per_minute)}</td>
          <td class="right">{c.expected_per_minute ? rate(c.expected_per_minute) : "—"}</td>
          <td class="right">{ago(c.last_recv_ms, nowMs)}</td>
          <td class="right">{count(c.frames)}</td>
          <td class="right">{count(c.events)}</td>
          <td class={`right ${c.errors ? "attention" : ""}`}>{count(c.errors)}</td>
          <td class="wordy">{c.evidence}</td>
        </tr>
      ))}
    </Rows>
  );
}

function Outages({ row }: { row: FeedRow }) {
  const utc = useApp((s) => s.utc);
  const all = outages(row.gaps, row.history);
  return (
    <>
      <h3>Not heard in this window</h3>
      {all.length ? (
        <Rows title="Gaps" of={row.title} head={[`From, ${zone(utc)}`, "To", "What", "Channels", "Why"]}>
          {all.slice(0, OUTAGES_SHOWN).map((o) => (
            <tr key={`${o.what}${o.startMs}${o.reason}`} data-testid={`outage-${row.venue}`}>
              <td>{dateTime(o.startMs, utc)}</td>
              <td>{o.endMs === null ? "still so" : dateTime(o.endMs, utc)}</td>
              <td>{o.what}</td>
              <td class="wordy">{o.channels.join(", ")}</td>
              <td class="wordy">{o.reason}</td>
            </tr>
          ))}
        </Rows>
      ) : (
        <p class="faint">No gap.</p>
      )}
      {all.length > OUTAGES_SHOWN ? <p class="faint">{all.length - OUTAGES_SHOWN} older ones are in the API.</p> : null}
    </>
  );
}

function Sockets({ row, nowMs }: { row: FeedRow; nowMs: number }) {
  return (
    <>
      <h3>Sockets</h3>
      <Rows title="Sockets" of={row.title} head={["Address", ">Open for", ">Last heard", ">Frames", ">Received", ">Reconnects", "Last error"]}>
        {row.connections.map((c) => (
          <tr key={`${c.route}${c.connection}`}>
            <th scope="row">{c.route}</th>
            <td class="right">{c.opened_ms === null ? "not open" : ago(c.opened_ms, nowMs).replace(" ago", "")}</td>
            <td class="right">{ago(c.last_recv_ms, nowMs)}</td>
            <td class="right">{count(c.frames)}</td>
            <td class="right">{size(c.bytes)}</td>
            <td class="right">{count(c.reconnects)}</td>
            <td class="wordy">{c.last_error || "—"}</td>
          </tr>
        ))}
      </Rows>
    </>
  );
}

function Questions({ row }: { row: FeedRow }) {
  return (
    <>
      <h3>Standing questions over REST</h3>
      <Rows title="Questions" of={row.title} head={["Table", ">Questions", ">Asked", ">Failed", "Last error"]}>
        {row.polls.map((p) => (
          <tr key={p.name}>
            <th scope="row">{p.name.replaceAll("_", " ")}</th>
            <td class="right">{count(p.questions)}</td>
            <td class="right">{count(p.asked)}</td>
            <td class={`right ${p.failed ? "attention" : ""}`}>{count(p.failed)}</td>
            <td class="wordy">{p.last_error || "—"}</td>
          </tr>
        ))}
      </Rows>
    </>
  );
}

/** Everything behind a venue's picture: channels, gaps, sockets, questions. */
export function FeedTables({ row, nowMs }: { row: FeedRow; nowMs: number }) {
  return (
    <>
      {row.channels.length ? <Channels row={row} nowMs={nowMs} /> : null}
      <Outages row={row} />
      {row.connections.length ? <Sockets row={row} nowMs={nowMs} /> : null}
      {row.polls.length ? <Questions row={row} /> : null}
    </>
  );
}
