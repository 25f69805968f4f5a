/** One note beside the pointer or the focused number. Plain DOM, so that charts and components share it. */

let box: HTMLElement | null = null;

function element(): HTMLElement {
  if (box) return box;
  box = document.createElement("div");
  box.id = "tip";
  box.className = "tip";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  document.body.append(box);
  return box;
}

/** Shows lines near a point in the viewport; the first is the number itself. */
export function showTip(x: number, y: number, lines: string[]): void {
  const tip = element();
  tip.replaceChildren(
    ...lines.filter(Boolean).map((text) => {
      const line = document.createElement("div");
      line.textContent = text;
      return line;
    }),
  );
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(x + 12, innerWidth - width - 8));
  const top = y + 16 + height > innerHeight ? Math.max(8, y - height - 12) : y + 16;
  tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

export function hideTip(): void {
  if (box) box.hidden = true;
}
