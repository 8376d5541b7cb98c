/** A name that nothing else has, of 32 letters and digits. Without crypto.randomUUID, which needs HTTPS. */
export const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
