// Saving an album's changes by themselves, one after the other, and the line that says whether they are saved. The form's
// token is known; its field comes back if the server refuses it.

import { type AlbumChange, changeAlbum } from "../parts/album-api";
import { announce } from "../parts/announce";
import { Problem } from "../parts/api";
import { t } from "../parts/messages";
import { checkToken, isWrongToken } from "../parts/restoring";
import { tokenIn } from "../parts/token";

const SAVE_AFTER_MS = 600;

export class Autosave {
  /** Says whether everything is saved; put it where people look. */
  readonly state = document.createElement("p");
  #waiting: AlbumChange = {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #queue: Promise<boolean> = Promise.resolve(true);
  #hasFailed = false;
  /** Called when everything is saved, with the slugs of the album's images in their order. */
  saved: (slugs: string[]) => void = () => undefined;

  constructor(readonly form: HTMLFormElement) {
    this.state.className = "muted state";
    form.classList.add("saves-itself");
    const place = this.#tokenField.closest<HTMLElement>(".field");
    if (place) place.hidden = true;
    addEventListener("pagehide", () => void this.flush());
    addEventListener("beforeunload", (event) => {
      if (this.#hasFailed) event.preventDefault();
    });
  }

  get slug(): string {
    return this.form.dataset["album"] ?? "";
  }

  get #tokenField(): HTMLInputElement {
    return this.form.querySelector<HTMLInputElement>("#token")!;
  }

  /** Save when nothing else changes for a moment, and at once if the page is left. */
  schedule(change: AlbumChange): void {
    this.#waiting = { ...this.#waiting, ...change };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), SAVE_AFTER_MS);
  }

  /** Save what is scheduled. False if it couldn't be saved; the line says so. */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    const change = this.#waiting;
    this.#waiting = {};
    return Object.keys(change).length === 0 || this.save(change);
  }

  /** Save after what is being saved. False if it couldn't be saved; the line says so. */
  save(change: AlbumChange): Promise<boolean> {
    this.#queue = this.#queue.then(() => this.#send(change));
    return this.#queue;
  }

  async #send(change: AlbumChange): Promise<boolean> {
    let slugs: string[];
    try {
      slugs = await changeAlbum(this.slug, tokenIn(this.#tokenField.value), change);
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      this.#fail(fault, change);
      return false;
    }
    this.#hasFailed = false;
    this.state.textContent = t("All changes are saved.");
    if (Object.keys(this.#waiting).length === 0) this.saved(slugs);
    return true;
  }

  /** Ask for another token at once if the server refuses the one of the manage link. */
  async checkToken(): Promise<void> {
    try {
      await checkToken(`/api/v1/albums/${this.slug}`, tokenIn(this.#tokenField.value));
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      if (!isWrongToken(fault)) return;
      this.state.textContent = fault.message;
      announce(fault.message, { lang: fault.lang });
      this.#askForToken();
    }
  }

  #askForToken(): void {
    const place = this.#tokenField.closest<HTMLElement>(".field");
    if (!place?.hidden) return;
    place.hidden = false;
    this.#tokenField.focus();
  }

  /** What isn't wrong in itself is sent again with the next change. Images are added and removed by a new press only. */
  #fail(fault: Problem, { add: _add, remove: _remove, ...change }: AlbumChange): void {
    if (isWrongToken(fault)) this.#askForToken();
    if (!fault.code.startsWith("invalid-")) this.#waiting = { ...change, ...this.#waiting };
    this.#hasFailed = true;
    this.state.textContent = t("Not saved. {why}", { why: fault.message });
    announce(this.state.textContent, { lang: fault.lang });
  }
}
