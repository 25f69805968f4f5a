import { clockTime, dateTime, zone } from "../format";
import { holdMoment, showPage } from "../session";
import { store, toggleTheme, toggleZone, useApp } from "../state";
import { isHeld, PAGES, viewSearch } from "../address";

const LINK_WORDS = { starting: "connecting", stream: "streaming", polling: "polling every 2 s", lost: "connection lost", held: "fixed moment" };

export function TopBar() {
  const moment = useApp((s) => s.moment);
  const utc = useApp((s) => s.utc);
  const theme = useApp((s) => s.theme);
  const link = useApp((s) => s.link);
  const view = useApp((s) => s.view);
  const held = isHeld(view);
  return (
    <header class="topbar">
      <span class="brand">
        <span aria-hidden="true" class="mark" /> deleverage
      </span>
      <nav class="pages" aria-label="Pages">
        {PAGES.map(([page, title]) => (
          <a key={page} href={viewSearch({ ...view, page })} aria-current={view.page === page ? "page" : undefined} data-testid={`page-${page}`} onClick={(event) => { event.preventDefault(); showPage(page); }}>
            {title}
          </a>
        ))}
      </nav>
      <span class={`link-state ${link}`} data-testid="link" data-link={link}>
        {link === "held" && !held ? "last stored event" : LINK_WORDS[link]}
      </span>
      <span class="spacer" />
      {moment ? (
        <time class="clock" data-testid="clock" data-value={moment.atMs} dateTime={new Date(moment.atMs).toISOString()} title={new Date(moment.atMs).toISOString()}>
          <span class="clock-day">{dateTime(moment.atMs, utc).slice(0, -9)}</span> {clockTime(moment.atMs, utc)}
        </time>
      ) : null}
      <button type="button" class="tool" onClick={toggleZone} aria-label={`Times in ${utc ? "UTC" : "local time"}; switch`} data-testid="zone">
        {zone(utc)}
      </button>
      {moment && !held ? (
        <button type="button" class="tool" onClick={holdMoment} data-testid="hold" title="Fix this moment: the address then shows exactly this, to anyone">
          hold moment
        </button>
      ) : null}
      <button type="button" class="tool" onClick={toggleTheme} aria-label={`Switch to the ${theme === "dark" ? "light" : "dark"} theme`} data-testid="theme">
        {theme === "dark" ? "light" : "dark"}
      </button>
      <button type="button" class="tool" onClick={() => store.set({ help: true })} aria-label="Keys and help" data-testid="help-button">
        ?
      </button>
    </header>
  );
}
