// The field for an access key: what the host says of the key, whether this device keeps it, and signing out.

import type { currentKey } from "./access-key";
import { callApi, Problem } from "./api";
import { required } from "./dom";
import { t } from "./messages";
import { type LocalizedText, pageLanguage, showText } from "./problems";

const KEY_CHARS = 49;
const ENDED = ["key-invalid", "key-expired", "key-revoked", "key-rotated"];

/** `unknown`: the host refused for another reason, or didn't answer. `useless`: it is no key, or none for uploads. `ended`: it isn't valid. */
type Verdict = "accepted" | "unknown" | "useless" | "ended";

/** What the host says of the caller, as far as it is shown. */
interface Me {
  may_upload: boolean;
  key: { name: string; scopes: string[] } | null;
}

/** Works with the key that the page uses, which it is given: this file is bundled by itself. */
export class KeyField {
  readonly #hint: string;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly key: typeof currentKey,
  ) {
    this.#hint = this.help.textContent ?? "";
    input.addEventListener("input", () => this.#take(input.value.trim()));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // the form is for files
      if (!input.readOnly) void this.#keep();
    });
    this.button.addEventListener("click", () => void (input.readOnly ? this.#forget() : this.#keep()));
    this.button.disabled = false; // until now nobody would have heard of a click
    if (key.text !== "") void this.#restore();
    else this.#take(input.value.trim()); // what was typed before this came
  }

  private get button(): HTMLButtonElement {
    return required("#key-button");
  }

  private get help(): HTMLElement {
    return required("#key-help");
  }

  /** Use a key from now on. The form's reset leaves it where it is. A whole new one is an event of the window, `access-key`. */
  #take(text: string): void {
    const isNew = text !== this.key.text && text.length === KEY_CHARS;
    this.key.use(text);
    this.input.defaultValue = text;
    if (isNew) dispatchEvent(new Event("access-key"));
  }

  async #keep(): Promise<void> {
    this.#take(this.input.value.trim());
    const said = await this.#ask();
    if (said.verdict === "useless" || said.verdict === "ended") return this.#say(said.text);
    this.#store(this.key.text);
    this.#lock(said.text);
  }

  /** The key that was kept: it stays unless the host says that it is no longer valid. */
  async #restore(): Promise<void> {
    this.#lock({ text: t("Uploads use the access key on this device."), lang: pageLanguage() });
    const said = await this.#ask();
    if (said.verdict === "ended") this.#forget();
    this.#say(said.text);
  }

  #forget(): void {
    this.#store("");
    this.#take("");
    this.input.value = "";
    this.input.type = "text";
    this.input.readOnly = false;
    this.button.textContent = t("Remember");
    this.#say({ text: this.#hint, lang: pageLanguage() });
  }

  #store(text: string): void {
    try {
      if (text === "") localStorage.removeItem(this.key.storedAs);
      else localStorage.setItem(this.key.storedAs, text);
    } catch {
      // it is used for as long as the page is open
    }
  }

  #lock(text: LocalizedText): void {
    this.input.value = this.key.text;
    this.#take(this.key.text);
    this.input.type = "password";
    this.input.readOnly = true;
    this.button.textContent = t("Forget");
    this.#say(text);
  }

  /** What the host says of the key, for people. */
  async #ask(): Promise<{ verdict: Verdict; text: LocalizedText }> {
    const lang = pageLanguage();
    try {
      const me = (await callApi("/api/v1/me", { method: "GET", headers: { "X-API-Key": this.key.text } })) as Me;
      if (me.key === null) return { verdict: "useless", text: { text: t("Enter the whole key. It begins with imgk_."), lang } };
      if (!me.key.scopes.includes("upload")) return { verdict: "useless", text: { text: t("This key can’t be used to upload."), lang } };
      if (!me.may_upload) return { verdict: "unknown", text: { text: t("The key is valid, but you can’t upload here at the moment."), lang } };
      return { verdict: "accepted", text: { text: t("Uploads use the key “{name}”.", { name: me.key.name }), lang } };
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      const verdict = ENDED.includes(fault.code) ? "ended" : "unknown";
      return { verdict, text: { text: fault.message, lang: fault.lang } };
    }
  }

  #say(text: LocalizedText): void {
    showText(this.help, text);
  }
}
