// Delete tokens. A manage link carries one behind its #, which never reaches a server; from there it goes into this tab's
// memory, so that the address that people copy is the one to share.

const TOKEN = /^[\w-]{22}$/;
const key = (slug: string): string => `token:${slug}`;

/** The token that the address or this tab holds for an image; the address is cleaned of it. */
export function tokenOf(slug: string): string | undefined {
  const given = location.hash.slice(1);
  if (TOKEN.test(given)) {
    history.replaceState(history.state, "", location.pathname + location.search);
    keep(slug, given);
    return given;
  }
  try {
    return sessionStorage.getItem(key(slug)) ?? undefined;
  } catch {
    return undefined; // storage that is switched off: the form asks
  }
}

/** Remember a token for as long as this tab is open. */
export function keep(slug: string, token: string): void {
  try {
    sessionStorage.setItem(key(slug), token);
  } catch {
    // then it is asked for again
  }
}

/** Forget a token that turned out to be wrong. */
export function drop(slug: string): void {
  try {
    sessionStorage.removeItem(key(slug));
  } catch {
    // nothing is kept, then
  }
}

/** Whether the address holds what looks like a piece of a manage link; it is cleaned of that. */
export function takesTorn(): boolean {
  if (!/^#[\w-]{8,}$/.test(location.hash)) return false;
  history.replaceState(history.state, "", location.pathname + location.search);
  return true;
}

/** The token in what somebody typed or pasted, which may be a whole manage link. */
export const bare = (typed: string): string => typed.trim().split("#").pop() ?? "";
