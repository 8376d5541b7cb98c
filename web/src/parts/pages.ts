/** The page at the address, not shown; undefined if it can't be loaded. */
export async function loadPage(address: string, options: RequestInit = {}): Promise<Document | undefined> {
  const reply = await fetch(address, options).catch(() => undefined);
  return reply?.ok ? new DOMParser().parseFromString(await reply.text(), "text/html") : undefined;
}
