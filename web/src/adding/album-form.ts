// Sending an album's form in the background: the server reads links as people paste them, and answers with the page.

import { announce } from "../parts/announce";
import { t } from "../parts/messages";

export class AlbumForm {
  /** `onPage` gets the manage page after a change. */
  constructor(
    private readonly form: HTMLFormElement,
    private readonly onPage: (page: Document) => void,
  ) {}

  /** Add the images that these links or slugs name. False if they couldn't be added; a message says why. */
  async add(links: string): Promise<boolean> {
    const token = this.form.querySelector<HTMLInputElement>("#token")?.value ?? "";
    const body = new URLSearchParams({ token, add: links });
    // `form.action` would be its button of that name.
    const call = { method: "POST", body, headers: { Accept: "text/html" } };
    const reply = await fetch(this.form.getAttribute("action") ?? "", call).catch(() => undefined);
    const page = reply && new DOMParser().parseFromString(await reply.text(), "text/html");
    if (!page || !reply.ok) {
      const problem = page?.querySelector(".problem p") ?? page?.querySelector("main p");
      announce(problem?.textContent ?? t("The server can’t be reached. Check your connection and try again."), { staysMs: 8000 });
      return false;
    }
    this.onPage(page);
    return true;
  }
}
