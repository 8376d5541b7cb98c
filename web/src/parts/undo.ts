// Messages with an Undo button.

import { announce } from "./announce";
import { button } from "./buttons";
import { t } from "./messages";

export const UNDO_MS = 10_000;

/** The Undo button gets the focus, because the button that was pressed may have disappeared. */
export function offerUndo(message: string, undo: () => Promise<void>): void {
  const press = button(t("Undo"), () => void undo());
  announce(message, { action: press, staysMs: UNDO_MS });
  press.focus({ preventScroll: true });
}
