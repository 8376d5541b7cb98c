// Changes of an album, one after the other, and the line that says whether they are saved.

import { type AlbumChange, AlbumProblem, changeAlbum } from "../parts/albums";
import { announce } from "../parts/announce";
import { t } from "../parts/words";

export class Saving {
  readonly #state = document.createElement("p");
  #turn: Promise<boolean> = Promise.resolve(true);

  constructor(
    private readonly form: HTMLFormElement,
    after: Element,
  ) {
    this.#state.className = "muted state";
    after.after(this.#state);
  }

  /** The token of the form, or of the whole manage link in it. */
  get token(): string | undefined {
    const typed = this.form.querySelector<HTMLInputElement>("#token")?.value.trim() ?? "";
    return /^[\w-]{22}$/.exec(typed.slice(typed.indexOf("#") + 1))?.[0];
  }

  /** False when it could not be saved, which is said. */
  save(change: AlbumChange): Promise<boolean> {
    const token = this.token;
    if (!token) {
      this.later();
      return Promise.resolve(false);
    }
    this.#turn = this.#turn.then(() => this.#saved(change, token));
    return this.#turn;
  }

  /** Say that the form's own button has to be pressed. */
  later(): void {
    this.#state.textContent = t("Not saved yet. Enter the delete token and press Save changes.");
  }

  async #saved(change: AlbumChange, token: string): Promise<boolean> {
    try {
      await changeAlbum(this.form.dataset["album"] ?? "", token, change);
    } catch (fault) {
      const why = fault instanceof AlbumProblem ? fault.message : t("The server can’t be reached.");
      this.#state.textContent = t("Not saved. {why}", { why });
      announce(this.#state.textContent);
      return false;
    }
    this.#state.textContent = t("All changes are saved.");
    return true;
  }
}
