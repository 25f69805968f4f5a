import { stateWords } from "../format";

/** Which shape says which state; anything unknown asks for attention. */
const SHAPES: Record<string, string> = {
  recorded: "disc",
  live: "disc",
  stored: "disc",
  thin: "half",
  silent: "bar",
  blind: "triangle",
  skewed: "diamond",
  down: "cross",
  ended: "square",
  not_recorded: "ring",
};

/** A feed's state as a shape and a word, never as colour alone. */
export function Lamp({ state, evidence }: { state: string; evidence: string }) {
  return (
    <span class={`lamp ${state}`} title={evidence} data-state={state}>
      <span class={`shape ${SHAPES[state] ?? "triangle"}`} aria-hidden="true" />
      {stateWords(state)}
    </span>
  );
}
