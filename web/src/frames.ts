/** Drawing work spread over animation frames: one piece a frame, the newest wins per key. */

const waiting = new Map<object, () => void>();
let frame = 0;

function next(): void {
  frame = 0;
  const first = waiting.entries().next();
  if (first.done) return;
  const [key, work] = first.value;
  waiting.delete(key);
  if (waiting.size) frame = requestAnimationFrame(next);
  work();
}

/** Runs `work` in a coming frame, unless newer work under the same key replaces it. */
export function inFrame(key: object, work: () => void): void {
  waiting.set(key, work);
  if (!frame) frame = requestAnimationFrame(next);
}

export function forget(key: object): void {
  waiting.delete(key);
}
