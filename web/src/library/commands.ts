// What people do with many images of My images: asked where it matters, done, and told with what came of it.

import { announce } from "../parts/announce";
import { required } from "../parts/dom";
import { t, tn } from "../parts/messages";
import { offerUndo, UNDO_MS } from "../parts/undo";
import { deleteNow, extend, moveToBin, type Outcome, restore } from "./actions";
import { isConfirmed } from "./asking";
import { hasEnded } from "./image";
import { type LibraryImage, removeImages, saveImages } from "./store";

/** One image goes to the bin at once, several only after a question. A host without a bin lets it be undone for some seconds. */
export async function binImages(images: LibraryImage[]): Promise<void> {
  const { length } = images;
  if (length > 1 && !(await (hasBin() ? isBinMeant(length) : isDeletionMeant(length)))) return;
  const { done, ...others } = await moveToBin(images);
  const moved = tn("{count} image moved to the bin.", "{count} images moved to the bin.", done.length);
  const text = withOthers(hasBin() ? moved : tn("{count} image deleted.", "{count} images deleted.", done.length), done, others);
  if (done.length > 0) offerUndo(text, () => restoreImages(done));
  else announce(text, { staysMs: UNDO_MS });
}

const hasBin = (): boolean => required("#live").dataset["binDays"] !== "0";

function isBinMeant(length: number): Promise<boolean> {
  const question = tn("Move {count} image to the bin?", "Move {count} images to the bin?", length);
  return isConfirmed(question, t("Their links stop working at once. You can restore the images from the bin."), t("Move to the bin"));
}

function isDeletionMeant(length: number): Promise<boolean> {
  const question = tn("Delete {count} image?", "Delete {count} images?", length);
  const seconds = UNDO_MS / 1000;
  return isConfirmed(question, t("Their links stop working at once. You can undo this for {seconds} seconds.", { seconds }), t("Delete"));
}

export async function restoreImages(images: LibraryImage[]): Promise<void> {
  const { done, ended, ...others } = await restore(images);
  const late = tn("{count} image can no longer be restored.", "{count} images can no longer be restored.", ended.length);
  const text = withOthers(tn("{count} image restored.", "{count} images restored.", done.length), done, { ended: [], ...others });
  announce(ended.length === 0 ? text : done.length + others.failed.length === 0 ? late : `${text} ${late}`, { staysMs: UNDO_MS });
}

/** Delete images of the bin before their time is over. */
export async function eraseImages(images: LibraryImage[]): Promise<void> {
  const question = tn("Delete {count} image now?", "Delete {count} images now?", images.length);
  if (!(await isConfirmed(question, t("This can’t be undone."), t("Delete now")))) return;
  const { done, ...others } = await deleteNow(images);
  announceOutcome(tn("{count} image deleted.", "{count} images deleted.", done.length), done, others);
}

export async function extendImages(images: LibraryImage[], expiresIn: string): Promise<void> {
  const { done, ...others } = await extend(images, expiresIn);
  announceOutcome(tn("Expiry changed for {count} image.", "Expiry changed for {count} images.", done.length), done, others);
}

/** Forget the images here; the server isn't asked. */
export async function forgetImages(images: LibraryImage[]): Promise<void> {
  const { length } = images;
  await removeImages(...images.map(({ slug }) => slug));
  const live = tn("{count} image removed from this list. Its link still works.", "{count} images removed from this list. Their links still work.", length);
  const ended = tn("{count} image removed from this list.", "{count} images removed from this list.", length);
  offerUndo(images.every((image) => hasEnded(image)) ? ended : live, async () => {
    await saveImages(...images);
    announce(tn("{count} image added.", "{count} images added.", length));
  });
}

type Others = Omit<Outcome, "done">;

function announceOutcome(text: string, done: LibraryImage[], others: Others): void {
  announce(withOthers(text, done, others), { staysMs: others.failed.length > 0 ? UNDO_MS : 4000 });
}

/** What was done, unless it is nothing, and what was not, and why. */
function withOthers(text: string, done: LibraryImage[], { ended, failed, problem }: Others): string {
  const parts = done.length > 0 ? [text] : [];
  if (ended.length > 0) parts.push(tn("{count} image was deleted or had expired before.", "{count} images were deleted or had expired before.", ended.length));
  if (failed.length > 0) parts.push(tn("{count} image could not be changed.", "{count} images could not be changed.", failed.length), problem?.message ?? "");
  return parts.filter(Boolean).join(" ");
}
