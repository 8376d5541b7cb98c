// All files of this page: a few are sent at once, the others wait; what ends is remembered or let go.

import { mineOf, type Picture } from "../mine/picture";
import { keep } from "../mine/store";
import { done, remember } from "./begun";
import { Card } from "./card";
import { OVER, Transfer, type Wishes } from "./transfer";

const AT_ONCE = 3;

export class Queue {
  #transfers = new Map<Transfer, Card>();
  #begun = new Set<Transfer>();

  /** Cards go into `list`; `changed` is called when a file was added or ended. */
  constructor(
    private readonly list: HTMLElement,
    private readonly changed: (queue: Queue) => void,
  ) {
    addEventListener("online", () => {
      for (const transfer of this.#transfers.keys()) void transfer.hurry();
    });
    addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  /** A file to be sent; `id` and `url` are those of the upload that it goes on with. */
  add(file: File, wishes: Wishes, { id = freshId(), url }: { id?: string; url?: string } = {}): void {
    const transfer = new Transfer(file, wishes, (one) => this.#news(one), id, url);
    void remember(transfer);
    const card = this.#card(file, (deed) => {
      if (deed === "pause") void transfer.pause().then(() => this.#next());
      else if (deed === "cancel") void transfer.cancel();
      else if (deed === "dismiss") this.#dismiss(transfer);
      else transfer.start();
    });
    this.#transfers.set(transfer, card);
    card.show(transfer);
    this.#next();
    this.changed(this);
  }

  /** A file that is not sent at all, and why. */
  refuse(file: File, problem: string): void {
    const card = this.#card(file, () => this.#putAway(card));
    card.refuse(problem);
  }

  /** What has been uploaded, in the order in which it was added. */
  get pictures(): Picture[] {
    return [...this.#transfers.keys()].flatMap(({ phase, picture }) => (phase === "done" && picture ? [picture] : []));
  }

  #card(file: File, act: ConstructorParameters<typeof Card>[1]): Card {
    const card = new Card(file.name, act);
    this.list.append(card.element);
    if (this.list.childElementCount === 1) card.element.scrollIntoView({ block: "nearest" });
    void card.preview(file);
    return card;
  }

  #dismiss(transfer: Transfer): void {
    const card = this.#transfers.get(transfer);
    if (card) this.#putAway(card);
    this.#transfers.delete(transfer);
    this.changed(this);
  }

  /** Whoever pressed its button goes on at the next one. */
  #putAway({ element }: Card): void {
    const next = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    const seen = [...(next?.querySelectorAll("button") ?? [])].find((button) => button.offsetParent !== null);
    (seen ?? document.querySelector<HTMLElement>("#file"))?.focus();
  }

  #news(transfer: Transfer): void {
    this.#transfers.get(transfer)?.show(transfer);
    if (transfer.url && !this.#begun.has(transfer) && !OVER.has(transfer.phase)) {
      this.#begun.add(transfer);
      void remember(transfer);
    }
    if (!OVER.has(transfer.phase) && transfer.phase !== "failed") return;
    if (OVER.has(transfer.phase) && transfer.phase !== "done") void done(transfer);
    if (transfer.phase === "done" && transfer.picture) void keep(mineOf(transfer.picture)).then(() => done(transfer));
    this.#next();
    this.changed(this);
  }

  /** Whether something is still to be sent, or waits for its verdict. */
  get busy(): boolean {
    return [...this.#transfers.keys()].some(({ phase }) => !OVER.has(phase) && phase !== "failed");
  }

  #running(): Transfer[] {
    return [...this.#transfers.keys()].filter(({ phase }) => ["sending", "offline", "processing"].includes(phase));
  }

  #next(): void {
    const waiting = [...this.#transfers.keys()].filter(({ phase }) => phase === "waiting");
    for (const transfer of waiting.slice(0, Math.max(0, AT_ONCE - this.#running().length))) transfer.start();
  }
}

/** Made without crypto.randomUUID, which plain http has not. */
function freshId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(36)).join("");
}
