// Adding uploaded images to an album by their links.

import { announce } from "../parts/announce";
import { button } from "../parts/buttons";
import { t } from "../parts/messages";
import type { AlbumForm } from "./album-form";

/** Put a button below the field for links that adds them. */
export function wireLinks(field: HTMLTextAreaElement, form: AlbumForm): void {
  const count = (): number => document.querySelectorAll(".sortable > li").length;
  const add = async (): Promise<void> => {
    const before = count();
    if (field.value.trim() === "" || !(await form.add(field.value))) return field.focus();
    field.value = "";
    for (const press of document.querySelectorAll(".image-picker [aria-pressed=true]")) press.setAttribute("aria-pressed", "false");
    announce(count() > before ? t("Added to the album.") : t("The album has these images already."));
  };
  field.closest("p")?.append(button(t("Add"), () => void add(), { className: "quiet" }));
}
