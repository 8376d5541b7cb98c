// All files of this page: a few are uploaded at once, the others wait. Finished ones are added to My images.

import { watchChanges } from "../library/changes";
import { hasEnded, type ImageResource, toLibraryImage } from "../library/image";
import { type LibraryImage, listImages, saveImages } from "../library/store";
import { announce } from "../parts/announce";
import { Problem } from "../parts/api";
import { t } from "../parts/messages";
import { Announcer } from "./announcer";
import { Card, type CardHandlers } from "./card";
import type { Edits } from "./edits";
import { forget, remember } from "./pending-uploads";
import { Run } from "./run";
import { ENDED, type Phase } from "./phase";
import { type Begun, Transfer, type UploadOptions } from "./transfer";

const CONCURRENCY = 3;
const MAX_ASKED = 30; // whenever somebody comes back to the page
const CANCELLABLE: ReadonlySet<Phase> = new Set(["waiting", "sending", "paused", "offline"]);

/** A file to upload, as a new upload or one that was begun on another page; or one with a problem, which is only shown. */
export type Entry = { file: File } & ({ options: UploadOptions; begun?: Begun } | { problem: string });

export class Queue {
  #transfers = new Map<Transfer, Card>();
  #remembered = new Set<Transfer>();
  #finished = new Set<Transfer>();
  #announcer = new Announcer();
  /** The files that are being uploaded, or were last. */
  run = new Run();

