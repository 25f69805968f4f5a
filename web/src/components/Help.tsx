import { useEffect, useRef } from "preact/hooks";
import { KEYS } from "../keys";
import { store, useApp } from "../state";

/** Keys, and how to read the page. */
export function Help() {
  const open = useApp((s) => s.help);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" data-testid="help" onClose={() => store.set({ help: false })}>
      <h2 id="help-title">Keys</h2>
      <dl>
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h2>Reading the page</h2>
      <ul>
        <li>
          <b class="long">Ember</b>: longs force-closed. <b class="short">Teal</b>: shorts force-closed. Amber: attention, something is blind or late.
        </li>
        <li>
          <b>≥</b> a floor: the feeds behind the sum leave orders out, so at least this much was liquidated.
        </li>
        <li>
          <b>Hatched or empty</b>: not recorded. It is never drawn as zero.
        </li>
        <li>USD is the notional of the orders, not anyone's loss.</li>
        <li>Hover or focus a number for its exact value, moment, source and coverage; click to copy it.</li>
      </ul>
      <form method="dialog">
        <button type="submit" class="tool">
          Close
        </button>
      </form>
    </dialog>
  );
}
