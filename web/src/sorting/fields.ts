// The texts and the expiry of an album, which are saved as they are entered.

import { announce } from "../parts/announce";
import type { AlbumChange } from "../parts/album-api";
import { t } from "../parts/messages";
import { renameAlbum } from "../library/remembered-albums";
import type { Autosave } from "./autosave";

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
const PASSPHRASES = ["passphrase", "remove_passphrase"];

/** Save each field when it is left, and all of them when the form is sent by Enter. `saved` is called afterwards. */
export function wireFields(form: HTMLFormElement, autosave: Autosave, saved: () => void = () => undefined): void {
  const save = async (field?: Field): Promise<void> => {
    if (!(await autosave.flush())) return;
    if (field && PASSPHRASES.includes(field.name)) return reloadWithout(field); // the form has other fields now
    announce(t("Saved."));
    saved();
  };
  for (const field of form.querySelectorAll<Field>("#title, #description, #expires, #passphrase, #remove-passphrase")) {
    field.addEventListener("change", () => {
      autosave.schedule(changeOf(field));
      if (field.name === "title") renameAlbum(autosave.slug, field.value.trim() || null).catch(() => undefined);
      void save(field);
    });
  }
  // A field that is being edited has no change event if the page is left.
  addEventListener("pagehide", () => (document.activeElement as HTMLElement | null)?.blur());
  form.addEventListener("submit", (event) => {
    if ((event.submitter as HTMLButtonElement | null)?.value !== "save") return;
    event.preventDefault();
    void save();
  });
}

/** Without what was entered, which browsers put back into the field. */
function reloadWithout(field: Field): void {
  field.form?.reset();
  location.reload();
}

function changeOf(field: Field): AlbumChange {
  if (field.name === "remove_passphrase") return (field as HTMLInputElement).checked ? { passphrase: null } : {};
  if (["expires_in", "passphrase"].includes(field.name) && field.value === "") return {};
  if (field.name === "passphrase") return { passphrase: field.value };
  if (field.name === "expires_in") return { expires_in: field.value === "images" ? null : field.value };
  return { [field.name]: field.value.trim() || null };
}
