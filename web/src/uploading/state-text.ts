// What a card says about its file, in each phase.

import { type ImageResource, protectionTexts } from "../library/image";
import { dateOf, duration, size, timeOf } from "../parts/formatting";
import { t } from "../parts/messages";
import type { Transfer } from "./transfer";

export function stateText({ phase, sent, file, rate, isDisconnected, waitsForSpace, limit, limitedUntil, isDiscarded, hasEnded, image }: Transfer): string {
  const figures = { sent: size(sent), whole: size(file.size) };
  if (phase === "processing" && isDisconnected) return t("All data has been sent, but the connection was lost. The upload finishes when you’re back online.");
  switch (phase) {
    case "waiting":
      return t("Queued, {whole}", figures);
    case "sending": {
      const speed = rate.bytesPerSecond;
      if (speed === undefined) return t("{sent} of {whole}", figures);
      const left = duration((file.size - sent) / speed);
      return t("{sent} of {whole}, {speed}/s, {left} left", { ...figures, speed: size(speed), left });
    }
    case "paused":
      return t("Paused, {sent} of {whole}", figures);
    case "offline":
      if (limitedUntil) {
        const reached = t("Limit reached until {time}.", { time: timeOf(limitedUntil) });
        return t("{limit} Resumes automatically, {sent} of {whole}", { ...figures, limit: limit?.text || reached });
      }
      if (waitsForSpace) return t("Waiting for space on the server, {sent} of {whole}", figures);
      return t("Waiting for connection, {sent} of {whole}", figures);
    case "processing":
      return t("Processing …");
    case "done":
      return [size(image?.bytes ?? file.size), ...protectionTexts(image ?? {}), ...expiryOf(image), ...lossesOf(image)].join(". ");
    case "failed":
      return t("Upload failed. Try again to continue where it stopped.");
    case "refused":
      return t("This file was rejected.");
    case "gone":
      if (hasEnded) return t("This image is no longer available.");
      return isDiscarded ? t("Upload cancelled. Its link no longer works.") : t("Upload cancelled.");
  }
}

function expiryOf(image: ImageResource | undefined): string[] {
  if (!image?.expires_at) return [];
  return [t("Expires {date}", { date: dateOf(image.expires_at) })];
}

/** What the uploader wouldn't expect: data that was removed, or that couldn't be. */
function lossesOf(image: ImageResource | undefined): string[] {
  const losses: string[] = [];
  if (image?.problem) losses.push(t("For download only"));
  if (image?.incomplete) losses.push(t("The file is incomplete: its end is missing"));
  if (image?.private_data === "not-removable") losses.push(t("Some private data could not be removed"));
  if (image?.content_credentials === "removed") losses.push(t("Content credentials (C2PA) were removed"));
  return losses;
}
