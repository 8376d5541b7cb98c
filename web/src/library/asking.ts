// A question before something that can't simply be undone.

import { required } from "../parts/dom";

/** Ask whether to do it; `agreement` is what the button that agrees says. */
export function isConfirmed(question: string, consequence: string, agreement: string): Promise<boolean> {
  const dialog = required<HTMLDialogElement>("#question");
  required("#question-text").textContent = question;
  required("#question-consequence").textContent = consequence;
  required("#question-yes").textContent = agreement;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
