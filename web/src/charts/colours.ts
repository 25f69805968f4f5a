/** The page's colours as canvas needs them: read from the style sheet, so that both themes and all charts agree. */

export interface Colours {
  ink: string;
  ink2: string;
  ink3: string;
  panel: string;
  line: string;
  long: string;
  short: string;
  longFill: string;
  shortFill: string;
  onFill: string;
  hatch: string;
  zero: string;
  font: string;
}

export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: read("ink"),
    ink2: read("ink-2"),
    ink3: read("ink-3"),
    panel: read("panel"),
    line: read("line"),
    long: read("long"),
    short: read("short"),
    longFill: read("long-fill"),
    shortFill: read("short-fill"),
    onFill: read("on-fill"),
    hatch: read("hatch"),
    zero: read("zero"),
    font: read("font"),
  };
}

const patterns = new Map<string, HTMLCanvasElement>();

/** A tile of diagonal lines, the page's sign for "not recorded". */
export function hatchTile(colour: string): HTMLCanvasElement {
  const known = patterns.get(colour);
  if (known) return known;
  const size = 8;
  const tile = document.createElement("canvas");
  tile.width = size;
  tile.height = size;
  const pen = tile.getContext("2d");
  if (pen) {
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift, size);
      pen.lineTo(shift + size, 0);
    }
    pen.stroke();
  }
  patterns.set(colour, tile);
  return tile;
}
