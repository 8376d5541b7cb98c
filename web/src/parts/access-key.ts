// The access key with which this browser uploads: what is typed into the page's field, or was kept on this device.

import { callApi, Problem, UNREACHABLE } from "./api";
import { required } from "./dom";
import { t } from "./messages";
import { type LocalizedText, pageLanguage, showText } from "./problems";

const STORED = "access-key";
const PREFIX = "imgk_";

/** What the host says of the caller, as far as it is shown. */
interface Me {
  may_upload: boolean;
  key: { name: string } | null;
}

let key = stored();

/** The header that an upload needs; none without a key. */
export const keyHeader = (): Record<string, string> => (key.startsWith(PREFIX) ? { "X-API-Key": key } : {});

/**
 * Make the page's field for a key work, if it has one. `isSent`: the form is sent by the browser, with the key as a field;
 * otherwise scripts send it as a header.
 */
export function wireKeyField({ isSent = false } = {}): void {
  const input = document.querySelector<HTMLInputElement>("#key");
  if (!input) return;
  if (!isSent) input.removeAttribute("name");
  input.required = isSent && input.required;
  new KeyField(input, required("#key-button"), required("#key-help"));
}

class KeyField {
  readonly #hint: string;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly button: HTMLButtonElement,
    private readonly help: HTMLElement,
  ) {
    this.#hint = help.textContent ?? "";
    input.addEventListener("input", () => this.#take(input.value.trim()));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // the form is for files
      if (!input.readOnly) void this.#keep();
    });
    button.addEventListener("click", () => void (input.readOnly ? this.#signOut() : this.#keep()));
    if (key !== "") void this.#restore();
  }

  /** Use a key from now on. The form's reset leaves it where it is. */
  #take(text: string): void {
    key = text;
    this.input.defaultValue = text;
  }

  async #keep(): Promise<void> {
    this.#take(this.input.value.trim());
    const said = await this.#ask();
    if (said.isRefused) return this.#say(said.text);
    store(key);
    this.#lock(said.text);
  }

  /** The key that was kept: it stays unless the host says that it is no longer valid. */
  async #restore(): Promise<void> {
    this.#lock({ text: t("Uploads use the access key on this device."), lang: pageLanguage() });
    const said = await this.#ask();
    if (!said.isRefused) return this.#say(said.text);
    this.#signOut();
    this.#say(said.text);
  }

  #signOut(): void {
    store("");
    this.#take("");
    this.input.value = "";
    this.input.type = "text";
    this.input.readOnly = false;
    this.button.textContent = t("Remember");
    this.#say({ text: this.#hint, lang: pageLanguage() });
  }

  #lock(text: LocalizedText): void {
    this.input.value = key;
    this.#take(key);
    this.input.type = "password";
    this.input.readOnly = true;
    this.button.textContent = t("Sign out");
    this.#say(text);
  }

  /** What the host says of the key, for people. */
  async #ask(): Promise<{ isRefused: boolean; text: LocalizedText }> {
    const lang = pageLanguage();
    try {
      const me = (await callApi("/api/v1/me", { method: "GET", headers: { "X-API-Key": key } })) as Me;
      if (me.key === null) return { isRefused: true, text: { text: t("Enter the whole key. It begins with imgk_."), lang } };
      if (!me.may_upload) return { isRefused: true, text: { text: t("This key can’t be used to upload."), lang } };
      return { isRefused: false, text: { text: t("Uploads use the key “{name}”.", me.key), lang } };
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      return { isRefused: fault.code !== UNREACHABLE, text: { text: fault.message, lang: fault.lang } };
    }
  }

  #say(text: LocalizedText): void {
    showText(this.help, text);
  }
}

function stored(): string {
  try {
    return localStorage.getItem(STORED) ?? "";
  } catch {
    return ""; // storage is disabled
  }
}

function store(text: string): void {
  try {
    if (text === "") localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, text);
  } catch {
    // it is used for as long as the page is open
  }
}