  /** Cards are added to `list`; `changed` is called whenever anything about an upload changes, and when files were added. */
  constructor(
    private readonly list: HTMLElement,
    private readonly changed: (wereAdded: boolean) => void,
  ) {
    addEventListener("online", () => {
      for (const transfer of this.#transfers.keys()) void transfer.retryNow();
    });
    watchChanges(() => void this.#checkEndings().catch(() => undefined)); // a browser that stores nothing knows of no changes
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) void this.findAvailable(MAX_ASKED).catch(() => undefined);
    });
    addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  /** Upload the files, in this order. Their cards are put before all others. */
  add(entries: Entry[]): void {
    if (entries.length === 0) return;
    if (!this.busy) this.run = new Run();
    const cards = entries.map((entry) => ("problem" in entry ? this.#refuse(entry.file, entry.problem) : this.#add(entry)));
    this.list.prepend(...cards.map(({ element }) => element));
    this.list.hidden = false;
    this.#announcer.chosen(entries.flatMap((entry) => ("problem" in entry ? [entry.problem] : [])));
    this.#startNext();
    this.changed(true);
  }

  /** Bring the card of the newest file into view, for its link is what people wait for. */
  showNewest(): void {
    this.list.firstElementChild?.scrollIntoView({ block: "nearest" });
  }

  /** The uploads, in the order in which their files were chosen. */
  get transfers(): Transfer[] {
    return [...this.#transfers.keys()];
  }

  /** The images that have been uploaded, in the order in which they were added. */
  get images(): ImageResource[] {
    return this.#uploaded.flatMap(({ image }) => image ?? []);
  }

  get #uploaded(): Transfer[] {
    return [...this.#transfers.keys()].filter(({ phase, image }) => phase === "done" && image);
  }

  /**
   * Ask the server which of the uploaded images, or the newest of them, are still there; those that aren't say so from then on.
   * The slugs of all that are, in order.
   */
  async findAvailable(newest = Infinity): Promise<string[]> {
    const uploaded = this.#uploaded.slice(-newest);
    if (uploaded.length === 0) return [];
    const { findAvailable } = await import("../library/availability");
    const found = await findAvailable(uploaded.map((transfer) => entryOf(transfer)));
    this.#setEndings(new Map(found.map((entry) => [entry.slug, entry])));
    return this.images.map(({ slug }) => slug);
  }

  /** How many cards say why their file isn't uploaded. */
  get rejected(): number {
    return this.list.querySelectorAll("[data-phase=refused], [data-phase=failed]").length;
  }

  /** How many can be tried again. */
  get failed(): number {
    return [...this.#transfers.keys()].filter(({ phase }) => phase === "failed").length;
  }

  /** How many images there are, or are being uploaded. */
  get expected(): number {
    return [...this.#transfers.keys()].filter(({ phase }) => !["refused", "gone", "failed"].includes(phase)).length;
  }

  /** Whether an upload is waiting, running or being processed. */
  get busy(): boolean {
    return [...this.#transfers.keys()].some(({ phase }) => !ENDED.has(phase) && phase !== "failed");
  }

  /** Cancel everything that isn't uploaded yet, and remove its cards. Returns how many there were. */
  cancelAll(): number {
    const unfinished = [...this.#transfers.keys()].filter(({ phase }) => CANCELLABLE.has(phase));
    for (const transfer of unfinished) this.#remove(transfer); // all of them first, so that none takes the place of another
    for (const transfer of unfinished) void transfer.cancel();
    return unfinished.length;
  }

  /** These are where they belong: their cards go, and the run still counts them. */
  settle(transfers: readonly Transfer[]): void {
    for (const transfer of transfers) {
      const card = this.#transfers.get(transfer);
      if (card?.element.contains(document.activeElement)) this.#removeCard(card);
      card?.element.remove();
      this.#transfers.delete(transfer);
    }
    this.changed(false);
  }

  /** Try again what has failed. */
  retryAll(): void {
    for (const transfer of this.#transfers.keys()) if (transfer.phase === "failed") transfer.requeue();
    this.#startNext();
  }

  #add({ file, options, begun }: Exclude<Entry, { problem: string }>): Card {
    const transfer = new Transfer(file, { ...options }, (one) => this.#changed(one), begun);
    void remember(transfer);
    const card = new Card(file.name, this.#handlersOf(transfer));
    this.#transfers.set(transfer, card);
    this.run.add(transfer);
    card.show(transfer);
    void card.preview(file);
    return card;
  }

  #refuse(file: File, problem: string): Card {
    this.run.refused += 1;
    const card: Card = new Card(file.name, { act: () => this.#dismissRefused(card), edit: () => Promise.resolve() });
    card.refuse(problem);
    void card.preview(file);
    return card;
  }

  #handlersOf(transfer: Transfer): CardHandlers {
    return {
      act: (action) => {
        if (action === "pause") void transfer.pause().then(() => this.#startNext());
        else if (action === "cancel") void transfer.cancel();
        else if (action === "dismiss") this.#dismiss(transfer);
        else void transfer.start();
      },
      edit: (edits, isForAll) => (isForAll ? this.#editAll(edits) : this.#edit(transfer, edits)),
    };
  }

  /** Change every image, first those that have yet to be uploaded. If some can't be changed, throws the first Problem. */
  async #editAll(edits: Edits): Promise<void> {
    const all = [...this.#transfers.keys()].sort((a, b) => Number(a.phase === "done") - Number(b.phase === "done"));
    const faults: unknown[] = [];
    for (const transfer of all) await this.#edit(transfer, edits).catch((fault: unknown) => faults.push(fault));
    if (faults.length > 0) throw faults[0];
  }

  async #edit(transfer: Transfer, edits: Edits): Promise<void> {
    if (transfer.phase === "refused" || transfer.phase === "gone") return;
    await transfer.edit(edits);
    await (transfer.phase === "done" ? this.#save(transfer) : remember(transfer));
  }

  #dismiss(transfer: Transfer): void {
    const card = this.#transfers.get(transfer);
    if (card) this.#removeCard(card);
    this.#remove(transfer);
  }

  #dismissRefused(card: Card): void {
    this.#removeCard(card);
    this.changed(false);
  }

  #remove(transfer: Transfer): void {
    this.#transfers.get(transfer)?.element.remove();
    this.#transfers.delete(transfer);
    this.run.remove(transfer);
    this.changed(false);
  }

  /** Remove the card; the focus moves to the next one. */
  #removeCard({ element }: Card): void {
    const next = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    const visible = [...(next?.querySelectorAll("button") ?? [])].find((button) => button.offsetParent !== null);
    (visible ?? document.querySelector<HTMLElement>("#file"))?.focus();
  }

  #changed(transfer: Transfer): void {
    if (!this.#transfers.has(transfer)) {
      if (ENDED.has(transfer.phase)) void forget(transfer);
      return;
    }
    if (!ENDED.has(transfer.phase)) this.run.add(transfer);
    this.#transfers.get(transfer)?.show(transfer);
    this.#announcer.changed(transfer, this.run);
    this.changed(false);
    if (transfer.url && !this.#remembered.has(transfer) && !ENDED.has(transfer.phase)) {
      this.#remembered.add(transfer);
      void remember(transfer);
    }
    if (!ENDED.has(transfer.phase) && transfer.phase !== "failed") return;
    if (transfer.phase === "done") void this.#finish(transfer);
    else if (ENDED.has(transfer.phase)) void forget(transfer);
    this.#startNext();
  }

  /** Add the image to My images, with the changes that were made while it was uploaded. */
  async #finish(transfer: Transfer): Promise<void> {
    if (this.#finished.has(transfer) || !transfer.image) return;
    this.#finished.add(transfer);
    const { image } = transfer;
    transfer.duplicateOf = await import("./duplicates").then(({ findDuplicate }) => findDuplicate(image)).catch(() => undefined);
    this.#transfers.get(transfer)?.show(transfer);
    await transfer.sendEdits().catch((fault: unknown) => {
      if (!(fault instanceof Problem)) throw fault;
      announce(fault.message, { lang: fault.lang, staysMs: 8000 });
    });
    await this.#save(transfer);
  }

  /** My images knows of images that have ended, or were restored, elsewhere. */
  async #checkEndings(): Promise<void> {
    if (this.#finished.size > 0) this.#setEndings(new Map((await listImages()).map((entry) => [entry.slug, entry])));
  }

  #setEndings(entries: ReadonlyMap<string, LibraryImage>): void {
    for (const [transfer, card] of this.#transfers) {
      const entry = transfer.image && entries.get(transfer.image.slug);
      if (!entry || !(transfer.hasEnded || transfer.phase === "done") || hasEnded(entry) === transfer.hasEnded) continue;
      transfer.setEnded(hasEnded(entry));
      card.show(transfer);
      this.changed(false);
    }
  }

  /** The upload is forgotten only when My images has it, and the server every change. */
  async #save(transfer: Transfer): Promise<void> {
    if (!transfer.image) return;
    try {
      await saveImages(entryOf(transfer));
      if (Object.keys(transfer.edits).length === 0) await forget(transfer);
    } catch {
      announce(t("This window can’t store My images. Save the manage links that you need."), { staysMs: 8000 });
    }
  }

  #startNext(): void {
    const all = [...this.#transfers.keys()];
    const running = all.filter(({ phase }) => ["sending", "offline", "processing"].includes(phase)).length;
    const waiting = all.filter(({ phase }) => phase === "waiting");
    for (const transfer of waiting.slice(0, Math.max(0, CONCURRENCY - running))) void transfer.start();
  }
}

/** What My images has of an uploaded image. */
const entryOf = ({ image, addedAt }: Transfer): LibraryImage => toLibraryImage(image as ImageResource, addedAt);
