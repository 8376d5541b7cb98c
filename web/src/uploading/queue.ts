// All files of this page: a few are uploaded at once, the others wait. Finished ones are added to My images.

import { toLibraryImage, type ImageResource } from "../library/image";
import { saveImages } from "../library/store";
import { forget, remember } from "./pending-uploads";
import { Card } from "./card";
import { ENDED, Transfer, type UploadOptions } from "./transfer";

const CONCURRENCY = 3;

export class Queue {
  #transfers = new Map<Transfer, Card>();
  #remembered = new Set<Transfer>();

  /** Cards are added to `list`; `changed` is called when a file was added or has ended. */
  constructor(
    private readonly list: HTMLElement,
    private readonly changed: (queue: Queue) => void,
  ) {
    addEventListener("online", () => {
      for (const transfer of this.#transfers.keys()) void transfer.retryNow();
    });
    addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  /** Upload a file; `id` and `url` are those of the interrupted upload that it resumes. */
  add(file: File, options: UploadOptions, { id = randomId(), url }: { id?: string; url?: string } = {}): void {
    const transfer = new Transfer(file, options, (one) => this.#changed(one), id, url);
    void remember(transfer);
    const card = this.#addCard(file, (action) => {
      if (action === "pause") void transfer.pause().then(() => this.#startNext());
      else if (action === "cancel") void transfer.cancel();
      else if (action === "dismiss") this.#dismiss(transfer);
      else transfer.start();
    });
    this.#transfers.set(transfer, card);
    card.show(transfer);
    this.#startNext();
    this.changed(this);
  }

  /** Show a file that isn't uploaded, and why. */
  refuse(file: File, problem: string): void {
    const card = this.#addCard(file, () => this.#removeCard(card));
    card.refuse(problem);
  }

  /** The images that have been uploaded, in the order in which they were added. */
  get images(): ImageResource[] {
    return [...this.#transfers.keys()].flatMap(({ phase, image }) => (phase === "done" && image ? [image] : []));
  }

  #addCard(file: File, act: ConstructorParameters<typeof Card>[1]): Card {
    const card = new Card(file.name, act);
    this.list.append(card.element);
    if (this.list.childElementCount === 1) card.element.scrollIntoView({ block: "nearest" });
    void card.preview(file);
    return card;
  }

  #dismiss(transfer: Transfer): void {
    const card = this.#transfers.get(transfer);
    if (card) this.#removeCard(card);
    this.#transfers.delete(transfer);
    this.changed(this);
  }

  /** Remove the card; the focus moves to the next one. */
  #removeCard({ element }: Card): void {
    const next = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    const visible = [...(next?.querySelectorAll("button") ?? [])].find((button) => button.offsetParent !== null);
    (visible ?? document.querySelector<HTMLElement>("#file"))?.focus();
  }

  #changed(transfer: Transfer): void {
    this.#transfers.get(transfer)?.show(transfer);
    if (transfer.url && !this.#remembered.has(transfer) && !ENDED.has(transfer.phase)) {
      this.#remembered.add(transfer);
      void remember(transfer);
    }
    if (!ENDED.has(transfer.phase) && transfer.phase !== "failed") return;
    if (ENDED.has(transfer.phase) && transfer.phase !== "done") void forget(transfer);
    if (transfer.phase === "done" && transfer.image) void saveImages(toLibraryImage(transfer.image)).then(() => forget(transfer));
    this.#startNext();
    this.changed(this);
  }

  /** Whether an upload is waiting, running or being processed. */
  get busy(): boolean {
    return [...this.#transfers.keys()].some(({ phase }) => !ENDED.has(phase) && phase !== "failed");
  }

  #running(): Transfer[] {
    return [...this.#transfers.keys()].filter(({ phase }) => ["sending", "offline", "processing"].includes(phase));
  }

  #startNext(): void {
    const waiting = [...this.#transfers.keys()].filter(({ phase }) => phase === "waiting");
    for (const transfer of waiting.slice(0, Math.max(0, CONCURRENCY - this.#running().length))) transfer.start();
  }
}

/** Without crypto.randomUUID, which needs HTTPS. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(36)).join("");
}
