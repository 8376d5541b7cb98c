// Files that come from another page of this host or from a phone's share menu: what becomes of them is asked first, because
// nobody has seen the options yet, and what is to be blurred must not be sent before.

import { say } from "../parts/announce";
import { required } from "../parts/dom";
import { size } from "../parts/formatting";
import { t, tn } from "../parts/messages";
import type { Intake, StoredFile } from "./intake";

export class Arrivals {
  #files: StoredFile[] = [];

  /** `box` has the question, and a button for each answer. `forget` removes a file that is not to be uploaded. */
  constructor(
    private readonly box: HTMLElement,
    intake: Intake,
    forget: (id: string) => Promise<void>,
  ) {
    const answer = (name: string, act: (files: StoredFile[]) => Promise<void>): void =>
      this.#button(name).addEventListener("click", () => void act(this.#close()));
    answer("upload", (files) => intake.takeStored(files, false));
    answer("blur", (files) => intake.takeStored(files, true));
    answer("discard", (files) => discard(files, forget));
  }

  /** Ask about these files, at least one. */
  show(files: StoredFile[]): void {
    this.#files = files;
    this.#text.textContent = questionAbout(files);
    this.box.hidden = false;
    if (document.activeElement === document.body) this.#text.focus(); // not the button: Enter must not upload what nobody has looked at
  }

  get #text(): HTMLElement {
    return this.box.querySelector("p") as HTMLElement;
  }

  #button(name: string): HTMLElement {
    return this.box.querySelector(`[data-do=${name}]`) as HTMLElement;
  }

  #close(): StoredFile[] {
    const files = this.#files;
    this.#files = [];
    this.box.hidden = true;
    required("#file").focus({ preventScroll: true });
    return files;
  }
}

function questionAbout(files: StoredFile[]): string {
  const [{ name } = { name: "" }, ...others] = files;
  const bytes = size(files.reduce((sum, { file }) => sum + file.size, 0));
  if (others.length === 0) return t("Upload {name} ({bytes})?", { name, bytes });
  return tn("Upload {count} image ({bytes})?", "Upload {count} images ({bytes})?", files.length, { bytes });
}

async function discard(files: StoredFile[], forget: (id: string) => Promise<void>): Promise<void> {
  await Promise.all(files.map(({ id }) => forget(id)));
  say(tn("{count} image was not uploaded.", "{count} images were not uploaded.", files.length));
}
