/** A value that can be read, replaced in part, and watched. */

import { useEffect, useRef, useState } from "preact/hooks";

export interface Store<T extends object> {
  get: () => T;
  set: (patch: Partial<T>) => void;
  watch: (run: () => void) => () => void;
}

export function createStore<T extends object>(initial: T): Store<T> {
  let value = initial;
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set: (patch) => {
      value = { ...value, ...patch };
      for (const run of [...watchers]) run();
    },
    watch: (run) => {
      watchers.add(run);
      return () => watchers.delete(run);
    },
  };
}

/** Re-renders the component when the selected part changes identity. */
export function useStore<T extends object, S>(store: Store<T>, select: (value: T) => S): S {
  const [, redraw] = useState(0);
  const latest = useRef(select);
  latest.current = select;
  const current = select(store.get());
  const shown = useRef(current);
  shown.current = current;
  useEffect(() => {
    const check = () => {
      if (!Object.is(latest.current(store.get()), shown.current)) redraw((n) => n + 1);
    };
    check();
    return store.watch(check);
  }, [store]);
  return current;
}
