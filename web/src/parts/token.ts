// Delete tokens. A manage link has one in its fragment, which browsers don't send. It is moved from the address to this
// tab's storage, so that the address that people copy is the one to share.

const TOKEN = /^[\w-]{22}$/;
const key = (slug: string): string => `token:${slug}`;

/** The token for an image from the address, where it is removed, or from this tab's storage. */
export function tokenOf(slug: string): string | undefined {
  const given = location.hash.slice(1);
  if (TOKEN.test(given)) {
    history.replaceState(history.state, "", location.pathname + location.search);
    storeToken(slug, given);
    return given;
  }
  try {
    return sessionStorage.getItem(key(slug)) ?? undefined;
  } catch {
    return undefined; // storage is disabled: the form asks for the token
  }
}

/** Store a token for as long as this tab is open. */
export function storeToken(slug: string, token: string): void {
  try {
    sessionStorage.setItem(key(slug), token);
  } catch {
    // storage is disabled: the form asks for the token each time
  }
}

/** Remove a token that turned out to be wrong. */
export function dropToken(slug: string): void {
  try {
    sessionStorage.removeItem(key(slug));
  } catch {
    // storage is disabled, so nothing was stored
  }
}

/** Whether the address has a part of a token, as from a manage link that was cut off; that is removed. */
export function clearIncompleteToken(): boolean {
  if (!/^#[\w-]{8,}$/.test(location.hash)) return false;
  history.replaceState(history.state, "", location.pathname + location.search);
  return true;
}

/** The token in what a person entered, which may be a whole manage link. */
export const tokenIn = (entered: string): string => entered.trim().split("#").pop() ?? "";
