/** A venue's fixed hue as canvas needs it, read from the style sheet. */

const known = new Map<string, string>();

export function hue(venue: string): string {
  const found = known.get(venue);
  if (found) return found;
  const probe = document.createElement("i");
  probe.className = `v-${venue}`;
  probe.hidden = true;
  document.body.append(probe);
  const colour = getComputedStyle(probe).getPropertyValue("--hue").trim() || "#8f9aa7";
  probe.remove();
  known.set(venue, colour);
  return colour;
}
