// The pictures of an album as a list that people put in order.

import { announce } from "../parts/announce";
import { button } from "../parts/buttons";
import { UNDO_MS } from "../parts/undo";
import { t } from "../parts/words";
import { wireDragging } from "./dragging";
import { moved, numbered, slugsOf } from "./order";
import { Saving } from "./saving";

const SAVE_AFTER_MS = 600;
const KEYS: Record<string, number> = { ArrowUp: -1, ArrowDown: 1 };

export class Arrangement {
  readonly #saving: Saving;
  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(
    form: HTMLFormElement,
    private readonly list: HTMLOListElement,
  ) {
    this.#saving = new Saving(form, list);
  }

  begin(): void {
    for (const item of this.list.querySelectorAll<HTMLLIElement>("li")) this.#wire(item);
    this.list.classList.add("scripted");
    addEventListener("pagehide", () => this.#saveNow());
  }

  #wire(item: HTMLLIElement): void {
    const name = nameOf(item);
    const handle = button("⠿", undefined, {
      className: "quiet handle",
      label: t("Move {name}: drag it, or press arrow up or down", { name }),
    });
    handle.addEventListener("keydown", (event) => {
      const by = KEYS[event.key];
      if (!by) return;
      event.preventDefault();
      this.#move(item, by);
    });
    wireDragging(handle, item, () => this.#hasMoved(item));
    item.prepend(handle);
    item
      .querySelector(".controls")
      ?.append(
        button("↑", () => this.#move(item, -1), { className: "quiet", label: t("Move {name} up", { name }) }),
        button("↓", () => this.#move(item, 1), { className: "quiet", label: t("Move {name} down", { name }) }),
        button("✕", () => void this.#takeOut(item), { className: "quiet take-out", label: t("Remove {name}", { name }) }),
      );
  }

  #move(item: HTMLLIElement, by: number): void {
    if (moved(item, by)) this.#hasMoved(item);
    else announce(t("It can’t be moved any further."));
  }

  /** Say the new place at once, and save when nothing more is moved for a moment. */
  #hasMoved(item: HTMLLIElement): void {
    numbered(this.list);
    const slugs = slugsOf(this.list);
    announce(t("{name}: position {place} of {count}", { name: nameOf(item), place: slugs.indexOf(slugOf(item)) + 1, count: slugs.length }));
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#saveNow(), SAVE_AFTER_MS);
  }

  /** What was moved last, also when the page is left within the moment. */
  #saveNow(): void {
    if (this.#soon === undefined) return;
    clearTimeout(this.#soon);
    this.#soon = undefined;
    void this.#saving.save({ order: slugsOf(this.list) });
  }

  async #takeOut(item: HTMLLIElement): Promise<void> {
    const order = slugsOf(this.list);
    if (order.length === 1) {
      announce(t("An album needs at least one image. To remove the last one, delete the album."));
      return;
    }
    if (!this.#saving.token) {
      this.#tick(item);
      return;
    }
    if (!(await this.#saving.save({ remove: [slugOf(item)] }))) return;
    const next = item.nextElementSibling;
    const neighbour = next ?? item.previousElementSibling;
    item.remove();
    numbered(this.list);
    neighbour?.querySelector<HTMLButtonElement>(".take-out")?.focus();
    const undo = button(t("Undo"), () => void this.#putBack(item, next, order));
    announce(t("{name} removed.", { name: nameOf(item) }), { action: undo, staysMs: UNDO_MS });
  }

  /** Without a token the form's own tick is set, for its Save button. */
  #tick(item: HTMLLIElement): void {
    const tick = item.querySelector<HTMLInputElement>("input[name=remove]");
    if (!tick) return;
    tick.checked = !tick.checked;
    item.classList.toggle("leaving", tick.checked);
    item.querySelector(".take-out")?.setAttribute("aria-pressed", String(tick.checked));
    this.#saving.later();
  }

  async #putBack(item: HTMLLIElement, before: Element | null, order: string[]): Promise<void> {
    if (!(await this.#saving.save({ add: [slugOf(item)] }))) return;
    this.list.insertBefore(item, before?.isConnected ? before : null);
    numbered(this.list);
    const there = new Set(slugsOf(this.list));
    await this.#saving.save({ order: order.filter((slug) => there.has(slug)) });
    item.querySelector<HTMLButtonElement>(".take-out")?.focus();
    announce(t("{name} restored.", { name: nameOf(item) }));
  }
}

function nameOf(item: HTMLElement): string {
  return item.querySelector(".called")?.textContent ?? "";
}

function slugOf(item: HTMLElement): string {
  return item.dataset["slug"] ?? "";
}
