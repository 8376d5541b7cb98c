// Copy buttons: `data-copies` is the id of the field that a button copies.

import { announce } from "./announce";
import { t } from "./messages";

const resetTimers = new WeakMap<HTMLButtonElement, ReturnType<typeof setTimeout>>();

/** Copy the text and announce it; false if the browser doesn't allow it. */
export async function copy(text: string, name: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    announce(t("Couldn’t copy. Select the text and copy it yourself."));
    return false;
  }
  announce(t("{name} copied", { name }));
  return true;
}

/** Make the copy buttons below `root` work. */
export function wireCopyButtons(root: ParentNode = document): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copies]")) {
    const field = document.querySelector<HTMLInputElement>(`#${button.dataset["copies"]}`);
    if (!field) continue;
    button.addEventListener("click", () => void press(button, field));
    field.addEventListener("focus", () => field.select());
  }
}

async function press(button: HTMLButtonElement, field: HTMLInputElement): Promise<void> {
  if (!(await copy(field.value, field.labels?.[0]?.textContent ?? t("Text")))) {
    field.focus();
    return;
  }
  const before = (button.dataset["before"] ??= button.textContent ?? "");
  button.textContent = t("Copied");
  clearTimeout(resetTimers.get(button));
  resetTimers.set(button, setTimeout(() => (button.textContent = before), 2000));
}
