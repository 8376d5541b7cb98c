// Uploading images straight into an album, with the cards and the progress of the upload page. A card stays until its image is
// in the album.

import { announce } from "../parts/announce";
import { required } from "../parts/dom";
import { t, tn } from "../parts/messages";
import { Intake } from "../uploading/intake";
import type { Source } from "../uploading/picking";
import { Progress } from "../uploading/progress";
import { Queue } from "../uploading/queue";
import type { Phase } from "../uploading/phase";
import type { Transfer } from "../uploading/transfer";
import type { AlbumForm } from "./album-form";

/** Others don't wait for these. */
const LEFT_OUT: ReadonlySet<Phase> = new Set(["paused", "failed", "refused", "gone"]);

export class AlbumUploads {
  readonly #queue: Queue;
  readonly #progress: Progress;
  readonly #intake: Intake;
  #isAdding = false;

  /** `links` is the field for links of images that are to be added. */
  constructor(
    private readonly form: AlbumForm,
    private readonly links: HTMLTextAreaElement,
  ) {
    this.#queue = new Queue(required("#uploads"), (wereAdded) => {
      this.#progress.refresh(wereAdded);
      void this.#addUploaded();
    });
    this.#progress = new Progress(this.#queue, () => this.#queue.run.done);
    this.#intake = new Intake(required<HTMLFormElement>("#upload"), this.#queue, required("#skipped"));
    addEventListener("beforeunload", (event) => {
      if (this.#isAdding) event.preventDefault();
    });
  }

  async take(files: File[], from: Source): Promise<void> {
    await this.#intake.take(files, from);
  }

  /** Uploaded files before which no other is still on its way: images are added in the order in which they were chosen. */
  get #ready(): Transfer[] {
    const expected = this.#queue.transfers.filter(({ phase }) => !LEFT_OUT.has(phase));
    const end = expected.findIndex(({ phase }) => phase !== "done");
    return end < 0 ? expected : expected.slice(0, end);
  }

  /** Add images, those that are uploaded meanwhile together. */
  async #addUploaded(): Promise<void> {
    if (this.#isAdding) return;
    this.#isAdding = true;
    for (let ready; (ready = this.#ready).length > 0; ) {
      const links = ready.flatMap(({ image }) => image?.slug ?? []).join("\n");
      const areAdded = await this.form.add(links);
      if (!areAdded) this.#keep(links);
      this.#queue.settle(ready);
      if (areAdded && !this.#queue.busy) announce(t("Added to the album."));
    }
    this.#isAdding = false;
  }

  /** Images that couldn't be added stay in the field for links, where a press adds them. */
  #keep(links: string): void {
    this.links.value = [this.links.value.trim(), links].filter(Boolean).join("\n");
    const count = links.split("\n").length;
    required("#skipped").textContent = tn(
      "{count} image was uploaded, but isn’t in the album yet. Its link is in the field below: press Add.",
      "{count} images were uploaded, but aren’t in the album yet. Their links are in the field below: press Add.",
      count,
    );
  }
}
