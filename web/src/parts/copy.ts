// Copying, also where a page has no clipboard, as on plain HTTP. `data-copies` is the id of the field that a button copies.

import { announce, say } from "./announce";
import { t } from "./messages";

type Field = HTMLInputElement | HTMLTextAreaElement;

const COPIED_MS = 2000;
const resetTimers = new WeakMap<HTMLButtonElement, ReturnType<typeof setTimeout>>();

/** Copy the text and announce it; false if the browser doesn't allow it. */
export async function copy(text: string, name: string): Promise<boolean> {
  const isCopied = await write(text);
  announce(isCopied ? t("{name} copied", { name }) : t("Couldn’t copy. Select the text and copy it yourself."));
  return isCopied;
}

/** Copy what the field shows; the button says so for a moment. If the browser refuses, the text is selected. */
export async function copyField(button: HTMLButtonElement, field: Field, name: string): Promise<void> {
  if (await write(field.value)) {
    say(t("{name} copied", { name }));
    return showCopied(button);
  }
  field.closest("details")?.setAttribute("open", "");
  field.focus();
  field.select();
  announce(t("Couldn’t copy. The text is selected: copy it from the menu or with the keyboard."), { staysMs: 8000 });
}

/** Make the copy buttons below `root` work. */
export function wireCopyButtons(root: ParentNode = document): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copies]")) {
    const field = document.querySelector<Field>(`#${button.dataset["copies"]}`);
    if (!field) continue;
    const name = field.labels?.[0]?.textContent ?? t("Text");
    button.addEventListener("click", () => void copyField(button, field, name));
    field.addEventListener("focus", () => field.select());
  }
}

/** Write to the clipboard; false if the browser doesn't allow it. */
async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writeSelected(text);
  }
}

/** The way from before there was `navigator.clipboard`, which only HTTPS has: copy what is selected in a field. */
function writeSelected(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isCopied;
}

function showCopied(button: HTMLButtonElement): void {
  const before = (button.dataset["before"] ??= button.textContent ?? "");
  button.textContent = t("Copied");
  clearTimeout(resetTimers.get(button));
  resetTimers.set(button, setTimeout(() => (button.textContent = before), COPIED_MS));
}
