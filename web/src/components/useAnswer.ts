import { useEffect, useState } from "preact/hooks";
import { isHeld } from "../address";
import { ApiError, type Params } from "../api";
import { useApp } from "../state";

/** The moment and coin on screen as parameters of a question; null until they are known. */
export function useQuestion(): { params: Params; held: boolean } | null {
  const view = useApp((s) => s.view);
  const subject = useApp((s) => s.subject);
  const base = useApp((s) => s.view.base || s.doc?.base || "BTC");
  if (subject === null) return null;
  const held = isHeld(view);
  const at = held ? view.at : subject.at;
  const asOf = held ? view.asOf : subject.asOf;
  return { params: { window: view.window, base, at: at ?? undefined, as_of: asOf ?? undefined }, held };
}

/** An answer of the API about the view, asked for again every so often while the page shows the moving now and the answer is wanted. */
export function useAnswer<T>(ask: (params: Params) => Promise<{ data: T }>, everyMs: number, more: Params = {}, isWanted = true): { data: T | null; error: string | null; isAsking: boolean } {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [answeredTo, answerTo] = useState("");
  const question = useQuestion();
  const key = question && isWanted ? JSON.stringify({ ...question.params, ...more, held: question.held }) : "";
  useEffect(() => {
    if (!question || !isWanted) return;
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
        answerTo(key);
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
  return { data, error, isAsking: key !== answeredTo && error === null };
}
