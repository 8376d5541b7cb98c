// Saving the changes of an album one after the other, and the line that says whether they are saved.

import { type AlbumChange, changeAlbum } from "../parts/album-api";
import { announce } from "../parts/announce";
import { Problem } from "../parts/api";
import { t } from "../parts/messages";

export class Autosave {
  readonly #state = document.createElement("p");
  #queue: Promise<boolean> = Promise.resolve(true);

  constructor(
    private readonly form: HTMLFormElement,
    after: Element,
  ) {
    this.#state.className = "muted state";
    after.after(this.#state);
  }

  /** The token in the form, where a person may have entered a whole manage link. */
  get token(): string | undefined {
    const typed = this.form.querySelector<HTMLInputElement>("#token")?.value.trim() ?? "";
    return /^[\w-]{22}$/.exec(typed.slice(typed.indexOf("#") + 1))?.[0];
  }

  /** False if it couldn't be saved; the line says so. */
  save(change: AlbumChange): Promise<boolean> {
    const token = this.token;
    if (!token) {
      this.showUnsaved();
      return Promise.resolve(false);
    }
    this.#queue = this.#queue.then(() => this.#send(change, token));
    return this.#queue;
  }

  /** Say that the Save button has to be pressed. */
  showUnsaved(): void {
    this.#state.textContent = t("Not saved yet. Enter the delete token and press Save changes.");
  }

  async #send(change: AlbumChange, token: string): Promise<boolean> {
    try {
      await changeAlbum(this.form.dataset["album"] ?? "", token, change);
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      this.#state.textContent = t("Not saved. {why}", { why: fault.message });
      announce(this.#state.textContent);
      return false;
    }
    this.#state.textContent = t("All changes are saved.");
    return true;
  }
}
