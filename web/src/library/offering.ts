// A manage link that is opened in a browser whose My images doesn't have the image: it is offered to be added.

import { announce } from "../parts/announce";
import { button } from "../parts/buttons";
import { t, tn } from "../parts/messages";
import { lookUpNew } from "./actions";
import { listImages, saveImages } from "./store";

/** Offer at the end of `form` to add the image to My images. Nothing is offered where it is in the list, or nothing can be stored. */
export async function offerImage(slug: string, token: string, form: HTMLFormElement): Promise<void> {
  const images = await listImages().catch(() => undefined);
  if (!images || images.some((image) => image.slug === slug) || form.querySelector(".offer")) return;
  const offer = document.createElement("p");
  offer.className = "offer";
  const press = button(t("Add to My images"), () => void add(), { className: "quiet" });
  const add = async (): Promise<void> => {
    const image = await lookUpNew(slug, token);
    if (!image) return announce(tn("{count} image could not be added.", "{count} images could not be added.", 1));
    await saveImages(image);
    offer.replaceChildren(linkToList());
    offer.querySelector("a")?.focus();
    announce(t("Added to My images on this device."));
  };
  offer.append(press);
  form.append(offer);
}

function linkToList(): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = "/images";
  link.textContent = t("My images");
  return link;
}
