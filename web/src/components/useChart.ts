import { type RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { forget, inFrame } from "../frames";
import { useApp } from "../state";

interface Chart {
  dispose: () => void;
}

/** Makes a chart once for an element and draws into it whenever its inputs or the theme change. */
export function useChart<C extends Chart>(make: (element: HTMLElement) => C, draw: (chart: C) => void, inputs: unknown[]): { element: RefObject<HTMLDivElement | null>; chart: RefObject<C | null> } {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<C>(null);
  const theme = useApp((s) => s.theme);
  useEffect(() => {
    if (!element.current) return;
    const made = make(element.current);
    chart.current = made;
    return () => {
      chart.current = null;
      forget(made);
      made.dispose();
    };
  }, []);
  useEffect(() => {
    const made = chart.current;
    if (made) inFrame(made, () => draw(made));
  }, [...inputs, theme]);
  return { element, chart };
}
