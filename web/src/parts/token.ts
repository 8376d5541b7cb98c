// Delete tokens. A manage link has one in its fragment, which browsers don't send. It is moved from the address to this
// tab's storage, so that the address that people copy is the one to share.

import { readFromTab, removeFromTab, storeInTab } from "./tab-storage";

const key = (slug: string): string => `token:${slug}`;

export const isToken = (value: unknown): value is string => typeof value === "string" && /^[\w-]{22}$/.test(value);

/** The token for an image from the address, where it is removed, or from this tab's storage. */
export function tokenOf(slug: string): string | undefined {
  const given = location.hash.slice(1);
  if (!isToken(given)) return readFromTab(key(slug));
  history.replaceState(history.state, "", location.pathname + location.search);
  storeToken(slug, given);
  return given;
}

/** Store a token for as long as this tab is open. Where that isn't possible, the form asks for it each time. */
export function storeToken(slug: string, token: string): void {
  storeInTab(key(slug), token);
}

/** Remove a token that turned out to be wrong. */
export function dropToken(slug: string): void {
  removeFromTab(key(slug));
}

/** Whether the address has a part of a token, as from a manage link that was cut off; that is removed. */
export function clearIncompleteToken(): boolean {
  if (!/^#[\w-]{8,}$/.test(location.hash)) return false;
  history.replaceState(history.state, "", location.pathname + location.search);
  return true;
}

/** The token in what a person entered, which may be a whole manage link. */
export const tokenIn = (entered: string): string => entered.trim().split("#").pop() ?? "";
