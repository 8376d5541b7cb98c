// Changes of an image that are made on its card.

import type { ImageResource } from "../library/image";
import { callApi } from "../parts/api";

/** New values of title, alt or expires_in; an empty text removes what there was. */
export type Edits = Record<string, string>;

/** Change an image with its delete token; the image as it is then. Throws Problem. */
export async function saveEdits(image: ImageResource, edits: Edits): Promise<ImageResource> {
  if (Object.keys(edits).length === 0) return image;
  const { slug, delete_token } = image;
  const body = Object.fromEntries(Object.entries(edits).map(([name, value]) => [name, value || null]));
  const reply = await callApi(`/api/v1/images/${slug}`, { method: "PATCH", token: delete_token, body });
  return { ...(reply as ImageResource), delete_token };
}
