/** The parts of ECharts that the page uses, and nothing else. */

import { CustomChart, TreemapChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import type { Picture } from "./export";

use([CustomChart, TreemapChart, GridComponent, CanvasRenderer]);

export type EChart = ReturnType<typeof init>;

/** A chart that follows the size of its element. */
export function mount(element: HTMLElement): { chart: EChart; dispose: () => void } {
  const chart = init(element, null, { renderer: "canvas" });
  const watcher = new ResizeObserver(() => chart.resize());
  watcher.observe(element);
  return {
    chart,
    dispose: () => {
      watcher.disconnect();
      chart.dispose();
    },
  };
}

const PICTURE_SCALE = 2;

export const picture = (chart: EChart, background: string): Picture => ({
  canvas: chart.renderToCanvas({ pixelRatio: PICTURE_SCALE, backgroundColor: background }),
  scale: PICTURE_SCALE,
});

interface Pointed {
  event?: { event?: unknown };
}

/** Where in the viewport a chart event happened. */
export function pointer(params: unknown): { x: number; y: number } {
  const raw = (params as Pointed).event?.event;
  return raw instanceof MouseEvent ? { x: raw.clientX, y: raw.clientY } : { x: 0, y: 0 };
}
