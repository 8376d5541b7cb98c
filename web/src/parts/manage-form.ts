// The manage form, on the share page and on the manage page: its changes go to the API, and the page shows the result.

import { announce } from "./announce";
import { callApi, Problem } from "./api";
import { DeletedImage } from "./deleted-image";
import { t } from "./messages";
import { loadPage } from "./pages";
import { checkToken, isWrongToken, showProblem } from "./restoring";
import { clearIncompleteToken, dropToken, storeToken, tokenIn, tokenOf } from "./token";

const DEPENDENT_IDS = ["about", "codes", "shown", "deleted"]; // the elements that show title, description or expiry

/** Let the manage form work in place. Without this script it is sent as an ordinary form. */
export function wireManageForm(page: HTMLElement): void {
  const form = page.querySelector<HTMLFormElement>("#manage form");
  const field = form?.querySelector<HTMLInputElement>("[name=token]");
  if (!form || !field) return;
  const manageForm = new ManageForm(page, form, field);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const action = (event.submitter as HTMLButtonElement | null)?.value;
    void manageForm.runChange(action === "delete" ? () => manageForm.remove() : () => manageForm.save());
  });
  const open = (): void => void manageForm.open();
  addEventListener("hashchange", open); // a manage link was opened while the page was already open
  open();
}

class ManageForm {
  readonly #page: HTMLElement;
  readonly #form: HTMLFormElement;
  readonly #field: HTMLInputElement;
  readonly #slug: string;
  #isBusy = false;

  constructor(page: HTMLElement, form: HTMLFormElement, field: HTMLInputElement) {
    this.#page = page;
    this.#form = form;
    this.#field = field;
    this.#slug = page.dataset["slug"] ?? "";
  }

  /** Open the form if there is a token: from the link, which is checked first, or stored in this tab. */
  async open(): Promise<void> {
    const byLink = location.hash !== ""; // before the token is removed from the address
    const token = tokenOf(this.#slug) ?? this.#token;
    if (token) this.#unlock(token);
    if (token && byLink && location.hash === "") {
      this.#reveal();
      if (await this.#isRight(token)) announce(t("This is your manage link. You can change or delete the image here."));
    } else if (clearIncompleteToken()) {
      this.#reveal();
      announce(t("This manage link is incomplete. Copy it again, or enter the delete token."));
    }
  }

  /** Whether the server accepts the token; a problem is shown above the form. */
  async #isRight(token: string): Promise<boolean> {
    try {
      await checkToken(this.#address, token);
      return true;
    } catch (fault) {
      this.#refuse(fault);
      return false;
    }
  }

  /** Open the form, without the token field, because the token is known. */
  #unlock(token: string): void {
    const offering = import("../library/offering").then(({ offerImage }) => offerImage(this.#slug, token, this.#form));
    offering.catch(() => undefined); // without a connection, nothing is offered
    this.#field.value = token;
    this.#field.closest<HTMLElement>(".field")!.hidden = true;
    this.#openDetails();
  }

  /** Forget a token that was refused, and show the field for the right one. */
  #lock(): void {
    dropToken(this.#slug);
    const place = this.#field.closest<HTMLElement>(".field")!;
    if (!place.hidden) return;
    place.hidden = false;
    this.#field.focus();
  }

  /** Scroll to the form, which is far below the image on the share page. */
  #reveal(): void {
    this.#openDetails();
    this.#head.scrollIntoView({ block: "start" });
    this.#head.focus({ preventScroll: true });
  }

  #openDetails(): void {
    const place = this.#page.querySelector("#manage");
    if (place instanceof HTMLDetailsElement) place.open = true;
  }

  /** What names the form: on the share page it opens it. */
  get #head(): HTMLElement {
    return this.#page.querySelector<HTMLElement>("#manage > summary") ?? this.#page.querySelector<HTMLElement>("h1")!;
  }

