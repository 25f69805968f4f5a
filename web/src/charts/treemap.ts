/** Area by USD liquidated per asset, each tile split into longs and shorts; what is not named stands as its own "rest" tile. */

import { money, percent } from "../format";
import { hideTip, showTip } from "../tip";
import type { Treemap } from "../types";
import { type Colours, colours } from "./colours";
import { mount, picture, pointer } from "./echart";
import type { Picture } from "./export";

export interface TreemapChart {
  update: (treemap: Treemap) => void;
  picture: () => Picture;
  dispose: () => void;
}

export const REST = "rest";

/** Opacity of the rest tile, as the end of a hexadecimal colour: the same hues, further back. */
const FAINT = "59";

/** A hard split: longs to the left, shorts to the right, in proportion. */
function split(long: number, total: number, left: string, right: string): object {
  const at = total > 0 ? long / total : 0;
  const stop = (offset: number, color: string) => ({ offset, color });
  return { type: "linear", x: 0, y: 0, x2: 1, y2: 0, colorStops: [stop(0, left), stop(at, left), stop(at, right), stop(1, right)] };
}

function tiles(treemap: Treemap, c: Colours): object[] {
  const named = treemap.items.map((item) => ({
    name: item.base,
    value: item.total_usd,
    share: item.share,
    itemStyle: { color: split(item.long_usd, item.total_usd, c.longFill, c.shortFill) },
    label: { color: c.onFill },
  }));
  const { rest } = treemap;
  if (!rest || rest.bases === 0) return named;
  const tile = {
    name: REST,
    value: rest.total_usd,
    share: rest.share,
    bases: rest.bases,
    itemStyle: { color: split(rest.long_usd, rest.total_usd, c.longFill + FAINT, c.shortFill + FAINT) },
    label: { color: c.ink },
  };
  return [...named, tile];
}

interface Tile {
  name: string;
  value: number;
  share?: number | null;
  bases?: number;
}

/** Below this share a tile has room for one line only. */
const SMALL = 0.022;

const caption = ({ name, value, share, bases }: Tile) =>
  !bases && (share ?? 1) < SMALL ? `{name|${name}}` : `{name|${bases ? `rest: ${bases} more` : name}}\n${money(value)}${share === null || share === undefined ? "" : ` · ${percent(share)}`}`;

export function treemapChart(element: HTMLElement, note: (base: string) => string[], choose: (base: string) => void): TreemapChart {
  const { chart, dispose } = mount(element);
  let c: Colours = colours();
  chart.on("mousemove", (params) => {
    const { x, y } = pointer(params);
    const lines = note(params.name);
    if (lines.length) showTip(x, y, lines);
    else hideTip();
  });
  chart.on("mouseout", hideTip);
  chart.getZr().on("globalout", hideTip);
  chart.on("click", (params) => {
    if (params.name && params.name !== REST) choose(params.name);
  });
  return {
    update: (treemap) => {
      c = colours();
      chart.setOption({
        animation: false,
        series: [
          {
            id: "assets",
            type: "treemap",
            animation: false,
            animationDurationUpdate: 0,
            visibleMin: 0,
            left: 0,
            right: 0,
            top: 0,
            bottom: 0,
            roam: false,
            nodeClick: false,
            breadcrumb: { show: false },
            sort: false,
            itemStyle: { borderColor: c.panel, borderWidth: 0, gapWidth: 2 },
            emphasis: { disabled: true },
            label: {
              formatter: (params: { data: Tile }) => caption(params.data),
              fontFamily: c.font,
              fontSize: 12,
              lineHeight: 16,
              overflow: "truncate",
              ellipsis: "…",
              position: "insideTopLeft",
              rich: { name: { fontSize: 14, fontWeight: 600, lineHeight: 18 } },
            },
            data: tiles(treemap, c),
          },
        ],
      });
    },
    picture: () => picture(chart, c.panel),
    dispose,
  };
}
