// Uploads of pages that were closed: those whose files the browser has continue by themselves, the others ask for theirs.
// What came from elsewhere isn't an upload yet.

import { removePendingUpload } from "../library/store";
import { announce } from "../parts/announce";
import { fromTemplate, required } from "../parts/dom";
import { size } from "../parts/formatting";
import { languageReady } from "../parts/language";
import { t } from "../parts/messages";
import { discardUpload } from "./discarding";
import type { StoredFile } from "./intake";
import { type InterruptedUpload, listInterruptedUploads } from "./pending-uploads";
import { watchPicker } from "./picking";
import type { Queue } from "./queue";

export class InterruptedUploads {
  #uploads: InterruptedUpload[] = [];

  /** Questions for files are put into `list`. */
  constructor(
    private readonly list: HTMLElement,
    private readonly queue: Queue,
  ) {}

  /** Returns the files that nobody has decided on. */
  async load(): Promise<StoredFile[]> {
    const [found] = await Promise.all([listInterruptedUploads(), languageReady]);
    const stored = found.filter(hasFile);
    const begun = stored.filter(({ undecided }) => !undecided);
    this.queue.add(begun.map((upload) => ({ file: upload.file, options: upload.options, begun: upload })));
    if (begun.length > 0) this.queue.showNewest();
    this.#uploads = found.filter(({ file }) => !file);
    this.list.append(...this.#uploads.map((upload) => this.#createQuestion(upload)));
    this.list.hidden = this.#uploads.length === 0;
    return stored.filter(({ undecided }) => undecided);
  }

  /** The first upload that `isWanted`; it is no longer asked for. */
  take(isWanted: (upload: InterruptedUpload) => boolean): InterruptedUpload | undefined {
    const found = this.#uploads.find(isWanted);
    if (found) this.#removeQuestion(found);
    return found;
  }

  #createQuestion(upload: InterruptedUpload): HTMLElement {
    const element = fromTemplate("#interrupted-card");
    element.dataset["id"] = upload.id;
    const figures = { name: upload.name, here: size(upload.offset), whole: size(upload.size) };
    const text = t("{name}: {here} of {whole} uploaded. Choose the file again to resume.", figures);
    (element.querySelector("p") as HTMLElement).textContent = text;
    const again = element.querySelector<HTMLInputElement>("input[type=file]");
    if (again) watchPicker(again, ([file]) => file && this.#resume(upload, file));
    element.querySelector("button")?.addEventListener("click", () => void this.#discard(upload));
    return element;
  }

  #resume(upload: InterruptedUpload, file: File): void {
    if (file.size !== upload.size || file.name !== upload.name) {
      announce(t("That’s a different file. Choose {name} ({size}).", { name: upload.name, size: size(upload.size) }));
      return;
    }
    this.queue.add([{ file, options: upload.options, begun: upload }]);
    this.#removeQuestion(upload);
  }

  async #discard(upload: InterruptedUpload): Promise<void> {
    this.#removeQuestion(upload);
    await removePendingUpload(upload.id);
    const isDiscarded = upload.url !== undefined && (await discardUpload(upload.url));
    announce(isDiscarded ? t("Upload cancelled. Its link no longer works.") : t("Upload cancelled."));
  }

  #removeQuestion(upload: InterruptedUpload): void {
    this.#uploads.splice(this.#uploads.indexOf(upload), 1);
    this.list.querySelector(`[data-id="${upload.id}"]`)?.remove();
    this.list.hidden = this.#uploads.length === 0;
    if (document.activeElement === document.body) (this.list.querySelector<HTMLElement>("button") ?? required("#file")).focus();
  }
}

const hasFile = (upload: InterruptedUpload): upload is InterruptedUpload & { file: File } => upload.file !== undefined;
