// The editor in which parts of an image are covered before it is uploaded. It is loaded on demand, as a file of its own.

import { fromTemplate } from "../parts/dom";
import { t } from "../parts/messages";
import { CannotBlur, draw, encode, failed } from "./canvas";
import { cover } from "./mosaic";
import { Stage } from "./stage";

/** What is to be uploaded, or why nothing can be; or that somebody decided against this image, or against all that are left. */
export type Edited = { file: File } | { problem: string } | "discarded" | "cancelled";

/** Ask which parts of the image, one of `count`, to cover. Without any, the file itself is what is to be uploaded. */
export async function edit(file: File, place: number, count: number): Promise<Edited> {
  const editor = new Editor(file, place, count);
  try {
    return await editor.open();
  } catch (fault) {
    if (fault instanceof CannotBlur) return { problem: fault.message };
    reportError(fault); // the other files are still edited
    return { problem: failed(file.name) };
  } finally {
    editor.close();
  }
}

class Editor {
  readonly #dialog: HTMLDialogElement;
  readonly #canvas: HTMLCanvasElement;

  constructor(
    private readonly file: File,
    place: number,
    count: number,
  ) {
    this.#dialog = fromTemplate("#blur-editor");
    this.#canvas = this.#find("canvas");
    this.#find("h2").textContent = t("Blur parts of {name}", { name: file.name });
    this.#find("#blur-place").textContent = count > 1 ? t("Image {place} of {count}", { place, count }) : "";
    if (count > 1) this.#find("[data-do=discard]").textContent = t("Don’t upload this image");
    const cancel = this.#find("[data-do=cancel]");
    cancel.textContent = t("Cancel all {count} remaining", { count: count - place + 1 });
    cancel.hidden = place === count;
  }

  /** Throws CannotBlur. */
  async open(): Promise<Edited> {
    const context = await draw(this.file, this.#canvas);
    const stage: Stage = new Stage(this.#find(".stage"), this.#canvas, (news) => this.#show(stage, news));
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#show(stage, "");
    const decision = await this.#decision(stage);
    if (decision !== "wanted") return decision;
    const { all } = stage.areas;
    if (all.length === 0) return { file: this.file };
    cover(context, all);
    return { file: await encode(this.#canvas, this.file) };
  }

  /** The focus returns to where it was. */
  close(): void {
    this.#dialog.close();
    this.#dialog.remove();
    this.#canvas.width = 0; // frees its memory at once
  }

  #show({ areas }: Stage, news: string): void {
    const isBlurred = areas.all.length > 0;
    this.#find("[data-do=upload]").textContent = isBlurred ? t("Blur and upload") : t("Upload unchanged");
    this.#find("[data-do=undo]").setAttribute("aria-disabled", String(!areas.canUndo));
    this.#find("[role=status]").textContent = news;
  }

  #decision(stage: Stage): Promise<"wanted" | "discarded" | "cancelled"> {
    return new Promise((decide) => {
      const press = (name: string, act: () => void): void => this.#find(`[data-do=${name}]`).addEventListener("click", act);
      press("add", () => stage.add());
      press("undo", () => stage.undo());
      press("upload", () => decide("wanted"));
      press("discard", () => decide("discarded"));
      press("cancel", () => decide("cancelled"));
      this.#dialog.addEventListener("close", () => decide("discarded")); // the Escape key
      this.#dialog.addEventListener("keydown", (event) => {
        if (event.key !== "z" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        stage.undo();
      });
    });
  }

  #find<Part extends HTMLElement = HTMLElement>(selector: string): Part {
    const found = this.#dialog.querySelector<Part>(selector);
    if (!found) throw new Error(selector);
    return found;
  }
}
