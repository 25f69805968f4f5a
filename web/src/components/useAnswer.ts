import { useEffect, useState } from "preact/hooks";
import { isHeld } from "../address";
import { ApiError, type Params } from "../api";
import { useApp } from "../state";

/** The moment and coin on screen as parameters of a question; null until they are known. */
export function useQuestion(): { params: Params; held: boolean } | null {
  const view = useApp((s) => s.view);
  const stored = useApp((s) => (s.doc?.mode === "stored" && s.moment ? s.moment.at : null));
  const base = useApp((s) => (s.doc ? s.view.base || s.doc.base || "BTC" : null));
  if (base === null) return null;
  return { params: { window: view.window, base, at: view.at ?? stored ?? undefined, as_of: view.asOf ?? (stored ? "now" : undefined) }, held: isHeld(view) };
}

/** An answer of the API about the view, asked for again every so often while the page shows the moving now. */
export function useAnswer<T>(ask: (params: Params) => Promise<{ data: T }>, everyMs: number, more: Params = {}): { data: T | null; error: string | null } {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const question = useQuestion();
  const key = question ? JSON.stringify({ ...question.params, ...more, held: question.held }) : "";
  useEffect(() => {
    if (!question) return;
    let wanted = true;
    let timer = 0;
    let answered = false;
    const again = async () => {
      if (document.hidden && !question.held && answered) {
        timer = setTimeout(() => void again(), everyMs);
        return;
      }
      try {
        const found = await ask({ ...question.params, ...more });
        if (!wanted) return;
        answered = true;
        setData(found.data);
        setError(null);
      } catch (problem) {
        if (wanted) setError(problem instanceof ApiError ? problem.message : "the server cannot be reached");
      }
      if (wanted && !question.held) timer = setTimeout(() => void again(), everyMs);
    };
    void again();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [key, everyMs]);
  return { data, error };
}
