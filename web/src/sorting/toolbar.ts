// The toolbar of a list: what can be done with the selected images.

import { button } from "../parts/buttons";
import { t, tn } from "../parts/messages";
import type { Way } from "./order";

interface Actions {
  move: (way: Way) => void;
  makeCover: () => void;
  remove: () => void;
  selectAll: () => void;
}

/** Shows how many images are selected, and calls `actions`. */
export class Toolbar {
  readonly element = document.createElement("div");
  readonly #count = document.createElement("span");
  readonly #needSelection: HTMLButtonElement[];

  constructor(actions: Actions) {
    const arrow = (symbol: string, label: string, way: Way): HTMLButtonElement => {
      const made = button(symbol, () => actions.move(way), { className: "quiet", label });
      made.title = label;
      return made;
    };
    this.#needSelection = [
      arrow("⇑", t("Move to the top"), "top"),
      arrow("↑", t("Move up"), "up"),
      arrow("↓", t("Move down"), "down"),
      arrow("⇓", t("Move to the bottom"), "bottom"),
      button(t("Use as cover"), actions.makeCover, { className: "quiet" }),
      button(t("Remove"), actions.remove, { className: "quiet" }),
    ];
    this.#count.className = "muted";
    this.#count.setAttribute("role", "status");
    this.element.className = "row toolbar";
    this.element.setAttribute("role", "toolbar");
    this.element.setAttribute("aria-label", t("Selected images"));
    this.element.append(...this.#needSelection, button(t("Select all"), actions.selectAll, { className: "quiet" }), this.#count);
    this.show(0);
  }

  /** Buttons aren't disabled, because that would lose the focus. */
  show(selected: number): void {
    this.#count.textContent = selected > 0 ? tn("{count} selected", "{count} selected", selected) : t("None selected");
    for (const each of this.#needSelection) each.setAttribute("aria-disabled", String(selected === 0));
  }
}
