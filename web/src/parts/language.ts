// The page's language on pages that load its messages after their script, because they are needed only once something is done.

/** Resolves once messages are in the page's language, or stay English because its messages can't be loaded. */
export const languageReady: Promise<unknown> = load(document.querySelector<HTMLElement>("[data-messages]")?.dataset["messages"]);

async function load(address: string | undefined): Promise<void> {
  if (address) await import(address).catch(() => undefined);
}
