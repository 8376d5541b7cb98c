// The access key with which this browser uploads: what is typed into the page's field, or was kept on this device.

const STORED_AS = "access-key"; // in this browser's local storage
const PREFIX = "imgk_";

let key = stored();

/** The header that an upload needs; none without a key. */
export const keyHeader = (): Record<string, string> => (key.startsWith(PREFIX) ? { "X-API-Key": key } : {});

/** The key of this page, for its field. */
export const currentKey = {
  storedAs: STORED_AS,
  get text(): string {
    return key;
  },
  /** Use a key from now on. */
  use(text: string): void {
    key = text;
  },
};

/**
 * Make the page's field for a key work, if it has one. `isSent`: the form is sent by the browser, with the key as a field;
 * otherwise scripts send it as a header.
 */
export function wireKeyField({ isSent = false } = {}): void {
  const input = document.querySelector<HTMLInputElement>("#key");
  if (!input) return;
  if (!isSent) input.removeAttribute("name");
  input.required = isSent && input.required;
  void import("./key-field").then(({ KeyField }) => new KeyField(input, currentKey));
}

function stored(): string {
  try {
    return localStorage.getItem(STORED_AS) ?? "";
  } catch {
    return ""; // storage is disabled
  }
}
