// What was done is said with a button beside it that takes it back.

import { announce } from "./announce";
import { button } from "./buttons";
import { t } from "./words";

export const UNDO_MS = 10_000;

/** The button that was pressed is dim or gone now: the next press, of whoever works by keys, takes it back. */
export function offerUndo(words: string, act: () => Promise<void>): void {
  const undo = button(t("Undo"), () => void act());
  announce(words, { action: undo, staysMs: UNDO_MS });
  undo.focus({ preventScroll: true });
}
