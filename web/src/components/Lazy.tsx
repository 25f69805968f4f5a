import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A page that is fetched when it is first shown. */
export function Lazy({ page }: { page: () => Promise<ComponentType> }) {
  const [shown, show] = useState<{ Page: ComponentType } | null>(null);
  const [failed, fail] = useState(false);
  useEffect(() => {
    let wanted = true;
    page().then((Page) => wanted && show({ Page }), () => wanted && fail(true));
    return () => {
      wanted = false;
    };
  }, [page]);
  if (!shown) return <main class="waiting">{failed ? "This page could not be fetched; reload to try again." : "One moment…"}</main>;
  const { Page } = shown;
  return <Page />;
}