  /** One change at a time; its problem is shown above the form. Buttons aren't disabled, because that would lose the focus. */
  async runChange(change: () => Promise<void>): Promise<void> {
    if (this.#isBusy) return;
    this.#setBusy(true);
    this.#showProblem();
    try {
      await change();
    } catch (fault) {
      this.#refuse(fault);
    } finally {
      this.#setBusy(false);
    }
  }

  #refuse(fault: unknown): void {
    if (!(fault instanceof Problem)) throw fault;
    this.#showProblem(fault);
    if (isWrongToken(fault)) this.#lock();
  }

  #setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    for (const button of this.#form.querySelectorAll("button")) button.setAttribute("aria-disabled", String(isBusy));
  }

  async save(): Promise<void> {
    const value = (name: string): string => new FormData(this.#form).get(name)?.toString() ?? "";
    const [expires, passphrase] = [value("expires_in"), value("passphrase")];
    const changed = this.#texts.filter((field) => field.value !== field.defaultValue);
    const changes = Object.fromEntries(changed.map((field) => [field.name, field.value || null]));
    const lock = value("remove_passphrase") ? { passphrase: null } : passphrase ? { passphrase } : {};
    await this.#call("PATCH", { ...changes, ...(expires ? { expires_in: expires } : {}), ...lock });
    storeToken(this.#slug, this.#token);
    for (const field of changed) field.defaultValue = changes[field.name] ?? "";
    if ("passphrase" in lock) return location.reload(); // what the page may show is another thing now
    const isRefreshed = await this.#refresh();
    announce(isRefreshed ? t("Saved.") : t("Saved. Reload the page to see the changes."));
  }

  async remove(): Promise<void> {
    const reply = await callApi(`${this.#address}?bin=true`, { method: "DELETE", token: this.#token });
    storeToken(this.#slug, this.#token);
    this.#page.hidden = true;
    const deleted = new DeletedImage(this.#page, {
      restore: () => this.#restore(),
      deleteNow: () => this.#call("DELETE"),
    });
    deleted.show((reply as { restorable_until: string | null }).restorable_until);
  }

  async #restore(): Promise<void> {
    await this.#call("PATCH", { restore: true });
    this.#page.hidden = false;
    this.#form.querySelector<HTMLDetailsElement>("details.delete")!.open = false;
    this.#head.focus();
    announce(t("Image restored."));
  }

  /** Only those that differ from what they were are sent: another tab may have changed the others. */
  get #texts(): (HTMLInputElement | HTMLTextAreaElement)[] {
    return [...this.#form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("#title, #alt")];
  }

  get #token(): string {
    return tokenIn(this.#field.value);
  }

  get #address(): string {
    return `/api/v1/images/${this.#slug}`;
  }

  async #call(method: string, body?: unknown): Promise<void> {
    await callApi(this.#address, { method, token: this.#token, body });
  }

  #showProblem(problem?: Problem): void {
    this.#page.querySelector("#manage .message")?.remove(); // what the server's page said before
    showProblem(document.querySelector("#manage-problem")!, problem);
  }

  /** Replace the elements that depend on the change with those of the current page. False if it can't be loaded. */
  async #refresh(): Promise<boolean> {
    const fresh = await loadPage(location.pathname, { cache: "no-store" });
    if (!fresh) return false;
    document.title = fresh.title;
    for (const id of DEPENDENT_IDS) {
      const [here, there] = [document.getElementById(id), fresh.getElementById(id)];
      if (here instanceof HTMLImageElement) here.alt = there?.getAttribute("alt") ?? here.alt;
      else if (here && there) here.replaceWith(there);
    }
    for (const field of this.#texts) if (field.value === field.defaultValue) showText(field, fresh);
    const select = this.#form.querySelector("select")!;
    select.replaceChildren(...(fresh.querySelector("#manage select")?.children ?? []));
    select.value = ""; // no change: inserting options changes the selection
    this.#page.dispatchEvent(new Event("refreshed"));
    return true;
  }
}

/** Show what the field has on the page of now. */
function showText(field: HTMLInputElement | HTMLTextAreaElement, page: Document): void {
  const text = page.querySelector<HTMLInputElement | HTMLTextAreaElement>(`#manage #${field.id}`)?.defaultValue;
  if (text !== undefined) field.value = field.defaultValue = text;
}
