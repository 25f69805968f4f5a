/** Charts and tables as files: a picture that carries its title, source and coverage; rows as CSV. */

import { colours } from "./colours";

export type Cell = string | number | null;

/** A chart drawn at so many pixels per CSS pixel. */
export interface Picture {
  canvas: HTMLCanvasElement;
  scale: number;
}

export interface Legend {
  title: string;
  /** CSS colours from low to high. */
  stops: string[];
  labels: string[];
}

export interface Caption {
  title: string;
  /** Says that the data is no live data; empty when it is. */
  warning: string;
  foot: string[];
  legend?: Legend | undefined;
}

function save(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const quoted = (cell: Cell) => {
  const text = cell === null ? "" : String(cell);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Unknown values become empty cells. */
export const csvText = (header: string[], rows: Cell[][]) => [header, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n").concat("\r\n");

export const downloadCsv = (name: string, header: string[], rows: Cell[][]) => save(name, new Blob([csvText(header, rows)], { type: "text/csv" }));

function wrap(pen: CanvasRenderingContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && pen.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

function drawLegend(pen: CanvasRenderingContext2D, legend: Legend, x: number, y: number, width: number, unit: number): void {
  const fade = pen.createLinearGradient(x, 0, x + width, 0);
  legend.stops.forEach((stop, i) => fade.addColorStop(i / (legend.stops.length - 1), stop));
  pen.fillStyle = fade;
  pen.fillRect(x, y, width, 8 * unit);
  pen.fillStyle = colours().ink2;
  legend.labels.forEach((label, i) => {
    const at = x + (i / (legend.labels.length - 1)) * width;
    pen.textAlign = i === 0 ? "left" : i === legend.labels.length - 1 ? "right" : "center";
    pen.fillText(label, at, y + 22 * unit);
  });
  pen.textAlign = "left";
  pen.fillText(legend.title, x, y - 6 * unit);
}

export function downloadPng(name: string, { canvas: chart, scale: unit }: Picture, caption: Caption): void {
  const c = colours();
  const pad = 16 * unit;
  const out = document.createElement("canvas");
  const pen = out.getContext("2d");
  if (!pen) return;
  const small = `${12 * unit}px ${c.font}`;
  pen.font = small;
  const foot = caption.foot.flatMap((text) => wrap(pen, text, chart.width - pad));
  pen.font = `600 ${15 * unit}px ${c.font}`;
  const title = wrap(pen, caption.title, chart.width);
  pen.font = small;
  const more = (title.length - 1) * 20 * unit;
  const head = (caption.warning ? 62 : 38) * unit + more;
  const legendHeight = caption.legend ? 52 * unit : 0;
  out.width = chart.width + 2 * pad;
  out.height = head + chart.height + legendHeight + (foot.length * 17 + 14) * unit;
  pen.fillStyle = c.panel;
  pen.fillRect(0, 0, out.width, out.height);
  pen.fillStyle = c.ink;
  pen.font = `600 ${15 * unit}px ${c.font}`;
  title.forEach((line, i) => pen.fillText(line, pad, (26 + 20 * i) * unit));
  pen.font = small;
  if (caption.warning) {
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--attention");
    pen.fillText(caption.warning, pad, 48 * unit + more);
  }
  pen.drawImage(chart, pad, head);
  if (caption.legend) drawLegend(pen, caption.legend, pad, head + chart.height + 20 * unit, Math.min(320 * unit, chart.width), unit);
  pen.fillStyle = c.ink2;
  foot.forEach((line, i) => pen.fillText(line, pad, head + chart.height + legendHeight + (16 + i * 17) * unit));
  out.toBlob((blob) => blob && save(name, blob), "image/png");
}
