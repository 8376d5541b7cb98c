// Copy buttons: each names the field that it copies in `data-copies`.

import { announce } from "./announce";
import { t } from "./words";

const said = new WeakMap<HTMLButtonElement, ReturnType<typeof setTimeout>>();

/** Copy and say so; false where the browser forbids it. */
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

/** Bring the copy buttons below `root` to life. */
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
  clearTimeout(said.get(button));
  said.set(button, setTimeout(() => (button.textContent = before), 2000));
}
