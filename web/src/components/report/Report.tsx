import { useEffect, useRef, useState } from "preact/hooks";
import { apiUrl } from "../../api";
import { useQuestion } from "../useAnswer";
import "../../report.css";

const FORMS: [form: string, title: string][] = [
  ["html", "HTML"],
  ["pdf", "PDF"],
  ["md", "Markdown"],
  ["json", "JSON"],
  ["zip", "data pack"],
];

/** The written report of the window on screen: the server's own text, number by number traceable. */
export function Report() {
  const question = useQuestion();
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [again, setAgain] = useState(0);
  const shown = useRef<HTMLDivElement>(null);
  const key = question ? JSON.stringify(question.params) : "";
  useEffect(() => {
    if (!question) return;
    const leave = new AbortController();
    setError(null);
    setText(null);
    fetch(apiUrl("report", { ...question.params, format: "fragment" }), { signal: leave.signal })
      .then(async (answer) => {
        const found = await answer.text();
        if (answer.ok) setText(found);
        else setError((JSON.parse(found) as { error: { message: string } }).error.message);
      })
      .catch((problem: unknown) => {
        if (!leave.signal.aborted) setError(problem instanceof Error && problem.name !== "TypeError" ? problem.message : "the server cannot be reached");
      });
    return () => leave.abort();
  }, [key, again]);
  useEffect(() => {
    const headline = shown.current?.querySelector("h1")?.textContent;
    document.title = `${headline ?? "Report"} · deleverage`;
  }, [text]);
  if (!question) return <main class="waiting">Waiting for the first answer of the server…</main>;
  return (
    <div class="report-page" data-testid="report">
      <nav class="report-tools" aria-label="The report">
        <button type="button" class="tool" onClick={() => print()} disabled={!text} data-testid="report-print">Print</button>
        {question.held ? null : <button type="button" class="tool" onClick={() => setAgain(again + 1)} disabled={!text} data-testid="report-again">Write it again</button>}
        {FORMS.map(([form, title]) => (
          <a key={form} class="tool" href={apiUrl("report", { ...question.params, format: form })} download={`report.${form}`} data-testid={`report-${form}`}>{title}</a>
        ))}
      </nav>
      {error ? <main class="waiting"><p role="alert">{error}</p></main> : text ? <div ref={shown} dangerouslySetInnerHTML={{ __html: text }} /> : <main class="waiting"><p role="status">The report is being written…</p></main>}
    </div>
  );
}
